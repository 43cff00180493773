//! The catalogues of the audit: what it says, in one file a language. Pure.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use minijinja::{Environment, UndefinedBehavior, Value, context};

use crate::domain::{Time, settings::Language};

const CATALOGUES: [(Language, &str); 2] = [(Language::Indonesian, include_str!("id.toml")), (Language::English, include_str!("en.toml"))];

/// Why nothing could be said: a shipped catalogue is wrong.
#[derive(Debug, thiserror::Error)]
pub enum WordsError {
    /// A text of it.
    #[error("the audit could not be written from its catalogue: {0}")]
    Template(#[from] minijinja::Error),
    /// The file.
    #[error("the catalogue of the audit can't be read: {0}")]
    Catalogue(String),
}

/// One language's catalogue, ready to speak.
#[derive(Debug)]
pub struct Words {
    env: Environment<'static>,
    zone: TimeZone,
}

impl Words {
    /// The catalogue of a language; days are those of `zone`.
    pub fn new(language: Language, zone: TimeZone) -> Result<Self, WordsError> {
        let mut env = Environment::empty();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        for (key, text) in catalogue(language)? {
            env.add_template_owned(key, text)?;
        }
        Ok(Self { env, zone })
    }

    /// The text of a key, with its parts filled in. Plain text: whoever puts it into markup escapes it.
    pub fn say(&self, key: &str, parts: impl Into<Value>) -> Result<String, WordsError> {
        Ok(self.env.get_template(key)?.render(parts.into())?)
    }

    /// "23 November 2026".
    pub fn date(&self, at: Time) -> Result<String, WordsError> {
        let day = at.timestamp().to_zoned_datetime(self.zone.clone());
        let months = self.say("months", ())?;
        let month = months.split(',').nth(usize::try_from(day.month() - 1).unwrap_or(0)).unwrap_or_default();
        self.say("date", context! { day => day.day(), month, year => day.year() })
    }
}

fn catalogue(language: Language) -> Result<BTreeMap<String, String>, WordsError> {
    let text = CATALOGUES.iter().find(|(it, _)| *it == language).map_or("", |(_, text)| text);
    toml::from_str(text).map_err(|error| WordsError::Catalogue(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        accounts::{audit::Finding, cause::Cause},
        domain::{Platform, settings::OpdKind},
    };

    #[test]
    fn both_catalogues_have_the_same_keys_and_every_word_that_is_looked_up() {
        let keys = |language| catalogue(language).unwrap().into_keys().collect::<Vec<_>>();
        let id = keys(Language::Indonesian);
        assert_eq!(id, keys(Language::English));
        let wanted = Finding::ALL.iter().map(ToString::to_string);
        let wanted = wanted.chain(Cause::ALL.iter().flat_map(|it| [format!("cause_{it}"), format!("cause_{it}_do")]));
        let wanted = wanted.chain(Platform::ALL.iter().map(|it| format!("platform_{it}")));
        for key in wanted.chain(OpdKind::ALL.iter().map(|it| format!("kind_{it}"))) {
            assert!(id.contains(&key), "{key}");
        }
    }
}
