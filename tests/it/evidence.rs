//! What can be proved of a ticket: chained as it happens on both databases, checked by the program and by thirty lines of another language,
//! whole after its texts are erased, and contradicted by the journal where somebody rewrites the database.

use std::{
    path::Path,
    process::{Command, Output},
};

use jiff::SignedDuration;
use serde_json::Value;
use tanggap::{
    domain::{
        MessageId, Scope, TicketId,
        evidence::{Evidence, Missing},
        message::Seen,
        ticket::ActionKind,
    },
    dossier,
    store::{Db, actions, proof},
};

use crate::{acks::world::World, alert::world::on_both, store::world::comment};

pub async fn of(db: &Db, ticket: i64) -> Evidence {
    dossier::evidence(db, &Scope::ALL, TicketId(ticket), "2026-11-25T02:00:00Z".parse().map(tanggap::domain::Time::from_timestamp).unwrap())
        .await
        .unwrap()
        .unwrap()
}

/// `kind what` of every entry.
fn told(evidence: &Evidence) -> Vec<String> {
    let what = |entry: &tanggap::domain::evidence::Entry| {
        let record = entry.record.as_ref()?;
        let word = |key: &str| record.get(key).and_then(Value::as_str).map(str::to_owned);
        word("event")
            .or_else(|| word("action"))
            .or_else(|| Some(format!("{} {}", word("official")?, word("tells")?)))
            .or_else(|| word("text"))
    };
    let mut told: Vec<String> =
        evidence.entries.iter().map(|entry| format!("{} {}", entry.kind, what(entry).unwrap_or_default()).trim_end().to_owned()).collect();
    // letters that leave together are accepted in any order
    told.chunk_by_mut(|one, other| one.starts_with("delivery") && other.starts_with("delivery")).for_each(<[String]>::sort);
    told
}

const EDITED: &str = "Kapan KTP saya jadi? (diubah)";

/// A ticket that was late, edited, noted, answered and told of; another one beside it.
async fn story(w: &mut World) -> [i64; 2] {
    let tickets = w.two_late().await;
    w.clock.advance(SignedDuration::from_secs(30));
    w.take(vec![Seen { created_at: w.opened(), ..comment("770", EDITED) }]).await;
    w.judge().await;
    actions::record(&w.db, &Scope::ALL, &[TicketId(tickets[0])], (ActionKind::Note, "sudah ditelepon"), "siti", w.now()).await.unwrap();
    w.judge().await;
    w.answer(tickets[0]).await;
    w.pass(SignedDuration::from_secs(60)).await;
    tickets
}

impl World {
    fn opened(&self) -> tanggap::domain::Time {
        self.now().minus(SignedDuration::from_mins(241)).minus(SignedDuration::from_secs(30))
    }

    fn program(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tanggap"));
        command.args(args).env_clear().env("TANGGAP_CONFIG", &self.config).env("USER", "inspektur").output().unwrap()
    }
}

/// What the other language finds.
fn elsewhere(file: &Path) -> (bool, Value) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/evidence.py");
    let output = Command::new("/usr/bin/python3").arg(script).arg(file).output().unwrap();
    (output.status.success(), serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}")))
}

