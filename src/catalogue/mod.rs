//! What the program says to people: letters, pages, the audit, the report. One catalogue, in one file a language. Pure.

pub mod canned;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, tz::TimeZone};
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value, context};

use crate::domain::{Cause, Kind, Platform, Time, settings::Language};

const CATALOGUES: [(Language, &str); 2] = [(Language::Indonesian, include_str!("id.toml")), (Language::English, include_str!("en.toml"))];
/// The tables that every part speaks with besides its own; the keys of the second begin with its name.
const SHARED: [(&str, &str); 2] = [("common", ""), ("cause", "cause_")];

/// Why nothing could be said: a shipped catalogue is wrong.
#[derive(Debug, thiserror::Error)]
pub enum WordsError {
    /// A text of it.
    #[error("a text could not be written from the catalogue: {0}")]
    Template(#[from] minijinja::Error),
    /// The file.
    #[error("the catalogue can't be read: {0}")]
    Catalogue(String),
}

/// Who speaks: the table of the catalogue with its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Alerts.
    Letter,
    /// The audit of accounts.
    Audit,
    /// The page behind a letter's link, and the answers to its button.
    Ack,
    /// The pages of staff.
    Board,
    /// Answering a citizen: forms, states, and why not.
    Reply,
    /// The report.
    Report,
}

/// The texts of letters by their keys, as a file that `letter.texts` can name.
pub fn letter_texts(language: Language) -> Result<String, WordsError> {
    toml::to_string(&table(language, "letter")?).map_err(|error| WordsError::Catalogue(error.to_string()))
}

