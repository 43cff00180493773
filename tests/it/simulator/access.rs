//! Tokens, permissions, proofs, discovery, and what is remembered of each call.

use hmac::{Hmac, KeyInit, Mac};
use tanggap::demo::world::{Authorised, Death, Host};

use super::{Bench, secs, siti};

#[tokio::test]
async fn a_dead_token_is_error_190_with_the_subcode_of_its_death() {
    let bench = Bench::start().await;
    let page = bench.sim.world().add_page("Dinhub Rembang", "dinhub");
    let path = format!("/{}/feed", page.id);
    for (death, subcode) in
        [(Death::Revoked, None), (Death::PasswordChanged, Some(460)), (Death::RoleLost, Some(492)), (Death::AppRemoved, Some(458))]
    {
        bench.sim.world().kill_token(&page.id, death);
        let got = bench.get(&page.token, &path).await;
        assert_eq!((got.status, got.code(), got.body["error"]["error_subcode"].as_u64()), (400, Some(190), subcode));
        bench.sim.world().revive_token(&page.id);
    }
    let soon = bench.clock.now() + secs(60);
    bench.sim.world().expire_token(&page.id, soon);
    assert_eq!(bench.get(&page.token, &path).await.status, 200);
    bench.clock.tick(60);
    let got = bench.get(&page.token, &path).await;
    assert_eq!((got.code(), got.body["error"]["error_subcode"].as_u64()), (Some(190), Some(463)));
    assert!(got.body["error"]["fbtrace_id"].is_string());
    assert_eq!(bench.get("EAAGnobody", &path).await.code(), Some(190));
}

#[tokio::test]
async fn a_persons_token_sees_its_pages_and_empty_lists_where_the_pages_own_is_wanted() {
    let bench = Bench::start().await;
    let (page, other, user, system) = {
        let mut world = bench.sim.world();
        let (page, other) = (world.add_page("Dinhub Rembang", "dinhub"), world.add_page("Dinkes Rembang", "dinkes"));
        world.add_instagram("Dinhub", "dinhub_rembang", Some(&page.id));
        let post = world.post(&page.id, "Halo").unwrap();
        world.comment(&post, &siti(), "Kapan?").unwrap();
        let user = world.user_token(&[&page.id, &other.id]);
        (page.clone(), other, user, world.system_token(&[&page.id]))
    };
    let empty = bench.get(&user, &format!("/{}/feed", page.id)).await;
    assert_eq!((empty.status, empty.ids().len()), (200, 0), "looks as if nobody wrote");
    let accounts = bench.get(&user, "/me/accounts?fields=id,name,access_token,tasks,instagram_business_account{id,username}").await;
    assert_eq!(accounts.ids(), [page.id.clone(), other.id.clone()]);
    assert_eq!(
        (&accounts.body["data"][0]["access_token"], &accounts.body["data"][0]["instagram_business_account"]["username"]),
        (&page.token.clone().into(), &"dinhub_rembang".into())
    );
    let system_user = bench.sim.world().token(&system).unwrap().user.clone();
    assert_eq!(bench.get(&system, &format!("/{system_user}/assigned_pages")).await.ids(), [page.id.as_str()]);
    let foreign = bench.get(&other.token, &format!("/{}/feed", page.id)).await;
    assert_eq!((foreign.code(), foreign.body["error"]["error_subcode"].as_u64()), (Some(100), Some(33)));
}

#[tokio::test]
async fn tasks_and_permissions_are_those_of_the_tokens_owner() {
    let bench = Bench::start().await;
    let (user, system) = {
        let mut world = bench.sim.world();
        let page = world.add_page("Dinhub Rembang", "dinhub");
        world.change_account(&page.id, |account| account.tasks = vec!["PROFILE_PLUS_MODERATE".into()]);
        (world.user_token(&[&page.id]), world.system_token(&[&page.id]))
    };
    let pages = bench.get(&user, "/me/accounts?fields=id,username,tasks").await.body;
    assert_eq!((&pages["data"][0]["tasks"][0], &pages["data"][0]["username"]), (&"PROFILE_PLUS_MODERATE".into(), &"dinhub".into()));
    let permissions = bench.get(&user, "/me/permissions").await.body;
    assert_eq!(permissions["data"][0], serde_json::json!({ "permission": "instagram_basic", "status": "granted" }));
    assert_eq!(bench.get(&system, "/me/assigned_pages?fields=id,tasks").await.ids().len(), 1);
}

