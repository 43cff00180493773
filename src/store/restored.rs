//! A database that is older than what happened since: a backup put back, a file or a snapshot copied over it. How that is noticed, and what
//! makes it good: nothing that was due is told blindly, no number is given out twice.

use jiff::SignedDuration;

use super::{
    Db, StoreError,
    db::{Tx, built, vals},
    meta,
};
use crate::domain::{TicketId, Time};

/// Written into a copy by whoever makes or puts back one: when it was made.
pub(super) const COPIED: &str = "copied";
/// The last sign of life of a daemon.
const BEAT: &str = "beat";
/// When a daemon last found itself on an older database.
const RESTORED: &str = "restored";
/// The least number of the next new ticket (SQLite).
pub(super) const NEXT_TICKET: &str = "next_ticket";
/// What stands with all that was dropped, and with what is told again.
const REASON: &str = crate::domain::alert::RESTORED;
/// Why a reply is looked for.
const UNCERTAIN: &str = "the database was restored from a copy made before it was sent";
/// Numbers skipped besides ten times as many as the copy's age would have used at the pace before it.
const AHEAD: i64 = 1000;

/// What was made good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// As of when the database is; `None` if nothing in it says so.
    pub of: Option<Time>,
    /// Alerts nobody had been chosen for.
    pub alerts: u64,
    /// Deliveries that were not accepted.
    pub deliveries: u64,
    /// Letters that were not.
    pub letters: u64,
    /// Replies that may have been sent since.
    pub replies: u64,
    /// Steps whose officials are told again, since nobody knows whether they were.
    pub again: u64,
    /// Numbers of new tickets begin here.
    pub next_ticket: TicketId,
}

/// The newest sign of life in the database.
pub async fn beat(db: &Db) -> Result<Option<Time>, StoreError> {
    Ok(meta::remembered(db, BEAT).await?.and_then(|text| time(&text)))
}

/// Writes a sign of life, never an older one than there is; gives what stands there now.
pub async fn renew(db: &Db, now: Time) -> Result<Time, StoreError> {
    let mut tx = db.write().await?;
    let known = meta::get(&mut tx, BEAT).await?.and_then(|text| time(&text));
    let at = known.map_or(now, |known| known.max(now));
    meta::set(&mut tx, BEAT, &at.ms().to_string()).await?;
    tx.commit().await?;
    Ok(at)
}

/// When a daemon last found itself on an older database: what was due before counts as told.
pub async fn at(db: &Db) -> Result<Option<Time>, StoreError> {
    Ok(meta::remembered(db, RESTORED).await?.and_then(|text| time(&text)))
}

/// A time as it is remembered.
fn time(text: &str) -> Option<Time> {
    text.parse().ok().and_then(Time::from_ms)
}

/// At a daemon's start, `outside` being the sign of life kept beside the database: if the database is an older one, makes it good, in one
/// transaction and once.
pub async fn recognise(db: &Db, outside: Option<Time>, now: Time) -> Result<Option<Restored>, StoreError> {
    let mut tx = db.write().await?;
    meta::put(&mut tx, BEAT, "-").await?;
    // Of two that start at once the second waits here, and then finds it done.
    tx.exec("UPDATE meta SET value = value WHERE key = $1", vals![BEAT]).await?;
    let beat = meta::get(&mut tx, BEAT).await?.and_then(|text| time(&text));
    let copied = meta::get(&mut tx, COPIED).await?;
    let used = !tx.rows("SELECT id FROM ticket LIMIT 1", vals![]).await?.is_empty();
    // Without a beat of its own it is a copy by a version that had none, unless it is new.
    let older = outside.is_some_and(|outside| beat.map_or(used, |beat| beat < outside));
    if copied.is_none() && !older {
        tx.commit().await?;
        return Ok(None);
    }
    let of = match copied.and_then(|text| time(&text)).or(beat) {
        Some(of) => Some(of),
        None => tx.rows("SELECT MAX(last_read_at) AS at FROM account", vals![]).await?.first().map_or(Ok(None), |row| row.oat("at"))?,
    };
    let made_good = make_good(&mut tx, of, now).await?;
    meta::take(&mut tx, COPIED).await?;
    meta::set(&mut tx, RESTORED, &now.ms().to_string()).await?;
    meta::set(&mut tx, BEAT, &outside.map_or(now, |outside| outside.max(now)).ms().to_string()).await?;
    tx.commit().await?;
    Ok(Some(made_good))
}

