//! `/ack/TOKEN`, the link in a letter. GET and HEAD change and spend nothing, however often scanners and previews fetch them. Only a POST
//! with a ticked box and what our own page sent along says that somebody is seeing to a ticket, once a letter and ticket.
//!
//! Neither the token nor what the page sends along is ever logged.

mod page;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderValue, StatusCode, header},
    middleware::map_response,
    response::{Html, IntoResponse as _, Response},
    routing::get,
};
use tracing::error;

pub(super) use self::page::Pages;
use self::page::{Notice, POLICY, Word};
use super::Shared;
use crate::{
    domain::{TicketId, Time},
    store::{
        StoreError,
        acks::{self, Letter, Standing, Told},
    },
};

/// The largest form: a hundred ticked boxes are a tenth of it.
const BODY_MAX: usize = 16 * 1024;
/// How long a form may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(10);
/// How long the database may take.
const STORING: Duration = Duration::from_secs(10);

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/ack/{token}", get(show).post(mark)).layer(map_response(guard))
}

/// Nothing of the page is kept, sent on, guessed at, framed or found by a search engine.
async fn guard(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
    if let Ok(policy) = HeaderValue::from_str(&POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Why there is nothing to show or to do.
enum Refusal {
    Said(StatusCode, Word),
    Failed(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// A letter whose link holds, with its tickets.
struct Opened {
    token: String,
    letter: Letter,
    tickets: Vec<Told>,
}

impl Opened {
    async fn new(shared: &Shared, token: Result<Path<String>, PathRejection>, now: Time) -> Result<Self, Refusal> {
        const UNKNOWN: Refusal = Refusal::Said(StatusCode::NOT_FOUND, Word::Unknown);
        let Path(token) = token.map_err(|_| UNKNOWN)?;
        let link = shared.joints.links.read(&token).ok_or(UNKNOWN)?;
        if link.ends <= now {
            return Err(Refusal::Said(StatusCode::GONE, Word::Over));
        }
        let letter = acks::letter(&shared.joints.db, &link.letter).await?.ok_or(UNKNOWN)?;
        let tickets = acks::tickets(&shared.joints.db, letter.id).await?;
        Ok(Self { token, letter, tickets })
    }

    /// The form, or why there is none.
    fn form(&self, shared: &Shared, status: StatusCode, notice: Option<Notice>, now: Time) -> Result<Response, Refusal> {
        if self.tickets.iter().any(|told| told.standing == Standing::Open) {
            let nonce = shared.joints.links.nonce(&self.token, now);
            return Ok(page(status, shared.pages.form(&self.tickets, notice, &nonce, now)));
        }
        let closed = self.tickets.iter().all(|told| told.standing == Standing::Closed);
        Err(if closed { Refusal::Said(StatusCode::GONE, Word::Closed) } else { Refusal::Said(StatusCode::OK, Word::Already) })
    }
}

async fn show(State(shared): State<Arc<Shared>>, token: Result<Path<String>, PathRejection>) -> Response {
    let now = Time::from_timestamp(shared.joints.clock.now());
    let shown = async { Opened::new(&shared, token, now).await?.form(&shared, StatusCode::OK, None, now) };
    within(&shared, shown).await
}

async fn mark(State(shared): State<Arc<Shared>>, token: Result<Path<String>, PathRejection>, body: Body) -> Response {
    let now = Time::from_timestamp(shared.joints.clock.now());
    let body = match tokio::time::timeout(ARRIVAL, to_bytes(body, BODY_MAX)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return page(StatusCode::PAYLOAD_TOO_LARGE, shared.pages.word(Word::Trouble)),
        Err(_) => return page(StatusCode::REQUEST_TIMEOUT, shared.pages.word(Word::Trouble)),
    };
    within(&shared, Box::pin(acknowledge(&shared, token, &body, now))).await
}

async fn acknowledge(shared: &Shared, token: Result<Path<String>, PathRejection>, body: &[u8], now: Time) -> Result<Response, Refusal> {
    let opened = Opened::new(shared, token, now).await?;
    let (mut nonce, mut chosen) = (String::new(), Vec::new());
    for (name, value) in url::form_urlencoded::parse(body) {
        match &*name {
            "nonce" => nonce = value.into_owned(),
            "ticket" => chosen.extend(value.parse().ok().map(TicketId)),
            _ => {}
        }
    }
    if !shared.joints.links.sent(&opened.token, &nonce, now) {
        return opened.form(shared, StatusCode::FORBIDDEN, Some(Notice::Old), now);
    }
    let told: Vec<&Told> = opened.tickets.iter().filter(|told| chosen.contains(&told.ticket)).collect();
    if told.is_empty() {
        return opened.form(shared, StatusCode::UNPROCESSABLE_ENTITY, Some(Notice::Pick), now);
    }
    let (db, by) = (&shared.joints.db, format!("link of {}", opened.letter.official));
    let done = acks::acknowledge(db, opened.letter.id, Some(&chosen), &by, now).await?;
    if done.is_empty() {
        let tickets = acks::tickets(db, opened.letter.id).await?;
        let closed = tickets.iter().filter(|told| chosen.contains(&told.ticket)).all(|told| told.standing == Standing::Closed);
        let notice = if closed { Notice::Ended } else { Notice::Already };
        return Opened { tickets, ..opened }.form(shared, StatusCode::OK, Some(notice), now);
    }
    shared.joints.judge.nudge();
    let told: Vec<&Told> = told.into_iter().filter(|told| done.contains(&told.ticket)).collect();
    let open = opened.tickets.iter().filter(|told| told.standing == Standing::Open && !done.contains(&told.ticket)).count();
    Ok(page(StatusCode::OK, shared.pages.thanks(&told, open, now)))
}

/// The answer, or in time a friendly page that says why there is none.
async fn within(shared: &Shared, answer: impl Future<Output = Result<Response, Refusal>>) -> Response {
    let failed = || page(StatusCode::SERVICE_UNAVAILABLE, shared.pages.word(Word::Trouble));
    match tokio::time::timeout(STORING, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(Refusal::Said(status, word))) => page(status, shared.pages.word(word)),
        Ok(Err(Refusal::Failed(error))) => {
            error!(%error, "the page of a letter's link could not be answered");
            failed()
        }
        Err(_) => {
            error!("the page of a letter's link could not be answered in time: the database is slow or locked");
            failed()
        }
    }
}

fn page(status: StatusCode, page: Result<String, crate::catalogue::WordsError>) -> Response {
    match page {
        Ok(page) => (status, Html(page)).into_response(),
        Err(error) => {
            error!(%error, "a page could not be written");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
