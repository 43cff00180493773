//! Replies: what may be recorded, and that one worker at a time has one.

use tanggap::{
    domain::{
        Direction, Form, ReplyId, ReplyState, Scope, TicketId,
        message::Seen,
        reply::{TextError, Unfit},
    },
    store::{
        Db,
        intake::Proof,
        leases,
        replies::{self, Claimed, End, ReplyError},
    },
};

use super::world::{World, at, comment, direct};

/// A comment of citizen 9001 with ticket 1, another below the same post with ticket 2, a conversation with ticket 3; the account 101.
async fn world(world: &World) {
    let (page, _) = world.accounts().await;
    let other = Seen { created_at: at(-30), ..comment("9_78", "Bagaimana?") };
    let proofs = [Proof::Post("101_9".into())];
    world.take(page, 0, &[comment("9_77", "Kapan?"), other, direct("m_1", Direction::In, -60)], &proofs).await;
    for (id, key) in [(1_i64, "77"), (2, "78"), (3, "m_1")] {
        world
            .exec(
                "INSERT INTO ticket (id, thread_id, account_id, author, policy, urgent, state, opened_at, due_at, unverified, messages,
                   newest_message_id, newest_at, steps, configuration)
                 SELECT $1, thread_id, account_id, '9001', 'biasa', 0, 'open', created_at, created_at, 0, 1, id, created_at, '[]', ''
                 FROM message WHERE key = $2",
                vec![id.into(), key.into()],
            )
            .await;
    }
}

async fn both() -> [World; 2] {
    let worlds = [World::sqlite().await, World::postgres().await];
    for one in &worlds {
        world(one).await;
    }
    worlds
}

async fn record(db: &Db, ticket: i64, form: Option<Form>, text: &str, seconds: i64) -> Result<ReplyId, ReplyError> {
    replies::record(db, &Scope::ALL, TicketId(ticket), (form, text), "siti", at(seconds)).await
}

async fn claim(db: &Db, owner: &str, seconds: i64) -> Vec<Claimed> {
    replies::claim(db, owner, (at(seconds), at(seconds + 60)), None, 10).await.unwrap()
}

async fn state(db: &Db, id: ReplyId) -> ReplyState {
    replies::one(db, id).await.unwrap().unwrap().state
}

#[tokio::test]
async fn a_reply_is_recorded_with_its_target_and_no_second_one_meanwhile() {
    for World { db, .. } in &both().await {
        let facts = replies::facts(db, &Scope::ALL, TicketId(1), None).await.unwrap().unwrap();
        assert_eq!((facts.opd.as_str(), facts.thread.as_str(), facts.post.as_deref()), ("dinhub", "9_77", Some("9")));
        assert_eq!(replies::facts(db, &Scope::ALL, TicketId(9), None).await.unwrap(), None);
        assert!(replies::next(db).await.unwrap().is_none() && replies::list(db, &Scope::ALL, TicketId(1)).await.unwrap().is_empty());

        let id = record(db, 1, None, "  Sudah, Bu. ", 0).await.unwrap();
        let row = replies::one(db, id).await.unwrap().unwrap();
        assert_eq!((row.form, row.text.as_str(), row.by.as_str(), row.state), (Form::Comment, "Sudah, Bu.", "siti", ReplyState::Waiting));
        assert_eq!(replies::list(db, &Scope::ALL, TicketId(1)).await.unwrap(), [row]);
        assert_eq!(replies::next(db).await.unwrap(), Some(at(0)));
        let error = record(db, 1, Some(Form::Private), "Lagi", 1).await.unwrap_err();
        assert_eq!(error.to_string(), "another reply to ticket 1 is waiting: wait for what becomes of it; nothing was sent");
        record(db, 2, None, "Sudah, Bu.", 1).await.unwrap(); // another ticket
    }
}

