//! A restored backup is known as one: what was due is one summary, no number comes twice, nothing is sent blindly. On both databases with the
//! real stages, then the whole way with the real program: backup, restore, start.

mod files;
mod private;

use std::collections::BTreeSet;

use jiff::SignedDuration;
use tanggap::{
    domain::{AccountId, Platform, Source, Time},
    store::{
        accounts, replies,
        restored::{self, Restored},
        sources,
    },
};

use crate::{acks::world::World, alert::world::on_both};

impl World {
    async fn number_of_account(&self) -> AccountId {
        accounts::number(&self.db, Platform::Facebook, "101").await.unwrap().unwrap()
    }

    /// Everything of the account is read now.
    async fn read(&self) {
        let (account, now) = (self.number_of_account().await, self.now());
        sources::begin(&self.db, account, &[Source::Comments], (now, Time::clamp_ms(0), SignedDuration::from_hours(2))).await.unwrap();
        sources::read(&self.db, account, &[Source::Comments], now, SignedDuration::from_hours(2)).await.unwrap();
    }

    async fn read_judged_told(&self) {
        self.read().await;
        self.take(vec![]).await;
        self.judge().await;
        self.tell().await;
    }

    fn later(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }

    /// The daemon starts on this database, beside which a sign of life of a minute ago lies.
    async fn starts(&self) -> Option<Restored> {
        restored::recognise(&self.db, Some(self.now().minus(SignedDuration::from_mins(1))), self.now()).await.unwrap()
    }

    /// How many letters each of the three officials got.
    fn letters(&self) -> [usize; 3] {
        let mails = self.mails.captured();
        let to = |address: &str| mails.iter().filter(|mail| mail.to == [address]).count();
        let chats = self.chats.captured().iter().filter(|chat| chat.path.ends_with("/sendMessage")).count();
        [to("kepala@example.go.id"), chats, to("bupati@example.go.id")]
    }

    async fn deliveries(&self) -> Vec<String> {
        self.texts("SELECT official || ' ' || kind || ' ' || state || COALESCE(' ' || reason, '') AS t FROM delivery ORDER BY id").await
    }
}

