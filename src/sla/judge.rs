//! What becomes of the tickets of a thread now: which are new, which closed, which steps take effect, when to look again
//! (semantics.md, The clock). Pure: time comes in as a value.

mod handover;
mod window;

use jiff::SignedDuration;

use super::{
    numbering::{self, Numbered},
    plan::{self, Planned},
    tickets::{self, Episode},
};
use crate::{
    domain::{
        TicketId, TicketState, Time,
        alert::{Alert, AlertId, AlertKind, RESTORED},
        settings::{Mentions, Opd, Policy},
        ticket::{ActionKind, Effect, PlannedStep, StepKind, Subject, Ticket},
        view::{Ruled, Ruling, ThreadView},
    },
    hours::calendar::{Calendar, Calendars},
};

/// A step waits at most this long for a second read to confirm that a message is gone.
const WAIT_FOR_GONE: SignedDuration = SignedDuration::from_mins(1);
/// How soon to look again while flags are held back.
const HELD: SignedDuration = SignedDuration::from_secs(5);

/// What the judge goes by.
pub struct Rules<'a> {
    /// In the order in which they are tried.
    pub policies: &'a [Policy],
    /// Working time by calendar.
    pub calendars: &'a Calendars,
    /// The agencies, for their own calendars.
    pub opds: &'a [Opd],
    /// Which mentions open tickets.
    pub mentions: Mentions,
    /// After this a step takes effect unverified.
    pub verify_within: SignedDuration,
    /// Since when threads have been read and judged without a break: nobody could be read while we were down.
    pub awake_since: Time,
    /// Two reads this far apart must miss a message before it counts as gone.
    pub confirm_gone: SignedDuration,
    /// Hash of policies and calendars.
    pub configuration: &'a str,
    /// When it last changed.
    pub changed_at: Time,
    /// When the daemon started on a restored copy: what was due before counts as told, but for one summary.
    pub restored_at: Option<Time>,
    /// Whether officials are warned before Meta's window for direct answers ends.
    pub window_warning: bool,
    /// Our clock can't be trusted: no step takes effect.
    pub hold: bool,
}

impl Rules<'_> {
    /// The calendar of a policy for a subject; that of the policy where the OPD has left the configuration.
    pub(super) fn calendar(&self, policy: &Policy, subject: &Subject) -> &Calendar {
        match self.opds.iter().find(|opd| opd.slug == subject.opd) {
            Some(opd) => self.calendars.calendar_for(policy, opd),
            None => self.calendars.of(policy),
        }
    }
}

/// Judges a thread as of `now`.
pub fn judge(view: &ThreadView, rules: &Rules<'_>, now: Time) -> Ruling {
    let numbered = numbering::number(view, tickets::episodes(view, rules.mentions));
    let mut times = Times::default();
    let mut ruled = Vec::new();
    for Numbered { episode, old, split_from } in &numbered.episodes {
        ruled.push(Case { view, rules, now, episode, old: *old, split_from: *split_from }.rule(&mut times));
    }
    ruled.extend(numbered.left.iter().map(|(ticket, reason)| withdrawn(ticket, reason, now)));
    for action in view.actions.iter().filter(|action| !action.applied && !handover::to_its_holder(view, action)) {
        let name = match action.kind {
            ActionKind::Ack => "acknowledged",
            ActionKind::Unack => "unacknowledged",
            ActionKind::Note => "noted",
            ActionKind::Assign => "assigned",
            ActionKind::Handover => "handed_over",
            ActionKind::Dismiss | ActionKind::Resolve => continue, // the change of state says it
        };
        if let Some(ruled) = ruled.iter_mut().find(|ruled| ruled.ticket.id == action.ticket) {
            ruled.events.push((name, format!("by {}", action.by)));
            ruled.changed = true;
        }
    }
    ruled.retain(|ruled| ruled.changed);
    Ruling {
        thread: view.id,
        account: view.account,
        subject: view.subject.clone(),
        account_external: view.account_external.clone(),
        tickets: ruled,
        actions: view.actions.iter().filter(|action| !action.applied).map(|action| action.id).collect(),
        look_again: times.look_again,
        verify_at: if view.unreadable { None } else { times.verify_at },
    }
}

