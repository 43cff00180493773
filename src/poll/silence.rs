//! Whether an account has been silent for far longer than usual: the failure that looks like peace. Pure.
//!
//! From the eight weeks before the last message the mean of each weekday is taken. Added up over the time since the last message they say how many were
//! to be expected in it. Where that is seven or more, a silence by chance would be rarer than one in a thousand (e⁻⁷), as far as
//! messages come independently of one another; so something is wrong, or the public has lost its way to this account.

use jiff::{SignedDuration, civil::Date, tz::TimeZone};

use crate::domain::Time;

/// Over how many weeks what is usual is looked up.
pub const WEEKS: i64 = 8;
/// From this many expected messages on a silence is told.
const EXPECTED: f64 = 7.0;
/// No account is called silent sooner, however busy it is.
const SHORTEST: SignedDuration = SignedDuration::from_hours(24);

/// A silence that is not usual.
#[derive(Clone, Debug, PartialEq)]
pub struct Silence {
    /// When the last message of a citizen was written.
    pub since: Time,
    /// How many were to be expected since.
    pub expected: f64,
}

/// `days`: how many messages citizens wrote on each local day, days without any left out; `from`: since when the account is read.
pub fn unusual(days: &[(Date, u32)], from: Time, last: Time, now: Time, zone: &TimeZone) -> Option<Silence> {
    let date = |at: Time| zone.to_datetime(at.timestamp()).date();
    let first = date(from.max(last.minus(SignedDuration::from_hours(WEEKS * 7 * 24))));
    if now.since(last) < SHORTEST || first >= date(last) {
        return None;
    }
    // What is usual is taken from the days before the silence: it must not make itself usual.
    let mut means = [(0_u32, 0_u32); 7];
    for day in first.series(jiff::Span::new().days(1)).take_while(|day| *day < date(last)) {
        means[day.weekday().to_monday_zero_offset() as usize].1 += 1;
    }
    for &(day, count) in days.iter().filter(|(day, _)| *day >= first && *day < date(last)) {
        means[day.weekday().to_monday_zero_offset() as usize].0 += count;
    }
    let mean = |day: Date| match means[day.weekday().to_monday_zero_offset() as usize] {
        (_, 0) => 0.0,
        (count, days) => f64::from(count) / f64::from(days),
    };
    // Whole days of silence; the two days at its ends count as one.
    let silent = date(last).series(jiff::Span::new().days(1)).skip(1).take_while(|day| *day <= date(now));
    let expected: f64 = silent.map(mean).sum();
    (expected >= EXPECTED).then_some(Silence { since: last, expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::parse(text).unwrap()
    }

    /// Two messages on every working day from 1 October to 13 November 2026, a Friday.
    fn weekdays() -> Vec<(Date, u32)> {
        let first: Date = "2026-10-01".parse().unwrap();
        let days = first.series(jiff::Span::new().days(1)).take(44);
        days.filter(|day| day.weekday().to_monday_zero_offset() < 5).map(|day| (day, 2)).collect()
    }

    fn silence(now: &str) -> Option<Silence> {
        let zone = TimeZone::get("Asia/Jakarta").unwrap();
        unusual(&weekdays(), at("2026-10-01T00:00:00Z"), at("2026-11-13T03:00:00Z"), at(now), &zone)
    }

    #[test]
    fn a_quiet_weekend_is_usual_and_a_quiet_week_is_not() {
        assert_eq!(silence("2026-11-16T02:00:00Z"), None, "Monday morning");
        assert_eq!(silence("2026-11-18T02:00:00Z"), None, "six were to be expected");
        let told = silence("2026-11-19T02:00:00Z").unwrap();
        assert_eq!((told.since, told.expected.round()), (at("2026-11-13T03:00:00Z"), 8.0));
    }

    #[test]
    fn an_account_that_is_new_or_never_busy_is_not_called_silent() {
        let zone = TimeZone::get("Asia/Jakarta").unwrap();
        let (last, now) = (at("2026-11-13T03:00:00Z"), at("2026-12-13T03:00:00Z"));
        assert_eq!(unusual(&weekdays(), last, last, now, &zone), None, "read for the first time when it fell silent");
        assert_eq!(unusual(&[], at("2026-10-01T00:00:00Z"), last, now, &zone), None);
        assert_eq!(unusual(&weekdays(), at("2026-10-01T00:00:00Z"), last, last.plus(SignedDuration::from_hours(23)), &zone), None);
    }
}
