//! Quotas, usage headers, throttling, and answers too heavy to give.

use serde_json::Value;
use tanggap::demo::world::{Draft, Use};

use super::{Bench, secs, siti};

#[tokio::test]
async fn usage_shows_in_percent_from_one_on_and_past_the_limit_calls_are_refused_for_as_long_as_one_goes_on() {
    let bench = Bench::start().await;
    let page = bench.sim.world().add_page("Desa Sidowayah", "desa");
    bench.sim.world().set_limit(Use::Pages, &page.id, 4);
    let path = format!("/{}/feed", page.id);
    let usage = |got: &super::Got| -> Value { serde_json::from_str(got.header("x-business-use-case-usage").unwrap()).unwrap() };
    for want in [25, 50, 75, 100] {
        let got = bench.get(&page.token, &path).await;
        let row = &usage(&got)[&page.id][0];
        assert_eq!((got.status, &row["type"], &row["call_count"]), (200, &"pages".into(), &want.into()));
        bench.clock.tick(600);
    }
    for call in 1..=2 {
        let got = bench.get(&page.token, &path).await;
        assert_eq!((got.status, got.code()), (400, Some(80001)), "call {call}");
        assert_eq!(usage(&got)[&page.id][0]["estimated_time_to_regain_access"], 1410, "ten minutes later, and as long as before");
        bench.clock.tick(600);
    }
    assert_eq!(bench.sim.world().throttled_calls(), 2);
    bench.clock.tick(1410 * 60 - 600);
    assert_eq!(bench.get(&page.token, &path).await.status, 200, "the wait it named last is over");
    let inbox = bench.get(&page.token, &format!("/{}/conversations?platform=messenger", page.id)).await;
    assert_eq!((inbox.status, inbox.header("x-business-use-case-usage")), (200, None), "another budget, at zero percent");
}

#[tokio::test]
async fn each_kind_of_call_has_its_own_limit_and_its_own_error() {
    let bench = Bench::start().await;
    let (page, instagram, user, app) = {
        let mut world = bench.sim.world();
        let page = world.add_page("Dinhub Rembang", "dinhub");
        let instagram = world.add_instagram("Dinhub", "dinhub_rembang", Some(&page.id));
        let user = world.user_token(&[&page.id]);
        (page, instagram, user, world.app.id.clone())
    };
    let person = bench.sim.world().token(&user).unwrap().user.clone();
    let cases = [
        (Use::Messenger, &page.id, &page.token, format!("/{}/conversations?platform=messenger", page.id), 80006),
        (Use::Instagram, &instagram.id, &page.token, format!("/{}/media", instagram.id), 80002),
        (Use::User, &person, &user, "/me/accounts".to_owned(), 17),
        (Use::User, &person, &user, format!("/{}/feed", page.id), 32),
        (Use::App, &app, &page.token, format!("/{}", page.id), 4),
    ];
    for (of, id, token, path, code) in cases {
        bench.sim.world().throttle(of, id, secs(300));
        assert_eq!(bench.get(token, &path).await.code(), Some(code), "{path}");
        bench.clock.tick(300);
        assert_eq!(bench.get(token, &path).await.code(), Some(code), "calling made it a minute longer");
        bench.clock.tick(600);
        assert_eq!(bench.get(token, &path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn an_instagram_inbox_answers_two_calls_a_second() {
    let bench = Bench::start().await;
    let own = bench.sim.world().add_instagram("Dinhub", "dinhub_rembang", None);
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(bench.get_instagram(&own.token, "/me/conversations?platform=instagram").await.code());
    }
    assert_eq!(codes, [None, None, Some(613)]);
    bench.clock.tick(1);
    assert_eq!(bench.get_instagram(&own.token, "/me/conversations?platform=instagram").await.code(), None);
}

#[tokio::test]
async fn what_comes_back_weighs_not_what_is_asked_for() {
    let bench = Bench::start().await;
    let (page, post) = {
        let mut world = bench.sim.world();
        world.manner.row_budget = 20;
        let page = world.add_page("Dinhub Rembang", "dinhub");
        let post = world.post(&page.id, "Halo").unwrap();
        (page, post)
    };
    let path = format!("/{}/feed?limit=100&fields=comments.filter(stream).limit(100){{id}}", page.id);
    assert_eq!(bench.get(&page.token, &path).await.status, 200);
    for _ in 0..30 {
        bench.sim.world().comment(&post, &siti(), Draft::from("Kapan?")).unwrap();
    }
    let got = bench.get(&page.token, &path).await;
    assert_eq!((got.status, got.code(), got.body["error"].get("fbtrace_id")), (500, Some(1), None));
    assert!(got.body["error"]["message"].as_str().unwrap().contains("reduce the amount of data"));
    assert_eq!(bench.get(&page.token, &path.replace("limit(100)", "limit(10)")).await.status, 200);
}
