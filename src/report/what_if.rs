//! History under another policy: the tickets of a period are opened again as they were and answered when they were; what changes is which
//! deadlines they miss and who is told meanwhile. Pure.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::seen::end;
use crate::{
    domain::{
        Platform, TicketState, Time,
        settings::{Opd, Policy, Settings},
        ticket::{PlannedStep, StepKind, Subject},
        whom::OPERATOR,
    },
    hours::{
        calendar::{Calendar, Calendars},
        policy,
    },
    store::figures::{Case, Figures},
};

/// What would have been.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WhatIf {
    /// Tickets that were replayed.
    pub tickets: u64,
    /// Deadlines that were missed, as recorded.
    pub breaches_recorded: u64,
    /// Deadlines missed under the site's own policies as they stand now; another number than the recorded one means that they were changed.
    pub breaches_before: u64,
    /// Deadlines missed under the other ones.
    pub breaches_after: u64,
    /// Missed under the other ones only.
    pub added: u64,
    /// Missed under the site's own only.
    pub spared: u64,
    /// By policy of the other ones, in their order.
    pub policies: Vec<Replayed>,
    /// Who would have been told how often, in all.
    pub officials: Vec<Told>,
    /// The same by step.
    pub steps: Vec<ToldAt>,
}

/// What became of the tickets of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Its name.
    pub policy: String,
    /// Tickets it would have held for.
    pub tickets: u64,
    /// Of these, past the deadline unanswered.
    pub breaches: u64,
}

/// How often an official is told, before grouping into letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The office's id.
    pub official: String,
    /// Its name.
    pub name: String,
    /// Under the site's own policies.
    pub before: u64,
    /// Under the other ones.
    pub after: u64,
}

/// How often a step tells an official.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ToldAt {
    /// The policy.
    pub policy: String,
    /// The step's `at`, as configured.
    pub at: String,
    /// The office's id.
    pub official: String,
    /// Its name.
    pub name: String,
    /// Under the site's own policies.
    pub before: u64,
    /// Under the other ones.
    pub after: u64,
}

/// Policy and step, by number and `at`, and official: how often.
type Counts = BTreeMap<(String, u32, String, String), u64>;

/// A configuration with what is asked of it often.
struct Rules<'a> {
    settings: &'a Settings,
    calendars: &'a Calendars,
    opds: HashMap<&'a str, &'a Opd>,
}

/// One case under some rules.
struct Outcome {
    policy: String,
    missed: bool,
}

/// Replays the tickets opened in the period under the site's own settings and under others; each with its calendars.
pub fn what_if(figures: &Figures, own: (&Settings, &Calendars), other: (&Settings, &Calendars), now: Time) -> WhatIf {
    let (own, other) = (Rules::new(own), Rules::new(other));
    let (mut before, mut after) = (Counts::new(), Counts::new());
    let mut policies: Vec<Replayed> =
        other.settings.policies.iter().map(|it| Replayed { policy: it.name.clone(), ..Replayed::default() }).collect();
    let mut found = WhatIf::default();
    let void = |case: &Case| case.state == TicketState::Withdrawn && !matches!(case.reason.as_deref(), Some("gone" | "hidden" | "erased"));
    for case in figures.cases.iter().filter(|case| !void(case)) {
        let (was, is) = (own.replay(case, figures, now, &mut before), other.replay(case, figures, now, &mut after));
        found.tickets += 1;
        found.breaches_recorded += u64::from(case.breached_at.is_some());
        found.breaches_before += u64::from(was.missed);
        found.breaches_after += u64::from(is.missed);
        found.added += u64::from(is.missed && !was.missed);
        found.spared += u64::from(was.missed && !is.missed);
        if let Some(policy) = policies.iter_mut().find(|it| it.policy == is.policy) {
            policy.tickets += 1;
            policy.breaches += u64::from(is.missed);
        }
    }
    found.policies = policies;
    let mut steps: BTreeMap<(String, u32, String, String), (u64, u64)> = BTreeMap::new();
    for (key, times) in before {
        steps.entry(key).or_default().0 += times;
    }
    for (key, times) in after {
        steps.entry(key).or_default().1 += times;
    }
    let mut officials: BTreeMap<String, Told> = BTreeMap::new();
    for ((policy, _, at, official), (before, after)) in steps {
        let name = other.settings.office(&official).to_owned();
        let told =
            officials.entry(official.clone()).or_insert_with(|| Told { official: official.clone(), name: name.clone(), ..Told::default() });
        told.before += before;
        told.after += after;
        found.steps.push(ToldAt { policy, at, official, name, before, after });
    }
    found.officials = officials.into_values().collect();
    found
}

