//! Meta's own window for direct answers: when its end is warned of, and when not.

use jiff::SignedDuration;
use tanggap::domain::{Kind, ticket::ActionKind};

use super::{
    desk::Desk,
    story::{START, at},
};

const NOTHING: [&str; 0] = [];
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// A conversation at a site that wants the warning.
fn desk() -> Desk {
    let mut desk = Desk::new();
    desk.view.subject.kind = Kind::Message;
    desk.window_warning = true;
    desk
}

/// What is said of the window whose newest message is of that second.
fn warning(of: i64) -> [String; 2] {
    let ends = at(of).plus(SignedDuration::from_secs(DAY)).rfc3339();
    [format!("1 window_closing {ends}"), format!("1 -> ticket.window_closing  operator until {ends}")]
}

#[test]
fn the_first_steps_groups_are_warned_once_an_hour_before_it_ends_and_hear_of_the_answer() {
    let mut desk = desk();
    desk.asks(0);
    desk.read(1500);
    let due = DAY - HOUR;
    assert_eq!(desk.read(due - 1), NOTHING);
    assert_eq!(desk.wants, (Some(at(due)), Some(at(due))), "it wakes at that time, for a read");
    assert_eq!(desk.look(due), NOTHING, "no read, no alarm");
    assert_eq!(desk.wants.1, Some(at(due)));
    assert_eq!(desk.read(due + 1), warning(0));
    assert_eq!(desk.wants, (None, None));
    assert_eq!(desk.read(due + 2), NOTHING);
    desk.replies(due + 3);
    assert_eq!(desk.read(due + 4), ["1 answered", "1 -> ticket.answered"]);
}

#[test]
fn a_newer_message_opens_a_window_of_its_own() {
    let mut desk = desk();
    desk.asks(0);
    desk.read(1500);
    desk.asks(2 * HOUR);
    desk.read(2 * HOUR);
    assert_eq!(desk.read(DAY), NOTHING, "the first window is none any more");
    assert_eq!(desk.read(DAY + HOUR), warning(2 * HOUR));
    desk.asks(DAY + HOUR + 60);
    desk.read(DAY + HOUR + 61);
    assert_eq!(desk.read(2 * DAY + 60), warning(DAY + HOUR + 60), "each window is warned of");
}

#[test]
fn it_is_an_hour_of_working_time_and_where_less_is_left_at_once() {
    assert_eq!(START % DAY, 2 * HOUR, "the story begins at two in the morning of a Tuesday");
    let mut weekdays = desk();
    weekdays.hours = "mon-sun = [\"08:00-16:00\"]";
    weekdays.asks(0);
    weekdays.read(12 * HOUR);
    assert_eq!(weekdays.read(13 * HOUR - 1), NOTHING);
    assert_eq!(weekdays.read(13 * HOUR), warning(0), "from three to four in the afternoon is the last hour before two in the morning");
    let mut tuesdays = desk();
    tuesdays.hours = "tue = [\"08:00-16:00\"]";
    let late = 13 * HOUR + 1800;
    tuesdays.asks(late);
    let said = tuesdays.read(late + 10);
    assert_eq!(
        (said[0].as_str(), &said[1..]),
        ("1 opened", &warning(late)[..]),
        "written half an hour before the office closes for six days"
    );
}

#[test]
fn nobody_is_warned_who_sees_to_it_of_what_is_over_or_where_nobody_can_answer_directly() {
    let mut seen_to = desk();
    seen_to.asks(0);
    seen_to.read(1500);
    seen_to.staff(1501, ActionKind::Ack, 1);
    seen_to.read(1502);
    assert_eq!(seen_to.read(DAY - 60), NOTHING);
    seen_to.staff(DAY - 50, ActionKind::Unack, 1);
    let said = seen_to.read(DAY - 50);
    assert_eq!(said.last().unwrap(), &warning(0)[1], "nobody does any more");

    let mut over = desk();
    over.asks(0);
    over.read(1500);
    assert_eq!(over.read(DAY), NOTHING);

    let mut comment = desk();
    comment.view.subject.kind = Kind::Comment;
    let mut unwanted = desk();
    unwanted.window_warning = false;
    let mut changed = desk();
    changed.changed_at = DAY - 30;
    let mut restored = desk();
    restored.restored_at = Some(DAY - 30);
    for mut desk in [comment, unwanted, changed, restored] {
        desk.asks(0);
        desk.read(1500);
        assert!(desk.read(DAY - 20).iter().all(|said| !said.contains("window")), "{:?}", desk.view.subject);
    }
}

#[test]
fn while_the_clock_is_in_doubt_or_a_message_may_be_gone_it_waits() {
    let mut desk = desk();
    desk.asks(0);
    desk.read(1500);
    desk.hold = true;
    assert_eq!(desk.read(DAY - HOUR), NOTHING);
    desk.hold = false;
    desk.view.messages[0].missing_since = Some(at(DAY - HOUR + 1));
    assert_eq!(desk.read(DAY - HOUR + 2), NOTHING);
    desk.view.messages[0].missing_since = None;
    assert_eq!(desk.read(DAY - HOUR + 30), warning(0));
}
