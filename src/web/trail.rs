//! Who did what: for admins.

use std::sync::Arc;

use axum::{Router, extract::State, http::StatusCode, response::Response, routing::get};
use minijinja::{context, value::Serde};

use super::{Shared, board::Badge, page, staff::Reader};
use crate::{domain::Role, store::trail};

/// Deeds on the page.
const SHOWN: u32 = 200;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/trail", get(shown))
}

async fn shown(State(shared): State<Arc<Shared>>, Reader(staff): Reader) -> Response {
    if staff.role < Role::Admin {
        return page(&shared, staff.language, StatusCode::FORBIDDEN, "word", context! { word => "not_yours" });
    }
    match trail::deeds(&shared.joints.db, &staff.scope, shared.now().plus(jiff::SignedDuration::from_secs(1)), SHOWN).await {
        Ok(deeds) => {
            let parts = context! { staff => Serde(&Badge::of(&staff)), here => "trail", deeds => Serde(&deeds) };
            page(&shared, staff.language, StatusCode::OK, "trail", parts)
        }
        Err(error) => shared.failed(staff.language, &error),
    }
}
