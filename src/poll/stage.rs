//! The stage itself: takes accounts and threads that are due, runs their reads side by side, writes how it went; and sends replies.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use jiff::SignedDuration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::{
    Skew,
    account::{poll_account, verify_account},
    pass::Tools,
    replies::Replies,
    schedule::lags,
    tokens::Reread,
};
use crate::{
    domain::{Cause, Platform, SharedSettings, Time, alert::AlertKind},
    graph::Client,
    runtime::{Nudge, SharedClock, Stage, Tally, held as locked, metrics::Metrics},
    store::{
        Db, StoreError,
        accounts::{self, Leased, Wanted},
        leases, replies,
    },
};

/// How long a poll may keep an account; a worker that died gives it back then.
const LEASE: SignedDuration = SignedDuration::from_mins(10);
/// How soon a thread that could not be read is tried again.
const AGAIN: SignedDuration = SignedDuration::from_secs(10);
/// While reads are under way, how often new work is looked for.
const LOOK: Duration = Duration::from_millis(200);
/// A step takes in no new work after this, so that it ends.
const STEP: SignedDuration = SignedDuration::from_secs(60);
/// A clock that goes back by more than this between two steps was set.
const SET_BACK: SignedDuration = SignedDuration::from_secs(30);
/// Threads verified at once besides the polls, so that slow polls never hold up a flag.
const VERIFIES: usize = 8;
/// Replies under way at once, besides both.
const REPLIES: usize = 8;
/// So long a step that is to end waits for replies under way: cut off, one would have to be looked for.
const LET_GO: Duration = Duration::from_secs(5);

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
    replies: Replies,
    joints: Joints,
    started_at: Time,
    /// When the last step began.
    stepped_at: Time,
    lagging: bool,
    /// The last step broke off: accounts may still be held that nobody reads.
    broke_off: bool,
}

impl PollStage {
    /// Makes the stage and makes the configured accounts known.
    pub async fn new(db: Db, settings: SharedSettings, joints: Joints) -> Result<Self, StoreError> {
        let list: Vec<(Platform, String, String)> =
            settings.accounts().map(|(opd, spec)| (spec.platform, spec.id.clone(), opd.slug.clone())).collect();
        accounts::sync(&db, &list, Time::from_timestamp(joints.clock.now())).await?;
        joints.metrics.forget_usage();
        let tools = Tools::new(db, settings, &joints).await?;
        let started_at = Time::from_timestamp(joints.clock.now());
        let tools = Arc::new(tools);
        let replies = Replies::of(tools.clone(), joints.owner.clone());
        Ok(Self { tools, replies, joints, started_at, stepped_at: started_at, lagging: false, broke_off: false })
    }

    fn now(&self) -> Time {
        Time::from_timestamp(self.joints.clock.now())
    }

    /// Says when accounts wait too long for their turn, and when none does any more.
    async fn watch_lag(&mut self) -> Result<(), StoreError> {
        let (db, now) = (&self.tools.db, self.now());
        let oldest = accounts::longest_due(db, now).await?;
        let lagging = lags(oldest, self.started_at, now, self.lagging);
        if lagging == self.lagging {
            return Ok(());
        }
        let (kind, error) = if lagging {
            let since = oldest.map(Time::rfc3339).unwrap_or_default();
            let error = format!("an account waits for its turn since {since}");
            error!(event = "account.unhealthy", reason = Cause::Lagging.word(), error, "reading lags: raise poll.concurrency");
            (AlertKind::Unhealthy, error)
        } else {
            info!(event = "account.recovered", reason = Cause::Lagging.word(), "reading has caught up");
            (AlertKind::Recovered, String::new())
        };
        accounts::tell(db, None, kind, (Some(Cause::Lagging), &error), now).await?;
        self.lagging = lagging;
        self.joints.alerts.nudge();
        Ok(())
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

    fn is_outage(error: &StoreError) -> bool {
        error.is_outage()
    }

    async fn once(&mut self) -> Result<Tally, StoreError> {
        let stepped = self.step().await;
        // A read that the database did not let finish its account is the step's failure, too.
        let stepped = locked(&self.tools.lost).take().map_or(stepped, Err);
        self.broke_off = stepped.is_err();
        stepped
    }
}

impl PollStage {
    async fn step(&mut self) -> Result<Tally, StoreError> {
        let began_at = self.now();
        if self.broke_off {
            // A step of its own: an ordinary one may take a minute, and that it is over is to be said before.
            leases::free_accounts(&self.tools.db, &self.joints.owner, began_at).await?;
            return Ok(Tally { done: 1, next: Some(began_at.timestamp()) });
        }
        if began_at < self.stepped_at.minus(SET_BACK) {
            accounts::clock_set_back(&self.tools.db, began_at).await?;
        }
        self.stepped_at = began_at;
        let concurrency = self.tools.settings.poll.concurrency.max(1);
        // Tasks of their own: one that holds the writer must go on while this one waits for it.
        let (mut polls, mut verifies, mut replies) = (JoinSet::new(), JoinSet::new(), JoinSet::new());
        let mut done = 0;
        loop {
            let open = self.now().since(began_at) < STEP && !self.joints.stop.is_cancelled();
            if open && replies.len() < REPLIES {
                for reply in self.replies.due(REPLIES - replies.len()).await? {
                    replies.spawn(reply);
                }
            }
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
            if polls.is_empty() && verifies.is_empty() && replies.is_empty() {
                break;
            }
            let news = tokio::select! {
                Some(sent) = replies.join_next(), if !replies.is_empty() => { done += 1; said(sent) }
                Some(read) = verifies.join_next(), if !verifies.is_empty() => { done += 1; said(read) }
                Some(read) = polls.join_next(), if !polls.is_empty() => { done += 1; said(read) }
                () = tokio::time::sleep(LOOK) => false,
                () = self.joints.stop.cancelled() => break,
            };
            if news {
                self.joints.judge.nudge();
            }
        }
        let _ = tokio::time::timeout(LET_GO, async { while replies.join_next().await.is_some() {} }).await;
        if !self.joints.stop.is_cancelled() {
            self.watch_lag().await?;
        }
        if self.joints.skew.went_wrong() {
            accounts::tell(&self.tools.db, None, AlertKind::ClockSkewed, (None, ""), self.now()).await?;
            self.joints.skew.told();
            self.joints.alerts.nudge();
        }
        let db = &self.tools.db;
        let next = [accounts::next_poll(db).await?, accounts::next_wanted(db, self.now()).await?, replies::next(db).await?];
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
