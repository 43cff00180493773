//! `/api/v1`: tokens, lists, actions, problems, what happens as it happens.

use std::time::Duration;

use serde_json::json;

use super::world::World;

#[tokio::test]
async fn without_a_token_that_holds_nothing_is_told_not_even_what_there_is() {
    let world = World::sqlite().await;
    for path in ["/api/v1/tickets", "/api/v1/openapi.json", "/api/v1/nothing", "/api/v1/events", "/api/v1/tickets/1"] {
        let answer = world.api("", path).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer"), "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.json()["status"], json!(401));
    }
    assert_eq!(world.api("ani", "/api/v1/nothing").await.status, 404);
    assert_eq!(world.api_with("", "/api/v1/me", &[("cookie", "tanggap=x")]).await.status, 401, "a session is no token");
    tanggap::store::people::end_token(&world.db, "ani", "test", world.now()).await.unwrap();
    assert_eq!(world.api("ani", "/api/v1/me").await.status, 401, "revoked");
}

#[tokio::test]
async fn lists_go_on_by_cursor_until_everything_was_given_once() {
    for world in [World::sqlite().await, World::postgres().await] {
        for (path, whole) in [("/api/v1/tickets?state=all", 6), ("/api/v1/messages?direction=in", 6)] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let answer = world.api("budi", &format!("{path}&limit=2{cursor}")).await;
                assert_eq!(answer.status, 200, "{}", answer.body);
                let page = answer.json();
                assert!(page["data"].as_array().unwrap().len() <= 2);
                seen.extend(page["data"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()));
                match page["next"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            let mut once = seen.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!((seen.len(), once.len()), (whole, whole), "{path}");
        }
    }
}

