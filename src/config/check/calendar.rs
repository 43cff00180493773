//! `[[calendar]]`: hours of a week, other hours for some days, days off. The built-in calendars come through here too.

use std::{collections::BTreeMap, fs};

use jiff::{civil::Date, tz::TimeZone};

use super::Context;
use crate::{
    config::{
        holidays::{self, Holidays},
        problem::{Place, Spot, hint},
        read::Table,
        words,
    },
    domain::settings::{CalendarSpec, DayHours, Period, Week},
};

const NATIONAL: &str = "builtin:id";

/// Every calendar by its name.
pub(super) fn calendars(root: &mut Table, site_zone: &TimeZone, context: &Context) -> BTreeMap<String, CalendarSpec> {
    let mut calendars = BTreeMap::new();
    for mut table in root.tables("calendar") {
        let name = table.needed_text("name");
        let is_builtin = |name: &str| name == super::ALWAYS || name.starts_with("builtin:");
        if is_builtin(&name) && !table.spot.place.is_built_in() {
            table.findings.problem(&name.spot, format!("\"{}\" is the name of a built-in calendar: choose another one", name.value));
        } else if calendars.contains_key(&name.value) {
            table.findings.problem(&name.spot, format!("the name \"{}\" is already used by another calendar", name.value));
        }
        let spec = calendar(&mut table, name.value, site_zone, context);
        calendars.entry(spec.name.clone()).or_insert(spec);
    }
    calendars
}

fn calendar(table: &mut Table, name: String, site_zone: &TimeZone, context: &Context) -> CalendarSpec {
    let zone = table.parsed("timezone", "a text", words::zone);
    let week = week(table);
    if let Some(week) = &week
        && week.iter().all(Vec::is_empty)
    {
        let spot = Spot { key: format!("{}.hours", table.spot.key), ..table.spot.clone() };
        table.findings.problem(&spot, "has no working time at all: no deadline would ever come");
    }
    let (holidays, holidays_until) = days_off(table, context);
    CalendarSpec {
        name,
        timezone: zone.map_or_else(|| site_zone.clone(), |it| it.value),
        week: week.unwrap_or_default(),
        periods: table.tables("period").iter_mut().flat_map(period).collect(),
        holidays,
        holidays_until,
    }
}

/// The table `hours`; `None` if it is missing or wrong, which has been said.
fn week(table: &mut Table) -> Option<Week> {
    table.require("hours", "a table such as { mon-thu = [\"07:00-15:30\"], fri = [\"07:00-11:30\"] }");
    let mut table = table.table("hours")?;
    let mut week: [Option<DayHours>; 7] = Default::default();
    let mut right = true;
    for name in table.names() {
        let Some(mut hours) = table.list(name, "a list of hours such as [\"07:00-15:30\"]", words::hours) else { continue };
        hours.value.sort_unstable();
        let problem = if hours.value.windows(2).any(|pair| pair[0].1 > pair[1].0) {
            Some("its hours overlap".to_owned())
        } else {
            match words::weekdays(name) {
                Err(why) => Some(why),
                Ok(days) if week[days.clone()].iter().any(Option::is_some) => {
                    Some("names a day for which hours are given already".to_owned())
                }
                Ok(days) => {
                    week[days].fill(Some(hours.value));
                    None
                }
            }
        };
        if let Some(text) = problem {
            table.findings.problem(&hours.spot, text);
            right = false;
        }
    }
    right.then(|| week.map(Option::unwrap_or_default))
}

/// Days from … to, or Ramadan of every year that is known.
fn period(table: &mut Table) -> Vec<Period> {
    let ramadan = table.flag("ramadan").unwrap_or(false);
    let mut day = |name| table.parsed(name, "a day in quotes such as \"2026-12-24\"", words::date);
    let (from, to) = (day("from"), day("to"));
    let week = week(table).unwrap_or_default();
    let spans: Vec<(Date, Date)> = match (ramadan, from, to) {
        (true, None, None) => holidays::ramadan().into_iter().map(|days| (*days.start(), *days.end())).collect(),
        (false, Some(from), Some(to)) if from.value <= to.value => vec![(from.value, to.value)],
        (false, Some(_), Some(to)) => {
            table.findings.problem(&to.spot, "lies before the first day of the period");
            Vec::new()
        }
        (true, ..) => {
            table.findings.problem(&table.spot, "has both ramadan and days: the days of Ramadan are known");
            Vec::new()
        }
        (false, ..) => {
            if !table.has("from") || !table.has("to") {
                table.findings.problem(&table.spot, "needs from and to, or ramadan = true");
            }
            Vec::new()
        }
    };
    spans.into_iter().map(|(from, to)| Period { from, to, week: week.clone() }).collect()
}

/// The days off of all sources, and until when they are known. Sources that claim to be complete decide that, if there are any:
/// a site's own days for 2030 don't mean that the decree for 2030 is there.
fn days_off(table: &mut Table, context: &Context) -> (BTreeMap<Date, String>, Option<Date>) {
    let joint_leave = table.flag("joint_leave").unwrap_or(true);
    let sources = table.list("holidays", "a list of texts such as [\"builtin:id\", \"daerah.csv\"]", |text| Ok(text.to_owned()));
    let Some(sources) = sources else { return (BTreeMap::new(), None) };
    let mut all: Vec<Holidays> = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        let at = Spot { key: format!("{}[{index}]", sources.spot.key), ..sources.spot.clone() };
        if source == NATIONAL {
            all.push(holidays::national(joint_leave).0);
            continue;
        }
        if source.starts_with("builtin:") {
            table.findings.problem(&at, format!("no holidays are shipped as \"{source}\"{}", hint(source, [NATIONAL])));
            continue;
        }
        let path = context.folder.join(source);
        match fs::read_to_string(&path) {
            Err(error) => table.findings.problem(&at, format!("{} can't be read: {error}", path.display())),
            Ok(text) => {
                let (holidays, faults) = holidays::read(&text, joint_leave);
                for (line, why) in faults {
                    table.findings.problem(&Spot { place: Place::File { path: path.clone(), line }, key: at.key.clone() }, why);
                }
                all.push(holidays);
            }
        }
    }
    let complete = all.iter().any(|it| it.national);
    let until = all.iter().filter(|it| it.national || !complete).filter_map(|it| it.until).max();
    let mut days = BTreeMap::new();
    for (day, name) in all.into_iter().flat_map(|it| it.days) {
        days.entry(day).or_insert(name);
    }
    (days, until)
}
