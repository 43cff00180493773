//! Keys that are made once and kept here, the same for every process: that under which links and buttons in letters are signed, and that
//! under which what was erased is known again.

use super::{
    Db, StoreError,
    db::{Row, Tx, vals},
};

const LINKS: &str = "link_key";
const ERASED: &str = "erasure_key";
const KNOWN: &str = "SELECT value FROM meta WHERE key = $1";

/// The key of links. If there is none yet it becomes `fresh`, which must be random; where two processes make it at once, one of them wins.
///
/// [`StoreError::Unknown`] if what stands there is no key; its value is not shown.
pub async fn links(db: &Db, fresh: &[u8; 32]) -> Result<[u8; 32], StoreError> {
    if let Some(row) = db.rows(KNOWN, vals![LINKS]).await?.first() {
        return read(row, LINKS);
    }
    let mut tx = db.write().await?;
    let key = made(&mut tx, LINKS, fresh).await?;
    tx.commit().await?;
    Ok(key)
}

/// The key of what was erased, made by the first erasure in its transaction.
pub(super) async fn erased(tx: &mut Tx, fresh: &[u8; 32]) -> Result<[u8; 32], StoreError> {
    made(tx, ERASED, fresh).await
}

/// The same if anything was ever erased.
pub(super) async fn if_erased(tx: &mut Tx) -> Result<Option<[u8; 32]>, StoreError> {
    tx.rows(KNOWN, vals![ERASED]).await?.first().map(|row| read(row, ERASED)).transpose()
}

/// The same outside a transaction.
pub(super) async fn if_ever_erased(db: &Db) -> Result<Option<[u8; 32]>, StoreError> {
    db.rows(KNOWN, vals![ERASED]).await?.first().map(|row| read(row, ERASED)).transpose()
}

async fn made(tx: &mut Tx, name: &str, fresh: &[u8; 32]) -> Result<[u8; 32], StoreError> {
    tx.exec("INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING", vals![name, hex::encode(fresh)]).await?;
    tx.rows(KNOWN, vals![name]).await?.first().map(|row| read(row, name)).transpose()?.ok_or(StoreError::Fenced)
}

fn read(row: &Row, name: &str) -> Result<[u8; 32], StoreError> {
    let mut key = [0; 32];
    let what = if name == LINKS { "the key of links" } else { "the key of what was erased" };
    hex::decode_to_slice(row.t("value")?, &mut key).map_err(|_| StoreError::Unknown { what, value: String::new() })?;
    Ok(key)
}
