//! What a letter says: the facts of its deliveries, put into sentences of the catalogue. Pure.

use std::collections::{BTreeMap, HashMap};

use minijinja::context;
use serde::Serialize;

use super::preview::{clean, first_words, preview};
use crate::{
    alert::route::{OPERATOR, closes},
    catalogue::{Words, WordsError},
    domain::{
        Cause, TicketId, Time,
        alert::AlertKind,
        settings::{Language, Official, Settings},
    },
    store::outbox::{AccountFacts, TicketFacts, Waiting},
};

/// OPDs named in a heading at most.
const OPDS: usize = 8;
/// So many tickets under one post are one line (semantics.md, Alerts, "Grouping").
const POST_LINE: usize = 5;
/// Graphemes of a name from the configuration or of a cause at most.
const NAME: usize = 120;

/// A letter before it takes a channel's form. All of it is plain text.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Sheet {
    pub language: Language,
    /// The subject of a mail: the same for every letter about one ticket.
    pub subject: String,
    /// The first line elsewhere.
    pub title: String,
    pub greeting: String,
    /// Whose matters it tells of: "Dindukcapil 12, Dinhub 2", or the site's name.
    pub opds: String,
    pub sections: Vec<Section>,
    pub closing: Vec<String>,
    /// Of these what is asked for; empty where nothing is.
    pub ask: String,
    /// That it should have gone to somebody else.
    pub remark: Option<String>,
    /// The page with everything.
    pub list: Option<String>,
    /// The link by which an official says that the tickets are being seen to, and what it does.
    pub act: Option<String>,
    pub act_says: Option<String>,
    /// What a button below the letter carries, and what stands above it.
    pub button: Option<String>,
    pub button_says: Option<String>,
    pub footer: String,
    /// By which a second copy is recognised.
    pub code: String,
}

impl Sheet {
    /// Where an official looks next: where the tickets can be acted upon, or at the one thing it tells of, or at the list.
    pub fn link(&self) -> Option<&str> {
        let mut items = self.sections.iter().flat_map(|section| &section.items);
        let one = items.next().filter(|_| self.told() == 1).and_then(|item| item.link.as_deref());
        self.act.as_deref().or(one).or(self.list.as_deref())
    }

    /// How many tickets and states it tells of.
    pub fn told(&self) -> usize {
        self.sections.iter().map(|section| section.left + section.items.iter().map(|item| item.tickets).sum::<usize>()).sum()
    }
}

