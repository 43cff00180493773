//! What sla takes, reads and writes: in order, within its limit, each thread by one worker, all or nothing; and what staff record beside it.

use std::collections::HashSet;

use tanggap::{
    domain::{
        AccountId, Direction, Kind, MessageId, Platform, Scope, ThreadId, TicketId, TicketState,
        alert::{Alert, AlertId, AlertKind},
        message::Seen,
        ticket::{ActionKind, Effect, PlannedStep, StepKind, Subject, Ticket},
        view::{Ruled, Ruling, ThreadView},
    },
    store::{
        actions::{self, ActionError},
        intake, meta,
        tickets::{self, Quick},
    },
};
use tokio::task::JoinSet;

use super::world::{World, at, batch, comment, direct};
use crate::alert::world::on_both;

/// As many comment threads of the Page as wanted, due one second after another from the hour on.
async fn threads(w: &World, count: i64) -> AccountId {
    let (page, _) = w.accounts().await;
    let many: Vec<Seen> = (0..count).map(|n| comment(&format!("101_9_{}", 1000 + n), "x")).collect();
    w.take(page, 0, &many, &[]).await;
    w.exec("UPDATE thread SET next_look_at = $1 + 1000 * CAST(key AS BIGINT)", vec![at(-1000).into()]).await;
    page
}

/// The keys of the threads that are due.
async fn due(w: &World, seconds: i64, limit: u32) -> Vec<String> {
    let mut tx = w.db.write().await.unwrap();
    let ids = tickets::due(&mut tx, at(seconds), limit).await.unwrap();
    let views = tickets::views(&mut tx, &ids).await.unwrap();
    tx.commit().await.unwrap(); // a dropped one may hold its locks for a moment longer
    let key = |id: &ThreadId| views.iter().find(|view| view.id == *id).unwrap().messages[0].seen.external_id.clone();
    ids.iter().map(|id| key(id).rsplit('_').next().unwrap().to_owned()).collect()
}

async fn view(w: &World, key: &'static str) -> ThreadView {
    let mut tx = w.db.write().await.unwrap();
    let row = &tx.rows("SELECT id FROM thread WHERE key = $1", vec![key.into()]).await.unwrap()[0];
    let view = tickets::views(&mut tx, &[ThreadId(row.i("id").unwrap())]).await.unwrap().remove(0);
    tx.commit().await.unwrap();
    view
}

fn ticket(thread: ThreadId) -> Ticket {
    let step = PlannedStep {
        policy: "biasa".into(),
        at: "75%".into(),
        number: 1,
        kind: StepKind::Warning,
        due: at(180),
        notify: vec!["operator".into()],
        effect: Some(Effect { at: at(181), unverified: true, silent: Some("newer step".into()) }),
    };
    Ticket {
        id: TicketId(0),
        thread_id: thread,
        author: "9001".into(),
        policy: "biasa".into(),
        urgent: true,
        state: TicketState::Open,
        opened_at: at(-60),
        due_at: at(240),
        warned_at: Some(at(181)),
        breached_at: None,
        flagged_at: None,
        acknowledged_at: None,
        closed_at: None,
        answered_by: None,
        business_seconds: None,
        reason: None,
        unverified: true,
        messages: 1,
        assignee: None,
        held_by: None,
        window_warned: Some(at(86_340)),
        steps: vec![step],
        configuration: "c1".into(),
    }
}

/// One ticket of the thread, with an event and an alert.
fn ruling(view: &ThreadView, ticket: Ticket) -> Ruling {
    let members: Vec<MessageId> = view.messages.iter().map(|message| message.id).collect();
    let alert = Alert {
        cause: None,
        id: AlertId(0),
        kind: AlertKind::Warned,
        ticket: None,
        account: Some(view.account),
        policy: "biasa".into(),
        at: "75%".into(),
        step: 1,
        notify: vec!["operator".into()],
        late_found: true,
        detail: String::new(),
        created_at: at(200),
    };
    let ruled = Ruled {
        ticket,
        newest: members.first().map(|&id| (id, at(-60))),
        members,
        events: vec![("opened", String::new())],
        alerts: vec![alert],
        changed: true,
        flag_lag_ms: None,
    };
    Ruling {
        thread: view.id,
        account: view.account,
        subject: view.subject.clone(),
        account_external: view.account_external.clone(),
        tickets: vec![ruled],
        actions: view.actions.iter().map(|action| action.id).collect(),
        look_again: Some(at(240)),
        verify_at: Some(at(235)),
    }
}

