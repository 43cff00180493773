//! What staff wrote to be sent to a citizen: recorded by the command line and the page; claimed, sent at most once and settled by poll.

mod record;

use std::collections::HashSet;

pub use record::{ReplyError, facts, record};
use serde::Serialize;

use super::{
    Db, StoreError,
    db::{Row, built, vals},
    listing::of_ticket,
    restrict,
};
use crate::domain::{
    AccountId, Form, Platform, ReplyId, ReplyState, Scope, ThreadId, TicketId, Time, message::key_of, reply::Facts, time::rfc3339,
};

/// A reply as `show`, the page and the API have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReplyRow {
    /// Its number.
    pub id: ReplyId,
    /// In which form.
    pub form: Form,
    /// What is written to the citizen.
    pub text: String,
    /// Who wrote it.
    pub by: String,
    /// When it was recorded.
    #[serde(with = "rfc3339")]
    pub at: Time,
    /// Where it stands.
    pub state: ReplyState,
    /// While it waits: until when, at the earliest; while it is uncertain: when it is looked for again.
    #[serde(with = "rfc3339::option")]
    pub until: Option<Time>,
    /// When Meta took it.
    #[serde(with = "rfc3339::option")]
    pub sent_at: Option<Time>,
    /// Meta's id of what was sent.
    pub external_id: Option<String>,
    /// Why it failed, is uncertain, or for what it waits.
    pub error: Option<String>,
}

/// A reply that a worker has taken under a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Its number.
    pub id: ReplyId,
    /// The ticket it answers.
    pub ticket: TicketId,
    /// Whose account sends it.
    pub account: AccountId,
    /// Where that lives.
    pub platform: Platform,
    /// Meta's id of it.
    pub account_id: String,
    /// In which form.
    pub form: Form,
    /// Meta's id of what it answers.
    pub target: String,
    /// What is written.
    pub text: String,
    /// When it was recorded.
    pub created_at: Time,
    /// Where it stood: `waiting` is to be sent; of `sending` somebody died, so that it is as good as `uncertain`.
    pub state: ReplyState,
    /// When it was handed to Meta.
    pub tried_at: Option<Time>,
    /// When a read that should show it did not, for the first time.
    pub missed_at: Option<Time>,
    /// Why it is uncertain, or for what it waited.
    pub error: Option<String>,
    /// Until when it is this worker's alone.
    pub lease_until: Time,
    /// Repeated by whoever writes the result: an older lease writes nothing.
    pub fence: i64,
}

/// Takes due replies under a lease until `until`; `only`: this one, if it is due.
pub async fn claim(
    db: &Db,
    owner: &str,
    (now, until): (Time, Time),
    only: Option<ReplyId>,
    limit: u32,
) -> Result<Vec<Claimed>, StoreError> {
    // Most looks find nothing: they need no writer.
    let due = "SELECT 1 AS one FROM reply WHERE next_try_at <= $1 AND lease_until <= $1 LIMIT 1";
    if db.rows(due, vals![now]).await?.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = db.write().await?;
    let sql = format!(
        "WITH due AS {}(SELECT id FROM reply WHERE next_try_at <= $1 AND lease_until <= $1 AND ($5 = 0 OR id = $5) ORDER BY next_try_at, id \
           LIMIT $4{}) \
         UPDATE reply SET lease_owner = $2, lease_until = $3, fence = fence + 1 WHERE id IN (SELECT id FROM due) AND lease_until <= $1 \
         RETURNING *, (SELECT platform FROM account a WHERE a.id = reply.account_id) AS platform, \
           (SELECT external_id FROM account a WHERE a.id = reply.account_id) AS account",
        if db.skip_locked().is_empty() { "" } else { "MATERIALIZED " },
        db.skip_locked()
    );
    let rows = tx.rows_built(built(sql), vals![now, owner, until, limit, only.map_or(0, |id| id.0)]).await?;
    tx.commit().await?;
    rows.iter().map(claimed).collect()
}

