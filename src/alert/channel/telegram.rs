//! Telegram's Bot API: `sendMessage`. The token stands in the path, so no URL is ever shown.

use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::{Accepted, Channel, ChannelError, Outgoing, SendError, transport};
use crate::{
    domain::settings,
    runtime::http::{body_capped, client},
};

/// An answer is a few hundred bytes; a proxy's error page may be longer.
const ANSWER_BYTES: usize = 64 * 1024;

/// The channel `telegram`.
pub(super) struct Telegram {
    http: reqwest::Client,
    url: String,
    token: SecretString,
}

/// The parts of an answer that decide (core.telegram.org/bots/api#making-requests).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    ok: bool,
    description: String,
    result: Sent,
    parameters: Parameters,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sent {
    message_id: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Parameters {
    retry_after: Option<i64>,
    migrate_to_chat_id: Option<i64>,
}

impl Telegram {
    pub(super) fn new(telegram: &settings::Telegram, limit: Duration) -> Result<Self, ChannelError> {
        Ok(Self { http: client(limit)?, url: telegram.url.clone(), token: telegram.token.clone() })
    }

    async fn post(&self, payload: String) -> Result<(u16, Answer), SendError> {
        let url = format!("{}/bot{}/sendMessage", self.url, self.token.expose_secret());
        let request = self.http.post(url).header(reqwest::header::CONTENT_TYPE, "application/json").body(payload);
        let answer = request.send().await.map_err(|e| transport(&e))?;
        let status = answer.status().as_u16();
        let body = match body_capped(answer, ANSWER_BYTES).await {
            Ok(body) => body,
            Err(_) if status == 200 => return Err(SendError::unknown("Telegram's answer broke off")),
            Err(_) => Vec::new(),
        };
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }
}

#[async_trait]
impl Channel for Telegram {
    async fn send(&self, letter: &Outgoing<'_>) -> Result<Accepted, SendError> {
        let mut payload: Value = serde_json::from_str(letter.payload).unwrap_or_default();
        let (mut status, mut answer) = self.post(letter.payload.to_owned()).await?;
        let moved = answer.parameters.migrate_to_chat_id.filter(|_| status == 400);
        if let Some(chat) = moved {
            // The group became a supergroup: the same message, once, to its new id.
            tracing::warn!(channel = "telegram", "a chat has a new id ({chat}): write it into the configuration");
            payload["chat_id"] = chat.into();
            (status, answer) = self.post(payload.to_string()).await?;
        }
        if status == 400 && answer.description.to_lowercase().contains("button") {
            // Better the letter without its buttons than none.
            tracing::warn!(channel = "telegram", "Telegram refuses the buttons below a letter: check http.public_url");
            payload.as_object_mut().map(|fields| fields.remove("reply_markup"));
            (status, answer) = self.post(payload.to_string()).await?;
        }
        let wait = answer.parameters.retry_after.map(|s| SignedDuration::from_secs(s.clamp(0, 3600)));
        match status {
            200 if answer.ok => {
                let sent = |id: i64| moved.map_or_else(|| id.to_string(), |chat| format!("{chat}/{id}"));
                Ok(Accepted { provider_id: answer.result.message_id.map(sent) })
            }
            200 => Err(SendError::unknown("what answers is not Telegram: check channel.telegram.url")),
            429 => Err(SendError::Later { after: wait, why: "Telegram asks to wait (429)".to_owned(), unknown_outcome: false }),
            401 | 404 => Err(SendError::later(format!("Telegram does not know the bot's token ({status}): check channel.telegram.token"))),
            403 => Err(SendError::never("the bot may not write to this chat (403): it was blocked, or is not a member")),
            400 => Err(SendError::never("Telegram does not know this chat or refuses the message (400): check the official's telegram")),
            500.. => Err(SendError::later(format!("Telegram is out of order ({status})"))),
            _ => Err(SendError::later(format!("an answer that Telegram does not give ({status}): check channel.telegram.url"))),
        }
    }
}
