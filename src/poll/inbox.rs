//! Direct messages: Messenger and Instagram.

use jiff::SignedDuration;

use super::{
    pass::{Pass, PassError, unknown},
    posts::PAGES_MAX,
};
use crate::{
    domain::{Kind, Object, Platform, Source, Time, account::Login, message::key_of},
    graph::{
        GraphError, Next, facebook, instagram as ask,
        wire::{
            List,
            facebook::{Conversation, Message},
        },
    },
    normalize::{self, Normalized},
    store::{accounts, intake::Proof, sources},
};

/// Conversations a page, smaller where Meta can't answer.
const CONVERSATIONS: [u32; 3] = [25, 10, 5];
/// Newest messages of each.
const MESSAGES: u32 = 5;

/// How often the whole of an inbox is walked and its order looked at.
const WALK_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// How often one that does not come newest first is walked where it is large; else at every poll.
const LARGE_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// More conversations are a large inbox.
const LARGE: usize = 250;

/// What is remembered of an inbox.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Memo {
    /// When it was walked in whole.
    walked_at: Option<Time>,
    /// It does not come in the order of the newest message.
    unordered: bool,
    /// How many conversations it had then.
    conversations: usize,
}

impl Memo {
    /// Whether it is to be walked.
    pub fn wants_walk(&self, now: Time) -> bool {
        let every = match (self.unordered, self.conversations > LARGE) {
            (false, _) => WALK_EVERY,
            (true, true) => LARGE_EVERY,
            (true, false) => SignedDuration::ZERO,
        };
        self.walked_at.is_none_or(|at| now.since(at) >= every)
    }
}

/// Whose conversations are asked for: with Facebook Login the linked Page's.
pub(super) fn owner<'a>(pass: &'a Pass<'_>) -> &'a str {
    match (pass.spec.login, &pass.spec.page) {
        (Login::Facebook, Some(page)) if !pass.is_page() => page,
        _ => &pass.spec.id,
    }
}

/// Reads conversations from the top until a whole page is known; with `walk` back to the backfill, and to the end of an inbox that does
/// not come in the order of the newest message, which `memo` remembers. How much was new.
pub async fn read(pass: &Pass<'_>, walk: bool, memo: &mut Memo) -> Result<usize, PassError> {
    let (started_at, mut conversations) = (pass.now(), 0);
    let mut new = 0;
    let mut after: Option<String> = None;
    let (mut last, mut falls) = (None, true);
    for _ in 0..PAGES_MAX {
        let began_at = pass.now();
        let page = page(pass, after.as_deref()).await?;
        conversations += page.data.len();
        let shown: Vec<Normalized> = page.data.iter().map(|one| normalize::conversation(&pass.context(), one)).collect();
        let all: Vec<_> = shown.iter().flat_map(|one| one.messages.iter().cloned()).collect();
        let known = pass.known(&all).await?;
        let fresh = unknown(&all, &known);
        let (mut batch, mut proofs, mut alone) = (Normalized::default(), Vec::new(), Vec::new());
        for (wire, one) in page.data.iter().zip(shown) {
            let name = wire.id.clone().unwrap_or_default();
            let more = wire.messages.as_ref().is_none_or(|list| !list.is_complete());
            let unknown = unknown(&one.messages, &known);
            if more && unknown == one.messages.len() || unknown > 0 && !has_bodies(wire) {
                alone.push(name);
            } else if has_bodies(wire) {
                proofs.push(proof(name, &one, more));
                batch = batch.and(one);
            } else {
                proofs.push(Proof::Unchanged(Kind::Message, name));
            }
        }
        new += pass.take(began_at, batch, Vec::new(), proofs).await?;
        for name in alone {
            new += conversation(pass, &name).await?;
        }
        let times: Vec<Time> = page.data.iter().filter_map(|one| Time::parse(one.updated_time.as_deref()?)).collect();
        falls &= last.into_iter().chain(times.iter().copied()).is_sorted_by(|a, b| a >= b);
        last = times.last().copied().or(last);
        let in_reach = times.iter().min().is_none_or(|&at| at >= pass.opens_from(began_at));
        let goes_on = page.data.is_empty() || if walk { in_reach || !falls } else { fresh > 0 };
        match page.next() {
            Some(cursor) if goes_on => after = Some(cursor.to_owned()),
            _ => break,
        }
    }
    if walk {
        if !memo.unordered && !falls {
            let (opd, account, platform) = (pass.opd.slug.as_str(), pass.spec.id.as_str(), pass.spec.platform.word());
            tracing::warn!(
                opd,
                account,
                platform,
                conversations,
                "this inbox does not come newest first: it is read in whole again and again"
            );
        }
        *memo = Memo { walked_at: Some(started_at), unordered: !falls, conversations };
    }
    Ok(new)
}

