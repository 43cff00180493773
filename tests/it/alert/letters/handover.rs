//! What is said of a ticket that was handed over, in every channel's form.

use jiff::SignedDuration;
use serde_json::Value;
use tanggap::{
    domain::{
        Text,
        alert::{AlertId, AlertKind, Channel},
        settings::Language,
    },
    store::outbox::Waiting,
};

use super::{chat, facts, site, waiting, write};
use crate::{
    alert::world::{self, START, at},
    channels::far::HttpSink,
};

/// Ticket 42 came to Dinhub from Dindukcapil by alert 17.
fn handed_over(channel: Channel) -> Waiting {
    let mut waiting = waiting(channel, AlertKind::HandedOver, "dinhub", Some(facts(42, "Lampu jalan mati")));
    let alert = &mut waiting.alert;
    (alert.id, alert.step, alert.detail) = (AlertId(17), 0, "dindukcapil".into());
    (alert.policy, alert.at) = (String::new(), String::new());
    waiting
}

#[test]
fn it_says_from_whom_what_since_when_and_how_long_past_the_deadline_in_both_languages() {
    assert_eq!(
        chat(site(Language::Indonesian), &[handed_over(Channel::Telegram)]),
        "<b>Pesan warga belum dijawab: Dinhub, tiket #42</b>\n\
         Yth. Kepala Dindukcapil\n\n\
         1 pesan warga diteruskan dari perangkat daerah lain dan belum dijawab (Dinhub):\n\
         1. Dinhub, tiket #42, “Lampu jalan mati”, komentar Facebook, menunggu sejak Jumat, 20 November 2026, 09.42 WIB; \
         diteruskan dari Dindukcapil; sudah 2 hari 3 jam melewati batas waktu https://tanggap.example.go.id/tickets/42\n\n\
         Mohon berkenan menugaskan pengelola akun untuk menjawab.\n\
         #T42-H17"
    );
    let mut early = handed_over(Channel::Telegram);
    early.ticket.as_mut().unwrap().due_at = at(START).plus(SignedDuration::from_mins(90));
    let english = chat(site(Language::English), &[early]);
    assert!(english.contains("1 citizens&#39; message was handed over by another agency and is unanswered (Dinhub):"), "{english}");
    let line = "; handed over by Dindukcapil; deadline Monday, 23 November 2026, 15:35 WIB (1 hour 30 minutes left) https://";
    assert!(english.contains(line), "{english}");
}

#[test]
fn a_mail_stands_in_the_thread_of_its_ticket_and_whatsapp_has_it_in_its_line() {
    let mail = write(site(Language::Indonesian), &[handed_over(Channel::Smtp)]);
    assert!(mail.contains("Subject: Pesan warga belum dijawab: Dinhub, tiket #42\r\n"), "{mail}");
    let mut site = site(Language::Indonesian);
    site.channels.whatsapp = Some(world::whatsapp(&HttpSink::start()));
    let body: Value = serde_json::from_str(&write(site, &[handed_over(Channel::Whatsapp)])).unwrap();
    let line = body["template"]["components"][0]["parameters"][2]["text"].as_str().unwrap();
    assert_eq!(
        line,
        "Dinhub, tiket #42, “Lampu jalan mati”, komentar Facebook, menunggu sejak Jumat, 20 November 2026, 09.42 WIB; \
         diteruskan dari Dindukcapil; sudah 2 hari 3 jam melewati batas waktu. Mohon berkenan menugaskan pengelola akun untuk menjawab. #T42-H17"
    );
}

#[test]
fn machines_are_told_the_slug_it_came_from() {
    let mut site = site(Language::Indonesian);
    site.channels.webhooks = [("-100555".to_owned(), world::webhook(&HttpSink::start(), false))].into();
    let body: Value = serde_json::from_str(&write(site.clone(), &[handed_over(Channel::Webhook)])).unwrap();
    assert_eq!((&body["type"], &body["data"]["from"]), (&"ticket.handed_over".into(), &"dindukcapil".into()));
    assert_eq!((&body["data"]["ticket"]["id"], &body["data"]["ticket"]["opd"]), (&42.into(), &"dinhub".into()));
    let mut breached = handed_over(Channel::Webhook);
    breached.alert.kind = AlertKind::Breached;
    let body: Value = serde_json::from_str(&write(site.clone(), &[breached])).unwrap();
    assert_eq!(body["data"].get("from"), None);
    let alerts: Value = serde_json::from_str(&write(site.clone(), &[handed_over(Channel::Alertmanager)])).unwrap();
    assert_eq!(alerts[0]["labels"]["alertname"], "TanggapTicketUnanswered");
    assert_eq!(
        (&alerts[0]["annotations"]["told"], &alerts[0]["annotations"]["from"]),
        (&"ticket.handed_over".into(), &"dindukcapil".into())
    );
    assert_eq!(write(site, &[handed_over(Channel::Log)]), "Pesan warga belum dijawab: Dinhub, tiket #42 #T42-H17");
}

#[test]
fn under_one_post_those_from_the_same_opd_are_one_line() {
    let mut group: Vec<Waiting> = (1..=11).map(|_| handed_over(Channel::Telegram)).collect();
    for (n, waiting) in (1..).zip(&mut group) {
        let ticket = waiting.ticket.as_mut().unwrap();
        (ticket.id.0, ticket.post_key, ticket.text) = (n, Some("9".into()), Text::from("x"));
        (waiting.alert.ticket, waiting.alert.id) = (Some(ticket.id), AlertId(n));
        if n > 5 {
            waiting.alert.detail = "rsud".into();
        }
    }
    let text = chat(site(Language::Indonesian), &group);
    assert!(text.contains("Dinhub, 5 tiket di bawah satu unggahan Facebook") && text.contains("diteruskan dari Dindukcapil"), "{text}");
    assert!(text.contains("Dinhub, 6 tiket di bawah satu unggahan Facebook") && text.contains("diteruskan dari rsud"), "{text}");
}
