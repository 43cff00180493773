//! The key under which links and buttons in letters are signed: made once, kept here, the same for every process.

use super::{
    Db, StoreError,
    db::{Row, vals},
};

const LINKS: &str = "link_key";

/// The key. If there is none yet it becomes `fresh`, which must be random; where two processes make it at once, one of them wins.
///
/// [`StoreError::Unknown`] if what stands there is no key; its value is not shown.
pub async fn links(db: &Db, fresh: &[u8; 32]) -> Result<[u8; 32], StoreError> {
    let known = "SELECT value FROM meta WHERE key = $1";
    if let Some(row) = db.rows(known, vals![LINKS]).await?.first() {
        return read(row);
    }
    let mut tx = db.write().await?;
    tx.exec("INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING", vals![LINKS, hex::encode(fresh)]).await?;
    let key = tx.rows(known, vals![LINKS]).await?.first().map(read).transpose()?;
    tx.commit().await?;
    key.ok_or(StoreError::Fenced)
}

fn read(row: &Row) -> Result<[u8; 32], StoreError> {
    let mut key = [0; 32];
    hex::decode_to_slice(row.t("value")?, &mut key).map_err(|_| StoreError::Unknown { what: "the key of links", value: String::new() })?;
    Ok(key)
}
