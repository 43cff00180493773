//! How fast the parts are that run often: `cargo bench` measures all of them, `cargo bench -- intake` one.
//!
//! Each figure is measured beside an anchor, in turn with it and in the same run: the ratio holds on any machine, the figure only on
//! this one.
#![allow(clippy::print_stdout, clippy::unwrap_used)] // a bench reports to a person

use std::{env, process::ExitCode, time::Instant};

mod answers;
mod due;
mod files;
mod flags;
mod intake;
mod judge;
mod normalize;

/// How often a figure is measured: enough for a median, few enough to wait for.
const ROUNDS: usize = 5;

fn main() -> ExitCode {
    let subjects: [(&str, fn()); 5] =
        [("normalize", normalize::run), ("judge", judge::run), ("due", due::run), ("intake", intake::run), ("flags", flags::run)];
    let asked: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect(); // cargo adds --bench
    if let Some(unknown) = asked.iter().find(|name| !subjects.iter().any(|(known, _)| known == name)) {
        println!("no subject is called {unknown}; there are {}", subjects.map(|(name, _)| name).join(", "));
        return ExitCode::from(2);
    }
    for (_, run) in subjects.iter().filter(|(name, _)| asked.is_empty() || asked.iter().any(|wanted| wanted == name)) {
        run();
    }
    ExitCode::SUCCESS
}

/// How many a second, when `work` does `count`.
fn rate(count: usize, work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    count as f64 / begun.elapsed().as_secs_f64()
}

/// What a figure must reach.
#[derive(Clone, Copy)]
enum Target {
    /// Nothing was promised.
    None,
    /// So many a second.
    Rate(f64),
    /// So much of the anchor's rate.
    Ratio(f64),
}

/// A rate beside its anchor's.
struct Figure {
    what: &'static str,
    unit: &'static str,
    anchor: &'static str,
    target: Target,
    ours: Vec<f64>,
    ratios: Vec<f64>,
}

impl Figure {
    fn new(what: &'static str, unit: &'static str, anchor: &'static str, target: Target) -> Self {
        Self { what, unit, anchor, target, ours: Vec::new(), ratios: Vec::new() }
    }

    /// Measures both in turn.
    fn measured(mut self, mut ours: impl FnMut() -> f64, mut anchor: impl FnMut() -> f64) -> Self {
        for _ in 0..ROUNDS {
            self.add(ours(), anchor());
        }
        self
    }

    /// Adds a round.
    fn add(&mut self, ours: f64, anchor: f64) {
        self.ours.push(ours);
        self.ratios.push(ours / anchor);
    }

    /// One line: medians, with the least and the most in brackets.
    fn print(mut self) {
        let ((ours, span), (ratio, ratio_span)) = (spread(&mut self.ours, 0), spread(&mut self.ratios, 3));
        let (target, met) = match self.target {
            Target::None => ("none".to_owned(), true),
            Target::Rate(least) => (format!("at least {least:.0} a second"), ours >= least),
            Target::Ratio(least) => (format!("at least {least} of {}", self.anchor), ratio >= least),
        };
        let (what, unit, anchor, verdict) = (self.what, self.unit, self.anchor, if met { "" } else { " - MISSED" });
        println!("{what}: {ours:.0} {unit} a second ({span}), {ratio:.3} of {anchor} ({ratio_span}); target: {target}{verdict}");
    }
}

/// The median, and the least and the most as text.
fn spread(rounds: &mut [f64], digits: usize) -> (f64, String) {
    rounds.sort_by(f64::total_cmp);
    (rounds[rounds.len() / 2], format!("{:.digits$} to {:.digits$}", rounds[0], rounds[rounds.len() - 1]))
}
