//! The figures of groups of cases: how many, answered or not, in time or not, how fast; the hours in which they came in, the weeks, and
//! whose hands they passed through. Pure.

use std::collections::BTreeMap;

use jiff::{ToSpan as _, civil::Date};
use serde::Serialize;

use super::{
    seen::{Fate, Look, Seen},
    stat::{Quantile, Share, Wait, quantile},
};
use crate::store::figures::Figures;

/// A row of the report. All lengths are in seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Group {
    /// What tells it from the others: a slug, `platform:id`, a policy's name, a platform, a day.
    pub key: String,
    /// The same for people.
    pub name: String,
    /// Tickets opened in the period, those merged into others aside.
    pub tickets: u64,
    /// Answered on the platform.
    pub answered: u64,
    /// Answered elsewhere, as staff said.
    pub staff: u64,
    /// Unanswered.
    pub open: u64,
    /// Of these, past their deadline.
    pub overdue: u64,
    /// Opened before the period and still unanswered; in none of the other numbers.
    pub older: u64,
    /// How long the oldest unanswered one waits, those from before the period included.
    pub oldest_seconds: Option<i64>,
    /// Withdrawn since all its messages are gone.
    pub gone: u64,
    /// The longest of these had waited so long.
    pub gone_waited_seconds: Option<i64>,
    /// Withdrawn since all its messages were hidden after they had been seen.
    pub hidden: u64,
    /// The longest of these had waited so long.
    pub hidden_waited_seconds: Option<i64>,
    /// Nothing was to be answered, as staff said.
    pub dismissed: u64,
    /// Whose last step could not be proved by a read.
    pub unverified: u64,
    /// Urgent.
    pub urgent: u64,
    /// Handed over at least once.
    pub handed_over: u64,
    /// Of which it is known whether they were answered in time: answered, or past the deadline without.
    pub decided: u64,
    /// Of these, answered by the deadline.
    pub in_time: u64,
    /// As a share.
    pub share: Option<Share>,
    /// Half are answered within so much working time.
    pub median_working: Option<Quantile>,
    /// Nine of ten.
    pub p90_working: Option<Quantile>,
    /// Half are answered within so much time by the clock on the wall.
    pub median_clock: Option<Quantile>,
    /// Nine of ten.
    pub p90_clock: Option<Quantile>,
}

/// The cases of a group on their way into figures.
#[derive(Default)]
pub struct Gathered {
    group: Group,
    clock: Vec<Wait>,
    working: Vec<Wait>,
}

impl Gathered {
    /// Counts a case of the period; `own`: the time of its present holder alone, for what is told of agencies.
    pub fn add(&mut self, seen: &Seen<'_>, own: bool) {
        let group = &mut self.group;
        if seen.fate == Fate::Void {
            return;
        }
        let longest = |so_far: &mut Option<i64>| *so_far = (*so_far).max(Some(seen.clock.seconds));
        group.tickets += 1;
        match seen.fate {
            Fate::Answered => group.answered += 1,
            Fate::Staff => group.staff += 1,
            Fate::Dismissed => group.dismissed += 1,
            Fate::Open => {
                group.open += 1;
                group.overdue += u64::from(seen.in_time == Some(false));
                longest(&mut group.oldest_seconds);
            }
            Fate::Gone => {
                group.gone += 1;
                longest(&mut group.gone_waited_seconds);
            }
            Fate::Hidden => {
                group.hidden += 1;
                longest(&mut group.hidden_waited_seconds);
            }
            Fate::Void => {}
        }
        group.unverified += u64::from(seen.case.unverified);
        group.urgent += u64::from(seen.case.urgent);
        group.handed_over += u64::from(seen.handed);
        group.decided += u64::from(seen.in_time.is_some());
        group.in_time += u64::from(seen.in_time == Some(true));
        if seen.fate != Fate::Dismissed {
            let (clock, working) = if own { seen.own } else { (seen.clock, seen.working) };
            self.clock.push(clock);
            self.working.push(working);
        }
    }

    /// Counts a case from before the period that is still open.
    pub fn add_older(&mut self, seen: &Seen<'_>) {
        self.group.older += 1;
        self.group.oldest_seconds = self.group.oldest_seconds.max(Some(seen.clock.seconds));
    }

