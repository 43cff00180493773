//! WhatsApp from the step to the telephone: one message at a time to a number, no copy while a status may still tell, and what the
//! statuses make of a letter.

use std::time::Duration;

use jiff::SignedDuration;
use tanggap::{
    domain::{
        Scope, TicketId, Time,
        alert::{Channel, Status},
        settings::Official,
    },
    runtime::Stage as _,
    store::{
        listing,
        outbox::{self, Report},
    },
};
use tokio::task::JoinSet;

use super::world::{START, World, at, official, on_both, ticket};
use crate::channels::far::Mode;

const SENT: [&str; 1] = ["bupati whatsapp delivered"];

fn start(seconds: i64) -> Time {
    at(START).plus(SignedDuration::from_secs(seconds))
}

/// The key of the first letter.
async fn key(w: &World) -> String {
    w.rows("SELECT key FROM letter WHERE channel = 'whatsapp' ORDER BY id").await[0].t("key").unwrap()
}

/// WhatsApp says this of the first letter; how many letters it told something new of.
async fn say(w: &World, status: Status, wamid: &str, code: Option<i64>) -> u64 {
    let report = Report { key: key(w).await, provider_id: wamid.into(), status, at: w.now(), code };
    outbox::report(&w.db, &[report]).await.unwrap()
}

async fn breach(w: &World, id: i64) {
    w.breach(&ticket(id), &["bupati"]).await;
}

/// The status that `show` tells of the ticket's first alert.
async fn shown(w: &World, ticket: i64) -> Option<String> {
    listing::alerts(&w.db, &Scope::ALL, TicketId(ticket)).await.unwrap()[0].status.clone()
}

