//! With what every configured account is asked by a command beside the daemon: the tokens that the daemon would use.

use std::sync::Arc;

use secrecy::ExposeSecret as _;

use crate::{
    domain::{
        Time,
        account::Login,
        settings::{AccountSpec, Opd, Settings},
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
    let keys = Keys::open(settings, client).await;
    let mut accounts = Vec::new();
    for (opd, spec) in settings.accounts() {
        accounts.push(keys.of(opd, spec, now).await?);
    }
    Ok(accounts)
}

/// What opens accounts.
pub(super) struct Keys {
    tokens: Tokens,
    db: Option<Db>,
}

impl Keys {
    pub(super) async fn open(settings: &Settings, client: &Client) -> Self {
        // Refreshed tokens stand in the database; before the first start there is none, and none of them.
        let db = if settings.accounts().any(|(_, spec)| spec.login == Login::Instagram) {
            Db::open_existing(settings.database.url.expose_secret()).await.ok()
        } else {
            None
        };
        let tokens = Tokens::new(Arc::new(settings.clone()), client.clone(), Metrics::default(), Arc::new(super::reread));
        Self { tokens, db }
    }

    pub(super) async fn of<'a>(&self, opd: &Opd, spec: &'a AccountSpec, now: Time) -> anyhow::Result<Account<'a>> {
        let kept = match &self.db {
            Some(db) => store::tokens::kept(db, spec.platform, &spec.id).await?,
            None => None,
        };
        let held = self.tokens.of(spec, kept.as_ref(), now).await.map_err(|failed| failed.to_string());
        Ok(Account { what: format!("{} {} ({})", spec.platform, spec.id, opd.slug), spec, held })
    }
}
