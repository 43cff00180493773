//! How a report says names, lengths, shares and why a row stands where it stands. Pure.

use std::collections::HashMap;

use jiff::SignedDuration;
use minijinja::{Value, context};

use super::{
    rank::Rank,
    stat::{Quantile, Share},
};
use crate::{
    catalogue::{Part, Words, WordsError},
    domain::settings::{Settings, Site},
    store::figures::Account,
};

/// The catalogue, and what the configuration calls things.
pub struct Voice {
    /// The part of the catalogue.
    pub words: Words,
    opds: HashMap<String, String>,
}

impl Voice {
    /// Of a site's configuration.
    pub fn new(settings: &Settings) -> Result<Self, WordsError> {
        let opds = settings.opds.iter().map(|opd| (opd.slug.clone(), opd.abbreviation.clone())).collect();
        Ok(Self { words: words(&settings.site)?, opds })
    }

    /// A text of the catalogue.
    pub fn say(&self, key: &str, parts: impl Into<Value>) -> Result<String, WordsError> {
        self.words.say(key, parts)
    }

    /// An agency's short name; its slug once it has left the configuration.
    pub fn opd(&self, slug: &str) -> String {
        self.opds.get(slug).filter(|name| !name.is_empty()).map_or(slug, String::as_str).to_owned()
    }

    /// "Facebook Dindukcapil".
    pub fn account(&self, account: &Account) -> Result<String, WordsError> {
        Ok(format!("{} {}", self.words.platform(account.platform)?, account.name.as_deref().unwrap_or(&account.id)))
    }

    /// Why a row stands where it stands, with its numbers; `above`: from which the difference is not certain.
    pub fn standing(&self, row: &Rank, above: Option<&Rank>) -> Result<String, WordsError> {
        let shares = row.share.map(|it| (percent(it.value), percent(it.low), percent(it.high)));
        let (share, low, high) = shares.unwrap_or_default();
        let parts = context! {
            in_time => row.in_time, decided => row.decided, share, low, high, open => row.open, overdue => row.overdue,
            median => row.median_working.filter(|it| !it.at_least).map(|it| worked(&self.words, it.seconds)).transpose()?,
            longer => row.median_working.filter(|it| it.at_least).map(|it| worked(&self.words, it.seconds)).transpose()?,
            above => above.map(|it| it.name.as_str()),
        };
        self.say("why", parts)
    }
}

/// The report's part of the catalogue.
pub fn words(site: &Site) -> Result<Words, WordsError> {
    Words::new(Part::Report, site.language, site.timezone.clone())
}

/// "2 hari 3 jam".
pub fn length(words: &Words, seconds: i64) -> Result<String, WordsError> {
    words.length(SignedDuration::from_secs(seconds))
}

/// "27 jam 5 menit": working time, in hours, since a working day has no fixed length.
pub fn worked(words: &Words, seconds: i64) -> Result<String, WordsError> {
    let minutes = seconds.max(0) / 60;
    if minutes < 24 * 60 {
        return length(words, seconds);
    }
    let hours = words.say("hours", context! { n => minutes / 60 })?;
    Ok(if minutes % 60 == 0 { hours } else { format!("{hours} {}", words.say("minutes", context! { n => minutes % 60 })?) })
}

/// The same of a quantile: "> 3 jam" where too few are answered to tell, a dash of nothing.
pub fn worked_within(words: &Words, quantile: Option<Quantile>) -> Result<String, WordsError> {
    let Some(it) = quantile else { return Ok("–".into()) };
    Ok(format!("{}{}", if it.at_least { "> " } else { "" }, worked(words, it.seconds)?))
}

/// "2 jam", "> 3 hari" where too few are answered to tell, a dash of nothing.
pub fn within(words: &Words, quantile: Option<Quantile>) -> Result<String, WordsError> {
    let Some(it) = quantile else { return Ok("–".into()) };
    Ok(format!("{}{}", if it.at_least { "> " } else { "" }, length(words, it.seconds)?))
}

/// Whole percent, rounded half up: 0 and 100 mean none and all.
pub fn percent(share: f64) -> i64 {
    let rounded = (share * 100.0).round() as i64;
    if rounded == 0 && share > 0.0 {
        1
    } else if rounded == 100 && share < 1.0 {
        99
    } else {
        rounded
    }
}

/// "79% (71–85)"; a dash of nothing.
pub fn share(share: Option<Share>) -> String {
    share.map_or("–".into(), |it| format!("{}% ({}–{})", percent(it.value), percent(it.low), percent(it.high)))
}
