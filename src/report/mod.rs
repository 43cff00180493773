//! What came of what citizens wrote: how fast and how surely each agency answers, fairly compared, and what another policy would have
//! done.
//!
//! `seen` says how one case counts, `stat` keeps small numbers honest, `summary` makes figures of groups, `rank` the league table,
//! `what_if` replays history under other policies, `chart` draws SVG, `voice` speaks, `page` lays all of it out for browser, print and
//! mail. All of it pure: the figures come from `store::figures`, the time as a value.

pub mod chart;
pub mod page;
pub mod rank;
pub mod seen;
pub mod stat;
pub mod summary;
mod voice;
pub mod what_if;

pub use voice::{length, share, within, words, worked, worked_within};

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use minijinja::context;
use serde::Serialize;

use self::{
    rank::Rank,
    seen::{Fate, Look, Seen},
    summary::{Cell, Gathered, Group, Held, Week},
    voice::Voice,
    what_if::WhatIf,
};
use crate::{
    catalogue::WordsError,
    domain::{Kind, Platform, Scope, TicketId, Time, settings::Settings, time::rfc3339},
    hours::calendar::Calendars,
    store::figures::Figures,
};

/// What the rows of the report are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// Agencies.
    Opd,
    /// Accounts.
    Account,
    /// Policies.
    Policy,
    /// Platforms.
    Platform,
    /// Local days.
    Day,
}
crate::domain::words!(By { Opd = "opd", Account = "account", Policy = "policy", Platform = "platform", Day = "day" });

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// First local day.
    pub from: Date,
    /// Last local day, included.
    pub to: Date,
    /// What the rows are.
    pub by: By,
    /// Single tickets are listed of these OPDs only; figures are of all.
    pub scope: &'a Scope,
}

/// The instants `[from, to)` of local days, the last included.
pub fn span(from: Date, to: Date, zone: &TimeZone) -> (Time, Time) {
    let at = |day: Date| day.to_zoned_datetime(zone.clone()).map_or(Time::clamp_ms(i64::MAX), |it| Time::from_timestamp(it.timestamp()));
    (at(from), at(to.saturating_add(1.day())))
}

/// The last `days` local days, today included.
pub fn last_days(days: u16, now: Time, zone: &TimeZone) -> (Date, Date) {
    let today = now.timestamp().to_zoned_datetime(zone.clone()).date();
    (days_until(today, days), today)
}

/// The first of so many days of which `last` is the last.
pub fn days_until(last: Date, days: u16) -> Date {
    last.saturating_sub((i64::from(days) - 1).days())
}

/// The report's span of days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Period {
    /// First local day.
    pub from: Date,
    /// Last local day, included.
    pub to: Date,
    /// IANA name of the site's zone.
    pub timezone: String,
    /// As of when ages are told and states are known.
    #[serde(with = "rfc3339")]
    pub as_of: Time,
}

/// A ticket that waits, without anything of the citizen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Its number.
    pub ticket: TicketId,
    /// Slug of the agency that has to answer.
    pub opd: String,
    /// Its short name.
    pub name: String,
    /// Where it was written; `None` if the account is no longer known.
    pub platform: Option<Platform>,
    /// What was written.
    pub kind: Kind,
    /// Urgent.
    pub urgent: bool,
    /// Since when.
    #[serde(with = "rfc3339")]
    pub opened_at: Time,
    /// The deadline.
    #[serde(with = "rfc3339")]
    pub due_at: Time,
    /// Whether that is past.
    pub overdue: bool,
    /// How long by the clock on the wall.
    pub clock_seconds: i64,
    /// In working time.
    pub working_seconds: i64,
    /// An official said that it is being seen to.
    pub acknowledged: bool,
    /// That it waits could not be proved by a read.
    pub unverified: bool,
}

/// The whole report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Headline.
    pub title: String,
    /// Which days.
    pub period: Period,
    /// What the groups are.
    pub by: By,
    /// All cases.
    pub totals: Group,
    /// By what was asked for.
    pub groups: Vec<Group>,
    /// The same by agency, account, policy and platform, for the page.
    #[serde(skip)]
    pub tables: Vec<(By, Vec<Group>)>,
    /// The league table.
    pub ranking: Vec<Rank>,
    /// By weekday (Monday first) and hour of the site's clock.
    pub heat_map: Vec<Vec<Cell>>,
    /// Week by week.
    pub weeks: Vec<Week>,
    /// Each agency's own minutes of tickets that were handed over.
    pub handovers: Vec<Held>,
    /// What is unanswered, longest waiting first.
    pub waiting: Vec<Waiting>,
    /// The same history under other policies, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what_if: Option<WhatIf>,
}

