//! What letters say, word for word, in both languages and every channel's form.

mod act;
mod handover;
mod whatsapp;

use std::sync::Arc;

use jiff::SignedDuration;
use tanggap::{
    alert::letter::Writer,
    domain::{
        AccountId, Cause, Kind, Platform, Text, TicketId, TicketState, Time,
        alert::{Alert, AlertId, AlertKind, Channel},
        settings::{Language, Official, Preview, Settings},
    },
    store::{
        outbox::{AccountFacts, TicketFacts, Waiting},
        recap::Facts,
    },
};

use super::world::{START, at, official, settings, smtp};

fn site(language: Language) -> Settings {
    let mut site = settings(language);
    site.channels.smtp = Some(smtp("smtp://127.0.0.1:1".into()));
    site.officials =
        vec![Official { email: Some("kepala@example.go.id".into()), ..official("kepala", "Kepala Dindukcapil", "kepala", &[]) }];
    site
}

fn facts(id: i64, text: &str) -> TicketFacts {
    TicketFacts {
        id: TicketId(id),
        kind: Kind::Comment,
        thread: "th".into(),
        post_key: None,
        permalink: None,
        author_id: Some("9001".into()),
        author_name: Some("Siti Rahma".into()),
        author_username: None,
        text: Text::from(text),
        newest_at: None,
        messages: 1,
        policy: "biasa".into(),
        urgent: false,
        state: TicketState::Open,
        opened_at: at("2026-11-20T02:00:00Z").plus(SignedDuration::from_mins(id)),
        due_at: at(START).minus(SignedDuration::from_hours(51)),
        warned_at: None,
        breached_at: None,
        flagged_at: None,
        acknowledged_at: None,
        closed_at: None,
        business_seconds: None,
        answered_by: None,
        assignee: None,
        unverified: false,
        reason: None,
    }
}

/// A delivery to the head of Dindukcapil, about a ticket of `opd` or about its account.
fn waiting(channel: Channel, kind: AlertKind, opd: &str, ticket: Option<TicketFacts>) -> Waiting {
    let id = ticket.as_ref().map_or(7, |t| t.id.0);
    let alert = Alert {
        cause: None,
        id: AlertId(id),
        kind,
        ticket: ticket.as_ref().map(|t| t.id),
        account: Some(AccountId(1)),
        policy: "biasa".into(),
        at: "0m".into(),
        step: 2,
        notify: vec![],
        late_found: false,
        detail: String::new(),
        created_at: at(START),
    };
    Waiting {
        delivery: id,
        alert,
        official: "kepala".into(),
        channel,
        address: if channel == Channel::Smtp { "kepala@example.go.id".into() } else { "-100555".into() },
        reason: None,
        last_letter_at: None,
        crowded_at: None,
        storm_at: None,
        account: Some(AccountFacts {
            platform: Platform::Facebook,
            external_id: "101".into(),
            opd: opd.into(),
            unread_since: Some(at("2026-11-23T06:00:00Z")),
        }),
        ticket,
    }
}

/// The bytes of the letter for these deliveries.
fn write(site: Settings, group: &[Waiting]) -> String {
    let writer = Writer::new(Arc::new(site), None).unwrap();
    writer.letter(&group.iter().collect::<Vec<_>>(), &[], &Facts::default(), at(START)).unwrap().payload.unwrap()
}

/// The text of a Telegram message.
fn chat(site: Settings, group: &[Waiting]) -> String {
    let body: serde_json::Value = serde_json::from_str(&write(site, group)).unwrap();
    assert_eq!(body["parse_mode"], "HTML");
    assert_eq!(body["link_preview_options"]["is_disabled"], true);
    body["text"].as_str().unwrap().to_owned()
}

fn one(kind: AlertKind) -> Vec<Waiting> {
    vec![waiting(Channel::Telegram, kind, "dindukcapil", Some(facts(42, "Kapan KTP saya jadi?")))]
}

