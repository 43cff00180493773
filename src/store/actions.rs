//! What staff do with tickets: recorded here by the command line, noticed and applied by the SLA stage.

use std::time::Duration;

use super::{
    Db, StoreError,
    db::{Row, built, placeholders, vals},
};
use crate::domain::{
    Scope, TicketId, TicketState, Time,
    message::key_of,
    ticket::{Action, ActionKind},
};

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// Numbers nobody has seen.
    #[error("there is no ticket {}; nothing was recorded", numbers(.0))]
    Unknown(Vec<TicketId>),
    /// Only a note or a name can still be added to a closed ticket, and none to one that is settled for good.
    #[error("{}; nothing was recorded", closed(.0))]
    Closed(Vec<(TicketId, TicketState)>),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn numbers(tickets: &[TicketId]) -> String {
    tickets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn closed(tickets: &[(TicketId, TicketState)]) -> String {
    tickets.iter().map(|(id, state)| format!("ticket {id} is already {state}")).collect::<Vec<_>>().join(", ")
}

/// Records one action on each of the tickets, or nothing at all; gives the numbers of the actions. Tickets outside the scope are unknown.
pub async fn record(
    db: &Db,
    scope: &Scope,
    tickets: &[TicketId],
    (kind, text): (ActionKind, &str),
    by: &str,
    at: Time,
) -> Result<Vec<i64>, ActionError> {
    let mut tx = db.write().await?;
    let (mut unknown, mut closed) = (Vec::new(), Vec::new());
    for &ticket in tickets {
        let sql = "SELECT t.state, t.settled_at, COALESCE(t.held_by, a.opd) AS opd FROM ticket t JOIN account a ON a.id = t.account_id WHERE t.id = $1";
        match tx.rows(sql, vals![ticket.0]).await?.first() {
            Some(row) if scope.holds(&row.t("opd")?) => match row.word("state", TicketState::from_word)? {
                TicketState::Open => {}
                _ if matches!(kind, ActionKind::Note | ActionKind::Assign) && row.oi("settled_at")?.is_none() => {}
                state => closed.push((ticket, state)),
            },
            _ => unknown.push(ticket),
        }
    }
    if !unknown.is_empty() {
        return Err(ActionError::Unknown(unknown));
    }
    if !closed.is_empty() {
        return Err(ActionError::Closed(closed));
    }
    let mut ids = Vec::with_capacity(tickets.len());
    for &ticket in tickets {
        let rows = tx
            .rows(
                "INSERT INTO action (ticket_id, kind, by_name, at, text) VALUES ($1, $2, $3, $4, $5) RETURNING id",
                vals![ticket.0, kind.word(), by, at, text],
            )
            .await?;
        for row in rows {
            ids.push(row.i("id")?);
        }
    }
    tx.commit().await?;
    Ok(ids)
}

/// Open tickets under a post or medium, or of a post itself, by Meta's id; in order. Where an id begins with an account's own id,
/// only that account's are meant.
pub async fn targets_of_post(db: &Db, post: &str) -> Result<Vec<TicketId>, StoreError> {
    let rows = db
        .rows(
            "SELECT t.id, a.external_id AS account FROM account a JOIN thread th ON th.account_id = a.id AND th.post_key = $1
             JOIN ticket t ON t.thread_id = th.id WHERE t.state = 'open'
             UNION SELECT t.id, a.external_id FROM account a
             JOIN thread th ON th.account_id = a.id AND th.kind IN ('post', 'review', 'mention') AND th.key = $1
             JOIN ticket t ON t.thread_id = th.id WHERE t.state = 'open' ORDER BY 1",
            vals![key_of(post)],
        )
        .await?;
    let found: Vec<(TicketId, String)> =
        rows.iter().map(|row| Ok((TicketId(row.i("id")?), row.t("account")?))).collect::<Result<_, StoreError>>()?;
    let owner = post.split('_').next().filter(|prefix| found.iter().any(|(_, account)| account == prefix));
    Ok(found.into_iter().filter(|(_, account)| owner.is_none_or(|owner| owner == account)).map(|(id, _)| id).collect())
}

/// Open tickets of an author, by the id under which the tickets show them; in order.
pub async fn targets_of_author(db: &Db, author: &str) -> Result<Vec<TicketId>, StoreError> {
    let rows = db.rows("SELECT id FROM ticket WHERE state = 'open' AND author = $1 ORDER BY id", vals![author]).await?;
    rows.iter().map(|row| Ok(TicketId(row.i("id")?))).collect()
}

/// Whether all of these actions took effect.
pub async fn applied(db: &Db, ids: &[i64]) -> Result<bool, StoreError> {
    for chunk in ids.chunks(super::db::CHUNK) {
        let sql = format!("SELECT id FROM action WHERE applied_at IS NULL AND id IN {} LIMIT 1", placeholders(1, chunk.len()));
        if !db.rows_built(built(sql), chunk.iter().map(|&id| id.into()).collect()).await?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Waits for these actions to take effect, but not longer than `patience`; whether they did.
pub async fn noticed(db: &Db, ids: &[i64], patience: Duration, look_again: Duration) -> Result<bool, StoreError> {
    let wait = async {
        while !applied(db, ids).await? {
            tokio::time::sleep(look_again).await;
        }
        Ok(true)
    };
    tokio::time::timeout(patience, wait).await.unwrap_or(Ok(false))
}

/// What no daemon has noticed yet, in order of recording.
pub async fn pending(db: &Db) -> Result<Vec<Action>, StoreError> {
    db.rows("SELECT * FROM action WHERE applied_at IS NULL ORDER BY id", vals![]).await?.iter().map(read).collect()
}

pub(super) fn read(row: &Row) -> Result<Action, StoreError> {
    Ok(Action {
        id: row.i("id")?,
        ticket: TicketId(row.i("ticket_id")?),
        kind: row.word("kind", ActionKind::from_word)?,
        by: row.t("by_name")?,
        at: row.at("at")?,
        text: row.t("text")?,
        applied: row.oi("applied_at")?.is_some(),
    })
}
