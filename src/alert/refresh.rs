//! Alertmanager forgets an alert that is not posted again, and all of them when it restarts: what fires is posted every minute.
//! That an alert is told, and that it ended, goes by deliveries as everywhere.

use std::time::Duration;

use jiff::SignedDuration;

use super::{
    AlertError,
    channel::{Channels, Outgoing, SendError},
    group::POSTED_AT_ONCE,
    letter::Writer,
};
use crate::domain::{Time, alert::Channel, settings::SharedSettings};
use crate::runtime::{SharedClock, Stage, Tally};
use crate::store::{Db, outbox};

/// How often all that fires is posted.
const EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Keeps alive at Alertmanager what still fires: open tickets and troubled accounts that it was told of.
pub struct Refresh {
    db: Db,
    clock: SharedClock,
    channels: Channels,
    writer: Writer,
    due_at: Time,
    failing: bool,
}

impl Refresh {
    /// For one configuration, which has an Alertmanager; a reload makes a new one. The first post is due at once.
    pub fn new(db: Db, settings: SharedSettings, clock: SharedClock) -> Result<Self, AlertError> {
        let (channels, writer) = (Channels::new(&settings)?, Writer::new(settings, None)?);
        Ok(Self { db, clock, channels, writer, due_at: Time::from_secs(0), failing: false })
    }

    /// The same, each post of which is given up after `limit`.
    #[must_use]
    pub fn with_limit(self, limit: Duration) -> Self {
        Self { channels: self.channels.with_limit(limit), ..self }
    }

    /// Posts all that fires, some hundreds at once, and stops at the first that fails. Returns how many alerts were posted.
    async fn post(&self, now: Time) -> Result<Result<u64, SendError>, AlertError> {
        let (mut posted, mut after) = (0, 0);
        loop {
            let firing = outbox::firing(&self.db, after, POSTED_AT_ONCE).await?;
            let Some(last) = firing.last() else { return Ok(Ok(posted)) };
            after = last.delivery;
            let payload = self.writer.firing(&firing, now)?;
            let letter = Outgoing { key: Self::NAME, address: Channel::Alertmanager.word(), payload: &payload, at: now };
            if let Err(error) = self.channels.send(Channel::Alertmanager, &letter).await {
                return Ok(Err(error));
            }
            posted += firing.len() as u64;
        }
    }
}

impl Stage for Refresh {
    const NAME: &'static str = "alertmanager";
    type Error = AlertError;

    fn is_outage(error: &AlertError) -> bool {
        error.is_outage()
    }

    async fn once(&mut self) -> Result<Tally, AlertError> {
        let now = Time::from_timestamp(self.clock.now());
        // a clock that was put back must not stop the posts for as long as it was wrong
        if now < self.due_at && self.due_at.since(now) <= EVERY {
            return Ok(Tally { done: 0, next: Some(self.due_at.timestamp()) });
        }
        let outcome = self.post(now).await?;
        self.due_at = now.plus(EVERY);
        let done = match outcome {
            Err(error) => {
                if !self.failing {
                    tracing::warn!(channel = "alertmanager", %error, "what fires can't be posted again; it is tried every minute");
                }
                self.failing = true;
                0
            }
            Ok(posted) => {
                if self.failing && posted > 0 {
                    tracing::info!(channel = "alertmanager", alerts = posted, "what fires is posted again");
                    self.failing = false;
                }
                posted
            }
        };
        Ok(Tally { done, next: Some(self.due_at.timestamp()) })
    }
}
