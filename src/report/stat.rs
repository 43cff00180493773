//! Two pieces of statistics that keep a comparison fair: the interval in which a share of few cases may lie, and a quantile that knows
//! of cases that still wait. Pure.

use serde::Serialize;

/// Of the normal distribution: 95 % lie within so many standard deviations.
const Z: f64 = 1.959_963_984_540_054;
/// What products of fractions may be off.
const DUST: f64 = 1e-9;

/// A share with its 95 % interval (Wilson), each 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// So many of so many.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Share {
    /// `part` of `whole`; `None` of nothing.
    pub fn of(part: u64, whole: u64) -> Option<Self> {
        if whole == 0 {
            return None;
        }
        let (n, value) = (whole as f64, part as f64 / whole as f64);
        let (middle, room) = (value + Z * Z / (2.0 * n), Z * (value * (1.0 - value) / n + Z * Z / (4.0 * n * n)).sqrt());
        let scale = 1.0 + Z * Z / n;
        Some(Self { value, low: ((middle - room) / scale).clamp(0.0, value), high: ((middle + room) / scale).clamp(value, 1.0) })
    }

    /// Whether two intervals have a point in common: then the difference of the two is not certain.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}

/// How long a citizen waited, or has waited at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wait {
    /// Seconds.
    pub seconds: i64,
    /// Nobody answered: it is, or would have been, longer.
    pub unanswered: bool,
}

/// A quantile of waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Quantile {
    /// Seconds.
    pub seconds: i64,
    /// Too few are answered to tell: it is longer than this.
    pub at_least: bool,
}

/// Within how long the share `q` of sorted waits is answered. An unanswered one counts as waiting on for as long as the others that
/// waited as long did (Kaplan and Meier), since otherwise either who never answers looks fast, or whoever was written to a minute ago.
/// Where too few are answered for that, it is longer than what surely so many waited.
pub fn quantile(sorted: &[Wait], q: f64) -> Option<Quantile> {
    let certain = sorted.get(((q * sorted.len() as f64 - DUST).ceil().max(1.0) as usize).checked_sub(1)?)?;
    let (mut waiting, mut left) = (sorted.len(), 1.0);
    for same in sorted.chunk_by(|a, b| a.seconds == b.seconds) {
        let answered = same.iter().filter(|wait| !wait.unanswered).count();
        left *= 1.0 - answered as f64 / waiting as f64;
        if answered > 0 && left <= 1.0 - q + DUST {
            return Some(Quantile { seconds: same[0].seconds, at_least: false });
        }
        waiting -= same.len();
    }
    Some(Quantile { seconds: certain.seconds, at_least: true })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sorted(waits: &[(i64, bool)]) -> Vec<Wait> {
        let mut waits: Vec<_> = waits.iter().map(|&(seconds, unanswered)| Wait { seconds, unanswered }).collect();
        waits.sort_unstable();
        waits
    }

    fn said(waits: &[(i64, bool)], q: f64) -> Option<(i64, bool)> {
        quantile(&sorted(waits), q).map(|it| (it.seconds, it.at_least))
    }

    #[test]
    fn the_interval_of_wilson_is_that_of_the_textbooks() {
        for (part, whole, low, high) in
            [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662), (1, 1, 0.2065, 1.0)]
        {
            let share = Share::of(part, whole).unwrap();
            assert!((share.low - low).abs() < 5e-5 && (share.high - high).abs() < 5e-5, "{part} of {whole}: {share:?}");
        }
        assert_eq!(Share::of(0, 0), None);
        let overlap = |a, b| Share::of(a, 100).unwrap().overlaps(&Share::of(b, 100).unwrap());
        assert_eq!((overlap(90, 80), overlap(80, 90), overlap(90, 50)), (true, true, false));
    }

    #[test]
    fn who_never_answers_does_not_look_fast_and_who_was_just_written_to_not_slow() {
        assert_eq!(said(&[], 0.5), None);
        assert_eq!(said(&[(60, false), (7200, false), (9000, false)], 0.5), Some((7200, false)));
        assert_eq!(said(&[(60, false), (7200, true), (9000, true)], 0.5), Some((7200, true)), "longer than two hours");
        assert_eq!(said(&[(100, true), (200, true)], 0.5), Some((100, true)), "nothing answered");
        // three messages of the last minutes do not make two answers within hours a median of minutes
        assert_eq!(said(&[(60, true), (60, true), (60, true), (7200, false), (9000, false)], 0.5), Some((7200, false)));
        assert_eq!(said(&[(60, false), (60, true)], 0.5), Some((60, false)));
    }

    /// By the definition: the first time at which the product over all earlier answers falls to what may be left.
    fn slowly(waits: &[(i64, bool)], q: f64) -> Option<i64> {
        let mut times: Vec<i64> = waits.iter().filter(|(_, unanswered)| !unanswered).map(|(at, _)| *at).collect();
        times.sort_unstable();
        let left = |until: i64| -> f64 {
            let mut distinct: Vec<i64> = times.iter().copied().filter(|at| *at <= until).collect();
            distinct.dedup();
            let factor = |at: &i64| {
                let answered = times.iter().filter(|it| *it == at).count() as f64;
                1.0 - answered / waits.iter().filter(|(it, _)| it >= at).count() as f64
            };
            distinct.iter().map(factor).product()
        };
        times.iter().copied().find(|at| left(*at) <= 1.0 - q + 1e-9)
    }

    proptest! {
        #[test]
        fn a_quantile_is_that_of_a_slow_reckoning(waits in prop::collection::vec((0_i64..50, any::<bool>()), 1..60), q in prop::sample::select(vec![0.1, 0.5, 0.9])) {
            let fast = quantile(&sorted(&waits), q).unwrap();
            match slowly(&waits, q) {
                Some(at) => prop_assert_eq!((fast.seconds, fast.at_least), (at, false)),
                None => prop_assert!(fast.at_least && waits.iter().filter(|(at, _)| *at >= fast.seconds).count() as f64 >= (1.0 - q) * waits.len() as f64),
            }
        }

        #[test]
        fn where_all_is_answered_it_is_the_usual_quantile(mut waits in prop::collection::vec(0_i64..1000, 1..80), q in prop::sample::select(vec![0.5, 0.9])) {
            let fast = quantile(&sorted(&waits.iter().map(|at| (*at, false)).collect::<Vec<_>>()), q).unwrap();
            waits.sort_unstable();
            let nth = (q * waits.len() as f64 - 1e-9).ceil() as usize - 1;
            prop_assert_eq!((fast.seconds, fast.at_least), (waits[nth], false));
        }

        #[test]
        fn a_share_lies_in_its_interval_and_more_cases_narrow_it(part in 0_u64..100, more in 0_u64..100) {
            let (one, ten) = (Share::of(part, part + more + 1).unwrap(), Share::of(10 * part, 10 * (part + more + 1)).unwrap());
            prop_assert!(0.0 <= one.low && one.low <= one.value && one.value <= one.high && one.high <= 1.0);
            prop_assert!(ten.high - ten.low < one.high - one.low);
        }
    }
}
