//! Stage 3: tells officials what the other stages wrote down.
//!
//! `route` chooses recipients, `when` and `group` the moment, `letter` the words, `retry` the next attempt: all pure.
//! [`AlertStage`] moves rows by them: alert → delivery → letter → accepted; `channel` holds the ways out.

pub mod channel;
mod group;
pub mod letter;
mod retry;
pub mod route;
mod stage;
mod when;

pub use stage::{AlertError, AlertStage};

use std::collections::HashSet;

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

/// Sends one test alert to every official of some groups by every way it has, once and without the database (`alert test`). Officials
/// who share an address of a channel with a [`Channel::pace`] are told one after the other.
pub async fn test_letter(settings: SharedSettings, groups: &[&str], now: Time) -> Result<Vec<TestOutcome>, AlertError> {
    let channels = Channels::new(&settings)?;
    let writer = letter::Writer::new(settings.clone())?;
    let mut outcomes = Vec::new();
    let mut told = HashSet::new();
    for official in route::recipients(&settings, groups, None) {
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
