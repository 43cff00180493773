//! Meta's webhooks over real HTTP: who may post, what a delivery does, and that nothing hangs on one.

mod daemon;
pub mod world;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tanggap::{
    domain::{Kind, Platform, Time, message::key_of},
    runtime::Clock as _,
    store::{
        accounts,
        intake::{self, Batch, Proof},
    },
};

use self::world::{APP, APP_INSTAGRAM, INSTAGRAM, OTHER_APP, PAGE, VERIFY, World, signature};

const TICKETS: &str = "SELECT state || ' ' || CAST(unverified AS TEXT) || ' ' || CAST(messages AS TEXT) AS one FROM ticket ORDER BY id";
const ALERTS: &str = "SELECT kind || ' ' || detail || ' ' || notify AS one FROM alert ORDER BY id";
/// 2026-11-24T01:50:00Z
const WRITTEN: i64 = 1_795_485_000;

/// An entry of a Page with one change.
fn change(field: &str, value: &Value) -> Value {
    json!([{ "id": PAGE, "time": 1_795_485_600, "changes": [{ "field": field, "value": value }] }])
}

fn review(verb: &str, text: &str) -> Value {
    change(
        "ratings",
        &json!({ "item": "rating", "verb": verb, "recommendation_type": "negative", "review_text": text, "reviewer_id": "9001",
            "reviewer_name": "Siti", "open_graph_story_id": 5_550_001, "created_time": WRITTEN }),
    )
}

fn ad_comment(number: usize, verb: &str, text: &str) -> Value {
    json!({ "item": "comment", "verb": verb, "comment_id": format!("77_{number}"), "post_id": format!("{PAGE}_77"),
        "parent_id": format!("{PAGE}_77"), "from": { "id": "9001", "name": "Siti" }, "message": text, "created_time": WRITTEN,
        "post": { "id": format!("{PAGE}_77"), "is_published": false, "promotion_status": "active" } })
}

