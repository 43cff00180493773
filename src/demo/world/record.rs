//! Every call that came in, for the tests to look at.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Which of Meta's two hosts was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// `graph.facebook.com`.
    Facebook,
    /// `graph.instagram.com`.
    Instagram,
}

/// How a call showed its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Authorised {
    /// `Authorization: Bearer`.
    Header,
    /// `access_token` in the query, as Meta's `next` links have it.
    Query,
    /// Not at all.
    No,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it came.
    pub at: Timestamp,
    /// Which host.
    pub host: Host,
    /// GET, …
    pub method: String,
    /// With the version in front.
    pub path: String,
    /// The query, decoded, in order; a token's value is replaced by `…`.
    pub query: Vec<(String, String)>,
    /// The form in the body, likewise.
    pub form: Vec<(String, String)>,
    /// How it showed its token.
    pub authorised: Authorised,
    /// Somebody requested a `next` link as it stood.
    pub next_link: bool,
    /// The account whose object was asked for.
    pub account: Option<String>,
    /// The edge (`feed`, `conversations`, …), or `node`, or `me`, `debug_token`.
    pub endpoint: String,
    /// HTTP status of the answer.
    pub status: u16,
    /// Code of the error, if it was one.
    pub code: Option<i32>,
    /// It came although a limit had been reached.
    pub throttled: bool,
}

impl Call {
    /// A query parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
    /// A field of the form.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
    /// Whether it was to write this text.
    pub fn writes(&self, text: &str) -> bool {
        let message = self.field("message").unwrap_or_default();
        let inside =
            serde_json::from_str::<serde_json::Value>(message).ok().and_then(|message| Some(message.get("text")?.as_str()? == text));
        inside.unwrap_or(message == text)
    }
}

/// Counts calls by account (empty for none) and endpoint.
pub(super) fn count(calls: &[Call]) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    for call in calls {
        *counts.entry((call.account.clone().unwrap_or_default(), call.endpoint.clone())).or_default() += 1;
    }
    counts
}
