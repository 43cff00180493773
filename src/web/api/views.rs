//! Messages, accounts, counts, the trail, and who asks.

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::{Deserialize, Serialize};
use tracing::error;
use utoipa::{IntoParams, ToSchema};

use super::{
    Caller, Shop,
    answer::{List, Problem, Refusals, json, tagged, tagged_text},
    tickets::no_place,
};
use crate::{
    domain::{Direction, MessageId, Role, Time, time::rfc3339},
    store::{
        listing::{self, AccountRow, Count, MessageFilter, MessagePages, MessageRow},
        trail::{self, Deed},
    },
    web::{
        cursor,
        figures::{self, Period},
        filter,
    },
};

const USUAL: u32 = 100;

/// Which messages.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct Messages {
    /// Written at or after this (RFC 3339).
    #[param(format = DateTime)]
    since: Option<String>,
    /// Meta's id of the account.
    account: Option<String>,
    /// By a citizen or by the government.
    direction: Option<Direction>,
    /// The `next` of the answer before.
    cursor: Option<String>,
    /// At most so many, up to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Messages, oldest first.
#[utoipa::path(get, path = "/api/v1/messages", params(Messages), responses((status = 200, body = List<MessageRow>), Refusals))]
pub(super) async fn messages(
    State(shared): Shop,
    Caller(staff): Caller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wanted: Messages = filter::read(query.as_deref()).map_err(Problem::wrong)?;
    let limit = filter::limit(wanted.limit, USUAL).map_err(Problem::wrong)?;
    let since = wanted.since.as_deref().map(|text| filter::instant("since", text).map_err(Problem::wrong));
    let list = cursor::list("messages", &format!("{:?} {:?} {:?}", wanted.since, wanted.account, wanted.direction), &staff.scope);
    let after = wanted.cursor.as_deref().map(|given| cursor::place(&shared.joints.links, &list, given).ok_or_else(no_place));
    let filter = MessageFilter {
        since: since.transpose()?,
        account: wanted.account,
        direction: wanted.direction,
        after: after.transpose()?.map(|(at, id)| (at, MessageId(id))),
        page: Some(limit + 1),
    };
    let mut data = MessagePages::new(&shared.joints.db, &staff.scope, filter).next().await?;
    let more = data.len() > limit as usize;
    data.truncate(limit as usize);
    let next = data.last().filter(|_| more).map(|last| cursor::after(&shared.joints.links, &list, last.created_at, last.id.0));
    Ok(tagged(&List { data, next }, &staff.scope, &headers))
}

/// The accounts that are read, and how they fare; all at once.
#[utoipa::path(get, path = "/api/v1/accounts", responses((status = 200, body = List<AccountRow>), Refusals))]
pub(super) async fn accounts(State(shared): Shop, Caller(staff): Caller, headers: HeaderMap) -> Result<Response, Problem> {
    let data = listing::accounts(&shared.joints.db, &staff.scope, shared.now()).await?;
    Ok(tagged(&List { data, next: None }, &staff.scope, &headers))
}

/// Open tickets by OPD; all at once.
#[utoipa::path(get, path = "/api/v1/counts", responses((status = 200, body = List<Count>), Refusals))]
pub(super) async fn counts(State(shared): Shop, Caller(staff): Caller, headers: HeaderMap) -> Result<Response, Problem> {
    let data = listing::counts(&shared.joints.db, &staff.scope, shared.now()).await?;
    Ok(tagged(&List { data, next: None }, &staff.scope, &headers))
}

/// Figures of a period: totals, groups, league table, heat map, what waits. The object is that of `tanggap report --format json`.
#[utoipa::path(get, path = "/api/v1/report", params(Period), responses((status = 200, body = Object), Refusals))]
pub(super) async fn report(
    State(shared): Shop,
    Caller(staff): Caller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let period: Period = filter::read(query.as_deref()).map_err(Problem::wrong)?;
    let settled = period.settled(shared.settings(), shared.now()).map_err(Problem::wrong)?;
    let report = figures::reckoned(&shared, &staff, settled, figures::json).await.map_err(|refused| match refused {
        figures::Refused::Busy => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "other reports are being reckoned; try again in a moment"),
        figures::Refused::Wrong(wrong) => Problem::wrong(wrong),
        figures::Refused::Store(error) => error.into(),
        figures::Refused::Broken(error) => {
            error!(error, "the report could not be reckoned");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the report could not be reckoned")
        }
    })?;
    Ok(tagged_text(report, &staff.scope, &headers))
}

/// How much of the trail.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct Before {
    /// Only what was done before this (RFC 3339, with milliseconds to go on exactly).
    #[param(format = DateTime)]
    before: Option<String>,
    /// At most so many, up to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Who did what, newest first; for admins.
#[utoipa::path(get, path = "/api/v1/trail", params(Before), responses((status = 200, body = List<Deed>), Refusals))]
pub(super) async fn trail(
    State(shared): Shop,
    Caller(staff): Caller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if staff.role < Role::Admin {
        return Err(Problem::new(StatusCode::FORBIDDEN, "the trail is for admins"));
    }
    let wanted: Before = filter::read(query.as_deref()).map_err(Problem::wrong)?;
    let limit = filter::limit(wanted.limit, USUAL).map_err(Problem::wrong)?;
    let before = wanted.before.as_deref().map(|text| filter::instant("before", text).map_err(Problem::wrong));
    let before = before.transpose()?.unwrap_or_else(|| shared.now().plus(jiff::SignedDuration::from_secs(1)));
    let data = trail::deeds(&shared.joints.db, &staff.scope, before, limit).await?;
    Ok(tagged(&List { data, next: None }, &staff.scope, &headers))
}

/// Who asks.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    /// As the trail calls it.
    name: String,
    /// What it may do.
    role: Role,
    /// Of which OPDs; empty: of all.
    opds: Vec<String>,
    /// The clock here.
    #[serde(with = "rfc3339::ms")]
    now: Time,
}

/// Who asks, and what it may.
#[utoipa::path(get, path = "/api/v1/me", responses((status = 200, body = Me), Refusals))]
pub(super) async fn me(State(shared): Shop, Caller(staff): Caller) -> Response {
    let opds = staff.scope.opds().map(|opds| opds.map(str::to_owned).collect()).unwrap_or_default();
    json(&Me { name: staff.by, role: staff.role, opds, now: shared.now() })
}
