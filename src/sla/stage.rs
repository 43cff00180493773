//! The stage itself: takes the threads whose time has come, asks the judge, writes what it says in one transaction, and logs it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};
use tracing::{info, warn};

use super::{
    automatic,
    judge::{Rules, judge},
};
use crate::{
    domain::{SharedSettings, TicketState, Time, view::Ruling},
    hours::calendar::Calendars,
    runtime::{Nudge, SharedClock, Stage, Tally, metrics::Metrics},
    store::{
        Db, StoreError, meta,
        proof::{self, Anchor},
        restored, tickets,
    },
};

/// Threads judged in one transaction: large enough to be cheap, small enough not to hold the writer for long.
const BATCH: u32 = 500;
/// Two steps further apart had something between them that held up the whole program: a machine that slept, a database that hung.
const GAP: SignedDuration = SignedDuration::from_secs(20);
/// Half a second of batches, then the stage reports.
const BATCHES: u32 = 20;

/// A clock that goes back by more than this between two steps was set.
const SET_BACK: SignedDuration = SignedDuration::from_secs(30);

/// Stage 2.
pub struct SlaStage {
    db: Db,
    settings: SharedSettings,
    calendars: Calendars,
    configuration: String,
    changed_at: Time,
    restored_at: Option<Time>,
    clock: SharedClock,
    metrics: Metrics,
    alerts: Nudge,
    polls: Nudge,
    skewed: Arc<AtomicBool>,
    /// End of the last step that got through; `None` at first and after one that did not.
    stepped_at: Option<Time>,
    /// Since when steps have followed one another.
    awake_since: Time,
    warned_on: Option<jiff::civil::Date>,
    anchored_on: Option<jiff::civil::Date>,
    /// When the last step began.
    began_at: Time,
}

/// What the stage is joined to besides its database.
pub struct Joints {
    /// Time.
    pub clock: SharedClock,
    /// Counters.
    pub metrics: Metrics,
    /// Wakes the alert stage.
    pub alerts: Nudge,
    /// Wakes the poll stage, when a read is wanted.
    pub polls: Nudge,
    /// Set while our clock can't be trusted: no step takes effect.
    pub skewed: Arc<AtomicBool>,
}

impl SlaStage {
    /// Makes the stage. Where policies or calendars differ from those the database remembers, every open ticket is looked at again.
    pub async fn new(db: Db, settings: SharedSettings, joints: Joints) -> Result<Self, StoreError> {
        let now = Time::from_timestamp(joints.clock.now());
        let configuration = hash(&settings);
        let known = meta::remembered(&db, "configuration").await?;
        let (known_hash, known_at) = known.as_deref().and_then(|text| text.split_once(' ')).unwrap_or_default();
        let changed_at = if known_hash == configuration {
            Time::clamp_ms(known_at.parse().unwrap_or(0))
        } else {
            let changed_at = if known.is_some() { now } else { Time::clamp_ms(0) };
            tickets::look_at_all(&db, now).await?;
            meta::remember(&db, "configuration", &format!("{configuration} {}", changed_at.ms())).await?;
            changed_at
        };
        let restored_at = restored::at(&db).await?;
        let calendars = Calendars::new(&settings.calendars);
        let Joints { clock, metrics, alerts, polls, skewed } = joints;
        let (stepped_at, awake_since, warned_on) = (None, now, None);
        Ok(Self {
            db,
            settings,
            calendars,
            configuration,
            changed_at,
            restored_at,
            clock,
            metrics,
            alerts,
            polls,
            skewed,
            stepped_at,
            awake_since,
            warned_on,
            anchored_on: None,
            began_at: now,
        })
    }

    fn now(&self) -> Time {
        Time::from_timestamp(self.clock.now())
    }

