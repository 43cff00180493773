//! With what right an account is read: its own token, a refreshed Instagram token, or a Page token out of a `[[graph.source]]`.
//! Shared by all passes. A token that died is looked for again where it came from.
//!
//! `source` fetches, `seal` encrypts what is kept, `life` examines, refreshes and warns, `judge` (pure) says what a token is good for.

mod judge;
mod life;
mod seal;
mod source;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

pub use judge::{Fault, expires_at, judge};
pub use life::{Memo, expiring, tend, trust};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use tracing::{info, warn};

use self::{
    seal::Seal,
    source::{Asker, Sources},
};
use super::pass::PassError;
use crate::{
    domain::{
        Platform, SharedSettings, Time,
        settings::{AccountSpec, App, Settings, Token},
    },
    graph::{Access, Client},
    runtime::{held, metrics::Metrics},
    store::tokens::Kept,
};

/// Reads a configured token again where it came from; `None`: nothing better stands there.
pub type Reread = Arc<dyn Fn(&Token) -> Option<SecretString> + Send + Sync>;

/// With what an account is read now.
#[derive(Clone, Debug)]
pub struct Held {
    /// Host, token and proof.
    pub access: Access,
    /// The app the token was made for.
    pub app: App,
    /// Fingerprint of the token that the configuration or a source gave; a refreshed one descends from it.
    pub origin: String,
    /// When the refreshed token was given out and when it runs out, if that is what is used.
    pub refreshed: Option<(Time, Time)>,
}

/// The tokens of every account.
pub struct Tokens {
    settings: SharedSettings,
    client: Client,
    metrics: Metrics,
    reread: Reread,
    seal: Option<Seal>,
    /// Values that were read again since start, by platform and Meta's id.
    newer: Mutex<HashMap<(Platform, String), SecretString>>,
    sources: tokio::sync::Mutex<Sources>,
    /// Refreshed tokens that Meta refused, by their fingerprints: they do not hide the configured one.
    dead: Mutex<HashSet<String>>,
    /// Whether the tokens that were examined since start are good for reading, by their fingerprints.
    judged: Mutex<HashMap<String, bool>>,
}

/// Tells tokens apart where none may be shown: the first half of its SHA-256, in hex.
fn fingerprint(token: &SecretString) -> String {
    hex::encode(&Sha256::digest(token.expose_secret())[..16])
}

/// The Page whose token reads an account at `graph.facebook.com`.
fn page_of(spec: &AccountSpec) -> Option<&str> {
    if spec.platform == Platform::Facebook { Some(&spec.id) } else { spec.page.as_deref() }
}

impl Tokens {
    /// Nothing is fetched before the first account asks.
    pub fn new(settings: SharedSettings, client: Client, metrics: Metrics, reread: Reread) -> Self {
        let seal = settings.secrets_key.as_ref().and_then(Seal::new);
        let sources = tokio::sync::Mutex::new(Sources::new(&settings));
        Self { settings, client, metrics, reread, seal, newer: Mutex::default(), sources, dead: Mutex::default(), judged: Mutex::default() }
    }

    /// With what an account is read; `kept` is its refreshed token, if there is one.
    pub async fn of(&self, spec: &AccountSpec, kept: Option<&Kept>, now: Time) -> Result<Held, PassError> {
        let graph = &self.settings.graph;
        let Some(own) = self.own(spec) else { return self.fetched(spec, None, now).await };
        let (origin, app) = (fingerprint(&own), graph.app(spec.app.as_deref()));
        let kept = kept.filter(|kept| kept.origin == origin);
        let opened = kept.and_then(|kept| self.seal.as_ref()?.open(&spec.id, &kept.sealed));
        if kept.is_some() && opened.is_none() {
            warn!(account = spec.id, "the refreshed token can't be opened with this secrets.key: the configured one is used");
        }
        let opened = opened.filter(|token| !held(&self.dead).contains(&fingerprint(token)));
        let refreshed = kept.filter(|_| opened.is_some()).map(|kept| (kept.issued_at, kept.expires_at));
        Ok(Held { access: Access::of(spec.login, app, opened.unwrap_or(own)), app: app.clone(), origin, refreshed })
    }

    /// After this token failed: looks for another one. Whether there is one.
    pub async fn renew(&self, spec: &AccountSpec, failed: &Held, now: Time) -> bool {
        let dead = failed.origin.as_str();
        let refused = fingerprint(&failed.access.token);
        let newer = if failed.refreshed.is_some() && refused != dead {
            // A refreshed one out of an old copy may have died long ago; what it descends from may not.
            held(&self.dead).insert(refused);
            true
        } else if let (Some(token), Some(own)) = (&spec.token, self.own(spec)) {
            if let Some(value) = (self.reread)(&Token { value: own, origin: token.origin.clone() }) {
                self.newer.lock().unwrap_or_else(PoisonError::into_inner).insert((spec.platform, spec.id.clone()), value);
            }
            self.own(spec).is_some_and(|own| fingerprint(&own) != dead)
        } else {
            self.fetched(spec, Some(dead), now).await.is_ok_and(|held| held.origin != dead)
        };
        if newer {
            info!(
                event = "token.renewed",
                account = spec.id,
                platform = spec.platform.word(),
                "another token was found; it is tried at once"
            );
        }
        newer
    }

    fn own(&self, spec: &AccountSpec) -> Option<SecretString> {
        let newer = self.newer.lock().unwrap_or_else(PoisonError::into_inner).get(&(spec.platform, spec.id.clone())).cloned();
        newer.or_else(|| spec.token.as_ref().map(|token| token.value.clone()))
    }

    async fn fetched(&self, spec: &AccountSpec, dead: Option<&str>, now: Time) -> Result<Held, PassError> {
        let page = page_of(spec).ok_or(PassError::NoToken)?;
        let settings: &Settings = &self.settings;
        let asker = Asker { settings, client: &self.client, metrics: &self.metrics, reread: &self.reread };
        let found = self.sources.lock().await.page(page, dead, asker, now).await.map_err(PassError::Source)?;
        let found = found.ok_or(PassError::NoToken)?;
        let app = settings.graph.app(found.app.as_deref());
        let origin = fingerprint(&found.token);
        Ok(Held { access: Access::of(spec.login, app, found.token), app: app.clone(), origin, refreshed: None })
    }
}
