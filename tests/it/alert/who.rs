//! Who is told, when, and what is written down where nobody is.

use jiff::SignedDuration;
use tanggap::{
    domain::{
        Scope, TicketId, Time,
        settings::{Official, Valid},
    },
    store::listing,
};

use super::world::{World, at, official, on_both, ticket};
use crate::channels::far::Mode;

/// `official state reason until` of a ticket's alerts, as `show` tells them.
async fn shown(w: &World, id: i64) -> Vec<String> {
    let alerts = listing::alerts(&w.db, &Scope::ALL, TicketId(id)).await.unwrap();
    let of = |a: listing::AlertRow| {
        let parts = [a.official, Some(a.state), a.reason, a.until.map(Time::rfc3339)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    alerts.into_iter().map(of).collect()
}

on_both! {
    async fn an_acting_official_is_told_on_the_days_of_the_office_and_on_no_other(w: &mut World) {
        let day = |day: &str| Some(day.parse().unwrap());
        w.settings.officials[0].valid = Valid { from: None, to: day("2026-11-22") };
        let plt = Official { email: Some("plt@example.go.id".into()), ..official("plt", "Plt. Kepala Dindukcapil", "kepala", &["dindukcapil"]) };
        w.settings.officials.push(Official { valid: Valid { from: day("2026-11-23"), to: day("2026-11-23") }, ..plt });
        w.breach(&ticket(1), &["kepala"]).await;
        w.step().await;
        // five minutes to midnight in Rembang, then five past
        w.clock.set(at("2026-11-23T16:55:00Z").timestamp());
        w.breach(&ticket(2), &["kepala"]).await;
        w.step().await;
        w.clock.set(at("2026-11-23T17:05:00Z").timestamp());
        w.breach(&ticket(3), &["kepala"]).await;
        w.step().await;
        assert_eq!(w.deliveries().await, [
            "plt smtp delivered",
            "plt smtp delivered",
            "op smtp delivered no recipient configured",
            "operator log delivered no recipient configured",
        ]);
    }

    async fn parent_is_whoever_names_the_agency_above_and_nobody_where_there_is_none(w: &mut World) {
        w.settings.opds[1].parent = Some("dindukcapil".into());
        let mut desa = ticket(1);
        desa.account = 2;
        w.breach(&desa, &["parent"]).await;
        w.step().await;
        assert_eq!(w.deliveries().await, ["kepala smtp delivered"]);
        w.breach(&ticket(2), &["parent"]).await;
        w.after(60).await;
        assert_eq!(w.deliveries().await[1..], [
            "op smtp delivered no recipient configured",
            "operator log delivered no recipient configured",
        ]);
    }

    async fn an_official_without_a_way_that_can_be_used_is_written_down_as_not_told(w: &mut World) {
        w.settings.officials.push(Official { whatsapp: Some("6281200000000".into()), ..official("bupati", "Bupati", "kepala", &[]) });
        w.settings.officials[0].email = None;
        w.settings.officials.retain(|official| official.id != "bupati" || official.group == "kepala");
        w.settings.channels.whatsapp = None;
        w.breach(&ticket(1), &["kepala"]).await;
        w.step().await;
        assert_eq!(shown(w, 1).await, [
            "kepala skipped no channel",
            "bupati skipped no channel",
            "op delivered no recipient configured",
            "operator delivered no recipient configured",
        ]);
    }

    async fn what_is_held_says_for_what_and_until_when(w: &mut World) {
        w.settings.officials[0].quiet = Some(("14:00:00".parse().unwrap(), "15:00:00".parse().unwrap()));
        w.settings.officials[1].digest = Some("07:00:00".parse().unwrap());
        w.breach(&ticket(1), &["kepala", "sekda"]).await;
        w.step().await;
        assert_eq!(shown(w, 1).await, ["kepala waiting quiet 2026-11-23T08:00:00Z", "sekda waiting digest 2026-11-24T00:00:00Z"]);
        w.clock.set(at("2026-11-23T08:00:00Z").timestamp());
        w.step().await;
        assert_eq!(shown(w, 1).await[0], "kepala delivered", "what it waited for is past");
        w.breach(&ticket(2), &["kepala"]).await;
        w.step().await;
        assert_eq!(shown(w, 2).await, ["kepala waiting grouped 2026-11-23T08:00:30Z"]);
    }

    async fn more_messages_in_an_hour_than_the_cap_are_gathered_into_the_next_and_urgent_ones_leave(w: &mut World) {
        w.settings.letter.per_hour = 2;
        for id in 1..=5 {
            w.breach(&ticket(id), &["kepala"]).await;
            w.after(300).await;
        }
        assert_eq!(w.mail.mails().len(), 2);
        assert_eq!(shown(w, 3).await, ["kepala waiting hourly cap 2026-11-23T08:10:00Z"]);
        let mut urgent = ticket(6);
        urgent.urgent = true;
        w.breach(&urgent, &["kepala"]).await;
        w.step().await;
        assert_eq!(w.mail.mails().len(), 3, "urgent tickets are not held");
        assert!(w.mail.texts()[2].contains("tiket #6") && !w.mail.texts()[2].contains("tiket #3"));
        // the urgent one counts too: two left in the hour before its end
        w.clock.set(at("2026-11-23T08:15:00Z").timestamp());
        w.step().await;
        assert_eq!(w.mail.mails().len(), 4);
        assert!(w.mail.texts()[3].contains("3 pesan warga melewati batas waktu"), "{}", w.mail.texts()[3]);
    }

    async fn urgent_tickets_under_one_post_are_one_alert_after_the_third_in_an_hour_but_for_webhooks(w: &mut World) {
        w.settings.letter.group = SignedDuration::from_secs(1);
        let flood = |id: i64, post: &'static str| {
            let mut t = ticket(id);
            (t.urgent, t.post) = (true, Some(post));
            t
        };
        for id in 1..=8 {
            w.breach(&flood(id, "banjir"), &["kepala", "mesin"]).await;
            w.after(60).await;
        }
        assert_eq!((w.mail.mails().len(), w.hook.requests().len()), (3, 8));
        assert_eq!(shown(w, 8).await[0], "kepala waiting storm 2026-11-23T08:06:00Z");
        w.breach(&flood(9, "longsor"), &["kepala"]).await;
        w.after(1).await;
        assert_eq!(w.mail.mails().len(), 4, "another post is another matter");
        w.clock.set(at("2026-11-23T08:06:00Z").timestamp());
        w.step().await;
        assert_eq!(w.mail.mails().len(), 5);
        assert!(w.mail.texts()[4].contains("5 tiket di bawah satu unggahan Facebook"), "{}", w.mail.texts()[4]);
    }

    async fn a_letter_that_was_given_up_is_told_to_the_operators_by_another_way_once(w: &mut World) {
        w.settings.officials[3].telegram = Some("-100999".into());
        w.mail.set(Mode::Refuse);
        w.breach(&ticket(1), &["kepala"]).await;
        w.step().await;
        w.after(60).await;
        let all = w.deliveries().await;
        assert!(all[0].starts_with("kepala smtp abandoned"), "{all:?}");
        assert_eq!(all[1..], ["op telegram delivered", "operator log delivered"], "not by the way that failed, and not of itself");
        let text = w.chat.requests()[0].json()["text"].as_str().unwrap().to_owned();
        assert!(text.contains("Pemberitahuan untuk Kepala Dindukcapil melalui e-mail tidak terkirim"), "{text}");
        w.chat.set(Mode::Refuse);
        w.breach(&ticket(2), &["sekda"]).await;
        w.after(60).await;
        w.after(60).await;
        w.after(60).await;
        let rest = w.deliveries().await.split_off(3);
        let (given_up, told): (Vec<_>, Vec<_>) = rest.iter().partition(|line| line.contains("abandoned"));
        assert_eq!((given_up.len(), told.len()), (2, 1), "{rest:?}");
    }
}
