//! What decides from elsewhere, found late or together: stories in which the store once forgot to look again.

use tanggap::domain::{message::Tag, settings::Mentions};

use super::{
    ledger::{Ledger, standing},
    story::{Deed, Item, Story, plain},
};

/// `thread author state closed`, seconds after the start, once everything was read; the same on both databases.
async fn told(instagram: bool, items: Vec<Item>, deeds: Vec<(i64, Deed)>) -> Vec<String> {
    let story = Story { instagram, mentions: Mentions::Ask, opens_from: None, items, deeds };
    let mut told = Vec::new();
    for mut ledger in [Ledger::sqlite(story.clone()).await, Ledger::postgres(story).await] {
        let stored = standing(ledger.play().await);
        assert_eq!(stored, ledger.reckoned().await);
        told.push(stored);
    }
    assert_eq!(told[0], told[1], "SQLite and PostgreSQL differ");
    let stored = &told[0];
    let closed = |at: Option<jiff::Timestamp>| at.map_or_else(|| "-".into(), |at| (at.as_second() - super::story::START).to_string());
    stored.iter().map(|one| format!("{} {} {} {}", one.thread, one.author, one.state, closed(one.closed_at))).collect()
}

fn everything(second: i64) -> (i64, Deed) {
    (second, Deed::Whole { place: None, seed: 0 })
}

/// A quick reply to a citizen in one of the conversations.
fn quick(number: usize, thread: usize, text: &str) -> [Item; 2] {
    let mut reply = plain(number + 1, thread, 6, 105);
    reply.seen.text = text.into();
    [plain(number, thread, 0, 100), reply]
}

#[tokio::test]
async fn a_text_sent_to_three_threads_answers_nobody_also_when_all_three_are_judged_at_once() {
    let texts = ["Halo Siti, terima kasih", "halo  BUDI terima kasih", "Halo Siti Rahma, terima kasih"];
    let items: Vec<Item> = (4..7).zip(texts).flat_map(|(thread, text)| quick(2 * thread, thread, text)).collect();
    let open = ["t_dm1 1001 open -", "t_dm2 1002 open -", "t_dm3 1003 open -"];
    assert_eq!(told(false, items.clone(), vec![]).await, open);
    let one_by_one = (2..5).map(|place| (200 + place as i64, Deed::Whole { place: Some(place), seed: 0 })).collect();
    assert_eq!(told(false, items, one_by_one).await, open);
}

#[tokio::test]
async fn a_name_is_taken_out_of_a_text_only_as_a_whole_word() {
    let mut items: Vec<Item> = (4..7).flat_map(|thread| quick(2 * thread, thread, "Kami siap melayani Anda")).collect();
    items[0].seen.author.as_mut().unwrap().name = Some("Ani".into());
    assert_eq!(told(false, items, vec![]).await, ["t_dm1 1001 open -", "t_dm2 1002 open -", "t_dm3 1003 open -"]);
}

/// A top-level comment of the account that names Budi.
fn names_budi(second: i64) -> Item {
    let mut item = plain(9, 0, 6, second);
    item.seen.top_level = true;
    item.seen.external_id = "top9".into();
    item.seen.thread.name = "top9".into();
    item.seen.tags = vec![Tag { id: Some("1002".into()), name: Some("Budi".into()) }];
    item
}

#[tokio::test]
async fn a_top_level_answer_found_late_closes_at_its_own_time_what_a_later_answer_had_closed() {
    let mut late = names_budi(50);
    late.visible_from = 300;
    let items = vec![plain(1, 0, 1, 0), plain(2, 0, 6, 100), late];
    assert_eq!(told(false, items, vec![everything(200), everything(400)]).await, ["c1 1002 answered 50"]);
}

#[tokio::test]
async fn a_top_level_answer_removed_within_a_day_leaves_those_it_named_waiting() {
    let mut removed = names_budi(50);
    removed.removed = Some(300);
    let items = vec![plain(1, 0, 1, 0), removed];
    assert_eq!(told(false, items, vec![everything(200), everything(400)]).await, ["c1 1002 open -"]);
}

#[tokio::test]
async fn a_private_reply_counts_from_its_own_time_and_an_automatic_one_not_at_all() {
    let mut automatic = plain(2, 4, 6, 50);
    automatic.seen.automatic = true;
    let items = vec![plain(1, 0, 0, 0), automatic.clone()];
    assert_eq!(told(true, items, vec![everything(200)]).await, ["c1 1001 open -"]);
    let mut shown = plain(1, 0, 0, 0);
    shown.private = Some((60, "t_dm1"));
    let mut late = plain(3, 4, 6, 80);
    late.visible_from = 300;
    let deeds = vec![everything(200), everything(400)];
    assert_eq!(told(false, vec![shown.clone(), automatic.clone()], deeds.clone()).await, ["c1 1001 open -"]);
    assert_eq!(told(false, vec![shown.clone(), automatic, late.clone()], deeds.clone()).await, ["c1 1001 answered 80"]);
    assert_eq!(told(false, vec![shown, late], deeds.clone()).await, ["c1 1001 answered 80"]);
    assert_eq!(told(true, vec![plain(1, 0, 0, 0), plain(2, 0, 6, 100), plain(3, 4, 6, 80)], deeds).await, ["c1 1001 answered 80"]);
}

#[tokio::test]
async fn a_direct_message_found_between_a_comment_and_its_reply_makes_the_reply_its_own() {
    let mut between = plain(3, 4, 0, 40);
    between.visible_from = 300;
    let items = vec![plain(1, 0, 0, 0), plain(2, 4, 6, 80), between];
    let deeds = vec![everything(200), everything(400)];
    assert_eq!(told(true, items, deeds).await, ["c1 1001 open -", "t_dm1 1001 answered 80"]);
}

#[tokio::test]
async fn what_only_joined_under_a_mention_opens_nothing_when_the_question_of_that_second_goes() {
    let mut question = plain(1, 8, 1, 100);
    question.seen.tags_own = true;
    question.removed = Some(300);
    let items = vec![question, plain(2, 8, 1, 100)];
    assert_eq!(told(false, items, vec![everything(200), everything(400)]).await, ["m1 1002 withdrawn 400"]);
}
