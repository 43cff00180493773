//! From the layered tree to [`Settings`]: one file a section. What is wrong is noted and replaced by something harmless, so that the
//! checks after it still run; settings with a problem never leave `config::load`.

mod calendar;
mod canned;
mod channel;
mod graph;
mod letter;
mod official;
mod oidc;
mod opd;
mod policy;
mod reach;
mod site;

use std::path::Path;

use config::{Map, Value, ValueKind};

use super::{
    layer::Layered,
    problem::{Findings, Spot},
    read::{Found, Table},
    secret::Vault,
};
use crate::domain::settings::Settings;

/// The calendar on which a day is 24 hours.
const ALWAYS: &str = "always";

/// The group that is never empty, as the log is its channel.
const OPERATOR: &str = "operator";

/// The group of those who are told of the agency above a ticket's OPD.
const PARENT: &str = "parent";

/// Every name that something else refers to, taken before anything is checked, so that the order of sections does not matter.
struct Names {
    opds: Vec<String>,
    calendars: Vec<String>,
    apps: Vec<String>,
    /// Whether a `[[graph.source]]` is there to fetch tokens by.
    has_source: bool,
    webhooks: Vec<String>,
    groups: Vec<String>,
}

impl Names {
    fn of(root: &Map<String, Value>) -> Self {
        let (graph, channel) = (table(root, "graph"), table(root, "channel"));
        let mut groups = all(Some(root), "official", "group");
        groups.extend(channel.and_then(|it| text(table(it, "alertmanager")?, "group")));
        groups.extend([OPERATOR.to_owned(), PARENT.to_owned()]);
        Self {
            opds: all(Some(root), "opd", "slug"),
            calendars: all(Some(root), "calendar", "name"),
            apps: all(graph, "app", "name"),
            has_source: !list(graph, "source").is_empty(),
            webhooks: all(channel, "webhook", "name"),
            groups,
        }
    }
}

fn table<'a>(within: &'a Map<String, Value>, key: &str) -> Option<&'a Map<String, Value>> {
    match &within.get(key)?.kind {
        ValueKind::Table(table) => Some(table),
        _ => None,
    }
}
fn text(within: &Map<String, Value>, key: &str) -> Option<String> {
    match &within.get(key)?.kind {
        ValueKind::String(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}
fn list<'a>(within: Option<&'a Map<String, Value>>, key: &str) -> &'a [Value] {
    match within.and_then(|it| it.get(key)).map(|it| &it.kind) {
        Some(ValueKind::Array(items)) => items,
        _ => &[],
    }
}
/// The text at `key` of every table of a list.
fn all(within: Option<&Map<String, Value>>, name: &str, key: &str) -> Vec<String> {
    let of = |item: &Value| match &item.kind {
        ValueKind::Table(table) => text(table, key),
        _ => None,
    };
    list(within, name).iter().filter_map(of).collect()
}

/// What the checks share.
struct Context<'a> {
    names: Names,
    vault: &'a Vault<'a>,
    /// The folder of the main file, to which files of holidays are relative.
    folder: &'a Path,
}

/// Checks everything.
pub(super) fn settings(layered: &Layered, vault: &Vault, findings: &Findings) -> Settings {
    let folder = layered.file.parent().unwrap_or(Path::new(""));
    let context = Context { names: Names::of(&layered.root), vault, folder };
    let mut root = Table::root(&layered.root, layered.file.clone(), findings);

    let site = site::site(&mut root.section("site"));
    let language = site.language;
    let calendars = calendar::calendars(&mut root, &site.timezone, &context);
    let channels = channel::channels(&mut root.section("channel"), &context);
    let (officials, policies) = (official::officials(&mut root, &channels, &context), policy::policies(&mut root, &context));
    let mut secrets = root.section("secrets");
    let (secrets_key, sealed) = (secrets.secret("key", vault).map(|key| key.value), secrets.has("key"));
    drop(secrets);
    let opds = opd::opds(&mut root, &context, sealed);
    reach::warn(&policies, &opds, &officials, &channels, findings);
    let http = site::http(&mut root.section("http"));
    let oidc = root.table("oidc").map(|mut table| oidc::oidc(&mut table, &http, &context));
    Settings {
        site,
        database: site::database(&mut root.section("database"), vault),
        log: site::log(&mut root.section("log")),
        http,
        oidc,
        graph: graph::graph(&mut root.section("graph"), &context),
        poll: graph::poll(&mut root.section("poll")),
        sla: site::sla(&mut root.section("sla")),
        heartbeat: site::heartbeat(&mut root.section("heartbeat")),
        letter: letter::letter(&mut root.section("letter"), language, &context),
        canned: canned::canned(&mut root, &context),
        retention_closed: root.section("retention").positive("closed").value,
        secrets_key,
        calendars,
        policies: policies.into_iter().map(|checked| checked.policy).collect(),
        officials,
        channels,
        opds,
    }
}

/// Notes every name that was used before.
fn unique<'a>(names: impl IntoIterator<Item = &'a Found<String>>, what: &str, findings: &Findings) {
    let mut seen: Vec<&Found<String>> = Vec::new();
    for name in names {
        match seen.iter().find(|it| it.value == name.value) {
            _ if name.is_empty() => {}
            Some(first) => findings.problem(&name.spot, format!("{what} \"{}\" is already used at {}", name.value, first.spot.place)),
            None => seen.push(name),
        }
    }
}

/// The spot of a file as a whole, for what is wrong because it is not there.
fn whole(root: &Table, key: &str) -> Spot {
    Spot { place: root.spot.place.clone(), key: key.to_owned() }
}