on_both! {
    async fn a_step_is_one_template_message_with_the_letters_key_and_officials_of_one_number_share_it(w: &mut World) {
        w.settings.officials.push(Official { whatsapp: Some("6281200000000".into()), ..official("wabup", "Wakil Bupati", "bupati", &[]) });
        breach(w, 42).await;
        w.step().await;
        assert_eq!(w.deliveries().await, ["bupati whatsapp delivered", "wabup whatsapp delivered"]);
        let calls = w.wa.requests();
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0].json()["biz_opaque_callback_data"], key(w).await);
        assert_eq!(w.rows("SELECT provider_id FROM letter").await[0].t("provider_id").unwrap(), "wamid.7");
    }

    async fn no_number_gets_two_messages_within_six_seconds_however_short_the_grouping_and_however_urgent(w: &mut World) {
        w.settings.letter.group = SignedDuration::from_secs(1);
        breach(w, 1).await;
        w.step().await;
        let mut urgent = ticket(2);
        urgent.urgent = true;
        w.breach(&urgent, &["bupati"]).await;
        let held = w.after(1).await;
        assert_eq!((w.wa.requests().len(), held.next), (1, Some(start(6).timestamp())));
        assert_eq!(w.after(4).await.next, Some(start(6).timestamp()));
        w.after(1).await;
        assert_eq!(w.wa.requests().len(), 2);
    }

    async fn letters_tried_again_keep_six_seconds_from_each_other_and_from_new_ones(w: &mut World) {
        w.settings.letter.group = SignedDuration::from_secs(1);
        w.wa.set(Mode::Down);
        breach(w, 1).await;
        w.step().await;
        w.wa.set(Mode::Ok);
        breach(w, 2).await;
        w.after(14).await;
        assert_eq!(w.wa.requests().len(), 2, "the first failed, the second is there");
        // the first is due again after 15 to 16.5 s, but the number had a message at 14 s
        assert_eq!((w.after(3).await.next, w.wa.requests().len()), (Some(start(20).timestamp()), 2));
        w.after(3).await;
        assert_eq!(w.wa.requests().len(), 3);

        w.wa.set(Mode::Down);
        for id in [3, 4] {
            breach(w, id).await;
            w.after(30).await;
        }
        w.wa.set(Mode::Ok);
        let waits = w.after(3600).await;
        assert_eq!(waits.next, Some(w.now().plus(SignedDuration::from_secs(6)).timestamp()), "two were due, one left");
        let sent = w.wa.requests().len();
        assert_eq!(w.after(5).await.done, 0);
        w.after(1).await;
        assert_eq!(w.wa.requests().len(), sent + 1);
        assert!(w.deliveries().await.iter().all(|delivery| delivery == SENT[0]));
    }

    async fn after_an_unknown_outcome_five_minutes_pass_and_a_status_of_it_spares_the_second_copy(w: &mut World) {
        for mode in [Mode::Cut, Mode::Hang] {
            w.wa.set(mode);
            breach(w, 1).await;
            let next = w.step().await.next.unwrap();
            assert!(next.duration_since(w.now().timestamp()) >= SignedDuration::from_mins(5), "{mode:?}");
            w.wa.set(Mode::Ok);
            assert_eq!(w.after(299).await.done, 0);
            assert_eq!(say(w, Status::Sent, "wamid.1", None).await, 1);
            w.after(0).await;
            assert_eq!((w.deliveries().await, shown(w, 1).await.as_deref()), (SENT.map(str::to_owned).to_vec(), Some("sent")));
            w.after(3600).await;
            assert_eq!(w.wa.requests().len(), 1 + usize::from(mode == Mode::Hang), "no second copy");
            if mode == Mode::Cut {
                // the same once more, from the beginning
                for table in ["DELETE FROM letter", "DELETE FROM delivery", "DELETE FROM alert", "DELETE FROM ticket", "DELETE FROM message", "DELETE FROM thread"] {
                    w.exec(table, vec![]).await;
                }
            }
        }
    }

    async fn without_a_status_the_same_bytes_go_out_once_more_after_five_minutes(w: &mut World) {
        w.wa.set(Mode::Cut);
        breach(w, 1).await;
        w.step().await;
        w.wa.set(Mode::Ok);
        assert_eq!(w.after(299).await.done, 0);
        w.after(32).await;
        let calls = w.wa.requests();
        assert_eq!((calls.len(), &calls[0].body), (2, &calls[1].body));
        assert_eq!(w.deliveries().await, SENT);
    }

    async fn a_crash_under_the_lease_waits_as_long_and_a_status_in_between_marks_it_delivered(w: &mut World) {
        for told in [true, false] {
            let id = if told { 1 } else { 2 };
            w.wa.set(Mode::Hang);
            let calls = w.wa.requests().len();
            breach(w, id).await;
            let mut stage = w.stage();
            // the process dies while WhatsApp has the message in hand
            assert!(tokio::time::timeout(Duration::from_secs(1), stage.once()).await.is_err());
            assert_eq!(w.wa.requests().len(), calls + 1);
            w.wa.set(Mode::Ok);
            assert_eq!(w.after(300).await.done, 0);
            if told {
                assert_eq!(say(w, Status::Delivered, "wamid.1", None).await, 1);
                assert_eq!(w.after(1).await.done, 0, "its worker may still be at it");
            }
            w.after(60).await;
            assert!(w.deliveries().await.iter().all(|delivery| delivery == SENT[0]));
            assert_eq!(w.wa.requests().len(), calls + if told { 1 } else { 2 });
        }
    }

    async fn a_crash_holds_up_other_letters_to_the_number_for_seconds_only(w: &mut World) {
        w.wa.set(Mode::Hang);
        breach(w, 1).await;
        let mut stage = w.stage();
        assert!(tokio::time::timeout(Duration::from_secs(1), stage.once()).await.is_err());
        w.wa.set(Mode::Ok);
        breach(w, 2).await;
        w.after(40).await;
        assert_eq!(w.deliveries().await, ["bupati whatsapp pending", "bupati whatsapp delivered"]);
        w.after(300).await;
    }

    async fn a_message_that_failed_on_the_way_is_sent_again_while_it_may_pass_and_is_younger_than_a_day(w: &mut World) {
        breach(w, 1).await;
        w.step().await;
        assert_eq!(say(w, Status::Failed, "wamid.7", Some(131_016)).await, 1);
        w.after(1).await;
        assert_eq!(w.deliveries().await, ["bupati whatsapp pending"]);
        assert_eq!(shown(w, 1).await, None);
        assert_eq!(say(w, Status::Failed, "wamid.7", Some(131_016)).await, 0, "the same status once more");
        w.after(17).await;
        let calls = w.wa.requests();
        assert_eq!((calls.len(), &calls[0].body, w.deliveries().await), (2, &calls[1].body, SENT.map(str::to_owned).to_vec()));
        // the second one too, but a day later
        w.clock.advance(SignedDuration::from_hours(25));
        say(w, Status::Failed, "wamid.7", Some(131_016)).await;
        w.step().await;
        let given_up = "bupati whatsapp abandoned not accepted for a day; at last: WhatsApp is out of order for the moment (code 131016)";
        assert_eq!((w.deliveries().await[0].as_str(), shown(w, 1).await.as_deref()), (given_up, Some("failed")));
    }

    async fn what_a_mended_configuration_would_deliver_is_tried_again_too(w: &mut World) {
        breach(w, 1).await;
        w.step().await;
        say(w, Status::Failed, "wamid.7", Some(131_042)).await;
        w.after(1).await;
        let why = &listing::alerts(&w.db, &Scope::ALL, TicketId(1)).await.unwrap()[0];
        assert_eq!(why.state, "pending");
        assert!(why.error.as_deref().unwrap().contains("payment (code 131042): see the account of channel.whatsapp"), "{why:?}");
        w.after(3600).await;
        assert_eq!(w.deliveries().await, SENT);
    }

    async fn a_number_that_cannot_be_reached_is_an_alert_given_up_and_no_closing_line_follows(w: &mut World) {
        breach(w, 1).await;
        w.step().await;
        say(w, Status::Failed, "wamid.7", Some(131_026)).await;
        w.after(1).await;
        let [row, told @ ..] = &w.deliveries().await[..] else { panic!("a delivery") };
        assert_eq!(told, ["op smtp delivered", "operator log delivered"], "the operators hear of it by another way");
        assert!(row.starts_with("bupati whatsapp abandoned the official's number can't be reached") && row.ends_with("(code 131026)"), "{row}");
        w.close(1, "answered").await;
        w.tell("ticket.answered", Some(1), (0, "", &[])).await;
        w.after(60).await;
        assert_eq!((w.wa.requests().len(), w.deliveries().await.len()), (1, 3));
        // one report is known of a message that both failed and arrived: what arrived counts
        assert_eq!(say(w, Status::Delivered, "wamid.7", None).await, 1);
        w.after(1).await;
        assert_eq!((w.deliveries().await[0].as_str(), shown(w, 1).await.as_deref()), (SENT[0], Some("delivered")));
    }

    async fn statuses_out_of_order_of_other_copies_or_of_unknown_keys_cost_nothing(w: &mut World) {
        breach(w, 1).await;
        w.step().await;
        assert_eq!(say(w, Status::Failed, "wamid.of-another-copy", Some(131_026)).await, 0);
        assert_eq!(say(w, Status::Read, "wamid.7", None).await, 1);
        for late in [Status::Sent, Status::Delivered, Status::Failed, Status::Read] {
            assert_eq!(say(w, late, "wamid.7", Some(131_026)).await, 0, "{late}");
        }
        let nobodys = Report { key: "t1".into(), provider_id: "x".into(), status: Status::Failed, at: w.now(), code: None };
        assert_eq!(outbox::report(&w.db, &[nobodys]).await.unwrap(), 0);
        // a mail has no statuses, whatever is said of its key
        w.breach(&ticket(2), &["kepala"]).await;
        w.after(60).await;
        let mail = w.rows("SELECT key FROM letter WHERE channel = 'smtp'").await[0].t("key").unwrap();
        let forged = Report { key: mail, provider_id: String::new(), status: Status::Failed, at: w.now(), code: Some(131_026) };
        assert_eq!(outbox::report(&w.db, &[forged]).await.unwrap(), 0);
        assert_eq!(w.after(60).await.done, 0);
        assert_eq!((w.deliveries().await[0].as_str(), shown(w, 1).await.as_deref()), (SENT[0], Some("read")));
    }
}

