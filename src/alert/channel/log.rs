//! The daemon's own log: a WARN line. Always there, so that the group `operator` is never empty.

use async_trait::async_trait;

use super::{Accepted, Channel, Outgoing, SendError};

/// The channel `log`.
pub(super) struct Log;

#[async_trait]
impl Channel for Log {
    async fn send(&self, letter: &Outgoing<'_>) -> Result<Accepted, SendError> {
        tracing::warn!(event = "alert.log", channel = "log", key = letter.key, "{}", letter.payload);
        Ok(Accepted::default())
    }
}
