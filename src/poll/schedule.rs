//! When to poll an account again. Pure.

use jiff::SignedDuration;

use super::quota;
use crate::{
    domain::{Time, settings},
    graph::Next,
};

/// The first pause after a failure; it doubles up to [`LONGEST`].
const FIRST: SignedDuration = SignedDuration::from_secs(15);
/// The longest pause after failures: a dead account is retried for ever, never forgotten.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);
/// From this much of a limit on nothing but the idle interval (polling-scheme.md).
const BUSY_BELOW: u32 = 25;
/// A quiet Page that met its limit is read this many times as rarely as one that did not.
const CARE: i32 = 3;

/// What is known of an account when its next poll is set.
#[derive(Clone, Copy, Debug, Default)]
pub struct Activity {
    /// Polls in a row without news.
    pub quiet: u32,
    /// Percent of the tightest limit.
    pub usage: u32,
    /// A Page with fewer than two engaged people: its limit allows no more than the idle interval.
    pub few: bool,
    /// It met a limit within a day.
    pub throttled: bool,
}

/// After a poll that read everything.
pub fn after_success(poll: &settings::Poll, Activity { quiet, usage, few, throttled }: Activity) -> SignedDuration {
    if usage >= quota::STOP_AT {
        return quota::REST.max(poll.idle_interval);
    }
    if few && throttled {
        return poll.idle_interval.saturating_mul(CARE);
    }
    if few || usage >= BUSY_BELOW {
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
        // Calls made meanwhile lengthen the block.
        Next::Later { after, .. } => after.unwrap_or(quota::BLOCK).max(growing),
        _ => growing,
    }
}

/// Accounts that wait longer than this for their turn are told of.
const LAGS: SignedDuration = SignedDuration::from_mins(15);
/// Reading has caught up when none waits longer than this.
const CAUGHT_UP: SignedDuration = SignedDuration::from_mins(1);

/// Whether reading lags at the end of a step, in which everything that was due should have had its turn. `oldest`: since when an account is
/// due that had none; `lagged`: whether it lagged before.
pub fn lags(oldest: Option<Time>, started_at: Time, now: Time, lagged: bool) -> bool {
    let waited = oldest.map_or(SignedDuration::ZERO, |due| now.since(due.max(started_at)));
    waited > if lagged { CAUGHT_UP } else { LAGS }
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

    fn pause(activity: Activity) -> i64 {
        after_success(&poll(), activity).as_secs()
    }

    #[test]
    fn news_bring_the_interval_and_quiet_grows_to_the_idle_interval_and_no_further() {
        let pauses = [0, 1, 2, 8, 1000].map(|quiet| pause(Activity { quiet, ..Activity::default() }));
        assert_eq!(pauses, [60, 90, 120, 300, 300]);
    }

    #[test]
    fn usage_stretches_the_interval_and_stops_new_work_at_eighty_percent() {
        let pauses = [24, 25, 79, 80].map(|usage| pause(Activity { usage, ..Activity::default() }));
        assert_eq!(pauses, [60, 300, 300, 900]);
    }

    #[test]
    fn a_page_to_which_few_write_is_never_read_more_often_than_an_idle_one_and_more_rarely_once_it_met_its_limit() {
        assert_eq!(pause(Activity { few: true, ..Activity::default() }), 300);
        assert_eq!(pause(Activity { few: true, throttled: true, ..Activity::default() }), 900);
        assert_eq!(pause(Activity { throttled: true, ..Activity::default() }), 60);
    }

    #[test]
    fn reading_lags_when_an_account_waits_a_quarter_of_an_hour_and_until_none_waits_a_minute() {
        let at = |minutes: i64| Time::from_secs(60 * minutes);
        let lag = |oldest: Option<i64>, lagged| lags(oldest.map(at), at(100), at(130), lagged);
        assert!(!lag(None, false) && !lag(Some(115), false) && lag(Some(114), false));
        assert!(lag(Some(128), true) && !lag(Some(129), true) && !lag(None, true));
        assert!(!lags(Some(at(0)), at(120), at(130), false), "a downtime is no lag");
    }

    #[test]
    fn failures_pause_longer_and_longer_and_a_throttle_as_long_as_meta_says() {
        let pauses: Vec<i64> = [1, 2, 3, 7, 99].iter().map(|&n| after_failure(Next::Retry, n).as_secs()).collect();
        assert_eq!(pauses, [15, 30, 60, 900, 900]);
        let later = |after| after_failure(Next::Later { after, scope: Scope::Account }, 1).as_secs();
        assert_eq!((later(Some(SignedDuration::from_mins(20))), later(None)), (1200, 3600));
    }
}