#[test]
fn a_breach_in_indonesian_and_in_english() {
    assert_eq!(
        chat(site(Language::Indonesian), &one(AlertKind::Breached)),
        "<b>Pesan warga belum dijawab: Dindukcapil, tiket #42</b>\n\
         Yth. Kepala Dindukcapil\n\n\
         1 pesan warga melewati batas waktu dan belum dijawab (Dindukcapil):\n\
         1. Dindukcapil, tiket #42, “Kapan KTP […] jadi?”, komentar Facebook, menunggu sejak Jumat, 20 November 2026, 09.42 WIB; \
         sudah 2 hari 3 jam melewati batas waktu https://tanggap.example.go.id/tickets/42\n\n\
         Mohon berkenan menugaskan pengelola akun untuk menjawab.\n\
         #T42-2"
            .replace("[…]", "saya")
    );
    assert_eq!(
        chat(site(Language::English), &one(AlertKind::Escalated)),
        "<b>Citizen's message unanswered: Dindukcapil, ticket #42</b>\n\
         To Kepala Dindukcapil\n\n\
         1 citizens' message is past the deadline and unanswered (Dindukcapil):\n\
         1. Dindukcapil, ticket #42, “Kapan KTP saya jadi?”, Facebook comment, waiting since Friday, 20 November 2026, 09:42 WIB; \
         2 days 3 hours past the deadline https://tanggap.example.go.id/tickets/42\n\n\
         Please have those who run the account answer.\n\
         #T42-2"
            .replace('\'', "&#39;")
    );
}

#[test]
fn a_warning_tells_the_deadline_and_an_unverified_one_says_so() {
    let mut group = one(AlertKind::Warned);
    let ticket = group[0].ticket.as_mut().unwrap();
    ticket.due_at = at(START).plus(SignedDuration::from_mins(45));
    ticket.urgent = true;
    ticket.unverified = true;
    let text = chat(site(Language::Indonesian), &group);
    assert!(
        text.contains("1 pesan warga mendekati batas waktu dan belum dijawab (Dindukcapil):\n1. Mendesak: Dindukcapil, tiket #42,"),
        "{text}"
    );
    assert!(
        text.contains("; batas waktu Senin, 23 November 2026, 14.50 WIB (45 menit lagi); belum dapat dipastikan karena akun tidak terbaca"),
        "{text}"
    );
}

#[test]
fn several_tickets_are_counted_per_opd_the_five_oldest_are_named_and_a_post_is_one_line() {
    let mut group: Vec<_> = (1..=8)
        .map(|id| {
            waiting(Channel::Telegram, AlertKind::Breached, if id % 4 == 0 { "dinhub" } else { "dindukcapil" }, Some(facts(id, "Halo?")))
        })
        .collect();
    for id in 11..=16 {
        let mut under = facts(id, "Kapan?");
        under.post_key = Some("99".into());
        under.opened_at = at("2026-11-19T02:00:00Z").plus(SignedDuration::from_mins(id));
        group.push(waiting(Channel::Telegram, AlertKind::Breached, "dindukcapil", Some(under)));
    }
    let text = chat(site(Language::Indonesian), &group);
    assert!(text.starts_with("<b>14 pesan warga belum dijawab: Dindukcapil 12, Dinhub 2</b>"), "{text}");
    let line = "1. Dindukcapil, 6 tiket di bawah satu unggahan Facebook, terlama menunggu sejak Kamis, 19 November 2026, 09.11 WIB;";
    assert!(text.contains(line), "{text}");
    for named in
        ["2. Dindukcapil, tiket #1,", "5. Dinhub, tiket #4,", "dan 4 lainnya.", "Daftar dan tautan: https://tanggap.example.go.id/"]
    {
        assert!(text.contains(named), "{named}: {text}");
    }
    assert!(!text.contains("tiket #5"), "{text}");
}

#[test]
fn of_one_ticket_only_the_newest_step_is_told() {
    let mut group = one(AlertKind::Warned);
    let mut newer = waiting(Channel::Telegram, AlertKind::Breached, "dindukcapil", Some(facts(42, "x")));
    newer.alert.id = AlertId(99);
    group.push(newer);
    let text = chat(site(Language::Indonesian), &group);
    assert!(text.contains("melewati batas waktu") && !text.contains("mendekati"), "{text}");
}

#[test]
fn ends_of_tickets_are_told_each_in_its_own_words() {
    for (kind, late_found, id, en) in [
        (
            AlertKind::Answered,
            false,
            "1 pesan warga sudah dijawab (Dindukcapil):",
            "1 citizens&#39; message has been answered (Dindukcapil):",
        ),
        (
            AlertKind::Answered,
            true,
            "1 pesan warga ternyata sudah dijawab sebelum batas waktu; pemberitahuan sebelumnya kami tarik kembali (Dindukcapil):",
            "1 citizens&#39; message had in fact been answered before the deadline; the earlier alert is taken back (Dindukcapil):",
        ),
        (
            AlertKind::Dismissed,
            false,
            "1 pesan warga dinyatakan tidak perlu dijawab (Dindukcapil):",
            "1 citizens&#39; message needs no answer (Dindukcapil):",
        ),
        (
            AlertKind::Withdrawn,
            false,
            "1 pesan warga tidak lagi tampil sehingga tidak dapat dijawab (Dindukcapil):",
            "1 citizens&#39; message is no longer shown and can&#39;t be answered (Dindukcapil):",
        ),
    ] {
        let mut group = one(kind);
        group[0].alert.late_found = late_found;
        let text = chat(site(Language::Indonesian), &group);
        assert!(text.starts_with("<b>1 pesan warga tidak lagi menunggu jawaban: Dindukcapil</b>\n") && text.contains(id), "{text}");
        assert!(text.contains("1. Dindukcapil, tiket #42, komentar Facebook yang masuk Jumat, 20 November 2026, 09.42 WIB"), "{text}");
        assert!(!text.contains("Kapan") && !text.contains("Mohon"), "{text}");
        assert!(chat(site(Language::English), &group).contains(en));
    }
}

