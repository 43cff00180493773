//! A web server that keeps every request: webhooks, Telegram, WhatsApp's Cloud API, Alertmanager, heartbeats.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::sync::CancellationToken;

use crate::demo::{
    Now,
    line::{Cut, Lines},
};

/// The most bytes of a body that are kept.
const BODY: usize = 4 * 1024 * 1024;

/// How the path ends by which Telegram is asked for updates: no letter, and asked all the time.
const POLL: &str = "/getUpdates";

/// What to do with a request instead of saying yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpTurn {
    /// Answer with this status.
    Status(u16),
    /// The same, asking for so many seconds of patience: in `Retry-After` and as Telegram says it.
    RetryAfter(u16, u32),
    /// Answer with this status and, as Telegram does, say why.
    Said(u16, &'static str),
    /// Take the whole body, then reset the connection.
    Cut,
    /// Take the whole body, then say nothing.
    Stall,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Captured {
    /// When its body was complete.
    pub at: Timestamp,
    /// POST, …
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// Whether the answer was a yes.
    pub accepted: bool,
}

impl Captured {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct Book {
    captured: Vec<Captured>,
    turns: Vec<(String, HttpTurn)>,
    updates: Vec<Value>,
}

/// What the server got, and how it shall behave.
#[derive(Clone)]
pub struct HttpSink {
    /// Its address.
    pub url: String,
    book: Arc<Mutex<Book>>,
    now: Now,
    stop: CancellationToken,
    news: Arc<Notify>,
}

/// The bound socket.
pub struct HttpServer(TcpListener, HttpSink);

impl HttpSink {
    /// Binds to a free port of 127.0.0.1.
    pub async fn bind(now: Now) -> io::Result<(Self, HttpServer)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let sink = Self { url, book: Arc::default(), now, stop: CancellationToken::new(), news: Arc::default() };
        Ok((sink.clone(), HttpServer(listener, sink)))
    }
    /// Every request so far, in order.
    pub fn captured(&self) -> Vec<Captured> {
        self.book().captured.clone()
    }
    /// How many there were.
    pub fn count(&self) -> usize {
        self.book().captured.len()
    }
    /// The next `count` requests whose path holds `part` (empty for any) get that turn.
    pub fn next(&self, part: &str, turn: &HttpTurn, count: usize) {
        self.book().turns.extend(std::iter::repeat_n((part.to_owned(), turn.clone()), count));
    }
    /// Telegram gets word of something: `update` is one of its Bot API, with an `update_id` higher than those before.
    pub fn update(&self, update: Value) {
        self.book().updates.push(update);
        self.news.notify_waiters();
    }
    /// The updates that were not confirmed yet: none before `offset` is kept.
    fn updates(&self, offset: i64) -> Vec<Value> {
        let updates = &mut self.book().updates;
        updates.retain(|update| update["update_id"].as_i64() >= Some(offset));
        updates.clone()
    }
    /// Telegram's long poll: holds an empty answer back for as long as it is asked to.
    async fn wait_for_updates(&self, asked: &Value) -> Vec<Value> {
        let offset = asked["offset"].as_i64().unwrap_or(0);
        let limit = Duration::from_secs(asked["timeout"].as_u64().unwrap_or(0));
        let news = self.news.notified();
        if self.updates(offset).is_empty() {
            tokio::select! {
                () = news => {}
                () = tokio::time::sleep(limit) => {}
                () = self.stop.cancelled() => {}
            }
        }
        self.updates(offset)
    }
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Keeps a request, unless it only asks for updates, and says what to do with it, and how many there are now.
    fn keep(&self, mut captured: Captured) -> (Option<HttpTurn>, usize) {
        let mut book = self.book();
        let at = book.turns.iter().position(|(part, _)| captured.path.contains(part.as_str()));
        let turn = at.map(|at| book.turns.remove(at).1);
        captured.accepted = matches!(turn, None | Some(HttpTurn::Status(200..=299)));
        if !captured.path.ends_with(POLL) {
            book.captured.push(captured);
        }
        (turn, book.captured.len())
    }
}

impl HttpServer {
    /// Answers requests until `stop`.
    pub async fn serve(self, stop: CancellationToken) -> io::Result<()> {
        let Self(listener, sink) = self;
        let silent = sink.stop.clone();
        let app = Router::new().fallback(handle).with_state(sink).into_make_service_with_connect_info::<Cut>();
        let stopped = async move {
            stop.cancelled().await;
            silent.cancel();
        };
        axum::serve(Lines(listener), app).with_graceful_shutdown(stopped).await
    }
}

async fn handle(State(sink): State<HttpSink>, ConnectInfo(cut): ConnectInfo<Cut>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let whatsapp = parts.uri.path().ends_with("/messages");
    let polls = parts.uri.path().ends_with(POLL).then(|| serde_json::from_slice(&body).unwrap_or_default());
    let captured = Captured {
        at: (sink.now)(),
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        headers: headers.collect(),
        body,
        accepted: false,
    };
    let (turn, number) = sink.keep(captured);
    let polls = polls.filter(|_| turn.is_none());
    let mut why = "simulated";
    let (status, patience) = match turn {
        None => (200, None),
        Some(HttpTurn::Status(status)) => (status, None),
        Some(HttpTurn::Said(status, said)) => {
            why = said;
            (status, None)
        }
        Some(HttpTurn::RetryAfter(status, seconds)) => (status, Some(seconds)),
        Some(HttpTurn::Cut) => {
            cut.now();
            (200, None)
        }
        Some(HttpTurn::Stall) => {
            sink.stop.cancelled().await;
            (503, None)
        }
    };
    let body = if whatsapp {
        cloud(status, number)
    } else if (200..300).contains(&status) {
        let result = match &polls {
            Some(asked) => Value::Array(sink.wait_for_updates(asked).await),
            None => json!({ "message_id": number }),
        };
        json!({ "ok": true, "result": result })
    } else {
        let parameters = patience.map_or_else(|| json!({}), |seconds| json!({ "retry_after": seconds }));
        json!({ "ok": false, "error_code": status, "description": why, "parameters": parameters })
    };
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    if let Some(seconds) = patience {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// An answer as WhatsApp's Cloud API gives it; 429 is its pair limit.
fn cloud(status: u16, number: usize) -> Value {
    if (200..300).contains(&status) {
        return json!({ "messaging_product": "whatsapp", "messages": [{ "id": format!("wamid.{number}"), "message_status": "accepted" }] });
    }
    let code = match status {
        429 => 131_056,
        401 => 190,
        500.. => 131_016,
        _ => 131_026,
    };
    json!({ "error": { "message": "simulated", "type": "OAuthException", "code": code, "fbtrace_id": "simulated" } })
}
