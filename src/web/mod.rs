//! What `http.listen` serves: the board and its API for staff, Meta's webhooks and its data-deletion
//! callback, the links in letters, and whether the program lives.
//!
//! `staff` says who asks, `oidc` by the word of the site's identity provider; `board`, `ticket`, `desk` and `answer` (what staff do), `accounts`
//! and `figures` are pages, `look` is how they look; `api` is the same as JSON; `live` tells of what happens. Every one of them hands the scope of who asks to the store.

mod accounts;
mod ack;
mod answer;
mod api;
mod assets;
mod board;
mod clockline;
mod cursor;
mod deletion;
mod desk;
mod figures;
mod filter;
mod guard;
mod live;
mod look;
mod meta;
mod oidc;
pub mod secret;
mod staff;
mod status;
mod take;
mod ticket;
mod trail;

use std::sync::Arc;

pub use api::openapi;
use axum::{
    Router,
    http::StatusCode,
    middleware,
    response::{Html, IntoResponse as _, Response},
    routing::get,
};
pub use deletion::{Refused, requested};
pub use guard::is_own;
pub use meta::signed;
use minijinja::{Value, context};
pub use staff::{cookie, own_place};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};

use crate::{
    catalogue::WordsError,
    domain::{
        SharedSettings, Time,
        settings::{Language, Settings},
    },
    hours::calendar::Calendars,
    link,
    normalize::triage::Rules,
    runtime::{Nudge, SharedClock, metrics::Metrics, serve},
    store::{Db, StoreError},
};

/// What the pages are joined to.
#[derive(Clone)]
pub struct Joints {
    /// Where everything is kept.
    pub db: Db,
    /// The checked configuration.
    pub settings: SharedSettings,
    /// Time.
    pub clock: SharedClock,
    /// Counters.
    pub metrics: Metrics,
    /// Wakes the poll stage.
    pub polls: Nudge,
    /// Wakes the sla stage.
    pub judge: Nudge,
    /// Signs links in letters.
    pub links: link::Key,
    /// Ends what is told as it happens.
    pub stop: CancellationToken,
    /// Nobody has to sign in: for `demo` alone.
    pub open: bool,
}

/// What every request shares.
struct Shared {
    joints: Joints,
    rules: Rules,
    pages: ack::Pages,
    look: look::Look,
    calendars: Calendars,
    gate: staff::Gate,
    provider: Option<oidc::Provider>,
    live: live::Live,
    rates: api::Rates,
    /// Who may have a report reckoned now.
    reports: Semaphore,
    looks: deletion::Looks,
}

impl Shared {
    fn now(&self) -> Time {
        Time::from_timestamp(self.joints.clock.now())
    }

    fn settings(&self) -> &Settings {
        &self.joints.settings
    }

    /// Whether browsers reach the page by TLS.
    fn over_tls(&self) -> bool {
        self.settings().http.public_url.as_ref().is_some_and(|url| url.starts_with("https:"))
    }

    /// Name of the session's cookie. With the prefix no subdomain can set it.
    fn cookie(&self) -> &'static str {
        if self.over_tls() { "__Host-tanggap" } else { "tanggap" }
    }

    /// The page that says that the database failed, which is logged.
    fn failed(&self, language: Language, error: &StoreError) -> Response {
        complain(error, "a page could not be answered");
        page(self, language, StatusCode::SERVICE_UNAVAILABLE, "word", context! { word => "trouble" })
    }
}

/// Logs what the database refused; an outage is said once, by the stages, and not by everybody who asks meanwhile.
fn complain(error: &StoreError, what: &'static str) {
    if error.is_outage() { debug!(%error, "{what}") } else { error!(%error, "{what}") }
}

/// A page, or a bare status where a shipped text is wrong.
fn page(shared: &Shared, language: Language, status: StatusCode, name: &str, parts: Value) -> Response {
    let parts = context! { ..parts, ..context! { assets => assets::VERSION.as_str(), demo => shared.joints.open } };
    match shared.look.of(language).page(name, parts) {
        Ok(page) => (status, Html(page)).into_response(),
        Err(error) => {
            error!(%error, page = name, "a page could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Everything that is served, and what must run beside it until the stop. `/webhooks/meta` is there only with `graph.verify_token`. Fails
/// only if a shipped text is wrong.
pub fn served<R>(
    joints: Joints,
    ready: impl Fn() -> R + Clone + Send + Sync + 'static,
) -> Result<(Router, impl Future<Output = ()> + Send + 'static), WordsError>
where
    R: Future<Output = bool> + Send,
{
    let hooks = joints.settings.graph.verify_token.is_some();
    let shared = Arc::new(Shared {
        rules: Rules::new(&joints.settings.sla.auto_reply_patterns, &joints.settings.sla.urgent_keywords),
        pages: ack::Pages::new(&joints.settings)?,
        look: look::Look::new(&joints.settings)?,
        calendars: Calendars::new(&joints.settings.calendars),
        gate: staff::Gate::new(),
        provider: joints.settings.oidc.clone().map(oidc::Provider::new),
        live: live::Live::default(),
        rates: api::rates(),
        reports: Semaphore::new(1),
        looks: deletion::looks(),
        joints,
    });
    let pages = staff::router()
        .merge(oidc::router())
        .merge(board::router())
        .merge(ticket::router())
        .merge(desk::router())
        .merge(accounts::router())
        .merge(figures::router())
        .merge(trail::router())
        .merge(live::router())
        .route("/assets/{version}/{name}", get(assets::serve))
        .layer(middleware::from_fn(guard::own_pages))
        .merge(api::router())
        .merge(deletion::router(&shared.joints.settings.graph))
        .layer(middleware::from_fn(guard::arrival))
        .layer(middleware::from_fn(guard::headers));
    let mut served = serve::health(ready).merge(pages.with_state(shared.clone())).merge(ack::router().with_state(shared.clone()));
    if hooks {
        served = served.merge(meta::router().with_state(shared.clone()));
    }
    let watch = async move { live::watch(&shared).await };
    Ok((served, watch))
}
