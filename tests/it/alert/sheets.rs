//! The morning sheet and the weekly recap: once at their time, on one screen, each official's own agencies.

use jiff::{SignedDuration, civil::Weekday};
use tanggap::{
    domain::Time,
    store::{outbox, recap},
};

use super::world::{Ticket, World, at, on_both, ticket};

/// A ticket opened so many hours ago with four hours to answer; answered after so many hours, if it was.
async fn case(w: &World, id: i64, account: i64, hours_ago: i64, answered_after: Option<i64>) {
    let opened = w.now().minus(SignedDuration::from_hours(hours_ago));
    w.add(&Ticket { account, opened, due: opened.plus(SignedDuration::from_hours(4)), ..ticket(id) }).await;
    if let Some(hours) = answered_after {
        let closed = opened.plus(SignedDuration::from_hours(hours));
        w.exec("UPDATE ticket SET state = 'answered', closed_at = $2 WHERE id = $1", vec![id.into(), closed.into()]).await;
    }
}

/// Six agencies' worth of a week, at seven in the morning of a Monday.
async fn week(w: &mut World) {
    w.clock.set(at("2026-11-23T00:00:00Z").timestamp());
    w.settings.officials[1].morning = Some("07:00:00".parse().unwrap());
    for (id, (account, hours_ago, answered)) in [
        // Dindukcapil answers within two hours, once after five; a week before it took nine
        (1, 30, Some(2)),
        (1, 40, Some(2)),
        (1, 50, Some(1)),
        (1, 60, Some(5)),
        (1, 70, Some(2)),
        (1, 200, Some(9)),
        (1, 1, None),
        // Dinhub: two wait, one of them for two days; of three yesterday two are answered
        (2, 53, None),
        (2, 6, None),
        (2, 54, Some(40)),
        (2, 55, Some(41)),
    ]
    .into_iter()
    .enumerate()
    {
        case(w, id as i64 + 1, account, hours_ago, answered).await;
    }
    w.exec("UPDATE account SET healthy = 0 WHERE id = 2", vec![]).await;
}

fn chat(w: &World, number: usize) -> String {
    w.chat.requests()[number].json()["text"].as_str().unwrap().to_owned()
}

