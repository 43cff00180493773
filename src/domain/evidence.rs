//! What can be proved of a ticket: a chain of entries, each a hash over the one before and over what it says. Pure.
//!
//! An entry's digest is the SHA-256 of its salt, a newline and its record as canonical JSON; its link that of the link before it, its
//! number, time, kind and digest, each on a line of its own. Where a text is erased its record and salt go and the digest stays, so that the
//! chain is still whole and nobody can find the text by trying. README.md, "Evidence", describes the file for those who check it by other means.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{TicketId, Time};

/// The name of the file's form.
pub const FORMAT: &str = "tanggap-evidence-1";

/// What an entry says: flat, its keys in order.
pub type Record = BTreeMap<String, Value>;

/// A record out of what is there: `None` and null are left out.
pub fn record<const N: usize>(fields: [(&str, Value); N]) -> Record {
    fields.into_iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.to_owned(), value)).collect()
}

/// A time as records and links have it.
pub fn time(at: Time) -> Value {
    at.rfc3339_ms().into()
}

/// The one way to write a record: keys in order, no spaces, only what JSON demands escaped.
pub fn canonical(record: &Record) -> String {
    serde_json::to_string(record).unwrap_or_default()
}

/// SHA-256 in lowercase hex.
pub fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// What the first entry of a ticket's chain is linked to.
pub fn root(ticket: TicketId) -> String {
    hash(&format!("tanggap.ticket:{ticket}"))
}

/// The digest of a record, by its canonical form.
pub fn digest(salt: &str, canonical: &str) -> String {
    hash(&format!("{salt}\n{canonical}"))
}

/// The link of an entry; `at` as the file has it.
pub fn link(before: &str, n: i64, at: &str, kind: &str, digest: &str) -> String {
    hash(&format!("{before}\n{n}\n{at}\n{kind}\n{digest}"))
}

/// Why an entry's record is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// Erased for good: nobody can check it any more.
    Erased,
    /// Edited later by who wrote it: whoever has the text as it was can still check it by the salt.
    Edited,
}

/// An entry of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Entry {
    /// From 1 on, without a gap.
    pub n: i64,
    /// When it was written: RFC 3339, UTC, milliseconds.
    pub at: String,
    /// message | edit | deletion | event | action | delivery
    pub kind: String,
    /// What it says.
    #[schema(value_type = Option<Object>)]
    pub record: Option<Record>,
    /// Why it says nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub missing: Option<Missing>,
    /// Random; goes with the text.
    pub salt: Option<String>,
    /// Of salt and record.
    pub digest: String,
    /// Of all up to here.
    pub link: String,
}

/// The end of a chain as it is kept beside the entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct End {
    /// How many entries.
    pub n: i64,
    /// The newest one's link; the root of an empty chain.
    pub link: String,
}

/// An exported file.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Evidence {
    /// [`FORMAT`].
    pub format: String,
    /// The program that wrote it, with its version.
    pub program: String,
    /// When it was written: RFC 3339, UTC.
    pub made_at: String,
    /// The ticket as the queue shows it then; no part of the chain.
    #[schema(value_type = Object)]
    pub ticket: Value,
    /// What the first entry is linked to.
    pub root: String,
    /// The chain, oldest first.
    pub entries: Vec<Entry>,
    /// Its end.
    pub end: End,
}

/// What an examination found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What is wrong, a sentence each.
    pub wrong: Vec<String>,
    /// Entries that say nothing any more, with the reason.
    pub silent: Vec<(i64, Missing)>,
}

