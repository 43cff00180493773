//! The real program on a real database: what it prints, what it records, how it ends.

mod copy;
mod listing;
mod privacy;
mod reply;
mod staff;
mod terminal;
pub mod world;

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use world::{World, message, stderr, ticket};

fn ids(listing: &Value) -> Vec<i64> {
    listing.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_ticket_in_json_is_the_contracts() {
    let world = World::new().await;
    let queue = world.json(&["queue", "--state", "all"]);
    assert_eq!(
        queue[1],
        json!({
            "id": 3, "opd": "dindukcapil", "platform": "facebook", "kind": "comment",
            "account": "101000000000001", "thread": "101000000000001_9_78",
            "author": {"id": "9001", "name": "Siti"}, "text": "Kapan KTP saya jadi?", "messages": 1,
            "policy": "biasa", "urgent": false, "state": "answered",
            "opened_at": "2026-11-24T02:10:00Z", "due_at": "2026-11-24T06:10:00Z",
            "warned_at": null, "breached_at": null, "flagged_at": null, "acknowledged_at": null, "closed_at": "2026-11-24T03:10:00Z",
            "response_seconds": 3600, "business_seconds": 3600, "answered_by": "101000000000001",
            "reply_window_closes_at": null, "assignee": null, "permalink": "https://fb.example/9", "unverified": false, "reason": null,
        })
    );
    assert_eq!(queue[0]["flagged_at"], "2020-11-24T06:00:00.456Z");
    assert_eq!(queue[2]["reply_window_closes_at"], "2026-11-25T02:05:00Z", "a direct message can be answered for a day");
    assert_eq!(queue[3]["author"], Value::Null, "Meta does not name everybody");
}

#[tokio::test]
async fn a_message_in_json_is_the_contracts() {
    let world = World::new().await;
    let messages = world.json(&["messages", "--since", "2026-11-24T02:05:00Z", "--account", "17841400000000001", "--direction", "in"]);
    assert_eq!(
        messages,
        json!([{
            "id": 2, "external_id": "m_2", "platform": "instagram", "kind": "message", "direction": "in",
            "account": "17841400000000001", "opd": "rsud", "thread": "t_100", "parent": null,
            "author": {"id": "42", "name": null}, "text": "Antrean besok?", "attachments": [], "reactions": [],
            "created_at": "2026-11-24T02:05:00Z", "seen_at": "2026-11-24T02:05:00.123Z", "edited_at": null, "deleted_at": null,
            "hidden": false, "automatic": false, "needs_answer": true,
        }])
    );
    assert_eq!(ids(&world.json(&["messages"])), [1, 2, 3, 5, 4], "oldest first");
    assert_eq!(ids(&world.json(&["messages", "--since", "2026-11-24T02:05:01Z"])), [3, 5, 4]);
}

#[tokio::test]
async fn show_adds_history_events_and_alerts() {
    let world = World::new().await;
    let shown = world.json(&["show", "1"]);
    assert_eq!((&shown["id"], ids(&shown["history"])), (&json!(1), vec![1]));
    assert_eq!(shown["events"], json!([{"at": "2026-11-24T02:00:00Z", "kind": "opened", "detail": ""}]));
    assert_eq!(
        shown["alerts"],
        json!([
            {"step": 1, "official": null, "channel": null, "kind": "warning", "state": "silent", "reason": "newer step", "until": null, "attempts": 0,
             "delivered_at": null, "status": null, "status_at": null, "error": null},
            {"step": 2, "official": "operator", "channel": "smtp", "kind": "ticket.breached", "state": "pending", "reason": null, "until": null,
             "attempts": 3, "delivered_at": null, "status": null, "status_at": null, "error": "no route"},
        ])
    );
    let people = world.output(&["show", "1", "--format", "table"]);
    assert!(people.contains("breached") && people.contains("24 13:00 WIB") && people.contains("no route"), "{people}");
}

#[tokio::test]
async fn a_preview_says_what_a_step_would_say_by_a_channel_and_else_what_there_is() {
    let world = World::new().await;
    world.with_a_step("").await;
    let letter = world.output(&["alert", "preview", "1", "--step", "2", "--channel", "smtp"]);
    assert!(
        letter.starts_with(
            "To: Kepala Dindukcapil\nSubject: Pesan warga belum dijawab: Dinas Kependudukan dan Pencatatan Sipil, tiket #1\n\n\
             Yth. Kepala Dindukcapil\n"
        ),
        "{letter}"
    );
    for (args, why) in [
        (
            &["alert", "preview", "1", "--step", "2", "--channel", "telegram"][..],
            "step 2 tells nobody by telegram; it tells kepala-dindukcapil by smtp",
        ),
        (&["alert", "preview", "1", "--step", "7", "--channel", "smtp"], "ticket 1 has no step 7; its steps are 2 (biasa 0m)"),
        (&["alert", "preview", "99", "--step", "1", "--channel", "smtp"], "there is no ticket 99"),
    ] {
        let refused = world.run(args);
        assert_eq!((refused.status.code(), stderr(&refused).contains(why)), (Some(1), true), "{args:?} {}", stderr(&refused));
    }
}

#[tokio::test]
async fn the_texts_of_letters_are_printed_and_a_changed_one_is_what_letters_say() {
    let world = World::new().await;
    let texts = world.output(&["alert", "texts"]);
    std::fs::write(world.path("surat.toml"), texts.replace("Mohon berkenan menugaskan", "Dengan hormat mohon menugaskan")).unwrap();
    world.with_a_step("[letter]\ntexts = \"surat.toml\"\n").await;
    let letter = world.output(&["alert", "preview", "1", "--step", "2", "--channel", "smtp"]);
    assert!(letter.contains("Dengan hormat mohon menugaskan pengelola akun"), "{letter}");
    std::fs::write(world.path("surat.toml"), "ask = \"Mohon {{ siapa }}\"\n").unwrap();
    let refused = world.run(&["check", "--offline"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("surat.toml:1: ask: has no variable \"siapa\": it has none"), "{}", stderr(&refused));
}

#[tokio::test]
async fn accounts_say_how_they_fare() {
    let world = World::new().await;
    assert_eq!(
        world.json(&["accounts"])[0],
        json!({
            "platform": "facebook", "id": "101000000000001", "opd": "dindukcapil", "name": "dindukcapil", "healthy": true, "reason": null,
            "last_read_at": null, "next_read_at": "2026-11-24T02:00:00Z", "token_expires_at": null, "watched": 1.0, "failing": [],
            "proved": [], "doubts": [],
        })
    );
}

#[tokio::test]
async fn the_queue_is_filtered_and_stands_in_the_order_of_its_deadlines() {
    let world = World::new().await;
    for (args, want) in [
        (&["queue"] as &[&str], vec![1, 2, 4]),
        (&["queue", "--state", "all"], vec![1, 3, 2, 4]),
        (&["queue", "--state", "answered"], vec![3]),
        (&["queue", "--overdue"], vec![1]),
        (&["queue", "--opd", "dindukcapil"], vec![1, 4]),
        (&["queue", "--platform", "instagram"], vec![2]),
        (&["queue", "--kind", "post"], vec![4]),
        (&["queue", "--limit", "2"], vec![1, 2]),
        (&["queue", "--limit", "0"], vec![]),
    ] {
        let output = world.run(args);
        assert_eq!(ids(&serde_json::from_slice(&output.stdout).unwrap()), want, "{args:?}");
    }
}

#[tokio::test]
async fn what_a_citizen_wrote_drives_no_terminal() {
    let world = World::new().await;
    for args in [
        &["queue", "--format", "table"] as &[&str],
        &["queue", "--format", "csv"],
        &["queue"],
        &["messages", "--format", "table"],
        &["messages", "--format", "csv"],
        &["messages"],
        &["show", "1", "--format", "table"],
        &["show", "1"],
    ] {
        let text = world.output(args);
        let harm = |c: &char| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c);
        assert_eq!(text.chars().find(harm), None, "{args:?}");
        assert!(text.contains("merah"), "{args:?}");
    }
    assert_eq!(world.json(&["queue"])[0]["text"], world::HOSTILE, "JSON loses nothing");
}

#[tokio::test]
async fn a_csv_cell_that_a_spreadsheet_would_run_is_made_inert() {
    let world = World::new().await;
    for (id, text) in (10..).zip(["=1+1", "+62 812", "-1", "@SUM(A1)", "\tx", "\rx", "biasa = saja"]) {
        message(&world.db, id, 1, "in", (None, None), text, "2026-11-24T04:00:00Z").await;
    }
    let csv = world.output(&["messages", "--since", "2026-11-24T04:00:00Z", "--format", "csv"]);
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let text = rows.headers().unwrap().iter().position(|name| name == "text").unwrap();
    let texts: Vec<String> = rows.records().map(|row| row.unwrap()[text].to_owned()).collect();
    assert_eq!(texts, ["'=1+1", "'+62 812", "'-1", "'@SUM(A1)", "'\tx", "'\rx", "biasa = saja"]);
}

#[tokio::test]
async fn a_table_shows_a_hundred_rows_in_local_time_and_json_shows_all() {
    let world = World::new().await;
    for id in 100..220 {
        ticket(&world.db, id, 3, "9001", "open", "2996-11-24T06:05:00Z").await;
    }
    let table = world.output(&["queue", "--format", "table"]);
    assert!(table.contains("2020-11-24 13:00 WIB") && table.ends_with("the first 100; more with --limit\n"), "{table}");
    assert_eq!(table.matches("2996-11-24 13:05 WIB").count(), 99);
    assert_eq!(ids(&world.json(&["queue"])).len(), 123);
    assert_eq!(ids(&world.json(&["messages", "--limit", "1"])), [1]);
}

#[tokio::test]
async fn a_reader_that_goes_away_is_no_error() {
    let world = World::new().await;
    for id in 1000..1600 {
        message(&world.db, id, 1, "in", (None, None), &"panjang ".repeat(100), "2026-11-24T04:00:00Z").await;
    }
    for format in ["json", "csv", "table"] {
        let mut child = world
            .command(&["messages", "--format", format, "--limit", "600"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()), "{format}");
    }
}

#[tokio::test]
async fn the_exit_status_tells_a_failure_from_a_wrong_call() {
    let world = World::new().await;
    std::fs::write(world.path("wrong.toml"), "[site]\nnam = \"x\"\n").unwrap();
    let absent = format!("sqlite://{}", world.path("absent.db").display());
    for (args, url, status, words) in [
        (&["show", "99"] as &[&str], None, 1, "tanggap: there is no ticket 99"),
        (&["queue"], Some(absent.as_str()), 1, "tanggap: "),
        (&["--config", "wrong.toml", "queue"], None, 2, "wrong.toml:2"),
        (&["queue", "--state", "lost"], None, 2, "possible values"),
        (&["queue", "--watch"], None, 2, "--watch"),
        (&["messages", "--since", "kemarin"], None, 2, "kemarin"),
        (&["show", "0"], None, 2, "whole number"),
        (&["alert", "test", "--group", "x", "--config", "wrong.toml"], None, 2, "wrong.toml"),
        (&["lost"], None, 2, "lost"),
    ] {
        let mut command = world.command(args);
        command.envs(url.map(|url| ("TANGGAP__DATABASE__URL", url)));
        let output = command.output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(status), 0), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{args:?}: {}", stderr(&output));
    }
    assert!(!world.path("absent.db").exists(), "a listing makes no database");
}