#[tokio::test]
async fn what_meta_would_not_take_is_refused_before_anything_is_recorded() {
    for World { db, .. } in &both().await {
        let week = 7 * 24 * 3600;
        for (ticket, form, text, seconds, why) in [
            (9, None, "Sudah", 0, "there is no ticket 9; nothing was sent"),
            (1, Some(Form::Message), "Sudah", 0, Unfit::NotConversation.sentence()),
            (3, Some(Form::Private), "Sudah", 0, Unfit::Conversation.sentence()),
            (3, None, "Sudah", week, Unfit::WindowOver.sentence()),
            (1, Some(Form::Private), "Sudah", week, Unfit::PrivateOver.sentence()),
            (1, None, " \n", 0, "the text is empty; nothing was sent"),
            (1, None, "a\0b", 0, "NUL"),
        ] {
            let error = record(db, ticket, form, text, seconds).await.unwrap_err().to_string();
            assert!(error.contains(why), "{ticket} {text}: {error}");
        }
        let long = record(db, 3, None, &"a".repeat(2_001), 0).await.unwrap_err();
        assert!(matches!(long, ReplyError::Text(TextError::TooLong { most: 2_000, .. })), "{long}");
        let hint = record(db, 1, Some(Form::Message), "Sudah", 0).await.unwrap_err().to_string();
        assert!(hint.contains("(https://fb.example/9_77)"), "{hint}");
        let mut tx = db.write().await.unwrap();
        tx.exec("UPDATE ticket SET state = 'answered' WHERE id = 1", vec![]).await.unwrap();
        tx.exec("UPDATE account SET active = 0", vec![]).await.unwrap();
        tx.commit().await.unwrap();
        assert!(matches!(record(db, 1, None, "Sudah", 0).await, Err(ReplyError::Inactive(_))));
        let mut tx = db.write().await.unwrap();
        tx.exec("UPDATE account SET active = 1", vec![]).await.unwrap();
        tx.commit().await.unwrap();
        assert!(matches!(record(db, 1, None, "Sudah", 0).await, Err(ReplyError::Unfit { why: Unfit::Closed, .. })));
        assert!(replies::next(db).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn of_many_that_answer_at_once_one_is_recorded_and_one_worker_gets_it() {
    for World { db, .. } in &both().await {
        let all = futures_util::future::join_all((0..8).map(|n| async move { record(db, 1, None, &format!("Sudah {n}"), 0).await })).await;
        assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1);
        let owners: Vec<String> = (0..8).map(|n| format!("w{n}")).collect();
        let got = futures_util::future::join_all(owners.iter().map(|owner| claim(db, owner, 0))).await;
        assert_eq!(got.iter().map(Vec::len).sum::<usize>(), 1);
    }
}

#[tokio::test]
async fn a_lease_that_was_lost_writes_nothing_and_what_was_begun_is_not_begun_again() {
    for World { db, .. } in &both().await {
        let id = record(db, 3, None, "Sudah, Bu.", 0).await.unwrap();
        let [first] = &claim(db, "a", 0).await[..] else { panic!("one") };
        assert_eq!((first.id, first.target.as_str(), first.account_id.as_str(), first.state), (id, "9001", "101", ReplyState::Waiting));
        assert!(claim(db, "b", 59).await.is_empty());
        assert_eq!(leases::owners(db, at(1)).await.unwrap(), ["a"]);
        let [second] = &claim(db, "b", 60).await[..] else { panic!("the lease is over") };
        assert!(replies::begin(db, first, at(61)).await.is_err() && replies::settle(db, first, &End::Failed("x".into())).await.is_err());
        replies::begin(db, second, at(61)).await.unwrap();
        assert!(replies::begin(db, second, at(62)).await.is_err());
        leases::free(db, &["b".into()]).await.unwrap();
        let [third] = &claim(db, "c", 62).await[..] else { panic!("b is gone") };
        assert_eq!((third.state, third.tried_at), (ReplyState::Sending, Some(at(61))));
        assert!(replies::begin(db, third, at(63)).await.is_err(), "it may have been sent");
        replies::settle(db, third, &End::Uncertain(at(80), Some(at(63)), "no answer".into())).await.unwrap();
        assert!(claim(db, "c", 79).await.is_empty());
        let only = replies::claim(db, "c", (at(80), at(90)), Some(ReplyId(999)), 1).await.unwrap();
        assert!(only.is_empty(), "another one was asked for");
        let [fourth] = &claim(db, "c", 80).await[..] else { panic!("due") };
        assert_eq!((fourth.missed_at, fourth.error.as_deref()), (Some(at(63)), Some("no answer")));
        replies::settle(db, fourth, &End::Sent(Some("m_9".into()), at(61))).await.unwrap();
        let row = replies::one(db, id).await.unwrap().unwrap();
        assert_eq!((row.state, row.external_id.as_deref(), row.sent_at, row.error), (ReplyState::Sent, Some("m_9"), Some(at(61)), None));
        assert!(replies::next(db).await.unwrap().is_none() && claim(db, "c", 9_999).await.is_empty());
        assert!(matches!(record(db, 3, None, "Sudah,  Bu.", 100).await, Err(ReplyError::Twice(_))), "a second click");
        record(db, 3, None, "Sudah,  Bu.", 200).await.unwrap();
    }
}

#[tokio::test]
async fn a_comment_is_answered_privately_once_ever_and_one_that_failed_counts_as_none() {
    for World { db, .. } in &both().await {
        for (seconds, end, then) in [
            (0, End::Failed("no".into()), None),
            (10, End::Waits(at(10), "later".into()), Some("under way")),
            (20, End::Sent(None, at(20)), Some("once")),
        ] {
            if seconds != 20 {
                record(db, 1, Some(Form::Private), "Sudah", seconds).await.unwrap();
            }
            let claimed = claim(db, "a", seconds).await;
            replies::settle(db, &claimed[0], &end).await.unwrap();
            let again = || record(db, 1, Some(Form::Private), "Hal lain", seconds + 1);
            match then {
                None => {}
                Some("once") => assert!(matches!(again().await, Err(ReplyError::Unfit { why: Unfit::PrivateOnce, .. }))),
                Some(_) => assert!(matches!(again().await, Err(ReplyError::UnderWay(_, ReplyState::Waiting)))),
            }
        }
        record(db, 2, Some(Form::Private), "Sudah", 30).await.unwrap(); // another comment
        let known = Seen { private_reply: Some("t_5".into()), ..comment("9_77", "Kapan?") };
        let facts = replies::facts(db, &Scope::ALL, TicketId(1), None).await.unwrap().unwrap();
        assert_eq!(replies::conversation(db, facts.account, "9_77").await.unwrap(), None);
        tanggap::store::intake::take(db, &super::world::batch(facts.account, 40, &[known], &[])).await.unwrap();
        assert_eq!(replies::conversation(db, facts.account, "9_77").await.unwrap().as_deref(), Some("t_5"));
    }
}

#[tokio::test]
async fn what_may_be_the_reply_is_our_own_newer_and_nobody_elses() {
    for one in &both().await {
        let db = &one.db;
        let facts = replies::facts(db, &Scope::ALL, TicketId(3), None).await.unwrap().unwrap();
        let own = |id: &str, seconds| Seen { government: Some("101".into()), ..direct(id, Direction::Out, seconds) };
        let staff = Seen { government: Some("staff".into()), ..direct("m_5", Direction::Out, 30) };
        one.take(facts.account, 100, &[own("m_2", -100), own("m_3", 10), own("m_4", 20), staff], &[]).await;
        assert_eq!(replies::read_began(db, facts.thread_id).await.unwrap(), None);
        one.take(facts.account, 110, &[], &[Proof::Conversation { name: "t_1".into(), from: Some(at(200)) }]).await;
        assert_eq!(replies::read_began(db, facts.thread_id).await.unwrap(), Some(at(110)));
        let id = record(db, 3, None, "Halo", 5).await.unwrap();
        let reply = claim(db, "a", 5).await.remove(0);
        let ids = async |reply: &Claimed| {
            let shown = replies::shown(db, reply, &facts, at(0)).await.unwrap();
            shown.into_iter().map(|one| one.external_id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&reply).await, ["m_3", "m_4"]);
        replies::settle(db, &reply, &End::Sent(Some("m_3".into()), at(10))).await.unwrap();
        assert_eq!(ids(&reply).await, ["m_3", "m_4"], "its own");
        record(db, 3, None, "Halo lagi", 50).await.unwrap();
        let second = claim(db, "a", 50).await.remove(0);
        assert_eq!(ids(&second).await, ["m_4"], "the other is the first's");
        assert_eq!(state(db, id).await, ReplyState::Sent);
        let private = Claimed { form: Form::Private, target: "9_77".into(), ..second };
        assert_eq!(ids(&private).await, ["m_4"], "in the conversation with the comment's writer");
    }
}