fn claimed(row: &Row) -> Result<Claimed, StoreError> {
    Ok(Claimed {
        id: ReplyId(row.i("id")?),
        ticket: TicketId(row.i("ticket_id")?),
        account: AccountId(row.i("account_id")?),
        platform: row.word("platform", Platform::from_word)?,
        account_id: row.t("account")?,
        form: row.word("form", Form::from_word)?,
        target: row.t("target")?,
        text: row.t("text")?,
        created_at: row.at("created_at")?,
        state: row.word("state", ReplyState::from_word)?,
        tried_at: row.oat("tried_at")?,
        missed_at: row.oat("missed_at")?,
        error: row.ot("error")?,
        lease_until: row.at("lease_until")?,
        fence: row.i("fence")?,
    })
}

/// Writes that it is about to be handed to Meta, before it is: whoever finds it so after this worker died must look for it, not send it.
pub async fn begin(db: &Db, reply: &Claimed, now: Time) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    let written = tx
        .exec(
            "UPDATE reply SET state = 'sending', tried_at = $3, error = NULL WHERE id = $1 AND fence = $2 AND state = 'waiting'",
            vals![reply.id.0, reply.fence, now],
        )
        .await?;
    if written != 1 {
        return Err(StoreError::Fenced);
    }
    tx.commit().await
}

/// What became of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing was handed to Meta, or Meta said to come later: until then it waits.
    Waits(Time, String),
    /// Meta took it: its id, and when.
    Sent(Option<String>, Time),
    /// Nobody knows; it is looked for again then. With when a read missed it first.
    Uncertain(Time, Option<Time>, String),
    /// It was not sent.
    Failed(String),
}

/// Writes it and gives the lease back.
pub async fn settle(db: &Db, reply: &Claimed, end: &End) -> Result<(), StoreError> {
    let (state, next, external_id, sent_at, missed_at, error) = match end {
        End::Waits(at, why) => (ReplyState::Waiting, Some(*at), None, None, None, Some(why)),
        End::Sent(id, at) => (ReplyState::Sent, None, id.as_deref(), Some(*at), reply.missed_at, None),
        End::Uncertain(at, missed, why) => (ReplyState::Uncertain, Some(*at), None, None, *missed, Some(why)),
        End::Failed(why) => (ReplyState::Failed, None, None, None, reply.missed_at, Some(why)),
    };
    let mut tx = db.write().await?;
    let written = tx
        .exec(
            "UPDATE reply SET state = $3, next_try_at = $4, external_id = $5, sent_at = $6, missed_at = $7, error = $8,
               lease_owner = NULL, lease_until = 0 WHERE id = $1 AND fence = $2",
            vals![reply.id.0, reply.fence, state.word(), next, external_id, sent_at, missed_at, error.map(String::as_str)],
        )
        .await?;
    if written != 1 {
        return Err(StoreError::Fenced);
    }
    tx.commit().await
}

/// An own message that may be a reply of which nobody knows whether it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Meta's id.
    pub external_id: String,
    /// What it says.
    pub text: String,
    /// When it was written.
    pub created_at: Time,
}

