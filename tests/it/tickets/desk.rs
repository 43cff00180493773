//! One thread on the judge's desk: what is said of its tickets when, and what is stored of it, kept in memory.

use std::collections::{HashMap, HashSet};

use jiff::SignedDuration;
use tanggap::{
    domain::{
        AccountId, Direction, Kind, MessageId, Object, Platform, ThreadId, TicketId, Time,
        alert::{AlertKind, RESTORED},
        message::{Author, Message, Seen, ThreadKey},
        settings::{Match, Mentions, Policy, Step, StepAt},
        ticket::{Action, ActionKind, Subject, Ticket},
        view::ThreadView,
    },
    hours::calendar::Calendars,
    sla::judge::{Rules, judge},
};

use super::story::at;

/// A policy on the calendar "always"; each step is its `at` (`50%`, or seconds from the deadline) and its group.
pub fn policy(name: &str, urgent: Option<bool>, within: i64, steps: &[(&str, &str)]) -> Policy {
    let step = |(text, group): &(&str, &str)| Step {
        text: (*text).into(),
        at: match text.strip_suffix('%') {
            Some(percent) => StepAt::Percent(percent.parse().unwrap()),
            None => StepAt::Offset(SignedDuration::from_secs(text.parse().unwrap())),
        },
        notify: vec![(*group).into()],
    };
    Policy {
        name: name.into(),
        matches: Match { urgent, ..Match::default() },
        respond_within: SignedDuration::from_secs(within),
        calendar: "always".into(),
        steps: steps.iter().map(step).collect(),
    }
}

pub struct Desk {
    pub view: ThreadView,
    pub policies: Vec<Policy>,
    pub configuration: String,
    pub changed_at: i64,
    pub restored_at: Option<i64>,
    pub hold: bool,
    pub window_warning: bool,
    /// When the office is open, as the calendar file has it.
    pub hours: &'static str,
    /// What the last look wants: when to look again, from when on a read.
    pub wants: (Option<Time>, Option<Time>),
}

impl Desk {
    /// Answers are due after 1000 seconds: 50 % to the operator, the deadline to the head, 500 seconds later to the secretary. Urgent ones after
    /// 100 seconds, to the head.
    pub fn new() -> Self {
        let view = ThreadView {
            id: ThreadId(1),
            account: AccountId(1),
            account_external: "page".into(),
            subject: Subject { opd: "dinhub".into(), platform: Platform::Facebook, kind: Kind::Comment },
            messages: vec![],
            elsewhere: vec![],
            automatic: HashSet::new(),
            private: HashMap::new(),
            tickets: vec![],
            members: HashMap::new(),
            actions: vec![],
            opens_from: None,
            read_began_at: None,
            blindness: None,
            unreadable: false,
        };
        let policies = vec![
            policy("darurat", Some(true), 100, &[("0", "kepala")]),
            policy("biasa", None, 1000, &[("50%", "operator"), ("0", "kepala"), ("500", "sekda")]),
        ];
        Self {
            view,
            policies,
            configuration: "one".into(),
            changed_at: 0,
            restored_at: None,
            hold: false,
            window_warning: false,
            hours: "mon-sun = [\"00:00-24:00\"]",
            wants: (None, None),
        }
    }

    fn message(&mut self, second: i64, direction: Direction, author: &str) -> &mut Message {
        let number = self.view.messages.len() as i64 + 1;
        let seen = Seen {
            object: Object::Comment,
            external_id: format!("m{number:02}"),
            kind: Kind::Comment,
            direction,
            government: (direction == Direction::Out).then(|| author.to_owned()),
            thread: ThreadKey { kind: Kind::Comment, name: "c1".into(), post: None, citizen: None },
            parent: None,
            top_level: false,
            author: Some(Author { id: Some(author.into()), name: None, username: None }),
            text: "Kapan?".into(),
            attachments: vec![],
            reactions: vec![],
            tags: vec![],
            created_at: at(second),
            hidden: false,
            automatic: false,
            needs_answer: direction == Direction::In,
            asks: direction == Direction::In,
            urgent: false,
            bare: false,
            tags_own: false,
            by_page: false,
            private_reply: None,
            permalink: None,
        };
        self.view.messages.push(Message {
            id: MessageId(number),
            account: AccountId(1),
            thread_id: ThreadId(1),
            seen,
            seen_at: at(second),
            edited_at: None,
            deleted_at: None,
            hidden_at: None,
            missing_since: None,
            urgent_at: None,
            private_unseen_at: None,
        });
        self.view.messages.last_mut().unwrap()
    }

