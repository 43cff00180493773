//! `[[opd]]` and its accounts.

use super::{Context, unique, whole};
use crate::{
    config::{
        problem::Spot,
        read::{Found, Table},
        words,
    },
    domain::{
        Platform, Source,
        account::Login,
        settings::{AccountSpec, Opd, OpdKind},
    },
};

pub(super) fn opds(root: &mut Table, context: &Context, sealed: bool) -> Vec<Opd> {
    let (mut slugs, mut ids, mut opds) = (Vec::new(), Vec::new(), Vec::new());
    for mut table in root.tables("opd") {
        let (slug, opd) = opd(&mut table, context);
        let mut accounts = Vec::new();
        for mut table in table.tables("account") {
            if let Some(account) = account(&mut table, context, sealed, &mut ids) {
                accounts.push(account);
            }
        }
        slugs.push(slug);
        opds.push(Opd { accounts, ..opd });
    }
    unique(&slugs, "the slug", root.findings);
    unique(&ids, "the account", root.findings);
    parents(&slugs, &opds, root);
    if ids.is_empty() && !context.vault.before_accounts() {
        root.findings.problem(&whole(root, "opd"), "no OPD has an account: write at least one [[opd]] with an [[opd.account]]");
    }
    opds
}

fn opd(table: &mut Table, context: &Context) -> (Found<String>, Opd) {
    let slug = table.needed("slug", "a short name such as \"dindukcapil\"", words::slug_as_written);
    let slug = slug.unwrap_or_else(|| Found { value: String::new(), spot: table.spot.clone() });
    let name = table.needed_text("name").value;
    let opd = Opd {
        slug: slug.value.clone(),
        abbreviation: table.text("abbreviation").map_or_else(|| name.clone(), |it| it.value),
        name,
        kind: table.word("kind", OpdKind::ALL, OpdKind::word),
        parent: table.named("parent", &context.names.opds, "[[opd]]").map(|it| it.value),
        expects: distinct(table.list("expects", "a list of platforms", |text| words::in_words(text, Platform::ALL, Platform::word))),
        staff: table.list("staff", "a list of profiles", profile).map_or_else(Vec::new, |it| it.value),
        calendar: table.named("calendar", &context.names.calendars, "calendar").map(|it| it.value),
        accounts: Vec::new(),
    };
    (slug, opd)
}

fn profile(text: &str) -> Result<String, String> {
    match text.strip_prefix('@').unwrap_or(text) {
        "" => Err("is no profile: write a user name or an id".into()),
        name => Ok(name.to_owned()),
    }
}

fn distinct<T: PartialEq>(list: Option<Found<Vec<T>>>) -> Vec<T> {
    let mut kept = Vec::new();
    for item in list.map_or_else(Vec::new, |it| it.value) {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}

/// No agency may stand above itself.
fn parents(slugs: &[Found<String>], opds: &[Opd], root: &Table) {
    let above = |slug: &str| opds.iter().find(|opd| opd.slug == slug).and_then(|opd| opd.parent.as_deref());
    for (slug, opd) in slugs.iter().zip(opds) {
        let line = std::iter::successors(opd.parent.as_deref(), |slug| above(slug)).take(opds.len());
        if line.into_iter().any(|it| it == opd.slug) {
            root.findings.problem(&slug.spot, format!("\"{}\" stands above itself: look at its parent", opd.slug));
        }
    }
}

/// An account; `None` without a platform, which has been said. Its identity is added to `ids`.
fn account(table: &mut Table, context: &Context, sealed: bool, ids: &mut Vec<Found<String>>) -> Option<AccountSpec> {
    let platform = table.needed("platform", "facebook or instagram", |text| words::in_words(text, Platform::ALL, Platform::word));
    let id = table.needed("id", "the id of a page or Instagram professional account", words::digits);
    let login = table.parsed("login", "a text", |text| words::in_words(text, Login::ALL, Login::word));
    let page = table.parsed("page", "a text", words::digits);
    let token = table.secret("token", context.vault);
    let app = table.named("app", &context.names.apps, "[[graph.app]]");
    let sources = table.list("sources", "a list of sources", |text| words::in_words(text, Source::ALL, Source::word));
    if let Some(sources) = &sources
        && sources.is_empty()
    {
        table.findings.problem(&sources.spot, "names nothing to read: leave it out if everything is meant");
    }
    let findings = table.findings;
    let key = Spot { key: format!("{}.platform", table.spot.key), ..table.spot.clone() };
    let (platform, id) = match (platform, id) {
        (Some(platform), id) => (platform.value, id.unwrap_or(Found { value: String::new(), spot: key })),
        (None, _) => return None,
    };
    if !id.is_empty() {
        ids.push(Found { value: format!("{platform} {}", id.value), spot: id.spot.clone() });
    }
    let uses = login.as_ref().map_or(Login::Facebook, |it| it.value);
    match (platform, uses, &login) {
        (Platform::Facebook, Login::Instagram, Some(login)) => {
            findings.problem(&login.spot, "\"instagram\" is for accounts with platform = \"instagram\"");
        }
        (Platform::Instagram, Login::Instagram, Some(login)) if !sealed => {
            findings.problem(
                &login.spot,
                "\"instagram\" needs secrets.key, which encrypts the refreshed token: set it, for example to credential:token-key",
            );
        }
        (Platform::Facebook, ..) => {
            if let Some(page) = &page {
                findings.warning(&page.spot, "is never used: it is for Instagram accounts");
            }
        }
        (Platform::Instagram, Login::Facebook, _) => table.require("page", "the id of the linked page, as the login is \"facebook\""),
        _ => {}
    }
    if uses == Login::Instagram || !context.names.has_source {
        let from_source = if uses == Login::Facebook { ", or a [[graph.source]] to fetch it by" } else { "" };
        table.require("token", &format!("{}{from_source}", words::SECRET));
    }
    let all: &[Source] = match platform {
        Platform::Facebook => Source::ALL,
        Platform::Instagram => &[Source::Messages, Source::Comments, Source::Mentions],
    };
    Some(AccountSpec {
        platform,
        id: id.value,
        page: page.map(|it| it.value),
        login: uses,
        token,
        app: app.map(|it| it.value),
        sources: if sources.is_some() { distinct(sources) } else { all.to_vec() },
    })
}
