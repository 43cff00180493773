//! What WhatsApp says of messages after it took them. It is only kept; the alert stage draws the conclusions.

use std::collections::BTreeMap;

use super::Shared;
use crate::{
    domain::{Time, alert::Status},
    graph::wire::hook::{self, Entry},
    store::{
        StoreError,
        outbox::{self, Report},
    },
};

/// The longest key and id that are looked for; ours, and WhatsApp's, are shorter.
const TEXT_MAX: usize = 256;

/// Keeps what these entries say of letters of ours.
pub(super) async fn keep<'a>(shared: &Shared, entries: impl Iterator<Item = &'a Entry>, now: Time) -> Result<(), StoreError> {
    let statuses = entries.flat_map(Entry::changes).filter_map(|(_, value)| value.statuses.as_ref()).flat_map(|list| &list.data);
    // Of a thousand at once most are of the same few letters: only the furthest of each message is written.
    let mut furthest: BTreeMap<(String, String), Report> = BTreeMap::new();
    for report in statuses.filter_map(|status| read(status, now)) {
        let kept = furthest.entry((report.key.clone(), report.provider_id.clone())).or_insert_with(|| report.clone());
        if report.status > kept.status {
            *kept = report;
        }
    }
    outbox::report(&shared.joints.db, &furthest.into_values().collect::<Vec<_>>()).await?;
    Ok(())
}

/// What a status says; `None` of one that is not about a letter, or says nothing that matters.
fn read(status: &hook::Status, now: Time) -> Option<Report> {
    let key = status.biz_opaque_callback_data.clone().filter(|key| key.len() <= TEXT_MAX)?;
    let code = status.errors.iter().flat_map(|list| &list.data).find_map(|fault| fault.code);
    Some(Report {
        key,
        provider_id: status.id.clone().filter(|id| id.len() <= TEXT_MAX).unwrap_or_default(),
        status: Status::from_word(&status.status)?,
        at: status.timestamp.map_or(now, |secs| Time::from_secs(secs.clamp(0, now.secs()))),
        code,
    })
}
