//! Lists: order, pages, cursors, filters, counts.

use super::{Bench, budi, ids, secs, siti};
use tanggap::demo::world::{Added, Draft, Fault, Scope};

/// A Page with one post and `count` comments a second apart, two at each second; each third one has a reply.
fn commented(bench: &Bench, count: usize) -> (Added, String, Vec<String>, Vec<String>) {
    let start = bench.clock.now() - secs(10_000);
    let mut world = bench.sim.world();
    let page = world.add_page("Dinhub Rembang", "dinhub");
    let post = world.post(&page.id, Draft::from("Halo").at(start)).unwrap();
    let (mut top, mut all) = (Vec::new(), Vec::new());
    for number in 0..count {
        let at = start + secs(number as i64 / 2);
        let id = world.comment(&post, &siti(), Draft::from("Kapan?").at(at)).unwrap();
        all.push(id.clone());
        if number % 3 == 0 {
            all.push(world.reply(&id, &budi(), Draft::from("Ya").at(at)).unwrap());
        }
        top.push(id);
    }
    (page, post, top, all)
}

#[tokio::test]
async fn a_walk_gives_every_comment_once_and_in_order_whatever_the_page_size() {
    let bench = Bench::start().await;
    let (page, post, top, all) = commented(&bench, 23);
    let newest_first: Vec<String> = all.iter().rev().cloned().collect();
    for limit in [1, 2, 7, 25, 100] {
        let path = |more: &str| format!("/{post}/comments?limit={limit}{more}");
        assert_eq!(bench.walk(&page.token, &path("")).await.0, top, "the default leaves replies out");
        assert_eq!(bench.walk(&page.token, &path("&filter=stream")).await.0, all);
        let (walked, pages) = bench.walk(&page.token, &path("&filter=stream&order=reverse_chronological")).await;
        assert_eq!((walked, pages), (newest_first.clone(), all.len().div_ceil(limit)));
    }
}

#[tokio::test]
async fn a_nested_list_is_its_first_page_with_cursors_that_go_on_at_its_own_edge() {
    let bench = Bench::start().await;
    let (page, post, _, all) = commented(&bench, 8);
    let nested = "id,comments.filter(stream).order(reverse_chronological).limit(3).summary(total_count){id,parent{id}}";
    let feed = bench.get(&page.token, &format!("/{}/feed?fields={nested}", page.id)).await;
    let comments = &feed.body["data"][0]["comments"];
    assert_eq!((ids(comments).len(), comments["summary"]["total_count"].as_u64()), (3, Some(all.len() as u64)));
    assert!(comments["paging"]["next"].as_str().unwrap().contains(&format!("access_token={}", page.token)), "as Meta's");
    let after = comments["paging"]["cursors"]["after"].as_str().unwrap();
    let rest = bench.get(&page.token, &format!("/{post}/comments?filter=stream&order=reverse_chronological&after={after}")).await.ids();
    assert_eq!([ids(comments), rest].concat(), all.iter().rev().cloned().collect::<Vec<_>>());

    let counted = bench.get(&page.token, &format!("/{}/feed?fields=id,comments.summary(total_count).limit(0)", page.id)).await;
    let comments = &counted.body["data"][0]["comments"];
    assert_eq!((ids(comments).len(), comments["summary"]["total_count"].as_u64()), (0, Some(8)), "the count follows the filter");
}

#[tokio::test]
async fn a_cursor_dies_with_its_item_and_belongs_to_its_list_only() {
    let bench = Bench::start().await;
    let (page, post, top, _) = commented(&bench, 6);
    let first = bench.get(&page.token, &format!("/{post}/comments?limit=2")).await;
    let after = first.body["paging"]["cursors"]["after"].as_str().unwrap().to_owned();
    let next = format!("/{post}/comments?limit=2&after={after}");
    assert_eq!(bench.get(&page.token, &next).await.ids(), top[2..4]);
    for wrong in [format!("/{}/feed?after={after}", page.id), format!("/{post}/comments?after=nonsense")] {
        assert_eq!(bench.get(&page.token, &wrong).await.code(), Some(100), "{wrong}");
    }
    bench.sim.world().delete(&top[1]).unwrap();
    assert_eq!(bench.get(&page.token, &next).await.code(), Some(100));
}

#[tokio::test]
async fn an_empty_page_may_come_with_more_behind_it() {
    let bench = Bench::start().await;
    let (page, post, top, _) = commented(&bench, 6);
    bench.sim.world().fail_next(Scope::Path("comments".into()), Fault::EmptyPage, 2);
    let (walked, pages) = bench.walk(&page.token, &format!("/{post}/comments?limit=3")).await;
    assert_eq!((walked, pages), (top, 4));
}

