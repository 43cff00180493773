//! `/meta/deletion`: Meta asks for the erasure of a person's data (Platform Terms; "Data Deletion Request Callback"), and the page on which
//! that person sees how it stands. Needs no sign-in: what Meta sends is signed by an app of ours, and the page says nothing of anybody.
//!
//! The id is app-scoped: it is that of somebody who signed in to the app. Citizens who only write to a Page have other ids; for them there is
//! `tanggap erase`.

use std::{num::NonZeroU32, sync::Arc};

use axum::{
    Form, Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use minijinja::context;
use serde::Deserialize;
use tracing::{debug, error};

use super::{Shared, complain, meta::is_ours, page, staff::language};
use crate::{
    domain::settings::{Graph, Language},
    store::forget,
};

const BASE64: GeneralPurpose =
    GeneralPurpose::new(&URL_SAFE, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));
/// The longest id that is taken; Meta's are shorter.
const ID_MAX: usize = 100;
/// Looks at pages in a second by all together, and at once after a pause: codes are not to be guessed.
const LOOKS: NonZeroU32 = NonZeroU32::new(5).unwrap();
const BURST: NonZeroU32 = NonZeroU32::new(30).unwrap();

/// How often pages of requests are looked at.
pub(super) type Looks = DefaultDirectRateLimiter;

pub(super) fn looks() -> Looks {
    RateLimiter::direct(Quota::per_second(LOOKS).allow_burst(BURST))
}

/// Nothing is there where no app could have signed.
pub(super) fn router(graph: &Graph) -> Router<Arc<Shared>> {
    if graph.secrets().next().is_none() {
        return Router::new();
    }
    Router::new().route("/meta/deletion", post(ask)).route("/meta/deletion/{code}", get(show))
}

/// Why a signed request is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has not the form: two parts of base64url, the second of them JSON with an algorithm and an id.
    #[error("this is no signed_request: base64url(signature).base64url(json) with algorithm HMAC-SHA256 and a user_id is one")]
    Form,
    /// No app of ours signed it.
    #[error("no app of this site signed this")]
    Signature,
}

