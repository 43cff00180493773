//! A ticket's deadline and steps: from the policy that applies, and from what of its old plan must stand.

use super::{judge::Rules, tickets::Episode};
use crate::{
    domain::{
        TicketState, Time,
        ticket::{Effect, PlannedStep, StepKind, Subject, Ticket},
        view::ThreadView,
    },
    hours::{calendar::Calendar, policy},
};

/// What a ticket is measured by.
pub struct Planned<'a> {
    /// Name of the policy whose clock runs.
    pub policy: String,
    /// Whether an urgent message is in it.
    pub urgent: bool,
    /// The deadline.
    pub due_at: Time,
    /// The steps in time order, with what became of them.
    pub steps: Vec<PlannedStep>,
    /// The calendar its clock runs on.
    pub calendar: &'a Calendar,
    /// Hash of the policies and calendars it follows; an older one where a changed configuration leaves the plan as it was, or set its
    /// deadline to the moment of the change, so that the next look does the same.
    pub configuration: String,
}

/// The plan of an episode, given the ticket it was (`old`) or was part of before a split.
pub fn plan<'a>(
    view: &ThreadView,
    rules: &'a Rules<'_>,
    episode: &Episode,
    old: Option<&Ticket>,
    split_from: Option<&Ticket>,
) -> Planned<'a> {
    let mut planned = fresh(&view.subject, rules, episode);
    let Some(old) = old else {
        if let Some(split_from) = split_from {
            for step in &mut planned.steps {
                // It was told of a state that was true for this part too.
                step.effect = effect_of(split_from, step).filter(|effect| effect.at >= step.due).cloned();
            }
        }
        return planned;
    };
    let changed = old.configuration != rules.configuration;
    let closed = old.state != TicketState::Open && episode.end.is_some();
    let stands = closed || old.breached_at.is_some();
    if changed && stands && old.opened_at == episode.opened_at && old.urgent == planned.urgent {
        // A changed configuration reopens nothing and undoes no breach.
        planned.policy.clone_from(&old.policy);
        planned.due_at = old.due_at;
        planned.steps.clone_from(&old.steps);
        planned.configuration.clone_from(&old.configuration);
        return planned;
    }
    for step in &mut planned.steps {
        step.effect = effect_of(old, step).cloned();
    }
    if changed && old.state == TicketState::Open {
        move_by_configuration(&mut planned, old, rules.changed_at);
    }
    let kept: Vec<PlannedStep> = old
        .steps
        .iter()
        .filter(|step| step.effect.is_some() && !planned.steps.iter().any(|new| same(new, step)))
        .cloned()
        .map(|step| PlannedStep { kind: if step.kind == StepKind::Breach { StepKind::Warning } else { step.kind }, ..step })
        .collect();
    planned.steps.extend(kept);
    planned.steps.sort_by_key(|step| step.due);
    planned
}

fn same(a: &PlannedStep, b: &PlannedStep) -> bool {
    a.policy == b.policy && a.at == b.at
}

fn effect_of<'a>(ticket: &'a Ticket, step: &PlannedStep) -> Option<&'a Effect> {
    ticket.steps.iter().find(|other| same(other, step)).and_then(|other| other.effect.as_ref())
}

/// No step whose time lies before the change is sent because of it; a deadline moved into the past is set to the moment of the change.
fn move_by_configuration(planned: &mut Planned<'_>, old: &Ticket, changed_at: Time) {
    let due_moved = planned.due_at != old.due_at && planned.due_at < changed_at;
    for step in &mut planned.steps {
        let moved = !old.steps.iter().any(|other| same(other, step) && other.due == step.due);
        if due_moved && step.kind == StepKind::Breach {
            step.due = changed_at;
        } else if step.effect.is_none() && moved && step.due < changed_at {
            step.effect = Some(Effect { at: changed_at, unverified: false, silent: Some("before the change of configuration".to_owned()) });
        }
    }
    if due_moved {
        planned.due_at = changed_at;
        planned.configuration.clone_from(&old.configuration);
    }
}

fn fresh<'a>(subject: &Subject, rules: &'a Rules<'_>, episode: &Episode) -> Planned<'a> {
    // An edit noticed after the ticket closed does not make it urgent.
    let in_time = |at: &Time| episode.end.as_ref().is_none_or(|end| *at <= end.at);
    let urgent_at = episode.live.iter().filter_map(|live| live.urgent_at.filter(in_time)).map(|at| at.max(episode.opened_at)).min();
    let from_start = urgent_at.is_some_and(|at| at <= episode.opened_at);
    let base = policy::choose(rules.policies, subject, from_start);
    let calendar = rules.calendar(base, subject);
    let plan = policy::plan(base, &calendar.worktime, episode.opened_at);
    let mut planned = Planned {
        policy: base.name.clone(),
        urgent: urgent_at.is_some(),
        due_at: plan.due_at,
        steps: plan.steps,
        calendar,
        configuration: rules.configuration.to_owned(),
    };
    let Some(at) = urgent_at.filter(|_| !from_start) else { return planned };
    let urgent = policy::choose(rules.policies, subject, true);
    if urgent.name == base.name {
        return planned;
    }
    // A later message made it urgent: the urgent policy's clock starts at that message's time; what was not yet due is dropped.
    let second = policy::plan(urgent, &rules.calendar(urgent, subject).worktime, at);
    planned.policy.clone_from(&urgent.name);
    planned.due_at = plan.due_at.min(second.due_at);
    planned.steps.retain(|step| step.due <= at);
    planned.steps.extend(second.steps);
    if !planned.steps.iter().any(|step| step.due == planned.due_at) {
        planned.steps.push(PlannedStep {
            policy: base.name.clone(),
            at: policy::DEADLINE.to_owned(),
            number: 0,
            kind: StepKind::Breach,
            due: planned.due_at,
            notify: Vec::new(),
            effect: None,
        });
    }
    planned.steps.sort_by_key(|step| step.due);
    for step in &mut planned.steps {
        step.kind = match step.due.cmp(&planned.due_at) {
            std::cmp::Ordering::Less => StepKind::Warning,
            std::cmp::Ordering::Equal => StepKind::Breach,
            std::cmp::Ordering::Greater => StepKind::Escalation,
        };
    }
    planned
}
