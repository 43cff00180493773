//! The report: who answers and who doesn't. Every OPD's figures stand in it, and single tickets of the reader's own OPDs only.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{RawQuery, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use jiff::civil::Date;
use minijinja::{context, value::Serde};
use serde::Deserialize;
use tracing::error;
use utoipa::IntoParams;

use super::{
    Shared,
    board::Badge,
    filter, page,
    staff::{Reader, Staff},
};
use crate::{
    domain::{
        Scope, Time,
        settings::{Settings, Site},
    },
    report::{self, Ask, By, Report},
    store::{StoreError, figures::figures, trail},
};

/// Days of the usual report.
const DAYS: u16 = 30;
/// How long a report waits for those before it.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest period.
const DAYS_MAX: i32 = 2 * 366;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/report", get(shown))
}

/// What a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    Html,
    Json,
}

/// Of which days, and by what.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct Period {
    /// The first day, such as 2026-11-01 [default: 30 days in all].
    #[param(format = Date)]
    from: Option<String>,
    /// The last day [default: today].
    #[param(format = Date)]
    to: Option<String>,
    /// By what the groups are made: opd, account, policy, platform, or day.
    by: Option<String>,
    /// What it is written as; for the page only.
    #[param(ignore)]
    format: Option<Form>,
}

impl Period {
    /// First and last day and the kind of group, or what is wrong with them.
    pub fn settled(&self, settings: &Settings, now: Time) -> Result<Settled, String> {
        let day = |name: &str, text: &Option<String>| {
            let read = |text: &String| text.parse::<Date>().map_err(|_| format!("{name}: {text:?} is no day; write it like 2026-11-24"));
            text.as_ref().map(read).transpose()
        };
        let (from, to) = (day("from", &self.from)?, day("to", &self.to)?);
        let (usual_from, today) = report::last_days(DAYS, now, &settings.site.timezone);
        let to = to.unwrap_or(today);
        let from = from.unwrap_or_else(|| if to == today { usual_from } else { report::days_until(to, DAYS) });
        let days = (to - from).get_days();
        if days < 0 {
            return Err(format!("from: {from} lies after {to}"));
        }
        if days > DAYS_MAX {
            return Err(format!("from: a report has at most {DAYS_MAX} days"));
        }
        let by = match &self.by {
            None => By::Opd,
            Some(word) => By::from_word(word).ok_or_else(|| {
                let all = By::ALL.iter().map(|by| by.word()).collect::<Vec<_>>().join(", ");
                format!("by: there is no {word:?}, there are {all}")
            })?,
        };
        Ok((from, to, by))
    }
}

/// First and last day, and the kind of group.
type Settled = (Date, Date, By);

/// Why there is no report.
pub(super) enum Refused {
    /// Others are being reckoned.
    Busy,
    Wrong(String),
    Store(StoreError),
    /// A shipped text is wrong, or the reckoning failed.
    Broken(String),
}

/// The report in the reader's language. Reckoned beside the other answers, one at a time: a year takes a while, and memory.
pub(super) async fn reckoned(shared: &Arc<Shared>, staff: &Staff, (from, to, by): Settled, write: Write) -> Result<String, Refused> {
    let turn = tokio::time::timeout(PATIENCE, shared.reports.acquire()).await;
    let Ok(Ok(_turn)) = turn else { return Err(Refused::Busy) };
    let now = shared.now();
    let span = report::span(from, to, &shared.settings().site.timezone);
    let figures = figures(&shared.joints.db, span, &Scope::ALL, now).await.map_err(Refused::Store)?;
    let site = Site { language: staff.language, ..shared.settings().site.clone() };
    let settings = Settings { site, ..shared.settings().clone() };
    let (shared, scope) = (shared.clone(), staff.scope.clone());
    let reckoned = tokio::task::spawn_blocking(move || {
        let ask = Ask { from, to, by, scope: &scope };
        let report = report::report(&figures, &settings, &shared.calendars, ask, now).map_err(|error| error.to_string())?;
        write(&report, &settings.site)
    });
    let reckoned = reckoned.await.map_err(|error| Refused::Broken(error.to_string()))?;
    reckoned.map_err(Refused::Broken)
}

/// How a report is written.
type Write = fn(&Report, &Site) -> Result<String, String>;

/// As the API has it.
pub(super) fn json(report: &Report, _: &Site) -> Result<String, String> {
    serde_json::to_string(report).map_err(|error| error.to_string())
}

async fn shown(State(shared): State<Arc<Shared>>, Reader(staff): Reader, RawQuery(query): RawQuery) -> Response {
    match written(&shared, &staff, query.as_deref()).await {
        Ok(response) => response,
        Err(Refused::Wrong(wrong)) => {
            page(&shared, staff.language, StatusCode::BAD_REQUEST, "word", context! { word => "filter", detail => wrong })
        }
        Err(Refused::Store(error)) => shared.failed(staff.language, &error),
        Err(Refused::Busy) => page(&shared, staff.language, StatusCode::SERVICE_UNAVAILABLE, "word", context! { word => "busy" }),
        Err(Refused::Broken(error)) => {
            error!(error, "the report could not be written");
            page(&shared, staff.language, StatusCode::INTERNAL_SERVER_ERROR, "word", context! { word => "trouble" })
        }
    }
}

async fn written(shared: &Arc<Shared>, staff: &Staff, query: Option<&str>) -> Result<Response, Refused> {
    let period: Period = filter::of_form(query).map_err(Refused::Wrong)?;
    let settled @ (from, to, by) = period.settled(shared.settings(), shared.now()).map_err(Refused::Wrong)?;
    if let Some(form) = period.format {
        let what = format!("{from} {to} {form:?}");
        trail::add(&shared.joints.db, &staff.by, "report.exported", &what, shared.now()).await.map_err(Refused::Store)?;
    }
    let fragment: Write = |report, site| report::page::fragment(report, site).map_err(|error| error.to_string());
    let whole: Write = |report, site| report::page::page(report, site).map_err(|error| error.to_string());
    let (kind, ending, write) = match period.format {
        None => {
            let parts = context! {
                staff => Serde(&Badge::of(staff)), here => "report", fragment => reckoned(shared, staff, settled, fragment).await?,
                from => from.to_string(), to => to.to_string(), by => by.word(),
                bys => By::ALL.iter().map(|by| by.word()).collect::<Vec<_>>(),
            };
            return Ok(page(shared, staff.language, StatusCode::OK, "report", parts));
        }
        Some(Form::Html) => ("text/html; charset=utf-8", "html", whole),
        Some(Form::Json) => ("application/json", "json", json as Write),
    };
    let text = reckoned(shared, staff, settled, write).await?;
    let name = format!("attachment; filename=\"tanggap-{from}-{to}.{ending}\"");
    let name = HeaderValue::from_str(&name).map_err(|error| Refused::Broken(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CONTENT_DISPOSITION, name)], text).into_response())
}
