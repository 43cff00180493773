//! A year of tickets in a database within seconds, and how long its report takes.

use std::time::Instant;

use tanggap::{
    domain::{Scope, Time, settings::Settings},
    hours::calendar::Calendars,
    report::{self, Ask, By, page, what_if::what_if},
    store::{Db, db::Val, figures::figures},
};

use super::world::{at, settings};

const ACCOUNTS: i64 = 100;
/// The first ticket's number, far from those of the test worlds.
const FIRST: i64 = 1_000_000;

/// The year, from its first instant by the site's clock to its end.
pub fn period() -> (Time, Time) {
    (at("2025-12-31T17:00:00Z"), at("2026-12-31T17:00:00Z"))
}

/// So many tickets, each in a thread with a message of its own, spread evenly over a year and a hundred accounts of fifty agencies:
/// 80 % answered in time, 10 % late, 5 % unanswered, the rest dismissed, gone or hidden; one in fifty urgent.
pub async fn fill(db: &Db, tickets: i64) {
    let (from, to) = period();
    let step = (to.ms() - from.ms()) / tickets;
    let numbers = |rest: &str, count: usize| {
        let sql = format!("WITH RECURSIVE n(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < ${count} - 1) {rest}");
        Box::leak(sql.into_boxed_str()) as &'static str
    };
    let opened = "$1 + i * $2";
    let statements: Vec<(String, usize, Vec<Val>)> = vec![
        (
            "INSERT INTO account (id, platform, external_id, opd, name, active, next_poll_at)
             SELECT i + 100, CASE WHEN i % 2 = 0 THEN 'facebook' ELSE 'instagram' END, CAST(i + 100 AS TEXT), 'opd-' || CAST(i / 2 AS TEXT), 'Akun', 1, 0 FROM n"
                .into(),
            1,
            vec![ACCOUNTS.into()],
        ),
        (
            "INSERT INTO source (account_id, name, first_read_at, last_read_at) SELECT i + 100, 'comments', 1000, $2 FROM n".into(),
            1,
            vec![ACCOUNTS.into(), to.into()],
        ),
        (
            format!(
                "INSERT INTO thread (id, account_id, kind, key, name) SELECT i + {FIRST}, i % {ACCOUNTS} + 100,
                 CASE WHEN i % 3 = 0 THEN 'message' ELSE 'comment' END, CAST(i AS TEXT), CAST(i AS TEXT) FROM n"
            ),
            1,
            vec![tickets.into()],
        ),
        (
            format!(
                "INSERT INTO message (id, account_id, thread_id, object, key, external_id, kind, direction, top_level, author_id, author_name, text,
                 attachments, tags, created_at, seen_at, hidden, automatic, needs_answer, asks, urgent, urgent_at, bare, tags_own, by_page)
                 SELECT i + {FIRST}, i % {ACCOUNTS} + 100, i + {FIRST}, 'comment', 'y' || CAST(i AS TEXT), 'y' || CAST(i AS TEXT), 'comment', 'in', 1, 'c', 'Siti', 'Kapan?', '[]', '[]',
                 {opened}, {opened}, 0, 0, 1, 1, CASE WHEN i % 50 = 0 THEN 1 ELSE 0 END, CASE WHEN i % 50 = 0 THEN {opened} END, 0, 0, 0 FROM n"
            ),
            3,
            vec![from.into(), step.into(), tickets.into()],
        ),
        (
            format!(
                "INSERT INTO ticket (id, thread_id, account_id, author, policy, urgent, state, opened_at, due_at, breached_at, closed_at, answered_by,
                 business_seconds, reason, unverified, messages, steps, configuration)
                 SELECT i + {FIRST}, i + {FIRST}, i % {ACCOUNTS} + 100, 'c', CASE WHEN i % 50 = 0 THEN 'darurat' ELSE 'biasa' END, CASE WHEN i % 50 = 0 THEN 1 ELSE 0 END,
                 CASE WHEN r < 900 THEN 'answered' WHEN r < 950 THEN 'open' WHEN r < 970 THEN 'dismissed' ELSE 'withdrawn' END,
                 {opened}, {opened} + d, CASE WHEN r >= 800 AND r < 950 THEN {opened} + d END,
                 CASE WHEN r < 800 THEN {opened} + d * (r % 99 + 1) / 100 WHEN r < 900 THEN {opened} + d * 2 WHEN r >= 950 THEN {opened} + 600000 END,
                 CASE WHEN r < 20 THEN 'staff' WHEN r < 900 THEN '100' END,
                 CASE WHEN r < 800 THEN d * (r % 99 + 1) / 100000 WHEN r < 900 THEN d / 500 END,
                 CASE WHEN r >= 985 THEN 'hidden' WHEN r >= 970 THEN 'gone' WHEN r >= 950 THEN 'spam' END, 0, 1, '[]', ''
                 FROM (SELECT i, (i * 7919 + 13) % 1000 AS r, CASE WHEN i % 50 = 0 THEN 1800000 ELSE 14400000 END AS d FROM n) x"
            ),
            3,
            vec![from.into(), step.into(), tickets.into()],
        ),
        (format!("INSERT INTO ticket_message (message_id, ticket_id) SELECT i + {FIRST}, i + {FIRST} FROM n"), 1, vec![tickets.into()]),
    ];
    let mut tx = db.write().await.unwrap();
    for (sql, count, vals) in statements {
        tx.exec(numbers(&sql, count), vals).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// The test site with the year's fifty agencies.
pub fn agencies() -> Settings {
    let mut settings = settings();
    let one = settings.opds[0].clone();
    settings.opds = (0..ACCOUNTS / 2)
        .map(|nth| {
            let mut opd = one.clone();
            (opd.slug, opd.abbreviation) = (format!("opd-{nth}"), format!("OPD {nth}"));
            opd.accounts.clear();
            opd
        })
        .collect();
    settings
}

/// Prints how long each part takes; `TICKETS` says of how many.
#[tokio::test]
#[ignore = "a measurement: run it on a release build, alone"]
async fn the_report_of_a_year_is_ready_within_two_seconds() {
    let tickets = std::env::var("TICKETS").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let settings = agencies();
    let (sqlite, postgres) = (crate::store::world::World::sqlite().await, crate::store::world::World::postgres().await);
    for (name, db) in [("sqlite", &sqlite.db), ("postgres", &postgres.db)] {
        fill(db, tickets).await;
        let (span, now) = (period(), period().1);
        for round in 0..3 {
            let begun = Instant::now();
            let calendars = Calendars::new(&settings.calendars);
            let found = figures(db, span, &Scope::ALL, now).await.unwrap();
            let read = begun.elapsed();
            let ask = Ask { from: jiff::civil::date(2026, 1, 1), to: jiff::civil::date(2026, 12, 31), by: By::Opd, scope: &Scope::ALL };
            let report = report::report(&found, &settings, &calendars, ask, now).unwrap();
            let page = page::page(&report, &settings.site).unwrap();
            let whole = begun.elapsed();
            let replay = Instant::now();
            let _ = what_if(&found, (&settings, &calendars), (&settings, &calendars), now);
            println!(
                "{name} {round}: {} tickets read in {read:?}, report and page of {} bytes in {whole:?} all told, what-if {:?} more",
                report.totals.tickets,
                page.len(),
                replay.elapsed()
            );
            assert!(cfg!(debug_assertions) || whole.as_secs_f64() < 2.0, "{name}: {whole:?}");
        }
    }
}
