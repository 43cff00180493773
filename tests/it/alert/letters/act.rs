//! The line, the link and the buttons by which a reader says that somebody is seeing to a letter's tickets.

use std::sync::Arc;

use tanggap::{
    alert::letter::Writer,
    domain::{
        alert::{AlertKind, Channel},
        settings::{Language, Settings},
    },
    link::Key,
    store::{outbox::Waiting, recap::Facts},
};

use super::{facts, one, site, waiting};
use crate::{
    alert::world::{START, at, official, webhook},
    channels::far::HttpSink,
};

/// The bytes of the letter for these deliveries where links can be signed.
fn signed(site: Settings, group: &[Waiting]) -> String {
    let writer = Writer::new(Arc::new(site), Some(Key::new(&[7; 32]))).unwrap();
    writer.letter(&group.iter().collect::<Vec<_>>(), &[], &Facts::default(), at(START)).unwrap().payload.unwrap()
}

/// The link in the letter of ticket 42 that [`signed`] writes.
fn link() -> String {
    format!("https://tanggap.example.go.id/ack/{}", Key::new(&[7; 32]).token(&format!("t42-2-42-{}", at(START).ms()), at(START)))
}

#[test]
fn a_mail_says_in_one_line_of_both_its_forms_what_its_link_does() {
    for (language, says) in [(Language::Indonesian, "Tandai sedang ditangani"), (Language::English, "Mark as being seen to")] {
        let group = [waiting(Channel::Smtp, AlertKind::Breached, "dindukcapil", Some(facts(42, "Kapan?")))];
        let mail = signed(site(language), &group).replace("=\r\n", "").replace("=3D", "=").replace("=20", " ").replace("\r\n", "\n");
        let (plain, html) = mail.split_once("Content-Type: text/html").unwrap();
        assert!(plain.contains(&format!("\n\n{says}: {}\n\n-- \n", link())), "{plain}");
        assert!(html.contains(&format!("<p>{says}:<br><a href=\"{0}\">{0}</a></p>\n<p><small>", link())), "{html}");
        assert_eq!(mail.matches("/ack/").count(), 3);
    }
}

#[test]
fn a_chat_message_has_a_button_and_one_with_the_link_where_telegram_takes_it() {
    let body = |site: Settings| serde_json::from_str::<serde_json::Value>(&signed(site, &one(AlertKind::Breached))).unwrap();
    let key = format!("t42-2-42-{}", at(START).ms());
    let data = Key::new(&[7; 32]).button(&key).unwrap();
    let press = serde_json::json!([{"text": "Tandai sedang ditangani", "callback_data": data}]);
    let choose = serde_json::json!([{"text": "Pilih pesan yang ditangani", "url": link()}]);
    let full = body(site(Language::Indonesian));
    assert_eq!(full["reply_markup"], serde_json::json!({"inline_keyboard": [press, choose]}));
    let text = full["text"].as_str().unwrap();
    assert!(text.ends_with("menjawab.\nBila sudah mulai ditangani, mohon tekan tombol di bawah.\n#T42-2"), "{text}");
    assert!(!text.contains("/ack/"), "it stands on the button: {text}");
    // Telegram refuses a message with a button to an address of its own reader's machine
    for public in [None, Some("http://127.0.0.1:8787"), Some("http://localhost"), Some("https://tanggap"), Some("https://10.0.0.1")] {
        let mut site = site(Language::Indonesian);
        site.http.public_url = public.map(str::to_owned);
        let body = body(site);
        assert_eq!(body["reply_markup"], serde_json::json!({"inline_keyboard": [press]}), "{public:?}");
    }
}

#[test]
fn only_a_letter_that_asks_for_something_can_be_acted_upon_and_only_by_a_person() {
    for kind in [AlertKind::Warned, AlertKind::Breached, AlertKind::Escalated, AlertKind::Backlog, AlertKind::HandedOver] {
        assert!(signed(site(Language::English), &one(kind)).contains("callback_data"), "{kind}");
    }
    for kind in [AlertKind::Answered, AlertKind::Dismissed, AlertKind::Withdrawn] {
        let text = signed(site(Language::English), &one(kind));
        assert!(!text.contains("reply_markup") && !text.contains("/ack/"), "{text}");
    }
    let state = vec![waiting(Channel::Telegram, AlertKind::Unhealthy, "dindukcapil", None)];
    assert!(!signed(site(Language::English), &state).contains("reply_markup"));
    // one that is closed beside one that is open
    let mut both = one(AlertKind::Answered);
    both.push(waiting(Channel::Telegram, AlertKind::Breached, "dindukcapil", Some(facts(43, "x"))));
    assert!(signed(site(Language::English), &both).contains("callback_data"));

    let mut machine = site(Language::English);
    machine.channels.webhooks = [("-100555".to_owned(), webhook(&HttpSink::start(), true))].into();
    for channel in [Channel::Webhook, Channel::Log] {
        let group = [waiting(channel, AlertKind::Breached, "dindukcapil", Some(facts(42, "x")))];
        assert!(!signed(machine.clone(), &group).contains("/ack/"), "{channel}");
    }
    let writer = Writer::new(Arc::new(site(Language::English)), Some(Key::new(&[7; 32]))).unwrap();
    let test = writer.test(&official("kepala", "Kepala", "kepala", &[]), Channel::Telegram, "-1", "test-1-1", at(START)).unwrap();
    assert!(!test.contains("reply_markup") && !test.contains("/ack/"), "{test}");
}

#[test]
fn the_longest_letter_with_its_line_about_the_button_stays_within_telegrams_limit() {
    let mut site = site(Language::Indonesian);
    for opd in &mut site.opds {
        opd.abbreviation = "🏢<&".repeat(100);
    }
    let group: Vec<_> =
        (1..=30).map(|id| waiting(Channel::Telegram, AlertKind::Breached, "dinhub", Some(facts(id, &"&<>'\"".repeat(100))))).collect();
    let body: serde_json::Value = serde_json::from_str(&signed(site, &group)).unwrap();
    let text = body["text"].as_str().unwrap();
    assert!(text.encode_utf16().count() <= 4096 && text.contains("mohon tekan tombol di bawah"), "{}", text.len());
    assert!(body["reply_markup"]["inline_keyboard"].is_array());
}
