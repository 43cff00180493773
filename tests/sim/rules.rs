//! A checked configuration as the slow reckoning wants it.

use tanggap::domain::settings::{CalendarSpec, DayHours, Mentions, Settings};

use crate::reckoning::{self, Rules};

fn hours(hours: &DayHours) -> Vec<(i64, i64)> {
    hours.iter().map(|&(from, to)| (i64::from(from), i64::from(to))).collect()
}

fn calendar(spec: &CalendarSpec) -> reckoning::Calendar {
    let week = |week: &tanggap::domain::settings::Week| std::array::from_fn(|day| hours(&week[day]));
    reckoning::Calendar {
        zone: spec.timezone.iana_name().unwrap().to_owned(),
        week: week(&spec.week),
        periods: spec.periods.iter().map(|period| (period.from, period.to, week(&period.week))).collect(),
        holidays: spec.holidays.keys().copied().collect(),
    }
}

/// The rules of a configuration for an OPD.
pub fn rules(settings: &Settings, opd: &str) -> Rules {
    let policies = settings.policies.iter().map(|policy| reckoning::Policy {
        name: policy.name.clone(),
        opd: policy.matches.opd.clone(),
        platform: policy.matches.platform.iter().map(|platform| platform.word().to_owned()).collect(),
        kind: policy.matches.kind.iter().map(|kind| kind.word().to_owned()).collect(),
        urgent: policy.matches.urgent,
        respond_within_seconds: policy.respond_within.as_secs(),
        calendar: policy.calendar.clone(),
    });
    Rules {
        policies: policies.collect(),
        calendars: settings
            .calendars
            .iter()
            .filter(|(name, _)| *name != "always")
            .map(|(name, spec)| (name.clone(), calendar(spec)))
            .collect(),
        opd_calendar: settings.opd(opd).and_then(|opd| opd.calendar.clone()),
        auto_reply_within_seconds: settings.sla.auto_reply_within.as_secs(),
        mentions: match settings.sla.mentions {
            Mentions::Ask => reckoning::Mentions::Ask,
            Mentions::All => reckoning::Mentions::All,
            Mentions::None => reckoning::Mentions::None,
        },
    }
}
