//! What people and scripts read: tickets, messages, accounts, in the shape of the contract's JSON. Reads only.

use super::db::{Db, StoreError, vals};
use crate::domain::Time;

mod account;
mod message;
mod ticket;

pub(super) use account::watched;
pub use account::{AccountRow, accounts};
pub use message::{MessageFilter, MessagePages, MessageRow, history};
pub use ticket::{ActionRow, AlertRow, EventRow, TicketFilter, TicketRow, actions, alerts, events, ticket, tickets};

/// Who wrote something, as the contract shows it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct AuthorRow {
    /// Page-scoped or Instagram-scoped id.
    pub id: Option<String>,
    /// Display name, else user name.
    pub name: Option<String>,
}

impl AuthorRow {
    /// `None` where Meta says nothing of the author.
    fn of(id: Option<String>, name: Option<String>) -> Option<Self> {
        let id = id.filter(|id| !id.is_empty());
        (id.is_some() || name.is_some()).then_some(Self { id, name })
    }
}

/// By OPD: its slug, open tickets (the overdue ones included), overdue ones.
pub async fn counts(db: &Db, now: Time) -> Result<Vec<(String, u64, u64)>, StoreError> {
    let rows = db
        .rows(
            "SELECT COALESCE(t.held_by, a.opd) AS opd, COUNT(*) AS open_tickets, CAST(SUM(CASE WHEN t.due_at < $1 THEN 1 ELSE 0 END) AS BIGINT) AS overdue \
             FROM ticket t JOIN account a ON a.id = t.account_id WHERE t.state = 'open' GROUP BY 1 ORDER BY 1",
            vals![now],
        )
        .await?;
    rows.iter().map(|row| Ok((row.t("opd")?, row.i("open_tickets")?.unsigned_abs(), row.i("overdue")?.unsigned_abs()))).collect()
}
