//! Which policy holds for a ticket, and when its deadline and its steps are due.

use std::cmp::Ordering;

use super::worktime::Worktime;
use crate::domain::{
    Time,
    settings::{Match, Policy, StepAt},
    ticket::{PlannedStep, StepKind, Subject},
};

/// `at` of the step that flags a missed deadline where the policy has none of its own there.
pub const DEADLINE: &str = "deadline";

/// When a ticket is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// When the answer is due.
    pub due_at: Time,
    /// In time order; one of them is at the deadline.
    pub steps: Vec<PlannedStep>,
    /// The calendar's table ends before the deadline or a step; the end of the table stands in for it.
    pub beyond: bool,
}

/// The first policy that matches. The checked configuration guarantees that the last one has no match and always does.
pub fn choose<'a>(policies: &'a [Policy], subject: &Subject, urgent: bool) -> &'a Policy {
    let found = policies.iter().find(|policy| holds(&policy.matches, subject, urgent));
    found.unwrap_or_else(|| &policies[policies.len() - 1])
}

/// Whether everything given holds.
fn holds(wanted: &Match, subject: &Subject, urgent: bool) -> bool {
    fn any<T: PartialEq>(wanted: &[T], is: &T) -> bool {
        wanted.is_empty() || wanted.contains(is)
    }
    any(&wanted.opd, &subject.opd)
        && any(&wanted.platform, &subject.platform)
        && any(&wanted.kind, &subject.kind)
        && wanted.urgent.is_none_or(|wanted| wanted == urgent)
}

/// Deadline and steps of a ticket whose clock starts at `opened_at` (its fraction of a second is cut off).
/// No step is due before that.
pub fn plan(policy: &Policy, worktime: &Worktime, opened_at: Time) -> Plan {
    let opened = opened_at.floor_secs();
    let budget = policy.respond_within.as_secs();
    let mut beyond = false;
    let mut reach = |from: Time, seconds| {
        worktime.due(from, seconds).unwrap_or_else(|| {
            beyond = true;
            worktime.end().max(from)
        })
    };
    let due_at = reach(opened, budget);
    // Beside each step its business seconds since the opening: they tell its kind, and the order of steps at one instant.
    let mut placed: Vec<(i64, PlannedStep)> = Vec::with_capacity(policy.steps.len() + 1);
    for step in &policy.steps {
        let (seconds, due) = match step.at {
            StepAt::Percent(percent) => {
                let seconds = budget.saturating_mul(percent.into()) / 100;
                (seconds, reach(opened, seconds))
            }
            StepAt::Offset(by) => {
                let by = by.as_secs();
                let due = if by < 0 { worktime.due_before(due_at, -by).max(opened) } else { reach(due_at, by) };
                (budget.saturating_add(by), due)
            }
        };
        placed.push((seconds, planned(policy, &step.text, seconds.cmp(&budget), due, &step.notify)));
    }
    placed.sort_by_key(|(seconds, step)| (step.due, *seconds));
    for (number, (_, step)) in (1..).zip(&mut placed) {
        step.number = number;
    }
    let mut steps: Vec<PlannedStep> = placed.into_iter().map(|(_, step)| step).collect();
    if !steps.iter().any(|step| step.kind == StepKind::Breach) {
        let place = steps.iter().position(|step| step.kind == StepKind::Escalation).unwrap_or(steps.len());
        steps.insert(place, planned(policy, DEADLINE, Ordering::Equal, due_at, &[]));
    }
    Plan { due_at, steps, beyond }
}

/// A step not yet numbered, `beside` the deadline.
fn planned(policy: &Policy, at: &str, beside: Ordering, due: Time, notify: &[String]) -> PlannedStep {
    let kind = match beside {
        Ordering::Less => StepKind::Warning,
        Ordering::Equal => StepKind::Breach,
        Ordering::Greater => StepKind::Escalation,
    };
    PlannedStep { policy: policy.name.clone(), at: at.to_owned(), number: 0, kind, due, notify: notify.to_vec(), effect: None }
}
