//! Working time of one calendar as a table that is built once; every question is one or two binary searches in it.
//!
//! The table holds real time only: zone, holidays, periods and daylight saving are used up while it is built, so
//! that an hour which does not exist or exists twice needs no thought afterwards. Everything is in whole seconds; a
//! fraction of a second is cut off.

use jiff::{
    SignedDuration, ToSpan,
    civil::{Date, DateTime, Time as Hour, date},
    tz::{AmbiguousOffset, TimeZone},
};

use crate::domain::{
    Time,
    settings::{CalendarSpec, DayHours},
};

/// First and last year of a table. Nothing on either platform is older than Facebook, which opened in 2004.
const YEARS: (i16, i16) = (2004, 2050);
/// Seconds of a day that has no change of the clock.
const DAY: u32 = 86_400;

/// When a calendar works. Outside its span it never does.
#[derive(Clone, Debug)]
pub struct Worktime {
    /// Sorted, and apart from one another.
    intervals: Vec<Interval>,
    /// The span of the table: no interval begins before or ends after it.
    start: Time,
    end: Time,
}

/// Working time without a break, half-open, in Unix seconds.
#[derive(Clone, Copy, Debug)]
struct Interval {
    open: i64,
    close: i64,
    /// Seconds worked in all intervals before this one.
    before: i64,
}

impl Worktime {
    /// Builds the table. A calendar that never closes is one interval without end.
    pub fn new(spec: &CalendarSpec) -> Self {
        if never_closes(spec) {
            let (start, end) = (Time::clamp_ms(0), Time::clamp_ms(i64::MAX).floor_secs());
            return Self { intervals: vec![Interval { open: 0, close: end.secs(), before: 0 }], start, end };
        }
        let (first, last) = (date(YEARS.0, 1, 1), date(YEARS.1, 12, 31));
        let instant = |day, second| instant(&spec.timezone, day, second);
        let mut bounds: Vec<(i64, i64)> = first
            .series(1.day())
            .take_while(|day| *day <= last)
            .flat_map(|day| hours_on(spec, day).iter().map(move |&(from, to)| (instant(day, from), instant(day, to))))
            .filter(|(open, close)| open < close)
            .collect();
        // Hours written for a time that the clock skips move past it and can land behind, or on, the next ones.
        bounds.sort_unstable();
        let mut intervals: Vec<Interval> = Vec::with_capacity(bounds.len());
        for (open, close) in bounds {
            match intervals.last_mut() {
                Some(last) if open <= last.close => last.close = last.close.max(close),
                last => {
                    let before = last.map_or(0, |last| last.before + last.close - last.open);
                    intervals.push(Interval { open, close, before });
                }
            }
        }
        Self { intervals, start: Time::from_secs(instant(first, 0)), end: Time::from_secs(instant(last, DAY)) }
    }
    /// From when the table knows the calendar.
    pub const fn start(&self) -> Time {
        self.start
    }
    /// Until when the table knows the calendar.
    pub const fn end(&self) -> Time {
        self.end
    }
    /// The earliest instant at which `budget` seconds were worked since `from`; `from` itself for a budget of nothing.
    /// A budget that is used up exactly at closing time is due then, not at the next opening.
    /// `None` where the table ends first.
    pub fn due(&self, from: Time, budget: i64) -> Option<Time> {
        if budget <= 0 {
            return Some(from.floor_secs());
        }
        let total = self.worked_until(from.secs()).saturating_add(budget);
        let after = self.intervals.partition_point(|interval| interval.before < total);
        let interval = self.intervals.get(after.checked_sub(1)?)?;
        let rest = total - interval.before;
        (rest <= interval.close - interval.open).then(|| Time::from_secs(interval.open + rest))
    }
    /// The mirror of [`Self::due`]: the latest instant from which `seconds` are worked until `deadline`; `deadline`
    /// itself for none. Where that is exactly all since an opening, it is the opening, not the closing before it: a
    /// warning comes when somebody is there. The start of the table where that comes first.
    pub fn due_before(&self, deadline: Time, seconds: i64) -> Time {
        if seconds <= 0 {
            return deadline.floor_secs();
        }
        let total = self.worked_until(deadline.secs()).saturating_sub(seconds);
        let after = self.intervals.partition_point(|interval| interval.before <= total);
        match after.checked_sub(1).and_then(|last| self.intervals.get(last)) {
            Some(interval) => Time::from_secs(interval.open + (total - interval.before)),
            None => self.start.min(deadline.floor_secs()),
        }
    }
    /// Seconds worked between two instants; 0 if `to` is not after `from`.
    pub fn worked(&self, from: Time, to: Time) -> i64 {
        (self.worked_until(to.secs()) - self.worked_until(from.secs())).max(0)
    }
    /// The working time between two instants, in order.
    pub fn between(&self, from: Time, to: Time) -> impl Iterator<Item = (Time, Time)> {
        let (from, to) = (from.secs(), to.secs());
        let first = self.intervals.partition_point(|interval| interval.close <= from);
        let within = self.intervals[first..].iter().take_while(move |interval| interval.open < to);
        within.map(move |interval| (Time::from_secs(interval.open.max(from)), Time::from_secs(interval.close.min(to))))
    }
    /// Seconds worked from the start of the table to an instant.
    fn worked_until(&self, at: i64) -> i64 {
        let after = self.intervals.partition_point(|interval| interval.open <= at);
        let last = after.checked_sub(1).and_then(|last| self.intervals.get(last));
        last.map_or(0, |interval| interval.before + at.min(interval.close) - interval.open)
    }
}

/// Whether every instant is working time, in any zone.
fn never_closes(spec: &CalendarSpec) -> bool {
    spec.periods.is_empty() && spec.holidays.is_empty() && spec.week.iter().all(|hours| hours[..] == [(0, DAY)])
}

/// The hours of a local day: none on a holiday, else those of the first period that holds it, else the week's.
fn hours_on(spec: &CalendarSpec, day: Date) -> &[(u32, u32)] {
    const CLOSED: &DayHours = &DayHours::new();
    if spec.holidays.contains_key(&day) {
        return CLOSED;
    }
    let period = spec.periods.iter().find(|period| period.from <= day && day <= period.to);
    let week = period.map_or(&spec.week, |period| &period.week);
    &week[day.weekday().to_monday_zero_offset() as usize]
}

/// The Unix second at which the clocks of a zone show so many seconds after the midnight that begins a day. As RFC 5545
/// (3.3.5) has it: the first of two, and for a time that is skipped, as if the clocks had not yet been changed.
pub(super) fn instant(zone: &TimeZone, day: Date, second: u32) -> i64 {
    const EPOCH: DateTime = date(1970, 1, 1).to_datetime(Hour::midnight());
    let local = day.to_datetime(Hour::midnight()).saturating_add(SignedDuration::from_secs(second.into()));
    let (AmbiguousOffset::Unambiguous { offset: before } | AmbiguousOffset::Gap { before, .. } | AmbiguousOffset::Fold { before, .. }) =
        zone.to_ambiguous_timestamp(local).offset();
    local.duration_since(EPOCH).as_secs() - i64::from(before.seconds())
}
