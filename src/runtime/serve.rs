//! HTTP in: a small server with bounds, and the pages of `metrics_listen`.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::metrics;

/// How many connections are served at once; further ones wait to be accepted.
const CONNECTIONS: usize = 256;
/// How long a peer may take to send a request's head, also between two requests.
const HEAD: Duration = Duration::from_secs(10);
/// How long requests under way may take after the stop.
const DRAIN: Duration = Duration::from_secs(5);
/// How long to wait before accepting again when that failed, as it does when the process is out of files.
const OUT_OF_FILES: Duration = Duration::from_secs(1);

/// Why a server could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {why}; {cure}")]
pub struct BindError {
    address: SocketAddr,
    why: io::Error,
    cure: &'static str,
}

/// An address that is ours already, though nobody is served yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Takes the address; port 0 stands for any free one.
    pub async fn bind(address: SocketAddr) -> Result<Self, BindError> {
        let refused = |why: io::Error| {
            let cure = match why.kind() {
                io::ErrorKind::AddrInUse => "something listens there already: stop it, or choose another port",
                io::ErrorKind::AddrNotAvailable => "this machine has no such address: use one that it has, such as 127.0.0.1",
                io::ErrorKind::PermissionDenied => "ports below 1024 are the system's: choose a higher one",
                _ => "choose another address",
            };
            BindError { address, why, cure }
        };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, address })
    }

    /// Where it really listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `router` until `stop`, then lets requests under way finish for a few seconds. All connections are served within
    /// the calling task: handlers must not block.
    pub async fn run(self, router: Router, stop: CancellationToken) {
        let mut connections = FuturesUnordered::new();
        // Set while it is out of files: those it has are served meanwhile, and leave some when they end.
        let mut again_at: Option<Instant> = None;
        let mut refusing = false;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = sleep_until(again_at.unwrap_or_else(Instant::now)), if again_at.is_some() => again_at = None,
                accepted = self.listener.accept(), if again_at.is_none() && connections.len() < CONNECTIONS => match accepted {
                    Ok((peer, _)) => {
                        if refusing && connections.is_empty() {
                            info!(address = %self.address, "connections are accepted again");
                            refusing = false;
                        }
                        connections.push(connection(peer, router.clone(), stop.clone()));
                    }
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    Err(error) => {
                        // Said once, until it is over: one is let in whenever another leaves.
                        if !refusing {
                            warn!(address = %self.address, %error, "cannot accept connections");
                        }
                        refusing = true;
                        again_at = Some(Instant::now() + OUT_OF_FILES);
                    }
                },
                Some(()) = connections.next() => {}
            }
        }
        drop(self.listener);
        // who has not finished by now is cut off
        let _ = timeout(DRAIN, async { while connections.next().await.is_some() {} }).await;
    }
}

/// Serves one connection until its peer leaves, is too slow, or `stop`.
async fn connection(peer: TcpStream, router: Router, stop: CancellationToken) {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(peer), TowerToHyperService::new(router)));
    // a connection that breaks is the peer's affair
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// What `metrics_listen` serves: `/metrics`, `/healthz`, `/readyz`. `scrape` gives the metrics page, or why there is none.
pub fn operations<S, R>(
    scrape: impl Fn() -> S + Clone + Send + Sync + 'static,
    ready: impl Fn() -> R + Clone + Send + Sync + 'static,
) -> Router
where
    S: Future<Output = Result<String, String>> + Send,
    R: Future<Output = bool> + Send,
{
    let failing = Arc::new(AtomicBool::new(false));
    let metrics = get(async move || match scrape().await {
        Ok(page) => {
            failing.store(false, Ordering::Relaxed);
            ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], page).into_response()
        }
        Err(error) => {
            // Asked several times a minute: the first failure of a row tells of all.
            if !failing.swap(true, Ordering::Relaxed) {
                warn!(error, "the metrics could not be gathered");
            }
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    });
    health(ready).route("/metrics", metrics)
}

