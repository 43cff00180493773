//! A delivery and the header that is to prove who sent it: only what a secret of ours signed may pass. The first byte says how the
//! header is made, the second with which secret, the first line is what is done to it, and the rest is the body.

#![no_main]

use std::{collections::BTreeMap, sync::LazyLock};

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue};
use jiff::SignedDuration;
use libfuzzer_sys::fuzz_target;
use sha2::Sha256;
use tanggap::{
    domain::settings::{App, Graph},
    web::signed,
};

const HEADER: &str = "x-hub-signature-256";
/// The last one is a stranger's.
const SECRETS: [&str; 4] = ["of-the-app", "of-its-instagram-login", "of-another-app", "of-a-stranger"];

fn graph(app: App, others: BTreeMap<String, App>) -> Graph {
    Graph {
        url: "https://graph.facebook.com".to_owned(),
        instagram_url: "https://graph.instagram.com".to_owned(),
        version: "v25.0".to_owned(),
        app,
        apps: others,
        sources: Vec::new(),
        verify_token: Some("verify".into()),
        timeout: SignedDuration::from_secs(30),
    }
}

/// With secrets, and without any.
static SITES: LazyLock<[Graph; 2]> = LazyLock::new(|| {
    let [own, instagram, another, _] = SECRETS.map(|secret| Some(secret.into()));
    let app = App { id: Some("1".to_owned()), secret: own, instagram_secret: instagram };
    let other = App { id: Some("2".to_owned()), secret: another, instagram_secret: None };
    [graph(app, BTreeMap::from([("lain".to_owned(), other)])), graph(App::default(), BTreeMap::new())]
});

fn signature(secret: &str, body: &[u8]) -> String {
    let mut tag = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    tag.update(body);
    format!("sha256={}", hex::encode(tag.finalize().into_bytes()))
}

/// `None` sends no header.
fn header(how: u8, secret: usize, line: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let mut right = signature(SECRETS[secret % SECRETS.len()], body).into_bytes();
    match how.wrapping_sub(b'a') % 5 {
        0 => return None,
        1 => return Some(line.to_vec()),
        2 => {}
        3 => {
            let (at, byte) = (line.first().map_or(0, |at| usize::from(*at) % right.len()), line.get(1));
            right[at] = byte.copied().unwrap_or(b'0');
        }
        _ => right.extend_from_slice(line),
    }
    Some(right)
}

fuzz_target!(|data: &[u8]| {
    let [how, secret, rest @ ..] = data else { return };
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (line, body) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
    let mut headers = HeaderMap::new();
    let mut shown = None;
    if let Some(text) = header(*how, usize::from(secret.wrapping_sub(b'0')), line, body) {
        let Ok(value) = HeaderValue::from_bytes(&text) else { return };
        shown = value
            .to_str()
            .ok()
            .and_then(|text| text.strip_prefix("sha256="))
            .map(|digits| format!("sha256={}", digits.to_ascii_lowercase()));
        headers.insert(HEADER, value);
    }
    let ours = SECRETS[..3].iter().any(|secret| shown.as_deref() == Some(&signature(secret, body)));
    assert_eq!(signed(&SITES[0], &headers, body), ours);
    assert!(!signed(&SITES[1], &headers, body), "without a secret nobody can sign");
});
