//! A ticket: one period in which one citizen waits in one thread.

use super::{Kind, Platform, ThreadId, Time, words};

super::row_id! {
    /// The number officials quote.
    TicketId
}

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TicketState {
    /// The citizen waits.
    Open,
    /// The government answered, on the platform or (by `resolve`) elsewhere.
    Answered,
    /// Staff said that nothing is to be answered.
    Dismissed,
    /// Nothing is left to answer: gone, hidden, or merged into another ticket.
    Withdrawn,
}
words!(TicketState { Open = "open", Answered = "answered", Dismissed = "dismissed", Withdrawn = "withdrawn" });

/// What a step is, by its place beside the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepKind {
    /// Before the deadline.
    Warning,
    /// At the deadline.
    Breach,
    /// After it.
    Escalation,
}
words!(StepKind { Warning = "warning", Breach = "breach", Escalation = "escalation" });

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Effect {
    /// When it took effect or was passed over (milliseconds).
    pub at: Time,
    /// It took effect without a read that proves it; a later read sends it to whom it concerns.
    pub unverified: bool,
    /// Why it alerted nobody; `None` if it alerted.
    /// `newer step`, `acknowledged`, `backlog`, `before the change of configuration`.
    pub silent: Option<String>,
}

/// One step of a ticket's plan, with its time on the ticket's calendar.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PlannedStep {
    /// The policy it comes from.
    pub policy: String,
    /// As configured: `75%`, `0m`, `-15m`, `2h`. With ticket and policy it is the step's identity.
    pub at: String,
    /// 1 for the policy's first step in time order; 0 for the deadline where the policy has no step of its own there.
    pub number: u32,
    /// What it is.
    pub kind: StepKind,
    /// When it is due.
    pub due: Time,
    /// Whom it alerts.
    pub notify: Vec<String>,
    /// `None` while it has not taken effect.
    pub effect: Option<Effect>,
}

/// A ticket as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The number.
    pub id: TicketId,
    /// Where it belongs.
    pub thread_id: ThreadId,
    /// Whose turn it is: the citizen's id within the account; empty for those Meta does not name.
    pub author: String,
    /// The policy whose clock runs.
    pub policy: String,
    /// Whether an urgent message is in it.
    pub urgent: bool,
    /// Where it stands.
    pub state: TicketState,
    /// When the citizen began to wait.
    pub opened_at: Time,
    /// When the answer is due.
    pub due_at: Time,
    /// When the first warning took effect.
    pub warned_at: Option<Time>,
    /// The deadline that was missed.
    pub breached_at: Option<Time>,
    /// When the daemon flagged it (milliseconds).
    pub flagged_at: Option<Time>,
    /// When an official said that it is being seen to.
    pub acknowledged_at: Option<Time>,
    /// When it closed.
    pub closed_at: Option<Time>,
    /// The account that answered (external id), or `staff`.
    pub answered_by: Option<String>,
    /// Business seconds from opening to answer.
    pub business_seconds: Option<i64>,
    /// Why it was dismissed or withdrawn.
    pub reason: Option<String>,
    /// A step took effect without a read that proves it.
    pub unverified: bool,
    /// How many messages of the citizen it holds.
    pub messages: i64,
    /// Who was named by `assign`.
    pub assignee: Option<String>,
    /// The OPD it was handed over to; `None`: that of its account has to answer.
    pub held_by: Option<String>,
    /// The end of the reply window that its officials were warned of.
    pub window_warned: Option<Time>,
    /// Its steps, in time order.
    pub steps: Vec<PlannedStep>,
    /// Hash of the policies and calendars the steps follow.
    pub configuration: String,
}

impl Ticket {
    /// Slug of the OPD that has to answer; `own` is that of its account.
    pub fn holder<'a>(&'a self, own: &'a str) -> &'a str {
        self.held_by.as_deref().unwrap_or(own)
    }
}

/// What of a ticket chooses its policy and calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Slug of the OPD.
    pub opd: String,
    /// Where it was written.
    pub platform: Platform,
    /// What the thread is.
    pub kind: Kind,
}

/// What staff did with a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionKind {
    /// "I am seeing to it."
    Ack,
    /// Takes `ack` back.
    Unack,
    /// Spam, or nothing in it to answer.
    Dismiss,
    /// Answered by telephone, at the counter.
    Resolve,
    /// A remark.
    Note,
    /// Somebody's name.
    Assign,
    /// Another OPD has to answer from now on.
    Handover,
}
words!(ActionKind {
    Ack = "ack", Unack = "unack", Dismiss = "dismiss", Resolve = "resolve", Note = "note", Assign = "assign", Handover = "handover",
});

/// A recorded staff action. Actions on a citizen's ticket stay with the part that holds the newest `in` at their time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Row number, in order of recording.
    pub id: i64,
    /// The ticket it was said of.
    pub ticket: TicketId,
    /// What was done.
    pub kind: ActionKind,
    /// Who did it.
    pub by: String,
    /// When (milliseconds).
    pub at: Time,
    /// Reason, remark, how, assignee, or the slug of an OPD.
    pub text: String,
    /// The sla stage has seen it.
    pub applied: bool,
}
