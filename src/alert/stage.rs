//! The stage: routes alerts, forms letters, sends what is due and writes down what became of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Duration,
};

use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use jiff::SignedDuration;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{
    channel::{self, Accepted, ChannelError, Channels, Outgoing, SendError},
    group,
    letter::{LetterError, Writer},
    retry, route, when,
};
use crate::domain::{
    Time,
    alert::{AlertKind, Channel, Status},
    settings::SharedSettings,
};
use crate::link;
use crate::runtime::{SharedClock, Stage, Tally, held, metrics::Metrics};
use crate::store::{
    Db, StoreError, leases,
    outbox::{self, Claimed, Mark, Outcome, Reported, Waiting},
    recap::{self, Facts},
};

/// A lease outlives any attempt by far; when it is over, the worker is gone.
const LEASE: SignedDuration = SignedDuration::from_mins(2);
/// Letters under way at once by one channel: a server that hangs holds up this many of its own and nobody else's.
const AT_ONCE: usize = 8;
/// Rows taken at once.
const BATCH: u32 = 10_000;
/// While answers are awaited, new alerts are looked for this often, so that a channel that hangs delays no other.
const LOOK: Duration = Duration::from_millis(500);
/// No new attempt begins after a step has taken this long (by the clock).
const STEP: SignedDuration = SignedDuration::from_secs(30);
/// An account not read for this long is blind (semantics.md, The clock, "Backlog").
const BLIND: SignedDuration = SignedDuration::from_hours(2);

/// Why a step could not be done.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A channel can't be set up.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The shipped letters are wrong.
    #[error(transparent)]
    Letter(#[from] LetterError),
}

impl AlertError {
    /// Whether the whole database fails.
    pub const fn is_outage(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_outage())
    }
}

/// Attempts under way.
type Flying<'a> = FuturesUnordered<BoxFuture<'a, Landed>>;

/// A letter and what became of an attempt to send it.
type Landed = (Claimed, Result<Accepted, SendError>);

/// Alert → delivery → letter → accepted.
pub struct AlertStage {
    db: Db,
    settings: SharedSettings,
    clock: SharedClock,
    metrics: Metrics,
    channels: Channels,
    writer: Writer,
    owner: String,
    /// Attempts whose outcome is known and not written down yet.
    landed: Vec<Landed>,
    /// The last step broke off: letters may still be held that nobody sends.
    broke_off: bool,
    /// Sheets that are known to be written down.
    scheduled: BTreeSet<(AlertKind, String, Time)>,
    /// Spreads what failed together.
    dice: Mutex<StdRng>,
}

impl AlertStage {
    /// A stage for one configuration; a reload makes a new one. `owner` tells workers of one database apart, `links` signs what officials
    /// can act by.
    pub fn new(
        db: Db,
        settings: SharedSettings,
        clock: SharedClock,
        metrics: Metrics,
        owner: String,
        links: link::Key,
    ) -> Result<Self, AlertError> {
        let channels = Channels::new(&settings)?;
        let writer = Writer::new(settings.clone(), Some(links))?;
        let (landed, broke_off, scheduled, dice) = (Vec::new(), false, BTreeSet::new(), Mutex::new(rand::make_rng()));
        Ok(Self { db, settings, clock, metrics, channels, writer, owner, landed, broke_off, scheduled, dice })
    }

    /// The same stage, each attempt of which is given up after `limit`.
    #[must_use]
    pub fn with_limit(self, limit: Duration) -> Self {
        Self { channels: self.channels.with_limit(limit), ..self }
    }

