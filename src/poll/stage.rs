//! The stage itself: takes accounts and threads that are due, runs their reads side by side, writes how it went.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use jiff::SignedDuration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::{
    facebook, instagram,
    pass::{Pass, PassError, Tools},
    schedule,
    tokens::{self, Reread, Tokens},
    verify,
};
use crate::{
    domain::{
        Platform, SharedSettings, Source, Time,
        alert::AlertKind,
        settings::{AccountSpec, Opd},
    },
    graph::{Client, Next, facebook as ask_page, instagram as ask_account, wire::account},
    normalize::{Government, Sister, triage::Rules},
    runtime::{Nudge, SharedClock, Stage, Tally, metrics::Metrics},
    store::{
        Db, StoreError,
        accounts::{self, Leased, Outcome, Wanted},
    },
};

/// How long a poll may keep an account; a worker that died gives it back then.
const LEASE: SignedDuration = SignedDuration::from_mins(10);
/// How soon a thread that could not be read is tried again.
const AGAIN: SignedDuration = SignedDuration::from_secs(10);
/// An account that can't be read for this long is told to the operator.
const UNHEALTHY_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// Blindness longer than this makes the next read a backlog (semantics.md, Backlog).
const BLIND_AFTER: SignedDuration = SignedDuration::from_hours(2);
/// How often an account is asked who it is.
const IDENTITY_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// How soon an account is tried again that waits for others to be known.
const INTRODUCED: SignedDuration = SignedDuration::from_millis(500);
/// While reads are under way, how often new work is looked for.
const LOOK: Duration = Duration::from_millis(200);
/// A step takes in no new work after this, so that it ends.
const STEP: SignedDuration = SignedDuration::from_secs(60);
/// Threads verified at once besides the polls, so that slow polls never hold up a flag.
const VERIFIES: usize = 8;

/// Whether our clock can be trusted: compared with Meta's at every answer.
#[derive(Clone, Debug, Default)]
pub struct Skew {
    /// Set while it can't; the sla stage holds its flags back.
    pub skewed: Arc<AtomicBool>,
    news: Arc<AtomicBool>,
}

impl Skew {
    /// More than this apart is a fault (issue: 30 s).
    const LIMIT: SignedDuration = SignedDuration::from_secs(30);

    /// Meta's clock said `theirs` (whole seconds) when ours said `ours`.
    pub fn heard(&self, theirs: Time, ours: Time) {
        let apart = ours.since(theirs);
        let skewed = apart.abs() > Self::LIMIT;
        if self.skewed.swap(skewed, Ordering::Relaxed) != skewed {
            self.news.store(true, Ordering::Relaxed);
            if skewed {
                error!(
                    event = "clock.skewed",
                    seconds = apart.as_secs(),
                    "this machine's clock differs from Meta's: flags are held back; set the clock (timedatectl)"
                );
            } else {
                info!(event = "clock.skewed", seconds = apart.as_secs(), "the clock is right again: flags go on");
            }
        }
    }
}

/// What the stage is joined to.
pub struct Joints {
    /// Time.
    pub clock: SharedClock,
    /// Counters.
    pub metrics: Metrics,
    /// Asks Meta.
    pub client: Client,
    /// Wakes the sla stage.
    pub judge: Nudge,
    /// Wakes the alert stage.
    pub alerts: Nudge,
    /// Ends a step early.
    pub stop: CancellationToken,
    /// Compared clocks.
    pub skew: Skew,
    /// This worker's name in leases.
    pub owner: String,
    /// Reads tokens again after they died.
    pub reread: Reread,
}

/// Stage 1.
pub struct PollStage {
    tools: Arc<Tools>,
    joints: Joints,
}

/// Poll's own memory of an account.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
struct Memo {
    quiet: u32,
    swept_at: Option<Time>,
    known_at: Option<Time>,
    token: tokens::Memo,
}

impl PollStage {
    /// Makes the stage and makes the configured accounts known.
    pub async fn new(db: Db, settings: SharedSettings, joints: Joints) -> Result<Self, StoreError> {
        let list: Vec<(Platform, String, String)> =
            settings.accounts().map(|(opd, spec)| (spec.platform, spec.id.clone(), opd.slug.clone())).collect();
        accounts::sync(&db, &list, Time::from_timestamp(joints.clock.now())).await?;
        let rules = Rules::new(&settings.sla.auto_reply_patterns, &settings.sla.urgent_keywords);
        let tokens = Tokens::new(settings.clone(), joints.client.clone(), joints.metrics.clone(), joints.reread.clone());
        let tools = Tools {
            db,
            tokens,
            settings,
            client: joints.client.clone(),
            rules,
            clock: joints.clock.clone(),
            metrics: joints.metrics.clone(),
            skew: joints.skew.clone(),
        };
        Ok(Self { tools: Arc::new(tools), joints })
    }

