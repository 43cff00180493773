//! One thread, event by event. Where semantics.md leaves two readings, the one taken is named in a comment.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    Action, Expected, Facts, Mentions, Message, What,
    clock::{due, policy},
    flagged::{self, Flagged},
    in_order,
    reply::{self, Waiting, answers, named},
};

/// What can happen, in the order in which it is taken at the same instant.
enum Event<'a> {
    In(&'a Message),
    /// An `out` of this thread, or a top-level `out` in another thread of the same post.
    Out(&'a Message),
    /// The private reply to this comment.
    Private(&'a Message),
    /// This `in` was noticed to be gone or hidden.
    Lost,
    Action(&'a Action),
}

struct Waits<'a> {
    author: &'a str,
    members: Vec<&'a Message>,
    acknowledged_at: Option<Timestamp>,
    handed_to: Option<String>,
}

struct Clock {
    opened_at: Timestamp,
    due_at: Timestamp,
    policy: String,
    urgent: bool,
}

struct Replay<'a> {
    facts: &'a Facts,
    kind: &'a str,
    messages: Vec<&'a Message>,
    flagged: &'a [Flagged],
    waits: Vec<Waits<'a>>,
    done: Vec<Expected>,
}

/// The tickets of one thread.
pub fn thread(facts: &Facts, quick: &BTreeSet<String>, thread: &str) -> Vec<Expected> {
    with(facts, quick, thread, &flagged::before_removals(facts, thread))
}

/// The same, given what had been flagged before messages went.
pub fn with(facts: &Facts, quick: &BTreeSet<String>, thread: &str, flagged: &[Flagged]) -> Vec<Expected> {
    let messages = in_order(facts, thread);
    if messages.is_empty() {
        return Vec::new();
    }
    let mut replay = Replay { facts, kind: &messages[0].kind, messages: messages.clone(), flagged, waits: Vec::new(), done: Vec::new() };
    let mut events = Vec::new();
    for message in &messages {
        if message.government.is_some() {
            if answers(message, quick, &facts.own) {
                events.push(((message.created_at, 1, message.id.clone()), Event::Out(message)));
            }
            continue;
        }
        events.push(((message.created_at, 0, message.id.clone()), Event::In(message)));
        if let Some(at) = reply::private(facts, quick, message) {
            // Written elsewhere: after what was written here at the same second.
            events.push(((at, 2, message.id.clone()), Event::Private(message)));
        }
        for at in [message.hidden_at, message.deleted_at].into_iter().flatten() {
            events.push(((at, 3, message.id.clone()), Event::Lost));
        }
    }
    let post = messages.iter().find_map(|message| message.post.as_ref());
    for out in facts.messages.iter().filter(|out| out.government.is_some() && out.kind == "comment" && out.top_level) {
        if post.is_some() && out.post.as_ref() == post && out.thread != thread && answers(out, quick, &facts.own) {
            events.push(((out.created_at, 1, out.id.clone()), Event::Out(out)));
        }
    }
    for action in facts.actions.iter().filter(|action| action.thread == thread) {
        events.push(((action.at, 4, String::new()), Event::Action(action)));
    }
    events.sort_by(|(a, _), (b, _)| a.cmp(b));
    for ((at, ..), event) in events.iter().filter(|((at, ..), _)| *at <= facts.now) {
        match event {
            Event::In(message) => replay.came(message),
            Event::Out(out) => replay.answered(out, thread),
            Event::Private(comment) => replay.answered_in_private(comment, *at),
            Event::Lost => replay.lost(*at),
            Event::Action(action) => replay.act(action),
        }
    }
    replay.end()
}

/// Whether this `in` is known to be gone at `at`.
fn gone(message: &Message, at: Timestamp) -> bool {
    message.deleted_at.is_some_and(|gone| gone <= at)
}

impl<'a> Replay<'a> {
    /// Whether an `in` opens a ticket.
    fn opens(&self, message: &Message) -> bool {
        if !message.needs_answer || self.facts.opens_from.is_some_and(|from| message.created_at < from) {
            return false;
        }
        if self.kind != "mention" {
            return true;
        }
        if message.id == message.thread {
            return match self.facts.rules.mentions {
                Mentions::All => true,
                Mentions::None => false,
                Mentions::Ask => (message.asks || message.urgent_at.is_some()) && !message.by_page,
            };
        }
        if self.facts.rules.mentions == Mentions::None {
            return false;
        }
        let author = self.messages.iter().find(|one| one.id == one.thread).map(|mention| &mention.author);
        message.tags_own || author == Some(&message.author)
    }

    fn came(&mut self, message: &'a Message) {
        if let Some(one) = self.waits.iter_mut().find(|one| one.author == message.author) {
            one.members.push(message);
        } else if self.opens(message) {
            self.waits.push(Waits { author: &message.author, members: vec![message], acknowledged_at: None, handed_to: None });
        }
    }

    fn answered(&mut self, out: &Message, thread: &str) {
        let names = |of: fn(&Message) -> &Option<String>, author: &str| -> BTreeSet<String> {
            let own = self.messages.iter().filter(|message| message.government.is_none() && message.author == author && !author.is_empty());
            own.filter_map(|message| of(message).as_ref().map(|name| name.to_lowercase())).collect()
        };
        let waiting: Vec<Waiting> = self
            .waits
            .iter()
            .map(|one| Waiting {
                author: one.author.to_owned(),
                names: names(|message| &message.author_name, one.author),
                usernames: names(|message| &message.author_username, one.author),
            })
            .collect();
        let named = named(out, &waiting);
        let everyone = named.is_empty() && out.thread == thread;
        let answered: Vec<String> =
            waiting.iter().map(|one| one.author.clone()).filter(|author| everyone || named.contains(author.as_str())).collect();
        for author in answered {
            let at = self.waits.iter().position(|one| one.author == author).unwrap();
            self.close(at, out.created_at, "answered", out.government.clone(), None);
        }
    }

    fn answered_in_private(&mut self, comment: &Message, at: Timestamp) {
        let holds = |one: &Waits| one.members.iter().any(|member| member.id == comment.id);
        if let Some(index) = self.waits.iter().position(holds) {
            self.close(index, at, "answered", Some(self.facts.own.clone()), None);
        }
    }

    fn lost(&mut self, at: Timestamp) {
        let hidden = |message: &Message| message.hidden_at.is_some_and(|hidden| hidden <= at);
        for index in (0..self.waits.len()).rev() {
            let members = &self.waits[index].members;
            let left: Vec<&&Message> = members.iter().filter(|member| !gone(member, at)).collect();
            let asks_nothing = !left.iter().any(|member| self.opens(member));
            if asks_nothing || left.iter().all(|member| hidden(member)) {
                // Whoever hides the complaint is to be seen, whatever else is gone.
                let reason = if members.iter().any(|member| hidden(member)) { "hidden" } else { "gone" };
                self.close(index, at, "withdrawn", None, Some(reason.to_owned()));
            }
        }
    }

    /// An action goes to the ticket that holds the citizen's newest `in` of that time; if that one is closed, it changes nothing.
    fn act(&mut self, action: &Action) {
        let Some(index) = self.waits.iter().position(|one| one.author == action.author) else { return };
        match &action.what {
            What::Ack => self.waits[index].acknowledged_at = Some(action.at),
            What::Unack => self.waits[index].acknowledged_at = None,
            // What was said for another OPD is said no more.
            What::Handover(opd) => {
                if self.waits[index].handed_to.replace(opd.clone()).as_ref() != Some(opd) {
                    self.waits[index].acknowledged_at = None;
                }
            }
            What::Dismiss(reason) => self.close(index, action.at, "dismissed", None, Some(reason.clone())),
            What::Resolve(how) => {
                self.close(index, action.at, "answered", Some("staff".to_owned()), Some(how.clone()).filter(|how| !how.is_empty()));
            }
        }
    }

    /// The messages that count at `at`, from the opening one on. Where nothing is left to answer, those that counted just before the last
    /// question went: a ticket is withdrawn as it stood.
    fn counted(&self, one: &Waits<'a>, at: Timestamp) -> Vec<&'a Message> {
        let mut left: Vec<&Message> = one.members.iter().filter(|member| !gone(member, at)).copied().collect();
        if !left.iter().any(|member| self.opens(member)) {
            let last = one.members.iter().filter(|member| self.opens(member)).filter_map(|member| member.deleted_at).max();
            left = one.members.iter().filter(|member| member.deleted_at.is_none() || member.deleted_at >= last).copied().collect();
        }
        let opening = left.iter().position(|member| self.opens(member)).unwrap();
        left.split_off(opening)
    }

    /// The clock of a ticket as its messages stood at `at`.
    fn clock(&self, one: &Waits<'a>, at: Timestamp) -> Clock {
        let left = self.counted(one, at);
        let opened_at = left[0].created_at;
        let urgent_at = left.iter().filter_map(|member| member.urgent_at).filter(|urgent| *urgent <= at).min();
        let first = policy(self.facts, self.kind, urgent_at == Some(opened_at));
        let clock = Clock { opened_at, due_at: due(self.facts, first, opened_at), policy: first.name.clone(), urgent: urgent_at.is_some() };
        let Some(urgent_at) = urgent_at else { return clock };
        let urgent = policy(self.facts, self.kind, true);
        if urgent.name == first.name {
            return clock;
        }
        Clock { due_at: clock.due_at.min(due(self.facts, urgent, urgent_at)), policy: urgent.name.clone(), ..clock }
    }

    /// The first deadline missed by `end`: the ticket's own, or one flagged before the message that set it went.
    fn missed(&self, one: &Waits<'a>, due_at: Timestamp, end: Timestamp) -> Option<Timestamp> {
        let holds = |flagged: &&Flagged| one.members.iter().any(|member| member.id == flagged.first);
        let stands = self.flagged.iter().filter(holds).map(|flagged| flagged.deadline);
        stands.chain([due_at]).filter(|deadline| *deadline < end).min()
    }

    fn close(&mut self, index: usize, at: Timestamp, state: &'static str, answered_by: Option<String>, reason: Option<String>) {
        let one = self.waits.remove(index);
        let expected = self.expected(&one, at, state);
        let breached_at = self.missed(&one, expected.due_at, at);
        self.done.push(Expected { closed_at: Some(at), answered_by, reason, breached_at, ..expected });
    }

    fn expected(&self, one: &Waits<'a>, at: Timestamp, state: &'static str) -> Expected {
        let Clock { opened_at, due_at, policy, urgent } = self.clock(one, at);
        let mut members: Vec<String> = one.members.iter().map(|member| member.id.clone()).collect();
        members.sort();
        Expected {
            thread: one.members[0].thread.clone(),
            author: one.author.to_owned(),
            opened_at,
            state,
            closed_at: None,
            answered_by: None,
            due_at,
            breached_at: None,
            policy,
            urgent,
            messages: self.counted(one, at).len(),
            acknowledged_at: one.acknowledged_at,
            reason: None,
            members,
        }
    }

    fn end(mut self) -> Vec<Expected> {
        let now = self.facts.now;
        let open: Vec<Expected> = self
            .waits
            .iter()
            .map(|one| {
                // At the very instant of the deadline an open one has missed it; an answer of that second comes in time.
                let soon = Timestamp::from_millisecond(now.as_millisecond() + 1).unwrap();
                let expected = self.expected(one, now, "open");
                Expected { breached_at: self.missed(one, expected.due_at, soon), ..expected }
            })
            .collect();
        self.done.extend(open);
        self.done
    }
}