#[tokio::test]
async fn bad_filters_are_refused_with_the_right_names() {
    let world = World::sqlite().await;
    for (query, said) in [
        ("state=opn", "expected one of `open`, `answered`, `dismissed`, `withdrawn`, `all`"),
        ("opd=dinas", "there are dinkes, dinhub"),
        ("limit=501", "1 to 500"),
        ("colour=red", "unknown field `colour`, expected one of `state`, `overdue`, `opd`"),
        ("cursor=abc", "give the `next` of an answer to the same request"),
    ] {
        let answer = world.api("ani", &format!("/api/v1/tickets?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(said), "{query}: {}", answer.body);
        assert_eq!(world.page("ani", &format!("/?{query}")).await.status, if query.starts_with("limit") { 200 } else { 400 }, "{query}");
    }
    let foreign = world.api("dewi", "/api/v1/tickets?opd=dinkes").await;
    assert!(foreign.status == 400 && foreign.json()["detail"].as_str().unwrap().ends_with("there are dinhub"), "{}", foreign.body);
}

#[tokio::test]
async fn staff_act_by_the_api_and_the_trail_tells_who() {
    for world in [World::sqlite().await, World::postgres().await] {
        let id = world.ticket_of("dinhub").await;
        let by = |deed: &str| format!("/api/v1/tickets/{id}/{deed}");
        world.clock.advance(jiff::SignedDuration::from_millis(5));
        let done = world.act("dewi", &by("ack"), &json!({})).await;
        assert_eq!(done.status, 200, "{}", done.body);
        assert!(done.json()["acknowledged_at"].is_string(), "it has taken effect: {}", done.body);
        assert_eq!(world.act("citra", &by("ack"), &json!({})).await.status, 403, "a viewer only looks");
        assert_eq!(world.act("dewi", &by("note"), &json!({})).await.status, 422, "of what?");
        assert_eq!(world.act("dewi", &by("note"), &json!({"txt": "x"})).await.status, 400);
        assert_eq!(world.act("dewi", &by("fly"), &json!({"text": "x"})).await.status, 404);
        assert_eq!(world.act("dewi", &by("handover"), &json!({"text": "dinas"})).await.status, 422);
        world.clock.advance(jiff::SignedDuration::from_millis(5));
        assert_eq!(world.act("dewi", &by("assign"), &json!({"text": "Budi"})).await.json()["assignee"], json!("Budi"));
        world.clock.advance(jiff::SignedDuration::from_millis(5));
        assert_eq!(world.act("dewi", &by("resolve"), &json!({"text": "ditelepon"})).await.json()["state"], json!("answered"));
        assert_eq!(world.act("dewi", &by("dismiss"), &json!({"text": "x"})).await.status, 409, "closed");
        let large = json!({"text": "x".repeat(100_000)});
        assert_eq!(world.act("dewi", &by("note"), &large).await.status, 413);
        assert_eq!(world.act("dewi", &by("note"), &json!({"text": "x".repeat(2_001)})).await.status, 422);
        assert_eq!(world.api("dewi", "/api/v1/trail").await.status, 403, "for admins");
        let trail = world.api("ani", "/api/v1/trail?limit=3").await.json();
        let told: Vec<_> = trail["data"].as_array().unwrap().iter().map(|deed| format!("{} {}", deed["by"], deed["did"])).collect();
        assert_eq!(told, [r#""token dewi" "resolve""#, r#""token dewi" "assign""#, r#""token dewi" "ack""#].map(str::to_owned));
        let foreign = world.api("eko", "/api/v1/trail").await.json();
        assert_eq!(foreign["data"], json!([]), "another OPD's admin sees none of it, nor who signed in");
    }
}

#[tokio::test]
async fn whoever_asks_too_often_is_told_to_wait_and_others_are_not() {
    let world = World::sqlite().await;
    let mut refused = None;
    for _ in 0..400 {
        let answer = world.api("citra", "/api/v1/me").await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status, 200);
    }
    assert_eq!(refused.expect("a refusal").header("retry-after"), "1");
    assert_eq!(world.api("ani", "/api/v1/me").await.status, 200);
}

#[tokio::test]
async fn what_happens_is_told_as_it_happens_within_the_scope_and_from_where_one_left_off() {
    for world in [World::sqlite().await, World::postgres().await] {
        let (own, foreign) = (world.ticket_of("dinhub").await, world.ticket_of("dinkes").await);
        let listen = async |name: &str, after: Option<i64>| {
            let mut request = world.request(reqwest::Method::GET, "/api/v1/events").bearer_auth(&world.tokens[name]);
            if let Some(after) = after {
                request = request.header("last-event-id", after);
            }
            request.send().await.unwrap()
        };
        world.clock.advance(jiff::SignedDuration::from_secs(10)); // what happened just before somebody listens is told too
        let mut stream = listen("dewi", None).await;
        assert_eq!(stream.headers()["content-type"], "text/event-stream");
        tokio::time::sleep(Duration::from_millis(2500)).await; // the first look has been taken
        for id in [foreign, own] {
            assert_eq!(world.act("ani", &format!("/api/v1/tickets/{id}/ack"), &json!({})).await.status, 200);
        }
        let heard = tokio::time::timeout(Duration::from_secs(10), stream.chunk()).await.unwrap().unwrap().unwrap();
        let heard = String::from_utf8(heard.to_vec()).unwrap();
        assert!(heard.contains("event: ticket.acknowledged") && heard.contains(&format!("\"ticket\":{own}")), "{heard}");
        assert!(!heard.contains("dinkes"), "{heard}");
        let id: i64 = heard.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().parse().unwrap();
        let mut again = listen("dewi", Some(id - 1)).await;
        let told = tokio::time::timeout(Duration::from_secs(10), again.chunk()).await.unwrap().unwrap().unwrap();
        assert!(String::from_utf8(told.to_vec()).unwrap().contains(&format!("id: {id}")), "what was missed comes first");
    }
}

#[test]
fn every_route_of_the_api_is_described_with_its_answers() {
    let described = serde_json::to_value(tanggap::web::openapi()).unwrap();
    let paths: Vec<_> = described["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    for path in
        ["/api/v1/tickets", "/api/v1/tickets/{id}", "/api/v1/tickets/{id}/{deed}", "/api/v1/messages", "/api/v1/accounts", "/api/v1/events"]
    {
        assert!(paths.contains(&path), "{paths:?}");
    }
    let ticket = &described["components"]["schemas"]["TicketRow"]["properties"];
    for field in ["due_at", "reply_window_closes_at", "unverified", "author", "answered_by"] {
        assert!(ticket[field].is_object(), "{field}: {ticket}");
    }
}

#[tokio::test]
async fn what_can_be_proved_is_given_to_whoever_may_act_and_stands_in_the_trail() {
    let world = World::sqlite().await;
    let id = world.ticket_of("dinkes").await;
    let path = format!("/api/v1/tickets/{id}/evidence");
    let answer = world.api("ani", &path).await;
    assert_eq!((answer.status, answer.json()["format"].as_str()), (200, Some("tanggap-evidence-1")), "{}", answer.body);
    let evidence: tanggap::domain::evidence::Evidence = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(evidence.examine().wrong, Vec::<String>::new());
    assert_eq!(world.api("citra", &path).await.status, 403, "a viewer");
    assert_eq!(world.api("ani", "/api/v1/tickets/999999/evidence").await.status, 404);
    let noted =
        world.db.rows("SELECT by_name || ' ' || did || ' ' || detail AS t FROM trail WHERE did LIKE 'evidence%'", vec![]).await.unwrap();
    assert_eq!(noted.iter().map(|row| row.t("t").unwrap()).collect::<Vec<_>>(), [format!("token ani evidence.exported ticket {id}")]);
}
