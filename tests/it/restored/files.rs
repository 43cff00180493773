//! The real program on real files: copies made, put back, refused, and known at the next start.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use tanggap::{
    demo::script::Pace,
    domain::Time,
    store::{BackupError, Db, backup},
};

use crate::{
    cli::world::{World, read, stderr, write},
    soak::site::{Daemon, Site, now},
};

async fn site() -> (Site, PathBuf, String) {
    let pace = Pace { gap: SignedDuration::from_millis(300), answer: SignedDuration::from_secs(60), late: SignedDuration::from_secs(60) };
    let site = Site::new(7, 2, pace, "[http]\nlisten = \"\"\nmetrics_listen = \"\"\n").await;
    let file = site.folder.path().join("t.db");
    let url = format!("sqlite://{}", file.display());
    (site, file, url)
}

/// The lines of the log with this event.
fn said(site: &Site, event: &str) -> Vec<serde_json::Value> {
    let log = fs::read_to_string(site.log()).unwrap_or_default();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    lines.filter(|line| line["event"] == event).collect()
}

async fn until(site: &mut Site, event: &str, count: usize) {
    let start = Instant::now();
    while said(site, event).len() < count {
        assert!(start.elapsed() < Duration::from_mins(1), "no {event}: {}", fs::read_to_string(site.log()).unwrap());
        site.live(SignedDuration::from_millis(200)).await;
    }
}

/// Starts the daemon and lets it read.
async fn run(site: &mut Site, url: &str) -> Daemon {
    let starts = said(site, "daemon.started").len();
    let daemon = site.start(url);
    until(site, "daemon.started", starts + 1).await;
    let opened = said(site, "ticket.opened").len();
    until(site, "ticket.opened", opened + 1).await;
    daemon
}

