//! The league table: who is compared, in which order, and what is said of it.

use proptest::prelude::*;
use tanggap::{
    domain::{AccountId, Cause, TicketState},
    report::rank::{Apart, Rank},
    store::{concerns::Concern, figures::Figures},
};

use super::{
    MORNING,
    world::{account, answered, at, closed, english, figures, open},
};

/// So many answered in time and late by an account.
fn some(all: &mut Figures, account: i64, in_time: i64, late: i64) {
    let first = all.cases.len() as i64;
    all.cases.extend((0..in_time).map(|nth| answered(first + nth, account, MORNING, 60)));
    all.cases.extend((0..late).map(|nth| answered(first + in_time + nth, account, MORNING, 600)));
}

type Change = fn(&mut tanggap::store::figures::Account);

fn of<'a>(ranking: &'a [Rank], opd: &str) -> &'a Rank {
    ranking.iter().find(|row| row.opd == opd).unwrap()
}

#[test]
fn the_larger_share_stands_first_too_few_are_not_compared_and_every_row_says_why() {
    let mut all = figures();
    some(&mut all, 1, 9, 1);
    some(&mut all, 2, 100, 0);
    some(&mut all, 3, 9, 0);
    some(&mut all, 4, 2, 98);
    let ranking = english(&all).ranking;
    let places: Vec<_> = ranking.iter().map(|row| (row.opd.as_str(), row.place, row.apart)).collect();
    assert_eq!(
        places,
        [
            ("dua", Some(1), None),
            ("satu", Some(2), None),
            ("empat", Some(3), None),
            ("tiga", None, Some(Apart::Few)),
            ("lima", None, Some(Apart::Few)),
            ("tanpa", None, Some(Apart::NoAccount)),
        ]
    );
    assert_eq!(
        of(&ranking, "satu").why,
        "9 of 10 were answered in time (90%; likely between 60 and 98%); half within 1 hour of working time. \
         The difference from DUA above is not certain."
    );
    assert!(of(&ranking, "satu").uncertain && !of(&ranking, "empat").uncertain, "ten are few, a hundred tell");
    assert!(of(&ranking, "tiga").why.starts_with("Too few to compare: at least 10") && of(&ranking, "tiga").why.contains("9 of 9"));
    assert_eq!(of(&ranking, "tanpa").why, "No account is registered, so that nothing can be told.");
}

#[test]
fn who_hides_or_ignores_does_not_climb() {
    let mut all = figures();
    some(&mut all, 1, 9, 0);
    let hidden = |id| {
        let case = closed(open(id, 1, MORNING), TicketState::Withdrawn, 600);
        tanggap::store::figures::Case { reason: Some("hidden".into()), ..case }
    };
    all.cases.extend([hidden(100), hidden(101), open(102, 1, MORNING)]);
    let ranking = english(&all).ranking;
    let row = of(&ranking, "satu");
    assert_eq!((row.decided, row.in_time, row.overdue), (12, 9, 1));
}

#[test]
fn an_account_nobody_can_read_is_never_taken_for_one_nobody_writes_to() {
    let blind: [(&str, Change); 4] = [
        ("the leave to read it no longer holds", |it| {
            it.healthy = false;
            it.reason = Some("the token expired (code 190, subcode 463, HTTP status 400)".into());
        }),
        ("watched for 94% of the period only", |it| it.watched = Some(0.9499)),
        ("not read in this period", |it| it.watched = None),
        ("Meta counts comments and yet shows the author of none", |it| {
            it.doubts = vec![Concern { cause: Cause::BlindComments, since: at(MORNING), detail: String::new() }];
        }),
    ];
    for (why, change) in blind {
        let mut all = figures();
        some(&mut all, 1, 50, 0);
        change(all.accounts.get_mut(&AccountId(1)).unwrap());
        let ranking = english(&all).ranking;
        let row = of(&ranking, "satu");
        assert_eq!((row.place, row.apart), (None, Some(Apart::Blind)), "{why}");
        assert!(row.why.contains(why) && row.why.contains("50 of 50"), "{}", row.why);
    }
    // configured, and the daemon has not met it yet
    let mut all = figures();
    all.accounts.remove(&AccountId(5));
    assert_eq!(of(&english(&all).ranking, "lima").apart, Some(Apart::Blind));
    // a doubt that is none of blindness, and an account that has left the configuration
    let mut all = figures();
    some(&mut all, 1, 50, 0);
    all.accounts.get_mut(&AccountId(1)).unwrap().doubts = vec![Concern { cause: Cause::Silent, since: at(MORNING), detail: String::new() }];
    let mut left = account(9, "satu");
    (left.active, left.healthy) = (false, false);
    all.accounts.insert(AccountId(9), left);
    assert_eq!(of(&english(&all).ranking, "satu").place, Some(1));
}

#[test]
fn equal_ones_share_a_place_and_a_shorter_median_parts_them() {
    let mut all = figures();
    for account in [3, 1, 2] {
        some(&mut all, account, 10, 0);
    }
    all.cases.iter_mut().filter(|case| case.opd == "tiga").for_each(|case| case.business_seconds = Some(60));
    let places: Vec<_> = english(&all).ranking.into_iter().filter_map(|row| Some((row.opd, row.place?))).collect();
    assert_eq!(places, [("tiga".to_owned(), 1), ("dua".into(), 2), ("satu".into(), 2)]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_order_of_the_cases_does_not_move_anybody(counts in prop::collection::vec((0_i64..15, 0_i64..15), 5), seed in any::<u64>()) {
        let mut all = figures();
        for (account, (in_time, late)) in (1..).zip(counts) {
            some(&mut all, account, in_time, late);
        }
        let before = english(&all).ranking;
        let mut state = seed | 1;
        for at in (1..all.cases.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            all.cases.swap(at, (state >> 33) as usize % (at + 1));
        }
        prop_assert_eq!(&english(&all).ranking, &before);
        let shares: Vec<f64> = before.iter().filter(|row| row.place.is_some()).map(|row| row.share.unwrap().value).collect();
        prop_assert!(shares.is_sorted_by(|a, b| a >= b));
        prop_assert!(before.iter().all(|row| row.place.is_none() || row.decided >= 10));
    }
}
