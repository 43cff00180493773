//! `[[official]]`: the offices that are told.

use lettre::Address;

use super::{Context, unique};
use crate::{
    config::{
        read::{Found, Table},
        words,
    },
    domain::settings::{Channels, Official},
};

pub(super) fn officials(root: &mut Table, channels: &Channels, context: &Context) -> Vec<Official> {
    let (ids, officials): (Vec<_>, Vec<_>) = root.tables("official").iter_mut().map(|table| official(table, channels, context)).unzip();
    unique(&ids, "the id", root.findings);
    officials
}

fn official(table: &mut Table, channels: &Channels, context: &Context) -> (Found<String>, Official) {
    let name = table.needed_text("name");
    let written = table.parsed("id", "a text", words::slug_as_written);
    let id = written.unwrap_or_else(|| Found { value: words::slug(&name), spot: name.spot.clone() });
    if id.is_empty() && !name.is_empty() {
        table.findings.problem(&name.spot, "has no letter an id could be made of: write an id of your own");
    }
    let opd = table.list("opd", "a list of slugs", |text| words::one_of(text, &context.names.opds, "[[opd]]"));
    if let Some(opd) = &opd
        && opd.is_empty()
    {
        table.findings.problem(&opd.spot, "names no OPD: leave it out if all are meant");
    }
    let email = table.parsed("email", "a text", |text| match text.parse::<Address>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(format!("\"{text}\" is no e-mail address")),
    });
    let (telegram, whatsapp) =
        (table.parsed("telegram", "a chat id in quotes", chat), table.parsed("whatsapp", "a number in quotes", number));
    for (address, section, there) in [
        (&email, "smtp", channels.smtp.is_some()),
        (&telegram, "telegram", channels.telegram.is_some()),
        (&whatsapp, "whatsapp", channels.whatsapp.is_some()),
    ] {
        if let Some(address) = address
            && !there
        {
            table.findings.warning(&address.spot, format!("is never used: there is no [channel.{section}]"));
        }
    }
    let official = Official {
        id: id.value.clone(),
        name: name.value,
        group: table.needed_text("group").value,
        opd: opd.map_or_else(Vec::new, |it| it.value),
        email: email.map(|it| it.value),
        telegram: telegram.map(|it| it.value),
        whatsapp: whatsapp.map(|it| it.value),
        webhook: table.named("webhook", &context.names.webhooks, "[[channel.webhook]]").map(|it| it.value),
        quiet: table.parsed("quiet", "a text", words::quiet).map(|it| it.value),
        digest: table.parsed("digest", "a text", words::time_of_day).map(|it| it.value),
    };
    (id, official)
}

/// A chat of Telegram's: a number, negative for groups, or a channel's name.
fn chat(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let right = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.is_empty() || text.len() > 1 && text.starts_with('@');
    if right { Ok(text.to_owned()) } else { Err(format!("\"{text}\" is no chat id: write it as \"-1001234567890\"")) }
}

/// A number as the Cloud API takes it (E.164 without `+`: 8 to 15 digits).
fn number(text: &str) -> Result<String, String> {
    let right = (8..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    if right {
        Ok(text.to_owned())
    } else {
        Err(format!("\"{text}\" is no number: write the country's code first, then digits only, as \"6281200000000\""))
    }
}
