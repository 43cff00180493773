//! The table of forms.

use super::*;

fn at(hours: i64) -> Time {
    Time::from_secs(1_795_500_000 + 3600 * hours)
}

fn facts(platform: Platform, kind: Kind) -> Facts {
    Facts {
        ticket: TicketId(1),
        state: TicketState::Open,
        account: AccountId(1),
        account_id: "101".into(),
        platform,
        opd: "dinhub".into(),
        thread_id: ThreadId(1),
        kind,
        thread: "101_9_77".into(),
        post: Some("9".into()),
        citizen: (kind == Kind::Message).then(|| "9001".into()),
        thread_hidden: false,
        newest: Some(Newest {
            external_id: "101_9_78".into(),
            at: at(0),
            author: Some("9001".into()),
            by_page: false,
            private_reply: false,
        }),
        permalink: None,
    }
}

#[test]
fn every_kind_of_ticket_on_each_platform_has_its_forms() {
    use Kind::{Comment, Mention, Message, Post, Review};
    use Platform::{Facebook, Instagram};
    let (below, writer) = (Ok("101_9_77"), Ok("101_9_78"));
    for (platform, kind, [comment, message, private]) in [
        (Facebook, Comment, [below, Err(Unfit::NotConversation), writer]),
        (Instagram, Comment, [below, Err(Unfit::NotConversation), writer]),
        (Facebook, Post, [below, Err(Unfit::NotConversation), writer]),
        (Facebook, Mention, [below, Err(Unfit::NotConversation), Err(Unfit::Mention)]),
        (Instagram, Mention, [Err(Unfit::Mention); 3]),
        (Facebook, Review, [Err(Unfit::Review); 3]),
        (Facebook, Message, [Err(Unfit::Conversation), Ok("9001"), Err(Unfit::Conversation)]),
        (Instagram, Message, [Err(Unfit::Conversation), Ok("9001"), Err(Unfit::Conversation)]),
    ] {
        let ways = facts(platform, kind).ways(at(1));
        let found: Vec<_> = ways.iter().map(|(_, way)| way.as_ref().map(|way| way.target.as_str()).map_err(|why| *why)).collect();
        assert_eq!(found, [comment, message, private], "{platform} {kind}");
    }
}

#[test]
fn a_conversation_is_open_for_a_day_and_for_a_person_for_seven() {
    let facts = facts(Platform::Facebook, Kind::Message);
    let way = |hours| facts.way(Form::Message, at(hours)).map(|way| (way.window, way.until));
    assert_eq!(way(0), Ok((Some(Window::Open), Some(at(24)))));
    assert_eq!(way(23), Ok((Some(Window::Open), Some(at(24)))));
    assert_eq!(way(24), Ok((Some(Window::HumanAgent), Some(at(168)))));
    assert_eq!(way(167), Ok((Some(Window::HumanAgent), Some(at(168)))));
    assert_eq!(way(168), Err(Unfit::WindowOver));
}

#[test]
fn a_private_reply_goes_once_within_seven_days_to_a_person() {
    let changed = |change: fn(&mut Newest), hours| {
        let mut facts = facts(Platform::Facebook, Kind::Comment);
        change(facts.newest.as_mut().unwrap());
        facts.way(Form::Private, at(hours)).map(|way| way.until)
    };
    assert_eq!(changed(|_| {}, 167), Ok(Some(at(168))));
    assert_eq!(changed(|_| {}, 168), Err(Unfit::PrivateOver));
    assert_eq!(changed(|newest| newest.private_reply = true, 1), Err(Unfit::PrivateOnce));
    assert_eq!(changed(|newest| newest.by_page = true, 1), Err(Unfit::ByPage));
}

#[test]
fn nothing_is_answered_that_is_closed_gone_or_hidden_on_instagram() {
    for (platform, outcome) in [(Platform::Instagram, Err(Unfit::Hidden)), (Platform::Facebook, Ok(Form::Comment))] {
        let facts = Facts { thread_hidden: true, ..facts(platform, Kind::Comment) };
        assert_eq!(facts.way(Form::Comment, at(1)).map(|way| way.form), outcome);
    }
    for (closed, why) in [
        (Facts { state: TicketState::Answered, ..facts(Platform::Facebook, Kind::Comment) }, Unfit::Closed),
        (Facts { newest: None, ..facts(Platform::Facebook, Kind::Comment) }, Unfit::Gone),
    ] {
        assert_eq!(closed.way(Form::Comment, at(1)), Err(why));
    }
    let nobody =
        Facts { citizen: None, newest: facts(Platform::Facebook, Kind::Message).newest, ..facts(Platform::Facebook, Kind::Message) };
    assert_eq!(nobody.way(Form::Message, at(1)).unwrap().target, "9001");
}

#[test]
fn a_text_is_as_long_as_meta_takes_it() {
    use Form::{Comment, Message, Private};
    use Platform::{Facebook, Instagram};
    for (platform, form, most) in [
        (Facebook, Comment, 8_000),
        (Facebook, Message, 2_000),
        (Facebook, Private, 2_000),
        (Instagram, Comment, 2_200),
        (Instagram, Message, 1_000),
        (Instagram, Private, 1_000),
    ] {
        assert!(text(platform, form, &"a".repeat(most)).is_ok());
        let error = text(platform, form, &"a".repeat(most + 1)).unwrap_err();
        assert!(matches!(error, TextError::TooLong { length, most: limit, .. } if length == most + 1 && limit == most), "{error}");
    }
    assert!(text(Instagram, Message, &"é".repeat(501)).is_err(), "bytes");
    assert!(text(Facebook, Message, &"🌊".repeat(1001)).is_err(), "UTF-16");
    assert_eq!(text(Facebook, Comment, " \n\t"), Err(TextError::Empty));
    assert_eq!(text(Facebook, Comment, "a\0b"), Err(TextError::Nul));
    assert_eq!(text(Facebook, Comment, "  Sudah, Bu.\n").unwrap().as_str(), "Sudah, Bu.");
    assert_eq!(essence(" a\n\nb \u{a0}c"), "a b c");
}
