//! Style and scripts. Their address holds their hash, so that a browser keeps them until they change.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use sha2::{Digest as _, Sha256};

/// htmx 4.0.1 and its extension for server-sent events, from the package htmx.org (0BSD, `assets/htmx.LICENSE`).
const FILES: [(&str, &str, &str); 4] = [
    ("tanggap.css", "text/css; charset=utf-8", include_str!("assets/tanggap.css")),
    ("report.css", "text/css; charset=utf-8", crate::report::page::STYLE),
    ("htmx.js", "text/javascript; charset=utf-8", include_str!("assets/htmx.min.js")),
    ("sse.js", "text/javascript; charset=utf-8", include_str!("assets/hx-sse.min.js")),
];

/// Hash of all of them, in their addresses.
pub(super) static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for (_, _, text) in FILES {
        hash.update(text);
    }
    hex::encode(&hash.finalize()[..8])
});

/// One of them, for a year: under another version it is another address.
pub(super) async fn serve(Path((_, name)): Path<(String, String)>) -> Response {
    let Some((_, kind, text)) = FILES.iter().find(|(known, _, _)| *known == name) else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    (headers, *text).into_response()
}
