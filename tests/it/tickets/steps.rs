//! When a step takes effect, and whom it tells.

use tanggap::domain::{TicketState, message::Message, ticket::ActionKind};

use super::{
    desk::{Desk, policy},
    story::at,
};

const NOTHING: [&str; 0] = [];

fn urgent(message: &mut Message) {
    message.seen.urgent = true;
    message.urgent_at = Some(message.seen.created_at);
}

#[test]
fn no_step_takes_effect_without_a_read_begun_at_or_after_its_time() {
    let mut desk = Desk::new();
    desk.asks(0);
    assert_eq!(desk.read(10), ["1 opened"]);
    assert_eq!(desk.wants, (Some(at(500)), Some(at(500))), "it wakes at the step's time, for a read");
    assert_eq!(desk.look(500), NOTHING);
    desk.view.read_began_at = Some(at(499));
    assert_eq!(desk.look(501), NOTHING, "a read begun before the step proves nothing");
    desk.view.read_began_at = Some(at(500));
    assert_eq!(desk.look(501), ["1 warned", "1 -> ticket.warned 50% operator"]);
    assert_eq!(desk.read(999), NOTHING);
    assert_eq!(desk.read(1000), ["1 breached", "1 -> ticket.breached 0 kepala"]);
    assert_eq!(desk.row(1), "open 0 - 1000 1000");
    assert_eq!(desk.read(1500), ["1 escalated", "1 -> ticket.escalated 500 sekda"]);
    assert_eq!(desk.wants, (None, None));
}

#[test]
fn an_answer_in_the_last_second_counts_and_a_later_one_leaves_the_breach() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.replies(1000);
    desk.read(1001);
    assert_eq!(desk.row(1), "answered 0 1000 1000 -");
    let mut desk = Desk::new();
    desk.asks(0);
    desk.replies(1001);
    assert_eq!(desk.read(1002), ["1 opened", "1 answered"], "nobody had been told, so nobody is told");
    assert_eq!(desk.row(1), "answered 0 1001 1000 1000");
    assert_eq!(desk.ticket(1).flagged_at, None);
}

#[test]
fn of_several_due_steps_the_newest_goes_out() {
    let mut desk = Desk::new();
    desk.asks(0);
    assert_eq!(desk.read(1600), ["1 opened", "1 breached", "1 escalated", "1 -> ticket.escalated 500 sekda"]);
    let silent: Vec<_> = desk.ticket(1).steps.iter().map(|step| step.effect.as_ref().unwrap().silent.clone()).collect();
    assert_eq!(silent, [Some("newer step".to_owned()), Some("newer step".to_owned()), None]);
}

#[test]
fn a_step_nobody_could_verify_tells_the_operator_and_once_verified_whom_it_concerns() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.read(600);
    assert_eq!(desk.look(1119), NOTHING);
    assert_eq!(desk.look(1120), ["1 breached unverified", "1 -> account.unverified 0 kepala"]);
    assert!(desk.ticket(1).unverified);
    assert_eq!(desk.look(1130), NOTHING, "once");
    assert_eq!(desk.read(1200), ["1 -> ticket.breached 0 kepala"]);
    assert!(!desk.ticket(1).unverified);
    assert_eq!(desk.read(1210), NOTHING);
}

#[test]
fn of_steps_that_took_effect_unverified_one_after_another_the_newest_goes_out_and_the_others_say_so() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.read(10);
    for second in [620, 1120, 1620] {
        desk.look(second);
    }
    assert_eq!(desk.read(1700), ["1 -> ticket.escalated 500 sekda"]);
    let silent: Vec<_> = desk.ticket(1).steps.iter().map(|step| step.effect.as_ref().unwrap().silent.clone()).collect();
    assert_eq!(silent, [Some("newer step".to_owned()), Some("newer step".to_owned()), None], "kepala was not told");
}

#[test]
fn a_read_noted_while_the_clock_was_ahead_proves_nothing() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.read(10);
    desk.view.read_began_at = Some(at(3600));
    assert_eq!(desk.look(501), NOTHING);
    assert_eq!(desk.read(502), ["1 warned", "1 -> ticket.warned 50% operator"]);
}

