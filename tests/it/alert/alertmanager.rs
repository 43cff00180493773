//! What Alertmanager is told, and what it is told again every minute, on both databases.

use std::sync::Arc;

use serde_json::{Value, json};
use tanggap::{
    alert::Refresh,
    app,
    config::Loaded,
    domain::settings::Alertmanager,
    runtime::{Stage as _, Tally},
    store::{db::Val, outbox},
};
use tokio_util::sync::CancellationToken;

use super::world::{Ticket, World, at, on_both, ticket};
use crate::{
    channels::far::{HttpSink, Mode},
    stages::Heard,
};

/// The world's Alertmanager, which hears of what goes to a group.
fn alertmanager(w: &mut World, group: &str) -> HttpSink {
    let sink = HttpSink::start();
    w.settings.channels.alertmanager = Some(Alertmanager { url: sink.url.clone(), group: group.into() });
    sink
}

fn refresh(w: &World) -> Refresh {
    Refresh::new(w.db.clone(), Arc::new(w.settings.clone()), w.clock.clone()).unwrap().with_limit(std::time::Duration::from_millis(500))
}

/// The alerts of every post so far.
fn posts(sink: &HttpSink) -> Vec<Vec<Value>> {
    sink.requests().iter().map(|call| call.json().as_array().unwrap().clone()).collect()
}

