//! How the API answers: lists with an ETag bound to who asks, errors as problem+json.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tracing::error;
use utoipa::{
    ToSchema,
    openapi::{RefOr, Response as Described, ResponseBuilder, ResponsesBuilder},
};

use crate::{domain::Scope, store::StoreError, web::complain};

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(in crate::web) struct List<T: ToSchema> {
    /// The rows.
    pub data: Vec<T>,
    /// What `cursor` continues with; null at the end.
    pub next: Option<String>,
}

/// Why there is no answer (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct Problem {
    /// Always `about:blank`: the status says what it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: String,
    /// HTTP status.
    status: u16,
    /// What happened and what would be right.
    detail: String,
}

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or_default().to_owned();
        Self { kind: "about:blank", title, status: status.as_u16(), detail: detail.into() }
    }
    pub fn wrong(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }
    pub fn missing() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is no such thing, or this token may not see it")
    }
    pub fn unknown_caller() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "send `Authorization: Bearer` with a token of `tanggap token create` that was not revoked")
    }
    pub fn too_often() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "this token asks too often: 20 times a second, 100 at once after a pause")
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        complain(&error, "a request to the API could not be answered");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer as it should; try again later")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, serde_json::to_string(&self).unwrap_or_default()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match status {
            StatusCode::UNAUTHORIZED => drop(headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            StatusCode::TOO_MANY_REQUESTS => drop(headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"))),
            _ => {}
        }
        response
    }
}

/// The refusals that every route has.
pub(in crate::web) struct Refusals;

impl utoipa::IntoResponses for Refusals {
    fn responses() -> std::collections::BTreeMap<String, RefOr<Described>> {
        let of = |status: &str, what: &str| {
            let content = utoipa::openapi::ContentBuilder::new().schema(Some(utoipa::openapi::Ref::from_schema_name("Problem"))).build();
            (status.to_owned(), ResponseBuilder::new().description(what).content("application/problem+json", content).build())
        };
        let all = [
            of("400", "A parameter or the body is wrong; `detail` names the right ones."),
            of("401", "No token, or none that holds."),
            of("403", "The token's role may not do this."),
            of("404", "There is none, or it lies outside the token's OPDs."),
            of("409", "The ticket is closed."),
            of("413", "The body is too large."),
            of("415", "The body is no JSON."),
            of("422", "The body says what can't be done."),
            of("429", "Asked too often."),
            of("503", "The database does not answer."),
        ];
        let responses = all.into_iter().fold(ResponsesBuilder::new(), |all, (status, response)| all.response(status, response));
        responses.build().into()
    }
}

/// JSON.
pub(in crate::web) fn json(value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response(),
        Err(error) => {
            error!(%error, "an answer could not be written");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the answer could not be written").into_response()
        }
    }
}

/// JSON with an ETag that holds for this scope alone; nothing but the ETag where the caller has it already.
pub(in crate::web) fn tagged(value: &impl Serialize, scope: &Scope, asked: &HeaderMap) -> Response {
    serde_json::to_string(value).map_or_else(|_| json(value), |text| tagged_text(text, scope, asked))
}

/// The same of a text that is JSON already.
pub(in crate::web) fn tagged_text(text: String, scope: &Scope, asked: &HeaderMap) -> Response {
    let mut hash = Sha256::new();
    match scope.opds() {
        None => hash.update("*"),
        Some(opds) => opds.for_each(|opd| hash.update(format!("{opd}\n"))),
    }
    hash.update("\0");
    hash.update(&text);
    let tag = format!("\"{}\"", hex::encode(&hash.finalize()[..16]));
    let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let known = known.flat_map(|value| value.split(',')).any(|it| it.trim().trim_start_matches("W/") == tag || it.trim() == "*");
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}
