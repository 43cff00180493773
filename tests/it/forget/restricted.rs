//! Restriction: everything is kept, nothing is shown, clocks run on.

use std::fmt::Write as _;

use tanggap::{
    domain::{Scope, TicketId},
    store::{
        listing::{self, MessageFilter, MessagePages},
        outbox, replies,
        restrict::restrict,
        trail,
    },
};

use super::{
    dump::holding,
    person::{KEY, TRACES, judge, known},
};
use crate::{
    alert::world::on_both,
    store::world::{World, at},
};

/// All that is shown of the account's tickets and messages, by any way, as text.
async fn shown(w: &World) -> String {
    let mut text = String::new();
    for ticket in
        listing::tickets(&w.db, &Scope::ALL, &listing::TicketFilter { account: Some("101".into()), ..Default::default() }).await.unwrap()
    {
        let id: TicketId = ticket.id;
        text += &serde_json::to_string(&ticket).unwrap();
        text += &serde_json::to_string(&listing::actions(&w.db, &Scope::ALL, id).await.unwrap()).unwrap();
        text += &serde_json::to_string(&listing::events(&w.db, &Scope::ALL, id).await.unwrap()).unwrap();
        let replies = replies::list(&w.db, &Scope::ALL, id).await.unwrap();
        text += &replies.iter().map(|reply| reply.text.clone()).collect::<String>();
        let facts = outbox::facts(&w.db, id).await.unwrap().map(|(_, ticket, _)| ticket);
        writeln!(text, "{facts:?}").unwrap();
    }
    let filter = MessageFilter { account: Some("101".into()), ..MessageFilter::default() };
    for mut message in MessagePages::new(&w.db, &Scope::ALL, filter).next().await.unwrap() {
        // Meta's own ids stay: by them staff find it there.
        (message.external_id, message.thread) = (String::new(), String::new());
        text += &serde_json::to_string(&message).unwrap();
    }
    text += &serde_json::to_string(&listing::happenings(&w.db, &Scope::ALL, Some(0)).await.unwrap()).unwrap();
    text += &serde_json::to_string(&trail::deeds(&w.db, &Scope::ALL, at(9_999), 100).await.unwrap()).unwrap();
    text
}

on_both! {
async fn a_restricted_persons_words_and_name_are_shown_nowhere_and_all_is_shown_again_when_it_is_undone(w: &mut World) {
    let page = known(w).await;
    let (before, everything) = (shown(w).await, holding(&w.db, &TRACES).await.len());
    let words = ["Zainal", "Wirakusuma", "zaw_77", "90077001", "UNIKSATU", "UNIKDUA", "UNIKTIGA", "foto.example", "komentar_zaw"];
    assert!(words.iter().all(|word| before.contains(word)), "{before}");
    restrict(&w.db, &KEY, "90077001", &[page], Some("diminta 24-11-2026"), ("ani", at(10))).await.unwrap();
    let after = shown(w).await;
    let left: Vec<_> = words.iter().filter(|word| after.contains(**word)).collect();
    assert!(left.is_empty(), "{left:?} in {after}");
    assert!(after.contains("Lampu mati") && after.contains("\"restricted\":true"), "others are shown as before");
    let tickets = "SELECT COUNT(*) AS n FROM ticket WHERE state = 'open'";
    let open = w.number(tickets).await;
    judge(w, 4_000).await;
    assert_eq!(w.number(tickets).await, open, "clocks run on");
    assert!(w.number("SELECT COUNT(*) AS n FROM letter WHERE payload <> ''").await == Some(0));
    assert_eq!(w.texts("SELECT state AS t FROM letter ORDER BY id").await, ["delivered", "dropped"]);
    assert!(holding(&w.db, &TRACES).await.len() + 2 >= everything, "nothing is erased but in letters");
    restrict(&w.db, &KEY, "90077001", &[page], None, ("ani", at(4_010))).await.unwrap();
    let again = shown(w).await;
    assert!(words.iter().all(|word| again.contains(word)), "{again}");
    let trail = w.texts("SELECT did || ' ' || detail AS t FROM trail ORDER BY id").await;
    assert!(trail[0].starts_with("restrict account ") && trail[1].starts_with("restrict.undone account "), "{trail:?}");
    assert!(!trail.concat().contains("90077001"));
}
}
