//! The tickets of a thread as a pure function of its messages, of what staff did, and of a few facts handed in beside them
//! (semantics.md, Tickets). Order of arrival, batches and repetition do not matter: messages are read in the order of
//! their own time.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::naming::People;
use crate::domain::{
    Direction, Kind, MessageId, TicketState, Time,
    message::Message,
    settings::Mentions,
    ticket::{Action, ActionKind, Ticket},
    view::ThreadView,
};

/// An `out` that is gone within this of being written answers nobody.
const GONE_SOON: SignedDuration = SignedDuration::from_hours(24);

/// One period in which one citizen waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Episode {
    /// [`Message::author_key`].
    pub author: String,
    /// The time of the opening message.
    pub opened_at: Time,
    /// Every `in` that belongs to it, in order, those that went away included.
    pub members: Vec<MessageId>,
    /// Those that count, from the opening one on; of a withdrawn one, those that counted just before it was.
    pub live: Vec<Live>,
    /// How it ended.
    pub end: Option<End>,
    /// "I am seeing to it", still standing.
    pub acknowledged_at: Option<Time>,
    /// The last name given by `assign`.
    pub assignee: Option<String>,
    /// The OPD it was handed over to last; `None`: that of its account.
    pub held_by: Option<String>,
    /// The open ticket was taken up again because the answer went away (kept for the event).
    pub notes: Vec<String>,
}

/// An `in` that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Which.
    pub id: MessageId,
    /// When it was written.
    pub at: Time,
    /// Whether it opens a ticket on its own.
    pub opens: bool,
    /// Since when it is urgent.
    pub urgent_at: Option<Time>,
    /// A read that should show it did not.
    pub missing_since: Option<Time>,
    /// When it was noticed to be gone.
    pub gone_at: Option<Time>,
    /// When it was noticed to be hidden, after it had been visible.
    pub hidden_at: Option<Time>,
}

/// How an episode ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// When.
    pub at: Time,
    /// Answered, dismissed or withdrawn.
    pub state: TicketState,
    /// The account that answered (external id), or `staff`.
    pub by: Option<String>,
    /// Why it was dismissed or withdrawn; how it was resolved.
    pub reason: Option<String>,
}

enum What<'a> {
    In(&'a Message),
    Out {
        message: &'a Message,
        here: bool,
    },
    Private(&'a Message),
    /// Noticed to be hidden or gone.
    Lost(&'a Message),
    Staff(&'a Action, &'a str),
}

/// The episodes of a thread, in the order in which they opened.
pub fn episodes(view: &ThreadView, mentions: Mentions) -> Vec<Episode> {
    let mut replay = Replay { view, mentions, people: People::of(view), open: BTreeMap::new(), done: Vec::new() };
    for (at, _, _, what) in timeline(view) {
        match what {
            What::In(message) => replay.incoming(message),
            What::Out { message, here } => replay.outgoing(message, here),
            What::Private(comment) => replay.private_reply(comment, at),
            What::Lost(message) => replay.lost(message, at),
            What::Staff(action, author) => replay.staff(action, author),
        }
    }
    let mut all = replay.done;
    all.extend(replay.open.into_values());
    all.sort_by(|a, b| a.opened_at.cmp(&b.opened_at).then_with(|| a.members.cmp(&b.members)));
    all
}

/// Everything that happens in a thread, in order: by time; at the same second `in` before `out`, then by external id; a private reply after what
/// was written here, what we noticed and what staff did after what was written.
fn timeline(view: &ThreadView) -> Vec<(Time, u8, &str, What<'_>)> {
    let mut events = Vec::with_capacity(view.messages.len() + view.actions.len() + view.elsewhere.len());
    for message in &view.messages {
        let id = message.seen.external_id.as_str();
        match message.seen.direction {
            Direction::In if view.opens_from.is_some_and(|from| message.seen.created_at < from) => {}
            Direction::In => {
                events.push((message.seen.created_at, 0, id, What::In(message)));
                if let Some(&at) = view.private.get(&message.id) {
                    events.push((at.max(message.seen.created_at), 2, id, What::Private(message)));
                }
                let noticed = message.hidden_at.into_iter().chain(message.deleted_at);
                events.extend(noticed.map(|at| (at, 3, id, What::Lost(message))));
            }
            Direction::Out => events.push((message.seen.created_at, 1, id, What::Out { message, here: true })),
        }
    }
    for message in &view.elsewhere {
        events.push((message.seen.created_at, 1, &message.seen.external_id, What::Out { message, here: false }));
    }
    for action in &view.actions {
        if let Some(ticket) = view.tickets.iter().find(|ticket| ticket.id == action.ticket) {
            events.push((action.at, 4, "", What::Staff(action, &ticket.author)));
        }
    }
    events.sort_by(|a, b| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)));
    events
}

struct Replay<'a> {
    view: &'a ThreadView,
    mentions: Mentions,
    people: People,
    open: BTreeMap<String, Episode>,
    done: Vec<Episode>,
}

