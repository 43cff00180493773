//! A text as every single value of time that somebody may write: an instant, a duration, a step's time, hours, a day, a time of the week.
//!
//! It is refused, or it means one thing: written out and read again it is the same, and it keeps to the bounds of what it is.

#![no_main]

use jiff::SignedDuration;
use libfuzzer_sys::fuzz_target;
use tanggap::{
    config::words,
    domain::{Time, settings::StepAt},
};

const DAY: u32 = 86_400;
const CENTURY: SignedDuration = SignedDuration::from_hours(36_525 * 24);

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    instant(text);
    lengths(text);
    days(text);
});

fn instant(text: &str) {
    let Some(at) = Time::parse(text) else { return };
    assert_eq!(Time::from_ms(at.ms()), Some(at), "outside the years that can be kept");
    assert_eq!(Time::parse(&at.rfc3339_ms()), Some(at), "{text:?}");
    assert_eq!(Time::parse(&at.rfc3339()), Some(at.floor_secs()), "{text:?}");
    assert_eq!(Time::from_timestamp(at.timestamp()), at);
    assert!(at.plus(CENTURY) >= at && at.minus(CENTURY) <= at);
}

fn lengths(text: &str) {
    let length = words::duration(text);
    if let Ok(length) = &length {
        assert!(!length.is_negative() && *length <= CENTURY, "{length:?}");
        let nanos = format!("{}s {}ns", length.as_secs(), length.subsec_nanos());
        assert_eq!(words::duration(&nanos).as_ref(), Ok(length), "{text:?}");
    }
    match (words::sla_duration(text, false), words::sla_duration(text, true)) {
        (Ok(always), Ok(business)) => assert_eq!(always, business),
        (Ok(_), Err(why)) => assert!(why.contains("working day"), "{why}"),
        (Err(_), Ok(_)) => panic!("a working day takes more than any day"),
        (Err(_), Err(_)) => assert!(length.is_err()),
    }
    match words::step_at(text, false) {
        Ok(StepAt::Percent(percent)) => assert!(percent <= 1000 && text.ends_with('%')),
        Ok(StepAt::Offset(by)) => assert_eq!(Ok(by.abs()), words::duration(text.trim_start_matches('-')), "{text:?}"),
        Err(why) => assert!(!why.is_empty()),
    }
}

fn days(text: &str) {
    if let Ok((from, to)) = words::hours(text) {
        assert!(from < to && to <= DAY);
        let clock = |seconds: u32| format!("{:02}:{:02}", seconds / 3600, seconds % 3600 / 60);
        assert_eq!(words::hours(&format!("{}-{}", clock(from), clock(to))), Ok((from, to)));
    }
    if let Ok((from, to)) = words::quiet(text) {
        assert!(from != to);
        assert_eq!(words::quiet(&format!("{}-{}", from.strftime("%H:%M"), to.strftime("%H:%M"))), Ok((from, to)));
    }
    if let Ok(at) = words::time_of_day(text) {
        assert_eq!(at.strftime("%H:%M").to_string(), text);
    }
    if let Ok(days) = words::weekdays(text) {
        assert!(days.start() <= days.end() && *days.end() < 7);
    }
    if let Ok((day, at)) = words::weekly(text) {
        assert!(text.starts_with(&day_name(day)) && text.ends_with(&at.strftime("%H:%M").to_string()), "{text:?}");
    }
    if let Ok(day) = words::date(text) {
        assert_eq!(day.strftime("%Y-%m-%d").to_string(), text);
    }
}

fn day_name(day: jiff::civil::Weekday) -> String {
    ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][usize::try_from(day.to_monday_zero_offset()).unwrap_or_default()].to_owned()
}
