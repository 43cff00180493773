//! What the sla stage reads of threads and writes of tickets. Called inside its one transaction: the accounts it judges stay locked until
//! what was judged is stored.

mod record;
mod view;

use std::collections::{BTreeSet, HashSet};

pub(super) use record::bulk;
pub use record::record;
pub use view::{private_replies, views};

use super::db::{Db, StoreError, Tx, Val, vals};
use crate::domain::{AccountId, MessageId, ThreadId, Time};

/// Threads whose time has come, at most `limit`, and those of whose tickets staff said something. Their accounts are this transaction's
/// alone.
pub async fn due(tx: &mut Tx, now: Time, limit: u32) -> Result<Vec<ThreadId>, StoreError> {
    let mut found = candidates(tx, now, limit).await?;
    let accounts: BTreeSet<i64> = found.iter().map(|(_, account)| *account).collect();
    if tx.alone(&accounts.iter().copied().collect::<Vec<_>>()).await? {
        // Asked again: another worker may have judged some of them meanwhile.
        found = candidates(tx, now, limit).await?;
        found.retain(|(_, account)| accounts.contains(account));
    }
    let mut seen = HashSet::new();
    Ok(found.into_iter().map(|(thread, _)| thread).filter(|thread| seen.insert(*thread)).collect())
}

/// The same with their accounts, nothing locked.
async fn candidates(tx: &mut Tx, now: Time, limit: u32) -> Result<Vec<(ThreadId, i64)>, StoreError> {
    let time = "SELECT id, account_id FROM thread WHERE next_look_at <= $1 ORDER BY next_look_at LIMIT $2";
    let said =
        "SELECT t.thread_id AS id, t.account_id FROM action a JOIN ticket t ON t.id = a.ticket_id WHERE a.applied_at IS NULL LIMIT $1";
    let rows = tx.rows(time, vals![now, limit]).await?.into_iter().chain(tx.rows(said, vals![limit]).await?);
    rows.map(|row| Ok((ThreadId(row.i("id")?), row.i("account_id")?))).collect()
}

/// The earliest time at which a thread is to be looked at again.
pub async fn next_look(db: &Db) -> Result<Option<Time>, StoreError> {
    let rows = db.rows("SELECT MIN(next_look_at) AS next FROM thread WHERE next_look_at IS NOT NULL", vals![]).await?;
    rows.first().map_or(Ok(None), |row| row.oat("next"))
}

/// Looks at every thread with an open ticket again: policies or calendars changed.
pub async fn look_at_all(db: &Db, now: Time) -> Result<u64, StoreError> {
    let mut tx = db.write().await?;
    let changed =
        tx.exec("UPDATE thread SET next_look_at = $1 WHERE id IN (SELECT thread_id FROM ticket WHERE state = 'open')", vals![now]).await?;
    tx.commit().await?;
    Ok(changed)
}

/// The clock was set back: looks planned by it for later than they were meant are due now. One that is too early changes nothing.
pub async fn clock_set_back(db: &Db, now: Time) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    tx.exec("UPDATE thread SET next_look_at = $1 WHERE next_look_at > $1", vals![now]).await?;
    tx.commit().await
}

fn ids(list: &[ThreadId]) -> Vec<Val> {
    list.iter().map(|id| Val::from(id.0)).collect()
}

/// An `out` text that followed the message before it quickly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quick {
    /// Whose.
    pub account: AccountId,
    /// Of the text, case, spaces and the person's name aside.
    pub hash: String,
    /// Where.
    pub thread: ThreadId,
    /// Which.
    pub message: MessageId,
}

/// Notes quick texts; gives those of them that went so to at least three threads. When the third turns up, the threads of the others are
/// to be judged again.
pub async fn quick(tx: &mut Tx, quick: &[Quick], now: Time) -> Result<HashSet<MessageId>, StoreError> {
    let mut automatic = HashSet::new();
    for one in quick {
        let new = tx
            .exec(
                "INSERT INTO quick_reply (account_id, text_hash, message_id, thread_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                vals![one.account.0, &one.hash, one.message.0, one.thread.0],
            )
            .await?;
        let rows = tx
            .rows(
                "SELECT COUNT(DISTINCT thread_id) AS threads FROM quick_reply WHERE account_id = $1 AND text_hash = $2",
                vals![one.account.0, &one.hash],
            )
            .await?;
        if rows.first().map_or(Ok(0), |row| row.i("threads"))? < 3 {
            continue;
        }
        automatic.insert(one.message);
        if new > 0 {
            tx.exec(
                "UPDATE thread SET next_look_at = $1 WHERE id <> $4 AND (next_look_at IS NULL OR next_look_at > $1) \
                 AND (id IN (SELECT thread_id FROM quick_reply WHERE account_id = $2 AND text_hash = $3) \
                   OR id IN (SELECT k.thread_id FROM ticket k JOIN thread d ON d.account_id = k.account_id AND d.citizen_id = k.author \
                     JOIN quick_reply q ON q.thread_id = d.id WHERE k.account_id = $2 AND q.account_id = $2 AND q.text_hash = $3) \
                   OR id IN (SELECT c.thread_id FROM message c JOIN thread d ON d.account_id = c.account_id AND d.key = c.private_reply \
                     JOIN quick_reply q ON q.thread_id = d.id WHERE c.account_id = $2 AND q.account_id = $2 AND q.text_hash = $3))",
                vals![now, one.account.0, &one.hash, one.thread.0],
            )
            .await?;
        }
    }
    Ok(automatic)
}
