//! A hundred accounts to which nobody writes: what that costs Meta's quota, memory and processor.
#![allow(clippy::print_stdout)] // figures, for a person

use std::collections::BTreeMap;

use jiff::SignedDuration;
use tanggap::demo::script::Pace;

use super::{SEED, asked, site::Site};

/// The demo's short intervals, or with `TANGGAP_SOAK_SECONDS` the default ones. No sweep falls into the test.
const SHORT: &str = "[poll]\ninterval = \"1s\"\nidle_interval = \"1s\"\nsweep_interval = \"12h\"\n";
const DEFAULT: &str = "[poll]\ninterval = \"60s\"\nidle_interval = \"5m\"\nsweep_interval = \"12h\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_accounts_with_nothing_new_cost_one_call_for_comments_and_one_for_messages_each() {
    let seconds = asked("TANGGAP_SOAK_SECONDS", 0);
    let (poll, length) = if seconds > 0 { (DEFAULT, seconds) } else { (SHORT, 8) };
    let pace = Pace { gap: SignedDuration::from_hours(1), answer: SignedDuration::from_hours(1), late: SignedDuration::from_secs(20) };
    let mut site = Site::new(SEED, 50, pace, poll).await;
    site.script.quiet();
    let database = format!("sqlite://{}", site.folder.path().join("idle.db").display());
    let daemon = site.start(&database);
    // Every account is read once, and the reads of older posts that come with it are over.
    site.live(SignedDuration::from_secs(if seconds > 0 { 90 } else { 8 })).await;
    for _ in 0..10 {
        site.simulator.world().clear_calls();
        site.live(SignedDuration::from_secs(4)).await;
        let counts = site.simulator.world().call_counts();
        if counts.keys().all(|(_, endpoint)| matches!(endpoint.as_str(), "feed" | "media" | "conversations")) {
            break;
        }
    }
    site.simulator.world().clear_calls();
    let busy = daemon.cpu();
    site.live(SignedDuration::from_secs(length)).await;
    let (memory, cpu) = (daemon.memory_kib(), daemon.cpu().saturating_sub(busy));
    let counts = site.simulator.world().call_counts();
    daemon.stop();

    let mut by_account: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for ((account, endpoint), calls) in counts {
        let both = by_account.entry(account).or_default();
        match endpoint.as_str() {
            "feed" | "media" => both.0 += calls,
            "conversations" => both.1 += calls,
            other => panic!("{calls} calls of {other}"),
        }
    }
    let (comments, messages) = by_account.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let share = cpu.as_secs_f64() / length as f64 * 100.0;
    println!("{comments} calls for comments and {messages} for messages of {} accounts in {length} s", by_account.len());
    println!("memory at most {:.1} MiB, processor {share:.2} % of a core", memory as f64 / 1024.0);
    assert!(comments >= 100 && comments.abs_diff(messages) <= 100, "as many for comments as for messages");
    // The bounds hold for what is delivered: a build for debugging is larger and slower.
    assert!(cfg!(debug_assertions) || memory < 40 * 1024, "{memory} KiB");
    assert!(seconds == 0 || share < 1.0, "{share} %");
}
