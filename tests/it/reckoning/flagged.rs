//! "A breach already flagged stands": what had been flagged just before messages were noticed to be gone, reckoned from what was known then.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Facts, Message, in_order, replay, reply};

/// A deadline that was flagged.
pub struct Flagged {
    /// The first message of the ticket of then.
    pub first: String,
    pub deadline: Timestamp,
}

/// What had been flagged in a thread before each removal of an `in`.
pub fn before_removals(facts: &Facts, thread: &str) -> Vec<Flagged> {
    let removed = |message: &&Message| message.government.is_none() && message.deleted_at.is_some_and(|gone| gone <= facts.now);
    let messages: Vec<&Message> = in_order(facts, thread).into_iter().filter(removed).collect();
    let mut flagged = Vec::new();
    for at in messages.iter().filter_map(|message| message.deleted_at).collect::<BTreeSet<_>>() {
        let gone_then = messages.iter().filter(|message| message.deleted_at == Some(at));
        let Some(shown_until) = gone_then.map(|message| message.shown_until.unwrap_or(at)).min() else { continue };
        let known = known_before(facts, at);
        let then = replay::with(&known, &reply::sent_to_many(&known), thread, &flagged);
        let open = then.iter().filter(|ticket| ticket.state == "open");
        let missed = open.filter_map(|ticket| Some((ticket, ticket.breached_at.filter(|deadline| *deadline <= shown_until)?)));
        let order = in_order(facts, thread);
        let first = |members: &[String]| order.iter().find(|message| members.contains(&message.id)).unwrap().id.clone();
        let found: Vec<Flagged> = missed.map(|(ticket, deadline)| Flagged { first: first(&ticket.members), deadline }).collect();
        flagged.extend(found);
    }
    flagged
}

/// The same facts as they were known just before `at`.
fn known_before(facts: &Facts, at: Timestamp) -> Facts {
    let mut known = facts.clone();
    known.now = Timestamp::from_millisecond(at.as_millisecond() - 1).unwrap();
    known.messages.retain(|message| message.seen_at < at);
    known.actions.retain(|action| action.at < at);
    for message in &mut known.messages {
        message.needs_answer &= message.asked_at.is_none_or(|asked| asked < at);
        for noticed in [&mut message.deleted_at, &mut message.hidden_at, &mut message.urgent_at] {
            *noticed = noticed.filter(|noticed| *noticed < at);
        }
    }
    known
}
