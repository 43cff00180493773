//! What staff do with a ticket: recorded here, applied by the sla stage, which is waited for so that the page shows what came of it.

use std::{sync::Arc, time::Duration};

use axum::{
    Form, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
    routing::post,
};
use minijinja::context;
use serde::Deserialize;

use super::{
    Shared, answer,
    staff::{Reader, Staff},
    ticket,
};
use crate::{
    domain::{ReplyState, TicketId, reply::Unfit, ticket::ActionKind},
    store::{
        StoreError,
        actions::{self, ActionError},
        replies::ReplyError,
    },
};

/// How long a page waits for what was done to take effect; it is shown as soon as it does.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The longest reason, remark or name, in characters.
const TEXT_MAX: usize = 2000;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/tickets/{id}/reply", post(reply)).route("/tickets/{id}/{deed}", post(act))
}

/// Why nothing was done.
pub(super) enum Refused {
    /// No such ticket within the scope.
    Unknown,
    /// It is closed.
    Closed(String),
    /// A text is missing, too long, or names no OPD: its key in the catalogue.
    Text(&'static str),
    /// They may only look.
    Viewer,
    /// The database.
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Records what somebody does with a ticket and waits a little until it takes effect.
pub(super) async fn record(shared: &Shared, staff: &Staff, id: TicketId, kind: ActionKind, text: &str) -> Result<(), Refused> {
    if !staff.acts() {
        return Err(Refused::Viewer);
    }
    let text = text.trim().replace("\r\n", "\n");
    let text = text.as_str();
    let needed = !matches!(kind, ActionKind::Ack | ActionKind::Unack);
    if needed && text.is_empty() {
        return Err(Refused::Text("text_missing"));
    }
    if text.chars().count() > TEXT_MAX {
        return Err(Refused::Text("text_long"));
    }
    if kind == ActionKind::Handover && shared.settings().opd(text).is_none() {
        return Err(Refused::Text("opd_unknown"));
    }
    let db = &shared.joints.db;
    let recorded = actions::record(db, &staff.scope, &[id], (kind, text), &staff.by, shared.now()).await;
    let recorded = recorded.map_err(|error| match error {
        ActionError::Unknown(_) => Refused::Unknown,
        ActionError::Closed(_) => Refused::Closed(error.to_string()),
        ActionError::Store(error) => Refused::Store(error),
    })?;
    shared.joints.judge.nudge();
    actions::noticed(db, &recorded, PATIENCE, LOOK_AGAIN).await?;
    Ok(())
}

#[derive(Deserialize)]
struct Sent {
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    text: String,
    #[serde(default)]
    form: String,
}

async fn reply(State(shared): State<Arc<Shared>>, Reader(staff): Reader, Path(id): Path<String>, Form(sent): Form<Reply>) -> Response {
    let id = ticket::number(&id);
    let form = crate::domain::Form::from_word(&sent.form);
    // It comes back in the form that was meant: a private word must not go out in public by a second click.
    let typed = || context! { typed => sent.text.as_str(), ..form.map_or(context! {}, |form| context! { typed_form => form.word() }) };
    let refused = |status, wrong| ticket::shown(&shared, &staff, id, status, context! { wrong, ..typed() });
    match answer::reply(&shared, &staff, id, form, &sent.text).await {
        Ok(reply) => match reply.state {
            ReplyState::Sent => Redirect::to(&format!("/tickets/{id}?done=reply")).into_response(),
            ReplyState::Failed => refused(StatusCode::BAD_GATEWAY, "reply_failed").await,
            _ => Redirect::to(&format!("/tickets/{id}?done=reply_waiting")).into_response(),
        },
        Err(answer::Refused::Viewer) => refused(StatusCode::FORBIDDEN, "viewer").await,
        Err(answer::Refused::Reply(error)) => match error {
            ReplyError::Unknown(_) => ticket::missing(&shared, &staff),
            ReplyError::Unfit { why: Unfit::Closed, .. } => refused(StatusCode::CONFLICT, "closed").await,
            ReplyError::Unfit { why, .. } => {
                let said = context! { unfit => why.word(), ..typed() };
                ticket::shown(&shared, &staff, id, StatusCode::UNPROCESSABLE_ENTITY, said).await
            }
            ReplyError::Text(_) => refused(StatusCode::UNPROCESSABLE_ENTITY, "reply_text").await,
            ReplyError::Inactive(_) => refused(StatusCode::UNPROCESSABLE_ENTITY, "reply_inactive").await,
            ReplyError::UnderWay(..) => refused(StatusCode::CONFLICT, "reply_under_way").await,
            ReplyError::Twice(_) => refused(StatusCode::CONFLICT, "reply_twice").await,
            ReplyError::Store(error) => shared.failed(staff.language, &error),
        },
    }
}

async fn act(
    State(shared): State<Arc<Shared>>,
    Reader(staff): Reader,
    Path((id, deed)): Path<(String, String)>,
    Form(sent): Form<Sent>,
) -> Response {
    let id = ticket::number(&id);
    let Some(kind) = ActionKind::from_word(&deed) else { return ticket::missing(&shared, &staff) };
    let refused = |status, said| ticket::shown(&shared, &staff, id, status, said);
    match record(&shared, &staff, id, kind, &sent.text).await {
        // Whoever hands a ticket over may not see it any more.
        Ok(()) if kind == ActionKind::Handover && !staff.scope.holds(sent.text.trim()) => Redirect::to("/?").into_response(),
        Ok(()) => Redirect::to(&format!("/tickets/{id}?done={deed}")).into_response(),
        Err(Refused::Unknown) => ticket::missing(&shared, &staff),
        Err(Refused::Closed(_)) => refused(StatusCode::CONFLICT, context! { wrong => "closed" }).await,
        Err(Refused::Text(wrong)) => {
            refused(StatusCode::UNPROCESSABLE_ENTITY, context! { wrong, typed_deed => deed, deed_text => sent.text }).await
        }
        Err(Refused::Viewer) => refused(StatusCode::FORBIDDEN, context! { wrong => "viewer" }).await,
        Err(Refused::Store(error)) => shared.failed(staff.language, &error),
    }
}
