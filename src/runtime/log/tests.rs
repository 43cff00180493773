//! Real events through the real layers, in every form.

use std::os::unix::net::UnixDatagram;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tracing::{info, trace, warn};

use super::*;

/// What a forger would send: a line of its own, a cleared screen (also by C1), a turned direction, a torn line.
const FORGERY: &str = "KTP\n2026 ERROR alert.abandoned\r\x1b[2J\u{9b}31m\u{202e}gnp.exe\u{2028}x\u{7f}";
const HARMLESS: &str = r"KTP\n2026 ERROR alert.abandoned\r\u{1b}[2J\u{9b}31m\u{202e}gnp.exe\u{2028}x\u{7f}";

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `work` logs in this form through this filter.
fn logged(form: Form, filter: &str, work: impl FnOnce()) -> String {
    let paper = Paper::default();
    let out = paper.clone();
    let lines = Lines { form, out: move || out.clone() };
    let filter = EnvFilter::try_new(filter).unwrap().and(quiet_libraries());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(lines.with_filter(filter)), work);
    String::from_utf8(paper.0.lock().unwrap().clone()).unwrap()
}

fn text() -> Form {
    Form::Text { zone: TimeZone::get("Asia/Jakarta").unwrap(), colour: false }
}

fn breach() {
    warn!(event = "ticket.breached", opd = "dindukcapil", ticket = 42, late = true, name = "Dinas \"X\" \\", "no answer in time");
}

#[test]
fn text_is_for_people() {
    let line = logged(text(), "info", breach);
    assert_eq!(&line[19..20], ".", "{line}");
    assert_eq!(&line[23..], " WARN  ticket.breached no answer in time opd=dindukcapil ticket=42 late=true name=\"Dinas \\\"X\\\" \\\\\"\n");
}

#[test]
fn text_shows_the_time_of_the_zone() {
    let time = "2026-11-24T02:15:02.123456Z".parse().unwrap();
    let record = Record { time, level: Level::INFO, target: Some("sqlx"), event: None, message: None, fields: Vec::new() };
    let mut line = String::new();
    form::text(&mut line, &record, &TimeZone::get("Asia/Jakarta").unwrap(), false);
    assert_eq!(line, "2026-11-24 09:15:02.123 INFO  sqlx");
    line.clear();
    form::text(&mut line, &record, &TimeZone::UTC, true);
    assert_eq!(line, "\x1b[2m2026-11-24 02:15:02.123\x1b[0m \x1b[32mINFO \x1b[0m sqlx");
}

#[test]
fn json_is_one_flat_object_a_line() {
    let line = logged(Form::Json, "info", breach);
    let object: Value = serde_json::from_str(&line).unwrap();
    let timestamp = object["timestamp"].as_str().unwrap();
    assert!(timestamp.parse::<jiff::Timestamp>().is_ok() && timestamp.len() == "2026-11-24T02:15:02.123Z".len(), "{timestamp}");
    let expected = serde_json::json!({
        "timestamp": timestamp, "level": "WARN", "event": "ticket.breached", "message": "no answer in time",
        "opd": "dindukcapil", "ticket": 42, "late": true, "name": "Dinas \"X\" \\"
    });
    assert_eq!(object, expected);
}

#[test]
fn a_field_cannot_pass_for_the_level() {
    let line = logged(Form::Json, "info", || info!(level = "ERROR", "hello"));
    let object: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((object["level"].as_str(), object["level_"].as_str()), (Some("INFO"), Some("ERROR")));
}

#[test]
fn no_value_can_forge_a_line_or_drive_a_terminal() {
    let forge = || warn!(event = FORGERY, shown = %FORGERY, debugged = ?FORGERY, text = FORGERY, "{FORGERY}");
    for form in [text(), Form::Json] {
        let log = logged(form, "info", forge);
        assert_eq!(log.matches('\n').count(), 1, "{log:?}");
        assert!(log.trim_end().chars().all(|c| !c.is_control() && !('\u{2028}'..='\u{202e}').contains(&c)), "{log:?}");
    }
    let object: Value = serde_json::from_str(&logged(Form::Json, "info", forge)).unwrap();
    for key in ["event", "shown", "text", "message"] {
        assert_eq!(object[key], HARMLESS, "{key}, also once it is decoded");
    }
}

