//! The alert stage on both databases: routed once, grouped, held, sent, retried, dropped; nothing lost by a crash.

mod alertmanager;
mod chaos;
mod handover;
mod letters;
mod sheets;
mod whatsapp;
mod who;
pub mod world;

use jiff::SignedDuration;
use tanggap::{
    domain::{
        Time,
        alert::Channel,
        settings::{Official, Preview},
    },
    runtime::Stage as _,
    store::outbox,
};
use world::{World, at, official, on_both, ticket};

use crate::channels::far::Mode;

on_both! {
    async fn a_step_reaches_each_official_of_its_groups_once_and_a_second_run_changes_nothing(w: &mut World) {
        w.breach(&ticket(42), &["kepala", "sekda", "mesin"]).await;
        w.step().await;
        assert_eq!(w.deliveries().await, ["kepala smtp delivered", "sekda telegram delivered", "simpeg webhook delivered"]);
        assert_eq!((w.mail.mails().len(), w.chat.requests().len(), w.hook.requests().len()), (1, 1, 1));

        assert_eq!(w.step().await, tanggap::runtime::Tally { done: 0, next: None });
        // the same step written again, as after a restored backup
        w.tell("ticket.breached", Some(42), (2, "0m", &["kepala", "sekda", "mesin"])).await;
        w.after(60).await;
        assert_eq!((w.mail.mails().len(), w.chat.requests().len(), w.hook.requests().len()), (1, 1, 1));
    }

    async fn an_official_of_another_opd_is_left_out_and_a_step_that_reaches_nobody_goes_to_the_operator_and_the_log(w: &mut World) {
        let mut other = ticket(1);
        other.account = 2;
        w.breach(&other, &["kepala"]).await;
        w.step().await;
        assert_eq!(w.deliveries().await, [
            "op smtp delivered no recipient configured",
            "operator log delivered no recipient configured",
        ]);
        assert!(w.mail.texts()[0].contains("Belum ada penerima yang ditetapkan"), "{}", w.mail.texts()[0]);
    }

    async fn officials_who_share_an_address_get_one_message_addressed_to_both(w: &mut World) {
        w.settings.officials.push(Official { email: Some("kepala@example.go.id".into()), ..official("plt", "Plt. Sekretaris", "sekda", &[]) });
        w.breach(&ticket(1), &["kepala", "sekda"]).await;
        w.step().await;
        assert_eq!(w.deliveries().await, ["kepala smtp delivered", "sekda telegram delivered", "plt smtp delivered"]);
        let mails = w.mail.texts();
        assert_eq!(mails.len(), 1);
        assert!(mails[0].contains("Yth. Kepala Dindukcapil dan Plt. Sekretaris"), "{}", mails[0]);
    }

    async fn what_falls_due_within_the_group_after_a_message_leaves_as_the_next_one(w: &mut World) {
        w.breach(&ticket(1), &["kepala", "mesin"]).await;
        w.step().await;
        for id in 2..5 {
            w.breach(&ticket(id), &["kepala", "mesin"]).await;
        }
        let held = w.after(1).await;
        assert_eq!((w.mail.mails().len(), w.hook.requests().len()), (1, 4), "mail waits, webhooks do not");
        assert_eq!(held.next, Some(at(world::START).plus(SignedDuration::from_secs(30)).timestamp()));
        assert_eq!(w.after(28).await.done, 0);
        w.after(1).await;
        let mails = w.mail.texts();
        assert_eq!(mails.len(), 2);
        assert!(mails[1].contains("3 pesan warga melewati batas waktu"), "{}", mails[1]);
    }

    async fn quiet_hours_hold_what_is_not_urgent_and_what_is_no_longer_true_then_is_dropped(w: &mut World) {
        w.settings.officials[0].quiet = Some(("14:00:00".parse().unwrap(), "15:00:00".parse().unwrap()));
        for id in [1, 2] {
            w.breach(&ticket(id), &["kepala"]).await;
        }
        let tally = w.step().await;
        assert_eq!(tally.next, Some(at("2026-11-23T08:00:00Z").timestamp()));
        assert!(w.mail.mails().is_empty());

        let mut urgent = ticket(3);
        urgent.urgent = true;
        w.breach(&urgent, &["kepala"]).await;
        w.after(10).await;
        assert_eq!(w.mail.mails().len(), 1, "urgent tickets are not held");

        w.close(2, "dismissed").await;
        w.clock.set(at("2026-11-23T08:00:00Z").timestamp());
        w.step().await;
        assert_eq!(w.deliveries().await, ["kepala smtp delivered", "kepala smtp dropped dismissed", "kepala smtp delivered"]);
        let text = &w.mail.texts()[1];
        assert!(text.contains("tiket #1") && !text.contains("tiket #2"), "{text}");
    }

    async fn a_closing_line_goes_to_whoever_accepted_an_alert_and_to_nobody_else(w: &mut World) {
        w.chat.set(Mode::Down);
        w.breach(&ticket(42), &["kepala", "sekda"]).await;
        w.step().await;
        w.close(42, "answered").await;
        w.tell("ticket.answered", Some(42), (0, "", &[])).await;
        w.after(60).await;
        assert_eq!(w.deliveries().await, ["kepala smtp delivered", "sekda telegram dropped answered", "kepala smtp delivered"]);
        assert_eq!(w.chat.requests().len(), 1, "the dropped one is not tried again");
        let text = &w.mail.texts()[1];
        assert!(text.contains("1 pesan warga sudah dijawab (Dindukcapil):"), "{text}");
        let mails = w.mail.mails();
        let first = header(&mails[0], "Message-ID");
        assert_eq!(header(&mails[1], "In-Reply-To"), first, "one ticket's mails are one thread");
        assert_eq!(header(&mails[1], "Subject"), format!("Re: {}", header(&mails[0], "Subject")));
    }

    async fn a_closing_line_waits_until_it_is_known_whom_a_letter_under_way_reached(w: &mut World) {
        w.breach(&ticket(1), &["kepala"]).await;
        w.chat.set(Mode::Down);
        w.step().await;
        // another worker has the letter in hand
        let until = w.now().plus(SignedDuration::from_secs(120));
        w.exec("UPDATE letter SET state = 'pending', next_try_at = 0, lease_owner = 'w2', lease_until = $1", vec![until.into()]).await;
        w.exec("UPDATE delivery SET state = 'pending'", vec![]).await;
        w.close(1, "answered").await;
        w.tell("ticket.answered", Some(1), (0, "", &[])).await;
        assert_eq!(w.step().await.next, Some(until.timestamp()));
        assert_eq!(w.deliveries().await, ["kepala smtp pending"], "neither dropped nor told of the end");

        let fence = w.rows("SELECT fence, id FROM letter").await;
        let outcome = outbox::Outcome::Delivered { at: w.now(), provider_id: None };
        let mark = outbox::Mark { id: fence[0].i("id").unwrap(), fence: fence[0].i("fence").unwrap(), outcome };
        assert!(outbox::mark(&w.db, w.now(), &[mark]).await.unwrap().is_empty());
        w.after(60).await;
        assert_eq!(w.deliveries().await, ["kepala smtp delivered", "kepala smtp delivered"]);
    }

    async fn a_reopened_ticket_takes_back_the_closing_line_that_did_not_leave_yet(w: &mut World) {
        w.breach(&ticket(1), &["kepala"]).await;
        w.step().await;
        w.close(1, "answered").await;
        w.tell("ticket.answered", Some(1), (0, "", &[])).await;
        w.after(1).await;
        w.exec("UPDATE ticket SET state = 'open', closed_at = NULL", vec![]).await;
        w.after(60).await;
        assert_eq!(w.deliveries().await, ["kepala smtp delivered", "kepala smtp dropped open"]);
        assert_eq!(w.mail.mails().len(), 1);
    }

    async fn a_failed_letter_comes_back_by_the_schedule_with_the_same_bytes_and_key_until_it_is_accepted(w: &mut World) {
        w.hook.set(Mode::Slower);
        w.breach(&ticket(42), &["mesin"]).await;
        let first = w.step().await.next.unwrap();
        let pause = first.duration_since(w.now().timestamp()).as_secs();
        assert!((15..=16).contains(&pause), "{pause}");
        w.hook.set(Mode::Cut);
        w.after(pause + 1).await;
        w.hook.set(Mode::Ok);
        w.after(133).await;
        let calls = w.hook.requests();
        assert_eq!(calls.len(), 3);
        for call in &calls {
            assert_eq!((&call.body, call.header("webhook-id")), (&calls[0].body, calls[0].header("webhook-id")));
        }
        assert_ne!(calls[0].header("webhook-timestamp"), calls[2].header("webhook-timestamp"));
        assert_eq!(w.deliveries().await, ["simpeg webhook delivered"]);
    }

    async fn a_greylisted_mail_comes_back_with_the_same_message_id_and_is_taken(w: &mut World) {
        w.mail.set(Mode::Greylist);
        w.breach(&ticket(1), &["kepala"]).await;
        w.step().await;
        assert_eq!(w.deliveries().await, ["kepala smtp pending"]);
        let before = w.rows("SELECT payload FROM letter").await[0].t("payload").unwrap();
        w.after(17).await;
        assert_eq!(w.deliveries().await, ["kepala smtp delivered"]);
        let mails = w.mail.mails();
        assert_eq!(mails.len(), 1);
        assert_eq!(header(&mails[0], "Message-ID"), header(&before, "Message-ID"));
    }

    async fn what_is_refused_for_good_or_a_day_old_is_given_up(w: &mut World) {
        w.mail.set(Mode::Refuse);
        w.hook.set(Mode::Down);
        w.breach(&ticket(1), &["kepala", "mesin"]).await;
        w.step().await;
        assert_eq!(w.deliveries().await[0], "kepala smtp abandoned the mail server refuses the mail for good (550)");
        assert_eq!(w.deliveries().await[1], "simpeg webhook pending");
        w.after(24 * 3600).await;
        assert_eq!(w.deliveries().await[1], "simpeg webhook abandoned not accepted for a day; at last: the webhook can't take it now (503)");
        assert_eq!(w.after(24 * 3600).await.next, None);
    }

    async fn a_letter_claimed_and_never_marked_is_sent_again_after_the_lease_with_the_same_key(w: &mut World) {
        w.mail.set(Mode::Down);
        w.breach(&ticket(1), &["kepala"]).await;
        w.step().await;
        let now = w.now().plus(SignedDuration::from_secs(20));
        let until = now.plus(SignedDuration::from_secs(120));
        let claimed = outbox::claim(&w.db, Channel::Smtp, "w2", now, until, 9).await.unwrap();
        assert_eq!(claimed.len(), 1);
        assert!(outbox::claim(&w.db, Channel::Smtp, "w3", now, until, 9).await.unwrap().is_empty(), "a lease excludes others");
        // w2 dies here, after the server took the mail
        w.mail.set(Mode::Ok);
        assert_eq!(w.after(30).await.next, Some(until.timestamp()));
        assert!(w.mail.mails().is_empty());
        w.clock.set(until.timestamp());
        w.step().await;
        let mails = w.mail.mails();
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].replace("\r\n", "\n").trim_end(), claimed[0].payload.replace("\r\n", "\n").trim_end(), "the same bytes");
        // w2 was only slow: its mark comes too late and changes nothing
        let late = outbox::Mark { id: claimed[0].id, fence: claimed[0].fence, outcome: outbox::Outcome::Abandoned { error: "x".into() } };
        assert_eq!(outbox::mark(&w.db, w.now(), &[late]).await.unwrap(), [claimed[0].id]);
        assert_eq!(w.deliveries().await, ["kepala smtp delivered"]);
    }

    async fn two_workers_on_one_database_send_each_letter_once(w: &mut World) {
        for id in 1..=40 {
            w.breach(&ticket(id), &["mesin"]).await;
        }
        let (mut one, mut two) = (w.stage(), w.stage());
        let (first, second) = tokio::join!(one.once(), two.once());
        first.unwrap();
        second.unwrap();
        w.step().await;
        let mut ids: Vec<_> = w.hook.requests().iter().map(|call| call.header("webhook-id").to_owned()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len(), w.hook.requests().len()), (40, 40));
    }

    async fn a_server_that_hangs_holds_up_its_own_letters_only(w: &mut World) {
        w.mail.set(Mode::Hang);
        w.breach(&ticket(1), &["kepala"]).await;
        let mut stage = w.stage();
        // a second alert turns up while the first one hangs: the same step sends it
        let meanwhile = async {
            while w.rows("SELECT id FROM letter WHERE lease_owner IS NOT NULL").await.is_empty() {
                tokio::task::yield_now().await;
            }
            w.breach(&ticket(2), &["sekda"]).await;
        };
        let (tally, ()) = tokio::join!(stage.once(), meanwhile);
        tally.unwrap();
        assert_eq!(w.deliveries().await, ["kepala smtp pending", "sekda telegram delivered"]);
    }

    async fn a_backlog_waits_for_every_accounts_first_read_and_then_is_one_summary(w: &mut World) {
        w.exec("UPDATE source SET first_read_at = NULL, last_read_at = NULL WHERE account_id = 2", vec![]).await;
        for id in 1..=7 {
            let mut old = ticket(id);
            old.account = 1 + id % 2;
            w.add(&old).await;
            w.tell("account.backlog", Some(id), (2, "0m", &["sekda", "mesin"])).await;
        }
        let held = w.step().await;
        assert_eq!(held, tanggap::runtime::Tally { done: 0, next: Some(w.now().plus(SignedDuration::from_mins(5)).timestamp()) });
        w.exec("UPDATE source SET first_read_at = 1, last_read_at = $1 WHERE account_id = 2", vec![w.now().into()]).await;
        w.after(60).await;
        assert_eq!(w.chat.requests().len(), 1);
        let text = w.chat.requests()[0].json()["text"].as_str().unwrap().to_owned();
        assert!(text.contains("Ringkasan: 7 pesan warga belum dijawab: Dinhub 4, Dindukcapil 3"), "{text}");
        let calls = w.hook.requests();
        let seen: Vec<_> = calls.iter().map(|c| (c.json()["type"].clone(), c.json()["data"]["opd"].clone(), c.json()["data"]["count"].clone())).collect();
        assert_eq!(seen, [("account.backlog".into(), "dindukcapil".into(), 3.into()), ("account.backlog".into(), "dinhub".into(), 4.into())]);
    }

    async fn a_backlog_leaves_after_five_minutes_whatever_was_not_read(w: &mut World) {
        w.exec("UPDATE source SET first_read_at = NULL", vec![]).await;
        w.add(&ticket(1)).await;
        w.tell("account.backlog", Some(1), (2, "0m", &["kepala"])).await;
        assert_eq!(w.after(299).await.done, 0);
        w.after(1).await;
        assert_eq!(w.deliveries().await, ["kepala smtp delivered"]);
    }

    async fn doubts_about_an_account_reach_the_operator_only(w: &mut World) {
        w.tell("account.unverified", None, (0, "", &["kepala"])).await;
        w.step().await;
        assert_eq!(w.deliveries().await, ["op smtp delivered", "operator log delivered"]);
        let mail = &w.mail.texts()[0];
        assert!(mail.contains("Akun Facebook Dindukcapil tidak terbaca sejak Senin, 23 November 2026") && mail.contains("3 pesan belum"), "{mail}");
    }

    async fn a_webhook_gets_the_preview_only_unless_it_is_a_machine_inside_the_government(w: &mut World) {
        w.settings.letter.preview = Preview::None;
        w.breach(&ticket(1), &["mesin"]).await;
        w.step().await;
        w.settings.channels.webhooks.get_mut("simpeg").unwrap().full = true;
        w.breach(&ticket(2), &["mesin"]).await;
        w.step().await;
        let bodies: Vec<_> = w.hook.requests().iter().map(crate::channels::far::Request::json).collect();
        assert_eq!(bodies[0]["data"]["ticket"]["author"], serde_json::Value::Null);
        assert_eq!(bodies[0]["data"]["ticket"]["text"], "");
        assert_eq!(bodies[1], serde_json::json!({
            "type": "ticket.breached", "timestamp": "2026-11-23T07:05:00.000Z",
            "data": {"step": 2, "official": "simpeg", "link": "https://tanggap.example.go.id/tickets/2", "late_found": false, "ticket": {
                "id": 2, "opd": "dindukcapil", "platform": "facebook", "kind": "comment", "account": "dindukcapil", "thread": "th2",
                "author": {"id": "9001", "name": "Siti Rahma"}, "text": "Kapan KTP saya jadi?", "messages": 1, "policy": "biasa", "urgent": false,
                "state": "open", "opened_at": "2026-11-23T03:00:02Z", "due_at": "2026-11-23T07:03:00Z", "warned_at": null, "breached_at": null,
                "flagged_at": null, "acknowledged_at": null, "closed_at": null, "response_seconds": null, "business_seconds": null,
                "answered_by": null, "reply_window_closes_at": null, "assignee": null, "permalink": null, "unverified": false, "reason": null,
            }},
        }));
    }

    async fn ten_thousand_breaches_at_once_are_one_mail(w: &mut World) {
        let mut tx = w.db.write().await.unwrap();
        for id in 1..=10_000_i64 {
            let vals = || vec![id.into()];
            tx.exec("INSERT INTO thread (id, account_id, kind, key, name) VALUES ($1, 1, 'comment', CAST($1 AS TEXT), 'n')", vals()).await.unwrap();
            tx.exec(
                "INSERT INTO ticket (id, thread_id, account_id, author, policy, urgent, state, opened_at, due_at, unverified, messages, steps, configuration)
                 VALUES ($1, $1, 1, 'a', 'biasa', 0, 'open', $1, $1, 0, 1, '[]', '')",
                vals(),
            )
            .await
            .unwrap();
            tx.exec(
                "INSERT INTO alert (kind, ticket_id, policy, at_text, step, notify, late_found, detail, created_at)
                 VALUES ('ticket.breached', $1, 'biasa', '0m', 2, '[\"kepala\"]', 0, '', $1)",
                vals(),
            )
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
        w.step().await;
        assert_eq!(w.mail.mails().len(), 1);
        assert!(w.mail.texts()[0].contains("dan 9995 lainnya."));
        assert_eq!(outbox::outbox_count(&w.db).await.unwrap(), 0);
    }
}

/// A header of a mail, unfolded.
pub fn header(mail: &str, name: &str) -> String {
    let head = mail.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
    let line = head.lines().find(|line| line.to_lowercase().starts_with(&format!("{}:", name.to_lowercase()))).unwrap_or_default();
    line.split_once(':').map_or("", |(_, value)| value).trim().to_owned()
}

#[tokio::test]
async fn alert_test_reaches_every_official_of_the_group_without_a_database() {
    let mut world = World::sqlite().await;
    world.settings.officials[3].telegram = Some("-100999".into());
    world.chat.set(Mode::Refuse);
    let now: Time = world.now();
    let outcomes = tanggap::alert::test_letter(world.settings.clone().into(), &["operator"], now).await.unwrap();
    let said: Vec<_> = outcomes.iter().map(|o| (o.official.as_str(), o.channel, o.result.is_ok())).collect();
    assert_eq!(said, [("op", Channel::Smtp, true), ("op", Channel::Telegram, false)]);
    assert!(world.mail.texts()[0].contains("Ini pesan uji coba."));
    assert!(world.deliveries().await.is_empty());
}
