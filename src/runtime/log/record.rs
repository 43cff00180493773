//! One event, gathered from tracing, with every text made harmless.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

/// What a line of the log says.
pub struct Record {
    pub time: Timestamp,
    pub level: Level,
    /// The module of a library that speaks; `None` for our own.
    pub target: Option<&'static str>,
    /// The contract's name of the event, if it has one.
    pub event: Option<String>,
    pub message: Option<String>,
    /// In the order in which they were written; texts are [`escaped`].
    pub fields: Vec<(&'static str, Value)>,
}

impl Record {
    /// Takes the fields of the event itself; those of surrounding spans are not looked at.
    pub fn of(event: &Event<'_>, time: Timestamp) -> Self {
        let metadata = event.metadata();
        let target = (!super::is_ours(metadata.target())).then(|| metadata.target());
        let mut record = Self { time, level: *metadata.level(), target, event: None, message: None, fields: Vec::new() };
        event.record(&mut record);
        record
    }

    fn text(&mut self, field: &Field, text: &str) {
        let text = escaped(text).into_owned();
        match field.name() {
            "event" => self.event = Some(text),
            "message" => self.message = Some(text),
            _ => self.value(field, text),
        }
    }

    fn value(&mut self, field: &Field, value: impl Into<Value>) {
        self.fields.push((field.name().trim_start_matches("r#"), value.into()));
    }
}

impl Visit for Record {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, &format!("{value:?}"));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.value(field, value);
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.value(field, value);
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.value(field, value);
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.value(field, value);
    }
}

/// The text with every character made visible (`\n`, `\u{1b}`, `\u{202e}`) that could end a line, drive a terminal or turn the
/// direction of what follows: C0 and C1 controls, DEL, the line and paragraph separators, Unicode's bidirectional controls (UAX #9).
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_dangerous(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

fn is_dangerous(c: char) -> bool {
    c.is_control() || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
