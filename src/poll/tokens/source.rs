//! Page tokens out of `[[graph.source]]`: fetched when they are first wanted and after one died, kept in memory only.

use std::collections::{BTreeSet, HashMap};

use jiff::SignedDuration;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use tracing::{debug, info, warn};

use super::{Reread, fingerprint};
use crate::{
    domain::{
        Platform, Time,
        account::Login,
        settings::{App, Settings, Token},
    },
    graph::{
        Access, Client, GraphError, Next, Request, facebook,
        wire::{List, Node, account},
    },
    runtime::metrics::Metrics,
};

/// Accounts whose tokens died together ask once: no new fetch so soon after the last.
const REST: SignedDuration = SignedDuration::from_mins(1);
/// 100 Pages each: more than any source lists.
const LISTS_MAX: usize = 50;

/// What the sources gave.
pub(super) struct Sources {
    /// The sources' own tokens, as last read.
    tokens: Vec<Token>,
    pages: HashMap<String, Page>,
    fetched_at: Option<Time>,
    failed: Option<GraphError>,
}

/// A Page's token, with the app it was made for.
#[derive(Clone)]
pub(super) struct Page {
    pub token: SecretString,
    pub app: Option<String>,
}

/// With what they are asked.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub settings: &'a Settings,
    pub client: &'a Client,
    pub metrics: &'a Metrics,
    pub reread: &'a Reread,
}

impl Asker<'_> {
    async fn get<T: DeserializeOwned>(&self, access: &Access, request: &Request) -> Result<T, GraphError> {
        let answer = self.client.get(access, request).await;
        let outcome = answer.as_ref().map_or_else(|error| error.next.word(), |_| "ok");
        self.metrics.graph_request(Platform::Facebook.word(), request.endpoint, outcome);
        answer.map(|answer| answer.value)
    }
}

impl Sources {
    pub fn new(settings: &Settings) -> Self {
        let tokens = settings.graph.sources.iter().map(|source| source.token.clone()).collect();
        Self { tokens, pages: HashMap::new(), fetched_at: None, failed: None }
    }

    /// The token of a Page; fetched if none is known, or only the one of this fingerprint, which died. Without one, what the last
    /// fetch failed by, if it failed.
    pub async fn page(&mut self, page: &str, dead: Option<&str>, asker: Asker<'_>, now: Time) -> Result<Option<Page>, GraphError> {
        let good = |found: &Page| dead.is_none_or(|dead| fingerprint(&found.token) != dead);
        if !self.pages.get(page).is_some_and(good) && self.fetched_at.is_none_or(|at| now.since(at) >= REST) {
            self.fetched_at = Some(now);
            self.fetch(asker).await;
        }
        match (self.pages.get(page), &self.failed) {
            (Some(found), _) => Ok(Some(found.clone())),
            (None, Some(failed)) => Err(failed.clone()),
            (None, None) => Ok(None),
        }
    }

    async fn fetch(&mut self, asker: Asker<'_>) {
        self.failed = None;
        for at in 0..self.tokens.len() {
            let mut found = self.ask(at, asker).await;
            if matches!(&found, Err(error) if error.next == Next::Token)
                && let Some(new) = (asker.reread)(&self.tokens[at])
            {
                self.tokens[at].value = new;
                found = self.ask(at, asker).await;
            }
            match found {
                Ok(pages) => {
                    info!(event = "tokens.fetched", source = at + 1, pages = pages.len(), "Page tokens of a [[graph.source]]");
                    self.pages.extend(pages);
                }
                Err(failed) => {
                    warn!(event = "poll.failed", source = at + 1, error = %failed, "a [[graph.source]] gives no Page tokens; those known are used on");
                    self.failed = Some(failed);
                }
            }
        }
    }

    /// Every Page token of one source: of the Pages its person has a task on, and of those assigned to a system user.
    async fn ask(&self, at: usize, asker: Asker<'_>) -> Result<HashMap<String, Page>, GraphError> {
        let graph = &asker.settings.graph;
        let app_name = &graph.sources[at].app;
        let app: &App = graph.app(app_name.as_deref());
        let access = Access::of(Login::Facebook, app, self.tokens[at].value.clone());
        let mut found = Vec::new();
        list(asker, &access, facebook::my_pages, &mut found).await?;
        let has = |page: &&str| found.iter().any(|one| one.id.as_deref() == Some(page) && one.access_token.is_some());
        if !wanted(asker.settings).iter().all(has) {
            // Only system users have this edge: that a person's token is refused here says nothing.
            let assigned = async {
                let me: Node = asker.get(&access, &facebook::myself()).await?;
                let Some(id) = me.id else { return Ok(()) };
                list(asker, &access, |after| facebook::assigned_pages(&id, after), &mut found).await
            };
            let assigned: Result<(), GraphError> = assigned.await;
            if let Err(refused) = assigned {
                debug!(source = at + 1, error = %refused, "no list of assigned Pages");
            }
        }
        Ok(found.into_iter().filter_map(|page| Some((page.id?, Page { token: page.access_token?, app: app_name.clone() }))).collect())
    }
}

/// A list of Pages, page by page, as far as it can be read.
async fn list(
    asker: Asker<'_>,
    access: &Access,
    request: impl Fn(Option<&str>) -> Request,
    found: &mut Vec<account::Page>,
) -> Result<(), GraphError> {
    let mut after: Option<String> = None;
    for _ in 0..LISTS_MAX {
        let list: List<account::Page> = asker.get(access, &request(after.as_deref())).await?;
        after = list.next().map(str::to_owned);
        found.extend(list.data);
        if after.is_none() {
            break;
        }
    }
    Ok(())
}

/// The Pages whose tokens the configuration leaves to the sources.
fn wanted(settings: &Settings) -> BTreeSet<&str> {
    let without = settings.accounts().map(|(_, spec)| spec).filter(|spec| spec.token.is_none());
    without.filter_map(super::page_of).collect()
}
