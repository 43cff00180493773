//! Which stages are at work and since when, so that the watchdog can tell a slow stage from a stuck one; and which of them an outage
//! holds up that meets all, so that it is said once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;
use tracing::{error, info};

use super::held;

/// How long one step of a stage nobody registered may take.
const DEFAULT_BUDGET: Duration = Duration::from_mins(5);

/// So long after an outage a connection may still turn up that died in it; a new outage is said a little later.
pub(super) const CALM: Duration = Duration::from_secs(5);

/// The stages by name; clones share one record.
#[derive(Clone, Debug, Default)]
pub struct Pulse(Arc<Mutex<BTreeMap<&'static str, Beat>>>, Arc<Mutex<Outages>>);

/// The outage that is met now, and when the last one was over.
#[derive(Debug, Default)]
struct Outages {
    now: Option<Outage>,
    over: Option<Instant>,
}

/// What all stages need is not there.
#[derive(Debug)]
struct Outage {
    since: Instant,
    /// The stage that met it first: when that gets through, it is over.
    by: &'static str,
}

#[derive(Debug)]
struct Beat {
    budget: Duration,
    /// When the step under way began; `None` between steps.
    began: Option<Instant>,
}

/// A step under way; dropping it (also by a panic or an abort) ends the step.
pub(super) struct Step<'a> {
    pulse: &'a Pulse,
    stage: &'static str,
}

impl Pulse {
    /// Sets how long one step of `stage` may take before [`Pulse::overrun`] names it. Five minutes where this was never called.
    pub fn register(&self, stage: &'static str, budget: Duration) {
        held(&self.0).entry(stage).and_modify(|beat| beat.budget = budget).or_insert(Beat { budget, began: None });
    }

    /// A stage whose step has been under way for longer than its budget.
    pub fn overrun(&self) -> Option<&'static str> {
        let stages = held(&self.0);
        stages.iter().find(|(_, beat)| beat.began.is_some_and(|began| began.elapsed() > beat.budget)).map(|(stage, _)| *stage)
    }

    /// A step of `stage` that began at `began` met an outage; the first one of all says so. One that began before the last outage was over, or
    /// hardly after it, met that.
    pub(super) fn lost(&self, stage: &'static str, began: Instant, why: &str) {
        let outages = &mut *held(&self.1);
        if outages.now.is_none() && outages.over.is_none_or(|over| over + CALM <= began) {
            error!(event = "database.lost", stage, error = why, "nothing is stored or sent meanwhile; the work goes on as soon as it can");
            outages.now = Some(Outage { since: Instant::now(), by: stage });
        }
    }

    /// A step of `stage` got through; the one that said that there is an outage says that it is over.
    pub(super) fn through(&self, stage: &'static str) {
        let outages = &mut *held(&self.1);
        if let Some(outage) = outages.now.take_if(|outage| outage.by == stage) {
            outages.over = Some(Instant::now());
            info!(event = "database.back", seconds = outage.since.elapsed().as_secs(), "the work goes on");
        }
    }

    /// Whether an outage was met that is not over.
    #[cfg(test)]
    pub(super) fn is_out(&self) -> bool {
        held(&self.1).now.is_some()
    }

    pub(super) fn begin(&self, stage: &'static str) -> Step<'_> {
        held(&self.0).entry(stage).or_insert(Beat { budget: DEFAULT_BUDGET, began: None }).began = Some(Instant::now());
        Step { pulse: self, stage }
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        if let Some(beat) = held(&self.pulse.0).get_mut(self.stage) {
            beat.began = None;
        }
    }
}
