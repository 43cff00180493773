//! A failure that looks like peace: the account answers, and what citizens write is not shown.

use jiff::SignedDuration;
use tanggap::{
    app::Witness,
    demo::world::{Author, Citizen, Use},
    domain::{Source, Time},
    runtime::Clock as _,
};

use super::world::World;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Everything told of accounts, in order.
async fn told(world: &World) -> Vec<String> {
    let sql = "SELECT a.kind || ' ' || a.cause || ' ' || c.platform AS one FROM alert a JOIN account c ON c.id = a.account_id \
         WHERE a.cause IS NOT NULL ORDER BY a.id";
    world.texts(sql).await
}

/// Lets so many days pass.
async fn days(world: &mut World, days: i64) {
    for _ in 0..days * 4 {
        world.turn(HOUR * 6).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_shown_nothing_of_citizens_is_told_after_a_week_and_taken_back_when_it_is() {
    let mut world = World::new(1).await;
    let (page, instagram) = (world.page(0), world.instagram(0));
    let post = {
        let mut graph = world.simulator.world();
        for account in [&page, &instagram] {
            graph.change_account(account, |account| account.advanced_access = false);
        }
        graph.direct_message(&page, &Citizen::new(1, "Ani"), "Halo, ada orang?").unwrap();
        graph.post(&page, "Jadwal layanan").unwrap()
    };
    world.introduced().await;
    days(&mut world, 6).await;
    assert_eq!(told(&world).await, ["account.unhealthy blind_messages facebook"], "unread messages are counted, and none is listed");
    days(&mut world, 2).await;
    let mut week = told(&world).await.split_off(1);
    week.sort();
    let unproved =
        ["unproved_comments facebook", "unproved_comments instagram", "unproved_messages facebook", "unproved_messages instagram"];
    assert_eq!(week, unproved.map(|what| format!("account.unhealthy {what}")));
    {
        let mut graph = world.simulator.world();
        graph.change_account(&page, |account| account.advanced_access = true);
        for (number, name) in ["Ani", "Budi", "Citra"].into_iter().enumerate() {
            graph.comment(&post, &Citizen::new(number as u64, name), "Kapan KTP saya jadi?").unwrap();
        }
    }
    days(&mut world, 1).await;
    let back = told(&world).await.split_off(5);
    assert_eq!(
        back,
        ["account.recovered blind_messages facebook", "account.recovered unproved_comments facebook"],
        "of messages one person proves nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_comments_without_an_author_are_a_blindness_and_nineteen_are_not() {
    let mut world = World::new(1).await;
    let page = world.page(0);
    let post = {
        let mut graph = world.simulator.world();
        graph.change_account(&page, |account| account.advanced_access = false);
        let post = graph.post(&page, "Jadwal layanan").unwrap();
        for number in 0..19 {
            graph.comment(&post, &Citizen::new(number, "Ani"), "Kapan KTP saya jadi?").unwrap();
        }
        graph.answer(&post, "Silakan ambil besok.").unwrap();
        post
    };
    world.introduced().await;
    world.turn(HOUR).await;
    assert!(told(&world).await.is_empty());
    world.simulator.world().comment(&post, &Citizen::new(20, "Ani"), "Kapan?").unwrap();
    world.turn(HOUR).await;
    world.turn(HOUR).await;
    assert_eq!(told(&world).await, ["account.unhealthy blind_comments facebook"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instagram_account_closed_to_comments_is_told_and_taken_back_when_it_opens() {
    let mut world = World::new(1).await;
    let instagram = world.instagram(0);
    {
        let mut graph = world.simulator.world();
        graph.change_account(&instagram, |account| account.comments_open = false);
        for day in 0..3 {
            graph.post(&instagram, format!("Berita {day}")).unwrap();
        }
    }
    world.introduced().await;
    assert_eq!(told(&world).await, ["account.unhealthy comments_off instagram"]);
    world.simulator.world().change_account(&instagram, |account| account.comments_open = true);
    world.turn(HOUR).await;
    assert_eq!(told(&world).await, ["account.unhealthy comments_off instagram", "account.recovered comments_off instagram"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_kept_over_a_restart_and_nothing_is_asked_too_early() {
    let mut world = World::new(1).await;
    let page = world.page(0);
    world.introduced().await;
    world.simulator.world().throttle(Use::Pages, &page, SignedDuration::from_mins(30));
    world.turn(SignedDuration::from_mins(5)).await;
    assert_eq!(world.simulator.world().throttled_calls(), 1);
    world.restart().await;
    let mut tx = world.db.write().await.unwrap();
    tx.exec("UPDATE account SET next_poll_at = 0", vec![]).await.unwrap();
    tx.commit().await.unwrap();
    world.turn(SignedDuration::from_mins(1)).await;
    assert_eq!(world.simulator.world().throttled_calls(), 1, "a new process knows of the limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instagram_inbox_that_was_asked_twice_in_a_second_is_read_within_the_minute() {
    let mut world = World::new(3).await;
    let instagram = world.instagram(2); // read by Instagram Login, not through a Page
    world.introduced().await;
    world.simulator.world().direct_message(&instagram, &Citizen::new(1, "Ani"), "Kapan KTP saya jadi?").unwrap();
    world.clock.advance(SignedDuration::from_mins(5));
    let block = |world: &World, length| world.simulator.world().throttle(Use::InstagramConversations, &instagram, length);
    // As if another process had just asked, which was killed.
    block(&world, SignedDuration::from_secs(1));
    world.turn(SignedDuration::ZERO).await;
    assert_eq!(world.simulator.world().throttled_calls(), 1);
    block(&world, SignedDuration::ZERO);
    world.simulator.world().set_limit(Use::InstagramConversations, &instagram, 1_000); // the clock stands while it reads
    for _ in 0..12 {
        world.turn(SignedDuration::from_secs(5)).await;
    }
    assert_eq!(world.texts("SELECT text AS one FROM message").await, ["Kapan KTP saya jadi?"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_proves_what_can_be_read_and_an_answer_of_the_government_or_an_older_comment_does_not() {
    let mut world = World::new(1).await;
    for account in [world.page(0), world.instagram(0)] {
        let post = world.simulator.world().post(&account, "Jadwal layanan").unwrap();
        world.simulator.world().comment(&post, &Citizen::new(1, "Ani"), "Kapan KTP saya jadi?").unwrap();
        world.introduced().await;
        world.clock.advance(HOUR);
        let now = Time::from_timestamp(world.clock.now());
        let mut witness = Witness::new(&world.settings, &account, now).await.unwrap();
        world.simulator.world().comment(&post, Author::Account(account.clone()), "Silakan ambil besok.").unwrap();
        assert!(witness.look(now).await.unwrap().is_empty());
        world.simulator.world().comment(&post, &Citizen::new(2, "Budi"), "Halo").unwrap();
        let arrived = witness.look(now).await.unwrap();
        assert_eq!(arrived.iter().map(|(source, _)| *source).collect::<Vec<_>>(), [Source::Comments]);
        world.simulator.world().direct_message(&account, &Citizen::new(2, "Budi"), "Halo").unwrap();
        assert_eq!(witness.look(now).await.unwrap()[0].0, Source::Messages);
        assert!(witness.open.is_empty());
    }
    let proved = "SELECT a.platform || ' ' || s.name AS one FROM source s JOIN account a ON a.id = s.account_id WHERE s.proved_at IS NOT NULL ORDER BY 1";
    assert_eq!(world.texts(proved).await, ["facebook comments", "facebook messages", "instagram comments", "instagram messages"]);
    let unknown = Witness::new(&world.settings, "404", Time::from_secs(0)).await.err().unwrap();
    assert!(unknown.to_string().contains("no [[opd.account]] has the id \"404\""), "{unknown}");
}