#[tokio::test]
async fn the_feed_holds_all_kinds_of_posts_newest_first_and_refuses_more_than_a_hundred() {
    let bench = Bench::start().await;
    let (page, posts) = {
        let mut world = bench.sim.world();
        let page = world.add_page("Dinbudpar Rembang", "dinbudpar");
        let at = |ago: i64| bench.clock.now() - secs(ago);
        let own = world.post(&page.id, Draft::from("Kirab budaya").at(at(30))).unwrap();
        let wall = world.visitor_post(&page.id, &siti(), Draft::from("Toilet kotor").at(at(10))).unwrap();
        let tagged = world.tag_post(&page.id, &budi(), Draft::from("Pantai ramai").at(at(20))).unwrap();
        (page, [wall, tagged, own])
    };
    let feed = bench.get(&page.token, &format!("/{}/feed?fields=id,from,status_type", page.id)).await;
    assert_eq!(feed.ids(), posts);
    assert_eq!((&feed.body["data"][0]["status_type"], &feed.body["data"][0]["from"]["name"]), (&"wall_post".into(), &"Siti".into()));
    assert!(!posts[1].starts_with(&page.id), "a tagging post carries its author's id");
    assert_eq!(bench.get(&page.token, &format!("/{}/published_posts", page.id)).await.ids(), posts[2..]);
    let tagged = bench.get(&page.token, &format!("/{}/tagged?fields=id,from,message", page.id)).await;
    assert_eq!((tagged.ids(), tagged.body["data"][0].get("from")), (posts[1..2].to_vec(), None));
    assert_eq!(bench.get(&page.token, &format!("/{}/feed?limit=101", page.id)).await.code(), Some(100));
    assert_eq!(bench.get(&page.token, &format!("/{}/ratings", page.id)).await.code(), Some(12));
    assert_eq!(bench.get(&page.token, &format!("/{}/visitor_posts", page.id)).await.code(), Some(100));
}

#[tokio::test]
async fn a_posts_updated_time_moves_when_a_person_comments_and_not_for_the_pages_answer() {
    let bench = Bench::start().await;
    let (page, post) = {
        let mut world = bench.sim.world();
        let page = world.add_page("Dinkes Rembang", "dinkes");
        let post = world.post(&page.id, "Imunisasi").unwrap();
        (page, post)
    };
    let updated = async || bench.get(&page.token, &format!("/{post}?fields=updated_time")).await.body["updated_time"].clone();
    let written = updated().await;
    assert_eq!(written, "2026-11-24T02:00:00+0000");
    bench.clock.tick(60);
    let comment = bench.sim.world().comment(&post, &siti(), "Jam berapa?").unwrap();
    assert_eq!(updated().await, "2026-11-24T02:01:00+0000");
    bench.clock.tick(60);
    bench.sim.world().answer(&comment, "Jam delapan").unwrap();
    assert_eq!(updated().await, "2026-11-24T02:01:00+0000");
}

#[tokio::test]
async fn late_edited_hidden_and_deleted_comments_look_as_meta_shows_them() {
    let bench = Bench::start().await;
    let (page, post, ids) = {
        let mut world = bench.sim.world();
        let page = world.add_page("DLH Rembang", "dlh");
        let post = world.post(&page.id, "Jumat bersih").unwrap();
        let late = Draft::from("Sampah menumpuk").visible_from(bench.clock.now() + secs(30));
        let ids = [world.comment(&post, &siti(), late).unwrap(), world.comment(&post, &budi(), "Sungai kotor").unwrap()];
        (page, post, ids)
    };
    let path = format!("/{post}/comments?filter=stream&fields=message,is_hidden,created_time,parent{{id}}");
    assert_eq!(bench.get(&page.token, &path).await.ids(), ids[1..]);
    bench.clock.tick(30);
    bench.sim.world().edit(&ids[0], "Sampah masih menumpuk").unwrap();
    bench.sim.world().hide(&ids[1]).unwrap();
    let reply = bench.sim.world().reply(&ids[0], &budi(), "Betul").unwrap();
    let again = bench.sim.world().reply(&reply, &siti(), "Iya kan").unwrap();
    let got = bench.get(&page.token, &path).await;
    let row = |id: &String| got.body["data"].as_array().unwrap().iter().find(|row| row["id"] == *id).unwrap().clone();
    assert_eq!(
        (&row(&ids[0])["message"], &row(&ids[0])["created_time"]),
        (&"Sampah masih menumpuk".into(), &"2026-11-24T02:00:00+0000".into())
    );
    assert_eq!(row(&ids[1])["is_hidden"], true);
    assert_eq!(row(&again)["parent"]["id"], ids[0], "a reply to a reply stands under the top-level comment");
    bench.sim.world().manner.bare_comment_ids = true;
    assert_eq!(bench.get(&page.token, &path).await.ids()[0], ids[0].rsplit_once('_').unwrap().1);
    bench.sim.world().delete(&ids[0]).unwrap();
    let gone = bench.get(&page.token, &format!("/{}", ids[0])).await;
    assert_eq!((gone.code(), gone.body["error"]["error_subcode"].as_u64()), (Some(100), Some(33)));
    assert!(bench.sim.world().item(&reply).unwrap().deleted.is_some(), "its replies went with it");
}
