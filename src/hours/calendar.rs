//! The calendars of a configuration, each with its table, and which of them a ticket's clock runs on.

use std::collections::BTreeMap;

use super::worktime::{Worktime, instant};
use crate::domain::{
    Time,
    settings::{CalendarSpec, Opd, Policy, Settings},
};

/// The calendar that an OPD's own never replaces, and the only one on which a day has a fixed length.
pub const ALWAYS: &str = "always";

/// A calendar, ready to be asked.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// As configured.
    pub spec: CalendarSpec,
    /// When it works.
    pub worktime: Worktime,
    /// The end of the last day whose holidays are known.
    known_until: Option<Time>,
}

impl Calendar {
    /// Builds its table.
    pub fn new(spec: &CalendarSpec) -> Self {
        let known_until = spec.holidays_until.map(|day| Time::from_secs(instant(&spec.timezone, day, 86_400)));
        Self { spec: spec.clone(), worktime: Worktime::new(spec), known_until }
    }
    /// Whether the holiday data end before this deadline, so that a holiday after them may be missed (`calendar.ending`).
    pub fn ends_before(&self, deadline: Time) -> bool {
        self.known_until.is_some_and(|until| until < deadline)
    }
}

/// Every calendar by name.
#[derive(Clone, Debug)]
pub struct Calendars(BTreeMap<String, Calendar>);

impl Calendars {
    /// Builds the tables of all.
    pub fn new(specs: &BTreeMap<String, CalendarSpec>) -> Self {
        Self(specs.iter().map(|(name, spec)| (name.clone(), Calendar::new(spec))).collect())
    }
    /// The calendar of this name.
    pub fn get(&self, name: &str) -> Option<&Calendar> {
        self.0.get(name)
    }
    /// Every name, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
    /// The calendar on which a policy's clock runs for an OPD: the OPD's own, if it has one and the policy's is not
    /// "always". The checked configuration guarantees that both names are there.
    pub fn calendar_for(&self, policy: &Policy, opd: &Opd) -> &Calendar {
        match opd.calendar.as_ref().filter(|_| policy.calendar != ALWAYS) {
            Some(own) => &self.0[own],
            None => self.of(policy),
        }
    }
    /// The calendar on which the clock of a ticket of an OPD runs by its policy's name; `None` where that has left the configuration.
    /// Without an OPD, or with one that has left it, the policy's own.
    pub fn of_ticket(&self, settings: &Settings, policy: &str, opd: Option<&str>) -> Option<&Calendar> {
        let policy = settings.policies.iter().find(|it| it.name == policy)?;
        match opd.and_then(|opd| settings.opd(opd)) {
            Some(opd) => Some(self.calendar_for(policy, opd)),
            None => self.get(&policy.calendar),
        }
    }
    /// The calendar that a policy names.
    pub fn of(&self, policy: &Policy) -> &Calendar {
        &self.0[&policy.calendar]
    }
}