impl Replay<'_> {
    fn incoming(&mut self, message: &Message) {
        let author = message.author_key();
        let opens = opens(self.view, message, self.mentions);
        let live = Live {
            id: message.id,
            at: message.seen.created_at,
            opens,
            urgent_at: message.urgent_at,
            missing_since: message.missing_since,
            gone_at: message.deleted_at,
            hidden_at: message.hidden_at,
        };
        if let Some(episode) = self.open.get_mut(&author) {
            episode.members.push(message.id);
            episode.live.push(live);
        } else if opens {
            let episode = Episode {
                author: author.clone(),
                opened_at: message.seen.created_at,
                members: vec![message.id],
                live: vec![live],
                end: None,
                acknowledged_at: None,
                assignee: None,
                held_by: None,
                notes: Vec::new(),
            };
            self.open.insert(author, episode);
        }
    }

    fn outgoing(&mut self, message: &Message, here: bool) {
        if self.open.is_empty() || !answers(self.view, message) {
            return;
        }
        let mut whom = self.people.named(message, self.open.keys());
        if whom.is_empty() && here {
            whom = self.open.keys().cloned().collect();
        }
        for author in whom {
            self.close(
                &author,
                End { at: message.seen.created_at, state: TicketState::Answered, by: message.seen.government.clone(), reason: None },
            );
        }
    }

    fn private_reply(&mut self, comment: &Message, at: Time) {
        let author = comment.author_key();
        if self.open.get(&author).is_some_and(|episode| episode.members.contains(&comment.id)) {
            let by = Some(self.view.account_external.clone());
            self.close(&author, End { at, state: TicketState::Answered, by, reason: None });
        }
    }

    /// An `in` is gone or hidden. What is gone does not count: the ticket opens at the earliest that is left. What is hidden still does, so
    /// that hiding a complaint moves no clock; only when all of them are gone or hidden, the ticket is withdrawn.
    fn lost(&mut self, message: &Message, at: Time) {
        let author = message.author_key();
        let Some(episode) = self.open.get_mut(&author) else { return };
        let past = |noticed: Option<Time>| noticed.is_some_and(|noticed| noticed <= at);
        if let Some(first) = episode.live.iter().position(|live| live.opens && !past(live.gone_at)) {
            episode.live.drain(..first);
            episode.live.retain(|live| !past(live.gone_at));
            episode.opened_at = episode.live[0].at;
            if !episode.live.iter().all(|live| past(live.hidden_at)) {
                return;
            }
        }
        // Hidden and gone together: it says hidden, so that hiding is seen.
        let hidden = self.view.messages.iter().any(|m| past(m.hidden_at) && episode.members.contains(&m.id));
        let reason = if hidden { "hidden" } else { "gone" };
        self.close(&author, End { at, state: TicketState::Withdrawn, by: None, reason: Some(reason.to_owned()) });
    }

    fn staff(&mut self, action: &Action, author: &str) {
        let text = Some(action.text.clone()).filter(|text| !text.is_empty());
        let end = |state, by: Option<&str>| End { at: action.at, state, by: by.map(str::to_owned), reason: text.clone() };
        match action.kind {
            ActionKind::Dismiss => self.close(author, end(TicketState::Dismissed, None)),
            ActionKind::Resolve => self.close(author, end(TicketState::Answered, Some("staff"))),
            ActionKind::Ack | ActionKind::Unack | ActionKind::Assign | ActionKind::Note | ActionKind::Handover => {
                // They stay with the part that holds the newest `in` at their time: the open one, else the last that closed.
                let episode = match self.open.get_mut(author) {
                    Some(open) => Some(open),
                    None => self.done.iter_mut().rev().find(|done| done.author == author),
                };
                let Some(episode) = episode else { return };
                match action.kind {
                    ActionKind::Ack if episode.end.is_none() => episode.acknowledged_at = Some(action.at),
                    ActionKind::Unack if episode.end.is_none() => episode.acknowledged_at = None,
                    ActionKind::Assign => episode.assignee = text,
                    ActionKind::Handover => {
                        let holder = text.filter(|opd| *opd != self.view.subject.opd);
                        if holder != episode.held_by {
                            // It was said for the OPD that held it.
                            (episode.held_by, episode.acknowledged_at) = (holder, None);
                        }
                    }
                    ActionKind::Note => episode.notes.extend(text),
                    _ => {}
                }
            }
        }
    }

    fn close(&mut self, author: &str, end: End) {
        if let Some(mut episode) = self.open.remove(author) {
            episode.end = Some(end);
            self.done.push(episode);
        }
    }
}

/// Whether an `in` opens a ticket when its author has none open.
fn opens(view: &ThreadView, message: &Message, mentions: Mentions) -> bool {
    let seen = &message.seen;
    if view.subject.kind != Kind::Mention {
        return seen.needs_answer;
    }
    // A changed `sla.mentions` undoes no ticket that stands: its opening message, the first it holds of its second, still opens it.
    let ticket = view.members.get(&message.id).and_then(|id| view.tickets.iter().find(|ticket| ticket.id == *id));
    let first_of = |ticket: &Ticket| {
        let before_it = |m: &Message| m.seen.created_at == seen.created_at && m.seen.external_id < seen.external_id;
        let opened_then = seen.needs_answer && ticket.opened_at == seen.created_at;
        opened_then && !view.messages.iter().any(|m| before_it(m) && view.members.get(&m.id) == Some(&ticket.id))
    };
    if ticket.is_some_and(first_of) {
        return true;
    }
    let by_its_author = || view.messages.iter().any(|m| m.seen.kind == Kind::Mention && m.author_key() == message.author_key());
    let wanted = match mentions {
        Mentions::None => false,
        _ if seen.kind != Kind::Mention => seen.tags_own || by_its_author(),
        Mentions::All => true,
        Mentions::Ask => (seen.asks || seen.urgent) && !seen.by_page,
    };
    seen.needs_answer && wanted
}

/// Whether an `out` answers anybody at all.
fn answers(view: &ThreadView, message: &Message) -> bool {
    let seen = &message.seen;
    let gone_soon = message.deleted_at.is_some_and(|at| at.since(seen.created_at) <= GONE_SOON);
    let by_sister = seen.government.as_deref().is_some_and(|by| by != view.account_external && by != "staff");
    let passes_on = by_sister && seen.tags_own;
    !(seen.bare || seen.automatic || view.automatic.contains(&message.id) || gone_soon || passes_on)
}
