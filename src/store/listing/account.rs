//! The polled accounts and how they fare.

use serde::Serialize;

use crate::{
    domain::{Platform, Time, time::rfc3339},
    store::{
        Db, StoreError,
        db::{Row, vals},
    },
};

/// An account as the contract's JSON has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountRow {
    /// Where it lives.
    pub platform: Platform,
    /// Meta's id.
    pub id: String,
    /// Slug of its OPD.
    pub opd: String,
    /// Its name, else its user name; `None` before the first read.
    pub name: Option<String>,
    /// Whether it can be read.
    pub healthy: bool,
    /// Why it cannot.
    pub reason: Option<String>,
    /// When the last poll that read everything began.
    #[serde(with = "rfc3339::option")]
    pub last_read_at: Option<Time>,
    /// When it is polled next.
    #[serde(with = "rfc3339")]
    pub next_read_at: Time,
    /// When its token ends, if it does.
    #[serde(with = "rfc3339::option")]
    pub token_expires_at: Option<Time>,
}

/// The accounts that stand in the configuration of the running (or last) daemon, by OPD.
pub async fn accounts(db: &Db) -> Result<Vec<AccountRow>, StoreError> {
    db.rows(
        "SELECT platform, external_id, opd, coalesce(name, username) AS name, healthy, reason, last_read_at, next_poll_at, token_expires_at
         FROM account WHERE active = 1 ORDER BY opd, platform, external_id",
        vals![],
    )
    .await?
    .iter()
    .map(read)
    .collect()
}

fn read(row: &Row) -> Result<AccountRow, StoreError> {
    Ok(AccountRow {
        platform: row.word("platform", Platform::from_word)?,
        id: row.t("external_id")?,
        opd: row.t("opd")?,
        name: row.ot("name")?,
        healthy: row.b("healthy")?,
        reason: row.ot("reason")?,
        last_read_at: row.oat("last_read_at")?,
        next_read_at: row.at("next_poll_at")?,
        token_expires_at: row.oat("token_expires_at")?,
    })
}
