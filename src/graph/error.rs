//! What went wrong with a request, and what to do next. Its text is our own phrase with code, subcode, HTTP status and
//! fbtrace_id; Meta's words, which may quote a token or a citizen, come only from [`GraphError::foreign`].

use std::fmt;

use jiff::SignedDuration;

use super::usage::Usage;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A limit is reached: ask nothing of this scope until then. Calls made meanwhile lengthen the block.
    Later {
        /// Meta's own estimate, if it gave one.
        after: Option<SignedDuration>,
        /// Whose calls must rest.
        scope: Scope,
    },
    /// Passing trouble: the same request again soon, with growing pauses.
    Retry,
    /// The same request can never succeed: ask for less at once.
    Shrink,
    /// The token is dead or of the wrong kind: stop the account and say so.
    Token,
    /// A permission, task, feature or setting is missing: stop this source and say so.
    Permission,
    /// The object asked for is deleted, or not visible to us.
    Gone,
    /// A field is not offered here: ask for the smaller set.
    Field,
    /// The request itself is wrong, or the endpoint removed: never again in this form.
    Refused,
    /// Nobody knows: back off, and say so if it lasts.
    Odd,
}

/// Whose calls a limit stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One Page or Instagram account.
    Account,
    /// Everything read with the same person's token.
    User,
    /// Every account of the app.
    App,
}

impl Next {
    /// One word for metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Later { .. } => "later",
            Self::Retry => "retry",
            Self::Shrink => "shrink",
            Self::Token => "token",
            Self::Permission => "permission",
            Self::Gone => "gone",
            Self::Field => "field",
            Self::Refused => "refused",
            Self::Odd => "odd",
        }
    }
}

/// A request that brought no answer to work with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphError {
    /// What to do next.
    pub next: Next,
    /// What happened, in our own words.
    pub what: &'static str,
    /// Meta's error code.
    pub code: Option<i32>,
    /// Meta's subcode.
    pub subcode: Option<i32>,
    /// HTTP status; `None` if no answer came.
    pub status: Option<u16>,
    /// Meta's number of the request, for its support.
    pub trace: Option<Box<str>>,
    /// Meta was not reached: whatever was to be written was not.
    pub unasked: bool,
    /// What the headers told of the limits.
    pub usage: Box<[Usage]>,
    pub(super) foreign: Option<Box<str>>,
}

impl GraphError {
    /// An error that no answer of Meta's stands behind.
    pub fn new(next: Next, what: &'static str) -> Self {
        Self { next, what, code: None, subcode: None, status: None, trace: None, unasked: false, usage: Box::default(), foreign: None }
    }
    /// The same where the request never left.
    pub fn unasked(next: Next, what: &'static str) -> Self {
        Self { unasked: true, ..Self::new(next, what) }
    }
    /// Whether what was to be written surely was not: the request never left, or Meta said no. After anything else (no answer, half of one,
    /// trouble of Meta's, a proxy's page) nobody knows.
    pub fn is_refusal(&self) -> bool {
        self.unasked || matches!(self.next, Next::Later { .. }) || self.code.is_some() && self.next != Next::Retry
    }
    /// Meta's own message, for a log at debug: at most 200 characters, with addresses and whatever may be a token,
    /// an id, an e-mail address or a telephone number taken out.
    pub fn foreign(&self) -> Option<String> {
        self.foreign.as_deref().map(|text| masked(text).chars().take(200).collect())
    }
}

impl std::error::Error for GraphError {}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        let mut gap = " (";
        let mut part = |name: &str, value: Option<&dyn fmt::Display>| {
            let Some(value) = value else { return Ok(()) };
            write!(f, "{}{name} {value}", std::mem::replace(&mut gap, ", "))
        };
        part("code", self.code.as_ref().map(|code| code as _))?;
        part("subcode", self.subcode.as_ref().map(|code| code as _))?;
        part("HTTP status", self.status.as_ref().map(|status| status as _))?;
        part("fbtrace_id", self.trace.as_ref().map(|trace| trace as _))?;
        if gap == ", " { f.write_str(")") } else { Ok(()) }
    }
}

/// Meta's number of a request, if it is one: it goes into logs, so nothing else may.
pub(super) fn trace_id(text: &str) -> Option<Box<str>> {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'/' | b'+' | b'='));
    (plain && (1..=64).contains(&text.len())).then(|| text.into())
}

fn masked(text: &str) -> String {
    let hide = |word: &str| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        digits >= 6 || word.len() >= 40 || word.contains('@') || word.contains("://") || word.contains("access_token")
    };
    text.split_whitespace().map(|word| if hide(word) { "[masked]" } else { word }).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_our_phrase_with_the_numbers_and_nothing_of_meta() {
        let mut error = GraphError::new(Next::Token, "the token was revoked");
        assert_eq!(error.to_string(), "the token was revoked");
        error.code = Some(190);
        error.subcode = Some(460);
        error.status = Some(400);
        error.trace = trace_id("AbC_-1");
        error.foreign = Some("Error validating EAAsecret".into());
        assert_eq!(error.to_string(), "the token was revoked (code 190, subcode 460, HTTP status 400, fbtrace_id AbC_-1)");
    }

    #[test]
    fn metas_words_come_out_short_and_without_tokens_ids_and_addresses() {
        let mut error = GraphError::new(Next::Odd, "odd");
        error.foreign = Some(
            format!(
                "Token EAAB{} of 17841400000000000 (siti@example.org, +62-812-0000-0000) see https://x/?access_token=1 {}",
                "x".repeat(50),
                "kata ".repeat(100)
            )
            .into(),
        );
        let text = error.foreign().unwrap();
        assert!(text.starts_with("Token [masked] of [masked] [masked] [masked] see [masked] kata"), "{text}");
        assert_eq!(text.chars().count(), 200);
    }

    #[test]
    fn a_trace_id_that_is_none_is_not_logged() {
        for text in ["", "a b", "a\nlevel=ERROR", &"x".repeat(65)] {
            assert_eq!(trace_id(text), None);
        }
    }
}