async fn make_good(tx: &mut Tx, of: Option<Time>, now: Time) -> Result<Restored, StoreError> {
    let since = of.unwrap_or(now);
    let numbers = Numbers { since, age: now.since(since).max(SignedDuration::ZERO) };
    let next_ticket = numbers.next(tx, "ticket", "opened_at").await?;
    let next_alert = numbers.next(tx, "alert", "created_at").await?;
    let next_event = numbers.next(tx, "event", "at").await?;
    if tx.is_embedded() {
        meta::set(tx, NEXT_TICKET, &next_ticket.to_string()).await?;
        // SQLite goes on from the largest number there is: rows that concern nobody.
        let alert = "INSERT INTO alert (id, kind, policy, at_text, step, notify, late_found, detail, created_at, routed_at)
             VALUES ($1, 'account.recovered', '', '', 0, '[]', 0, $2, $3, $3)";
        tx.exec(alert, vals![next_alert - 1, REASON, now]).await?;
        tx.exec("INSERT INTO event (id, ticket_id, at, kind, detail) VALUES ($1, 0, $2, $3, '')", vals![next_event - 1, now, REASON])
            .await?;
    } else {
        for (table, next) in [("ticket", next_ticket), ("alert", next_alert), ("event", next_event)] {
            tx.rows("SELECT setval(pg_get_serial_sequence($1, 'id'), $2, false) AS next", vals![table, next]).await?;
        }
    }
    untold(tx, now).await?;
    let again = told_again(tx, next_alert, now).await?;
    // The key goes with what is told again.
    let deliveries = tx
        .exec(
            "UPDATE delivery SET state = 'dropped', reason = $1, key = key || $2 WHERE state IN ('waiting', 'pending')",
            vals![REASON, format!(" {REASON} {}", now.ms())],
        )
        .await?;
    let letters = tx
        .exec(
            "UPDATE letter SET state = 'dropped', next_try_at = NULL, lease_owner = NULL, lease_until = 0, fence = fence + 1, error = $1
              WHERE state = 'pending'",
            vals![REASON],
        )
        .await?;
    let alerts = tx.exec("UPDATE alert SET routed_at = $1 WHERE routed_at IS NULL AND id < $2", vals![now, next_alert]).await?;
    let replies = tx
        .exec(
            "UPDATE reply SET state = 'uncertain', next_try_at = $1, tried_at = COALESCE(tried_at, created_at), missed_at = NULL,
               lease_owner = NULL, lease_until = 0, fence = fence + 1, error = $2 WHERE state IN ('waiting', 'sending')",
            vals![now, UNCERTAIN],
        )
        .await?;
    tx.exec(
        "UPDATE source SET blind_from = last_read_at, backlog_read_at = $1, error = COALESCE(error, $2) WHERE last_read_at IS NOT NULL",
        vals![now, REASON],
    )
    .await?;
    let account = "UPDATE account SET lease_owner = NULL, lease_until = 0, fence = fence + 1,
           next_poll_at = CASE WHEN failures = 0 AND next_poll_at > $1 THEN $1 ELSE next_poll_at END";
    tx.exec(account, vals![now]).await?;
    // Whoever was shut out since the copy was made must not come in again by a session of then.
    tx.exec("DELETE FROM session", vals![]).await?;
    Ok(Restored { of, alerts, deliveries, letters, replies, again, next_ticket: TicketId(next_ticket) })
}

/// Accounts and doubts of which nobody may have heard yet: what is still so is found and told anew.
async fn untold(tx: &mut Tx, now: Time) -> Result<(), StoreError> {
    const PENDING: &str = "kind = 'account.unhealthy' AND (routed_at IS NULL OR EXISTS
         (SELECT 1 FROM delivery d WHERE d.alert_id = alert.id AND d.state IN ('waiting', 'pending')))";
    let sql = format!("UPDATE account SET told_at = NULL WHERE told_at <= $1 AND id IN (SELECT account_id FROM alert WHERE {PENDING})");
    tx.exec_built(built(sql), vals![now]).await?;
    let sql = format!(
        "DELETE FROM concern WHERE EXISTS (SELECT 1 FROM alert WHERE alert.account_id = concern.account_id AND alert.cause = concern.cause
           AND {PENDING})"
    );
    tx.exec_built(built(sql), vals![]).await.map(drop)
}

/// Steps of open tickets that had taken effect and of which nobody knows whom they told: into the summary.
async fn told_again(tx: &mut Tx, before: i64, now: Time) -> Result<u64, StoreError> {
    tx.exec(
        "INSERT INTO alert (kind, ticket_id, account_id, policy, at_text, step, notify, late_found, detail, created_at)
         SELECT CASE WHEN t.due_at <= $1 THEN 'account.backlog' ELSE 'ticket.warned' END, a.ticket_id, t.account_id, a.policy, a.at_text, a.step,
           a.notify, 0, $3, $1 FROM alert a JOIN ticket t ON t.id = a.ticket_id
          WHERE t.state = 'open' AND a.id < $2 AND a.kind IN ('ticket.warned', 'ticket.breached', 'ticket.escalated', 'account.backlog')
            AND (a.routed_at IS NULL OR EXISTS (SELECT 1 FROM delivery d WHERE d.alert_id = a.id AND d.state IN ('waiting', 'pending')))
          ORDER BY a.id",
        vals![now, before, REASON],
    )
    .await
}

/// How far numbers that officials and programs have seen go beyond those of the copy.
struct Numbers {
    since: Time,
    age: SignedDuration,
}

impl Numbers {
    /// The next number of a table: a round one, well ahead of all that can have been given out since at the pace before the copy.
    async fn next(&self, tx: &mut Tx, table: &str, at: &str) -> Result<i64, StoreError> {
        let sql = format!("SELECT COALESCE(MAX(id), 0) AS most, COUNT(CASE WHEN {at} >= $1 THEN 1 END) AS used FROM {table}");
        let rows = tx.rows_built(built(sql), vals![self.since.minus(self.age)]).await?;
        let (most, used) = rows.first().map_or(Ok::<_, StoreError>((0, 0)), |row| Ok((row.i("most")?, row.i("used")?)))?;
        let least = most.saturating_add(used.saturating_mul(10)).saturating_add(AHEAD);
        Ok((least / AHEAD + 1) * AHEAD + 1)
    }
}