    /// The same stage, which repeats itself: what is left to chance follows from `seed`.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { dice: Mutex::new(StdRng::seed_from_u64(seed)), ..self }
    }

    fn jitter(&self) -> f64 {
        held(&self.dice).random()
    }

    fn now(&self) -> Time {
        Time::from_timestamp(self.clock.now())
    }

    /// Chooses recipients. Returns how many deliveries are new and when what was put off can be routed.
    async fn route(&self) -> Result<(u64, Option<Time>), AlertError> {
        let now = self.now();
        let batch = outbox::unrouted(&self.db, now, BATCH).await?;
        if batch.is_empty() {
            return Ok((0, None));
        }
        let closing: Vec<_> = batch.iter().filter(|u| route::closes(u.alert.kind)).filter_map(|u| u.alert.ticket).collect();
        let told = outbox::told(&self.db, &closing).await?;
        let backlog = batch.iter().any(|u| u.alert.is_summed_up());
        let complete = backlog && outbox::backlog_complete(&self.db, now.minus(BLIND)).await?;
        let routed = route::route(&batch, &told, &self.settings, complete, now);
        let stored = if routed.alerts.is_empty() { 0 } else { outbox::route(&self.db, now, &routed.alerts, &routed.deliveries).await? };
        Ok((stored, routed.again_at))
    }

    /// Writes down the sheets whose time has come. When the next one is due.
    async fn schedule(&mut self) -> Result<Option<Time>, AlertError> {
        let now = self.now();
        let mut soonest = None;
        for official in &self.settings.officials {
            for kind in [AlertKind::Morning, AlertKind::Weekly] {
                let (last, next) = when::sheet_times(official, kind, &self.settings.site.timezone, now);
                soonest = [soonest, next].into_iter().flatten().min();
                let Some(at) = last else { continue };
                let sheet = (kind, official.id.clone(), at);
                if !self.scheduled.contains(&sheet) {
                    outbox::schedule(&self.db, kind, &official.id, at, now).await?;
                    self.scheduled.insert(sheet);
                }
            }
        }
        Ok(soonest)
    }

    /// Puts what is due into letters, rendered and stored before their first attempt. How many could not be written.
    async fn form(&self) -> Result<u64, AlertError> {
        let now = self.now();
        let waiting = outbox::waiting(&self.db, now, self.settings.letter.per_hour, BATCH).await?;
        let groups = group::group(&waiting, self.settings.letter.group, now);
        outbox::hold(&self.db, &groups.held).await?;
        if groups.ready.is_empty() {
            return Ok(0);
        }
        let mailed = |w: &&Waiting| w.channel == Channel::Smtp;
        let tickets: Vec<_> = groups.ready.iter().flatten().copied().filter(mailed).filter_map(|w| w.alert.ticket).collect();
        let former = outbox::former(&self.db, &tickets).await?;
        let sheet = groups.ready.iter().flatten().any(|w| w.alert.kind.is_sheet());
        let (since, week) = Writer::recap_from(now);
        let facts = if sheet { recap::facts(&self.db, since, week).await? } else { Facts::default() };
        let letters: Vec<_> = groups.ready.iter().filter_map(|group| self.writer.letter(group, &former, &facts, now)).collect();
        match outbox::form(&self.db, now, &letters).await {
            // Another worker was quicker with one of them; the next look takes what it left.
            Err(StoreError::Fenced) => return Ok(0),
            formed => formed?,
        }
        let mut given_up = 0;
        for letter in &letters {
            if let Err(error) = &letter.payload {
                given_up += 1;
                self.metrics.delivery(letter.channel.word(), "abandoned");
                tracing::error!(
                    event = "alert.abandoned",
                    channel = letter.channel.word(),
                    official = letter.official,
                    error,
                    "alert given up"
                );
            }
        }
        Ok(given_up)
    }

    async fn attempt(&self, letter: Claimed) -> Landed {
        let outgoing = Outgoing { key: &letter.key, address: &letter.address, payload: &letter.payload, at: self.now() };
        let result = self.channels.send(letter.channel, &outgoing).await;
        (letter, result)
    }

    /// Writes down what became of attempts, then says so and forgets them.
    async fn mark(&self, landed: &mut Vec<Landed>) -> Result<(), AlertError> {
        if landed.is_empty() {
            return Ok(());
        }
        let (now, done) = (self.now(), &*landed);
        let marks: Vec<Mark> = done.iter().map(|(letter, result)| judged(letter, result, now, self.jitter())).collect();
        let lost = outbox::mark(&self.db, now, &marks).await?;
        for ((letter, result), mark) in done.iter().zip(&marks) {
            let outcome = if lost.contains(&mark.id) { None } else { Some(&mark.outcome) };
            self.say(letter, result, outcome);
        }
        landed.clear();
        Ok(())
    }

    /// Draws the conclusions from what channels reported of letters after they took them: one that arrived although nobody knew is
    /// delivered, one that failed is tried again or given up. Returns how many.
    async fn settle(&self) -> Result<u64, AlertError> {
        let now = self.now();
        let reported = outbox::reported(&self.db, now, BATCH).await?;
        let judged = reported.iter().map(|Reported { letter, status, at, code }| {
            let (at, result) = match status {
                Status::Failed => (now, Err(channel::failed(*code))),
                Status::Sent | Status::Delivered | Status::Read => ((*at).min(now), Ok(Accepted::default())),
            };
            let mark = match judged(letter, &result, now, self.jitter()) {
                Mark { id, fence, outcome: Outcome::Delivered { provider_id, .. } } => {
                    Mark { id, fence, outcome: Outcome::Delivered { at, provider_id } }
                }
                mark => mark,
            };
            (result, (mark, *status))
        });
        let (results, marks): (Vec<_>, Vec<_>) = judged.unzip();
        let lost = if marks.is_empty() { Vec::new() } else { outbox::settle(&self.db, now, &marks).await? };
        for ((one, result), (mark, _)) in reported.iter().zip(&results).zip(&marks).filter(|(_, (mark, _))| !lost.contains(&mark.id)) {
            self.say(&one.letter, result, Some(&mark.outcome));
        }
        Ok((marks.len() - lost.len()) as u64)
    }

    fn say(&self, letter: &Claimed, result: &Result<Accepted, SendError>, outcome: Option<&Outcome>) {
        let (channel, official, kind) = (letter.channel.word(), letter.official.as_str(), letter.kind.word());
        let ticket = letter.ticket.map(|id| id.0);
        let (tickets, attempts) = (letter.tickets, letter.attempts);
        let unknown = matches!(result, Err(SendError::Later { unknown_outcome: true, .. }));
        let counted = match outcome {
            Some(Outcome::Delivered { .. }) => {
                tracing::info!(event = "alert.delivered", channel, official, kind, ticket, tickets, attempts, "alert delivered");
                "delivered"
            }
            Some(Outcome::Later { at, error }) => {
                let next = at.rfc3339();
                tracing::warn!(
                    event = "alert.retrying",
                    channel,
                    official,
                    kind,
                    ticket,
                    tickets,
                    attempts,
                    error,
                    unknown,
                    next,
                    "alert not accepted yet"
                );
                "retrying"
            }
            Some(Outcome::Abandoned { error }) => {
                tracing::error!(event = "alert.abandoned", channel, official, kind, ticket, tickets, attempts, error, "alert given up");
                "abandoned"
            }
            None => {
                tracing::warn!(
                    channel,
                    official,
                    kind,
                    ticket,
                    "another worker took this letter over; what became of our attempt is not written"
                );
                "lost"
            }
        };
        self.metrics.delivery(channel, counted);
    }
}

