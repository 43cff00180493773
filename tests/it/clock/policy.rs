//! Which policy holds, on which calendar, and when its steps are due.

use jiff::SignedDuration;
use tanggap::{
    domain::{
        Kind, Platform, Time,
        settings::{Match, Opd, Policy, Step, StepAt},
        ticket::{StepKind, Subject},
    },
    hours::{
        calendar::Calendars,
        policy::{DEADLINE, choose, plan},
    },
};

use super::{at, calendars, kantor};

/// A policy whose steps are written as `75%`, or as seconds from the deadline.
fn policy(within: i64, steps: &[&str]) -> Policy {
    let step = |text: &&str| Step {
        text: (*text).to_owned(),
        at: match text.strip_suffix('%') {
            Some(percent) => StepAt::Percent(percent.parse().unwrap()),
            None => StepAt::Offset(SignedDuration::from_secs(text.parse().unwrap())),
        },
        notify: vec![format!("group of {text}")],
    };
    Policy {
        name: "biasa".to_owned(),
        matches: Match::default(),
        respond_within: SignedDuration::from_secs(within),
        calendar: "kantor".to_owned(),
        steps: steps.iter().map(step).collect(),
    }
}

/// Number, `at`, kind and time of each step.
fn steps(policy: &Policy, opened: &str) -> Vec<(u32, String, StepKind, Time)> {
    plan(policy, &kantor(), at(opened)).steps.into_iter().map(|step| (step.number, step.at, step.kind, step.due)).collect()
}

#[test]
fn steps_stand_in_time_order_and_count_business_time_from_opening_or_deadline() {
    use StepKind::{Breach, Escalation, Warning};
    let policy = policy(4 * 3600, &["28800", "0", "-900", "75%"]);
    // Opened an hour before closing: due at 10:00 the next morning.
    assert_eq!(
        steps(&policy, "2026-11-24T14:30:00+07:00"),
        [
            (1, "75%".to_owned(), Warning, at("2026-11-25T09:00:00+07:00")),
            (2, "-900".to_owned(), Warning, at("2026-11-25T09:45:00+07:00")),
            (3, "0".to_owned(), Breach, at("2026-11-25T10:00:00+07:00")),
            (4, "28800".to_owned(), Escalation, at("2026-11-26T09:30:00+07:00")),
        ]
    );
    let plan = plan(&policy, &kantor(), at("2026-11-24T14:30:00+07:00"));
    assert_eq!((plan.due_at, plan.beyond), (at("2026-11-25T10:00:00+07:00"), false));
    assert!(
        plan.steps.iter().all(|step| step.policy == "biasa" && step.notify == [format!("group of {}", step.at)] && step.effect.is_none())
    );
}

#[test]
fn a_percentage_is_rounded_down_to_the_second() {
    // 33 % of 100 s + 1 s are 33.33 s.
    let got = steps(&policy(101, &["33%", "100%", "150%"]), "2026-11-24T08:00:00.500+07:00");
    let due: Vec<_> = got.iter().map(|(_, _, kind, due)| (*kind, due.secs() - at("2026-11-24T08:00:00+07:00").secs())).collect();
    assert_eq!(due, [(StepKind::Warning, 33), (StepKind::Breach, 101), (StepKind::Escalation, 151)]);
}

#[test]
fn a_step_before_the_deadline_is_never_due_before_the_opening() {
    let got = steps(&policy(1800, &["-600", "-7200", "-3600"]), "2026-11-24T08:00:00+07:00");
    let opened = at("2026-11-24T08:00:00+07:00");
    assert_eq!(got[..2].iter().map(|step| (step.0, &*step.1, step.3)).collect::<Vec<_>>(), [(1, "-7200", opened), (2, "-3600", opened)]);
    assert_eq!(got[2].3, at("2026-11-24T08:20:00+07:00"));
}