#[tokio::test]
async fn two_workers_never_write_to_one_number_at_once() {
    let w = World::postgres().await;
    for id in 1..=6 {
        breach(&w, id).await;
        w.wa.set(Mode::Down);
        w.after(30).await;
    }
    w.wa.set(Mode::Ok);
    w.clock.advance(SignedDuration::from_hours(1));
    let due = w.rows("SELECT id FROM letter WHERE state = 'pending'").await.len();
    assert!(due > 3, "{due} are due at once");
    for _ in 0..due {
        let until = w.now().plus(SignedDuration::from_mins(5));
        let mut workers = JoinSet::new();
        for n in 0..8 {
            let (db, now) = (w.db.clone(), w.now());
            workers.spawn(async move { outbox::claim(&db, Channel::Whatsapp, &format!("w{n}"), now, until, 8).await.unwrap() });
        }
        let taken: Vec<_> = workers.join_all().await.into_iter().flatten().collect();
        assert_eq!(taken.len(), 1);
        let outcome = outbox::Outcome::Delivered { at: w.now(), provider_id: None };
        outbox::mark(&w.db, w.now(), &[outbox::Mark { id: taken[0].id, fence: taken[0].fence, outcome }]).await.unwrap();
        w.clock.advance(SignedDuration::from_secs(7));
    }
}
