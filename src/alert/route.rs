//! Who is told of an alert, by which way, and not before when. Pure.

use std::collections::HashMap;

use jiff::SignedDuration;

use super::when;
use crate::domain::{
    Time,
    alert::{AlertKind, Channel},
    settings::{Official, Settings},
    whom::OPERATOR,
};
use crate::store::outbox::{NewDelivery, Told, Unrouted};

/// A backlog's summary waits this long for the accounts that were not read yet (semantics.md, The clock, "Backlog").
pub const BACKLOG_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// Reason of a delivery that can't be made.
const NO_CHANNEL: &str = "no channel";
/// Reason of a delivery to `operator` that should have gone to somebody else; the letter says it.
pub const NO_RECIPIENT: &str = "no recipient configured";

/// What is to be stored, and what must wait.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Routed {
    /// Alerts that are done with.
    pub alerts: Vec<crate::domain::alert::AlertId>,
    /// Their deliveries.
    pub deliveries: Vec<NewDelivery>,
    /// When the earliest alert that was left for later can be routed.
    pub again_at: Option<Time>,
}

/// Whether an alert ends what an official was told of.
pub fn closes(kind: AlertKind) -> bool {
    matches!(kind, AlertKind::Answered | AlertKind::Dismissed | AlertKind::Withdrawn)
}

/// Chooses the recipients of `batch`; a handover that a later one overtook tells nobody. `backlog_complete`: no account is left whose first read a summary should wait for;
/// `told`: who accepted a delivery of a ticket that closes in this batch.
pub fn route(batch: &[Unrouted], told: &[Told], settings: &Settings, backlog_complete: bool, now: Time) -> Routed {
    let mut out = Routed::default();
    let backlog_since = batch.iter().filter(|u| u.alert.is_summed_up()).map(|u| u.alert.created_at).min();
    let backlog_until = backlog_since.map(|since| since.plus(BACKLOG_WAIT)).filter(|&until| !backlog_complete && until > now);
    for unrouted in batch {
        let wait = match unrouted.alert.kind {
            _ if unrouted.alert.is_summed_up() => backlog_until,
            kind if closes(kind) => unrouted.sending_until,
            _ => None,
        };
        if let Some(until) = wait {
            out.again_at = Some(out.again_at.map_or(until, |at| at.min(until)));
            continue;
        }
        out.alerts.push(unrouted.alert.id);
        let first = out.deliveries.len();
        if unrouted.alert.kind.is_sheet() {
            sheet(unrouted, settings, now, &mut out.deliveries);
        } else if closes(unrouted.alert.kind) {
            for told in told.iter().filter(|told| Some(told.ticket) == unrouted.alert.ticket) {
                let official = settings.officials.iter().find(|o| o.id == told.official);
                out.deliveries.push(delivery(unrouted, &told.official, told.channel, &told.address, None, official, settings, now));
            }
        } else if !batch.iter().any(|other| overtakes(other, unrouted)) {
            step(unrouted, settings, now, &mut out.deliveries);
        }
        level(&mut out.deliveries[first..]);
    }
    out
}

/// Whether the ticket went on to a third OPD before the second was told.
fn overtakes(later: &Unrouted, unrouted: &Unrouted) -> bool {
    let (later, alert) = (&later.alert, &unrouted.alert);
    later.kind == AlertKind::HandedOver && alert.kind == AlertKind::HandedOver && later.ticket == alert.ticket && later.id > alert.id
}

/// The official whose sheet it is, by every way; neither quiet hours nor a digest hold what has a time of its own.
fn sheet(unrouted: &Unrouted, settings: &Settings, now: Time, out: &mut Vec<NewDelivery>) {
    let Some(official) = settings.officials.iter().find(|official| official.id == unrouted.alert.policy) else { return };
    for (channel, address) in ways(official, settings) {
        out.push(delivery(unrouted, &official.id, channel, address, None, None, settings, now));
    }
}