#[test]
fn journald_gets_fields_that_cannot_be_forged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journald = UnixDatagram::bind(&path).unwrap();
    journald.set_nonblocking(true).unwrap();
    let mut buffer = [0; 4096];
    let form = Form::Journald(Journal::open(&path).unwrap());
    assert_eq!(journald.recv(&mut buffer).unwrap(), 0, "asked whether it is there");
    let rest = logged(form, "info", || warn!(event = "ticket.breached", opd = "dindukcapil", ticket = 42, error = FORGERY, "late"));
    assert_eq!(rest, "", "nothing on standard error");
    let length = journald.recv(&mut buffer).unwrap();
    let lines: Vec<&str> = std::str::from_utf8(&buffer[..length]).unwrap().lines().collect();
    assert_eq!(lines[0], format!("MESSAGE=ticket.breached late opd=dindukcapil ticket=42 error={HARMLESS:?}"));
    assert_eq!(lines[1..4], ["PRIORITY=4", "SYSLOG_IDENTIFIER=tanggap", "TANGGAP_EVENT=ticket.breached"]);
    assert!(lines[4].strip_prefix("MESSAGE_ID=").is_some_and(|id| id.len() == 32), "{}", lines[4]);
    assert_eq!(lines[5..], ["TANGGAP_OPD=dindukcapil", "TANGGAP_TICKET=42", &format!("TANGGAP_ERROR={HARMLESS}")]);
}

#[test]
fn what_journald_does_not_take_goes_to_standard_error_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journald = UnixDatagram::bind(&path).unwrap();
    let form = Form::Journald(Journal::open(&path).unwrap());
    drop(journald);
    let log = logged(form, "info", breach);
    assert!(log.starts_with('{') && log.contains("ticket.breached"), "{log}");
}

#[test]
fn libraries_are_silent_below_info_whatever_the_filter_says() {
    let log = logged(text(), "trace,hyper=trace", || {
        trace!(target: "hyper::client", "a token");
        tracing::debug!(target: "tanggapx", "not ours");
        trace!("ours");
        info!(target: "hyper::client", "theirs");
    });
    assert_eq!(log.lines().map(|line| &line[23..]).collect::<Vec<_>>(), [" TRACE ours", " INFO  hyper::client theirs"]);
}

#[test]
fn the_filter_is_heeded_and_a_bad_one_is_refused() {
    assert_eq!(logged(text(), "warn", || info!("not now")), "");
    let refusal = init(Format::Json, "tanggap=loud", false, TimeZone::UTC).err().unwrap().to_string();
    assert!(refusal.contains("log.filter") && refusal.contains("tanggap::poll=debug"), "{refusal}");
}

#[test]
fn a_reload_changes_the_filter() {
    let paper = Paper::default();
    let out = paper.clone();
    let (filter, handle) = reload::Layer::new(EnvFilter::try_new("warn").unwrap());
    let lines = Lines { form: text(), out: move || out.clone() };
    let registry = tracing_subscriber::registry().with(lines.with_filter(filter.and(quiet_libraries())));
    tracing::subscriber::with_default(registry, || {
        let log = Log(handle);
        info!("before");
        log.refilter("info").unwrap();
        info!("after");
        assert!(matches!(log.refilter("tanggap=loud"), Err(LogError::Filter(_))));
        info!("still");
    });
    let log = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    assert_eq!(log.lines().map(|line| &line[30..]).collect::<Vec<_>>(), ["after", "still"]);
}

#[test]
fn a_broken_pipe_costs_the_line_and_nothing_else() {
    struct Broken;
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let registry = tracing_subscriber::registry().with(Lines { form: Form::Json, out: || Broken });
    tracing::subscriber::with_default(registry, breach);
}

#[test]
fn auto_is_text_on_a_terminal_and_json_elsewhere() {
    assert!(matches!(Form::choose(Format::Auto, true, TimeZone::UTC), Form::Text { .. }));
    if !stderr_is_journal() {
        assert!(matches!(Form::choose(Format::Auto, false, TimeZone::UTC), Form::Json));
    }
}
