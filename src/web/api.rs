//! `/api/v1`: what the pages show as JSON, for programs with a bearer token. `openapi.json` is made out of this code.
//!
//! Lists are `{"data": […], "next": cursor or null}` with an ETag; errors are problem+json (RFC 9457).

mod answer;
mod events;
mod tickets;
#[allow(unused_qualifications)] // what the macro writes
mod views;

use std::{num::NonZeroU32, sync::Arc};

pub(super) use answer::Problem;
use axum::{
    Router,
    extract::{FromRequestParts, State},
    http::{StatusCode, header, request::Parts},
    response::Response,
    routing::get,
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Shared, secret,
    staff::{Staff, language},
};
use crate::store::people;

/// Requests a second that a token may make, and how many at once after a pause.
const RATE: NonZeroU32 = NonZeroU32::new(20).unwrap();
const BURST: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// How often each program asked lately.
pub(super) type Rates = DefaultKeyedRateLimiter<String>;

pub(super) fn rates() -> Rates {
    RateLimiter::keyed(Quota::per_second(RATE).allow_burst(BURST))
}

#[derive(OpenApi)]
#[openapi(
    info(title = "tanggap", description = "Tickets, messages and accounts of a government's Facebook Pages and Instagram accounts."),
    components(schemas(Problem)),
    modifiers(&Bearer),
    security(("bearer" = []))
)]
struct Doc;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, doc: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("Made by `tanggap token create`.")).build();
        doc.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

fn routed() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::with_openapi(Doc::openapi())
        .routes(routes!(tickets::list))
        .routes(routes!(tickets::one))
        .routes(routes!(tickets::evidence))
        .routes(routes!(tickets::reply))
        .routes(routes!(tickets::act))
        .routes(routes!(views::report))
        .routes(routes!(views::messages))
        .routes(routes!(views::accounts))
        .routes(routes!(views::counts))
        .routes(routes!(views::trail))
        .routes(routes!(views::me))
        .routes(routes!(events::events))
}

/// The description of the API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    routed().split_for_parts().1
}

pub(super) fn router() -> Router<Arc<Shared>> {
    let (router, _) = routed().split_for_parts();
    router
        .route("/api/v1/openapi.json", get(described))
        .route("/api/{*rest}", get(unknown).post(unknown).put(unknown).delete(unknown))
        .method_not_allowed_fallback(not_so)
}

async fn described(Caller(_): Caller) -> Response {
    answer::json(&openapi())
}

async fn not_so(Caller(_): Caller) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this is asked or sent otherwise; /api/v1/openapi.json describes how")
}

async fn unknown(Caller(_): Caller) -> Problem {
    Problem::missing()
}

/// A program with its token.
pub(super) struct Caller(pub Staff);

impl FromRequestParts<Arc<Shared>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        let language = language(shared, &parts.headers);
        let sent = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = sent.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let Some((_, token)) = token else {
            return if shared.joints.open { Ok(Self(Staff::everybody(language))) } else { Err(Problem::unknown_caller()) };
        };
        let program = people::program(&shared.joints.db, &secret::fingerprint(token.trim()), shared.now()).await?;
        let program = program.ok_or_else(Problem::unknown_caller)?;
        if shared.rates.check_key(&program.name).is_err() {
            return Err(Problem::too_often());
        }
        if shared.rates.len() > 10_000 {
            shared.rates.retain_recent();
        }
        let (role, scope) = (program.role, program.scope);
        Ok(Self(Staff { by: format!("token {}", program.name), role, scope, language, session: None }))
    }
}

/// What every handler is given.
type Shop = State<Arc<Shared>>;