#[tokio::test]
async fn a_daemon_that_starts_posts_at_once_what_fired_before() {
    let mut w = World::sqlite().await;
    let sink = alertmanager(&mut w, "operator");
    w.exec("UPDATE account SET healthy = 0, told_at = $1 WHERE id = 1", vec![w.now().into()]).await;
    w.tell("account.unhealthy", None, (0, "", &[])).await;
    w.step().await;
    let told = posts(&sink);
    let stop = CancellationToken::new();
    let loaded = Loaded { settings: w.settings.clone(), warnings: vec![], file: std::path::PathBuf::new() };
    let (db, crew) = app::start(&loaded, &stop).await.unwrap();
    // what else the daemon finds out is told too, of other accounts
    let again = || posts(&sink).into_iter().skip(1).flatten().find(|alert| alert["labels"] == told[0][0]["labels"]);
    for _ in 0..200 {
        if again().is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    crew.stop().await.unwrap();
    db.close().await;
    assert!(again().is_some_and(|alert| alert["endsAt"] != told[0][0]["endsAt"]), "{:?}", posts(&sink));
}

fn hostile(id: i64) -> Ticket {
    Ticket { text: "Siti Rahma 0812345678\",\"ticket\":\"1\n<b>".into(), ..ticket(id) }
}

on_both! {
    async fn a_step_for_its_group_fires_at_alertmanager_and_the_closing_line_resolves_the_same_labels(w: &mut World) {
        let sink = alertmanager(w, "sekda");
        w.breach(&hostile(42), &["kepala"]).await;
        w.step().await;
        assert!(sink.requests().is_empty(), "another group's step");
        w.tell("ticket.escalated", Some(42), (3, "2h", &["sekda"])).await;
        w.after(1).await;
        w.close(42, "answered").await;
        w.tell("ticket.answered", Some(42), (0, "", &[])).await;
        w.after(60).await;
        assert_eq!(w.deliveries().await, [
            "kepala smtp delivered", "sekda telegram delivered", "alertmanager alertmanager delivered",
            "alertmanager alertmanager delivered", "kepala smtp delivered", "sekda telegram delivered",
        ]);
        let calls = sink.requests();
        assert!(calls.iter().all(|call| call.path == "/api/v2/alerts" && call.header("content-type") == "application/json"));
        assert!(calls.iter().all(|call| !call.body.contains("Siti") && !call.body.contains("0812") && !call.body.contains("9001")), "{calls:?}");
        let posts = posts(&sink);
        assert_eq!(posts[0], [json!({
            "labels": {
                "alertname": "TanggapTicketUnanswered", "site": "Kabupaten Rembang", "opd": "dindukcapil", "platform": "facebook",
                "account": "dindukcapil", "ticket": "42",
            },
            "annotations": {
                "summary": "Pesan warga belum dijawab: Dindukcapil, tiket #42", "told": "ticket.escalated", "step": "3", "state": "open",
                "kind": "comment", "policy": "biasa", "urgent": "false", "messages": "1",
                "opened_at": "2026-11-23T03:00:42Z", "due_at": "2026-11-23T07:03:00Z",
            },
            "startsAt": "2026-11-23T03:00:42Z", "endsAt": "2026-11-23T07:09:01.000Z",
            "generatorURL": "https://tanggap.example.go.id/tickets/42",
        })]);
        assert_eq!((posts.len(), posts[1].len()), (2, 1));
        assert_eq!(posts[1][0]["labels"], posts[0][0]["labels"]);
        assert_eq!((&posts[1][0]["endsAt"], &posts[1][0]["annotations"]["state"]), (&"2026-11-23T07:06:01.000Z".into(), &"answered".into()));
    }

    async fn what_fires_is_posted_again_every_minute_and_nothing_when_nothing_fires(w: &mut World) {
        let sink = alertmanager(w, "sekda");
        let mut stage = refresh(w);
        assert_eq!(stage.once().await.unwrap().done, 0);
        assert!(sink.requests().is_empty());
        for id in [1, 2] {
            w.breach(&hostile(id), &["sekda"]).await;
        }
        w.breach(&ticket(3), &["kepala"]).await;
        w.step().await;
        assert_eq!(posts(&sink)[0].len(), 2, "one post for what is told together");
        // a later step of a ticket makes it no second alert
        w.tell("ticket.escalated", Some(2), (3, "2h", &["sekda"])).await;
        w.after(59).await;
        assert_eq!(stage.once().await.unwrap(), Tally { done: 0, next: Some(at("2026-11-23T07:06:00Z").timestamp()) });
        w.after(1).await;
        assert_eq!(stage.once().await.unwrap(), Tally { done: 2, next: Some(at("2026-11-23T07:07:00Z").timestamp()) });
        let told = posts(&sink);
        assert_eq!(told.len(), 3);
        let brief = |alert: &Value| (alert["labels"]["ticket"].clone(), alert["annotations"]["step"].clone(), alert["endsAt"].clone());
        let until = "2026-11-23T07:10:00.000Z";
        assert_eq!(told[2].iter().map(brief).collect::<Vec<_>>(), [("1".into(), "2".into(), until.into()), ("2".into(), "3".into(), until.into())]);
        assert_eq!(told[2][0]["labels"], told[0][0]["labels"]);

        // a restart posts at once; what closed meanwhile is left to its closing line
        w.close(1, "withdrawn").await;
        assert_eq!(refresh(w).once().await.unwrap().done, 1);
        w.close(2, "answered").await;
        assert_eq!(refresh(w).once().await.unwrap().done, 0);
        assert_eq!(posts(&sink).len(), 4);
        // a clock that was an hour ahead stops nothing
        w.exec("UPDATE ticket SET state = 'open'", vec![]).await;
        w.clock.set(at("2026-11-23T06:00:00Z").timestamp());
        assert_eq!(stage.once().await.unwrap().done, 2);
        assert_eq!(posts(&sink)[4][0]["startsAt"], "2026-11-23T03:00:01Z");
    }

    async fn a_thousand_tickets_that_fire_are_few_posts(w: &mut World) {
        let sink = alertmanager(w, "sekda");
        let mut tx = w.db.write().await.unwrap();
        for id in 1..=1100_i64 {
            for sql in [
                "INSERT INTO thread (id, account_id, kind, key, name) VALUES ($1, 1, 'comment', CAST($1 AS TEXT), 'n')",
                "INSERT INTO ticket (id, thread_id, account_id, author, policy, urgent, state, opened_at, due_at, unverified, messages, steps, configuration)
                 VALUES ($1, $1, 1, 'a', 'biasa', 0, 'open', $1, $1, 0, 1, '[]', '')",
                "INSERT INTO alert (kind, ticket_id, policy, at_text, step, notify, late_found, detail, created_at)
                 VALUES ('ticket.breached', $1, 'biasa', '0m', 2, '[\"sekda\"]', 0, '', $1)",
            ] {
                tx.exec(sql, vec![id.into()]).await.unwrap();
            }
        }
        tx.commit().await.unwrap();
        w.settings.officials.clear();
        w.step().await;
        let told = posts(&sink);
        assert_eq!(refresh(w).once().await.unwrap().done, 1100);
        let all = posts(&sink);
        for posts in [&told[..], &all[told.len()..]] {
            let sizes: Vec<_> = posts.iter().map(Vec::len).collect();
            assert!(sizes.len() == 3 && sizes.iter().sum::<usize>() == 1100 && sizes.iter().all(|size| *size <= 500), "{sizes:?}");
        }
    }

    async fn a_trouble_of_an_account_or_of_the_site_fires_until_it_is_over(w: &mut World) {
        let sink = alertmanager(w, "operator");
        let now = w.now();
        let say = async |kind: &'static str, account: Option<i64>, cause: &'static str| {
            let sql = "INSERT INTO alert (kind, account_id, policy, at_text, step, notify, late_found, cause, detail, created_at)
                       VALUES ($1, $2, '', '', 0, '[]', 0, $3, 'no answer in time', $4)";
            w.exec(sql, vec![kind.into(), account.into(), cause.into(), w.now().into()]).await;
        };
        say("account.unhealthy", Some(1), "trouble").await;
        say("account.unhealthy", Some(2), "silent").await;
        say("account.unhealthy", None, "trouble").await;
        say("token.expiring", Some(1), "token").await;
        w.exec("UPDATE account SET healthy = 0, told_at = $1 WHERE id = 1", vec![now.into()]).await;
        w.exec("INSERT INTO concern (account_id, cause, since, detail) VALUES (2, 'silent', $1, '')", vec![Val::from(now)]).await;
        w.step().await;
        let names = |post: &[Value]| -> Vec<String> {
            let text = |alert: &Value, label: &str| alert["labels"][label].as_str().unwrap_or("-").to_owned();
            post.iter().map(|a| format!("{} {} {}", text(a, "alertname"), text(a, "account"), text(a, "doubt"))).collect()
        };
        let told = posts(&sink);
        assert_eq!(names(&told[0]), [
            "TanggapAccountUnhealthy dindukcapil -", "TanggapTokenExpiring dindukcapil -", "TanggapAccountDoubtful dinhub silent",
            "TanggapAccountUnhealthy - -",
        ]);
        assert_eq!(told[0][0]["annotations"]["reason"], "no answer in time");
        assert_eq!(told[0][1]["endsAt"], "2026-11-24T07:05:00.000Z", "a warning has no end of its own: it stands for a day");

        w.after(60).await;
        assert_eq!(refresh(w).once().await.unwrap().done, 3);
        w.exec("UPDATE account SET healthy = 1, told_at = NULL WHERE id = 1", vec![]).await;
        say("account.recovered", Some(1), "unknown").await;
        w.after(60).await;
        assert_eq!(refresh(w).once().await.unwrap().done, 2);
        w.exec("DELETE FROM concern", vec![]).await;
        say("account.recovered", Some(2), "silent").await;
        say("account.recovered", None, "trouble").await;
        w.after(60).await;
        assert_eq!(refresh(w).once().await.unwrap().done, 0);
        let posts = posts(&sink);
        assert_eq!(posts.len(), 5, "told, again, recovered, again, recovered");
        assert_eq!((names(&posts[2]), &posts[2][0]["endsAt"]), (names(&told[0])[..1].to_vec(), &"2026-11-23T07:07:00.000Z".into()));
        assert_eq!(names(&posts[4]), names(&told[0])[2..]);
    }

    async fn a_post_that_fails_is_said_once_and_tried_every_minute(w: &mut World) {
        let sink = alertmanager(w, "sekda");
        w.breach(&ticket(1), &["sekda"]).await;
        w.step().await;
        let heard = Heard::default();
        let log = tracing_subscriber::fmt().with_writer(heard.clone()).with_ansi(false).finish();
        let _log = tracing::subscriber::set_default(log);
        let mut stage = refresh(w);
        for (mode, done) in [(Mode::Down, 0), (Mode::Hang, 0), (Mode::Cut, 0), (Mode::Ok, 1), (Mode::Ok, 1), (Mode::Down, 0)] {
            sink.set(mode);
            assert_eq!(stage.once().await.unwrap().done, done, "{mode:?}");
            w.clock.advance(jiff::SignedDuration::from_secs(60));
        }
        let said: Vec<String> = heard.text().lines().map(|line| line.split_once("tanggap::alert::refresh: ").unwrap().1.to_owned()).collect();
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].starts_with("what fires can't be posted again") && said[0].contains("error=Alertmanager can't take alerts now (503)"));
        assert!(said[1].starts_with("what fires is posted again") && said[2] == said[0], "{said:?}");
        assert_eq!(sink.requests().len(), 7);
        assert_eq!(outbox::firing(&w.db, 0, 9).await.unwrap().len(), 1);
    }
}
