//! What the daemon remembers of itself: one value under a key.

use super::{
    Db, StoreError,
    db::{Row, Tx, vals},
};

const KNOWN: &str = "SELECT value FROM meta WHERE key = $1";

/// A value that is remembered.
pub async fn remembered(db: &Db, key: &str) -> Result<Option<String>, StoreError> {
    first(&db.rows(KNOWN, vals![key]).await?)
}

/// Remembers it.
pub async fn remember(db: &Db, key: &str, value: &str) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    set(&mut tx, key, value).await?;
    tx.commit().await
}

/// [`remembered`] within a transaction.
pub(super) async fn get(tx: &mut Tx, key: &str) -> Result<Option<String>, StoreError> {
    first(&tx.rows(KNOWN, vals![key]).await?)
}

/// [`remember`] within a transaction.
pub(super) async fn set(tx: &mut Tx, key: &str, value: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    tx.exec(sql, vals![key, value]).await.map(drop)
}

/// Remembers it unless something stands there; whether nothing did.
pub(super) async fn put(tx: &mut Tx, key: &str, value: &str) -> Result<bool, StoreError> {
    let sql = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
    Ok(tx.exec(sql, vals![key, value]).await? > 0)
}

/// Forgets a value; what it was.
pub(super) async fn take(tx: &mut Tx, key: &str) -> Result<Option<String>, StoreError> {
    first(&tx.rows("DELETE FROM meta WHERE key = $1 RETURNING value", vals![key]).await?)
}

fn first(rows: &[Row]) -> Result<Option<String>, StoreError> {
    rows.first().map(|row| row.t("value")).transpose()
}
