//! When to poll an account again. Pure.

use jiff::SignedDuration;

use crate::{domain::settings, graph::Next};

/// The first pause after a failure; it doubles up to [`LONGEST`].
const FIRST: SignedDuration = SignedDuration::from_secs(15);
/// The longest pause after failures: a dead account is retried for ever, never forgotten.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);
/// From this much of a limit on nothing but the idle interval (polling-scheme.md).
const BUSY_BELOW: u32 = 25;
/// From this much of a limit on no new work until it has fallen.
const STOP_AT: u32 = 80;
/// How long a poll waits when a limit is nearly used up and Meta gives no estimate.
const REST: SignedDuration = SignedDuration::from_mins(15);

/// After a poll that read everything. `quiet`: polls in a row without news; `usage`: percent of the tightest limit.
pub fn after_success(poll: &settings::Poll, quiet: u32, usage: u32) -> SignedDuration {
    if usage >= STOP_AT {
        return REST.max(poll.idle_interval);
    }
    if usage >= BUSY_BELOW {
        return poll.idle_interval.max(poll.interval);
    }
    // Without news the pause grows by half an interval a poll, up to the idle interval.
    let grown = poll.interval.as_secs_f64() * (1.0 + f64::from(quiet) / 2.0);
    SignedDuration::from_secs_f64(grown.min(poll.idle_interval.as_secs_f64())).max(poll.interval.min(poll.idle_interval))
}

/// After a poll that failed for the `failures`th time in a row.
pub fn after_failure(next: Next, failures: i64) -> SignedDuration {
    let growing = FIRST.saturating_mul(1 << (failures - 1).clamp(0, 10)).min(LONGEST);
    match next {
        // Calls made meanwhile lengthen the block; without an estimate an hour (rate-limit page, facts 6.3).
        Next::Later { after, .. } => after.unwrap_or(SignedDuration::from_hours(1)).max(growing),
        _ => growing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Scope;

    fn poll() -> settings::Poll {
        let secs = SignedDuration::from_secs;
        settings::Poll {
            interval: secs(60),
            idle_interval: secs(300),
            backfill: secs(1),
            comment_horizon: secs(1),
            sweep_interval: secs(1),
            concurrency: 1,
            verify_within: secs(1),
            confirm_gone: secs(1),
        }
    }

    #[test]
    fn news_bring_the_interval_and_quiet_grows_to_the_idle_interval_and_no_further() {
        let pauses: Vec<i64> = [0, 1, 2, 8, 1000].iter().map(|&quiet| after_success(&poll(), quiet, 0).as_secs()).collect();
        assert_eq!(pauses, [60, 90, 120, 300, 300]);
    }

    #[test]
    fn usage_stretches_the_interval_and_stops_new_work_at_eighty_percent() {
        assert_eq!(after_success(&poll(), 0, 24).as_secs(), 60);
        assert_eq!(after_success(&poll(), 0, 25).as_secs(), 300);
        assert_eq!(after_success(&poll(), 0, 80).as_secs(), 900);
    }

    #[test]
    fn failures_pause_longer_and_longer_and_a_throttle_as_long_as_meta_says() {
        let pauses: Vec<i64> = [1, 2, 3, 7, 99].iter().map(|&n| after_failure(Next::Retry, n).as_secs()).collect();
        assert_eq!(pauses, [15, 30, 60, 900, 900]);
        let later = |after| after_failure(Next::Later { after, scope: Scope::Account }, 1).as_secs();
        assert_eq!((later(Some(SignedDuration::from_mins(20))), later(None)), (1200, 3600));
    }
}
