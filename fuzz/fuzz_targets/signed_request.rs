//! What Meta posts to have a person's data erased: a signature and a payload. The first byte says what is done: `p` signs the rest as the
//! payload's JSON with a secret of ours, `s` with a stranger's, anything else hands the rest over as it is.

#![no_main]

use std::{collections::BTreeMap, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::SignedDuration;
use libfuzzer_sys::fuzz_target;
use sha2::Sha256;
use tanggap::{
    domain::settings::{App, Graph},
    web::{Refused, requested},
};

const OURS: &str = "of-the-app";

static SITE: LazyLock<Graph> = LazyLock::new(|| Graph {
    url: "https://graph.facebook.com".to_owned(),
    instagram_url: "https://graph.instagram.com".to_owned(),
    version: "v25.0".to_owned(),
    app: App { id: Some("1".to_owned()), secret: Some(OURS.into()), instagram_secret: None },
    apps: BTreeMap::new(),
    sources: Vec::new(),
    verify_token: None,
    timeout: SignedDuration::from_secs(30),
});

fn signature(secret: &str, payload: &str) -> Vec<u8> {
    let mut tag = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    tag.update(payload.as_bytes());
    tag.finalize().into_bytes().to_vec()
}

fn request(secret: &str, json: &[u8]) -> String {
    let payload = URL_SAFE_NO_PAD.encode(json);
    format!("{}.{payload}", URL_SAFE_NO_PAD.encode(signature(secret, &payload)))
}

fuzz_target!(|data: &[u8]| {
    let Some((what, rest)) = data.split_first() else { return };
    match what {
        b'p' => {
            let outcome = requested(&SITE, &request(OURS, rest));
            assert_ne!(outcome, Err(Refused::Signature), "we signed it");
            // A number that no `Value` holds may stand in what is passed over.
            if let (Ok(id), Ok(said)) = (outcome, serde_json::from_slice::<serde_json::Value>(rest)) {
                let named = said["user_id"].as_str().map(str::to_owned).unwrap_or_else(|| said["user_id"].to_string());
                assert!(id == named && !id.is_empty() && id.len() <= 100, "{id:?}");
            }
        }
        b's' => assert_eq!(requested(&SITE, &request("of-a-stranger", rest)), Err(Refused::Signature)),
        _ => {
            let Ok(text) = std::str::from_utf8(rest) else { return };
            if requested(&SITE, text).is_ok() {
                let (_, payload) = text.split_once('.').unwrap_or_default();
                let right = URL_SAFE_NO_PAD.encode(signature(OURS, payload));
                assert!(text.trim_end_matches('=').starts_with(&right), "nobody signed {text:?}");
            }
        }
    }
});
