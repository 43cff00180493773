//! The site's identity provider: what it publishes, kept for an hour, where it is asked, and what it proves of somebody.
//!
//! What it answers may hold secrets and may be hostile: of its errors only our own words and its short codes go into log and trail.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use axum::http;
use chrono::{DateTime, Utc};
use jiff::SignedDuration;
use openidconnect::{
    AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, DiscoveryError, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, SignatureVerificationError, TokenResponse as _,
    core::{CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreJwsSigningAlgorithm as Alg, CoreProviderMetadata},
};
use reqwest::Client;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use url::{Host, Url};

use crate::{
    domain::{Time, settings::Oidc},
    runtime::http::{body_capped, client, describe},
};

/// One request, all told.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest answer; keys of a large provider are a tenth of it.
const ANSWER_MAX: usize = 256 * 1024;
/// How long what it publishes is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(1);
/// How long it is not asked again after it did not answer, and after it was asked for a key that we did not know.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);
/// Signatures by a key of the provider's own. None by our secret: whoever knows that could sign as anybody.
const ALGS: [Alg; 9] = [
    Alg::RsaSsaPkcs1V15Sha256,
    Alg::RsaSsaPkcs1V15Sha384,
    Alg::RsaSsaPkcs1V15Sha512,
    Alg::RsaSsaPssSha256,
    Alg::RsaSsaPssSha384,
    Alg::RsaSsaPssSha512,
    Alg::EcdsaP256Sha256,
    Alg::EcdsaP384Sha384,
    Alg::EdDsa,
];
/// The longest subject (OpenID Connect Core §2).
const SUBJECT_MAX: usize = 255;

/// Why nobody could be proven to be anybody.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The provider does not answer as one does.
    #[error("the identity provider: {0}")]
    Down(String),
    /// It answered, and what it answered proves nothing.
    #[error("{0}")]
    Unproven(String),
}

/// Why a request did not come about.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unasked(String);

/// What is remembered of a sign-in that began.
#[derive(Serialize, Deserialize)]
pub struct Asked {
    /// What the provider hands back.
    pub state: String,
    nonce: String,
    verifier: String,
    /// Where somebody wanted to go.
    pub next: String,
}

type Ours = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// What the provider publishes.
struct Known {
    client: Ours,
    http: Client,
}

type Found = Result<Arc<Known>, String>;

/// The provider.
pub struct Source {
    oidc: Oidc,
    /// When it was asked last, and what came of it.
    kept: Mutex<Option<(Time, Found)>>,
}

impl Source {
    pub fn new(oidc: Oidc) -> Self {
        Self { oidc, kept: Mutex::default() }
    }

    /// Where to send somebody, and what to remember meanwhile.
    pub async fn begin(&self, next: &str, now: Time) -> Result<(Url, Asked), Fault> {
        let known = self.known(now, KEPT).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let (url, state, nonce) =
            known.client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random).set_pkce_challenge(challenge).url();
        let asked =
            Asked { state: state.into_secret(), nonce: nonce.secret().clone(), verifier: verifier.into_secret(), next: next.to_owned() };
        Ok((url, asked))
    }

    /// Whom the provider proves somebody to be, by the code it sent them back with: its subject.
    pub async fn prove(&self, asked: &Asked, code: String, now: Time) -> Result<String, Fault> {
        let known = self.known(now, KEPT).await?;
        let request =
            known.client.exchange_code(AuthorizationCode::new(code)).map_err(|_| Fault::Down("it names no token_endpoint".into()))?;
        let ask = asking(&known.http);
        let answer = request.set_pkce_verifier(PkceCodeVerifier::new(asked.verifier.clone())).request_async(&ask).await;
        let answer = answer.map_err(|error| match error {
            RequestTokenError::Request(Unasked(why)) => Fault::Down(why),
            RequestTokenError::ServerResponse(error) => Fault::Unproven(format!("token request: {}", code_of(error.error().as_ref()))),
            _ => Fault::Unproven("the answer to the token request cannot be read".into()),
        })?;
        let token = answer.id_token().ok_or_else(|| Fault::Unproven("no ID token".into()))?;
        match subject(&known, token, asked, now) {
            // The provider may have changed its keys within the hour.
            Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
                subject(&*self.known(now, PAUSE).await?, token, asked, now)
            }
            proven => proven,
        }
        .map_err(|error| Fault::Unproven(word(&error).into()))
    }

    /// What the provider published at most so long ago.
    async fn known(&self, now: Time, age: SignedDuration) -> Result<Arc<Known>, Fault> {
        let mut kept = self.kept.lock().await;
        let holds = |(at, outcome): &&(Time, Found)| now.since(*at) < if outcome.is_ok() { age } else { PAUSE };
        if let Some((_, outcome)) = kept.as_ref().filter(holds) {
            return outcome.clone().map_err(Fault::Down);
        }
        let outcome = self.discover().await.map(Arc::new);
        *kept = Some((now, outcome.clone()));
        outcome.map_err(Fault::Down)
    }

    async fn discover(&self) -> Result<Known, String> {
        let http = client(TIMEOUT).map_err(describe)?;
        let issuer = IssuerUrl::new(self.oidc.issuer.clone()).map_err(|_| "its issuer is no URL".to_owned())?;
        let ask = asking(&http);
        let found = CoreProviderMetadata::discover_async(issuer, &ask).await.map_err(|error| match error {
            DiscoveryError::Request(Unasked(why)) => why,
            DiscoveryError::Response(status, ..) => format!("discovery is answered by {status}"),
            DiscoveryError::Validation(_) => "it calls itself otherwise than oidc.issuer".into(),
            _ => "what it publishes cannot be read".into(),
        })?;
        if !is_safe(found.authorization_endpoint().url()) {
            return Err("its authorization_endpoint is not https".into());
        }
        // Basic is what holds where nothing is said (OpenID Connect Discovery §3).
        let methods = found.token_endpoint_auth_methods_supported().cloned().unwrap_or_default();
        let posts =
            methods.contains(&CoreClientAuthMethod::ClientSecretPost) && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic);
        let secret = self.oidc.client_secret.as_ref().map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
        let back = RedirectUrl::new(self.oidc.back.clone()).map_err(|_| "http.public_url is no URL".to_owned())?;
        let client = CoreClient::from_provider_metadata(found, ClientId::new(self.oidc.client_id.clone()), secret)
            .set_redirect_uri(back)
            .set_auth_type(if posts { AuthType::RequestBody } else { AuthType::BasicAuth });
        Ok(Known { client, http })
    }
}

