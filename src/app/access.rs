//! With what every configured account is asked by a command beside the daemon: the tokens that the daemon would use.

use std::sync::Arc;

use secrecy::ExposeSecret as _;

use crate::{
    domain::{
        Time,
        account::Login,
        settings::{AccountSpec, Settings},
    },
    graph::Client,
    poll::tokens::{Held, Tokens},
    runtime::metrics::Metrics,
    store::{self, Db},
};

/// An account as people name it, and what opens it or why nothing does.
pub(super) struct Account<'a> {
    pub what: String,
    pub spec: &'a AccountSpec,
    pub held: Result<Held, String>,
}

/// Every account, in the order of the configuration.
pub(super) async fn accounts<'a>(settings: &'a Settings, client: &Client, now: Time) -> anyhow::Result<Vec<Account<'a>>> {
    let tokens = Tokens::new(Arc::new(settings.clone()), client.clone(), Metrics::default(), Arc::new(super::reread));
    // Refreshed tokens stand in the database; before the first start there is none, and none of them.
    let db = if settings.accounts().any(|(_, spec)| spec.login == Login::Instagram) {
        Db::open_existing(settings.database.url.expose_secret()).await.ok()
    } else {
        None
    };
    let mut accounts = Vec::new();
    for (opd, spec) in settings.accounts() {
        let kept = match &db {
            Some(db) => store::tokens::kept(db, spec.platform, &spec.id).await?,
            None => None,
        };
        let held = tokens.of(spec, kept.as_ref(), now).await.map_err(|failed| failed.to_string());
        accounts.push(Account { what: format!("{} {} ({})", spec.platform, spec.id, opd.slug), spec, held });
    }
    Ok(accounts)
}
