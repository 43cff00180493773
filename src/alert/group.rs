//! Which waiting deliveries leave together, and which wait on. Pure.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::domain::{
    Time,
    alert::{AlertKind, Channel, Held},
};
use crate::store::outbox::{AccountFacts, Waiting};

/// Alerts in one post to Alertmanager at most (by the numbers of their deliveries).
pub(super) const POSTED_AT_ONCE: u32 = 500;

/// Deliveries whose time has come, sorted out.
#[derive(Debug, Default)]
pub struct Groups<'a> {
    /// Each is one letter: same channel, same address.
    pub ready: Vec<Vec<&'a Waiting>>,
    /// Delivery rows that wait until then, and for what.
    pub held: Vec<(i64, Time, Held)>,
}

/// Channel and address; for webhooks also the official, and the delivery or (a backlog) the account.
type Key<'a> = (Channel, &'a str, &'a str, i64, Option<&'a AccountFacts>);

/// How far back the cap and a storm look.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Mail and chat: all of an address together, unless a letter to it is younger than `spacing` (or than the channel's own pace), then at its
/// end; unless as many letters as the cap allows left within the hour, then when the first of them is an hour old, urgent tickets aside;
/// unless three letters within the hour told of urgent tickets under the same post, then when the first of those is an hour old. A sheet is
/// a letter of its own and waits for nothing. Webhooks: one call each (a backlog: one an account and official). Log: all together.
/// Alertmanager: some hundreds together.
pub fn group(waiting: &[Waiting], spacing: SignedDuration, now: Time) -> Groups<'_> {
    let mut groups: BTreeMap<Key<'_>, Vec<&Waiting>> = BTreeMap::new();
    let mut held = Vec::new();
    for w in waiting {
        let urgent = w.ticket.as_ref().is_some_and(|ticket| ticket.urgent);
        let spacing = w.channel.pace().map_or(spacing, |pace| pace.max(spacing));
        let waits = [
            (w.last_letter_at.map(|at| at.plus(spacing)), Held::Group),
            (w.crowded_at.filter(|_| !urgent).map(|at| at.plus(HOUR)), Held::Cap),
            (w.storm_at.map(|at| at.plus(HOUR)), Held::Storm),
        ];
        let next = waits.into_iter().filter_map(|(until, why)| Some((until?, why))).filter(|&(until, _)| until > now).max();
        let (official, delivery, account) = match (w.channel, w.alert.kind, next) {
            (Channel::Webhook, AlertKind::Backlog, _) => (w.official.as_str(), 0, w.account.as_ref()),
            (Channel::Webhook, ..) => (w.official.as_str(), w.delivery, None),
            (Channel::Alertmanager, ..) => ("", w.delivery / i64::from(POSTED_AT_ONCE), None),
            (_, kind, _) if kind.is_sheet() => (w.official.as_str(), w.delivery, None),
            (Channel::Log, ..) | (_, _, None) => ("", 0, None),
            (_, _, Some((until, why))) => {
                held.push((w.delivery, until, why));
                continue;
            }
        };
        groups.entry((w.channel, w.address.as_str(), official, delivery, account)).or_default().push(w);
    }
    Groups { ready: groups.into_values().collect(), held }
}
