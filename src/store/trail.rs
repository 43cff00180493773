//! Who did what, and when: what staff and officials did with tickets, what was sent to citizens, who signed in, who may. Only ever added to.

use serde::Serialize;

use super::{
    Db, StoreError,
    db::{Tx, built, vals},
    listing::within,
    restrict,
};
use crate::domain::{Scope, TicketId, Time, time::rfc3339};

/// What can be proved of a ticket was handed out.
pub const EVIDENCE: &str = "evidence.exported";

/// Something somebody did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Deed {
    /// When.
    #[serde(with = "rfc3339::ms")]
    pub at: Time,
    /// Who: a person's name, `token NAME`, or as given on the command line.
    pub by: String,
    /// What: an action's word, or a name such as `sign_in`.
    pub did: String,
    /// With which ticket, where it was one.
    pub ticket: Option<TicketId>,
    /// Its OPD.
    pub opd: Option<String>,
    /// What else there is to say of it.
    pub detail: String,
}

/// Notes something beside the actions on tickets, in the transaction of what was done.
pub(super) async fn note(tx: &mut Tx, by: &str, did: &str, ticket: Option<TicketId>, detail: &str, now: Time) -> Result<(), StoreError> {
    let sql = "INSERT INTO trail (at, by_name, did, ticket_id, detail) VALUES ($1, $2, $3, $4, $5)";
    tx.exec(sql, vals![now, by, did, ticket.map(|id| id.0), detail]).await.map(drop)
}

/// Notes something that changes nothing else: a sign-in that failed, an export.
pub async fn add(db: &Db, by: &str, did: &str, detail: &str, now: Time) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    note(&mut tx, by, did, None, detail, now).await?;
    tx.commit().await
}

/// The newest deeds before an instant. Within a scope only those on its OPDs' tickets.
pub async fn deeds(db: &Db, scope: &Scope, before: Time, limit: u32) -> Result<Vec<Deed>, StoreError> {
    let mut vals = vals![before, limit];
    let within = within(scope, "COALESCE(t.held_by, a.opd)", &mut vals);
    // A scope may leave out any of them: then all are looked at.
    let each = if scope.opds().is_some() { "9223372036854775807" } else { "$2" };
    let said = restrict::said!("d.did", "d.detail");
    let sql = format!(
        "SELECT d.at, d.by_name, d.did, d.ticket_id, {said} AS detail, COALESCE(t.held_by, a.opd) AS opd FROM (
           SELECT * FROM (SELECT at, by_name, kind AS did, ticket_id, text AS detail FROM action WHERE at < $1 ORDER BY at DESC LIMIT {each}) x
           UNION ALL SELECT * FROM (SELECT at, by_name, did, ticket_id, detail FROM trail WHERE at < $1 ORDER BY at DESC LIMIT {each}) y
           UNION ALL SELECT * FROM (SELECT created_at, by_name, 'reply', ticket_id, state FROM reply WHERE created_at < $1 ORDER BY created_at DESC
             LIMIT {each}) z) d
         LEFT JOIN ticket t ON t.id = d.ticket_id LEFT JOIN account a ON a.id = t.account_id
         WHERE {within} ORDER BY d.at DESC, d.ticket_id DESC LIMIT $2"
    );
    let deed = |row: &super::db::Row| {
        Ok(Deed {
            at: row.at("at")?,
            by: row.t("by_name")?,
            did: row.t("did")?,
            ticket: row.oi("ticket_id")?.map(TicketId),
            opd: row.ot("opd")?,
            detail: row.t("detail")?,
        })
    };
    db.rows_built(built(sql), vals).await?.iter().map(deed).collect()
}
