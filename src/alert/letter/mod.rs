//! Letters: what an alert says in each channel's form. Pure: facts, settings and `now` in, bytes out.
//!
//! `sheet` decides what is said, the `catalogue` how, the layouts where it stands. Text is escaped in one place
//! an output: by the template engine for HTML and Telegram, by lettre for mail headers, by serde for webhooks and WhatsApp.

mod alertmanager;
mod body;
mod mail;
mod preview;
mod recap;
mod sheet;
mod speaker;
mod whatsapp;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, value::Serde};
use serde_json::{Value, json};

use self::{
    sheet::{Act, Sheet},
    speaker::Speaker,
};
use crate::{
    catalogue::{Part, Words, WordsError},
    domain::{
        TicketId, Time,
        alert::Channel,
        settings::{Official, SharedSettings},
    },
    link,
    store::{
        outbox::{NewLetter, Waiting},
        recap::Facts,
    },
};

/// Telegram's limit for a message (core.telegram.org/bots/api#sendmessage), counted here in UTF-16 units with markup: never too little.
const TELEGRAM_UNITS: usize = 4096;
/// Items named in a section at most; the rest is a number (semantics.md, Alerts, "Grouping").
const NAMED: usize = 5;

/// Why a letter can't be written.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// The catalogue is wrong.
    #[error(transparent)]
    Words(#[from] WordsError),
    /// A layout is.
    #[error("a letter could not be laid out: {0}")]
    Layout(#[from] minijinja::Error),
    /// An address, or the sender, is none.
    #[error("{0} is no mail address; correct it in the configuration")]
    Address(&'static str),
    /// lettre refuses it.
    #[error("the mail could not be put together")]
    Mail,
    /// The official's webhook is not configured any more.
    #[error("the webhook is not configured any more")]
    Webhook,
    /// The official is not configured any more.
    #[error("the official is not configured any more")]
    Official,
    /// WhatsApp is not configured any more.
    #[error("channel.whatsapp is not configured any more")]
    Whatsapp,
    /// The channel can't carry letters.
    #[error("letters do not go by this channel")]
    Channel,
}

/// The five characters that mean something in HTML, as Telegram knows them too (core.telegram.org/bots/api#html-style).
/// The engine's own escaping also writes `/` as a number, which makes links unreadable to whoever sees the source.
fn escape(out: &mut minijinja::Output<'_>, text: &str) -> std::fmt::Result {
    use std::fmt::Write as _;
    for c in text.chars() {
        match c {
            '&' => out.write_str("&amp;"),
            '<' => out.write_str("&lt;"),
            '>' => out.write_str("&gt;"),
            '"' => out.write_str("&quot;"),
            '\'' => out.write_str("&#39;"),
            c => out.write_char(c),
        }?;
    }
    Ok(())
}

/// Writes letters in the site's language.
#[derive(Debug)]
pub struct Writer {
    words: Words,
    layout: Environment<'static>,
    settings: SharedSettings,
    links: Option<link::Key>,
}

impl Writer {
    /// A writer for these settings; without `links` no letter can be acted upon. Fails only if a shipped catalogue or layout is wrong.
    pub fn new(settings: SharedSettings, links: Option<link::Key>) -> Result<Self, LetterError> {
        let site = &settings.site;
        let words = Words::with(Part::Letter, site.language, site.timezone.clone(), &settings.letter.texts)?;
        let mut layout = Environment::empty();
        layout.set_undefined_behavior(UndefinedBehavior::Strict);
        layout.set_auto_escape_callback(|name| if name == "mail.txt" { AutoEscape::None } else { AutoEscape::Html });
        layout.set_formatter(|out, state, value| match (state.auto_escape(), value.as_str()) {
            (AutoEscape::Html, Some(text)) => Ok(escape(out, text)?),
            _ => minijinja::escape_formatter(out, state, value),
        });
        layout.add_template("mail.txt", include_str!("templates/mail.txt"))?;
        layout.add_template("mail.html", include_str!("templates/mail.html"))?;
        layout.add_template("telegram.html", include_str!("templates/telegram.html"))?;
        Ok(Self { words, layout, settings, links })
    }

    /// How far back the facts of a sheet must reach, and from when on its messages are counted.
    pub fn recap_from(now: Time) -> (Time, Time) {
        (now.minus(recap::SINCE), now.minus(recap::MESSAGES))
    }

    /// Writes one letter for deliveries that leave together: same channel, same address. `former`: Message-IDs' keys of earlier mails
    /// by ticket and address, oldest first; `facts`: what a morning sheet or a weekly recap is made of.
    pub fn letter(&self, group: &[&Waiting], former: &[(TicketId, String, String)], facts: &Facts, now: Time) -> Option<NewLetter> {
        let first = group.first()?;
        let subject = first.ticket.as_ref().map_or_else(|| format!("a{}", first.alert.id), |t| format!("t{}-{}", t.id, first.alert.step));
        let key = format!("{subject}-{}-{}", first.delivery, now.ms());
        let payload = self.payload(group, &key, former, facts, now).map_err(|e| e.to_string());
        Some(NewLetter {
            key,
            channel: first.channel,
            address: first.address.clone(),
            official: first.official.clone(),
            kind: first.alert.kind,
            payload,
            deliveries: group.iter().map(|w| w.delivery).collect(),
        })
    }

    fn payload(
        &self,
        group: &[&Waiting],
        key: &str,
        former: &[(TicketId, String, String)],
        facts: &Facts,
        now: Time,
    ) -> Result<String, LetterError> {
        let Some(first) = group.first() else { return Err(LetterError::Channel) };
        if first.alert.kind.is_sheet() {
            let official = self.settings.officials.iter().find(|o| o.id == first.official).ok_or(LetterError::Official)?;
            let speaker = Speaker { words: &self.words, settings: &self.settings, now };
            let sheet = recap::compose(&speaker, &first.alert, official, facts)?;
            if first.channel == Channel::Webhook {
                return Ok(body::sheet(first, &sheet));
            }
            return self.shape(first.channel, &first.address, key, &[], now, &|_| Ok(sheet.clone()));
        }
        if first.channel == Channel::Webhook {
            let webhook = self.settings.channels.webhooks.get(&first.address).ok_or(LetterError::Webhook)?;
            return Ok(body::body(group, webhook.full, &self.settings));
        }
        if first.channel == Channel::Alertmanager {
            return alertmanager::alerts(&self.words, &self.settings, group, now);
        }
        let references: Vec<&str> = match sheet::only_ticket(group) {
            Some(ticket) => {
                former.iter().filter(|(id, to, _)| *id == ticket && *to == first.address).map(|(_, _, key)| key.as_str()).collect()
            }
            None => Vec::new(),
        };
        let act = self.act(first.channel, key, now);
        self.shape(first.channel, &first.address, key, &references, now, &|named| {
            sheet::compose(&self.words, &self.settings, group, &act, now, named)
        })
    }

    /// A letter as people read it: a mail without what only machines need, a chat message with its markup, any other body laid out.
    pub fn readable(&self, group: &[&Waiting], now: Time) -> Result<String, LetterError> {
        if group.first().is_some_and(|first| first.channel == Channel::Smtp) {
            let sheet = sheet::compose(&self.words, &self.settings, group, &Act::default(), now, NAMED)?;
            let text = self.layout.get_template("mail.txt")?.render(Serde(&sheet))?;
            return Ok(format!("Subject: {}\n\n{text}", preview::clean(&sheet.subject)));
        }
        let payload = self.payload(group, "preview", &[], &Facts::default(), now)?;
        if let Some(shown) = self.shown(&payload) {
            return Ok(shown);
        }
        let Ok(body) = serde_json::from_str::<Value>(&payload) else { return Ok(payload) };
        Ok(match &body["text"] {
            Value::String(text) => text.clone(),
            _ => format!("{body:#}"),
        })
    }

    /// All of these once more, for Alertmanager, which forgets what is not repeated.
    pub fn firing(&self, firing: &[Waiting], now: Time) -> Result<String, LetterError> {
        alertmanager::alerts(&self.words, &self.settings, &firing.iter().collect::<Vec<_>>(), now)
    }

    /// How the reader of this letter can say that its tickets are being seen to.
    fn act(&self, channel: Channel, key: &str, now: Time) -> Act {
        let (Some(links), Channel::Smtp | Channel::Telegram | Channel::Whatsapp) = (&self.links, channel) else { return Act::default() };
        Act {
            link: self.settings.http.public_url.as_ref().map(|url| format!("{url}/ack/{}", links.token(key, now))),
            button: links.button(key).filter(|_| channel == Channel::Telegram),
        }
    }

    /// The letter of `alert test`.
    pub fn test(&self, official: &Official, channel: Channel, address: &str, key: &str, now: Time) -> Result<String, LetterError> {
        if channel == Channel::Webhook {
            return Ok(body::test(official, now));
        }
        self.shape(channel, address, key, &[], now, &|_| sheet::test(&self.words, &self.settings, &[&official.name], &official.group))
    }

    /// A WhatsApp message as its reader sees it, if the site's template is the proposed one; `None` if this is none of ours.
    pub fn shown(&self, payload: &str) -> Option<String> {
        whatsapp::shown(&self.words, payload)
    }

    fn shape(
        &self,
        channel: Channel,
        address: &str,
        key: &str,
        references: &[&str],
        now: Time,
        sheet: &dyn Fn(usize) -> Result<Sheet, WordsError>,
    ) -> Result<String, LetterError> {
        match channel {
            Channel::Smtp => {
                let sheet = sheet(NAMED)?;
                let text = self.layout.get_template("mail.txt")?.render(Serde(&sheet))?;
                let html = self.layout.get_template("mail.html")?.render(Serde(&sheet))?;
                mail::message(&self.settings, address, key, references, &sheet, text, html, now)
            }
            Channel::Telegram => {
                let template = self.layout.get_template("telegram.html")?;
                let (mut text, mut said) = (String::new(), None);
                for named in (0..=NAMED).rev() {
                    let sheet = sheet(named)?;
                    text = template.render(Serde(&sheet))?;
                    said = Some(sheet);
                    if text.encode_utf16().count() <= TELEGRAM_UNITS {
                        break;
                    }
                }
                let mut body = json!({
                    "chat_id": address, "text": text, "parse_mode": "HTML", "link_preview_options": {"is_disabled": true},
                });
                if let Some(keyboard) = said.map(|sheet| self.keyboard(&sheet)).transpose()?.flatten() {
                    body["reply_markup"] = keyboard;
                }
                Ok(body.to_string())
            }
            // Never an item: nothing that citizens write may reach the log.
            Channel::Log => {
                let sheet = sheet(NAMED)?;
                Ok(format!("{} {}", sheet.title, sheet.code))
            }
            Channel::Whatsapp => {
                let whatsapp = self.settings.channels.whatsapp.as_ref().ok_or(LetterError::Whatsapp)?;
                Ok(whatsapp::message(&self.words, whatsapp, address, key, &sheet(1)?)?)
            }
            Channel::Webhook | Channel::Alertmanager | Channel::None => Err(LetterError::Channel),
        }
    }

    /// The buttons below a Telegram message. One with a link only where Telegram takes it: it refuses the whole message otherwise.
    fn keyboard(&self, sheet: &Sheet) -> Result<Option<Value>, WordsError> {
        let Some(button) = &sheet.button else { return Ok(None) };
        let mut rows = vec![json!([{"text": self.words.say("act", ())?, "callback_data": button}])];
        let public = |url: &url::Url| url.scheme() == "https" && url.domain().is_some_and(|domain| domain.contains('.'));
        if let Some(link) = sheet.act.as_ref().filter(|link| url::Url::parse(link).is_ok_and(|url| public(&url))) {
            rows.push(json!([{"text": self.words.say("act_choose", ())?, "url": link}]));
        }
        Ok(Some(json!({"inline_keyboard": rows})))
    }
}