on_both! {
    async fn what_was_due_before_the_start_is_one_summary_an_official_and_later_steps_run_as_usual(w: &mut World) {
        w.read().await;
        let a = w.ticket("Kapan zirkonkutilang saya jadi?").await;
        w.later(180);
        let b = w.ticket("Lampu jalan padam").await;
        w.later(61);
        w.read().await;
        w.take(vec![]).await;
        w.judge().await; // the step at the deadline has taken effect, nobody is told yet
        restored::renew(&w.db, w.now()).await.unwrap();
        assert_eq!(restored::recognise(&w.db, Some(w.now()), w.now()).await.unwrap(), None, "an equal sign of life is no older one");
        let copy_of = w.now();
        w.later(149); // 6 h 30: the steps an hour and two hours after the deadline are past too
        let found = w.starts().await.unwrap();
        assert_eq!((found.of, found.alerts, found.again, found.deliveries), (Some(copy_of), 1, 1, 0));
        assert_eq!((w.starts().await, restored::at(&w.db).await.unwrap()), (None, Some(w.now())), "once");

        w.tell().await;
        w.take(vec![]).await;
        w.judge().await;
        w.tell().await;
        assert_eq!(w.letters(), [0, 0, 0], "it waits until every account was read");
        w.later(1);
        w.read_judged_told().await;
        assert_eq!(w.letters(), [1, 1, 1]);
        assert_eq!(w.deliveries().await, [
            "kepala-dinhub account.backlog delivered", "sekda account.backlog delivered", "bupati account.backlog delivered",
        ]);
        let flagged = "SELECT CAST(id AS TEXT) || CASE WHEN flagged_at IS NULL THEN '' ELSE ' flagged' END AS t FROM ticket ORDER BY id";
        assert_eq!(w.texts(flagged).await, [format!("{a} flagged"), b.to_string()]);
        w.read_judged_told().await;
        assert_eq!(w.letters(), [1, 1, 1], "once");

        w.later(31); // 7 h 2: the deadline of the other one
        w.read_judged_told().await;
        assert_eq!(w.letters(), [2, 2, 1]);
        assert_eq!(w.deliveries().await[3..], ["kepala-dinhub ticket.breached delivered", "sekda ticket.breached delivered"]);
    }

    async fn what_was_under_way_is_dropped_and_told_once_more_under_the_same_delivery_and_another_letter(w: &mut World) {
        w.read().await;
        w.two_late().await;
        assert_eq!(w.letters(), [1, 1, 0]);
        let keys = w.texts("SELECT key AS t FROM delivery ORDER BY key").await;
        // of then: not accepted yet
        w.exec("UPDATE delivery SET state = 'pending', delivered_at = NULL", vec![]).await;
        w.exec("UPDATE letter SET state = 'pending', next_try_at = 0, delivered_at = NULL", vec![]).await;
        restored::renew(&w.db, w.now()).await.unwrap();
        w.later(10);
        let found = w.starts().await.unwrap();
        assert_eq!((found.alerts, found.deliveries, found.letters, found.again), (0, 4, 2, 2));
        w.read_judged_told().await;
        assert_eq!(w.letters(), [2, 2, 0], "one letter for both tickets");
        let after = w.deliveries().await;
        assert!(after[..4].iter().all(|line| line.ends_with("ticket.breached dropped restored")), "{after:?}");
        assert!(after[4..].iter().all(|line| line.ends_with("account.backlog delivered")) && after.len() == 8, "{after:?}");
        assert_eq!(w.texts("SELECT key AS t FROM delivery WHERE state = 'delivered' ORDER BY key").await, keys);
        assert_eq!(w.number("SELECT COUNT(DISTINCT key) AS n FROM letter").await, 4);
        assert_eq!(w.number("SELECT COUNT(*) AS n FROM letter WHERE state = 'pending'").await, 0);
    }

    async fn numbers_that_others_may_have_seen_are_never_given_out_again(w: &mut World) {
        w.read().await;
        let first = w.ticket("Kapan zirkonkutilang saya jadi?").await;
        w.pass(SignedDuration::from_mins(241)).await;
        let before: BTreeSet<String> = w.texts("SELECT key AS t FROM letter").await.into_iter().collect();
        restored::renew(&w.db, w.now()).await.unwrap();
        // the same again in another life: the letters and numbers that were given out there
        let lost = w.number("SELECT MAX(id) AS n FROM alert").await + 1;
        w.later(60);
        let found = w.starts().await.unwrap();
        let second = w.ticket("Lampu jalan padam").await;
        assert_eq!((first, second, found.next_ticket.0), (1, 2001, 2001));
        let third = w.ticket("Jembatan rusak").await;
        assert_eq!(third, 2002);
        w.read_judged_told().await;
        assert!(w.number("SELECT MIN(id) AS n FROM alert WHERE created_at >= (SELECT CAST(value AS BIGINT) FROM meta WHERE key = 'restored')").await > lost + 900);
        assert!(w.number("SELECT MIN(id) AS n FROM event WHERE ticket_id = 2001").await > 2000);
        let after: BTreeSet<String> = w.texts("SELECT key AS t FROM letter").await.into_iter().collect();
        assert!(after.len() > before.len() && after.is_superset(&before));
        // and again, further on
        w.later(600);
        let again = w.starts().await.unwrap();
        assert!(again.next_ticket.0 > 3000, "{again:?}");
        assert_eq!(w.ticket("Air mati").await, again.next_ticket.0);
    }

    async fn a_reply_that_may_have_been_sent_is_looked_for_and_sessions_are_over(w: &mut World) {
        let ticket = w.ticket("Kapan zirkonkutilang saya jadi?").await;
        for (id, state) in [(1_i64, "waiting"), (2, "sending"), (3, "sent"), (4, "failed")] {
            let sql = "INSERT INTO reply (id, ticket_id, account_id, form, target, text, by_name, created_at, state, next_try_at, lease_owner, lease_until)
                 VALUES ($1, $2, 1, 'comment', '770', 'Sudah', 'siti', $3, $4, CASE WHEN $4 IN ('waiting', 'sending') THEN $3 END, 'w', $3 + 60000)";
            w.exec(sql, vec![id.into(), ticket.into(), w.now().into(), state.into()]).await;
        }
        w.exec("INSERT INTO session (hash, person_id, created_at, used_at) VALUES ('h', 1, 0, 0)", vec![]).await;
        restored::renew(&w.db, w.now()).await.unwrap();
        w.later(30);
        assert_eq!(w.starts().await.unwrap().replies, 2);
        assert_eq!(w.texts("SELECT state AS t FROM reply ORDER BY id").await, ["uncertain", "uncertain", "sent", "failed"]);
        let due = replies::claim(&w.db, "w2", (w.now(), w.now().plus(SignedDuration::from_secs(60))), None, 9).await.unwrap();
        assert_eq!(due.len(), 2, "looked for at once");
        assert!(due.iter().all(|reply| reply.tried_at == Some(reply.created_at) && reply.missed_at.is_none()));
        assert_eq!(w.number("SELECT COUNT(*) AS n FROM session").await, 0);
    }

    async fn a_morning_sheet_of_before_the_start_counts_as_told(w: &mut World) {
        use tanggap::{domain::alert::AlertKind, store::outbox};
        restored::renew(&w.db, w.now()).await.unwrap();
        w.later(60);
        w.starts().await.unwrap();
        let (past, next) = (w.now().minus(SignedDuration::from_mins(30)), w.now().plus(SignedDuration::from_mins(1)));
        assert!(!outbox::schedule(&w.db, AlertKind::Morning, "sekda", past, w.now()).await.unwrap());
        assert!(outbox::schedule(&w.db, AlertKind::Morning, "sekda", next, w.now()).await.unwrap());
    }

    async fn a_database_without_a_sign_of_life_is_older_only_if_it_was_used(w: &mut World) {
        assert_eq!((restored::beat(&w.db).await.unwrap(), w.starts().await), (None, None), "a new one beside an old file");
        w.exec("DELETE FROM meta WHERE key = 'beat'", vec![]).await;
        w.ticket("Kapan zirkonkutilang saya jadi?").await;
        w.later(10);
        assert!(w.starts().await.is_some(), "a copy by a version that kept none");
        w.exec("INSERT INTO meta (key, value) VALUES ('copied', $1)", vec![w.now().minus(SignedDuration::from_hours(3)).ms().to_string().into()]).await;
        let marked = restored::recognise(&w.db, None, w.now()).await.unwrap().unwrap();
        assert_eq!(marked.of, Some(w.now().minus(SignedDuration::from_hours(3))), "a copy says so itself");
        let later = restored::renew(&w.db, w.now().plus(SignedDuration::from_secs(5))).await.unwrap();
        assert_eq!(restored::renew(&w.db, w.now()).await.unwrap(), later, "a clock that went back makes no copy");
        assert_eq!(restored::beat(&w.db).await.unwrap(), Some(later));
    }
}
