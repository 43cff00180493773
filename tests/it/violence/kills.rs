//! SIGKILL where the soak's does not strike: while a database is made, while it is brought to a newer version, while it is copied. What is
//! left is always whole, and the next start goes on from it.
//!
//! Sixty kills by default, `TANGGAP_KILLS=1000` for more. The soak's own long form is
//! `TANGGAP_SOAK_SECONDS=600 TANGGAP_SOAK_KILLS=1000 tests/run --test it soak::a_daemon_killed -- --nocapture`.
#![allow(clippy::print_stdout)] // figures, for a person

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use sqlx::{SqlitePool, sqlite::SqliteConnectOptions};
use tanggap::{demo::script::Pace, store::Db};

use crate::{
    soak::{WEBHOOK, asked, site::Site},
    upgrade::{migrator, numbers},
};

const SEED: u64 = 29;

async fn open(file: &Path) -> SqlitePool {
    SqlitePool::connect_with(SqliteConnectOptions::new().filename(file).create_if_missing(true)).await.unwrap()
}

/// A database as that version made it.
async fn old(file: &Path, version: i64) {
    let pool = open(file).await;
    migrator("sqlite", version).run(&pool).await.unwrap();
    sqlx::query("INSERT INTO meta (key, value) VALUES ('kept', 'through everything')").execute(&pool).await.unwrap();
    pool.close().await;
}

async fn is_whole(file: &Path) -> bool {
    let pool = open(file).await;
    let found: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&pool).await.unwrap();
    pool.close().await;
    found == "ok"
}

/// How many things the schema of that version has.
async fn count(site: &Site, version: i64) -> i64 {
    let file = site.folder.path().join(format!("version-{version}.db"));
    old(&file, version).await;
    let pool = open(&file).await;
    let things = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_schema").fetch_one(&pool).await.unwrap();
    pool.close().await;
    things
}

fn quiet() -> Pace {
    Pace { gap: SignedDuration::from_hours(1), answer: SignedDuration::from_hours(1), late: SignedDuration::from_secs(20) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_killed_while_it_makes_or_renews_its_database_finds_it_whole_at_the_next_start() {
    let mut site = Site::new(SEED, 2, quiet(), WEBHOOK).await;
    let mut rng = StdRng::seed_from_u64(SEED);
    let mut counts = Vec::new();
    for version in numbers() {
        counts.push(count(&site, version).await);
    }
    let rounds = asked("TANGGAP_KILLS", 60) / 6;
    let mut cut_short = 0;
    for round in 0..rounds {
        let file = site.folder.path().join(format!("{round}.db"));
        let url = format!("sqlite://{}", file.display());
        let renewed = round % 2 == 1;
        if renewed {
            old(&file, 1).await;
        }
        for _ in 0..4 {
            let daemon = site.start(&url);
            // Between nothing at all and a second poll.
            tokio::time::sleep(Duration::from_micros(rng.random_range(0..250_000))).await;
            daemon.kill();
            let pool = open(&file).await;
            let tables: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_schema").fetch_one(&pool).await.unwrap();
            let board: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_schema WHERE name = 'person'").fetch_one(&pool).await.unwrap();
            cut_short += i64::from(board == 0);
            assert!(tables <= 2 || counts.contains(&tables), "half a version: {tables} of {counts:?}");
            pool.close().await;
        }
        assert!(is_whole(&file).await);
        let daemon = site.start(&url);
        let (start, mut read) = (Instant::now(), 0);
        while read < 4 {
            assert!(start.elapsed() < Duration::from_secs(20), "it does not start:\n{}", std::fs::read_to_string(site.log()).unwrap());
            site.live(SignedDuration::from_millis(50)).await;
            let Ok(db) = Db::open_existing(&url).await else { continue };
            read = db.rows("SELECT COUNT(*) AS n FROM account WHERE last_read_at IS NOT NULL", vec![]).await.unwrap()[0].i("n").unwrap();
            let kept = db.rows("SELECT COUNT(*) AS n FROM meta WHERE key = 'kept'", vec![]).await.unwrap()[0].i("n").unwrap();
            assert_eq!(kept == 1, renewed);
            db.close().await;
        }
        daemon.kill();
        assert!(is_whole(&file).await);
    }
    println!("{} kills, {cut_short} of them before the database was of this version", rounds * 5);
    let log = std::fs::read_to_string(site.log()).unwrap();
    assert!(!log.contains("panicked") && !log.contains("\"ERROR\""), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_killed_half_way_stands_nowhere_as_a_whole_one() {
    let site = Site::new(SEED, 2, quiet(), WEBHOOK).await;
    let file = site.folder.path().join("copied.db");
    let url = format!("sqlite://{}", file.display());
    drop(Db::open(&url).await.unwrap());
    // Large enough that a copy takes a while.
    let pool = open(&file).await;
    let fill = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
        INSERT INTO meta (key, value) SELECT 'x' || i, hex(randomblob(2000)) FROM n";
    sqlx::query(fill).execute(&pool).await.unwrap();
    pool.close().await;
    let daemon = site.start(&url);
    let mut rng = StdRng::seed_from_u64(SEED);
    let (mut whole, mut half) = (0, 0);
    for round in 0..asked("TANGGAP_KILLS", 60) / 6 {
        let copy = site.folder.path().join(format!("copy-{round}.db"));
        let mut backup = Command::new(env!("CARGO_BIN_EXE_tanggap"))
            .args(["backup", copy.to_str().unwrap(), "--config"])
            .arg(&site.config)
            .env("TANGGAP__DATABASE__URL", &url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        tokio::time::sleep(Duration::from_micros(rng.random_range(0..150_000))).await;
        let _ = backup.kill();
        backup.wait().unwrap();
        if copy.exists() {
            whole += 1;
            assert!(is_whole(&copy).await);
            let pool = open(&copy).await;
            let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM meta WHERE key LIKE 'x%'").fetch_one(&pool).await.unwrap();
            assert_eq!(rows, 3000);
            pool.close().await;
            std::fs::remove_file(&copy).unwrap();
        } else {
            half += 1;
        }
    }
    println!("{half} copies killed before they were whole, {whole} after");
    assert!(half > 0);
    daemon.stop();
    assert!(is_whole(&file).await);
}
