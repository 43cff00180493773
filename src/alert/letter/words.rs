//! The catalogues: what letters say, in one file a language.

use std::collections::BTreeMap;

use jiff::{SignedDuration, tz::TimeZone};
use minijinja::{Environment, UndefinedBehavior, Value, context};

use super::LetterError;
use crate::domain::{Time, settings::Language};

const CATALOGUES: [(Language, &str); 2] = [(Language::Indonesian, include_str!("id.toml")), (Language::English, include_str!("en.toml"))];

/// One language's catalogue, ready to speak.
#[derive(Debug)]
pub struct Words {
    env: Environment<'static>,
    zone: TimeZone,
}

impl Words {
    /// The catalogue of a language; times are told in `zone`.
    pub fn new(language: Language, zone: TimeZone) -> Result<Self, LetterError> {
        let mut env = Environment::empty();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        for (key, text) in catalogue(language)? {
            env.add_template_owned(key, text)?;
        }
        Ok(Self { env, zone })
    }

    /// The text of a key, with its parts filled in. Plain text: whoever puts it into markup escapes it.
    pub fn say(&self, key: &str, parts: impl Into<Value>) -> Result<String, LetterError> {
        Ok(self.env.get_template(key)?.render(parts)?)
    }

    /// One of a comma-separated list.
    fn nth(&self, key: &str, index: i8) -> Result<String, LetterError> {
        let all = self.say(key, ())?;
        Ok(all.split(',').nth(usize::try_from(index).unwrap_or(0)).unwrap_or_default().to_owned())
    }

    /// "Senin, 23 November 2026, 14.05 WIB".
    pub fn moment(&self, at: Time) -> Result<String, LetterError> {
        let local = at.timestamp().to_zoned_datetime(self.zone.clone());
        let parts = context! {
            weekday => self.nth("weekdays", local.weekday().to_monday_zero_offset())?, day => local.day(),
            month => self.nth("months", local.month() - 1)?, year => local.year(),
            hour => format!("{:02}", local.hour()), minute => format!("{:02}", local.minute()), zone => local.strftime("%Z").to_string(),
        };
        self.say("date", parts)
    }

    /// "2 hari 3 jam": the two largest units, rounded down; a negative length counts as none.
    pub fn length(&self, length: SignedDuration) -> Result<String, LetterError> {
        let minutes = length.as_secs().max(0) / 60;
        let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
        let units = [("days", days), ("hours", hours), ("minutes", minutes)];
        let Some(first) = units.iter().position(|&(_, n)| n > 0) else { return self.say("under_a_minute", ()) };
        let said = units[first..].iter().take(2).filter(|&&(_, n)| n > 0).map(|&(key, n)| self.say(key, context! { n }));
        Ok(said.collect::<Result<Vec<_>, _>>()?.join(" "))
    }
}

fn catalogue(language: Language) -> Result<BTreeMap<String, String>, LetterError> {
    let text = CATALOGUES.iter().find(|(l, _)| *l == language).map_or("", |(_, text)| text);
    toml::from_str(text).map_err(|e| LetterError::Catalogue(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_catalogues_have_the_same_keys() {
        let keys = |language| catalogue(language).unwrap().into_keys().collect::<Vec<_>>();
        assert_eq!(keys(Language::Indonesian), keys(Language::English));
    }

    #[test]
    fn moments_and_lengths_are_told_as_officials_write_them() {
        let zone = |name| TimeZone::get(name).unwrap();
        let at = Time::parse("2026-11-23T07:05:00Z").unwrap();
        let id = Words::new(Language::Indonesian, zone("Asia/Jakarta")).unwrap();
        let en = Words::new(Language::English, zone("Asia/Jayapura")).unwrap();
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
