//! The ticket rules of semantics.md: on the real store against the reckoning, then rule by rule on the judge.

pub mod desk;
mod facts;
mod found;
mod handover;
pub mod ledger;
mod numbers;
mod steps;
pub mod story;
mod window;

use ledger::{Ledger, standing};
use proptest::prelude::*;
use story::{Story, live, twice};
use tanggap::domain::ticket::ActionKind;

use crate::reckoning::Expected;

/// `PROPTEST_CASES` raises it; this is what a run has time for.
fn cases(usual: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    ProptestConfig { cases, max_shrink_iters: 1000, failure_persistence: None, ..ProptestConfig::default() }
}

/// Says only what differs.
fn same(got: &[Expected], want: &[Expected]) -> Result<(), TestCaseError> {
    let only = |these: &[Expected], those: &[Expected]| these.iter().filter(|one| !those.contains(one)).cloned().collect::<Vec<_>>();
    let (surplus, lacking) = (only(got, want), only(want, got));
    prop_assert!(got == want, "stored, not reckoned: {surplus:#?}\nreckoned, not stored: {lacking:#?}");
    Ok(())
}

fn play(story: Story) -> (Vec<Expected>, Vec<Expected>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut ledger = Ledger::sqlite(story).await;
        let stored = ledger.play().await;
        (standing(stored), ledger.reckoned().await)
    })
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn the_stored_tickets_are_those_of_the_reckoning_whatever_was_seen_when(story in live()) {
        let (stored, reckoned) = play(story);
        same(&stored, &reckoned)?;
    }

    #[test]
    fn a_handover_anywhere_changes_no_tickets_deadline_state_or_number(
        (story, at) in (live(), prop::collection::vec((0..1500_i64, 0..6_usize), 1..8))
    ) {
        let (handed, noted) = (story.with(ActionKind::Handover, &at), story.with(ActionKind::Note, &at));
        let but_for_who_sees_to_it = |tickets: Vec<Expected>| -> Vec<_> {
            tickets.into_iter().map(|ticket| Expected { acknowledged_at: None, ..ticket }).collect()
        };
        same(&but_for_who_sees_to_it(play(handed).0), &but_for_who_sees_to_it(play(noted).0))?;
    }

    #[test]
    fn any_order_any_batching_and_any_repetition_give_the_same_tickets((first, second) in twice()) {
        let (first, second) = (play(first), play(second));
        same(&first.0, &first.1)?;
        same(&second.0, &first.0)?;
    }
}
