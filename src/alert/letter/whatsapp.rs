//! A letter as a WhatsApp message: an approved template, whose own words the site gives, and four texts in it. Pure.

use minijinja::context;
use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{preview::clean, sheet::Sheet};
use crate::{
    catalogue::{Words, WordsError},
    domain::settings::Whatsapp,
};

/// The four texts together, in UTF-16 units: what a template's body may have (1,024 characters, Cloud API, Templates) without 324 for its
/// own words.
const TEXTS: usize = 700;
/// The longest link that is given; one cut short leads nowhere.
const LINK: usize = 300;
/// The longest subject and the longest list of OPDs. The line has what is left.
const SUBJECT: usize = 140;
const OPDS: usize = 100;

/// The whole request's body.
pub(super) fn message(words: &Words, whatsapp: &Whatsapp, to: &str, key: &str, sheet: &Sheet) -> Result<String, WordsError> {
    let parameters = texts(words, sheet)?.map(|text| json!({"type": "text", "text": text}));
    let body = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": to, "type": "template",
        "template": {
            "name": whatsapp.template, "language": {"code": sheet.language.word()},
            "components": [{"type": "body", "parameters": parameters}],
        },
        "biz_opaque_callback_data": key,
    });
    Ok(body.to_string())
}

/// Subject, OPDs, one line, link.
fn texts(words: &Words, sheet: &Sheet) -> Result<[String; 4], WordsError> {
    let link = match sheet.link().filter(|link| units(link) <= LINK) {
        Some(link) => link.to_owned(),
        None => words.say("no_link", ())?,
    };
    let (subject, opds, link) = (cut(&sheet.title, SUBJECT), cut(&sheet.opds, OPDS), cut(&link, LINK));
    let room = TEXTS - units(&subject) - units(&opds) - units(&link);
    let line = line(words, sheet, room)?;
    Ok([subject, opds, line, link])
}

/// What waits longest, how many others there are, and the short code by which a second copy is recognised.
fn line(words: &Words, sheet: &Sheet, room: usize) -> Result<String, WordsError> {
    let first = sheet.sections.iter().find_map(|section| Some((section, section.items.first()?)));
    // a morning sheet or a recap is told as a whole, as far as there is room
    let whole = || {
        let lines = sheet.sections.iter().flat_map(|it| std::iter::once(&it.head).chain(it.items.iter().map(|item| &item.text)));
        lines.map(String::as_str).collect::<Vec<_>>().join(" ")
    };
    let (text, others) = match first {
        _ if sheet.told() == 0 && !sheet.sections.is_empty() => (whole(), 0),
        Some((section, item)) if section.closed => (format!("{} {}", section.head, item.text), sheet.told() - item.tickets),
        Some((_, item)) => (item.text.clone(), sheet.told() - item.tickets),
        None => (sheet.closing.join(" "), 0),
    };
    let more = if others > 0 { Some(words.say("more", context! { n => others })?) } else { None };
    let text = if others == 0 && !sheet.ask.is_empty() { format!("{text}.") } else { text };
    let ask = Some(sheet.ask.clone()).filter(|ask| !ask.is_empty());
    let tail = more.into_iter().chain(ask).chain(sheet.remark.clone()).chain([sheet.code.clone()]).collect::<Vec<_>>().join(" ");
    Ok(format!("{} {}", cut(&text, room.saturating_sub(units(&tail) + 1)), clean(&tail)))
}

/// One line without a control character, a tab or two spaces in a row, of at most so many UTF-16 units, cut between graphemes; never empty.
/// The Cloud API refuses a template's text for any of these.
fn cut(text: &str, most: usize) -> String {
    let text = clean(text);
    if text.is_empty() {
        return "-".to_owned();
    }
    if units(&text) <= most {
        return text;
    }
    let mut left = most.saturating_sub(1);
    let kept = text.graphemes(true).take_while(|grapheme| {
        let fits = units(grapheme) <= left;
        left = left.saturating_sub(units(grapheme));
        fits
    });
    format!("{}…", kept.collect::<String>().trim_end())
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// A message as its reader sees it, if the template is the one that the catalogue proposes. `None` if this is no such message.
pub(super) fn shown(words: &Words, body: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    let parameters = body["template"]["components"][0]["parameters"].as_array()?;
    let mut texts = parameters.iter().filter_map(|parameter| parameter["text"].as_str());
    let (subject, opd, line, link) = (texts.next()?, texts.next()?, texts.next()?, texts.next()?);
    words.say("whatsapp_template", context! { subject, opd, line, link }).ok()
}
