//! What the sla stage is given of a thread and what it answers: the seam between store and judge.

use std::collections::{HashMap, HashSet};

use super::{
    AccountId, MessageId, ThreadId, TicketId, Time,
    alert::Alert,
    message::Message,
    ticket::{Action, Subject, Ticket},
};

/// Everything the tickets of one thread depend on.
#[derive(Clone, Debug)]
pub struct ThreadView {
    /// The thread.
    pub id: ThreadId,
    /// Whose it is.
    pub account: AccountId,
    /// The account's external id.
    pub account_external: String,
    /// OPD, platform and kind.
    pub subject: Subject,
    /// Its messages, in any order.
    pub messages: Vec<Message>,
    /// Top-level `out` comments in other threads of the same post.
    pub elsewhere: Vec<Message>,
    /// `out` messages whose text went quickly to three threads or more.
    pub automatic: HashSet<MessageId>,
    /// Private replies by the comment they answer.
    pub private: HashMap<MessageId, Time>,
    /// The tickets so far, those merged away included.
    pub tickets: Vec<Ticket>,
    /// Which ticket held which message.
    pub members: HashMap<MessageId, TicketId>,
    /// What staff did with those tickets.
    pub actions: Vec<Action>,
    /// What was written before opens no ticket.
    pub opens_from: Option<Time>,
    /// When the last read that proves the thread began.
    pub read_began_at: Option<Time>,
    /// The last blindness of the source.
    pub blindness: Option<Blindness>,
    /// No read can ever prove it.
    pub unreadable: bool,
}

/// A span in which a source was not read: before its first read, or more than two hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blindness {
    /// The last read before; `None` before the first.
    pub from: Option<Time>,
    /// When the read that ended it began.
    pub until: Time,
}

/// A ticket as the judge wants it stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Ruled {
    /// Number 0: a new one.
    pub ticket: Ticket,
    /// The messages of the citizen that it holds.
    pub members: Vec<MessageId>,
    /// The newest of them, whose text is shown, and its time.
    pub newest: Option<(MessageId, Time)>,
    /// What happened: name and detail (our own words).
    pub events: Vec<(&'static str, String)>,
    /// What is to be told; ticket and account are filled in when stored.
    pub alerts: Vec<Alert>,
    /// Whether the row differs from the stored one.
    pub changed: bool,
    /// For the metric: how late the flag was, if it was set now.
    pub flag_lag_ms: Option<i64>,
}

/// What is to be written for a thread.
#[derive(Clone, Debug, PartialEq)]
pub struct Ruling {
    /// The thread.
    pub thread: ThreadId,
    /// Whose it is.
    pub account: AccountId,
    /// OPD, platform and kind, for the log.
    pub subject: Subject,
    /// The account's external id, for the log.
    pub account_external: String,
    /// Every ticket that is new or differs.
    pub tickets: Vec<Ruled>,
    /// What staff said that was not judged before, by number.
    pub actions: Vec<i64>,
    /// When to look again.
    pub look_again: Option<Time>,
    /// From when on a read is wanted.
    pub verify_at: Option<Time>,
}
