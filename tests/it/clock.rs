//! The clock of semantics.md, rule by rule, then on 600 vectors; its laws and oracles are in `properties`.

pub mod calendars;
mod command;
mod holdings;
pub mod oracles;
mod policy;
mod properties;

use tanggap::{
    domain::Time,
    hours::{
        calendar::{Calendar, Calendars},
        worktime::Worktime,
    },
};

fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

/// The working time of one calendar, from the lines after its name.
fn worktime(lines: &str) -> Worktime {
    Worktime::new(&calendars::read(&format!("[[calendar]]\nname = \"one\"\n{lines}"))["one"])
}

fn kantor() -> Worktime {
    Worktime::new(&calendars::shipped()["kantor"])
}

#[test]
fn every_vector_is_due_when_it_says() {
    let calendars = Calendars::new(&calendars::shipped());
    let lines = include_str!("../fixtures/sla-vectors.csv").lines().skip(1);
    for line in lines.clone() {
        let [calendar, start, seconds, due] = line.split(',').collect::<Vec<_>>().try_into().unwrap();
        let worktime = &calendars.get(calendar).unwrap().worktime;
        let got = worktime.due(at(start), seconds.parse().unwrap()).unwrap();
        assert_eq!(got.rfc3339(), due, "{line}");
        assert_eq!(worktime.worked(at(start), got).to_string(), seconds, "{line}");
    }
    assert_eq!(lines.count(), 600);
}

#[test]
fn a_message_at_night_starts_its_clock_when_the_office_opens() {
    for start in ["2026-11-23T21:15:00+07:00", "2026-11-24T03:00:00+07:00", "2026-11-24T07:00:00+07:00"] {
        assert_eq!(kantor().due(at(start), 4 * 3600), Some(at("2026-11-24T11:00:00+07:00")), "{start}");
    }
}

#[test]
fn a_clock_that_runs_out_at_closing_time_is_due_then_and_one_second_later_the_next_morning() {
    let start = at("2026-11-24T11:30:00+07:00");
    assert_eq!(kantor().due(start, 4 * 3600), Some(at("2026-11-24T15:30:00+07:00")));
    assert_eq!(kantor().due(start, 4 * 3600 + 1), Some(at("2026-11-25T07:00:01+07:00")));
}

#[test]
fn closing_time_is_no_working_time_and_opening_time_is() {
    let kantor = kantor();
    assert_eq!(kantor.worked(at("2026-11-24T15:30:00+07:00"), at("2026-11-25T07:00:00+07:00")), 0);
    assert_eq!(kantor.worked(at("2026-11-24T15:29:59+07:00"), at("2026-11-25T07:00:01+07:00")), 2);
    assert_eq!(kantor.worked(at("2026-11-25T09:00:00+07:00"), at("2026-11-24T09:00:00+07:00")), 0, "backwards");
}

#[test]
fn a_budget_of_nothing_is_used_up_at_the_start_itself_even_at_night() {
    let night = at("2026-11-24T22:00:00+07:00");
    assert_eq!(kantor().due(night, 0), Some(night));
    assert_eq!(kantor().due_before(night, 0), night);
}

#[test]
fn a_fraction_of_a_second_is_cut_off() {
    let start = at("2026-11-24T08:00:00.999+07:00");
    assert_eq!(kantor().due(start, 60), Some(at("2026-11-24T08:01:00+07:00")));
    assert_eq!(kantor().due(start, 0), Some(at("2026-11-24T08:00:00+07:00")));
}

#[test]
fn time_before_a_deadline_ends_at_an_opening_not_at_the_closing_before_it() {
    let deadline = at("2026-11-25T07:15:00+07:00");
    assert_eq!(kantor().due_before(deadline, 10 * 60), at("2026-11-25T07:05:00+07:00"));
    assert_eq!(kantor().due_before(deadline, 15 * 60), at("2026-11-25T07:00:00+07:00"));
    assert_eq!(kantor().due_before(deadline, 15 * 60 + 1), at("2026-11-24T15:29:59+07:00"));
}

#[test]
fn hours_until_24_00_run_on_into_the_next_day() {
    let night = worktime("timezone = \"Asia/Jayapura\"\nhours = { mon = [\"18:00-24:00\"], tue = [\"00:00-06:00\"] }");
    let start = at("2026-11-23T23:00:00+09:00");
    assert_eq!(night.due(start, 3600), Some(at("2026-11-24T00:00:00+09:00")));
    assert_eq!(night.due(start, 2 * 3600), Some(at("2026-11-24T01:00:00+09:00")));
    assert_eq!(night.worked(start, at("2026-11-30T00:00:00+09:00")), 7 * 3600);
}

#[test]
fn the_first_period_replaces_the_weeks_hours_and_a_holiday_beats_both() {
    let text = r#"
        holidays.libur = ["2026-11-25"]
        [[calendar]]
        name = "one"
        timezone = "Asia/Jakarta"
        hours = { mon-fri = ["08:00-16:00"] }
        holidays = "libur"
        [[calendar.period]]
        from = "2026-11-24"
        to = "2026-11-25"
        hours = { mon-fri = ["09:00-10:00"] }
        [[calendar.period]]
        from = "2026-11-23"
        to = "2026-11-26"
        hours = { mon-thu = ["08:00-12:00"], sun = ["01:00-02:00"] }"#;
    let worktime = Worktime::new(&calendars::read(text)["one"]);
    let hours =
        |day: u32| worktime.worked(at(&format!("2026-11-{day}T00:00:00+07:00")), at(&format!("2026-11-{day}T23:59:59+07:00"))) / 3600;
    // Sunday 22nd, before the periods, to Friday 27th, after them.
    assert_eq!([22, 23, 24, 25, 26, 27].map(hours), [0, 4, 1, 0, 4, 8]);
}

