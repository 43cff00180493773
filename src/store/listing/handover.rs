//! Which OPDs had to answer a ticket.

use super::{HOLDER, of_ticket, within};
use crate::{
    domain::{Scope, TicketId, Time, ticket::ActionKind},
    store::{
        Db, StoreError,
        db::{built, vals},
    },
};

/// To which OPDs a ticket was handed over and when, as far as it took effect; in order.
pub async fn handovers(db: &Db, scope: &Scope, ticket: TicketId) -> Result<Vec<(Time, String)>, StoreError> {
    let mut vals = vals![ticket.0, ActionKind::Handover.word()];
    let of_ticket = of_ticket(scope, &mut vals);
    let sql = format!(
        "SELECT at, text FROM action WHERE ticket_id = $1 AND kind = $2 AND applied_at IS NOT NULL AND {of_ticket} ORDER BY at, id"
    );
    db.rows_built(built(sql), vals).await?.iter().map(|row| Ok((row.at("at")?, row.t("text")?))).collect()
}

/// Slug of the OPD whose account a ticket stands on, whoever holds it.
pub async fn own_opd(db: &Db, scope: &Scope, ticket: TicketId) -> Result<Option<String>, StoreError> {
    let mut vals = vals![ticket.0];
    let within = within(scope, HOLDER, &mut vals);
    let sql = format!("SELECT a.opd FROM ticket t JOIN account a ON a.id = t.account_id WHERE t.id = $1 AND {within}");
    db.rows_built(built(sql), vals).await?.first().map(|row| row.t("opd")).transpose()
}