async fn record(w: &World, mut rulings: Vec<Ruling>) -> Vec<Ruling> {
    let mut tx = w.db.write().await.unwrap();
    tickets::record(&mut tx, &mut rulings, at(200)).await.unwrap();
    tx.commit().await.unwrap();
    rulings
}

/// A ticket of dinhub with its thread; its number.
pub async fn stored(w: &World) -> TicketId {
    threads(w, 1).await;
    let seen = view(w, "1000").await;
    record(w, vec![ruling(&seen, ticket(seen.id))]).await[0].tickets[0].ticket.id
}

/// Rows of everything that `record` writes.
const WRITTEN: &str =
    "SELECT (SELECT COUNT(*) FROM ticket) * 1000 + (SELECT COUNT(*) FROM ticket_message) * 100 + (SELECT COUNT(*) FROM event) * 10
    + (SELECT COUNT(*) FROM alert) AS n";

on_both! {
async fn what_comes_while_its_account_is_judged_is_looked_at_after_it(w: &mut World) {
    let (page, _) = w.accounts().await;
    w.take(page, 0, &[Seen { private_reply: Some("t_1".into()), ..comment("101_9_1", "x") }], &[]).await;
    let mut tx = w.db.write().await.unwrap();
    let ids = tickets::due(&mut tx, at(10), 9).await.unwrap();
    let seen = tickets::views(&mut tx, &ids).await.unwrap().remove(0);
    let (db, reply) = (w.db.clone(), batch(page, 5, &[direct("m1", Direction::Out, 3)], &[]));
    let mut taking = JoinSet::new();
    taking.spawn(async move { intake::take(&db, &reply).await.unwrap() });
    let early = tokio::time::timeout(std::time::Duration::from_millis(300), taking.join_next()).await;
    assert!(early.is_err(), "it waits for the judge");
    let mut rulings = [Ruling { look_again: None, ..ruling(&seen, ticket(seen.id)) }];
    tickets::record(&mut tx, &mut rulings, at(10)).await.unwrap();
    tx.commit().await.unwrap();
    taking.join_all().await;
    assert!(due(w, 20, 9).await.contains(&"1".to_owned()), "the judge has not seen the private reply");
}

async fn what_staff_say_while_a_thread_is_judged_is_not_taken_for_judged(w: &mut World) {
    threads(w, 1).await;
    let seen = view(w, "1000").await;
    let id = record(w, vec![ruling(&seen, ticket(seen.id))]).await[0].tickets[0].ticket.id;
    let seen = view(w, "1000").await;
    actions::record(&w.db, &Scope::ALL, &[id], (ActionKind::Note, "diteruskan"), "Ani", at(150)).await.unwrap();
    record(w, vec![Ruling { tickets: vec![], ..ruling(&seen, ticket(seen.id)) }]).await;
    assert!(!view(w, "1000").await.actions[0].applied);
}

async fn due_threads_come_in_order_of_their_time_and_no_more_than_asked_for(w: &mut World) {
    threads(w, 5).await;
    assert_eq!(tickets::next_look(&w.db).await.unwrap(), Some(at(0)));
    assert!(due(w, -1, 9).await.is_empty());
    assert_eq!(due(w, 9, 3).await, ["1000", "1001", "1002"]);
    assert_eq!(due(w, 3, 9).await, ["1000", "1001", "1002", "1003"]);
    w.exec("UPDATE thread SET next_look_at = $1 WHERE key = '1004'", vec![at(-5).into()]).await;
    assert_eq!(due(w, 9, 2).await, ["1004", "1000"]);
    w.exec("UPDATE thread SET next_look_at = NULL", vec![]).await;
    assert!(due(w, 9, 9).await.is_empty());
    assert_eq!(tickets::next_look(&w.db).await.unwrap(), None);
}

async fn eight_workers_at_once_never_judge_one_thread_twice(w: &mut World) {
    threads(w, 96).await;
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let db = w.db.clone();
        tasks.spawn(async move {
            let mut judged = Vec::new();
            loop {
                let mut tx = db.write().await.unwrap();
                let ids = tickets::due(&mut tx, at(900), 5).await.unwrap();
                assert!(ids.len() <= 5);
                let views = tickets::views(&mut tx, &ids).await.unwrap();
                let mut rulings: Vec<Ruling> =
                    views.iter().map(|view| Ruling { look_again: None, ..ruling(view, ticket(view.id)) }).collect();
                tickets::record(&mut tx, &mut rulings, at(900)).await.unwrap();
                tx.commit().await.unwrap();
                if ids.is_empty() {
                    return judged;
                }
                judged.extend(ids);
            }
        });
    }
    let judged: Vec<ThreadId> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(judged.iter().collect::<HashSet<_>>().len(), judged.len());
    assert_eq!(w.number(WRITTEN).await, Some(judged.len() as i64 * 1111));
    assert_eq!(judged.len() + due(w, 900, 200).await.len(), 96, "what was skipped while another had it comes at the next step");
}

