//! Who is told that a ticket was handed over, how often, and what they hear of it later.

use tanggap::{
    alert::route::{self, NO_RECIPIENT},
    domain::{
        AccountId, TicketId, TicketState,
        alert::{Alert, AlertId, AlertKind},
        settings::{Alertmanager, Language, Official, Settings},
    },
    store::outbox::Unrouted,
};

use super::world::{START, World, at, official, on_both, settings, ticket};

/// Heads of both OPDs, one of both, one of all, and an operator each for one and for all.
fn site() -> Settings {
    let mut site = settings(Language::Indonesian);
    site.channels.smtp = Some(super::world::smtp("smtp://127.0.0.1:1".into()));
    site.channels.alertmanager = Some(Alertmanager { url: "http://127.0.0.1:1".into(), group: "kepala".into() });
    site.officials = [
        ("kadis", "kepala", &["dindukcapil"] as &[&str]),
        ("kadishub", "kepala", &["dinhub"]),
        ("asisten", "sekda", &["dindukcapil", "dinhub"]),
        ("sekda", "sekda", &[]),
        ("admin", "operator", &["dinhub"]),
        ("op", "operator", &[]),
    ]
    .map(|(id, group, opd)| Official { email: Some(format!("{id}@example.go.id")), ..official(id, id, group, opd) })
    .into();
    site
}

fn handed_over(id: i64, to: &str, notify: &[&str]) -> Unrouted {
    let alert = Alert {
        id: AlertId(id),
        kind: AlertKind::HandedOver,
        ticket: Some(TicketId(42)),
        account: Some(AccountId(1)),
        policy: String::new(),
        at: String::new(),
        step: 0,
        notify: notify.iter().map(|group| (*group).to_owned()).collect(),
        late_found: false,
        cause: None,
        detail: "dindukcapil".into(),
        created_at: at(START),
    };
    Unrouted { alert, opd: Some(to.into()), urgent: false, state: Some(TicketState::Open), sending_until: None }
}

/// `official channel reason` of every delivery.
fn told(batch: &[Unrouted], site: &Settings) -> Vec<String> {
    let routed = route::route(batch, &[], site, true, at(START));
    assert_eq!(routed.alerts.len(), batch.len(), "each is done with");
    let one = |d: &tanggap::store::outbox::NewDelivery| format!("{} {} {}", d.official, d.channel, d.reason.as_deref().unwrap_or("-"));
    routed.deliveries.iter().map(one).collect()
}

#[test]
fn only_those_who_name_the_new_opd_are_told_and_the_operators_where_nobody_does() {
    let nobody = ["op smtp no recipient configured", "operator log no recipient configured"];
    for (to, groups, want) in [
        ("dinhub", &["kepala"] as &[&str], &["kadishub smtp -"] as &[&str]),
        ("dinhub", &["operator", "kepala", "sekda"], &["kadishub smtp -", "asisten smtp -", "admin smtp -"]),
        ("dindukcapil", &["kepala", "sekda"], &["kadis smtp -", "asisten smtp -"]),
        ("dindukcapil", &["operator"], &nobody),
        ("rsud", &["kepala", "sekda", "parent"], &nobody),
        ("dindukcapil", &[], &nobody),
    ] {
        assert_eq!(told(&[handed_over(7, to, groups)], &site()), want, "{to} {groups:?}");
    }
    let mut site = site();
    site.opds[1].parent = Some("dindukcapil".into());
    let with_parent = told(&[handed_over(7, "dinhub", &["parent", "kepala"])], &site);
    assert_eq!(with_parent, ["kadishub smtp -", "asisten smtp -"], "not the head of the agency above, who does not name it");
    site.officials[1].email = None;
    assert_eq!(
        told(&[handed_over(7, "dinhub", &["kepala"])], &site)[..2],
        ["kadishub none no channel", &format!("admin smtp {NO_RECIPIENT}")]
    );
}

