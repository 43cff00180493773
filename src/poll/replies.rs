//! Sends what staff wrote, once at most. That it is about to be handed to Meta is stored before it is; Meta knows no key by which a second
//! copy could be told. So what nobody knows the end of (no answer, half of one, a process that died) is looked for where it would stand,
//! and never sent again.

mod verdict;

use std::sync::Arc;

use futures_util::{FutureExt as _, future::BoxFuture};
use jiff::SignedDuration;
use tracing::{debug, error, info, warn};

use self::verdict::{after_token, ended, unread};
use super::{
    Joints,
    account::configured,
    inbox,
    pass::{Pass, PassError, Tools},
    quota::Purpose,
    tokens,
    verify::{self, Read},
};
use crate::{
    arrival,
    domain::{
        Form, Kind, ReplyId, ReplyState, Scope, SharedSettings, Time,
        reply::{Facts, Way, essence},
    },
    graph::{
        Next, Request,
        reply::{self as write, Recipient},
        wire::Written,
    },
    store::{
        Db, StoreError, accounts,
        replies::{self, Claimed, End},
    },
};

/// A reply is its worker's alone for this long and two requests.
const LEASE: SignedDuration = SignedDuration::from_mins(1);
/// Meta's clock may be this far behind ours.
const BEHIND: SignedDuration = SignedDuration::from_secs(10);
/// What could not be sent, or found, within this is given up.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Sends what is due.
#[derive(Clone)]
pub struct Replies {
    tools: Arc<Tools>,
    owner: String,
}

impl Replies {
    /// For a program beside the daemon, or without one.
    pub async fn new(db: Db, settings: SharedSettings, joints: &Joints) -> Result<Self, StoreError> {
        Ok(Self::of(Arc::new(Tools::new(db, settings, joints).await?), joints.owner.clone()))
    }

    pub(super) const fn of(tools: Arc<Tools>, owner: String) -> Self {
        Self { tools, owner }
    }

    async fn claim(&self, only: Option<ReplyId>, limit: u32) -> Result<Vec<Claimed>, StoreError> {
        let now = Time::from_timestamp(self.tools.clock.now());
        let lease = LEASE.saturating_add(self.tools.settings.graph.timeout.saturating_mul(2));
        replies::claim(&self.tools.db, &self.owner, (now, now.plus(lease)), only, limit).await
    }

    /// What is due, each to be run to its end; whether there was news.
    pub(super) async fn due(&self, room: usize) -> Result<Vec<BoxFuture<'static, bool>>, StoreError> {
        let work = |reply: Claimed| {
            let tools = self.tools.clone();
            async move { work(&tools, &reply).await }.boxed()
        };
        Ok(self.claim(None, room as u32).await?.into_iter().map(work).collect())
    }

    /// Sends this one, or looks for it, if it is due and in nobody else's hands; whether it was.
    pub async fn send(&self, id: ReplyId) -> Result<bool, StoreError> {
        let claimed = self.claim(Some(id), 1).await?;
        for reply in &claimed {
            work(&self.tools, reply).await;
        }
        Ok(!claimed.is_empty())
    }
}

/// Sends a reply or looks for it, and writes what became of it; whether something is to be judged now.
async fn work(tools: &Tools, reply: &Claimed) -> bool {
    let outcome = match reply.state {
        ReplyState::Waiting => send(tools, reply).await,
        _ => look(tools, reply).await,
    };
    outcome.unwrap_or_else(|failed| {
        // Whoever claims it when the lease is over finds it as it stands.
        error!(event = "poll.failed", reply = reply.id.0, ticket = reply.ticket.0, error = %failed, "what became of a reply could not be noted");
        false
    })
}

/// Writes and says how it ended.
async fn settle(tools: &Tools, reply: &Claimed, opd: &str, end: &End) -> Result<(), StoreError> {
    replies::settle(&tools.db, reply, end).await?;
    let (ticket, account, platform, form) = (reply.ticket.0, reply.account_id.as_str(), reply.platform.word(), reply.form.word());
    match end {
        End::Sent(..) => info!(event = "reply.sent", opd, account, platform, ticket, form, "Meta took it"),
        End::Uncertain(_, _, error) if reply.state != ReplyState::Uncertain => {
            warn!(event = "reply.uncertain", opd, account, platform, ticket, form, error, "it is looked for, and not sent again");
        }
        End::Failed(error) => warn!(event = "reply.failed", opd, account, platform, ticket, form, error, "not sent"),
        End::Uncertain(until, _, error) => debug!(ticket, form, until = until.rfc3339(), error, "still uncertain"),
        End::Waits(until, error) => info!(opd, account, platform, ticket, form, until = until.rfc3339(), error, "a reply waits"),
    }
    Ok(())
}

