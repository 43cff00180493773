//! A crowd: comments by the thousand under one post within a minute. All are stored once, the page answers meanwhile, and officials get few
//! letters. A fifth of it by default; `TANGGAP_CROWD=10000` is the whole of it, and prints its figures.
#![allow(clippy::print_stdout)] // figures, for a person

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    net::TcpListener,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use tanggap::{
    demo::{script::Pace, world::Citizen},
    runtime::http,
    store::Db,
};

use crate::soak::{self, asked, checks, site::Site};

/// Comments in a second: ten thousand in a minute.
const RATE: f64 = 10_000.0 / 60.0;
const PASSWORD: &str = "rahasia sekali banyak";
/// Some tell of a flood, most of an identity card.
const TEXTS: [&str; 20] = {
    let mut texts = ["Kapan KTP saya jadi? Sudah tiga bulan menunggu di loket."; 20];
    texts[7] = "Banjir di desa kami, kapan bantuan datang?";
    texts
};

/// Somebody who looks at the pages in a browser.
struct Browser {
    url: String,
    cookie: String,
    slowest: Duration,
}

impl Browser {
    async fn sign_in(site: &Site, database: &str, port: u16) -> Self {
        let mut add = Command::new(env!("CARGO_BIN_EXE_tanggap"))
            .args(["user", "add", "siti", "--role", "admin", "--config"])
            .arg(&site.config)
            .env("TANGGAP__DATABASE__URL", database)
            .env("USER", "siti")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        writeln!(add.stdin.take().unwrap(), "{PASSWORD}").unwrap();
        assert!(add.wait().unwrap().success());
        let url = format!("http://127.0.0.1:{port}");
        let answer = http::client(Duration::from_secs(20))
            .unwrap()
            .post(format!("{url}/login"))
            .header("sec-fetch-site", "same-origin")
            .form(&[("name", "siti"), ("password", PASSWORD), ("next", "/")])
            .send()
            .await
            .unwrap();
        let set = answer.headers().get("set-cookie").expect("signed in").to_str().unwrap().to_owned();
        Self { url, cookie: set.split(';').next().unwrap().to_owned(), slowest: Duration::ZERO }
    }

    async fn page(&mut self, path: &str) -> String {
        let start = Instant::now();
        let client = http::client(Duration::from_secs(20)).unwrap();
        let answer = client.get(format!("{}{path}", self.url)).header("cookie", &self.cookie).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        let text = answer.text().await.unwrap();
        self.slowest = self.slowest.max(start.elapsed());
        text
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_under_one_post_is_stored_once_and_tells_officials_in_few_letters() {
    let crowd = asked("TANGGAP_CROWD", 2_000) as usize;
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let more = format!("[http]\nlisten = \"127.0.0.1:{port}\"\n[poll]\nidle_interval = \"2s\"\n");
    let pace = Pace { gap: SignedDuration::from_hours(1), answer: SignedDuration::from_hours(1), late: SignedDuration::from_secs(1) };
    let mut site = Site::new(19, 3, pace, &more).await;
    site.script.quiet();
    let (account, post) = {
        let mut world = site.simulator.world();
        let page = site.script.agencies()[0].page.id.clone();
        let post = world.post(&page, "Jadwal pelayanan KTP keliling minggu ini").unwrap();
        (page, post)
    };
    let database = format!("sqlite://{}", site.folder.path().join("crowd.db").display());
    let daemon = site.start(&database);
    site.live(SignedDuration::from_secs(4)).await;
    let db = Db::open(&database).await.unwrap();
    let mut browser = Browser::sign_in(&site, &database, port).await;

    let start = Instant::now();
    let mut written = 0;
    while written < crowd {
        let due = ((start.elapsed().as_secs_f64() * RATE) as usize).min(crowd);
        {
            let mut world = site.simulator.world();
            for number in written..due {
                world.comment(&post, &Citizen::new(number as u64, "Siti"), TEXTS[number % TEXTS.len()]).unwrap();
            }
        }
        written = due;
        assert!(browser.page("/").await.contains("<table") || written < 100);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let wrote = start.elapsed();
    let tickets = async || db.rows("SELECT COUNT(*) AS n FROM ticket", vec![]).await.unwrap()[0].i("n").unwrap() as usize;
    while tickets().await < crowd {
        assert!(start.elapsed() < wrote + Duration::from_mins(2), "{} of {crowd} tickets", tickets().await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let caught_up = start.elapsed().saturating_sub(wrote);
    // Every deadline has passed, and the last escalation of the first.
    let flagged = "SELECT COUNT(*) AS n FROM ticket WHERE flagged_at IS NOT NULL";
    while (db.rows(flagged, vec![]).await.unwrap()[0].i("n").unwrap() as usize) < crowd {
        assert!(start.elapsed() < wrote + Duration::from_mins(5), "not all are flagged");
        browser.page("/").await;
        let some = db.rows("SELECT MAX(id) AS n FROM ticket", vec![]).await.unwrap()[0].i("n").unwrap();
        browser.page(&format!("/tickets/{some}")).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let whole = start.elapsed();
    tokio::time::sleep(Duration::from_secs(6)).await;
    let (memory, cpu) = (daemon.memory_kib() / 1024, daemon.cpu());
    daemon.stop();

    checks::every_message_is_stored_once(&db, &site.simulator).await;
    soak::reckoned::every_ticket_is_as_the_rules_say(&db, soak::site::now()).await;
    let sql = "SELECT COUNT(*) AS n FROM ticket k JOIN account a ON a.id = k.account_id WHERE a.external_id = $1 AND k.urgent = 1";
    let urgent = db.rows(sql, vec![account.as_str().into()]).await.unwrap()[0].i("n").unwrap() as usize;
    assert_eq!(urgent, (0..crowd).filter(|number| TEXTS[number % TEXTS.len()].starts_with("Banjir")).count());
    few_letters(&site, whole);
    println!(
        "{crowd} comments in {wrote:.1?}, all with tickets {caught_up:.1?} later, all flagged after {whole:.1?}; at most {memory} MiB, \
         processor {cpu:.1?}, the slowest page {:.2?}",
        browser.slowest
    );
    assert!(memory < if cfg!(debug_assertions) { 400 } else { 200 }, "{memory} MiB");
    assert!(browser.slowest < Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 2 }), "{:?}", browser.slowest);
    checks::the_log_tells_of_no_fault(&site);
    db.close().await;
}

/// One letter in five seconds (`letter.group`) to each address and way at most, and of the flood three in an hour.
fn few_letters(site: &Site, whole: Duration) {
    let mails = site.mails.captured();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for mail in mails.iter().filter(|mail| mail.accepted) {
        *counts.entry(mail.to.join(",")).or_default() += 1;
    }
    for chat in site.chats.captured().iter().filter(|chat| chat.accepted) {
        *counts.entry(chat.path.rsplit('/').next().unwrap().to_owned()).or_default() += 1;
    }
    println!("letters by address: {counts:?}");
    let most = whole.as_secs() as usize / 5 + 3;
    assert!(counts.values().all(|&count| count <= most), "more than {most}: {counts:?}");
    let bupati = counts.get("bupati@example.go.id").copied().unwrap_or(0);
    assert!((1..=3).contains(&bupati), "{bupati} letters of one flood");
    let offices: BTreeSet<&String> = counts.keys().collect();
    assert!(offices.len() >= 4, "whoever should hear of it does: {offices:?}");
}
