//! What a citizen may write and an agency may be called, as it arrives at the other side of every channel.

use crate::alert::world::{World, ticket};

/// Marks that turn the direction of writing.
const TURNS: [char; 3] = ['\u{202E}', '\u{2066}', '\u{200F}'];

#[tokio::test]
async fn a_hostile_text_of_sixty_kilobytes_is_harmless_in_every_channel() {
    let mut w = World::sqlite().await;
    for opd in &mut w.settings.opds {
        opd.abbreviation = "Dindukcapil\r\nX-Evil: 1</b><i>\u{202E}".into();
    }
    let mut evil = ticket(42);
    evil.text = "</b><script>alert(1)</script>\r\nBcc: all@example.go.id\r\n.\r\n\u{202E}\u{2066}evil\t{{ 7*7 }}     \u{0007}\"}],\"to\":\"1\" &amp; '"
        .to_owned()
        + &"🌊".repeat(15_000);
    assert!(evil.text.len() > 60_000);
    w.breach(&evil, &["kepala", "sekda", "bupati", "mesin"]).await;
    w.step().await;
    assert!(w.deliveries().await.iter().all(|delivery| delivery.ends_with(" delivered")), "{:?}", w.deliveries().await);

    let mail = &w.mail.mails()[0];
    let head = mail.split("\r\n\r\n").next().unwrap();
    assert!(head.lines().all(|line| !line.starts_with("Bcc") && !line.starts_with("X-Evil")), "{head}");
    let html = mail.split("Content-Type: text/html").nth(1).unwrap();
    assert!(mail.lines().all(|line| line.len() <= 998) && !html.contains("<script") && mail.len() < 20_000, "{mail}");

    let chat = w.chat.requests()[0].json();
    let text = chat["text"].as_str().unwrap();
    assert!(text.encode_utf16().count() <= 4096 && text.matches('<').count() == 2 && chat["chat_id"] == "-100555", "{text}");

    let hook = w.hook.requests()[0].json();
    assert!(hook["type"] == "ticket.breached" && hook["data"]["ticket"]["author"].is_null(), "{hook}");
    assert!(hook["data"]["ticket"]["text"].as_str().unwrap().chars().count() <= 81, "{hook}");

    let message = w.wa.requests()[0].json();
    assert_eq!((&message["to"], &message["type"]), (&"6281200000000".into(), &"template".into()));
    let texts = message["template"]["components"][0]["parameters"].as_array().unwrap().clone();
    let texts: Vec<&str> = texts.iter().map(|one| one["text"].as_str().unwrap()).collect();
    assert_eq!(texts.len(), 4);
    assert!(texts.iter().all(|text| !text.is_empty() && !text.contains("  ") && !text.chars().any(char::is_control)), "{texts:?}");
    assert!(texts.iter().map(|text| text.encode_utf16().count()).sum::<usize>() <= 700, "{texts:?}");

    for said in [&w.mail.texts()[0], text, &hook.to_string(), &message.to_string()] {
        assert!(!said.contains(TURNS) && !said.contains("Siti"), "{said}");
    }
}