/// Everybody in the groups of a step; `operator` if that is nobody. Who has no way that can be used is written down as not told.
/// Of a ticket handed over only those are told who name its new OPD: whoever serves all knows of it already.
fn step(unrouted: &Unrouted, settings: &Settings, now: Time, out: &mut Vec<NewDelivery>) {
    let alert = &unrouted.alert;
    let handed_over = alert.kind == AlertKind::HandedOver;
    let operator_only = alert.kind == AlertKind::Unverified || alert.notify.is_empty() && !handed_over;
    let groups = if operator_only { vec![OPERATOR] } else { alert.notify.iter().map(String::as_str).collect() };
    // A letter that was given up is told of by another way than its own.
    let failed = (alert.kind == AlertKind::Undelivered).then(|| alert.undelivered().1).flatten();
    let mut tell = |groups: &[&str], reason: Option<&str>| {
        let mut reached = false;
        let own_only = handed_over && reason.is_none();
        let opd = unrouted.opd.as_deref();
        let names = |official: &&Official| !own_only || opd.is_some_and(|opd| official.opd.iter().any(|own| own == opd));
        for official in settings.recipients(groups, opd, now).filter(names) {
            let before = out.len();
            for (channel, address) in ways(official, settings).filter(|&(channel, _)| Some(channel) != failed) {
                out.push(delivery(unrouted, &official.id, channel, address, reason, Some(official), settings, now));
            }
            if out.len() > before {
                reached = true;
            } else {
                out.push(delivery(unrouted, &official.id, Channel::None, "", Some(NO_CHANNEL), None, settings, now));
            }
        }
        if own_only {
            return reached;
        }
        if groups.contains(&OPERATOR) {
            out.push(delivery(unrouted, OPERATOR, Channel::Log, Channel::Log.word(), reason, None, settings, now));
            reached = true;
        }
        if failed != Some(Channel::Alertmanager)
            && settings.channels.alertmanager.as_ref().is_some_and(|it| groups.contains(&it.group.as_str()))
        {
            let word = Channel::Alertmanager.word();
            out.push(delivery(unrouted, word, Channel::Alertmanager, word, reason, None, settings, now));
            reached = true;
        }
        reached
    };
    if !tell(&groups, None) {
        tell(&[OPERATOR], Some(NO_RECIPIENT));
    }
}

/// The ways to reach an official that this daemon can use.
pub fn ways<'a>(official: &'a Official, settings: &Settings) -> impl Iterator<Item = (Channel, &'a str)> + use<'a> {
    let channels = &settings.channels;
    let smtp = official.email.as_deref().filter(|_| channels.smtp.is_some());
    let telegram = official.telegram.as_deref().filter(|_| channels.telegram.is_some());
    let whatsapp = official.whatsapp.as_deref().filter(|_| channels.whatsapp.is_some());
    let webhook = official.webhook.as_deref().filter(|name| channels.webhooks.contains_key(*name));
    [(Channel::Smtp, smtp), (Channel::Telegram, telegram), (Channel::Whatsapp, whatsapp), (Channel::Webhook, webhook)]
        .into_iter()
        .filter_map(|(channel, address)| address.map(|address| (channel, address)))
}

#[allow(clippy::too_many_arguments)] // one row, put together in one place
fn delivery(
    unrouted: &Unrouted,
    id: &str,
    channel: Channel,
    address: &str,
    reason: Option<&str>,
    official: Option<&Official>,
    settings: &Settings,
    now: Time,
) -> NewDelivery {
    let alert = &unrouted.alert;
    let bound = matches!(channel, Channel::Smtp | Channel::Telegram | Channel::Whatsapp);
    let (send_at, held) = match official {
        Some(official) if bound => when::may_leave(official, unrouted.urgent, &settings.site.timezone, now),
        _ => (now, None),
    };
    NewDelivery {
        key: key(unrouted, id, channel),
        alert: alert.id,
        kind: alert.kind,
        ticket: alert.ticket,
        account: alert.account,
        step: alert.step,
        official: id.to_owned(),
        channel,
        address: address.to_owned(),
        reason: reason.map(str::to_owned),
        send_at,
        held,
    }
}

/// A delivery's identity for ever: the step's for what a step tells, the alert's for what can happen again.
/// JSON, so that no name can be taken for another.
fn key(unrouted: &Unrouted, official: &str, channel: Channel) -> String {
    let alert = &unrouted.alert;
    let parts = match (alert.kind, alert.ticket) {
        (AlertKind::Warned | AlertKind::Breached | AlertKind::Escalated | AlertKind::Backlog, Some(ticket)) => {
            serde_json::json!([ticket, alert.policy, alert.at, official, channel])
        }
        _ if alert.kind.is_sheet() => serde_json::json!([alert.kind, alert.at, official, channel]),
        _ => serde_json::json!([alert.kind, alert.account, alert.id, official, channel]),
    };
    parts.to_string()
}

/// Officials who share an address get one message: each of its deliveries leaves with the earliest.
fn level(deliveries: &mut [NewDelivery]) {
    let mut earliest: HashMap<(Channel, String), Time> = HashMap::new();
    for delivery in deliveries.iter() {
        let at = earliest.entry((delivery.channel, delivery.address.clone())).or_insert(delivery.send_at);
        *at = (*at).min(delivery.send_at);
    }
    for delivery in deliveries {
        if let Some(&at) = earliest.get(&(delivery.channel, delivery.address.clone())) {
            delivery.send_at = at;
        }
    }
}
