//! Tickets: the queue, one with everything that belongs to it, and what is done with it.

use axum::{
    Json,
    extract::{
        Path, RawQuery, State,
        rejection::{JsonRejection, PathRejection},
    },
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    Caller, Shop,
    answer::{List, Problem, Refusals, json, tagged},
};
use crate::{
    domain::{Form, TicketId, evidence::Evidence, reply::Unfit, ticket::ActionKind},
    dossier::{self, Dossier},
    store::{
        listing::{self, TicketRow},
        replies::{ReplyError, ReplyRow},
        trail,
    },
    web::{
        answer,
        desk::{self, Refused},
        filter::{self, Tickets, Unlisted},
        ticket,
    },
};

/// Rows of an answer if the caller names no number.
const USUAL: u32 = 100;

/// Tickets, earliest deadline first; closed ones latest first.
#[utoipa::path(get, path = "/api/v1/tickets", params(Tickets), responses((status = 200, body = List<TicketRow>), Refusals))]
pub(super) async fn list(
    State(shared): Shop,
    Caller(staff): Caller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wanted: Tickets = filter::read(query.as_deref()).map_err(Problem::wrong)?;
    let limit = wanted.limit(USUAL).map_err(Problem::wrong)?;
    let (data, next) = wanted.page(&shared, &staff.scope, limit, shared.now()).await.map_err(|unlisted| match unlisted {
        Unlisted::Wrong(wrong) => Problem::wrong(wrong),
        Unlisted::Place => no_place(),
        Unlisted::Store(error) => error.into(),
    })?;
    Ok(tagged(&List { data, next }, &staff.scope, &headers))
}

/// A cursor that was given with another list.
pub(super) fn no_place() -> Problem {
    Problem::wrong("cursor: give the `next` of an answer to the same request, with the same filters")
}

/// One ticket with its thread, events, actions and alerts.
#[utoipa::path(get, path = "/api/v1/tickets/{id}", params(("id" = i64, Path, description = "Its number")),
    responses((status = 200, body = Dossier), Refusals))]
pub(super) async fn one(
    State(shared): Shop,
    Caller(staff): Caller,
    id: Result<Path<i64>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path(id) = id.map_err(|_| Problem::missing())?;
    let whole = ticket::dossier(&shared, &staff.scope, TicketId(id)).await?.ok_or_else(Problem::missing)?;
    Ok(tagged(&whole, &staff.scope, &headers))
}

/// What can be proved of a ticket: a chain of hashes that can be checked without this program (README.md, "Evidence"). Who asks stands in the
/// trail; a viewer may not.
#[utoipa::path(get, path = "/api/v1/tickets/{id}/evidence", params(("id" = i64, Path, description = "Its number")),
    responses((status = 200, body = Evidence), Refusals))]
pub(super) async fn evidence(
    State(shared): Shop,
    Caller(staff): Caller,
    id: Result<Path<i64>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id.map_err(|_| Problem::missing())?;
    if !staff.acts() {
        return Err(viewer());
    }
    let (db, now) = (&shared.joints.db, shared.now());
    let evidence = dossier::evidence(db, &staff.scope, TicketId(id), now).await?.ok_or_else(Problem::missing)?;
    trail::add(db, &staff.by, trail::EVIDENCE, &format!("ticket {id}"), now).await?;
    Ok(json(&evidence))
}

/// What a reply needs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reply {
    /// What is written to the citizen.
    text: String,
    /// In which form; the usual one if nothing is said.
    #[serde(default)]
    form: Option<Form>,
}

/// Answers a citizen. It is sent once at most; what became of it after a few seconds is in the answer, and later in the ticket's `replies`.
#[utoipa::path(post, path = "/api/v1/tickets/{id}/reply", request_body = Reply, params(("id" = i64, Path, description = "Its number")),
    responses((status = 200, body = ReplyRow), Refusals))]
pub(super) async fn reply(
    State(shared): Shop,
    Caller(staff): Caller,
    id: Result<Path<i64>, PathRejection>,
    body: Result<Json<Reply>, JsonRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id.map_err(|_| Problem::missing())?;
    let Json(reply) = body.map_err(|wrong| unread(&wrong))?;
    let sent = answer::reply(&shared, &staff, TicketId(id), reply.form, &reply.text).await;
    let row = sent.map_err(|refused| match refused {
        answer::Refused::Viewer => viewer(),
        answer::Refused::Reply(ReplyError::Unknown(_)) => Problem::missing(),
        answer::Refused::Reply(ReplyError::Store(error)) => error.into(),
        answer::Refused::Reply(
            error @ (ReplyError::Unfit { why: Unfit::Closed, .. } | ReplyError::UnderWay(..) | ReplyError::Twice(_)),
        ) => Problem::new(StatusCode::CONFLICT, error.to_string()),
        answer::Refused::Reply(error) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
    })?;
    Ok(json(&row))
}

/// A body that is none.
fn unread(wrong: &JsonRejection) -> Problem {
    let status = if wrong.status() == StatusCode::UNPROCESSABLE_ENTITY { StatusCode::BAD_REQUEST } else { wrong.status() };
    Problem::new(status, wrong.body_text())
}

fn viewer() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "this token's role is viewer: it may only look")
}

/// What an action needs besides its name.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Act {
    /// Reason of `dismiss`, how of `resolve`, remark of `note`, name of `assign`, slug of `handover`; nothing of `ack` and `unack`.
    #[serde(default)]
    text: String,
}

/// Does something with a ticket; answers how it then stands.
#[utoipa::path(post, path = "/api/v1/tickets/{id}/{deed}", request_body = Act,
    params(("id" = i64, Path, description = "Its number"), ("deed" = ActionKind, Path, description = "What is done")),
    responses((status = 200, body = TicketRow), Refusals))]
pub(super) async fn act(
    State(shared): Shop,
    Caller(staff): Caller,
    path: Result<Path<(i64, String)>, PathRejection>,
    body: Result<Json<Act>, JsonRejection>,
) -> Result<Response, Problem> {
    let Path((id, deed)) = path.map_err(|_| Problem::missing())?;
    let kind = ActionKind::from_word(&deed).ok_or_else(Problem::missing)?;
    let Json(act) = body.map_err(|wrong| unread(&wrong))?;
    let id = TicketId(id);
    desk::record(&shared, &staff, id, kind, &act.text).await.map_err(|refused| match refused {
        Refused::Unknown => Problem::missing(),
        Refused::Closed(what) => Problem::new(StatusCode::CONFLICT, what),
        Refused::Text("text_missing") => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "text: is needed for this"),
        Refused::Text("opd_unknown") => {
            let known = shared.settings().opds.iter().map(|opd| opd.slug.as_str()).collect::<Vec<_>>().join(", ");
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, format!("text: names no OPD, there are {known}"))
        }
        Refused::Text(_) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "text: is longer than 2,000 characters"),
        Refused::Viewer => viewer(),
        Refused::Store(error) => error.into(),
    })?;
    // Whoever hands a ticket over may not see it any more; it is as they left it.
    let scope = if kind == ActionKind::Handover { &crate::domain::Scope::ALL } else { &staff.scope };
    let row = listing::ticket(&shared.joints.db, scope, id).await?.ok_or_else(Problem::missing)?;
    Ok(json(&row))
}
