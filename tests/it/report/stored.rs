//! What the store gives a report is the same on both databases: cases, who held them, how accounts were watched, and only the scope's.

use tanggap::{
    domain::{AccountId, Scope, TicketId},
    store::{Db, figures},
};

use super::world::at;
use crate::{
    cli::world::{both, write},
    store::world::World,
};

async fn fill(db: &Db) {
    for (sql, vals) in [
        ("UPDATE ticket SET held_by = 'dinhub' WHERE id = 4", vec![]),
        (
            "INSERT INTO action (ticket_id, kind, by_name, at, text, applied_at) VALUES (4, 'handover', 'siti', $1, 'dinhub', $1),
             (4, 'note', 'siti', $1, 'x', $1), (1, 'handover', 'siti', $1, 'rsud', NULL)",
            vec![at("2026-11-24T03:00:00Z").into()],
        ),
        ("UPDATE ticket SET urgent = 1 WHERE id = 2", vec![]),
        ("UPDATE message SET urgent = 1, urgent_at = created_at + 60000 WHERE id = 2", vec![]),
        ("UPDATE source SET first_read_at = $1", vec![at("2026-11-01T00:00:00Z").into()]),
        (
            "INSERT INTO gap (account_id, source, from_at, until_at, reason) VALUES (1, 'comments', $1, $2, 'x'), (1, 'messages', $1, $2, 'x'),
             (2, 'messages', $3, $3, 'before')",
            vec![at("2026-11-24T00:00:00Z").into(), at("2026-11-24T12:00:00Z").into(), at("2026-11-02T00:00:00Z").into()],
        ),
        ("UPDATE account SET healthy = 0, reason = 'x' WHERE id = 2", vec![]),
        ("INSERT INTO concern (account_id, cause, since, detail) VALUES (1, 'blind_comments', 5, 'd')", vec![]),
    ] {
        write(db, sql, vals).await;
    }
}

#[tokio::test]
async fn the_figures_of_a_period_are_the_same_on_both_databases() {
    let (world, postgres) = both().await;
    let period = (at("2026-11-24T00:00:00Z"), at("2026-11-25T00:00:00Z"));
    let mut seen = Vec::new();
    for db in [&world.db, &postgres] {
        fill(db).await;
        let all = figures::figures(db, period, &Scope::ALL, at("2026-11-26T00:00:00Z")).await.unwrap();
        assert_eq!(
            all.cases.iter().map(|case| (case.id.0, case.opd.as_str())).collect::<Vec<_>>(),
            [(1, "dindukcapil"), (2, "rsud"), (3, "dindukcapil"), (4, "dinhub")]
        );
        assert_eq!((all.cases[1].urgent_at, all.cases[2].business_seconds), (Some(at("2026-11-24T02:06:00Z")), Some(3600)));
        let handovers = &all.handovers;
        assert_eq!((handovers.len(), handovers[&TicketId(4)][0].to.as_str()), (1, "dinhub"), "what no daemon applied has not happened");
        let (one, two) = (&all.accounts[&AccountId(1)], &all.accounts[&AccountId(2)]);
        assert_eq!((one.watched, two.watched, two.healthy, one.doubts.len()), (Some(0.5), Some(1.0), false, 1));
        let own = figures::figures(db, period, &Scope::of(["rsud", "dinhub"]), at("2026-11-26T00:00:00Z")).await.unwrap();
        assert_eq!(own.cases.iter().map(|case| case.id.0).collect::<Vec<_>>(), [2, 4]);
        let later = (period.1, at("2026-11-26T00:00:00Z"));
        let later = figures::figures(db, later, &Scope::of(["dindukcapil"]), later.1).await.unwrap();
        assert_eq!(
            (later.cases.len(), later.older.iter().map(|case| case.id.0).collect::<Vec<_>>()),
            (0, vec![1]),
            "what still waits is not lost"
        );
        let before = (at("2026-10-01T00:00:00Z"), at("2026-10-02T00:00:00Z"));
        let before = figures::figures(db, before, &Scope::ALL, later_now()).await.unwrap();
        assert!(before.accounts.values().all(|it| it.watched.is_none()), "nobody watched before the first read");
        seen.push((all.cases, own.cases));
    }
    assert_eq!(seen[0], seen[1]);
}

fn later_now() -> tanggap::domain::Time {
    at("2026-11-26T00:00:00Z")
}

#[tokio::test]
async fn the_cases_of_a_year_all_arrive_once_in_order() {
    let (sqlite, postgres) = (World::sqlite().await, World::postgres().await);
    for db in [&sqlite.db, &postgres.db] {
        super::year::fill(db, 12_345).await;
        let all = figures::figures(db, super::year::period(), &Scope::ALL, super::year::period().1).await.unwrap();
        let ids: Vec<i64> = all.cases.iter().map(|case| case.id.0).collect();
        assert_eq!((ids.len(), ids.first(), ids.last()), (12_345, Some(&1_000_000), Some(&1_012_344)));
        assert!(ids.is_sorted() && all.cases.iter().any(|case| case.urgent_at.is_some()));
    }
}
