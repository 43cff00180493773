//! `accounts subscribe`: asks Meta to post to `/webhooks/meta` what happens at every configured account.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;

use super::Checked;
use crate::{
    domain::{
        Platform, Source,
        account::Login,
        settings::{AccountSpec, Settings},
    },
    graph::{Access, Client, Host, Request, facebook, instagram, wire::account::Done},
    runtime::http,
};

/// One call: with what right, for which accounts, for which fields.
struct Subscription {
    accounts: Vec<String>,
    access: Access,
    fields: BTreeSet<&'static str>,
}

/// Sets the subscriptions, and says per account what was set or why not.
pub async fn subscribe(settings: &Settings) -> anyhow::Result<Vec<Checked>> {
    let client = Client::new(http::client(settings.graph.timeout.unsigned_abs())?, &settings.graph);
    let mut tried = Vec::new();
    // A call replaces what was subscribed before: a Page and the Instagram account linked to it share one.
    let mut calls: BTreeMap<(Login, &str), Subscription> = BTreeMap::new();
    for (opd, spec) in settings.accounts() {
        let what = format!("{} {} ({})", spec.platform, spec.id, opd.slug);
        let Some(token) = &spec.token else {
            tried.push(Checked { what, outcome: Err("no token: give the account a `token`".to_owned()) });
            continue;
        };
        let owner = match (spec.platform, spec.login, &spec.page) {
            (Platform::Instagram, Login::Facebook, Some(page)) => page,
            _ => &spec.id,
        };
        let call = calls.entry((spec.login, owner)).or_insert_with(|| Subscription {
            accounts: Vec::new(),
            access: access(settings, spec, token.value.clone()),
            fields: BTreeSet::new(),
        });
        call.accounts.push(what);
        call.fields.extend(fields(spec));
    }
    for ((login, owner), Subscription { accounts, access, fields }) in calls {
        let fields = fields.into_iter().collect::<Vec<_>>().join(",");
        let request: Request = match login {
            Login::Facebook => facebook::subscribe(owner, &fields),
            Login::Instagram => instagram::subscribe(&fields),
        };
        let outcome = match client.post::<Done>(&access, &request).await {
            Ok(answer) if answer.value.success == Some(true) => Ok(format!("subscribed to {fields}")),
            Ok(_) => Err("Meta did not say that it was done: look at the app's dashboard, Webhooks".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        tried.extend(accounts.into_iter().map(|what| Checked { what, outcome: outcome.clone() }));
    }
    Ok(tried)
}

fn access(settings: &Settings, spec: &AccountSpec, token: SecretString) -> Access {
    let app = spec.app.as_ref().and_then(|name| settings.graph.apps.get(name)).unwrap_or(&settings.graph.app);
    let host = Host::from(spec.login);
    let secret = if host == Host::Facebook { app.secret.clone() } else { app.instagram_secret.clone() };
    Access { host, token, secret }
}

/// The fields of an account's sources (page reference, `subscribed_fields`; Instagram Login's `subscribed_apps`). With Facebook Login the
/// fields of Instagram itself are chosen in the app's dashboard; the linked Page only has to be subscribed to something.
fn fields(spec: &AccountSpec) -> Vec<&'static str> {
    let of = |source: &Source| -> &'static [&'static str] {
        match (spec.platform, spec.login, source) {
            (Platform::Facebook, _, Source::Messages) => &["messages", "message_echoes", "message_edits"],
            (Platform::Facebook, _, Source::Comments | Source::Posts) | (Platform::Instagram, Login::Facebook, _) => &["feed"],
            (Platform::Facebook, _, Source::Reviews) => &["ratings"],
            (Platform::Facebook, _, Source::Mentions) => &["mention"],
            (Platform::Instagram, Login::Instagram, Source::Messages) => &["messages", "message_edit"],
            (Platform::Instagram, Login::Instagram, Source::Comments) => &["comments", "live_comments"],
            (Platform::Instagram, Login::Instagram, Source::Mentions) => &["mentions"],
            (Platform::Instagram, Login::Instagram, Source::Posts | Source::Reviews) => &[],
        }
    };
    spec.sources.iter().flat_map(of).copied().collect()
}
