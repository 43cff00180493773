//! What happens to tickets, as it happens.

use std::collections::HashSet;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{Response, sse::Event},
};

use super::{
    Caller, Shop,
    answer::{Problem, Refusals},
};
use crate::{
    store::listing,
    web::live::{self, Heard},
};

/// Server-sent events: `id` counts, `event` is the log's name (`ticket.breached`), `data` a JSON object. `Last-Event-ID` goes on behind one;
/// an event `missed` says that too much happened to tell: read `/api/v1/tickets` anew.
#[utoipa::path(get, path = "/api/v1/events", responses((status = 200, content_type = "text/event-stream", body = String), Refusals))]
pub(super) async fn events(State(shared): Shop, Caller(staff): Caller, headers: HeaderMap) -> Result<Response, Problem> {
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()).and_then(|text| text.parse::<i64>().ok());
    let place =
        shared.live.listen(&staff.by).ok_or_else(|| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many listen; try again later"))?;
    let before = match last {
        Some(last) => listing::happenings(&shared.joints.db, &staff.scope, Some(last)).await?,
        None => Vec::new(),
    };
    let known: HashSet<i64> = before.iter().map(|it| it.id).collect();
    let said = |it: &listing::Happening| {
        let data = serde_json::to_string(it).unwrap_or_default();
        Event::default().id(it.id.to_string()).event(format!("ticket.{}", it.kind)).data(data)
    };
    let mut told: Vec<Event> = before.iter().map(said).collect();
    if before.len() >= listing::HAPPENINGS as usize {
        told.push(Event::default().event("missed").data(""));
    }
    let next = move |heard| match heard {
        Heard::Happened(it) => (staff.scope.holds(&it.opd) && !known.contains(&it.id)).then(|| said(&it)),
        Heard::Missed => Some(Event::default().event("missed").data("")),
    };
    Ok(live::told(place, shared.joints.stop.clone(), told, next))
}
