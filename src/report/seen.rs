//! How one case counts: whether it was answered in time, how long the citizen waited by both clocks, and when it came in by the site's
//! clock. Pure.

use std::collections::HashMap;

use jiff::civil::Date;

use super::stat::Wait;
use crate::{
    domain::{
        Platform, TicketState, Time,
        settings::{Opd, Policy, Settings},
        ticket::Subject,
    },
    hours::{
        calendar::{Calendar, Calendars},
        policy,
    },
    store::figures::{Account, Case, Figures},
};

/// `answered_by` of what staff resolved.
const STAFF: &str = "staff";

/// What became of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Somebody answered on the platform.
    Answered,
    /// Staff said that it was answered elsewhere.
    Staff,
    /// The citizen waits.
    Open,
    /// Nothing was to be answered.
    Dismissed,
    /// All its messages are gone.
    Gone,
    /// All its messages were hidden after having been seen.
    Hidden,
    /// No waiting of its own: merged into another one.
    Void,
}

/// A case with what follows from it.
pub struct Seen<'a> {
    /// As stored.
    pub case: &'a Case,
    /// Its account; `None` if that is no longer known.
    pub account: Option<&'a Account>,
    /// What became of it.
    pub fate: Fate,
    /// Answered by the deadline or not; `None` while that is not decided, and of what needs no answer.
    pub in_time: Option<bool>,
    /// How long the citizen waited by the clock on the wall.
    pub clock: Wait,
    /// In working time.
    pub working: Wait,
    /// By both, while the present holder had it.
    pub own: (Wait, Wait),
    /// Whether it was handed over.
    pub handed: bool,
    /// The local day on which it came in.
    pub day: Date,
    /// Its weekday (Monday is 0) and hour.
    pub hour: (usize, usize),
}

/// What all cases are looked at by.
pub struct Look<'a> {
    figures: &'a Figures,
    settings: &'a Settings,
    calendars: &'a Calendars,
    policies: HashMap<&'a str, &'a Policy>,
    opds: HashMap<&'a str, &'a Opd>,
    now: Time,
}

impl<'a> Look<'a> {
    /// Ages are told as of `now`.
    pub fn new(figures: &'a Figures, settings: &'a Settings, calendars: &'a Calendars, now: Time) -> Self {
        let policies = settings.policies.iter().map(|it| (it.name.as_str(), it)).collect();
        let opds = settings.opds.iter().map(|it| (it.slug.as_str(), it)).collect();
        Self { figures, settings, calendars, policies, opds, now }
    }

    /// The calendar on which the clock of a case ran for an OPD; where its policy has left the configuration, that of the one which would
    /// hold now.
    fn calendar(&self, case: &Case, opd: &str) -> &'a Calendar {
        let policy = self.policies.get(case.policy.as_str()).copied().unwrap_or_else(|| {
            let platform = self.figures.accounts.get(&case.account).map_or(Platform::Facebook, |it| it.platform);
            policy::choose(&self.settings.policies, &Subject { opd: opd.to_owned(), platform, kind: case.kind }, case.urgent)
        });
        self.opds.get(opd).map_or_else(|| self.calendars.of(policy), |opd| self.calendars.calendar_for(policy, opd))
    }

    /// One case.
    pub fn at(&self, case: &'a Case) -> Seen<'a> {
        let account = self.figures.accounts.get(&case.account);
        let (fate, end) = (fate(case), end(case, self.now));
        let unanswered = !matches!(fate, Fate::Answered | Fate::Staff);
        let wait = |seconds: i64| Wait { seconds: seconds.max(0), unanswered };
        let owner = account.map_or(case.opd.as_str(), |it| it.opd.as_str());
        let worked = |opd: &str, from| wait(self.calendar(case, opd).worktime.worked(from, end));
        let clock = wait(end.secs() - case.opened_at.secs());
        let working = case.business_seconds.filter(|_| !unanswered).map_or_else(|| worked(owner, case.opened_at), wait);
        let taken = self.figures.handovers.get(&case.id).and_then(|list| list.last()).map(|it| it.at.clamp(case.opened_at, end));
        let own = taken.map_or((clock, working), |from| (wait(end.secs() - from.secs()), worked(&case.opd, from)));
        let local = case.opened_at.timestamp().to_zoned_datetime(self.settings.site.timezone.clone());
        Seen {
            case,
            account,
            fate,
            in_time: in_time(case, fate, end),
            clock,
            working,
            own,
            handed: taken.is_some(),
            day: local.date(),
            hour: (local.weekday().to_monday_zero_offset().unsigned_abs().into(), local.hour().unsigned_abs().into()),
        }
    }

    /// Who held a case from when until when, with working and wall seconds; nothing if it was never handed over.
    pub fn holders(&self, case: &'a Case) -> Vec<(&'a str, i64, i64)> {
        let Some(list) = self.figures.handovers.get(&case.id) else { return Vec::new() };
        let end = end(case, self.now);
        let first = self.figures.accounts.get(&case.account).map_or(case.opd.as_str(), |it| it.opd.as_str());
        let starts = std::iter::once((first, case.opened_at)).chain(list.iter().map(|it| (it.to.as_str(), it.at)));
        let ends = list.iter().map(|it| it.at).chain([end]);
        let span = |((opd, from), until): ((&'a str, Time), Time)| {
            let (from, until) = (from.clamp(case.opened_at, end), until.clamp(case.opened_at, end));
            (opd, self.calendar(case, opd).worktime.worked(from, until), (until.secs() - from.secs()).max(0))
        };
        starts.zip(ends).map(span).collect()
    }
}

/// When the waiting ended; now if it has not.
pub fn end(case: &Case, now: Time) -> Time {
    case.closed_at.filter(|_| case.state != TicketState::Open).unwrap_or(now).max(case.opened_at)
}

fn fate(case: &Case) -> Fate {
    match (case.state, case.reason.as_deref()) {
        (TicketState::Open, _) => Fate::Open,
        (TicketState::Answered, _) if case.answered_by.as_deref() == Some(STAFF) => Fate::Staff,
        (TicketState::Answered, _) => Fate::Answered,
        (TicketState::Dismissed, _) => Fate::Dismissed,
        (TicketState::Withdrawn, Some("gone" | "erased")) => Fate::Gone,
        (TicketState::Withdrawn, Some("hidden")) => Fate::Hidden,
        (TicketState::Withdrawn, _) => Fate::Void,
    }
}

/// By the deadline, as the clock has it: what is answered at its very instant is in time.
fn in_time(case: &Case, fate: Fate, end: Time) -> Option<bool> {
    let late = case.breached_at.is_some() || case.due_at < end;
    match fate {
        Fate::Answered | Fate::Staff => Some(!late),
        Fate::Open | Fate::Gone | Fate::Hidden => late.then_some(false),
        Fate::Dismissed | Fate::Void => None,
    }
}
