//! Meta's two hosts over real HTTP on loopback, as far as the daemon reads them.
//!
//! `route` answers one call from the world, `ask` and `node` evaluate `fields=` over it,
//! `facebook`, `inbox` and `instagram` know the fields of each kind of node, `write` takes what the daemon writes to citizens.

mod ask;
mod error;
mod facebook;
mod fields;
mod inbox;
mod instagram;
mod node;
mod route;
mod subscribed;
mod token;
mod write;

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use futures_util::stream;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::{
    fields::Args,
    route::{Answer, Incoming},
};
use super::{
    Now,
    line::{Cut, Lines},
    world::{Fault, Host, World},
};

/// The simulated Graph API: where it listens, and the world it shows.
#[derive(Clone)]
pub struct Simulator {
    /// Instead of `https://graph.facebook.com`.
    pub facebook_url: String,
    /// Instead of `https://graph.instagram.com`.
    pub instagram_url: String,
    world: Arc<Mutex<World>>,
}

/// The bound sockets of a simulator, to be served by somebody's task.
pub struct Servers {
    facebook: TcpListener,
    instagram: TcpListener,
    simulator: Simulator,
}

/// The longest form taken in.
const FORM_MAX: usize = 1024 * 1024;

#[derive(Clone)]
struct Shared {
    host: Host,
    url: String,
    world: Arc<Mutex<World>>,
    stop: CancellationToken,
}

impl Simulator {
    /// Binds both hosts to free ports of 127.0.0.1. Nothing is answered before [`Servers::serve`] runs.
    pub async fn bind(now: Now) -> io::Result<(Self, Servers)> {
        let (facebook, instagram) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
        let simulator = Self {
            facebook_url: format!("http://{}", facebook.local_addr()?),
            instagram_url: format!("http://{}", instagram.local_addr()?),
            world: Arc::new(Mutex::new(World::new(now))),
        };
        Ok((simulator.clone(), Servers { facebook, instagram, simulator }))
    }
    /// The world; no call is answered while this is held.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Servers {
    /// Answers calls until `stop`.
    pub async fn serve(self, stop: CancellationToken) -> io::Result<()> {
        let host = |host, url: &str| Shared { host, url: url.into(), world: self.simulator.world.clone(), stop: stop.clone() };
        let facebook = host(Host::Facebook, &self.simulator.facebook_url);
        let instagram = host(Host::Instagram, &self.simulator.instagram_url);
        tokio::try_join!(serve_one(self.facebook, facebook), serve_one(self.instagram, instagram))?;
        Ok(())
    }
}

async fn serve_one(listener: TcpListener, shared: Shared) -> io::Result<()> {
    let stop = shared.stop.clone();
    let app = Router::new().fallback(handle).with_state(shared).into_make_service_with_connect_info::<Cut>();
    axum::serve(Lines(listener), app).with_graceful_shutdown(stop.cancelled_owned()).await
}

async fn handle(State(shared): State<Shared>, ConnectInfo(cut): ConnectInfo<Cut>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let pairs = |text: &[u8]| Args(url::form_urlencoded::parse(text).into_owned().collect());
    let bearer = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let is_form =
        head.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let body = if is_form { axum::body::to_bytes(body, FORM_MAX).await.unwrap_or_default() } else { Bytes::new() };
    let incoming = Incoming {
        host: shared.host,
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: pairs(head.uri.query().unwrap_or_default().as_bytes()),
        form: pairs(&body),
        bearer: bearer.map(str::to_owned),
        url: shared.url.clone(),
    };
    let (answer, latency) = {
        let mut world = shared.world.lock().unwrap_or_else(PoisonError::into_inner);
        (route::answer(&mut world, incoming), world.manner.latency)
    };
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    match answer.fault {
        Some(Fault::Reset | Fault::Lost) => cut.now(),
        Some(Fault::Stall) => shared.stop.cancelled().await,
        _ => {}
    }
    respond(answer)
}

/// Puts an answer on the wire, broken if that was ordered.
fn respond(answer: Answer) -> Response {
    let json = answer.body.to_string();
    let plain = "application/json; charset=UTF-8";
    let (status, kind, body) = match answer.fault {
        Some(Fault::Html) => {
            (500, "text/html; charset=utf-8", Body::from("<!DOCTYPE html><html><body><h1>Sorry, something went wrong.</h1></body></html>"))
        }
        Some(Fault::Empty) => (502, "text/html", Body::empty()),
        Some(Fault::HalfBody) => {
            let half = Bytes::from(json.as_bytes()[..json.len() / 2].to_vec());
            (200, plain, Body::from_stream(stream::iter([Ok(half), Err(io::Error::from(io::ErrorKind::BrokenPipe))])))
        }
        Some(Fault::WrongType) => (200, "text/html; charset=utf-8", Body::from(json)),
        Some(Fault::Body(text)) => (200, plain, Body::from(text)),
        Some(Fault::Flood(bytes)) => {
            let block = Bytes::from(vec![b'x'; 64 * 1024]);
            let (quote, blocks) = (Bytes::from_static(b"\""), bytes.div_ceil(block.len()));
            let parts = std::iter::once(quote.clone()).chain(std::iter::repeat_n(block, blocks)).chain([quote]);
            (200, plain, Body::from_stream(stream::iter(parts.map(Ok::<_, io::Error>))))
        }
        Some(Fault::Redirect(ref to)) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::FOUND;
            if let Ok(to) = HeaderValue::from_str(to) {
                response.headers_mut().insert(header::LOCATION, to);
            }
            return response;
        }
        _ => (answer.status, plain, Body::from(json)),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// A time as Meta writes it: `2026-11-24T02:00:00+0000`.
fn time(at: Timestamp) -> String {
    jiff::fmt::strtime::format("%Y-%m-%dT%H:%M:%S+0000", at).unwrap_or_default()
}
