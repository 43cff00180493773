//! Staff actions: recorded once, with who and when, and never on what cannot take them.

use std::{process::Output, time::Duration};

use tanggap::store::Db;

use super::world::{World, message, read, stderr, ticket, write};

/// What the database holds of staff actions: ticket, kind, by, text.
async fn recorded(db: &Db) -> Vec<(i64, String, String, String)> {
    let rows = read(db, "SELECT ticket_id, kind, by_name, text FROM action ORDER BY id").await;
    rows.iter()
        .map(|row| (row.i("ticket_id").unwrap(), row.t("kind").unwrap(), row.t("by_name").unwrap(), row.t("text").unwrap()))
        .collect()
}

/// Runs a command while something else plays the daemon: notices what was recorded, acknowledges or hands over, and says so.
async fn with_daemon(world: &World, args: &[&str]) -> Output {
    let mut command = tokio::process::Command::from(world.command(args));
    let output = command.output();
    tokio::pin!(output);
    loop {
        tokio::select! {
            output = &mut output => return output.unwrap(),
            () = tokio::time::sleep(Duration::from_millis(20)) => {
                if read(&world.db, "SELECT id FROM action WHERE applied_at IS NULL").await.is_empty() {
                    continue;
                }
                write(&world.db, "UPDATE ticket SET acknowledged_at = 1795485600000 WHERE id IN (SELECT ticket_id FROM action WHERE kind <> 'handover')", vec![]).await;
                let held = "UPDATE ticket SET held_by = (SELECT text FROM action WHERE ticket_id = ticket.id AND kind = 'handover') WHERE held_by IS NULL";
                write(&world.db, held, vec![]).await;
                write(&world.db, "UPDATE action SET applied_at = at WHERE applied_at IS NULL", vec![]).await;
            }
        }
    }
}

#[tokio::test]
async fn an_action_is_recorded_with_who_and_the_new_state_is_shown_once_the_daemon_applied_it() {
    let world = World::new().await;
    let output = with_daemon(&world, &["ack", "2", "1", "2"]).await;
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, "ticket 1: open, breached, acknowledged\nticket 2: open, acknowledged\nrecorded: ack by siti\n");
    let [first, second] = &recorded(&world.db).await[..] else { panic!("one each") };
    assert_eq!(*first, (1, "ack".into(), "siti".into(), String::new()));
    assert_eq!(second.0, 2);
}

#[tokio::test]
async fn each_command_records_its_own_kind_and_words() {
    let world = World::new().await;
    for args in [
        &["ack", "1", "--undo", "--by", "Budi"] as &[&str],
        &["note", "3", "sudah ditelepon", "--by", "Budi"],
        &["assign", "3", "Wati", "--by", "Budi"],
        &["dismiss", "1", "--reason", "spam", "--by", "Budi"],
        &["resolve", "2", "--how", "di loket", "--by", "Budi"],
    ] {
        let output = with_daemon(&world, args).await;
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
    }
    let found: Vec<_> =
        recorded(&world.db).await.into_iter().map(|(ticket, kind, by, text)| format!("{ticket} {kind} {by} {text}")).collect();
    assert_eq!(
        found,
        ["1 unack Budi ", "3 note Budi sudah ditelepon", "3 assign Budi Wati", "1 dismiss Budi spam", "2 resolve Budi di loket"]
    );
    let shown = world.json(&["show", "3"]);
    assert_eq!((&shown["actions"][0]["by"], &shown["actions"][0]["text"]), (&"Budi".into(), &"sudah ditelepon".into()));
}

#[tokio::test]
async fn a_post_or_an_author_stands_for_all_of_their_open_tickets() {
    let world = World::new().await;
    assert_eq!(with_daemon(&world, &["dismiss", "--post", "101000000000001_9", "--reason", "spam"]).await.status.code(), Some(0));
    assert_eq!(with_daemon(&world, &["dismiss", "--author", "42", "--reason", "spam"]).await.status.code(), Some(0));
    let tickets: Vec<i64> = recorded(&world.db).await.into_iter().map(|action| action.0).collect();
    assert_eq!(tickets, [1, 4, 2], "ticket 3 is answered");
    let nobody = world.run(&["dismiss", "--author", "nobody", "--reason", "spam"]);
    assert_eq!((nobody.status.code(), stderr(&nobody).as_str()), (Some(1), "tanggap: no open ticket stands there; nothing was recorded\n"));
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_and_nothing_is_recorded() {
    let world = World::new().await;
    for (args, status, why) in [
        (&["ack", "1", "98", "99"] as &[&str], 1, "there is no ticket 98, 99"),
        (&["dismiss", "1", "3", "--reason", "spam"], 1, "ticket 3 is already answered"),
        (&["resolve", "3", "--how", "telepon"], 1, "ticket 3 is already answered"),
        (&["dismiss", "1"], 2, "--reason"),
        (&["dismiss", "--reason", "spam"], 2, "--post"),
        (&["note", "1", ""], 2, "value is required"),
        (&["handover", "3", "rsud"], 1, "ticket 3 is already answered"),
        (&["handover", "98", "rsud"], 1, "there is no ticket 98"),
        (&["handover", "1", "dinhub"], 2, "no OPD of the configuration has the slug \"dinhub\"; there are dindukcapil, rsud"),
        (&["handover", "1"], 2, "<OPD>"),
    ] {
        let output = world.run(args);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(why), "{args:?}: {}", stderr(&output));
    }
    assert_eq!(recorded(&world.db).await, []);
}

