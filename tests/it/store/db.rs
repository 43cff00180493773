//! The database itself: opened, refused, written by transactions that hold or leave nothing, copied.

use std::{future::ready, os::unix::fs::PermissionsExt as _, sync::Arc};

use futures_util::future::BoxFuture;
use tanggap::{
    domain::{AccountId, Cause, Platform, Scope},
    store::{BackupError, Db, StoreError, accounts, backup, db::Gate, listing},
};
use tokio::task::JoinSet;

use super::world::{World, at};
use crate::alert::world::on_both;

on_both! {
async fn opening_again_changes_nothing_and_keeps_what_is_stored(w: &mut World) {
    w.accounts().await;
    for db in [Db::open(&w.url).await.unwrap(), Db::open_existing(&w.url).await.unwrap()] {
        db.ping().await.unwrap();
        assert_eq!(accounts::health(&db, at(0)).await.unwrap().len(), 2);
        db.close().await;
        assert!(db.ping().await.is_err(), "closed is closed");
    }
    w.db.ping().await.unwrap();
}

async fn a_dropped_transaction_leaves_nothing_and_a_committed_one_is_seen_by_all(w: &mut World) {
    let insert = "INSERT INTO meta (key, value) VALUES ('k', 'v')";
    let mut tx = w.db.write().await.unwrap();
    assert_eq!(tx.exec(insert, vec![]).await.unwrap(), 1);
    assert_eq!(tx.rows("SELECT value FROM meta", vec![]).await.unwrap().len(), 1, "its own writes it sees");
    assert_eq!(w.number("SELECT COUNT(*) AS n FROM meta").await, Some(0), "nobody else does");
    drop(tx);
    assert_eq!(w.number("SELECT COUNT(*) AS n FROM meta").await, Some(0));
    assert_eq!(w.exec(insert, vec![]).await, 1);
    let mut tx = w.db.write().await.unwrap();
    assert!(matches!(tx.exec(insert, vec![]).await, Err(StoreError::Sql(_))), "twice");
    drop(tx);
    assert_eq!(w.number("SELECT COUNT(*) AS n FROM meta").await, Some(1));
}

async fn many_writers_wait_for_one_another_and_none_is_refused(w: &mut World) {
    w.exec("INSERT INTO meta (key, value) VALUES ('n', '0')", vec![]).await;
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let db = w.db.clone();
        tasks.spawn(async move {
            let mut tx = db.write().await.unwrap();
            tx.exec("UPDATE meta SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE key = 'n'", vec![]).await.unwrap();
            tx.commit().await.unwrap();
        });
    }
    tasks.join_all().await;
    assert_eq!(w.texts("SELECT value AS t FROM meta").await, ["100"]);
}

async fn a_word_or_a_list_that_this_version_does_not_know_is_said_and_not_guessed(w: &mut World) {
    let rows = w.db.rows("SELECT 'tiktok' AS platform, '{' AS list, NULL AS gap", vec![]).await.unwrap();
    let said = rows[0].word("platform", Platform::from_word).unwrap_err().to_string();
    assert_eq!(said, "the database holds platform that this version does not know: \"tiktok\"");
    assert!(matches!(rows[0].json::<Vec<String>>("list"), Err(StoreError::Unknown { what: "list", .. })));
    assert_eq!((rows[0].ot("gap").unwrap(), rows[0].oat("gap").unwrap(), rows[0].oword("gap", Cause::from_word).unwrap()), (None, None, None));
    assert!(rows[0].t("absent").is_err() && rows[0].b("absent").is_err());
}

async fn what_a_gate_drops_leaves_nothing_and_what_it_lets_pass_is_stored_whatever_it_says_of_it(w: &mut World) {
    for (gate, stored) in [(Refuses { passes: false }, 0), (Refuses { passes: true }, 1)] {
        let db = w.db.clone().gated(Arc::new(gate));
        let mut tx = db.write().await.unwrap();
        tx.exec("INSERT INTO meta (key, value) VALUES ('gate', '')", vec![]).await.unwrap();
        assert!(matches!(tx.commit().await, Err(StoreError::DiskFull)));
        assert_eq!(w.number("SELECT COUNT(*) AS n FROM meta WHERE key = 'gate'").await, Some(stored));
    }
}

