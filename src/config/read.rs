//! Reads typed values out of the layered tree. Nothing is coerced, a text of the environment aside, and nothing stops at the first mistake:
//! what can't be read is noted, and the reader goes on with a harmless value. A key nobody asked for is unknown, and said so when its
//! table is dropped.

use std::{collections::HashMap, ops::Deref, path::PathBuf};

use config::{Map, Value, ValueKind};
use jiff::SignedDuration;

use super::{
    environment::PREFIX,
    layer::FROM_ENVIRONMENT,
    problem::{Findings, Place, Spot, hint},
    secret::Vault,
    words,
};
use crate::domain::settings::Token;

/// The place an origin names. Of a value of the environment, the key tells the variable.
pub(super) fn place(origin: Option<&str>, key: &str) -> Option<Place> {
    let origin = origin?;
    if origin == FROM_ENVIRONMENT {
        return Some(Place::Environment(format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"))));
    }
    let (path, line) = origin.rsplit_once(':')?;
    Some(Place::File { path: PathBuf::from(path), line: line.parse().ok()? })
}

/// The place of a value; of a merged table, which has none, that of the first thing in it.
fn place_of(value: &Value, key: &str) -> Option<Place> {
    place(value.origin(), key).or_else(|| match &value.kind {
        ValueKind::Table(table) => {
            let places = table.iter().filter_map(|(name, value)| place_of(value, &format!("{key}.{name}")));
            places.filter(|place| !place.is_built_in()).min()
        }
        _ => None,
    })
}

/// A value and where it stands, for what is found wrong with it later.
#[derive(Clone)]
pub(super) struct Found<T> {
    pub value: T,
    pub spot: Spot,
}

impl<T> Deref for Found<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// One table, from which keys are taken by name.
pub(super) struct Table<'a> {
    /// `None`: absent; nothing is required of it.
    entries: Option<&'a Map<String, Value>>,
    /// Where it begins.
    pub spot: Spot,
    asked: Vec<&'a str>,
    pub findings: &'a Findings,
}

impl Drop for Table<'_> {
    fn drop(&mut self) {
        for (name, value) in self.entries.into_iter().flatten() {
            if !self.asked.contains(&name.as_str()) {
                let key = self.key(name);
                let place = place_of(value, &key).unwrap_or_else(|| self.spot.place.clone());
                self.findings.problem(&Spot { place, key }, format!("unknown key{}", hint(name, self.asked.iter().copied())));
            }
        }
    }
}

impl<'a> Table<'a> {
    /// The whole tree, which belongs to the main file.
    pub fn root(entries: &'a Map<String, Value>, file: PathBuf, findings: &'a Findings) -> Self {
        Self {
            entries: Some(entries),
            spot: Spot { place: Place::File { path: file, line: 0 }, key: String::new() },
            asked: Vec::new(),
            findings,
        }
    }

    fn key(&self, name: &str) -> String {
        if self.spot.key.is_empty() { name.to_owned() } else { format!("{}.{name}", self.spot.key) }
    }
    fn found<T>(&self, name: &str, value: T) -> Found<T> {
        Found { value, spot: Spot { place: self.spot.place.clone(), key: self.key(name) } }
    }
    fn get(&mut self, name: &'a str) -> Option<Found<&'a Value>> {
        self.asked.push(name);
        self.peek(name)
    }
    /// What stands at a key; an empty text counts as nothing.
    fn peek(&self, name: &str) -> Option<Found<&'a Value>> {
        let value = self.entries?.get(name)?;
        if value.kind == ValueKind::Nil || matches!(&value.kind, ValueKind::String(text) if text.is_empty()) {
            return None;
        }
        let key = self.key(name);
        let place = place_of(value, &key).unwrap_or_else(|| self.spot.place.clone());
        Some(Found { value, spot: Spot { place, key } })
    }
    fn wrong_type(&self, found: &Found<&Value>, wanted: &str) {
        let is = match &found.value.kind {
            ValueKind::Boolean(_) => "true or false",
            ValueKind::Float(_) => "a fraction",
            ValueKind::String(_) => "a text",
            ValueKind::Table(_) => "a table",
            ValueKind::Array(_) => "a list",
            _ => "a number",
        };
        self.findings.problem(&found.spot, format!("expected {wanted}, found {is}"));
    }

