//! Leases of workers that died: freed, so that a successor need not wait for their end.

use super::{
    Db, StoreError,
    db::{built, numbered, vals},
    meta,
};
use crate::domain::Time;

/// The names under which something is leased at `now`.
pub async fn owners(db: &Db, now: Time) -> Result<Vec<String>, StoreError> {
    let rows = db
        .rows(
            "SELECT lease_owner FROM account WHERE lease_until > $1 AND lease_owner IS NOT NULL
             UNION SELECT lease_owner FROM letter WHERE lease_until > $1 AND lease_owner IS NOT NULL
             UNION SELECT lease_owner FROM reply WHERE lease_until > $1 AND lease_owner IS NOT NULL ORDER BY 1",
            vals![now],
        )
        .await?;
    rows.iter().map(|row| row.t("lease_owner")).collect()
}

/// Ends every lease of these owners: an account is read, a letter tried again, a reply that was under way looked for as soon as its time
/// has come; but a WhatsApp message, of which a status may still tell whether it arrived (semantics.md, Alerts, "At least once").
pub async fn free(db: &Db, owners: &[String]) -> Result<(), StoreError> {
    if owners.is_empty() {
        return Ok(());
    }
    let mut tx = db.write().await?;
    for (table, which) in [("account", ""), ("letter", " AND channel <> 'whatsapp'"), ("reply", "")] {
        let sql = format!("UPDATE {table} SET lease_until = 0 WHERE lease_owner IN ({}){which}", numbered(1, owners.len()));
        tx.exec_built(built(sql), owners.iter().map(Into::into).collect()).await?;
    }
    tx.commit().await
}

/// Ends the leases of accounts that a worker holds and reads no more, after an outage. That it was over at `now` is written down: on a full
/// disk what changes nothing would seem to succeed.
pub async fn free_accounts(db: &Db, owner: &str, now: Time) -> Result<(), StoreError> {
    free_own(db, "UPDATE account SET lease_owner = NULL, lease_until = 0 WHERE lease_owner = $1", owner, now).await
}

/// The same of letters, but a WhatsApp message, as in [`free`].
pub async fn free_letters(db: &Db, owner: &str, now: Time) -> Result<(), StoreError> {
    let sql = "UPDATE letter SET lease_until = 0 WHERE lease_owner = $1 AND lease_until > 0 AND channel <> 'whatsapp'";
    free_own(db, sql, owner, now).await
}

async fn free_own(db: &Db, sql: &'static str, owner: &str, now: Time) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    tx.exec(sql, vals![owner]).await?;
    meta::set(&mut tx, "outage_over", &now.ms().to_string()).await?;
    tx.commit().await
}
