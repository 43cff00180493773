//! The accounts: whether each can be read and for how long its token is good, and how well the agencies are covered.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::get,
};
use jiff::SignedDuration;
use minijinja::{context, value::Serde};
use serde::Serialize;
use tracing::error;

use super::{
    Shared,
    board::{Badge, short},
    page,
    staff::{Reader, Staff},
};
use crate::{
    accounts::{
        audit::{Audit, Limits, audit},
        page::heads,
    },
    catalogue::WordsError,
    domain::{
        Time,
        settings::{Opd, Site},
    },
    store::{
        audit::Watched,
        listing::{self, AccountRow},
    },
};

/// After so long an account counts as forsaken, as `tanggap audit` has it.
const QUIET: SignedDuration = SignedDuration::from_hours(24 * 30);
/// A token that ends within this is shown as ending.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 20);

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/accounts", get(shown))
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    row: &'a AccountRow,
    opd_name: &'a str,
    /// In percent, one decimal.
    watched_percent: Option<String>,
    ending: bool,
    /// `good`, `doubt`, `unread`, or `new`.
    standing: &'static str,
}

fn line<'a>(shared: &'a Shared, row: &'a AccountRow, now: Time) -> Line<'a> {
    let standing = match row {
        row if !row.healthy => "unread",
        row if row.last_read_at.is_none() => "new",
        row if !row.doubts.is_empty() || !row.failing.is_empty() => "doubt",
        _ => "good",
    };
    Line {
        row,
        opd_name: short(shared.settings(), &row.opd),
        watched_percent: row.watched.map(|share| format!("{:.1}", (share * 1000.0).floor() / 10.0)),
        ending: row.token_expires_at.is_some_and(|at| at.since(now) < SOON),
        standing,
    }
}

/// The audit of the OPDs that somebody may see, in their language.
fn covered(shared: &Shared, staff: &Staff, watched: &[Watched], now: Time) -> Result<Audit, WordsError> {
    let settings = shared.settings();
    let site = Site { language: staff.language, ..settings.site.clone() };
    let opds: Vec<Opd> = settings.opds.iter().filter(|opd| staff.scope.holds(&opd.slug)).cloned().collect();
    let keepers: Vec<&str> =
        settings.officials.iter().filter(|official| official.group == "operator").map(|official| official.name.as_str()).collect();
    let limits = Limits { quiet: QUIET, horizon: settings.poll.comment_horizon };
    audit((&site, &keepers), &opds, watched, limits, now)
}

async fn shown(State(shared): State<Arc<Shared>>, Reader(staff): Reader) -> Response {
    let (db, now) = (&shared.joints.db, shared.now());
    let read = async { Ok((listing::accounts(db, &staff.scope, now).await?, crate::store::audit::watched(db).await?)) };
    let (rows, watched) = match read.await {
        Ok(read) => read,
        Err(error) => return shared.failed(staff.language, &error),
    };
    let site = Site { language: staff.language, ..shared.settings().site.clone() };
    let (audit, heads) = match covered(&shared, &staff, &watched, now).and_then(|audit| Ok((audit, heads(&site)?))) {
        Ok(found) => found,
        Err(error) => {
            error!(%error, "the audit could not be written");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let mut lines: Vec<_> = rows.iter().map(|row| line(&shared, row, now)).collect();
    lines.sort_by_key(|line| ["unread", "doubt", "new", "good"].iter().position(|it| *it == line.standing));
    let (open, fine): (Vec<_>, Vec<_>) = audit.groups.iter().partition(|group| group.open);
    let parts = context! {
        staff => Serde(&Badge::of(&staff)), here => "accounts", lines => Serde(&lines), summary => Serde(&audit.summary),
        shares => Serde(&audit.shares), open_groups => Serde(&open), fine_groups => Serde(&fine), heads => Serde(&heads), now => now.rfc3339(),
    };
    page(&shared, staff.language, StatusCode::OK, "accounts", parts)
}