on_both! {
    async fn everything_that_happens_to_a_ticket_is_chained_as_it_happens(w: &mut World) {
        let [a, b] = story(w).await;
        let evidence = of(&w.db, a).await;
        assert_eq!(told(&evidence), [
            "message", "event opened", "event breached", "delivery kepala-dinhub ticket.breached", "delivery sekda ticket.breached",
            &format!("edit {EDITED}"), "action note", "event noted",
            "message Sudah kami teruskan, silakan datang ke kantor besok pagi.", "event answered",
            "delivery kepala-dinhub ticket.answered", "delivery sekda ticket.answered",
        ]);
        assert_eq!(evidence.entries[0].missing, Some(Missing::Edited), "the text as it was is held no more");
        let found = evidence.examine();
        assert_eq!((found.wrong, found.silent), (vec![], vec![(1, Missing::Edited)]));
        let record = |n: usize| evidence.entries[n].record.clone().unwrap();
        assert_eq!(record(6)["by"], "siti");
        assert_eq!((&record(8)["direction"], &record(8)["government"]), (&"out".into(), &"101".into()));
        assert!(record(2)["breached_at"].is_string() && record(9)["answered_by"] == "101", "{:?}", record(9));
        assert_eq!(record(3)["letter"].as_str().map(|key| key.starts_with("t1-")), Some(true));

        let other = of(&w.db, b).await;
        assert_eq!((told(&other)[0].as_str(), other.examine().wrong), ("message Lampu jalan padam, kapan diperbaiki?", vec![]));
        assert!(other.root != evidence.root);
        assert_eq!(proof::chain(&w.db, TicketId(a)).await.unwrap(), (evidence.entries.clone(), evidence.end.clone()));
        // judged again, nothing is added
        let before = w.number("SELECT COUNT(*) AS n FROM proof").await;
        w.exec("UPDATE thread SET next_look_at = 0", vec![]).await;
        w.judge().await;
        assert_eq!(w.number("SELECT COUNT(*) AS n FROM proof").await, before);
        assert!(dossier::evidence(&w.db, &Scope::ALL, TicketId(99), w.now()).await.unwrap().is_none());
    }

    async fn a_message_that_is_gone_and_comes_again_is_chained_each_time(w: &mut World) {
        let ticket = w.ticket("Kapan zirkonkutilang saya jadi?").await;
        for at in [1_795_485_700_000_i64, 1_795_485_800_000] {
            w.exec("UPDATE message SET deleted_at = $1", vec![at.into()]).await;
            w.exec("UPDATE thread SET next_look_at = 0", vec![]).await;
            w.judge().await;
            w.exec("UPDATE message SET deleted_at = NULL", vec![]).await;
            w.exec("UPDATE thread SET next_look_at = 0", vec![]).await;
            w.judge().await;
        }
        let evidence = of(&w.db, ticket).await;
        assert_eq!(evidence.examine().wrong, Vec::<String>::new());
        assert_eq!(evidence.entries.iter().filter(|entry| entry.kind == "deletion").count(), 2, "{:?}", told(&evidence));
    }

    async fn erasing_takes_text_and_salt_and_leaves_the_chain_whole(w: &mut World) {
        let [a, _] = story(w).await;
        let before = of(&w.db, a).await;
        let mut tx = w.db.write().await.unwrap();
        let ids: Vec<MessageId> = tx.rows("SELECT id FROM message", vec![]).await.unwrap().iter().map(|row| MessageId(row.i("id").unwrap())).collect();
        tx.exec("UPDATE message SET text = '', author_id = NULL, author_name = NULL, external_id = key", vec![]).await.unwrap();
        assert_eq!(proof::forget(&mut tx, &ids).await.unwrap(), 4, "two questions, an edit, an answer");
        assert_eq!(proof::forget_actions(&mut tx, &[TicketId(a)]).await.unwrap(), 1);
        assert_eq!(proof::forget(&mut tx, &ids).await.unwrap(), 0, "once");
        tx.commit().await.unwrap();
        let after = of(&w.db, a).await;
        let found = after.examine();
        assert_eq!(found.wrong, Vec::<String>::new());
        assert_eq!(found.silent, [1, 6, 7, 9].map(|n| (n, Missing::Erased)));
        let links = |evidence: &Evidence| evidence.entries.iter().map(|entry| (entry.digest.clone(), entry.link.clone())).collect::<Vec<_>>();
        assert_eq!(links(&before), links(&after));
        let text = serde_json::to_string(&after.entries).unwrap();
        for gone in [EDITED, "ditelepon", "Sudah kami", "Siti", "9001"] {
            assert!(!text.contains(gone), "{gone}: {text}");
        }
        assert_eq!(w.number("SELECT COUNT(*) AS n FROM proof WHERE kind IN ('message', 'edit', 'action') AND (salt IS NOT NULL OR record IS NOT NULL)").await, 0);
    }

    async fn a_text_changed_behind_the_programs_back_is_named_and_a_rewritten_chain_contradicts_the_journal(w: &mut World) {
        let [a, b] = story(w).await;
        w.pass(SignedDuration::from_hours(24)).await;
        let log = w.heard.text();
        let lines: Vec<&str> = log.lines().filter(|line| line.contains("event=\"proof.anchored\"")).collect();
        let said = |line: &str, key: &str| line.split(&format!("{key}=")).nth(1).unwrap().split([' ', '"']).find(|word| !word.is_empty()).unwrap().to_owned();
        let line = lines.last().unwrap();
        assert!(line.contains("INFO") && said(line, "tickets") == "2", "{line}");
        let rows = (said(line, "first").parse().unwrap(), said(line, "last").parse().unwrap());
        let anchored = proof::anchored(&w.db, rows).await.unwrap();
        assert_eq!(anchored.hash, said(line, "hash"));
        let days = lines.len();
        w.judge().await;
        assert_eq!(w.heard.count("proof.anchored"), days, "once a day");

        w.exec("UPDATE message SET text = 'Lain' WHERE text LIKE 'Lampu%'", vec![]).await;
        assert_eq!(of(&w.db, b).await.examine().wrong, ["entry 1: it does not say what it said"]);
        w.exec("UPDATE message SET text = 'Lampu jalan padam, kapan diperbaiki?' WHERE text = 'Lain'", vec![]).await;
        w.exec("DELETE FROM proof WHERE ticket_id = $1 AND n = (SELECT n FROM chain WHERE ticket_id = $1)", vec![a.into()]).await;
        assert_eq!(of(&w.db, a).await.examine().wrong, ["the chain has 11 entries and should have 12"]);
        // whoever makes the chain whole again can't make the journal say so
        w.exec("UPDATE chain SET n = 11, link = (SELECT link FROM proof p WHERE p.ticket_id = chain.ticket_id AND p.n = 11) WHERE ticket_id = $1", vec![a.into()]).await;
        assert_eq!(of(&w.db, a).await.examine().wrong, Vec::<String>::new());
        assert_ne!(proof::anchored(&w.db, rows).await.unwrap().hash, anchored.hash);
    }

    async fn the_exported_file_is_checked_alike_by_the_program_and_by_another_language(w: &mut World) {
        let [a, _] = story(w).await;
        let number = a.to_string();
        let export = || {
            let output = w.program(&["evidence", &number, "--format", "json"]);
            assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
            output.stdout
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tiket.json");
        let check = |text: &[u8]| {
            std::fs::write(&file, text).unwrap();
            let output = Command::new(env!("CARGO_BIN_EXE_tanggap")).args(["evidence", "--verify"]).arg(&file).env_clear().output().unwrap();
            (output.status.code(), String::from_utf8(output.stdout).unwrap(), elsewhere(&file))
        };
        let whole = export();
        let (status, said, (good, found)) = check(&whole);
        assert_eq!((status, good, &found["silent"]), (Some(0), true, &serde_json::json!([1])), "{said} {found}");
        assert!(said.contains("entry 1: its text was edited later") && said.contains("whole; 12 entries"), "{said}");

        let text = String::from_utf8(whole).unwrap();
        let (shown, entries) = text.split_once("\"entries\"").unwrap();
        for (from, to, entry) in [
            (EDITED, "Kapan KTP saya jadi? Terima kasih", "entry 6: it does not say what it said"),
            ("\"noted\"", "\"assigned\"", "entry 8: it does not say what it said"),
            ("\"kind\":\"delivery\"", "\"kind\":\"event\"", "entry 4: it is not linked to the one before"),
        ] {
            let (status, said, (good, _)) = check(format!("{shown}\"entries\"{}", entries.replacen(from, to, 1)).as_bytes());
            assert_eq!((status, good), (Some(1), false), "{from}");
            assert!(said.contains(entry), "{said}");
        }
        let mut tx = w.db.write().await.unwrap();
        let ids: Vec<MessageId> = tx.rows("SELECT id FROM message", vec![]).await.unwrap().iter().map(|row| MessageId(row.i("id").unwrap())).collect();
        proof::forget(&mut tx, &ids).await.unwrap();
        tx.commit().await.unwrap();
        let (status, said, (good, found)) = check(&export());
        assert_eq!((status, good, &found["silent"]), (Some(0), true, &serde_json::json!([1, 6, 9])));
        assert!(said.contains("entry 6: its text is erased and can't be shown any more; its digest stands"), "{said}");

        let table = String::from_utf8(w.program(&["evidence", &number, "--format", "table"]).stdout).unwrap();
        assert!(table.contains("sudah ditelepon") && table.contains("chain   whole"), "{table}");
        let rows = w.number("SELECT MAX(id) AS n FROM proof").await;
        let anchored = w.program(&["evidence", "--anchored", &format!("1-{rows}")]);
        assert_eq!(String::from_utf8(anchored.stdout).unwrap(), format!("2 tickets, {}\n", proof::anchored(&w.db, (1, rows)).await.unwrap().hash));
        assert_eq!(w.texts("SELECT by_name || ' ' || did || ' ' || detail AS t FROM trail").await, vec![format!("inspektur evidence.exported ticket {a}"); 3]);
        assert_eq!(w.program(&["evidence", "99"]).status.code(), Some(1));
        assert_eq!(w.program(&["evidence"]).status.code(), Some(2));
    }
}

#[test]
fn a_file_that_is_no_evidence_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.json");
    std::fs::write(&file, "{\"entries\": []}").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tanggap")).args(["evidence", "--verify"]).arg(&file).env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is no evidence file of tanggap"));
}
