//! To be replaced by branch `triage`: only its signatures, so that this branch compiles and its tests run.

use regex::Regex;

use crate::domain::Text;

/// What a site configures, ready to be asked.
#[derive(Clone, Debug)]
pub struct Rules {
    automatic: Vec<Regex>,
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
    /// `auto_reply_patterns` and `urgent_keywords`.
    pub fn new(auto_reply_patterns: &[Regex], _urgent_keywords: &[String]) -> Self {
        Self { automatic: auto_reply_patterns.to_vec() }
    }
    /// Whether an `out` text matches one of `auto_reply_patterns`.
    pub fn automatic(&self, text: &str) -> bool {
        self.automatic.iter().any(|pattern| pattern.is_match(text))
    }
    /// What an `in` message is.
    pub fn incoming(&self, text: &Text, signals: &Signals) -> Verdict {
        let bare = !signals.attachments && is_bare(text.as_str(), signals.sticker);
        let asks = text.as_str().contains('?');
        let talks = signals.public && !signals.tags_own && (signals.replies_to_other || signals.tags_others);
        Verdict { needs_answer: !bare && (asks || signals.attachments || !talks), asks, urgent: false, bare, why: "" }
    }
}

/// Whether a message is nothing but emoji, or nothing but a sticker.
pub fn is_bare(text: &str, sticker: bool) -> bool {
    if text.trim().is_empty() { sticker } else { !text.chars().any(|c| c.is_ascii() && !c.is_ascii_whitespace()) }
}
