//! A comment under one agency's account that another has to answer, from the command to the last letter.

use std::sync::Arc;

use jiff::SignedDuration;
use tanggap::domain::{
    Scope, TicketId,
    settings::{Official, Opd, Settings},
    ticket::ActionKind,
};
use tanggap::store::{actions, listing};

use super::world::World;
use crate::alert::world::{official, on_both};

/// A second agency, and heads who each name their own; the Bupati serves all.
fn agencies(w: &mut World) {
    let mut settings: Settings = (*w.settings).clone();
    let dputaru =
        Opd { slug: "dputaru".into(), name: "DPUTARU".into(), abbreviation: String::new(), accounts: vec![], ..settings.opds[0].clone() };
    settings.opds.push(dputaru);
    let head = |id: &str, opd: &str| Official { email: Some(format!("{id}@example.go.id")), ..official(id, id, "kepala", &[opd]) };
    settings.officials.retain(|official| official.group != "kepala");
    settings.officials.extend([head("kadishub", "dinhub"), head("kadisputr", "dputaru")]);
    w.settings = Arc::new(settings);
}

async fn hand_over(w: &World, ticket: i64, opd: &str) {
    actions::record(&w.db, &Scope::ALL, &[TicketId(ticket)], (ActionKind::Handover, opd), "Budi", w.now()).await.unwrap();
}

/// `official kind state` of every delivery since.
async fn told(w: &World, since: usize) -> Vec<String> {
    let all = w.texts("SELECT official || ' ' || kind || ' ' || state AS t FROM delivery ORDER BY id").await;
    let mut since = all[since..].to_vec();
    since.sort();
    since
}

on_both! {
    async fn breached_at_one_agency_and_handed_over_the_other_is_told_once_gets_the_next_step_and_both_hear_the_answer(w: &mut World) {
        agencies(w);
        let ticket = w.ticket("Lampu jalan padam, kapan diperbaiki?").await;
        w.pass(SignedDuration::from_mins(241)).await;
        assert_eq!(told(w, 0).await, ["kadishub ticket.breached delivered", "sekda ticket.breached delivered"]);
        let before = listing::ticket(&w.db, &Scope::ALL, TicketId(ticket)).await.unwrap().unwrap();
        hand_over(w, ticket, "dputaru").await;
        w.pass(SignedDuration::from_mins(9)).await;
        hand_over(w, ticket, "dputaru").await; // to its holder
        w.pass(SignedDuration::from_mins(1)).await;
        w.pass(SignedDuration::from_mins(1)).await;
        assert_eq!(told(w, 2).await, ["kadisputr ticket.handed_over delivered"]);
        let log = w.heard.text();
        assert_eq!(log.matches("event=\"ticket.handed_over\"").count(), 1, "{log}");
        assert!(log.lines().any(|line| line.contains("ticket.handed_over") && line.contains("to=\"dputaru\"")), "{log}");
        let after = listing::ticket(&w.db, &Scope::ALL, TicketId(ticket)).await.unwrap().unwrap();
        assert_eq!((after.opd.as_str(), after.due_at, after.breached_at), ("dputaru", before.due_at, before.breached_at));
        let mails = w.mails.captured();
        let mail = mails.last().unwrap();
        assert_eq!(mail.to, ["kadisputr@example.go.id"]);
        let text = mail.raw.replace("=\r\n", "");
        assert!(text.contains("diteruskan dari Dinhub; sudah 10 menit melewati batas waktu"), "{text}");
        // the head can say that somebody is seeing to it
        assert_eq!(w.get(&w.link("kadisputr@example.go.id")).await.boxes(), [ticket]);

        w.pass(SignedDuration::from_hours(1)).await;
        assert_eq!(told(w, 3).await, ["kadisputr ticket.escalated delivered"], "the step of the first hour is the new head's");
        w.answer(ticket).await;
        w.pass(SignedDuration::from_mins(1)).await;
        assert_eq!(told(w, 4).await, [
            "kadishub ticket.answered delivered", "kadisputr ticket.answered delivered", "sekda ticket.answered delivered",
        ]);
        w.pass(SignedDuration::from_mins(1)).await;
        assert_eq!(told(w, 7).await, [""; 0]);
    }

    async fn handed_over_before_any_step_the_new_head_alone_hears_of_it_and_of_the_answer(w: &mut World) {
        agencies(w);
        let ticket = w.ticket("Lampu jalan padam, kapan diperbaiki?").await;
        hand_over(w, ticket, "dputaru").await;
        w.pass(SignedDuration::from_mins(1)).await;
        w.answer(ticket).await;
        w.pass(SignedDuration::from_mins(1)).await;
        assert_eq!(told(w, 0).await, ["kadisputr ticket.answered delivered", "kadisputr ticket.handed_over delivered"]);
        let handovers = listing::handovers(&w.db, &Scope::ALL, TicketId(ticket)).await.unwrap();
        assert_eq!(handovers.iter().map(|(_, opd)| opd.as_str()).collect::<Vec<_>>(), ["dputaru"]);
        let only = |opd: &str| Scope::of([opd]);
        assert_eq!(listing::own_opd(&w.db, &only("dputaru"), TicketId(ticket)).await.unwrap().as_deref(), Some("dinhub"));
        assert_eq!(listing::own_opd(&w.db, &only("dinhub"), TicketId(ticket)).await.unwrap(), None, "it is another's now");
        assert_eq!(listing::handovers(&w.db, &only("dinhub"), TicketId(ticket)).await.unwrap(), []);
    }
}
