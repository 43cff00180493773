//! What Meta's data-deletion callback asked for: recorded by web, done by forget, looked up by its code.

use super::again::{Key, Of};
use crate::{
    domain::Time,
    store::{
        Db, StoreError,
        db::{Row, vals},
    },
};

/// Characters of a code: 80 bits of a keyed hash, which nobody guesses.
const CODE: usize = 20;

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// When it was asked for last.
    pub asked_at: Time,
    /// When it was done.
    pub done_at: Option<Time>,
}

/// Records that an author's data are to be erased, and gives the code by which it can be asked how that stands: the same for the same author,
/// however often it is asked.
pub async fn request(db: &Db, fresh: &[u8; 32], author: &str, now: Time) -> Result<String, StoreError> {
    let mut tx = db.write().await?;
    let key = Key::made(&mut tx, fresh).await?;
    let code = key.hash(0, Of::Author(author))[..CODE].to_uppercase();
    tx.exec(
        "INSERT INTO deletion (code, asked_at, author) VALUES ($1, $2, $3) \
         ON CONFLICT (code) DO UPDATE SET asked_at = excluded.asked_at, author = excluded.author, done_at = NULL",
        vals![&code, now, author],
    )
    .await?;
    tx.commit().await?;
    Ok(code)
}

/// What is to be done, oldest first: code and author.
pub async fn pending(db: &Db) -> Result<Vec<(String, String)>, StoreError> {
    let rows = db.rows("SELECT code, author FROM deletion WHERE author IS NOT NULL ORDER BY asked_at, code", vals![]).await?;
    rows.iter().map(|row| Ok((row.t("code")?, row.t("author")?))).collect()
}

/// It was done; the author is forgotten here too.
pub async fn done(db: &Db, code: &str, now: Time) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    tx.exec("UPDATE deletion SET author = NULL, done_at = $2 WHERE code = $1 AND author IS NOT NULL", vals![code, now]).await?;
    tx.commit().await?;
    db.scrub().await.map(drop)
}

/// How it stands; `None`: nobody asked under this code.
pub async fn status(db: &Db, code: &str) -> Result<Option<Deletion>, StoreError> {
    let rows = db.rows("SELECT asked_at, done_at FROM deletion WHERE code = $1", vals![code]).await?;
    let deletion = |row: &Row| Ok(Deletion { asked_at: row.at("asked_at")?, done_at: row.oat("done_at")? });
    rows.first().map(deletion).transpose()
}
