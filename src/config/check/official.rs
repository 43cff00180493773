//! `[[official]]`: the offices that are told.

use lettre::Address;

use super::{Context, PARENT, unique};
use crate::{
    config::{
        read::{Found, Table},
        words,
    },
    domain::settings::{Channels, Official, Valid},
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
    let group = table.needed_text("group");
    if group.value == PARENT {
        table.findings.problem(&group.spot, "\"parent\" means whoever is told of the agency above: give the group another name");
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
        group: group.value,
        opd: opd.map_or_else(Vec::new, |it| it.value),
        email: email.map(|it| it.value),
        telegram: telegram.map(|it| it.value),
        whatsapp: whatsapp.map(|it| it.value),
        webhook: table.named("webhook", &context.names.webhooks, "[[channel.webhook]]").map(|it| it.value),
        quiet: table.parsed("quiet", "a text", words::quiet).map(|it| it.value),
        digest: table.parsed("digest", "a text", words::time_of_day).map(|it| it.value),
        valid: table.table("valid").map_or_else(Valid::default, |mut table| valid(&mut table)),
        morning: table.parsed("morning", "a text", words::time_of_day).map(|it| it.value),
        weekly: table.parsed("weekly", "a text", words::weekly).map(|it| it.value),
    };
    (id, official)
}

/// From when to when an official is told: `{ from = "2026-12-01", to = "2026-12-31" }`, either end open.
fn valid(table: &mut Table) -> Valid {
    let mut day = |name| table.parsed(name, "a day in quotes, such as \"2026-12-24\"", words::date);
    let (from, to) = (day("from"), day("to"));
    if from.is_none() && to.is_none() && table.names().is_empty() {
        table.findings.problem(&table.spot, "says no day: write from, to or both");
    }
    if let (Some(from), Some(to)) = (&from, &to)
        && to.value < from.value
    {
        table.findings.problem(&to.spot, "lies before from");
    }
    Valid { from: from.map(|it| it.value), to: to.map(|it| it.value) }
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
