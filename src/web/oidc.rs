//! Sign-in by the site's own identity provider (OpenID Connect, authorization code flow with PKCE).
//!
//! Nobody is let in for being known to the provider: a person with that subject must have been added here. What is remembered of a sign-in
//! that began is kept by the browser that began it, in a cookie that only we can have written; each is used once.

mod provider;

use std::{collections::HashMap, sync::Arc, sync::Mutex};

use axum::{
    Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Redirect, Response},
    routing::get,
};
use cookie::{Cookie, time::Duration};
use minijinja::context;
use provider::{Asked, Fault, Source, code_of};
use serde::Deserialize;
use tracing::warn;

use super::{
    Shared, page, secret,
    staff::{Where, cookie, enter, language, whole, with_cookie},
};
use crate::{
    domain::{
        Time,
        settings::{Language, Oidc},
    },
    link::SIGN_IN_LIFE,
    runtime::held,
    store::{people, trail},
};

/// The longest place that is gone to afterwards: it must fit into the cookie.
const NEXT_MAX: usize = 1000;
/// The longest code that is handed on.
const CODE_MAX: usize = 4096;
/// Sign-ins remembered as used; who floods it gains nothing, as a provider takes a code once.
const USED_MAX: usize = 10_000;
/// Who the trail says it was, and for whose failures the gate waits. No name that somebody signs in with begins with a space.
const BY: &str = "oidc";
const GATE: &str = " oidc";

/// The provider, and which sign-ins came back from it.
pub(super) struct Provider {
    oidc: Oidc,
    source: Source,
    used: Mutex<HashMap<String, Time>>,
}

impl Provider {
    pub fn new(oidc: Oidc) -> Self {
        Self { source: Source::new(oidc.clone()), oidc, used: Mutex::default() }
    }

    /// Whether this sign-in comes back for the first time.
    fn first(&self, state: &str, now: Time) -> bool {
        let mut used = held(&self.used);
        if used.len() >= USED_MAX {
            used.retain(|_, at| now.since(*at) < SIGN_IN_LIFE);
        }
        if used.len() >= USED_MAX {
            used.clear();
        }
        used.insert(secret::fingerprint(state), now).is_none()
    }
}

/// Why somebody is not signed in: what the page says, and what else the log and the trail do.
enum Refusal {
    Down(String),
    Refused(String),
    Unproven(String),
    Unknown(String),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Down(why) => Self::Down(why),
            Fault::Unproven(why) => Self::Unproven(why),
        }
    }
}

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/oidc/start", get(start)).route("/oidc/back", get(back))
}

/// The cookie's name. With the prefix no subdomain can set it.
fn name(shared: &Shared) -> &'static str {
    if shared.over_tls() { "__Host-tanggap-oidc" } else { "tanggap-oidc" }
}

async fn start(State(shared): State<Arc<Shared>>, headers: HeaderMap, Query(next): Query<Where>) -> Response {
    let Some(provider) = &shared.provider else { return StatusCode::NOT_FOUND.into_response() };
    let (language, now) = (language(&shared, &headers), shared.now());
    let next = Some(next.place()).filter(|next| next.len() <= NEXT_MAX).unwrap_or("/");
    let (url, asked) = match provider.source.begin(next, now).await {
        Ok(begun) => begun,
        Err(fault) => return refuse(&shared, language, fault.into(), now).await,
    };
    let Ok(asked) = serde_json::to_string(&asked) else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let kept = Cookie::build((name(&shared), shared.joints.links.sign_in(&asked, now))).max_age(Duration::seconds(SIGN_IN_LIFE.as_secs()));
    with_cookie(Redirect::to(url.as_str()).into_response(), &whole(&shared, kept))
}

/// What the provider sends somebody back with.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Back {
    state: String,
    code: String,
    error: String,
}

async fn back(State(shared): State<Arc<Shared>>, headers: HeaderMap, Query(back): Query<Back>) -> Response {
    let Some(provider) = &shared.provider else { return StatusCode::NOT_FOUND.into_response() };
    let (language, now) = (language(&shared, &headers), shared.now());
    let kept = cookie(&headers, name(&shared)).and_then(|kept| shared.joints.links.signing_in(&kept, now));
    let asked = kept.and_then(|kept| serde_json::from_str::<Asked>(&kept).ok());
    let response = match proven(provider, asked.as_ref(), back, now).await {
        Ok((sub, next)) => match people::by_subject(&shared.joints.db, &provider.oidc.subject(&sub)).await {
            Ok(Some(person)) => {
                shared.gate.passed(GATE);
                enter(&shared, &person, next, now).await.unwrap_or_else(|error| shared.failed(language, &error))
            }
            Ok(None) => refuse(&shared, language, Refusal::Unknown(sub), now).await,
            Err(error) => shared.failed(language, &error),
        },
        Err(refusal) => refuse(&shared, language, refusal, now).await,
    };
    with_cookie(response, &whole(&shared, Cookie::build((name(&shared), "")).max_age(Duration::ZERO)))
}

/// Whom the provider proves somebody to be, and where they wanted to go.
async fn proven<'a>(provider: &Provider, asked: Option<&'a Asked>, back: Back, now: Time) -> Result<(String, &'a str), Refusal> {
    let asked = asked.ok_or_else(|| Refusal::Refused("no sign-in of this browser is under way".into()))?;
    if secret::fingerprint(&asked.state) != secret::fingerprint(&back.state) {
        return Err(Refusal::Refused("the state is of another sign-in".into()));
    }
    if !provider.first(&asked.state, now) {
        return Err(Refusal::Refused("the sign-in came back a second time".into()));
    }
    if !back.error.is_empty() {
        return Err(Refusal::Refused(format!("the provider says {}", code_of(&back.error))));
    }
    if back.code.is_empty() || back.code.len() > CODE_MAX {
        return Err(Refusal::Refused("no code".into()));
    }
    let sub = provider.source.prove(asked, back.code, now).await?;
    Ok((sub, &asked.next))
}

/// Says so on the page, in the log and in the trail; in the trail not more often than anybody may fail to sign in, so that nobody fills it.
async fn refuse(shared: &Shared, language: Language, refusal: Refusal, now: Time) -> Response {
    let (status, word, detail, shown) = match refusal {
        Refusal::Down(why) => {
            warn!(event = "oidc.down", why, "the identity provider is of no use; sign-in by password is not touched");
            return page(shared, language, StatusCode::SERVICE_UNAVAILABLE, "word", context! { word => "provider_down" });
        }
        Refusal::Refused(why) => (StatusCode::BAD_REQUEST, "provider_refused", why, None),
        Refusal::Unproven(why) => (StatusCode::UNAUTHORIZED, "provider_unproven", why, None),
        Refusal::Unknown(sub) => (StatusCode::UNAUTHORIZED, "provider_unknown", format!("nobody has the subject {sub}"), Some(sub)),
    };
    warn!(event = "user.refused", "a sign-in by the identity provider failed; the trail says why");
    if shared.gate.wait(GATE, now).is_none() {
        shared.gate.failed(GATE, now);
        if let Err(error) = trail::add(&shared.joints.db, BY, "sign_in.failed", &detail, now).await {
            return shared.failed(language, &error);
        }
    }
    let parts = shown.map_or_else(|| context! { word }, |detail| context! { word, detail });
    page(shared, language, status, "word", parts)
}