async fn send(tools: &Tools, reply: &Claimed) -> Result<bool, StoreError> {
    let now = Time::from_timestamp(tools.clock.now());
    let failed = async |opd: &str, why: &str| {
        settle(tools, reply, opd, &End::Failed(why.to_owned())).await?;
        Ok(false)
    };
    let Some((opd, spec)) = configured(tools, reply.platform, &reply.account_id) else {
        return failed("", "the account is no longer in the configuration").await;
    };
    if now.since(reply.created_at) >= DAY {
        return failed(&opd.slug, "it could not be sent within a day").await;
    }
    let Some(facts) = replies::facts(&tools.db, &Scope::ALL, reply.ticket, Some(reply.id)).await? else {
        return failed(&opd.slug, "the ticket is no more").await;
    };
    // Somebody may have answered while it waited, or the window may have closed.
    let way = match facts.way(reply.form, now) {
        Ok(way) => way,
        Err(why) => return failed(&opd.slug, why.sentence()).await,
    };
    let government = arrival::government(&tools.db, &tools.settings, reply.account, (opd, spec)).await?;
    let mut pass = match Pass::new(tools, reply.account, (opd, spec), government, Purpose::Reserve).await {
        Ok(pass) => pass,
        Err(PassError::Store(failed)) => return Err(failed),
        Err(why) => {
            settle(tools, reply, &opd.slug, &ended(&why, false, now)).await?;
            return Ok(false);
        }
    };
    let mut begun = false;
    let mut outcome = attempt(&pass, reply, &facts, &way, &mut begun).await;
    if matches!(&outcome, Err(why) if after_token(why)) && pass.renew().await.unwrap_or(false) {
        outcome = attempt(&pass, reply, &facts, &way, &mut begun).await;
    }
    let end = match outcome {
        Ok(Some(id)) => End::Sent(Some(id), pass.now()),
        Ok(None) => End::Uncertain(pass.now(), None, "Meta's answer names nothing that was written".into()),
        Err(PassError::Store(failed)) => return Err(failed),
        Err(why) => ended(&why, begun, pass.now()),
    };
    settle(tools, reply, &opd.slug, &end).await?;
    if !matches!(end, End::Sent(..)) {
        return Ok(false);
    }
    if let Err(why) = read(&pass, reply, &facts, false).await {
        debug!(ticket = reply.ticket.0, error = %why, "what was sent is read back at the next poll");
    }
    Ok(true)
}

/// One attempt: Meta's id of what was written, if it names one.
async fn attempt(pass: &Pass<'_>, reply: &Claimed, facts: &Facts, way: &Way, begun: &mut bool) -> Result<Option<String>, PassError> {
    tokens::trust(pass).await?;
    if !*begun {
        replies::begin(&pass.tools.db, reply, pass.now()).await?;
        *begun = true;
    }
    // Whoever slept past the lease has to leave it to those who look for it.
    if pass.now().plus(pass.tools.settings.graph.timeout) >= reply.lease_until {
        return Err(PassError::Store(StoreError::Fenced));
    }
    let written: Written = pass.post(&request(pass, reply, facts, way)).await?;
    Ok(written.message_id.or(written.id))
}

fn request(pass: &Pass<'_>, reply: &Claimed, facts: &Facts, way: &Way) -> Request {
    let (target, text) = (reply.target.as_str(), reply.text.as_str());
    match (reply.form, way.window) {
        (Form::Comment, _) if pass.is_page() => write::comment(target, text),
        (Form::Comment, _) => write::reply(target, text),
        (Form::Message, Some(window)) => write::message(inbox::owner(pass), Recipient::Person(target, window), text),
        (Form::Message, None) | (Form::Private, _) => {
            let to = if facts.is_post(target) { Recipient::Post(target) } else { Recipient::Comment(target) };
            write::message(inbox::owner(pass), to, text)
        }
    }
}

