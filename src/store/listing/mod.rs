//! What people and scripts read: tickets, messages, accounts, in the shape of the contract's JSON. Reads only.

use super::db::{Db, StoreError, Val, built, numbered};
use crate::domain::{Scope, Time};

mod account;
mod handover;
mod message;
mod ticket;

pub(super) use account::watched;
pub use account::{AccountRow, accounts};
pub use handover::{handovers, own_opd};
pub use message::{MessageFilter, MessagePages, MessageRow, history};
pub use ticket::{
    ActionRow, AlertRow, EventRow, HAPPENINGS, Happening, TicketFilter, TicketRow, actions, alerts, events, happenings, steps, ticket,
    tickets,
};

/// Who wrote something, as the contract shows it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct AuthorRow {
    /// Page-scoped or Instagram-scoped id.
    pub id: Option<String>,
    /// Display name, else user name.
    pub name: Option<String>,
}

impl AuthorRow {
    /// `None` where Meta says nothing of the author.
    fn of(id: Option<String>, name: Option<String>) -> Option<Self> {
        let id = id.filter(|id| !matches!(id.as_str(), "" | "~"));
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
pub(super) fn of_ticket(scope: &Scope, vals: &mut Vec<Val>) -> String {
    let within = within(scope, HOLDER, vals);
    format!("EXISTS (SELECT 1 FROM ticket t JOIN account a ON a.id = t.account_id WHERE t.id = $1 AND {within})")
}

/// By OPD that has to answer: its slug, open tickets (the overdue ones included), overdue ones, urgent ones.
pub async fn counts(db: &Db, scope: &Scope, now: Time) -> Result<Vec<Count>, StoreError> {
    let mut vals = vec![now.into()];
    let within = within(scope, "COALESCE(w.held_by, a.opd)", &mut vals);
    // The index of waiting tickets answers the inner query without a look at any ticket.
    let sql = format!(
        "SELECT COALESCE(w.held_by, a.opd) AS opd, CAST(SUM(w.waiting) AS BIGINT) AS waiting, CAST(SUM(w.overdue) AS BIGINT) AS overdue, \
           CAST(SUM(w.urgent) AS BIGINT) AS urgent \
         FROM (SELECT account_id, held_by, COUNT(*) AS waiting, SUM(CASE WHEN due_at < $1 THEN 1 ELSE 0 END) AS overdue, SUM(urgent) AS urgent \
                 FROM ticket WHERE state = 'open' GROUP BY account_id, held_by) w \
         JOIN account a ON a.id = w.account_id WHERE {within} GROUP BY 1 ORDER BY 1"
    );
    let count = |row: &super::db::Row| {
        let number = |name| Ok::<_, StoreError>(row.i(name)?.unsigned_abs());
        Ok(Count { opd: row.t("opd")?, open: number("waiting")?, overdue: number("overdue")?, urgent: number("urgent")? })
    };
    db.rows_built(built(sql), vals).await?.iter().map(count).collect()
}

/// How the reading of accounts stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// How many accounts are read.
    pub accounts: i64,
    /// How many of them can't be.
    pub unhealthy: i64,
    /// Since when the one that waits longest has been due for its turn, if one is.
    pub due_since: Option<Time>,
    /// When an account was read last.
    pub last_read_at: Option<Time>,
}

/// How the reading of the scope's accounts stands.
pub async fn reading(db: &Db, scope: &Scope, now: Time) -> Result<Reading, StoreError> {
    let mut vals = vec![now.into()];
    let within = within(scope, "opd", &mut vals);
    let sql = format!(
        "SELECT COUNT(*) AS accounts, COUNT(CASE WHEN healthy = 0 THEN 1 END) AS unhealthy, MAX(last_read_at) AS last_read_at,
           MIN(CASE WHEN next_poll_at <= $1 THEN next_poll_at END) AS due_since FROM account WHERE active = 1 AND {within}"
    );
    let rows = db.rows_built(built(sql), vals).await?;
    let nothing = Reading { accounts: 0, unhealthy: 0, due_since: None, last_read_at: None };
    rows.first().map_or(Ok(nothing), |row| {
        Ok(Reading {
            accounts: row.i("accounts")?,
            unhealthy: row.i("unhealthy")?,
            due_since: row.oat("due_since")?,
            last_read_at: row.oat("last_read_at")?,
        })
    })
}

/// How many tickets wait for an OPD.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
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
