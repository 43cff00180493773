//! Which of Meta's limits were reached, so that a restart does not ask too early: calls made meanwhile lengthen a block.

use super::{Db, StoreError, db::vals};
use crate::domain::Time;

/// A limit, by whose calls it counts together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Poll's own name for them.
    pub pool: String,
    /// Nothing at all is asked before this.
    pub blocked_until: Option<Time>,
    /// No new work is begun before this.
    pub stopped_until: Option<Time>,
}

/// Notes what holds now.
pub async fn keep(db: &Db, limits: &[Limit]) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    for Limit { pool, blocked_until, stopped_until } in limits {
        let sql = "INSERT INTO rest (pool, blocked_until, stopped_until) VALUES ($1, $2, $3) ON CONFLICT (pool) DO UPDATE SET \
             blocked_until = excluded.blocked_until, stopped_until = excluded.stopped_until";
        tx.exec(sql, vals![pool, *blocked_until, *stopped_until]).await?;
    }
    tx.commit().await
}

/// The limits that still hold; the others are forgotten.
pub async fn held(db: &Db, now: Time) -> Result<Vec<Limit>, StoreError> {
    let mut tx = db.write().await?;
    tx.exec("DELETE FROM rest WHERE COALESCE(blocked_until, 0) <= $1 AND COALESCE(stopped_until, 0) <= $1", vals![now]).await?;
    let rows = tx.rows("SELECT pool, blocked_until, stopped_until FROM rest ORDER BY pool", vals![]).await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| Ok(Limit { pool: row.t("pool")?, blocked_until: row.oat("blocked_until")?, stopped_until: row.oat("stopped_until")? }))
        .collect()
}