/// Whether a site may say so in its letters instead of the catalogue's text of that key; else what is wrong with it.
pub fn check_letter_text(language: Language, key: &str, text: &str) -> Result<(), String> {
    let table = |language| table(language, "letter").unwrap_or_default();
    if !table(language).contains_key(key) {
        let close = table(language).into_keys().map(|known| (strsim::jaro_winkler(&known, key), known));
        let hint = close.filter(|(alike, _)| *alike > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
        return Err(format!(
            "letters have no text of this name{}",
            hint.map_or(String::new(), |(_, it)| format!(", did you mean \"{it}\"?"))
        ));
    }
    let variables = |text: &str| {
        let mut env = Environment::empty();
        env.add_template_owned("text", text.to_owned()).map_err(|error| format!("is no template: {error}"))?;
        let template = env.get_template("text").map_err(|error| format!("is no template: {error}"))?;
        Ok::<_, String>(template.undeclared_variables(false))
    };
    let known: BTreeSet<String> =
        CATALOGUES.iter().filter_map(|(language, _)| variables(table(*language).get(key)?).ok()).flatten().collect();
    let mut unknown: Vec<String> = variables(text)?.into_iter().filter(|name| !known.contains(name)).collect();
    unknown.sort_unstable();
    if let Some(name) = unknown.first() {
        let there = known.into_iter().collect::<Vec<_>>().join(", ");
        let there = if there.is_empty() { "it has none".to_owned() } else { format!("those of this text are {there}") };
        return Err(format!("has no variable \"{name}\": {there}"));
    }
    let tried = |value: Value| {
        let mut env = Environment::empty();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.add_template_owned("text", text.to_owned())?;
        let parts: BTreeMap<&str, Value> = known.iter().map(|name| (name.as_str(), value.clone())).collect();
        env.get_template("text")?.render(parts)
    };
    match (tried(Value::from(1)), tried(Value::from("x"))) {
        (Err(error), Err(_)) => Err(format!("can't be written: {error}")),
        (Ok(said), _) | (_, Ok(said)) if said.trim().is_empty() => Err("says nothing".into()),
        _ => Ok(()),
    }
}

/// One language's catalogue, ready to speak.
#[derive(Debug)]
pub struct Words {
    env: Environment<'static>,
    zone: TimeZone,
}

impl Words {
    /// The texts of a part; times are told in `zone`.
    pub fn new(part: Part, language: Language, zone: TimeZone) -> Result<Self, WordsError> {
        Self::with(part, language, zone, &BTreeMap::new())
    }

    /// The same with the site's own wording of some.
    pub fn with(part: Part, language: Language, zone: TimeZone, own: &BTreeMap<String, String>) -> Result<Self, WordsError> {
        let mut env = Environment::empty();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        let mut texts = texts(part, language)?;
        texts.extend(own.clone());
        for (key, text) in texts {
            env.add_template_owned(key, text)?;
        }
        Ok(Self { env, zone })
    }

    /// The text of a key, with its parts filled in. Plain text: whoever puts it into markup escapes it.
    pub fn say(&self, key: &str, parts: impl Into<Value>) -> Result<String, WordsError> {
        Ok(self.env.get_template(key)?.render(parts.into())?)
    }

    /// Why an account is not to be trusted, and what to do about it by whom.
    pub fn cause(&self, cause: Cause) -> Result<(String, String), WordsError> {
        Ok((self.say(&format!("cause_{cause}"), ())?, self.say(&format!("cause_{cause}_do"), ())?))
    }

    /// By which commands and terms those who run the program do it, where there are any.
    pub fn hint(&self, cause: Cause) -> Result<Option<String>, WordsError> {
        match self.say(&format!("cause_{cause}_tech"), ()) {
            Err(WordsError::Template(error)) if error.kind() == ErrorKind::TemplateNotFound => Ok(None),
            said => said.map(Some),
        }
    }

    /// "Facebook".
    pub fn platform(&self, platform: Platform) -> Result<String, WordsError> {
        self.say(&format!("platform_{platform}"), ())
    }

    /// "komentar Facebook".
    pub fn kind(&self, kind: Kind, platform: Platform) -> Result<String, WordsError> {
        self.say(&format!("kind_{kind}"), context! { platform => self.platform(platform)? })
    }

    /// One of a comma-separated list.
    fn nth(&self, key: &str, index: i8) -> Result<String, WordsError> {
        let all = self.say(key, ())?;
        Ok(all.split(',').nth(usize::try_from(index).unwrap_or(0)).unwrap_or_default().to_owned())
    }

    /// "23 November 2026".
    pub fn date(&self, at: Time) -> Result<String, WordsError> {
        let local = at.timestamp().to_zoned_datetime(self.zone.clone());
        self.say("date", context! { day => local.day(), month => self.nth("months", local.month() - 1)?, year => local.year() })
    }

    /// "Senin, 23 November 2026, 14.05 WIB".
    pub fn moment(&self, at: Time) -> Result<String, WordsError> {
        let local = at.timestamp().to_zoned_datetime(self.zone.clone());
        let parts = context! {
            weekday => self.nth("weekdays", local.weekday().to_monday_zero_offset())?, date => self.date(at)?,
            hour => format!("{:02}", local.hour()), minute => format!("{:02}", local.minute()), zone => local.strftime("%Z").to_string(),
        };
        self.say("moment", parts)
    }

    /// "2 hari 3 jam": the two largest units, rounded down; a negative length counts as none.
    pub fn length(&self, length: SignedDuration) -> Result<String, WordsError> {
        let minutes = length.as_secs().max(0) / 60;
        let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
        let units = [("days", days), ("hours", hours), ("minutes", minutes)];
        let Some(first) = units.iter().position(|&(_, n)| n > 0) else { return self.say("under_a_minute", ()) };
        let said = units[first..].iter().take(2).filter(|&&(_, n)| n > 0).map(|&(key, n)| self.say(key, context! { n }));
        Ok(said.collect::<Result<Vec<_>, _>>()?.join(" "))
    }
}

/// The tables of a language's catalogue.
fn tables(language: Language) -> Result<BTreeMap<String, BTreeMap<String, String>>, WordsError> {
    let text = CATALOGUES.iter().find(|(it, _)| *it == language).map_or("", |(_, text)| text);
    toml::from_str(text).map_err(|error| WordsError::Catalogue(error.to_string()))
}

/// One of them.
fn table(language: Language, name: &str) -> Result<BTreeMap<String, String>, WordsError> {
    Ok(tables(language)?.remove(name).unwrap_or_default())
}

/// Every text of a part by its key.
fn texts(part: Part, language: Language) -> Result<BTreeMap<String, String>, WordsError> {
    let tables = tables(language)?;
    let own = match part {
        Part::Letter => ("letter", ""),
        Part::Audit => ("audit", ""),
        Part::Ack => ("ack", ""),
        Part::Board => ("board", ""),
        Part::Reply => ("reply", ""),
        Part::Report => ("report", ""),
    };
    let tables = SHARED.iter().chain([&own]).filter_map(|(name, prefix)| Some((tables.get(*name)?, *prefix)));
    Ok(tables.flat_map(|(table, prefix)| table.iter().map(move |(key, text)| (format!("{prefix}{key}"), text.clone()))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Form, ReplyState, reply::Unfit};

    #[test]
    fn both_languages_have_the_same_keys_and_words_for_every_cause_and_platform() {
        for part in [Part::Letter, Part::Audit, Part::Ack, Part::Board, Part::Reply, Part::Report] {
            let keys = |language| texts(part, language).unwrap().into_keys().collect::<Vec<_>>();
            assert_eq!(keys(Language::Indonesian), keys(Language::English));
            let words = Words::new(part, Language::Indonesian, TimeZone::UTC).unwrap();
            for cause in Cause::ALL {
                let (why, advice) = words.cause(*cause).unwrap();
                let technical = |text: &String| text.contains('`') || text.contains("Advanced Access") || text.contains("oken");
                assert!(![why, advice].iter().any(technical), "{cause}: what officials read has neither command nor term");
                words.hint(*cause).unwrap();
            }
            for platform in Platform::ALL {
                words.platform(*platform).unwrap();
            }
        }
    }

    #[test]
    fn every_form_and_state_of_a_reply_and_why_there_is_none_has_its_words() {
        for language in Language::ALL {
            let words = Words::new(Part::Reply, *language, TimeZone::UTC).unwrap();
            let forms = Form::ALL.iter().map(|form| format!("form_{form}"));
            let states = ReplyState::ALL.iter().map(|state| format!("state_{state}"));
            for key in forms.chain(states).chain(Unfit::ALL.iter().map(|why| format!("unfit_{why}"))) {
                words.say(&key, ()).unwrap();
            }
        }
    }

    #[test]
    fn moments_and_lengths_are_told_as_officials_write_them() {
        let zone = |name| TimeZone::get(name).unwrap();
        let at = Time::parse("2026-11-23T07:05:00Z").unwrap();
        let id = Words::new(Part::Letter, Language::Indonesian, zone("Asia/Jakarta")).unwrap();
        let en = Words::new(Part::Letter, Language::English, zone("Asia/Jayapura")).unwrap();
        assert_eq!(id.moment(at).unwrap(), "Senin, 23 November 2026, 14.05 WIB");
        assert_eq!(en.moment(at).unwrap(), "Monday, 23 November 2026, 16:05 WIT");
        for (secs, want_id, want_en) in [
            (183_600, "2 hari 3 jam", "2 days 3 hours"),
            (86_400 + 120, "1 hari", "1 day"),
            (3_660, "1 jam 1 menit", "1 hour 1 minute"),
            (125, "2 menit", "2 minutes"),
            (59, "kurang dari 1 menit", "less than 1 minute"),
            (-5, "kurang dari 1 menit", "less than 1 minute"),
        ] {
            let length = SignedDuration::from_secs(secs);
            assert_eq!((id.length(length).unwrap().as_str(), en.length(length).unwrap().as_str()), (want_id, want_en));
        }
    }
}