#[tokio::test]
async fn a_missing_permission_sinks_the_whole_call_with_its_own_code() {
    let bench = Bench::start().await;
    let (page, instagram) = {
        let mut world = bench.sim.world();
        let page = world.add_page("Dinhub Rembang", "dinhub");
        let instagram = world.add_instagram("Dinhub", "dinhub_rembang", Some(&page.id));
        world.post(&page.id, "Halo").unwrap();
        world.post(&instagram.id, "Halo").unwrap();
        (page, instagram)
    };
    let cases = [
        ("pages_read_engagement", format!("/{}/feed", page.id), (400, Some(10))),
        ("pages_read_user_content", format!("/{}/published_posts?fields=comments{{id}}", page.id), (400, Some(283))),
        ("pages_messaging", format!("/{}/conversations?platform=messenger", page.id), (403, Some(200))),
        ("instagram_manage_messages", format!("/{}/conversations?platform=instagram", page.id), (403, Some(200))),
        ("instagram_manage_comments", format!("/{}/media?fields=comments{{id}}", instagram.id), (400, Some(10))),
    ];
    for (scope, path, want) in cases {
        assert_eq!(bench.get(&page.token, &path).await.status, 200, "{path}");
        bench.sim.world().revoke_scope(&page.id, scope);
        let got = bench.get(&page.token, &path).await;
        assert_eq!((got.status, got.code()), want, "without {scope}: {path}");
        bench.sim.world().grant_scope(&page.id, scope);
    }
}

#[tokio::test]
async fn debug_token_tells_type_life_and_scopes_and_why_a_token_is_dead() {
    let bench = Bench::start().await;
    let (page, app) = {
        let mut world = bench.sim.world();
        let page = world.add_page("Dinhub Rembang", "dinhub");
        (page, format!("{}|{}", world.app.id, world.app.secret))
    };
    let path = format!("/debug_token?input_token={}", page.token);
    let alive = bench.get(&app, &path).await.body;
    assert_eq!(
        (&alive["data"]["type"], &alive["data"]["is_valid"], &alive["data"]["expires_at"]),
        (&"PAGE".into(), &true.into(), &0.into())
    );
    assert_eq!(alive["data"]["profile_id"], page.id);
    bench.sim.world().kill_token(&page.id, Death::PasswordChanged);
    let dead = bench.get(&app, &path).await.body;
    assert_eq!((&dead["data"]["is_valid"], &dead["data"]["error"]["subcode"]), (&false.into(), &460.into()));
    assert_eq!(bench.get("1|wrong", &path).await.code(), Some(190), "the caller's own trouble is an error");
}

#[tokio::test]
async fn appsecret_proof_is_checked_where_the_app_demands_it_and_wherever_it_comes() {
    let bench = Bench::start().await;
    let (page, secret) = {
        let mut world = bench.sim.world();
        (world.add_page("Dinhub Rembang", "dinhub"), world.app.secret.clone())
    };
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(page.token.as_bytes());
    let right = format!("/{}?appsecret_proof={}", page.id, hex::encode(mac.finalize().into_bytes()));
    let wrong = format!("/{}?appsecret_proof=00", page.id);
    let none = format!("/{}", page.id);
    let code = async |path: &str| bench.get(&page.token, path).await.code();
    assert_eq!((code(&right).await, code(&wrong).await, code(&none).await), (None, Some(100), None));
    bench.sim.world().app.proof_required = true;
    assert_eq!((code(&right).await, code(&none).await), (None, Some(100)));
}

#[tokio::test]
async fn an_instagram_token_is_of_its_host_and_gets_a_successor_after_a_day() {
    let bench = Bench::start().await;
    let own = bench.sim.world().add_instagram("Dinhub", "dinhub_rembang", None);
    let me = bench.get_instagram(&own.token, "/me?fields=user_id,username").await.body;
    assert_eq!((me["user_id"].to_string(), me["id"] == own.id.as_str()), (own.id.clone(), false));
    assert_eq!(bench.get(&own.token, &format!("/{}/media", own.id)).await.code(), Some(190));
    let refresh = "/refresh_access_token?grant_type=ig_refresh_token";
    assert_eq!(bench.get_instagram(&own.token, refresh).await.code(), Some(100), "too young");
    bench.clock.tick(24 * 3600);
    let new = bench.get_instagram(&own.token, refresh).await.body;
    assert_eq!(new["expires_in"], 60 * 24 * 3600);
    assert_eq!(bench.get_instagram(new["access_token"].as_str().unwrap(), "/me").await.status, 200);
}