async fn the_figures_count_open_and_overdue_tickets_by_agency(w: &mut World) {
    let (AccountId(page), _) = w.accounts().await;
    for (id, state, due) in [(1_i64, "open", 10), (2, "open", 99), (3, "answered", 10)] {
        w.exec(
            "INSERT INTO ticket (id, thread_id, account_id, author, policy, urgent, state, opened_at, due_at, unverified, messages, steps, configuration)
             VALUES ($1, 1, $2, '', 'biasa', 0, $3, 0, $4, 0, 1, '[]', '')",
            vec![id.into(), page.into(), state.into(), at(due).into()],
        )
        .await;
    }
    assert_eq!(listing::counts(&w.db, &Scope::ALL, at(9)).await.unwrap(), [listing::Count { opd: "dinhub".to_owned(), open: 2, overdue: 0, urgent: 0 }]);
    assert_eq!(listing::counts(&w.db, &Scope::ALL, at(11)).await.unwrap(), [listing::Count { opd: "dinhub".to_owned(), open: 2, overdue: 1, urgent: 0 }]);
}
}

/// Says that the disk is full, whether or not it lets commits pass.
#[derive(Debug)]
struct Refuses {
    passes: bool,
}

impl Gate for Refuses {
    fn begin(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(Ok(())))
    }
    fn commit<'a>(&'a self, commit: BoxFuture<'a, Result<(), StoreError>>) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            if self.passes {
                commit.await?;
            }
            Err(StoreError::DiskFull)
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_file_that_many_open_at_once_is_made_by_one_of_them_and_no_other_is_refused() {
    for round in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("new.db").display());
        let mut tasks = JoinSet::new();
        for _ in 0..8 {
            let url = url.clone();
            tasks.spawn(async move { Db::open(&url).await.map(drop) });
        }
        for outcome in tasks.join_all().await {
            outcome.unwrap_or_else(|refused| panic!("round {round}: {refused}"));
        }
    }
}

#[tokio::test]
async fn a_new_sqlite_file_is_its_owners_alone_and_a_missing_one_is_not_made_by_a_reader() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.db");
    let url = format!("sqlite://{}", file.display());
    assert!(Db::open_existing(&url).await.is_err());
    assert!(!file.exists());
    let db = Db::open(&url).await.unwrap();
    for end in ["", "-wal", "-shm"] {
        let mode = std::fs::metadata(format!("{}{end}", file.display())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "t.db{end}");
    }
    db.close().await;
}

#[tokio::test]
async fn another_kind_of_url_is_refused_without_being_shown() {
    let said = Db::open("mysql://tanggap:geheim@localhost/tanggap").await.unwrap_err().to_string();
    assert_eq!(said, "database.url must begin with sqlite:// or postgres://");
    let unread = Db::open("postgres://tanggap:geheim@localhost:far/tanggap").await.unwrap_err().to_string();
    assert!(!unread.contains("geheim"), "{unread}");
}

#[tokio::test]
async fn a_copy_is_whole_and_postgres_has_its_own_tool() {
    let (sqlite, postgres) = (World::sqlite().await, World::postgres().await);
    sqlite.accounts().await;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    assert!(matches!(backup::backup(&postgres.db, &copy, false, at(0)).await, Err(BackupError::Postgres)));
    assert!(!copy.exists());
    let pages = backup::size(&sqlite.db).await.unwrap();
    backup::backup(&sqlite.db, &copy, false, at(0)).await.unwrap();
    assert!(pages > 0 && !backup::unfinished(&copy).exists(), "the growing file is the copy now");
    assert!(matches!(backup::backup(&sqlite.db, &copy, false, at(0)).await, Err(BackupError::Exists(path)) if path == copy));
    let copied = Db::open_existing(&format!("sqlite://{}", copy.display())).await.unwrap();
    assert_eq!(accounts::health(&copied, at(0)).await.unwrap().len(), 2);
}

#[test]
fn one_process_at_a_time_may_be_the_daemon_of_a_sqlite_file() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("t.db").display());
    let first = Db::sole(&url).unwrap();
    let said = Db::sole(&url).unwrap_err().to_string();
    assert!(said.starts_with(&format!("another tanggap runs on this database, {}/t.db, or its lock", folder.path().display())), "{said}");
    drop(first);
    assert!(Db::sole(&url).unwrap().is_some());
    assert!(Db::sole("postgres://localhost/t").unwrap().is_none(), "workers share PostgreSQL by leases");
}
