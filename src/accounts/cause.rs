//! Why an account can't be read, for people who know nothing of tokens: the stored reason, which is our own phrase with Meta's code,
//! sorted into what a person must do about it. Pure.

use crate::domain::{Platform, words};

/// What a person must do something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // each has its sentences in the catalogues
pub enum Cause {
    NoToken,
    Token,
    Permission,
    MessagesOff,
    NotLinked,
    Gone,
    Limit,
    Trouble,
    Unknown,
}
words!(Cause {
    NoToken = "no_token", Token = "token", Permission = "permission", MessagesOff = "messages_off", NotLinked = "not_linked",
    Gone = "gone", Limit = "limit", Trouble = "trouble", Unknown = "unknown",
});

impl Cause {
    /// Of a stored reason. Codes as in `graph`'s verdicts; an Instagram account that cannot be found by its id is no longer linked to
    /// its Page, or no professional account any more: Meta shows no others.
    pub fn of(platform: Platform, reason: &str) -> Self {
        if reason.starts_with("no token") {
            return Self::NoToken;
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
            (Facebook, "an error nobody has described (code 777, HTTP status 400)", Cause::Unknown),
        ] {
            assert_eq!(Cause::of(platform, reason), cause, "{reason}");
        }
    }
}
