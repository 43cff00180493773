//! What the morning sheet and the weekly recap are made of.

use super::{Db, StoreError, db::vals};
use crate::domain::{Kind, Platform, TicketId, TicketState, Time};

/// A ticket as a recap counts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its number.
    pub id: TicketId,
    /// Slug of the OPD.
    pub opd: String,
    /// Where the account lives.
    pub platform: Platform,
    /// What was written.
    pub kind: Kind,
    /// Since when it waits.
    pub opened_at: Time,
    /// Its deadline.
    pub due_at: Time,
    /// When it stopped waiting.
    pub closed_at: Option<Time>,
    /// Where it stands.
    pub state: TicketState,
}

/// Everything that a recap tells of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Tickets that are open, or were opened or closed since then; oldest first.
    pub cases: Vec<Case>,
    /// Accounts that can't be read now: platform and slug of the OPD.
    pub unread: Vec<(Platform, String)>,
    /// Citizens' messages written since then by OPD: all, and those that need an answer.
    pub messages: Vec<(String, i64, i64)>,
}

/// The facts since then; messages are counted from `week` on.
pub async fn facts(db: &Db, since: Time, week: Time) -> Result<Facts, StoreError> {
    let rows = db
        .rows(
            "SELECT t.id, COALESCE(t.held_by, a.opd) AS opd, a.platform, th.kind, t.opened_at, t.due_at, t.closed_at, t.state
               FROM ticket t JOIN account a ON a.id = t.account_id JOIN thread th ON th.id = t.thread_id
              WHERE t.closed_at IS NULL OR t.closed_at >= $1 OR t.opened_at >= $1 ORDER BY t.opened_at, t.id",
            vals![since],
        )
        .await?;
    let case = |row: &super::db::Row| {
        Ok(Case {
            id: TicketId(row.i("id")?),
            opd: row.t("opd")?,
            platform: row.word("platform", Platform::from_word)?,
            kind: row.word("kind", Kind::from_word)?,
            opened_at: row.at("opened_at")?,
            due_at: row.at("due_at")?,
            closed_at: row.oat("closed_at")?,
            state: row.word("state", TicketState::from_word)?,
        })
    };
    let cases = rows.iter().map(case).collect::<Result<_, StoreError>>()?;
    let unread = db.rows("SELECT platform, opd FROM account WHERE active = 1 AND healthy = 0 ORDER BY opd, platform, id", vals![]).await?;
    let unread = unread.iter().map(|row| Ok((row.word("platform", Platform::from_word)?, row.t("opd")?)));
    let messages = db
        .rows(
            "SELECT a.opd, count(*) AS n, count(CASE WHEN m.needs_answer = 1 THEN 1 END) AS asking FROM message m JOIN account a ON a.id = m.account_id
              WHERE m.direction = 'in' AND m.created_at >= $1 GROUP BY a.opd ORDER BY a.opd",
            vals![week],
        )
        .await?;
    let messages = messages.iter().map(|row| Ok((row.t("opd")?, row.i("n")?, row.i("asking")?)));
    Ok(Facts { cases, unread: unread.collect::<Result<_, StoreError>>()?, messages: messages.collect::<Result<_, StoreError>>()? })
}
