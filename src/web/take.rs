//! Stores what arrives by webhook alone: reviews and comments on ads. No read can prove their threads, so that their tickets are
//! unverified until one does.

use std::collections::BTreeMap;

use super::{Joints, Shared};
use crate::{
    arrival::{self, Read, Whose},
    domain::{AccountId, Platform, Time, message::Seen},
    graph::wire::hook::Entry,
    normalize::{self, Arrivals, Context, Normalized},
    store::{StoreError, accounts, intake::Proof},
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

async fn one_account(shared: &Shared, account: AccountId, whose: Whose<'_>, entries: &[&Entry], now: Time) -> Result<(), StoreError> {
    let Joints { db, settings, metrics, judge, .. } = &shared.joints;
    let whose @ (_, spec) = whose;
    let government = arrival::government(db, settings, account, whose).await?;
    let context = Context { platform: spec.platform, account: &spec.id, government: &government, rules: &shared.rules };
    let Arrivals { mut written, changed, removed } = entries.iter().fold(Arrivals::default(), |mut all, entry| {
        let one = normalize::arrivals(&context, &spec.sources, entry);
        all.removed.extend(one.removed);
        Arrivals { written: all.written.and(one.written), changed: all.changed.and(one.changed), removed: all.removed }
    });
    let known = accounts::known(db, account, written.messages.iter().chain(&changed.messages).map(Seen::identity)).await?;
    let is_new = |message: &Seen| {
        let (object, key) = message.identity();
        !known.contains(&(object, key.to_owned()))
    };
    written.messages.retain(is_new);
    let found = written.and(changed);
    if found == Normalized::default() && removed.is_empty() {
        return Ok(());
    }
    let unread = found.messages.iter().filter(|message| is_new(message));
    let unread = unread.map(|message| Proof::Unreadable(message.thread.kind, message.thread.name.clone()));
    let proofs = unread.chain(removed.into_iter().map(|(object, id)| Proof::Removed(object, id))).collect();
    let read = Read { account, began_at: now, now, confirm_gone: settings.poll.confirm_gone, posts: Vec::new(), proofs };
    arrival::take(db, metrics, whose, read, found, "by webhook").await?;
    judge.nudge();
    Ok(())
}
