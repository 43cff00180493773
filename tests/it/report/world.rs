//! A site of five agencies, and cases put together by hand.

use std::collections::HashMap;

use tanggap::{
    catalogue::WordsError,
    config::{self, Environment, Secrets},
    domain::{
        AccountId, Kind, Platform, Scope, TicketId, TicketState, Time,
        settings::{Language, Settings},
    },
    hours::calendar::Calendars,
    report::{self, Ask, By, Report},
    store::figures::{Account, Case, Figures},
};

/// Weekdays 07.00 to 15.30 (Fridays by the shipped calendar), 4 working hours; urgent ones 30 minutes.
pub const CONFIG: &str = r#"
[site]
name = "Kabupaten Uji"
timezone = "Asia/Jakarta"
[[policy]]
name = "darurat"
match = { urgent = true }
respond_within = "30m"
calendar = "always"
step = [ { at = "0m", notify = ["kepala"] } ]
[[policy]]
name = "biasa"
respond_within = "4h"
calendar = "always"
step = [ { at = "50%", notify = ["operator"] }, { at = "0m", notify = ["kepala"] }, { at = "2h", notify = ["sekda"] } ]
[[official]]
name = "Operator"
group = "operator"
[[official]]
name = "Kepala Satu"
group = "kepala"
opd = ["satu"]
[[official]]
name = "Sekda"
group = "sekda"
"#;

pub fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

/// The configuration with agencies `satu` to `lima`, each with account 1 to 5, and `tanpa`, which has none.
pub fn text() -> String {
    let agency = |(number, slug): (i64, &str)| {
        let account = format!("[[opd.account]]\nplatform = \"facebook\"\nid = \"{number}\"\ntoken = \"env:X\"\n");
        format!("[[opd]]\nslug = \"{slug}\"\nname = \"Dinas {slug}\"\nabbreviation = \"{}\"\n{account}", slug.to_uppercase())
    };
    let agencies: Vec<String> = (1..).zip(["satu", "dua", "tiga", "empat", "lima"]).map(agency).collect();
    format!("{CONFIG}{}[[opd]]\nslug = \"tanpa\"\nname = \"Dinas Tanpa\"\nabbreviation = \"TANPA\"\n", agencies.concat())
}

pub fn settings() -> Settings {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tanggap.toml");
    std::fs::write(&file, text()).unwrap();
    config::load(Some(&file), &Environment::bare(folder.path()), Secrets::DatabaseOnly).unwrap().settings
}

/// An account that was watched all the time.
pub fn account(id: i64, opd: &str) -> Account {
    Account {
        platform: Platform::Facebook,
        id: id.to_string(),
        opd: opd.into(),
        name: Some(format!("Akun {opd}")),
        active: true,
        healthy: true,
        reason: None,
        watched: Some(1.0),
        doubts: vec![],
    }
}

/// The five agencies' accounts and no case.
pub fn figures() -> Figures {
    let accounts = (1..).zip(["satu", "dua", "tiga", "empat", "lima"]).map(|(id, opd)| (AccountId(id), account(id, opd)));
    Figures { accounts: accounts.collect::<HashMap<_, _>>(), ..Figures::default() }
}

/// An open case of an agency's account, due four hours later.
pub fn open(id: i64, account: i64, opened: &str) -> Case {
    let opened_at = at(opened);
    Case {
        id: TicketId(id),
        opd: ["satu", "dua", "tiga", "empat", "lima"][account as usize - 1].into(),
        account: AccountId(account),
        kind: Kind::Comment,
        policy: "biasa".into(),
        urgent: false,
        urgent_at: None,
        state: TicketState::Open,
        opened_at,
        due_at: opened_at.plus(jiff::SignedDuration::from_hours(4)),
        breached_at: None,
        acknowledged_at: None,
        closed_at: None,
        answered_by: None,
        business_seconds: None,
        reason: None,
        unverified: false,
    }
}

/// The same, closed after so many minutes.
pub fn closed(case: Case, state: TicketState, minutes: i64) -> Case {
    let closed_at = case.opened_at.plus(jiff::SignedDuration::from_mins(minutes));
    let business_seconds = (state == TicketState::Answered).then_some(minutes * 60);
    let breached_at = Some(case.due_at).filter(|due| *due < closed_at);
    Case { state, closed_at: Some(closed_at), business_seconds, breached_at, answered_by: business_seconds.map(|_| "1".into()), ..case }
}

/// Answered after so many minutes.
pub fn answered(id: i64, account: i64, opened: &str, minutes: i64) -> Case {
    closed(open(id, account, opened), TicketState::Answered, minutes)
}

/// The report of November 2026 in a language, as of 1 December 2026.
pub fn told(figures: &Figures, language: Language, by: By, scope: &Scope) -> Result<Report, WordsError> {
    let mut settings = settings();
    settings.site.language = language;
    let ask = Ask { from: jiff::civil::date(2026, 11, 1), to: jiff::civil::date(2026, 11, 30), by, scope };
    report::report(figures, &settings, &Calendars::new(&settings.calendars), ask, at("2026-12-01T00:00:00Z"))
}

pub fn english(figures: &Figures) -> Report {
    told(figures, Language::English, By::Opd, &Scope::ALL).unwrap()
}
