//! What an error of the Graph API asks for next. The order matters: limits first, since a throttled call and a dead token both
//! come as `OAuthException`; then subcode, then code, then `is_transient`, and the HTTP status last, since a call that can
//! never work has answered 500 and a throttled one 400 (error handling, rate limiting and Messenger error pages of Meta).

use serde::Deserialize;

use super::{
    error::{GraphError, Next, Scope, trace_id},
    usage::{self, Usage},
    wire::lenient,
};

/// What stands under the key `error`; any of it may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Body {
    #[serde(deserialize_with = "lenient::loose")]
    message: String,
    #[serde(deserialize_with = "lenient::int")]
    code: Option<i32>,
    #[serde(deserialize_with = "lenient::int")]
    error_subcode: Option<i32>,
    #[serde(deserialize_with = "lenient::flag")]
    is_transient: Option<bool>,
    #[serde(deserialize_with = "lenient::loose")]
    fbtrace_id: String,
}

/// The verdict on an error body.
pub(super) fn of_body(status: u16, body: Body, usage: Box<[Usage]>) -> GraphError {
    // Old errors, and some recorders, have the code in the message only: `(#200) Permissions error`.
    let code = body.code.or_else(|| body.message.strip_prefix("(#")?.split_once(')')?.0.parse().ok());
    let (next, what) = judge(status, code, &body, &usage);
    GraphError {
        code,
        subcode: body.error_subcode,
        status: Some(status),
        trace: trace_id(&body.fbtrace_id),
        usage,
        foreign: (!body.message.is_empty()).then(|| body.message.into()),
        ..GraphError::new(next, what)
    }
}

/// The verdict on a token that `debug_token` calls invalid, by the error it tells of.
pub(super) fn of_token(code: i32, subcode: Option<i32>) -> GraphError {
    let (next, what) = judge(400, Some(code), &Body { error_subcode: subcode, ..Body::default() }, &[]);
    GraphError { code: Some(code), subcode, ..GraphError::new(next, what) }
}

/// The verdict on an answer that is no JSON of Meta's: by its HTTP status alone. `what` says what it was instead.
pub(super) fn of_status(status: u16, what: &'static str, usage: Box<[Usage]>) -> GraphError {
    let next = match status {
        429 => later(None, Scope::Account),
        200..=299 | 500..=599 => Next::Retry,
        _ => Next::Odd,
    };
    GraphError { status: Some(status), usage, ..GraphError::new(next, what) }
}

/// The Conversations API of Instagram counts calls by the second (Instagram Platform, rate limiting): a limit that a process may meet which
/// follows another, and which is over at once.
const SECOND: jiff::SignedDuration = jiff::SignedDuration::from_secs(5);

const fn later(after: Option<jiff::SignedDuration>, scope: Scope) -> Next {
    Next::Later { after, scope }
}

