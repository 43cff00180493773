//! WhatsApp's Cloud API: an approved template with four texts, one POST a message. The number and the token stand in no text.

mod codes;

use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{Accepted, Channel, ChannelError, Outgoing, SendError, retry_after, transport};
use crate::{
    domain::settings,
    runtime::http::{body_capped, client},
};

/// An answer is a few hundred bytes; a proxy's error page may be longer.
const ANSWER_BYTES: usize = 64 * 1024;
/// The longest message id that is kept; WhatsApp's have about 60 characters.
const ID_MAX: usize = 256;

/// The channel `whatsapp`.
pub(super) struct Whatsapp {
    http: reqwest::Client,
    /// Of the sending number.
    url: String,
    token: SecretString,
}

/// The parts of an answer that decide (Cloud API, Messages; Cloud API, Error Codes).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    messages: Vec<Sent>,
    error: Option<Fault>,
    id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sent {
    id: String,
    message_status: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fault {
    code: Option<i64>,
    error_subcode: Option<i64>,
}

impl Whatsapp {
    pub(super) fn new(whatsapp: &settings::Whatsapp, version: &str, limit: Duration) -> Result<Self, ChannelError> {
        let url = format!("{}/{version}/{}", whatsapp.url, whatsapp.phone_number_id);
        Ok(Self { http: client(limit)?, url, token: whatsapp.token.clone() })
    }

    /// Whether the token is good for the number, without sending anything.
    pub(super) async fn check(&self) -> Result<(), SendError> {
        let answer = self.ask(self.http.get(format!("{}?fields=id", self.url))).await?;
        if answer.id.is_empty() { Err(SendError::later(STRANGER)) } else { Ok(()) }
    }

    /// A yes, or what else an answer means.
    async fn ask(&self, request: reqwest::RequestBuilder) -> Result<Answer, SendError> {
        let answer = request.bearer_auth(self.token.expose_secret()).send().await.map_err(|e| transport(&e))?;
        let status = answer.status().as_u16();
        let wait = retry_after(answer.headers());
        let body = match body_capped(answer, ANSWER_BYTES).await {
            Ok(body) => body,
            Err(_) if status == 200 => return Err(SendError::unknown("WhatsApp's answer broke off")),
            Err(_) => Vec::new(),
        };
        let answer: Answer = serde_json::from_slice(&body).unwrap_or_default();
        match answer.error {
            None if status == 200 => Ok(answer),
            Some(Fault { code: Some(code), error_subcode }) => Err(patient(codes::verdict(code, error_subcode), wait)),
            _ => Err(patient(by_status(status), wait)),
        }
    }
}

/// Said of an answer that is none of WhatsApp's.
const STRANGER: &str = "what answers is not WhatsApp: check channel.whatsapp.url";

#[async_trait]
impl Channel for Whatsapp {
    async fn send(&self, letter: &Outgoing<'_>) -> Result<Accepted, SendError> {
        let request = self.http.post(format!("{}/messages", self.url));
        let request = request.header(reqwest::header::CONTENT_TYPE, "application/json").body(letter.payload.to_owned());
        let mut answer = self.ask(request).await?;
        let Some(sent) = answer.messages.pop().filter(|sent| !sent.id.is_empty()) else { return Err(SendError::unknown(STRANGER)) };
        if matches!(sent.message_status.as_str(), "held_for_quality_assessment" | "paused") {
            // WhatsApp has it and sends it by itself once it has judged the template; sending it again would make a copy.
            // What it lets fall comes back as a failed status.
            tracing::warn!(channel = "whatsapp", "WhatsApp holds messages back until it has judged the template of channel.whatsapp");
        }
        Ok(Accepted { provider_id: Some(sent.id).filter(|id| id.len() <= ID_MAX && id.chars().all(|c| c.is_ascii_graphic())) })
    }
}

/// What a failure means that WhatsApp reported by webhook, after it had taken the message.
pub(super) fn failed(code: Option<i64>) -> SendError {
    code.map_or_else(|| SendError::later("WhatsApp could not deliver it and did not say why"), |code| codes::verdict(code, None))
}

/// The same, not before the wait that the answer's headers ask for.
fn patient(error: SendError, wait: Option<SignedDuration>) -> SendError {
    match error {
        SendError::Later { after: None, why, unknown_outcome } => SendError::Later { after: wait, why, unknown_outcome },
        error => error,
    }
}

/// An answer without a code.
fn by_status(status: u16) -> SendError {
    SendError::later(match status {
        200..300 => STRANGER.to_owned(),
        401 | 403 => format!("WhatsApp refuses the token ({status}): check channel.whatsapp.token"),
        404 => format!("WhatsApp does not know the number or the version ({status}): check channel.whatsapp and graph.version"),
        429 => format!("WhatsApp asks to wait ({status})"),
        500.. => format!("WhatsApp is out of order ({status})"),
        _ => format!("an answer that WhatsApp does not give ({status}): check channel.whatsapp.url"),
    })
}