#[tokio::test]
async fn check_reads_every_secret_and_a_listing_none_but_the_databases() {
    let world = World::new().await;
    let output = world.run(&["check", "--offline"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("SET_NOWHERE"), "{}", stderr(&output));
    let output = world.command(&["check", "--offline"]).env("SET_NOWHERE", "EAAtoken").output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
}

#[tokio::test]
async fn a_backup_is_whole_private_and_overwrites_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new().await;
    world.output(&["backup", "copy.db"]);
    assert_eq!(std::fs::metadata(world.path("copy.db")).unwrap().permissions().mode() & 0o777, 0o600);
    let copy = format!("sqlite://{}", world.path("copy.db").display());
    let queue = world.command(&["queue"]).env("TANGGAP__DATABASE__URL", copy).output().unwrap();
    assert_eq!(ids(&serde_json::from_slice(&queue.stdout).unwrap()), [1, 2, 4]);
    let again = world.run(&["backup", "copy.db"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("copy.db exists"), "{}", stderr(&again));
    assert!(!world.path("copy.db.tmp").exists());
}

#[tokio::test]
async fn the_generated_documents_name_every_command() {
    let world = World::new().await;
    for args in [&["man"] as &[&str], &["completions", "bash"], &["completions", "zsh"], &["completions", "fish"]] {
        let text = world.output(args);
        for command in ["queue", "dismiss", "backup", "accounts"] {
            assert!(text.contains(command), "{args:?}: {command}");
        }
    }
}

#[tokio::test]
async fn watch_draws_on_a_terminal_until_ctrl_c() {
    let world = World::new().await;
    let typescript = world.path("typescript");
    // util-linux's script gives the program a terminal, on whose keyboard it types what it reads
    let line = format!("stty cols 120 rows 40 && exec {} queue --watch", env!("CARGO_BIN_EXE_tanggap"));
    let mut command = Command::new("script");
    command.args(["-qefc", &line]).arg(&typescript).stdin(Stdio::piped()).stdout(Stdio::null());
    command.env("TANGGAP_CONFIG", world.path("tanggap.toml"));
    let mut script = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
    let watched = async {
        while !std::fs::read_to_string(&typescript).is_ok_and(|drawn| drawn.contains("\x1b[H\x1b[2J") && drawn.contains("dindukcapil")) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        script.stdin.as_mut().unwrap().write_all(b"\x03").await.unwrap();
        script.wait().await.unwrap()
    };
    let status = tokio::time::timeout(Duration::from_mins(1), watched).await.expect("it draws, and ends on Ctrl-C");
    assert_eq!(status.code(), Some(0));
}
