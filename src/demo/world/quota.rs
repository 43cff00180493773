//! Meta's limits: so many calls in a rolling window, an error past it, and a block that grows while one goes on calling.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// Which limit a call counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Use {
    /// A Page's posts and comments: 4800 x engaged people in 24 h.
    Pages,
    /// A Page's Messenger inbox: 200 x people it can message in 24 h.
    Messenger,
    /// An Instagram account: 4800 x impressions in 24 h.
    Instagram,
    /// An Instagram account's conversations: 2 calls a second.
    InstagramConversations,
    /// A whole app, by its id: per hour.
    App,
    /// A person with a user token, by their id: per hour.
    User,
}

impl Use {
    /// The `type` of its row in `X-Business-Use-Case-Usage`; `None` where it has none.
    pub(crate) fn row(self) -> Option<&'static str> {
        match self {
            Self::Pages => Some("pages"),
            Self::Messenger => Some("messenger"),
            Self::Instagram => Some("instagram"),
            Self::InstagramConversations | Self::App | Self::User => None,
        }
    }
    /// The error past the limit: code, subcode, sentence.
    pub(crate) fn error(self) -> (i32, Option<u32>, &'static str) {
        match self {
            Self::Pages => (80001, None, "(#80001) There have been too many calls to this Page account. Wait a bit and try again."),
            Self::Messenger => {
                (80006, None, "(#80006) There have been too many calls to this Messenger account. Wait a bit and try again.")
            }
            Self::Instagram => {
                (80002, None, "(#80002) There have been too many calls to this Instagram account. Wait a bit and try again.")
            }
            Self::InstagramConversations => (613, Some(2_534_040), "(#613) Calls to this api have exceeded the rate limit."),
            Self::App => (4, None, "(#4) Application request limit reached"),
            Self::User => (17, Some(2_446_079), "(#17) User request limit reached"),
        }
    }
    fn window(self) -> SignedDuration {
        match self {
            Self::Pages | Self::Messenger | Self::Instagram => SignedDuration::from_hours(24),
            Self::InstagramConversations => SignedDuration::from_secs(1),
            Self::App | Self::User => SignedDuration::from_hours(1),
        }
    }
    fn limit(self) -> u64 {
        match self {
            Self::Pages | Self::Messenger | Self::Instagram => 480_000,
            Self::InstagramConversations => 2,
            Self::App | Self::User => 100_000,
        }
    }
}

/// One limit of one account, app or person.
#[derive(Clone, Debug)]
pub struct Quota {
    window: SignedDuration,
    limit: u64,
    calls: VecDeque<Timestamp>,
    forced_until: Option<Timestamp>,
}

impl Quota {
    pub(super) fn new(of: Use) -> Self {
        Self { window: of.window(), limit: of.limit(), calls: VecDeque::new(), forced_until: None }
    }
    /// Sets how many calls fit in the window; at least one.
    pub(super) fn set_limit(&mut self, limit: u64) {
        self.limit = limit.max(1);
    }
    /// Blocks until then, whatever was called.
    pub(super) fn block_until(&mut self, at: Timestamp) {
        self.forced_until = Some(at);
    }
    /// Counts a call. `false` if it is over the limit; it counts all the same, which lengthens the block.
    pub(in crate::demo) fn call(&mut self, now: Timestamp) -> bool {
        self.roll(now);
        let open = self.blocked(now).is_none();
        self.calls.push_back(now);
        if let (false, Some(until)) = (open, self.forced_until.as_mut()) {
            *until += SignedDuration::from_mins(1);
        }
        open
    }
    fn roll(&mut self, now: Timestamp) {
        while self.calls.front().is_some_and(|at| *at + self.window <= now) {
            self.calls.pop_front();
        }
        self.forced_until = self.forced_until.filter(|until| *until > now);
    }
    /// How long until calls are answered again; `None` if they are.
    pub(crate) fn blocked(&self, now: Timestamp) -> Option<SignedDuration> {
        let over = (self.calls.len() as u64).checked_sub(self.limit).and_then(|over| self.calls.get(over as usize));
        let until = over.map(|at| *at + self.window).max(self.forced_until)?;
        Some(until.duration_since(now)).filter(SignedDuration::is_positive)
    }
    /// Percent of the limit used.
    pub(crate) fn percent(&self, now: Timestamp) -> u64 {
        if self.forced_until.is_some_and(|until| until > now) {
            return 100;
        }
        (self.calls.len() as u64 * 100).checked_div(self.limit).unwrap_or(100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_past_the_limit_is_refused_and_lengthens_the_block() {
        let start = Timestamp::UNIX_EPOCH;
        let at = |secs| start + SignedDuration::from_secs(secs);
        let mut quota = Quota::new(Use::App);
        quota.set_limit(2);
        assert!(quota.call(at(0)) && quota.call(at(100)));
        assert_eq!(quota.blocked(at(200)), Some(SignedDuration::from_secs(3400)));
        assert!(!quota.call(at(200)));
        assert_eq!(quota.blocked(at(200)), Some(SignedDuration::from_secs(3500)), "the refused call counted");
        assert!(quota.call(at(3701)));
    }
}
