//! What the button below a Telegram letter asks of the Bot API: which presses there are, an answer to one, the button taken away. The token
//! stands in the path, so no URL is ever shown.

use std::time::Duration;

use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    domain::settings,
    runtime::http::{body_capped, client},
};

/// How long Telegram may hold an empty answer back (it allows 50 s); long enough to be few calls, short enough for most proxies.
const POLL: u64 = 25;
/// How much longer such a call may take.
const POLL_GRACE: Duration = Duration::from_secs(10);
/// How long any other call may take.
const CALL: Duration = Duration::from_secs(5);
/// Presses taken at once: with both calls for each a step stays well within the watchdog's budget.
const AT_ONCE: u32 = 10;
/// Each press brings the whole letter along.
const ANSWER_BYTES: usize = 1024 * 1024;

/// The bot.
pub(super) struct Bot {
    http: reqwest::Client,
    url: String,
    token: SecretString,
}

/// One thing that happened, by its number.
pub(super) struct Update {
    pub id: i64,
    /// A button that was pressed; `None` for what nobody here can read.
    pub press: Option<Press>,
}

/// A press (core.telegram.org/bots/api#callbackquery). All of it but the chat may be made up by whoever pressed.
#[derive(Deserialize)]
pub(super) struct Press {
    pub id: String,
    #[serde(default)]
    pub data: String,
    pub message: Option<Below>,
}

/// The message below which it stands.
#[derive(Deserialize)]
pub(super) struct Below {
    pub message_id: i64,
    pub chat: Chat,
}

#[derive(Deserialize)]
pub(super) struct Chat {
    pub id: i64,
    pub username: Option<String>,
}

/// Why a call came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("Telegram does not know the bot's token ({0}): check channel.telegram.token")]
    Token(u16),
    #[error("a webhook is set for this bot, so that presses go there: remove it (deleteWebhook), or give tanggap a bot of its own")]
    Webhook,
    #[error("another program reads this bot's presses: stop it, or give tanggap a bot of its own")]
    Reader,
    #[error("Telegram asks to wait")]
    Wait(SignedDuration),
    #[error("{0}")]
    Down(String),
}

/// The parts of an answer that decide (core.telegram.org/bots/api#making-requests).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    ok: bool,
    result: Value,
    description: String,
    parameters: Parameters,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Parameters {
    retry_after: Option<i64>,
}

impl Bot {
    pub(super) fn new(telegram: &settings::Telegram) -> Result<Self, reqwest::Error> {
        Ok(Self { http: client(Duration::from_secs(POLL) + POLL_GRACE)?, url: telegram.url.clone(), token: telegram.token.clone() })
    }

    /// The bot's own number, which stands before the secret part of its token.
    pub(super) fn number(&self) -> &str {
        self.token.expose_secret().split(':').next().unwrap_or_default()
    }

    /// Waits for presses from the update `offset` on (`None`: from the oldest), which also tells Telegram to forget those before it.
    pub(super) async fn presses(&self, offset: Option<i64>) -> Result<Vec<Update>, Fault> {
        let asked = json!({"offset": offset, "timeout": POLL, "limit": AT_ONCE, "allowed_updates": ["callback_query"]});
        let result = self.call("getUpdates", &asked, Duration::from_secs(POLL) + POLL_GRACE).await?;
        let Value::Array(updates) = result else { return Err(stranger()) };
        let id = |update: &Value| update["update_id"].as_i64();
        Ok(updates.iter().filter_map(|update| Some(Update { id: id(update)?, press: read(&update["callback_query"]) })).collect())
    }

    /// Shows a line to whoever pressed.
    pub(super) async fn answer(&self, press: &str, text: &str) -> Result<(), Fault> {
        self.call("answerCallbackQuery", &json!({"callback_query_id": press, "text": text}), CALL).await.map(drop)
    }

    /// Takes the buttons below a message away.
    pub(super) async fn take_away(&self, below: &Below) -> Result<(), Fault> {
        let none = json!({"inline_keyboard": []});
        let asked = json!({"chat_id": below.chat.id, "message_id": below.message_id, "reply_markup": none});
        self.call("editMessageReplyMarkup", &asked, CALL).await.map(drop)
    }

    async fn call(&self, method: &str, asked: &Value, limit: Duration) -> Result<Value, Fault> {
        let url = format!("{}/bot{}/{method}", self.url, self.token.expose_secret());
        let request = self.http.post(url).timeout(limit).json(asked);
        let answer = request.send().await.map_err(|error| Fault::Down(transport(&error).to_owned()))?;
        let status = answer.status().as_u16();
        let body = body_capped(answer, ANSWER_BYTES).await.map_err(|_| Fault::Down("Telegram's answer broke off".to_owned()))?;
        let answer: Answer = serde_json::from_slice(&body).unwrap_or_default();
        match status {
            200 if answer.ok => Ok(answer.result),
            200 => Err(stranger()),
            401 | 404 => Err(Fault::Token(status)),
            409 if answer.description.contains("webhook") => Err(Fault::Webhook),
            409 => Err(Fault::Reader),
            429 => Err(Fault::Wait(SignedDuration::from_secs(answer.parameters.retry_after.unwrap_or(1).clamp(1, 3600)))),
            500.. => Err(Fault::Down(format!("Telegram is out of order ({status})"))),
            _ => Err(Fault::Down(format!("Telegram refuses a call ({status})"))),
        }
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

fn stranger() -> Fault {
    Fault::Down("what answers is not Telegram: check channel.telegram.url".to_owned())
}

fn transport(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "Telegram does not answer in time"
    } else if error.is_connect() {
        "could not connect to Telegram"
    } else {
        "the connection to Telegram broke"
    }
}
