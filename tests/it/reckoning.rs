//! The tickets as semantics.md has them, reckoned once more: slow, plain, and with nothing of `tanggap::sla`, so that a misreading
//! there shows here. Every thread is replayed event by event, in order of time, from facts that stand still.

pub mod clock;
mod examples;
mod flagged;
mod replay;
mod reply;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};

/// All that the tickets of one account depend on, as it stands at `now`.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The instant that is asked about.
    pub now: Timestamp,
    /// The account's first read less `poll.backfill`: what was written before opens no ticket.
    pub opens_from: Option<Timestamp>,
    /// Slug of the account's OPD.
    pub opd: String,
    /// `facebook` or `instagram`.
    pub platform: String,
    /// The account's external id: who gives its private replies.
    pub own: String,
    pub rules: Rules,
    /// Every message of every thread of the account, in any order, each once.
    pub messages: Vec<Message>,
    /// What staff did, in any order.
    pub actions: Vec<Action>,
}

#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// In the order in which they are tried; the last matches everything.
    pub policies: Vec<Policy>,
    /// By name; a name that is not here is "always".
    pub calendars: BTreeMap<String, Calendar>,
    /// The OPD's own calendar, which replaces a policy's unless that is "always".
    pub opd_calendar: Option<String>,
    pub auto_reply_within_seconds: i64,
    pub mentions: Mentions,
}

/// `sla.mentions`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mentions {
    #[default]
    Ask,
    All,
    None,
}

/// An empty list or `None` matches anything.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub name: String,
    pub opd: Vec<String>,
    pub platform: Vec<String>,
    /// Kinds of thread.
    pub kind: Vec<String>,
    pub urgent: Option<bool>,
    pub respond_within_seconds: i64,
    pub calendar: String,
}

/// Hours by weekday, Monday first, in seconds after midnight.
pub type Week = [Vec<(i64, i64)>; 7];

#[derive(Clone, Debug, Default)]
pub struct Calendar {
    /// IANA name.
    pub zone: String,
    pub week: Week,
    /// First day, last day, the hours that replace the week's; the first that holds a day wins.
    pub periods: Vec<(Date, Date, Week)>,
    pub holidays: BTreeSet<Date>,
}

/// One message as it is known at `now`.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Its external id, in the form by which messages are told apart.
    pub id: String,
    /// The thread's name: the conversation's, the top-level comment's, the post's or the medium's id.
    pub thread: String,
    /// The thread's kind: `message`, `comment`, `post`, `review` or `mention`.
    pub kind: String,
    /// The post under which a comment thread stands.
    pub post: Option<String>,
    /// Who of the government wrote it (an account's external id, or `staff`); `None`: a citizen did.
    pub government: Option<String>,
    /// The author's id within the account, else `@` and the user name; empty if Meta names nobody.
    pub author: String,
    pub author_name: Option<String>,
    pub author_username: Option<String>,
    /// Whole seconds.
    pub created_at: Timestamp,
    /// When it was first read; the default: as soon as it was written.
    pub seen_at: Timestamp,
    pub text: String,
    pub tags: Vec<Tag>,
    /// A comment directly under its post.
    pub top_level: bool,
    /// Nothing but emoji or a sticker.
    pub bare: bool,
    /// Matches one of `auto_reply_patterns`.
    pub automatic: bool,
    /// It tags the thread's own account (of a sister's comment: it passes the matter on).
    pub tags_own: bool,
    /// Its author is a Page or a configured account.
    pub by_page: bool,
    pub needs_answer: bool,
    /// When it was noticed that an edit made it need an answer; `None` if it did from the start.
    pub asked_at: Option<Timestamp>,
    /// Its text plainly asks something.
    pub asks: bool,
    /// Since when it is urgent: its own time, or when the edit that made it so was noticed.
    pub urgent_at: Option<Timestamp>,
    /// When it was noticed that it is hidden, after it had been seen visible; `None` if it is visible now or never was.
    pub hidden_at: Option<Timestamp>,
    /// When it was noticed that it is gone.
    pub deleted_at: Option<Timestamp>,
    /// The last read of the whole thread before that one (or when it truly went); `None` stands for `deleted_at`. A deadline that passed later
    /// than this, while the removal was being confirmed, had not been flagged.
    pub shown_until: Option<Timestamp>,
    /// Comments: the conversation (its thread name) that holds its private reply, where Meta names it (Facebook).
    pub private_reply: Option<String>,
    /// Comments: the last read that did not show that private reply.
    pub private_unseen_at: Option<Timestamp>,
    /// Direct messages: the citizen the conversation is with.
    pub citizen: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Tag {
    pub id: Option<String>,
    /// The name, or the user name after `@` without it.
    pub name: Option<String>,
}

/// What staff did about one citizen in one thread.
#[derive(Clone, Debug)]
pub struct Action {
    pub thread: String,
    /// As [`Message::author`].
    pub author: String,
    pub at: Timestamp,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Ack,
    Unack,
    /// To which OPD.
    Handover(String),
    /// With its reason.
    Dismiss(String),
    /// With how it was answered; may be empty.
    Resolve(String),
}

/// A ticket as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    pub thread: String,
    pub author: String,
    pub opened_at: Timestamp,
    /// `open`, `answered`, `dismissed` or `withdrawn`.
    pub state: &'static str,
    pub closed_at: Option<Timestamp>,
    pub answered_by: Option<String>,
    pub due_at: Timestamp,
    /// The deadline that passed while it was open.
    pub breached_at: Option<Timestamp>,
    pub policy: String,
    pub urgent: bool,
    /// How many of the citizen's messages it holds, those that were gone when it closed left out.
    pub messages: usize,
    pub acknowledged_at: Option<Timestamp>,
    /// Why it was dismissed or withdrawn.
    pub reason: Option<String>,
    /// The ids of all the citizen's messages it ever held, sorted: what staff and deliveries hold on to.
    pub members: Vec<String>,
}

/// Every ticket of the account, those merged away left out; by thread, then in order of opening.
pub fn tickets(facts: &Facts) -> Vec<Expected> {
    let threads: BTreeSet<&str> = facts.messages.iter().map(|message| message.thread.as_str()).collect();
    let quick = reply::sent_to_many(facts);
    let mut tickets: Vec<Expected> = threads.into_iter().flat_map(|thread| replay::thread(facts, &quick, thread)).collect();
    tickets.sort_by(|a, b| (&a.thread, a.opened_at, &a.author, a.closed_at).cmp(&(&b.thread, b.opened_at, &b.author, b.closed_at)));
    tickets
}

/// The thread's messages in the order in which they are read: by time, `in` before `out`, by external id.
fn in_order<'a>(facts: &'a Facts, thread: &str) -> Vec<&'a Message> {
    let mut messages: Vec<&Message> = facts.messages.iter().filter(|message| message.thread == thread).collect();
    messages.sort_by_key(|message| (message.created_at, message.government.is_some(), &message.id));
    messages
}