/// How the reader of one letter can say that its tickets are being seen to.
#[derive(Clone, Debug, Default)]
pub(super) struct Act {
    pub link: Option<String>,
    pub button: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Section {
    pub head: String,
    pub items: Vec<Item>,
    pub more: Option<String>,
    /// Its tickets are closed: only the heading says how.
    pub closed: bool,
    /// What is told of and not named.
    #[serde(skip)]
    pub left: usize,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Item {
    pub text: String,
    pub link: Option<String>,
    /// How many tickets it names.
    #[serde(skip)]
    pub tickets: usize,
}

/// What the tickets of a section have in common, in the order in which sections stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Head {
    Overdue,
    Backlog,
    Warned,
    LateFound,
    Answered,
    Dismissed,
    Withdrawn,
}

impl Head {
    fn of(waiting: &Waiting) -> Option<Self> {
        Some(match waiting.alert.kind {
            AlertKind::Breached | AlertKind::Escalated => Self::Overdue,
            AlertKind::Backlog => Self::Backlog,
            AlertKind::Warned => Self::Warned,
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
            Self::LateFound => "head_late_found",
            Self::Answered => "head_answered",
            Self::Dismissed => "head_dismissed",
            Self::Withdrawn => "head_withdrawn",
        }
    }
    const fn open(self) -> bool {
        matches!(self, Self::Overdue | Self::Backlog | Self::Warned)
    }
}

/// A ticket with what is told of it and whose it is.
#[derive(Clone, Copy)]
struct Told<'a> {
    waiting: &'a Waiting,
    ticket: &'a TicketFacts,
    account: &'a AccountFacts,
    head: Head,
}

/// The ticket a letter is about, if it is about one only.
pub(super) fn only_ticket(group: &[&Waiting]) -> Option<TicketId> {
    let first = group.first()?.alert.ticket?;
    group.iter().all(|w| w.alert.ticket == Some(first)).then_some(first)
}

/// The letter for deliveries that leave together. At most `named` tickets a section are named; `act` goes in where some are open.
pub(super) fn compose(
    words: &Words,
    settings: &Settings,
    group: &[&Waiting],
    act: &Act,
    now: Time,
    named: usize,
) -> Result<Sheet, WordsError> {
    let speaker = Speaker { words, settings, now };
    let tickets = newest(group);
    let mut by_head: BTreeMap<Head, Vec<Told<'_>>> = BTreeMap::new();
    for told in &tickets {
        by_head.entry(told.head).or_default().push(*told);
    }
    let mut sections = Vec::new();
    for (head, told) in &by_head {
        sections.push(speaker.section(*head, told, named)?);
    }
    let states = accounts(group);
    if !states.is_empty() {
        let items = states.iter().take(named).map(|w| speaker.state(w)).collect::<Result<Vec<_>, _>>()?;
        let left = states.len() - items.len();
        sections.push(Section { head: words.say("head_account", ())?, items, more: speaker.more(left)?, closed: false, left });
    }
    let open: Vec<Told<'_>> = tickets.iter().filter(|t| t.head.open()).copied().collect();
    let mut ask = Vec::new();
    if !open.is_empty() {
        ask.push(words.say(rank(group, settings), ())?);
        if open.iter().any(|told| told.ticket.urgent) {
            ask.push(words.say("ask_urgent", ())?);
        }
    }
    let remark = if group.iter().any(|w| w.reason.is_some()) { Some(words.say("no_recipient", ())?) } else { None };
    let mut closing: Vec<String> = ask.iter().cloned().chain(remark.clone()).collect();
    let list = list(settings);
    if let Some(link) = list.as_ref().filter(|_| tickets.len() > 1) {
        closing.push(words.say("list", context! { link })?);
    }
    let title = speaker.title(&tickets, &open, &states)?;
    let subject = match (only_ticket(group), tickets.first()) {
        (Some(id), Some(told)) => words.say("subject_ticket", context! { opd => speaker.opd(&told.account.opd), id => id.0 })?,
        _ => title.clone(),
    };
    let code = match (tickets.first(), group.first()) {
        (Some(told), _) => format!("#T{}-{}", told.ticket.id, told.waiting.alert.step),
        (None, Some(waiting)) => format!("#A{}", waiting.alert.id),
        (None, None) => String::new(),
    };
    let act = if open.is_empty() { Act::default() } else { act.clone() };
    Ok(Sheet {
        language: settings.site.language,
        subject,
        title,
        greeting: speaker.greeting(&officials(group, settings))?,
        opds: speaker.concerned(&tickets, &states)?,
        sections,
        closing,
        ask: ask.join(" "),
        remark,
        list,
        act_says: act.link.as_ref().map(|_| words.say("act", ())).transpose()?,
        act: act.link,
        button_says: act.button.as_ref().map(|_| words.say("act_button", ())).transpose()?,
        button: act.button,
        footer: words.say("footer", context! { site => &settings.site.name })?,
        code,
    })
}

/// The letter of `alert test`.
pub(super) fn test(words: &Words, settings: &Settings, officials: &[&str], group: &str) -> Result<Sheet, WordsError> {
    let subject = words.say("subject_test", context! { site => &settings.site.name })?;
    let speaker = Speaker { words, settings, now: Time::from_secs(0) };
    Ok(Sheet {
        language: settings.site.language,
        title: subject.clone(),
        subject,
        greeting: speaker.greeting(officials)?,
        opds: settings.site.name.clone(),
        sections: Vec::new(),
        closing: vec![words.say("test", context! { group })?],
        ask: String::new(),
        remark: None,
        list: list(settings),
        act: None,
        act_says: None,
        button: None,
        button_says: None,
        footer: words.say("footer", context! { site => &settings.site.name })?,
        code: "#TEST".to_owned(),
    })
}

/// The address of the page with everything.
fn list(settings: &Settings) -> Option<String> {
    settings.http.public_url.as_ref().map(|url| format!("{url}/"))
}

/// What is newest of each ticket: urgent tickets first, then those that wait longest.
fn newest<'a>(group: &[&'a Waiting]) -> Vec<Told<'a>> {
    let mut newest: HashMap<TicketId, Told<'a>> = HashMap::new();
    for waiting in group {
        let (Some(ticket), Some(account), Some(head)) = (&waiting.ticket, &waiting.account, Head::of(waiting)) else { continue };
        let told = Told { waiting, ticket, account, head };
        let kept = newest.entry(ticket.id).or_insert(told);
        if waiting.alert.id > kept.waiting.alert.id {
            *kept = told;
        }
    }
    let mut tickets: Vec<_> = newest.into_values().collect();
    tickets.sort_by_key(|t| (!t.ticket.urgent, t.ticket.opened_at, t.ticket.id));
    tickets
}

