//! Business time by walking day after day, hour span after hour span; and which policy applies.

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, Time},
    tz::TimeZone,
};

use super::{Calendar, Facts, Policy};

/// The first policy that matches.
pub fn policy<'a>(facts: &'a Facts, kind: &str, urgent: bool) -> &'a Policy {
    let any = |list: &[String], value: &str| list.is_empty() || list.iter().any(|one| one == value);
    let applies = |policy: &&Policy| {
        any(&policy.opd, &facts.opd)
            && any(&policy.platform, &facts.platform)
            && any(&policy.kind, kind)
            && policy.urgent.is_none_or(|wanted| wanted == urgent)
    };
    facts.rules.policies.iter().find(applies).expect("the last policy matches everything")
}

/// When the answer is due to what was written at `from`; the clock knows whole seconds only, an edit is noticed between them.
pub fn due(facts: &Facts, policy: &Policy, from: Timestamp) -> Timestamp {
    let from = Timestamp::from_second(from.as_second()).unwrap();
    let own = facts.rules.opd_calendar.as_ref().filter(|_| policy.calendar != "always");
    let name = own.unwrap_or(&policy.calendar);
    match facts.rules.calendars.get(name) {
        Some(calendar) => walk(calendar, from, policy.respond_within_seconds),
        None => from + policy.respond_within_seconds.seconds(),
    }
}

/// The earliest instant at which the business time since `from` reaches `seconds`.
pub fn walk(calendar: &Calendar, from: Timestamp, seconds: i64) -> Timestamp {
    let zone = TimeZone::get(&calendar.zone).unwrap();
    let mut left = seconds;
    if left == 0 {
        return from;
    }
    let mut day = zone.to_datetime(from).date();
    for _ in 0..10_000 {
        for (open, close) in hours(calendar, day) {
            let (open, close) = (instant(&zone, day, open), instant(&zone, day, close));
            let start = open.max(from);
            if start >= close {
                continue;
            }
            let span = close.as_second() - start.as_second();
            if span >= left {
                return start + left.seconds();
            }
            left -= span;
        }
        day = day.tomorrow().unwrap();
    }
    panic!("no working hours in 10,000 days");
}

fn hours(calendar: &Calendar, day: Date) -> Vec<(i64, i64)> {
    if calendar.holidays.contains(&day) {
        return Vec::new();
    }
    let period = calendar.periods.iter().find(|(first, last, _)| *first <= day && day <= *last);
    let week = period.map_or(&calendar.week, |(_, _, week)| week);
    week[day.weekday().to_monday_zero_offset() as usize].clone()
}

/// Local wall time; 24:00 is the next midnight.
fn instant(zone: &TimeZone, day: Date, seconds: i64) -> Timestamp {
    let (day, seconds) = if seconds == 86_400 { (day.tomorrow().unwrap(), 0) } else { (day, seconds) };
    let time = Time::midnight() + seconds.seconds();
    zone.to_timestamp(day.to_datetime(time)).unwrap()
}
