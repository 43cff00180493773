//! The page behind a letter's link: no script, nothing loaded, nothing of what a citizen wrote. Pure; text is escaped by the template
//! engine and nowhere else.

use std::{collections::HashMap, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context, value::Serde};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{
    catalogue::{Part, Words, WordsError},
    domain::{Time, settings::Settings},
    store::acks::{Standing, Told},
};

const STYLE: &str = include_str!("../ack.css");
/// Tickets shown at once: what a person can look through.
const SHOWN: usize = 100;

/// What a browser may do with the page: show it in our style, and send its form back to us.
pub(super) static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
});

/// A page that only says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Somebody said it before.
    Already,
    /// Every ticket is closed.
    Closed,
    /// The link has ended.
    Over,
    /// No link of ours.
    Unknown,
    /// We failed.
    Trouble,
}

impl Word {
    const fn key(self) -> &'static str {
        match self {
            Self::Already => "already",
            Self::Closed => "closed",
            Self::Over => "over",
            Self::Unknown => "unknown",
            Self::Trouble => "trouble",
        }
    }
}

/// What is said above the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// Nothing was ticked.
    Pick,
    /// The page was open for too long.
    Old,
    /// What was ticked had been said before.
    Already,
    /// What was ticked is closed.
    Ended,
}

#[derive(Serialize)]
struct Form<'a> {
    nonce: &'a str,
    send: String,
    more: Option<String>,
}

#[derive(Serialize)]
struct Item {
    id: i64,
    text: String,
    state: String,
}

/// Writes the pages in the site's language.
pub(in crate::web) struct Pages {
    words: Words,
    layout: Environment<'static>,
    language: &'static str,
    opds: HashMap<String, String>,
    footer: String,
}

impl Pages {
    /// Fails only if a shipped text is wrong.
    pub(in crate::web) fn new(settings: &Settings) -> Result<Self, WordsError> {
        let words = Words::new(Part::Ack, settings.site.language, settings.site.timezone.clone())?;
        let mut layout = Environment::new();
        layout.set_undefined_behavior(UndefinedBehavior::Lenient);
        layout.set_auto_escape_callback(|_| AutoEscape::Html);
        layout.add_template("ack", include_str!("../ack.html"))?;
        let footer = words.say("footer", context! { site => &settings.site.name })?;
        let opds = settings.opds.iter().map(|opd| (opd.slug.clone(), opd.name.clone())).collect();
        Ok(Self { words, layout, language: settings.site.language.word(), opds, footer })
    }

    /// A page that says one thing.
    pub(super) fn word(&self, word: Word) -> Result<String, WordsError> {
        self.render(context! { lines => vec![self.words.say(word.key(), ())?] })
    }

    /// The open ones of these tickets, each with a box to tick.
    pub(super) fn form(&self, tickets: &[Told], notice: Option<Notice>, nonce: &str, now: Time) -> Result<String, WordsError> {
        let open: Vec<&Told> = tickets.iter().filter(|told| told.standing == Standing::Open).collect();
        let marked = tickets.iter().filter(|told| matches!(told.standing, Standing::Acknowledged | Standing::Used)).count();
        let left = open.len().saturating_sub(SHOWN);
        let notice = notice.map(|notice| match notice {
            Notice::Pick => self.words.say("pick", ()),
            Notice::Old => self.words.say("old", ()),
            Notice::Already => self.words.say("already", ()),
            Notice::Ended => self.words.say("ended", ()),
        });
        let form = Form {
            nonce,
            send: self.words.say("send", ())?,
            more: (left > 0).then(|| self.words.say("more", context! { n => left })).transpose()?,
        };
        let after = (marked > 0).then(|| self.words.say("others", context! { n => marked })).transpose()?;
        self.render(context! {
            notice => notice.transpose()?, lines => vec![self.words.say("intro", ())?], form => Serde(&form),
            items => Serde(&self.items(open.into_iter().take(SHOWN), now)?), after => Vec::from_iter(after),
        })
    }

    /// What was recorded just now; `open`: how many of the letter's tickets nobody marked yet.
    pub(super) fn thanks(&self, done: &[&Told], open: usize, now: Time) -> Result<String, WordsError> {
        let again = (open > 0).then(|| self.words.say("again", context! { n => open })).transpose()?;
        self.render(context! {
            lines => vec![self.words.say("thanks", context! { n => done.len() })?], again,
            items => Serde(&self.items(done.iter().copied(), now)?), after => vec![self.words.say("mistake", ())?],
        })
    }

    fn items<'a>(&self, tickets: impl Iterator<Item = &'a Told>, now: Time) -> Result<Vec<Item>, WordsError> {
        tickets.map(|told| self.item(told, now)).collect()
    }

    fn item(&self, told: &Told, now: Time) -> Result<Item, WordsError> {
        let id = told.ticket.0;
        let opd = self.opds.get(&told.opd).unwrap_or(&told.opd);
        let text = self.words.say("item", context! { opd, id, kind => self.words.kind(told.kind, told.platform)? })?;
        let since = self.words.moment(told.opened_at)?;
        let state = if now < told.due_at {
            let left = self.words.length(told.due_at.since(now))?;
            self.words.say("state_waiting", context! { since, due => self.words.moment(told.due_at)?, left })?
        } else {
            self.words.say("state_overdue", context! { since, late => self.words.length(now.since(told.due_at))? })?
        };
        Ok(Item { id, text, state })
    }

    fn render(&self, parts: minijinja::Value) -> Result<String, WordsError> {
        let always = context! { language => self.language, title => self.words.say("title", ())?, style => STYLE, footer => &self.footer };
        Ok(self.layout.get_template("ack")?.render(context! { ..parts, ..always })?)
    }
}
