//! Alerts as Alertmanager takes them: labels are an alert's identity and stay the same for a ticket's or a trouble's life,
//! what changes is annotated. Nothing of what a citizen wrote, and no citizen's name.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{LetterError, preview::clean, sheet};
use crate::{
    alert::route::closes,
    catalogue::Words,
    domain::{
        Cause, Time,
        alert::{Alert, AlertKind},
        settings::Settings,
    },
    store::outbox::{AccountFacts, Waiting},
};

/// An alert fires so long unless it is posted again: three posts may fail (`alert::Refresh` makes one a minute).
const FIRES: SignedDuration = SignedDuration::from_mins(4);
/// What has no end of its own, a token that ends soon or a clock that differs, stands so long.
const STANDS: SignedDuration = SignedDuration::from_hours(24);

type Texts = BTreeMap<&'static str, String>;

/// The array for one post, one element an alert: of deliveries with the same labels the newest.
pub(super) fn alerts(words: &Words, settings: &Settings, group: &[&Waiting], now: Time) -> Result<String, LetterError> {
    let mut group = group.to_vec();
    group.sort_by_key(|w| w.alert.id);
    let mut newest: BTreeMap<Texts, Value> = BTreeMap::new();
    for waiting in group {
        let labels = labels(waiting, settings)?;
        let alert = alert(words, settings, waiting, &labels, now)?;
        newest.insert(labels, alert);
    }
    Ok(Value::Array(newest.into_values().collect()).to_string())
}

fn alert(words: &Words, settings: &Settings, waiting: &Waiting, labels: &Texts, now: Time) -> Result<Value, LetterError> {
    let kind = waiting.alert.kind;
    let starts_at = waiting.ticket.as_ref().map_or(waiting.alert.created_at, |ticket| ticket.opened_at).min(now);
    let lasts = match kind {
        kind if closes(kind) || kind == AlertKind::Recovered => SignedDuration::ZERO,
        kind if waiting.ticket.is_some() || kind == AlertKind::Unhealthy => FIRES,
        _ => STANDS,
    };
    let mut annotations = annotations(waiting);
    annotations.insert("summary", clean(&sheet::compose(words, settings, &[waiting], &sheet::Act::default(), now, 0)?.title));
    let mut alert =
        json!({"labels": labels, "annotations": annotations, "startsAt": starts_at.rfc3339(), "endsAt": now.plus(lasts).rfc3339_ms()});
    if let (Some(ticket), Some(page)) = (&waiting.ticket, &settings.http.public_url) {
        alert["generatorURL"] = format!("{page}/tickets/{}", ticket.id).into();
    }
    Ok(alert)
}

fn labels(waiting: &Waiting, settings: &Settings) -> Result<Texts, LetterError> {
    let mut labels = Texts::from([("alertname", name(&waiting.alert)?.to_owned()), ("site", settings.site.name.clone())]);
    if let Some(AccountFacts { platform, external_id, opd, .. }) = &waiting.account {
        labels.extend([("opd", opd.clone()), ("platform", platform.word().to_owned()), ("account", external_id.clone())]);
    }
    if let Some(ticket) = &waiting.ticket {
        labels.insert("ticket", ticket.id.to_string());
    } else if let Some(doubt) = doubt(&waiting.alert) {
        labels.insert("doubt", doubt.word().to_owned());
    }
    Ok(labels)
}

fn name(alert: &Alert) -> Result<&'static str, LetterError> {
    Ok(match alert.kind {
        _ if alert.ticket.is_some() => "TanggapTicketUnanswered",
        AlertKind::Unhealthy | AlertKind::Recovered if doubt(alert).is_some() => "TanggapAccountDoubtful",
        AlertKind::Unhealthy | AlertKind::Recovered => "TanggapAccountUnhealthy",
        AlertKind::Unverified => "TanggapTicketsUnverified",
        AlertKind::Expiring => "TanggapTokenExpiring",
        AlertKind::ClockSkewed => "TanggapClockSkewed",
        AlertKind::Undelivered => "TanggapAlertUndelivered",
        _ => return Err(LetterError::Channel),
    })
}

/// An account can have several doubts at once, each with its own end; why it can't be read is one trouble whatever its cause.
fn doubt(alert: &Alert) -> Option<Cause> {
    alert.cause.filter(|cause| cause.is_doubt())
}

fn annotations(waiting: &Waiting) -> Texts {
    let alert = &waiting.alert;
    let mut texts = Texts::from([("told", alert.kind.word().to_owned())]);
    if let Some(ticket) = &waiting.ticket {
        texts.extend([
            ("step", alert.step.to_string()),
            ("state", ticket.state.word().to_owned()),
            ("kind", ticket.kind.word().to_owned()),
            ("policy", ticket.policy.clone()),
            ("urgent", ticket.urgent.to_string()),
            ("messages", ticket.messages.to_string()),
            ("opened_at", ticket.opened_at.rfc3339()),
            ("due_at", ticket.due_at.rfc3339()),
        ]);
        texts.extend(ticket.acknowledged_at.map(|at| ("acknowledged_at", at.rfc3339())));
        texts.extend((alert.kind == AlertKind::HandedOver).then(|| ("from", clean(&alert.detail))));
        texts.extend((alert.kind == AlertKind::WindowClosing).then(|| ("reply_window_closes_at", clean(&alert.detail))));
        texts.extend(alert.late_found.then(|| ("late_found", "true".to_owned())));
    } else {
        texts.extend(alert.cause.map(|cause| ("cause", cause.word().to_owned())));
        texts.extend((!alert.detail.is_empty()).then(|| ("reason", clean(&alert.detail))));
        let unread_since = waiting.account.as_ref().and_then(|account| account.unread_since);
        texts.extend(unread_since.filter(|_| alert.kind == AlertKind::Unhealthy).map(|at| ("unread_since", at.rfc3339())));
    }
    texts.extend(waiting.reason.clone().map(|reason| ("note", reason)));
    texts
}
