//! Conversations and Instagram's comments.

use tanggap::demo::world::Draft;

use super::{Bench, budi, ids, secs, siti};

#[tokio::test]
async fn conversations_come_newest_first_and_an_answer_moves_theirs_to_the_front() {
    let bench = Bench::start().await;
    let (page, first, second) = {
        let mut world = bench.sim.world();
        let page = world.add_page("Dindukcapil Rembang", "dindukcapil");
        let first = world.direct_message(&page.id, &siti(), "Kapan KTP saya jadi?").unwrap();
        bench.clock.tick(60);
        let second = world.direct_message(&page.id, &budi(), "Buka jam berapa?").unwrap();
        (page, world.item(&first).unwrap().root.clone(), world.item(&second).unwrap().root.clone())
    };
    let path = format!(
        "/{}/conversations?platform=messenger&since=1&fields=id,updated_time,unread_count,participants,messages.limit(5){{message,from}}",
        page.id
    );
    let got = bench.get(&page.token, &path).await;
    assert_eq!(got.ids(), [second.clone(), first.clone()]);
    assert_eq!(got.body["data"][1]["unread_count"], 1);
    assert_eq!(got.body["data"][1]["messages"]["data"][0]["from"]["id"], siti().scoped(&page.id));
    bench.clock.tick(60);
    bench.sim.world().answer(&first, "Minggu depan, Siti").unwrap();
    let got = bench.get(&page.token, &path).await;
    assert_eq!(got.ids(), [first, second]);
    let newest = &got.body["data"][0];
    assert_eq!(
        (&newest["messages"]["data"][0]["from"]["id"], &newest["updated_time"]),
        (&page.id.clone().into(), &"2026-11-24T02:02:00+0000".into())
    );
    assert_eq!(newest.get("unread_count"), None, "left out at zero");
}

#[tokio::test]
async fn only_the_twenty_newest_messages_give_details_and_older_ones_look_deleted() {
    let bench = Bench::start().await;
    let (page, messages) = {
        let mut world = bench.sim.world();
        let page = world.add_page("Dinsos Rembang", "dinsos");
        let messages: Vec<String> =
            (0..25).map(|number| world.direct_message(&page.id, &siti(), format!("Pesan {number}").as_str()).unwrap()).collect();
        (page, messages)
    };
    let thread = bench.sim.world().item(&messages[0]).unwrap().root.clone();
    let path = format!("/{thread}/messages?limit=100&fields=message");
    let got = bench.get(&page.token, &path).await;
    let rows = got.body["data"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[19]["message"], rows[20].get("message")), (25, &"Pesan 5".into(), None));
    assert_eq!(bench.get(&page.token, &format!("/{}?fields=message", messages[5])).await.body["message"], "Pesan 5");
    assert_eq!(bench.get(&page.token, &format!("/{}?fields=message", messages[4])).await.code(), Some(100));
    bench.sim.world().delete(&messages[24]).unwrap();
    assert_eq!(bench.get(&page.token, &path).await.ids()[0], messages[23]);
    assert_eq!(bench.get(&page.token, &format!("/{}", messages[24])).await.code(), Some(100));
    bench.sim.world().manner.nested_bodies = false;
    assert_eq!(bench.get(&page.token, &path).await.body["data"][0].get("message"), None);
}

#[tokio::test]
async fn an_instagram_inbox_is_the_pages_edge_with_a_page_token_and_its_own_with_instagram_login() {
    let bench = Bench::start().await;
    let (page, linked, own) = {
        let mut world = bench.sim.world();
        let page = world.add_page("Dinbudpar Rembang", "dinbudpar");
        let linked = world.add_instagram("Dinbudpar", "dinbudpar_rembang", Some(&page.id));
        let own = world.add_instagram("Dinhub", "dinhub_rembang", None);
        for account in [&linked.id, &own.id] {
            world.direct_message(account, &siti(), "Tiket berapa?").unwrap();
        }
        (page, linked, own)
    };
    let fields = "platform=instagram&fields=participants,messages{from,message}";
    let got = bench.get(&page.token, &format!("/{}/conversations?{fields}", page.id)).await;
    assert_eq!(got.body["data"][0]["messages"]["data"][0]["from"]["username"], siti().username);
    assert!(got.body["data"][0]["participants"]["data"].as_array().unwrap().iter().any(|side| side["id"] == linked.id));
    assert_eq!(bench.get(&page.token, &format!("/{}/conversations?{fields}", linked.id)).await.code(), Some(3));
    assert_eq!(bench.get_instagram(&own.token, &format!("/me/conversations?{fields}")).await.ids().len(), 1);
    bench.sim.world().change_account(&own.id, |account| account.message_access = false);
    let refused = bench.get_instagram(&own.token, &format!("/{}/conversations?{fields}", own.id)).await;
    assert_eq!((refused.status, refused.body["error"]["error_subcode"].as_u64()), (403, Some(2_534_041)));
}

