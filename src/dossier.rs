//! A ticket with everything that belongs to it, as `show`, the page and the API have it.

use serde::Serialize;

use crate::{
    domain::{
        Scope, TicketId, Time,
        evidence::{self, Evidence},
        settings::Settings,
    },
    hours::{
        calendar::Calendars,
        holding::{Holding, holdings},
    },
    store::{
        Db, StoreError,
        listing::{self, ActionRow, AlertRow, EventRow, MessageRow, TicketRow},
        proof,
        replies::{self, ReplyRow},
    },
};

/// Everything that belongs to a ticket.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TicketWhole)]
pub struct Dossier {
    /// The ticket itself.
    #[serde(flatten)]
    pub ticket: TicketRow,
    /// Messages of its thread, oldest first.
    pub history: Vec<MessageRow>,
    /// What happened.
    pub events: Vec<EventRow>,
    /// What staff did.
    pub actions: Vec<ActionRow>,
    /// What was sent to the citizen from here.
    pub replies: Vec<ReplyRow>,
    /// Whom its steps told, and which told nobody.
    pub alerts: Vec<AlertRow>,
    /// How long which OPD held it, if it was ever handed over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub holdings: Vec<Holding>,
}

impl Dossier {
    /// `None` where there is no such ticket within the scope. `calendars` are asked for where the ticket was handed over.
    pub async fn of<'a>(
        db: &Db,
        scope: &Scope,
        id: TicketId,
        (settings, calendars): (&Settings, impl FnOnce() -> &'a Calendars),
        now: Time,
    ) -> Result<Option<Self>, StoreError> {
        let Some(ticket) = listing::ticket(db, scope, id).await? else { return Ok(None) };
        let handovers = listing::handovers(db, scope, id).await?;
        let holdings = match (handovers.is_empty(), listing::own_opd(db, scope, id).await?) {
            (false, Some(own)) => match calendars().of_ticket(settings, &ticket.policy, Some(&own)) {
                Some(calendar) => holdings(ticket.opened_at, ticket.closed_at, now, &own, &handovers, &calendar.worktime),
                None => Vec::new(),
            },
            _ => Vec::new(),
        };
        Ok(Some(Self {
            ticket,
            history: listing::history(db, scope, id).await?,
            events: listing::events(db, scope, id).await?,
            actions: listing::actions(db, scope, id).await?,
            replies: replies::list(db, scope, id).await?,
            alerts: listing::alerts(db, scope, id).await?,
            holdings,
        }))
    }
}

/// What can be proved of a ticket now; `None` where there is no such ticket within the scope.
pub async fn evidence(db: &Db, scope: &Scope, id: TicketId, now: Time) -> Result<Option<Evidence>, StoreError> {
    let Some(ticket) = listing::ticket(db, scope, id).await? else { return Ok(None) };
    let (entries, end) = proof::chain(db, id).await?;
    Ok(Some(Evidence {
        format: evidence::FORMAT.into(),
        program: format!("tanggap {}", env!("CARGO_PKG_VERSION")),
        made_at: now.rfc3339(),
        ticket: serde_json::to_value(ticket).unwrap_or_default(),
        root: evidence::root(id),
        entries,
        end,
    }))
}
