//! Which posts a webhook named: where the newest posts of an account are read, an older one would be found by the next sweep only.

use super::{
    Db, StoreError,
    db::{Row, vals},
};
use crate::domain::{AccountId, Platform, Time};

/// A post something was written or changed under.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hint {
    /// Meta's id of the post or medium.
    pub post: String,
    /// Key of the comment, if it was added; empty: something changed.
    pub comment: String,
}

/// So long a comment that a webhook named and no read shows is looked for at every poll: Meta shows some of them late.
const PATIENCE: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);

/// Notes what a webhook names of an account.
pub async fn note(db: &Db, platform: Platform, account: &str, hints: &[Hint], now: Time) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    for Hint { post, comment } in hints {
        tx.exec(
            "INSERT INTO hint (account_id, post, comment, at) SELECT id, $3, $4, $5 FROM account \
             WHERE platform = $1 AND external_id = $2 AND active = 1 ON CONFLICT (account_id, post, comment) DO UPDATE SET at = excluded.at",
            vals![platform.word(), account, post, comment, now],
        )
        .await?;
    }
    tx.commit().await
}

/// What was named of an account, at most `limit`, the oldest first.
pub async fn named(db: &Db, account: AccountId, limit: u32) -> Result<Vec<Hint>, StoreError> {
    let sql = "SELECT post, comment FROM hint WHERE account_id = $1 ORDER BY at, post, comment LIMIT $2";
    let hint = |row: &Row| Ok(Hint { post: row.t("post")?, comment: row.t("comment")? });
    db.rows(sql, vals![account.0, limit]).await?.iter().map(hint).collect()
}

/// These were followed by a read that began at `began_at`. One that was named anew since stays, and for a while a comment that it did not show.
pub async fn followed(db: &Db, account: AccountId, hints: &[Hint], began_at: Time) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    for Hint { post, comment } in hints {
        let sql = "DELETE FROM hint WHERE account_id = $1 AND post = $2 AND comment = $3 AND at <= $4 AND (comment = '' OR at <= $5 \
             OR EXISTS (SELECT 1 FROM message m WHERE m.account_id = $1 AND m.object = 'comment' AND m.key = $3))";
        tx.exec(sql, vals![account.0, post, comment, began_at, began_at.minus(PATIENCE)]).await?;
    }
    tx.commit().await
}
