//! How triage judges real texts of citizens, which stay beside the checkout and are in nobody's repository.

use std::collections::BTreeMap;
use std::path::PathBuf;
use tanggap::domain::Text;
use tanggap::normalize::triage::{Rules, Signals};

const OWN: &str = "@admin";
const OTHER: &str = "@user";

fn shared(file: &str) -> String {
    let shared =
        std::env::var_os("TANGGAP_SHARED").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    std::fs::read_to_string(shared.join("data").join(file)).unwrap()
}

/// Whether the text, as a comment, needs an answer.
fn kept(rules: &Rules, text: &str) -> bool {
    let others = vec![OTHER; text.matches(OTHER).count()];
    let signals =
        Signals { tags_own: text.contains(OWN), tags_others: !others.is_empty(), other_names: &others, public: true, ..Signals::default() };
    rules.incoming(&Text::new(text), &signals).needs_answer
}

#[test]
#[ignore = "needs the texts beside the checkout; .ci/run runs it"]
fn almost_every_text_that_needs_an_answer_is_kept_and_most_others_are_left_out() {
    let rules = Rules::new(&[], &[]);
    let mut table: BTreeMap<(String, String), [usize; 2]> = BTreeMap::new();
    for row in shared("citizen-texts-id-gold.tsv").lines().skip(1) {
        let [text, intent, label, _] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("a row has four columns") };
        let text = text.replace("<url>", "https://contoh.id/a");
        table.entry((label.into(), intent.into())).or_default()[usize::from(kept(&rules, &text))] += 1;
    }
    let mut total = BTreeMap::from([("y", [0; 2]), ("n", [0; 2])]);
    println!("needs an answer, intent: left out, kept");
    for ((label, intent), counts) in &table {
        println!("{label} {intent}: {}, {}", counts[0], counts[1]);
        let sum = total.get_mut(label.as_str()).unwrap();
        (0..2).for_each(|i| sum[i] += counts[i]);
    }
    println!("{total:?}");
    let share = |label: &str, i: usize| 100 * total[label][i] / (total[label][0] + total[label][1]);
    assert!(share("y", 1) >= 98, "kept of those that need an answer: {} %", share("y", 1));
    assert!(share("n", 0) >= 60, "left out of those that need none: {} %", share("n", 0));
}
