//! The script: the same story for the same seed, with all that the daemon must cope with.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use tanggap::demo::{
    script::{Pace, Script, opds},
    world::{ItemKind, World},
};

use super::{Bench, Clock, secs};

const PACE: Pace = Pace { gap: SignedDuration::from_secs(2), answer: SignedDuration::from_secs(30), late: SignedDuration::from_secs(20) };

/// Lets a story run for that long, stepped that often; who wrote what, where and when.
fn told(seed: u64, seconds: i64, step: i64) -> Vec<(String, ItemKind, String, Timestamp)> {
    let clock = Clock::new();
    let mut world = World::new(clock.read());
    let mut script = Script::new(seed, opds(6), PACE, &mut world, clock.now());
    for _ in 0..seconds / step {
        clock.tick(step);
        script.step(&mut world, clock.now());
    }
    world.items().iter().map(|item| (item.id.clone(), item.kind, item.text.clone(), item.created)).collect()
}

#[test]
fn the_same_seed_tells_the_same_story_however_often_it_is_stepped() {
    let story = told(7, 600, 1);
    assert!(story.len() > 300, "{}", story.len());
    assert_eq!(story, told(7, 600, 1));
    assert_eq!(story, told(7, 600, 10));
    assert_ne!(story, told(8, 600, 1));
}

#[test]
fn the_six_agencies_of_the_article_come_first_and_any_number_can_be_had() {
    let slugs = |count| opds(count).into_iter().map(|opd| opd.slug).collect::<Vec<_>>();
    assert_eq!(slugs(6), ["dintanpan", "dinlutkan", "dinsosppkb", "dindukcapil", "dindikpora", "dinbudpar"]);
    assert_eq!(slugs(120).into_iter().collect::<BTreeSet<_>>().len(), 120);
}

#[test]
fn an_hour_holds_everything_that_happens_to_messages() {
    let clock = Clock::new();
    let mut world = World::new(clock.read());
    let mut script = Script::new(1, opds(6), PACE, &mut world, clock.now());
    for _ in 0..3600 {
        clock.tick(1);
        script.step(&mut world, clock.now());
    }
    let items = world.items();
    let any = |what: &str, found: bool| assert!(found, "no {what} in an hour");
    for kind in
        [ItemKind::Post, ItemKind::Media, ItemKind::WallPost, ItemKind::TagPost, ItemKind::TagMedia, ItemKind::Comment, ItemKind::Message]
    {
        any(&format!("{kind:?}"), items.iter().any(|item| item.kind == kind));
    }
    any("edit", items.iter().any(|item| !item.edits.is_empty()));
    any("deletion", items.iter().any(|item| item.deleted.is_some()));
    any("hidden comment", items.iter().any(|item| item.hidden.is_some()));
    any("private reply", items.iter().any(|item| item.private_reply.is_some()));
    any("late item", items.iter().any(|item| item.visible_from.duration_since(item.created) > secs(2)));
    any("equal second", items.windows(2).any(|pair| pair[0].created == pair[1].created && pair[0].root == pair[1].root));
    any("urgent text", items.iter().any(|item| item.by_citizen() && item.text.contains("banjir")));
    any("automatic reply", items.iter().any(|item| item.own() && item.text.contains("akan segera kami balas")));
    any("sister's answer", items.iter().any(|item| item.kind == ItemKind::Comment && !item.own() && !item.by_citizen()));
    let waiting = |thread: &str| items.iter().rfind(|item| item.root == thread).is_some_and(tanggap::demo::world::Item::by_citizen);
    any("conversation left waiting", items.iter().any(|item| item.kind == ItemKind::Message && waiting(&item.root)));
    let before = items.len();
    script.quiet();
    clock.tick(600);
    script.step(&mut world, clock.now());
    let begun = world.items()[before..].iter().filter(|item| item.root.is_empty()).count();
    assert_eq!(begun, 0, "nobody begins anything after that");
}

#[tokio::test]
async fn what_the_story_wrote_is_what_the_api_shows() {
    let bench = Bench::start().await;
    let mut script = Script::new(3, opds(3), PACE, &mut bench.sim.world(), bench.clock.now());
    for _ in 0..300 {
        bench.clock.tick(1);
        script.step(&mut bench.sim.world(), bench.clock.now());
    }
    bench.clock.tick(60);
    let fields = "from,message,message_tags,created_time,updated_time,comments.filter(stream).limit(100){from,message,parent{id},is_hidden,attachment}";
    for agency in script.agencies() {
        let (mut shown, mut posts) = (BTreeSet::new(), 0);
        let feed = bench.get(&agency.page.token, &format!("/{}/feed?limit=100&fields={fields}", agency.page.id)).await;
        for post in feed.body["data"].as_array().unwrap() {
            shown.insert(post["id"].as_str().unwrap().to_owned());
            shown.extend(super::ids(&post["comments"]));
            posts += 1;
        }
        let path = format!("/{}/conversations?platform=messenger&limit=100&fields=messages.limit(100){{id}}", agency.page.id);
        let inbox = bench.get(&agency.page.token, &path).await;
        for thread in inbox.body["data"].as_array().unwrap() {
            shown.extend(super::ids(&thread["messages"]));
        }
        let world = bench.sim.world();
        let truth = world.items().iter().filter(|item| item.account == agency.page.id && item.deleted.is_none());
        assert_eq!(shown, truth.map(|item| item.id.clone()).collect());
        assert!(posts > 2 && shown.len() > 10, "{}: {posts} posts, {} items", agency.opd.slug, shown.len());
    }
}
