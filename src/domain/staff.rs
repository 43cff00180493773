//! Who may use the page and the API, and what of it.

use std::collections::BTreeSet;

use super::words;

/// What somebody may do; each may what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Look.
    Viewer,
    /// Act on tickets, and answer citizens.
    Ops,
    /// See who did what.
    Admin,
}
words!(Role { Viewer = "viewer", Ops = "ops", Admin = "admin" });

/// Of which OPDs somebody sees tickets, messages, events, counts, exports and the trail: an argument of every query that shows them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope(Option<BTreeSet<String>>);

impl Scope {
    /// Every OPD, those that have left the configuration included.
    pub const ALL: Self = Self(None);

    /// These OPDs; none given: all.
    pub fn of<T: Into<String>>(opds: impl IntoIterator<Item = T>) -> Self {
        let opds: BTreeSet<String> = opds.into_iter().map(Into::into).collect();
        Self((!opds.is_empty()).then_some(opds))
    }
    /// Whether an OPD is one of them.
    pub fn holds(&self, opd: &str) -> bool {
        self.0.as_ref().is_none_or(|opds| opds.contains(opd))
    }
    /// Their slugs in order; `None`: all.
    pub fn opds(&self) -> Option<impl Iterator<Item = &str>> {
        self.0.as_ref().map(|opds| opds.iter().map(String::as_str))
    }
}