fn judge(status: u16, code: Option<i32>, body: &Body, usage: &[Usage]) -> (Next, &'static str) {
    let message = body.message.to_ascii_lowercase();
    let says = |part: &str| message.contains(part);
    let sub = body.error_subcode.unwrap_or(0);
    let regain = |kind| usage::regain(usage, kind);
    match (code.unwrap_or(0), sub) {
        (4 | 341, _) => (later(regain(Some("app")), Scope::App), "the app's limit of calls is reached"),
        (17 | 32, _) => (later(regain(None), Scope::User), "the limit of calls of the token's owner is reached"),
        (613, 2_534_040) => (later(regain(None).or(Some(SECOND)), Scope::Account), "calls come too fast"),
        (613, _) => (later(regain(None), Scope::Account), "calls come too fast"),
        (80001, _) => (later(regain(Some("pages")), Scope::Account), "the Page's limit of calls is reached"),
        (80002, _) => (later(regain(Some("instagram")), Scope::Account), "the Instagram account's limit of calls is reached"),
        (80006, _) => (later(regain(Some("messenger")), Scope::Account), "the Page's limit of Messenger calls is reached"),
        (80000..=80014, _) => (later(regain(None), Scope::Account), "a limit of calls is reached"),
        (368, _) => (later(None, Scope::Account), "Meta blocks the account for a while"),
        (1, _) if says("reduce the amount of data") => (Next::Shrink, "the answer would be too large"),
        (-2 | -3, _) => (Next::Shrink, "the request is too heavy"),
        (190, 458) => (Next::Token, "the token's owner removed the app"),
        (190, 459) => (Next::Token, "the token's owner must log in at facebook.com first"),
        (190, 460) => (Next::Token, "the token died with a change of password or a security reset"),
        (190, 463) => (Next::Token, "the token expired"),
        (190, 464) => (Next::Token, "the token's owner is not a confirmed user"),
        (190, 492) => (Next::Token, "the token's owner has no role on the Page"),
        (_, 2_069_032) | (1705, _) => (Next::Token, "a Page token is needed, not a user token"),
        (190 | 102 | 104, _) => (Next::Token, "the token is invalid"),
        (0, _) if says("error validating access token") => (Next::Token, "the token is invalid"),
        (10, 2_018_278 | 2_534_022 | 2_018_065 | 2_018_108) | (506 | 551 | 10900 | 10903 | 1_609_005, _) => {
            (Next::Refused, "Meta does not deliver this message")
        }
        (10, _) => (Next::Permission, "a permission is missing, or lapsed after 90 days without use"),
        (200, 2_534_041) => (Next::Permission, "the account's owner switched off access to its messages"),
        (200..=299, _) => (Next::Permission, "a permission or a task on the Page is missing"),
        (100, 33) | (33 | 803, _) => (Next::Gone, "the object is gone or not visible"),
        (100, _) if says("nonexisting field") => (Next::Field, "a field is not offered here"),
        (100, _) if says("method type") => (Next::Permission, "the account has no accepted role on the app"),
        (100, _) if says("missing permission") => (Next::Permission, "a permission or a feature of the app is missing"),
        (100, _) => (Next::Refused, "Meta refuses a parameter"),
        (2, 2_018_344) => (Next::Permission, "the Page's owner must accept Meta's terms first"),
        (3, _) => (Next::Refused, "the app or token cannot do this, or the id does not belong to the token"),
        (12, _) => (Next::Refused, "Meta removed this endpoint"),
        (2500, _) => (Next::Refused, "Meta does not understand the request"),
        (1, _) if body.is_transient == Some(false) => (Next::Refused, "Meta refuses the request without a reason"),
        (1 | 2 | 1200, _) => (Next::Retry, "Meta is in trouble for the moment"),
        _ if body.is_transient == Some(true) || status >= 500 => (Next::Retry, "Meta is in trouble for the moment"),
        _ if status == 429 => (later(regain(None), Scope::Account), "a limit of calls is reached"),
        _ => (Next::Odd, "an error nobody has described"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    /// Code, subcode, message, `is_transient`, HTTP status, and what to do.
    type Row = (i32, i32, &'static str, Option<bool>, u16, Next);

    fn verdict(status: u16, error: &serde_json::Value) -> GraphError {
        of_body(status, serde_json::from_str(&error.to_string()).unwrap(), Box::default())
    }

    #[test]
    fn every_row_of_the_decision_table_has_its_next_step() {
        let later = |scope| Next::Later { after: None, scope };
        let (account, user, app) = (later(Scope::Account), later(Scope::User), later(Scope::App));
        let rows: [Row; 67] = [
            (-2, 0, "", None, 500, Next::Shrink),
            (-2, 2_534_084, "Timeout", None, 400, Next::Shrink),
            (-3, 0, "", None, 500, Next::Shrink),
            (1, 0, "", None, 500, Next::Retry),
            (1, 99, "An unknown error occurred", None, 500, Next::Retry),
            (1, 0, "Please reduce the amount of data you're asking for, then retry your request", None, 500, Next::Shrink),
            (1, 2_853_001, "", Some(false), 400, Next::Refused),
            (2, 0, "", Some(true), 500, Next::Retry),
            (2, 2_018_344, "", None, 400, Next::Permission),
            (3, 0, "", None, 400, Next::Refused),
            (4, 0, "", Some(true), 400, app),
            (4, 2_018_022, "", None, 429, app),
            (341, 0, "", None, 400, app),
            (17, 2_446_079, "User request limit reached", Some(true), 400, user),
            (32, 0, "", None, 403, user),
            (613, 1996, "", None, 400, account),
            (613, 2_534_040, "", None, 400, Next::Later { after: Some(SECOND), scope: Scope::Account }),
            (80000, 0, "", None, 400, account),
            (80001, 0, "", None, 400, account),
            (80002, 0, "", None, 429, account),
            (80006, 0, "", None, 400, account),
            (80014, 0, "", None, 400, account),
            (368, 1_390_008, "", None, 400, account),
            (10, 0, "", None, 403, Next::Permission),
            (10, 2_018_278, "", None, 400, Next::Refused),
            (10, 2_534_022, "", None, 400, Next::Refused),
            (10, 2_018_065, "", None, 400, Next::Refused),
            (10, 2_018_108, "", None, 400, Next::Refused),
            (10, 1_893_063, "", None, 400, Next::Permission),
            (12, 0, "", None, 400, Next::Refused),
            (33, 0, "", None, 400, Next::Gone),
            (100, 33, "does not exist, cannot be loaded due to missing permissions", None, 400, Next::Gone),
            (803, 0, "", None, 404, Next::Gone),
            (100, 0, "", None, 400, Next::Refused),
            (100, 0, "The parameter ids is deprecated", None, 500, Next::Refused),
            (100, 0, "(#100) Tried accessing nonexisting field (x) on node type (Page)", None, 400, Next::Field),
            (100, 0, "Unsupported request - method type: get", None, 400, Next::Permission),
            (100, 0, "(#100) Missing permissions", None, 400, Next::Permission),
            (100, 2_018_001, "", None, 400, Next::Refused),
            (102, 0, "", None, 400, Next::Token),
            (104, 0, "", None, 400, Next::Token),
            (190, 0, "", None, 401, Next::Token),
            (190, 458, "", None, 400, Next::Token),
            (190, 459, "", None, 400, Next::Token),
            (190, 460, "", None, 400, Next::Token),
            (190, 463, "", None, 400, Next::Token),
            (190, 464, "", None, 400, Next::Token),
            (190, 467, "", None, 400, Next::Token),
            (190, 492, "", None, 400, Next::Token),
            (190, 2_069_032, "", None, 400, Next::Token),
            (1705, 0, "", None, 400, Next::Token),
            (200, 0, "", None, 403, Next::Permission),
            (200, 2_534_041, "", None, 403, Next::Permission),
            (210, 0, "", None, 403, Next::Permission),
            (283, 0, "", None, 403, Next::Permission),
            (299, 0, "", None, 403, Next::Permission),
            (506, 0, "", None, 400, Next::Refused),
            (551, 1_545_041, "", None, 400, Next::Refused),
            (1200, 0, "", None, 400, Next::Retry),
            (1_609_005, 0, "", None, 400, Next::Refused),
            (2500, 0, "", None, 400, Next::Refused),
            (10900, 0, "", None, 400, Next::Refused),
            (10903, 0, "", None, 400, Next::Refused),
            (777, 0, "", Some(true), 400, Next::Retry),
            (777, 0, "", None, 503, Next::Retry),
            (777, 0, "", None, 429, account),
            (777, 0, "", None, 400, Next::Odd),
        ];
        for (code, sub, message, transient, status, next) in rows {
            let mut error = serde_json::json!({ "message": message, "type": "OAuthException", "code": code, "is_transient": transient });
            if sub != 0 {
                error["error_subcode"] = sub.into();
            }
            let found = verdict(status, &error);
            assert_eq!(found.next, next, "{code}/{sub} {message}");
            assert_eq!((found.code, found.subcode, found.status), (Some(code), (sub != 0).then_some(sub), Some(status)));
            assert!(!found.to_string().contains(message) || message.is_empty(), "foreign words in {found}");
        }
    }

    #[test]
    fn the_code_is_found_in_the_message_when_the_key_is_missing_or_unreadable() {
        let permission = serde_json::json!({ "message": "(#200) Permissions error", "code": "REDACTED", "fbtrace_id": "AbC" });
        let found = verdict(403, &permission);
        assert_eq!((found.next, found.code, found.trace.as_deref()), (Next::Permission, Some(200), Some("AbC")));
        let dead = serde_json::json!({ "message": "Error validating access token: 1 has not authorized application 2" });
        assert_eq!(verdict(400, &dead).next, Next::Token);
        assert_eq!(verdict(400, &serde_json::json!({})).next, Next::Odd);
    }

    #[test]
    fn a_throttled_call_waits_as_long_as_the_header_of_its_own_limit_says() {
        let minutes = SignedDuration::from_mins;
        let usage = [
            Usage { kind: "pages", percent: 100, regain: Some(minutes(7)) },
            Usage { kind: "messenger", percent: 100, regain: Some(minutes(90)) },
        ];
        let error = of_body(400, Body { code: Some(80001), ..Body::default() }, usage.into());
        assert_eq!(error.next, Next::Later { after: Some(minutes(7)), scope: Scope::Account });
        assert_eq!(error.usage.len(), 2);
    }
}
