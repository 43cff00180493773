//! Replies of staff over real HTTP on both databases: sent once at most, whatever breaks, and taken in as the answers they are.

use std::time::Duration;

use jiff::SignedDuration;
use tanggap::{
    demo::{
        script::Pace,
        world::{Citizen, Draft, Fault, Scope, Use},
    },
    domain::{Form, ReplyId, ReplyState, TicketId, Time, reply::Unfit},
    runtime::Clock as _,
    store::{
        leases,
        replies::{self, ReplyError, ReplyRow},
        restored,
    },
};

use super::world::World;

const ANSWER: &str = "Sudah jadi, Bu. Silakan diambil di loket 3.";

/// Three agencies, of which the last has an Instagram account with a login of its own; the others' are linked to their Pages. On both
/// databases.
async fn worlds() -> [World; 2] {
    let pace = Pace { gap: SignedDuration::from_hours(1), answer: SignedDuration::from_hours(1), late: SignedDuration::ZERO };
    let postgres = format!("[database]\nurl = \"{}\"\n", crate::databases::postgres().await);
    let short = "[graph]\ntimeout = \"1s\"\n";
    [World::with(1, 3, pace, short).await.0, World::with(1, 3, pace, &format!("{postgres}{short}")).await.0]
}

impl World {
    fn now(&self) -> Time {
        Time::from_timestamp(self.clock.now())
    }

    async fn ticket(&self, text: &str) -> TicketId {
        let rows =
            self.db.rows("SELECT t.id, m.text FROM ticket t JOIN message m ON m.id = t.newest_message_id ORDER BY t.id", vec![]).await;
        let found = rows.unwrap().into_iter().find(|row| row.t("text").unwrap() == text);
        TicketId(found.unwrap_or_else(|| panic!("no ticket holds {text}")).i("id").unwrap())
    }

    async fn reply(&self, ticket: TicketId, form: Option<Form>, text: &str) -> Result<ReplyId, ReplyError> {
        replies::record(&self.db, &tanggap::domain::Scope::ALL, ticket, (form, text), "siti", self.now()).await
    }

    async fn reply_row(&self, id: ReplyId) -> ReplyRow {
        replies::one(&self.db, id).await.unwrap().unwrap()
    }

    /// State, who answered.
    async fn standing(&self, ticket: TicketId) -> String {
        let ticket = tanggap::store::listing::ticket(&self.db, &tanggap::domain::Scope::ALL, ticket).await.unwrap().unwrap();
        format!("{} {}", ticket.state, ticket.answered_by.unwrap_or_default())
    }

