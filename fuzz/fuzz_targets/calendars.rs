//! Any calendar with any list of holidays. The first line is the start of the clock and its seconds, then comes a `[[calendar]]` without
//! its name, and behind a line `#%` the file that it may name as `daerah.csv`: CSV or iCalendar.
//!
//! A calendar is refused with a reason, or its clock is right: it runs out at the earliest instant by which so much was worked, it never
//! runs on a holiday, the way back is the way there, and what is worked in two parts is worked in the whole.

#![no_main]

use jiff::{SignedDuration, civil};
use libfuzzer_sys::fuzz_target;
use tanggap::{
    domain::{Time, settings::CalendarSpec},
    hours::calendar::Calendar,
};
use tanggap_fuzz::site;

const REST: &str = r#"
[site]
name = "Uji"
timezone = "Asia/Jakarta"
[database]
url = "sqlite:///t.db"
[[policy]]
name = "biasa"
respond_within = "4h"
calendar = "always"
[[opd]]
slug = "uji"
name = "Uji"
[[opd.account]]
platform = "facebook"
id = "1"
token = "env:RAHASIA"
"#;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    let Some((question, rest)) = text.split_once('\n') else { return };
    if rest.contains("/dev") || rest.contains("/proc") {
        return; // files without an end
    }
    let (calendar, days) = rest.split_once("\n#%\n").unwrap_or((rest, ""));
    site::put("daerah.csv", Some(days));
    site::put("tanggap.toml", Some(&format!("{REST}[[calendar]]\nname = \"fuzz\"\n{calendar}")));
    let Ok(loaded) = site::load() else { return };
    let Some(spec) = loaded.settings.calendars.get("fuzz") else { panic!("the calendar is gone") };
    let (from, seconds) = question.split_once(' ').unwrap_or((question, ""));
    let from = Time::parse(from).unwrap_or(Time::from_secs(1_795_485_600)).floor_secs();
    clock(&Calendar::new(spec), from, seconds.parse::<u32>().unwrap_or(14_400).into());
});

fn later(at: Time, seconds: i64) -> Time {
    at.plus(SignedDuration::from_secs(seconds))
}

fn clock(calendar: &Calendar, from: Time, seconds: i64) {
    let worktime = &calendar.worktime;
    assert!(worktime.start() < worktime.end());
    if from < worktime.start() || from > worktime.end() {
        return;
    }
    let Some(due) = worktime.due(from, seconds) else {
        assert!(worktime.worked(from, worktime.end()) < seconds, "there was time enough");
        return;
    };
    assert!(due >= from && due <= worktime.end());
    assert_eq!(worktime.worked(from, due), seconds, "not so much was worked");
    if seconds > 0 {
        assert!(worktime.worked(from, later(due, -1)) < seconds, "it was due before");
        let back = worktime.due_before(due, seconds);
        assert_eq!(worktime.worked(back, due), seconds, "the way back");
        assert!(worktime.worked(later(back, 1), due) < seconds, "it need not begin before");
    }
    let half = worktime.due(from, seconds / 2).map(|half| worktime.worked(from, half) + worktime.worked(half, due));
    assert_eq!(half, Some(seconds), "two parts are not the whole");
    let mut sum = 0;
    for (open, close) in worktime.between(from, due).take(1_000) {
        assert!(open < close && open >= from && close <= due);
        sum += close.since(open).as_secs();
        holiday(&calendar.spec, open, close);
    }
    assert!(sum <= seconds);
}

/// No instant of working time lies in a day off, unless the clock skipped the hour it was written for and moved it there.
fn holiday(spec: &CalendarSpec, open: Time, close: Time) {
    if spec.timezone.iana_name().is_none_or(|name| !name.starts_with("Asia/Ja")) {
        return; // Indonesia knows no change of the clock
    }
    let day = |at: Time| -> civil::Date { at.timestamp().to_zoned_datetime(spec.timezone.clone()).date() };
    let (first, last) = (day(open), day(later(close, -1)));
    if first == last {
        assert!(!spec.holidays.contains_key(&first), "worked on {first}");
    }
}
