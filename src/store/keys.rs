//! Keys that are made once and kept here, the same for every process: that under which links and buttons in letters are signed, and that
//! under which what was erased is known again.

use super::{Db, StoreError, db::Tx, meta};

const LINKS: &str = "link_key";
const ERASED: &str = "erasure_key";

/// The key of links. If there is none yet it becomes `fresh`, which must be random; where two processes make it at once, one of them wins.
///
/// [`StoreError::Unknown`] if what stands there is no key; its value is not shown.
pub async fn links(db: &Db, fresh: &[u8; 32]) -> Result<[u8; 32], StoreError> {
    if let Some(text) = meta::remembered(db, LINKS).await? {
        return read(&text, LINKS);
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
    meta::get(tx, ERASED).await?.map(|text| read(&text, ERASED)).transpose()
}

/// The same outside a transaction.
pub(super) async fn if_ever_erased(db: &Db) -> Result<Option<[u8; 32]>, StoreError> {
    meta::remembered(db, ERASED).await?.map(|text| read(&text, ERASED)).transpose()
}

async fn made(tx: &mut Tx, name: &str, fresh: &[u8; 32]) -> Result<[u8; 32], StoreError> {
    meta::put(tx, name, &hex::encode(fresh)).await?;
    meta::get(tx, name).await?.map(|text| read(&text, name)).transpose()?.ok_or(StoreError::Fenced)
}

fn read(text: &str, name: &str) -> Result<[u8; 32], StoreError> {
    let mut key = [0; 32];
    let what = if name == LINKS { "the key of links" } else { "the key of what was erased" };
    hex::decode_to_slice(text, &mut key).map_err(|_| StoreError::Unknown { what, value: String::new() })?;
    Ok(key)
}