/// Whose data a `signed_request` asks to erase: `SIGNATURE.PAYLOAD`, both base64url, the signature the HMAC-SHA256 of the second part as it
/// came under an app's secret. What nobody of ours signed is not looked into.
pub fn requested(graph: &Graph, signed_request: &str) -> Result<String, Refused> {
    #[derive(Deserialize)]
    struct Payload {
        algorithm: String,
        user_id: serde_json::Value,
    }
    let (signature, payload) = signed_request.split_once('.').ok_or(Refused::Form)?;
    let signature = BASE64.decode(signature).map_err(|_| Refused::Form)?;
    if !is_ours(graph, &signature, payload.as_bytes()) {
        return Err(Refused::Signature);
    }
    let payload = BASE64.decode(payload).map_err(|_| Refused::Form)?;
    let Payload { algorithm, user_id } = serde_json::from_slice(&payload).map_err(|_| Refused::Form)?;
    let id = match user_id {
        serde_json::Value::String(id) => id,
        serde_json::Value::Number(id) if id.is_u64() => id.to_string(),
        _ => return Err(Refused::Form),
    };
    let fit = (1..=ID_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if fit && algorithm.eq_ignore_ascii_case("HMAC-SHA256") { Ok(id) } else { Err(Refused::Form) }
}

#[derive(Deserialize)]
struct Sent {
    signed_request: String,
}

async fn ask(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    sent: Result<Form<Sent>, axum::extract::rejection::FormRejection>,
) -> Response {
    let Ok(Form(Sent { signed_request })) = sent else {
        return (StatusCode::BAD_REQUEST, "a form with the field signed_request is expected\n").into_response();
    };
    let author = match requested(&shared.settings().graph, &signed_request) {
        Ok(author) => author,
        Err(refused) => {
            debug!(%refused, "a request to erase was refused");
            let status = if refused == Refused::Form { StatusCode::BAD_REQUEST } else { StatusCode::FORBIDDEN };
            return (status, format!("{refused}\n")).into_response();
        }
    };
    match forget::request(&shared.joints.db, &rand::random(), &author, shared.now()).await {
        Ok(code) => {
            let host = || headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(|host| format!("https://{host}"));
            let base = shared.settings().http.public_url.clone().or_else(host).unwrap_or_default();
            let url = format!("{}/meta/deletion/{code}", base.trim_end_matches('/'));
            Json(serde_json::json!({ "url": url, "confirmation_code": code })).into_response()
        }
        Err(failed) => {
            complain(&failed, "a request to erase could not be noted; Meta sends it again");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// How a request stands, in both languages: whoever comes here has no account.
async fn show(State(shared): State<Arc<Shared>>, headers: HeaderMap, Path(code): Path<String>) -> Response {
    let reader = language(&shared, &headers);
    if shared.looks.check().is_err() {
        return (StatusCode::TOO_MANY_REQUESTS, "Terlalu sering; coba lagi sebentar lagi. Too often; try again in a moment.\n")
            .into_response();
    }
    let found = match forget::status(&shared.joints.db, &code).await {
        Ok(found) => found,
        Err(failed) => return shared.failed(reader, &failed),
    };
    let Some(deletion) = found else {
        return page(&shared, reader, StatusCode::NOT_FOUND, "word", context! { word => "no_request" });
    };
    let (asked_at, done_at) = (deletion.asked_at.rfc3339(), deletion.done_at.map(crate::domain::Time::rfc3339));
    let said = context! { asked_at, done_at, code };
    let parts = [Language::Indonesian, Language::English].map(|language| shared.look.of(language).page("deletion_part", said.clone()));
    match parts.into_iter().collect::<Result<Vec<_>, _>>() {
        Ok(parts) => page(&shared, reader, StatusCode::OK, "deletion", context! { parts }),
        Err(failed) => {
            error!(error = %failed, "a page could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use hmac::{Hmac, KeyInit as _, Mac as _};
    use sha2::Sha256;

    use super::*;
    use crate::domain::settings::App;

    fn graph() -> Graph {
        let app = App { id: None, secret: Some("satu".into()), instagram_secret: Some("dua".into()) };
        let other = App { id: None, secret: Some("tiga".into()), instagram_secret: None };
        Graph {
            url: String::new(),
            instagram_url: String::new(),
            version: "v25.0".into(),
            app,
            apps: BTreeMap::from([("lain".to_owned(), other)]),
            sources: vec![],
            verify_token: None,
            timeout: jiff::SignedDuration::from_secs(1),
        }
    }

    fn signed(secret: &str, payload: &str) -> String {
        let payload = BASE64.encode(payload);
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(payload.as_bytes());
        format!("{}.{payload}", BASE64.encode(mac.finalize().into_bytes()))
    }

    const RIGHT: &str = r#"{"algorithm":"HMAC-SHA256","user_id":"218471","issued_at":1}"#;

    #[test]
    fn what_any_app_of_ours_signed_names_a_person_with_padding_or_without() {
        for secret in ["satu", "dua", "tiga"] {
            let right = signed(secret, RIGHT);
            assert_eq!(requested(&graph(), &right), Ok("218471".to_owned()), "{secret}");
            let (signature, payload) = right.split_once('.').unwrap();
            assert_eq!(requested(&graph(), &format!("{}.{payload}", signature.trim_end_matches('='))), Ok("218471".to_owned()));
        }
        let number = signed("satu", r#"{"algorithm":"hmac-sha256","user_id":218471}"#);
        assert_eq!(requested(&graph(), &number), Ok("218471".to_owned()));
    }

    #[test]
    fn what_is_forged_or_odd_is_refused_with_why() {
        let right = signed("satu", RIGHT);
        let (signature, payload) = right.split_once('.').unwrap();
        let forged = [
            signed("empat", RIGHT),
            signed("", RIGHT),
            format!(".{payload}"),
            format!("{signature}."),
            format!("{signature}.{payload}A"),
            format!("{signature}.{payload}.{payload}"),
            format!("{}.{payload}", &signature[..20]),
        ];
        for text in forged {
            assert_eq!(requested(&graph(), &text), Err(Refused::Signature), "{text}");
        }
        let odd = |payload: &str| signed("satu", payload);
        let long = format!(r#"{{"algorithm":"HMAC-SHA256","user_id":"{}"}}"#, "1".repeat(101));
        for text in [
            String::new(),
            "x".into(),
            "\u{0}.\u{0}".into(),
            "%%%.%%%".into(),
            odd(""),
            odd("null"),
            odd("[]"),
            odd("{}"),
            odd(r#"{"user_id":"1"}"#),
            odd(r#"{"algorithm":"none","user_id":"1"}"#),
            odd(r#"{"algorithm":"HMAC-SHA1","user_id":"1"}"#),
            odd(r#"{"algorithm":"HMAC-SHA256"}"#),
            odd(r#"{"algorithm":"HMAC-SHA256","user_id":""}"#),
            odd(r#"{"algorithm":"HMAC-SHA256","user_id":"@siti"}"#),
            odd(r#"{"algorithm":"HMAC-SHA256","user_id":"~"}"#),
            odd(r#"{"algorithm":"HMAC-SHA256","user_id":-1}"#),
            odd(r#"{"algorithm":"HMAC-SHA256","user_id":["1"]}"#),
            odd(&long),
        ] {
            assert_eq!(requested(&graph(), &text), Err(Refused::Form), "{text}");
        }
        let none = Graph { app: App::default(), apps: BTreeMap::new(), ..graph() };
        assert_eq!(requested(&none, &right), Err(Refused::Signature));
    }
}
