//! Which waiting deliveries leave together, and which wait on. Pure.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::domain::{
    Time,
    alert::{AlertKind, Channel},
};
use crate::store::outbox::{AccountFacts, Waiting};

/// Alerts in one post to Alertmanager at most (by the numbers of their deliveries).
pub(super) const POSTED_AT_ONCE: u32 = 500;

/// Deliveries whose time has come, sorted out.
#[derive(Debug, Default)]
pub struct Groups<'a> {
    /// Each is one letter: same channel, same address.
    pub ready: Vec<Vec<&'a Waiting>>,
    /// Delivery rows that wait until then.
    pub held: Vec<(i64, Time)>,
}

/// Channel and address; for webhooks also the official, and the delivery or (a backlog) the account.
type Key<'a> = (Channel, &'a str, &'a str, i64, Option<&'a AccountFacts>);

/// Mail and chat: all of an address together, unless a letter to it is younger than `spacing`; then at its end.
/// Webhooks: one call each (a backlog: one an account and official). Log: all together. Alertmanager: some hundreds together.
pub fn group(waiting: &[Waiting], spacing: SignedDuration, now: Time) -> Groups<'_> {
    let mut groups: BTreeMap<Key<'_>, Vec<&Waiting>> = BTreeMap::new();
    let mut held = Vec::new();
    for w in waiting {
        let next = w.last_letter_at.map(|at| at.plus(spacing)).filter(|&next| next > now);
        let (official, delivery, account) = match (w.channel, w.alert.kind, next) {
            (Channel::Webhook, AlertKind::Backlog, _) => (w.official.as_str(), 0, w.account.as_ref()),
            (Channel::Webhook, ..) => (w.official.as_str(), w.delivery, None),
            (Channel::Alertmanager, ..) => ("", w.delivery / i64::from(POSTED_AT_ONCE), None),
            (Channel::Log, ..) | (_, _, None) => ("", 0, None),
            (_, _, Some(next)) => {
                held.push((w.delivery, next));
                continue;
            }
        };
        groups.entry((w.channel, w.address.as_str(), official, delivery, account)).or_default().push(w);
    }
    Groups { ready: groups.into_values().collect(), held }
}
