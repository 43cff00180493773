//! `accounts subscribe`: asks Meta to post to `/webhooks/meta` what happens at every configured account.

use std::collections::{BTreeMap, BTreeSet};

use super::{Checked, access};
use crate::{
    domain::{
        Platform, Source, Time,
        account::Login,
        settings::{AccountSpec, Settings},
    },
    graph::{Access, Client, Request, facebook, instagram, wire::account::Done},
    runtime::{Clock as _, SystemClock, http},
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
    let now = Time::from_timestamp(SystemClock.now());
    let mut tried = Vec::new();
    // A call replaces what was subscribed before: a Page and the Instagram account linked to it share one.
    let mut calls: BTreeMap<(Login, &str), Subscription> = BTreeMap::new();
    for access::Account { what, spec, held } in access::accounts(settings, &client, now).await? {
        let access = match held {
            Ok(held) => held.access,
            Err(why) => {
                tried.push(Checked { what, outcome: Err(why) });
                continue;
            }
        };
        let owner = match (spec.platform, spec.login, &spec.page) {
            (Platform::Instagram, Login::Facebook, Some(page)) => page,
            _ => &spec.id,
        };
        let none = || Subscription { accounts: Vec::new(), access, fields: BTreeSet::new() };
        let call = calls.entry((spec.login, owner)).or_insert_with(none);
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