/// What an attempt, or what was reported of it, makes of a letter.
fn judged(letter: &Claimed, result: &Result<Accepted, SendError>, now: Time, jitter: f64) -> Mark {
    let outcome = match result {
        Ok(accepted) => Outcome::Delivered { at: now, provider_id: accepted.provider_id.clone() },
        Err(SendError::Never { why }) => Outcome::Abandoned { error: why.clone() },
        Err(SendError::Later { after, why, .. }) => match retry::next(letter.attempts, letter.created_at, *after, now, jitter) {
            Some(at) => Outcome::Later { at, error: why.clone() },
            None => Outcome::Abandoned { error: format!("not accepted for a day; at last: {why}") },
        },
    };
    Mark { id: letter.id, fence: letter.fence, outcome }
}

impl Stage for AlertStage {
    const NAME: &'static str = "alert";
    type Error = AlertError;

    fn is_outage(error: &AlertError) -> bool {
        error.is_outage()
    }

    async fn once(&mut self) -> Result<Tally, AlertError> {
        let mut landed = std::mem::take(&mut self.landed);
        let stepped = self.step(&mut landed).await;
        self.broke_off = stepped.is_err();
        self.landed = landed;
        stepped
    }
}

impl AlertStage {
    async fn step(&mut self, landed: &mut Vec<Landed>) -> Result<Tally, AlertError> {
        self.mark(landed).await?;
        if self.broke_off {
            // A step of its own, as in poll.
            let now = self.now();
            leases::free_letters(&self.db, &self.owner, now).await?;
            return Ok(Tally { done: 1, next: Some(now.timestamp()) });
        }
        let next_sheet = self.schedule().await?;
        let this = &*self;
        let mut flying = FuturesUnordered::new();
        let sent = this.send(&mut flying, landed).await;
        if sent.is_err() {
            // What is on its way arrives all the same: cut off here, it would be sent again.
            landed.extend(flying.collect::<Vec<_>>().await);
        }
        let (done, again_at) = sent?;
        let due = outbox::next_due(&this.db).await?;
        let next = [again_at, due, next_sheet].into_iter().flatten().min().map(Time::timestamp);
        Ok(Tally { done, next })
    }

    /// Routes, forms and sends until nothing is due. How much was done, and when what was put off can be routed.
    async fn send<'a>(&'a self, flying: &mut Flying<'a>, landed: &mut Vec<Landed>) -> Result<(u64, Option<Time>), AlertError> {
        let began = self.now();
        let mut under_way: BTreeMap<Channel, usize> = BTreeMap::new();
        let mut done = 0;
        loop {
            let (routed, again_at) = self.route().await?;
            let settled = self.settle().await?;
            done += routed + settled + outbox::drop_closed(&self.db, self.now()).await?;
            let given_up = self.form().await?;
            let now = self.now();
            if now.since(began) < STEP {
                for way in self.channels.ways() {
                    let busy = under_way.entry(way).or_default();
                    let free = (AT_ONCE - *busy) as u32;
                    if free == 0 {
                        continue;
                    }
                    let lease = way.awaits().map_or(LEASE, |wait| wait.saturating_add(outbox::ATTEMPT));
                    let claimed = outbox::claim(&self.db, way, &self.owner, now, now.plus(lease), free).await?;
                    *busy += claimed.len();
                    flying.extend(claimed.into_iter().map(|letter| self.attempt(letter).boxed()));
                }
            }
            if flying.is_empty() {
                // what was given up just now is an alert of its own
                if settled + given_up > 0 {
                    continue;
                }
                return Ok((done, again_at));
            }
            let Ok(Some(first)) = tokio::time::timeout(LOOK, flying.next()).await else { continue };
            landed.push(first);
            while let Some(Some(next)) = flying.next().now_or_never() {
                landed.push(next);
            }
            for (letter, _) in &*landed {
                under_way.entry(letter.channel).and_modify(|busy| *busy -= 1);
            }
            done += landed.len() as u64;
            self.mark(landed).await?;
        }
    }
}
