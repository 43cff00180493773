//! Calendars for tests and the bench, written as in a configuration but for their holidays, which are lists in the same text.

use std::collections::BTreeMap;

use jiff::{civil::Date, tz::TimeZone};
use serde::Deserialize;
use tanggap::domain::settings::{CalendarSpec, Period, Week};

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    holidays: BTreeMap<String, Vec<Date>>,
    calendar: Vec<Calendar>,
}

#[derive(Deserialize)]
struct Calendar {
    name: String,
    timezone: String,
    hours: Hours,
    holidays: Option<String>,
    #[serde(default)]
    period: Vec<Special>,
}

#[derive(Deserialize)]
struct Special {
    from: Date,
    to: Date,
    hours: Hours,
}

type Hours = BTreeMap<String, Vec<String>>;

/// The calendars of the vectors.
pub fn shipped() -> BTreeMap<String, CalendarSpec> {
    read(include_str!("../../fixtures/sla-vectors.toml"))
}

/// The calendars of a text.
pub fn read(text: &str) -> BTreeMap<String, CalendarSpec> {
    let file: File = toml::from_str(text).unwrap();
    let spec = |calendar: Calendar| {
        let days = calendar.holidays.map(|list| file.holidays[&list].clone()).unwrap_or_default();
        CalendarSpec {
            timezone: TimeZone::get(&calendar.timezone).unwrap(),
            week: week(&calendar.hours),
            periods: calendar.period.iter().map(|p| Period { from: p.from, to: p.to, week: week(&p.hours) }).collect(),
            holidays_until: days.iter().max().copied(),
            holidays: days.into_iter().map(|day| (day, "libur".to_owned())).collect(),
            name: calendar.name,
        }
    };
    file.calendar.into_iter().map(|calendar| (calendar.name.clone(), spec(calendar))).collect()
}

fn week(hours: &Hours) -> Week {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let number = |day: &str| DAYS.iter().position(|known| *known == day).unwrap();
    let second = |clock: &str| clock.split(':').fold(0, |sum, part| sum * 60 + part.parse::<u32>().unwrap()) * 60;
    let mut week = Week::default();
    for (days, spans) in hours {
        let (first, last) = days.split_once('-').unwrap_or((days, days));
        let spans = spans.iter().map(|span| span.split_once('-').unwrap()).map(|(from, to)| (second(from), second(to)));
        week[number(first)..=number(last)].fill(spans.collect());
    }
    week
}
