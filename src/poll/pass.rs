//! One pass over one account: requests with their verdicts, what was read so far, and how it is taken in.

use std::{
    collections::HashSet,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use jiff::SignedDuration;
use serde::de::DeserializeOwned;
use tracing::warn;

use super::{
    Joints, Skew,
    quota::{Pool, Purpose, Quota},
    tokens::{Fault, Held, Tokens},
};
use crate::{
    arrival,
    domain::{
        AccountId, Object, Platform, SharedSettings, Time,
        account::Login,
        message::{Post, Seen},
        settings::{AccountSpec, Opd},
    },
    graph::{Access, Answer, Client, GraphError, Next, Request, Scope},
    normalize::{Context, Government, Normalized, triage::Rules},
    runtime::{SharedClock, held as locked, metrics::Metrics},
    store::{Db, StoreError, accounts, intake::Proof, limits, tokens},
};

/// Why a pass ended early.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// Meta's answer, or none.
    #[error("{0}")]
    Graph(#[from] GraphError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No `[[graph.source]]` could be asked for its token.
    #[error("no Page token, since a [[graph.source]] can't be asked: {0}")]
    Source(GraphError),
    /// Its token is not good for it, whatever it answers.
    #[error(transparent)]
    Token(#[from] Fault),
    /// The configuration gives no token for it.
    #[error("no token: give the account a `token`, or a [[graph.source]] that knows its Page")]
    NoToken,
}

impl PassError {
    /// What to do next.
    pub fn next(&self) -> Next {
        match self {
            Self::Graph(error) | Self::Source(error) => error.next,
            Self::Token(fault) => fault.next(),
            Self::Store(_) => Next::Retry,
            Self::NoToken => Next::Token,
        }
    }

    /// Whether the database fails for everybody.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_outage())
    }

    /// Whether the database cannot be reached, which is said once for everybody.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Store(StoreError::Lost(_)))
    }
}

/// What every pass shares.
pub struct Tools {
    /// Where it is kept.
    pub db: Db,
    /// The checked configuration.
    pub settings: SharedSettings,
    /// Asks Meta.
    pub client: Client,
    /// What a text wants.
    pub rules: Rules,
    /// Time.
    pub clock: SharedClock,
    /// Counters.
    pub metrics: Metrics,
    /// With what right accounts are read.
    pub tokens: Tokens,
    /// Told of Meta's clock with every answer.
    pub skew: Skew,
    /// What may still be asked.
    pub quota: Mutex<Quota>,
    /// Why the last poll that could not be noted was not, where the database failed as a whole.
    pub lost: Mutex<Option<StoreError>>,
}

/// A pass over one account.
pub struct Pass<'a> {
    /// What every pass shares.
    pub tools: &'a Tools,
    /// The account's number.
    pub account: AccountId,
    /// As configured.
    pub spec: &'a AccountSpec,
    /// Its agency.
    pub opd: &'a Opd,
    /// Who speaks for the government.
    pub government: Government,
    /// The tightest limit seen, percent.
    pub usage: AtomicU32,
    /// Whether nobody can comment on what it published lately, once it is known.
    pub comments_off: OnceLock<bool>,
    /// Since when the newest posts were published, if older ones follow them.
    pub newest_since: OnceLock<Time>,
    /// With what it is read.
    pub held: Held,
    purpose: Purpose,
    /// The limits that count its calls: the account's and its app's.
    pools: [Pool; 2],
}

impl Tools {
    /// What the passes of this process share; limits that were met before a restart still hold.
    pub async fn new(db: Db, settings: SharedSettings, joints: &Joints) -> Result<Self, StoreError> {
        let rules = Rules::new(&settings.sla.auto_reply_patterns, &settings.sla.urgent_keywords);
        let tokens = Tokens::new(settings.clone(), joints.client.clone(), joints.metrics.clone(), joints.reread.clone());
        let quota = Quota::resumed(limits::held(&db, Time::from_timestamp(joints.clock.now())).await?);
        Ok(Self {
            db,
            tokens,
            settings,
            client: joints.client.clone(),
            rules,
            clock: joints.clock.clone(),
            metrics: joints.metrics.clone(),
            skew: joints.skew.clone(),
            quota: Mutex::new(quota),
            lost: Mutex::default(),
        })
    }
}

impl<'a> Pass<'a> {
    /// Prepares a pass.
    pub async fn new(
        tools: &'a Tools,
        account: AccountId,
        (opd, spec): (&'a Opd, &'a AccountSpec),
        government: Government,
        purpose: Purpose,
    ) -> Result<Self, PassError> {
        let held = held(tools, spec).await?;
        let pools = [Pool::account(spec.platform, &spec.id), Pool::app(spec.app.as_deref().unwrap_or_default())];
        let (usage, comments_off, newest_since) = (AtomicU32::new(0), OnceLock::new(), OnceLock::new());
        Ok(Self { tools, account, spec, opd, government, usage, comments_off, newest_since, held, purpose, pools })
    }

    /// After the token failed: goes on with another one, if one is found.
    pub async fn renew(&mut self) -> Result<bool, PassError> {
        let found = self.tools.tokens.renew(self.spec, &self.held, self.now()).await;
        if found {
            self.held = held(self.tools, self.spec).await?;
        }
        Ok(found)
    }

    /// The present instant.
    pub fn now(&self) -> Time {
        Time::from_timestamp(self.tools.clock.now())
    }

