//! `db copy`: the real program moves a SQLite database to a real PostgreSQL, is killed on the way, and everything arrives.
//!
//! `TANGGAP_COPY_TICKETS=1000000 tests/run --release --test it -- cli::copy --nocapture` is the large one.

use std::{
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use tanggap::store::{Db, StoreError, copy};

use super::world::{World, stderr, write};
use crate::{databases::postgres, report::year};

/// How many times it is killed.
const KILLS: u64 = 3;

/// A year of tickets in the SQLite database, its connections closed, and an empty PostgreSQL.
async fn filled(tickets: i64) -> (World, String) {
    let world = World::new().await;
    write(&world.db, "UPDATE account SET external_id = 'own ' || external_id", vec![]).await;
    year::fill(&world.db, tickets).await;
    (world, postgres().await)
}

fn copying(world: &World, to: &str) -> Command {
    world.command(&["db", "copy", "--to", to])
}

fn started(world: &World, to: &str) -> Child {
    copying(world, to).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn done(output: &Output) -> String {
    assert_eq!((output.status.code(), stderr(output).as_str()), (Some(0), ""));
    String::from_utf8(output.stdout.clone()).unwrap()
}

async fn number(db: &Db, sql: &'static str) -> i64 {
    db.rows(sql, vec![]).await.unwrap()[0].i("n").unwrap()
}

/// Waits until so many messages are there, or the copy has ended.
async fn until_there(to: &str, messages: i64, child: &mut Child) {
    let target = Db::open_unfinished(to).await.unwrap();
    while number(&target, "SELECT COUNT(*) AS n FROM message").await < messages && child.try_wait().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    target.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout)] // figures
async fn a_copy_that_is_killed_three_times_goes_on_and_ends_complete() {
    let tickets = std::env::var("TANGGAP_COPY_TICKETS").map_or(12_000, |text| text.parse().unwrap());
    let (world, to) = filled(tickets).await;
    let began = Instant::now();
    let mut before = 0;
    for kill in 1..=KILLS as i64 {
        let mut child = started(&world, &to);
        until_there(&to, tickets * kill / (KILLS as i64 + 1), &mut child).await;
        assert!(child.try_wait().unwrap().is_none(), "it was to be killed on the way");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(matches!(Db::open(&to).await, Err(StoreError::Unfinished)), "no daemon starts on half a database");
        let target = Db::open_unfinished(&to).await.unwrap();
        let there = number(&target, "SELECT COUNT(*) AS n FROM message").await;
        assert!(there > before && there < tickets, "{before} {there}: it goes on");
        before = there;
        target.close().await;
    }
    // what was copied is changed before the rest is: the comparison sees it
    write(&world.db, "UPDATE message SET text = 'diubah' WHERE id = (SELECT MIN(id) FROM message)", vec![]).await;
    let output = tokio::task::block_in_place(|| copying(&world, &to).output().unwrap());
    let said = done(&output);
    println!("{tickets} tickets, killed {KILLS} times: {:.1} s all told", began.elapsed().as_secs_f64());
    assert!(said.contains("rows copied and compared"), "{said}");
    let target = Db::open(&to).await.unwrap();
    let tables = copy::tables(&world.db, &target).await.unwrap();
    for table in &tables {
        assert!(said.contains(&format!("{:>12} {}\n", table.rows, table.name)), "{said}");
    }
    assert!(tables.len() > 20 && tables.iter().any(|table| table.name == "message" && table.rows >= tickets as u64));
    assert_eq!(number(&target, "SELECT COUNT(*) AS n FROM message WHERE text = 'diubah'").await, 1);
    let sum = "SELECT CAST(SUM(id) + SUM(created_at / 1000) + SUM(length(text)) AS BIGINT) AS n FROM message";
    assert_eq!(number(&world.db, sum).await, number(&target, sum).await);
    let highest = number(&target, "SELECT MAX(id) AS n FROM message").await;
    let mut tx = target.write().await.unwrap();
    let new =
        tx.rows("INSERT INTO gap (account_id, source, from_at, until_at, reason) VALUES (1, 'x', 0, 0, '') RETURNING id AS n", vec![]);
    assert_eq!(new.await.unwrap()[0].i("n").unwrap(), number(&world.db, "SELECT COALESCE(MAX(id), 0) + 1 AS n FROM gap").await);
    let next = tx.rows("SELECT nextval(pg_get_serial_sequence('message', 'id')) AS n", vec![]).await.unwrap()[0].i("n").unwrap();
    assert_eq!(next, highest + 1, "new rows get new numbers");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_is_told_once_as_it_is_copied_and_twice_as_it_is_compared() {
    let (world, to) = filled(30).await;
    let target = Db::open_unfinished(&to).await.unwrap();
    let tables = copy::tables(&world.db, &target).await.unwrap();
    let rows: u64 = tables.iter().map(|table| table.rows).sum();
    let told = AtomicU64::new(0);
    let count = |rows| {
        told.fetch_add(rows, Relaxed);
    };
    copy::copy(&world.db, &target, &tables, count).await.unwrap();
    assert_eq!(told.swap(0, Relaxed), rows);
    copy::compare(&world.db, &target, &tables, count).await.unwrap();
    assert_eq!(told.into_inner(), 2 * rows);
    assert!(Db::open(&to).await.is_ok(), "a daemon may start on it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_listings_say_is_the_same_after_the_move() {
    let (world, to) = (World::new().await, postgres().await);
    let commands: [&[&str]; 4] = [&["queue", "--state", "all"], &["show", "1"], &["messages"], &["accounts"]];
    let before: Vec<String> = commands.iter().map(|args| world.output(args)).collect();
    done(&copying(&world, &to).output().unwrap());
    for (args, before) in commands.iter().zip(before) {
        let output = world.command(args).env("TANGGAP__DATABASE__URL", &to).output().unwrap();
        assert_eq!(done(&output), before, "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_not_fit_is_refused_and_left_as_it_was() {
    let (world, to) = (World::new().await, postgres().await);
    let refused = |to: &str, status: i32, why: &str| {
        let output = copying(&world, to).output().unwrap();
        let said = stderr(&output);
        assert!(output.status.code() == Some(status) && said.contains(why) && said.lines().count() == 1, "{to}: {said}");
        assert!(output.stdout.is_empty() && !said.contains("rahasia"), "{said}");
    };
    refused("sqlite:///tmp/lain.db", 1, "goes from the SQLite database");
    refused("postgres://tanggap:rahasia@127.0.0.1/t", 2, "into a file of mode 0600");
    refused("env:SET_NOWHERE", 2, "SET_NOWHERE");
    refused("postgres://127.0.0.1:1/nowhere", 1, "opening the database that --to names");
    let daemon = Db::sole(&format!("sqlite://{}", world.path("tanggap.db").display())).unwrap();
    refused(&to, 1, "systemctl stop tanggap");
    drop(daemon);
    let target = Db::open(&to).await.unwrap();
    write(&target, "INSERT INTO meta (key, value) VALUES ('a', 'b')", vec![]).await;
    refused(&to, 1, "its table meta holds rows");
    write(&target, "DELETE FROM meta", vec![]).await;
    write(&target, "CREATE TABLE copying (name TEXT NOT NULL PRIMARY KEY, after TEXT NOT NULL)", vec![]).await;
    write(&target, "INSERT INTO copying (name, after) VALUES ('', 'other')", vec![]).await;
    refused(&to, 1, "broken-off copy of another database");
}
