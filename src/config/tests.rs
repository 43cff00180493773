//! Calendars from the configuration to the specification, holidays from their files, and how single values are written.

use std::{fs, path::Path};

use jiff::{SignedDuration, civil::date};

use super::{Environment, Secrets, holidays, load, slug, words};
use crate::domain::settings::{CalendarSpec, StepAt, Week};

const SITE: &str = r#"
site = { name = "Kabupaten Contoh", timezone = "Asia/Makassar" }
[[policy]]
name = "biasa"
respond_within = "4h"
calendar = "always"
[[opd]]
slug = "dinkes"
name = "Dinas Kesehatan"
[[opd.account]]
platform = "facebook"
id = "1"
token = "credential:page"
"#;

/// A calendar of a configuration with these lines and files.
fn calendar(name: &str, lines: &str, files: &[(&str, &str)]) -> CalendarSpec {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tanggap.toml"), format!("{SITE}{lines}")).unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let env = Environment::bare(folder.path());
    let loaded = load(Some(Path::new("tanggap.toml")), &env, Secrets::DatabaseOnly).unwrap();
    loaded.settings.calendars[name].clone()
}

fn own(lines: &str, files: &[(&str, &str)]) -> CalendarSpec {
    calendar("a", &format!("[[calendar]]\nname = \"a\"\n{lines}"), files)
}

/// Working seconds of a week.
fn worked(week: &Week) -> u32 {
    week.iter().flatten().map(|(from, to)| to - from).sum()
}

const HOUR: u32 = 3600;

#[test]
fn the_built_in_calendars_have_the_hours_of_the_decree_in_the_sites_zone() {
    for (name, days) in [("builtin:5-hari", 5), ("builtin:6-hari", 6)] {
        let spec = calendar(name, "", &[]);
        assert_eq!(spec.timezone.iana_name(), Some("Asia/Makassar"), "{name}");
        assert_eq!(worked(&spec.week), 37 * HOUR + HOUR / 2, "{name}: Perpres 21/2023");
        assert_eq!(spec.week.iter().filter(|day| !day.is_empty()).count(), days, "{name}");
        assert_eq!(spec.periods.len(), 7, "{name}: Ramadan of each year known");
        assert!(spec.periods.iter().all(|it| worked(&it.week) == 32 * HOUR + HOUR / 2), "{name}: Perpres 21/2023, Ramadan");
        assert_eq!((spec.periods[5].from, spec.periods[5].to), (date(2026, 2, 19), date(2026, 3, 20)), "{name}");
        assert_eq!(spec.holidays[&date(2026, 12, 24)], "Cuti Bersama Hari Raya Natal", "{name}");
        assert_eq!(spec.holidays_until, Some(date(2027, 12, 31)), "{name}");
    }
    let always = calendar("always", "", &[]);
    assert_eq!((worked(&always.week), always.holidays_until), (7 * 24 * HOUR, None));
}

#[test]
fn hours_of_days_and_ranges_are_sorted_and_half_open_up_to_midnight() {
    let spec = own(
        "timezone = \"Asia/Jayapura\"\nhours = { tue-wed = [\"13:00-24:00\", \"07:00-12:00\", \"12:00-13:00\"], sun = [\"00:00-01:30\"] }",
        &[],
    );
    let day = vec![(7 * HOUR, 12 * HOUR), (12 * HOUR, 13 * HOUR), (13 * HOUR, 24 * HOUR)];
    assert_eq!(spec.week, [vec![], day.clone(), day, vec![], vec![], vec![], vec![(0, HOUR + HOUR / 2)]]);
    assert_eq!((spec.timezone.iana_name(), spec.holidays_until), (Some("Asia/Jayapura"), None));
}

#[test]
fn periods_keep_their_order_and_may_close_the_office() {
    let spec = own(
        r#"hours = { mon-fri = ["07:00-15:00"] }
[[calendar.period]]
from = "2026-12-24"
to = "2026-12-24"
hours = {}
[[calendar.period]]
ramadan = true
hours = { mon = ["08:00-14:00"] }"#,
        &[],
    );
    assert_eq!((spec.periods[0].from, spec.periods[0].to, worked(&spec.periods[0].week)), (date(2026, 12, 24), date(2026, 12, 24), 0));
    assert_eq!((spec.periods.len(), spec.periods[1].from.year()), (8, 2021));
}

#[test]
fn without_joint_leave_the_office_is_open_on_cuti_bersama() {
    let spec = own("hours = { mon-fri = [\"07:00-15:00\"] }\nholidays = [\"builtin:id\"]\njoint_leave = false", &[]);
    assert!(!spec.holidays.contains_key(&date(2026, 12, 24)) && spec.holidays.contains_key(&date(2026, 12, 25)));
    assert_eq!(spec.holidays_until, Some(date(2027, 12, 31)));
}

#[test]
fn a_list_of_local_days_adds_to_the_national_ones_and_alone_counts_to_the_end_of_its_last_year() {
    let files = [("daerah.csv", "\u{feff}# remarks are left out\n2028-07-27,\"Hari Jadi, Rembang\"\r\n2026-12-25,Natal\n")];
    let hours = "hours = { mon-fri = [\"07:00-15:00\"] }\n";
    let both = own(&format!("{hours}holidays = [\"builtin:id\", \"daerah.csv\"]"), &files);
    assert_eq!(both.holidays[&date(2028, 7, 27)], "Hari Jadi, Rembang");
    assert_eq!(both.holidays[&date(2026, 12, 25)], "Hari Raya Natal", "the first source names the day");
    assert_eq!(both.holidays_until, Some(date(2027, 12, 31)), "a local day of 2028 is not the decree for 2028");
    let alone = own(&format!("{hours}holidays = [\"daerah.csv\"]"), &files);
    assert_eq!((alone.holidays.len(), alone.holidays_until), (2, Some(date(2028, 12, 31))));
}

