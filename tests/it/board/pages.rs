//! Signing in and out, what only our own pages may send, what a browser is told it may not do, and what staff do.

use serde_json::json;

use super::world::{PASSWORD, World};

#[tokio::test]
async fn nobody_sees_a_page_without_signing_in_and_nothing_else_is_open() {
    let world = World::sqlite().await;
    for path in ["/", "/tickets/1", "/accounts", "/trail", "/report"] {
        let answer = world.page("", path).await;
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.header("location").starts_with("/login?next="), "{path}");
    }
    for (path, status) in
        [("/live", 401), ("/login", 200), ("/healthz", 200), ("/readyz", 200), ("/ack/x", 404), ("/nothing", 404), ("/metrics", 404)]
    {
        assert_eq!(world.page("", path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn somebody_signs_in_goes_where_they_wanted_and_signs_out() {
    for world in [World::sqlite().await, World::postgres().await] {
        let form = |password| [("name", "dewi"), ("password", password), ("next", "/tickets/4")];
        let wrong = world.post("", "/login", &form("keliru sekali")).await;
        assert_eq!(wrong.status, 401);
        assert!(wrong.body.contains("Nama atau kata sandi keliru") && wrong.body.contains(r#"value="dewi""#));
        let right = world.post("", "/login", &form(PASSWORD)).await;
        assert_eq!((right.status, right.header("location")), (303, "/tickets/4"));
        let cookie = right.header("set-cookie").to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Max-Age=604800"), "{cookie}");
        let (pair, _) = cookie.split_once(';').unwrap();
        let ask =
            async |path: &str| world.request(reqwest::Method::GET, path).header("cookie", pair).send().await.unwrap().status().as_u16();
        assert_eq!(ask("/").await, 200);
        let out = world.request(reqwest::Method::POST, "/logout").header("cookie", pair).header("sec-fetch-site", "same-origin");
        assert_eq!(out.send().await.unwrap().status().as_u16(), 303);
        assert_eq!(ask("/").await, 303, "the session is over, not only the cookie gone");
        let kept = world.db.rows("SELECT hash AS t FROM session", vec![]).await.unwrap();
        let secret = pair.split_once('=').unwrap().1;
        assert!(kept.iter().all(|row| row.t("t").unwrap() != secret), "only hashes are kept");
        let did = world.db.rows("SELECT did || ' ' || by_name AS t FROM trail WHERE by_name = 'dewi' ORDER BY id", vec![]).await.unwrap();
        let did: Vec<_> = did.iter().map(|row| row.t("t").unwrap()).collect();
        assert_eq!(did, ["sign_in dewi", "sign_in.failed dewi", "sign_in dewi", "sign_out dewi"]);
    }
}

#[tokio::test]
async fn a_session_ends_when_nobody_uses_it_and_after_a_week_in_any_case() {
    let world = World::sqlite().await;
    world.clock.advance(jiff::SignedDuration::from_hours(7));
    assert_eq!(world.page("ani", "/").await.status, 200);
    world.clock.advance(jiff::SignedDuration::from_hours(7));
    assert_eq!(world.page("ani", "/").await.status, 200, "it was used");
    assert_eq!(world.page("budi", "/").await.status, 303, "it was not");
    for _ in 0..22 {
        world.clock.advance(jiff::SignedDuration::from_hours(7));
        world.page("ani", "/").await;
    }
    assert_eq!(world.page("ani", "/").await.status, 303, "a week is over");
    let world = World::sqlite().await;
    for _ in 0..5 {
        world.clock.advance(jiff::SignedDuration::from_hours(2));
        world.signed("ani", world.request(reqwest::Method::GET, "/")).header("hx-request", "true").send().await.unwrap();
    }
    assert_eq!(world.page("ani", "/").await.status, 303, "a page that looks anew by itself is nobody's presence");
}

#[tokio::test]
async fn who_guesses_waits_and_who_ends_is_out_at_once() {
    let world = World::sqlite().await;
    for _ in 0..5 {
        assert_eq!(world.post("", "/login", &[("name", "ani"), ("password", "tebakan salah")]).await.status, 401);
    }
    let waits = world.post("", "/login", &[("name", "ani"), ("password", PASSWORD)]).await;
    assert!(waits.status == 429 && waits.body.contains("Terlalu banyak percobaan"), "even the right one");
    world.clock.advance(jiff::SignedDuration::from_secs(2));
    assert_eq!(world.post("", "/login", &[("name", "ani"), ("password", PASSWORD)]).await.status, 303);
    tanggap::store::people::end(&world.db, "budi", "test", world.now()).await.unwrap();
    assert_eq!(world.page("budi", "/").await.status, 303);
    assert_eq!(world.post("", "/login", &[("name", "budi"), ("password", PASSWORD)]).await.status, 401);
}

#[tokio::test]
async fn only_a_page_of_ours_acts_and_a_browser_may_do_little_with_it() {
    let world = World::sqlite().await;
    let path = format!("/tickets/{}/note", world.ticket_of("dinhub").await);
    for headers in [&[][..], &[("origin", "https://evil.example")], &[("sec-fetch-site", "cross-site")], &[("sec-fetch-site", "none")]] {
        assert_eq!(world.post_from("ani", &path, headers).await.status, 403, "{headers:?}");
    }
    let host = world.url.strip_prefix("http://").unwrap().to_owned();
    assert_eq!(world.post_from("ani", &path, &[("origin", &format!("http://{host}"))]).await.status, 303);
    for path in ["/", "/login", "/accounts", "/tickets/99"] {
        let answer = world.page("ani", path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!((answer.header("x-frame-options"), answer.header("cache-control")), ("DENY", "no-store"), "{path}");
        assert!(!answer.body.contains("<script>") && !answer.body.contains(" style=") && !answer.body.contains(" onclick"), "{path}");
    }
    let part = world.signed("ani", world.request(reqwest::Method::GET, "/")).header("hx-request", "true").send().await.unwrap();
    assert_eq!(part.status(), 200);
    for path in ["/", "/live"] {
        let part = world.request(reqwest::Method::GET, path).header("hx-request", "true").send().await.unwrap();
        assert_eq!(
            (part.status().as_u16(), part.headers()["hx-redirect"].to_str().unwrap()),
            (401, "/login"),
            "no form takes the board's place"
        );
    }
    let large = world.post("ani", &path, &[("text", &*"x".repeat(70_000))]).await;
    assert_eq!(large.status, 413);
}

#[tokio::test]
async fn staff_act_on_the_page_and_see_at_once_what_came_of_it() {
    for world in [World::sqlite().await, World::postgres().await] {
        let id = world.ticket_of("dinhub").await;
        let page = format!("/tickets/{id}");
        let done = world.post("dewi", &format!("{page}/ack"), &[]).await;
        assert_eq!((done.status, done.header("location")), (303, &*format!("{page}?done=ack")));
        assert!(world.page("dewi", done.header("location")).await.body.contains("Ditandai sedang ditangani"));
        let long = "x".repeat(2_001);
        let noted = world.post("dewi", &format!("{page}/note"), &[("text", &*long)]).await.body;
        let boxes: Vec<_> =
            noted.split("<textarea").skip(1).map(|part| part.split("</textarea>").next().unwrap().contains(&long)).collect();
        assert_eq!(boxes.iter().filter(|holds| **holds).count(), 1, "what was meant for staff stands in its own box alone");
        assert!(!noted.split("id=\"reply\"").nth(1).unwrap().split("</textarea>").next().unwrap().contains(&long));
        let private = world.post("dewi", &format!("{page}/reply"), &[("text", " "), ("form", "private")]).await;
        assert!(private.status == 422 && private.body.contains(r#"value="private" checked"#), "{}", private.body);
        let empty = world.post("dewi", &format!("{page}/dismiss"), &[("text", " ")]).await;
        assert!(empty.status == 422 && empty.body.contains("Isian masih kosong"));
        assert_eq!(world.post("citra", &format!("{page}/ack"), &[]).await.status, 403);
        assert!(!world.page("citra", &page).await.body.contains("method=\"post\" action=\"/tickets"), "a viewer is offered nothing to do");
        world.post("dewi", &format!("{page}/dismiss"), &[("text", "spam")]).await;
        let closed = world.page("dewi", &page).await.body;
        assert!(closed.contains("dikesampingkan") && closed.contains("spam"));
        assert_eq!(world.post("dewi", &format!("{page}/resolve"), &[("text", "x")]).await.status, 409);
    }
}

#[tokio::test]
async fn the_board_says_what_waits_whose_it_is_and_when_reading_lags() {
    let world = World::sqlite().await;
    let board = world.page("ani", "/").await.body;
    assert!(board.contains("<b>6</b> menunggu") && board.contains("Dinkes") && board.contains("Dinhub"));
    assert_eq!(board.matches("<li id=\"t").count(), 6);
    let one = world.page("ani", "/?opd=dinhub").await.body;
    assert_eq!(one.matches("<li id=\"t").count(), 3);
    assert!(!board.contains("tertinggal") && board.contains("action=\"/logout\""));
    world.clock.advance(jiff::SignedDuration::from_mins(300));
    let late = world.page("ani", "/?overdue=true").await.body;
    assert!(late.contains("lewat") && late.contains("Pembacaan akun tertinggal"));
    let english = world.request(reqwest::Method::GET, "/login").header("cookie", "language=en").send().await.unwrap().text().await.unwrap();
    assert!(english.contains("Sign in") && english.contains("lang=\"en\""));
    let counts = world.api("ani", "/api/v1/counts").await.json();
    assert_eq!(counts["data"][0], json!({"opd": "dinhub", "open": 3, "overdue": 3, "urgent": 0}));
}
