//! Forgetting as a duty of the daemon: what Meta's data-deletion callback asked for, at once; and once a day what is past retention.

use jiff::SignedDuration;
use tracing::{info, warn};

use crate::{
    domain::{AccountId, SharedSettings, Time},
    runtime::{SharedClock, Stage, Tally},
    store::{
        Db, StoreError,
        forget::{self, Purged},
        trail,
    },
};

/// How often what is past retention is erased.
const EVERY: SignedDuration = SignedDuration::from_hours(24);
/// Batches of a step: the stage shows that it lives, and a stop is not held up.
const BATCHES: u32 = 20;
/// In the trail.
const META: &str = "Meta's data-deletion callback";

/// Erases.
pub struct ForgetStage {
    db: Db,
    settings: SharedSettings,
    clock: SharedClock,
    /// A purge under way: what was erased so far, and what is old enough for it.
    under_way: Option<(Purged, Time)>,
}

impl ForgetStage {
    /// Makes the stage.
    pub const fn new(db: Db, settings: SharedSettings, clock: SharedClock) -> Self {
        Self { db, settings, clock, under_way: None }
    }

    fn now(&self) -> Time {
        Time::from_timestamp(self.clock.now())
    }

    /// What was asked for by the callback. How many requests.
    async fn requests(&self) -> Result<u64, StoreError> {
        let mut done = 0;
        for (code, author) in forget::pending(&self.db).await? {
            let holdings = forget::holdings(&self.db, &author, None).await?;
            let accounts: Vec<AccountId> = holdings.iter().map(|holding| holding.account).collect();
            let erased = forget::erase(&self.db, &rand::random(), &author, &accounts, META, self.now()).await?;
            if accounts.is_empty() {
                trail::add(&self.db, META, "erase", "nothing was held", self.now()).await?;
            }
            forget::done(&self.db, &code, self.now()).await?;
            info!(
                event = "person.erased",
                accounts = erased.accounts,
                messages = erased.messages,
                tickets = erased.tickets,
                withdrawn = erased.withdrawn,
                "a citizen's data were erased at their request"
            );
            done += 1;
        }
        Ok(done)
    }

    /// A few batches of the daily purge, if it is due and ours. How many threads.
    async fn retention(&mut self) -> Result<u64, StoreError> {
        let now = self.now();
        if self.under_way.is_none() {
            let due = forget::due(&self.db, EVERY).await?.is_none_or(|due| due <= now);
            if !due || !forget::claim(&self.db, EVERY, now).await? {
                return Ok(0);
            }
            self.under_way = Some((Purged::default(), now.minus(self.settings.retention_closed)));
        }
        let mut threads = 0;
        for _ in 0..BATCHES {
            let Some((so_far, before)) = &mut self.under_way else { break };
            match forget::purge(&self.db, &rand::random(), (so_far.after, *before), now).await {
                Ok(Some(batch)) => {
                    threads += batch.threads;
                    *so_far = so_far.and(batch);
                }
                Ok(None) => {
                    if so_far.threads > 0 {
                        let Purged { threads, messages, tickets, .. } = *so_far;
                        info!(event = "retention.purged", threads, messages, tickets, "texts and names past retention were erased");
                        if !self.db.scrub().await? {
                            warn!("older pages stay in the write-ahead log until nobody reads them any more");
                        }
                    }
                    self.under_way = None;
                }
                Err(failed) => {
                    self.under_way = None;
                    forget::release(&self.db).await?;
                    return Err(failed);
                }
            }
        }
        Ok(threads)
    }
}

impl Stage for ForgetStage {
    const NAME: &'static str = "forget";
    type Error = StoreError;

    fn is_outage(error: &StoreError) -> bool {
        error.is_outage()
    }

    async fn once(&mut self) -> Result<Tally, StoreError> {
        let done = self.requests().await? + self.retention().await?;
        let next = if self.under_way.is_some() { Some(self.now()) } else { forget::due(&self.db, EVERY).await? };
        Ok(Tally { done, next: next.map(Time::timestamp) })
    }
}
