//! The outbox under many workers; what it means to officials is told in `alert`.

use std::collections::HashSet;

use tanggap::{
    domain::{
        TicketId,
        alert::{AlertId, AlertKind, Channel, Held, Status},
    },
    store::{
        StoreError,
        outbox::{self, Claimed, Mark, NewDelivery, NewLetter, Outcome, Report},
    },
};
use tokio::task::JoinSet;

use super::world::{World, at};
use crate::alert::world::on_both;

fn delivery(n: usize) -> NewDelivery {
    NewDelivery {
        key: format!("{n}/biasa/0m"),
        alert: AlertId(1),
        kind: AlertKind::Breached,
        ticket: Some(TicketId(1)),
        account: None,
        step: 1,
        official: "kepala".into(),
        channel: Channel::Smtp,
        address: format!("{n}@example.go.id"),
        reason: None,
        send_at: at(n as i64),
        held: None,
    }
}

fn letter(name: &str, delivery: i64) -> NewLetter {
    NewLetter {
        key: format!("{name}{delivery}"),
        channel: Channel::Smtp,
        address: "a@example.go.id".into(),
        official: "kepala".into(),
        kind: AlertKind::Breached,
        payload: Ok("Halo".into()),
        deliveries: vec![delivery],
    }
}

/// So many waiting deliveries of one alert, one of them due each second.
async fn deliveries(w: &World, count: usize) {
    let alert = "INSERT INTO alert (id, kind, policy, at_text, step, notify, late_found, detail, created_at) VALUES (1, 'ticket.breached', '', '', 0, '[]', 0, '', 0)";
    w.exec(alert, vec![]).await;
    let all: Vec<NewDelivery> = (0..count).map(delivery).collect();
    assert_eq!(outbox::route(&w.db, at(0), &[AlertId(1)], &all).await.unwrap(), count as u64);
}

async fn owners(w: &World, seconds: i64) -> Vec<String> {
    tanggap::store::leases::owners(&w.db, at(seconds)).await.unwrap()
}

async fn waiting(w: &World, seconds: i64, limit: u32) -> Vec<i64> {
    outbox::waiting(&w.db, at(seconds), 9, limit).await.unwrap().iter().map(|one| one.delivery).collect()
}

async fn claim(w: &World, seconds: i64, limit: u32) -> Vec<Claimed> {
    outbox::claim(&w.db, Channel::Smtp, "w1", at(seconds), at(seconds + 60), limit).await.unwrap()
}

