//! The reckoning itself, on stories short enough to check by hand.

use jiff::{Timestamp, ToSpan as _};

use super::{Action, Calendar, Expected, Facts, Message, Policy, Rules, What, clock::walk, tickets};

fn t(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_500_000 + second).unwrap()
}

fn cut(second: i64, id: &str, author: &str) -> Message {
    Message {
        id: id.into(),
        thread: "c1".into(),
        kind: "comment".into(),
        post: Some("p1".into()),
        author: author.into(),
        created_at: t(second),
        needs_answer: true,
        ..Message::default()
    }
}

fn reply(second: i64, id: &str) -> Message {
    Message { government: Some("page".into()), needs_answer: false, ..cut(second, id, "page") }
}

fn facts(messages: Vec<Message>) -> Facts {
    let policy = |name: &str, urgent, seconds| Policy { name: name.into(), urgent, respond_within_seconds: seconds, ..Policy::default() };
    let policies = vec![policy("darurat", Some(true), 100), policy("biasa", None, 1000)];
    Facts { now: t(100_000), own: "page".into(), rules: Rules { policies, ..Rules::default() }, messages, ..Facts::default() }
}

/// `author state opened closed due breached`, in seconds.
fn short(expected: &[Expected]) -> Vec<String> {
    let s = |at: Timestamp| (at.as_second() - t(0).as_second()).to_string();
    let o = |at: Option<Timestamp>| at.map_or_else(|| "-".into(), s);
    expected
        .iter()
        .map(|e| format!("{} {} {} {} {} {}", e.author, e.state, s(e.opened_at), o(e.closed_at), s(e.due_at), o(e.breached_at)))
        .collect()
}

#[test]
fn an_answer_in_the_last_second_is_in_time_and_one_second_later_is_not() {
    assert_eq!(short(&tickets(&facts(vec![cut(0, "a", "siti"), reply(1000, "b")]))), ["siti answered 0 1000 1000 -"]);
    assert_eq!(short(&tickets(&facts(vec![cut(0, "a", "siti"), reply(1001, "b")]))), ["siti answered 0 1001 1000 1000"]);
}

#[test]
fn an_urgent_message_later_starts_its_own_clock_and_the_earlier_deadline_holds() {
    let mut flood = cut(50, "b", "siti");
    flood.urgent_at = Some(t(50));
    assert_eq!(short(&tickets(&facts(vec![cut(0, "a", "siti"), flood]))), ["siti open 0 - 150 150"]);
}

#[test]
fn a_reply_taken_back_within_a_day_leaves_one_ticket_and_a_day_later_two() {
    let mut taken_back = reply(10, "b");
    taken_back.deleted_at = Some(t(86_410));
    let story = vec![cut(0, "a", "siti"), taken_back, cut(20, "c", "siti")];
    assert_eq!(short(&tickets(&facts(story.clone()))), ["siti open 0 - 1000 1000"]);
    let mut later = story;
    later[1].deleted_at = Some(t(86_411));
    assert_eq!(short(&tickets(&facts(later))), ["siti answered 0 10 1000 -", "siti open 20 - 1020 1020"]);
}

#[test]
fn a_gone_opening_moves_the_ticket_and_nothing_left_withdraws_it() {
    let gone = |mut message: Message, at| {
        message.deleted_at = Some(t(at));
        message
    };
    let story = vec![gone(cut(0, "a", "siti"), 300), cut(200, "b", "siti")];
    assert_eq!(short(&tickets(&facts(story))), ["siti open 200 - 1200 1200"]);
    let story = vec![gone(cut(0, "a", "siti"), 300), gone(cut(200, "b", "siti"), 400)];
    assert_eq!(short(&tickets(&facts(story))), ["siti withdrawn 200 400 1200 -"]);
    let story = vec![gone(cut(0, "a", "siti"), 1500), cut(200, "b", "siti")];
    assert_eq!(short(&tickets(&facts(story))), ["siti open 200 - 1200 1000"], "a breach stands");
}

#[test]
fn staff_dismiss_what_stands_then_and_a_later_message_waits_anew() {
    let mut facts = facts(vec![cut(0, "a", "siti"), cut(60, "b", "siti")]);
    let at = t(30);
    facts.actions.push(Action { thread: "c1".into(), author: "siti".into(), at, what: What::Dismiss("spam".into()) });
    assert_eq!(short(&tickets(&facts)), ["siti dismissed 0 30 1000 -", "siti open 60 - 1060 1060"]);
}

#[test]
fn the_clock_walks_from_friday_evening_over_the_weekend() {
    let mut week = <[Vec<(i64, i64)>; 7]>::default();
    (0..5).for_each(|day| week[day] = vec![(7 * 3600, 15 * 3600)]);
    let calendar = Calendar { zone: "Asia/Jakarta".into(), week, ..Calendar::default() };
    let friday: Timestamp = "2026-11-27T14:00:00+07:00".parse().unwrap();
    assert_eq!(walk(&calendar, friday, 3600), friday + 1.hours());
    assert_eq!(walk(&calendar, friday, 3601), "2026-11-30T07:00:01+07:00".parse().unwrap());
}