/// Reckons the report of the figures of a period.
pub fn report(figures: &Figures, settings: &Settings, calendars: &Calendars, ask: Ask<'_>, now: Time) -> Result<Report, WordsError> {
    let (voice, look) = (Voice::new(settings)?, Look::new(figures, settings, calendars, now));
    let cases: Vec<Seen<'_>> = figures.cases.iter().map(|case| look.at(case)).collect();
    let older: Vec<Seen<'_>> = figures.older.iter().map(|case| look.at(case)).collect();
    let mut all = Gathered::default();
    for seen in &cases {
        all.add(seen, false);
    }
    for seen in &older {
        all.add_older(seen);
    }
    let tables = [By::Opd, By::Account, By::Policy, By::Platform]
        .into_iter()
        .map(|by| Ok((by, groups(by, &cases, &older, &voice)?)))
        .collect::<Result<Vec<_>, WordsError>>()?;
    let asked = match tables.iter().find(|(by, _)| *by == ask.by) {
        Some((_, groups)) => groups.clone(),
        None => groups(ask.by, &cases, &[], &voice)?,
    };
    let (from, to) = span(ask.from, ask.to, &settings.site.timezone);
    let last = to.minus(jiff::SignedDuration::from_millis(1));
    let dates = context! { site => settings.site.name.as_str(), from => voice.words.date(from)?, to => voice.words.date(last)? };
    Ok(Report {
        title: voice.say("title", dates)?,
        period: Period { from: ask.from, to: ask.to, timezone: settings.site.timezone.iana_name().unwrap_or("UTC").to_owned(), as_of: now },
        by: ask.by,
        totals: all.group("total".into(), voice.say("total", ())?),
        groups: asked,
        ranking: rank::rank(&tables[0].1, figures, settings, &voice)?,
        heat_map: summary::heat(&cases),
        weeks: summary::weeks(&cases, ask.from, ask.to.min(now.timestamp().to_zoned_datetime(settings.site.timezone.clone()).date())),
        handovers: summary::held(figures, &look, |slug| voice.opd(slug)),
        waiting: waiting(&cases, &older, ask.scope, &voice),
        tables,
        what_if: None,
    })
}

/// The figures by one thing.
fn groups(by: By, cases: &[Seen<'_>], older: &[Seen<'_>], voice: &Voice) -> Result<Vec<Group>, WordsError> {
    let unknown = || "?".to_owned();
    let key = |seen: &Seen<'_>| match by {
        By::Opd => seen.case.opd.clone(),
        By::Account => seen.account.map_or_else(unknown, |it| format!("{}:{}", it.platform, it.id)),
        By::Policy => seen.case.policy.clone(),
        By::Platform => seen.account.map_or_else(unknown, |it| it.platform.to_string()),
        By::Day => seen.day.to_string(),
    };
    let mut accounts = std::collections::HashMap::new();
    if by == By::Account {
        for account in cases.iter().chain(older).filter_map(|seen| seen.account) {
            accounts.entry(format!("{}:{}", account.platform, account.id)).or_insert(account);
        }
    }
    let name = |key: &str| match by {
        By::Opd => Ok(voice.opd(key)),
        By::Account => accounts.get(key).map_or_else(|| Ok(key.to_owned()), |it| voice.account(it)),
        By::Platform => Platform::from_word(key).map_or_else(|| Ok(key.to_owned()), |it| voice.words.platform(it)),
        By::Policy | By::Day => Ok(key.to_owned()),
    };
    let found = summary::by(cases, older, by == By::Opd, key);
    found.into_iter().map(|(key, gathered)| Ok(gathered.group(key.clone(), name(&key)?))).collect()
}

fn waiting(cases: &[Seen<'_>], older: &[Seen<'_>], scope: &Scope, voice: &Voice) -> Vec<Waiting> {
    let open = older.iter().chain(cases).filter(|seen| seen.fate == Fate::Open && scope.holds(&seen.case.opd));
    let mut rows: Vec<Waiting> = open
        .map(|seen| Waiting {
            ticket: seen.case.id,
            opd: seen.case.opd.clone(),
            name: voice.opd(&seen.case.opd),
            platform: seen.account.map(|it| it.platform),
            kind: seen.case.kind,
            urgent: seen.case.urgent,
            opened_at: seen.case.opened_at,
            due_at: seen.case.due_at,
            overdue: seen.in_time == Some(false),
            clock_seconds: seen.clock.seconds,
            working_seconds: seen.working.seconds,
            acknowledged: seen.case.acknowledged_at.is_some(),
            unverified: seen.case.unverified,
        })
        .collect();
    rows.sort_by_key(|row| (row.opened_at, row.ticket));
    rows
}
