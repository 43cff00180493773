//! How pages look: templates, the catalogue's words in the reader's language, and how times, lengths and citizens' texts are shown.
//! Text is escaped by the template engine and nowhere else. Pure.

use std::{borrow::Cow, sync::Arc};

use jiff::SignedDuration;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, context, value::Kwargs};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::{
    catalogue::{Part, Words, WordsError},
    domain::{
        Kind, Platform, Time,
        settings::{Language, Settings},
    },
};

const TEMPLATES: [(&str, &str); 12] = [
    ("base", include_str!("html/base.html")),
    ("board", include_str!("html/board.html")),
    ("queue", include_str!("html/queue.html")),
    ("ticket", include_str!("html/ticket.html")),
    ("desk", include_str!("html/desk.html")),
    ("accounts", include_str!("html/accounts.html")),
    ("report", include_str!("html/report.html")),
    ("trail", include_str!("html/trail.html")),
    ("login", include_str!("html/login.html")),
    ("word", include_str!("html/word.html")),
    ("deletion", include_str!("html/deletion.html")),
    ("deletion_part", include_str!("html/deletion_part.html")),
];

/// Pages in every language.
pub(super) struct Look {
    faces: Vec<(Language, Face)>,
}

/// Pages in one language.
pub(super) struct Face {
    env: Environment<'static>,
}

impl Look {
    /// Fails only if a shipped text is wrong.
    pub fn new(settings: &Settings) -> Result<Self, WordsError> {
        let languages = [Language::Indonesian, Language::English];
        let faces = languages.map(|language| Ok((language, Face::new(settings, language)?)));
        Ok(Self { faces: faces.into_iter().collect::<Result<_, WordsError>>()? })
    }

    /// The pages in a language.
    pub fn of(&self, language: Language) -> &Face {
        self.faces.iter().find(|(known, _)| *known == language).map_or(&self.faces[0].1, |(_, face)| face)
    }
}

impl Face {
    fn new(settings: &Settings, language: Language) -> Result<Self, WordsError> {
        let words = Arc::new(Words::new(Part::Board, language, settings.site.timezone.clone())?);
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_auto_escape_callback(|_| AutoEscape::Html);
        for (name, text) in TEMPLATES {
            env.add_template(name, text)?;
        }
        env.add_global("language", language.word());
        env.add_global("site", settings.site.name.clone());
        let said = |error: WordsError| Error::new(ErrorKind::InvalidOperation, error.to_string());
        let speaker = words.clone();
        env.add_function("say", move |key: &str, parts: Kwargs| {
            let parts: Value = parts.into();
            speaker.say(key, parts).map_err(said)
        });
        let replies = Words::new(Part::Reply, language, settings.site.timezone.clone())?;
        env.add_function("tell", move |key: &str, parts: Kwargs| {
            let parts: Value = parts.into();
            replies.say(key, parts).map_err(said)
        });
        let speaker = words.clone();
        env.add_function("moment", move |at: &str| speaker.moment(time(at)?).map_err(said));
        let speaker = words.clone();
        env.add_function("length", move |seconds: i64| {
            let short = (1..60).contains(&seconds);
            let told =
                if short { speaker.say("seconds", context! { n => seconds }) } else { speaker.length(SignedDuration::from_secs(seconds)) };
            told.map_err(said)
        });
        let speaker = words.clone();
        env.add_function("kind", move |kind: &str, platform: &str| {
            let known = Kind::from_word(kind).zip(Platform::from_word(platform));
            known.map_or_else(|| Ok(kind.to_owned()), |(kind, platform)| speaker.kind(kind, platform)).map_err(said)
        });
        let zone = settings.site.timezone.clone();
        env.add_function("stamp", move |at: &str| {
            Ok::<_, Error>(time(at)?.timestamp().to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string())
        });
        env.add_filter("shown", |text: &str| shown(text).into_owned());
        env.add_filter("beginning", |text: &str, graphemes: usize| beginning(&shown(text), graphemes));
        Ok(Self { env })
    }

    /// A page.
    pub fn page(&self, name: &str, parts: Value) -> Result<String, WordsError> {
        Ok(self.env.get_template(name)?.render(parts)?)
    }
}

/// A time as the store's rows write it.
fn time(text: &str) -> Result<Time, Error> {
    Time::parse(text).ok_or_else(|| Error::new(ErrorKind::InvalidOperation, format!("{text:?} is no time")))
}

/// A citizen's text without what no page can show: controls (but for line ends and tabs), and marks that turn the direction of what
/// follows. The rest is set apart by `<bdi>`.
fn shown(text: &str) -> Cow<'_, str> {
    let odd = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
    };
    if text.contains(odd) { Cow::Owned(text.replace(odd, "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// The first graphemes of a text on one line. A grapheme of more than eight characters is an attack on the line above it.
fn beginning(text: &str, graphemes: usize) -> String {
    const MARKS: usize = 8;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    let mut parts = line.graphemes(true);
    for part in parts.by_ref().take(graphemes) {
        out.extend(part.chars().take(MARKS));
    }
    if parts.next().is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            Form, ReplyState, Role, TicketState,
            alert::{AlertKind, DeliveryState},
            ticket::{ActionKind, StepKind},
        },
        report::By,
        web::filter::Standing,
    };

    #[test]
    fn the_page_has_a_word_for_every_value_that_it_shows() {
        fn keys<T: Copy>(prefix: &str, all: &[T], word: fn(T) -> &'static str) -> Vec<String> {
            all.iter().map(|&it| format!("{prefix}_{}", word(it).replace('.', "_"))).collect()
        }
        let of_ticket =
            |kind: &&AlertKind| kind.word().starts_with("ticket.") || matches!(kind, AlertKind::Backlog | AlertKind::Unverified);
        let told: Vec<AlertKind> = AlertKind::ALL.iter().filter(of_ticket).copied().collect();
        let board = [
            keys("role", Role::ALL, Role::word),
            keys("state", Standing::ALL, Standing::word),
            keys("is", TicketState::ALL, TicketState::word),
            keys("short", Kind::ALL, Kind::word),
            keys("step", StepKind::ALL, StepKind::word),
            keys("told", StepKind::ALL, StepKind::word),
            keys("told", &told, AlertKind::word),
            keys("delivery", DeliveryState::ALL, DeliveryState::word),
            keys("deed", ActionKind::ALL, ActionKind::word),
            keys("by", By::ALL, By::word),
        ];
        let reply = [keys("form", Form::ALL, Form::word), keys("state", ReplyState::ALL, ReplyState::word)];
        for (part, sets) in [(Part::Board, board.concat()), (Part::Reply, reply.concat())] {
            let words = Words::new(part, Language::Indonesian, jiff::tz::TimeZone::UTC).unwrap();
            for key in sets {
                words.say(&key, ()).unwrap_or_else(|error| panic!("{key}: {error}"));
            }
        }
    }

    #[test]
    fn texts_are_shown_without_what_drives_a_page_and_begin_with_whole_graphemes() {
        assert_eq!(shown("a\u{0}b\u{202e}c\nd"), "a\u{fffd}b\u{fffd}c\nd");
        assert_eq!(beginning("satu  dua\ntiga", 8), "satu dua…");
        let stacked = format!("x{}", "\u{301}".repeat(500));
        assert_eq!(beginning(&stacked, 8).chars().count(), 8);
        assert_eq!(beginning("👨‍👩‍👧 ya", 2), "👨‍👩‍👧 …");
    }
}