async fn a_ticket_comes_back_as_it_was_recorded_and_a_second_record_changes_it(w: &mut World) {
    threads(w, 2).await;
    let seen = view(w, "1000").await;
    let mut rulings = record(w, vec![ruling(&seen, ticket(seen.id))]).await;
    let id = rulings[0].tickets[0].ticket.id;
    assert_ne!(id, TicketId(0));
    assert_eq!(w.number(WRITTEN).await, Some(1111));
    let kept = view(w, "1000").await;
    assert_eq!(kept.tickets, [Ticket { id, ..ticket(seen.id) }]);
    assert_eq!(kept.members.into_iter().collect::<Vec<_>>(), [(seen.messages[0].id, id)]);
    let alert = "SELECT kind || at_text || notify || CAST(late_found AS TEXT) || ' ' || CAST(ticket_id AS TEXT) AS t FROM alert";
    assert_eq!(w.texts(alert).await, [format!("ticket.warned75%[\"operator\"]1 {}", id.0)]);
    assert_eq!(w.number("SELECT next_look_at AS n FROM thread WHERE key = '1000'").await, Some(at(240).ms()));
    assert_eq!(w.number("SELECT verify_at AS n FROM thread WHERE key = '1000'").await, Some(at(235).ms()));
    assert_eq!(w.number("SELECT verify_at AS n FROM thread WHERE key = '1001'").await, None, "the other thread is left alone");
    let answered = Ticket {
        state: TicketState::Answered, closed_at: Some(at(230)), answered_by: Some("101".into()), business_seconds: Some(290),
        breached_at: Some(at(240)), flagged_at: Some(at(241)), acknowledged_at: Some(at(10)), reason: Some("r".into()), assignee: Some("Budi".into()),
        held_by: Some("dinhub".into()),
        ..rulings[0].tickets[0].ticket.clone()
    };
    let ruled = &mut rulings[0].tickets[0];
    ruled.ticket = answered.clone();
    (ruled.events, ruled.alerts) = (vec![], vec![]);
    (rulings[0].look_again, rulings[0].verify_at) = (None, None);
    record(w, rulings).await;
    assert_eq!((view(w, "1000").await.tickets, w.number(WRITTEN).await), (vec![answered], Some(1111)));
    assert_eq!(w.number("SELECT MAX(next_look_at) AS n FROM thread WHERE key = '1000'").await, None);
    let mut tx = w.db.write().await.unwrap();
    tickets::record(&mut tx, &mut [], at(200)).await.unwrap();
}

async fn a_ruling_that_is_not_committed_leaves_nothing(w: &mut World) {
    threads(w, 1).await;
    let seen = view(w, "1000").await;
    let mut tx = w.db.write().await.unwrap();
    tickets::record(&mut tx, &mut [ruling(&seen, ticket(seen.id))], at(200)).await.unwrap();
    drop(tx);
    assert_eq!(w.number(WRITTEN).await, Some(0));
    assert_eq!(tickets::next_look(&w.db).await.unwrap(), Some(at(0)), "still to be judged");
}

