//! Stage 3: tells officials what the other stages wrote down.
//!
//! `route` chooses recipients, `when` and `group` the moment, `letter` the words, `retry` the next attempt: all pure.
//! [`AlertStage`] moves rows by them: alert → delivery → letter → accepted; `channel` holds the ways out, `press` the one way in.

pub mod channel;
mod group;
pub mod letter;
pub mod press;
mod retry;
pub mod route;
mod stage;
mod when;

pub use stage::{AlertError, AlertStage};

use crate::domain::{Time, alert::Channel, settings::SharedSettings};
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

/// Sends one test alert to every official of a group by every way it has, once and without the database (`alert test`).
pub async fn test_letter(settings: SharedSettings, group: &str, now: Time) -> Result<Vec<TestOutcome>, AlertError> {
    let channels = Channels::new(&settings)?;
    let writer = letter::Writer::new(settings.clone(), None)?;
    let mut outcomes = Vec::new();
    for official in route::recipients(&settings, &[group], None) {
        for (channel, address) in route::ways(official, &settings) {
            let key = format!("test-{}-{}", now.ms(), outcomes.len());
            let payload = writer.test(official, channel, address, &key, now)?;
            let result = channels.send(channel, &Outgoing { key: &key, address, payload: &payload, at: now }).await;
            outcomes.push(TestOutcome { official: official.id.clone(), channel, result });
        }
    }
    Ok(outcomes)
}
