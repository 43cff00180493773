//! A receiver in another language takes our webhooks by the reference library of Standard Webhooks.

use std::process::Command;

use tanggap::{
    alert::channel::{Channels, Outgoing},
    domain::{
        Time,
        alert::Channel,
        settings::{Language, Settings},
    },
    runtime::{Clock as _, SystemClock},
};

use super::{said, told};
use crate::{
    alert::world::{HOOK_SECRET, settings, webhook},
    channels::far::{HttpSink, Request},
};

const OLD: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const ANOTHER: &str = "whsec_YSB0aGlyZCBzZWNyZXQgb2YgMjQgYnl0ZQ==";

/// What the library says of a call: `taken`, or why it is refused.
fn verdict(secret: &str, call: &Request, body: &str) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/servers/verify.py");
    let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| call.header(name));
    let mut python = Command::new("/usr/bin/python3");
    said(python.env("PYTHONPATH", told("TANGGAP_TEST_STANDARDWEBHOOKS")).arg(script).arg(secret).args(headers).arg(body))
}

#[tokio::test]
async fn the_reference_library_in_python_takes_our_signature_and_no_other() {
    let sink = HttpSink::start();
    let mut settings = settings(Language::English);
    settings.channels.webhooks = [("simpeg".to_owned(), webhook(&sink, false))].into();
    let payload = r#"{"type":"ticket.breached","data":{"text":"Kapan KTP “saya” jadi? 🙏 \n"}}"#;
    let send = async |settings: &Settings, at: Time| {
        let letter = Outgoing { key: "t42-2-1-1795506300000", address: "simpeg", payload, at };
        Channels::new(settings).unwrap().send(Channel::Webhook, &letter).await.unwrap();
        sink.requests().last().unwrap().clone()
    };
    let now = Time::from_timestamp(SystemClock.now());
    let call = send(&settings, now).await;
    assert_eq!(verdict(HOOK_SECRET, &call, &call.body), "taken");
    assert_eq!(verdict(HOOK_SECRET, &call, &call.body.replace("KTP", "SIM")), "refused: No matching signature found");
    for another in [OLD, ANOTHER] {
        assert_eq!(verdict(another, &call, &call.body), "refused: No matching signature found");
    }
    let old = send(&settings, now.minus(jiff::SignedDuration::from_mins(6))).await;
    assert_eq!(verdict(HOOK_SECRET, &old, &old.body), "refused: Message timestamp too old");
    // while the key is changed, whoever knows either of the two takes it
    settings.channels.webhooks.get_mut("simpeg").unwrap().old_secret = Some(OLD.to_owned().into());
    let call = send(&settings, now).await;
    for (secret, want) in [(HOOK_SECRET, "taken"), (OLD, "taken"), (ANOTHER, "refused: No matching signature found")] {
        assert_eq!(verdict(secret, &call, &call.body), want);
    }
}
