//! Deadlines on the five-day office of the vectors, beside two crates that others wrote for the same arithmetic.

use std::{fmt::Write, hint::black_box, io, time::Instant};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tanggap::{
    cli::due::{DueArgs, run as command},
    domain::Time,
    hours::worktime::Worktime,
};

use crate::{Figure, Target, rate};

#[path = "../../tests/it/clock/calendars.rs"]
mod calendars;
#[path = "../../tests/it/clock/oracles.rs"]
#[allow(dead_code)] // the tests ask for more
mod oracles;

/// The seed of starts and budgets, so that two runs ask the same.
const SEED: u64 = 2026;
/// How many of the questions the slower crates are asked.
const SOME: usize = 50_000;

pub fn run() {
    let calendars = calendars::shipped();
    let spec = &calendars["kantor"];
    let mut rng = StdRng::seed_from_u64(SEED);
    // Starts within 2025 and 2026, budgets of up to 40 hours.
    let questions: Vec<(i64, i64)> =
        (0..1_000_000).map(|_| (rng.random_range(1_735_689_600..1_798_761_600), rng.random_range(1..144_000))).collect();

    let begun = Instant::now();
    let worktime = Worktime::new(spec);
    println!("due: table built in {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    let (workclock, ule_hours) = (oracles::Workclock::new(spec), oracles::UleHours::new(spec));
    let ours = || asked(&questions, |from, budget| worktime.due(Time::from_secs(from), budget).map_or(0, Time::secs));
    let some = &questions[..SOME];
    let target = Target::Rate(5_000_000.0);
    Figure::new("due", "deadlines", "ule-hours", target).measured(ours, || asked(some, |from, budget| ule_hours.due(from, budget))).print();
    Figure::new("due", "deadlines", "workclock (which knows no periods)", target)
        .measured(ours, || asked(some, |from, budget| workclock.due(from, budget)))
        .print();
    let differ =
        some.iter().filter(|(from, budget)| worktime.due(Time::from_secs(*from), *budget).unwrap().secs() != ule_hours.due(*from, *budget));
    println!("due: {} of {SOME} answers differ from ule-hours", differ.count());

    let mut lines = String::new();
    for (from, budget) in &questions {
        writeln!(lines, "kantor,{},{budget}", Time::from_secs(*from).rfc3339()).unwrap();
    }
    let args = DueArgs { calendar: None, within: None, at: None, stdin: true };
    let piped = || {
        rate(questions.len(), || {
            assert_eq!(command(&args, &calendars, lines.as_bytes(), io::sink(), io::sink()).unwrap(), 0);
        })
    };
    Figure::new("due --stdin", "lines", "the same questions without text", Target::None).measured(piped, ours).print();
}

fn asked(questions: &[(i64, i64)], due: impl Fn(i64, i64) -> i64) -> f64 {
    rate(questions.len(), || {
        black_box(questions.iter().fold(0, |sum: i64, &(from, budget)| sum.wrapping_add(due(black_box(from), budget))));
    })
}
