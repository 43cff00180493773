//! Meta's data-deletion callback over real HTTP: who may ask, what is answered, what is done, and what its page says.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::Sha256;
use tanggap::{
    domain::{AccountId, Time, message::Author},
    forget::ForgetStage,
    runtime::{Clock as _, Stage as _},
    store::{
        forget,
        intake::{self, Batch},
    },
};

use super::dump::holding;
use crate::{
    hooks::world::{APP, APP_INSTAGRAM, OTHER_APP, World},
    store::world::comment,
};

fn request(secret: &str, user: &str) -> String {
    let payload = BASE64_URL_SAFE_NO_PAD.encode(json!({ "algorithm": "HMAC-SHA256", "user_id": user, "issued_at": 1 }).to_string());
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(payload.as_bytes());
    format!("{}.{payload}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

async fn post(world: &World, field: &str, value: &str) -> (u16, String) {
    let answer = world.client.post(format!("{}/meta/deletion", world.url)).form(&[(field, value)]).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn page(world: &World, code: &str) -> (u16, String) {
    let answer = world.client.get(format!("{}/meta/deletion/{code}", world.url)).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_signed_request_erases_once_whom_it_names_and_its_page_says_how_it_stands() {
    let world = World::new().await;
    let now = Time::from_timestamp(world.clock.now());
    let written = now.minus(SignedDuration::from_secs(60));
    let author = Some(Author { id: Some("218471".into()), name: Some("Zainal".into()), username: None });
    let said = tanggap::domain::message::Seen { author, created_at: written, ..comment("101_9_77", "UNIKSATU") };
    let account = world.db.rows("SELECT id FROM account ORDER BY id LIMIT 1", vec![]).await.unwrap()[0].i("id").unwrap();
    let batch = Batch {
        account: AccountId(account),
        began_at: now,
        now,
        confirm_gone: SignedDuration::from_secs(20),
        messages: vec![said],
        posts: vec![],
        proofs: vec![],
        bindings: vec![],
    };
    intake::take(&world.db, &batch).await.unwrap();
    let mut codes = Vec::new();
    for secret in [APP, APP_INSTAGRAM, OTHER_APP] {
        let (status, answer) = post(&world, "signed_request", &request(secret, "218471")).await;
        assert_eq!(status, 200, "{answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let code = answer["confirmation_code"].as_str().unwrap().to_owned();
        assert!(answer["url"].as_str().unwrap().ends_with(&format!("/meta/deletion/{code}")), "{answer}");
        codes.push(code);
    }
    codes.dedup();
    assert_eq!(codes.len(), 1, "the same person has the same code");
    let code = &codes[0];
    let (status, waiting) = page(&world, code).await;
    assert!(
        status == 200 && waiting.contains("sedang dihapus") && waiting.contains("are being erased") && waiting.contains(code),
        "{waiting}"
    );
    assert_eq!(forget::pending(&world.db).await.unwrap().len(), 1);
    let settings = std::sync::Arc::new(crate::alert::world::settings(tanggap::domain::settings::Language::Indonesian));
    let mut stage = ForgetStage::new(world.db.clone(), settings, world.clock.clone());
    assert_eq!(stage.once().await.unwrap().done, 1);
    assert_eq!(stage.once().await.unwrap().done, 0, "once");
    let (status, done) = page(&world, code).await;
    assert!(status == 200 && done.contains("telah dihapus") && done.contains("were erased"), "{done}");
    assert!(!done.contains("218471") && !done.contains("Zainal"));
    assert_eq!(holding(&world.db, &["218471", "Zainal", "UNIKSATU"]).await, [""; 0]);
    assert_eq!(forget::status(&world.db, code).await.unwrap().unwrap().done_at, Some(now));
    let (_, again) = post(&world, "signed_request", &request(APP, "218471")).await;
    assert!(again.contains(code.as_str()), "asked again it is done again");
    assert_eq!(forget::pending(&world.db).await.unwrap(), [(code.clone(), "218471".to_owned())]);
    stage.once().await.unwrap();
    let other = post(&world, "signed_request", &request(APP, "999")).await.1;
    assert!(!other.contains(code.as_str()), "another has another code");
    stage.once().await.unwrap();
    let trail = world.texts("SELECT did || ' ' || detail AS one FROM trail ORDER BY id").await;
    assert!(trail.len() == 3 && trail[0].contains("1 messages") && trail[2] == "erase nothing was held", "{trail:?}");
    world.stop().await;
}

#[tokio::test]
async fn what_is_forged_odd_or_too_long_is_refused_in_plain_words_and_erases_nobody() {
    let world = World::new().await;
    let long = "A".repeat(70_000);
    for (field, value, status) in [
        ("signed_request", request("of an app nobody knows", "1").as_str(), 403),
        ("signed_request", &format!("{}x", request(APP, "1")), 403),
        ("signed_request", "nothing", 400),
        ("signed_request", "", 400),
        ("signed_request", &request(APP, "@siti"), 400),
        ("another", &request(APP, "1"), 400),
        ("signed_request", &long, 413),
    ] {
        let (got, words) = post(&world, field, value).await;
        assert_eq!(got, status, "{field}: {words}");
        assert!(words.len() > 10 && !words.contains('<'), "{words}");
    }
    assert_eq!(forget::pending(&world.db).await.unwrap(), []);
    let get = world.client.get(format!("{}/meta/deletion", world.url)).send().await.unwrap();
    assert_eq!(get.status().as_u16(), 405);
    let (status, unknown) = page(&world, "FFFFFFFFFFFFFFFFFFFF").await;
    assert!(status == 404 && unknown.contains("Permintaan tidak ditemukan"), "{unknown}");
    let mut last = 0;
    for _ in 0..60 {
        last = page(&world, "0").await.0;
    }
    assert_eq!(last, 429, "codes are not to be guessed");
    world.stop().await;
}
