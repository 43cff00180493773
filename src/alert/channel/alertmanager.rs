//! Prometheus Alertmanager: a letter is the array of alerts for `POST /api/v2/alerts`
//! (github.com/prometheus/alertmanager, `api/v2/openapi.yaml`).

use std::time::Duration;

use async_trait::async_trait;

use super::{Accepted, Channel, ChannelError, Outgoing, SendError, retry_after, transport};
use crate::{domain::settings, runtime::http::client};

/// The channel `alertmanager`.
pub(super) struct Alertmanager {
    http: reqwest::Client,
    alerts: String,
}

impl Alertmanager {
    pub(super) fn new(alertmanager: &settings::Alertmanager, limit: Duration) -> Result<Self, ChannelError> {
        Ok(Self { http: client(limit)?, alerts: format!("{}/api/v2/alerts", alertmanager.url) })
    }
}

#[async_trait]
impl Channel for Alertmanager {
    async fn send(&self, letter: &Outgoing<'_>) -> Result<Accepted, SendError> {
        let request =
            self.http.post(&self.alerts).header(reqwest::header::CONTENT_TYPE, "application/json").body(letter.payload.to_owned());
        let answer = request.send().await.map_err(|e| transport(&e))?;
        let status = answer.status().as_u16();
        match status {
            200..300 => Ok(Accepted::default()),
            300..400 => {
                Err(SendError::never(format!("Alertmanager points elsewhere ({status}): write its address into channel.alertmanager.url")))
            }
            400 => Err(SendError::never("Alertmanager refuses the alerts (400): it is older than its API v2, or this is a bug to report")),
            408 | 425 | 429 | 500.. => {
                let why = format!("Alertmanager can't take alerts now ({status})");
                Err(SendError::Later { after: retry_after(answer.headers()), why, unknown_outcome: false })
            }
            _ => Err(SendError::later(format!("no Alertmanager answers there ({status}): check channel.alertmanager.url"))),
        }
    }
}
