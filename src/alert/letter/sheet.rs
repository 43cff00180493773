//! What a letter says: which facts of its deliveries, in which order, and what is asked of whom. Pure.

use std::collections::{BTreeMap, HashMap};

use minijinja::context;
use serde::Serialize;

use super::speaker::{Head, Speaker, Told};
use crate::{
    catalogue::{Words, WordsError},
    domain::{
        TicketId, Time,
        alert::AlertKind,
        settings::{Language, Official, Settings},
        whom::OPERATOR,
    },
    store::outbox::Waiting,
};

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
        if open.iter().any(|told| told.ticket.urgent) {
            ask.push(words.say("ask_urgent", ())?);
        }
        ask.push(words.say(rank(group, settings), ())?);
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
        // no step, and it can happen again
        (Some(told), _) if told.head == Head::HandedOver => format!("#T{}-H{}", told.ticket.id, told.waiting.alert.id),
        (Some(told), _) if told.head == Head::WindowClosing => format!("#T{}-W{}", told.ticket.id, told.waiting.alert.id),
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
