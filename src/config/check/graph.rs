//! `[graph]` with its apps and sources, and `[poll]`.

use secrecy::SecretString;

use super::{Context, unique};
use crate::{
    config::{
        read::{Table, to_mend},
        words,
    },
    domain::settings::{App, Graph, Poll, TokenSource},
};

pub(super) fn graph(table: &mut Table, context: &Context) -> Graph {
    let app = App {
        id: table.parsed("app_id", "a text", words::digits).map(|it| it.value),
        secret: app_secret(table, "app_secret", context),
        instagram_secret: app_secret(table, "instagram_app_secret", context),
    };
    let verify = table.parsed("verify_token", words::SECRET, |text| context.vault.read(text));
    if let Some(verify) = &verify
        && !table.has("app_secret")
    {
        table.findings.problem(&verify.spot, "turns on /webhooks/meta, whose signatures need graph.app_secret: set it too");
    }
    let mut apps = Vec::new();
    for mut table in table.tables("app") {
        let name = table.needed_text("name");
        let id = table.parsed("id", "a text", words::digits).map(|it| it.value);
        let secret = app_secret(&mut table, "secret", context);
        apps.push((name, App { id, secret, instagram_secret: app_secret(&mut table, "instagram_secret", context) }));
    }
    unique(apps.iter().map(|(name, _)| name), "the name", table.findings);
    let mut sources = Vec::new();
    for mut table in table.tables("source") {
        table.require("token", words::SECRET);
        let token = table.secret("token", context.vault);
        let app = table.named("app", &context.names.apps, "[[graph.app]]").map(|it| it.value);
        sources.extend(token.map(|token| TokenSource { token, app }));
    }
    Graph {
        url: base(table, "url"),
        instagram_url: base(table, "instagram_url"),
        version: table.needed("version", "a version of the Graph API such as \"v25.0\"", version).map_or_else(String::new, |it| it.value),
        app,
        apps: apps.into_iter().map(|(name, app)| (name.value, app)).collect(),
        sources,
        verify_token: verify.map(|it| it.value.value),
        timeout: table.positive("timeout").value,
    }
}

fn app_secret<'a>(table: &mut Table<'a>, name: &'a str, context: &Context) -> Option<SecretString> {
    table.parsed(name, words::SECRET, |reference| context.vault.read_app(reference)).map(|found| found.value.value)
}

fn base(table: &mut Table, name: &'static str) -> String {
    table.needed(name, "a URL", words::base_url).map_or_else(String::new, |it| it.value)
}

fn version(text: &str) -> Result<String, String> {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let right = text.strip_prefix('v').and_then(|rest| rest.split_once('.')).is_some_and(|(major, minor)| number(major) && number(minor));
    if right { Ok(text.to_owned()) } else { Err(format!("\"{text}\" is no version of the Graph API: write it as \"v25.0\"")) }
}

pub(super) fn poll(table: &mut Table) -> Poll {
    let (interval, idle) = (table.positive("interval"), table.positive("idle_interval"));
    if idle.value < interval.value && !idle.is_zero() {
        let text = "poll.idle_interval is shorter than poll.interval: an account without news is read less often, not more";
        table.findings.problem(to_mend(&interval, &idle), text);
    }
    Poll {
        interval: interval.value,
        idle_interval: idle.value,
        backfill: table.duration("backfill").value,
        comment_horizon: table.positive("comment_horizon").value,
        sweep_interval: table.positive("sweep_interval").value,
        concurrency: table.count("concurrency", 1000),
        verify_within: table.positive("verify_within").value,
        confirm_gone: table.positive("confirm_gone").value,
    }
}
