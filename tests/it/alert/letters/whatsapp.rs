//! The four texts of a WhatsApp message, and the message as its reader sees it.

use std::sync::Arc;

use serde_json::{Value, json};
use tanggap::{
    alert::letter::Writer,
    domain::{
        AccountId, Cause, Text,
        alert::{AlertId, AlertKind, Channel},
        settings::{Language, Settings},
    },
    store::outbox::Waiting,
};

use super::{
    super::world::{self, START, at, official},
    facts, waiting, write,
};
use crate::channels::far::HttpSink;

fn site(language: Language) -> Settings {
    let mut site = super::site(language);
    site.channels.whatsapp = Some(world::whatsapp(&HttpSink::start()));
    site
}

fn about(kind: AlertKind, id: i64) -> Waiting {
    waiting(Channel::Whatsapp, kind, "dindukcapil", Some(facts(id, "Kapan KTP saya jadi?")))
}

fn request(site: Settings, group: &[Waiting]) -> Value {
    serde_json::from_str(&write(site, group)).unwrap()
}

/// Subject, OPD, line, link; what holds of every message is checked on the way.
fn texts(site: Settings, group: &[Waiting]) -> [String; 4] {
    let body = request(site, group);
    let parameters = body["template"]["components"][0]["parameters"].as_array().unwrap();
    let texts: Vec<String> = parameters.iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect();
    for text in &texts {
        assert!(!text.is_empty() && !text.contains("  ") && !text.chars().any(char::is_control), "{text:?}");
    }
    assert!(texts.iter().map(|text| text.encode_utf16().count()).sum::<usize>() <= 700, "{texts:?}");
    texts.try_into().unwrap()
}

#[test]
fn a_message_is_a_template_with_four_texts_in_the_sites_language_under_the_letters_key() {
    let body = request(site(Language::Indonesian), &[about(AlertKind::Breached, 42)]);
    let text = |text: &str| json!({"type": "text", "text": text});
    assert_eq!(
        body,
        json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": "-100555", "type": "template",
            "template": {"name": "tiket_terlambat", "language": {"code": "id"}, "components": [{"type": "body", "parameters": [
                text("Pesan warga belum dijawab: Dindukcapil, tiket #42"),
                text("Dindukcapil"),
                text("Dindukcapil, tiket #42, “Kapan KTP saya jadi?”, komentar Facebook, menunggu sejak Jumat, 20 November 2026, 09.42 WIB; \
                      sudah 2 hari 3 jam melewati batas waktu. Mohon berkenan menugaskan pengelola akun untuk menjawab. #T42-2"),
                text("https://tanggap.example.go.id/tickets/42"),
            ]}]},
            "biz_opaque_callback_data": format!("t42-2-42-{}", at(START).ms()),
        })
    );
    assert_eq!(request(site(Language::English), &[about(AlertKind::Breached, 42)])["template"]["language"]["code"], "en");
}

#[test]
fn of_several_tickets_the_oldest_is_told_the_rest_counted_and_the_link_is_the_list() {
    let mut group: Vec<Waiting> = (1..=13).map(|id| about(AlertKind::Breached, id)).collect();
    group.push(waiting(Channel::Whatsapp, AlertKind::Warned, "dinhub", Some(facts(99, "Halo?"))));
    let [subject, opds, line, link] = texts(site(Language::Indonesian), &group);
    assert_eq!((subject.as_str(), opds.as_str()), ("14 pesan warga belum dijawab: Dindukcapil 13, Dinhub 1", "Dindukcapil 13, Dinhub 1"));
    assert!(
        line.starts_with("Dindukcapil, tiket #1, “Kapan")
            && line.ends_with(
                "2 hari 3 jam melewati batas waktu dan 13 lainnya. Mohon berkenan menugaskan pengelola akun untuk menjawab. #T1-2"
            ),
        "{line}"
    );
    assert_eq!(link, "https://tanggap.example.go.id/");
    // six under one post are one line, and the oldest of them
    for waiting in &mut group[..6] {
        waiting.ticket.as_mut().unwrap().post_key = Some("9".into());
    }
    let [.., line, link] = texts(site(Language::Indonesian), &group);
    assert!(line.starts_with("Dindukcapil, 6 tiket di bawah satu unggahan") && line.contains(" dan 8 lainnya."), "{line}");
    assert_eq!(link, "https://tanggap.example.go.id/");
}

