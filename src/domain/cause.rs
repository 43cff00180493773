//! Why an account can't be read, or is not to be trusted, for people who know nothing of tokens: sorted into what a person must do about
//! it. Pure.

use super::{Platform, words};

/// What a person must do something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // each has its sentences in the catalogue
pub enum Cause {
    NoToken,
    Token,
    NotPage,
    Permission,
    MessagesOff,
    NotLinked,
    Gone,
    Limit,
    Trouble,
    Storage,
    Unknown,
    Lagging,
    Silent,
    CommentsOff,
    UnprovedMessages,
    UnprovedComments,
    BlindMessages,
    BlindComments,
}
words!(Cause {
    NoToken = "no_token", Token = "token", NotPage = "not_page", Permission = "permission", MessagesOff = "messages_off",
    NotLinked = "not_linked", Gone = "gone", Limit = "limit", Trouble = "trouble", Storage = "storage", Unknown = "unknown",
    Lagging = "lagging", Silent = "silent", CommentsOff = "comments_off",
    UnprovedMessages = "unproved_messages", UnprovedComments = "unproved_comments",
    BlindMessages = "blind_messages", BlindComments = "blind_comments",
});

/// Our own phrases that no code of Meta's stands behind, by how they begin.
const PHRASES: [(&str, Cause); 9] = [
    ("no token", Cause::NoToken),
    ("a user token", Cause::NotPage),
    ("a system user token", Cause::NotPage),
    ("not a Page token", Cause::NotPage),
    ("the token belongs to another Page", Cause::NotPage),
    ("access to data lapsed", Cause::Token),
    ("the token was found at fault", Cause::Token),
    ("the token lacks", Cause::Permission),
    ("a limit of calls", Cause::Limit),
];

impl Cause {
    /// Of a stored reason. Codes as in `graph`'s verdicts; an Instagram account that cannot be found by its id is no longer linked to
    /// its Page, or no professional account any more: Meta shows no others.
    pub fn of(platform: Platform, reason: &str) -> Self {
        if let Some((_, cause)) = PHRASES.iter().find(|(begins, _)| reason.starts_with(begins)) {
            return *cause;
        }
        if reason.contains("database") {
            return Self::Storage;
        }
        let (code, sub, status) = (number(reason, "(code "), number(reason, "subcode "), number(reason, "HTTP status "));
        let gone = if platform == Platform::Instagram { Self::NotLinked } else { Self::Gone };
        match (code, sub) {
            (Some(190 | 102 | 104 | 1705), _) | (_, Some(2_069_032)) => Self::Token,
            (Some(200), Some(2_534_041)) => Self::MessagesOff,
            (Some(33 | 803), _) | (Some(100), Some(33)) => gone,
            (Some(3), _) if platform == Platform::Instagram => Self::NotLinked,
            (Some(10 | 100 | 200..=299), _) | (Some(2), Some(2_018_344)) => Self::Permission,
            (Some(4 | 17 | 32 | 341 | 368 | 613 | 80_000..=80_014), _) => Self::Limit,
            (Some(1 | 2 | 1200), _) => Self::Trouble,
            (None, _) if status.is_none_or(|status| status >= 500) => Self::Trouble,
            _ => Self::Unknown,
        }
    }

    /// Whether the account answers, and yet is not to be trusted to show what citizens write.
    pub const fn is_doubt(self) -> bool {
        matches!(
            self,
            Self::Silent | Self::CommentsOff | Self::UnprovedMessages | Self::UnprovedComments | Self::BlindMessages | Self::BlindComments
        )
    }
}

/// The number that follows a word.
fn number(text: &str, word: &str) -> Option<u32> {
    let (_, rest) = text.split_once(word)?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_as_stored_is_sorted_by_what_a_person_must_do() {
        use Platform::{Facebook, Instagram};
        for (platform, reason, cause) in [
            (Facebook, "the token expired (code 190, subcode 463, HTTP status 400, fbtrace_id A1)", Cause::Token),
            (Facebook, "a Page token is needed, not a user token (code 100, subcode 2069032, HTTP status 400)", Cause::Token),
            (Facebook, "no token: give the account a `token`, or a [[graph.source]] that knows its Page", Cause::NoToken),
            (Facebook, "a permission or a task on the Page is missing (code 283, HTTP status 400)", Cause::Permission),
            (Instagram, "the account's owner switched off access to its messages (code 200, subcode 2534041)", Cause::MessagesOff),
            (Instagram, "the object is gone or not visible (code 100, subcode 33, HTTP status 400)", Cause::NotLinked),
            (Facebook, "the object is gone or not visible (code 100, subcode 33, HTTP status 400)", Cause::Gone),
            (Facebook, "the Page's limit of calls is reached (code 80001, HTTP status 400)", Cause::Limit),
            (Facebook, "Meta is in trouble for the moment (HTTP status 503)", Cause::Trouble),
            (Facebook, "no answer in time", Cause::Trouble),
            (Facebook, "the token lacks pages_messaging, pages_manage_metadata", Cause::Permission),
            (Facebook, "a system user token; a Page token is needed: with any other Meta answers with empty lists", Cause::NotPage),
            (Instagram, "access to data lapsed: the person behind the token must log in again", Cause::Token),
            (Facebook, "a limit of calls is used up: not asked", Cause::Limit),
            (Facebook, "the disk of the database is full: nothing of this was stored", Cause::Storage),
            (Facebook, "an error nobody has described (code 777, HTTP status 400)", Cause::Unknown),
        ] {
            assert_eq!(Cause::of(platform, reason), cause, "{reason}");
        }
    }
}
