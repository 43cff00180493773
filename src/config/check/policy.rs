//! `[[policy]]`: how fast, by which calendar, who hears of it.

use jiff::SignedDuration;

use super::{ALWAYS, Context, unique, whole};
use crate::{
    config::{
        problem::Spot,
        read::{Found, Table},
        words,
    },
    domain::{
        Kind, Platform,
        settings::{Match, Policy, Step, StepAt},
    },
};

/// A policy, and what the checks after it need to know.
pub(super) struct Checked {
    pub policy: Policy,
    /// Whether something stands in its `match`.
    has_match: bool,
    /// Where each step stands.
    pub steps: Vec<Spot>,
}

pub(super) fn policies(root: &mut Table, context: &Context) -> Vec<Checked> {
    let tables = root.tables("policy");
    if tables.is_empty() {
        root.findings.problem(&whole(root, "policy"), "is missing: write at least one [[policy]], the last one without match");
    }
    let mut names = Vec::new();
    let mut policies: Vec<Checked> = Vec::new();
    let mut takes_rest: Option<String> = None;
    let last = tables.len().saturating_sub(1);
    for (number, mut table) in tables.into_iter().enumerate() {
        let name = table.needed_text("name");
        let checked = policy(&mut table, name.value.clone(), context);
        match &takes_rest {
            Some(first) => table
                .findings
                .problem(&table.spot, format!("can never apply: policy \"{first}\" before it has no match and takes everything")),
            None if checked.has_match && number == last => {
                table
                    .findings
                    .problem(&table.spot, "is the last policy and has a match: the last one takes everything else, so it has none");
            }
            None if !checked.has_match => takes_rest = Some(name.value.clone()),
            None => {}
        }
        names.push(name);
        policies.push(checked);
    }
    unique(&names, "the name", root.findings);
    policies
}

fn policy(table: &mut Table, name: String, context: &Context) -> Checked {
    let calendar = table.needed("calendar", "the name of a calendar", |text| words::one_of(text, &context.names.calendars, "calendar"));
    let business = calendar.as_ref().is_some_and(|calendar| calendar.value != ALWAYS);
    let within = table.needed("respond_within", words::DURATION, |text| match words::sla_duration(text, business)? {
        it if it < SignedDuration::from_secs(1) => Err("must be a second or more".into()),
        it => Ok(it),
    });
    let within = within.map_or(SignedDuration::MAX, |it| it.value);
    let mut steps: Vec<(Spot, Step)> = Vec::new();
    for mut table in table.tables("step") {
        let at = table
            .needed("at", "a share of respond_within or an offset from the deadline", |text| Ok((text, words::step_at(text, business)?)));
        let notify =
            table.list("notify", "a list of groups", |text| words::one_of(text, &context.names.groups, "group of an official or channel"));
        if !table.has("notify") || notify.as_ref().is_some_and(|notify| notify.is_empty()) {
            table.findings.problem(&table.spot, "notifies nobody: write notify = [\"operator\"], or another group");
        }
        let Some(Found { value: (text, at), spot }) = at else { continue };
        match at {
            StepAt::Offset(offset) if offset.saturating_add(within) < SignedDuration::ZERO => {
                table.findings.problem(&spot, format!("\"{text}\" lies before the message: respond_within is shorter"));
            }
            _ if steps.iter().any(|(_, other)| other.at == at) => {
                table.findings.problem(&spot, format!("another step is at \"{text}\" too: notify both in one"));
            }
            _ => {}
        }
        steps.push((table.spot.clone(), Step { text: text.to_owned(), at, notify: notify.map_or_else(Vec::new, |it| it.value) }));
    }
    let mut matches = table.table("match");
    // Wrong inside or out, a match is a match: what it takes is not guessed.
    let has_match = table.has("match") && matches.as_ref().is_none_or(|it| !it.names().is_empty());
    let matches = matches.as_mut().map(|table| matching(table, context)).unwrap_or_default();
    let (spots, steps) = steps.into_iter().unzip();
    let calendar = calendar.map_or_else(String::new, |it| it.value);
    Checked { policy: Policy { name, matches, respond_within: within, calendar, steps }, has_match, steps: spots }
}

fn matching(table: &mut Table, context: &Context) -> Match {
    let opd = table.list("opd", "a list of slugs", |text| words::one_of(text, &context.names.opds, "[[opd]]"));
    let platform = table.list("platform", "a list of platforms", |text| words::in_words(text, Platform::ALL, Platform::word));
    let kind = table.list("kind", "a list of kinds", |text| words::in_words(text, Kind::ALL, Kind::word));
    Match { opd: any(table, opd), platform: any(table, platform), kind: any(table, kind), urgent: table.flag("urgent") }
}

/// A list of a match. An empty one would match nothing, which nobody means.
fn any<T>(table: &Table, list: Option<Found<Vec<T>>>) -> Vec<T> {
    let Some(list) = list else { return Vec::new() };
    if list.is_empty() {
        table.findings.problem(&list.spot, "names nothing: leave it out if everything is meant");
    }
    list.value
}