#[test]
fn states_of_accounts_and_of_the_clock_are_told_to_those_who_run_them() {
    for (kind, cause, detail, account, id) in [
        (
            AlertKind::Unhealthy,
            Some(Cause::Token),
            "code 190",
            true,
            "Akun Facebook Dindukcapil tidak dapat dibaca sejak Senin, 23 November 2026, 13.00 WIB: izin membaca tidak berlaku lagi, \
             misalnya karena kata sandi diganti atau akses admin dicabut. Selama itu pesan warga di sana tidak terpantau. Yang perlu dilakukan: \
             Admin akun masuk kembali dan memberikan izin baru kepada pengelola Tanggap. Keterangan teknis: code 190.",
        ),
        (
            AlertKind::Unhealthy,
            Some(Cause::UnprovedComments),
            "none since",
            true,
            "Akun Facebook Dindukcapil terbaca, tetapi perlu diperiksa sejak Senin, 23 November 2026, 14.05 WIB: belum terbukti bahwa komentar \
             warga dapat terbaca. Yang perlu dilakukan: Pengelola Tanggap mengujinya dengan komentar dari akun pribadi; bila tidak terbaca, pengelola mengurus \
             izinnya ke Meta (pemilik Facebook dan Instagram). Perintahnya `tanggap check --witness`; izin yang dimaksud adalah Advanced \
             Access aplikasi. Keterangan teknis: none since.",
        ),
        (
            AlertKind::Unhealthy,
            Some(Cause::CommentsOff),
            "",
            true,
            "Akun Facebook Dindukcapil terbaca, tetapi perlu diperiksa sejak Senin, 23 November 2026, 14.05 WIB: kolom komentar dimatikan. \
             Yang perlu dilakukan: Admin akun membuka kembali komentar pada unggahan terbaru.",
        ),
        (
            AlertKind::Recovered,
            Some(Cause::CommentsOff),
            "",
            true,
            "Akun Facebook Dindukcapil tidak perlu diperiksa lagi sejak Senin, 23 November 2026, 14.05 WIB; sebelumnya: kolom komentar dimatikan.",
        ),
        (AlertKind::Recovered, None, "", true, "Akun Facebook Dindukcapil dapat dibaca kembali sejak Senin, 23 November 2026, 14.05 WIB."),
        (
            AlertKind::Unverified,
            None,
            "3",
            true,
            "Akun Facebook Dindukcapil tidak terbaca sejak Senin, 23 November 2026, 13.00 WIB; 3 pesan belum dapat dipastikan.",
        ),
        (
            AlertKind::Unhealthy,
            Some(Cause::Lagging),
            "",
            false,
            "Sejumlah akun tidak terpantau sejak Senin, 23 November 2026, 14.05 WIB: pembacaan tertinggal: akun menunggu giliran lebih lama \
             dari yang seharusnya. Yang perlu dilakukan: Pengelola Tanggap memperbanyak pembacaan yang berjalan bersamaan, atau \
             memeriksa jaringan dan server. Setelannya `poll.concurrency`.",
        ),
        (AlertKind::Recovered, None, "", false, "Akun-akun yang terganggu dapat dibaca kembali sejak Senin, 23 November 2026, 14.05 WIB."),
        (
            AlertKind::ClockSkewed,
            None,
            "42 s",
            false,
            "Jam server ini berbeda dengan jam Meta sejak Senin, 23 November 2026, 14.05 WIB. Keterangan: 42 s. \
             Pemberitahuan pesan warga ditahan sampai jam server dibetulkan.",
        ),
    ] {
        let mut group = vec![waiting(Channel::Telegram, kind, "dindukcapil", None)];
        (group[0].alert.cause, group[0].alert.detail) = (cause, detail.into());
        if !account {
            group[0].account = None;
            group[0].alert.account = None;
        }
        let text = chat(site(Language::Indonesian), &group);
        assert!(text.contains(&format!("Pemberitahuan untuk pengelola:\n1. {id}\n")), "{text}");
        assert!(text.ends_with("#A7"), "{text}");
        let english = chat(site(Language::English), &group);
        assert!(english.contains("For those who run the accounts:\n1. "), "{english}");
    }
}

