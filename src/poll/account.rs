//! One account: polled, or its threads read before a step, and how that went.

use std::sync::atomic::Ordering;

use jiff::SignedDuration;
use tracing::{debug, error, info, warn};

use super::{
    pass::{Pass, PassError, Tools},
    quota::Purpose,
    read::{Memo, Report, read},
    schedule, tokens, verify,
};
use crate::{
    arrival,
    domain::{
        Platform, Time,
        alert::AlertKind,
        settings::{AccountSpec, Opd},
    },
    graph::Next,
    runtime::held as locked,
    store::{
        StoreError,
        accounts::{self, Leased, Outcome, Wanted},
    },
};

/// An account that can't be read for this long is told to the operator.
const UNHEALTHY_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// When an account is read again that our own database kept from it.
const OUTAGE: SignedDuration = SignedDuration::from_secs(5);
/// How long an account that met a limit is treated with care.
const THROTTLED_FOR: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn configured<'a>(tools: &'a Tools, platform: Platform, id: &str) -> Option<(&'a Opd, &'a AccountSpec)> {
    tools.settings.accounts().find(|(_, spec)| spec.platform == platform && spec.id == id)
}

/// Reads the wanted threads of one account; whether anything was read.
pub(super) async fn verify_account(tools: &Tools, wanted: &[Wanted]) -> bool {
    let Some(first) = wanted.first() else { return false };
    let Some((opd, spec)) = configured(tools, first.platform, &first.external_id) else { return false };
    let read_all = async {
        let government = arrival::government(&tools.db, &tools.settings, first.account, (opd, spec)).await?;
        let mut pass = Pass::new(tools, first.account, (opd, spec), government, Purpose::Reserve).await?;
        for read in verify::reads(wanted) {
            let mut outcome = verified(&pass, &read).await;
            if matches!(&outcome, Err(failed) if failed.next() == Next::Token) && pass.renew().await? {
                outcome = verified(&pass, &read).await;
            }
            if let Err(failed) = outcome {
                if failed.is_lost() {
                    return Err(failed);
                }
                warn!(event = "poll.failed", opd = opd.slug, account = spec.id, platform = spec.platform.word(), error = %failed, "a thread could not be read before its step");
            }
        }
        Ok::<(), PassError>(())
    };
    if let Err(failed) = read_all.await {
        if failed.is_lost() {
            debug!(event = "poll.failed", opd = opd.slug, account = spec.id, error = %failed, "the database is away");
            return false;
        }
        warn!(event = "poll.failed", opd = opd.slug, account = spec.id, platform = spec.platform.word(), error = %failed, "threads could not be read before their steps");
    }
    true
}

async fn verified(pass: &Pass<'_>, read: &verify::Read) -> Result<usize, PassError> {
    tokens::trust(pass).await?;
    verify::read(pass, read).await
}

