//! A small OpenID provider on loopback: it publishes what one publishes, hands out codes, checks clients as RFC 6749 and RFC 7636 ask, signs
//! ID tokens, and does each of these wrongly when told to.

use std::{
    collections::HashMap,
    process::Command,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Form, Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::{
    AccessToken, Audience, EmptyAdditionalClaims, IssuerUrl, JsonWebKeyId, Nonce, PrivateSigningKey as _, StandardClaims,
    SubjectIdentifier,
    core::{
        CoreEdDsaPrivateSigningKey, CoreHmacKey, CoreIdToken, CoreIdTokenClaims, CoreJsonWebKeySet, CoreJwsSigningAlgorithm as Alg,
        CoreRsaPrivateSigningKey,
    },
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tanggap::runtime::{Clock as _, Crew, ManualClock, serve::Server};
use tokio_util::sync::CancellationToken;

pub const SECRET: &str = "kanarirahasia+klien/1";
pub const ACCESS: &str = "kanaritokenakses";
/// Every code begins with it.
pub const CODE: &str = "kanarikode";

/// What it does wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    Nothing,
    Audience,
    Issuer,
    Nonce,
    Expired,
    Forged,
    Unsigned,
    BySecret,
    Subject,
    NoToken,
    Garbage,
    Denied,
    Broken,
}

pub struct Provider {
    pub url: String,
    clock: Arc<ManualClock>,
    rsa: CoreRsaPrivateSigningKey,
    other: CoreEdDsaPrivateSigningKey,
    pub now: Mutex<Now>,
}

/// How it behaves now, and what it saw.
pub struct Now {
    pub wrong: Wrong,
    /// It changed its key.
    pub rotated: bool,
    pub sub: String,
    pub discovered: usize,
    /// ID tokens it handed out.
    pub tokens: Vec<String>,
    /// By code: nonce, challenge and redirect address.
    codes: HashMap<String, [String; 3]>,
}

fn rsa() -> CoreRsaPrivateSigningKey {
    let made = Command::new("openssl").args(["genrsa", "-traditional", "2048"]).output().unwrap();
    let pem = String::from_utf8(made.stdout).unwrap();
    CoreRsaPrivateSigningKey::from_pem(&pem, Some(JsonWebKeyId::new("satu".into()))).unwrap()
}

/// A new key of another kind.
fn other() -> CoreEdDsaPrivateSigningKey {
    let start = hex::decode("302e020100300506032b657004220420").unwrap(); // RFC 8410 §7
    let body = STANDARD.encode([start, rand::random::<[u8; 32]>().to_vec()].concat());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new("dua".into()))).unwrap()
}

impl Provider {
    pub async fn start(clock: &Arc<ManualClock>) -> (Arc<Self>, Crew) {
        let mut crew = Crew::new(&CancellationToken::new());
        let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let now =
            Now { wrong: Wrong::Nothing, rotated: false, sub: "f3a1-siti".into(), discovered: 0, tokens: vec![], codes: HashMap::new() };
        let url = format!("http://{}/realms/rembang", server.address());
        let provider = Arc::new(Self { url, clock: clock.clone(), rsa: rsa(), other: other(), now: Mutex::new(now) });
        let router = Router::new()
            .route("/realms/rembang/.well-known/openid-configuration", get(discovery))
            .route("/realms/rembang/jwks", get(jwks))
            .route("/realms/rembang/authorize", get(authorize))
            .route("/realms/rembang/token", post(token))
            .with_state(provider.clone());
        let stop = crew.token();
        crew.spawn("provider", server.run(router, stop));
        (provider, crew)
    }

