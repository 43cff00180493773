//! In: peers that send slowly, too much, nothing, or come in hundreds; and a program that is out of file handles.
#![allow(clippy::print_stdout)] // figures, for a person

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use tanggap::{demo::script::Pace, runtime::http};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::soak::site::{Daemon, Site};

struct House {
    site: Site,
    page: u16,
    metrics: u16,
}

impl House {
    async fn new() -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (page, metrics) = (free(), free());
        let more = format!("[http]\nlisten = \"127.0.0.1:{page}\"\nmetrics_listen = \"127.0.0.1:{metrics}\"\n");
        let pace = Pace { gap: SignedDuration::from_hours(1), answer: SignedDuration::from_hours(1), late: SignedDuration::from_secs(9) };
        Self { site: Site::new(31, 1, pace, &more).await, page, metrics }
    }

    async fn start(&self, by: &[&str]) -> Daemon {
        let daemon = self.site.start_by(by, &format!("sqlite://{}", self.site.folder.path().join("t.db").display()));
        let start = Instant::now();
        while healthy(self.page).await != Some(200) || healthy(self.metrics).await != Some(200) {
            assert!(start.elapsed() < Duration::from_secs(20), "not up");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        daemon
    }
}

/// What `/healthz` answers within two seconds.
async fn healthy(port: u16) -> Option<u16> {
    let client = http::client(Duration::from_secs(2)).unwrap();
    client.get(format!("http://127.0.0.1:{port}/healthz")).send().await.ok().map(|answer| answer.status().as_u16())
}

async fn connect(port: u16) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port)).await.unwrap()
}

/// Sends one byte after the other until the peer answers or closes; what it said and how long that took.
async fn trickle(port: u16, head: &str, byte: u8) -> (String, Duration) {
    let (mut line, start) = (connect(port).await, Instant::now());
    line.write_all(head.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    while start.elapsed() < Duration::from_secs(30) {
        match tokio::time::timeout(Duration::from_millis(300), line.read_buf(&mut said)).await {
            Err(_) => {
                if line.write_all(&[byte]).await.is_err() {
                    break;
                }
            }
            Ok(Ok(0) | Err(_)) => break,
            Ok(Ok(_)) => {}
        }
    }
    (String::from_utf8_lossy(&said).into_owned(), start.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_slowly_or_too_much_is_sent_away_at_both_doors() {
    let house = House::new().await;
    let daemon = house.start(&[]).await;
    let form = "POST /login HTTP/1.1\r\nhost: x\r\nsec-fetch-site: same-origin\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    let slow_head = |port| trickle(port, "GET /healthz HTTP/1.1\r\nx-slow: ", b'a');
    let slow_body = format!("{form}content-length: 1000\r\n\r\nname=");
    let (one, two, three) = tokio::join!(slow_head(house.page), slow_head(house.metrics), trickle(house.page, &slow_body, b'a'));
    for (what, (said, took)) in [("head, page", one), ("head, metrics", two), ("body, page", three)] {
        println!("{what}: sent away after {took:.1?}: {}", said.lines().next().unwrap_or_default());
        assert!(took < Duration::from_secs(13), "{what}: {took:?}");
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{what}: {said}");
    }
    for (what, port, request) in [
        ("head, page", house.page, format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "a".repeat(1 << 20))),
        ("heads, page", house.page, format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{}\r\n", "x-many: a\r\n".repeat(500))),
        ("head, metrics", house.metrics, format!("GET /metrics HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "a".repeat(1 << 20))),
        ("body, page", house.page, format!("{form}content-length: 1048576\r\n\r\n{}", "a".repeat(1 << 20))),
    ] {
        let mut line = connect(port).await;
        let mut said = Vec::new();
        let _ = line.write_all(request.as_bytes()).await;
        let _ = tokio::time::timeout(Duration::from_secs(15), line.read_to_end(&mut said)).await;
        let said = String::from_utf8_lossy(&said);
        let first = said.lines().next().unwrap_or_default();
        println!("{what}: {first}");
        // Who goes on sending after the refusal may see no more than a broken line.
        assert!(first.is_empty() || ["413", "431", "400"].iter().any(|status| first.contains(status)), "{what}: {said}");
    }
    assert_eq!((healthy(house.page).await, healthy(house.metrics).await), (Some(200), Some(200)));
    println!("at most {} MiB", daemon.memory_kib() / 1024);
    assert!(daemon.memory_kib() < 150 * 1024);
    daemon.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_who_say_nothing_hold_a_door_for_ten_seconds_and_never_the_other_one() {
    let house = House::new().await;
    let daemon = house.start(&[]).await;
    let mut idle = Vec::new();
    for _ in 0..400 {
        idle.push(connect(house.page).await);
    }
    assert_eq!(healthy(house.metrics).await, Some(200), "the other door");
    assert!(daemon.handles() < 400, "no more than the 256 connections of a door are held: {}", daemon.handles());
    let start = Instant::now();
    while healthy(house.page).await != Some(200) {
        assert!(start.elapsed() < Duration::from_secs(25), "the door stays shut");
    }
    println!("answered {:.1?} after 400 silent connections", start.elapsed());
    drop(idle);
    daemon.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_out_of_file_handles_serves_and_reads_again_when_it_has_some() {
    let mut house = House::new().await;
    let daemon = house.start(&["prlimit", "--nofile=64:64"]).await;
    house.site.live(SignedDuration::from_secs(3)).await;
    let mut idle = Vec::new();
    for _ in 0..120 {
        idle.push(connect(house.page).await);
    }
    house.site.live(SignedDuration::from_secs(6)).await;
    assert!(daemon.handles() >= 60, "it has some left: {}", daemon.handles());
    drop(idle);
    let start = Instant::now();
    while healthy(house.page).await != Some(200) || healthy(house.metrics).await != Some(200) {
        let log = || std::fs::read_to_string(house.site.log()).unwrap();
        assert!(start.elapsed() < Duration::from_secs(15), "the doors stay shut; {} handles: {}", daemon.handles(), log());
    }
    println!("answered {:.1?} after the handles came back", start.elapsed());
    house.site.simulator.world().clear_calls();
    house.site.live(SignedDuration::from_secs(20)).await;
    assert!(house.site.simulator.world().calls().len() > 2, "it reads no more");
    let log = std::fs::read_to_string(house.site.log()).unwrap();
    let lines = log.lines().filter(|line| line.contains("cannot accept connections")).count();
    assert!((1..=4).contains(&lines), "{lines} lines: {log}");
    assert!(!log.contains("panicked"), "{log}");
    daemon.stop();
}