#[tokio::test]
async fn more_than_twenty_at_once_need_a_yes() {
    let world = World::new().await;
    for id in 100..121 {
        message(&world.db, id, 2, "in", (Some("spam"), None), "slot gacor", "2026-11-24T04:00:00Z").await;
        ticket(&world.db, id, id, "spam", "open", "2996-11-24T06:05:00Z").await;
    }
    let refused = world.run(&["dismiss", "--author", "spam", "--reason", "spam"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("21 tickets at once"), "{}", stderr(&refused));
    assert_eq!(recorded(&world.db).await, []);
    let done = with_daemon(&world, &["dismiss", "--author", "spam", "--reason", "spam", "--yes"]).await;
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    assert_eq!(recorded(&world.db).await.len(), 21);
}

#[tokio::test]
async fn without_a_daemon_an_action_takes_effect_all_the_same_and_somebody_did_it() {
    let world = World::new().await;
    let output = world.command(&["dismiss", "1", "--reason", "spam"]).env_remove("USER").output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    let by = &recorded(&world.db).await[0].2;
    assert!(by.starts_with("uid "), "{by}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, format!("ticket 1: dismissed, breached, reason: spam\nrecorded: dismiss by {by}\n"));
}

#[tokio::test]
async fn a_ticket_is_handed_over_with_and_without_a_daemon_and_show_says_how_long_each_agency_held_it() {
    let world = World::new().await;
    assert_eq!(world.json(&["show", "1"]).get("holdings"), None, "it was never handed over");
    let output = with_daemon(&world, &["handover", "1", "rsud"]).await;
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, "ticket 1: open, breached, held by rsud\nrecorded: handover by siti\n");
    let alone = world.run(&["handover", "4", "rsud", "--by", "Budi"]);
    assert_eq!((alone.status.code(), stderr(&alone)), (Some(0), String::new()));
    // judged anew by the real policy and clock
    let text = String::from_utf8(alone.stdout).unwrap();
    assert_eq!(text, "ticket 4: open, held by rsud\nrecorded: handover by Budi\n");
    assert_eq!(recorded(&world.db).await[1], (4, "handover".into(), "Budi".into(), "rsud".into()));

    let told = read(&world.db, "SELECT detail FROM alert WHERE kind = 'ticket.handed_over' AND ticket_id = 4").await;
    assert_eq!(told.iter().map(|row| row.t("detail").unwrap()).collect::<Vec<_>>(), ["dindukcapil"], "for the daemon to tell");
    write(&world.db, "UPDATE action SET at = 1795492800000 WHERE ticket_id = 1", vec![]).await; // two hours after it opened
    write(&world.db, "UPDATE ticket SET state = 'answered', closed_at = 1795496400000 WHERE id = 1", vec![]).await;
    let shown = world.json(&["show", "1"]);
    assert_eq!(
        shown["holdings"],
        serde_json::json!([
            {"opd": "dindukcapil", "from": "2026-11-24T02:00:00Z", "until": "2026-11-24T04:00:00Z", "seconds": 7200, "business_seconds": 7200},
            {"opd": "rsud", "from": "2026-11-24T04:00:00Z", "until": "2026-11-24T05:00:00Z", "seconds": 3600, "business_seconds": 3600},
        ])
    );
    assert_eq!((&shown["opd"], &shown["actions"][0]["kind"]), (&"rsud".into(), &"handover".into()));
    let people = world.output(&["show", "1", "--format", "table"]);
    assert!(people.contains("held by") && people.contains("120 min") && people.contains("60 min"), "{people}");
}