    pub fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap()
    }

    fn id_token(&self, nonce: &str) -> String {
        let (wrong, rotated, sub) = {
            let now = self.now();
            (now.wrong, now.rotated, now.sub.clone())
        };
        let at: DateTime<Utc> = DateTime::from_timestamp(self.clock.now().as_second(), 0).unwrap();
        let ends = if wrong == Wrong::Expired { at } else { at + TimeDelta::minutes(5) };
        let issuer = if wrong == Wrong::Issuer { "https://lain.example".to_owned() } else { self.url.clone() };
        let audience = if wrong == Wrong::Audience { "lain" } else { "tanggap" };
        let nonce = if wrong == Wrong::Nonce { "lain" } else { nonce };
        let sub = if wrong == Wrong::Subject { "x\u{1b}[31m".into() } else { sub };
        let claims = CoreIdTokenClaims::new(
            IssuerUrl::new(issuer).unwrap(),
            vec![Audience::new(audience.into())],
            ends,
            at,
            StandardClaims::new(SubjectIdentifier::new(sub)),
            EmptyAdditionalClaims {},
        )
        .set_nonce(Some(Nonce::new(nonce.into())));
        let access = AccessToken::new(ACCESS.into());
        let token = match wrong {
            Wrong::Forged => CoreIdToken::new(claims, &rsa(), Alg::RsaSsaPkcs1V15Sha256, Some(&access), None),
            Wrong::BySecret => CoreIdToken::new(claims, &CoreHmacKey::new(SECRET), Alg::HmacSha256, Some(&access), None),
            _ if rotated => CoreIdToken::new(claims, &self.other, Alg::EdDsa, Some(&access), None),
            _ => CoreIdToken::new(claims, &self.rsa, Alg::RsaSsaPkcs1V15Sha256, Some(&access), None),
        };
        let token = token.unwrap().to_string();
        if wrong == Wrong::Unsigned {
            let body = token.split('.').nth(1).unwrap();
            return format!("{}.{body}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#));
        }
        token
    }
}

type Ours = State<Arc<Provider>>;
type Pairs = HashMap<String, String>;

async fn discovery(State(provider): Ours) -> Response {
    provider.now().discovered += 1;
    let url = &provider.url;
    Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "EdDSA", "HS256", "none"],
    }))
    .into_response()
}

async fn jwks(State(provider): Ours) -> Response {
    let rotated = provider.now().rotated;
    let key = if rotated { provider.other.as_verification_key() } else { provider.rsa.as_verification_key() };
    Json(CoreJsonWebKeySet::new(vec![key])).into_response()
}

async fn authorize(State(provider): Ours, Query(asked): Query<Pairs>) -> Response {
    let fixed = [("response_type", "code"), ("client_id", "tanggap"), ("code_challenge_method", "S256"), ("scope", "openid")];
    for (name, value) in fixed {
        assert_eq!(asked[name], value, "{name}");
    }
    let code = format!("{CODE}{:x}", rand::random::<u64>());
    let kept = ["nonce", "code_challenge", "redirect_uri"].map(|name| asked[name].clone());
    let back = url::Url::parse_with_params(&kept[2], [("code", &code), ("state", &asked["state"])]).unwrap();
    provider.now().codes.insert(code, kept);
    Redirect::to(back.as_str()).into_response()
}

async fn token(State(provider): Ours, headers: HeaderMap, Form(sent): Form<Pairs>) -> Response {
    let refused = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": error, "error_description": SECRET}))).into_response();
    let encoded: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let basic = format!("Basic {}", STANDARD.encode(format!("tanggap:{encoded}")));
    if headers.get("authorization").is_none_or(|sent| sent != basic.as_str()) {
        return refused("invalid_client");
    }
    let wrong = provider.now().wrong;
    let known = provider.now().codes.remove(&sent["code"]);
    let Some([nonce, challenge, back]) = known.filter(|_| wrong != Wrong::Denied) else { return refused("invalid_grant") };
    if URL_SAFE_NO_PAD.encode(Sha256::digest(&sent["code_verifier"])) != challenge || sent["redirect_uri"] != back {
        return refused("invalid_grant");
    }
    let id_token = provider.id_token(&nonce);
    provider.now().tokens.push(id_token.clone());
    match wrong {
        Wrong::Broken => (StatusCode::INTERNAL_SERVER_ERROR, ACCESS).into_response(),
        Wrong::Garbage => Json(json!([ACCESS, id_token])).into_response(),
        Wrong::NoToken => Json(json!({"access_token": ACCESS, "token_type": "Bearer"})).into_response(),
        _ => Json(json!({"access_token": ACCESS, "token_type": "Bearer", "expires_in": 300, "id_token": id_token})).into_response(),
    }
}
