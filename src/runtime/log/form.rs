//! A record as a line of text or of JSON.

use std::fmt::Write;

use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::TimeZone;
use serde::Serializer as _;
use serde_json::Value;
use tracing::Level;

use super::record::Record;

/// `2026-11-24 09:15:02.123 WARN  ticket.breached no answer in time opd=dindukcapil ticket=42`
pub fn text(line: &mut String, record: &Record, zone: &TimeZone, colour: bool) {
    let (on, dim, off) = if colour { (shade(record.level), "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
    let time = zone.to_datetime(record.time);
    // writing to a String does not fail
    let _ = write!(line, "{dim}{}{off} {on}{:<5}{off}", time.strftime("%Y-%m-%d %H:%M:%S%.3f"), record.level.as_str());
    saying(line, record, dim, off);
}

/// What [`text`] says, without time and level; begins with a space unless there is nothing to say.
pub fn saying(line: &mut String, record: &Record, dim: &str, off: &str) {
    for word in [record.target, record.event.as_deref(), record.message.as_deref()].into_iter().flatten() {
        let _ = write!(line, " {word}");
    }
    for (key, value) in &record.fields {
        let _ = match value {
            Value::String(text) if is_plain(text) => write!(line, " {dim}{key}={off}{text}"),
            value => write!(line, " {dim}{key}={off}{value}"),
        };
    }
}

/// Whether a value can stand without quotes and still be told from what follows it.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.contains([' ', '"', '=', '\\'])
}

fn shade(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[1;31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        _ => "\x1b[34m",
    }
}

/// One flat object, the record's own keys first; a field that is called like one of them gets a trailing `_`.
pub fn json(line: &mut String, record: &Record) {
    let own = [
        ("timestamp", Some(DateTimePrinter::new().precision(Some(3)).timestamp_to_string(&record.time))),
        ("level", Some(record.level.to_string())),
        ("target", record.target.map(ToOwned::to_owned)),
        ("event", record.event.clone()),
        ("message", record.message.clone()),
    ];
    let fields = record.fields.iter().map(|(key, value)| {
        let taken = own.iter().any(|(own, _)| own == key);
        (if taken { format!("{key}_") } else { (*key).to_owned() }, value.clone())
    });
    let words = own.iter().filter_map(|(key, word)| Some(((*key).to_owned(), Value::String(word.clone()?))));
    let mut json = Vec::with_capacity(256);
    // texts and numbers always have a form in JSON
    let _ = serde_json::Serializer::new(&mut json).collect_map(words.chain(fields));
    line.push_str(&String::from_utf8_lossy(&json));
}