fn tanggap(site: &Site, url: &str, args: &[&str]) -> std::process::Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tanggap"));
    command.arg("--config").arg(&site.config).args(args).env("TANGGAP__DATABASE__URL", url);
    command.env("WEBHOOK_SECRET", "whsec_dGhlIHdlYmhvb2sgc2VjcmV0IG9mIHRoZSBzb2Fr").output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_put_back_is_known_at_the_next_start_and_at_no_other() {
    let (mut site, file, url) = site().await;
    let copy = site.folder.path().join("copy.db");
    let daemon = run(&mut site, &url).await;
    let made = tanggap(&site, &url, &["backup", copy.to_str().unwrap()]);
    assert!(made.status.success(), "{}", stderr(&made));
    let held = {
        let db = Db::open_existing(&format!("sqlite://{}", file.display())).await.unwrap();
        read(&db, "SELECT MAX(id) AS n FROM ticket").await[0].i("n").unwrap()
    };
    site.live(SignedDuration::from_secs(2)).await;

    let refused = tanggap(&site, &url, &["restore", copy.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    let words = stderr(&refused);
    assert!(words.contains("another tanggap runs on this database") && words.contains("t.db"), "{words}");
    daemon.kill(); // its write-ahead log is left
    assert!(fs::metadata(site.folder.path().join("t.db-wal")).is_ok_and(|wal| wal.len() > 0));
    let put_back = tanggap(&site, &url, &["restore", copy.to_str().unwrap()]);
    assert!(put_back.status.success(), "{}", stderr(&put_back));
    let words = String::from_utf8(put_back.stdout).unwrap();
    assert!(words.contains("t.db.before-") && words.contains("is in place"), "{words}");
    for left in ["t.db-wal", "t.db-shm", "t.db.restoring"] {
        assert!(!site.folder.path().join(left).exists(), "{left}");
    }
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let daemon = run(&mut site, &url).await;
    let restored = said(&site, "daemon.restored");
    assert_eq!(restored.len(), 1);
    assert_eq!(restored[0]["level"], "INFO");
    assert!(restored[0]["age"].as_i64().unwrap() >= 2 && restored[0]["copy_of"].is_string(), "{}", restored[0]);
    let next = restored[0]["next_ticket"].as_i64().unwrap();
    assert!(next > held + 1000);
    let numbers: Vec<i64> = said(&site, "ticket.opened").iter().map(|line| line["ticket"].as_i64().unwrap()).collect();
    assert!(numbers.last() >= Some(&next), "{numbers:?}");
    daemon.stop();
    let daemon = run(&mut site, &url).await;
    daemon.stop();
    assert_eq!(said(&site, "daemon.restored").len(), 1);

    // the old one is kept whole, with what its write-ahead log held
    let aside = fs::read_dir(site.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let aside = aside.into_iter().find(|path| path.to_string_lossy().contains(".before-")).unwrap();
    let old = Db::open_existing(&format!("sqlite://{}", aside.display())).await.unwrap();
    assert!(read(&old, "SELECT MAX(id) AS n FROM ticket").await[0].i("n").unwrap() >= held);
    old.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_copied_back_by_hand_is_known_by_the_sign_of_life_beside_it() {
    let (mut site, file, url) = site().await;
    run(&mut site, &url).await.stop();
    let copy = site.folder.path().join("by-hand.db");
    fs::copy(&file, &copy).unwrap();
    site.live(SignedDuration::from_secs(1)).await;
    run(&mut site, &url).await.stop();
    assert!(said(&site, "daemon.restored").is_empty());
    fs::copy(&copy, &file).unwrap();
    run(&mut site, &url).await.stop();
    assert_eq!(said(&site, "daemon.restored").len(), 1);
    assert_eq!(fs::metadata(site.folder.path().join("t.db.beat")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn what_is_no_whole_copy_is_refused_and_nothing_is_touched() {
    let world = World::new().await;
    world.db.close().await;
    world.output(&["backup", "copy.db"]);
    let whole = fs::read(world.path("copy.db")).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 4096].fill(0xAA);
    fs::write(world.path("damaged.db"), damaged).unwrap();
    fs::write(world.path("cut.db"), &whole[..whole.len() / 2]).unwrap();
    fs::write(world.path("text.db"), "bukan basis data").unwrap();
    rusqlite::Connection::open(world.path("other.db")).unwrap().execute_batch("CREATE TABLE lain (id INTEGER)").unwrap();
    fs::write(world.path("newer.db"), &whole).unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
        SELECT 9001, 'later', installed_on, success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
    rusqlite::Connection::open(world.path("newer.db")).unwrap().execute(newer, []).unwrap();
    let before = fs::read(world.path("tanggap.db")).unwrap();
    for (copy, status, words) in [
        ("damaged.db", 1, "was not put back"),
        ("cut.db", 1, "was not put back"),
        ("text.db", 1, "file is not a database"),
        ("other.db", 1, "it is no database of tanggap"),
        ("absent.db", 1, "absent.db was not put back"),
        ("newer.db", 2, "written by a newer tanggap (migration 9001)"),
    ] {
        let output = world.run(&["restore", copy]);
        assert_eq!(output.status.code(), Some(status), "{copy}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{copy}: {}", stderr(&output));
        assert_eq!(fs::read(world.path("tanggap.db")).unwrap(), before, "{copy}");
    }
    let names: Vec<String> = fs::read_dir(world.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.contains("restoring") || name.contains("before")), "{names:?}");
}

#[tokio::test]
async fn a_copy_put_back_beside_a_foreign_write_ahead_log_holds_what_it_held() {
    let world = World::new().await;
    world.output(&["backup", "copy.db"]);
    // a log with committed pages that are not in the file: the connection stays open, as if the process had been killed
    write(&world.db, "UPDATE ticket SET reason = 'sesudah salinan'", vec![]).await;
    assert!(fs::metadata(world.path("tanggap.db-wal")).unwrap().len() > 0);
    world.output(&["restore", "copy.db"]);
    let url = format!("sqlite://{}", world.path("tanggap.db").display());
    let db = Db::open_existing(&url).await.unwrap();
    assert_eq!(read(&db, "SELECT COUNT(*) AS n FROM ticket WHERE reason IS NOT NULL").await[0].i("n").unwrap(), 0);
    assert_eq!(read(&db, "SELECT COUNT(*) AS n FROM ticket").await[0].i("n").unwrap(), 4);
    let whole: String =
        rusqlite::Connection::open(world.path("tanggap.db")).unwrap().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
}

#[tokio::test]
async fn a_copy_holds_refreshed_tokens_only_if_asked_and_never_a_session() {
    let world = World::new().await;
    write(
        &world.db,
        "INSERT INTO token (account_id, sealed, origin, issued_at, expires_at) VALUES (2, 'c2VhbGVkLXRva2Vu', 'o', 1, 2)",
        vec![],
    )
    .await;
    write(&world.db, "INSERT INTO session (hash, person_id, created_at, used_at) VALUES ('hash-of-a-cookie', 1, 1, 1)", vec![]).await;
    let holds = |name: &str, text: &str| {
        let bytes = fs::read(world.path(name)).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    };
    world.output(&["backup", "bare.db"]);
    world.output(&["backup", "--with-tokens", "full.db"]);
    assert_eq!(["bare.db", "full.db"].map(|name| holds(name, "c2VhbGVkLXRva2Vu")), [false, true]);
    assert_eq!(["bare.db", "full.db"].map(|name| holds(name, "hash-of-a-cookie")), [false, false]);
    let names: Vec<String> = fs::read_dir(world.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.starts_with("bare.db-") || name.starts_with("full.db-") || name.contains(".tmp")), "{names:?}");
}

#[tokio::test]
async fn an_old_copy_without_any_mark_is_put_back_and_a_missing_database_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let (file, copy) = (folder.path().join("t.db"), folder.path().join("old.db"));
    let url = |path: &Path| format!("sqlite://{}", path.display());
    Db::open(&url(&copy)).await.unwrap().close().await;
    let at = Time::from_timestamp(now());
    assert_eq!(backup::staging(&file), folder.path().join("t.db.restoring"));
    let put_back = backup::restore(&url(&file), &copy, at).await.unwrap();
    assert_eq!(put_back.aside, None);
    assert!(put_back.of.since(at).abs() < SignedDuration::from_mins(1), "as of when its file was written");
    let again = backup::restore(&url(&file), &copy, at).await.unwrap();
    let third = backup::restore(&url(&file), &copy, at).await.unwrap();
    assert!(again.aside.is_some() && third.aside.is_some() && again.aside != third.aside, "no name is taken twice");
    assert!(matches!(backup::restore("postgres://localhost/t", &copy, at).await, Err(BackupError::Postgres)));
}