#[test]
fn every_kind_of_alert_makes_four_texts_that_make_sense() {
    for (kind, late_found, want) in [
        (AlertKind::Warned, false, ["Pesan warga belum dijawab: Dindukcapil, tiket #42", "Dindukcapil", "Dindukcapil, tiket #42, “Kapan"]),
        (
            AlertKind::Backlog,
            false,
            ["Ringkasan: 1 pesan warga belum dijawab: Dindukcapil", "Dindukcapil", "Dindukcapil, tiket #42, “Kapan"],
        ),
        (
            AlertKind::Answered,
            false,
            [
                "1 pesan warga tidak lagi menunggu jawaban: Dindukcapil",
                "Dindukcapil",
                "1 pesan warga sudah dijawab (Dindukcapil): Dindukcapil, tiket #42, komentar",
            ],
        ),
        (
            AlertKind::Answered,
            true,
            [
                "1 pesan warga tidak lagi menunggu jawaban: Dindukcapil",
                "Dindukcapil",
                "1 pesan warga ternyata sudah dijawab sebelum batas waktu; pemberitahuan",
            ],
        ),
        (
            AlertKind::Dismissed,
            false,
            ["1 pesan warga tidak lagi menunggu jawaban: Dindukcapil", "Dindukcapil", "1 pesan warga dinyatakan tidak perlu dijawab"],
        ),
        (
            AlertKind::Withdrawn,
            false,
            ["1 pesan warga tidak lagi menunggu jawaban: Dindukcapil", "Dindukcapil", "1 pesan warga tidak lagi tampil"],
        ),
    ] {
        let mut group = [about(kind, 42)];
        group[0].alert.late_found = late_found;
        let [subject, opds, line, link] = texts(site(Language::Indonesian), &group);
        assert_eq!([subject.as_str(), opds.as_str()], want[..2]);
        assert!(line.starts_with(want[2]) && line.ends_with("#T42-2"), "{line}");
        assert_eq!(link, "https://tanggap.example.go.id/tickets/42");
    }
    for (kind, account, subject, opds, want) in [
        (
            AlertKind::Unhealthy,
            true,
            "Keadaan akun media sosial: Dindukcapil",
            "Dindukcapil",
            "Akun Facebook Dindukcapil tidak dapat dibaca",
        ),
        (
            AlertKind::Recovered,
            true,
            "Keadaan akun media sosial: Dindukcapil",
            "Dindukcapil",
            "Akun Facebook Dindukcapil dapat dibaca kembali",
        ),
        (AlertKind::Unverified, true, "Keadaan akun media sosial: Dindukcapil", "Dindukcapil", "Akun Facebook Dindukcapil tidak terbaca"),
        (
            AlertKind::Expiring,
            true,
            "Keadaan akun media sosial: Dindukcapil",
            "Dindukcapil",
            "Masa berlaku token akun Facebook Dindukcapil",
        ),
        (AlertKind::Unhealthy, false, "Keadaan akun media sosial Kabupaten Rembang", "Kabupaten Rembang", "Sejumlah akun tidak terpantau"),
        (AlertKind::ClockSkewed, false, "Jam server perlu diperiksa", "Kabupaten Rembang", "Jam server ini berbeda"),
    ] {
        let mut group = [waiting(Channel::Whatsapp, kind, "dindukcapil", None)];
        group[0].alert.cause = Some(Cause::Token);
        if !account {
            (group[0].account, group[0].alert.account) = (None, None);
        }
        let [said, concerned, line, link] = texts(site(Language::Indonesian), &group);
        assert_eq!((said.as_str(), concerned.as_str(), link.as_str()), (subject, opds, "https://tanggap.example.go.id/"));
        assert!(line.starts_with(want) && line.ends_with("#A7"), "{line}");
    }
    let mut several = [about(AlertKind::Breached, 1), waiting(Channel::Whatsapp, AlertKind::Unhealthy, "dinhub", None)];
    several[1].alert.id = AlertId(9);
    several[1].alert.account = Some(AccountId(2));
    assert!(
        texts(site(Language::Indonesian), &several)[2]
            .contains(" dan 1 lainnya. Mohon berkenan menugaskan pengelola akun untuk menjawab. #T1-2")
    );
}

