//! Stores what arrives by webhook alone: reviews and comments on ads. No read can prove their threads, so that their tickets are
//! unverified until one does.

use std::collections::{BTreeMap, HashSet};

use jiff::SignedDuration;
use tracing::{info, warn};

use super::Shared;
use crate::{
    domain::{
        AccountId, Object, Platform, Time,
        message::{Seen, key_of},
        settings::{AccountSpec, Opd},
    },
    graph::wire::hook::Entry,
    normalize::{self, Arrivals, Context, Government, Normalized},
    store::{
        Db, StoreError, accounts,
        intake::{self, Batch, Proof},
    },
};

/// Takes in what these entries bring, one batch an account.
pub(super) async fn arrivals<'a>(
    shared: &Shared,
    platform: Platform,
    entries: impl Iterator<Item = &'a Entry>,
    now: Time,
) -> Result<(), StoreError> {
    let mut by_account: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries.filter(|entry| entry.changes().next().is_some()) {
        by_account.entry(entry.id.as_deref().unwrap_or_default()).or_default().push(entry);
    }
    for (id, entries) in by_account {
        let settings = &shared.joints.settings;
        let configured = settings.accounts().find(|(_, spec)| spec.platform == platform && spec.id == id);
        let (Some(whose), Some(account)) = (configured, accounts::number(&shared.joints.db, platform, id).await?) else { continue };
        one_account(shared, account, whose, &entries, now).await?;
    }
    Ok(())
}

async fn one_account(
    shared: &Shared,
    account: AccountId,
    (opd, spec): (&Opd, &AccountSpec),
    entries: &[&Entry],
    now: Time,
) -> Result<(), StoreError> {
    let db = &shared.joints.db;
    let (usernames, bindings) = (accounts::usernames(db).await?, accounts::bindings(db, account).await?);
    let government = Government::of(&shared.joints.settings, (opd, spec), &usernames, bindings);
    let context = Context { platform: spec.platform, account: &spec.id, government: &government, rules: &shared.rules };
    let Arrivals { mut written, changed } = entries.iter().fold(Arrivals::default(), |all, entry| {
        let one = normalize::arrivals(&context, &spec.sources, entry);
        Arrivals { written: all.written.and(one.written), changed: all.changed.and(one.changed) }
    });
    let known = known(db, account, written.messages.iter().chain(&changed.messages)).await?;
    let is_new = |message: &Seen| !known.contains(&(message.object, key_of(&message.external_id).to_owned()));
    written.messages.retain(is_new);
    let found = written.and(changed);
    if found == Normalized::default() {
        return Ok(());
    }
    let horizon = now.plus(SignedDuration::from_hours(24));
    let (messages, far): (Vec<Seen>, Vec<Seen>) = found.messages.into_iter().partition(|message| message.created_at <= horizon);
    let (opd, id, platform) = (opd.slug.as_str(), spec.id.as_str(), spec.platform.word());
    let far = far.iter().map(|message| ("its time lies in the future", Some(message.external_id.as_str())));
    for (what, odd) in found.odd.iter().map(|odd| (odd.what, odd.id.as_deref())).chain(far) {
        warn!(event = "message.odd", opd, account = id, platform, what, id = odd.unwrap_or_default(), "left out; the rest was taken");
    }
    let unread = messages.iter().filter(|message| is_new(message));
    let proofs = unread.map(|message| Proof::Unreadable(message.thread.kind, message.thread.name.clone())).collect();
    let confirm_gone = shared.joints.settings.poll.confirm_gone;
    let batch = Batch { account, began_at: now, now, confirm_gone, messages, posts: Vec::new(), proofs, bindings: found.bindings };
    let taken = intake::take(db, &batch).await?;
    for (number, index) in &taken.received {
        let message = &batch.messages[*index];
        let (kind, direction) = (message.kind.word(), message.direction.word());
        shared.joints.metrics.message(platform, kind, direction);
        shared.joints.metrics.detection_lag(now.since(message.created_at).as_secs_f64().max(0.0));
        let (needs_answer, urgent) = (message.needs_answer, message.urgent);
        info!(event = "message.received", opd, account = id, platform, kind, direction, id = number.0, needs_answer, urgent, "by webhook");
    }
    for (number, index) in &taken.edited {
        let kind = batch.messages[*index].kind.word();
        info!(event = "message.edited", opd, account = id, platform, kind, id = number.0, "another text than before");
    }
    shared.joints.judge.nudge();
    Ok(())
}

async fn known<'a>(
    db: &Db,
    account: AccountId,
    messages: impl Iterator<Item = &'a Seen> + Clone,
) -> Result<HashSet<(Object, String)>, StoreError> {
    let mut known = HashSet::new();
    for object in [Object::Comment, Object::Review] {
        let ids: Vec<&str> =
            messages.clone().filter(|message| message.object == object).map(|message| message.external_id.as_str()).collect();
        known.extend(accounts::known(db, account, object, &ids).await?.into_iter().map(|key| (object, key)));
    }
    Ok(known)
}