/// What the account itself wrote since then where the reply would stand, but for what is another reply's; oldest first.
pub async fn shown(db: &Db, reply: &Claimed, facts: &Facts, since: Time) -> Result<Vec<Shown>, StoreError> {
    let author = facts.newest.as_ref().and_then(|newest| newest.author.as_deref());
    let rows = if reply.form == Form::Private {
        // The conversation that Meta shows with the comment, or one with its writer.
        db.rows(
            "SELECT m.external_id, m.text, m.created_at FROM message m JOIN thread t ON t.id = m.thread_id
             WHERE m.account_id = $1 AND t.kind = 'message' AND m.direction = 'out' AND m.government = $2 AND m.created_at >= $3
               AND (t.citizen_id = $4 OR t.key IN (SELECT c.private_reply FROM message c WHERE c.account_id = $1 AND c.external_id = $5))
             ORDER BY m.created_at, m.id",
            vals![reply.account.0, &reply.account_id, since, author, &reply.target],
        )
        .await?
    } else {
        db.rows(
            "SELECT external_id, text, created_at FROM message
             WHERE thread_id = $1 AND direction = 'out' AND government = $2 AND created_at >= $3 ORDER BY created_at, id",
            vals![facts.thread_id.0, &reply.account_id, since],
        )
        .await?
    };
    let claimed = db
        .rows(
            "SELECT external_id FROM reply WHERE account_id = $1 AND id <> $2 AND external_id IS NOT NULL AND sent_at >= $3",
            vals![reply.account.0, reply.id.0, since],
        )
        .await?;
    let claimed: HashSet<String> =
        claimed.iter().map(|row| Ok(key_of(&row.t("external_id")?).to_owned())).collect::<Result<_, StoreError>>()?;
    let mut found = Vec::new();
    for row in rows {
        let external_id = row.t("external_id")?;
        if !claimed.contains(key_of(&external_id)) {
            found.push(Shown { external_id, text: row.t("text")?, created_at: row.at("created_at")? });
        }
    }
    Ok(found)
}

/// When the last read that proves a thread began.
pub async fn read_began(db: &Db, thread: ThreadId) -> Result<Option<Time>, StoreError> {
    let rows = db.rows("SELECT read_began_at FROM thread WHERE id = $1", vals![thread.0]).await?;
    rows.first().map_or(Ok(None), |row| row.oat("read_began_at"))
}

/// The conversation that Meta shows with a comment as its private reply.
pub async fn conversation(db: &Db, account: AccountId, comment: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT private_reply FROM message WHERE account_id = $1 AND object = 'comment' AND key = $2";
    db.rows(sql, vals![account.0, key_of(comment)]).await?.first().map_or(Ok(None), |row| row.ot("private_reply"))
}

/// The next time at which there is something to send or to look for.
pub async fn next(db: &Db) -> Result<Option<Time>, StoreError> {
    let rows = db.rows("SELECT MIN(next_try_at) AS next FROM reply WHERE next_try_at IS NOT NULL", vals![]).await?;
    rows.first().map_or(Ok(None), |row| row.oat("next"))
}

/// What was written in answer to a ticket, in order.
pub async fn list(db: &Db, scope: &Scope, ticket: TicketId) -> Result<Vec<ReplyRow>, StoreError> {
    let mut vals = vals![ticket.0];
    let sql = format!(
        "SELECT p.id, p.form, CASE WHEN {} = 1 THEN '' ELSE p.text END AS text, p.by_name, p.created_at, p.state, p.next_try_at, p.sent_at,
           p.external_id, p.error FROM reply p JOIN ticket t ON t.id = p.ticket_id WHERE p.ticket_id = $1 AND {} ORDER BY p.id",
        restrict::of_ticket!(),
        of_ticket(scope, &mut vals)
    );
    db.rows_built(built(sql), vals).await?.iter().map(row).collect()
}

/// One of them.
pub async fn one(db: &Db, id: ReplyId) -> Result<Option<ReplyRow>, StoreError> {
    db.rows("SELECT * FROM reply WHERE id = $1", vals![id.0]).await?.first().map(row).transpose()
}

fn row(row: &Row) -> Result<ReplyRow, StoreError> {
    let state = row.word("state", ReplyState::from_word)?;
    Ok(ReplyRow {
        id: ReplyId(row.i("id")?),
        form: row.word("form", Form::from_word)?,
        text: row.t("text")?,
        by: row.t("by_name")?,
        at: row.at("created_at")?,
        state,
        until: row.oat("next_try_at")?,
        sent_at: row.oat("sent_at")?,
        external_id: row.ot("external_id")?,
        error: row.ot("error")?,
    })
}
