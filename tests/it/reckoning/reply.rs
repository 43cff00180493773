//! What answers, and whom: automatic replies, names in a text, private replies.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan as _};

use super::{Facts, Message, in_order};

/// The ids of `out`s that came quickly after the message before them, with a text that so went to three threads or more.
pub fn sent_to_many(facts: &Facts) -> BTreeSet<String> {
    let mut went: BTreeMap<String, Vec<&Message>> = BTreeMap::new();
    let threads: BTreeSet<&str> = facts.messages.iter().map(|message| message.thread.as_str()).collect();
    for thread in threads {
        let messages = in_order(facts, thread);
        for (before, message) in messages.iter().zip(messages.iter().skip(1)) {
            let quick = message.created_at.as_second() - before.created_at.as_second() <= facts.rules.auto_reply_within_seconds;
            if message.government.is_some() && quick {
                went.entry(plain(message, &messages)).or_default().push(message);
            }
        }
    }
    let many = |outs: &Vec<&Message>| outs.iter().map(|out| &out.thread).collect::<BTreeSet<_>>().len() >= 3;
    went.into_values().filter(many).flatten().map(|out| out.id.clone()).collect()
}

/// The text without case, spaces and the names of the thread's citizens.
fn plain(out: &Message, thread: &[&Message]) -> String {
    let citizens = thread.iter().filter(|message| message.government.is_none());
    let names: BTreeSet<String> =
        citizens.flat_map(|message| [&message.author_name, &message.author_username]).flatten().flat_map(|name| words(name)).collect();
    words(&out.text).into_iter().filter(|word| !names.contains(word)).collect()
}

fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| c.is_whitespace() || "@,.!?".contains(c))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether an `out` can answer anybody at all.
pub fn answers(out: &Message, quick: &BTreeSet<String>, own: &str) -> bool {
    let sister = out.government.as_deref().is_some_and(|by| by != own && by != "staff");
    let passes_on = sister && out.tags_own;
    let taken_back = out.deleted_at.is_some_and(|gone| gone <= out.created_at + 24.hours());
    !out.bare && !out.automatic && !quick.contains(&out.id) && !passes_on && !taken_back
}

/// A citizen who waits, with what is known of their names.
pub struct Waiting {
    pub author: String,
    pub names: BTreeSet<String>,
    pub usernames: BTreeSet<String>,
}

impl Waiting {
    fn is_called(&self, name: &str) -> bool {
        let name = name.trim_start_matches('@').to_lowercase();
        self.names.contains(&name) || self.usernames.contains(&name)
    }
}

/// Those of the waiting whom an `out` names.
pub fn named<'a>(out: &Message, waiting: &'a [Waiting]) -> BTreeSet<&'a str> {
    let mut named = BTreeSet::new();
    for tag in &out.tags {
        let by_id: Vec<&Waiting> = waiting.iter().filter(|one| !one.author.is_empty() && tag.id.as_ref() == Some(&one.author)).collect();
        let by_name: Vec<&Waiting> = waiting.iter().filter(|one| tag.name.as_ref().is_some_and(|name| one.is_called(name))).collect();
        match (by_id.as_slice(), by_name.as_slice()) {
            ([one], _) | ([], [one]) => named.insert(one.author.as_str()),
            _ => false,
        };
    }
    for one in waiting {
        if one.usernames.iter().any(|username| has_handle(&out.text, username)) {
            named.insert(one.author.as_str());
        }
    }
    named
}

/// Whether `@username` stands in the text as a whole.
fn has_handle(text: &str, username: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    text.split('@').skip(1).any(|rest| {
        let handle: String = rest.chars().take_while(|c| part(*c)).collect();
        handle.trim_end_matches('.').eq_ignore_ascii_case(username)
    })
}

/// When a comment was answered by a direct message, if it was.
pub fn private(facts: &Facts, quick: &BTreeSet<String>, comment: &Message) -> Option<Timestamp> {
    let is_comment = comment.kind == "comment" || comment.kind != "message" && comment.id != comment.thread;
    if comment.government.is_some() || !is_comment {
        return None;
    }
    let direct: Vec<&Message> = facts
        .messages
        .iter()
        .filter(|message| message.kind == "message")
        .filter(|message| match &comment.private_reply {
            Some(conversation) => message.thread == *conversation,
            None => facts.platform == "instagram" && !comment.author.is_empty() && message.citizen.as_ref() == Some(&comment.author),
        })
        .collect();
    // Where Meta shows it, one of the same second counts too.
    let from = if comment.private_reply.is_some() { comment.created_at } else { comment.created_at + 1.second() };
    let outs: Vec<&&Message> = direct.iter().filter(|message| message.government.is_some() && message.created_at >= from).collect();
    let first = outs.iter().filter(|out| answers(out, quick, &facts.own)).map(|out| out.created_at).min();
    if comment.private_reply.is_some() {
        // Nothing of it can be read: it was written after the last read that did not show it.
        let unread = comment.private_unseen_at.unwrap_or(comment.created_at).max(comment.created_at);
        return if outs.is_empty() { Some(unread) } else { first };
    }
    let between = |message: &&Message| {
        message.government.is_none() && message.created_at > comment.created_at && first.is_some_and(|first| message.created_at <= first)
    };
    first.filter(|_| !direct.iter().any(between))
}