/// Polls one account and writes how it went; whether there was news.
pub(super) async fn poll_account(tools: &Tools, account: &Leased) -> bool {
    let Some((opd, spec)) = configured(tools, account.platform, &account.external_id) else { return false };
    let began_at = Time::from_timestamp(tools.clock.now());
    let mut memo: Memo = serde_json::from_str(&account.memo).unwrap_or_default();
    let mut report = Report::default();
    let mut usage = 0;
    let mut whole = async || -> Result<(), PassError> {
        let government = arrival::government(&tools.db, &tools.settings, account.id, (opd, spec)).await?;
        let mut pass = Pass::new(tools, account.id, (opd, spec), government, Purpose::Work).await?;
        let mut outcome = read(&mut pass, &mut memo, &mut report, began_at).await;
        if matches!(&outcome, Err(failed) if failed.next() == Next::Token) && pass.renew().await? {
            outcome = read(&mut pass, &mut memo, &mut report, began_at).await;
        }
        usage = pass.usage.load(Ordering::Relaxed);
        outcome
    };
    let outcome = whole().await;
    let (opd_slug, id, platform) = (opd.slug.as_str(), spec.id.as_str(), spec.platform.word());
    let now = Time::from_timestamp(tools.clock.now());
    memo.quiet = if report.new > 0 { 0 } else { memo.quiet.saturating_add(1) };
    let failed = outcome.err().or(report.failed.take());
    let (error, failures, failing_since, pause, tell) = match &failed {
        None => {
            debug!(event = "poll.finished", opd = opd_slug, account = id, platform, new = report.new, usage, "read");
            let tell = account.told_at.is_some().then_some(AlertKind::Recovered);
            if tell.is_some() {
                info!(event = "account.recovered", opd = opd_slug, account = id, platform, "can be read again");
            }
            if report.new > 0 && spec.platform == Platform::Facebook {
                memo.engaged_until = accounts::engaged_until(&tools.db, account.id, now).await.unwrap_or(memo.engaged_until);
            }
            let activity = schedule::Activity {
                quiet: memo.quiet,
                usage,
                few: spec.platform == Platform::Facebook && memo.engaged_until.is_none_or(|until| until <= now),
                throttled: memo.throttled_at.is_some_and(|at| now.since(at) < THROTTLED_FOR),
            };
            let pause = report.soon.unwrap_or_else(|| schedule::after_success(&tools.settings.poll, activity));
            (None, 0, None, pause, tell)
        }
        Some(failed) => {
            let next = failed.next();
            let since = account.failing_since.unwrap_or(began_at);
            let failures = account.failures + 1;
            // It is not the account that fails in an outage of ours: it need not rest.
            let pause = if failed.is_outage() { OUTAGE } else { schedule::after_failure(next, failures) };
            let error = failed.to_string();
            if let Next::Later { .. } = next {
                memo.throttled_at = Some(now);
                warn!(
                    event = "account.throttled",
                    opd = opd_slug,
                    account = id,
                    platform,
                    error,
                    pause = pause.as_secs(),
                    "resting until the limit allows"
                );
            } else if failed.is_lost() {
                debug!(event = "poll.failed", opd = opd_slug, account = id, platform, error, "the database is away");
            } else {
                warn!(
                    event = "poll.failed",
                    opd = opd_slug,
                    account = id,
                    platform,
                    error,
                    failures,
                    pause = pause.as_secs(),
                    "tried again after the pause"
                );
            }
            let at_once = matches!(next, Next::Token | Next::Permission);
            let tell = (account.told_at.is_none() && (at_once || now.since(since) >= UNHEALTHY_AFTER)).then_some(AlertKind::Unhealthy);
            if tell.is_some() {
                error!(
                    event = "account.unhealthy",
                    opd = opd_slug,
                    account = id,
                    platform,
                    error,
                    "this account can't be read: what citizens write there is not seen"
                );
            }
            (Some(error), failures, Some(since), pause, tell)
        }
    };
    let expiring = tokens::expiring(&mut memo.token, opd_slug, spec, now);
    let outcome = Outcome {
        began_at,
        next_poll_at: now.plus(pause),
        read: error.is_none() && report.soon.is_none(),
        error,
        failures,
        failing_since,
        tell,
        name: report.name,
        username: report.username,
        token_expires_at: memo.token.expires_at,
        expiring,
        memo: serde_json::to_string(&memo).unwrap_or_default(),
    };
    match accounts::finish(&tools.db, account, &outcome, now).await {
        Ok(()) => {}
        Err(StoreError::Fenced) => info!(opd = opd_slug, account = id, platform, "another worker has this account now"),
        Err(failed) if failed.is_outage() => *locked(&tools.lost) = Some(failed),
        Err(failed) => {
            error!(event = "poll.failed", opd = opd_slug, account = id, platform, error = %failed, "the poll could not be noted");
        }
    }
    report.new > 0 || tell.is_some() || expiring
}
