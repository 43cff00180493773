//! The board: what is waiting, for how long, whose it is.

use std::sync::Arc;

use axum::{
    Router,
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use jiff::SignedDuration;
use minijinja::{context, value::Serde};
use serde::Serialize;

use super::{
    Shared,
    filter::{self, Standing, Tickets, Unlisted},
    page,
    staff::{Reader, Staff},
};
use crate::{
    domain::{Kind, Platform, TicketState, Time, settings::Settings},
    store::listing::{self, Count, Reading, TicketRow},
};

/// Tickets on a page: what a person looks through.
const SHOWN: u32 = 50;
/// An account that waits so long for its turn: what the board shows may be old.
const STALE: SignedDuration = SignedDuration::from_mins(5);

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/", get(board))
}

/// How a ticket stands against its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Pace {
    /// `late`, `soon`, `calm`, or `done`.
    pub word: &'static str,
    /// Seconds left, or past.
    pub seconds: i64,
}

impl Pace {
    /// Less than a quarter of the time left, or warned of: soon.
    pub fn of(ticket: &TicketRow, now: Time) -> Self {
        let left = ticket.due_at.since(now).as_secs();
        let word = match ticket.state {
            TicketState::Open if left < 0 => "late",
            TicketState::Open if ticket.warned_at.is_some() || left * 4 < ticket.due_at.since(ticket.opened_at).as_secs() => "soon",
            TicketState::Open => "calm",
            _ => "done",
        };
        Self { word, seconds: left.abs() }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    row: &'a TicketRow,
    opd_name: &'a str,
    pace: Pace,
}

#[derive(Serialize)]
struct Agency<'a> {
    #[serde(flatten)]
    count: &'a Count,
    name: &'a str,
    chosen: bool,
    /// It stands in the configuration, so that the list can be filtered by it.
    known: bool,
}

/// An OPD's short name; its slug where it has left the configuration.
pub(super) fn short<'a>(settings: &'a Settings, slug: &'a str) -> &'a str {
    settings.opd(slug).map_or(slug, |opd| &opd.abbreviation)
}

async fn board(State(shared): State<Arc<Shared>>, Reader(staff): Reader, RawQuery(query): RawQuery) -> Response {
    let wrong = |detail: String| page(&shared, staff.language, StatusCode::BAD_REQUEST, "word", context! { word => "filter", detail });
    let wanted = match filter::of_form::<Tickets>(query.as_deref()) {
        Ok(wanted) => wanted,
        Err(detail) => return wrong(detail),
    };
    match shown(&shared, &staff, &wanted).await {
        Ok(parts) => page(&shared, staff.language, StatusCode::OK, "board", parts),
        Err(Unlisted::Wrong(detail)) => wrong(detail),
        Err(Unlisted::Place) => wrong("cursor".into()),
        Err(Unlisted::Store(error)) => shared.failed(staff.language, &error),
    }
}

/// Everything on the board.
async fn shown(shared: &Shared, staff: &Staff, wanted: &Tickets) -> Result<minijinja::Value, Unlisted> {
    let (db, settings, now) = (&shared.joints.db, shared.settings(), shared.now());
    let (rows, next) = wanted.page(shared, &staff.scope, SHOWN, now).await?;
    let counts = listing::counts(db, &staff.scope, now).await.map_err(Unlisted::Store)?;
    let Reading { accounts, unhealthy, due_since, last_read_at } =
        listing::reading(db, &staff.scope, now).await.map_err(Unlisted::Store)?;
    let stale = due_since.is_some_and(|since| now.since(since) > STALE);
    let lines: Vec<_> = rows.iter().map(|row| Line { row, opd_name: short(settings, &row.opd), pace: Pace::of(row, now) }).collect();
    let mut agencies: Vec<_> = counts
        .iter()
        .map(|count| Agency {
            count,
            name: short(settings, &count.opd),
            chosen: wanted.opd.as_deref() == Some(&count.opd),
            known: settings.opd(&count.opd).is_some(),
        })
        .collect();
    agencies.sort_by_key(|agency| (std::cmp::Reverse((agency.count.overdue, agency.count.open)), agency.name));
    let sum = |of: fn(&Count) -> u64| counts.iter().map(of).sum::<u64>();
    let opds: Vec<_> = settings.opds.iter().filter(|opd| staff.scope.holds(&opd.slug)).map(|opd| (&opd.slug, &opd.abbreviation)).collect();
    Ok(context! {
        staff => Serde(&Badge::of(staff)), here => "board", lines => Serde(&lines), agencies => Serde(&agencies), next,
        open => sum(|count| count.open), overdue => sum(|count| count.overdue), urgent => sum(|count| count.urgent),
        accounts, unhealthy, stale, stale_at => last_read_at.map(Time::rfc3339), opds => Serde(&opds), address => wanted.address(),
        now => now.rfc3339(), first => wanted.cursor.is_none(), cursor => wanted.cursor.as_deref(),
        wanted => context! {
            state => wanted.state.unwrap_or_default().word(), overdue => wanted.overdue == Some(true), opd => wanted.opd.as_deref(),
            platform => wanted.platform.map(Platform::word), kind => wanted.kind.map(Kind::word), urgent => wanted.urgent == Some(true),
        },
        states => Serde(Standing::ALL), platforms => Serde(Platform::ALL), kinds => Serde(Kind::ALL),
    })
}

/// What the head of every page says of who reads it.
#[derive(Serialize)]
pub(super) struct Badge<'a> {
    name: &'a str,
    role: &'static str,
    acts: bool,
    sees_trail: bool,
    opds: Vec<&'a str>,
}

impl<'a> Badge<'a> {
    pub fn of(staff: &'a Staff) -> Self {
        Self {
            name: &staff.by,
            role: staff.role.word(),
            acts: staff.acts(),
            sees_trail: staff.role >= crate::domain::Role::Admin,
            opds: staff.scope.opds().map(Iterator::collect).unwrap_or_default(),
        }
    }
}
