//! Tickets that another OPD has to answer: what is said of it, and to whom. Neither clock nor steps change by it.

use super::Case;
use crate::domain::{
    TicketState,
    alert::{Alert, AlertKind},
    ticket::{Action, ActionKind},
    view::{Ruled, ThreadView},
};

impl Case<'_> {
    /// Another OPD has to answer from now on than at the last look: its officials are told, in every group that a step names.
    pub(super) fn hand_over(&self, ruled: &mut Ruled) {
        let own = self.view.subject.opd.as_str();
        let before = self.old.or(self.split_from).map_or(own, |before| before.holder(own));
        if ruled.ticket.state != TicketState::Open || ruled.ticket.holder(own) == before || !self.handed_over(false) {
            return;
        }
        let mut notify: Vec<String> = Vec::new();
        for group in ruled.ticket.steps.iter().flat_map(|step| &step.notify) {
            if !notify.contains(group) {
                notify.push(group.clone());
            }
        }
        ruled.alerts.push(Alert { notify, ..self.alert(AlertKind::HandedOver, None, before.to_owned()) });
    }

    /// Whether staff handed the citizen's ticket over, at an earlier look (`applied`) or since.
    pub(super) fn handed_over(&self, applied: bool) -> bool {
        let of_author = |id| self.view.tickets.iter().any(|ticket| ticket.id == id && ticket.author == self.episode.author);
        let mut handovers = self.view.actions.iter().filter(|action| action.kind == ActionKind::Handover && action.applied == applied);
        handovers.any(|action| of_author(action.ticket))
    }
}

/// Whether an action would hand its ticket over to the OPD that holds it already.
pub(super) fn to_its_holder(view: &ThreadView, action: &Action) -> bool {
    let earlier = |other: &&Action| {
        other.kind == ActionKind::Handover
            && other.ticket == action.ticket
            && !other.applied
            && (other.at, other.id) < (action.at, action.id)
    };
    let stored = || view.tickets.iter().find(|ticket| ticket.id == action.ticket).and_then(|ticket| ticket.held_by.as_deref());
    let holder = match view.actions.iter().filter(earlier).max_by_key(|other| (other.at, other.id)) {
        Some(last) => &last.text,
        None => stored().unwrap_or(&view.subject.opd),
    };
    action.kind == ActionKind::Handover && action.text == holder
}
