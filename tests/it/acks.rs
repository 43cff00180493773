//! "Somebody is seeing to it", said from a letter: by the page behind its link over real HTTP, by the button below a chat message against
//! a Bot API that is played, on both databases.

mod buttons;
mod handover;
mod window;
pub mod world;

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use tanggap::{
    domain::TicketId,
    link,
    store::{acks, keys},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};
use world::{NAME, World, form};

use crate::alert::world::on_both;

const KEPALA: &str = "kepala@example.go.id";

on_both! {
    async fn a_hundred_scanners_change_and_spend_nothing_and_the_page_shows_opd_kind_and_age_alone(w: &mut World) {
        let [a, b] = w.two_late().await;
        let (path, before) = (w.link(KEPALA), w.rows().await);
        for _ in 0..50 {
            let (shown, head) = (w.get(&path).await, w.head(&path).await);
            assert_eq!((shown.status, head.status, head.body.as_str()), (200, 200, ""));
            for (name, value) in [("cache-control", "no-store"), ("referrer-policy", "no-referrer"), ("x-content-type-options", "nosniff")] {
                assert_eq!((shown.header(name), head.header(name)), (value, value));
            }
        }
        assert_eq!(w.rows().await, before);
        let shown = w.get(&path).await;
        assert_eq!(shown.boxes(), [a, b]);
        assert!(!shown.body.contains(" checked"), "nothing is ticked beforehand");
        for text in [
            "komentar Facebook", "Menunggu sejak Selasa, 24 November 2026, 09.00 WIB; melewati batas waktu 1 menit.",
            "Dinas &lt;script&gt;alert(&quot;x&quot;)&lt;&#x2f;script&gt; &amp; &#x27;Kawan&#x27; {{ 7 * 7 }}, tiket #1,",
            "Tanggap, Kabupaten &lt;Uji&gt;", r#"<html lang="id">"#,
        ] {
            assert!(shown.body.contains(text), "{text}: {}", shown.body);
        }
        for text in ["<script", "zirkonkutilang", "Siti", "9001", "77", "101", "http:", "https:", "src=", "onclick", NAME] {
            assert!(!shown.body.contains(text), "{text}: {}", shown.body);
        }
        assert_eq!(shown.header("content-type"), "text/html; charset=utf-8");
        // the words of the policy, and that its hash is that of the only style there is
        use base64::Engine as _;
        use sha2::Digest as _;
        let style = shown.body.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style));
        let policy = shown.header("content-security-policy");
        assert_eq!(policy, format!("default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"));
        assert!(!shown.body.contains("style="), "an attribute would not be let through");
        assert_eq!(w.tick(&path, &[a]).await.status, 200, "and the link still works");
    }

    async fn one_of_two_is_ticked_recorded_by_the_office_and_stops_the_reminders_of_those_who_were_told(w: &mut World) {
        let [a, b] = w.two_late().await;
        let path = w.link(KEPALA);
        let thanks = w.tick(&path, &[a]).await;
        assert_eq!(thanks.status, 200);
        assert!(thanks.body.contains("Terima kasih. 1 pesan warga dicatat sedang ditangani:") && thanks.body.contains("tiket #1"), "{}", thanks.body);
        assert!(thanks.body.contains(r#"<a href="">Lihat 1 pesan lain yang belum ditandai</a>"#) && thanks.boxes().is_empty());
        assert_eq!(w.said().await, ["link of kepala-dinhub ack 1"]);
        let again = w.get(&path).await;
        assert_eq!(again.boxes(), [b], "before the sla stage has seen it");
        assert!(again.body.contains("1 pesan lain dalam pemberitahuan ini sudah ditandai."), "{}", again.body);
        w.judge().await;
        assert_eq!(w.acknowledged().await, ["1"]);
        assert!(w.heard.text().contains("by link of kepala-dinhub"));
        assert_eq!(w.get(&path).await.boxes(), [b]);

        w.pass(SignedDuration::from_hours(1)).await; // the step to `kepala`, who knows
        let reminded = w.texts("SELECT CAST(ticket_id AS TEXT) AS t FROM alert WHERE kind = 'ticket.escalated'").await;
        assert_eq!(reminded, ["2"]);
        w.pass(SignedDuration::from_hours(1)).await; // the step to the regent, who does not
        let reminded = w.texts("SELECT CAST(ticket_id AS TEXT) AS t FROM alert WHERE kind = 'ticket.escalated' ORDER BY id").await;
        assert_eq!(reminded, ["2", "1", "2"]);
    }

    async fn a_replay_and_a_second_press_are_told_so_and_after_an_undo_the_same_link_never_says_it_again(w: &mut World) {
        let [a, b] = w.two_late().await;
        let path = w.link(KEPALA);
        let sent = form(&w.get(&path).await.nonce(), &[a, b]);
        assert!(w.post(&path, &sent).await.body.contains("Terima kasih. 2 pesan"));
        for _ in 0..3 {
            let replay = w.post(&path, &sent).await;
            assert_eq!((replay.status, replay.body.contains("sudah pernah ditandai"), replay.body.contains("<form")), (200, true, false));
        }
        let shown = w.get(&path).await;
        assert_eq!((shown.status, shown.body.contains("sudah pernah ditandai"), shown.boxes().len()), (200, true, 0));
        assert_eq!(w.said().await, ["link of kepala-dinhub ack 1", "link of kepala-dinhub ack 2"]);
        w.judge().await;
        assert_eq!(w.acknowledged().await, ["1", "2"]);

        w.undo(a).await;
        assert_eq!(w.acknowledged().await, ["2"]);
        let replay = w.post(&path, &sent).await;
        assert_eq!((replay.status, replay.body.contains("sudah pernah ditandai")), (200, true));
        w.judge().await;
        assert_eq!(w.acknowledged().await, ["2"]);
        assert_eq!(w.said().await.len(), 3);

        // the reminder goes out again, and its own link serves
        w.pass(SignedDuration::from_hours(1)).await;
        let newer = w.link(KEPALA);
        assert_ne!(newer, path);
        assert_eq!(w.tick(&newer, &[a]).await.status, 200);
        w.judge().await;
        assert_eq!(w.acknowledged().await, ["1", "2"]);
    }

    async fn what_was_not_sent_by_a_page_of_ours_or_ticks_nothing_records_nothing_and_shows_the_form_again(w: &mut World) {
        let [a, b] = w.two_late().await;
        let path = w.link(KEPALA);
        let nonce = w.get(&path).await.nonce();
        w.ticket("Halo?").await;
        for (sent, status, said) in [
            (String::new(), 403, "sudah lama terbuka"),
            (form("", &[a]), 403, "sudah lama terbuka"),
            (format!("ticket={a}"), 403, "sudah lama terbuka"),
            (form(&nonce[1..], &[a]), 403, "sudah lama terbuka"),
            (form(&w.links.nonce("another", w.now()), &[a]), 403, "sudah lama terbuka"),
            (form(&nonce, &[]), 422, "Mohon centang paling sedikit satu"),
            (form(&nonce, &[3, 999, -1]), 422, "Mohon centang paling sedikit satu"),
            (format!("nonce={nonce}&ticket=%00&ticket=&ticket=1e9&TICKET={a}&ticket=99999999999999999999"), 422, "paling sedikit satu"),
            ("\u{0}\u{ff}%zz&&&=".into(), 403, "sudah lama terbuka"),
        ] {
            let answer = w.post(&path, &sent).await;
            assert_eq!((answer.status, answer.boxes()), (status, vec![a, b]), "{sent}");
            assert!(answer.body.contains(said), "{sent}: {}", answer.body);
            assert_eq!(answer.header("cache-control"), "no-store");
        }
        assert_eq!(w.post(&path, &"x".repeat(20_000)).await.status, 413);
        w.clock.advance(SignedDuration::from_secs(3_601));
        assert_eq!(w.post(&path, &form(&nonce, &[a])).await.status, 403, "an hour is over");
        assert_eq!(w.said().await, [""; 0]);
        let fresh = w.post(&path, &form(&nonce, &[a])).await.nonce();
        assert_eq!(w.post(&path, &form(&fresh, &[a])).await.status, 200, "the page that said so serves");
    }

    async fn no_forged_cut_or_endless_link_shows_more_than_that_there_is_no_such_page(w: &mut World) {
        let [a, _] = w.two_late().await;
        let (path, token) = (w.link(KEPALA), w.token(KEPALA));
        let (nonce, before) = (w.get(&path).await.nonce(), w.rows().await);
        let unknown = w.links.token("t1-1-1-1", w.now());
        let foreign = link::Key::new(&[9; 32]).token("t1-1-1-1", w.now());
        let mut other = token.clone().into_bytes();
        other[9] = if other[9] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        let mut pages = Vec::new();
        for wrong in [
            unknown.as_str(), &foreign, &other, &token[1..], &token[..token.len() - 1], &format!("{token}A"), &"A".repeat(5_000), "x", "%00", "%ff%fe",
            "..%2f..%2fetc%2fpasswd", "%3Cscript%3E", &token.to_uppercase(), &nonce,
        ] {
            for answer in [w.get(&format!("/ack/{wrong}")).await, w.post(&format!("/ack/{wrong}"), &form(&nonce, &[a])).await] {
                assert_eq!(answer.status, 404, "{wrong}");
                assert_eq!((answer.header("cache-control"), answer.header("referrer-policy")), ("no-store", "no-referrer"));
                pages.push(answer.body);
            }
        }
        pages.dedup();
        assert_eq!(pages.len(), 1, "one says no more than another");
        assert!(pages[0].contains("Halaman ini tidak ada"));
        for path in ["/ack", "/ack/", &format!("{path}/x")] {
            assert_eq!(w.get(path).await.status, 404, "{path}");
        }
        assert_eq!(w.rows().await, before);
    }

    async fn a_link_ends_after_seven_days_or_when_its_tickets_are_closed(w: &mut World) {
        let [a, b] = w.two_late().await;
        let path = w.link(KEPALA);
        let nonce = w.get(&path).await.nonce();
        w.clock.advance(SignedDuration::from_mins(1));
        w.answer(a).await;
        assert_eq!(w.get(&path).await.boxes(), [b]);
        let answer = w.post(&path, &form(&nonce, &[a])).await;
        assert_eq!((answer.status, answer.body.contains("Pesan yang dicentang sudah selesai")), (200, true), "{}", answer.body);
        w.answer(b).await;
        for answer in [w.get(&path).await, w.post(&path, &form(&nonce, &[a, b])).await] {
            assert_eq!((answer.status, answer.body.contains("sudah selesai"), answer.boxes().len()), (410, true, 0));
        }
        assert_eq!(w.said().await, [""; 0]);

        let c = w.ticket("Kapan jembatan dibuka?").await;
        w.pass(SignedDuration::from_mins(241)).await;
        let path = w.link(KEPALA);
        w.clock.advance(SignedDuration::from_secs(7 * 86_400 - 1));
        let nonce = w.get(&path).await.nonce();
        w.clock.advance(SignedDuration::from_secs(1));
        for answer in [w.get(&path).await, w.post(&path, &form(&nonce, &[c])).await] {
            assert_eq!((answer.status, answer.body.contains("berlaku tujuh hari")), (410, true));
        }
        assert_eq!(w.said().await, [""; 0]);
    }

    async fn an_acknowledgement_leaves_every_figure_as_it_is(w: &mut World) {
        let [a, b] = w.two_late().await;
        w.tick(&w.link(KEPALA), &[a]).await;
        w.judge().await;
        assert_eq!(w.acknowledged().await, [a.to_string()]);
        let figures = "SELECT state || ' ' || policy || ' ' || CAST(opened_at AS TEXT) || ' ' || CAST(due_at AS TEXT) || ' ' || CAST(breached_at AS TEXT)
            || ' ' || CAST(flagged_at AS TEXT) || ' ' || COALESCE(CAST(closed_at AS TEXT), '-') || ' ' || COALESCE(CAST(business_seconds AS TEXT), '-') AS t
            FROM ticket ORDER BY id";
        let alike = async || {
            let rows = w.texts(figures).await;
            assert_eq!(rows[0], rows[1], "the one that was acknowledged, and its twin");
            rows[0].clone()
        };
        assert!(alike().await.starts_with("open "));
        w.clock.advance(SignedDuration::from_hours(30));
        w.answer(a).await;
        w.answer(b).await;
        assert!(alike().await.starts_with("answered ") && !alike().await.contains('-'));
    }

    async fn a_ticket_that_somebody_else_said_it_of_is_not_offered_until_it_is_taken_back(w: &mut World) {
        let [a, b] = w.two_late().await;
        let path = w.link(KEPALA);
        let nonce = w.get(&path).await.nonce();
        let sekda = acks::letter(&w.db, &w.texts("SELECT key AS t FROM letter WHERE channel = 'telegram'").await[0]).await.unwrap().unwrap();
        let chosen = [TicketId(a), TicketId(a), TicketId(999)];
        assert_eq!(acks::acknowledge(&w.db, sekda.id, Some(&chosen), "telegram of sekda", w.now()).await.unwrap(), [TicketId(a)]);
        assert_eq!(w.get(&path).await.boxes(), [b]);
        let answer = w.post(&path, &form(&nonce, &[a])).await;
        assert_eq!((answer.status, answer.body.contains("sudah pernah ditandai"), answer.boxes()), (200, true, vec![b]));
        w.judge().await;
        w.undo(a).await;
        assert_eq!(w.tick(&path, &[a]).await.status, 200);
        assert_eq!(w.said().await, ["telegram of sekda ack 1", "Budi unack 1", "link of kepala-dinhub ack 1"]);
    }

    async fn the_key_is_made_once_by_however_many_at_once_and_kept(w: &mut World) {
        w.exec("DELETE FROM meta WHERE key = 'link_key'", vec![]).await;
        let mut makers = JoinSet::new();
        for maker in 0..16_u8 {
            let db = w.db.clone();
            makers.spawn(async move { keys::links(&db, &[maker; 32]).await.unwrap() });
        }
        let made = makers.join_all().await;
        assert!(made.iter().all(|key| *key == made[0]), "{made:?}");
        assert_eq!(keys::links(&w.db, &[99; 32]).await.unwrap(), made[0]);
        w.exec("UPDATE meta SET value = 'zirkonkutilang' WHERE key = 'link_key'", vec![]).await;
        let odd = keys::links(&w.db, &[99; 32]).await.unwrap_err().to_string();
        assert!(odd.contains("the key of links") && !odd.contains("zirkon"), "{odd}");
        w.exec("DELETE FROM meta WHERE key = 'link_key'", vec![]).await;
    }

    async fn of_many_who_say_it_at_once_one_is_recorded(w: &mut World) {
        let [a, b] = w.two_late().await;
        let key = w.texts("SELECT key AS t FROM letter WHERE channel = 'smtp'").await[0].clone();
        let letter = acks::letter(&w.db, &key).await.unwrap().unwrap().id;
        let mut all = JoinSet::new();
        for _ in 0..16 {
            let (db, now) = (w.db.clone(), w.now());
            all.spawn(async move { acks::acknowledge(&db, letter, None, "link of kepala-dinhub", now).await.unwrap().len() });
        }
        assert_eq!(all.join_all().await.into_iter().sum::<usize>(), 2);
        let told = acks::tickets(&w.db, letter).await.unwrap();
        assert_eq!(told.iter().map(|told| (told.ticket.0, told.standing)).collect::<Vec<_>>(), [a, b].map(|id| (id, acks::Standing::Used)));
        assert_eq!(acks::letter(&w.db, "t9-9-9-9").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_form_that_never_ends_and_a_database_that_is_gone_get_a_friendly_page_in_time() {
    let mut w = World::sqlite().await;
    w.two_late().await;
    let path = w.link(KEPALA);
    let mut slow = TcpStream::connect(w.url.strip_prefix("http://").unwrap()).await.unwrap();
    let began = Instant::now();
    slow.write_all(format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\nconnection: close\r\n\r\nnonce=").as_bytes())
        .await
        .unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("cache-control: no-store"), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(15));
    let delete = reqwest::Method::from_bytes(b"DELETE").unwrap();
    let refused = tanggap::runtime::http::client(Duration::from_secs(5)).unwrap().request(delete, format!("{}{path}", w.url)).send().await;
    assert_eq!(refused.unwrap().status(), 405);

    w.invariants().await;
    w.db.close().await;
    for answer in [w.get(&path).await, w.post(&path, "nonce=x").await] {
        assert_eq!((answer.status, answer.body.contains("Sedang ada gangguan")), (503, true), "{}", answer.body);
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert!(!w.heard.text().contains("/ack/"));
}

#[tokio::test]
async fn more_tickets_than_a_person_can_look_through_are_shown_a_hundred_at_a_time() {
    let mut w = World::sqlite().await;
    for _ in 0..103 {
        w.ticket("Kapan?").await;
    }
    w.pass(SignedDuration::from_mins(241)).await;
    let path = w.link(KEPALA);
    let shown = w.get(&path).await;
    let boxes = shown.boxes();
    assert_eq!((boxes.len(), shown.body.contains("Masih ada 3 pesan lain")), (100, true));
    let thanks = w.post(&path, &form(&shown.nonce(), &boxes)).await;
    assert!(thanks.status == 200 && thanks.body.contains("Lihat 3 pesan lain"), "{}", thanks.body);
    assert_eq!(w.get(&path).await.boxes(), [101, 102, 103]);
}
