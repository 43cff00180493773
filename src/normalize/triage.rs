//! What an incoming text wants: does it need an answer, does it plainly ask, is it urgent (semantics.md, Tickets).
//!
//! The rule of rules: **when in doubt it needs an answer.** Nothing here recognises what a citizen wants; it recognises
//! the few plain cases that want nothing, and a word that might ask keeps a message among those that wait.

mod reading;
mod urgent;
mod words;

use crate::domain::Text;
use reading::{Reading, Residue};
use regex::Regex;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// What a site configures, ready to be asked.
#[derive(Clone, Debug)]
pub struct Rules {
    automatic: Vec<Regex>,
    urgent: Vec<Vec<Keyword>>,
}

/// What is known about a message beside its text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Signals<'a> {
    /// Something other than a sticker hangs on it.
    pub attachments: bool,
    /// A sticker.
    pub sticker: bool,
    /// It tags the account, or names it after `@`.
    pub tags_own: bool,
    /// It tags others, or names them after `@`.
    pub tags_others: bool,
    /// It is a reply to another citizen's comment.
    pub replies_to_other: bool,
    /// The others it tags, as they stand in the text, to be read past; `@` may be left out.
    pub other_names: &'a [&'a str],
    /// A comment, post, review or mention; not a direct message.
    pub public: bool,
}

/// What an `in` message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it opens a ticket.
    pub needs_answer: bool,
    /// Whether it plainly asks, requests or complains, or is urgent.
    pub asks: bool,
    /// Whether it holds an urgent keyword.
    pub urgent: bool,
    /// Nothing but emoji or a sticker.
    pub bare: bool,
    /// The rule that decided `needs_answer`.
    pub why: &'static str,
}

impl Rules {
    /// `auto_reply_patterns`, compiled as the configuration says, and `urgent_keywords` as they are written there:
    /// one or more words, the last of which takes suffixes if it ends in `*`; `builtin:id` stands for the shipped list.
    pub fn new(auto_reply_patterns: &[Regex], urgent_keywords: &[String]) -> Self {
        let own = urgent_keywords.iter().filter(|keyword| *keyword != urgent::BUILTIN).cloned();
        let shipped = urgent::builtin().filter(|_| urgent_keywords.iter().any(|keyword| keyword == urgent::BUILTIN));
        let urgent = own.chain(shipped).map(|keyword| Keyword::all(&keyword)).filter(|words| !words.is_empty()).collect();
        Self { automatic: auto_reply_patterns.to_vec(), urgent }
    }

    /// Whether an `out` text matches one of `auto_reply_patterns`.
    pub fn automatic(&self, text: &str) -> bool {
        self.automatic.iter().any(|pattern| pattern.is_match(text))
    }

    /// Whether a text holds one of `urgent_keywords` as a whole word, whatever its case or lettering; the `2` of reduplication and letters
    /// drawn out (`banjiiir`) do not hide it.
    pub fn urgent(&self, text: &str) -> bool {
        let folded = drawn_in(&fold(text));
        let words: Vec<&str> = split(&folded).map(singled).collect();
        self.urgent
            .iter()
            .any(|keyword| words.windows(keyword.len()).any(|run| keyword.iter().zip(run).all(|(keyword, word)| keyword.matches(word))))
    }

    /// What an `in` message is.
    pub fn incoming(&self, text: &Text, signals: &Signals) -> Verdict {
        let urgent = self.urgent(text.as_str());
        let bare = !signals.attachments && is_bare(text.as_str(), signals.sticker);
        let reading = Reading::of(text.as_str(), signals.other_names);
        let asks = urgent || reading.asks();
        let verdict = |needs_answer, why| Verdict { needs_answer, asks, urgent, bare, why };
        if bare {
            return verdict(false, "emoji or a sticker");
        }
        if urgent {
            return verdict(true, "urgent");
        }
        if reading.advertises(signals.public) {
            return verdict(false, "spam");
        }
        if signals.attachments {
            return verdict(true, "an attachment");
        }
        if signals.public && signals.tags_others && signals.tags_own && reading.banter() {
            return verdict(false, "talks to another");
        }
        if asks {
            return verdict(true, "asks");
        }
        if reading.words.is_empty() && !reading.thanked {
            return match reading.residue {
                Residue::Link if signals.public => verdict(false, "a bare link"),
                Residue::Emoji => verdict(false, "emoji or a sticker"),
                Residue::Tags if signals.public && signals.tags_others && !signals.tags_own => verdict(false, "only tags"),
                _ => verdict(true, "in doubt"),
            };
        }
        let to_another = signals.public && (signals.replies_to_other || signals.tags_others);
        if reading.only_thanks(signals.public, to_another) {
            return verdict(false, "thanks or praise");
        }
        if signals.public && !signals.tags_own && reading.headline() {
            return verdict(false, "a headline");
        }
        if to_another && !signals.tags_own && !reading.to_office() {
            return verdict(false, "talks to another");
        }
        verdict(true, "in doubt")
    }
}

/// Whether a message is nothing but emoji, or nothing but a sticker.
pub fn is_bare(text: &str, sticker: bool) -> bool {
    if text.trim().is_empty() { sticker } else { reading::EMOJI_ONLY.is_match(text) }
}

/// One word of an urgent keyword.
#[derive(Clone, Debug)]
struct Keyword {
    word: String,
    suffixes: bool,
}

impl Keyword {
    fn all(keyword: &str) -> Vec<Self> {
        let (suffixes, keyword) = keyword.trim_end().strip_suffix('*').map_or((false, keyword), |stem| (true, stem));
        let folded = fold(keyword);
        let mut words: Vec<Self> = split(&folded).map(|word| Self { word: word.to_owned(), suffixes: false }).collect();
        if let Some(last) = words.last_mut() {
            last.suffixes = suffixes;
        }
        words
    }
    fn matches(&self, word: &str) -> bool {
        if self.suffixes { word.starts_with(&self.word) } else { word == self.word }
    }
}

/// NFKC, lower case, without what cannot be seen.
fn fold(text: &str) -> String {
    let unseen = |c: &char| matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{E000}');
    text.nfkc().filter(|c| !unseen(c)).collect::<String>().to_lowercase()
}

/// Letters written three times or more in a row, once.
fn drawn_in(folded: &str) -> String {
    let mut out = String::with_capacity(folded.len());
    let mut rest = folded.chars().peekable();
    while let Some(c) = rest.next() {
        let mut run = 1;
        while rest.next_if_eq(&c).is_some() {
            run += 1;
        }
        let kept = if run >= 3 && c.is_alphabetic() { 1 } else { run };
        out.extend(std::iter::repeat_n(c, kept));
    }
    out
}

/// A word without the `2` that writes it twice (`banjir2`).
fn singled(word: &str) -> &str {
    word.strip_suffix('2').filter(|rest| rest.ends_with(char::is_alphabetic)).unwrap_or(word)
}

/// The words of a folded text: letters, digits and marks.
fn split(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c)).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests;