async fn a_view_holds_what_its_tickets_depend_on_and_nothing_of_others(w: &mut World) {
    let (page, instagram) = w.accounts().await;
    let ours = |message: Seen| Seen { direction: Direction::Out, government: Some("101".into()), needs_answer: false, ..message };
    let replied = Seen { private_reply: Some("t_1".into()), ..comment("101_9_78", "Kapan?") };
    let messages = [comment("101_9_77", "x"), replied, ours(comment("101_9_79", "Besok")), ours(direct("m_2", Direction::Out, 5))];
    w.take(page, 10, &messages, &[intake::Proof::Post("101_9".into())]).await;
    w.take(instagram, 10, &[Seen { thread: tanggap::domain::message::ThreadKey { post: None, ..comment("c1", "").thread }, ..comment("c1", "Halo") }, direct("m_3", Direction::Out, 50)], &[]).await;
    let one = view(w, "77").await;
    assert_eq!(one.subject, Subject { opd: "dinhub".into(), platform: Platform::Facebook, kind: Kind::Comment });
    assert_eq!((one.account, one.account_external.as_str(), one.read_began_at, one.unreadable), (page, "101", Some(at(10)), false));
    assert_eq!(one.messages[0].seen, Seen { attachments: vec![], reactions: vec![], thread: one.messages[0].seen.thread.clone(), ..messages[0].clone() });
    assert_eq!(one.messages[0].author_key(), "9001");
    assert_eq!(one.elsewhere.iter().map(|m| m.seen.external_id.as_str()).collect::<Vec<_>>(), ["101_9_79"]);
    assert!(one.private.is_empty() && one.blindness.is_none() && one.opens_from.is_none());
    let answered = async |mut view| {
        let mut tx = w.db.write().await.unwrap();
        tickets::private_replies(&mut tx, std::slice::from_mut(&mut view)).await.unwrap();
        view
    };
    let replied = answered(view(w, "78").await).await;
    assert_eq!(replied.private.into_values().collect::<Vec<_>>(), [at(5)], "the conversation's first answer");
    let instagram = answered(view(w, "c1").await).await;
    assert_eq!(instagram.private.into_values().collect::<Vec<_>>(), [at(50)], "a direct message to the author answers");
    let mut tx = w.db.write().await.unwrap();
    assert!(tickets::views(&mut tx, &[]).await.is_ok_and(|views| views.is_empty()));
}

async fn a_quick_text_is_automatic_from_its_third_thread_on_and_wakes_the_others(w: &mut World) {
    let page = threads(w, 4).await;
    w.exec("UPDATE thread SET next_look_at = NULL", vec![]).await;
    let quick = async |thread: i64, hash: &str| {
        let one = Quick { account: page, hash: hash.into(), thread: ThreadId(thread), message: MessageId(thread) };
        let mut tx = w.db.write().await.unwrap();
        let automatic = tickets::quick(&mut tx, &[one], at(7)).await.unwrap();
        tx.commit().await.unwrap();
        !automatic.is_empty()
    };
    assert!(!quick(1, "h").await && !quick(1, "h").await && !quick(2, "h").await && !quick(3, "other").await);
    assert_eq!(w.number("SELECT COUNT(*) AS n FROM thread WHERE next_look_at IS NOT NULL").await, Some(0));
    assert!(quick(3, "h").await);
    let woken = "SELECT CAST(id AS TEXT) AS t FROM thread WHERE next_look_at IS NOT NULL ORDER BY id";
    assert_eq!(w.texts(woken).await, ["1", "2"]);
    w.exec("UPDATE thread SET next_look_at = NULL", vec![]).await;
    assert!(quick(3, "h").await && quick(1, "h").await);
    assert_eq!(w.texts(woken).await, Vec::<String>::new(), "known already");
}

