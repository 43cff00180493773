//! The whole program on the simulated Graph API over real HTTP: what citizens write becomes tickets, deadlines become letters.

use std::{collections::BTreeMap, process::Command};

#[test]
fn the_demo_opens_warns_flags_answers_and_alerts_within_a_minute() {
    let out = Command::new(env!("CARGO_BIN_EXE_tanggap"))
        .args(["demo", "--duration", "55s", "--opds", "3", "--seed", "7"])
        .env_remove("JOURNAL_STREAM")
        .output()
        .unwrap();
    let log = String::from_utf8(out.stderr).unwrap();
    let shown = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success(), "{log}");
    let mut events: BTreeMap<String, usize> = BTreeMap::new();
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not a line of the log: {line}"));
        *events.entry(line["event"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        assert_ne!(line["level"], "ERROR", "{line}");
    }
    for event in ["message.received", "ticket.opened", "ticket.warned", "ticket.breached", "ticket.answered", "alert.delivered"] {
        assert!(events.get(event).is_some_and(|&count| count > 0), "no {event} in {events:?}\n{log}");
    }
    assert!(shown.contains("kepala.") && shown.contains("belum dijawab"), "{shown}");
}