    async fn batch(&self, now: Time) -> Result<Vec<Ruling>, StoreError> {
        let mut tx = self.db.write().await?;
        let threads = tickets::due(&mut tx, now, BATCH).await?;
        if threads.is_empty() {
            return Ok(Vec::new());
        }
        let mut views = tickets::views(&mut tx, &threads).await?;
        let rules = Rules {
            policies: &self.settings.policies,
            calendars: &self.calendars,
            opds: &self.settings.opds,
            mentions: self.settings.sla.mentions,
            verify_within: self.settings.poll.verify_within,
            confirm_gone: self.settings.poll.confirm_gone,
            configuration: &self.configuration,
            changed_at: self.changed_at,
            awake_since: self.awake_since,
            restored_at: self.restored_at,
            window_warning: self.settings.sla.window_warning,
            hold: self.skewed.load(Ordering::Relaxed),
        };
        let quick: Vec<_> = views.iter().map(|view| automatic::quick(view, self.settings.sla.auto_reply_within)).collect();
        for quick in &quick {
            tickets::quick(&mut tx, quick, now).await?;
        }
        // Asked again: the last of these threads may make a text of the first automatic.
        for (view, quick) in views.iter_mut().zip(&quick) {
            view.automatic = tickets::quick(&mut tx, quick, now).await?;
        }
        tickets::private_replies(&mut tx, &mut views).await?;
        let mut rulings: Vec<Ruling> = views.iter().map(|view| judge(view, &rules, now)).collect();
        tickets::record(&mut tx, &mut rulings, now).await?;
        proof::witness(&mut tx, &views, &rulings, now).await?;
        tx.commit().await?;
        Ok(rulings)
    }

    fn tell(&self, ruling: &Ruling) {
        let subject = &ruling.subject;
        for ruled in &ruling.tickets {
            let ticket = &ruled.ticket;
            for (name, detail) in &ruled.events {
                let event = format!("ticket.{name}");
                // `dismissed by staff` and the like are our own words; reasons staff typed stay in the database.
                let detail = if matches!(*name, "dismissed" | "resolved") { "" } else { detail.as_str() };
                let (opd, account, platform, kind) =
                    (ticket.holder(&subject.opd), ruling.account_external.as_str(), subject.platform.word(), subject.kind.word());
                let (id, due, policy) = (ticket.id.0, ticket.due_at.rfc3339(), ticket.policy.as_str());
                if matches!(*name, "breached" | "escalated") {
                    warn!(event, ticket = id, opd, account, platform, kind, policy, due, detail, "{}", sentence(name));
                } else if *name == "answered" {
                    let (by, late_found) = (ticket.answered_by.as_deref().unwrap_or_default(), detail == "late_found");
                    let seconds = ticket.closed_at.map_or(0, |at| at.since(ticket.opened_at).as_secs());
                    info!(event, ticket = id, opd, account, platform, kind, answered_by = by, seconds, late_found, "{}", sentence(name));
                } else if *name == "handed_over" {
                    info!(event, ticket = id, opd, to = opd, account, platform, kind, policy, due, detail, "{}", sentence(name));
                } else {
                    info!(event, ticket = id, opd, account, platform, kind, policy, due, detail, "{}", sentence(name));
                }
            }
            if let Some(lag) = ruled.flag_lag_ms {
                self.metrics.flag_lag(lag as f64 / 1000.0);
            }
            let answered = ticket.state == TicketState::Answered && ticket.answered_by.as_deref() != Some("staff");
            if let (true, Some(closed), true) = (answered, ticket.closed_at, ruled.events.iter().any(|(name, _)| *name == "answered")) {
                self.metrics.response_seconds(ticket.holder(&subject.opd), closed.since(ticket.opened_at).as_secs_f64());
            }
        }
    }

    /// Says once a day, in a journal that is not the database, what the chains of that day's tickets end with.
    async fn anchor(&mut self, now: Time) -> Result<(), StoreError> {
        let today = self.settings.site.timezone.to_datetime(now.timestamp()).date();
        if self.anchored_on == Some(today) {
            return Ok(());
        }
        let mut tx = self.db.write().await?;
        if let Some(Anchor { rows: (first, last), tickets, hash }) = proof::anchor(&mut tx, &today.to_string()).await? {
            info!(event = "proof.anchored", first, last, tickets, hash, "what was proved until now, for whoever doubts the database later");
        }
        tx.commit().await?;
        self.anchored_on = Some(today);
        Ok(())
    }

    /// Says once a day where the holiday data end before a deadline of today's tickets would.
    fn calendars_ending(&mut self, now: Time) {
        let today = self.settings.site.timezone.to_datetime(now.timestamp()).date();
        if self.warned_on == Some(today) {
            return;
        }
        self.warned_on = Some(today);
        for (calendar, until) in ending(&self.settings, &self.calendars, now) {
            warn!(
                event = "calendar.ending",
                calendar, until, "the holidays of this calendar are not known far enough; add the next decree's days"
            );
        }
    }
}

