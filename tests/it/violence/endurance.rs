//! Two days in ten minutes: as many polls, messages, tickets and letters as 48 hours bring, and memory and file handles stay flat.
//!
//! An account with news is polled every 60 s, which is 2,880 times in 48 h; at one poll in 200 ms that takes 576 s, and longer where the
//! machine is slower: the hours told of are those that the polls stand for. A busy kabupaten of four accounts writes a thousand messages in
//! that time. By default a fifteenth of it. `TANGGAP_ENDURANCE_SECONDS=576 tests/run --release --test it violence::endurance -- --nocapture` is the whole of it.
#![allow(clippy::print_stdout)] // figures, for a person

use jiff::SignedDuration;
use tanggap::{demo::script::Pace, store::Db};

use crate::soak::{WEBHOOK, asked, checks, site::Site};

/// Real seconds that stand for 48 hours.
const WHOLE: i64 = 576;
/// What may come and go beside what is kept: a page of answers, a cache that fills. KiB.
const SLACK: u64 = 4 * 1024;

fn median(samples: &mut [u64]) -> u64 {
    samples.sort_unstable();
    samples[samples.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_and_file_handles_stay_flat_over_days() {
    let length = asked("TANGGAP_ENDURANCE_SECONDS", WHOLE / 15 + 2);
    let more = format!("[poll]\ninterval = \"200ms\"\nidle_interval = \"200ms\"\nsweep_interval = \"6s\"\n{WEBHOOK}");
    let pace = Pace { gap: SignedDuration::from_millis(576), answer: SignedDuration::from_secs(8), late: SignedDuration::from_secs(5) };
    let mut site = Site::new(23, 2, pace, &more).await;
    let database = format!("sqlite://{}", site.folder.path().join("days.db").display());
    let daemon = site.start(&database);
    let (mut memory, mut handles) = (Vec::new(), Vec::new());
    for _ in 0..length {
        site.live(SignedDuration::from_secs(1)).await;
        memory.push(daemon.resident_kib());
        handles.push(daemon.handles());
    }
    let polls = {
        let world = site.simulator.world();
        let lists = world.call_counts().into_iter().filter(|((_, endpoint), _)| matches!(endpoint.as_str(), "feed" | "media"));
        lists.map(|(_, calls)| calls).collect::<Vec<_>>()
    };
    let db = Db::open(&database).await.unwrap();
    let site = super::end(site, daemon, &db, 0).await;
    checks::flags_were_prompt(&db, 0).await;
    checks::the_log_tells_of_no_fault(&site);

    let third = memory.len() / 3;
    let (middle, last) = (median(&mut memory[third..2 * third]), median(&mut memory[2 * third..]));
    let most = |part: &[u64]| part.iter().copied().max().unwrap();
    let (held, held_last) = (most(&handles[third..2 * third]), most(&handles[2 * third..]));
    println!("resident: {middle} KiB, then {last} KiB; file handles: {held}, then {held_last}");
    let least = polls.iter().copied().min().unwrap();
    println!("{:.1} hours in {length} s: {polls:?} polls of each account", least as f64 / 60.0);
    assert!(least as i64 > length / 2, "an account was polled {least} times only");
    assert!(last <= middle + middle / 10 + SLACK, "memory grows: {memory:?}");
    assert!(held_last <= held + 4, "file handles grow: {handles:?}");
}
