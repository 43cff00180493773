//! Single sentences of letters: a ticket, a section of them, an account's state, a title. Pure.

use std::collections::{BTreeMap, HashMap};

use minijinja::context;

use super::{
    preview::{clean, first_words, preview},
    sheet::{Item, Section},
};
use crate::{
    alert::route::closes,
    catalogue::{Words, WordsError},
    domain::{Cause, TicketId, Time, alert::AlertKind, settings::Settings},
    store::outbox::{AccountFacts, TicketFacts, Waiting},
};

/// OPDs named in a heading at most.
const OPDS: usize = 8;
/// So many tickets under one post are one line (semantics.md, Alerts, "Grouping").
const POST_LINE: usize = 5;
/// Graphemes of a name from the configuration or of a cause at most.
const NAME: usize = 120;

/// What the tickets of a section have in common, in the order in which sections stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Head {
    Overdue,
    Backlog,
    Warned,
    WindowClosing,
    HandedOver,
    LateFound,
    Answered,
    Dismissed,
    Withdrawn,
}

impl Head {
    pub fn of(waiting: &Waiting) -> Option<Self> {
        Some(match waiting.alert.kind {
            AlertKind::Breached | AlertKind::Escalated => Self::Overdue,
            AlertKind::Backlog => Self::Backlog,
            AlertKind::Warned => Self::Warned,
            AlertKind::HandedOver => Self::HandedOver,
            AlertKind::WindowClosing => Self::WindowClosing,
            AlertKind::Answered if waiting.alert.late_found => Self::LateFound,
            AlertKind::Answered => Self::Answered,
            AlertKind::Dismissed => Self::Dismissed,
            AlertKind::Withdrawn => Self::Withdrawn,
            AlertKind::Unverified
            | AlertKind::Unhealthy
            | AlertKind::Recovered
            | AlertKind::Expiring
            | AlertKind::ClockSkewed
            | AlertKind::Undelivered
            | AlertKind::Morning
            | AlertKind::Weekly => return None,
        })
    }
    const fn key(self) -> &'static str {
        match self {
            Self::Overdue => "head_overdue",
            Self::Backlog => "head_backlog",
            Self::Warned => "head_warned",
            Self::HandedOver => "head_handed_over",
            Self::WindowClosing => "head_window_closing",
            Self::LateFound => "head_late_found",
            Self::Answered => "head_answered",
            Self::Dismissed => "head_dismissed",
            Self::Withdrawn => "head_withdrawn",
        }
    }
    pub const fn open(self) -> bool {
        matches!(self, Self::Overdue | Self::Backlog | Self::Warned | Self::WindowClosing | Self::HandedOver)
    }
}

/// A ticket with what is told of it and whose it is.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub waiting: &'a Waiting,
    pub ticket: &'a TicketFacts,
    pub account: &'a AccountFacts,
    pub head: Head,
}

/// Speaks the site's language at one instant.
pub(super) struct Speaker<'a> {
    pub words: &'a Words,
    pub settings: &'a Settings,
    pub now: Time,
}

