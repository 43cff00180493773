//! What goes wrong on order, as a caller sees it.

use serde_json::json;
use tanggap::demo::world::{Added, Fault, Scope};

use super::{Bench, secs, siti};

fn page(bench: &Bench) -> (Added, String) {
    let mut world = bench.sim.world();
    let page = world.add_page("Dinhub Rembang", "dinhub");
    let post = world.post(&page.id, "Halo").unwrap();
    world.comment(&post, &siti(), "Kapan?").unwrap();
    (page, post)
}

#[tokio::test]
async fn errors_come_as_often_as_ordered_with_their_status_and_only_in_their_scope() {
    let bench = Bench::start().await;
    let (page, post) = page(&bench);
    let other = bench.sim.world().add_page("Dinkes Rembang", "dinkes");
    let cases =
        [(Fault::Unknown, (500, Some(1))), (Fault::Transient, (500, Some(2))), (Fault::Error(400, 368, Some(1_390_008)), (400, Some(368)))];
    for (fault, want) in cases {
        bench.sim.world().fail_next(Scope::Account(page.id.clone()), fault, 2);
        assert_eq!(bench.get(&other.token, &format!("/{}", other.id)).await.status, 200);
        for _ in 0..2 {
            let got = bench.get(&page.token, &format!("/{post}/comments")).await;
            assert_eq!((got.status, got.code()), want);
        }
        assert_eq!(bench.get(&page.token, &format!("/{post}/comments")).await.status, 200);
    }
    let until = bench.clock.now() + secs(60);
    bench.sim.world().outage(Scope::Path("/feed".into()), Fault::Transient, Some(until));
    let feed = format!("/{}/feed", page.id);
    assert_eq!((bench.get(&page.token, &feed).await.status, bench.get(&page.token, &feed).await.status), (500, 500));
    assert_eq!(bench.get(&page.token, &format!("/{}", page.id)).await.status, 200);
    bench.clock.tick(60);
    assert_eq!(bench.get(&page.token, &feed).await.status, 200);
}

#[tokio::test]
async fn bodies_that_are_no_answer_come_as_such() {
    let bench = Bench::start().await;
    let (page, _) = page(&bench);
    let once = async |fault: Fault| {
        bench.sim.world().fail_next(Scope::All, fault, 1);
        let request = bench.client.get(format!("{}/v25.0/{}/feed", bench.sim.facebook_url, page.id)).bearer_auth(&page.token);
        let answer = request.send().await.unwrap();
        let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
        (answer.status().as_u16(), kind, answer.text().await.unwrap())
    };
    let (status, kind, body) = once(Fault::Html).await;
    assert_eq!((status, kind.starts_with("text/html"), body.starts_with("<!DOCTYPE")), (500, true, true));
    assert_eq!(once(Fault::Empty).await.2, "");
    assert!(once(Fault::WrongType).await.1.starts_with("text/html"));
    assert_eq!(
        once(Fault::Body(r#"{"data":[{"id":"\ud800"}]}"#.into())).await,
        (200, "application/json; charset=UTF-8".into(), r#"{"data":[{"id":"\ud800"}]}"#.into())
    );
    assert!(once(Fault::Flood(1_000_000)).await.2.len() > 1_000_000);
    assert_eq!(once(Fault::Redirect("http://127.0.0.1:1/".into())).await.0, 302);
}

#[tokio::test]
async fn connections_break_before_an_answer_in_its_middle_or_not_at_all() {
    let bench = Bench::start().await;
    let (page, _) = page(&bench);
    let base = bench.sim.facebook_url.clone();
    let path = format!("/{}/feed", page.id);
    for fault in [Fault::Reset, Fault::HalfBody] {
        bench.sim.world().fail_next(Scope::All, fault.clone(), 1);
        let failed = bench.send(&base, &page.token, &path).await.err();
        assert!(failed.is_some_and(|why| !why.is_timeout()), "{fault:?}");
        assert_eq!(bench.get(&page.token, &path).await.status, 200);
    }
    bench.sim.world().fail_next(Scope::All, Fault::Stall, 1);
    let request = bench.client.get(format!("{base}/v25.0{path}")).bearer_auth(&page.token).timeout(std::time::Duration::from_millis(200));
    assert!(request.send().await.is_err_and(|why| why.is_timeout()));
}

#[tokio::test]
async fn a_spoilt_field_is_shown_as_ordered_and_dates_may_be_skewed() {
    let bench = Bench::start().await;
    let (page, post) = page(&bench);
    bench.sim.world().spoil(&post, "created_time", json!("9999-12-31T23:59:59+0000")).unwrap();
    bench.sim.world().spoil(&post, "message", json!(["no", "text"])).unwrap();
    bench.sim.world().manner.date_skew = secs(120);
    let got = bench.send(&bench.sim.facebook_url, &page.token, &format!("/{}/feed", page.id)).await.unwrap();
    assert_eq!(
        (&got.body["data"][0]["created_time"], got.body["data"][0]["message"].is_array()),
        (&"9999-12-31T23:59:59+0000".into(), true)
    );
    assert_eq!(got.header("date"), Some("Tue, 24 Nov 2026 02:02:00 GMT"));
    assert!(got.header("x-fb-trace-id").is_some());
}
