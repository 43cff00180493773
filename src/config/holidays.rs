//! Days off and Ramadan, from the shipped data or a file of the site: CSV or iCalendar.

use std::ops::RangeInclusive;

use icalendar::parser::{Component, read_calendar, unfold};
use jiff::{ToSpan, civil};

use super::words;

const NATIONAL: &str = include_str!("../../config/holidays-id.csv");
const RAMADAN: &str = include_str!("../../config/ramadan-id.csv");

/// The days off of one file.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Holidays {
    /// In the order of the file.
    pub days: Vec<(civil::Date, String)>,
    /// The last day of the last year the file has a day of.
    pub until: Option<civil::Date>,
    /// Whether it tells public holidays from joint leave, as the shipped file does: then it claims to be complete,
    /// where a plain list adds a site's own days.
    pub national: bool,
}

/// What is wrong at which line.
type Faults = Vec<(usize, String)>;

/// Indonesia's, as shipped.
pub(super) fn national(joint_leave: bool) -> (Holidays, Faults) {
    read(NATIONAL, joint_leave)
}

/// Reads CSV (`date,name`, with or without that head; a column `kind` may say `joint_leave`, which counts only when asked for),
/// or iCalendar (all-day events; RFC 5545: DTEND is the day after the last one).
pub(super) fn read(text: &str, joint_leave: bool) -> (Holidays, Faults) {
    let text = text.trim_start_matches('\u{feff}');
    let (mut holidays, mut faults) =
        if text.trim_start().to_ascii_uppercase().starts_with("BEGIN:VCALENDAR") { calendar(text) } else { table(text, joint_leave) };
    holidays.until = holidays.until.and_then(|last| civil::Date::new(last.year(), 12, 31).ok());
    if holidays.until.is_none() && faults.is_empty() {
        faults.push((0, "has no holidays: lines such as 2026-12-24,Cuti bersama are expected".into()));
    }
    (holidays, faults)
}

impl Holidays {
    fn add(&mut self, day: civil::Date, name: &str, counts: bool) {
        self.until = self.until.max(Some(day));
        if counts {
            self.days.push((day, name.to_owned()));
        }
    }
}

fn table(text: &str, joint_leave: bool) -> (Holidays, Faults) {
    let (mut holidays, mut faults) = (Holidays::default(), Vec::new());
    let mut kind = None;
    let rows =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).comment(Some(b'#')).trim(csv::Trim::All).from_reader(text.as_bytes());
    for (number, row) in rows.into_records().enumerate() {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                faults.push((error.position().map_or(0, |at| at.line() as usize), "is no line of CSV".into()));
                continue;
            }
        };
        if number == 0 && row.get(0) == Some("date") {
            kind = row.iter().position(|column| column == "kind");
            continue;
        }
        let line = row.position().map_or(0, |at| at.line() as usize);
        match (words::date(row.get(0).unwrap_or_default()), row.get(1)) {
            (Ok(day), Some(name)) if !name.is_empty() => {
                let is_joint_leave = kind.and_then(|column| row.get(column)) == Some("joint_leave");
                holidays.add(day, name, joint_leave || !is_joint_leave);
            }
            (Err(why), _) => faults.push((line, why)),
            (Ok(_), _) => faults.push((line, "has no name: lines such as 2026-12-24,Cuti bersama are expected".into())),
        }
    }
    holidays.national = kind.is_some();
    (holidays, faults)
}

fn calendar(text: &str) -> (Holidays, Faults) {
    let (mut holidays, mut faults) = (Holidays::default(), Vec::new());
    let unfolded = unfold(text);
    let Ok(calendar) = read_calendar(&unfolded) else {
        return (holidays, vec![(0, "is no iCalendar file".into())]);
    };
    // The library tells no lines: the n-th event begins at the n-th such line.
    let begins = |(_, line): &(usize, &str)| line.trim_end().eq_ignore_ascii_case("BEGIN:VEVENT");
    let lines = text.lines().enumerate().filter(begins).map(|(number, _)| number + 1);
    let events = calendar.components.iter().filter(|it| it.name.as_str().eq_ignore_ascii_case("VEVENT"));
    for (event, line) in events.zip(lines) {
        let value = |name: &str| event.find_prop(name).map(|it| it.val.as_str().trim());
        if value("STATUS") == Some("CANCELLED") {
            continue;
        }
        match days_of(event) {
            Ok(days) => {
                let name = value("SUMMARY").unwrap_or("(tanpa nama)");
                for day in days {
                    holidays.add(day, name, true);
                }
            }
            Err(why) => faults.push((line, why.into())),
        }
    }
    (holidays, faults)
}

/// The days of an event.
fn days_of(event: &Component) -> Result<Vec<civil::Date>, &'static str> {
    let day = |name: &str| event.find_prop(name).map(|it| civil::Date::strptime("%Y%m%d", it.val.as_str().trim()));
    if event.find_prop("RRULE").is_some() || event.find_prop("RDATE").is_some() {
        return Err("the event repeats: holidays are listed year by year, one event each");
    }
    let Some(Ok(first)) = day("DTSTART") else { return Err("the event does not last all day: write DTSTART;VALUE=DATE:20261224") };
    let end = match (day("DTEND"), event.find_prop("DURATION")) {
        (Some(Ok(end)), _) if first < end => end,
        (None, None) => first.saturating_add(1.day()),
        _ => return Err("the event has no proper end: DTEND;VALUE=DATE is the day after its last one"),
    };
    if first.saturating_add(366.days()) < end {
        return Err("the event is longer than a year");
    }
    Ok(first.series(1.day()).take_while(|day| *day < end).collect())
}

/// First and last day of Ramadan, year by year, as shipped.
pub(super) fn ramadan() -> Vec<RangeInclusive<civil::Date>> {
    let rows = csv::Reader::from_reader(RAMADAN.as_bytes());
    let span = |row: csv::StringRecord| Some(words::date(row.get(1)?).ok()?..=words::date(row.get(2)?).ok()?);
    rows.into_records().filter_map(|row| span(row.ok()?)).collect()
}
