//! A scoped user or token sees its OPDs only, by every route there is.

use serde_json::{Value, json};

use super::world::{MARK, World};

/// Every page; `{id}` stands for a ticket's number.
const PAGES: [&str; 9] = [
    "/",
    "/?state=all",
    "/?opd=dinkes",
    "/tickets/{id}",
    "/accounts",
    "/trail",
    "/report",
    "/report?by=account&format=html",
    "/report?format=json",
];
const DEEDS: [&str; 8] = ["ack", "unack", "dismiss", "resolve", "note", "assign", "handover", "reply"];

#[tokio::test]
async fn a_foreigner_meets_nothing_of_another_opd_by_any_route_and_a_foreign_id_is_an_unknown_one() {
    for world in [World::sqlite().await, World::postgres().await] {
        let foreign = world.ticket_of("dinkes").await;
        // the routes really show it to whom it concerns
        assert!(world.page("ani", "/").await.body.contains(MARK) && world.api("eko", "/api/v1/tickets").await.body.contains(MARK));
        for path in PAGES {
            let (here, unknown) = (path.replace("{id}", &foreign.to_string()), path.replace("{id}", "999999"));
            let answer = world.page("dewi", &here).await;
            assert!(!answer.body.contains(MARK), "{here} shows another OPD's: {}", answer.body);
            if here != unknown {
                let other = world.page("dewi", &unknown).await;
                assert_eq!((answer.status, &answer.body), (404, &other.body), "{here}");
            }
        }
        for deed in DEEDS {
            let by = |id: i64| format!("/tickets/{id}/{deed}");
            let form = [("text", "dinhub"), ("form", "comment")];
            let (answer, other) = (world.post("dewi", &by(foreign), &form).await, world.post("dewi", &by(999_999), &form).await);
            assert_eq!((answer.status, answer.body), (404, other.body), "{deed}");
        }
        let described = world.api("dewi", "/api/v1/openapi.json").await.json();
        for (path, operations) in described["paths"].as_object().unwrap() {
            for method in operations.as_object().unwrap().keys() {
                for deed in if path.contains("{deed}") { &DEEDS[..] } else { &[""] } {
                    walk(&world, foreign, path, method, deed).await;
                }
            }
        }
        let rows = world.db.rows("SELECT kind AS t FROM action", vec![]).await.unwrap();
        assert!(rows.is_empty(), "nothing was done");
    }
}

async fn walk(world: &World, foreign: i64, path: &str, method: &str, deed: &str) {
    if path == "/api/v1/events" {
        return; // never ends; `api` listens to it
    }
    let by = |id: &str| path.replace("{id}", id).replace("{deed}", deed);
    let here = by(&foreign.to_string());
    let body: Value = json!({"text": "dinhub"});
    let ask = async |path: &str| match method {
        "get" => world.api("dewi", path).await,
        _ => world.act("dewi", path, &body).await,
    };
    let answer = ask(&here).await;
    assert!(!answer.body.contains(MARK), "{method} {here} shows another OPD's: {}", answer.body);
    if here != path && path.contains("{id}") {
        let other = ask(&by("999999")).await;
        assert_eq!((answer.status, &answer.body), (404, &other.body), "{method} {here}");
    }
}

#[tokio::test]
async fn cursors_and_etags_hold_for_the_scope_they_were_given_to() {
    let world = World::sqlite().await;
    let first = world.api("ani", "/api/v1/tickets?limit=1").await;
    let cursor = first.json()["next"].as_str().unwrap().to_owned();
    assert_eq!(world.api("dewi", &format!("/api/v1/tickets?limit=1&cursor={cursor}")).await.status, 400);
    assert_eq!(world.api("ani", &format!("/api/v1/tickets?limit=1&state=all&cursor={cursor}")).await.status, 400, "another filter");
    assert_eq!(world.api("ani", &format!("/api/v1/messages?limit=1&cursor={cursor}")).await.status, 400, "another list");
    assert_eq!(world.api("ani", &format!("/api/v1/tickets?limit=2&cursor={cursor}")).await.status, 200, "another length");
    let empty = ["budi", "dewi"].map(|who| (who, "/api/v1/tickets?state=dismissed"));
    let mut tags = Vec::new();
    for (who, path) in empty {
        let answer = world.api(who, path).await;
        assert_eq!(answer.json()["data"], json!([]));
        tags.push(answer.header("etag").to_owned());
    }
    assert_ne!(tags[0], tags[1], "the same answer to another scope has another tag");
    assert_eq!(world.api_with("dewi", empty[1].1, &[("if-none-match", &tags[1])]).await.status, 304);
    assert_eq!(world.api_with("dewi", empty[1].1, &[("if-none-match", &tags[0])]).await.status, 200);
}

#[tokio::test]
async fn a_ticket_handed_over_goes_with_its_thread_and_comes_back_the_same_way() {
    for world in [World::sqlite().await, World::postgres().await] {
        let ticket = world.ticket_of("dinhub").await;
        let due = world.api("dewi", &format!("/api/v1/tickets/{ticket}")).await.json()["due_at"].clone();
        let gone = world.post("dewi", &format!("/tickets/{ticket}/handover"), &[("text", "dinkes")]).await;
        assert_eq!((gone.status, gone.header("location")), (303, "/?"));
        assert_eq!(world.page("dewi", &format!("/tickets/{ticket}")).await.status, 404);
        let held = world.api("eko", &format!("/api/v1/tickets/{ticket}")).await.json();
        assert_eq!((&held["opd"], &held["due_at"], &held["state"]), (&json!("dinkes"), &due, &json!("open")));
        assert_eq!(held["history"].as_array().unwrap().len(), 1, "with its thread");
        let messages = world.api("eko", "/api/v1/messages").await.body;
        assert!(messages.contains("Lampu jalan"), "and in the list of messages");
        let back = world.act("eko", &format!("/api/v1/tickets/{ticket}/handover"), &json!({"text": "dinhub"})).await;
        assert_eq!((back.status, &back.json()["opd"]), (200, &json!("dinhub")));
        assert_eq!(world.api("eko", &format!("/api/v1/tickets/{ticket}")).await.status, 404);
        // to whom a conversation was handed over, it is open up to the end of that ticket
        let other = world.api("dewi", "/api/v1/tickets").await.json()["data"][1]["id"].as_i64().unwrap();
        for (who, deed, text) in [("dewi", "handover", "dinkes"), ("eko", "resolve", "ditelepon")] {
            assert_eq!(world.act(who, &format!("/api/v1/tickets/{other}/{deed}"), &json!({"text": text})).await.status, 200);
        }
        let thread = world.api("eko", &format!("/api/v1/tickets/{other}")).await.json()["thread"].as_str().unwrap().to_owned();
        world.clock.advance(jiff::SignedDuration::from_hours(1));
        world.follow("102", &thread, "Nomor rekening saya 12345").await;
        for path in ["/api/v1/messages".to_owned(), format!("/api/v1/tickets/{other}")] {
            let seen = world.api("eko", &path).await;
            assert!(seen.status == 200 && !seen.body.contains("rekening"), "{path}");
        }
        assert!(world.api("dewi", "/api/v1/messages").await.body.contains("rekening"));
    }
}