#[test]
fn an_answer_found_after_an_unverified_flag_takes_it_back() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.read(600);
    desk.look(1120);
    desk.replies(900);
    assert_eq!(desk.read(1200), ["1 answered late_found", "1 -> ticket.answered   late_found"]);
    assert_eq!(desk.row(1), "answered 0 900 1000 -");
    assert_eq!((desk.ticket(1).flagged_at, desk.ticket(1).unverified), (Some(at(1120)), false));
}

#[test]
fn an_answer_in_time_found_late_takes_the_breach_back_and_whoever_was_alerted_is_told() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.read(1000);
    desk.replies(1000);
    assert_eq!(desk.read(1300), ["1 answered late_found", "1 -> ticket.answered   late_found"]);
    assert_eq!(desk.row(1), "answered 0 1000 1000 -");
    assert_eq!(desk.ticket(1).flagged_at, Some(at(1000)));
}

#[test]
fn what_is_found_past_its_deadline_after_blindness_is_backlog_and_its_later_steps_run_as_usual() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.view.blindness = Some(tanggap::domain::view::Blindness { from: None, until: at(1200) });
    assert_eq!(desk.read(1200), ["1 opened", "1 breached", "1 -> account.backlog 0 kepala"]);
    assert_eq!(desk.read(1500), ["1 escalated", "1 -> ticket.escalated 500 sekda"]);
}

#[test]
fn acknowledged_stops_warnings_and_what_reaches_only_the_told() {
    let mut desk = Desk::new();
    desk.policies[1] = policy("biasa", None, 1000, &[("50%", "operator"), ("80%", "operator"), ("0", "operator"), ("500", "sekda")]);
    desk.asks(0);
    desk.read(500);
    desk.staff(510, ActionKind::Ack, 1);
    assert_eq!(desk.look(511), ["1 acknowledged by op"]);
    assert_eq!(desk.read(800), ["1 warned"], "said in the log only");
    assert_eq!(desk.read(1000), ["1 breached"], "the operator knows");
    assert_eq!(desk.row(1), "open 0 - 1000 1000", "the figures never change");
    assert_eq!(desk.read(1500), ["1 escalated", "1 -> ticket.escalated 500 sekda"], "the secretary does not");
}

#[test]
fn unacknowledged_warnings_go_on() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.read(10);
    desk.staff(20, ActionKind::Ack, 1);
    desk.look(21);
    desk.staff(30, ActionKind::Unack, 1);
    assert_eq!(desk.look(31), ["1 unacknowledged by op"]);
    assert_eq!(desk.read(500), ["1 warned", "1 -> ticket.warned 50% operator"]);
}

#[test]
fn a_later_urgent_message_starts_the_urgent_clock_and_drops_the_steps_not_yet_due() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.read(500);
    urgent(desk.asks(600));
    desk.read(601);
    assert_eq!(desk.row(1), "open 0 - 700 -");
    assert_eq!((desk.ticket(1).policy.as_str(), desk.ticket(1).urgent), ("darurat", true));
    assert_eq!(desk.read(700), ["1 breached", "1 -> ticket.breached 0 kepala"]);
    assert_eq!(desk.read(2000), NOTHING, "nothing of the old policy is left");
}

#[test]
fn an_urgent_message_just_before_the_deadline_leaves_the_earlier_deadline() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.read(950);
    urgent(desk.asks(960));
    desk.read(961);
    assert_eq!(desk.row(1), "open 0 - 1000 -");
    assert_eq!(desk.read(1000), ["1 breached"], "the urgent policy tells the head at its own time");
    assert_eq!(desk.read(1060), ["1 escalated", "1 -> ticket.escalated 0 kepala"]);
}

#[test]
fn an_edit_noticed_after_the_answer_makes_no_closed_ticket_urgent() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.replies(50);
    desk.read(60);
    desk.view.messages[0].seen.urgent = true;
    desk.view.messages[0].urgent_at = Some(at(100));
    assert_eq!(desk.read(101), NOTHING);
    assert_eq!((desk.ticket(1).policy.as_str(), desk.ticket(1).urgent), ("biasa", false));
}

#[test]
fn a_skewed_clock_stops_every_step() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.read(10);
    desk.hold = true;
    assert_eq!(desk.read(1600), NOTHING);
    assert_eq!(desk.look(5000), NOTHING, "unverified ones too");
    assert!(desk.ticket(1).steps.iter().all(|step| step.effect.is_none()));
    assert!(desk.wants.0.is_some(), "it looks again");
    desk.hold = false;
    assert_eq!(desk.read(5001).last().unwrap(), "1 -> ticket.escalated 500 sekda");
}

