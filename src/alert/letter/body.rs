//! The body of a signed webhook (contract.md §3).

use serde_json::{Value, json};

use super::{preview::preview, sheet::Sheet};
use crate::domain::{
    Kind, Time,
    alert::AlertKind,
    reply,
    settings::{Official, Settings},
};
use crate::store::outbox::{AccountFacts, TicketFacts, Waiting};

/// The body for one step of a ticket, for an account's state, or for an account's backlog (several deliveries).
pub(super) fn body(group: &[&Waiting], full: bool, settings: &Settings) -> String {
    let Some(first) = group.first() else { return String::new() };
    let alert = &first.alert;
    let link = |path: &str| settings.http.public_url.as_ref().map(|url| format!("{url}/{path}"));
    let data = match (&first.ticket, &first.account) {
        (Some(_), Some(account)) if alert.kind == AlertKind::Backlog => {
            let mut tickets: Vec<_> = group.iter().filter_map(|w| w.ticket.as_ref()).collect();
            tickets.sort_by_key(|t| (t.opened_at, t.id));
            json!({
                "opd": account.opd, "account": account.external_id, "platform": account.platform, "official": first.official,
                "reason": "already past the deadline when first read", "count": tickets.len(),
                "oldest_opened_at": tickets.first().map(|t| t.opened_at.rfc3339()),
                "tickets": tickets.iter().map(|t| t.id).collect::<Vec<_>>(), "link": link(""),
            })
        }
        (Some(ticket), Some(account)) => {
            let mut data = json!({
                "ticket": view(ticket, account, full, settings), "step": alert.step, "official": first.official,
                "link": link(&format!("tickets/{}", ticket.id)), "late_found": alert.late_found,
            });
            if alert.kind == AlertKind::HandedOver {
                data["from"] = alert.detail.as_str().into();
            }
            data
        }
        (_, Some(account)) if alert.kind == AlertKind::Expiring => json!({
            "opd": account.opd, "account": account.external_id, "platform": account.platform, "official": first.official,
            "reason": "the token ends soon", "token_expires_at": alert.detail, "link": link(""),
        }),
        (_, account) => json!({
            "opd": account.as_ref().map(|a| &a.opd), "account": account.as_ref().map(|a| &a.external_id),
            "platform": account.as_ref().map(|a| a.platform), "reason": alert.detail, "official": first.official,
            "since": account.as_ref().and_then(|a| a.unread_since).map(Time::rfc3339), "link": link(""),
        }),
    };
    json!({"type": alert.kind, "timestamp": alert.created_at.rfc3339_ms(), "data": data}).to_string()
}

/// The body of a morning sheet or a weekly recap: its lines as they stand in a letter.
pub(super) fn sheet(first: &Waiting, sheet: &Sheet) -> String {
    let lines = sheet
        .sections
        .iter()
        .flat_map(|section| std::iter::once(section.head.as_str()).chain(section.items.iter().map(|item| item.text.as_str())));
    let data = json!({"official": first.official, "title": sheet.title, "lines": lines.collect::<Vec<_>>()});
    json!({"type": first.alert.kind, "timestamp": first.alert.created_at.rfc3339_ms(), "data": data}).to_string()
}

/// The body of `alert test`.
pub(super) fn test(official: &Official, now: Time) -> String {
    json!({"type": "test", "timestamp": now.rfc3339_ms(), "data": {"official": official.id, "group": official.group}}).to_string()
}

/// A ticket as the contract has it; without the author and with the preview as its text, unless `full`.
fn view(t: &TicketFacts, account: &AccountFacts, full: bool, settings: &Settings) -> Value {
    let names: Vec<&str> = [&t.author_name, &t.author_username].into_iter().flatten().map(String::as_str).collect();
    let author = match (&t.author_id, names.first()) {
        (None, None) => None,
        (id, name) => Some(json!({"id": id, "name": name})).filter(|_| full),
    };
    let text =
        if full { t.text.to_string() } else { preview(settings.letter.preview, t.kind, t.text.as_str(), &names).unwrap_or_default() };
    let answered = t.closed_at.filter(|_| t.state == crate::domain::TicketState::Answered);
    let window = t.newest_at.filter(|_| t.kind == Kind::Message).map(|at| at.plus(reply::WINDOW).rfc3339());
    json!({
        "id": t.id, "opd": account.opd, "platform": account.platform, "kind": t.kind, "account": account.external_id, "thread": t.thread,
        "author": author, "text": text, "messages": t.messages, "policy": t.policy, "urgent": t.urgent, "state": t.state,
        "opened_at": t.opened_at.rfc3339(), "due_at": t.due_at.rfc3339(), "warned_at": t.warned_at.map(Time::rfc3339),
        "breached_at": t.breached_at.map(Time::rfc3339), "flagged_at": t.flagged_at.map(Time::rfc3339_ms),
        "acknowledged_at": t.acknowledged_at.map(Time::rfc3339), "closed_at": t.closed_at.map(Time::rfc3339),
        "response_seconds": answered.map(|at| at.since(t.opened_at).as_secs()), "business_seconds": answered.and(t.business_seconds),
        "answered_by": t.answered_by, "reply_window_closes_at": window, "assignee": t.assignee, "permalink": t.permalink,
        "unverified": t.unverified, "reason": t.reason,
    })
}
