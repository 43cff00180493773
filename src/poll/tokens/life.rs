//! A token's life as the account's poll tends it: examined daily, refreshed weekly, its end told in good time.

use std::sync::PoisonError;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::{Fault, expires_at, fingerprint, judge, judge::mark};
use crate::{
    domain::{Time, settings::AccountSpec},
    graph::{Access, Host, debug, instagram, wire::account},
    poll::pass::{Pass, PassError},
    store::tokens::{self, Kept},
};

/// How often a token is examined, and how soon a failed refresh is tried again.
const DAILY: SignedDuration = SignedDuration::from_hours(24);
/// How soon Meta is asked about a token again that it could not tell of.
const HOURLY: SignedDuration = SignedDuration::from_hours(1);
/// How old a refreshed token grows before the next refresh.
const WEEKLY: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long a refreshed token lives where Meta does not say ("Refresh a long-lived token", Instagram Platform).
const LIFE: SignedDuration = SignedDuration::from_hours(60 * 24);

/// What poll remembers of an account's token.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Memo {
    /// Fingerprint of the token all this is about.
    of: String,
    seen_at: Option<Time>,
    /// Meta is asked about it, or it is refreshed, no sooner than this.
    again_at: Option<Time>,
    /// When it ends, by the nearer of both clocks.
    pub expires_at: Option<Time>,
    /// The mark (days left) that `operator` was told of last.
    said: Option<i64>,
}

/// Does for an account's token what is due. Permissions that are missing stop no other source: they come back for the report.
pub async fn tend(pass: &Pass<'_>, memo: &mut Memo) -> Result<Option<PassError>, PassError> {
    let now = pass.now();
    let of = fingerprint(&pass.held.access.token);
    if memo.of != of {
        *memo = Memo { of, seen_at: Some(now), ..Memo::default() };
    }
    match pass.held.access.host {
        Host::Facebook => examine(pass, memo, now).await,
        Host::Instagram => refresh(pass, memo, now).await.map(|()| None),
    }
}

async fn examine(pass: &Pass<'_>, memo: &mut Memo, now: Time) -> Result<Option<PassError>, PassError> {
    let (Some(id), Some(secret)) = (&pass.held.app.id, &pass.held.app.secret) else { return Ok(None) };
    if memo.again_at.is_some_and(|at| now < at) {
        return Ok(None);
    }
    let request = debug::token(&pass.held.access.token);
    let token = match pass.get_as::<account::Debugged>(&Access::app(id, secret), &request).await {
        Ok(answer) => answer.data,
        Err(failed) => {
            warn!(event = "poll.failed", opd = pass.opd.slug, account = pass.spec.id, error = %failed, "Meta does not tell of the account's token: is graph.app_secret right?");
            memo.again_at = Some(now.plus(HOURLY));
            return Ok(None);
        }
    };
    memo.expires_at = expires_at(&token);
    // One at fault is examined at every poll, so that the account recovers as soon as it is mended.
    memo.again_at = None;
    let verdict = judge(pass.spec, &token, now);
    let good = matches!(verdict, Ok(()) | Err(Fault::Lacks(_)));
    pass.tools.tokens.judged.lock().unwrap_or_else(PoisonError::into_inner).insert(memo.of.clone(), good);
    match verdict {
        Ok(()) => {
            memo.again_at = Some(now.plus(DAILY));
            Ok(None)
        }
        Err(lacks @ Fault::Lacks(_)) => Ok(Some(lacks.into())),
        Err(fault) => Err(fault.into()),
    }
}

/// Before reads outside the account's poll: an empty list that a token of the wrong kind brings would pass for messages that are gone.
pub async fn trust(pass: &Pass<'_>) -> Result<(), PassError> {
    let of = fingerprint(&pass.held.access.token);
    let judged = pass.tools.tokens.judged.lock().unwrap_or_else(PoisonError::into_inner).get(&of).copied();
    match judged {
        None if pass.held.access.host == Host::Facebook => examine(pass, &mut Memo { of, ..Memo::default() }, pass.now()).await.map(|_| ()),
        Some(false) => Err(Fault::Known.into()),
        _ => Ok(()),
    }
}

/// A token of whose age nothing is known is refreshed a day after it was first seen (Meta refuses younger ones), since it may be near
/// its end; a refreshed one when it is a week old.
async fn refresh(pass: &Pass<'_>, memo: &mut Memo, now: Time) -> Result<(), PassError> {
    let held = &pass.held;
    memo.expires_at = held.refreshed.map(|(_, expires_at)| expires_at);
    let due = match held.refreshed {
        Some((issued_at, _)) => Some(issued_at.plus(WEEKLY)),
        None => memo.seen_at.map(|at| at.plus(DAILY)),
    };
    let Some(seal) = pass.tools.tokens.seal.as_ref().filter(|_| due.max(memo.again_at).is_some_and(|at| now >= at)) else { return Ok(()) };
    memo.again_at = Some(now.plus(DAILY));
    let (opd, account) = (pass.opd.slug.as_str(), pass.spec.id.as_str());
    let answer = pass.get::<account::Refreshed>(&instagram::refresh()).await;
    let sealed = answer.as_ref().ok().and_then(|new| seal.seal(account, new.access_token.as_ref()?));
    let (Ok(new), Some(sealed)) = (&answer, sealed) else {
        let error = answer.err().map_or_else(|| "the answer holds no token".to_owned(), |error| error.to_string());
        warn!(event = "token.unrefreshed", opd, account, error, "the Instagram token could not be refreshed; tried again in a day");
        return Ok(());
    };
    let life = new.expires_in.filter(|seconds| *seconds > 0).map_or(LIFE, |seconds| SignedDuration::from_secs(seconds.min(LIFE.as_secs())));
    let expires_at = now.plus(life);
    tokens::keep(&pass.tools.db, pass.account, &Kept { sealed, origin: held.origin.clone(), issued_at: now, expires_at }).await?;
    memo.expires_at = Some(expires_at);
    info!(event = "token.refreshed", opd, account, expires_at = expires_at.rfc3339(), "the Instagram token was refreshed");
    Ok(())
}

/// Whether `operator` is to be told now that the account's token ends soon.
pub fn expiring(memo: &mut Memo, opd: &str, spec: &AccountSpec, now: Time) -> bool {
    let Some(ends) = memo.expires_at else { return false };
    let (reached, tell) = mark(memo.said, ends.since(now));
    memo.said = reached;
    if tell {
        let (account, platform, days) = (spec.id.as_str(), spec.platform.word(), ends.since(now).as_hours().div_euclid(24));
        warn!(
            event = "token.expiring",
            opd,
            account,
            platform,
            days,
            expires_at = ends.rfc3339(),
            "this account's token ends soon: make a new one"
        );
    }
    tell
}
