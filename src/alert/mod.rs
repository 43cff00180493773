//! Stage 3: tells officials what the other stages wrote down.
//!
//! `route` chooses recipients, `when` and `group` the moment, `letter` the words, `retry` the next attempt: all pure.
//! [`AlertStage`] moves rows by them: alert → delivery → letter → accepted; `channel` holds the ways out, `press` the one way in.
//! [`Refresh`] repeats to Alertmanager what still fires.

pub mod channel;
mod group;
pub mod letter;
pub mod press;
mod refresh;
mod retry;
pub mod route;
mod stage;
mod when;

pub use refresh::Refresh;
pub use stage::{AlertError, AlertStage};

use std::collections::HashSet;

use crate::domain::{
    TicketId, Time,
    alert::{Alert, AlertId, AlertKind, Channel},
    settings::SharedSettings,
    ticket::StepKind,
};
use crate::store::{
    Db,
    outbox::{self, Unrouted, Waiting},
};
use channel::{Accepted, Channels, Outgoing, SendError};

/// What became of one test alert.
#[derive(Debug)]
pub struct TestOutcome {
    /// The official's id.
    pub official: String,
    /// The way.
    pub channel: Channel,
    /// Whether it was accepted.
    pub result: Result<Accepted, SendError>,
}

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// The ticket.
    #[error("there is no ticket {0}")]
    Ticket(TicketId),
    /// The step.
    #[error("ticket {0} has no step {1}; its steps are {2}")]
    Step(TicketId, u32, String),
    /// Nobody is told that way.
    #[error("step {0} tells nobody by {1}; it tells {2}")]
    Channel(u32, Channel, String),
    /// It could not be written.
    #[error(transparent)]
    Alert(#[from] AlertError),
}

/// What a step of a ticket would say now by a channel, to the first official it tells that way: the office, and the letter.
pub async fn preview(
    db: &Db,
    settings: SharedSettings,
    ticket: TicketId,
    number: u32,
    channel: Channel,
    now: Time,
) -> Result<(String, String), PreviewError> {
    let facts = outbox::facts(db, ticket).await.map_err(AlertError::from)?;
    let (account, facts, steps) = facts.ok_or(PreviewError::Ticket(ticket))?;
    let Some(step) = steps.iter().find(|step| step.number == number && !step.notify.is_empty()) else {
        let known = steps.iter().filter(|step| !step.notify.is_empty());
        let known = known.map(|step| format!("{} ({} {})", step.number, step.policy, step.at)).collect::<Vec<_>>().join(", ");
        return Err(PreviewError::Step(ticket, number, known));
    };
    let alert = Alert {
        id: AlertId(0),
        kind: match step.kind {
            StepKind::Warning => AlertKind::Warned,
            StepKind::Breach => AlertKind::Breached,
            StepKind::Escalation => AlertKind::Escalated,
        },
        ticket: Some(ticket),
        account: None,
        policy: step.policy.clone(),
        at: step.at.clone(),
        step: step.number,
        notify: step.notify.clone(),
        late_found: false,
        cause: None,
        detail: String::new(),
        created_at: now,
    };
    let unrouted = Unrouted { alert: alert.clone(), opd: Some(account.opd.clone()), urgent: true, state: None, sending_until: None };
    let deliveries = route::route(&[unrouted], &[], &settings, true, now).deliveries;
    let Some(delivery) = deliveries.iter().find(|delivery| delivery.channel == channel) else {
        let told = deliveries.iter().map(|delivery| format!("{} by {}", delivery.official, delivery.channel));
        return Err(PreviewError::Channel(number, channel, told.collect::<Vec<_>>().join(", ")));
    };
    let waiting = Waiting {
        delivery: 0,
        alert,
        official: delivery.official.clone(),
        channel,
        address: delivery.address.clone(),
        reason: delivery.reason.clone(),
        last_letter_at: None,
        crowded_at: None,
        storm_at: None,
        account: Some(account),
        ticket: Some(facts),
    };
    let writer = letter::Writer::new(settings.clone(), None).map_err(AlertError::from)?;
    let text = writer.readable(&[&waiting], now).map_err(AlertError::from)?;
    Ok((settings.office(&delivery.official).to_owned(), text))
}

/// Sends one test alert to every official of some groups by every way it has, once and without the database (`alert test`). Officials
/// who share an address of a channel with a [`Channel::pace`] are told one after the other.
pub async fn test_letter(settings: SharedSettings, groups: &[&str], now: Time) -> Result<Vec<TestOutcome>, AlertError> {
    let channels = Channels::new(&settings)?;
    let writer = letter::Writer::new(settings.clone(), None)?;
    let mut outcomes = Vec::new();
    let mut told = HashSet::new();
    for official in settings.recipients(groups, None, now) {
        for (channel, address) in route::ways(official, &settings) {
            if let (Some(pace), false) = (channel.pace(), told.insert((channel, address))) {
                tokio::time::sleep(pace.unsigned_abs()).await;
            }
            let key = format!("test-{}-{}", now.ms(), outcomes.len());
            let payload = writer.test(official, channel, address, &key, now)?;
            let result = channels.send(channel, &Outgoing { key: &key, address, payload: &payload, at: now }).await;
            outcomes.push(TestOutcome { official: official.id.clone(), channel, result });
        }
    }
    Ok(outcomes)
}
