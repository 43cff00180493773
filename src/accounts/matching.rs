//! Which agency an account belongs to, by its name and user name. Pure. What is not beyond doubt stays a question: an account given to
//! the wrong agency would send its citizens' messages to the wrong official.

use std::{collections::BTreeMap, sync::LazyLock};

use super::place::{self, Level, Name, SHORT};
use crate::domain::settings::OpdKind;

/// An agency that an account may belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its slug.
    pub slug: String,
    /// Its full name.
    pub name: String,
    /// Its short name.
    pub abbreviation: String,
    /// What it is.
    pub kind: Option<OpdKind>,
    /// Slug of the agency above it.
    pub parent: Option<String>,
    /// It stands in the configuration; otherwise in the shipped list.
    pub configured: bool,
}

/// An agency that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its place among the units.
    pub unit: usize,
    /// How sure, in percent.
    pub confidence: u8,
}

/// From this on a match is taken without asking …
pub const CERTAIN: u8 = 85;
/// … if the next best is so far behind.
const MARGIN: u8 = 15;
/// What is less sure is not worth showing.
const WORTH: u8 = 50;
const SHOWN: usize = 3;

/// Words that many agencies share: alone they name none.
const GENERAL: [&str; 12] =
    ["dinas", "badan", "kantor", "satuan", "sekretariat", "daerah", "bagian", "uptd", "upt", "unit", "pelayanan", "pelaksana"];

static ABBREVIATIONS: LazyLock<BTreeMap<String, String>> =
    LazyLock::new(|| toml::from_str(include_str!("abbreviations.toml")).unwrap_or_default());

/// The agencies that an account of this name and user name may belong to, the likeliest first. Those of the configuration go before
/// those of the shipped list, which counts only if none of the others fits.
pub fn candidates(units: &[Unit], site: &str, names: &[&str]) -> Vec<Candidate> {
    let home = place::home(site);
    let names: Vec<Name> = names.iter().map(|name| place::parse(name, &home)).collect();
    let of = |configured: bool| {
        let rated = units.iter().enumerate().filter(|(_, unit)| unit.configured == configured).map(|(at, unit)| {
            let confidence = names.iter().map(|name| rate(name, unit, units, &home)).max().unwrap_or(0);
            Candidate { unit: at, confidence }
        });
        let mut fit: Vec<Candidate> = rated.filter(|it| it.confidence >= WORTH).collect();
        fit.sort_by_key(|it| (std::cmp::Reverse(it.confidence), it.unit));
        fit.truncate(SHOWN);
        fit
    };
    let own = of(true);
    if own.is_empty() { of(false) } else { own }
}

/// The one that is beyond doubt, if one is.
pub fn certain(candidates: &[Candidate]) -> Option<&Candidate> {
    let first = candidates.first().filter(|it| it.confidence >= CERTAIN)?;
    let clear = candidates.get(1).is_none_or(|second| second.confidence + MARGIN <= first.confidence);
    clear.then_some(first)
}

/// How well a name fits an agency, in percent.
fn rate(name: &Name, unit: &Unit, units: &[Unit], home: &[String]) -> u8 {
    if name.foreign {
        return 0;
    }
    let own = place::parse(&unit.name, home);
    match (name.place(), own.place()) {
        (Some((level, called)), Some((at, of))) => {
            let same = same_place(called, of);
            if level != at || same == 0 || !within(name, &own, *level, unit, units, home) {
                0
            } else if own.office.is_empty() {
                same.saturating_sub(strangers(&name.office))
            } else {
                same.min(office(&name.office, &own, unit))
            }
        }
        // a branch of the office in some place, perhaps
        (Some(_), None) => office(&name.office, &own, unit).saturating_sub(30),
        (None, Some((level, of))) => {
            let called = name.office.concat();
            let short = SHORT.iter().any(|(short, at)| at == level && called.strip_prefix(short) == Some(of));
            match called == *of {
                _ if short => 93,
                true => 60,
                false => 0,
            }
        }
        (None, None) => office(&name.office, &own, unit),
    }
}

fn same_place(one: &str, other: &str) -> u8 {
    if one == other {
        97
    } else if strsim::jaro_winkler(one, other) >= 0.91 {
        78
    } else {
        0
    }
}