#[test]
fn a_mail_is_one_a_program_sends_and_its_text_is_complete() {
    let group = [waiting(Channel::Smtp, AlertKind::Breached, "dindukcapil", Some(facts(42, "Kapan?")))];
    let mail = write(site(Language::Indonesian), &group);
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    let key = format!("t42-2-42-{}", at(START).ms());
    for line in [
        "From: Tanggap <tanggap@example.go.id>",
        "To: kepala@example.go.id",
        "Subject: Pesan warga belum dijawab: Dindukcapil, tiket #42",
        &format!("Message-ID: <{key}@tanggap.example.go.id>"),
        "Date: Mon, 23 Nov 2026 07:05:00 +0000",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
        "List-Id: <alerts.tanggap.example.go.id>",
        "Content-Language: id",
    ] {
        assert!(head.lines().any(|l| l == line), "{line} in {head}");
    }
    assert!(
        mail.is_ascii()
            && body.contains("Content-Type: text/plain; charset=utf-8")
            && body.contains("Content-Type: text/html; charset=utf-8")
    );
    assert_eq!(mail, write(site(Language::Indonesian), &group), "the same facts give the same bytes");
}

#[test]
fn a_hostile_text_is_harmless_in_every_form() {
    let text = "</b><script>alert(1)</script>\r\nBcc: all@example.go.id\r\n.\r\n\u{202E}evil {{ 7*7 }} &amp; \"'".to_owned()
        + &"🌊".repeat(15_000);
    let hostile = |channel| {
        let mut w = waiting(channel, AlertKind::Breached, "dindukcapil", Some(facts(42, &text)));
        w.account.as_mut().unwrap().opd = "<i>opd\r\nX-Evil: 1".into();
        [w]
    };
    let telegram = chat(site(Language::Indonesian), &hostile(Channel::Telegram));
    assert!(!telegram.contains("<script") && !telegram.contains("<i>") && telegram.matches('<').count() == 2, "{telegram}");
    assert!(telegram.encode_utf16().count() <= 4096 && !telegram.contains('\u{202E}') && telegram.contains("{{ 7*7 }}"));
    let mail = write(site(Language::Indonesian), &hostile(Channel::Smtp));
    let html = mail.split("Content-Type: text/html").nth(1).unwrap();
    assert!(!mail.to_lowercase().contains("\nbcc:") && !mail.contains("\nX-Evil") && !html.contains("<script"), "{mail}");
    let log = write(site(Language::Indonesian), &hostile(Channel::Log));
    assert!(!log.contains('\n') && !log.contains("alert(1)"), "{log}");
}

#[test]
fn a_chat_message_stays_within_telegrams_limit_whatever_names_are_configured() {
    let mut site = site(Language::Indonesian);
    for opd in &mut site.opds {
        opd.abbreviation = "🏢<&".repeat(100);
    }
    let group: Vec<_> =
        (1..=30).map(|id| waiting(Channel::Telegram, AlertKind::Breached, "dinhub", Some(facts(id, &"&<>'\"".repeat(100))))).collect();
    let text = chat(site, &group);
    assert!(text.encode_utf16().count() <= 4096, "{}", text.len());
    assert!(text.ends_with("#T1-2"));
}

#[test]
fn no_letter_names_the_citizen_and_none_shows_a_direct_message() {
    let mut group = one(AlertKind::Breached);
    let ticket = group[0].ticket.as_mut().unwrap();
    ticket.text = Text::from("Saya Siti Rahma mau tanya KTP");
    assert!(chat(site(Language::Indonesian), &group).contains("“Saya […] […] mau tanya KTP”"));
    group[0].ticket.as_mut().unwrap().kind = Kind::Message;
    let text = chat(site(Language::Indonesian), &group);
    assert!(text.contains("tiket #42, pesan langsung Facebook,") && !text.contains("tanya"), "{text}");
    let mut masked = site(Language::Indonesian);
    masked.letter.preview = Preview::Masked;
    assert!(chat(masked, &group).contains("“Saya […] […] mau tanya KTP”"));
}