    /// Siti writes.
    pub fn asks(&mut self, second: i64) -> &mut Message {
        self.message(second, Direction::In, "siti")
    }

    /// The account writes.
    pub fn replies(&mut self, second: i64) -> &mut Message {
        self.message(second, Direction::Out, "page")
    }

    pub fn staff(&mut self, second: i64, kind: ActionKind, ticket: i64) {
        let id = self.view.actions.len() as i64 + 1;
        let text = "alasan".into();
        self.view.actions.push(Action { id, ticket: TicketId(ticket), kind, by: "op".into(), at: at(second), text, applied: false });
    }

    /// Staff hand a ticket over to another OPD.
    pub fn hands_over(&mut self, second: i64, ticket: i64, opd: &str) {
        self.staff(second, ActionKind::Handover, ticket);
        self.view.actions.last_mut().unwrap().text = opd.into();
    }

    /// A read of the whole thread began then and the judge looks; what happened, as `number event detail` and `number alert of step to groups`.
    pub fn read(&mut self, second: i64) -> Vec<String> {
        self.view.read_began_at = Some(at(second));
        self.look(second)
    }

    /// The judge looks, without a read.
    pub fn look(&mut self, second: i64) -> Vec<String> {
        let calendar = format!("[[calendar]]\nname = \"always\"\ntimezone = \"UTC\"\n[calendar.hours]\n{}", self.hours);
        let calendars = Calendars::new(&crate::clock::calendars::read(&calendar));
        let rules = Rules {
            policies: &self.policies,
            calendars: &calendars,
            opds: &[],
            mentions: Mentions::Ask,
            verify_within: SignedDuration::from_secs(120),
            awake_since: Time::clamp_ms(0),
            confirm_gone: SignedDuration::from_secs(20),
            configuration: &self.configuration,
            changed_at: at(self.changed_at),
            restored_at: self.restored_at.map(at),
            window_warning: self.window_warning,
            hold: self.hold,
        };
        let ruling = judge(&self.view, &rules, at(second));
        let mut said = Vec::new();
        for mut ruled in ruling.tickets {
            if ruled.ticket.id == TicketId(0) {
                ruled.ticket.id = TicketId(self.view.tickets.len() as i64 + 1);
                self.view.tickets.push(ruled.ticket.clone());
            }
            let id = ruled.ticket.id;
            self.view.members.extend(ruled.members.iter().map(|member| (*member, id)));
            said.extend(ruled.events.iter().map(|(name, detail)| format!("{id} {name} {detail}").trim_end().to_owned()));
            said.extend(ruled.alerts.iter().map(|alert| {
                let late = if alert.late_found { " late_found" } else { "" };
                let from = match alert.kind {
                    AlertKind::HandedOver => format!(" from {}", alert.detail),
                    AlertKind::WindowClosing => format!(" until {}", alert.detail),
                    _ if alert.detail == RESTORED => " restored".to_owned(),
                    _ => String::new(),
                };
                format!("{id} -> {} {} {}{late}{from}", alert.kind.word(), alert.at, alert.notify.join(",")).trim_end().to_owned()
            }));
            *self.view.tickets.iter_mut().find(|ticket| ticket.id == id).unwrap() = ruled.ticket;
        }
        self.view.actions.iter_mut().for_each(|action| action.applied = true);
        self.wants = (ruling.look_again, ruling.verify_at);
        said
    }

    pub fn ticket(&self, number: i64) -> &Ticket {
        self.view.tickets.iter().find(|ticket| ticket.id == TicketId(number)).unwrap()
    }

    /// `state opened closed due breached`, in seconds.
    pub fn row(&self, number: i64) -> String {
        let second = |time: Time| time.since(at(0)).as_secs().to_string();
        let maybe = |time: Option<Time>| time.map_or_else(|| "-".into(), second);
        let t = self.ticket(number);
        format!("{} {} {} {} {}", t.state, second(t.opened_at), maybe(t.closed_at), second(t.due_at), maybe(t.breached_at))
    }
}
