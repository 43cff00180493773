//! From the bytes of an answer to a value or a verdict.

use std::borrow::Cow;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::super::{
    error::{GraphError, Next},
    usage::Usage,
    verdict,
};

/// How deep the JSON of an answer may be nested. Ours never passes 15; without a bound a made-up answer could exhaust the stack.
const DEPTH: usize = 64;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default, borrow)]
    error: Option<&'a RawValue>,
}

/// Reads an answer. An `error` in it is an error, whatever the HTTP status says; what is no JSON is one too.
pub fn read<T: DeserializeOwned>(status: u16, content_type: Option<&str>, body: &[u8], usage: Box<[Usage]>) -> Result<T, GraphError> {
    if content_type.is_some_and(|kind| !["json", "javascript"].iter().any(|word| kind.to_ascii_lowercase().contains(word))) {
        return Err(verdict::of_status(status, "the answer is no JSON", usage));
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(verdict::of_status(status, "the answer is empty", usage));
    }
    let text = String::from_utf8_lossy(body);
    let Some(text) = clean(&text) else { return Err(odd("the answer is nested too deeply", status, usage)) };
    // serde would read a bare array (old edges) as the envelope's fields in their order
    let envelope = if text.trim_start().starts_with('[') { Ok(Envelope { error: None }) } else { serde_json::from_str(&text) };
    let envelope: Envelope = match envelope {
        Ok(envelope) => envelope,
        Err(error) if error.is_data() => return Err(odd("the answer is no object", status, usage)),
        Err(_) => return Err(verdict::of_status(status, "the answer is broken off or no JSON", usage)),
    };
    if let Some(error) = envelope.error {
        return Err(verdict::of_body(status, serde_json::from_str(error.get()).unwrap_or_default(), usage));
    }
    if !(200..300).contains(&status) {
        return Err(verdict::of_status(status, "an error status without an error", usage));
    }
    serde_json::from_str(&text).map_err(|_| odd("the answer has another shape than expected", status, usage))
}

fn odd(what: &'static str, status: u16, usage: Box<[Usage]>) -> GraphError {
    GraphError { status: Some(status), usage, ..GraphError::new(Next::Odd, what) }
}

/// Makes strings readable that would cost the whole page: `\u0000`, lone surrogates and raw control characters become U+FFFD.
/// `None` if the nesting passes [`DEPTH`].
fn clean(text: &str) -> Option<Cow<'_, str>> {
    const REPLACEMENT: &str = "\\ufffd";
    let bytes = text.as_bytes();
    let mut out = String::new();
    let (mut copied, mut at, mut depth, mut in_string) = (0, 0, 0_usize, false);
    while at < bytes.len() {
        let mut replace = 0; // bytes to replace from `at`
        let mut step = 1;
        match bytes[at] {
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            b'\\' if in_string => match escaped(bytes, at) {
                Some(0 | 0xDC00..=0xDFFF) => replace = 6,
                Some(0xD800..=0xDBFF) if !matches!(escaped(bytes, at + 6), Some(0xDC00..=0xDFFF)) => replace = 6,
                Some(0xD800..=0xDBFF) => step = 12,
                _ => step = 2,
            },
            0..0x20 if in_string => replace = 1,
            _ => {}
        }
        if depth > DEPTH {
            return None;
        }
        if replace > 0 {
            out.push_str(&text[copied..at]);
            out.push_str(REPLACEMENT);
            copied = at + replace;
            step = replace;
        }
        at += step;
    }
    Some(if copied == 0 {
        Cow::Borrowed(text)
    } else {
        out.push_str(&text[copied..]);
        Cow::Owned(out)
    })
}

/// The number of a `\uXXXX` escape that begins at `at`.
fn escaped(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |number: u16, digit| Some(number << 4 | u16::try_from(char::from(*digit).to_digit(16)?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::wire::{List, Node, facebook::Comment};

    const JSON: Option<&str> = Some("application/json; charset=UTF-8");

    fn comments(body: &str) -> Result<List<Comment>, GraphError> {
        read(200, JSON, body.as_bytes(), Box::default())
    }

    #[test]
    fn nul_lone_surrogates_and_raw_control_characters_cost_no_page() {
        let body =
            "{\"data\":[{\"id\":\"1\",\"message\":\"a\\u0000b\\ud800c\\udc00\\ud83d\\ude00\\\\u0000\\\"\x01d\"},{\"id\":\"2\\u0000\"}]}";
        let list = comments(body).unwrap();
        assert_eq!(list.data[0].message.as_deref(), Some("a\u{fffd}b\u{fffd}c\u{fffd}😀\\u0000\"\u{fffd}d"));
        assert_eq!(list.data[1].id.as_deref(), Some("2\u{fffd}"));
        let broken_utf8 = [b"{\"data\":[{\"id\":\"1\",\"message\":\"".as_slice(), b"\xff\xfe", b"\"}]}"].concat();
        let list: List<Comment> = read(200, JSON, &broken_utf8, Box::default()).unwrap();
        assert_eq!(list.data[0].message.as_deref(), Some("\u{fffd}\u{fffd}"));
    }

    #[test]
    fn what_needs_no_cleaning_is_not_copied() {
        let text = "{\"a\":\"\\ud83d\\ude00 \\n \\\\ [[[ \"}";
        assert!(matches!(clean(text), Some(Cow::Borrowed(same)) if same == text));
    }

    #[test]
    fn an_error_is_one_at_status_200_too() {
        let error = comments(r#"{"error":{"message":"(#4) limit","code":4,"fbtrace_id":"AbC"}}"#).unwrap_err();
        assert_eq!((error.next.word(), error.code, error.trace.as_deref()), ("later", Some(4), Some("AbC")));
        assert_eq!(comments(r#"{"error":"?"}"#).unwrap_err().next, Next::Odd);
        assert!(comments(r#"{"error":null,"data":[]}"#).is_ok());
    }

    #[test]
    fn every_other_kind_of_answer_is_a_verdict_and_never_a_panic() {
        let deep = "[".repeat(1_000_000);
        for (status, kind, body, word, what) in [
            (500, Some("text/html; charset=utf-8"), "<html>Sorry", "retry", "no JSON"),
            (200, Some("text/html"), "<html>", "retry", "no JSON"),
            (403, Some("text/html"), "<html>", "odd", "no JSON"),
            (429, Some("text/plain"), "slow down", "later", "no JSON"),
            (200, JSON, "", "retry", "empty"),
            (502, None, " \n", "retry", "empty"),
            (200, JSON, r#"{"data":[{"id":"1","mess"#, "retry", "broken off"),
            (200, JSON, r#"{"data":[]} x"#, "retry", "broken off"),
            (200, JSON, "true", "odd", "no object"),
            (200, JSON, "[1", "odd", "another shape"),
            (200, JSON, "{}", "odd", "another shape"),
            (200, JSON, r#"{"data":{}}"#, "odd", "another shape"),
            (200, JSON, &deep, "odd", "nested"),
            (404, JSON, r#"{"data":[]}"#, "odd", "without an error"),
            (500, JSON, "{}", "retry", "without an error"),
        ] {
            let error = read::<List<Node>>(status, kind, body.as_bytes(), Box::default()).unwrap_err();
            let start = body.chars().take(30).collect::<String>();
            assert_eq!(error.next.word(), word, "{start}");
            assert!(error.what.contains(what), "{start}: {error}");
            assert_eq!(error.status, Some(status));
        }
    }
}