on_both! {
async fn the_facts_of_a_letter_are_those_of_the_ticket_its_account_and_its_steps(w: &mut World) {
    assert!(outbox::facts(&w.db, TicketId(7)).await.unwrap().is_none());
    let (account, _) = w.accounts().await;
    w.exec("INSERT INTO thread (id, account_id, kind, key, name) VALUES (7, $1, 'comment', 'k', 'n')", vec![account.0.into()]).await;
    w.exec(
        "INSERT INTO ticket (id, thread_id, account_id, author, policy, urgent, state, opened_at, due_at, unverified, messages, steps, configuration)
         VALUES (7, 7, $1, '', 'biasa', 0, 'open', 0, 0, 0, 1, $2, '')",
        vec![account.0.into(), r#"[{"policy":"biasa","at":"0m","number":1,"kind":"breach","due":0,"notify":["kepala"],"effect":null}]"#.into()],
    )
    .await;
    let (account, ticket, steps) = outbox::facts(&w.db, TicketId(7)).await.unwrap().unwrap();
    assert_eq!((account.opd.as_str(), ticket.id, ticket.thread.as_str(), steps[0].number), ("dinhub", TicketId(7), "n", 1));
}

async fn what_a_dead_worker_had_in_hand_is_free_at_once_and_its_own_result_comes_too_late(w: &mut World) {
    w.accounts().await;
    deliveries(w, 1).await;
    let row = waiting(w, 0, 9).await[0];
    outbox::form(&w.db, at(0), &[letter("l", row)]).await.unwrap();
    let dead = claim(w, 0, 9).await;
    assert_eq!((owners(w, 0).await, owners(w, 60).await), (vec!["w1".to_owned()], vec![]));
    tanggap::store::leases::free(&w.db, &["w2".to_owned()]).await.unwrap();
    assert!(claim(w, 1, 9).await.is_empty(), "another's lease holds");
    tanggap::store::leases::free(&w.db, &["w1".to_owned()]).await.unwrap();
    assert!(owners(w, 0).await.is_empty());
    let again = claim(w, 1, 9).await;
    assert_eq!((again.len(), &again[0].key), (1, &dead[0].key));
    let late = Mark { id: dead[0].id, fence: dead[0].fence, outcome: Outcome::Delivered { at: at(2), provider_id: None } };
    assert_eq!(outbox::mark(&w.db, at(2), &[late]).await.unwrap(), [dead[0].id]);
}

async fn a_delivery_is_stored_once_ever_and_its_alert_routed_once(w: &mut World) {
    deliveries(w, 3).await;
    assert!(outbox::unrouted(&w.db, at(0), 9).await.unwrap().is_empty());
    assert_eq!(outbox::route(&w.db, at(60), &[AlertId(1)], &[delivery(1), delivery(3)]).await.unwrap(), 1);
    assert_eq!(w.number("SELECT routed_at AS n FROM alert").await, Some(at(0).ms()), "when it was first");
    assert_eq!((waiting(w, 1, 9).await.len(), waiting(w, 9, 3).await.len(), outbox::outbox_count(&w.db).await.unwrap()), (2, 3, 4));
    outbox::hold(&w.db, &[(waiting(w, 0, 9).await[0], at(50), Held::Group)]).await.unwrap();
    assert_eq!((waiting(w, 0, 9).await, outbox::next_due(&w.db).await.unwrap()), (vec![], Some(at(1))));
}

async fn of_eight_that_form_the_same_letters_one_succeeds_and_the_others_write_nothing(w: &mut World) {
    deliveries(w, 120).await;
    let all = waiting(w, 200, 200).await;
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let (db, letters) = (w.db.clone(), all.iter().map(|&id| letter(&format!("w{task}-"), id)).collect::<Vec<_>>());
        tasks.spawn(async move { outbox::form(&db, at(200), &letters).await });
    }
    let outcomes = tasks.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Err(StoreError::Fenced))).count(), 7, "{outcomes:?}");
    assert_eq!(w.number("SELECT COUNT(*) AS n FROM letter").await, Some(120));
    assert!(waiting(w, 200, 200).await.is_empty());
    assert_eq!(outbox::former(&w.db, &[TicketId(1)]).await.unwrap().len(), 120);
}

async fn eight_claimants_at_once_never_get_one_letter_twice(w: &mut World) {
    deliveries(w, 96).await;
    let letters: Vec<NewLetter> = waiting(w, 200, 200).await.into_iter().map(|id| letter("k", id)).collect();
    outbox::form(&w.db, at(200), &letters).await.unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let db = w.db.clone();
        tasks.spawn(async move {
            let mut got = Vec::new();
            loop {
                let some = outbox::claim(&db, Channel::Smtp, &format!("w{task}"), at(200), at(260), 5).await.unwrap();
                assert!(some.len() <= 5);
                if some.is_empty() {
                    return got;
                }
                got.extend(some);
            }
        });
    }
    let mut claimed: Vec<Claimed> = tasks.join_all().await.into_iter().flatten().collect();
    claimed.extend(claim(w, 200, 96).await); // what a claimant skipped because another was just taking it
    assert_eq!((claimed.len(), claimed.iter().map(|letter| letter.id).collect::<HashSet<_>>().len()), (96, 96));
    assert!(claimed.iter().all(|letter| (letter.fence, letter.attempts) == (1, 1)));
    assert!(outbox::claim(&w.db, Channel::Telegram, "w1", at(900), at(960), 9).await.unwrap().is_empty(), "another way's letters");
}

