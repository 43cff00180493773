//! What holds for every page and every answer: headers that tell a browser what it may not do, and that only our own pages act.

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use url::Url;

use super::api::Problem;

/// The largest form or request: a reply is a tenth of it.
const BODY_MAX: usize = 64 * 1024;
/// How long it may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(10);
/// What a browser may do with a page: show it in our style, run our scripts, and talk to us.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
     frame-ancestors 'none'; base-uri 'none'";

/// Nothing of an answer is kept, sent on, guessed at, framed or found by a search engine.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let plain = [
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in plain {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Waits for what is sent along, but not for ever and not for more than a form or a request may hold.
pub(super) async fn arrival(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(ARRIVAL, to_bytes(body, BODY_MAX)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(_)) => refused(&parts.uri, StatusCode::PAYLOAD_TOO_LARGE, "what was sent is larger than 64 KiB"),
        Err(_) => refused(&parts.uri, StatusCode::REQUEST_TIMEOUT, "what was to be sent did not come within ten seconds"),
    }
}

fn refused(uri: &Uri, status: StatusCode, why: &str) -> Response {
    if uri.path().starts_with("/api/") { Problem::new(status, why).into_response() } else { (status, format!("{why}\n")).into_response() }
}

/// Lets a request that changes something pass only where a page of ours sent it: a browser says so itself, and cannot be made to lie by
/// another site's page. For those with a cookie; a bearer token is sent by nobody unasked.
pub(super) async fn own_pages(request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) || is_own(request.headers()) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "This was not sent by a page of this program; open the page again and try once more.\n").into_response()
}

/// Whether `Sec-Fetch-Site` (Fetch Metadata) or else `Origin` says that a page of the same host sent it.
pub fn is_own(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin"), text("host")) {
        (Some(site), _, _) => site == "same-origin",
        (None, Some(origin), Some(host)) => {
            let parsed = Url::parse(origin).ok();
            let authority = parsed.as_ref().and_then(|url| Some((url.host_str()?, url.port())));
            authority.is_some_and(|(name, port)| port.map_or(name.to_owned(), |port| format!("{name}:{port}")) == host)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_page_of_the_same_host_sent_is_our_own() {
        let own = |pairs: &[(&'static str, &'static str)]| {
            is_own(&pairs.iter().map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_static(value))).collect())
        };
        let host = ("host", "tanggap.example.go.id");
        assert!(own(&[("sec-fetch-site", "same-origin"), host]));
        assert!(!own(&[("sec-fetch-site", "cross-site"), ("origin", "https://tanggap.example.go.id"), host]));
        assert!(!own(&[("sec-fetch-site", "same-site"), host]));
        assert!(own(&[("origin", "https://tanggap.example.go.id"), host]));
        assert!(own(&[("origin", "http://127.0.0.1:8787"), ("host", "127.0.0.1:8787")]));
        assert!(!own(&[("origin", "https://evil.example"), host]));
        assert!(!own(&[("origin", "null"), host]));
        assert!(!own(&[host]));
    }
}
