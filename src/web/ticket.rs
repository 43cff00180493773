//! One ticket: the thread as a conversation, the clock, who was told and why not, what staff may do.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use minijinja::{context, value::Serde};
use serde::Serialize;

use super::{
    Shared, answer,
    board::{Badge, Pace, short},
    clockline::Clock,
    page,
    staff::{Reader, Staff},
};
use crate::{
    domain::{Scope, TicketId, TicketState, Time, ticket::PlannedStep},
    dossier::Dossier,
    store::{
        StoreError,
        listing::{self, AlertRow, TicketRow},
    },
};

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/tickets/{id}", get(ticket))
}

/// The dossier of a ticket within somebody's scope.
pub(super) async fn dossier(shared: &Shared, scope: &Scope, id: TicketId) -> Result<Option<Dossier>, StoreError> {
    Dossier::of(&shared.joints.db, scope, id, (shared.settings(), || &shared.calendars), shared.now()).await
}

/// A number out of an address; what is none is no ticket.
pub(super) fn number(text: &str) -> TicketId {
    TicketId(text.parse().unwrap_or(0))
}

async fn ticket(State(shared): State<Arc<Shared>>, Reader(staff): Reader, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let given =
        |wanted: &str| url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted).map(|(_, it)| it.into_owned());
    shown(&shared, &staff, number(&id), StatusCode::OK, context! { done => given("done"), chosen => given("canned") }).await
}

/// The page of a ticket, with what is said above it.
pub(super) async fn shown(shared: &Shared, staff: &Staff, id: TicketId, status: StatusCode, said: minijinja::Value) -> Response {
    let chosen = said.get_attr("chosen").ok().and_then(|chosen| chosen.as_str().map(str::to_owned));
    match whole(shared, staff, id, chosen.as_deref()).await {
        Ok(Some(parts)) => page(shared, staff.language, status, "ticket", context! { ..said, ..parts }),
        Ok(None) => missing(shared, staff),
        Err(error) => shared.failed(staff.language, &error),
    }
}

/// There is no such thing, or not for them: the same page.
pub(super) fn missing(shared: &Shared, staff: &Staff) -> Response {
    page(shared, staff.language, StatusCode::NOT_FOUND, "word", context! { word => "missing" })
}

#[derive(Serialize)]
struct Step<'a> {
    #[serde(flatten)]
    planned: &'a PlannedStep,
    due_at: String,
    past: bool,
    told: Vec<&'a AlertRow>,
}

async fn whole(shared: &Shared, staff: &Staff, id: TicketId, chosen: Option<&str>) -> Result<Option<minijinja::Value>, StoreError> {
    let (now, settings) = (shared.now(), shared.settings());
    let Some(whole) = dossier(shared, &staff.scope, id).await? else { return Ok(None) };
    let planned = listing::steps(&shared.joints.db, &staff.scope, id).await?;
    let ticket = &whole.ticket;
    let steps: Vec<_> = planned
        .iter()
        .filter(|step| step.number > 0 || step.effect.is_some())
        .map(|step| Step {
            planned: step,
            due_at: step.due.rfc3339(),
            past: step.due <= now,
            told: whole.alerts.iter().filter(|alert| alert.step == i64::from(step.number)).collect(),
        })
        .collect();
    let others: Vec<_> = whole.alerts.iter().filter(|alert| !planned.iter().any(|step| i64::from(step.number) == alert.step)).collect();
    let names: std::collections::BTreeMap<_, _> = settings.opds.iter().map(|opd| (opd.slug.as_str(), opd.abbreviation.as_str())).collect();
    let clock = clock(shared, ticket, &planned, now);
    let opds: Vec<_> = settings.opds.iter().filter(|opd| opd.slug != ticket.opd).map(|opd| (&opd.slug, &opd.abbreviation)).collect();
    let opd_full = settings.opd(&ticket.opd).map_or(ticket.opd.as_str(), |opd| &opd.name);
    let windows = ticket.reply_window_closes_at.map(|at| (at.rfc3339(), at.since(now).as_secs()));
    let offices: std::collections::BTreeMap<_, _> =
        settings.officials.iter().map(|official| (official.id.as_str(), official.name.as_str())).collect();
    let answers = if ticket.state == TicketState::Open {
        answer::offered(shared, staff, ticket, chosen).await?
    } else {
        context! {}
    };
    let parts = context! {
        staff => Serde(&Badge::of(staff)), here => "board", ticket => Serde(ticket), history => Serde(&whole.history),
        events => Serde(&whole.events), actions => Serde(&whole.actions), steps => Serde(&steps), others => Serde(&others),
        pace => Serde(&Pace::of(ticket, now)), clock, opds => Serde(&opds), opd_name => short(settings, &ticket.opd), opd_full,
        answered_name => answered_name(shared, ticket), window => windows, waits => ticket.state == TicketState::Open,
        offices => Serde(&offices), now => now.rfc3339(), replies => Serde(&whole.replies), holdings => Serde(&whole.holdings),
        names => Serde(&names),
    };
    Ok(Some(context! { ..answers, ..parts }))
}

/// Which account answered, as people know it.
fn answered_name(shared: &Shared, ticket: &TicketRow) -> Option<String> {
    let id = ticket.answered_by.as_deref()?;
    let account = shared.settings().accounts().find(|(_, spec)| spec.platform == ticket.platform && spec.id == id);
    Some(account.map_or_else(|| id.to_owned(), |(opd, _)| opd.abbreviation.clone()))
}

/// The picture of its clock, on the calendar of its policy; none where the policy has left the configuration.
fn clock(shared: &Shared, ticket: &TicketRow, steps: &[PlannedStep], now: Time) -> Option<String> {
    let settings = shared.settings();
    let account = settings.accounts().find(|(_, spec)| spec.platform == ticket.platform && spec.id == ticket.account);
    let calendar = shared.calendars.of_ticket(settings, &ticket.policy, account.map(|(opd, _)| opd.slug.as_str()))?;
    let clock = Clock {
        worktime: &calendar.worktime,
        opened_at: ticket.opened_at,
        due_at: ticket.due_at,
        until: ticket.closed_at.unwrap_or(now),
        closed: ticket.closed_at.is_some(),
        steps: steps.iter().map(|step| (step.due, step.effect.is_some(), format!("{} {}", step.at, step.notify.join(", ")))).collect(),
    };
    Some(clock.svg(&format!("{} – {}", ticket.opened_at.rfc3339(), ticket.due_at.rfc3339())))
}