#[tokio::test]
async fn instagram_comments_are_top_level_newest_first_at_most_fifty_and_their_count_holds_replies() {
    let bench = Bench::start().await;
    let (page, medium, top, replies) = {
        let mut world = bench.sim.world();
        let page = world.add_page("Dintanpan Rembang", "dintanpan");
        let account = world.add_instagram("Dintanpan", "dintanpan_rembang", Some(&page.id));
        let medium = world.post(&account.id, "Panen raya").unwrap();
        let at = |seconds: i64| bench.clock.now() - secs(1_000 - seconds);
        let top: Vec<String> =
            (0..60).map(|number| world.comment(&medium, &siti(), Draft::from("Pupuk?").at(at(number))).unwrap()).collect();
        let first = world.reply(&top[59], &budi(), Draft::from("Sama").at(at(100))).unwrap();
        let second = world.answer(&first, Draft::from("Sudah dikirim").at(at(200))).unwrap();
        (page, medium, top, [first, second])
    };
    let newest_first: Vec<String> = top.iter().rev().cloned().collect();
    let first_page = bench.get(&page.token, &format!("/{medium}/comments?limit=100")).await;
    assert_eq!(first_page.ids(), newest_first[..50]);
    assert_eq!(bench.walk(&page.token, &format!("/{medium}/comments?limit=100")).await, (newest_first, 2));
    let last = format!("/{medium}/comments?limit=50&after={}", first_page.body["paging"]["cursors"]["after"].as_str().unwrap());
    assert_eq!(bench.get(&page.token, &last).await.body.get("paging"), None, "nothing about pages on the last one");
    let nested = "fields=comments_count,comments.limit(1){from,replies{parent_id,username,user}}";
    let got = bench.get(&page.token, &format!("/{medium}?{nested}")).await;
    assert_eq!(got.body["comments_count"], 62);
    let inner = &got.body["comments"]["data"][0]["replies"];
    assert_eq!(ids(inner), replies, "oldest first, flattened");
    assert_eq!((&inner["data"][0]["parent_id"], inner["data"][0].get("user")), (&top[59].clone().into(), None));
    assert_eq!((&inner["data"][1]["username"], inner["data"][1]["user"].is_object()), (&"dintanpan_rembang".into(), true));
}

#[tokio::test]
async fn tagged_media_have_cursors_but_no_next() {
    let bench = Bench::start().await;
    let (page, account, tagged) = {
        let mut world = bench.sim.world();
        let page = world.add_page("Dinbudpar Rembang", "dinbudpar");
        let account = world.add_instagram("Dinbudpar", "dinbudpar_rembang", Some(&page.id));
        let tagged: Vec<String> = (0..3).map(|_| world.tag_post(&account.id, &siti(), "Pantai").unwrap()).collect();
        (page, account, tagged)
    };
    let first = bench.get(&page.token, &format!("/{}/tags?limit=2&fields=caption,username", account.id)).await;
    assert_eq!((first.ids(), first.body["paging"].get("next")), (vec![tagged[2].clone(), tagged[1].clone()], None));
    let after = first.body["paging"]["cursors"]["after"].as_str().unwrap();
    assert_eq!(bench.get(&page.token, &format!("/{}/tags?limit=2&after={after}", account.id)).await.ids(), tagged[..1]);
    assert_eq!(bench.get(&page.token, &format!("/{}/media", account.id)).await.ids(), Vec::<String>::new());
}

#[tokio::test]
async fn a_private_reply_shows_on_the_comment_and_in_the_inbox() {
    let bench = Bench::start().await;
    let (page, comment) = {
        let mut world = bench.sim.world();
        let page = world.add_page("Dinkes Rembang", "dinkes");
        let post = world.post(&page.id, "Vaksin").unwrap();
        let comment = world.comment(&post, &siti(), "Hasil lab saya?").unwrap();
        world.private_reply(&comment, "Kami kirim lewat pesan").unwrap();
        (page, comment)
    };
    let thread = bench.get(&page.token, &format!("/{comment}?fields=private_reply_conversation")).await;
    let thread = thread.body["private_reply_conversation"]["id"].as_str().unwrap().to_owned();
    let messages = bench.get(&page.token, &format!("/{thread}/messages?fields=from,to,message")).await;
    assert_eq!(messages.body["data"][0]["to"]["data"][0]["id"], siti().scoped(&page.id));
}