impl<'a> Rules<'a> {
    fn new((settings, calendars): (&'a Settings, &'a Calendars)) -> Self {
        Self { settings, calendars, opds: settings.opds.iter().map(|opd| (opd.slug.as_str(), opd)).collect() }
    }

    fn calendar(&self, policy: &Policy, opd: &str) -> &'a Calendar {
        self.opds.get(opd).map_or_else(|| self.calendars.of(policy), |opd| self.calendars.calendar_for(policy, opd))
    }

    /// What would have become of a case, and whom its steps would have told.
    fn replay(&self, case: &Case, figures: &Figures, now: Time, told: &mut Counts) -> Outcome {
        let account = figures.accounts.get(&case.account);
        let platform = account.map_or(Platform::Facebook, |it| it.platform);
        let subject = Subject { opd: account.map_or_else(|| case.opd.clone(), |it| it.opd.clone()), platform, kind: case.kind };
        let (policy, due_at, steps) = self.plan(case, &subject);
        let end = end(case, now);
        let handovers = figures.handovers.get(&case.id).map(Vec::as_slice).unwrap_or_default();
        let mut groups: Vec<&str> = Vec::new();
        for at_once in steps.chunk_by(|a, b| a.due == b.due) {
            // where several are due at one instant the newest goes out
            let Some(step) = at_once.iter().rfind(|step| !step.notify.is_empty() && step.due < end) else { continue };
            let known = step.notify.iter().all(|group| groups.contains(&group.as_str()));
            if case.acknowledged_at.is_some_and(|at| at <= step.due) && (step.kind == StepKind::Warning || known) {
                continue;
            }
            let holder = handovers.iter().rfind(|it| it.at <= step.due).map_or(subject.opd.as_str(), |it| it.to.as_str());
            self.tell(step, holder, told);
            groups.extend(step.notify.iter().map(String::as_str));
        }
        Outcome { policy, missed: due_at < end }
    }

    /// Deadline and steps in time order, as the clock would have set them: a message that makes a ticket urgent later starts the urgent
    /// policy's clock at its own time, and drops what was not yet due.
    fn plan(&self, case: &Case, subject: &Subject) -> (String, Time, Vec<PlannedStep>) {
        let opened = case.opened_at.floor_secs();
        let urgent_at = case.urgent.then(|| case.urgent_at.map_or(opened, |at| at.max(opened)));
        let from_start = urgent_at.is_some_and(|at| at <= opened);
        let base = policy::choose(&self.settings.policies, subject, from_start);
        let mut plan = policy::plan(base, &self.calendar(base, &subject.opd).worktime, opened);
        let urgent = policy::choose(&self.settings.policies, subject, true);
        let Some(at) = urgent_at.filter(|_| !from_start && urgent.name != base.name) else {
            return (base.name.clone(), plan.due_at, plan.steps);
        };
        let second = policy::plan(urgent, &self.calendar(urgent, &subject.opd).worktime, at);
        plan.steps.retain(|step| step.due <= at);
        plan.steps.extend(second.steps);
        plan.steps.sort_by_key(|step| step.due);
        (urgent.name.clone(), plan.due_at.min(second.due_at), plan.steps)
    }

    /// Counts an alert for everybody whom a step reaches; a step that reaches nobody goes to `operator`.
    fn tell(&self, step: &PlannedStep, opd: &str, told: &mut Counts) {
        let mut count = |official: &str| {
            let key = (step.policy.clone(), step.number, step.at.clone(), official.to_owned());
            *told.entry(key).or_default() += 1;
        };
        let groups: Vec<&str> = step.notify.iter().map(String::as_str).collect();
        let mut reached = false;
        for groups in [&groups[..], &[OPERATOR]] {
            for official in self.settings.recipients(groups, Some(opd), step.due) {
                count(&official.id);
                reached = true;
            }
            if reached {
                return;
            }
        }
        count(OPERATOR); // its log
    }
}
