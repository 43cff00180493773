//! How what Meta showed or sent comes into the queue: stored once, counted, and said. What `poll` and `web` have in common.

use jiff::SignedDuration;
use tracing::{info, warn};

use crate::{
    domain::{
        AccountId, Time,
        message::Post,
        settings::{AccountSpec, Opd, Settings},
    },
    normalize::{Government, Normalized, Odd},
    runtime::metrics::Metrics,
    store::{
        Db, StoreError, accounts,
        intake::{self, Batch, Proof, Taken},
    },
};

/// Nothing is taken in that says it was written later than this from now.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// An account with its agency, as configured.
pub type Whose<'a> = (&'a Opd, &'a AccountSpec);

/// Who speaks for the government, as seen from an account.
pub async fn government(db: &Db, settings: &Settings, account: AccountId, whose: Whose<'_>) -> Result<Government, StoreError> {
    let (usernames, bindings) = (accounts::usernames(db).await?, accounts::bindings(db, account).await?);
    Ok(Government::of(settings, whose, &usernames, bindings))
}

/// When something was read, and what it proves besides its messages.
#[derive(Clone, Debug)]
pub struct Read {
    /// Whose.
    pub account: AccountId,
    /// When it began.
    pub began_at: Time,
    /// When it is taken in (milliseconds).
    pub now: Time,
    /// Two reads this far apart must miss a message before it counts as gone.
    pub confirm_gone: SignedDuration,
    /// Posts or media whose comments are now known in whole.
    pub posts: Vec<Post>,
    /// What it proves.
    pub proofs: Vec<Proof>,
}

/// Stores what was found, and counts and says what of it was new. `how` it came stands in the line of each new message.
pub async fn take(
    db: &Db,
    metrics: &Metrics,
    (opd, spec): Whose<'_>,
    read: Read,
    found: Normalized,
    how: &'static str,
) -> Result<Taken, StoreError> {
    let (opd, account, platform) = (opd.slug.as_str(), spec.id.as_str(), spec.platform.word());
    let Read { account: number, began_at, now, confirm_gone, posts, proofs } = read;
    let horizon = now.plus(AHEAD);
    let (messages, far): (Vec<_>, Vec<_>) = found.messages.into_iter().partition(|message| message.created_at <= horizon);
    let far = far.into_iter().map(|message| Odd { what: "its time lies in the future", id: Some(message.external_id) });
    for Odd { what, id } in found.odd.into_iter().chain(far) {
        let id = id.unwrap_or_default();
        warn!(event = "message.odd", opd, account, platform, what, id, "left out; the rest was taken");
    }
    let batch = Batch { account: number, began_at, now, confirm_gone, messages, posts, proofs, bindings: found.bindings };
    let taken = intake::take(db, &batch).await?;
    for (id, index) in &taken.received {
        let message = &batch.messages[*index];
        let (id, kind, direction) = (id.0, message.kind.word(), message.direction.word());
        let (needs_answer, urgent) = (message.needs_answer, message.urgent);
        metrics.message(platform, kind, direction);
        metrics.detection_lag(now.since(message.created_at).as_secs_f64().max(0.0));
        info!(event = "message.received", opd, account, platform, kind, direction, id, needs_answer, urgent, "{how}");
    }
    for (id, index) in &taken.edited {
        let kind = batch.messages[*index].kind.word();
        info!(event = "message.edited", opd, account, platform, kind, id = id.0, "another text than before");
    }
    for id in &taken.deleted {
        info!(event = "message.deleted", opd, account, platform, id = id.0, "gone at two reads");
    }
    Ok(taken)
}
