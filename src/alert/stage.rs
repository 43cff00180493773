//! The stage: routes alerts, forms letters, sends what is due and writes down what became of it.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use jiff::SignedDuration;

use super::{
    channel::{Accepted, ChannelError, Channels, Outgoing, SendError},
    group,
    letter::{LetterError, Writer},
    retry, route,
};
use crate::domain::{Time, alert::AlertKind, alert::Channel, settings::SharedSettings};
use crate::link;
use crate::runtime::{SharedClock, Stage, Tally, metrics::Metrics};
use crate::store::{
    Db, StoreError,
    outbox::{self, Claimed, Mark, Outcome, Waiting},
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

/// Alert → delivery → letter → accepted.
pub struct AlertStage {
    db: Db,
    settings: SharedSettings,
    clock: SharedClock,
    metrics: Metrics,
    channels: Channels,
    writer: Writer,
    owner: String,
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
        Ok(Self { db, settings, clock, metrics, channels, writer, owner })
    }

    /// The same stage, each attempt of which is given up after `limit`.
    #[must_use]
    pub fn with_limit(self, limit: Duration) -> Self {
        Self { channels: self.channels.with_limit(limit), ..self }
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
        let backlog = batch.iter().any(|u| u.alert.kind == AlertKind::Backlog);
        let complete = backlog && outbox::backlog_complete(&self.db, now.minus(BLIND)).await?;
        let routed = route::route(&batch, &told, &self.settings, complete, now);
        let stored = if routed.alerts.is_empty() { 0 } else { outbox::route(&self.db, now, &routed.alerts, &routed.deliveries).await? };
        Ok((stored, routed.again_at))
    }

    /// Puts what is due into letters, rendered and stored before their first attempt.
    async fn form(&self) -> Result<(), AlertError> {
        let now = self.now();
        let waiting = outbox::waiting(&self.db, now, BATCH).await?;
        let groups = group::group(&waiting, self.settings.letter.group, now);
        outbox::hold(&self.db, &groups.held).await?;
        if groups.ready.is_empty() {
            return Ok(());
        }
        let mailed = |w: &&Waiting| w.channel == Channel::Smtp;
        let tickets: Vec<_> = groups.ready.iter().flatten().copied().filter(mailed).filter_map(|w| w.alert.ticket).collect();
        let former = outbox::former(&self.db, &tickets).await?;
        let letters: Vec<_> = groups.ready.iter().filter_map(|group| self.writer.letter(group, &former, now)).collect();
        match outbox::form(&self.db, now, &letters).await {
            // Another worker was quicker with one of them; the next look takes what it left.
            Err(StoreError::Fenced) => return Ok(()),
            formed => formed?,
        }
        for letter in &letters {
            if let Err(error) = &letter.payload {
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
        Ok(())
    }

    async fn attempt(&self, letter: Claimed) -> (Claimed, Result<Accepted, SendError>) {
        let outgoing = Outgoing { key: &letter.key, address: &letter.address, payload: &letter.payload, at: self.now() };
        let result = self.channels.send(letter.channel, &outgoing).await;
        (letter, result)
    }

    /// Writes down what became of attempts, then says so.
    async fn mark(&self, done: Vec<(Claimed, Result<Accepted, SendError>)>) -> Result<(), AlertError> {
        let now = self.now();
        let marks: Vec<Mark> = done
            .iter()
            .map(|(letter, result)| {
                let outcome = match result {
                    Ok(accepted) => Outcome::Delivered { at: now, provider_id: accepted.provider_id.clone() },
                    Err(SendError::Never { why }) => Outcome::Abandoned { error: why.clone() },
                    Err(SendError::Later { after, why, .. }) => {
                        match retry::next(letter.attempts, letter.created_at, *after, now, rand::random()) {
                            Some(at) => Outcome::Later { at, error: why.clone() },
                            None => Outcome::Abandoned { error: format!("not accepted for a day; at last: {why}") },
                        }
                    }
                };
                Mark { id: letter.id, fence: letter.fence, outcome }
            })
            .collect();
        let lost = outbox::mark(&self.db, &marks).await?;
        for ((letter, result), mark) in done.iter().zip(&marks) {
            let outcome = if lost.contains(&mark.id) { None } else { Some(&mark.outcome) };
            self.say(letter, result, outcome);
        }
        Ok(())
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

impl Stage for AlertStage {
    const NAME: &'static str = "alert";
    type Error = AlertError;

    async fn once(&mut self) -> Result<Tally, AlertError> {
        let this = &*self;
        let began = this.now();
        let mut flying = FuturesUnordered::new();
        let mut under_way: BTreeMap<Channel, usize> = BTreeMap::new();
        let mut done = 0;
        let again_at = loop {
            let (routed, again_at) = this.route().await?;
            done += routed + outbox::drop_closed(&this.db, this.now()).await?;
            this.form().await?;
            let now = this.now();
            if now.since(began) < STEP {
                for way in this.channels.ways() {
                    let busy = under_way.entry(way).or_default();
                    let free = (AT_ONCE - *busy) as u32;
                    if free == 0 {
                        continue;
                    }
                    let claimed = outbox::claim(&this.db, way, &this.owner, now, now.plus(LEASE), free).await?;
                    *busy += claimed.len();
                    flying.extend(claimed.into_iter().map(|letter| this.attempt(letter)));
                }
            }
            if flying.is_empty() {
                break again_at;
            }
            let Ok(Some(first)) = tokio::time::timeout(LOOK, flying.next()).await else { continue };
            let mut landed = vec![first];
            while let Some(Some(next)) = flying.next().now_or_never() {
                landed.push(next);
            }
            for (letter, _) in &landed {
                under_way.entry(letter.channel).and_modify(|busy| *busy -= 1);
            }
            done += landed.len() as u64;
            this.mark(landed).await?;
        };
        let due = outbox::next_due(&this.db).await?;
        let next = [again_at, due].into_iter().flatten().min().map(Time::timestamp);
        Ok(Tally { done, next })
    }
}