    fn now(&self) -> Time {
        Time::from_timestamp(self.joints.clock.now())
    }

    /// Reads for the threads of which one is wanted now.
    async fn verifies(&self) -> Result<Vec<BoxFuture<'static, bool>>, StoreError> {
        let wanted = accounts::wanted(&self.tools.db, self.now(), AGAIN, 200).await?;
        let mut by_account: BTreeMap<i64, Vec<Wanted>> = BTreeMap::new();
        for one in wanted {
            by_account.entry(one.account.0).or_default().push(one);
        }
        let read = |list: Vec<Wanted>| {
            let tools = self.tools.clone();
            async move { verify_account(&tools, &list).await }.boxed()
        };
        Ok(by_account.into_values().map(read).collect())
    }

    /// Polls of the accounts that are due.
    async fn polls(&self, room: usize) -> Result<Vec<BoxFuture<'static, bool>>, StoreError> {
        let now = self.now();
        let leased = accounts::claim(&self.tools.db, &self.joints.owner, now, now.plus(LEASE), room as u32).await?;
        let poll = |account: Leased| {
            let tools = self.tools.clone();
            async move { poll_account(&tools, &account).await }.boxed()
        };
        Ok(leased.into_iter().map(poll).collect())
    }
}

impl Stage for PollStage {
    const NAME: &'static str = "poll";
    type Error = StoreError;

    async fn once(&mut self) -> Result<Tally, StoreError> {
        let began_at = self.now();
        let concurrency = self.tools.settings.poll.concurrency.max(1);
        // Tasks of their own: one that holds the writer must go on while this one waits for it.
        let (mut polls, mut verifies) = (JoinSet::new(), JoinSet::new());
        let mut done = 0;
        loop {
            let open = self.now().since(began_at) < STEP && !self.joints.stop.is_cancelled();
            if open && verifies.len() < VERIFIES {
                for read in self.verifies().await? {
                    verifies.spawn(read);
                }
            }
            if open && polls.len() < concurrency {
                for poll in self.polls(concurrency - polls.len()).await? {
                    polls.spawn(poll);
                }
            }
            if polls.is_empty() && verifies.is_empty() {
                break;
            }
            let news = tokio::select! {
                Some(read) = verifies.join_next(), if !verifies.is_empty() => { done += 1; said(read) }
                Some(read) = polls.join_next(), if !polls.is_empty() => { done += 1; said(read) }
                () = tokio::time::sleep(LOOK) => false,
                () = self.joints.stop.cancelled() => break,
            };
            if news {
                self.joints.judge.nudge();
            }
        }
        if self.joints.skew.news.swap(false, Ordering::Relaxed) && self.joints.skew.skewed.load(Ordering::Relaxed) {
            accounts::tell_site(&self.tools.db, AlertKind::ClockSkewed, "", self.now()).await?;
            self.joints.alerts.nudge();
        }
        let next = [accounts::next_poll(&self.tools.db).await?, accounts::next_wanted(&self.tools.db, self.now()).await?];
        Ok(Tally { done, next: next.into_iter().flatten().min().map(Time::timestamp) })
    }
}

/// What a read said of news; one that panicked is reported, and its account comes back when its lease is over.
fn said(read: Result<bool, tokio::task::JoinError>) -> bool {
    read.unwrap_or_else(|failed| {
        error!(event = "poll.failed", error = %failed, "a read ended in a fault of the program; its account is read again");
        false
    })
}

fn configured<'a>(tools: &'a Tools, platform: Platform, id: &str) -> Option<(&'a Opd, &'a AccountSpec)> {
    tools.settings.accounts().find(|(_, spec)| spec.platform == platform && spec.id == id)
}

async fn government(tools: &Tools, account: crate::domain::AccountId, opd: &Opd, spec: &AccountSpec) -> Result<Government, StoreError> {
    let usernames = accounts::usernames(&tools.db).await?;
    let same_opd = |other: &Opd| tools.settings.sla.sister_accounts_answer || other.slug == opd.slug;
    let sisters = tools
        .settings
        .accounts()
        .filter(|(other, sister)| sister.id != spec.id && same_opd(other))
        .map(|(_, sister)| Sister {
            external_id: sister.id.clone(),
            platform: sister.platform,
            username: usernames.get(&sister.id).cloned(),
            page: sister.page.clone(),
        })
        .collect();
    Ok(Government {
        own: std::iter::once(spec.id.clone()).chain(spec.page.clone()).collect(),
        own_username: usernames.get(&spec.id).cloned(),
        sisters,
        staff: opd.staff.clone(),
        bindings: accounts::bindings(&tools.db, account).await?,
    })
}

