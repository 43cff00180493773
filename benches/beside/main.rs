//! What it costs to find what people write, and how soon it is found: the program without webhooks, with them, and with every other one
//! lost, beside a client that works as Zammad does. Each reads the same simulated story, second by second, on a clock that is stepped.
//!
//! `cargo bench --bench beside`: twelve hours, in the first half of which citizens write; `TANGGAP_BESIDE_HOURS` is another number of
//! them. Meta answers at once here, so that a delay is nothing but waiting for a read. The program only polls: what it reads once more
//! before it flags follows from the deadlines somebody sets.
#![allow(clippy::print_stdout, clippy::unwrap_used)] // a bench reports to a person

use std::{env, process::Command};

use jiff::SignedDuration;
use tanggap::{
    demo::{hook::Manner, script::Pace, world::Use},
    runtime::Clock as _,
};

mod figures;
mod ours;
#[allow(dead_code)] // what steps the stages after poll is the tests'
#[path = "../../tests/it/stages.rs"]
mod stages;
mod table;
mod zammad;

use figures::{Found, Reach, Read};

const SEED: u64 = 2021;
const AGENCIES: usize = 4;
/// Sixty messages of citizens an hour to each agency, on average, and what follows from them.
const PACE: Pace = Pace { gap: SignedDuration::from_secs(15), answer: SignedDuration::from_mins(30), late: SignedDuration::from_mins(2) };
/// The program's defaults; the simulated site has quicker ones.
const INTERVALS: &str = "[poll]\ninterval = \"60s\"\nidle_interval = \"5m\"\nsweep_interval = \"30m\"\n";
const STEP: SignedDuration = SignedDuration::from_secs(1);

/// Somebody who reads the accounts.
trait Reader {
    /// Reads what is to be read at this second.
    async fn second(&mut self);
    /// Everything that was ever found.
    async fn found(self) -> Vec<Found>;
}

fn main() {
    if env::args().skip(1).any(|argument| !argument.starts_with('-')) {
        return; // `cargo bench -- NAME` asks for one of the other figures
    }
    let hours = env::var("TANGGAP_BESIDE_HOURS").map_or(12, |text| text.parse().unwrap());
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(compare(hours));
}

async fn compare(hours: i64) {
    let commit = Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let commit = commit.ok().and_then(|told| String::from_utf8(told.stdout).ok()).unwrap_or_default();
    println!("{hours} hours, seed {SEED}, {} accounts, commit {}", AGENCIES * 2, commit.trim());
    let mut table = table::Table::default();
    let half = Manner { drops_half: true, ..Manner::default() };
    for (name, hooks) in
        [("tanggap", None), ("tanggap with webhooks", Some(Manner::default())), ("tanggap, half of its webhooks lost", Some(half))]
    {
        let mut site = site().await;
        let reader = ours::Tanggap::new(&site, hooks).await;
        let read = live(&mut site, reader, Reach::Everything, hours).await;
        table.add(name, &site.simulator.world(), &read);
    }
    let mut site = site().await;
    let reader = zammad::Client::new(&site);
    let read = live(&mut site, reader, Reach::Walls, hours).await;
    table.add("like Zammad", &site.simulator.world(), &read);
    table.print();
}

/// The accounts before anybody writes.
async fn site() -> stages::Site {
    let site = stages::site(SEED, AGENCIES, PACE, INTERVALS).await;
    for agency in site.script.agencies() {
        // The clock stands still within a second.
        site.simulator.world().set_limit(Use::InstagramConversations, &agency.instagram.id, 1_000);
    }
    site
}

/// Lets the story happen while somebody reads it.
async fn live(site: &mut stages::Site, mut reader: impl Reader, reach: Reach, hours: i64) -> Read {
    // The first read of everything is no part of it.
    for _ in 0..2 {
        reader.second().await;
        site.clock.advance(STEP);
    }
    site.simulator.world().clear_calls();
    let begun = site.clock.now();
    for second in 0..hours * 3_600 {
        if second == hours * 1_800 {
            site.script.quiet();
        }
        site.script.step(&mut site.simulator.world(), site.clock.now());
        reader.second().await;
        site.clock.advance(STEP);
    }
    Read { begun, hours, reach, found: reader.found().await }
}
