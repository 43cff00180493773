//! Instagram tokens that were refreshed. What is kept here is encrypted: the store never sees a token.

use super::{
    Db, StoreError,
    db::{Row, vals},
};
use crate::domain::{AccountId, Platform, Time};

/// A refreshed token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Nonce and ciphertext under `secrets.key`, base64.
    pub sealed: String,
    /// Fingerprint of the configured token it descends from: with another one configured it counts no more.
    pub origin: String,
    /// When Meta gave it out.
    pub issued_at: Time,
    /// When it runs out.
    pub expires_at: Time,
}

/// What is kept for an account, by Meta's id: a command beside the daemon knows no other.
pub async fn kept(db: &Db, platform: Platform, external_id: &str) -> Result<Option<Kept>, StoreError> {
    let sql = "SELECT t.sealed, t.origin, t.issued_at, t.expires_at FROM token t JOIN account a ON a.id = t.account_id \
               WHERE a.platform = $1 AND a.external_id = $2";
    let kept = |row: &Row| {
        let (sealed, origin) = (row.t("sealed")?, row.t("origin")?);
        Ok(Kept { sealed, origin, issued_at: row.at("issued_at")?, expires_at: row.at("expires_at")? })
    };
    db.rows(sql, vals![platform.word(), external_id]).await?.first().map(kept).transpose()
}

/// Keeps a refreshed token in place of the account's former one.
pub async fn keep(db: &Db, account: AccountId, token: &Kept) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    tx.exec(
        "INSERT INTO token (account_id, sealed, origin, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (account_id) DO UPDATE SET sealed = excluded.sealed, origin = excluded.origin, issued_at = excluded.issued_at, \
           expires_at = excluded.expires_at",
        vals![account.0, &token.sealed, &token.origin, token.issued_at, token.expires_at],
    )
    .await?;
    tx.commit().await
}