async fn a_mark_under_an_old_fence_is_refused_and_writes_nothing(w: &mut World) {
    deliveries(w, 2).await;
    let letters: Vec<NewLetter> = waiting(w, 9, 9).await.into_iter().map(|id| letter("k", id)).collect();
    outbox::form(&w.db, at(9), &letters).await.unwrap();
    assert_eq!(claim(w, 8, 9).await.len(), 0, "not due yet");
    let (old, new) = (claim(w, 9, 9).await, claim(w, 69, 9).await);
    let mark = |letter: &Claimed, outcome: Outcome| Mark { id: letter.id, fence: letter.fence, outcome };
    let delivered = || Outcome::Delivered { at: at(70), provider_id: Some("p".into()) };
    let later = || Outcome::Later { at: at(99), error: "no route".into() };
    let lost = outbox::mark(&w.db, at(99), &[mark(&old[0], later()), mark(&new[1], delivered())]).await.unwrap();
    assert_eq!(lost, [old[0].id], "the other is written all the same");
    assert_eq!(outbox::mark(&w.db, at(99), &[mark(&new[1], later()), mark(&new[0], later())]).await.unwrap(), [new[1].id], "marked once");
    assert_eq!((claim(w, 98, 9).await.len(), claim(w, 99, 9).await.len(), outbox::outbox_count(&w.db).await.unwrap()), (0, 1, 1));
}

async fn a_report_is_settled_once_by_the_status_it_followed_from_and_not_under_a_lease(w: &mut World) {
    deliveries(w, 2).await;
    let mut letters: Vec<NewLetter> = waiting(w, 9, 9).await.into_iter().map(|id| letter("k", id)).collect();
    for letter in &mut letters {
        letter.channel = Channel::Whatsapp;
    }
    letters[1].address = "another number".into();
    outbox::form(&w.db, at(9), &letters).await.unwrap();
    let claimed = outbox::claim(&w.db, Channel::Whatsapp, "w1", at(9), at(69), 9).await.unwrap();
    assert_eq!(claimed.len(), 2, "each to a number of its own");
    let said = |n: usize, status| Report { key: claimed[n].key.clone(), provider_id: String::new(), status, at: at(20), code: Some(1) };
    assert_eq!(outbox::report(&w.db, &[said(0, Status::Sent), said(1, Status::Failed)]).await.unwrap(), 2);
    assert!(outbox::reported(&w.db, at(68), 9).await.unwrap().is_empty(), "their worker may still be at it");
    let reported = outbox::reported(&w.db, at(69), 9).await.unwrap();
    assert_eq!(reported.iter().map(|one| (one.status, one.at, one.code)).collect::<Vec<_>>(), [
        (Status::Sent, at(20), Some(1)),
        (Status::Failed, at(20), Some(1)),
    ]);
    assert_eq!(outbox::reported(&w.db, at(69), 1).await.unwrap().len(), 1);
    assert!(outbox::claim(&w.db, Channel::Whatsapp, "w2", at(69), at(99), 9).await.unwrap().is_empty(), "what is reported on is not sent");
    // the second arrives after all while the first conclusions are drawn
    outbox::report(&w.db, &[said(1, Status::Delivered)]).await.unwrap();
    let mark = |n: usize, outcome| (Mark { id: reported[n].letter.id, fence: reported[n].letter.fence, outcome }, reported[n].status);
    let marks = [mark(0, Outcome::Delivered { at: at(20), provider_id: None }), mark(1, Outcome::Later { at: at(99), error: "x".into() })];
    assert_eq!(outbox::settle(&w.db, at(69), &marks).await.unwrap(), [reported[1].letter.id]);
    assert_eq!(w.number("SELECT COUNT(*) AS n FROM delivery WHERE state = 'delivered'").await, Some(1));
    assert_eq!(outbox::reported(&w.db, at(70), 9).await.unwrap().len(), 1, "the second, as delivered");
}
}
