//! What must hold for any calendar, and that two crates of others say the same.

use std::{collections::BTreeMap, ops::Range};

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, date},
    tz::TimeZone,
};
use proptest::{collection, prelude::*, sample};
use tanggap::{
    domain::{
        Time,
        settings::{CalendarSpec, DayHours, Period, Week},
    },
    hours::worktime::Worktime,
};

use super::oracles::{UleHours, Workclock};

/// Half an hour, an hour, at midnight, and none: ways in which zones change their clocks.
const ZONES: &[&str] =
    &["Asia/Jakarta", "Asia/Jayapura", "Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Africa/Cairo"];
/// 2025 and 2026.
const STARTS: Range<i64> = 1_735_689_600..1_798_761_600;

/// Up to three spans, on whole quarters of an hour so that bounds, starts and budgets often meet.
fn hours(spans: Range<usize>) -> impl Strategy<Value = DayHours> {
    spans
        .prop_flat_map(|spans| sample::subsequence((0..=96).collect::<Vec<u32>>(), 2 * spans))
        .prop_map(|marks| marks.chunks_exact(2).map(|span| (span[0] * 900, span[1] * 900)).collect())
}

fn week() -> impl Strategy<Value = Week> {
    (hours(1..4), collection::vec(hours(0..4), 6)).prop_map(|(monday, others)| {
        let mut week = Week::default();
        for (day, hours) in week.iter_mut().zip([monday].into_iter().chain(others)) {
            *day = hours;
        }
        week
    })
}

fn day() -> impl Strategy<Value = Date> {
    (0_i64..730).prop_map(|days| date(2025, 1, 1).saturating_add(days.days()))
}

fn calendar(periods: Range<usize>) -> impl Strategy<Value = CalendarSpec> {
    let period = (day(), 0_i64..60, week()).prop_map(|(from, days, week)| Period { from, to: from.saturating_add(days.days()), week });
    let holidays = collection::btree_set(day(), 0..40);
    (sample::select(ZONES), week(), collection::vec(period, periods), holidays).prop_map(|(zone, week, periods, holidays)| CalendarSpec {
        name: "any".to_owned(),
        timezone: TimeZone::get(zone).unwrap(),
        week,
        periods,
        holidays: holidays.into_iter().map(|day| (day, String::new())).collect::<BTreeMap<_, _>>(),
        holidays_until: None,
    })
}

/// Starts, each with a budget in thousandths of a week's hours, up to four weeks.
fn questions() -> impl Strategy<Value = Vec<(i64, i64)>> {
    let start = prop_oneof![STARTS, STARTS.prop_map(|at| at / 900 * 900)];
    collection::vec((start, 0_i64..4000), 50)
}

/// A budget that suits a calendar: half of them end on whole quarters.
fn budget(spec: &CalendarSpec, thousandths: i64) -> i64 {
    let week: i64 = spec.week.iter().flatten().map(|(from, to)| i64::from(to - from)).sum();
    let budget = week * thousandths / 1000;
    if thousandths % 2 == 0 { budget / 900 * 900 } else { budget }
}

/// Whether hours lie wholly in a time that the clocks skip. Ours move past it, as RFC 5545 (3.3.5) has it, and count once what they then
/// share with others (a table in `clock` says so); ule-hours loses the shared part.
fn in_a_skipped_time(spec: &CalendarSpec) -> bool {
    let [start, end] = [STARTS.start, STARTS.end + 31_536_000].map(|at| Timestamp::from_second(at).unwrap());
    spec.timezone.following(start).take_while(|change| change.timestamp() < end).any(|change| {
        let seconds = |at: DateTime| i64::from(at.hour()) * 3600 + i64::from(at.minute()) * 60 + i64::from(at.second());
        let to = change.offset().to_datetime(change.timestamp());
        let before = spec.timezone.to_offset(change.timestamp() - 1.second());
        let from = before.to_datetime(change.timestamp());
        let weeks = [&spec.week].into_iter().chain(spec.periods.iter().map(|period| &period.week));
        weeks
            .flat_map(|week| &week[from.weekday().to_monday_zero_offset() as usize])
            .any(|&(opens, closes)| from < to && seconds(from) <= i64::from(opens) && i64::from(closes) <= seconds(to))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn due_is_the_earliest_instant_at_which_the_budget_is_worked(spec in calendar(0..3), questions in questions()) {
        let worktime = Worktime::new(&spec);
        for (start, thousandths) in questions {
            let (from, budget) = (Time::from_secs(start), budget(&spec, thousandths));
            let due = worktime.due(from, budget).unwrap();
            prop_assert_eq!(worktime.worked(from, due), budget);
            prop_assert!(budget == 0 || worktime.worked(from, Time::from_secs(due.secs() - 1)) < budget);
            let before = worktime.due_before(due, budget);
            prop_assert_eq!(worktime.worked(before, due), budget);
            prop_assert!(budget == 0 || worktime.worked(Time::from_secs(before.secs() + 1), due) < budget);
        }
    }

    #[test]
    fn a_budget_spent_in_two_parts_ends_where_it_ends_at_once(spec in calendar(0..3), questions in questions(), share in 0_i64..=100) {
        let worktime = Worktime::new(&spec);
        for (start, thousandths) in questions {
            let (from, budget) = (Time::from_secs(start), budget(&spec, thousandths));
            let between = worktime.due(from, budget * share / 100).unwrap();
            let due = worktime.due(from, budget).unwrap();
            prop_assert_eq!(worktime.due(between, budget - budget * share / 100).unwrap(), due);
            prop_assert_eq!(worktime.worked(from, between) + worktime.worked(between, due), budget);
        }
    }

    #[test]
    fn a_later_start_or_a_larger_budget_is_never_due_earlier(spec in calendar(0..3), questions in questions(), more in 0_i64..90_000) {
        let worktime = Worktime::new(&spec);
        for (start, thousandths) in questions {
            let budget = budget(&spec, thousandths);
            let due = worktime.due(Time::from_secs(start), budget);
            prop_assert!(due <= worktime.due(Time::from_secs(start + more), budget));
            prop_assert!(due <= worktime.due(Time::from_secs(start), budget + more));
        }
    }

    #[test]
    fn workclock_says_the_same(spec in calendar(0..1), questions in questions()) {
        let (worktime, oracle) = (Worktime::new(&spec), Workclock::new(&spec));
        for (start, thousandths) in questions {
            let (from, budget) = (Time::from_secs(start), budget(&spec, thousandths));
            let due = worktime.due(from, budget).unwrap();
            prop_assert_eq!(due.secs(), oracle.due(start, budget));
            prop_assert_eq!(worktime.due_before(from, budget).secs(), oracle.due_before(start, budget));
            prop_assert_eq!(worktime.worked(from, Time::from_secs(start + budget)), oracle.worked(start, start + budget));
        }
    }

    #[test]
    fn ule_hours_says_the_same(
        spec in calendar(0..3).prop_filter("hours in a skipped time", |spec| !in_a_skipped_time(spec)),
        questions in questions(),
    ) {
        let (worktime, oracle) = (Worktime::new(&spec), UleHours::new(&spec));
        for (start, thousandths) in questions {
            let (from, budget) = (Time::from_secs(start), budget(&spec, thousandths).max(1));
            prop_assert_eq!(worktime.due(from, budget).unwrap().secs(), oracle.due(start, budget));
            prop_assert_eq!(worktime.worked(from, Time::from_secs(start + budget)), oracle.worked(start, start + budget));
        }
    }
}
