//! A hundred thousand tickets of a year, ten thousand of them open, and a load generator on the board. Ignored, as it measures:
//! `tests/run --release --test it -- board::load --include-ignored --nocapture`. It needs `wrk`.

use std::{process::Command, time::Instant};

use tanggap::store::Db;

use super::world::World;
use crate::report::year;

/// How many tickets the year has.
const TICKETS: i64 = 100_000;

async fn fill(db: &Db) {
    let mut tx = db.write().await.unwrap();
    tx.exec("UPDATE account SET external_id = 'own ' || external_id", vec![]).await.unwrap();
    tx.commit().await.unwrap();
    year::fill(db, TICKETS).await;
    let mut tx = db.write().await.unwrap();
    let statements = [
        "UPDATE ticket SET newest_message_id = id, newest_at = opened_at WHERE newest_message_id IS NULL",
        "UPDATE ticket SET state = 'open', closed_at = NULL, answered_by = NULL WHERE id % 19 = 0",
        "UPDATE message SET text = 'Selamat pagi Bapak/Ibu, jalan di depan rumah kami di RT 3 sudah dua minggu berlubang dan gelap, kapan diperbaiki?' WHERE text = 'Kapan?'",
    ];
    for sql in statements {
        tx.exec(sql, vec![]).await.unwrap();
    }
    tx.commit().await.unwrap();
}

#[allow(clippy::print_stdout)] // figures are what it is for
async fn measured(name: &str, world: World) {
    fill(&world.db).await;
    let open = world.db.rows("SELECT COUNT(*) AS n FROM ticket WHERE state = 'open'", vec![]).await.unwrap()[0].i("n").unwrap();
    println!("{name}: {TICKETS} tickets, {open} open");
    for path in ["/", "/?platform=instagram", "/?state=answered", "/?overdue=true"] {
        let began = Instant::now();
        let request = world.signed("ani", world.request(reqwest::Method::GET, path));
        let answer = request.send().await.unwrap();
        let first_byte = began.elapsed();
        let (status, body) = (answer.status(), answer.bytes().await.unwrap());
        println!("{name} {path}: {status}, first byte {:.1} ms, {} KB", first_byte.as_secs_f64() * 1000.0, body.len() / 1024);
        let (url, cookie) = (format!("{}{path}", world.url), format!("Cookie: tanggap={}", world.session("ani")));
        let load = tokio::task::spawn_blocking(move || {
            Command::new("wrk").args(["-t1", "-c4", "-d10s", "--latency", "-H", &cookie, &url]).output().unwrap()
        });
        let said = String::from_utf8(load.await.unwrap().stdout).unwrap();
        let script = said.lines().filter(|line| ["50%", "75%", "90%", "99%", "Requests/sec", "Non-2xx"].iter().any(|it| line.contains(it)));
        println!("{name} {path}: wrk, 4 connections, 10 s: {}", script.map(str::trim).collect::<Vec<_>>().join("; "));
        let mut times = Vec::new();
        for _ in 0..200 {
            let began = Instant::now();
            assert_eq!(world.page("ani", path).await.status, 200);
            times.push(began.elapsed().as_secs_f64() * 1000.0);
        }
        times.sort_by(f64::total_cmp);
        println!("{name} {path}: one after another: p50 {:.1} ms, p95 {:.1} ms", times[100], times[190]);
        if !cfg!(debug_assertions) {
            assert!(times[190] < 100.0 && body.len() < 200 * 1024);
        }
    }
    for path in ["/report?from=2026-01-01&to=2026-12-31", "/report?from=2026-01-01&to=2026-12-31&format=json"] {
        let began = Instant::now();
        let answer = world.page("ani", path).await;
        println!("{name} {path}: {}, {:.2} s, {} KB", answer.status, began.elapsed().as_secs_f64(), answer.body.len() / 1024);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures, with a load generator"]
async fn the_board_of_a_hundred_thousand_tickets() {
    measured("SQLite", World::sqlite().await).await;
    measured("PostgreSQL", World::postgres().await).await;
}