#[test]
fn an_hour_that_the_clocks_skip_is_not_worked_and_one_they_repeat_is_worked_twice() {
    let whole = Worktime::new(&calendars::shipped()["amsterdam"]); // around the clock, but for one holiday
    assert_eq!(whole.worked(at("2026-03-29T00:00:00+01:00"), at("2026-03-30T00:00:00+02:00")), 23 * 3600);
    assert_eq!(whole.worked(at("2026-10-25T00:00:00+02:00"), at("2026-10-26T00:00:00+01:00")), 25 * 3600);
    assert_eq!(whole.due(at("2026-03-29T01:30:00+01:00"), 3600), Some(at("2026-03-29T03:30:00+02:00")));
}

#[test]
fn hours_that_lie_wholly_in_skipped_time_move_past_it_and_no_minute_counts_twice() {
    // On 8 March 2026 the clocks of Havana went from midnight to one.
    for (hours, worked) in [("", 900), (", \"01:00-09:00\"", 8 * 3600), (", \"01:20-09:00\"", 8 * 3600 - 900)] {
        let worktime = worktime(&format!("timezone = \"America/Havana\"\nhours = {{ sun = [\"00:15-00:30\"{hours}] }}"));
        let (from, to) = (at("2026-03-08T00:00:00-05:00"), at("2026-03-09T00:00:00-04:00"));
        assert_eq!(worktime.worked(from, to), worked, "{hours}");
    }
}

#[test]
fn hours_that_fall_together_where_the_clocks_skip_are_counted_once() {
    // 02:00 to 03:00 does not exist: the middle span becomes 03:00 to 03:30, or 03:30 to 03:45, inside the last.
    for (skipped, usual) in [("02:00-02:30", 30), ("02:30-02:45", 15)] {
        let hours = format!("[\"01:00-02:00\", \"{skipped}\", \"03:00-04:00\"]");
        let worktime = worktime(&format!("timezone = \"Europe/Amsterdam\"\nhours = {{ sun = {hours} }}"));
        let minutes = |from, to| worktime.worked(at(from), at(to)) / 60;
        assert_eq!(minutes("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"), 120, "{skipped}");
        assert_eq!(minutes("2026-03-22T00:00:00+01:00", "2026-03-23T00:00:00+01:00"), 120 + usual, "{skipped}");
    }
}

#[test]
fn a_night_that_repeats_midnight_is_neither_lost_nor_counted_twice() {
    // In Havana the first hour of 2026-11-01 comes twice.
    let worktime = worktime("timezone = \"America/Havana\"\nhours = { sat = [\"22:00-24:00\"], sun = [\"00:00-03:00\"] }");
    assert_eq!(worktime.worked(at("2026-10-31T22:00:00-04:00"), at("2026-11-01T03:00:00-05:00")), 6 * 3600);
}

#[test]
fn a_calendar_that_never_closes_knows_no_end() {
    let always = worktime("timezone = \"America/New_York\"\nhours = { mon-sun = [\"00:00-24:00\"] }");
    assert_eq!(always.due(at("2026-03-08T01:30:00-05:00"), 3600), Some(at("2026-03-08T03:30:00-04:00")));
    assert_eq!(always.due(at("2500-01-01T00:00:00Z"), 86_400), Some(at("2500-01-02T00:00:00Z")));
    assert_eq!(always.due_before(at("1971-01-01T00:00:00Z"), 86_400), at("1970-12-31T00:00:00Z"));
}

#[test]
fn where_the_table_ends_there_is_no_answer_and_never_a_panic() {
    let kantor = kantor();
    assert_eq!(kantor.due(at("2050-12-31T00:00:00Z"), i64::MAX), None);
    assert_eq!(kantor.due(at("2026-11-24T00:00:00Z"), i64::MAX), None);
    assert_eq!(kantor.due(at("2051-06-01T00:00:00Z"), 1), None);
    assert_eq!(kantor.due(at("1999-01-01T00:00:00Z"), 1), kantor.due(kantor.start(), 1));
    assert_eq!(kantor.due_before(at("2026-11-24T00:00:00Z"), i64::MAX), kantor.start());
    assert_eq!(kantor.due_before(at("1999-01-01T00:00:00Z"), 1), at("1999-01-01T00:00:00Z"));
    let closed = worktime("timezone = \"Asia/Jakarta\"\nhours = {}");
    assert_eq!(closed.due(at("2026-11-24T00:00:00Z"), 1), None);
    assert_eq!(closed.worked(at("2026-11-24T00:00:00Z"), at("2027-11-24T00:00:00Z")), 0);
}

#[test]
fn the_holiday_data_end_with_their_last_local_day() {
    let mut spec = calendars::shipped().remove("kantor").unwrap();
    let calendar = Calendar::new(&spec); // known until 2027-12-26
    assert!(!calendar.ends_before(at("2027-12-27T00:00:00+07:00")));
    assert!(calendar.ends_before(at("2027-12-27T00:00:01+07:00")));
    spec.holidays_until = None;
    assert!(!Calendar::new(&spec).ends_before(at("2049-01-01T00:00:00Z")));
}