    /// The figures.
    pub fn group(mut self, key: String, name: String) -> Group {
        self.clock.sort_unstable();
        self.working.sort_unstable();
        let share = Share::of(self.group.in_time, self.group.decided);
        let at = quantile;
        Group {
            key,
            name,
            share,
            median_working: at(&self.working, 0.5),
            p90_working: at(&self.working, 0.9),
            median_clock: at(&self.clock, 0.5),
            p90_clock: at(&self.clock, 0.9),
            ..self.group
        }
    }
}

/// The figures by what `key` tells of a case, in the order of the keys.
pub fn by<'a>(cases: &[Seen<'a>], older: &[Seen<'a>], own: bool, key: impl Fn(&Seen<'a>) -> String) -> BTreeMap<String, Gathered> {
    let mut found: BTreeMap<String, Gathered> = BTreeMap::new();
    for seen in cases.iter().filter(|seen| seen.fate != Fate::Void) {
        found.entry(key(seen)).or_default().add(seen, own);
    }
    for seen in older {
        found.entry(key(seen)).or_default().add_older(seen);
    }
    found
}

/// What came in in one hour of the week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Tickets.
    pub tickets: u64,
    /// Of these, decided.
    pub decided: u64,
    /// Of these, not answered by the deadline.
    pub late: u64,
}

/// By weekday (Monday first) and hour of the site's clock.
pub fn heat(cases: &[Seen<'_>]) -> Vec<Vec<Cell>> {
    let mut cells = vec![vec![Cell::default(); 24]; 7];
    for seen in cases.iter().filter(|seen| seen.fate != Fate::Void) {
        let cell = &mut cells[seen.hour.0][seen.hour.1];
        cell.tickets += 1;
        cell.decided += u64::from(seen.in_time.is_some());
        cell.late += u64::from(seen.in_time == Some(false));
    }
    cells
}

/// A week of the period.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Week {
    /// Its Monday.
    pub monday: Date,
    /// Tickets.
    pub tickets: u64,
    /// Of these, decided.
    pub decided: u64,
    /// Of these, answered by the deadline.
    pub in_time: u64,
    /// As a share.
    pub share: Option<Share>,
    /// Half are answered within so much working time.
    pub median_working: Option<Quantile>,
}

/// The weeks that a span of days touches, empty ones included.
pub fn weeks(cases: &[Seen<'_>], from: Date, to: Date) -> Vec<Week> {
    let monday = |day: Date| day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days());
    let mut found: BTreeMap<Date, Gathered> =
        monday(from).series(7.days()).take_while(|day| *day <= to).map(|day| (day, Gathered::default())).collect();
    for seen in cases {
        found.entry(monday(seen.day)).or_default().add(seen, false);
    }
    let week = |(monday, gathered): (Date, Gathered)| {
        let Group { tickets, decided, in_time, share, median_working, .. } = gathered.group(String::new(), String::new());
        Week { monday, tickets, decided, in_time, share, median_working }
    };
    found.into_iter().map(week).collect()
}

/// An agency's part in tickets that were handed over: its own minutes, counted apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Its slug.
    pub opd: String,
    /// Its short name.
    pub name: String,
    /// Of handed-over tickets it held so many.
    pub tickets: u64,
    /// Of these it passed on so many.
    pub passed_on: u64,
    /// All told so long in working time.
    pub working_seconds: i64,
    /// All told so long by the clock on the wall.
    pub clock_seconds: i64,
}

/// By agency, in the order of the slugs.
pub fn held(figures: &Figures, look: &Look<'_>, name: impl Fn(&str) -> String) -> Vec<Held> {
    let mut found: BTreeMap<&str, Held> = BTreeMap::new();
    for case in figures.cases.iter().chain(&figures.older) {
        let spans = look.holders(case);
        let mut counted: Vec<&str> = Vec::new();
        for (nth, (opd, working, clock)) in spans.iter().enumerate() {
            let held = found.entry(opd).or_insert_with(|| Held { opd: (*opd).to_owned(), name: name(opd), ..Held::default() });
            if !counted.contains(opd) {
                held.tickets += 1;
                counted.push(opd);
            }
            held.passed_on += u64::from(nth + 1 < spans.len());
            held.working_seconds += working;
            held.clock_seconds += clock;
        }
    }
    found.into_values().collect()
}