    /// How many of what the government wrote to citizens says this.
    fn arrived(&self, text: &str) -> usize {
        self.simulator.world().items().iter().filter(|item| item.own() && item.text == text).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_in_every_form_is_sent_once_and_closes_its_ticket_as_answered_by_the_account() {
    for mut world in worlds().await {
        let mut wanted = Vec::new();
        for agency in [0, 2] {
            let instagram = world.instagram(agency);
            world.simulator.world().set_limit(Use::InstagramConversations, &instagram, 1_000); // the clock stands still meanwhile
        }
        for (agency, login) in [(0, "one"), (2, "other")] {
            for (account, number) in [(world.page(agency), 1), (world.instagram(agency), 2)] {
                let mut graph = world.simulator.world();
                let citizen = |more: u64| Citizen::new(10 * number + more, "Siti");
                let post = graph.post(&account, "Jadwal layanan").unwrap();
                let top = graph.comment(&post, &citizen(1), format!("Kapan KTP saya jadi? {login} {number}")).unwrap();
                graph.reply(&top, &citizen(2), format!("Punya saya juga, kapan jadi? {login} {number}")).unwrap();
                graph.comment(&post, &citizen(3), format!("Bagaimana cara mengurus KK? {login} {number}")).unwrap();
                graph.direct_message(&account, &citizen(4), format!("Buka sampai jam berapa? {login} {number}")).unwrap();
                wanted.push((account.clone(), format!("Punya saya juga, kapan jadi? {login} {number}"), Form::Comment));
                wanted.push((account.clone(), format!("Bagaimana cara mengurus KK? {login} {number}"), Form::Private));
                wanted.push((account.clone(), format!("Buka sampai jam berapa? {login} {number}"), Form::Message));
            }
            let page = world.page(agency);
            world.simulator.world().visitor_post(&page, &Citizen::new(90, "Wati"), format!("Lampu jalan mati, kapan? {login}")).unwrap();
            wanted.push((page, format!("Lampu jalan mati, kapan? {login}"), Form::Comment));
        }
        world.introduced().await;
        world.simulator.world().clear_calls();
        let mut sent = Vec::new();
        for (number, (account, text, form)) in wanted.into_iter().enumerate() {
            let ticket = world.ticket(&text).await;
            let answer = format!("{ANSWER} {number}");
            let id = world.reply(ticket, Some(form), &answer).await.unwrap();
            assert!(matches!(world.reply(ticket, None, "Lagi").await, Err(ReplyError::UnderWay(_, ReplyState::Waiting))));
            sent.push((account, text, answer, ticket, id));
        }
        for _ in 0..6 {
            world.turn(SignedDuration::from_secs(1)).await;
        }
        for (account, text, answer, ticket, id) in sent {
            let row = world.reply_row(id).await;
            assert_eq!((row.state, row.error), (ReplyState::Sent, None), "{text}");
            assert_eq!((world.arrived(&answer), world.simulator.world().written(&answer)), (1, 1), "{text}");
            assert_eq!(world.standing(ticket).await, format!("answered {account}"), "{text}");
        }
        let graph = world.simulator.world();
        let calls: Vec<_> = graph.calls().iter().filter(|call| call.method == "POST").collect();
        assert!(calls.iter().all(|call| call.path.split('/').count() == 4), "nothing is posted to a bare comment");
        assert!(calls.iter().all(|call| call.query.iter().all(|(name, _)| name == "appsecret_proof")), "no text travels in an address");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_answered_by_a_person_for_a_week_if_the_app_may() {
    for mut world in worlds().await {
        let (page, now) = (world.page(0), world.clock.now());
        for (number, hours) in [(1, 23), (2, 25), (3, 26), (4, 167)] {
            let at = now - SignedDuration::from_hours(hours);
            world
                .simulator
                .world()
                .direct_message(&page, &Citizen::new(number, "Siti"), Draft::from(format!("Kapan? {hours}")).at(at))
                .unwrap();
        }
        world.introduced().await;
        let mut rows = Vec::new();
        for hours in [23, 25] {
            rows.push(world.reply(world.ticket(&format!("Kapan? {hours}")).await, None, &format!("{ANSWER} {hours}")).await.unwrap());
        }
        world.turn(SignedDuration::from_secs(1)).await;
        for (id, tag) in rows.into_iter().zip([None, Some("HUMAN_AGENT")]) {
            assert_eq!(world.reply_row(id).await.state, ReplyState::Sent);
            let text = world.reply_row(id).await.text;
            let graph = world.simulator.world();
            assert_eq!(graph.calls().iter().find(|call| call.writes(&text)).unwrap().field("tag"), tag);
        }
        world.simulator.world().app.human_agent = false;
        let ticket = world.ticket("Kapan? 26").await;
        let id = world.reply(ticket, None, ANSWER).await.unwrap();
        world.turn(SignedDuration::from_secs(1)).await;
        let row = world.reply_row(id).await;
        assert_eq!(row.state, ReplyState::Failed);
        assert!(row.error.as_deref().unwrap().contains("code 10"), "{row:?}");
        assert!(world.standing(ticket).await.starts_with("open"));
        // what waits when the window closes is not handed to Meta either
        let late = world.ticket("Kapan? 167").await;
        let id = world.reply(late, None, ANSWER).await.unwrap();
        world.turn(SignedDuration::from_hours(1)).await;
        let row = world.reply_row(id).await;
        assert_eq!((row.state, row.error.as_deref()), (ReplyState::Failed, Some(Unfit::WindowOver.sentence())));
        assert!(matches!(world.reply(late, None, ANSWER).await, Err(ReplyError::Unfit { why: Unfit::WindowOver, .. })));
        assert_eq!(world.simulator.world().written(ANSWER), 1, "only the one without the feature");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_is_answered_privately_once() {
    for mut world in worlds().await {
        for account in [world.page(0), world.instagram(0)] {
            let comment = {
                let mut graph = world.simulator.world();
                let post = graph.post(&account, "Jadwal layanan").unwrap();
                graph.comment(&post, &Citizen::new(1, "Siti"), format!("Kapan KTP jadi? {account}")).unwrap()
            };
            world.introduced().await;
            world.turn(SignedDuration::from_secs(3)).await;
            let ticket = world.ticket(&format!("Kapan KTP jadi? {account}")).await;
            // somebody else does so in the same second
            world.simulator.world().private_reply(&comment, "Mohon ditunggu ya, Bu, kami periksa.").unwrap();
            let id = world.reply(ticket, Some(Form::Private), ANSWER).await.unwrap();
            world.turn(SignedDuration::from_secs(1)).await;
            let row = world.reply_row(id).await;
            assert_eq!(row.state, ReplyState::Failed, "{row:?}");
            assert_eq!((world.arrived(ANSWER), world.simulator.world().written(ANSWER)), (0, if account == world.page(0) { 1 } else { 2 }));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_and_not_confirmed_is_found_where_it_stands_and_never_sent_again() {
    for mut world in worlds().await {
        for (number, fault) in
            [Fault::Reset, Fault::Stall, Fault::Html, Fault::Empty, Fault::HalfBody, Fault::Body("{}".into())].into_iter().enumerate()
        {
            for (account, form) in [
                (world.page(0), Form::Comment),
                (world.page(0), Form::Message),
                (world.page(0), Form::Private),
                (world.instagram(2), Form::Comment),
                (world.instagram(2), Form::Message),
                (world.instagram(2), Form::Private),
            ] {
                let case = format!("{number} {account} {form}");
                {
                    let mut graph = world.simulator.world();
                    let citizen = Citizen::new(number as u64 + 1, "Siti");
                    if form == Form::Message {
                        graph.direct_message(&account, &citizen, format!("Kapan? {case}")).unwrap();
                    } else {
                        let post = graph.post(&account, "Jadwal layanan").unwrap();
                        graph.comment(&post, &Citizen::new(number as u64 + 20, "Budi"), format!("Kapan? {case}")).unwrap();
                    }
                }
                world.turn(SignedDuration::from_secs(6)).await;
                world.turn(SignedDuration::from_secs(1)).await;
                let ticket = world.ticket(&format!("Kapan? {case}")).await;
                let answer = format!("Sudah   jadi.\n{case}");
                let id = world.reply(ticket, Some(form), &answer).await.unwrap();
                world.simulator.world().fail_next(Scope::Writes, fault.clone(), 1);
                world.turn(SignedDuration::ZERO).await;
                world.turn(SignedDuration::from_secs(1)).await;
                let row = world.reply_row(id).await;
                assert_eq!(row.state, ReplyState::Sent, "{case} {fault:?} {row:?}");
                assert_eq!((world.arrived(&answer), world.simulator.world().written(&answer)), (1, 1), "{case}");
                assert!(world.standing(ticket).await.starts_with("answered"), "{case}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_arrived_is_said_to_have_failed_by_two_reads_and_not_sent_again() {
    for mut world in worlds().await {
        let page = world.page(0);
        let post = {
            let mut graph = world.simulator.world();
            let post = graph.post(&page, "Jadwal layanan").unwrap();
            graph.comment(&post, &Citizen::new(1, "Siti"), "Kapan KTP saya jadi?").unwrap();
            post
        };
        world.introduced().await;
        let ticket = world.ticket("Kapan KTP saya jadi?").await;
        // the same words stand there already, from long before
        world.simulator.world().comment(&post, tanggap::demo::world::Author::Account(page.clone()), ANSWER).unwrap();
        world.turn(SignedDuration::from_secs(30)).await;
        let id = world.reply(ticket, None, ANSWER).await.unwrap();
        world.simulator.world().fail_next(Scope::Writes, Fault::Lost, 1);
        world.turn(SignedDuration::ZERO).await;
        assert_eq!(world.reply_row(id).await.state, ReplyState::Uncertain);
        assert!(matches!(world.reply(ticket, None, "Lagi").await, Err(ReplyError::UnderWay(_, ReplyState::Uncertain))));
        world.simulator.world().outage(Scope::Path("/comments".into()), Fault::Unknown, None);
        world.turn(SignedDuration::from_secs(21)).await;
        assert_eq!(world.reply_row(id).await.state, ReplyState::Uncertain, "a read that fails proves nothing");
        world.simulator.world().end_outages();
        for _ in 0..3 {
            world.turn(SignedDuration::from_secs(11)).await;
        }
        let row = world.reply_row(id).await;
        assert_eq!(row.state, ReplyState::Failed);
        assert!(row.error.as_deref().unwrap().starts_with("it was not sent"), "{row:?}");
        assert_eq!(world.simulator.world().written(ANSWER), 1);
        world.reply(ticket, None, ANSWER).await.unwrap();
        world.turn(SignedDuration::from_secs(1)).await;
        assert_eq!(world.simulator.world().written(ANSWER), 2, "sent again because somebody wished it");
        assert!(world.standing(ticket).await.starts_with("answered"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_before_or_after_handing_it_over_leaves_one_copy_at_most() {
    for mut world in worlds().await {
        let page = world.page(0);
        for number in 1..=3 {
            world.simulator.world().direct_message(&page, &Citizen::new(number, "Siti"), format!("Kapan? {number}")).unwrap();
        }
        world.introduced().await;
        // between Meta's taking it and our knowing
        let ticket = world.ticket("Kapan? 1").await;
        let taken = world.reply(ticket, None, "Besok, Bu.").await.unwrap();
        world.simulator.world().fail_next(Scope::Writes, Fault::Stall, 1);
        world.killed(Duration::from_millis(700)).await;
        assert_eq!(world.reply_row(taken).await.state, ReplyState::Sending);
        // between the note that it is handed over and the handing over
        let lost = world.reply(world.ticket("Kapan? 2").await, None, "Lusa, Bu.").await.unwrap();
        let lease = (world.now(), world.now().plus(SignedDuration::from_mins(1)));
        let claimed = replies::claim(&world.db, "dead", lease, Some(lost), 1).await.unwrap();
        replies::begin(&world.db, &claimed[0], world.now()).await.unwrap();
        // before that note
        let early = world.reply(world.ticket("Kapan? 3").await, None, "Segera, Bu.").await.unwrap();
        assert_eq!(replies::claim(&world.db, "dead", lease, Some(early), 1).await.unwrap().len(), 1);
        world.turn(SignedDuration::from_secs(1)).await;
        assert_eq!(world.reply_row(early).await.state, ReplyState::Waiting, "somebody has it in hand");
        assert_eq!(leases::owners(&world.db, world.now()).await.unwrap(), ["dead", "test"]);
        leases::free(&world.db, &["dead".into(), "test".into()]).await.unwrap();
        for _ in 0..3 {
            world.turn(SignedDuration::from_secs(11)).await;
        }
        let states = [world.reply_row(taken).await.state, world.reply_row(lost).await.state, world.reply_row(early).await.state];
        assert_eq!(states, [ReplyState::Sent, ReplyState::Failed, ReplyState::Sent]);
        let counts = ["Besok, Bu.", "Lusa, Bu.", "Segera, Bu."].map(|text| (world.arrived(text), world.simulator.world().written(text)));
        assert_eq!(counts, [(1, 1), (0, 0), (1, 1)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clear_no_is_failed_at_once_and_a_limit_waits_while_the_reserve_is_for_replies() {
    for mut world in worlds().await {
        let page = world.page(0);
        for number in 1..=4 {
            world.simulator.world().direct_message(&page, &Citizen::new(number, "Siti"), format!("Kapan? {number}")).unwrap();
        }
        world.introduced().await;
        for (number, fault) in [(1, Fault::Error(400, 551, Some(1_545_041))), (2, Fault::Error(400, 368, Some(1_390_008)))] {
            let id = world.reply(world.ticket(&format!("Kapan? {number}")).await, None, &format!("Besok, Bu. {number}")).await.unwrap();
            world.simulator.world().fail_next(Scope::Writes, fault, 1);
            world.turn(SignedDuration::from_secs(1)).await;
            assert_eq!(world.reply_row(id).await.state, ReplyState::Failed);
            assert_eq!(world.simulator.world().written(&format!("Besok, Bu. {number}")), 1);
        }
        world.turn(SignedDuration::from_mins(61)).await; // the block of 368 is over
        for _ in 0..20 {
            world.turn(SignedDuration::from_secs(6)).await;
        }
        let used = {
            let mut graph = world.simulator.world();
            let inbox = |path: &str| ["/conversations", "/messages", "/t_"].iter().any(|part| path.contains(part));
            let used = graph.calls().iter().filter(|call| call.account.as_deref() == Some(&page) && inbox(&call.path)).count() as u64;
            graph.set_limit(Use::Messenger, &page, used * 5 / 4 - 1);
            used
        };
        world.turn(SignedDuration::from_secs(6)).await;
        world.simulator.world().clear_calls();
        world.turn(SignedDuration::from_secs(30)).await;
        let read = world.simulator.world().calls().iter().filter(|call| call.path.contains(&format!("{page}/conversations"))).count();
        assert_eq!(read, 0, "of {used} nothing is left for new work");
        let reserve = world.reply(world.ticket("Kapan? 4").await, None, "Kamis, Bu.").await.unwrap();
        world.turn(SignedDuration::from_secs(1)).await;
        assert_eq!(world.reply_row(reserve).await.state, ReplyState::Sent, "{:?}", world.reply_row(reserve).await);
        world.simulator.world().set_limit(Use::Messenger, &page, 1_000_000);
        world.simulator.world().throttle(Use::Messenger, &page, SignedDuration::from_mins(5));
        let id = world.reply(world.ticket("Kapan? 3").await, None, "Lusa, Bu.").await.unwrap();
        world.turn(SignedDuration::from_secs(1)).await;
        let row = world.reply_row(id).await;
        assert_eq!(row.state, ReplyState::Waiting, "{row:?}");
        assert!(row.until.unwrap() > world.now() && row.error.is_some(), "{row:?}");
        let written = world.simulator.world().written("Lusa, Bu.");
        world.turn(SignedDuration::from_secs(30)).await;
        assert_eq!(world.simulator.world().written("Lusa, Bu."), written, "not asked while it lasts");
        for _ in 0..16 {
            world.turn(SignedDuration::from_mins(1)).await;
        }
        assert_eq!(world.reply_row(id).await.state, ReplyState::Sent);
        assert_eq!(world.arrived("Lusa, Bu."), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_answered_while_it_waited_is_not_answered_again() {
    for mut world in worlds().await {
        let page = world.page(0);
        let asked = world.simulator.world().direct_message(&page, &Citizen::new(1, "Siti"), "Kapan KTP saya jadi?").unwrap();
        world.introduced().await;
        let ticket = world.ticket("Kapan KTP saya jadi?").await;
        let id = world.reply(ticket, None, ANSWER).await.unwrap();
        let lease = (world.now(), world.now().plus(SignedDuration::from_hours(1)));
        assert_eq!(replies::claim(&world.db, "slow", lease, Some(id), 1).await.unwrap().len(), 1);
        world.simulator.world().answer(&asked, "Besok pagi, Bu, di loket 3.").unwrap();
        world.turn(SignedDuration::from_secs(30)).await;
        assert!(world.standing(ticket).await.starts_with("answered"));
        leases::free(&world.db, &["slow".into()]).await.unwrap();
        world.turn(SignedDuration::from_secs(1)).await;
        let row = world.reply_row(id).await;
        assert_eq!((row.state, row.error.as_deref()), (ReplyState::Failed, Some(Unfit::Closed.sentence())));
        assert_eq!(world.simulator.world().written(ANSWER), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_restored_copy_what_waited_is_looked_for_and_never_sent() {
    for mut world in worlds().await {
        let page = world.page(0);
        let lost = {
            let mut graph = world.simulator.world();
            let post = graph.post(&page, "Jadwal layanan").unwrap();
            let one = graph.comment(&post, &Citizen::new(1, "Siti"), "Kapan KTP saya jadi?").unwrap();
            graph.comment(&post, &Citizen::new(2, "Budi"), "Bagaimana cara mengurus KK?").unwrap();
            one
        };
        world.introduced().await;
        let first = world.reply(world.ticket("Kapan KTP saya jadi?").await, None, ANSWER).await.unwrap();
        let second = world.reply(world.ticket("Bagaimana cara mengurus KK?").await, None, "Bawa KTP, Pak.").await.unwrap();
        // The copy is of now; the first of them was sent in the hour that is lost.
        restored::renew(&world.db, world.now()).await.unwrap();
        world.clock.advance(SignedDuration::from_mins(30));
        world.simulator.world().answer(&lost, ANSWER).unwrap();
        world.clock.advance(SignedDuration::from_mins(30));
        let found = restored::recognise(&world.db, Some(world.now()), world.now()).await.unwrap().unwrap();
        assert_eq!(found.replies, 2);
        world.restart().await;
        for _ in 0..8 {
            world.turn(SignedDuration::from_secs(15)).await;
        }
        assert_eq!((world.reply_row(first).await.state, world.arrived(ANSWER)), (ReplyState::Sent, 1));
        let row = world.reply_row(second).await;
        let error = row.error.unwrap_or_default();
        assert_eq!(
            (row.state, world.arrived("Bawa KTP, Pak."), world.simulator.world().written("Bawa KTP, Pak.")),
            (ReplyState::Failed, 0, 0),
            "{error}"
        );
        assert!(error.contains("it was not sent (the database was restored from a copy made before it was sent)"), "{error}");
    }
}