on_both! {
    async fn a_morning_sheet_leaves_once_at_its_time_and_tells_what_waits_and_what_got_better(w: &mut World) {
        week(w).await;
        w.clock.set(at("2026-11-22T23:59:00Z").timestamp());
        let tally = w.step().await;
        assert_eq!(tally.next, Some(at("2026-11-23T00:00:00Z").timestamp()), "the stage wakes for it");
        w.after(60).await;
        w.after(60).await;
        assert_eq!(w.chat.requests().len(), 1);
        assert_eq!(chat(w, 0), "\
<b>Laporan pagi 23 November 2026: 3 pesan warga menunggu jawaban</b>
Yth. Sekretaris Daerah

Terdapat 3 pesan warga yang menunggu jawaban, 2 di antaranya melewati batas waktu.

Paling lama menunggu:
1. Dinhub, komentar Facebook, sejak Sabtu, 21 November 2026, 02.00 WIB (2 hari 5 jam) https://tanggap.example.go.id/tickets/8
2. Dinhub, komentar Facebook, sejak Senin, 23 November 2026, 01.00 WIB (6 jam) https://tanggap.example.go.id/tickets/9
3. Dindukcapil, komentar Facebook, sejak Senin, 23 November 2026, 06.00 WIB (1 jam) https://tanggap.example.go.id/tickets/7

Masih ada pesan yang melewati batas waktu: Dinhub.

Membaik sejak kemarin: Dinhub (3 menjadi 2).

Sebagian pesan mungkin belum terpantau karena akunnya sedang tidak dapat dibaca: Dinhub (Facebook).

Daftar dan tautan: https://tanggap.example.go.id/
#A1");
        w.clock.set(at("2026-11-24T00:00:00Z").timestamp());
        w.step().await;
        assert_eq!(w.chat.requests().len(), 2, "the next day another");
    }

    async fn a_sheet_missed_for_hours_still_leaves_but_not_one_missed_for_a_day(w: &mut World) {
        week(w).await;
        w.clock.set(at("2026-11-23T03:59:00Z").timestamp());
        w.step().await;
        assert_eq!(w.chat.requests().len(), 1);
        w.clock.set(at("2026-11-24T05:00:00Z").timestamp());
        w.step().await;
        assert_eq!(w.chat.requests().len(), 1);
        assert!(!outbox::schedule(&w.db, tanggap::domain::alert::AlertKind::Morning, "sekda", at("2026-11-23T00:00:00Z"), w.now()).await.unwrap());
    }

    async fn where_nothing_waits_the_sheet_says_so(w: &mut World) {
        w.clock.set(at("2026-11-23T00:00:00Z").timestamp());
        w.settings.officials[1].morning = Some("07:00:00".parse().unwrap());
        w.step().await;
        assert!(chat(w, 0).contains("0 pesan warga menunggu jawaban</b>\nYth. Sekretaris Daerah\n\nTidak ada pesan warga yang menunggu jawaban.\n"));
    }

    async fn a_weekly_recap_tells_of_seven_days_and_praises_nobody_who_is_not_read(w: &mut World) {
        week(w).await;
        w.settings.officials[1].morning = None;
        w.settings.officials[1].weekly = Some((Weekday::Monday, "07:00:00".parse().unwrap()));
        w.step().await;
        assert_eq!(chat(w, 0), "\
<b>Rekap mingguan layanan media sosial, 16 November 2026 s.d. 22 November 2026</b>
Yth. Sekretaris Daerah

Pesan masuk 10, perlu dijawab 10.

Dijawab tepat waktu 4 dari 10 (40%); dijawab setelah batas waktu 3; belum dijawab 3, di antaranya 2 melewati batas waktu.

Separuh jawaban diberikan dalam 2 jam (pekan sebelumnya 9 jam).

Tercepat: Dindukcapil (separuh jawaban dalam 2 jam).

Masih ada pesan yang melewati batas waktu: Dinhub.

Sebagian pesan mungkin belum terpantau karena akunnya sedang tidak dapat dibaca: Dinhub (Facebook).

Daftar dan tautan: https://tanggap.example.go.id/report
#A1");
        w.clock.set(at("2026-11-24T00:00:00Z").timestamp());
        w.step().await;
        assert_eq!(w.chat.requests().len(), 1, "not on a Tuesday");
    }

    async fn the_head_of_an_agency_sees_the_own_agency_alone_and_a_webhook_gets_the_lines(w: &mut World) {
        week(w).await;
        w.settings.officials[1].opd = vec!["dindukcapil".into()];
        w.settings.officials[2].morning = Some("07:00:00".parse().unwrap());
        w.step().await;
        let text = chat(w, 0);
        assert!(text.contains("Terdapat 1 pesan warga yang menunggu jawaban, 0 di antaranya") && !text.contains("Dinhub"), "{text}");
        let body = w.hook.requests()[0].json();
        assert_eq!((body["type"].as_str(), body["data"]["official"].as_str()), (Some("sheet.morning"), Some("simpeg")));
        assert_eq!(body["data"]["lines"][0], "Terdapat 3 pesan warga yang menunggu jawaban, 2 di antaranya melewati batas waktu.");
    }

    async fn the_facts_of_a_recap_hold_what_waits_however_old_and_what_ended_lately(w: &mut World) {
        week(w).await;
        let since = |hours| w.now().minus(SignedDuration::from_hours(hours));
        let facts = recap::facts(&w.db, since(10), since(10)).await.unwrap();
        assert_eq!(facts.cases.iter().map(|case| case.id.0).collect::<Vec<_>>(), [8, 9, 7]);
        assert_eq!(facts.messages, [("dindukcapil".to_owned(), 1, 1), ("dinhub".to_owned(), 1, 1)]);
        assert_eq!(recap::facts(&w.db, Time::from_secs(0), since(10)).await.unwrap().cases.len(), 11);
    }
}