/// Calendars in use whose holiday data end within the longest deadline from now: name and last known day.
pub fn ending(settings: &crate::domain::settings::Settings, calendars: &Calendars, now: Time) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let used = |name: &str| {
        settings.policies.iter().any(|p| p.calendar == name) || settings.opds.iter().any(|o| o.calendar.as_deref() == Some(name))
    };
    for name in calendars.names().filter(|name| used(name)) {
        let Some(calendar) = calendars.get(name) else { continue };
        let longest = settings.policies.iter().map(|policy| policy.respond_within.as_secs()).max().unwrap_or(0);
        let deadline = calendar.worktime.due(now, longest).unwrap_or(now);
        if calendar.ends_before(deadline) {
            found.push((name.to_owned(), calendar.spec.holidays_until.map(|day| day.to_string()).unwrap_or_default()));
        }
    }
    found
}

const fn sentence(name: &str) -> &'static str {
    match name.as_bytes() {
        b"opened" => "a citizen waits for an answer",
        b"warned" => "the deadline is near and nobody has answered",
        b"breached" => "the deadline has passed without an answer",
        b"escalated" => "still no answer; the next level is told",
        b"answered" => "answered",
        b"resolved" => "answered elsewhere, says staff",
        b"dismissed" => "dismissed by staff",
        b"withdrawn" => "nothing is left to answer",
        b"reopened" => "waits again",
        b"acknowledged" => "somebody is seeing to it",
        b"unacknowledged" => "nobody is seeing to it any more",
        b"noted" => "a remark was added",
        b"assigned" => "given to somebody",
        b"window_closing" => "Meta's window for direct answers ends soon and nobody has answered",
        b"handed_over" => "another OPD has to answer from now on",
        _ => "",
    }
}

/// Hash of what moves deadlines: policies, calendars, which OPD has which calendar, whether the end of Meta's window is warned of.
fn hash(settings: &crate::domain::settings::Settings) -> String {
    let mut hasher = Sha256::new();
    hasher.update(format!("{:?}", settings.policies));
    for (name, calendar) in &settings.calendars {
        let zone = calendar.timezone.iana_name().unwrap_or_default();
        hasher.update(format!("{name}{zone}{:?}{:?}{:?}", calendar.week, calendar.periods, calendar.holidays));
    }
    for opd in &settings.opds {
        hasher.update(format!("{}={:?};", opd.slug, opd.calendar));
    }
    if settings.sla.window_warning {
        hasher.update("window");
    }
    hex::encode(&hasher.finalize()[..8])
}

impl Stage for SlaStage {
    const NAME: &'static str = "sla";
    type Error = StoreError;

    fn is_outage(error: &StoreError) -> bool {
        error.is_outage()
    }

    async fn once(&mut self) -> Result<Tally, StoreError> {
        let stepped = self.step().await;
        self.stepped_at = stepped.is_ok().then(|| self.now());
        stepped
    }
}

impl SlaStage {
    async fn step(&mut self) -> Result<Tally, StoreError> {
        // While nothing could be judged, nothing that was read could be stored either.
        if self.stepped_at.is_none_or(|at| self.now().since(at) > GAP) {
            self.awake_since = self.now();
        }
        let mut done = 0;
        let began_at = self.now();
        if began_at < self.began_at.minus(SET_BACK) {
            tickets::clock_set_back(&self.db, began_at).await?;
        }
        self.began_at = began_at;
        for _ in 0..BATCHES {
            let now = self.now();
            let rulings = self.batch(now).await?;
            if rulings.is_empty() {
                break;
            }
            done += rulings.len() as u64;
            for ruling in &rulings {
                self.tell(ruling);
            }
            if rulings.iter().flat_map(|ruling| &ruling.tickets).any(|ruled| !ruled.alerts.is_empty()) {
                self.alerts.nudge();
            }
            if rulings.iter().any(|ruling| ruling.verify_at.is_some_and(|at| at <= now.plus(SignedDuration::from_secs(1)))) {
                self.polls.nudge();
            }
        }
        self.calendars_ending(self.now());
        self.anchor(self.now()).await?;
        Ok(Tally { done, next: tickets::next_look(&self.db).await?.map(Time::timestamp) })
    }
}