/// Whether a desa or kelurahan lies in the kecamatan that the name gives, as far as the configuration tells.
fn within(name: &Name, own: &Name, level: Level, unit: &Unit, units: &[Unit], home: &[String]) -> bool {
    let Some(said) = name.at(Level::Kecamatan).filter(|_| level != Level::Kecamatan) else { return true };
    let parent = unit.parent.as_ref().and_then(|slug| units.iter().find(|it| it.slug == *slug));
    let parent = parent.and_then(|above| place::parse(&above.name, home).at(Level::Kecamatan).map(str::to_owned));
    parent.as_deref().or(own.at(Level::Kecamatan)).is_none_or(|known| same_place(said, known) > 0)
}

/// How much is taken off for words that the agency's name does not explain: a branch, a programme, another kabupaten.
fn strangers(words: &[String]) -> u8 {
    u8::try_from(words.len()).unwrap_or(u8::MAX).saturating_mul(25)
}

fn office(words: &[String], own: &Name, unit: &Unit) -> u8 {
    shortened(words, own, unit).max(in_words(words, own))
}

/// The agency's abbreviation or slug among the words.
fn shortened(words: &[String], own: &Name, unit: &Unit) -> u8 {
    let forms = [&unit.abbreviation, &unit.slug].map(|form| place::words(form).concat());
    let mut best = 0;
    for form in forms.iter().filter(|form| form.len() > 1) {
        for (from, to) in runs(words.len()) {
            if words[from..to].concat() == *form {
                let others = words[..from].iter().chain(&words[to..]).filter(|word| !own.office.contains(word)).cloned();
                best = best.max(98_u8.saturating_sub(strangers(&others.collect::<Vec<_>>())));
            }
        }
        if form.len() >= 5 && strsim::normalized_damerau_levenshtein(&words.concat(), form) >= 0.8 {
            best = best.max(75);
        }
    }
    best
}

/// Spans of one to four words.
fn runs(length: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..length).flat_map(move |from| (from + 1..=length.min(from + 4)).map(move |to| (from, to)))
}

/// How much of the words stands in the agency's name and how much of the name in the words, usual abbreviations written out.
fn in_words(words: &[String], own: &Name) -> u8 {
    let (said, expanded) = written_out(words);
    let weight = |word: &&String| if GENERAL.contains(&word.as_str()) { 0.3 } else { 1.0 };
    let total = |words: &[String]| words.iter().map(|word| weight(&word)).sum::<f64>();
    let found: Vec<&String> = own.office.iter().filter(|word| said.iter().any(|it| same_word(it, word))).collect();
    let explained: f64 = said.iter().filter(|word| own.office.iter().any(|it| same_word(it, word))).map(|word| weight(&word)).sum();
    let telling = |word: &&String| !GENERAL.contains(&word.as_str());
    if found.is_empty() || (own.office.iter().any(|word| telling(&word)) && !found.iter().any(telling)) {
        return 0;
    }
    let covered = found.iter().map(weight).sum::<f64>() / total(&own.office);
    let share = explained / total(&said) * (0.6 + 0.4 * covered);
    let most = if expanded { 90.0 } else { 99.0 };
    (share * most) as u8
}

fn same_word(one: &str, other: &str) -> bool {
    one == other || (one.len() >= 6 && strsim::normalized_damerau_levenshtein(one, other) >= 0.85)
}

/// The words with usual abbreviations written out, and whether there were any.
fn written_out(words: &[String]) -> (Vec<String>, bool) {
    let (mut all, mut expanded, mut from) = (Vec::new(), false, 0);
    while from < words.len() {
        let longest = (from + 1..=words.len().min(from + 3)).rev().find_map(|to| {
            let meant = ABBREVIATIONS.get(&words[from..to].concat())?;
            Some((to, meant))
        });
        if let Some((to, meant)) = longest {
            all.extend(meant.split(' ').map(str::to_owned));
            (expanded, from) = (true, to);
        } else {
            all.push(words[from].clone());
            from += 1;
        }
    }
    (all, expanded)
}

#[cfg(test)]
mod tests;
