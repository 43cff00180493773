//! `[channel.*]`: the ways by which officials are told.

use base64::{Engine, engine::general_purpose::STANDARD};
use lettre::message::Mailbox;
use secrecy::{ExposeSecret, SecretString};

use super::{Context, unique};
use crate::{
    config::{
        read::{Found, Table},
        words,
    },
    domain::settings::{Alertmanager, Channels, Smtp, Telegram, Token, Webhook, Whatsapp},
};

const TELEGRAM: &str = "https://api.telegram.org";
const WHATSAPP: &str = "https://graph.facebook.com";

pub(super) fn channels(table: &mut Table, context: &Context) -> Channels {
    let mut webhooks = Vec::new();
    for mut table in table.tables("webhook") {
        let name = table.needed_text("name");
        let webhook = Webhook {
            name: name.value.clone(),
            url: table.needed("url", "a URL", words::web_url).map_or_else(String::new, |it| it.value),
            secret: needed(&mut table, "secret", |reference| signing(context.vault.read(reference)?)),
            old_secret: table
                .parsed("old_secret", words::SECRET, |reference| signing(context.vault.read(reference)?))
                .map(|it| it.value.value),
            full: table.flag("full").unwrap_or(false),
        };
        webhooks.push((name, webhook));
    }
    unique(webhooks.iter().map(|(name, _)| name), "the name", table.findings);
    Channels {
        smtp: table.table("smtp").map(|mut table| smtp(&mut table, context)),
        telegram: table.table("telegram").map(|mut table| Telegram {
            token: needed(&mut table, "token", |reference| context.vault.read(reference)),
            url: base(&mut table, TELEGRAM),
        }),
        whatsapp: table.table("whatsapp").map(|mut table| Whatsapp {
            token: needed(&mut table, "token", |reference| context.vault.read(reference)),
            phone_number_id: table.needed("phone_number_id", "a text", words::digits).map_or_else(String::new, |it| it.value),
            template: table.needed_text("template").value,
            url: base(&mut table, WHATSAPP),
        }),
        webhooks: webhooks.into_iter().map(|(name, webhook)| (name.value, webhook)).collect(),
        alertmanager: table.table("alertmanager").map(|mut table| Alertmanager {
            url: table.needed("url", "a URL", words::base_url).map_or_else(String::new, |it| it.value),
            group: table.needed_text("group").value,
        }),
    }
}

fn base(table: &mut Table, default: &str) -> String {
    table.parsed("url", "a URL", words::base_url).map_or_else(|| default.to_owned(), |it| it.value)
}

/// A secret that must be there.
fn needed<'a>(table: &mut Table<'a>, name: &'a str, read: impl FnOnce(&str) -> Result<Token, String>) -> SecretString {
    table.needed(name, words::SECRET, read).map_or_else(SecretString::default, |it| it.value.value)
}

/// A key of Standard Webhooks: `whsec_` and the base64 of 24 to 64 bytes (its specification, "Signature scheme").
fn signing(secret: Token) -> Result<Token, String> {
    let text = secret.value.expose_secret();
    let key = text.strip_prefix("whsec_").and_then(|key| STANDARD.decode(key).ok());
    let unread = text.is_empty();
    if unread || key.is_some_and(|key| (24..=64).contains(&key.len())) {
        return Ok(secret);
    }
    Err("what is read there is no webhook secret: whsec_ and the base64 of 24 to 64 bytes is expected".into())
}

fn smtp(table: &mut Table, context: &Context) -> Smtp {
    let url = table.needed("url", "a mail server such as smtps://user@mail.example.go.id:465", words::smtp_url);
    let password = table.parsed("password", words::SECRET, |reference| context.vault.read(reference));
    match (&url, &password) {
        (Some(Found { value: (_, true), spot }), None) if !table.has("password") => {
            table.findings.problem(spot, "names a user: name the password's place by channel.smtp.password");
        }
        (Some(Found { value: (_, false), .. }), Some(password)) => {
            table.findings.problem(&password.spot, "is no one's: write the user into channel.smtp.url, as smtps://user@host");
        }
        _ => {}
    }
    let sender = |text: &str| match text.parse::<Mailbox>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(format!("\"{text}\" is no sender: write it as Tanggap <tanggap@example.go.id>")),
    };
    Smtp {
        url: url.map_or_else(String::new, |it| it.value.0),
        password: password.map(|it| it.value.value),
        from: table.needed("from", "a sender such as \"Tanggap <tanggap@example.go.id>\"", sender).map_or_else(String::new, |it| it.value),
    }
}
