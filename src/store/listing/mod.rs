//! What people and scripts read: tickets, messages, accounts, in the shape of the contract's JSON. Reads only.

use super::db::{Db, StoreError, Val, built, numbered};
use crate::domain::{Scope, Time};

mod account;
mod handover;
mod message;
mod ticket;

pub use account::{AccountRow, accounts};
pub use handover::{handovers, own_opd};
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

/// Whose turn a ticket `t` of an account `a` is.
const HOLDER: &str = "COALESCE(t.held_by, a.opd)";

/// The condition that an OPD lies within the scope; its values are added.
pub(super) fn within(scope: &Scope, opd: &str, vals: &mut Vec<Val>) -> String {
    let Some(opds) = scope.opds() else { return "1 = 1".into() };
    let from = vals.len() + 1;
    vals.extend(opds.map(Val::from));
    format!("{opd} IN ({})", numbered(from, vals.len() + 1 - from))
}

/// The condition that the ticket with the number in `$1` lies within the scope.
fn of_ticket(scope: &Scope, vals: &mut Vec<Val>) -> String {
    let within = within(scope, HOLDER, vals);
    format!("EXISTS (SELECT 1 FROM ticket t JOIN account a ON a.id = t.account_id WHERE t.id = $1 AND {within})")
}

/// By OPD that has to answer: its slug, open tickets (the overdue ones included), overdue ones, urgent ones.
pub async fn counts(db: &Db, scope: &Scope, now: Time) -> Result<Vec<Count>, StoreError> {
    let mut vals = vec![now.into()];
    let within = within(scope, HOLDER, &mut vals);
    let sql = format!(
        "SELECT {HOLDER} AS opd, COUNT(*) AS waiting, CAST(SUM(CASE WHEN t.due_at < $1 THEN 1 ELSE 0 END) AS BIGINT) AS overdue, \
           CAST(SUM(t.urgent) AS BIGINT) AS urgent \
         FROM ticket t JOIN account a ON a.id = t.account_id WHERE t.state = 'open' AND {within} GROUP BY 1 ORDER BY 1"
    );
    let count = |row: &super::db::Row| {
        let number = |name| Ok::<_, StoreError>(row.i(name)?.unsigned_abs());
        Ok(Count { opd: row.t("opd")?, open: number("waiting")?, overdue: number("overdue")?, urgent: number("urgent")? })
    };
    db.rows_built(built(sql), vals).await?.iter().map(count).collect()
}

/// How many tickets wait for an OPD.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Count {
    /// Its slug.
    pub opd: String,
    /// Open ones, the overdue ones included.
    pub open: u64,
    /// Those past their deadline.
    pub overdue: u64,
    /// Urgent ones.
    pub urgent: u64,
}
