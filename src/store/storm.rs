//! Many accounts that fail at once for one cause: told of once, for the site (semantics.md, Alerts, "Storms").

use jiff::SignedDuration;

use super::{
    accounts::{Leased, Outcome, tell_in},
    db::{StoreError, Tx, vals},
    meta,
};
use crate::domain::{Cause, Platform, Time, alert::AlertKind};

/// Accounts that began to fail within this of one another fail together.
const TOGETHER: SignedDuration = SignedDuration::from_mins(10);
/// The longest pause of an account in a storm of which the cause is the link, or Meta.
const PROBE: SignedDuration = SignedDuration::from_mins(1);
/// Under which key it is remembered of which cause the site was told, and since when accounts fail for it.
const KEY: &str = "storm";

/// A cause that the site was told of.
struct Storm {
    cause: Cause,
    since: Time,
}

/// How many accounts there are, and how many of them fail for this cause since about then.
async fn failing(tx: &mut Tx, cause: Cause, since: Time) -> Result<(usize, usize), StoreError> {
    let rows = tx.rows("SELECT platform, reason, failing_since FROM account WHERE active = 1", vals![]).await?;
    let mut together = 0;
    for row in &rows {
        let (Some(reason), Some(began)) = (row.ot("reason")?, row.oat("failing_since")?) else { continue };
        let same = Cause::of(row.word("platform", Platform::from_word)?, &reason) == cause;
        together += usize::from(same && began.since(since).abs() <= TOGETHER);
    }
    Ok((rows.len(), together))
}

async fn told(tx: &mut Tx) -> Result<Option<Storm>, StoreError> {
    let Some(text) = meta::get(tx, KEY).await? else { return Ok(None) };
    let parts = text.split_once(' ').and_then(|(cause, since)| Some((Cause::from_word(cause)?, since.parse().ok()?)));
    Ok(parts.map(|(cause, since)| Storm { cause, since: Time::clamp_ms(since) }))
}

/// Tells `operator` that an account, whose row says so already, can't be read; or, where more than half of them began to fail with it for
/// the same cause, once that the site's can't.
pub(super) async fn fails(tx: &mut Tx, account: &Leased, outcome: &Outcome, cause: Option<Cause>, now: Time) -> Result<(), StoreError> {
    let detail = outcome.error.as_deref().unwrap_or_default();
    if let (Some(cause), Some(since)) = (cause, outcome.failing_since) {
        let (all, together) = failing(tx, cause, since).await?;
        if together > 1 && together * 2 > all {
            let value = format!("{} {}", cause.word(), since.ms());
            // Whoever writes it first tells; of another storm than this one it is known no longer.
            let first = match told(tx).await? {
                Some(storm) if storm.cause == cause && storm.since.since(since).abs() <= TOGETHER => false,
                Some(_) => tx.exec("UPDATE meta SET value = $2 WHERE key = $1", vals![KEY, value]).await? > 0,
                None => meta::put(tx, KEY, &value).await?,
            };
            if first {
                tell_in(tx, None, AlertKind::Unhealthy, (Some(cause), detail), now).await?;
            }
            return Ok(());
        }
    }
    tell_in(tx, Some(account.id), AlertKind::Unhealthy, (cause, detail), now).await
}

/// While the site can't reach Meta, accounts are tried oftener than one that fails alone: whoever gets through first wakes the others.
pub(super) async fn probe(tx: &mut Tx, account: &Leased, cause: Option<Cause>, now: Time) -> Result<(), StoreError> {
    if cause == Some(Cause::Trouble) && told(tx).await?.is_some_and(|storm| storm.cause == Cause::Trouble) {
        let sql = "UPDATE account SET next_poll_at = $2 WHERE id = $1 AND next_poll_at > $2";
        tx.exec(sql, vals![account.id.0, now.plus(PROBE)]).await?;
    }
    Ok(())
}

/// An account that failed can be read again, and its row says so: `operator` is told, if told of its failure. In a storm the others need not
/// wait out their pauses then; and once no more than half still fail, the site is told that it is over, and who goes on failing is told of
/// alone.
pub(super) async fn recovers(tx: &mut Tx, account: &Leased, told_at: Option<Time>, now: Time) -> Result<(), StoreError> {
    if let Some(told_at) = told_at {
        let sql = "SELECT id FROM alert WHERE account_id = $1 AND kind = $2 AND created_at >= $3 LIMIT 1";
        if !tx.rows(sql, vals![account.id.0, AlertKind::Unhealthy.word(), told_at]).await?.is_empty() {
            tell_in(tx, Some(account.id), AlertKind::Recovered, (None, ""), now).await?;
        }
    }
    let Some(storm) = told(tx).await? else { return Ok(()) };
    let (from, to) = (storm.since.minus(TOGETHER), storm.since.plus(TOGETHER));
    tx.exec(
        "UPDATE account SET next_poll_at = $1 WHERE active = 1 AND failing_since >= $2 AND failing_since <= $3 AND next_poll_at > $1",
        vals![now, from, to],
    )
    .await?;
    let (all, together) = failing(tx, storm.cause, storm.since).await?;
    if together * 2 > all || meta::take(tx, KEY).await?.is_none() {
        return Ok(());
    }
    tell_in(tx, None, AlertKind::Recovered, (Some(storm.cause), ""), now).await?;
    tx.exec(
        "UPDATE account SET told_at = NULL WHERE active = 1 AND failing_since >= $1 AND failing_since <= $2 \
           AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.account_id = account.id AND kind = $3 AND created_at >= account.told_at)",
        vals![from, to, AlertKind::Unhealthy.word()],
    )
    .await?;
    Ok(())
}