#[test]
fn a_deadline_without_a_step_of_its_own_gets_a_silent_one() {
    let plan = plan(&policy(3600, &["50%", "3600"]), &kantor(), at("2026-11-24T08:00:00+07:00"));
    let got: Vec<_> = plan.steps.iter().map(|step| (step.number, &*step.at, step.kind)).collect();
    assert_eq!(got, [(1, "50%", StepKind::Warning), (0, DEADLINE, StepKind::Breach), (2, "3600", StepKind::Escalation)]);
    assert_eq!((plan.steps[1].due, &*plan.steps[1].notify), (plan.due_at, &[][..]));
    assert_eq!(steps(&policy(60, &[]), "2026-11-24T08:00:00+07:00").len(), 1);
}

#[test]
fn steps_at_one_instant_keep_the_order_of_the_configuration() {
    let got = steps(&policy(3600, &["0", "100%", "50%", "-1800"]), "2026-11-24T08:00:00+07:00");
    assert_eq!(got.iter().map(|step| (step.0, &*step.1)).collect::<Vec<_>>(), [(1, "50%"), (2, "-1800"), (3, "0"), (4, "100%")]);
}

#[test]
fn beyond_the_table_its_end_stands_in_and_the_plan_says_so() {
    let last = plan(&policy(3600, &["50%", "0", "7200"]), &kantor(), at("2050-12-30T13:15:00+07:00"));
    assert!(last.beyond && last.due_at < kantor().end(), "the last step alone lies beyond");
    assert_eq!((last.steps[2].due, last.steps[2].kind), (kantor().end(), StepKind::Escalation));
    let late = plan(&policy(3600, &["0", "60"]), &kantor(), at("2060-01-01T00:00:00Z"));
    assert!(late.beyond && late.steps.iter().all(|step| step.due == at("2060-01-01T00:00:00Z")));
}

#[test]
fn the_first_policy_of_which_everything_holds_is_chosen() {
    let named = |name: &str, matches: Match| Policy { name: name.to_owned(), matches, ..policy(60, &[]) };
    let policies = [
        named("darurat", Match { urgent: Some(true), ..Match::default() }),
        named("rsud", Match { opd: vec!["rsud".to_owned()], kind: vec![Kind::Message, Kind::Comment], ..Match::default() }),
        named("tenang", Match { platform: vec![Platform::Instagram], urgent: Some(false), ..Match::default() }),
        named("biasa", Match::default()),
    ];
    let chosen =
        |opd: &str, platform, kind, urgent| choose(&policies, &Subject { opd: opd.to_owned(), platform, kind }, urgent).name.as_str();
    assert_eq!(chosen("rsud", Platform::Facebook, Kind::Comment, true), "darurat");
    assert_eq!(chosen("rsud", Platform::Facebook, Kind::Comment, false), "rsud");
    assert_eq!(chosen("rsud", Platform::Facebook, Kind::Post, false), "biasa");
    assert_eq!(chosen("rsud", Platform::Instagram, Kind::Post, false), "tenang");
    assert_eq!(chosen("dukcapil", Platform::Facebook, Kind::Message, false), "biasa");
}

#[test]
fn an_opds_calendar_replaces_the_policys_unless_that_is_always() {
    let mut specs = calendars::shipped();
    let always = calendars::read("[[calendar]]\nname = \"always\"\ntimezone = \"UTC\"\nhours = { mon-sun = [\"00:00-24:00\"] }");
    specs.extend(always);
    let calendars = Calendars::new(&specs);
    let opd = |calendar: Option<&str>| Opd {
        slug: "rsud".to_owned(),
        name: "RSUD".to_owned(),
        abbreviation: "RSUD".to_owned(),
        kind: None,
        parent: None,
        expects: vec![],
        staff: vec![],
        calendar: calendar.map(str::to_owned),
        accounts: vec![],
    };
    let urgent = Policy { calendar: "always".to_owned(), ..policy(60, &[]) };
    let name = |policy: &Policy, calendar| calendars.calendar_for(policy, &opd(calendar)).spec.name.clone();
    assert_eq!(name(&policy(60, &[]), None), "kantor");
    assert_eq!(name(&policy(60, &[]), Some("enam-hari")), "enam-hari");
    assert_eq!(name(&urgent, Some("enam-hari")), "always");
}
