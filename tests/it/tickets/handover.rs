//! A ticket that another OPD has to answer: who is told, and that neither clock nor steps notice.

use tanggap::domain::ticket::ActionKind;

use super::desk::Desk;

const NOTHING: [&str; 0] = [];

/// Siti wrote to Dinhub and was read.
fn asked() -> Desk {
    let mut desk = Desk::new();
    desk.asks(0);
    desk.read(10);
    desk
}

#[test]
fn the_new_opd_is_told_once_in_every_group_of_the_steps_and_the_clock_goes_on() {
    let mut desk = asked();
    desk.hands_over(20, 1, "dputaru");
    assert_eq!(desk.look(21), ["1 handed_over by op", "1 -> ticket.handed_over  operator,kepala,sekda from dinhub"]);
    assert_eq!(desk.look(22), NOTHING, "once");
    assert_eq!((desk.ticket(1).held_by.as_deref(), desk.row(1).as_str()), (Some("dputaru"), "open 0 - 1000 -"));
    assert_eq!(desk.read(500), ["1 warned", "1 -> ticket.warned 50% operator"]);
    assert_eq!(desk.read(1000), ["1 breached", "1 -> ticket.breached 0 kepala"]);
    assert_eq!(desk.read(1500), ["1 escalated", "1 -> ticket.escalated 500 sekda"]);
    desk.replies(1600);
    assert_eq!(desk.read(1601), ["1 answered", "1 -> ticket.answered"]);
    assert_eq!(desk.row(1), "answered 0 1600 1000 1000");
}

#[test]
fn handed_on_and_back_each_is_told_by_whom_and_to_the_holder_nothing_is_written() {
    let mut desk = asked();
    for (second, opd, want) in [
        (20, "dinhub", None),
        (30, "dputaru", Some("dinhub")),
        (40, "dputaru", None),
        (50, "rsud", Some("dputaru")),
        (60, "dinhub", Some("rsud")),
        (70, "dinhub", None),
    ] {
        desk.hands_over(second, 1, opd);
        let want = want.map_or_else(Vec::new, |from| {
            vec!["1 handed_over by op".to_owned(), format!("1 -> ticket.handed_over  operator,kepala,sekda from {from}")]
        });
        assert_eq!(desk.look(second + 1), want, "to {opd} at {second}");
        assert_eq!(desk.ticket(1).held_by.as_deref(), Some(opd).filter(|opd| *opd != "dinhub"));
    }
}

#[test]
fn of_several_handovers_between_two_looks_the_last_holder_is_told_and_there_and_back_tells_nobody() {
    let mut desk = asked();
    desk.hands_over(20, 1, "dputaru");
    desk.hands_over(21, 1, "rsud");
    desk.hands_over(22, 1, "rsud");
    let twice = ["1 handed_over by op", "1 handed_over by op"];
    assert_eq!(desk.look(30), [&twice[..], &["1 -> ticket.handed_over  operator,kepala,sekda from dinhub"]].concat());
    desk.hands_over(40, 1, "dinhub");
    desk.hands_over(41, 1, "rsud");
    assert_eq!(desk.look(50), twice);
}

#[test]
fn an_answer_before_any_step_is_told_where_it_was_handed_over_and_to_nobody_elsewhere() {
    let mut desk = asked();
    desk.hands_over(20, 1, "dputaru");
    desk.look(21);
    desk.replies(30);
    assert_eq!(desk.read(31), ["1 answered", "1 -> ticket.answered"]);
    let mut desk = asked();
    desk.replies(30);
    assert_eq!(desk.read(31), ["1 answered"]);
}

#[test]
fn nobody_is_told_of_a_handover_found_together_with_the_answer() {
    let mut desk = asked();
    desk.hands_over(20, 1, "dputaru");
    desk.replies(15);
    assert_eq!(desk.read(31), ["1 answered", "1 handed_over by op"]);
    assert_eq!(desk.ticket(1).held_by.as_deref(), Some("dputaru"), "it stays with the part that it was said of");
}

#[test]
fn what_the_citizen_writes_after_the_answer_is_the_accounts_own_opds_turn_again() {
    let mut desk = asked();
    desk.hands_over(20, 1, "dputaru");
    desk.replies(30);
    desk.read(31);
    desk.asks(40);
    desk.read(41);
    assert_eq!((desk.ticket(1).held_by.as_deref(), desk.ticket(2).held_by.as_deref()), (Some("dputaru"), None));
}

#[test]
fn a_step_that_falls_on_the_same_look_speaks_too_and_the_handover_last() {
    let mut desk = asked();
    desk.hands_over(1000, 1, "dputaru");
    assert_eq!(
        desk.read(1000),
        [
            "1 breached",
            "1 handed_over by op",
            "1 -> ticket.breached 0 kepala",
            "1 -> ticket.handed_over  operator,kepala,sekda from dinhub"
        ]
    );
    desk.staff(1010, ActionKind::Note, 1);
    assert_eq!(desk.look(1011), ["1 noted by op"], "other actions tell nobody");
}
