//! The poll stage on the simulated Graph API over real HTTP, on a clock that is moved by hand.

mod doubts;
pub mod month;
mod replies;
mod world;

use jiff::SignedDuration;
use serde_json::json;
use tanggap::{
    demo::{
        script::Pace,
        world::{Author, Citizen, Fault, ItemKind, Scope, Use},
    },
    domain::{Platform, Time, message::key_of},
    runtime::Clock as _,
    store::hints::{self, Hint},
};

use self::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_sisters_instagram_comment_is_the_governments_from_the_very_first_read() {
    let mut world = World::new(4).await;
    let citizen = Citizen::new(7, "Siti");
    for at in 0..4 {
        let (own, sister) = (world.instagram(at), world.instagram((at + 1) % 4));
        let mut graph = world.simulator.world();
        let medium = graph.post(&own, "Jadwal layanan").unwrap();
        let question = graph.comment(&medium, &citizen, "Kapan KTP saya jadi?").unwrap();
        graph.reply(&question, Author::Account(sister), "Silakan ambil besok, Bu.");
    }
    world.introduced().await;
    let directions = world.texts("SELECT m.direction AS one FROM message m WHERE m.text LIKE 'Silakan%'").await;
    assert_eq!(directions, ["out"; 4]);
    assert_eq!(world.texts("SELECT state AS one FROM ticket").await, ["answered"; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_nobody_can_read_alerts_the_operator_once_and_the_head_only_when_it_was_read_again() {
    let mut world = World::new(1).await;
    let page = world.page(0);
    {
        let mut graph = world.simulator.world();
        let post = graph.post(&page, "Jadwal layanan").unwrap();
        for number in 0..3 {
            graph.comment(&post, &Citizen::new(number, "Siti"), "Kapan KTP saya jadi?").unwrap();
        }
    }
    world.introduced().await;
    world.simulator.world().outage(Scope::Account(page), Fault::Unknown, None);
    for _ in 0..20 {
        world.turn(SignedDuration::from_secs(10)).await;
    }
    let alerts = "SELECT kind || ' ' || detail AS one FROM alert WHERE kind NOT LIKE 'account.un%healthy' ORDER BY id";
    assert_eq!(world.texts(alerts).await, ["account.unverified 3"]);
    assert_eq!(world.texts("SELECT CAST(unverified AS TEXT) AS one FROM ticket").await, ["1"; 3]);

    world.simulator.world().end_outages();
    world.turn(SignedDuration::from_secs(30)).await;
    world.turn(SignedDuration::from_secs(1)).await;
    assert_eq!(world.texts(alerts).await, ["account.unverified 3", "ticket.escalated ", "ticket.escalated ", "ticket.escalated "]);
    assert_eq!(world.texts("SELECT CAST(unverified AS TEXT) AS one FROM ticket").await, ["0"; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fell_due_while_the_program_was_down_or_asleep_is_read_before_anybody_is_told_that_it_cannot_be() {
    for asleep in [false, true] {
        let mut world = World::new(1).await;
        let page = world.page(0);
        let post = world.simulator.world().post(&page, "Jadwal layanan").unwrap();
        world.introduced().await;
        let question = world.simulator.world().comment(&post, &Citizen::new(1, "Siti"), "Kapan KTP saya jadi?").unwrap();
        world.simulator.world().comment(&post, &Citizen::new(2, "Budi"), "Kapan KK saya jadi?").unwrap();
        world.turn(SignedDuration::from_secs(6)).await;
        world.simulator.world().answer(&question, "Besok, Bu.").unwrap();
        if !asleep {
            world.restart().await;
        }
        world.turn_judged_first(SignedDuration::from_mins(10)).await;
        world.turn(SignedDuration::from_secs(1)).await;
        let alerts = "SELECT kind AS one FROM alert ORDER BY id";
        assert_eq!(world.texts(alerts).await, ["ticket.escalated"], "asleep: {asleep}");
        assert_eq!(world.texts("SELECT state || CAST(unverified AS TEXT) AS one FROM ticket ORDER BY 1").await, ["answered0", "open0"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn comments_on_albums_films_and_reels_are_found_though_the_feed_does_not_list_them() {
    let mut world = World::new(1).await;
    let page = world.page(0);
    for (number, kind) in [ItemKind::Photo, ItemKind::Film, ItemKind::Reel].into_iter().enumerate() {
        let mut graph = world.simulator.world();
        let upload = graph.upload(&page, kind, "Lomba desa").unwrap();
        graph.comment(&upload, &Citizen::new(number as u64, "Siti"), format!("Kapan lagi lombanya? {number}")).unwrap();
    }
    world.introduced().await;
    let texts = "SELECT text AS one FROM message ORDER BY text";
    assert_eq!(world.texts(texts).await, ["Kapan lagi lombanya? 0", "Kapan lagi lombanya? 1", "Kapan lagi lombanya? 2"]);
    assert_eq!(world.texts("SELECT state AS one FROM ticket").await, ["open"; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_whose_list_shows_no_bodies_is_read_conversation_by_conversation_and_only_where_something_is_new() {
    let mut world = World::new(1).await;
    let page = world.page(0);
    world.simulator.world().manner.nested_bodies = false;
    for number in 0..3 {
        world.simulator.world().direct_message(&page, &Citizen::new(number, "Siti"), format!("Kapan KTP saya jadi? {number}")).unwrap();
    }
    world.introduced().await;
    let texts = "SELECT direction || ' ' || text AS one FROM message ORDER BY text";
    let three = ["in Kapan KTP saya jadi? 0", "in Kapan KTP saya jadi? 1", "in Kapan KTP saya jadi? 2"];
    assert_eq!(world.texts(texts).await, three);
    world.simulator.world().clear_calls();
    world.simulator.world().direct_message(&page, &Citizen::new(1, "Siti"), "Sampai kapan?").unwrap();
    world.turn(SignedDuration::from_secs(6)).await;
    assert_eq!(world.texts(texts).await, [&three[..], &["in Sampai kapan?"]].concat());
    let alone = world.simulator.world().calls().iter().filter(|call| call.path.contains("/t_")).count();
    assert_eq!(alone, 1, "one of three was read alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_over_its_limit_is_silent_until_meta_answers_again_and_new_work_stops_before() {
    let mut world = World::new(1).await;
    let page = world.page(0);
    world.introduced().await;
    world.simulator.world().throttle(Use::Pages, &page, SignedDuration::from_mins(30));
    for _ in 0..40 {
        world.turn(SignedDuration::from_secs(30)).await;
    }
    let refused = world.simulator.world().throttled_calls();
    assert_eq!(refused, 1, "the first call after the limit was reached told of it; none after");
    for _ in 0..80 {
        world.turn(SignedDuration::from_secs(30)).await;
    }
    assert_eq!(world.simulator.world().throttled_calls(), refused);
    let read = world.texts("SELECT CAST(last_read_at AS TEXT) AS one FROM account WHERE platform = 'facebook'").await;
    assert!(read[0].parse::<i64>().unwrap() > world.clock_ms() - 600_000, "it is read again");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_gone_that_meta_counts_and_does_not_show_or_that_nobody_can_read() {
    let seldom = "[poll]\ninterval = \"1h\"\nidle_interval = \"1h\"\nverify_within = \"10m\"\n";
    let pace = Pace { gap: SignedDuration::from_hours(1), answer: SignedDuration::from_hours(1), late: SignedDuration::ZERO };
    let odd = [r#"{"data":[{"id":1},7,null,"x"]}"#, r#"{"data":[],"summary":{"total_count":1}}"#].map(|body| Fault::Body(body.into()));
    // the last says that the post is gone, which it is not
    for answer in odd.into_iter().chain([Fault::Error(400, 100, Some(33))]) {
        let (mut world, _) = World::with(1, 1, pace, seldom).await;
        for account in [world.page(0), world.instagram(0)] {
            let mut graph = world.simulator.world();
            let post = graph.post(&account, "Jadwal layanan").unwrap();
            graph.comment(&post, &Citizen::new(1, "Siti"), "Kapan KTP saya jadi?").unwrap();
        }
        world.introduced().await;
        world.simulator.world().outage(Scope::Path("/comments".into()), answer.clone(), None);
        for _ in 0..12 {
            world.turn(SignedDuration::from_secs(10)).await;
        }
        assert_eq!(world.texts("SELECT state || CAST(unverified AS TEXT) AS one FROM ticket").await, ["open0"; 2], "{answer:?}");
        assert_eq!(world.texts("SELECT CAST(COUNT(deleted_at) AS TEXT) AS one FROM message").await, ["0"]);
        let flagged = "SELECT CAST(COUNT(flagged_at) AS TEXT) AS one FROM ticket";
        assert_eq!(world.texts(flagged).await, ["0"], "such an answer verifies nothing");
        world.simulator.world().end_outages();
        world.turn(SignedDuration::from_secs(30)).await;
        assert_eq!(world.texts(flagged).await, ["2"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_is_kept_with_its_message_whenever_it_comes_and_changes_nothing_else() {
    let mut world = World::new(1).await;
    let page = world.page(0);
    let citizen = Citizen::new(1, "Siti");
    let message = world.simulator.world().direct_message(&page, &citizen, "Kapan KTP saya jadi?").unwrap();
    world.introduced().await;
    let reactions = "SELECT reactions AS one FROM message";
    assert_eq!(world.texts(reactions).await, ["[]"]);
    let heart = json!({ "data": [{ "reaction": "❤", "users": [{ "id": page }, {}] }, { "users": 7 }] });
    world.simulator.world().spoil(&message, "reactions", heart).unwrap();
    world.turn(SignedDuration::from_mins(5)).await;
    assert_eq!(world.texts(reactions).await, [format!("[{{\"reaction\":\"❤\",\"by\":[\"{page}\"]}}]")]);
    assert_eq!(
        world.texts("SELECT state || ' ' || COALESCE(CAST(m.edited_at AS TEXT), '-') AS one FROM ticket, message m").await,
        ["open -"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_cannot_be_read_stops_no_other_and_is_read_at_the_next_poll() {
    let mut world = World::new(1).await;
    let mut old = Vec::new();
    for account in [world.page(0), world.instagram(0)] {
        let mut graph = world.simulator.world();
        old.extend(["Jadwal layanan", "Jadwal libur"].map(|text| graph.post(&account, text).unwrap()));
        for day in 0..30 {
            graph.post(&account, format!("Berita {day}")).unwrap();
        }
    }
    world.introduced().await;
    world.turn(SignedDuration::from_mins(1)).await;
    for (number, post) in old.iter().enumerate() {
        let mut graph = world.simulator.world();
        graph.comment(post, &Citizen::new(1, "Siti"), "Kapan KTP saya jadi?").unwrap();
        if number % 2 == 1 {
            // Newer than the other, so that it is read first.
            graph.outage(Scope::Path(format!("{post}/comments")), Fault::Unknown, None);
        }
    }
    world.turn(SignedDuration::from_mins(31)).await;
    let found = "SELECT text AS one FROM message";
    assert_eq!(world.texts(found).await.len(), 2, "one of each account");
    world.simulator.world().end_outages();
    world.turn(SignedDuration::from_mins(1)).await;
    assert_eq!(world.texts(found).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_crowded_wall_a_comment_under_an_older_post_waits_for_no_sweep() {
    let pace = Pace { gap: SignedDuration::from_hours(1), answer: SignedDuration::from_hours(1), late: SignedDuration::ZERO };
    let usual = "[poll]\ninterval = \"60s\"\nidle_interval = \"5m\"\nsweep_interval = \"30m\"\n";
    let (mut world, _) = World::with(1, 1, pace, usual).await;
    let page = world.page(0);
    let old = world.simulator.world().post(&page, "Jadwal layanan").unwrap();
    for visitor in 0..30 {
        world.simulator.world().visitor_post(&page, &Citizen::new(visitor, "Siti"), "Lampu jalan mati").unwrap();
    }
    world.introduced().await;
    world.turn(SignedDuration::from_mins(1)).await;
    world.simulator.world().comment(&old, &Citizen::new(99, "Budi"), "Kapan KTP saya jadi?").unwrap();
    for _ in 0..6 {
        world.turn(SignedDuration::from_mins(1)).await;
    }
    assert_eq!(world.texts("SELECT text AS one FROM message WHERE kind = 'comment'").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_under_an_older_post_is_found_at_the_next_poll_if_a_webhook_named_it() {
    let mut world = World::new(1).await;
    let accounts = [(Platform::Facebook, world.page(0)), (Platform::Instagram, world.instagram(0))];
    let posts: Vec<String> = accounts
        .iter()
        .map(|(_, account)| {
            let mut graph = world.simulator.world();
            let old = graph.post(account, "Jadwal layanan").unwrap();
            for day in 0..30 {
                graph.post(account, format!("Berita {day}")).unwrap();
            }
            old
        })
        .collect();
    world.introduced().await;
    world.turn(SignedDuration::from_mins(31)).await; // a sweep, which makes the posts known
    for ((platform, account), post) in accounts.iter().zip(&posts) {
        let comment = world.simulator.world().comment(post, &Citizen::new(1, "Siti"), "Kapan KTP saya jadi?").unwrap();
        let hint = Hint { post: post.clone(), comment: key_of(&comment).to_owned() };
        hints::note(&world.db, *platform, account, &[hint], Time::from_timestamp(world.clock.now())).await.unwrap();
    }
    world.turn(SignedDuration::from_mins(5)).await;
    assert_eq!(world.texts("SELECT text AS one FROM message").await.len(), 2);
    assert!(world.texts("SELECT post AS one FROM hint").await.is_empty(), "what was followed is forgotten");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_instagram_a_comment_that_came_as_another_went_is_found_within_the_hour() {
    let mut world = World::new(1).await;
    let instagram = world.instagram(0);
    let (medium, first) = {
        let mut graph = world.simulator.world();
        let medium = graph.post(&instagram, "Jadwal layanan").unwrap();
        let comments: Vec<String> =
            (0..12).map(|n| graph.comment(&medium, &Citizen::new(n, "Siti"), format!("Kapan KTP {n} jadi?")).unwrap()).collect();
        // More than Meta lists come after it, so that only a sweep can see the medium again.
        for day in 0..30 {
            graph.post(&instagram, format!("Berita {day}")).unwrap();
        }
        (medium, comments[0].clone())
    };
    world.introduced().await;
    {
        let mut graph = world.simulator.world();
        graph.delete(&first);
        graph.comment(&medium, &Citizen::new(99, "Budi"), "Loketnya buka sampai jam berapa?").unwrap();
    }
    for _ in 0..13 {
        world.turn(SignedDuration::from_mins(5)).await;
    }
    assert_eq!(world.texts("SELECT text AS one FROM message WHERE text LIKE 'Loketnya%'").await.len(), 1);
}