#[tokio::test]
async fn every_call_is_remembered_without_its_token_and_a_followed_next_link_stands_out() {
    let bench = Bench::start().await;
    let page = bench.sim.world().add_page("Dinhub Rembang", "dinhub");
    for _ in 0..3 {
        bench.sim.world().post(&page.id, "Halo").unwrap();
    }
    let first = bench.get(&page.token, &format!("/{}/feed?limit=1", page.id)).await;
    let next = first.body["paging"]["next"].as_str().unwrap().to_owned();
    assert_eq!(bench.client.get(&next).send().await.unwrap().status(), 200);
    assert_eq!(bench.client.get(format!("{}/v25.0/{}", bench.sim.facebook_url, page.id)).send().await.unwrap().status(), 400);
    let world = bench.sim.world();
    let seen: Vec<_> = world.calls().iter().map(|call| (call.authorised, call.next_link, call.code)).collect();
    assert_eq!(seen, [(Authorised::Header, false, None), (Authorised::Query, true, None), (Authorised::No, false, Some(104))]);
    let call = &world.calls()[0];
    assert_eq!(
        (call.host, call.account.as_deref(), call.param("limit"), call.at),
        (Host::Facebook, Some(page.id.as_str()), Some("1"), bench.clock.now())
    );
    assert!(!format!("{:?}", world.calls()).contains(&page.token));
    assert_eq!(world.call_counts()[&(page.id.clone(), "feed".to_owned())], 2);
}

#[tokio::test]
async fn legacy_ways_of_asking_are_refused_or_ignored_as_since_october() {
    let bench = Bench::start().await;
    let page = bench.sim.world().add_page("Dinhub Rembang", "dinhub");
    let ids = bench.get(&page.token, &format!("/?ids={}", page.id)).await;
    assert_eq!((ids.status, ids.code()), (500, Some(100)));
    let request = bench.client.get(format!("{}/v25.0/{}", bench.sim.facebook_url, page.id)).bearer_auth(&page.token);
    assert_eq!(request.header("if-none-match", "*").send().await.unwrap().status(), 200);
    let served = async |version: &str| {
        let answer =
            bench.client.get(format!("{}/{version}/{}", bench.sim.facebook_url, page.id)).bearer_auth(&page.token).send().await.unwrap();
        answer.headers()["facebook-api-version"].to_str().unwrap().to_owned()
    };
    assert_eq!((served("v25.0").await, served("v18.0").await), ("v25.0".into(), "v21.0".into()));
    assert_eq!(bench.get(&page.token, &format!("/{}/feed/x", page.id)).await.code(), Some(2500));
    let post = bench.client.post(format!("{}/v25.0/{}/feed", bench.sim.facebook_url, page.id)).bearer_auth(&page.token);
    assert_eq!(post.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_page_tells_the_app_of_the_fields_it_was_subscribed_to_until_it_is_unsubscribed() {
    let bench = Bench::start().await;
    let page = bench.sim.world().add_page("Dinhub Rembang", "dinhub");
    let url = format!("{}/v25.0/{}/subscribed_apps", bench.sim.facebook_url, page.id);
    let subscribe = async |fields: &str| {
        let request = bench.client.post(&url).query(&[("subscribed_fields", fields)]).bearer_auth(&page.token);
        request.send().await.unwrap().status().as_u16()
    };
    // of this edge the specifications know no fields
    let list = format!("/{}/subscribed_apps", page.id);
    let fields = async || {
        let got = bench.send(&bench.sim.facebook_url, &page.token, &list).await.unwrap();
        got.body["data"][0]["subscribed_fields"].clone()
    };
    assert_eq!(subscribe("feed,horoscopes").await, 400);
    assert!(fields().await.is_null());
    assert_eq!(subscribe("feed,messages").await, 200);
    assert_eq!(subscribe("feed,ratings").await, 200);
    assert_eq!(fields().await, serde_json::json!(["feed", "ratings"]));
    assert!(bench.sim.world().subscribed(&page.id, "feed") && !bench.sim.world().subscribed(&page.id, "messages"));
    assert_eq!(bench.client.delete(&url).bearer_auth(&page.token).send().await.unwrap().status().as_u16(), 200);
    assert!(fields().await.is_null());
}
