//! What is read of an account, source by source: when it was read last, why it can't be, and when nobody watched it.

use std::collections::HashSet;

use jiff::SignedDuration;
use serde::Serialize;

use super::{
    Db, StoreError,
    db::{Row, vals},
};
use crate::domain::{AccountId, Source, Time, time::rfc3339};

/// Notes that a read of these sources begins, before anything it shows is judged: what was written before `opens_from` opens no ticket if
/// this is the first read, and a read after more than `blind_after` without one ends a blindness.
pub async fn begin(
    db: &Db,
    account: AccountId,
    sources: &[Source],
    (began_at, opens_from, blind_after): (Time, Time, SignedDuration),
) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    for source in sources {
        tx.exec(
            "INSERT INTO source (account_id, name, opens_from, blind_from, backlog_read_at) VALUES ($1, $2, $4, NULL, $3) \
             ON CONFLICT (account_id, name) DO UPDATE SET \
               blind_from = CASE WHEN source.last_read_at < $5 THEN source.last_read_at ELSE source.blind_from END, \
               backlog_read_at = CASE WHEN source.last_read_at IS NULL OR source.last_read_at < $5 THEN excluded.backlog_read_at \
                 ELSE source.backlog_read_at END",
            vals![account.0, source.word(), began_at, opens_from, began_at.minus(blind_after)],
        )
        .await?;
    }
    tx.commit().await
}

/// Notes that these sources were read in whole by a read that began at `began_at`. Where the last such read lies more than `lapse` before,
/// nobody watched in between: that is kept as a gap, with the reason.
pub async fn read(db: &Db, account: AccountId, sources: &[Source], began_at: Time, lapse: SignedDuration) -> Result<(), StoreError> {
    if sources.is_empty() {
        return Ok(());
    }
    let mut tx = db.write().await?;
    for source in sources {
        tx.exec(
            "INSERT INTO gap (account_id, source, from_at, until_at, reason) \
             SELECT account_id, name, last_read_at, $3, COALESCE(error, 'not polled') FROM source \
             WHERE account_id = $1 AND name = $2 AND last_read_at < $4",
            vals![account.0, source.word(), began_at, began_at.minus(lapse)],
        )
        .await?;
        tx.exec(
            "UPDATE source SET first_read_at = COALESCE(first_read_at, $3), last_read_at = $3, failing_since = NULL, error = NULL \
             WHERE account_id = $1 AND name = $2",
            vals![account.0, source.word(), began_at],
        )
        .await?;
    }
    tx.commit().await
}

/// Notes why these sources could not be read.
pub async fn failed(db: &Db, account: AccountId, sources: &[Source], error: &str, now: Time) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    for source in sources {
        tx.exec(
            "UPDATE source SET failing_since = COALESCE(failing_since, $3), error = $4 WHERE account_id = $1 AND name = $2",
            vals![account.0, source.word(), now, error],
        )
        .await?;
    }
    tx.commit().await
}

/// Notes that part of a source can never be read any more: what was written between two times in a conversation of which Meta shows the
/// newest messages only.
pub async fn lost(db: &Db, account: AccountId, source: Source, (from, until): (Time, Time), reason: &str) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    tx.exec(
        "INSERT INTO gap (account_id, source, from_at, until_at, reason) VALUES ($1, $2, $3, $4, $5)",
        vals![account.0, source.word(), from, until, reason],
    )
    .await?;
    tx.commit().await
}

/// A span in which a source of an account was not watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The account, by Meta's id.
    pub account: String,
    /// What of it.
    pub source: Source,
    /// The last whole read before.
    #[serde(with = "rfc3339")]
    pub from: Time,
    /// When the read that ended it began.
    #[serde(with = "rfc3339")]
    pub until: Time,
    /// Why, in our words.
    pub reason: String,
}

/// The gaps that reach into the time since then, oldest first.
pub async fn gaps(db: &Db, since: Time) -> Result<Vec<Gap>, StoreError> {
    let sql = "SELECT a.external_id, g.source, g.from_at, g.until_at, g.reason FROM gap g JOIN account a ON a.id = g.account_id \
         WHERE g.until_at > $1 AND a.active = 1 ORDER BY g.from_at, g.id";
    let gap = |row: &Row| {
        Ok(Gap {
            account: row.t("external_id")?,
            source: row.word("source", Source::from_word)?,
            from: row.at("from_at")?,
            until: row.at("until_at")?,
            reason: row.t("reason")?,
        })
    };
    db.rows(sql, vals![since]).await?.iter().map(gap).collect()
}

/// When the first whole read of anything of the account began.
pub async fn first_read(db: &Db, account: AccountId) -> Result<Option<Time>, StoreError> {
    let rows = db.rows("SELECT MIN(first_read_at) AS at FROM source WHERE account_id = $1", vals![account.0]).await?;
    rows.first().map_or(Ok(None), |row| row.oat("at"))
}

/// Sources of an account that were read in whole before.
pub async fn read_before(db: &Db, account: AccountId) -> Result<HashSet<Source>, StoreError> {
    let rows = db.rows("SELECT name FROM source WHERE account_id = $1 AND first_read_at IS NOT NULL", vals![account.0]).await?;
    rows.iter().map(|row| row.word("name", Source::from_word)).collect()
}