/// Whose the ID token is, if it was made for this sign-in here and now.
fn subject(known: &Known, token: &CoreIdToken, asked: &Asked, now: Time) -> Result<String, ClaimsVerificationError> {
    let now: DateTime<Utc> = DateTime::from_timestamp(now.secs(), 0).unwrap_or_default();
    let verifier = known.client.id_token_verifier().set_allowed_algs(ALGS).set_time_fn(move || now);
    let claims = token.claims(&verifier, &Nonce::new(asked.nonce.clone()))?;
    let sub = claims.subject().as_str();
    let right = !sub.is_empty() && sub.len() <= SUBJECT_MAX && sub.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if right { Ok(sub.to_owned()) } else { Err(ClaimsVerificationError::InvalidSubject(String::new())) }
}

/// What is wrong with an ID token, without anything of it.
fn word(error: &ClaimsVerificationError) -> &'static str {
    match error {
        ClaimsVerificationError::Expired(_) => "ID token: expired",
        ClaimsVerificationError::InvalidAudience(_) => "ID token: for somebody else",
        ClaimsVerificationError::InvalidIssuer(_) => "ID token: by another issuer",
        ClaimsVerificationError::InvalidNonce(_) => "ID token: of another sign-in",
        ClaimsVerificationError::InvalidSubject(_) => "ID token: no proper subject",
        ClaimsVerificationError::SignatureVerification(_) => "ID token: not signed by the provider",
        _ => "ID token: not valid",
    }
}

/// An error code of the provider's (RFC 6749 §5.2), or what stands for a text that is none.
pub fn code_of(error: &str) -> &str {
    let right = !error.is_empty() && error.len() <= 40 && error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if right { error } else { "unknown error" }
}

/// Whether what is sent there can be read by nobody on the way.
fn is_safe(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        _ => false,
    };
    url.scheme() == "https" || url.scheme() == "http" && loopback
}

type Answered = Pin<Box<dyn Future<Output = Result<HttpResponse, Unasked>> + Send>>;

/// The program's own way of asking, for the library.
fn asking(client: &Client) -> impl Fn(HttpRequest) -> Answered + Sync + Send + 'static {
    let client = client.clone();
    move |request| {
        let client = client.clone();
        Box::pin(async move {
            let request = reqwest::Request::try_from(request).map_err(|error| Unasked(describe(error)))?;
            if !is_safe(request.url()) {
                return Err(Unasked("an address that it publishes is not https".into()));
            }
            let answer = client.execute(request).await.map_err(|error| Unasked(describe(error)))?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let body = body_capped(answer, ANSWER_MAX).await.map_err(|error| Unasked(error.to_string()))?;
            if status.is_server_error() {
                return Err(Unasked(format!("it answers with {status}")));
            }
            let mut whole = http::Response::new(body);
            (*whole.status_mut(), *whole.headers_mut()) = (status, headers);
            Ok(whole)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sent_in_the_clear_but_to_this_machine_and_only_codes_are_repeated() {
        for (url, safe) in [
            ("https://sso.example.go.id/token", true),
            ("http://127.0.0.1:8080/token", true),
            ("http://[::1]/token", true),
            ("http://sso.example.go.id/token", false),
            ("http://localhost.example/token", false),
            ("ftp://127.0.0.1/token", false),
        ] {
            assert_eq!(is_safe(&Url::parse(url).unwrap()), safe, "{url}");
        }
        assert_eq!(code_of("access_denied"), "access_denied");
        for odd in ["", "Kode: rahasia", "x\n", &"a".repeat(41)] {
            assert_eq!(code_of(odd), "unknown error");
        }
    }
}
