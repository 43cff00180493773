//! One request, one verdict.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hmac::{Hmac, KeyInit, Mac};
use jiff::fmt::rfc2822;
use reqwest::{
    Method, Response,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use sha2::Sha256;
use tracing::warn;
use url::Url;

use super::{
    Request,
    error::{GraphError, Next, trace_id},
    usage::{self, Usage},
    wire::body,
};
use crate::domain::{Time, account::Login, settings};

/// The largest body taken in. 275 rows with long texts and attachment links stay below 2 MiB.
const BODY_MAX: usize = 16 * 1024 * 1024;

/// Which of Meta's two hosts is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// `graph.url`.
    Facebook,
    /// `graph.instagram_url`.
    Instagram,
}

impl From<Login> for Host {
    fn from(login: Login) -> Self {
        match login {
            Login::Facebook => Self::Facebook,
            Login::Instagram => Self::Instagram,
        }
    }
}

/// With what right one asks, and where.
#[derive(Clone, Debug)]
pub struct Access {
    /// Which host.
    pub host: Host,
    /// The token; it travels in `Authorization` only.
    pub token: SecretString,
    /// The app's secret for that host; when set, every request carries `appsecret_proof`.
    pub secret: Option<SecretString>,
}

impl Access {
    /// The right that a token of this app gives at its login's host.
    pub fn of(login: Login, app: &settings::App, token: SecretString) -> Self {
        let host = Host::from(login);
        let secret = match host {
            Host::Facebook => &app.secret,
            Host::Instagram => &app.instagram_secret,
        };
        Self { host, token, secret: secret.clone() }
    }
    /// The app itself, for `debug_token`.
    pub fn app(id: &str, secret: &SecretString) -> Self {
        Self { host: Host::Facebook, token: format!("{id}|{}", secret.expose_secret()).into(), secret: None }
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// The value.
    pub value: T,
    /// How much of the limits is used.
    pub usage: Box<[Usage]>,
    /// Meta's clock when it answered (whole seconds).
    pub date: Option<Time>,
    /// The API version that answered, which may not be the one asked for.
    pub version: Option<String>,
    /// Meta's number of the request.
    pub trace: Option<Box<str>>,
}

/// Asks the Graph API.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    facebook: String,
    instagram: String,
    version: String,
    timeout: Duration,
    /// It was said that another version answers.
    said: Arc<AtomicBool>,
}

impl Client {
    /// Asks over `http`, which must follow no redirect (`runtime::http::client`): a `Location` could carry a token elsewhere.
    pub fn new(http: reqwest::Client, graph: &settings::Graph) -> Self {
        Self {
            http,
            facebook: graph.url.clone(),
            instagram: graph.instagram_url.clone(),
            version: graph.version.clone(),
            timeout: graph.timeout.unsigned_abs(),
            said: Arc::default(),
        }
    }

    /// Asks, and reads the answer, all within `graph.timeout`.
    pub async fn get<T: DeserializeOwned>(&self, access: &Access, request: &Request) -> Result<Answer<T>, GraphError> {
        self.send(Method::GET, access, request).await
    }

    /// Changes something, with the same bounds and verdicts. After [`Next::Retry`] it may have been done all the same.
    pub async fn post<T: DeserializeOwned>(&self, access: &Access, request: &Request) -> Result<Answer<T>, GraphError> {
        self.send(Method::POST, access, request).await
    }

