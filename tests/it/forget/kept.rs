//! Whatever happened, no figure changes when somebody is erased or retention is over, and nothing comes back when all is read again.

use proptest::prelude::*;
use tanggap::{
    domain::{AccountId, Scope, Time},
    store::{
        figures::{self, Case},
        forget,
    },
};

use super::dump::{dump, is_hash};
use crate::tickets::{
    ledger::Ledger,
    story::{PLACES, Story, at, live},
};

const KEY: [u8; 32] = [9; 32];
/// Their ids, with the user names that no other name begins with.
const PEOPLE: [(&str, &str); 3] = [("1001", "siti.r"), ("1002", "@budi"), ("1003", "1003")];

/// What reports are made of, but for what staff typed.
async fn figures(ledger: &Ledger) -> Vec<Case> {
    let span = (Time::from_secs(0), Time::from_secs(9_999_999_999));
    let found = figures::figures(&ledger.db, span, &Scope::ALL, at(100_001)).await.unwrap();
    let mut cases: Vec<Case> = found.cases.into_iter().chain(found.older).collect();
    cases.sort_by_key(|case| case.id);
    let plain = |case: Case| Case { reason: case.reason.filter(|reason| reason != "alasan"), ..case };
    cases.into_iter().map(plain).collect()
}

async fn count(ledger: &Ledger) -> i64 {
    ledger.rows("SELECT COUNT(*) AS n FROM message").await[0].i("n").unwrap()
}

async fn again(ledger: &mut Ledger) {
    for second in [200_000, 200_100] {
        ledger.read(second, &(0..PLACES.len()).collect::<Vec<_>>(), 0).await;
        ledger.run().await;
    }
}

/// A private reply goes to whom it answers: so it is at Meta.
fn in_private(mut story: Story) -> Story {
    let conversations = [("1001", "t_dm1"), ("1002", "t_dm2"), ("1003", "t_dm3")];
    for item in &mut story.items {
        let author = item.seen.author.as_ref().and_then(|author| author.id.as_deref());
        item.private =
            item.private.filter(|(_, conversation)| conversations.iter().any(|(id, name)| author == Some(*id) && name == conversation));
    }
    story
}

async fn erased(mut ledger: Ledger, who: usize) -> Result<(), TestCaseError> {
    ledger.play().await;
    let (author, name) = PEOPLE[who];
    let theirs: Vec<i64> = ledger
        .db
        .rows("SELECT id FROM ticket WHERE author = $1 AND state = 'open'", vec![author.into()])
        .await
        .unwrap()
        .iter()
        .map(|row| row.i("id").unwrap())
        .collect();
    let (before, rows) = (figures(&ledger).await, count(&ledger).await);
    let done = forget::erase(&ledger.db, &KEY, author, &[AccountId(1)], "ani", at(150_000)).await.unwrap();
    ledger.run().await;
    again(&mut ledger).await;
    let after = figures(&ledger).await;
    prop_assert_eq!(count(&ledger).await, rows, "rows stay, and none comes back");
    prop_assert_eq!(done.withdrawn, theirs.len() as u64);
    prop_assert_eq!(before.len(), after.len(), "{:#?}\n{:#?}", before, after);
    for (was, is) in before.iter().zip(&after) {
        if theirs.contains(&is.id.0) {
            prop_assert_eq!((is.state.word(), is.reason.as_deref(), is.closed_at), ("withdrawn", Some("erased"), Some(at(150_000))));
        } else {
            prop_assert_eq!(was, is);
        }
    }
    // A time may hold the digits of an id.
    let number = |line: &String| line.rsplit_once(": ").is_some_and(|(_, value)| value.parse::<u64>().is_ok());
    let traces = |line: &String| {
        line.contains(&format!("\"{author}\"")) || line.ends_with(&format!(": {author}")) || !number(line) && line.contains(name)
    };
    let left: Vec<String> = dump(&ledger.db).await.into_iter().filter(|line| !is_hash(line)).filter(traces).collect();
    let of_others: Vec<&String> =
        left.iter().filter(|line| !line.starts_with("message.text") && !line.starts_with("erased.hash")).collect();
    prop_assert!(of_others.is_empty(), "{:#?}", of_others);
    Ok(())
}

async fn purged(mut ledger: Ledger) -> Result<(), TestCaseError> {
    ledger.play().await;
    let (before, rows) = (figures(&ledger).await, count(&ledger).await);
    let now = at(150_000);
    // Twice: a conversation goes after the comment that it answers.
    for _ in 0..2 {
        let mut after = 0;
        while let Some(batch) = forget::purge(&ledger.db, &KEY, (after, now), now).await.unwrap() {
            after = batch.after;
        }
    }
    ledger.run().await;
    again(&mut ledger).await;
    prop_assert_eq!(count(&ledger).await, rows);
    let now = figures(&ledger).await;
    prop_assert_eq!(before, now);
    let kept = "SELECT COUNT(*) AS n FROM message m JOIN thread t ON t.id = m.thread_id WHERE m.erased_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM ticket k WHERE k.thread_id = m.thread_id AND k.state = 'open')
        AND NOT EXISTS (SELECT 1 FROM message c WHERE c.private_reply = t.key)";
    prop_assert_eq!(ledger.rows(kept).await[0].i("n").unwrap(), 0);
    Ok(())
}

fn on_sqlite(story: Story, who: Option<usize>) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ledger = Ledger::sqlite(in_private(story)).await;
        match who {
            Some(who) => erased(ledger, who).await,
            None => purged(ledger).await,
        }
    })
}

fn on_postgres(story: Story, who: Option<usize>) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ledger = Ledger::postgres(in_private(story)).await;
        match who {
            Some(who) => erased(ledger, who).await,
            None => purged(ledger).await,
        }
    })
}

fn cases(usual: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    ProptestConfig { cases, max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn an_erasure_changes_no_figure_and_a_read_of_everything_brings_nothing_back(story in live(), who in 0..3_usize) {
        on_sqlite(story, Some(who))?;
    }

    #[test]
    fn the_end_of_retention_changes_no_figure_and_a_read_of_everything_brings_nothing_back(story in live()) {
        on_sqlite(story, None)?;
    }
}

proptest! {
    #![proptest_config(cases(4))]

    #[test]
    fn both_hold_on_postgres(story in live(), who in prop::option::of(0..3_usize)) {
        on_postgres(story, who)?;
    }
}
