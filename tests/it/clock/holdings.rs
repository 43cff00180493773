//! Which agency held a ticket how long: the parts are without gap and together the whole.

use jiff::SignedDuration;
use proptest::prelude::*;
use tanggap::{domain::Time, hours::holding::holdings};

use super::{at, kantor};

/// `opd from until seconds business_seconds`, times as minutes since the first.
fn held(minutes: &[(i64, &str)], ended: Option<i64>, now: i64) -> Vec<String> {
    let start = at("2026-11-24T14:00:00+07:00");
    let minute = |n: i64| start.plus(SignedDuration::from_mins(n));
    let since = |time: Time| time.since(start).as_secs() / 60;
    let handovers: Vec<_> = minutes.iter().map(|(n, opd)| (minute(*n), (*opd).to_owned())).collect();
    let all = holdings(start, ended.map(minute), minute(now), "a", &handovers, &kantor());
    all.iter()
        .map(|h| {
            let until = h.until.map_or_else(|| "-".into(), |until| since(until).to_string());
            format!("{} {} {until} {} {}", h.opd, since(h.from), h.seconds / 60, h.business_seconds / 60)
        })
        .collect()
}

#[test]
fn each_agency_counts_the_minutes_it_held_and_the_office_closes_at_half_past_three() {
    for (handovers, ended, now, want) in [
        (&[] as &[(i64, &str)], None, 10, &["a 0 - 10 10"] as &[&str]),
        (&[(30, "b")], None, 120, &["a 0 30 30 30", "b 30 - 90 60"]),
        (&[(30, "b")], Some(60), 500, &["a 0 30 30 30", "b 30 60 30 30"]),
        (&[(30, "b"), (40, "a"), (50, "b")], Some(60), 60, &["a 0 30 30 30", "b 30 40 10 10", "a 40 50 10 10", "b 50 60 10 10"]),
        (&[(40, "c"), (30, "b")], Some(60), 60, &["a 0 30 30 30", "b 30 40 10 10", "c 40 60 20 20"]),
        (&[(10, "a"), (30, "b"), (35, "b")], Some(60), 60, &["a 0 30 30 30", "b 30 60 30 30"]),
        (&[(-5, "b")], Some(60), 60, &["b 0 60 60 60"]),
        (&[(-5, "b"), (-4, "a")], Some(60), 60, &["a 0 60 60 60"]),
        (&[(60, "b"), (70, "c")], Some(60), 90, &["a 0 60 60 60"]),
        (&[(30, "b"), (30, "a")], Some(60), 60, &["a 0 60 60 60"]),
        (&[(30, "b")], Some(0), 60, &["a 0 0 0 0"]),
    ] {
        assert_eq!(held(handovers, ended, now), want, "{handovers:?} until {ended:?}");
    }
}

proptest! {
    #[test]
    fn the_parts_join_without_a_gap_and_add_up_to_the_whole(
        handovers in prop::collection::vec((-100_000..400_000_000_i64, 0..3_usize), 0..12),
        length in 0..400_000_000_i64,
        closed in any::<bool>(),
    ) {
        let (start, kantor) = (at("2026-11-24T14:00:00+07:00"), kantor());
        let later = |ms: i64| start.plus(SignedDuration::from_millis(ms));
        let handovers: Vec<_> = handovers.iter().map(|&(ms, opd)| (later(ms), ["a", "b", "c"][opd].to_owned())).collect();
        let end = later(length);
        let all = holdings(start, closed.then_some(end), end, "a", &handovers, &kantor);
        prop_assert_eq!((all[0].from, all.last().unwrap().until), (start, closed.then_some(end)));
        for pair in all.windows(2) {
            prop_assert_eq!(pair[0].until, Some(pair[1].from));
            prop_assert!(pair[0].opd != pair[1].opd);
        }
        prop_assert_eq!(all.iter().map(|h| h.seconds).sum::<i64>(), end.secs() - start.secs());
        prop_assert_eq!(all.iter().map(|h| h.business_seconds).sum::<i64>(), kantor.worked(start, end));
    }
}
