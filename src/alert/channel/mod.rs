//! Ways to reach officials, one file each behind one trait. A channel sends given bytes once and says what to do next.

mod alertmanager;
mod log;
mod smtp;
mod telegram;
mod webhook;
mod whatsapp;

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use jiff::SignedDuration;

use crate::domain::{
    Time,
    alert::Channel as Way,
    settings::{self, Settings},
};

/// A letter to send.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The same for every attempt: webhook-id; it also stands in the bytes of mails and WhatsApp messages.
    pub key: &'a str,
    /// Mail address, chat id, number or name of the webhook.
    pub address: &'a str,
    /// The bytes.
    pub payload: &'a str,
    /// The time of this attempt.
    pub at: Time,
}

/// The other side said yes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Its number for the message, if it gave one.
    pub provider_id: Option<String>,
}

/// What to do after a failed attempt. The texts are our own phrases: no address, token or URL stands in them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Try again.
    #[error("{why}")]
    Later {
        /// Not before this has passed.
        after: Option<SignedDuration>,
        /// What happened and, where the site can mend it, what to do.
        why: String,
        /// The message may have arrived all the same.
        unknown_outcome: bool,
    },
    /// It will never be accepted.
    #[error("{why}")]
    Never {
        /// What happened and what to do.
        why: String,
    },
}

impl SendError {
    fn later(why: impl Into<String>) -> Self {
        Self::Later { after: None, why: why.into(), unknown_outcome: false }
    }
    fn unknown(why: impl Into<String>) -> Self {
        Self::Later { after: None, why: why.into(), unknown_outcome: true }
    }
    fn never(why: impl Into<String>) -> Self {
        Self::Never { why: why.into() }
    }
    /// The same, with the time in which a status may still tell what became of a message of unknown outcome.
    fn awaiting(self, way: Way) -> Self {
        match self {
            Self::Later { after, why, unknown_outcome: true } => Self::Later { after: after.max(way.awaits()), why, unknown_outcome: true },
            error => error,
        }
    }
}

/// A way to reach officials.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Hands the bytes over, once.
    async fn send(&self, letter: &Outgoing<'_>) -> Result<Accepted, SendError>;
}

/// Why a channel can't be set up. Its text names no secret.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The HTTP client could not be made.
    #[error("no HTTP client for alerts: {0}")]
    Http(#[from] reqwest::Error),
    /// A setting is wrong.
    #[error("{key}: {cure}")]
    Setting {
        /// The key's path.
        key: String,
        /// What would be right.
        cure: &'static str,
    },
}

/// The channels of a configuration, with the time one attempt may take.
pub struct Channels {
    by_way: BTreeMap<Way, Box<dyn Channel>>,
    limit: Option<Duration>,
}

impl Channels {
    /// Sets up every configured channel and the log.
    pub fn new(settings: &Settings) -> Result<Self, ChannelError> {
        let mut by_way: BTreeMap<Way, Box<dyn Channel>> = BTreeMap::new();
        by_way.insert(Way::Log, Box::new(log::Log));
        if let Some(smtp) = &settings.channels.smtp {
            by_way.insert(Way::Smtp, Box::new(smtp::Smtp::new(smtp, Self::usual_limit(Way::Smtp))?));
        }
        if let Some(telegram) = &settings.channels.telegram {
            by_way.insert(Way::Telegram, Box::new(telegram::Telegram::new(telegram, Self::usual_limit(Way::Telegram))?));
        }
        if let Some(whatsapp) = &settings.channels.whatsapp {
            let limit = Self::usual_limit(Way::Whatsapp);
            by_way.insert(Way::Whatsapp, Box::new(whatsapp::Whatsapp::new(whatsapp, &settings.graph.version, limit)?));
        }
        if !settings.channels.webhooks.is_empty() {
            by_way.insert(Way::Webhook, Box::new(webhook::Webhooks::new(&settings.channels.webhooks, Self::usual_limit(Way::Webhook))?));
        }
        if let Some(alertmanager) = &settings.channels.alertmanager {
            by_way
                .insert(Way::Alertmanager, Box::new(alertmanager::Alertmanager::new(alertmanager, Self::usual_limit(Way::Alertmanager))?));
        }
        Ok(Self { by_way, limit: None })
    }

    /// The same channels, each attempt of which is given up after `limit`.
    #[must_use]
    pub fn with_limit(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// The ways there are.
    pub fn ways(&self) -> impl Iterator<Item = Way> {
        self.by_way.keys().copied()
    }

    /// Sends by a way. A way that is not configured (any more) is tried again: a reload may bring it back.
    pub async fn send(&self, way: Way, letter: &Outgoing<'_>) -> Result<Accepted, SendError> {
        let Some(channel) = self.by_way.get(&way) else { return Err(SendError::later("the channel is not configured any more")) };
        let limit = self.limit.unwrap_or(Self::usual_limit(way));
        let result = tokio::time::timeout(limit, channel.send(letter)).await;
        result
            .unwrap_or_else(|_| Err(SendError::unknown(format!("no answer within {} s", limit.as_secs().max(1)))))
            .map_err(|e| e.awaiting(way))
    }

    /// How long one attempt may take: mail servers may look long at a mail (greylisting, filters); the Standard Webhooks
    /// specification advises 15 to 30 s for calls.
    const fn usual_limit(way: Way) -> Duration {
        match way {
            Way::Smtp => Duration::from_secs(30),
            _ => Duration::from_secs(15),
        }
    }
}

/// What a failure means that a channel reported by webhook after it had taken the message, by its code.
pub(super) fn failed(code: Option<i64>) -> SendError {
    whatsapp::failed(code)
}

/// Whether the token of `[channel.whatsapp]` is good for its number, asked without sending anything.
pub async fn check_whatsapp(settings: &settings::Whatsapp, version: &str) -> Result<(), SendError> {
    let limit = Channels::usual_limit(Way::Whatsapp);
    let channel = whatsapp::Whatsapp::new(settings, version, limit).map_err(|_| SendError::later("no HTTP client for alerts"))?;
    channel.check().await
}

/// What a failed HTTP exchange means: without a connection nothing was handed over, later nobody knows.
fn transport(error: &reqwest::Error) -> SendError {
    if error.is_connect() || error.is_builder() {
        SendError::later("could not connect")
    } else if error.is_timeout() {
        SendError::unknown("no answer in time")
    } else {
        SendError::unknown("the connection broke before an answer came")
    }
}

/// The wait an answer asks for by `Retry-After`, in seconds (RFC 9110 §10.2.3; a date is not honoured), an hour at most.
fn retry_after(headers: &reqwest::header::HeaderMap) -> Option<SignedDuration> {
    let seconds: i64 = headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(SignedDuration::from_secs(seconds.clamp(0, 3600)))
}