/// What is newest of each account's state (and of the site's, and of each account's doubts).
fn accounts<'a>(group: &[&'a Waiting]) -> Vec<&'a Waiting> {
    let mut newest: BTreeMap<_, &Waiting> = BTreeMap::new();
    for waiting in group.iter().filter(|w| Head::of(w).is_none()) {
        let what = match waiting.alert.kind {
            AlertKind::Recovered => AlertKind::Unhealthy,
            kind => kind,
        };
        let doubt = waiting.alert.cause.filter(|cause| cause.is_doubt());
        let whom = (what == AlertKind::Undelivered).then(|| waiting.alert.undelivered().0);
        let kept = newest.entry((what, waiting.alert.account, doubt, whom)).or_insert(waiting);
        if waiting.alert.id > kept.alert.id {
            *kept = waiting;
        }
    }
    newest.into_values().collect()
}

/// What whoever is addressed is asked: operators to pass it on, offices above the agencies (Sekda, Bupati: those that name no OPD where
/// others do) for a direction, everybody else to have it answered.
fn rank(group: &[&Waiting], settings: &Settings) -> &'static str {
    let all = |is: fn(&Official) -> bool| {
        let official = |w: &Waiting| settings.officials.iter().find(|official| official.id == w.official);
        group.iter().all(|w| official(w).map_or(w.official == OPERATOR, is))
    };
    if all(|it| it.group == OPERATOR) {
        "ask_operator"
    } else if settings.officials.iter().any(|it| !it.opd.is_empty()) && all(|it| it.opd.is_empty() && it.group != OPERATOR) {
        "ask_above"
    } else {
        "ask"
    }
}

/// The offices a letter is addressed to, as the configuration names them.
fn officials<'a>(group: &[&'a Waiting], settings: &'a Settings) -> Vec<&'a str> {
    let mut names = Vec::new();
    for waiting in group {
        let name = settings.office(&waiting.official);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

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
    fn concerned(&self, tickets: &[Told<'_>], states: &[&Waiting]) -> Result<String, WordsError> {
        if !tickets.is_empty() {
            return self.opds(tickets.iter().map(|t| t.account));
        }
        if states.is_empty() || states.iter().any(|w| w.account.is_none()) {
            return Ok(self.settings.site.name.clone());
        }
        self.opds(states.iter().filter_map(|w| w.account.as_ref()))
    }

    fn title(&self, tickets: &[Told<'_>], open: &[Told<'_>], states: &[&Waiting]) -> Result<String, WordsError> {
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

    fn section(&self, head: Head, told: &[Told<'_>], named: usize) -> Result<Section, WordsError> {
        let opds = self.opds(told.iter().map(|t| t.account))?;
        let mut lines: Vec<Vec<Told<'_>>> = Vec::new();
        let under =
            |t: &Told<'_>| t.ticket.post_key.as_deref().map(|post| (t.account.platform, t.account.external_id.clone(), post.to_owned()));
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

    fn more(&self, left: usize) -> Result<Option<String>, WordsError> {
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

    /// How the ticket stands to its deadline.
    fn clock(&self, told: Told<'_>) -> Result<String, WordsError> {
        let due_at = told.ticket.due_at;
        let mut state = if self.now < due_at && told.head == Head::Warned {
            let left = self.words.length(due_at.since(self.now))?;
            self.words.say("state_warned", context! { due => self.words.moment(due_at)?, left })?
        } else {
            self.words.say("state_overdue", context! { late => self.words.length(self.now.since(due_at))? })?
        };
        if told.ticket.unverified {
            state.push_str(&self.words.say("state_unverified", ())?);
        }
        Ok(state)
    }

    /// An account's or the site's state.
    fn state(&self, waiting: &Waiting) -> Result<Item, WordsError> {
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