    async fn send<T: DeserializeOwned>(&self, method: Method, access: &Access, request: &Request) -> Result<Answer<T>, GraphError> {
        let (url, authorization) = self.address(access, request)?;
        let mut call = self.http.request(method, url).header(AUTHORIZATION, authorization).timeout(self.timeout);
        if !request.form.is_empty() {
            let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&request.form).finish();
            call = call.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        }
        let response = call.send().await.map_err(|error| transport(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let trace = text("x-fb-trace-id").and_then(trace_id);
        if let Some(answered) = text("facebook-api-version").filter(|answered| *answered != self.version)
            && !self.said.swap(true, Ordering::Relaxed)
        {
            warn!(
                event = "graph.version",
                asked = self.version,
                answered,
                "another version of the Graph API answers: Meta retired the one in graph.version, or does not know it yet"
            );
        }
        let read = match bytes(response).await {
            Ok(bytes) => body::read(status, text(CONTENT_TYPE.as_str()), &bytes, usage::read(&headers)),
            Err(error) => Err(GraphError { status: Some(status), usage: usage::read(&headers), ..error }),
        };
        match read {
            Ok(value) => Ok(Answer {
                value,
                usage: usage::read(&headers),
                date: date(&headers),
                version: text("facebook-api-version").map(str::to_owned),
                trace,
            }),
            Err(mut error) => {
                error.trace = error.trace.or(trace);
                Err(error)
            }
        }
    }

    fn address(&self, access: &Access, request: &Request) -> Result<(Url, HeaderValue), GraphError> {
        let wrong = |what| GraphError::unasked(Next::Refused, what);
        let base = match access.host {
            Host::Facebook => &self.facebook,
            Host::Instagram => &self.instagram,
        };
        let mut url = Url::parse(base).map_err(|_| wrong("the configured address is no URL"))?;
        url.path_segments_mut()
            .map_err(|()| wrong("the configured address is no URL"))?
            .pop_if_empty()
            .push(&self.version)
            .extend(&request.path);
        if !request.params.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.params);
        }
        if let Some(secret) = &access.secret {
            url.query_pairs_mut().append_pair("appsecret_proof", &proof(secret, &access.token)?);
        }
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", access.token.expose_secret()))
            .map_err(|_| GraphError::unasked(Next::Token, "the token holds characters no token has"))?;
        bearer.set_sensitive(true);
        Ok((url, bearer))
    }
}

/// Lower-case hexadecimal HMAC-SHA256 of the token under the app's secret ("Securing Graph API requests").
fn proof(secret: &SecretString, token: &SecretString) -> Result<String, GraphError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .map_err(|_| GraphError::unasked(Next::Refused, "the app's secret is no key"))?;
    mac.update(token.expose_secret().as_bytes());
    Ok(hex::encode(mac.finalize().into_bytes()))
}

async fn bytes(mut response: Response) -> Result<Vec<u8>, GraphError> {
    let too_long = || GraphError::new(Next::Shrink, "the answer is longer than 16 MiB");
    if response.content_length().is_some_and(|length| length > BODY_MAX as u64) {
        return Err(too_long());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| transport(&error))? {
        if body.len() + chunk.len() > BODY_MAX {
            return Err(too_long());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Nothing of the error itself is kept: it holds the URL, and in that `appsecret_proof` or a token.
fn transport(error: &reqwest::Error) -> GraphError {
    let what = if error.is_connect() {
        return GraphError::unasked(Next::Retry, if error.is_timeout() { "no answer in time" } else { "could not connect" });
    } else if error.is_timeout() {
        "no answer in time"
    } else if error.is_body() || error.is_decode() {
        "the answer broke off"
    } else {
        "the request failed"
    };
    GraphError::new(Next::Retry, what)
}

fn date(headers: &HeaderMap) -> Option<Time> {
    let at = rfc2822::parse(headers.get("date")?.to_str().ok()?).ok()?;
    Some(Time::from_timestamp(at.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_is_the_hmac_of_the_token_in_lower_case_hexadecimal() {
        // RFC 4231, test case 2
        let proof = proof(&"Jefe".into(), &"what do ya want for nothing?".into()).unwrap();
        assert_eq!(proof, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn metas_clock_is_read_from_its_date_header() {
        let headers = HeaderMap::from_iter([(reqwest::header::DATE, HeaderValue::from_static("Tue, 24 Nov 2026 02:00:00 GMT"))]);
        assert_eq!(date(&headers), Time::parse("2026-11-24T02:00:00Z"));
        assert_eq!(date(&HeaderMap::new()), None);
    }
}
