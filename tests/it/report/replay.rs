//! History under other policies: under the site's own it is what the judge made of it.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use proptest::prelude::*;
use tanggap::{
    domain::{
        AccountId, Kind, Time,
        settings::{Official, Settings, Valid},
        ticket::{ActionKind, Ticket},
    },
    hours::calendar::Calendars,
    report::what_if::{WhatIf, what_if},
    store::figures::{Case, Figures},
};

use super::{
    MORNING,
    world::{answered, at, figures, open, settings},
};
use crate::tickets::{desk::Desk, story};

/// A step's policy and `at`, and how often it told.
type Counts = BTreeMap<(String, String), u64>;

fn official(group: &str) -> Official {
    Official {
        id: group.into(),
        name: group.into(),
        group: group.into(),
        opd: vec![],
        email: None,
        telegram: None,
        whatsapp: None,
        webhook: None,
        quiet: None,
        digest: None,
        valid: Valid::default(),
        morning: None,
        weekly: None,
    }
}

/// The settings by which the desk judges.
fn desks(desk: &Desk) -> Settings {
    let mut settings = settings();
    settings.policies.clone_from(&desk.policies);
    settings.officials = ["operator", "kepala", "sekda"].map(official).to_vec();
    settings
}

fn case(ticket: &Ticket, urgent_at: Option<Time>) -> Case {
    Case {
        id: ticket.id,
        opd: "satu".into(),
        account: AccountId(1),
        kind: Kind::Comment,
        policy: ticket.policy.clone(),
        urgent: ticket.urgent,
        urgent_at,
        state: ticket.state,
        opened_at: ticket.opened_at,
        due_at: ticket.due_at,
        breached_at: ticket.breached_at,
        acknowledged_at: ticket.acknowledged_at,
        closed_at: ticket.closed_at,
        answered_by: ticket.answered_by.clone(),
        business_seconds: ticket.business_seconds,
        reason: ticket.reason.clone(),
        unverified: ticket.unverified,
    }
}

fn under(settings: &Settings, figures: &Figures, now: Time) -> WhatIf {
    let calendars = Calendars::new(&settings.calendars);
    what_if(figures, (settings, &calendars), (settings, &calendars), now)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_sites_own_policy_reproduces_the_breaches_that_happened_and_who_was_told(
        asked in 0_i64..40,
        urgent in prop::option::of(0_i64..160),
        answer in prop::option::of(1_i64..260),
        acknowledged in prop::option::of(1_i64..200),
    ) {
        let mut desk = Desk::new();
        desk.asks(asked * 10);
        let urgent_at = urgent.map(|later| story::at((asked + later) * 10));
        if let Some(later) = urgent {
            let message = desk.asks((asked + later) * 10);
            message.seen.urgent = true;
            message.urgent_at = urgent_at;
        }
        // written between two reads, so that it is plain what was there at each
        let answer = answer.map(|later| (asked + later) * 10 + 5);
        if let Some(second) = answer {
            desk.replies(second);
        }
        let all = std::mem::take(&mut desk.view.messages);
        let mut happened = Counts::new();
        for second in (0..3400).step_by(10) {
            desk.view.messages = all.iter().filter(|it| it.seen.created_at <= story::at(second)).cloned().collect();
            if acknowledged.is_some_and(|later| (asked + later) * 10 + 10 == second) && !desk.view.tickets.is_empty() && desk.view.tickets[0].closed_at.is_none() {
                desk.staff(second - 5, ActionKind::Ack, 1);
            }
            desk.read(second);
        }
        for ticket in &desk.view.tickets {
            for step in ticket.steps.iter().filter(|step| step.effect.as_ref().is_some_and(|effect| effect.silent.is_none())) {
                if !step.notify.is_empty() {
                    *happened.entry((step.policy.clone(), step.at.clone())).or_default() += 1;
                }
            }
        }
        let mut figures = figures();
        figures.cases = desk.view.tickets.iter().map(|ticket| case(ticket, urgent_at.filter(|_| ticket.urgent))).collect();
        let replayed = under(&desks(&desk), &figures, story::at(3400));
        prop_assert_eq!(replayed.breaches_before, replayed.breaches_recorded);
        prop_assert_eq!((replayed.breaches_after, replayed.added, replayed.spared), (replayed.breaches_before, 0, 0));
        let mut told = Counts::new();
        for step in &replayed.steps {
            prop_assert_eq!(step.before, step.after);
            *told.entry((step.policy.clone(), step.at.clone())).or_default() += step.before;
        }
        prop_assert_eq!(told, happened);
    }
}

#[test]
fn a_stricter_policy_misses_more_and_says_who_would_have_been_told_how_often() {
    let own = settings();
    let mut strict = own.clone();
    strict.policies[1].respond_within = SignedDuration::from_mins(50);
    let mut all = figures();
    all.cases = vec![answered(1, 1, MORNING, 30), answered(2, 1, MORNING, 60), answered(3, 2, MORNING, 300), open(4, 1, MORNING)];
    let (calendars, now) = (Calendars::new(&own.calendars), at("2026-11-23T12:00:00Z"));
    let found = what_if(&all, (&own, &calendars), (&strict, &calendars), now);
    assert_eq!((found.tickets, found.breaches_recorded, found.breaches_before, found.breaches_after), (4, 1, 2, 3));
    assert_eq!((found.added, found.spared), (1, 0));
    let told: Vec<_> = found.officials.iter().map(|it| (it.name.as_str(), it.before, it.after)).collect();
    // "kepala" is of satu alone: what dua misses goes to the operator
    assert_eq!(told, [("Kepala Satu", 1, 2), ("Operator", 3, 5), ("Sekda", 1, 2)]);
    let policies: Vec<_> = found.policies.iter().map(|it| (it.policy.as_str(), it.tickets, it.breaches)).collect();
    assert_eq!(policies, [("darurat", 0, 0), ("biasa", 4, 3)]);
}