    /// Whether anything stands there, right or wrong.
    pub fn has(&self, name: &str) -> bool {
        self.peek(name).is_some()
    }
    /// A text, read by `parse`, whose error is the problem's text.
    pub fn parsed<T>(&mut self, name: &'a str, wanted: &str, parse: impl FnOnce(&'a str) -> Result<T, String>) -> Option<Found<T>> {
        let found = self.get(name)?;
        let ValueKind::String(text) = &found.value.kind else {
            self.wrong_type(&found, wanted);
            return None;
        };
        match parse(text) {
            Ok(value) => Some(Found { value, spot: found.spot }),
            Err(text) => {
                self.findings.problem(&found.spot, text);
                None
            }
        }
    }
    pub fn text(&mut self, name: &'a str) -> Option<Found<String>> {
        self.parsed(name, "a text", |text| Ok(text.to_owned()))
    }
    /// As `parsed`, and it must be there.
    pub fn needed<T>(&mut self, name: &'a str, wanted: &str, parse: impl FnOnce(&'a str) -> Result<T, String>) -> Option<Found<T>> {
        self.require(name, wanted);
        self.parsed(name, wanted, parse)
    }
    /// A text that must be there; empty if it is not.
    pub fn needed_text(&mut self, name: &'a str) -> Found<String> {
        self.needed(name, "a text", |text| Ok(text.to_owned())).unwrap_or_else(|| self.found(name, String::new()))
    }
    /// Notes it when a key is not there.
    pub fn require(&mut self, name: &'a str, wanted: &str) {
        if self.entries.is_some() && self.get(name).is_none() {
            self.findings.problem(&self.found(name, ()).spot, format!("is missing: expected {wanted}"));
        }
    }
    /// A text that names one of `known`; `what` is what is so called.
    pub fn named(&mut self, name: &'a str, known: &[String], what: &str) -> Option<Found<String>> {
        self.parsed(name, "a name", |text| words::one_of(text, known, what))
    }
    /// One of the words of an enum.
    pub fn word<T: Copy>(&mut self, name: &'a str, all: &[T], word: fn(T) -> &'static str) -> Option<T> {
        self.parsed(name, "a text", |text| words::in_words(text, all, word)).map(|found| found.value)
    }
    /// A duration; zero if it can't be read.
    pub fn duration(&mut self, name: &'a str) -> Found<SignedDuration> {
        self.parsed(name, words::DURATION, words::duration).unwrap_or_else(|| self.found(name, SignedDuration::ZERO))
    }
    /// A duration longer than zero.
    pub fn positive(&mut self, name: &'a str) -> Found<SignedDuration> {
        self.parsed(name, words::DURATION, words::positive).unwrap_or_else(|| self.found(name, SignedDuration::ZERO))
    }
    pub fn flag(&mut self, name: &'a str) -> Option<bool> {
        let found = self.get(name)?;
        match &found.value.kind {
            ValueKind::Boolean(flag) => return Some(*flag),
            ValueKind::String(text) if is_environment(&found) => {
                if let Ok(flag) = text.parse() {
                    return Some(flag);
                }
            }
            _ => {}
        }
        self.wrong_type(&found, "true or false");
        None
    }
    /// A whole number from 1 to `most`; 1 if it can't be read.
    pub fn count(&mut self, name: &'a str, most: usize) -> usize {
        let Some(found) = self.get(name) else { return 1 };
        let number = match &found.value.kind {
            ValueKind::I64(number) => Some(*number),
            ValueKind::String(text) if is_environment(&found) => text.parse().ok(),
            _ => None,
        };
        match number.map(usize::try_from) {
            None => self.wrong_type(&found, "a whole number"),
            Some(Ok(number)) if (1..=most).contains(&number) => return number,
            Some(_) => self.findings.problem(&found.spot, format!("must be between 1 and {most}")),
        }
        1
    }
    /// A list of texts, each read by `parse`; a variable of the environment parts them by commas. `None` if absent or something in it is wrong.
    pub fn list<T>(&mut self, name: &'a str, wanted: &str, mut parse: impl FnMut(&str) -> Result<T, String>) -> Option<Found<Vec<T>>> {
        let found = self.get(name)?;
        let items: Vec<(Option<&str>, Found<&Value>)> = match &found.value.kind {
            ValueKind::String(text) if is_environment(&found) => text.split(',').map(|text| (Some(text.trim()), found.clone())).collect(),
            ValueKind::Array(items) => items.iter().enumerate().map(|(index, value)| element(&found.spot, index, value)).collect(),
            _ => {
                self.wrong_type(&found, wanted);
                return None;
            }
        };
        let mut values = Vec::new();
        for (text, at) in &items {
            match text.map(&mut parse) {
                Some(Ok(value)) => values.push(value),
                Some(Err(text)) => self.findings.problem(&at.spot, text),
                None => self.wrong_type(at, "a text"),
            }
        }
        (values.len() == items.len()).then_some(Found { value: values, spot: found.spot })
    }
    /// A secret by its reference.
    pub fn secret(&mut self, name: &'a str, vault: &Vault) -> Option<Token> {
        self.parsed(name, words::SECRET, |reference| vault.read(reference)).map(|found| found.value)
    }
    /// A table; `None` if it is absent or no table, which has been said.
    pub fn table(&mut self, name: &'a str) -> Option<Self> {
        let found = self.get(name)?;
        let ValueKind::Table(entries) = &found.value.kind else {
            self.wrong_type(&found, &format!("a table: write [{}]", strip_indexes(&found.spot.key)));
            return None;
        };
        Some(self.within(Some(entries), found.spot))
    }
    /// A table; without keys if it is absent.
    pub fn section(&mut self, name: &'a str) -> Self {
        self.table(name).unwrap_or_else(|| self.within(None, self.found(name, ()).spot))
    }
    fn within(&self, entries: Option<&'a Map<String, Value>>, spot: Spot) -> Self {
        Self { entries, spot, asked: Vec::new(), findings: self.findings }
    }
    /// A list of tables. Each is counted within its own file.
    pub fn tables(&mut self, name: &'a str) -> Vec<Self> {
        let Some(found) = self.get(name) else { return Vec::new() };
        let ValueKind::Array(items) = &found.value.kind else {
            self.wrong_type(&found, &format!("a list of tables: write [[{}]]", strip_indexes(&found.spot.key)));
            return Vec::new();
        };
        let mut counts: HashMap<PathBuf, usize> = HashMap::new();
        let mut tables = Vec::new();
        for value in items {
            let place = place(value.origin(), &found.spot.key).unwrap_or_else(|| found.spot.place.clone());
            let Place::File { path, .. } = &place else { continue };
            let index = counts.entry(path.clone()).or_default();
            let spot = Spot { key: format!("{}[{index}]", found.spot.key), place };
            *index += 1;
            match &value.kind {
                ValueKind::Table(entries) => tables.push(self.within(Some(entries), spot)),
                _ => self.wrong_type(&Found { value, spot }, "a table"),
            }
        }
        tables
    }
    /// The names of all keys, which the caller then takes one by one.
    pub fn names(&self) -> Vec<&'a str> {
        let mut names: Vec<&str> = self.entries.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
    }
}

/// Of two values that don't go together, where the second stands, or the first if nobody wrote the second.
pub(super) fn to_mend<'s, T>(first: &'s Found<T>, second: &'s Found<T>) -> &'s Spot {
    if second.spot.place.is_built_in() { &first.spot } else { &second.spot }
}

/// An element of a list of texts.
fn element<'v>(list: &Spot, index: usize, value: &'v Value) -> (Option<&'v str>, Found<&'v Value>) {
    let key = format!("{}[{index}]", list.key);
    let spot = Spot { place: place(value.origin(), &key).unwrap_or_else(|| list.place.clone()), key };
    let text = if let ValueKind::String(text) = &value.kind { Some(text.as_str()) } else { None };
    (text, Found { value, spot })
}

/// `opd[2].account` as it is written in TOML: `opd.account`.
fn strip_indexes(key: &str) -> String {
    key.split('.').map(|part| part.split('[').next().unwrap_or(part)).collect::<Vec<_>>().join(".")
}

fn is_environment(found: &Found<&Value>) -> bool {
    found.value.origin() == Some(FROM_ENVIRONMENT)
}
