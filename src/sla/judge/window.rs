//! Meta's own window for direct answers, beside the SLA (semantics.md, The clock): who is warned before it ends.

use jiff::SignedDuration;

use super::{Case, HELD, Times};
use crate::{
    domain::{
        Kind,
        alert::{Alert, AlertKind},
        reply::WINDOW,
        view::Ruled,
        whom::OPERATOR,
    },
    hours::calendar::Calendar,
};

/// So much working time before the end; where less is left from the newest message on, at once.
const BEFORE: SignedDuration = SignedDuration::from_hours(1);

impl Case<'_> {
    /// The first step's groups are warned once a window, when a read proves that the citizen still waits. Like a step it is not sent for a
    /// time before a change of configuration or the start on a restored copy, nor once somebody sees to the ticket.
    pub(super) fn window(&self, ruled: &mut Ruled, calendar: &Calendar, times: &mut Times) {
        let conversation = self.view.subject.kind == Kind::Message && !self.view.unreadable;
        let Some(newest) = self.episode.live.last().filter(|_| self.rules.window_warning && conversation) else { return };
        let ends = newest.at.plus(WINDOW);
        let due = calendar.worktime.due_before(ends, BEFORE.as_secs()).max(newest.at);
        let passed_over = due < self.rules.changed_at || self.rules.restored_at.is_some_and(|at| due <= at);
        let ticket = &mut ruled.ticket;
        if ticket.window_warned == Some(ends) || ticket.acknowledged_at.is_some() || passed_over || ends <= self.now {
            return;
        }
        let in_doubt = self.episode.live.iter().any(|live| live.missing_since.is_some());
        if due > self.now {
            times.look(due);
            times.verify(due);
        } else if self.rules.hold {
            times.look(self.now.plus(HELD));
        } else if in_doubt || self.read_began_at().is_none_or(|began| began < due) {
            times.verify(due);
        } else {
            ticket.window_warned = Some(ends);
            ruled.events.push(("window_closing", ends.rfc3339()));
            let first = ticket.steps.iter().find(|step| !step.notify.is_empty());
            let notify = first.map_or_else(|| vec![OPERATOR.to_owned()], |step| step.notify.clone());
            ruled.alerts.push(Alert { notify, ..self.alert(AlertKind::WindowClosing, None, ends.rfc3339()) });
        }
    }
}
