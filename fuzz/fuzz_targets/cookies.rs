//! What a browser, or somebody who says he is one, sends to say who he is: each line is a header, `c` a Cookie, `o` Origin, `f`
//! Sec-Fetch-Site, `h` Host, `n` the place to go to after signing in.
//!
//! A cookie's value is one that was sent under its name, one of ours is found whatever stands beside it, what we have not signed is nothing,
//! no other site's page is taken for our own, and nobody is sent to another site.

#![no_main]

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use tanggap::{domain::Time, link::Key, web};
use url::Url;

const NAME: &str = "__Host-tanggap";
const OURS: &str = "kRfs7k0FfQ2kYp1mS3h0a6kq7mWvQw3n5u1oQd0ZrXs";
const PAGE: &str = "https://tanggap.example.go.id/tickets/4";

fuzz_target!(|data: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let [kind, value @ ..] = line else { continue };
        if *kind == b'n' {
            str::from_utf8(value).into_iter().for_each(place);
        }
        let Ok(value) = HeaderValue::from_bytes(value) else { continue };
        match kind {
            b'c' => headers.append("cookie", value),
            b'o' => headers.insert("origin", value).is_some(),
            b'f' => headers.insert("sec-fetch-site", value).is_some(),
            b'h' => headers.insert("host", value).is_some(),
            _ => false,
        };
    }
    sessions(&headers);
    own(&headers);
});

fn place(next: &str) {
    let place = web::own_place(next);
    assert!(place == next || place == "/");
    let Ok(page) = Url::parse(PAGE) else { return };
    if let Ok(gone) = page.join(place) {
        assert_eq!(gone.origin(), page.origin(), "{next:?} leads elsewhere");
    }
}

fn sessions(headers: &HeaderMap) {
    let sent = |needle: &str| headers.get_all("cookie").iter().any(|value| value.as_bytes().windows(needle.len()).any(|at| at == needle.as_bytes()));
    let found = web::cookie(headers, NAME);
    if let Some(value) = &found {
        assert!(sent(NAME) && (value.is_empty() || sent(value)), "{value:?} was never sent");
        assert!(!value.contains([';', '\0', '\r', '\n']));
        let key = Key::new(&[7; 32]);
        let now = Time::from_secs(1_795_485_600);
        assert_eq!(key.signing_in(value, now), None, "we signed this?");
        assert!(key.read(value).is_none() && key.place("tickets", value).is_none());
    }
    let mut with = headers.clone();
    let Ok(value) = HeaderValue::from_str(&format!("{NAME}={OURS}")) else { return };
    with.append("cookie", value);
    assert_eq!(web::cookie(&with, NAME), found.or(Some(OURS.to_owned())), "what stands beside it hides it");
}

fn own(headers: &HeaderMap) {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if !web::is_own(headers) {
        return;
    }
    match (text("sec-fetch-site"), text("origin"), text("host")) {
        (Some(site), _, _) => assert_eq!(site, "same-origin"),
        (None, Some(origin), Some(host)) => {
            let Ok(origin) = Url::parse(origin) else { panic!("no origin") };
            let Ok(own) = Url::parse(&format!("{}://{host}", origin.scheme())) else { return };
            assert_eq!((origin.host_str(), origin.port()), (own.host_str(), own.port()), "another site's page");
        }
        _ => panic!("nobody said whose page it was"),
    }
}