#[test]
fn a_changed_configuration_moves_open_deadlines_and_sends_no_step_whose_time_lies_before_the_change() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.read(10);
    desk.policies[1] = policy("biasa", None, 300, &[("50%", "operator"), ("0", "kepala"), ("500", "sekda")]);
    (desk.configuration, desk.changed_at) = ("two".into(), 400);
    assert_eq!(desk.read(400), ["1 breached", "1 -> account.backlog 0 kepala"], "moved into the past: set to the change, as backlog");
    for _ in 0..2 {
        assert_eq!(desk.row(1), "open 0 - 400 400");
        assert_eq!(desk.read(410), NOTHING);
    }
    assert_eq!(desk.read(800), ["1 escalated", "1 -> ticket.escalated 500 sekda"]);
}

#[test]
fn a_deadline_set_to_the_change_stays_there_until_it_is_proved() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.read(10);
    desk.policies[1] = policy("biasa", None, 300, &[("0", "kepala")]);
    (desk.configuration, desk.changed_at) = ("two".into(), 400);
    for second in [400, 401, 402] {
        assert_eq!(desk.look(second), NOTHING);
        assert_eq!(desk.row(1), "open 0 - 400 -");
    }
    desk.replies(399);
    desk.read(410);
    assert_eq!(desk.row(1), "answered 0 399 400 -", "it was in time before the change");
}

#[test]
fn a_changed_configuration_reopens_nothing_and_undoes_no_breach_however_often_it_is_looked_at() {
    let mut late = Desk::new();
    late.asks(0);
    late.replies(1200);
    let mut open = Desk::new();
    open.asks(0);
    let mut in_time = Desk::new();
    in_time.asks(0);
    in_time.replies(900);
    for (desk, within, row) in [
        (&mut late, 5000, "answered 0 1200 1000 1000"),
        (&mut open, 5000, "open 0 - 1000 1000"),
        (&mut in_time, 100, "answered 0 900 1000 -"),
    ] {
        desk.read(1300);
        assert_eq!(desk.row(1), row);
        desk.policies[1] = policy("biasa", None, within, &[("0", "kepala")]);
        (desk.configuration, desk.changed_at) = ("two".into(), 1400);
        for second in [1400, 1401, 1402] {
            assert_eq!(desk.read(second), NOTHING);
            assert_eq!(desk.row(1), row);
        }
    }
}

#[test]
fn a_removal_under_doubt_holds_a_step_for_a_minute_at_most() {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.read(600);
    desk.view.messages[0].missing_since = Some(at(995));
    assert_eq!(desk.read(1000), NOTHING);
    assert_eq!(desk.read(1059), NOTHING);
    assert_eq!(desk.read(1060), ["1 breached", "1 -> ticket.breached 0 kepala"]);
    desk.view.messages[0].deleted_at = Some(at(1070));
    assert_eq!(desk.read(1070), ["1 withdrawn gone", "1 -> ticket.withdrawn"]);
    assert_eq!((desk.ticket(1).state, desk.ticket(1).breached_at), (TicketState::Withdrawn, Some(at(1000))));
}

#[test]
fn on_a_restored_copy_steps_due_before_the_start_take_effect_into_one_summary_and_later_ones_as_usual() {
    let mut desk = Desk::new();
    desk.restored_at = Some(1200);
    desk.asks(0);
    assert_eq!(desk.read(1201), ["1 opened", "1 breached", "1 -> account.backlog 0 kepala restored"]);
    assert_eq!(desk.row(1), "open 0 - 1000 1000");
    assert_eq!(desk.read(1500), ["1 escalated", "1 -> ticket.escalated 500 sekda"]);

    let mut warned = Desk::new();
    warned.restored_at = Some(600);
    warned.asks(0);
    assert_eq!(warned.read(601), ["1 opened", "1 warned", "1 -> ticket.warned 50% operator restored"], "its deadline is still to come");
    assert_eq!(warned.read(1000), ["1 breached", "1 -> ticket.breached 0 kepala"]);
}