/// What a conversation proves that was shown with its newest messages, of which there are `more`. Where Meta shows none, or one that nobody
/// can read, nothing of it is missing.
fn proof(name: String, shown: &Normalized, more: bool) -> Proof {
    if shown.messages.is_empty() || !shown.odd.is_empty() {
        return Proof::Unchanged(Kind::Message, name);
    }
    let from = if more { shown.messages.iter().map(|message| message.created_at).min() } else { None };
    Proof::Conversation { name, from }
}

async fn page(pass: &Pass<'_>, after: Option<&str>) -> Result<List<Conversation>, GraphError> {
    let request = |limit| match pass.spec.platform {
        Platform::Facebook => facebook::conversations(owner(pass), limit, MESSAGES, after),
        Platform::Instagram => ask::conversations(owner(pass), limit, MESSAGES, after),
    };
    let mut answer = pass.get(&request(CONVERSATIONS[0])).await;
    for limit in &CONVERSATIONS[1..] {
        match &answer {
            Err(error) if error.next == Next::Shrink => answer = pass.get(&request(*limit)).await,
            _ => break,
        }
    }
    answer
}

/// Whether the messages shown with a conversation are more than ids and times, which is all that Meta shows of some accounts.
fn has_bodies(conversation: &Conversation) -> bool {
    conversation.messages.iter().flat_map(|list| &list.data).all(has_body)
}

fn has_body(message: &Message) -> bool {
    message.from.is_some() || message.message.is_some()
}

/// Reads one conversation with every message that can be read. Twenty of twenty unknown in a conversation known before is a gap.
pub async fn conversation(pass: &Pass<'_>, name: &str) -> Result<usize, PassError> {
    let began_at = pass.now();
    let request = match pass.spec.platform {
        Platform::Facebook => facebook::conversation(name),
        Platform::Instagram => ask::conversation(name),
    };
    let mut found: Conversation = pass.get(&request).await?;
    let whole = has_bodies(&found);
    if !whole {
        bodies(pass, &mut found).await?;
    }
    let one = normalize::conversation(&pass.context(), &found);
    let known = pass.known(&one.messages).await?;
    let all_new = unknown(&one.messages, &known) == one.messages.len();
    let more = found.messages.as_ref().is_some_and(|list| !list.is_complete());
    let from = if more { one.messages.iter().map(|m| m.created_at).min() } else { None };
    let full = one.messages.iter().filter(|m| m.object == Object::Message).count() >= facebook::READABLE_MESSAGES as usize;
    let last = accounts::last_written(&pass.tools.db, pass.account, name).await?;
    if let (true, Some(last), Some(from)) = (all_new && more && full, last, from) {
        let (opd, account, platform) = (pass.opd.slug.as_str(), pass.spec.id.as_str(), pass.spec.platform.word());
        let reason = "more than 20 new messages in one conversation";
        tracing::warn!(event = "message.gap", opd, account, platform, thread = name, "{reason}: older ones can be read in the inbox only");
        sources::lost(&pass.tools.db, pass.account, Source::Messages, (last, from), reason).await?;
    }
    let proof = if whole {
        proof(name.to_owned(), &one, more)
    } else {
        // What was known was not shown again: nothing of it can be called missing.
        Proof::Unchanged(Kind::Message, name.to_owned())
    };
    Ok(pass.take(began_at, one, Vec::new(), vec![proof]).await?)
}

/// Reads alone each message of which only id and time were shown, and leaves out those known already.
async fn bodies(pass: &Pass<'_>, conversation: &mut Conversation) -> Result<(), PassError> {
    let Some(list) = &mut conversation.messages else { return Ok(()) };
    let shown = list.data.iter().filter_map(|message| Some((Object::Message, key_of(message.id.as_deref()?))));
    let known = accounts::known(&pass.tools.db, pass.account, shown).await?;
    for message in std::mem::take(&mut list.data) {
        let id = message.id.clone().unwrap_or_default();
        if has_body(&message) {
            list.data.push(message);
        } else if !known.contains(&(Object::Message, key_of(&id).to_owned())) {
            let request = match pass.spec.platform {
                Platform::Facebook => facebook::message(&id),
                Platform::Instagram => ask::message(&id),
            };
            match pass.get(&request).await {
                Ok(message) => list.data.push(message),
                Err(error) if error.next == Next::Gone => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inbox_is_walked_daily_one_without_order_at_every_poll_and_a_large_one_every_ten_minutes() {
        let at = |minutes: i64| Time::from_secs(60 * minutes);
        let wants = |unordered, conversations, minutes| Memo { walked_at: Some(at(0)), unordered, conversations }.wants_walk(at(minutes));
        assert!(Memo::default().wants_walk(at(0)));
        assert!(!wants(false, 9_999, 24 * 60 - 1) && wants(false, 1, 24 * 60));
        assert!(wants(true, 250, 0));
        assert!(!wants(true, 251, 9) && wants(true, 251, 10));
    }
}