#[tokio::test]
async fn the_handshake_answers_the_challenge_to_whoever_knows_the_verify_token() {
    let world = World::new().await;
    let ask = async |query: &str| {
        let answer = world.client.get(format!("{}/webhooks/meta?{query}", world.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let right = format!("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={VERIFY}");
    assert_eq!(ask(&right).await, (200, "1158201444".to_owned()));
    for wrong in [
        right.replace(VERIFY, "guessed"),
        right.replace(VERIFY, ""),
        right.replace(VERIFY, &format!("{VERIFY}x")),
        right.replace("subscribe", "unsubscribe"),
        right.replace("1158201444", &"1".repeat(1_000)),
    ] {
        assert_eq!(ask(&wrong).await, (403, String::new()), "{wrong}");
    }
    assert_eq!(ask("hub.mode=subscribe").await.0, 400);
    assert_eq!(world.client.get(format!("{}/healthz", world.url)).send().await.unwrap().text().await.unwrap(), "ok");
    world.stop().await;
}

#[tokio::test]
async fn only_what_an_app_of_ours_signed_makes_an_account_due() {
    let world = World::new().await;
    let body = json!({ "object": "page", "entry": change("feed", &json!({ "item": "comment", "verb": "add" })) }).to_string();
    let body = body.as_bytes();
    let changed = [body, b" "].concat();
    let upper = signature(APP, body).replace("sha256=", "SHA256=");
    let (right, short) = (signature(APP, body), signature(APP, body)[..40].to_owned());
    for (signature, sent, status) in [
        (None, body, 401),
        (Some(""), body, 401),
        (Some("sha256="), body, 401),
        (Some("sha256=zz"), body, 401),
        (Some(short.as_str()), body, 401),
        (Some(upper.as_str()), body, 401),
        (Some(signature("of an app nobody knows", body).as_str()), body, 401),
        (Some(signature("", body).as_str()), body, 401),
        (Some(right.as_str()), changed.as_slice(), 401),
        (Some(right.as_str()), body, 200),
        (Some(signature(OTHER_APP, body).as_str()), body, 200),
        (Some(signature(APP_INSTAGRAM, body).as_str()), body, 200),
    ] {
        assert_eq!(world.post(signature, sent).await, (status, String::new()), "{signature:?}");
        assert_eq!(world.was_hurried(Platform::Facebook, PAGE).await, status == 200, "{signature:?}");
    }
    assert!(!world.was_hurried(Platform::Instagram, INSTAGRAM).await);
    world.stop().await;
}

#[tokio::test]
async fn every_kind_of_news_makes_its_account_due_and_nothing_else_does() {
    let world = World::new().await;
    let direct = |list: &str, event: Value| json!([{ "id": PAGE, "time": 1_795_485_600_000_i64, list: [event] }]);
    let message = json!({ "sender": { "id": "9001" }, "recipient": { "id": PAGE }, "message": { "mid": "m_1", "text": "Halo" } });
    let echo = json!({ "sender": { "id": PAGE }, "recipient": { "id": "9001" }, "message": { "mid": "m_2", "is_echo": true } });
    let not_an_object = json!([{ "id": PAGE, "changes": [7] }]);
    for (news, entries) in [
        (true, change("feed", &json!({ "item": "comment", "verb": "remove", "comment_id": "9_1" }))),
        (true, change("mention", &json!({ "item": "post", "post_id": "5_5" }))),
        (true, change("a_field_of_2031", &json!({ "news": [1, 2, 3] }))),
        (true, direct("messaging", message.clone())),
        (true, direct("standby", message)),
        (true, direct("messaging", echo)),
        (true, direct("messaging", json!({ "message_edit": { "mid": "m_1" } }))),
        (true, not_an_object),
        (false, change("feed", &json!({ "item": "reaction", "verb": "add", "reaction_type": "like" }))),
        (false, change("feed", &json!({ "item": "like" }))),
        (false, direct("messaging", json!({ "read": { "watermark": 1 } }))),
        (false, direct("messaging", json!({ "delivery": { "watermark": 1 } }))),
        (false, direct("messaging", json!({ "reaction": { "mid": "m_1", "action": "react" } }))),
        (false, json!([{ "id": PAGE, "time": 1 }])),
        (false, json!([{ "id": "nobody's", "changes": [{ "field": "feed", "value": {} }] }])),
    ] {
        world.deliver("page", entries.clone()).await;
        assert_eq!(world.was_hurried(Platform::Facebook, PAGE).await, news, "{entries}");
    }
    for entries in [
        json!([{ "id": INSTAGRAM, "changes": [{ "field": "comments", "value": { "id": "1", "text": "Halo" } }] }]),
        json!([{ "id": INSTAGRAM, "time": 1, "field": "comments", "value": { "id": "1", "text": "Halo" } }]),
    ] {
        world.deliver("instagram", entries).await;
        assert!(world.was_hurried(Platform::Instagram, INSTAGRAM).await);
    }
    world.deliver("whatsapp_business_account", json!([{ "id": PAGE, "changes": [{ "field": "messages" }] }])).await;
    assert!(!world.was_hurried(Platform::Facebook, PAGE).await);
    assert_eq!(world.texts("SELECT text AS one FROM message").await, [""; 0], "a webhook tells, it does not store");
    world.stop().await;
}

#[tokio::test]
async fn no_body_however_broken_is_more_than_a_status() {
    let world = World::new().await;
    let signed = async |body: &[u8]| world.post(Some(&signature(APP, body)), body).await.0;
    let deep = format!("{{\"object\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for body in ["", "null", "[]", "7", "{", "<html>", "\u{0}", "{\"object\":7,\"entry\":7}", "{\"entry\":[null,7,[],{\"id\":{}}]}", &deep]
    {
        assert_eq!(signed(body.as_bytes()).await, 200, "sent again it would be no better: {body:.40}");
    }
    let good =
        json!({ "object": "page", "entry": [review("add", "Lama \u{1F30A}")[0], change("feed", &ad_comment(1, "add", "Kapan?"))[0]] });
    let good = good.to_string().into_bytes();
    for at in (0..good.len()).step_by(5) {
        let mut spoilt = good.clone();
        spoilt[at] = b"\"{}[]:0\xFF\\"[at % 9];
        assert_eq!(signed(&spoilt).await, 200, "byte {at}");
        assert_eq!(signed(&good[..at]).await, 200, "up to byte {at}");
    }
    assert_eq!(world.post(None, b"{").await.0, 401);
    assert_eq!(signed(&vec![b' '; 5 * 1024 * 1024]).await, 413);
    let put = world.client.put(format!("{}/webhooks/meta", world.url)).send().await.unwrap();
    assert_eq!(put.status().as_u16(), 405);
    assert_eq!(signed(&good).await, 200);
    world.stop().await;
}

#[tokio::test]
async fn a_batch_of_a_thousand_comments_on_an_ad_sent_twice_and_backwards_is_stored_once() {
    let world = World::new().await;
    let one = |number| json!({ "id": PAGE, "time": 1, "changes": [{ "field": "feed", "value": ad_comment(number, "add", "Kapan?") }] });
    let mut entries: Vec<Value> = (0..990).chain(500..510).map(one).collect();
    world.deliver("page", json!(entries)).await;
    entries.reverse();
    world.deliver("page", json!(entries)).await;
    assert_eq!(world.texts("SELECT CAST(COUNT(*) AS TEXT) AS one FROM message").await, ["990"]);
    assert_eq!(world.texts("SELECT CAST(SUM(unreadable) AS TEXT) AS one FROM thread").await, ["990"]);
    // an edit counts, a late copy of what was there before does not
    world.deliver("page", json!([{ "id": PAGE, "changes": [{ "field": "feed", "value": ad_comment(7, "edited", "Kapan buka?") }] }])).await;
    world.deliver("page", json!([one(7)])).await;
    world.deliver("page", json!([{ "id": PAGE, "changes": [{ "field": "feed", "value": ad_comment(7, "hide", "Kapan buka?") }] }])).await;
    let edited = "SELECT text || ' ' || CAST(hidden AS TEXT) AS one FROM message WHERE edited_at IS NOT NULL";
    assert_eq!(world.texts(edited).await, ["Kapan buka? 1"]);
    world.stop().await;
}

#[tokio::test]
async fn a_review_is_a_ticket_nobody_can_verify_that_alerts_the_first_steps_groups_once() {
    let mut world = World::new().await;
    world.deliver("page", review("add", "Kapan kantornya buka? Saya menunggu berjam-jam.")).await;
    world.deliver("page", review("add", "Kapan kantornya buka? Saya menunggu berjam-jam.")).await;
    world.turn(SignedDuration::ZERO).await;
    assert_eq!(world.texts("SELECT kind || ' ' || key AS one FROM thread").await, ["review 5550001"]);
    assert_eq!(world.texts(TICKETS).await, ["open 0 1"]);
    for _ in 0..10 {
        world.turn(SignedDuration::from_mins(30)).await;
    }
    assert_eq!(world.texts(TICKETS).await, ["open 1 1"]);
    assert_eq!(world.texts(ALERTS).await, [r#"ticket.warned unreadable ["operator"]"#]);
    let answer = json!({ "item": "comment", "verb": "add", "comment_id": "5550001_1", "open_graph_story_id": 5_550_001,
        "from": { "id": PAGE, "name": "Dinhub" }, "message": "Besok jam 8, Bu.", "created_time": WRITTEN + 60 });
    world.deliver("page", change("ratings", &answer)).await;
    world.turn(SignedDuration::from_secs(1)).await;
    assert_eq!(world.texts("SELECT state || ' ' || answered_by AS one FROM ticket").await, [format!("answered {PAGE}")]);
    world.stop().await;
}

#[tokio::test]
async fn a_review_or_a_comment_on_an_ad_that_is_removed_is_withdrawn_and_another_comment_waits_for_a_read() {
    let mut world = World::new().await;
    world.deliver("page", review("add", "Kapan kantornya buka?")).await;
    world.deliver("page", change("feed", &ad_comment(1, "add", "Kapan buka?"))).await;
    world.turn(SignedDuration::ZERO).await;
    assert_eq!(world.texts("SELECT state AS one FROM ticket").await, ["open"; 2]);
    let gone = json!({ "item": "rating", "verb": "remove", "open_graph_story_id": 5_550_001 });
    world.deliver("page", change("ratings", &gone)).await;
    let mut removed = ad_comment(1, "remove", "");
    removed.as_object_mut().unwrap().remove("message");
    world.deliver("page", change("feed", &removed)).await;
    world.turn(SignedDuration::from_secs(1)).await;
    assert_eq!(world.texts("SELECT state || ' ' || reason AS one FROM ticket").await, ["withdrawn gone"; 2]);
    world.stop().await;
}

#[tokio::test]
async fn a_recommendation_without_a_word_asks_nothing_and_one_without_an_id_is_left_out() {
    let mut world = World::new().await;
    let praise = json!({ "item": "rating", "verb": "add", "recommendation_type": "POSITIVE", "reviewer_id": "1",
        "open_graph_story_id": "8", "created_time": WRITTEN });
    let nameless = json!({ "item": "rating", "verb": "add", "review_text": "Kapan?", "created_time": WRITTEN });
    world.deliver("page", change("ratings", &praise)).await;
    world.deliver("page", change("ratings", &nameless)).await;
    world.turn(SignedDuration::ZERO).await;
    assert_eq!(world.texts("SELECT kind || CAST(needs_answer AS TEXT) AS one FROM message").await, ["review0"]);
    assert_eq!(world.texts(TICKETS).await, [""; 0]);
    world.stop().await;
}

#[tokio::test]
async fn a_comment_on_an_ad_is_verified_by_the_first_read_that_shows_it() {
    let mut world = World::new().await;
    world.deliver("page", change("feed", &ad_comment(1, "add", "Kapan buka?"))).await;
    let media = json!({ "id": "18001", "media_product_type": "AD", "ad_id": "23" });
    let value = json!({ "id": "17901", "from": { "id": "77", "username": "siti" }, "text": "Kapan buka?", "media": media });
    world.deliver("instagram", json!([{ "id": INSTAGRAM, "time": WRITTEN, "changes": [{ "field": "comments", "value": value }] }])).await;
    world.turn(SignedDuration::ZERO).await;
    world.turn(SignedDuration::from_hours(3)).await;
    assert_eq!(world.texts(TICKETS).await, ["open 1 1"; 2]);

    let shown = "SELECT external_id AS one FROM message WHERE account_id IN (SELECT id FROM account WHERE platform = 'facebook')";
    assert_eq!(world.texts(shown).await.iter().map(|id| key_of(id)).collect::<Vec<_>>(), ["1"]);
    let now = Time::from_timestamp(world.clock.now());
    let account = accounts::number(&world.db, Platform::Facebook, PAGE).await.unwrap().unwrap();
    let proofs = vec![Proof::Unchanged(Kind::Comment, "77_1".into())];
    let read = Batch {
        account,
        began_at: now,
        now,
        confirm_gone: SignedDuration::from_secs(20),
        messages: vec![],
        posts: vec![],
        proofs,
        bindings: vec![],
    };
    intake::take(&world.db, &read).await.unwrap();
    world.turn(SignedDuration::from_secs(1)).await;
    assert_eq!(world.texts(TICKETS).await, ["open 0 1", "open 1 1"]);
    world.stop().await;
}

#[tokio::test]
async fn what_became_of_whatsapp_messages_is_kept_with_their_letters_and_nothing_else_is_touched() {
    let world = World::new().await;
    let mut tx = world.db.write().await.unwrap();
    for key in ["t1-2-1-1", "t2-2-2-2"] {
        let sql = "INSERT INTO letter (key, channel, address, official, payload, state, attempts, created_at, provider_id)
                   VALUES ($1, 'whatsapp', '62', 'bupati', '', 'delivered', 1, 0, 'wamid.1')";
        tx.exec(sql, vec![key.into()]).await.unwrap();
    }
    tx.commit().await.unwrap();
    let kept = "SELECT key || ' ' || COALESCE(status, '-') || ' ' || COALESCE(CAST(status_code AS TEXT), '-') || ' ' || COALESCE(CAST(status_at AS TEXT), '-') AS one
                FROM letter ORDER BY id";
    let status = |key: &str, status: &str| {
        json!({ "id": "wamid.1", "status": status, "timestamp": WRITTEN.to_string(), "recipient_id": "62", "biz_opaque_callback_data": key,
            "errors": [{ "code": 131_026, "title": "Message undeliverable", "error_data": { "details": "Siti" } }] })
    };
    let deliver = async |statuses: Value| {
        let value = json!({ "messaging_product": "whatsapp", "metadata": { "phone_number_id": "1098" }, "statuses": statuses });
        let entries = json!([{ "id": "the account", "changes": [{ "field": "messages", "value": value }] }]);
        world.deliver("whatsapp_business_account", entries).await;
    };
    let nameless = json!({ "id": "wamid.1", "status": "failed", "timestamp": "1" });
    deliver(json!([status("t1-2-1-1", "read"), status("t1-2-1-1", "sent"), status("nobody's", "failed"), nameless, 7, null, {}])).await;
    deliver(json!("nonsense")).await;
    deliver(json!([status("t1-2-1-1", "delivered"), status("t1-2-1-1", "a status of 2031"), status("t2-2-2-2", "failed")])).await;
    let at = WRITTEN * 1000;
    assert_eq!(
        world.texts(kept).await,
        [format!("t1-2-1-1 read 131026 {at}"), format!("t2-2-2-2 failed 131026 {at}")],
        "the furthest counts"
    );
    // messages that officials write to the number are not ours to read
    let written = json!([{ "id": "a", "changes": [{ "field": "messages", "value": { "messages": [{ "from": "62", "text": { "body": "Baik" } }] } }] }]);
    world.deliver("whatsapp_business_account", written).await;
    assert_eq!(world.texts("SELECT text AS one FROM message").await, [""; 0]);
    let unsigned = json!({ "object": "whatsapp_business_account", "entry": [] }).to_string();
    assert_eq!(world.post(Some(&signature("of an app nobody knows", unsigned.as_bytes())), unsigned.as_bytes()).await.0, 401);
    world.stop().await;
}