#[test]
fn a_letter_for_want_of_a_recipient_says_so_and_one_without_a_page_says_whom_to_ask() {
    let mut group = [about(AlertKind::Breached, 42)];
    group[0].reason = Some("no recipient configured".into());
    let mut site = site(Language::Indonesian);
    site.http.public_url = None;
    let [.., line, link] = texts(site, &group);
    assert!(
        line.ends_with("untuk menjawab. Belum ada penerima yang ditetapkan untuk langkah ini; mohon lengkapi daftar pejabat. #T42-2"),
        "{line}"
    );
    assert_eq!(link, "mohon menghubungi pengelola Tanggap");
}

#[test]
fn whatever_is_written_and_configured_the_whole_body_stays_below_a_templates_limit() {
    let mut site = site(Language::Indonesian);
    for opd in &mut site.opds {
        opd.abbreviation = "👨‍👩‍👧‍👦\t\n".repeat(100);
    }
    site.http.public_url = Some(format!("https://example.go.id/{}", "a".repeat(240)));
    let mut group: Vec<Waiting> = (1..=30).map(|id| about(AlertKind::Breached, id)).collect();
    for (id, waiting) in group.iter_mut().enumerate() {
        waiting.account.as_mut().unwrap().opd = if id % 2 == 0 { "dinhub" } else { "dindukcapil" }.into();
        waiting.ticket.as_mut().unwrap().text = Text::from("🏳️‍🌈\u{202E}\r\n\t     ".repeat(5_000));
        waiting.reason = Some("no recipient configured".into());
    }
    let [subject, opds, line, link] = texts(site.clone(), &group);
    for text in [&subject, &opds, &line] {
        assert!(!text.contains("\u{200D}…") && !text.contains('\u{202E}'), "cut between graphemes: {text}");
    }
    assert!(
        line.contains("dan 29 lainnya. Mohon berkenan menugaskan pengelola akun untuk menjawab. Belum ada penerima")
            && line.ends_with("#T1-2")
            && link.ends_with("aaa/"),
        "{line}"
    );
    let shown = Writer::new(Arc::new(site.clone()), None).unwrap().shown(&write(site.clone(), &group)).unwrap();
    assert!(shown.encode_utf16().count() < 1024, "{}", shown.encode_utf16().count());
    // a link that would not fit is not cut
    site.http.public_url = Some(format!("https://example.go.id/{}", "a".repeat(400)));
    assert_eq!(texts(site.clone(), &group)[3], "mohon menghubungi pengelola Tanggap");
    // nothing at all is a dash, since no text may be empty
    for opd in &mut site.opds {
        opd.abbreviation = "\u{202E}\n".into();
    }
    assert_eq!(texts(site, &group[..1])[1], "-");
}

#[test]
fn its_reader_sees_the_proposed_template_filled_in() {
    let site = site(Language::Indonesian);
    let writer = Writer::new(Arc::new(site.clone()), None).unwrap();
    assert_eq!(
        writer.shown(&write(site.clone(), &[about(AlertKind::Breached, 42)])).unwrap(),
        "Pemberitahuan Tanggap: Pesan warga belum dijawab: Dindukcapil, tiket #42\n\
         Perangkat daerah: Dindukcapil\n\
         Dindukcapil, tiket #42, “Kapan KTP saya jadi?”, komentar Facebook, menunggu sejak Jumat, 20 November 2026, 09.42 WIB; \
         sudah 2 hari 3 jam melewati batas waktu. Mohon berkenan menugaskan pengelola akun untuk menjawab. #T42-2\n\
         Selengkapnya: https://tanggap.example.go.id/tickets/42\n\
         Pemberitahuan ini dikirim otomatis; pesan WhatsApp ini tidak perlu dibalas."
    );
    for other in ["", "{}", r#"{"chat_id":"-1","text":"Halo"}"#] {
        assert_eq!(writer.shown(other), None);
    }
    let bupati = official("bupati", "Bupati", "bupati", &[]);
    let test = writer.test(&bupati, Channel::Whatsapp, "62", "test-1", at(START)).unwrap();
    assert_eq!(
        writer.shown(&test).unwrap(),
        "Pemberitahuan Tanggap: Uji coba pemberitahuan Kabupaten Rembang\n\
         Perangkat daerah: Kabupaten Rembang\n\
         Ini pesan uji coba. Jika Bapak/Ibu menerimanya, pemberitahuan untuk kelompok bupati berjalan baik; tidak ada yang perlu dilakukan. #TEST\n\
         Selengkapnya: https://tanggap.example.go.id/\n\
         Pemberitahuan ini dikirim otomatis; pesan WhatsApp ini tidak perlu dibalas."
    );
}