/// Looks where it would stand for a reply of which nobody knows whether it was sent.
async fn look(tools: &Tools, reply: &Claimed) -> Result<bool, StoreError> {
    let tried_at = reply.tried_at.unwrap_or(reply.created_at);
    let why = reply.error.clone().unwrap_or_else(|| "the program ended while it was sent".into());
    let now = Time::from_timestamp(tools.clock.now());
    let facts = replies::facts(&tools.db, &Scope::ALL, reply.ticket, Some(reply.id)).await?;
    let (Some((opd, spec)), Some(facts)) = (configured(tools, reply.platform, &reply.account_id), facts) else {
        settle(tools, reply, "", &unread(reply, tried_at, why, now)).await?;
        return Ok(false);
    };
    if reply.state != ReplyState::Uncertain {
        // Said before it is looked for, which may take a while.
        warn!(
            event = "reply.uncertain",
            opd = opd.slug,
            account = spec.id,
            platform = spec.platform.word(),
            ticket = reply.ticket.0,
            form = reply.form.word(),
            error = why,
            "it is looked for, and not sent again"
        );
    }
    let reply = &Claimed { state: ReplyState::Uncertain, ..reply.clone() };
    let reads = async {
        let government = arrival::government(&tools.db, &tools.settings, reply.account, (opd, spec)).await?;
        let mut pass = Pass::new(tools, reply.account, (opd, spec), government, Purpose::Reserve).await?;
        let mut outcome = read(&pass, reply, &facts, true).await;
        if matches!(&outcome, Err(why) if why.next() == Next::Token) && pass.renew().await? {
            outcome = read(&pass, reply, &facts, true).await;
        }
        outcome
    };
    let outcome = reads.await;
    let since = Time::from_secs(tried_at.secs()).minus(BEHIND);
    let shown = replies::shown(&tools.db, reply, &facts, since).await?;
    let found = shown.into_iter().find(|shown| essence(&shown.text) == essence(&reply.text));
    let confirm = tools.settings.poll.confirm_gone;
    let end = match (found, outcome) {
        (Some(found), _) => End::Sent(Some(found.external_id), found.created_at),
        (None, Ok(true)) => match reply.missed_at {
            Some(first) if now.since(first) >= confirm => {
                End::Failed(format!("it was not sent ({why}): two reads do not show it; send it again if you wish"))
            }
            first => End::Uncertain(first.unwrap_or(now).plus(confirm), Some(first.unwrap_or(now)), why),
        },
        (None, outcome) => {
            if let Err(failed) = outcome {
                debug!(ticket = reply.ticket.0, error = %failed, "a reply could not be looked for");
            }
            unread(reply, tried_at, why, Time::from_timestamp(tools.clock.now()))
        }
    };
    settle(tools, reply, &opd.slug, &end).await?;
    Ok(matches!(end, End::Sent(..)))
}

/// Reads where the reply stands or would stand, so that it is taken in; whether the read surely showed everything there. `whole`: a private
/// reply is looked for in the whole inbox, not among the newest conversations.
async fn read(pass: &Pass<'_>, reply: &Claimed, facts: &Facts, whole: bool) -> Result<bool, PassError> {
    let (db, began_at) = (&pass.tools.db, pass.now());
    tokens::trust(pass).await?;
    if reply.form == Form::Message {
        verify::read(pass, &Read::Conversation(facts.thread.clone())).await?;
    } else if reply.form == Form::Comment || facts.kind == Kind::Comment {
        let post = facts.post.as_deref().unwrap_or(&facts.thread);
        let Some(post) = accounts::posts(db, reply.account, &[post]).await?.into_values().next() else { return Ok(false) };
        verify::read(pass, &Read::Post(post)).await?;
    }
    if reply.form == Form::Private {
        match replies::conversation(db, reply.account, &reply.target).await? {
            Some(name) => drop(verify::read(pass, &Read::Conversation(name)).await?),
            None => drop(inbox::read(pass, whole, &mut inbox::Memo::default()).await?),
        }
        if facts.kind != Kind::Comment {
            return Ok(true);
        }
    }
    Ok(replies::read_began(db, facts.thread_id).await?.is_some_and(|at| at >= began_at))
}
