//! Retention: threads all of whose tickets have long been closed, and history without one.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::{
    again::Key,
    blank::{self, Target},
};
use crate::{
    domain::Time,
    store::{
        Db, StoreError,
        db::{CHUNK, Tx, Val, built, numbered, vals},
        meta,
        people::{IDLE, LIFE},
    },
};

/// Threads of one transaction: the writer is held for a moment only.
const BATCH: u32 = 200;
const LAST: &str = "purged_at";

/// What was erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Threads.
    pub threads: u64,
    /// Their messages.
    pub messages: u64,
    /// Their tickets.
    pub tickets: u64,
    /// The last thread that was looked at: where the next batch goes on.
    pub after: i64,
}

impl Purged {
    /// With the batch that followed.
    #[must_use]
    pub(crate) const fn and(self, next: Self) -> Self {
        Self {
            threads: self.threads + next.threads,
            messages: self.messages + next.messages,
            tickets: self.tickets + next.tickets,
            after: next.after,
        }
    }
}

/// A thread `t` of which nothing happened since `$2`, after the number `$1`; no conversation by which it is told whether a comment that is
/// still kept was answered in private.
const PAST: &str = "t.erased_at IS NULL AND t.id > $1 \
    AND NOT EXISTS (SELECT 1 FROM message m WHERE m.thread_id = t.id AND m.created_at >= $2) \
    AND NOT EXISTS (SELECT 1 FROM ticket k WHERE k.thread_id = t.id AND (k.state = 'open' OR k.closed_at >= $2)) \
    AND NOT (t.kind = 'message' AND EXISTS (SELECT 1 FROM message c WHERE c.account_id = t.account_id AND c.private_reply = t.key))";

/// How many threads are past retention: nothing was written in them and none of their tickets was open since then.
pub async fn stale(db: &Db, before: Time) -> Result<u64, StoreError> {
    let rows = db.rows_built(built(format!("SELECT COUNT(*) AS threads FROM thread t WHERE {PAST}")), vals![0_i64, before]).await?;
    rows.first().map_or(Ok(0), |row| Ok(row.i("threads")?.unsigned_abs()))
}

/// Erases the next threads after this number that are past retention; `None` where there are none.
pub async fn purge(db: &Db, fresh: &[u8; 32], (after, before): (i64, Time), now: Time) -> Result<Option<Purged>, StoreError> {
    let which = format!("SELECT t.id, t.account_id FROM thread t WHERE {PAST} ORDER BY t.id LIMIT $3");
    let found = db.rows_built(built(which), vals![after, before, BATCH]).await?;
    let Some(last) = found.last() else {
        forget_sessions(db, now).await?;
        return Ok(None);
    };
    let (last, mut accounts) = (last.i("id")?, Vec::new());
    for row in &found {
        accounts.push(row.i("account_id")?);
    }
    accounts.sort_unstable();
    accounts.dedup();
    let mut tx = db.write().await?;
    tx.alone(&accounts).await?;
    let mut done = Purged { after: last, ..Purged::default() };
    let key = Key::made(&mut tx, fresh).await?;
    for &account in &accounts {
        // Asked again: something may have been written meanwhile, or another worker was here.
        let sql = format!("SELECT t.id FROM thread t WHERE {PAST} AND t.id <= $3 AND t.account_id = $4 ORDER BY t.id");
        let rows = tx.rows_built(built(sql), vals![after, before, last, account]).await?;
        let threads: Vec<i64> = rows.iter().map(|row| row.i("id")).collect::<Result<_, _>>()?;
        settle(&mut tx, account, before, now).await?;
        one_account(&mut tx, &key, account, &threads, now, &mut done).await?;
    }
    tx.commit().await?;
    Ok(Some(done))
}

/// What closed before that time is judged no more, wherever it stands: the answer may be in a thread that is erased now.
async fn settle(tx: &mut Tx, account: i64, before: Time, now: Time) -> Result<(), StoreError> {
    let sql = "UPDATE ticket SET settled_at = $1 WHERE account_id = $2 AND state <> 'open' AND closed_at < $3 AND settled_at IS NULL";
    tx.exec(sql, vals![now, account, before]).await.map(drop)
}

async fn one_account(tx: &mut Tx, key: &Key, account: i64, threads: &[i64], now: Time, done: &mut Purged) -> Result<(), StoreError> {
    for chunk in threads.chunks(CHUNK) {
        let ids = || -> Vec<Val> { chunk.iter().map(|&id| id.into()).collect() };
        let list = numbered(1, chunk.len());
        let sql = format!("SELECT {} FROM message WHERE erased_at IS NULL AND thread_id IN ({list})", Target::COLUMNS);
        let targets: Vec<Target> = tx.rows_built(built(sql), ids()).await?.iter().map(Target::read).collect::<Result<_, _>>()?;
        let rows = tx.rows_built(built(format!("SELECT id FROM ticket WHERE thread_id IN ({list})")), ids()).await?;
        let tickets: Vec<i64> = rows.iter().map(|row| row.i("id")).collect::<Result<_, _>>()?;
        blank::messages(tx, key, account, &targets, now).await?;
        blank::empty(tx, key, (account, chunk), &BTreeSet::new(), now).await?;
        blank::tickets(tx, &tickets, now).await?;
        done.threads += chunk.len() as u64;
        done.messages += targets.len() as u64;
        done.tickets += tickets.len() as u64;
    }
    Ok(())
}

async fn forget_sessions(db: &Db, now: Time) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    tx.exec("DELETE FROM session WHERE created_at < $1 OR used_at < $2", vals![now.minus(LIFE), now.minus(IDLE)]).await?;
    tx.commit().await
}

/// When the daily purge is due; `None`: now.
pub async fn due(db: &Db, every: SignedDuration) -> Result<Option<Time>, StoreError> {
    let last = meta::remembered(db, LAST).await?.and_then(|text| text.parse().ok());
    Ok(last.map(|at| Time::clamp_ms(at).plus(every)))
}

/// Makes the daily purge this process's; `false` where another one has it.
pub async fn claim(db: &Db, every: SignedDuration, now: Time) -> Result<bool, StoreError> {
    let mut tx = db.write().await?;
    let sql = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value \
         WHERE CAST(meta.value AS BIGINT) <= $3";
    let mine = tx.exec(sql, vals![LAST, now.ms().to_string(), now.minus(every)]).await? > 0;
    tx.commit().await?;
    Ok(mine)
}

/// Gives it back, so that it is tried again: it failed.
pub async fn release(db: &Db) -> Result<(), StoreError> {
    meta::remember(db, LAST, "0").await
}