#[test]
fn each_handover_has_deliveries_of_its_own_and_one_that_was_overtaken_has_none() {
    let keys = |id| {
        let routed = route::route(&[handed_over(id, "dinhub", &["kepala"])], &[], &site(), true, at(START));
        routed.deliveries.into_iter().map(|delivery| delivery.key).collect::<Vec<_>>()
    };
    assert_eq!(keys(7), keys(7));
    assert_ne!(keys(7), keys(8));
    let both = [handed_over(7, "dinhub", &["kepala"]), handed_over(8, "dinhub", &["kepala"])];
    assert_eq!(told(&both, &site()), ["kadishub smtp -"]);
    let mut other = both;
    other[1].alert.ticket = Some(TicketId(43));
    assert_eq!(told(&other, &site()).len(), 2, "another ticket's");
}

/// Ticket 1 was handed over, as the judge writes it.
async fn hand_over(w: &World, to: Option<&str>, from: &str) {
    w.exec("UPDATE ticket SET held_by = $1 WHERE id = 1", vec![to.into()]).await;
    w.exec(
        "INSERT INTO alert (kind, ticket_id, account_id, policy, at_text, step, notify, late_found, detail, created_at)
         VALUES ('ticket.handed_over', 1, 1, '', '', 0, '[\"kepala\",\"sekda\"]', 0, $1, $2)",
        vec![from.into(), w.now().into()],
    )
    .await;
}

fn heads(w: &mut World) {
    let other = Official { email: Some("kadishub@example.go.id".into()), ..official("kadishub", "Kepala Dinhub", "kepala", &["dinhub"]) };
    w.settings.officials.push(other);
}

on_both! {
    async fn there_and_back_and_there_again_each_is_told_each_time_once_and_all_hear_the_end(w: &mut World) {
        heads(w);
        w.add(&ticket(1)).await;
        hand_over(w, Some("dinhub"), "dindukcapil").await;
        w.step().await;
        w.step().await;
        hand_over(w, None, "dinhub").await;
        w.after(60).await;
        hand_over(w, Some("dinhub"), "dindukcapil").await;
        w.after(60).await;
        w.after(60).await;
        assert_eq!(w.deliveries().await, ["kadishub smtp delivered", "kepala smtp delivered", "kadishub smtp delivered"]);
        let texts = w.mail.texts();
        assert!(texts[0].contains("diteruskan dari Dindukcapil; sudah 2 menit melewati batas waktu"), "{}", texts[0]);
        assert!(texts[1].contains("diteruskan dari Dinhub") && texts[1].contains("Yth. Kepala Dindukcapil"), "{}", texts[1]);
        w.close(1, "answered").await;
        w.tell("ticket.answered", Some(1), (0, "", &[])).await;
        w.after(60).await;
        assert_eq!(w.deliveries().await[3..], ["kadishub smtp delivered", "kepala smtp delivered"]);
    }

    async fn in_quiet_hours_it_waits_unless_urgent_and_is_dropped_where_it_was_handed_on_or_closed_first(w: &mut World) {
        heads(w);
        let last = w.settings.officials.len() - 1;
        w.settings.officials[last].quiet = Some(("14:00:00".parse().unwrap(), "15:00:00".parse().unwrap()));
        w.add(&ticket(1)).await;
        hand_over(w, Some("dinhub"), "dindukcapil").await;
        w.step().await;
        assert_eq!(w.deliveries().await, ["kadishub smtp waiting"]);
        hand_over(w, None, "dinhub").await;
        w.after(60).await;
        assert_eq!(w.deliveries().await, ["kadishub smtp dropped handed over again", "kepala smtp delivered"]);
        hand_over(w, Some("dinhub"), "dindukcapil").await;
        w.after(60).await;
        w.close(1, "dismissed").await;
        w.after(60).await;
        assert_eq!(w.deliveries().await[2..], ["kadishub smtp dropped dismissed"]);
        w.exec("UPDATE ticket SET urgent = 1, state = 'open' WHERE id = 1", vec![]).await;
        hand_over(w, Some("dinhub"), "dindukcapil").await;
        w.after(60).await;
        assert_eq!(w.deliveries().await[3..], ["kadishub smtp delivered"]);
    }
}