    /// What normalization needs to know.
    pub fn context(&self) -> Context<'_> {
        Context { platform: self.spec.platform, account: &self.spec.id, government: &self.government, rules: &self.tools.rules }
    }

    /// One request, counted; passing trouble is tried once more at once.
    pub async fn get<T: DeserializeOwned>(&self, request: &Request) -> Result<T, GraphError> {
        self.get_as(&self.held.access, request).await
    }

    /// The same by another right than the account's token.
    pub async fn get_as<T: DeserializeOwned>(&self, access: &Access, request: &Request) -> Result<T, GraphError> {
        let mut answer = self.once(access, request).await;
        if matches!(&answer, Err(error) if error.next == Next::Retry) {
            answer = self.once(access, request).await;
        }
        answer.map(|answer| answer.value)
    }

    /// Writes something, once: after trouble it may have been written all the same.
    pub async fn post<T: DeserializeOwned>(&self, request: &Request) -> Result<T, GraphError> {
        self.once(&self.held.access, request).await.map(|answer| answer.value)
    }

    async fn once<T: DeserializeOwned>(&self, access: &Access, request: &Request) -> Result<Answer<T>, GraphError> {
        let [account, app] = &self.pools;
        let now = self.now();
        let turn = {
            let mut quota = locked(&self.tools.quota);
            if let Some(until) = quota.wait(&self.pools, self.purpose, now) {
                let next = Next::Later { after: Some(until.since(now)), scope: Scope::Account };
                return Err(GraphError::unasked(next, "a limit of calls is used up: not asked"));
            }
            let inbox = !self.is_page() && matches!(request.endpoint, "conversations" | "conversation");
            if inbox { quota.inbox_turn(account, now) } else { SignedDuration::ZERO }
        };
        self.tools.clock.wait(turn).await;
        let answer = if request.form.is_empty() {
            self.tools.client.get::<T>(access, request).await
        } else {
            self.tools.client.post::<T>(access, request).await
        };
        let (outcome, usage) = match &answer {
            Ok(answer) => ("ok", &answer.usage),
            Err(error) => (error.next.word(), &error.usage),
        };
        let changed = {
            let mut quota = locked(&self.tools.quota);
            let before = quota.limits(&self.pools);
            quota.used(account, app, usage, self.now());
            match &answer {
                Ok(_) => quota.answered(&self.pools),
                Err(error) => quota.refused(account, app, error, self.now()),
            }
            let after = quota.limits(&self.pools);
            if after == before { Vec::new() } else { after }
        };
        if !changed.is_empty()
            && let Err(failed) = limits::keep(&self.tools.db, &changed).await
        {
            warn!(error = %failed, "a limit could not be noted: after a restart Meta is asked once too early");
        }
        self.tools.metrics.graph_request(self.spec.platform.word(), request.endpoint, outcome);
        for one in usage {
            self.tools.metrics.graph_usage(&self.spec.id, one.kind, f64::from(one.percent) / 100.0);
        }
        if let Some(percent) = usage.iter().map(|usage| usage.percent).max() {
            self.usage.store(percent, Ordering::Relaxed);
        }
        if let Ok(Answer { date: Some(date), .. }) = &answer {
            self.tools.skew.heard(*date, self.now());
        }
        answer
    }

    /// Which of these messages are stored already.
    pub async fn known(&self, messages: &[Seen]) -> Result<HashSet<(Object, String)>, StoreError> {
        accounts::known(&self.tools.db, self.account, messages.iter().map(Seen::identity)).await
    }

    /// Stores what a read showed; how many messages were new, edited or gone.
    pub async fn take(&self, began_at: Time, found: Normalized, posts: Vec<Post>, proofs: Vec<Proof>) -> Result<usize, StoreError> {
        let confirm_gone = self.tools.settings.poll.confirm_gone;
        let read = arrival::Read { account: self.account, began_at, now: self.now(), confirm_gone, posts, proofs };
        let taken = arrival::take(&self.tools.db, &self.tools.metrics, (self.opd, self.spec), read, found, "new").await?;
        Ok(taken.received.len() + taken.edited.len() + taken.deleted.len())
    }

    /// How far back the first read opens tickets.
    pub fn opens_from(&self, began_at: Time) -> Time {
        began_at.minus(self.tools.settings.poll.backfill)
    }

    /// Between two whole reads further apart than this nobody watched: three of the longest regular pauses.
    pub fn lapse(&self) -> SignedDuration {
        let poll = &self.tools.settings.poll;
        poll.idle_interval.max(poll.sweep_interval).saturating_mul(3)
    }

    /// Whether this is a Page.
    pub fn is_page(&self) -> bool {
        self.spec.platform == Platform::Facebook
    }
}

async fn held(tools: &Tools, spec: &AccountSpec) -> Result<Held, PassError> {
    // Only Instagram Login refreshes tokens.
    let kept = if spec.login == Login::Instagram { tokens::kept(&tools.db, spec.platform, &spec.id).await? } else { None };
    tools.tokens.of(spec, kept.as_ref(), Time::from_timestamp(tools.clock.now())).await
}

/// How many of these messages are new.
pub fn unknown<'a>(messages: impl IntoIterator<Item = &'a Seen>, known: &HashSet<(Object, String)>) -> usize {
    let stored = |message: &Seen| {
        let (object, key) = message.identity();
        known.contains(&(object, key.to_owned()))
    };
    messages.into_iter().filter(|message| !stored(message)).count()
}
