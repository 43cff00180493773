//! The seeded simulator: the real program on a real database, with a world of citizens and officials, a clock and faults that follow from one
//! number. After every step all that must hold is checked; a failure prints the one command that repeats it.
//!
//! `TANGGAP_SIM_SEEDS=0..2000 TANGGAP_SIM_DATABASE=sqlite tests/run --release --test it sim::seeds -- --nocapture` is the whole of it; without
//! the variables some fixed seeds run on both databases. `TANGGAP_SIM_FRESH=50` adds fresh ones, `TANGGAP_SIM_SEED=7` runs one. A seed draws the same story and the same
//! faults again; most read one account at a time (`poll.concurrency = 1`), so that the order of events is the same too. In the others, and
//! where several letters are under way at once, the order within one step is the machine's.
#![allow(clippy::print_stdout)] // figures, for a person

mod acts;
mod checks;
mod driver;
mod faults;
mod frozen;
mod gate;
mod letters;
mod people;
mod process;
mod restored;
mod rules;
mod site;
mod stored;
mod tickets;
mod world;

use std::{
    collections::BTreeMap,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tanggap::runtime::held;

use self::{
    driver::Driver,
    faults::{Act, KINDS},
};
use crate::stages::Heard;

/// Over so many seeds every kind of fault must have happened.
const MANY: usize = 50;

/// Seeds that found a fault in the program, with what it was. They run always.
const FOUND: [(u64, &str); 2] = [
    (16, "after the machine's clock was set back no account was read, and so every flag held, until the old clock's time had come"),
    (24, "the same; and then flags that had been held were looked at only when the old clock's time had come"),
];

/// What a seed came to.
struct Run {
    seed: u64,
    took: Duration,
    faults: BTreeMap<&'static str, usize>,
    messages: usize,
    tickets: usize,
    flags: usize,
    letters: (usize, usize),
    steps: usize,
    calls: usize,
}

/// Runs one seed with all that happens in it on this thread, but for what SQLite does.
fn run(seed: u64, database: &'static str) -> Run {
    run_with(seed, database, &[])
}

/// The same with something more, each so many hours after the beginning.
fn run_with(seed: u64, database: &'static str, more: &[(i64, Act)]) -> Run {
    let heard = Heard::default();
    let subscriber = tracing_subscriber::fmt().with_writer(heard.clone()).with_ansi(false).with_max_level(tracing::Level::INFO).finish();
    tracing::subscriber::with_default(subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let postgres = if database == "postgres" { Some(crate::databases::postgres().await) } else { None };
            let began = Instant::now();
            let mut driver = Driver::new(seed, postgres, heard).await;
            for (hours, act) in more {
                driver.add(*hours, act.clone());
            }
            driver.run().await;
            let (items, calls) = {
                let graph = driver.world.simulator.world();
                (graph.items().len(), graph.calls().len())
            };
            Run {
                seed,
                took: began.elapsed(),
                faults: driver.counts.all(),
                messages: items,
                tickets: driver.checks.ledger.compared,
                flags: driver.checks.ledger.flags,
                letters: (driver.checks.letters.accepted, driver.checks.letters.copies),
                steps: driver.checks.steps,
                calls,
            }
        })
    })
}

/// Runs seeds on two threads; prints figures, and for each that fails the command that repeats it.
fn seeds(seeds: &[u64], database: &'static str) {
    let (next, runs, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(&seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Ok(run) = catch_unwind(AssertUnwindSafe(|| run(seed, database))) {
                        held(&runs).push(run);
                    } else {
                        println!("seed {seed} fails on {database}; to repeat it:\n  {}", command(seed, database));
                        held(&failed).push(seed);
                    }
                }
            });
        }
    });
    let (mut runs, failed) = (runs.into_inner().unwrap(), failed.into_inner().unwrap());
    let mut faults: BTreeMap<&'static str, usize> = BTreeMap::new();
    for (kind, count) in runs.iter().flat_map(|run| &run.faults) {
        *faults.entry(kind).or_default() += count;
    }
    runs.sort_by_key(|run| run.took);
    if let (Some(middle), Some(longest)) = (runs.get(runs.len() / 2), runs.last()) {
        let sum = |of: fn(&Run) -> usize| runs.iter().map(of).sum::<usize>();
        println!(
            "{} seeds on {database}: {:.2?} at the median, {:.2?} at most (seed {}); {} things written, {} steps, {} calls to Meta, {} comparisons of tickets, {} flags, {} letters, {} copies",
            runs.len(),
            middle.took,
            longest.took,
            longest.seed,
            sum(|run| run.messages),
            sum(|run| run.steps),
            sum(|run| run.calls),
            sum(|run| run.tickets),
            sum(|run| run.flags),
            sum(|run| run.letters.0),
            sum(|run| run.letters.1),
        );
        println!("faults: {faults:?}");
    }
    assert!(failed.is_empty(), "these seeds fail on {database}: {failed:?}; {}", command(failed[0], database));
    let never: Vec<&&str> = KINDS.iter().filter(|kind| !faults.contains_key(**kind)).collect();
    assert!(seeds.len() < MANY || never.is_empty(), "never injected: {never:?}");
}

