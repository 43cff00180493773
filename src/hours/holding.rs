//! How long each OPD held a ticket: the citizen's waiting time cut where it was handed over, so that each agency's minutes count apart and
//! together are the whole.

use super::worktime::Worktime;
use crate::domain::{Time, time::rfc3339};

/// A span in which one OPD had to answer.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Holding {
    /// Its slug.
    pub opd: String,
    /// From when: the ticket's opening, or the handover.
    #[serde(with = "rfc3339")]
    pub from: Time,
    /// Until when: the handover to the next, or the ticket's end; `None` while it holds it.
    #[serde(with = "rfc3339::option")]
    pub until: Option<Time>,
    /// Seconds of the clock in it; so far, while it holds it.
    pub seconds: i64,
    /// Seconds of them on the ticket's calendar.
    pub business_seconds: i64,
}

/// Who held a ticket of `own_opd`, in order, without gaps: from its opening until it `ended_at`, else until `now`. `handovers`: when it was
/// handed over to which OPD, in any order; one to its holder changes nothing, one before the opening or after the end counts for no time.
pub fn holdings(
    opened_at: Time,
    ended_at: Option<Time>,
    now: Time,
    own_opd: &str,
    handovers: &[(Time, String)],
    worktime: &Worktime,
) -> Vec<Holding> {
    let end = ended_at.unwrap_or(now).max(opened_at);
    let mut handovers: Vec<_> = handovers.iter().filter(|(at, _)| ended_at.is_none_or(|ended| *at < ended)).collect();
    handovers.sort_by_key(|(at, _)| *at);
    let mut holders = vec![(opened_at, own_opd)];
    for (at, opd) in handovers {
        let at = (*at).clamp(opened_at, end);
        match holders.last_mut() {
            Some((_, holder)) if holder == opd => {}
            Some((from, holder)) if *from == at => *holder = opd,
            _ => holders.push((at, opd)),
        }
    }
    holders.dedup_by(|next, before| next.1 == before.1);
    let untils = holders.iter().skip(1).map(|(at, _)| Some(*at)).chain([ended_at.map(|_| end)]);
    let spans = holders.iter().zip(untils).map(|(&(from, opd), until)| {
        let to = until.unwrap_or(end);
        Holding { opd: opd.to_owned(), from, until, seconds: to.secs() - from.secs(), business_seconds: worktime.worked(from, to) }
    });
    spans.collect()
}
