//! What the coverage audit reads of every account: how it fares, and when it was last heard of.

use super::{
    concerns::{self, Concern},
    db::{Db, Row, StoreError, vals},
};
use crate::domain::{Platform, Time};

/// An account that stands in the configuration of the running (or last) daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Where it lives.
    pub platform: Platform,
    /// Meta's id.
    pub id: String,
    /// Display name.
    pub name: Option<String>,
    /// User name.
    pub username: Option<String>,
    /// Whether it can be read.
    pub healthy: bool,
    /// Why it cannot, in our own words.
    pub reason: Option<String>,
    /// Since when reading fails.
    pub failing_since: Option<Time>,
    /// When the first read of any source in whole began.
    pub first_read_at: Option<Time>,
    /// When the last read of everything began.
    pub last_read_at: Option<Time>,
    /// When its newest own post was written.
    pub last_post_at: Option<Time>,
    /// When the newest message of a citizen was written.
    pub last_message_at: Option<Time>,
    /// Why it is not to be trusted though it answers.
    pub doubts: Vec<Concern>,
}

/// Every active account, in the order of its first configuration.
pub async fn watched(db: &Db) -> Result<Vec<Watched>, StoreError> {
    let mut doubts = concerns::all(db).await?;
    let rows = db.rows(
        "SELECT id, platform, external_id, name, username, healthy, reason, failing_since, last_read_at,
           (SELECT MIN(s.first_read_at) FROM source s WHERE s.account_id = a.id) AS first_read_at,
           (SELECT MAX(p.created_at) FROM post p WHERE p.account_id = a.id AND p.author = 'own') AS last_post_at,
           (SELECT MAX(m.created_at) FROM message m WHERE m.account_id = a.id AND m.direction = 'in') AS last_message_at
         FROM account a WHERE active = 1 ORDER BY a.id",
        vals![],
    );
    rows.await?.iter().map(|row| read(row, doubts.remove(&row.i("id")?).unwrap_or_default())).collect()
}

fn read(row: &Row, doubts: Vec<Concern>) -> Result<Watched, StoreError> {
    Ok(Watched {
        doubts,
        platform: row.word("platform", Platform::from_word)?,
        id: row.t("external_id")?,
        name: row.ot("name")?,
        username: row.ot("username")?,
        healthy: row.b("healthy")?,
        reason: row.ot("reason")?,
        failing_since: row.oat("failing_since")?,
        first_read_at: row.oat("first_read_at")?,
        last_read_at: row.oat("last_read_at")?,
        last_post_at: row.oat("last_post_at")?,
        last_message_at: row.oat("last_message_at")?,
    })
}