impl Speaker<'_> {
    /// An OPD as lists call it.
    pub fn opd(&self, slug: &str) -> String {
        let name = self.settings.opd(slug).map_or(slug, |opd| if opd.abbreviation.is_empty() { &opd.name } else { &opd.abbreviation });
        first_words(&clean(name), NAME)
    }

    /// An office by its id, as letters call it.
    fn office(&self, id: &str) -> String {
        first_words(&clean(self.settings.office(id)), NAME)
    }

    pub fn greeting(&self, names: &[&str]) -> Result<String, WordsError> {
        let names: Vec<String> = names.iter().map(|name| first_words(&clean(name), NAME)).collect();
        self.words.say("greeting", context! { names => names.join(&self.words.say("greeting_and", ())?) })
    }

    /// "DPUTARU 3, Dinhub 2"; the name alone where there is but one.
    fn opds<'b>(&self, accounts: impl Iterator<Item = &'b AccountFacts>) -> Result<String, WordsError> {
        self.counts(accounts.map(|account| account.opd.as_str()))
    }

    /// The same of slugs.
    pub fn counts<'b>(&self, slugs: impl Iterator<Item = &'b str>) -> Result<String, WordsError> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for slug in slugs {
            *counts.entry(slug).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|&(opd, n)| (std::cmp::Reverse(n), opd));
        if let [(opd, _)] = counts[..] {
            return Ok(self.opd(opd));
        }
        let named = counts.iter().take(OPDS).map(|&(opd, n)| self.words.say("opd_count", context! { opd => self.opd(opd), n }));
        let mut named = named.collect::<Result<Vec<_>, _>>()?;
        if counts.len() > OPDS {
            named.push(self.words.say("opds_more", context! { n => counts.len() - OPDS })?);
        }
        Ok(named.join(", "))
    }

    /// Whose tickets they are, else whose accounts, else the site's name.
    pub fn concerned(&self, tickets: &[Told<'_>], states: &[&Waiting]) -> Result<String, WordsError> {
        if !tickets.is_empty() {
            return self.opds(tickets.iter().map(|t| t.account));
        }
        if states.is_empty() || states.iter().any(|w| w.account.is_none()) {
            return Ok(self.settings.site.name.clone());
        }
        self.opds(states.iter().filter_map(|w| w.account.as_ref()))
    }

    pub fn title(&self, tickets: &[Told<'_>], open: &[Told<'_>], states: &[&Waiting]) -> Result<String, WordsError> {
        let say = |key: &str, told: &[Told<'_>]| {
            self.words.say(key, context! { n => told.len(), opds => self.opds(told.iter().map(|t| t.account))? })
        };
        match (open, tickets, states) {
            ([], [], [state]) if state.alert.kind == AlertKind::ClockSkewed => self.words.say("subject_clock", ()),
            ([], [], states) if states.iter().all(|w| w.alert.kind == AlertKind::Undelivered) => self.words.say("subject_undelivered", ()),
            ([], [], states) if states.iter().all(|w| w.account.is_some()) => {
                let opds = self.opds(states.iter().filter_map(|w| w.account.as_ref()))?;
                self.words.say("subject_accounts", context! { opds })
            }
            ([], [], _) => self.words.say("subject_site", context! { site => &self.settings.site.name }),
            ([], closed, _) => say("subject_closed", closed),
            (open, ..) if open.iter().all(|t| t.head == Head::Backlog) => say("subject_backlog", open),
            ([told], ..) => self.words.say("subject_ticket", context! { opd => self.opd(&told.account.opd), id => told.ticket.id.0 }),
            (open, ..) => say("subject_tickets", open),
        }
    }

    pub fn section(&self, head: Head, told: &[Told<'_>], named: usize) -> Result<Section, WordsError> {
        let opds = self.opds(told.iter().map(|t| t.account))?;
        let mut lines: Vec<Vec<Told<'_>>> = Vec::new();
        // what was handed over stands together where it comes from the same OPD
        let from = |t: &Told<'_>| (head == Head::HandedOver).then(|| t.waiting.alert.detail.clone());
        let under = |t: &Told<'_>| {
            t.ticket.post_key.as_deref().map(|post| (t.account.platform, t.account.external_id.clone(), post.to_owned(), from(t)))
        };
        let mut posts: HashMap<_, Vec<Told<'_>>> = HashMap::new();
        for t in told {
            posts.entry(under(t)).or_default().push(*t);
        }
        for t in told {
            match posts.get(&under(t)) {
                Some(all) if under(t).is_some() && all.len() >= POST_LINE => {
                    if all[0].ticket.id == t.ticket.id {
                        lines.push(all.clone());
                    }
                }
                _ => lines.push(vec![*t]),
            }
        }
        let left: usize = lines.iter().skip(named).map(Vec::len).sum();
        let items = lines.iter().take(named).map(|line| self.line(line)).collect::<Result<Vec<_>, _>>()?;
        let head_text = self.words.say(head.key(), context! { n => told.len(), opds })?;
        Ok(Section { head: head_text, items, more: self.more(left)?, closed: !head.open(), left })
    }

    pub fn more(&self, left: usize) -> Result<Option<String>, WordsError> {
        if left == 0 { Ok(None) } else { self.words.say("more", context! { n => left }).map(Some) }
    }

    /// One ticket, or the tickets under one post (oldest first).
    fn line(&self, line: &[Told<'_>]) -> Result<Item, WordsError> {
        let told = line[0];
        let Told { ticket, account, .. } = told;
        let opd = self.opd(&account.opd);
        let platform = self.words.platform(account.platform)?;
        let kind = self.words.kind(ticket.kind, account.platform)?;
        let since = self.words.moment(ticket.opened_at)?;
        let link = self.ticket(ticket.id);
        let text = if closes(told.waiting.alert.kind) {
            self.words.say("item_closed", context! { opd, id => ticket.id.0, kind, since })?
        } else {
            let state = self.clock(told)?;
            let urgent = line.iter().any(|t| t.ticket.urgent);
            if line.len() > 1 {
                self.words.say("item_post", context! { urgent, opd, n => line.len(), platform, since, state })?
            } else {
                let names: Vec<&str> = [&ticket.author_name, &ticket.author_username].into_iter().flatten().map(String::as_str).collect();
                let preview = preview(self.settings.letter.preview, ticket.kind, ticket.text.as_str(), &names);
                self.words.say("item", context! { urgent, opd, id => ticket.id.0, preview, kind, since, state })?
            }
        };
        Ok(Item { text, link, tickets: line.len() })
    }

    /// A ticket's page.
    pub fn ticket(&self, id: TicketId) -> Option<String> {
        self.settings.http.public_url.as_ref().map(|url| format!("{url}/tickets/{id}"))
    }

    /// How the ticket stands to its deadline, and whose it was before.
    fn clock(&self, told: Told<'_>) -> Result<String, WordsError> {
        let due_at = told.ticket.due_at;
        let mut state = match told.head {
            Head::HandedOver => self.words.say("state_handed_over", context! { from => self.opd(&told.waiting.alert.detail) })?,
            Head::WindowClosing => match Time::parse(&told.waiting.alert.detail) {
                Some(at) => self.words.say("state_window", context! { at => self.words.moment(at)? })?,
                None => String::new(),
            },
            _ => String::new(),
        };
        if self.now < due_at && matches!(told.head, Head::Warned | Head::WindowClosing | Head::HandedOver) {
            let left = self.words.length(due_at.since(self.now))?;
            state.push_str(&self.words.say("state_warned", context! { due => self.words.moment(due_at)?, left })?);
        } else {
            state.push_str(&self.words.say("state_overdue", context! { late => self.words.length(self.now.since(due_at))? })?);
        }
        if told.ticket.unverified {
            state.push_str(&self.words.say("state_unverified", ())?);
        }
        Ok(state)
    }

    /// An account's or the site's state.
    pub fn state(&self, waiting: &Waiting) -> Result<Item, WordsError> {
        let alert = &waiting.alert;
        let unread = waiting
            .account
            .as_ref()
            .and_then(|a| a.unread_since)
            .filter(|_| alert.kind != AlertKind::Recovered && !alert.cause.is_some_and(Cause::is_doubt));
        let since = self.words.moment(unread.unwrap_or(alert.created_at))?;
        let detail = first_words(clean(&alert.detail).trim_end_matches('.'), NAME);
        let account = match &waiting.account {
            Some(account) => Some(format!("{} {}", self.words.platform(account.platform)?, self.opd(&account.opd))),
            None => None,
        };
        let kind = alert.cause.unwrap_or(Cause::Unknown);
        let (cause, mut cure) = self.words.cause(kind)?;
        if let Some(hint) = self.words.hint(kind)? {
            cure = format!("{cure} {hint}");
        }
        let text = match (alert.kind, account) {
            (AlertKind::Unverified, account) => {
                let n = alert.detail.trim().parse::<u64>().unwrap_or(1);
                self.words.say("unverified", context! { account => account.unwrap_or_default(), since, n })?
            }
            (AlertKind::Expiring, account) => {
                let ends = Time::parse(&alert.detail).unwrap_or(alert.created_at);
                let (at, left) = (self.words.moment(ends)?, self.words.length(ends.since(self.now))?);
                self.words.say("expiring", context! { account => account.unwrap_or_default(), at, left })?
            }
            (AlertKind::Undelivered, _) => {
                let (official, channel, why) = alert.undelivered();
                let office = self.office(official);
                let way = channel.map_or(Ok(String::new()), |channel| self.words.say(&format!("channel_{channel}"), ()))?;
                self.words.say("undelivered", context! { office, way, since, detail => first_words(&clean(why), NAME) })?
            }
            (AlertKind::ClockSkewed, _) => self.words.say("clock", context! { since, detail })?,
            (AlertKind::Recovered, Some(account)) if kind.is_doubt() => self.words.say("trusted", context! { account, since, cause })?,
            (AlertKind::Recovered, Some(account)) => self.words.say("recovered", context! { account, since })?,
            (AlertKind::Recovered, None) => self.words.say("recovered_site", context! { since })?,
            (_, Some(account)) if kind.is_doubt() => self.words.say("doubtful", context! { account, since, cause, cure, detail })?,
            (_, Some(account)) => self.words.say("unhealthy", context! { account, since, cause, cure, detail })?,
            (_, None) => self.words.say("unhealthy_site", context! { since, cause, cure, detail })?,
        };
        Ok(Item { text, link: None, tickets: 1 })
    }
}
