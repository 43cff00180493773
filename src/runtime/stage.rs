//! The loop that every stage runs in. A stage only says how to do what is due once, and when there will be work again.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info};

use super::{Pulse, SharedClock};

/// What one step of a stage came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many rows it dealt with.
    pub done: u64,
    /// The earliest instant at which there is work again, as far as is known.
    pub next: Option<Timestamp>,
}

/// A small reconciler: takes the rows whose time has come, deals with them, and ends.
pub trait Stage: Send {
    /// Its name in the log, in [`Pulse`] and in the crew.
    const NAME: &'static str;
    /// Why a step could not be done.
    type Error: Display + Send;
    /// Whether an error is an outage of what all stages need, which is said once for all of them.
    fn is_outage(error: &Self::Error) -> bool;
    /// One step. May be called at any time and when nothing is due; must bound its own time; is never cut off by [`drive`].
    fn once(&mut self) -> impl Future<Output = Result<Tally, Self::Error>> + Send;
}

/// Makes a stage run sooner than it would have. Clones wake the same stage; a nudge during a step leads to another step,
/// and a lost one costs no more than a tick.
#[derive(Clone, Debug, Default)]
pub struct Nudge(Arc<Notify>);

impl Nudge {
    /// Asks for a step.
    pub fn nudge(&self) {
        self.0.notify_one();
    }
}

/// How long [`drive`] waits.
#[derive(Clone, Copy)]
struct Pace {
    /// The longest wait between two steps: bounds what a lost nudge, another process's write or a step of the wall clock costs.
    tick: Duration,
    /// The first wait after a failure; it doubles with each further one.
    first_pause: Duration,
    /// The longest wait after a failure.
    longest_pause: Duration,
    /// The same in an outage, whose end must not be missed; the attempts themselves wait.
    outage_pause: Duration,
}

const PACE: Pace = Pace {
    tick: Duration::from_secs(1),
    first_pause: Duration::from_millis(250),
    longest_pause: Duration::from_secs(15),
    outage_pause: Duration::from_secs(2),
};

/// Runs `stage` until `stop`: a step, then a wait for the earliest of its `next`, a tick of at most a second, a nudge and `stop`.
/// A failed step is logged here and followed by a growing pause, which a nudge does not shorten.
pub async fn drive<S: Stage>(stage: S, clock: SharedClock, nudge: Nudge, stop: CancellationToken, pulse: Pulse) {
    drive_at(PACE, stage, clock, nudge, stop, pulse).await;
}

async fn drive_at<S: Stage>(pace: Pace, mut stage: S, clock: SharedClock, nudge: Nudge, stop: CancellationToken, pulse: Pulse) {
    let (mut failures, mut said) = (0_u32, 0_u32);
    while !stop.is_cancelled() {
        let began = Instant::now();
        let step = pulse.begin(S::NAME);
        let outcome = stage.once().await;
        drop(step);
        match outcome {
            Ok(tally) => {
                pulse.through(S::NAME);
                failures = 0;
                if said > 0 {
                    info!(stage = S::NAME, failures = said, "the stage works again");
                    said = 0;
                }
                if tally.done > 0 {
                    debug!(stage = S::NAME, done = tally.done, "step done");
                }
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = nudge.0.notified() => {}
                    () = tokio::time::sleep(wait(pace.tick, tally, clock.now())) => {}
                }
            }
            Err(error) => {
                if S::is_outage(&error) {
                    pulse.lost(S::NAME, began, &error.to_string());
                } else {
                    error!(stage = S::NAME, %error, "the step failed and will be tried again");
                    said = said.saturating_add(1);
                }
                let longest = if S::is_outage(&error) { pace.outage_pause } else { pace.longest_pause };
                let pause = pace.first_pause.saturating_mul(1 << failures.min(16)).min(longest);
                failures = failures.saturating_add(1);
                stop.run_until_cancelled(tokio::time::sleep(jittered(pause))).await;
            }
        }
    }
}

/// How long to wait after a step: until `next`, a tick at most. A step that found nothing to do while `next` has passed
/// (somebody else holds the row) waits the tick out, so that it cannot spin.
fn wait(tick: Duration, tally: Tally, now: Timestamp) -> Duration {
    let until_next = tally.next.map(|next| Duration::try_from(next.duration_since(now)).unwrap_or_default());
    match until_next {
        Some(until) if tally.done > 0 || !until.is_zero() => until.min(jittered(tick)),
        _ => jittered(tick),
    }
}

/// A tenth less at most, so that the stages of several workers do not march in step.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(rand::random_range(0.9..=1.0))
}

#[cfg(test)]
mod tests;
