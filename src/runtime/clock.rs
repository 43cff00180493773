//! Where time comes from. Everything else gets `now` as a value or a [`SharedClock`].

use std::sync::{Arc, Mutex};

use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::{SignedDuration, Timestamp};

use super::held;

/// A source of wall-clock time.
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Waits until so much has passed. By a clock that stands still: so much real time, unless it knows better.
    fn wait(&self, length: SignedDuration) -> BoxFuture<'_, ()> {
        tokio::time::sleep(length.try_into().unwrap_or_default()).boxed()
    }
}

/// The clock a program hands around.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still until it is told otherwise, for simulation and tests.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Arc<Self> {
        Arc::new(Self(Mutex::new(now)))
    }

    /// Makes it show `now`, which may lie in the past.
    pub fn set(&self, now: Timestamp) {
        *held(&self.0) = now;
    }

    /// Moves it by `by` (back, if negative), no further than [`Timestamp`] reaches.
    pub fn advance(&self, by: SignedDuration) {
        let mut now = held(&self.0);
        *now = now.saturating_add(by).unwrap_or(*now);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *held(&self.0)
    }
}