/// Reads the wanted threads of one account; whether anything was read.
async fn verify_account(tools: &Tools, wanted: &[Wanted]) -> bool {
    let Some(first) = wanted.first() else { return false };
    let Some((opd, spec)) = configured(tools, first.platform, &first.external_id) else { return false };
    let read_all = async {
        let government = government(tools, first.account, opd, spec).await?;
        let mut pass = Pass::new(tools, first.account, (opd, spec), government).await?;
        for read in verify::reads(wanted) {
            let mut outcome = verified(&pass, &read).await;
            if matches!(&outcome, Err(failed) if failed.next() == Next::Token) && pass.renew().await? {
                outcome = verified(&pass, &read).await;
            }
            if let Err(failed) = outcome {
                warn!(event = "poll.failed", opd = opd.slug, account = spec.id, platform = spec.platform.word(), error = %failed, "a thread could not be read before its step");
            }
        }
        Ok::<(), PassError>(())
    };
    if let Err(failed) = read_all.await {
        warn!(event = "poll.failed", opd = opd.slug, account = spec.id, platform = spec.platform.word(), error = %failed, "threads could not be read before their steps");
    }
    true
}

async fn verified(pass: &Pass<'_>, read: &verify::Read) -> Result<usize, PassError> {
    tokens::trust(pass).await?;
    verify::read(pass, read).await
}