impl Evidence {
    /// Goes through the whole chain.
    pub fn examine(&self) -> Findings {
        let mut found = Findings::default();
        if self.format != FORMAT {
            found.wrong.push(format!("the file is of the form {:?}, not {FORMAT:?}", self.format));
            return found;
        }
        let number = self.ticket.get("id").and_then(Value::as_i64).unwrap_or_default();
        if self.root != root(TicketId(number)) {
            found.wrong.push(format!("the chain is not that of ticket {number}"));
        }
        let mut before = self.root.as_str();
        for (place, entry) in (1..).zip(&self.entries) {
            let mut wrong = |what: &str| found.wrong.push(format!("entry {place}: {what}"));
            if entry.n != place {
                wrong(&format!("it is numbered {}: entries are missing or out of order", entry.n));
            }
            match (&entry.record, &entry.salt) {
                (Some(record), Some(salt)) if digest(salt, &canonical(record)) != entry.digest => wrong("it does not say what it said"),
                (Some(_), Some(_)) => {}
                (Some(_), None) => wrong("it says something that nothing proves: its salt is erased"),
                (None, None) => found.silent.push((place, Missing::Erased)),
                (None, Some(_)) if entry.missing == Some(Missing::Edited) && matches!(entry.kind.as_str(), "message" | "edit") => {
                    found.silent.push((place, Missing::Edited));
                }
                (None, Some(_)) => wrong("what it says was taken away"),
            }
            if link(before, entry.n, &entry.at, &entry.kind, &entry.digest) != entry.link {
                found.wrong.push(format!("entry {place}: it is not linked to the one before"));
            }
            before = &entry.link;
        }
        if self.end.n != self.entries.len() as i64 || self.end.link != before {
            found.wrong.push(format!("the chain has {} entries and should have {}", self.entries.len(), self.end.n));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Evidence {
        let (mut before, mut entries) = (root(TicketId(42)), Vec::new());
        for n in 1..=3 {
            let (at, said) = (format!("2026-11-24T02:00:0{n}.000Z"), record([("text", "Kapan?\u{1f}\n\"é".into()), ("n", n.into())]));
            let digest = digest("5a", &canonical(&said));
            before = link(&before, n, &at, "message", &digest);
            entries.push(Entry {
                n,
                at,
                kind: "message".into(),
                record: Some(said),
                missing: None,
                salt: Some("5a".into()),
                digest,
                link: before.clone(),
            });
        }
        let end = End { n: 3, link: before };
        let (format, program, made_at) = (FORMAT.into(), "tanggap".into(), String::new());
        Evidence { format, program, made_at, ticket: serde_json::json!({"id": 42}), root: root(TicketId(42)), entries, end }
    }

    #[test]
    fn a_whole_chain_is_whole_and_an_erased_text_leaves_it_so() {
        assert_eq!(whole().examine(), Findings::default());
        let mut erased = whole();
        (erased.entries[1].record, erased.entries[1].salt) = (None, None);
        assert_eq!(erased.examine(), Findings { wrong: vec![], silent: vec![(2, Missing::Erased)] });
        let mut edited = whole();
        (edited.entries[0].record, edited.entries[0].missing) = (None, Some(Missing::Edited));
        assert_eq!(edited.examine(), Findings { wrong: vec![], silent: vec![(1, Missing::Edited)] });
    }

    #[test]
    fn every_kind_of_tampering_is_named_with_its_entry() {
        type Tamper = fn(&mut Evidence);
        let tampered: [(Tamper, &str); 8] = [
            (
                |e| drop(e.entries[1].record.as_mut().map(|r| r.insert("text".into(), "Lain".into()))),
                "entry 2: it does not say what it said",
            ),
            (|e| e.entries[1].record = None, "entry 2: what it says was taken away"),
            (|e| e.entries[1].salt = None, "entry 2: it says something that nothing proves: its salt is erased"),
            (|e| e.entries[1].at = "2026-11-24T03:00:00.000Z".into(), "entry 2: it is not linked to the one before"),
            (|e| drop(e.entries.remove(1)), "entry 2: it is numbered 3: entries are missing or out of order"),
            (|e| drop(e.entries.pop()), "the chain has 2 entries and should have 3"),
            (|e| e.ticket["id"] = 43.into(), "the chain is not that of ticket 43"),
            (|e| e.entries.swap(0, 1), "entry 1: it is numbered 2: entries are missing or out of order"),
        ];
        for (tamper, said) in tampered {
            let mut evidence = whole();
            tamper(&mut evidence);
            assert_eq!(evidence.examine().wrong.first().map(String::as_str), Some(said));
        }
    }

    #[test]
    fn a_record_is_written_in_one_way() {
        let said = record([("text", "Kapan?\u{1f}\n\t\"\\é\u{7f}😀/".into()), ("at", 1.into()), ("none", Value::Null)]);
        assert_eq!(canonical(&said), "{\"at\":1,\"text\":\"Kapan?\\u001f\\n\\t\\\"\\\\é\u{7f}😀/\"}");
    }
}
