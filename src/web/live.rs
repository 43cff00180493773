//! What happens to tickets, told as it happens (server-sent events). One look at the database a second serves everybody who listens, and
//! nobody looks where nobody listens.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::get,
};
use futures_util::stream;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{Shared, staff::Reader};
use crate::{
    domain::Scope,
    runtime::held,
    store::{
        StoreError,
        listing::{self, Happening},
    },
};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// What happened so short a time before the first look is told too: somebody may have begun to listen then.
const JUST: jiff::SignedDuration = jiff::SignedDuration::from_secs(3);
/// How many may listen at once; the server has twice as many connections.
const LISTENERS: usize = 128;
/// How many places one person or program may have.
const EACH: usize = 8;
/// What happened and a slow listener has not heard yet; one that is further behind is told to look anew.
const BACKLOG: usize = 1024;
/// PostgreSQL gives numbers out before what they number can be seen: so far back is looked again for latecomers.
const OVERLAP: i64 = 256;
/// A stream ends after this, so that whoever may listen no more is not told for long; who may comes again at once.
const STREAM: Duration = Duration::from_mins(5);
/// A proxy that hears nothing for a minute hangs up.
const ALIVE: Duration = Duration::from_secs(20);

/// Who listens.
pub(super) struct Live {
    told: broadcast::Sender<Arc<Happening>>,
    listeners: Arc<AtomicUsize>,
    /// How many places each name has.
    names: Arc<Mutex<HashMap<String, usize>>>,
}

impl Default for Live {
    fn default() -> Self {
        Self { told: broadcast::channel(BACKLOG).0, listeners: Arc::default(), names: Arc::default() }
    }
}

/// A place among those who listen.
pub(super) struct Place {
    listeners: Arc<AtomicUsize>,
    names: Arc<Mutex<HashMap<String, usize>>>,
    name: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.listeners.fetch_sub(1, Ordering::Relaxed);
        let mut names = held(&self.names);
        match names.get_mut(&self.name) {
            Some(places) if *places > 1 => *places -= 1,
            _ => drop(names.remove(&self.name)),
        }
    }
}

/// What a listener hears.
pub(super) enum Heard {
    /// Something happened.
    Happened(Arc<Happening>),
    /// Too much to tell.
    Missed,
}

impl Live {
    /// A place for somebody; `None` if all are taken, or all that one may have.
    pub fn listen(&self, name: &str) -> Option<(Place, broadcast::Receiver<Arc<Happening>>)> {
        let own = {
            let mut names = held(&self.names);
            let places = names.entry(name.to_owned()).or_default();
            *places += 1;
            *places
        };
        let taken = self.listeners.fetch_add(1, Ordering::Relaxed);
        let place = Place { listeners: self.listeners.clone(), names: self.names.clone(), name: name.to_owned() };
        (taken < LISTENERS && own <= EACH).then(|| (place, self.told.subscribe()))
    }
}

/// Tells what happens until the stop.
pub(super) async fn watch(shared: &Shared) {
    let (live, stop) = (&shared.live, &shared.joints.stop);
    let db = &shared.joints.db;
    let (mut last, mut seen): (Option<i64>, BTreeSet<i64>) = (None, BTreeSet::new());
    while stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
        if live.listeners.load(Ordering::Relaxed) == 0 {
            last = None;
            continue;
        }
        let look = async {
            let after = match last {
                Some(last) => last,
                None => listing::happenings(db, &Scope::ALL, None).await?.first().map_or(0, |newest| newest.id),
            };
            Ok::<_, StoreError>((after, listing::happenings(db, &Scope::ALL, Some(after - OVERLAP)).await?))
        };
        match look.await {
            Ok((after, found)) => {
                for happening in found {
                    // What stands there at the beginning happened before anybody listened, but for the last moments.
                    let fresh = seen.insert(happening.id) && (last.is_some() || happening.at > shared.now().minus(JUST));
                    if fresh {
                        let _ = live.told.send(Arc::new(happening)); // nobody listens any more
                    }
                }
                let newest = seen.last().copied().unwrap_or(0).max(after);
                seen = seen.split_off(&(newest - OVERLAP));
                last = Some(newest);
            }
            // An outage is said once, by the stages.
            Err(error) if error.is_outage() => debug!(%error, "what happens can't be told just now"),
            Err(error) => warn!(%error, "what happens can't be told just now"),
        }
    }
}

/// Events for one listener, until it leaves or the program stops.
pub(super) fn told(
    (place, receiver): (Place, broadcast::Receiver<Arc<Happening>>),
    stop: CancellationToken,
    before: Vec<Event>,
    mut event: impl FnMut(Heard) -> Option<Event> + Send + 'static,
) -> Response {
    let end = tokio::time::Instant::now() + STREAM;
    let start = (before.into_iter().collect::<VecDeque<_>>(), receiver, place, stop);
    let events =
        stream::unfold((start, move |heard| event(heard)), move |((mut before, mut receiver, place, stop), mut event)| async move {
            loop {
                if let Some(first) = before.pop_front() {
                    return Some((Ok::<_, Infallible>(first), ((before, receiver, place, stop), event)));
                }
                let heard = match tokio::time::timeout_at(end, stop.run_until_cancelled(receiver.recv())).await.ok()?? {
                    Ok(happening) => Heard::Happened(happening),
                    Err(broadcast::error::RecvError::Lagged(_)) => Heard::Missed,
                    Err(broadcast::error::RecvError::Closed) => return None,
                };
                if let Some(said) = event(heard) {
                    return Some((Ok(said), ((before, receiver, place, stop), event)));
                }
            }
        });
    Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response()
}

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/live", get(live))
}

/// For the board: only that something changed, so that it looks anew.
async fn live(State(shared): State<Arc<Shared>>, Reader(staff): Reader) -> Response {
    let by = staff.by.clone();
    let changed = move |heard| match heard {
        Heard::Happened(happening) if !staff.scope.holds(&happening.opd) => None,
        _ => Some(Event::default().event("changed").data("")),
    };
    match shared.live.listen(&by) {
        Some(place) => told(place, shared.joints.stop.clone(), Vec::new(), changed),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