/// Polls one account and writes how it went; whether there was news.
async fn poll_account(tools: &Tools, account: &Leased) -> bool {
    let Some((opd, spec)) = configured(tools, account.platform, &account.external_id) else { return false };
    let began_at = Time::from_timestamp(tools.clock.now());
    let mut memo: Memo = serde_json::from_str(&account.memo).unwrap_or_default();
    let mut report = Report::default();
    let mut usage = 0;
    let mut read = async || -> Result<(), PassError> {
        let government = government(tools, account.id, opd, spec).await?;
        let mut pass = Pass::new(tools, account.id, (opd, spec), government).await?;
        let mut outcome = sources(&mut pass, &mut memo, &mut report, began_at).await;
        if matches!(&outcome, Err(failed) if failed.next() == Next::Token) && pass.renew().await? {
            outcome = sources(&mut pass, &mut memo, &mut report, began_at).await;
        }
        usage = pass.usage.load(Ordering::Relaxed);
        outcome
    };
    let outcome = read().await;
    let (opd_slug, id, platform) = (opd.slug.as_str(), spec.id.as_str(), spec.platform.word());
    let now = Time::from_timestamp(tools.clock.now());
    memo.quiet = if report.new > 0 { 0 } else { memo.quiet.saturating_add(1) };
    let failed = outcome.err().or(report.failed.take());
    let (error, failures, failing_since, pause, tell) = match &failed {
        None => {
            debug!(event = "poll.finished", opd = opd_slug, account = id, platform, new = report.new, usage, "read");
            let tell = account.told.then_some(AlertKind::Recovered);
            if tell.is_some() {
                info!(event = "account.recovered", opd = opd_slug, account = id, platform, "can be read again");
            }
            let pause = report.soon.unwrap_or_else(|| schedule::after_success(&tools.settings.poll, memo.quiet, usage));
            (None, 0, None, pause, tell)
        }
        Some(failed) => {
            let next = failed.next();
            let since = account.failing_since.unwrap_or(began_at);
            let failures = account.failures + 1;
            let pause = schedule::after_failure(next, failures);
            let error = failed.to_string();
            if let Next::Later { .. } = next {
                warn!(
                    event = "account.throttled",
                    opd = opd_slug,
                    account = id,
                    platform,
                    error,
                    pause = pause.as_secs(),
                    "resting until the limit allows"
                );
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
            let tell = (!account.told && (at_once || now.since(since) >= UNHEALTHY_AFTER)).then_some(AlertKind::Unhealthy);
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
        token_expires_at: memo.token.expires_at,
        expiring,
        name: report.name,
        username: report.username,
        memo: serde_json::to_string(&memo).unwrap_or_default(),
    };
    match accounts::finish(&tools.db, account, &outcome, now).await {
        Ok(()) => {}
        Err(StoreError::Fenced) => info!(opd = opd_slug, account = id, platform, "another worker has this account now"),
        Err(failed) => {
            error!(event = "poll.failed", opd = opd_slug, account = id, platform, error = %failed, "the poll could not be noted");
        }
    }
    report.new > 0 || tell.is_some() || expiring
}

/// What a poll came to.
#[derive(Default)]
struct Report {
    new: usize,
    name: Option<String>,
    username: Option<String>,
    /// The first source that failed; the others were read all the same.
    failed: Option<PassError>,
    /// Nothing was read yet: it is to be read after this.
    soon: Option<SignedDuration>,
}

/// Reads what is wanted of an account. A failing source never stops another, unless the failure is the account's.
async fn sources(pass: &mut Pass<'_>, memo: &mut Memo, report: &mut Report, began_at: Time) -> Result<(), PassError> {
    let lacks = tokens::tend(pass, &mut memo.token).await?;
    let stranger = memo.known_at.is_none();
    if memo.known_at.is_none_or(|at| began_at.since(at) >= IDENTITY_EVERY) {
        identity(pass, report).await?;
        memo.known_at = Some(began_at);
    }
    let wants = |pass: &Pass<'_>, source| pass.spec.sources.contains(&source);
    let read = accounts::sources(&pass.tools.db, pass.account).await?;
    // A sister on Instagram is known by its user name alone: nobody is read before everybody was asked for theirs.
    if stranger || (read.is_empty() && accounts::strangers(&pass.tools.db).await?) {
        report.soon = Some(if stranger { SignedDuration::ZERO } else { INTRODUCED });
        return Ok(());
    }
    for source in &pass.spec.sources {
        accounts::source_begins(&pass.tools.db, pass.account, *source, (began_at, pass.opens_from(began_at), BLIND_AFTER)).await?;
    }
    let comments_first = !read.contains(&Source::Comments) && !read.contains(&Source::Posts);
    if wants(pass, Source::Comments) || wants(pass, Source::Posts) {
        let outcome =
            if pass.is_page() { facebook::feed(pass, comments_first).await } else { instagram::media(pass, comments_first).await };
        settle(pass, report, outcome, &[Source::Comments, Source::Posts], began_at).await?;
    }
    if wants(pass, Source::Messages) {
        let outcome = instagram::conversations(pass, !read.contains(&Source::Messages)).await;
        settle(pass, report, outcome, &[Source::Messages], began_at).await?;
    }
    let sweep_due = memo.swept_at.is_none_or(|at| began_at.since(at) >= pass.tools.settings.poll.sweep_interval);
    if sweep_due && report.failed.is_none() {
        let mentions = wants(pass, Source::Mentions);
        let outcome = if pass.is_page() { facebook::sweep(pass, mentions).await } else { instagram::sweep(pass, mentions).await };
        // What could not be stored is looked for again at the next poll; what Meta could not show, at the next sweep.
        if !matches!(outcome, Err(PassError::Store(_))) {
            memo.swept_at = Some(began_at);
        }
        settle(pass, report, outcome, &[Source::Mentions], began_at).await?;
    }
    // It names what is missing, which an answer of Meta's does not.
    report.failed = lacks.or(report.failed.take());
    Ok(())
}

async fn settle(
    pass: &Pass<'_>,
    report: &mut Report,
    outcome: Result<usize, PassError>,
    sources: &[Source],
    began_at: Time,
) -> Result<(), PassError> {
    match outcome {
        Ok(new) => {
            report.new += new;
            for source in sources.iter().filter(|source| pass.spec.sources.contains(source)) {
                accounts::source_read(&pass.tools.db, pass.account, *source, began_at).await?;
            }
            Ok(())
        }
        // The whole account is concerned: nothing else of it is asked now.
        Err(failed) if matches!(failed.next(), Next::Later { .. } | Next::Token) || matches!(failed, PassError::Store(_)) => Err(failed),
        Err(failed) => {
            report.failed.get_or_insert(failed);
            Ok(())
        }
    }
}

/// Asks the account who it is: its name is shown, its user name tells whether it wrote a comment itself.
async fn identity(pass: &mut Pass<'_>, report: &mut Report) -> Result<(), PassError> {
    if pass.is_page() {
        let page: account::Page = pass.get(&ask_page::page(&pass.spec.id)).await?;
        (report.name, report.username) = (page.name, page.username);
    } else {
        let found: account::Instagram = pass.get(&ask_account::identity(&pass.spec.id, pass.spec.login)).await?;
        pass.government.own_username.clone_from(&found.username);
        (report.name, report.username) = (found.username.clone(), found.username);
    }
    Ok(())
}