#[test]
fn a_webhook_for_an_account_has_opd_account_and_reason() {
    let mut site = site(Language::Indonesian);
    site.channels.webhooks = [("-100555".to_owned(), super::world::webhook(&crate::channels::far::HttpSink::start(), false))].into();
    let mut group = vec![waiting(Channel::Webhook, AlertKind::Unhealthy, "dindukcapil", None)];
    group[0].alert.detail = "token expired".into();
    let body: serde_json::Value = serde_json::from_str(&write(site, &group)).unwrap();
    assert_eq!(
        body,
        serde_json::json!({"type": "account.unhealthy", "timestamp": "2026-11-23T07:05:00.000Z", "data": {
            "opd": "dindukcapil", "account": "101", "platform": "facebook", "reason": "token expired", "official": "kepala",
            "since": "2026-11-23T06:00:00Z", "link": "https://tanggap.example.go.id/",
        }})
    );
}

#[test]
fn an_operator_is_asked_to_pass_it_on_and_an_office_above_the_agencies_for_a_direction_and_what_is_urgent_stands_first() {
    let mut site = site(Language::Indonesian);
    site.officials = vec![official("kepala", "Kepala Dindukcapil", "kepala", &["dindukcapil"]), official("sekda", "Sekda", "sekda", &[])];
    let mut urgent = facts(43, "Kecelakaan, korban butuh ambulans");
    (urgent.urgent, urgent.opened_at) = (true, at("2026-11-23T06:00:00Z"));
    let group = |official: &str| {
        let both = [facts(42, "Kapan KTP saya jadi?"), urgent.clone()]
            .map(|it| waiting(Channel::Telegram, AlertKind::Breached, "dindukcapil", Some(it)));
        both.map(|it| Waiting { official: official.into(), ..it }).to_vec()
    };
    for (whom, asked) in [
        ("operator", "Mohon diteruskan kepada pengelola akun perangkat daerah itu agar segera dijawab."),
        ("kepala", "Mohon berkenan menugaskan pengelola akun untuk menjawab."),
        ("sekda", "Mohon arahan Bapak/Ibu kepada kepala perangkat daerah terkait untuk tindak lanjutnya."),
    ] {
        let text = chat(site.clone(), &group(whom));
        assert!(
            text.contains(&format!("\n\nUntuk pesan yang mendesak, mohon berkenan segera menugaskan petugas untuk memeriksa dan meneruskannya kepada layanan darurat.\n{asked}\n")),
            "{text}"
        );
        assert!(text.find("1. Mendesak: ") < text.find("2. Dindukcapil, tiket #42"), "{text}");
    }
}

#[test]
fn the_length_past_the_deadline_is_told_at_the_time_of_writing() {
    let mut group = one(AlertKind::Breached);
    group[0].ticket.as_mut().unwrap().due_at = Time::from_ms(at(START).ms() - 400).unwrap();
    assert!(chat(site(Language::Indonesian), &group).contains("sudah kurang dari 1 menit melewati batas waktu"));
}

#[test]
fn a_token_that_ends_soon_is_told_with_its_end_in_both_languages_and_by_webhook() {
    let expiring = |channel| {
        let mut group = vec![waiting(channel, AlertKind::Expiring, "dindukcapil", None)];
        group[0].alert.detail = Time::parse(START).unwrap().plus(SignedDuration::from_hours(10 * 24 - 1)).rfc3339();
        group
    };
    let indonesian = chat(site(Language::Indonesian), &expiring(Channel::Telegram));
    assert!(indonesian.contains("Masa berlaku token akun Facebook Dindukcapil berakhir") && indonesian.contains("(9 hari 23 jam lagi)"));
    let english = chat(site(Language::English), &expiring(Channel::Telegram));
    assert!(
        english.contains("The token of the account Facebook Dindukcapil ends on") && english.contains("(9 days 23 hours left)"),
        "{english}"
    );
    let mut site = site(Language::Indonesian);
    site.channels.webhooks = [("-100555".to_owned(), super::world::webhook(&crate::channels::far::HttpSink::start(), false))].into();
    let body: serde_json::Value = serde_json::from_str(&write(site, &expiring(Channel::Webhook))).unwrap();
    assert_eq!((&body["type"], &body["data"]["account"]), (&"token.expiring".into(), &"101".into()));
    assert_eq!((&body["data"]["reason"], &body["data"]["opd"]), (&"the token ends soon".into(), &"dindukcapil".into()));
    assert_eq!(Time::parse(body["data"]["token_expires_at"].as_str().unwrap()).unwrap().since(at(START)).as_hours(), 239);
}