#[test]
fn a_file_in_the_shipped_form_carries_the_calendar_on() {
    let files = [("2028.csv", "date,name,kind,source\n2028-01-01,Tahun Baru,public,SKB\n2028-01-03,Cuti Bersama,joint_leave,SKB\n")];
    let spec = own("hours = { mon-fri = [\"07:00-15:00\"] }\nholidays = [\"builtin:id\", \"2028.csv\"]\njoint_leave = false", &files);
    assert_eq!(spec.holidays_until, Some(date(2028, 12, 31)));
    assert!(spec.holidays.contains_key(&date(2028, 1, 1)) && !spec.holidays.contains_key(&date(2028, 1, 3)));
}

#[test]
fn the_end_of_an_icalendar_event_is_the_day_after_its_last() {
    let text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n\
        BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Libur panj\r\n ang\\, bersama\r\nDTSTART;VALUE=DATE:20261230\r\nDTEND;VALUE=DATE:20270102\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Satu hari\r\nDTSTART;VALUE=DATE:20260727\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:3\r\nSTATUS:CANCELLED\r\nDTSTART;VALUE=DATE:20260728\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let (read, faults) = holidays::read(text, true);
    assert_eq!(faults, []);
    let name = |it: &str| it.to_owned();
    assert_eq!(
        read.days,
        [
            (date(2026, 12, 30), name("Libur panjang, bersama")),
            (date(2026, 12, 31), name("Libur panjang, bersama")),
            (date(2027, 1, 1), name("Libur panjang, bersama")),
            (date(2026, 7, 27), name("Satu hari")),
        ]
    );
    assert_eq!(read.until, Some(date(2027, 12, 31)));
}

#[test]
fn the_shipped_data_are_whole() {
    let (all, faults) = holidays::national(true);
    assert_eq!((all.days.len(), faults), (171, vec![]));
    assert_eq!(holidays::national(false).0.days.len(), 118);
    let ramadan = holidays::ramadan();
    assert_eq!(ramadan.len(), 7);
    assert!(ramadan.iter().all(|days| (29..=30).contains(&((*days.end() - *days.start()).get_days() + 1))), "{ramadan:?}");
}

#[test]
fn a_slug_is_small_letters_and_digits_joined_by_dashes_and_its_own_slug() {
    for (name, wanted) in [
        ("Kepala Dindukcapil", "kepala-dindukcapil"),
        ("  RSUD dr. R. Soetrasno (Rembang) ", "rsud-dr-r-soetrasno-rembang"),
        ("Café Ünïted №2", "cafe-united-no2"),
        ("Sekretaris/Asisten–I", "sekretaris-asisten-i"),
        ("!", ""),
    ] {
        assert_eq!(slug(name), wanted);
        assert_eq!(slug(wanted), wanted);
    }
}

#[test]
fn steps_and_sla_durations_know_business_time() {
    let minutes = |it| Ok(StepAt::Offset(SignedDuration::from_mins(it)));
    for (text, wanted) in
        [("75%", Ok(StepAt::Percent(75))), ("0m", minutes(0)), ("-15m", minutes(-15)), ("2h", minutes(120)), ("1h 30m", minutes(90))]
    {
        assert_eq!(words::step_at(text, true), wanted, "{text}");
    }
    for text in ["2d", "1day", "1w", "1month", "1M", "1y", "1d 2h"] {
        assert!(words::sla_duration(text, true).is_err() && words::sla_duration(text, false).is_ok(), "{text}");
    }
    for text in ["90min", "2 hours", "500ms", "3hrs"] {
        assert!(words::sla_duration(text, true).is_ok(), "{text}");
    }
    for text in ["", "%", "+75%", "-", "--1h", "-75%", "1001%", "1000000y"] {
        assert!(words::step_at(text, false).is_err(), "{text}");
    }
}

#[test]
fn addresses_are_https_or_a_literal_loopback_address() {
    for (text, wanted) in [
        ("https://graph.facebook.com/", Some("https://graph.facebook.com")),
        ("https://example.go.id/tanggap/", Some("https://example.go.id/tanggap")),
        ("http://127.0.0.1:8787", Some("http://127.0.0.1:8787")),
        ("http://[::1]:8787/", Some("http://[::1]:8787")),
        ("http://localhost:8787", None),
        ("http://127.0.0.1.example.com", None),
        ("http://10.0.0.1", None),
        ("https://user@example.go.id", None),
        ("https://example.go.id?key=1", None),
        ("ftp://example.go.id", None),
        ("example.go.id", None),
    ] {
        assert_eq!(words::base_url(text).ok().as_deref(), wanted, "{text}");
    }
    for (text, right) in [
        ("smtps://user@mail.example.go.id:465", true),
        ("smtp+starttls://mail.example.go.id", true),
        ("smtp://127.0.0.1:2525", true),
        ("smtp://[::1]:2525", true),
        ("smtp://localhost:2525", false),
        ("smtp://mail.example.go.id", false),
        ("smtps://", false),
    ] {
        assert_eq!(words::smtp_url(text).is_ok(), right, "{text}");
    }
}
