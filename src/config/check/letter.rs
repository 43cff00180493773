//! `[letter]`: what letters show, how many there are, and the site's own wording.

use std::{collections::BTreeMap, fs, path::Path};

use super::Context;
use crate::{
    catalogue,
    config::{
        problem::{Findings, Place, Spot},
        read::Table,
    },
    domain::settings::{Language, Letter, Preview},
};

/// More messages an hour to one address than this nobody can mean.
const PER_HOUR_MAX: usize = 1000;

pub(super) fn letter(table: &mut Table, language: Language, context: &Context) -> Letter {
    let file = table.text("texts").map(|name| (context.folder.join(&name.value), name.spot));
    Letter {
        preview: table.word("preview", Preview::ALL, Preview::word).unwrap_or(Preview::Public),
        group: table.duration("group").value,
        per_hour: table.count("per_hour", PER_HOUR_MAX),
        texts: file.map_or_else(BTreeMap::new, |(path, spot)| texts(&path, &spot, language, table.findings)),
    }
}

/// The site's own wording of letters, a TOML file of texts by the catalogue's keys. Each is tried before anything starts.
fn texts(path: &Path, spot: &Spot, language: Language, findings: &Findings) -> BTreeMap<String, String> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            findings.problem(spot, format!("{} can't be read: {error}", path.display()));
            return BTreeMap::new();
        }
    };
    let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
    let wrong = |at: usize, key: &str, why: String| {
        findings.problem(&Spot { place: Place::File { path: path.to_owned(), line: line(at) }, key: key.to_owned() }, why);
    };
    let read: BTreeMap<String, toml::Spanned<String>> = match toml::from_str(&text) {
        Ok(read) => read,
        Err(error) => {
            wrong(error.span().map_or(0, |span| span.start), "", format!("is no list of texts, such as ask = \"…\": {}", error.message()));
            return BTreeMap::new();
        }
    };
    let mut texts = BTreeMap::new();
    for (key, text) in read {
        match catalogue::check_letter_text(language, &key, text.get_ref()) {
            Ok(()) => drop(texts.insert(key, text.into_inner())),
            Err(why) => wrong(text.span().start, &key, why),
        }
    }
    texts
}
