//! Deadlines a second on the five-day office of the vectors, beside two crates that others wrote for the same arithmetic.
#![allow(clippy::print_stdout, clippy::unwrap_used)] // a bench reports to a person

use std::{fmt::Write, hint::black_box, io, time::Instant};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tanggap::{
    cli::due::{DueArgs, run},
    domain::Time,
    sla::worktime::Worktime,
};

#[path = "../tests/it/clock/calendars.rs"]
mod calendars;
#[path = "../tests/it/clock/oracles.rs"]
#[allow(dead_code)] // the tests ask for more
mod oracles;

/// The seed of starts and budgets, so that two runs ask the same.
const SEED: u64 = 2026;

fn main() {
    let calendars = calendars::shipped();
    let spec = &calendars["kantor"];
    let mut rng = StdRng::seed_from_u64(SEED);
    // Starts within 2025 and 2026, budgets of up to 40 hours.
    let questions: Vec<(i64, i64)> =
        (0..1_000_000).map(|_| (rng.random_range(1_735_689_600..1_798_761_600), rng.random_range(1..144_000))).collect();

    let begun = Instant::now();
    let worktime = Worktime::new(spec);
    println!("table built in {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    let ours = rate("tanggap", &questions, |from, budget| worktime.due(Time::from_secs(from), budget).map_or(0, Time::secs));
    let (workclock, ule_hours) = (oracles::Workclock::new(spec), oracles::UleHours::new(spec));
    let some = &questions[..50_000];
    for (name, theirs) in [
        ("workclock (without the periods)", rate("workclock", some, |from, budget| workclock.due(from, budget))),
        ("ule-hours", rate("ule-hours", some, |from, budget| ule_hours.due(from, budget))),
    ] {
        println!("{:.0} times {name}", ours / theirs);
    }
    let differ =
        some.iter().filter(|(from, budget)| worktime.due(Time::from_secs(*from), *budget).unwrap().secs() != ule_hours.due(*from, *budget));
    println!("answers that differ from ule-hours: {} of {}", differ.count(), some.len());

    let mut lines = String::new();
    for (from, budget) in &questions {
        writeln!(lines, "kantor,{},{budget}", Time::from_secs(*from).rfc3339()).unwrap();
    }
    let args = DueArgs { calendar: None, within: None, at: None, stdin: true };
    let begun = Instant::now();
    assert_eq!(run(&args, &calendars, lines.as_bytes(), io::sink(), io::sink()).unwrap(), 0);
    println!("due --stdin: {:.0} lines a second", questions.len() as f64 / begun.elapsed().as_secs_f64());
}

/// Answers a second, the best of three rounds.
fn rate(name: &str, questions: &[(i64, i64)], due: impl Fn(i64, i64) -> i64) -> f64 {
    let round = || {
        let begun = Instant::now();
        black_box(questions.iter().fold(0, |sum: i64, &(from, budget)| sum.wrapping_add(due(black_box(from), budget))));
        questions.len() as f64 / begun.elapsed().as_secs_f64()
    };
    let best = (0..3).map(|_| round()).fold(0.0, f64::max);
    println!("{name}: {best:.0} deadlines a second");
    best
}