fn command(seed: u64, database: &str) -> String {
    format!("TANGGAP_SIM_SEED={seed} TANGGAP_SIM_DATABASE={database} tests/run --test it sim::seeds -- --nocapture")
}

/// What the variables ask for: the seeds and the database, `None` where nothing is asked.
fn asked() -> Option<(Vec<u64>, &'static str)> {
    let database = match std::env::var("TANGGAP_SIM_DATABASE").as_deref() {
        Ok("postgres") => "postgres",
        _ => "sqlite",
    };
    if let Ok(seed) = std::env::var("TANGGAP_SIM_SEED") {
        return Some((vec![seed.parse().unwrap()], database));
    }
    let range = std::env::var("TANGGAP_SIM_SEEDS").ok()?;
    let (from, to) = range.split_once("..").expect("FROM..TO");
    let fresh = std::env::var("TANGGAP_SIM_FRESH").map_or(0, |count| count.parse().unwrap());
    Some((with_fresh(from.parse().unwrap()..to.parse().unwrap(), fresh), database))
}

/// These seeds, and so many that nobody has seen before.
fn with_fresh(fixed: Range<u64>, fresh: u64) -> Vec<u64> {
    let base = u64::from(rand::random::<u32>()) << 16;
    if fresh > 0 {
        println!("fresh seeds from {base}");
    }
    fixed.chain(base..base + fresh).collect()
}

#[test]
fn seeds_on_sqlite_break_nothing() {
    match asked() {
        Some((_, "postgres")) => {}
        Some((list, database)) => seeds(&list, database),
        None => seeds(&with_fresh(0..6, 0), "sqlite"),
    }
}

#[test]
fn seeds_that_found_a_fault_find_it_no_more() {
    if asked().is_none() {
        for (seed, fault) in FOUND {
            println!("seed {seed}: {fault}");
        }
        seeds(&FOUND.map(|(seed, _)| seed), "sqlite");
    }
}

#[test]
fn seeds_on_postgresql_break_nothing() {
    match asked() {
        Some((_, "sqlite")) => {}
        Some((list, database)) => seeds(&list, database),
        None => seeds(&with_fresh(0..2, 0), "postgres"),
    }
}

/// The seed must fail with this: the first words of a check.
fn noticed(more: &[(i64, Act)], check: &str) {
    let failed = catch_unwind(AssertUnwindSafe(|| run_with(0, "sqlite", more))).err().expect("nothing was noticed");
    let said = failed.downcast_ref::<String>().cloned().unwrap_or_default();
    assert!(said.contains(check), "{said}");
}

#[test]
fn a_message_that_vanishes_from_the_database_is_noticed() {
    let sql =
        "DELETE FROM message WHERE id = (SELECT MAX(m.id) FROM message m JOIN post p ON p.key = m.parent OR p.external_id = m.parent)";
    noticed(&[(30, Act::Sabotage(sql))], "not stored");
}

#[test]
fn a_deadline_that_is_not_the_policys_is_noticed() {
    noticed(&[(20, Act::Sabotage("UPDATE ticket SET due_at = due_at + 60000 WHERE state <> 'open'"))], "due");
}

#[test]
fn a_commit_that_is_said_to_be_done_and_is_not_is_noticed() {
    // Most are done again at the next look; a letter that arrived goes out a second time, and that has no cause.
    noticed(&[(12, Act::Lie)], "causes");
}