/// When to look again, and from when on a read is wanted.
#[derive(Default)]
struct Times {
    look_again: Option<Time>,
    verify_at: Option<Time>,
}

impl Times {
    fn look(&mut self, at: Time) {
        self.look_again = Some(self.look_again.map_or(at, |other| other.min(at)));
    }
    fn verify(&mut self, at: Time) {
        self.verify_at = Some(self.verify_at.map_or(at, |other| other.min(at)));
    }
}

/// One episode under judgement.
struct Case<'a> {
    view: &'a ThreadView,
    rules: &'a Rules<'a>,
    now: Time,
    episode: &'a Episode,
    old: Option<&'a Ticket>,
    split_from: Option<&'a Ticket>,
}

impl Case<'_> {
    fn rule(&self, times: &mut Times) -> Ruled {
        let Planned { policy, urgent, due_at, steps, calendar, configuration } =
            plan::plan(self.view, self.rules, self.episode, self.old, self.split_from);
        let old = self.old;
        let ticket = Ticket {
            id: old.map_or(TicketId(0), |old| old.id),
            thread_id: self.view.id,
            author: self.episode.author.clone(),
            policy,
            urgent,
            state: self.episode.end.as_ref().map_or(TicketState::Open, |end| end.state),
            opened_at: self.episode.opened_at,
            due_at,
            warned_at: old.and_then(|old| old.warned_at),
            breached_at: None,
            flagged_at: old.and_then(|old| old.flagged_at),
            acknowledged_at: self.episode.acknowledged_at,
            closed_at: self.episode.end.as_ref().map(|end| end.at),
            answered_by: self.episode.end.as_ref().and_then(|end| end.by.clone()),
            business_seconds: None,
            reason: self.episode.end.as_ref().and_then(|end| end.reason.clone()),
            unverified: old.is_some_and(|old| old.unverified),
            messages: self.episode.live.len() as i64,
            assignee: self.episode.assignee.clone(),
            held_by: self.episode.held_by.clone(),
            window_warned: old.or(self.split_from).and_then(|before| before.window_warned),
            steps,
            configuration,
        };
        let mut ruled = Ruled {
            ticket,
            members: self.episode.members.clone(),
            newest: self.episode.live.last().map(|live| (live.id, live.at)),
            events: Vec::new(),
            alerts: Vec::new(),
            changed: true,
            flag_lag_ms: None,
        };
        match old {
            None => ruled.events.push(("opened", String::new())),
            Some(old) if old.state != TicketState::Open && ruled.ticket.state == TicketState::Open => {
                ruled.events.push(("reopened", format!("was {}", old.state)));
            }
            Some(_) => {}
        }
        if let Some(end) = &self.episode.end {
            ruled.ticket.breached_at = self.missed(Some(due_at)).filter(|missed| *missed < end.at);
            ruled.ticket.unverified = false;
            if end.state == TicketState::Answered {
                ruled.ticket.business_seconds = Some(calendar.worktime.worked(self.episode.opened_at, end.at));
            }
            self.close(&mut ruled);
        } else {
            self.steps(&mut ruled, times);
            self.window(&mut ruled, calendar, times);
        }
        let held = self.view.members.values().filter(|id| **id == ruled.ticket.id).count();
        let members_same = held == ruled.members.len() && ruled.members.iter().all(|m| self.view.members.get(m) == Some(&ruled.ticket.id));
        self.hand_over(&mut ruled);
        ruled.changed = old != Some(&ruled.ticket) || !members_same || !ruled.events.is_empty() || !ruled.alerts.is_empty();
        ruled
    }

    /// The deadline that was missed, the earlier of the two: this one, or one flagged before the message that set it went away.
    fn missed(&self, due_at: Option<Time>) -> Option<Time> {
        let stands = self.old.filter(|old| old.flagged_at.is_some()).and_then(|old| old.breached_at);
        stands.into_iter().chain(due_at).min()
    }

    /// The ticket is closed: say so once, and tell those who had been told.
    fn close(&self, ruled: &mut Ruled) {
        let ticket = &ruled.ticket;
        let taken_back = self.old.is_some_and(|old| old.breached_at.is_some()) && ticket.breached_at.is_none();
        let closes_now = self.old.is_none_or(|old| old.state != ticket.state);
        if !closes_now && !taken_back {
            return;
        }
        let late_found = taken_back && ticket.state == TicketState::Answered;
        let (event, kind) = match ticket.state {
            TicketState::Answered if ticket.answered_by.as_deref() == Some("staff") && !late_found => ("resolved", AlertKind::Answered),
            TicketState::Answered => ("answered", AlertKind::Answered),
            TicketState::Dismissed => ("dismissed", AlertKind::Dismissed),
            TicketState::Withdrawn | TicketState::Open => ("withdrawn", AlertKind::Withdrawn),
        };
        ruled.events.push((event, if late_found { "late_found".to_owned() } else { ticket.reason.clone().unwrap_or_default() }));
        let warned = ticket.window_warned.is_some() || self.handed_over(true);
        if warned || ticket.steps.iter().any(|step| step.effect.as_ref().is_some_and(|effect| effect.silent.is_none())) {
            let alert = Alert { late_found, notify: Vec::new(), ..self.alert(kind, None, String::new()) };
            ruled.alerts.push(alert);
        }
    }

    /// When the last read of the thread began; a read in the future, noted while the clock was ahead, proves nothing.
    fn read_began_at(&self) -> Option<Time> {
        self.view.read_began_at.filter(|began| *began <= self.now)
    }

    /// The ticket is open: let what is due and proved take effect.
    fn steps(&self, ruled: &mut Ruled, times: &mut Times) {
        let now = self.now;
        let confirm_at = self.episode.live.iter().filter_map(|live| live.missing_since).min().map(|at| at.plus(self.rules.confirm_gone));
        if let Some(at) = confirm_at {
            times.verify(at);
        }
        let pending = ruled.ticket.steps.iter().filter(|step| step.effect.is_none() && step.due <= now).map(|step| step.due).max();
        if let Some(due) = pending {
            let give_up = due.max(self.rules.awake_since).plus(self.rules.verify_within);
            let proved = self.read_began_at().is_some_and(|began| began >= due);
            let in_doubt = confirm_at.is_some() && now < due.plus(WAIT_FOR_GONE);
            if self.rules.hold {
                times.look(now.plus(HELD));
            } else if self.view.unreadable {
                self.say_unreadable(ruled);
            } else if proved && !in_doubt {
                self.take_effect(ruled, false);
            } else if now >= give_up && !proved {
                self.take_effect(ruled, true);
            } else {
                times.verify(confirm_at.map_or(due, |at| at.max(due)));
                times.look(if in_doubt && proved { due.plus(WAIT_FOR_GONE) } else { give_up });
            }
        }
        self.prove(ruled, times);
        let flagged = ruled.ticket.steps.iter().any(|step| step.kind == StepKind::Breach && step.effect.is_some());
        ruled.ticket.breached_at = self.missed(flagged.then_some(ruled.ticket.due_at));
        if let Some(next) = ruled.ticket.steps.iter().filter(|step| step.effect.is_none() && step.due > now).map(|step| step.due).min() {
            times.look(next);
            times.verify(next);
        }
    }

    fn take_effect(&self, ruled: &mut Ruled, unverified: bool) {
        let now = self.now;
        let due_now = |step: &PlannedStep| step.effect.is_none() && step.due <= now;
        let ticket = &mut ruled.ticket;
        let breached_now = ticket.steps.iter().any(|step| due_now(step) && step.kind == StepKind::Breach);
        if breached_now {
            ticket.flagged_at = Some(now);
            ruled.events.push(("breached", if unverified { "unverified".to_owned() } else { String::new() }));
            let seen = self.view.messages.iter().find(|m| self.episode.live.first().is_some_and(|live| live.id == m.id));
            let since = seen.map_or(ticket.due_at, |m| m.seen_at.max(ticket.due_at));
            ruled.flag_lag_ms = Some(now.since(since).as_millis().max(0) as i64);
        }
        if ticket.warned_at.is_none() && ticket.steps.iter().any(|step| due_now(step) && step.kind == StepKind::Warning) {
            ticket.warned_at = Some(now);
        }
        ticket.unverified = unverified;
        let speaks = ticket.steps.iter().rposition(|step| due_now(step) && !step.notify.is_empty());
        let silent = speaks.and_then(|at| acknowledged(ticket, at));
        let newest = ticket.steps.iter().rposition(due_now);
        for at in 0..ticket.steps.len() {
            if !due_now(&ticket.steps[at]) {
                continue;
            }
            let why =
                if Some(at) == speaks { silent.clone() } else { (!ticket.steps[at].notify.is_empty()).then(|| "newer step".to_owned()) };
            ticket.steps[at].effect = Some(Effect { at: now, unverified, silent: why });
        }
        match newest.map(|at| ticket.steps[at].kind) {
            Some(StepKind::Warning) => ruled.events.push(("warned", String::new())),
            Some(StepKind::Escalation) => ruled.events.push(("escalated", String::new())),
            _ => {}
        }
        if let (Some(at), None) = (speaks, silent) {
            let step = ticket.steps[at].clone();
            let alert = self.step_alert(ticket, &step, unverified);
            ruled.alerts.push(alert);
        }
    }

    /// Steps that took effect unverified: once the thread was read and still waits, the newest goes out to whom it concerns.
    fn prove(&self, ruled: &mut Ruled, times: &mut Times) {
        let ticket = &mut ruled.ticket;
        let unproved = |step: &PlannedStep| step.effect.as_ref().is_some_and(|effect| effect.unverified);
        let Some(due) = ticket.steps.iter().filter(|step| unproved(step)).map(|step| step.due).max() else { return };
        if self.view.unreadable {
            return;
        }
        if self.rules.hold || self.read_began_at().is_none_or(|began| began < due) {
            times.verify(due);
            return;
        }
        let speaks = ticket.steps.iter().rposition(|step| unproved(step) && !step.notify.is_empty());
        for (at, step) in ticket.steps.iter_mut().enumerate() {
            let speaks = Some(at) == speaks || step.notify.is_empty();
            if let Some(effect) = step.effect.as_mut().filter(|effect| effect.unverified) {
                effect.unverified = false;
                if !speaks {
                    // nobody it concerns was told of it, nor is now
                    effect.silent.get_or_insert_with(|| "newer step".to_owned());
                }
            }
        }
        ticket.unverified = false;
        let Some(at) = speaks else { return };
        let silent = ticket.steps[at].effect.as_ref().and_then(|effect| effect.silent.clone()).or_else(|| acknowledged(ticket, at));
        if silent.is_none() {
            let step = ticket.steps[at].clone();
            let alert = self.step_alert(ticket, &step, false);
            ruled.alerts.push(alert);
        }
        if let Some(effect) = &mut ticket.steps[at].effect {
            effect.silent = silent;
        }
    }

    /// No read can ever prove it: the first step's groups are alerted once, saying so.
    fn say_unreadable(&self, ruled: &mut Ruled) {
        let now = self.now;
        let ticket = &mut ruled.ticket;
        ticket.unverified = true;
        let told = ticket.steps.iter().any(|step| step.effect.as_ref().is_some_and(|effect| effect.silent.is_none()));
        let first = ticket.steps.iter().position(|step| !step.notify.is_empty());
        if ticket.steps.iter().any(|step| step.kind == StepKind::Breach && step.effect.is_none() && step.due <= now) {
            ticket.flagged_at = Some(now);
            ruled.events.push(("breached", "unverified".to_owned()));
        }
        for (at, step) in ticket.steps.iter_mut().enumerate() {
            if step.effect.is_none() && step.due <= now {
                let silent = (told || Some(at) != first).then(|| "cannot be read".to_owned());
                step.effect = Some(Effect { at: now, unverified: true, silent });
            }
        }
        if let (Some(at), false) = (first, told) {
            let step = ticket.steps[at].clone();
            ruled.events.push(("warned", "cannot be read".to_owned()));
            ruled.alerts.push(self.alert(AlertKind::Warned, Some(&step), "unreadable".to_owned()));
        }
    }

    fn step_alert(&self, ticket: &Ticket, step: &PlannedStep, unverified: bool) -> Alert {
        if unverified {
            return self.alert(AlertKind::Unverified, Some(step), String::new());
        }
        let past = ticket.due_at <= self.now;
        let blind = self.view.blindness.is_some_and(|blindness| {
            ticket.due_at <= blindness.until && step.due <= blindness.until && blindness.from.is_none_or(|from| step.due > from)
        });
        let moved_past = step.due == self.rules.changed_at;
        let restored = self.rules.restored_at.is_some_and(|at| step.due <= at);
        let kind = match step.kind {
            _ if past && (blind || moved_past || restored) => AlertKind::Backlog,
            StepKind::Warning if past => AlertKind::Breached,
            StepKind::Warning => AlertKind::Warned,
            StepKind::Breach => AlertKind::Breached,
            StepKind::Escalation => AlertKind::Escalated,
        };
        self.alert(kind, Some(step), if restored { RESTORED.to_owned() } else { String::new() })
    }

    fn alert(&self, kind: AlertKind, step: Option<&PlannedStep>, detail: String) -> Alert {
        Alert {
            cause: None,
            id: AlertId(0),
            kind,
            ticket: None,
            account: Some(self.view.account),
            policy: step.map(|step| step.policy.clone()).unwrap_or_default(),
            at: step.map(|step| step.at.clone()).unwrap_or_default(),
            step: step.map_or(0, |step| step.number),
            notify: step.map(|step| step.notify.clone()).unwrap_or_default(),
            late_found: false,
            detail,
            created_at: self.now,
        }
    }
}

/// `ack` stops the remaining warnings, and every later step that would reach only groups already alerted.
fn acknowledged(ticket: &Ticket, at: usize) -> Option<String> {
    ticket.acknowledged_at?;
    let step = &ticket.steps[at];
    let told = |group: &String| {
        ticket.steps.iter().any(|other| other.effect.as_ref().is_some_and(|effect| effect.silent.is_none()) && other.notify.contains(group))
    };
    (step.kind == StepKind::Warning || step.notify.iter().all(told)).then(|| "acknowledged".to_owned())
}

/// A ticket of which no episode is left.
fn withdrawn(old: &Ticket, reason: &str, now: Time) -> Ruled {
    let mut ticket = old.clone();
    let changed = old.state != TicketState::Withdrawn || old.reason.as_deref() != Some(reason);
    if changed {
        ticket.state = TicketState::Withdrawn;
        ticket.reason = Some(reason.to_owned());
        ticket.closed_at = Some(now);
        ticket.unverified = false;
    }
    let events = if changed { vec![("withdrawn", reason.to_owned())] } else { Vec::new() };
    Ruled { ticket, members: Vec::new(), newest: None, events, alerts: Vec::new(), changed, flag_lag_ms: None }
}
