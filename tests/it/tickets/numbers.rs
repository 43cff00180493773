//! Which ticket keeps which number, and what stands when messages, answers and their authors' second thoughts turn up late.

use tanggap::domain::ticket::ActionKind;

use super::{desk::Desk, story::at};

const NOTHING: [&str; 0] = [];

#[test]
fn a_ticket_keeps_its_number_when_an_earlier_message_turns_up() {
    let mut desk = Desk::new();
    desk.asks(100);
    desk.read(110);
    desk.asks(0);
    assert_eq!(desk.read(120), NOTHING);
    assert_eq!((desk.row(1), desk.view.tickets.len()), ("open 0 - 1000 -".into(), 1));
}

#[test]
fn on_a_split_the_earlier_part_keeps_the_number() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.asks(100);
    desk.read(110);
    desk.replies(50);
    assert_eq!(desk.read(120), ["1 answered", "2 opened"]);
    assert_eq!((desk.row(1), desk.row(2)), ("answered 0 50 1000 -".into(), "open 100 - 1100 -".into()));
}

#[test]
fn on_a_merge_the_lower_number_stays_and_the_other_is_withdrawn() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.replies(50);
    desk.asks(100);
    desk.read(110);
    assert_eq!(desk.row(2), "open 100 - 1100 -");
    desk.view.messages[1].deleted_at = Some(at(200));
    assert_eq!(desk.read(200), ["1 reopened was answered", "2 withdrawn merged into 1"]);
    assert_eq!(desk.row(1), "open 0 - 1000 -", "same number, same deadline");
    assert_eq!(desk.ticket(2).reason.as_deref(), Some("merged into 1"));
    assert_eq!(desk.read(210), NOTHING);
}

#[test]
fn an_answer_gone_more_than_a_day_after_it_was_written_stands() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.replies(50);
    desk.read(60);
    desk.view.messages[1].deleted_at = Some(at(50 + 86_401));
    assert_eq!(desk.read(90_000), NOTHING);
    desk.view.messages[1].deleted_at = Some(at(50 + 86_400));
    assert_eq!(desk.read(90_000)[0], "1 reopened was answered");
}

#[test]
fn an_acknowledgement_goes_to_the_part_that_holds_the_newest_message_of_its_time() {
    for (acked, [first, second]) in [(40, [Some(at(40)), None]), (120, [None, Some(at(120))])] {
        let mut desk = Desk::new();
        desk.asks(0);
        desk.asks(100);
        desk.read(110);
        desk.staff(acked, ActionKind::Ack, 1);
        desk.read(130);
        desk.replies(50);
        desk.read(140);
        assert_eq!([desk.ticket(1).acknowledged_at, desk.ticket(2).acknowledged_at], [first, second], "{acked}");
    }
}

#[test]
fn a_dismissal_closes_what_stood_then_and_a_later_message_waits_anew() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.read(10);
    desk.staff(20, ActionKind::Dismiss, 1);
    assert_eq!(desk.look(21), ["1 dismissed alasan"]);
    desk.asks(30);
    assert_eq!(desk.read(31), ["2 opened"]);
    assert_eq!((desk.row(1), desk.row(2)), ("dismissed 0 20 1000 -".into(), "open 30 - 1030 -".into()));
}

#[test]
fn an_answer_found_to_be_before_a_dismissal_answered() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.read(10);
    desk.staff(20, ActionKind::Resolve, 1);
    desk.look(21);
    assert_eq!(desk.ticket(1).answered_by.as_deref(), Some("staff"));
    desk.replies(15);
    desk.read(30);
    assert_eq!((desk.row(1), desk.ticket(1).answered_by.as_deref()), ("answered 0 15 1000 -".into(), Some("page")));
}

#[test]
fn a_breach_already_flagged_stands_when_its_message_goes_and_a_later_one_is_left() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.asks(900);
    desk.read(1000);
    desk.view.messages[0].deleted_at = Some(at(1100));
    desk.read(1100);
    assert_eq!(desk.row(1), "open 900 - 1900 1000");
    desk.replies(1200);
    desk.read(1210);
    assert_eq!(desk.row(1), "answered 900 1200 1900 1000", "answered before the new deadline, yet after the one that was missed");
}

#[test]
fn a_deadline_not_yet_flagged_moves_with_the_opening() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.asks(900);
    desk.read(990);
    desk.view.messages[0].deleted_at = Some(at(1010));
    desk.read(1010);
    assert_eq!(desk.row(1), "open 900 - 1900 -");
}

#[test]
fn a_late_answer_that_was_never_flagged_leaves_no_breach_when_it_and_its_question_are_gone() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.asks(1100);
    desk.replies(1200);
    desk.read(1300);
    assert_eq!(desk.row(1), "answered 0 1200 1000 1000");
    desk.view.messages[0].deleted_at = Some(at(1400));
    desk.view.messages[2].deleted_at = Some(at(1400));
    assert_eq!(desk.read(1400), ["1 reopened was answered"]);
    assert_eq!(desk.row(1), "open 1100 - 2100 -");
}

#[test]
fn hiding_the_complaint_moves_no_clock_and_hiding_all_of_it_is_seen() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.asks(100);
    desk.read(110);
    desk.view.messages[0].hidden_at = Some(at(120));
    assert_eq!(desk.read(120), NOTHING);
    assert_eq!(desk.row(1), "open 0 - 1000 -");
    desk.view.messages[1].hidden_at = Some(at(130));
    assert_eq!(desk.read(130), ["1 withdrawn hidden"]);
    assert_eq!(desk.row(1), "withdrawn 0 130 1000 -");
    desk.view.messages[1].deleted_at = Some(at(140));
    assert_eq!(desk.read(140), NOTHING, "removed after it was hidden: it was hidden");
    desk.view.messages.iter_mut().for_each(|message| (message.hidden_at, message.deleted_at) = (None, None));
    assert_eq!(desk.read(150), ["1 reopened was withdrawn"], "shown again");
}

#[test]
fn messages_removed_together_withdraw_the_ticket_as_it_stood() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.asks(400);
    desk.read(410);
    desk.view.messages.iter_mut().for_each(|message| message.deleted_at = Some(at(1200)));
    desk.look(1200);
    assert_eq!((desk.row(1), desk.ticket(1).messages), ("withdrawn 0 1200 1000 1000".into(), 2));
}

#[test]
fn a_question_removed_leaves_no_ticket_for_the_thanks_after_it() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.asks(100).seen.needs_answer = false;
    desk.read(110);
    assert_eq!(desk.ticket(1).messages, 2, "it joins, whatever it says");
    desk.view.messages[0].deleted_at = Some(at(200));
    assert_eq!(desk.read(200), ["1 withdrawn gone"]);
}