/// `/healthz` (the process lives) and `/readyz`, one word each.
pub fn health<R: Future<Output = bool> + Send>(ready: impl Fn() -> R + Clone + Send + Sync + 'static) -> Router {
    let ready = get(async move || if ready().await { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "unready") });
    Router::new().route("/healthz", get(async || "ok")).route("/readyz", ready)
}

#[cfg(test)]
pub(super) mod tests {
    use std::future::ready;

    use tokio::io::AsyncReadExt;
    use tokio::sync::Notify;

    use super::*;
    use crate::runtime::{Crew, http};

    /// A server for `router` on loopback, and its URL.
    pub async fn serving(router: Router) -> (Crew, String) {
        let mut crew = Crew::new(&CancellationToken::new());
        let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let url = format!("http://{}", server.address());
        let token = crew.token();
        crew.spawn("serve", server.run(router, token));
        (crew, url)
    }

    async fn fetch(url: String) -> (u16, String, String) {
        let answer = http::client(Duration::from_secs(10)).unwrap().get(url).send().await.unwrap();
        let kind = answer.headers().get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
        (answer.status().as_u16(), kind, answer.text().await.unwrap())
    }

    #[tokio::test]
    async fn health_readiness_and_metrics_are_answered_over_http() {
        let well = Arc::new(AtomicBool::new(true));
        let state = well.clone();
        let scrape = || ready(metrics::Metrics::default().render(&metrics::Scrape::default()).map_err(|error| error.to_string()));
        let (crew, url) = serving(operations(scrape, move || ready(state.load(Ordering::SeqCst)))).await;
        let word = async |path: &str| {
            let (status, _, word) = fetch(format!("{url}{path}")).await;
            (status, word)
        };
        assert_eq!(word("/healthz").await, (200, "ok".into()));
        assert_eq!(word("/readyz").await, (200, "ready".into()));
        well.store(false, Ordering::SeqCst);
        assert_eq!(word("/readyz").await, (503, "unready".into()));
        assert_eq!(word("/nothing").await.0, 404);
        let (status, kind, page) = fetch(format!("{url}/metrics")).await;
        assert_eq!((status, kind.as_str()), (200, metrics::CONTENT_TYPE));
        assert!(page.contains("tanggap_alert_outbox 0"), "{page}");
        crew.stop().await.unwrap();
    }

    #[tokio::test]
    async fn a_scrape_that_fails_is_no_empty_page() {
        let (crew, url) = serving(operations(|| ready(Err("the database is gone".into())), || ready(true))).await;
        assert_eq!(fetch(format!("{url}/metrics")).await.0, 503);
        crew.stop().await.unwrap();
    }

    #[tokio::test]
    async fn a_taken_address_is_named_with_a_cure() {
        let first = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let refusal = Server::bind(first.address()).await.err().unwrap().to_string();
        assert!(refusal.contains(&first.address().to_string()) && refusal.contains("choose another port"), "{refusal}");
    }

    #[tokio::test]
    async fn a_request_under_way_is_answered_after_the_stop_and_an_idle_connection_is_closed() {
        let (arrived, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (here, gate) = (arrived.clone(), go.clone());
        let slow = get(async move || {
            here.notify_one();
            gate.notified().await;
            "done"
        });
        let (crew, url) = serving(Router::new().route("/slow", slow)).await;
        let mut idle = TcpStream::connect(url.strip_prefix("http://").unwrap()).await.unwrap();
        let stopping = async {
            arrived.notified().await;
            let release = async {
                assert_eq!(idle.read(&mut [0; 16]).await.unwrap(), 0, "the idle one is closed by the stop");
                go.notify_one();
            };
            tokio::join!(crew.stop(), release).0.unwrap();
        };
        let ((status, _, body), ()) = tokio::join!(fetch(format!("{url}/slow")), stopping);
        assert_eq!((status, body.as_str()), (200, "done"));
    }
}
