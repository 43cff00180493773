//! Whether our clock can be trusted: compared with Meta's at every answer.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use jiff::SignedDuration;
use tracing::{error, info};

use crate::domain::Time;

/// More than this apart is a fault (issue: 30 s).
const LIMIT: SignedDuration = SignedDuration::from_secs(30);

/// What the two clocks say of one another.
#[derive(Clone, Debug, Default)]
pub struct Skew {
    /// Set while our clock can't be trusted; the sla stage holds its flags back.
    pub skewed: Arc<AtomicBool>,
    news: Arc<AtomicBool>,
}

impl Skew {
    /// Meta's clock said `theirs` (whole seconds) when ours said `ours`.
    pub fn heard(&self, theirs: Time, ours: Time) {
        let apart = ours.since(theirs);
        let skewed = apart.abs() > LIMIT;
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

    /// Whether it went wrong since the operators were [told](Self::told) last.
    pub fn went_wrong(&self) -> bool {
        self.news.load(Ordering::Relaxed) && self.skewed.load(Ordering::Relaxed)
    }

    /// They are told now.
    pub fn told(&self) {
        self.news.store(false, Ordering::Relaxed);
    }
}
