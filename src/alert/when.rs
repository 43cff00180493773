//! Quiet hours and digests: the earliest instant at which a message may leave. Pure.

use jiff::{SignedDuration, ToSpan as _, ZonedDateTime, civil, tz::TimeZone};

use crate::domain::{
    Time,
    alert::{AlertKind, Held},
    settings::Official,
};

/// When a message to this official may leave by mail or chat, and what it waits for: at once if urgent; at the next digest time if there
/// is one; at the end of the quiet hours if they hold `now`; else at once.
pub fn may_leave(official: &Official, urgent: bool, zone: &TimeZone, now: Time) -> (Time, Option<Held>) {
    if urgent {
        return (now, None);
    }
    let local = now.timestamp().to_zoned_datetime(zone.clone());
    match (official.digest, official.quiet) {
        (Some(digest), _) => (next(&local, digest), Some(Held::Digest)),
        (None, Some((from, to))) if is_quiet(local.time(), from, to) => (next(&local, to), Some(Held::Quiet)),
        _ => (now, None),
    }
}

/// How long after its time a sheet still leaves, when the daemon was down.
const LATE: SignedDuration = SignedDuration::from_hours(4);

/// The times of an official's sheet around `now`, `(last, next)`: the last one unless it is too long ago or the official is not told on
/// its day, and the next one.
pub fn sheet_times(official: &Official, kind: AlertKind, zone: &TimeZone, now: Time) -> (Option<Time>, Option<Time>) {
    let (weekday, time) = match (kind, official.morning, official.weekly) {
        (AlertKind::Morning, Some(time), _) => (None, time),
        (AlertKind::Weekly, _, Some((day, time))) => (Some(day), time),
        _ => return (None, None),
    };
    let local = now.timestamp().to_zoned_datetime(zone.clone());
    let days = (-7_i64..=7).filter_map(|days| local.date().checked_add(days.days()).ok());
    let days = days.filter(|day| weekday.is_none_or(|weekday| day.weekday() == weekday) && official.valid.holds(*day));
    let times = days.filter_map(|day| Some(Time::from_timestamp(day.to_datetime(time).to_zoned_datetime(zone.clone()).ok()?.timestamp())));
    let (mut last, mut next) = (None, None);
    for at in times {
        if at <= now {
            last = Some(at);
        } else {
            next = next.or(Some(at));
        }
    }
    (last.filter(|&at| now.since(at) <= LATE), next)
}

/// Whether a local time lies in `[from, to)`, which may pass midnight. Equal ends hold nothing.
fn is_quiet(at: civil::Time, from: civil::Time, to: civil::Time) -> bool {
    if from <= to { from <= at && at < to } else { at >= from || at < to }
}

/// The first instant at or after `local` whose local time is `at`.
fn next(local: &ZonedDateTime, at: civil::Time) -> Time {
    let day = if local.time() <= at { Ok(local.date()) } else { local.date().checked_add(1.day()) };
    let zoned = day.ok().and_then(|day| day.to_datetime(at).to_zoned_datetime(local.time_zone().clone()).ok());
    Time::from_timestamp(zoned.map_or(local.timestamp(), |z| z.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::settings::Valid;

    fn official(quiet: Option<(&str, &str)>, digest: Option<&str>) -> Official {
        let time = |text: &str| text.parse::<civil::Time>().unwrap();
        Official {
            id: "x".into(),
            name: "X".into(),
            group: "g".into(),
            opd: vec![],
            email: None,
            telegram: None,
            whatsapp: None,
            webhook: None,
            quiet: quiet.map(|(from, to)| (time(from), time(to))),
            digest: digest.map(time),
            valid: Valid::default(),
            morning: None,
            weekly: None,
        }
    }

    fn leaves(official: &Official, urgent: bool, at: &str) -> String {
        let zone = TimeZone::get("Asia/Jakarta").unwrap();
        let now = Time::parse(&format!("{at}+07:00")).unwrap();
        may_leave(official, urgent, &zone, now).0.timestamp().to_zoned_datetime(zone).strftime("%Y-%m-%dT%H:%M").to_string()
    }

    #[test]
    fn quiet_hours_over_midnight_end_in_the_morning_and_do_not_bind_urgent_tickets() {
        let quiet = official(Some(("20:00:00", "06:00:00")), None);
        for (at, want) in [
            ("2026-11-24T19:59:00", "2026-11-24T19:59"),
            ("2026-11-24T20:00:00", "2026-11-25T06:00"),
            ("2026-11-25T05:59:00", "2026-11-25T06:00"),
            ("2026-11-25T06:00:00", "2026-11-25T06:00"),
        ] {
            assert_eq!(leaves(&quiet, false, at), want, "{at}");
        }
        assert_eq!(leaves(&quiet, true, "2026-11-25T03:00:00"), "2026-11-25T03:00");
    }

    #[test]
    fn quiet_hours_within_a_day_hold_only_that_part_of_it() {
        let quiet = official(Some(("12:00:00", "13:00:00")), None);
        assert_eq!(leaves(&quiet, false, "2026-11-24T12:30:00"), "2026-11-24T13:00");
        assert_eq!(leaves(&quiet, false, "2026-11-24T13:00:00"), "2026-11-24T13:00");
    }

    #[test]
    fn a_digest_leaves_once_a_day_at_its_time() {
        let digest = official(None, Some("07:00:00"));
        assert_eq!(leaves(&digest, false, "2026-11-24T06:00:00"), "2026-11-24T07:00");
        assert_eq!(leaves(&digest, false, "2026-11-24T07:00:30"), "2026-11-25T07:00");
        assert_eq!(leaves(&digest, true, "2026-11-24T07:00:30"), "2026-11-24T07:00");
    }
}
