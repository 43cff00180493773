//! A bad month: the clock is stepped, Meta fails in every way it knows, and nothing that was written is missed.
//!
//! Six hours by default. `TANGGAP_MONTH_DAYS=30 tests/run --release --test it poll::month -- --nocapture` is the whole of it; it
//! prints its figures.
#![allow(clippy::print_stdout)] // figures, for a person

use jiff::{SignedDuration, Timestamp};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use tanggap::{
    demo::{
        hook::Manner,
        script::Pace,
        world::{Death, Fault, Scope, Use, World as Graph},
    },
    runtime::Clock as _,
};

use super::world::World;
use crate::soak::checks;

const SEED: u64 = 2021;
/// The default intervals.
const INTERVALS: &str = "[poll]\ninterval = \"60s\"\nidle_interval = \"5m\"\nsweep_interval = \"30m\"\n";
/// How far the clock moves at once.
const STEP: SignedDuration = SignedDuration::from_mins(1);

/// One failure of every class the fact sheets know, but limits and dead tokens, which have their own days.
pub fn faults() -> Vec<Fault> {
    vec![
        Fault::Unknown,
        Fault::Transient,
        Fault::TooMuchData,
        Fault::Error(400, 100, Some(33)),
        Fault::Error(400, -2, Some(2_534_084)),
        Fault::Html,
        Fault::Empty,
        Fault::HalfBody,
        Fault::Reset,
        Fault::WrongType,
        Fault::EmptyPage,
        Fault::Body("{\"data\":[{\"id\":1},7,null,\"x\"]}".into()),
        Fault::Redirect("http://127.0.0.1:9/".into()),
    ]
}

/// What befalls the accounts, each at its share of the month.
fn calamities(graph: &mut Graph, accounts: &[String], share: f64, before: f64) {
    let reaches = |at: f64| before < at && at <= share;
    if reaches(0.2) {
        graph.throttle(Use::Pages, &accounts[0], SignedDuration::from_hours(1));
        graph.throttle(Use::Instagram, &accounts[1], SignedDuration::from_hours(1));
    }
    if reaches(0.3) {
        graph.kill_token(&accounts[2], Death::PasswordChanged);
    }
    if reaches(0.3 + 2.0 / 30.0) {
        graph.revive_token(&accounts[2]);
    }
    if reaches(0.5) {
        graph.revoke_scope(&accounts[4], "pages_messaging");
    }
    if reaches(0.6) {
        graph.grant_scope(&accounts[4], "pages_messaging");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_bad_month_every_message_is_stored_once_and_no_limit_is_overstepped() {
    let days: f64 = std::env::var("TANGGAP_MONTH_DAYS").map_or(0.25, |text| text.parse().unwrap());
    let whole = days >= 1.0;
    let (agencies, gap) = if whole { (20, SignedDuration::from_secs(220)) } else { (3, SignedDuration::from_mins(3)) };
    let pace = Pace { gap, answer: SignedDuration::from_mins(40), late: SignedDuration::from_mins(10) };
    let (mut world, mut script) = World::with(SEED, agencies, pace, INTERVALS).await;
    let accounts: Vec<String> = (0..agencies).flat_map(|at| [world.page(at), world.instagram(at)]).collect();
    for at in 0..agencies {
        // The clock stands still within a step, so that "two a second" would never pass.
        world.simulator.world().set_limit(Use::InstagramConversations, &world.instagram(at), 1_000);
    }
    let mut rng = StdRng::seed_from_u64(SEED);
    world.introduced().await;
    let (mut hooks, web) = world.hooks(Manner { drops_half: true, ..Manner::default() }).await;

    let length = SignedDuration::from_secs_f64(days * 86_400.0);
    let begun = world.clock.now();
    let passed = |now: Timestamp| now.duration_since(begun);
    let (mut before, mut ordered, mut calls) = (0.0, 0, 0);
    while passed(world.clock.now()) < length {
        {
            let mut graph = world.simulator.world();
            let share = passed(world.clock.now()).as_secs_f64() / length.as_secs_f64();
            calamities(&mut graph, &accounts, share, before);
            before = share;
            // One call in twenty fails.
            let now = graph.calls().len();
            let wanted = (now - calls) / 20 + usize::from(rng.random_bool(0.5));
            calls = now;
            for _ in 0..wanted {
                let fault = faults().choose(&mut rng).cloned().unwrap();
                graph.fail_next(Scope::All, fault, 1);
                ordered += 1;
            }
            script.step(&mut graph, world.clock.now());
        }
        assert!(hooks.send().await.unwrap().iter().all(|status| *status == 200));
        world.turn(STEP).await;
    }
    web.stop().await.unwrap();
    // Whatever was written is shown within ten minutes and swept within half an hour.
    world.simulator.world().end_outages();
    for _ in 0..45 {
        world.turn(STEP).await;
    }

    let (all, throttled) = {
        let graph = world.simulator.world();
        (graph.calls().len(), graph.throttled_calls())
    };
    println!("{days} days, {} accounts: {all} calls, of which {ordered} were made to fail and {throttled} met a limit", accounts.len());
    checks::every_message_is_stored_once(&world.db, &world.simulator).await;
    assert!(throttled <= 2, "each limit is met by the one call that tells of it");
}
