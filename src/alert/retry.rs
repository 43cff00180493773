//! When a letter is tried again. Pure.

use jiff::SignedDuration;

use crate::domain::Time;

/// Pauses after the first, second, … failed attempt; the last one repeats.
pub const PAUSES: [SignedDuration; 6] = [
    SignedDuration::from_secs(15),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(10),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(1),
];
/// A letter not accepted for this long is given up (semantics.md, Alerts).
pub const GIVE_UP: SignedDuration = SignedDuration::from_hours(24);
/// Added at most, as a share of the pause, so that letters that failed together do not come back together.
const JITTER: f64 = 0.1;

/// The next attempt after `attempts` failed ones, or `None` when the letter is given up.
///
/// `after` is the least wait the other side asked for; `jitter` lies in `0.0..=1.0`.
pub fn next(attempts: u32, created_at: Time, after: Option<SignedDuration>, now: Time, jitter: f64) -> Option<Time> {
    let end = created_at.plus(GIVE_UP);
    if now >= end {
        return None;
    }
    let row = (attempts.max(1) as usize - 1).min(PAUSES.len() - 1);
    let pause = PAUSES[row].max(after.unwrap_or_default());
    let spread = SignedDuration::try_from_secs_f64(pause.as_secs_f64() * JITTER * jitter.clamp(0.0, 1.0)).unwrap_or_default();
    Some(now.plus(pause.saturating_add(spread)).min(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: fn(i64) -> Time = Time::from_secs;

    #[test]
    fn pauses_grow_as_the_table_says_and_then_stay_hourly() {
        let waits: Vec<i64> = (1..9).map(|n| next(n, T(0), None, T(100), 0.0).unwrap().secs() - 100).collect();
        assert_eq!(waits, [15, 120, 600, 1800, 7200, 3600, 3600, 3600]);
    }

    #[test]
    fn the_other_sides_wish_is_kept_and_jitter_adds_a_tenth_at_most() {
        assert_eq!(next(1, T(0), Some(SignedDuration::from_secs(40)), T(100), 0.0), Some(T(140)));
        assert_eq!(next(2, T(0), Some(SignedDuration::from_secs(40)), T(100), 1.0), Some(T(232)));
    }

    #[test]
    fn the_last_attempt_falls_at_the_end_of_the_day_and_none_after_it() {
        let day = GIVE_UP.as_secs();
        assert_eq!(next(9, T(0), None, T(day - 60), 0.5), Some(T(day)));
        assert_eq!(next(9, T(0), None, T(day), 0.5), None);
    }
}
