//! HTTP out, for everybody: no redirects, a bound on every wait and on every body, one TLS provider, no URL in an error.

use std::error::Error;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response};

/// How long a connection may take to come about, TLS included.
const CONNECT: Duration = Duration::from_secs(10);

/// Why a body could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BodyError {
    /// It is longer than the reader is ready to hold.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// It broke off, or came too slowly.
    #[error("{0}")]
    Broken(String),
}

/// Makes ring the process's TLS provider. Needed before the first TLS connection of any library; may be called again.
pub fn install_tls() {
    // an error says that there is one already
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// What we call ourselves.
pub fn user_agent() -> &'static str {
    concat!("tanggap/", env!("CARGO_PKG_VERSION"))
}

/// A client whose requests take at most `timeout`, all told, and follow no redirect: a `Location` could carry a token elsewhere.
pub fn client(timeout: Duration) -> Result<Client, reqwest::Error> {
    install_tls();
    Client::builder().user_agent(user_agent()).redirect(Policy::none()).connect_timeout(CONNECT.min(timeout)).timeout(timeout).build()
}

/// The body, unpacked, of at most `max_bytes`; what is longer is not read to its end.
pub async fn body_capped(mut response: Response, max_bytes: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| BodyError::Broken(describe(error)))? {
        if body.len() + chunk.len() > max_bytes {
            return Err(BodyError::TooLong(max_bytes));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A transport error in one plain phrase, without the URL, in which a token may stand.
pub fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let what = if error.is_timeout() {
        return "no answer in time".to_owned();
    } else if error.is_connect() {
        "could not connect"
    } else if error.is_body() || error.is_decode() {
        "the answer broke off"
    } else if error.is_builder() {
        "the request could not be made"
    } else {
        "the request failed"
    };
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(deeper) = cause.and_then(Error::source) {
        cause = Some(deeper);
    }
    cause.map_or_else(|| what.to_owned(), |cause| format!("{what}: {cause}"))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::Router;
    use axum::body::{Body, Bytes};
    use axum::response::Redirect;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::runtime::serve::tests::serving;

    #[tokio::test]
    async fn a_body_is_read_up_to_the_cap_and_not_beyond() {
        let endless = get(|| async {
            let chunks = futures_util::stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 1024])));
            Body::from_stream(chunks)
        });
        let (crew, url) = serving(Router::new().route("/short", get(|| async { "12345" })).route("/endless", endless)).await;
        let client = client(Duration::from_secs(10)).unwrap();
        let fetch = |path: &str| client.get(format!("{url}{path}")).send();
        assert_eq!(body_capped(fetch("/short").await.unwrap(), 5).await.unwrap(), b"12345");
        assert_eq!(body_capped(fetch("/short").await.unwrap(), 4).await, Err(BodyError::TooLong(4)));
        assert_eq!(body_capped(fetch("/endless").await.unwrap(), 100_000).await, Err(BodyError::TooLong(100_000)));
        crew.stop().await.unwrap();
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_like_any_other() {
        let (crew, url) = serving(Router::new().route("/", get(|| async { Redirect::temporary("/elsewhere") }))).await;
        let answer = client(Duration::from_secs(10)).unwrap().get(url).send().await.unwrap();
        assert_eq!(answer.status(), 307);
        crew.stop().await.unwrap();
    }

    #[tokio::test]
    async fn no_error_holds_the_url() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{address}/me?access_token=CANARY");
        let hasty = client(Duration::from_millis(50)).unwrap();
        let client = client(Duration::from_secs(10)).unwrap();

        // nobody accepts: the request is never answered
        let silent = describe(hasty.get(&url).send().await.unwrap_err());
        assert_eq!(silent, "no answer in time");

        let half = async {
            loop {
                let (mut peer, _) = listener.accept().await.unwrap();
                let _ = peer.read(&mut [0; 4096]).await;
                let _ = peer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
            }
        };
        let get = async {
            let answer = client.get(&url).send().await.unwrap();
            body_capped(answer, 100).await.unwrap_err().to_string()
        };
        let broken = tokio::select! { () = half => unreachable!(), error = get => error };
        assert!(broken.starts_with("the answer broke off"), "{broken}");

        drop(listener);
        let refused = describe(client.get(&url).send().await.unwrap_err());
        assert!(refused.starts_with("could not connect: ") && refused.contains("refused"), "{refused}");
        let odd = describe(client.get("http://[CANARY").send().await.unwrap_err());
        assert!(odd.starts_with("the request could not be made"), "{odd}");
        for phrase in [silent, broken, refused, odd] {
            assert!(!phrase.contains("CANARY") && !phrase.contains("127.0.0.1"), "{phrase}");
        }
    }
}