async fn new_policies_wake_the_threads_with_open_tickets_and_the_daemon_remembers(w: &mut World) {
    threads(w, 3).await;
    let (one, two) = (view(w, "1000").await, view(w, "1001").await);
    record(w, vec![ruling(&one, ticket(one.id)), ruling(&two, Ticket { state: TicketState::Answered, ..ticket(two.id) })]).await;
    assert_eq!(tickets::look_at_all(&w.db, at(100)).await.unwrap(), 1);
    assert_eq!(w.number("SELECT next_look_at AS n FROM thread WHERE key = '1000'").await, Some(at(100).ms()));
    for (set_back_to, looks) in [(200, 100), (40, 40)] {
        tickets::clock_set_back(&w.db, at(set_back_to)).await.unwrap();
        assert_eq!(w.number("SELECT next_look_at AS n FROM thread WHERE key = '1000'").await, Some(at(looks).ms()));
    }
    assert_eq!(meta::remembered(&w.db, "policies").await.unwrap(), None);
    for value in ["a", "b"] {
        meta::remember(&w.db, "policies", value).await.unwrap();
        assert_eq!(meta::remembered(&w.db, "policies").await.unwrap().as_deref(), Some(value));
    }
}

async fn what_staff_do_is_recorded_for_all_or_none_and_makes_the_thread_due_until_it_is_applied(w: &mut World) {
    threads(w, 3).await;
    w.exec("UPDATE thread SET post_key = '8' WHERE key = '1002'", vec![]).await;
    let mut ids = Vec::new();
    for (key, state) in [("1000", TicketState::Open), ("1001", TicketState::Answered), ("1002", TicketState::Open)] {
        let seen = view(w, key).await;
        ids.push(record(w, vec![Ruling { look_again: None, ..ruling(&seen, Ticket { state, ..ticket(seen.id) }) }]).await[0].tickets[0].ticket.id);
    }
    let act = async |tickets: &[TicketId], kind| actions::record(&w.db, &Scope::ALL, tickets, (kind, "t"), "siti", at(5)).await;
    assert!(matches!(act(&[ids[0], TicketId(99)], ActionKind::Ack).await, Err(ActionError::Unknown(unknown)) if unknown == [TicketId(99)]));
    assert!(matches!(act(&[ids[0], ids[1]], ActionKind::Ack).await, Err(ActionError::Closed(closed)) if closed == [(ids[1], TicketState::Answered)]));
    assert!(actions::pending(&w.db).await.unwrap().is_empty() && due(w, 9, 9).await.is_empty());
    let done = act(&[ids[2], ids[0]], ActionKind::Ack).await.unwrap();
    let pending = actions::pending(&w.db).await.unwrap();
    assert_eq!(pending.iter().map(|action| (action.ticket, action.kind, action.by.as_str(), action.at)).collect::<Vec<_>>(), [(ids[2], ActionKind::Ack, "siti", at(5)), (ids[0], ActionKind::Ack, "siti", at(5))]);
    assert_eq!(due(w, 9, 1).await.len(), 1);
    assert_eq!(due(w, 9, 9).await.len(), 2);
    assert!(!actions::applied(&w.db, &done).await.unwrap());
    let seen = view(w, "1000").await;
    assert_eq!(seen.actions.iter().map(|action| action.applied).collect::<Vec<_>>(), [false]);
    record(w, vec![Ruling { look_again: None, tickets: vec![], ..ruling(&seen, ticket(seen.id)) }]).await;
    assert_eq!(due(w, 9, 9).await, ["1002"]);
    assert!(actions::applied(&w.db, &done[1..]).await.unwrap() && !actions::applied(&w.db, &done).await.unwrap());
    assert!(act(&[ids[1]], ActionKind::Note).await.is_ok(), "a closed ticket still takes a note");
    let of_post = async |post: &str| actions::targets_of_post(&w.db, post).await.unwrap();
    assert_eq!((of_post("101_9").await, of_post("9").await, of_post("8").await), (vec![ids[0]], vec![ids[0]], vec![ids[2]]));
    assert_eq!((of_post("7").await, actions::targets_of_author(&w.db, "9001").await.unwrap()), (vec![], vec![ids[0], ids[2]]));
}
}
