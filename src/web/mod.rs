//! What `http.listen` serves: Meta's webhooks, the links in letters, and whether the program lives.

mod ack;
mod meta;
mod status;
mod take;

use std::sync::Arc;

use axum::Router;
pub use meta::signed;

use crate::{
    catalogue::WordsError,
    domain::SharedSettings,
    link,
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
    /// Signs links in letters.
    pub links: link::Key,
}

/// What every request shares.
struct Shared {
    joints: Joints,
    rules: Rules,
    pages: ack::Pages,
}

/// Everything that is served. `/webhooks/meta` is there only with `graph.verify_token`. Fails only if a shipped text is wrong.
pub fn router<R>(joints: Joints, ready: impl Fn() -> R + Clone + Send + Sync + 'static) -> Result<Router, WordsError>
where
    R: Future<Output = bool> + Send,
{
    let hooks = joints.settings.graph.verify_token.is_some();
    let rules = Rules::new(&joints.settings.sla.auto_reply_patterns, &joints.settings.sla.urgent_keywords);
    let pages = ack::Pages::new(&joints.settings)?;
    let shared = Arc::new(Shared { joints, rules, pages });
    let served = serve::health(ready).merge(ack::router().with_state(shared.clone()));
    Ok(if hooks { served.merge(meta::router().with_state(shared)) } else { served })
}
