//! Answering a citizen from the page or the API: recorded here, sent by poll, which alone talks to accounts.

use std::time::Duration;

use minijinja::{Value, context, value::Serde};
use serde::Serialize;

use super::{Shared, staff::Staff};
use crate::{
    catalogue::canned::{Parts, fill},
    domain::{Form, ReplyState, TicketId, reply::Window, time::rfc3339},
    store::{
        StoreError,
        listing::TicketRow,
        replies::{self, ReplyError, ReplyRow},
    },
};

/// How long what becomes of a reply is waited for; it is shown as soon as it is known.
const PATIENCE: Duration = Duration::from_secs(8);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A form in which a ticket can be answered, or why it can't.
#[derive(Serialize)]
struct Offer {
    form: Form,
    why_not: Option<&'static str>,
    #[serde(with = "rfc3339::option")]
    until: Option<crate::domain::Time>,
    human_agent: bool,
}

/// What the page offers for answering: the forms, canned replies, and the text of the one that was chosen.
pub(super) async fn offered(shared: &Shared, staff: &Staff, ticket: &TicketRow, chosen: Option<&str>) -> Result<Value, StoreError> {
    let Some(facts) = replies::facts(&shared.joints.db, &staff.scope, ticket.id, None).await? else { return Ok(context! {}) };
    let offers: Vec<Offer> = facts
        .ways(shared.now())
        .into_iter()
        .map(|(form, way)| Offer {
            form,
            why_not: way.as_ref().err().map(|why| why.word()),
            until: way.as_ref().ok().and_then(|way| way.until),
            human_agent: way.as_ref().is_ok_and(|way| way.window == Some(Window::HumanAgent)),
        })
        .collect();
    let settings = shared.settings();
    let author = ticket.author.as_ref().and_then(|author| author.name.as_deref());
    let parts = Parts::of(settings, ticket.id, &ticket.opd, author);
    let canned: Vec<_> = settings.canned(&ticket.opd).map(|canned| (&canned.name, Some(canned.name.as_str()) == chosen)).collect();
    let text = settings.canned(&ticket.opd).find(|canned| Some(canned.name.as_str()) == chosen);
    let text = text.and_then(|canned| fill(&canned.text, &parts).ok()).unwrap_or_default();
    let fits = offers.iter().any(|offer| offer.why_not.is_none());
    let usual = offers.iter().find(|offer| offer.form == facts.usual() && offer.why_not.is_none());
    let usual = usual.or_else(|| offers.iter().find(|offer| offer.why_not.is_none())).map(|offer| offer.form.word());
    let why_none = offers.iter().find(|offer| offer.form == facts.usual()).and_then(|offer| offer.why_not);
    Ok(context! { offers => Serde(&offers), canned => Serde(&canned), canned_text => text, fits, usual, why_none })
}

/// Why a reply was not recorded.
pub(super) enum Refused {
    /// They may only look.
    Viewer,
    /// Anything else.
    Reply(ReplyError),
}

impl From<ReplyError> for Refused {
    fn from(error: ReplyError) -> Self {
        Self::Reply(error)
    }
}

/// Records a reply and waits a little for what becomes of it.
pub(super) async fn reply(shared: &Shared, staff: &Staff, id: TicketId, form: Option<Form>, text: &str) -> Result<ReplyRow, Refused> {
    if !staff.acts() {
        return Err(Refused::Viewer);
    }
    let db = &shared.joints.db;
    let reply = replies::record(db, &staff.scope, id, (form, &text.trim().replace("\r\n", "\n")), &staff.by, shared.now()).await?;
    shared.joints.polls.nudge();
    let last = async || {
        let row = replies::one(db, reply).await.map_err(ReplyError::from)?;
        row.ok_or(Refused::Reply(ReplyError::Unknown(id)))
    };
    let wait = async {
        loop {
            let row = last().await?;
            if !matches!(row.state, ReplyState::Waiting | ReplyState::Sending) {
                return Ok(row);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    match tokio::time::timeout(PATIENCE, wait).await {
        Ok(row) => row,
        Err(_) => last().await,
    }
}
