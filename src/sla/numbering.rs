//! Which episode is which ticket (semantics.md, "So order of arrival does not matter"): a ticket keeps its number when an earlier
//! message turns up; on a split the earlier part keeps it; on a merge the lower number stays and the other is withdrawn.

use std::collections::{BTreeMap, BTreeSet};

use super::tickets::Episode;
use crate::domain::{TicketId, TicketState, ticket::Ticket, view::ThreadView};

/// An episode with the ticket it is, if it is one already.
pub struct Numbered<'a> {
    /// The episode.
    pub episode: Episode,
    /// Its ticket so far; `None`: a new number.
    pub old: Option<&'a Ticket>,
    /// The ticket it was part of before a split.
    pub split_from: Option<&'a Ticket>,
}

/// Every episode numbered, and the tickets of which none is left, each with the reason.
pub struct Numbering<'a> {
    /// In the order in which they opened.
    pub episodes: Vec<Numbered<'a>>,
    /// Merged away, or nothing of them is left.
    pub left: Vec<(&'a Ticket, String)>,
}

/// Numbers the episodes of a thread.
pub fn number(view: &ThreadView, episodes: Vec<Episode>) -> Numbering<'_> {
    let ticket = |id: &TicketId| view.tickets.iter().find(|ticket| ticket.id == *id);
    let held = |episode: &Episode| episode.members.iter().filter_map(|m| view.members.get(m)).copied().collect::<BTreeSet<_>>();
    let holds: Vec<BTreeSet<TicketId>> = episodes.iter().map(held).collect();
    let mut owner: BTreeMap<TicketId, usize> = BTreeMap::new();
    let mut numbers: Vec<Option<TicketId>> = Vec::with_capacity(episodes.len());
    for (index, candidates) in holds.iter().enumerate() {
        let number = candidates.iter().copied().find(|id| !owner.contains_key(id));
        if let Some(id) = number {
            owner.insert(id, index);
        }
        numbers.push(number);
    }
    let mut left = Vec::new();
    for old in view.tickets.iter().filter(|old| !owner.contains_key(&old.id)) {
        let merged_before = old.state == TicketState::Withdrawn && old.reason.as_deref().is_some_and(|r| r.starts_with("merged into"));
        if merged_before {
            continue;
        }
        let into = holds.iter().position(|ids| ids.contains(&old.id)).and_then(|index| numbers[index]);
        left.push((old, into.map_or_else(|| "gone".to_owned(), |id| format!("merged into {id}"))));
    }
    let episodes = episodes
        .into_iter()
        .enumerate()
        .map(|(index, episode)| {
            let old = numbers[index].as_ref().and_then(ticket);
            let split_from = if old.is_none() { holds[index].iter().next().and_then(ticket) } else { None };
            Numbered { episode, old, split_from }
        })
        .collect();
    Numbering { episodes, left }
}
