//! A letter as a whole mail (RFC 5322): the same bytes in every attempt.

use lettre::{
    Message,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};

use super::{LetterError, preview::clean, sheet::Sheet};
use crate::domain::{Time, settings::Settings};

/// Says that no human wrote it (RFC 3834 §5), and to which list it belongs (RFC 2919), so that nobody's vacation program answers.
const ROBOT: [(&str, &str); 2] = [("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")];

/// Puts the mail together. `references`: keys of the earlier mails about the same ticket, oldest first (RFC 5322 §3.6.4).
#[allow(clippy::too_many_arguments)] // one message, put together in one place
pub(super) fn message(
    settings: &Settings,
    to: &str,
    key: &str,
    references: &[&str],
    sheet: &Sheet,
    text: String,
    html: String,
    now: Time,
) -> Result<String, LetterError> {
    let from: Mailbox =
        settings.channels.smtp.as_ref().and_then(|smtp| smtp.from.parse().ok()).ok_or(LetterError::Address("channel.smtp.from"))?;
    let to: Mailbox = to.parse().map_err(|_| LetterError::Address("the official's email"))?;
    let domain = domain(settings, &from);
    let id = |key: &str| format!("<{key}@{domain}>");
    let reply = if references.is_empty() { "" } else { "Re: " };
    let date = std::time::UNIX_EPOCH + std::time::Duration::from_secs(now.secs().unsigned_abs());
    let mut mail =
        Message::builder().from(from).to(to).date(date).message_id(Some(id(key))).subject(format!("{reply}{}", clean(&sheet.subject)));
    if let Some(last) = references.last() {
        mail = mail.in_reply_to(id(last)).references(references.iter().map(|key| id(key)).collect::<Vec<_>>().join(" "));
    }
    let list = format!("<alerts.{domain}>");
    let own = [("List-Id", list.as_str()), ("Content-Language", settings.site.language.word())];
    for (name, value) in ROBOT.into_iter().chain(own) {
        let name = HeaderName::new_from_ascii(name.to_owned()).map_err(|_| LetterError::Mail)?;
        mail = mail.raw_header(HeaderValue::new(name, value.to_owned()));
    }
    let part = |kind, body| SinglePart::builder().header(kind).body(body);
    let body = MultiPart::alternative().boundary(format!("=_{key}"));
    let body = body.singlepart(part(ContentType::TEXT_PLAIN, text)).singlepart(part(ContentType::TEXT_HTML, html));
    let mail = mail.multipart(body).map_err(|_| LetterError::Mail)?;
    String::from_utf8(mail.formatted()).map_err(|_| LetterError::Mail)
}

/// The site's domain: that of its page, else the sender's.
fn domain(settings: &Settings, from: &Mailbox) -> String {
    let page = settings.http.public_url.as_deref().and_then(|page| url::Url::parse(page).ok());
    page.and_then(|page| page.domain().map(str::to_owned)).unwrap_or_else(|| from.email.domain().to_owned())
}
