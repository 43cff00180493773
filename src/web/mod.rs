//! What `http.listen` serves: Meta's webhooks, and whether the program lives.

mod meta;
mod status;
mod take;

use std::sync::Arc;

use axum::Router;
pub use meta::signed;

use crate::{
    domain::SharedSettings,
    normalize::triage::Rules,
    runtime::{Nudge, SharedClock, metrics::Metrics, serve},
    store::Db,
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
}

/// What every request shares.
struct Shared {
    joints: Joints,
    rules: Rules,
}

/// Everything that is served. `/webhooks/meta` is there only with `graph.verify_token`.
pub fn router<R>(joints: Joints, ready: impl Fn() -> R + Clone + Send + Sync + 'static) -> Router
where
    R: Future<Output = bool> + Send,
{
    let hooks = joints.settings.graph.verify_token.is_some();
    let rules = Rules::new(&joints.settings.sla.auto_reply_patterns, &joints.settings.sla.urgent_keywords);
    let shared = Arc::new(Shared { joints, rules });
    let health = serve::health(ready);
    if hooks { health.merge(meta::router().with_state(shared)) } else { health }
}
