//! `tanggap check --witness`: whether what somebody without a role on the app writes to an account can be read.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context as _, bail};
use secrecy::ExposeSecret as _;

use super::access;
use crate::{
    domain::{
        Direction, Platform, Source, Time,
        account::Login,
        message::Seen,
        settings::{AccountSpec, Settings},
    },
    graph::{
        Access, Client, GraphError, Request,
        facebook::{self, Depth},
        instagram,
        wire::{List, account, facebook as page, instagram as media},
    },
    normalize::{self, Context, Government, Normalized, triage::Rules},
    runtime::http,
    store::{Db, accounts, concerns},
};

/// Between two looks: quick enough for somebody who waits, slow enough for Meta's limits.
const EVERY: Duration = Duration::from_secs(5);
/// What is looked at: the newest of everything.
const NEWEST: Depth = Depth { posts: 10, comments: 10, rich: false };
const CONVERSATIONS: u32 = 10;
const MESSAGES: u32 = 5;
/// Our clock may be so far ahead of Meta's.
const AHEAD: jiff::SignedDuration = jiff::SignedDuration::from_secs(30);

/// An account that is being witnessed.
pub struct Witness {
    /// As people name it.
    pub what: String,
    /// What is waited for still.
    pub open: Vec<Source>,
    spec: AccountSpec,
    access: Access,
    client: Client,
    government: Government,
    rules: Rules,
    db: Option<Db>,
    begun: Time,
}

impl Witness {
    /// Prepares to look at the account with this id of Meta's.
    pub async fn new(settings: &Settings, id: &str, now: Time) -> anyhow::Result<Self> {
        http::install_tls();
        let found = settings.accounts().find(|(_, spec)| spec.id == id);
        let Some((opd, spec)) = found else { bail!("no [[opd.account]] has the id {id:?}; `tanggap accounts` lists them") };
        let open: Vec<Source> = [Source::Comments, Source::Messages].into_iter().filter(|source| spec.sources.contains(source)).collect();
        if open.is_empty() {
            bail!("neither comments nor messages of {id} are read: its `sources` leave both out");
        }
        let client = Client::new(http::client(settings.graph.timeout.unsigned_abs())?, &settings.graph);
        let access::Account { what, held, .. } = access::Keys::open(settings, &client).await.of(opd, spec, now).await?;
        let access = held.map_err(anyhow::Error::msg).with_context(|| format!("{what} can't be read"))?.access;
        let db = Db::open_existing(settings.database.url.expose_secret()).await.ok();
        let usernames = match &db {
            Some(db) => accounts::usernames(db).await?,
            None => HashMap::new(),
        };
        let mut government = Government::of(settings, (opd, spec), &usernames, std::collections::BTreeMap::new());
        if spec.platform == Platform::Instagram {
            // Its own comments are known by its user name alone.
            let own: account::Instagram = client.get(&access, &instagram::identity(&spec.id, spec.login)).await?.value;
            government.own_username = own.username.or(government.own_username);
        }
        let rules = Rules::new(&settings.sla.auto_reply_patterns, &settings.sla.urgent_keywords);
        Ok(Self { what, open, spec: spec.clone(), access, client, government, rules, db, begun: now.minus(AHEAD) })
    }

    /// Waits before the next look.
    pub async fn pause() {
        tokio::time::sleep(EVERY).await;
    }

    /// Looks at what is still waited for. What arrived is noted in the database, if there is one, as a proof of its source.
    pub async fn look(&mut self, now: Time) -> anyhow::Result<Vec<(Source, Seen)>> {
        let mut arrived = Vec::new();
        for source in self.open.clone() {
            let shown = if source == Source::Comments { self.comments().await? } else { self.messages().await? };
            let theirs = |seen: &Seen| {
                seen.kind == source.kind() && seen.direction == Direction::In && seen.created_at >= self.begun && seen.author.is_some()
            };
            if let Some(seen) = shown.messages.into_iter().find(theirs) {
                self.open.retain(|open| *open != source);
                self.note(source, now).await?;
                arrived.push((source, seen));
            }
        }
        Ok(arrived)
    }

    async fn note(&self, source: Source, now: Time) -> anyhow::Result<()> {
        let Some(db) = &self.db else { return Ok(()) };
        let Some(account) = accounts::number(db, self.spec.platform, &self.spec.id).await? else { return Ok(()) };
        Ok(concerns::proved(db, account, source, now).await?)
    }

    fn context(&self) -> Context<'_> {
        Context { platform: self.spec.platform, account: &self.spec.id, government: &self.government, rules: &self.rules }
    }

    async fn comments(&self) -> Result<Normalized, GraphError> {
        let context = self.context();
        Ok(if self.spec.platform == Platform::Facebook {
            let list: List<page::Post> = self.get(&facebook::feed(&self.spec.id, NEWEST, None)).await?;
            list.data.iter().map(|post| normalize::feed_post(&context, post)).fold(Normalized::default(), Normalized::and)
        } else {
            let list: List<media::Media> = self.get(&instagram::media(&self.spec.id, NEWEST, None)).await?;
            list.data.iter().map(|one| normalize::media(&context, one)).fold(Normalized::default(), Normalized::and)
        })
    }

    async fn messages(&self) -> Result<Normalized, GraphError> {
        let request = match (self.spec.platform, self.spec.login, &self.spec.page) {
            (Platform::Facebook, ..) => facebook::conversations(&self.spec.id, CONVERSATIONS, MESSAGES, None),
            (_, Login::Facebook, Some(page)) => instagram::conversations(page, CONVERSATIONS, MESSAGES, None),
            _ => instagram::conversations(&self.spec.id, CONVERSATIONS, MESSAGES, None),
        };
        let list: List<page::Conversation> = self.get(&request).await?;
        Ok(list.data.iter().map(|one| normalize::conversation(&self.context(), one)).fold(Normalized::default(), Normalized::and))
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, request: &Request) -> Result<T, GraphError> {
        Ok(self.client.get(&self.access, request).await?.value)
    }
}
