//! Whether an account that answers shows what citizens write: what is proved of its sources, and the doubts that stand.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use super::{
    Db, StoreError,
    accounts::tell_in,
    db::{CHUNK, Val, built, numbered, vals},
};
use crate::domain::{AccountId, Cause, Kind, Platform, Source, Time, alert::AlertKind, time::rfc3339};

/// A doubt that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Concern {
    /// What a person must do something about.
    pub cause: Cause,
    /// Since when.
    #[serde(with = "rfc3339")]
    pub since: Time,
    /// Our own words.
    pub detail: String,
}

/// A doubt arose; whether it is new, and so told to `operator`.
pub async fn raise(db: &Db, account: AccountId, concern: &Concern, now: Time) -> Result<bool, StoreError> {
    let Concern { cause, since, detail } = concern;
    let mut tx = db.write().await?;
    let sql = "INSERT INTO concern (account_id, cause, since, detail) VALUES ($1, $2, $3, $4) ON CONFLICT (account_id, cause) DO NOTHING";
    let new = tx.exec(sql, vals![account.0, cause.word(), *since, detail]).await? > 0;
    if new {
        tell_in(&mut tx, Some(account), AlertKind::Unhealthy, (Some(*cause), detail), now).await?;
    }
    tx.commit().await?;
    Ok(new)
}

/// A doubt is gone; whether it stood, and so its end is told to `operator`.
pub async fn settle(db: &Db, account: AccountId, cause: Cause, now: Time) -> Result<bool, StoreError> {
    let mut tx = db.write().await?;
    let stood = tx.exec("DELETE FROM concern WHERE account_id = $1 AND cause = $2", vals![account.0, cause.word()]).await? > 0;
    if stood {
        tell_in(&mut tx, Some(account), AlertKind::Recovered, (Some(cause), ""), now).await?;
    }
    tx.commit().await?;
    Ok(stood)
}

/// The doubts about an account.
pub async fn standing(db: &Db, account: AccountId) -> Result<HashSet<Cause>, StoreError> {
    let rows = db.rows("SELECT cause FROM concern WHERE account_id = $1", vals![account.0]).await?;
    rows.iter().map(|row| row.word("cause", Cause::from_word)).collect()
}

/// Every doubt that stands, by our number of the account.
pub(super) async fn all(db: &Db) -> Result<HashMap<i64, Vec<Concern>>, StoreError> {
    let mut found: HashMap<i64, Vec<Concern>> = HashMap::new();
    for row in db.rows("SELECT account_id, cause, since, detail FROM concern ORDER BY account_id, cause", vals![]).await? {
        let concern = Concern { cause: row.word("cause", Cause::from_word)?, since: row.at("since")?, detail: row.t("detail")? };
        found.entry(row.i("account_id")?).or_default().push(concern);
    }
    Ok(found)
}

/// Different people, by name, among the writers of all accounts of an app, before one of them counts: whoever made the app sees their own
/// messages even where nobody else's are shown.
const WRITERS: i64 = 3;

/// Notes which sources of an account are proved to show what citizens write: one of them, named, wrote to it since then, and the app is no
/// more suspected of showing its makers' messages only, since some account of it, one of `peers` (external ids), is proved in the same
/// source, or [`WRITERS`] people wrote there. The sources that are proved now, with when they were first read.
pub async fn prove(
    db: &Db,
    account: AccountId,
    (platform, peers): (Platform, &[&str]),
    (since, now): (Time, Time),
) -> Result<BTreeMap<Source, Standing>, StoreError> {
    let mut found = BTreeMap::new();
    for row in db.rows("SELECT name, first_read_at, proved_at FROM source WHERE account_id = $1", vals![account.0]).await? {
        let standing = Standing { first_read_at: row.oat("first_read_at")?, proved: row.oat("proved_at")?.is_some() };
        found.insert(row.word("name", Source::from_word)?, standing);
    }
    if found.values().all(|standing| standing.proved) {
        return Ok(found);
    }
    let sql = "SELECT DISTINCT kind FROM message WHERE account_id = $1 AND created_at >= $2 AND direction = 'in' \
         AND COALESCE(author_name, author_username) IS NOT NULL";
    let kinds: Vec<Kind> =
        db.rows(sql, vals![account.0, since]).await?.iter().map(|row| row.word("kind", Kind::from_word)).collect::<Result<_, _>>()?;
    for (source, standing) in found.iter_mut().filter(|(source, standing)| !standing.proved && kinds.contains(&source.kind())) {
        if trusted(db, *source, (platform, peers), since).await? {
            proved(db, account, *source, now).await?;
            standing.proved = true;
        }
    }
    Ok(found)
}

/// What is known of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// When its first whole read began.
    pub first_read_at: Option<Time>,
    /// A citizen's message was read.
    pub proved: bool,
}

async fn trusted(db: &Db, source: Source, (platform, peers): (Platform, &[&str]), since: Time) -> Result<bool, StoreError> {
    let mut people = HashSet::new();
    for chunk in peers.chunks(CHUNK) {
        let accounts = format!("SELECT id FROM account WHERE platform = $1 AND external_id IN ({})", numbered(4, chunk.len()));
        let values = |word: &'static str, at: Time| -> Vec<Val> {
            vals![platform.word(), word, at].into_iter().chain(chunk.iter().map(|&id| id.into())).collect()
        };
        let sql = format!("SELECT 1 AS one FROM source WHERE name = $2 AND proved_at >= $3 AND account_id IN ({accounts}) LIMIT 1");
        if !db.rows_built(built(sql), values(source.word(), Time::from_secs(0))).await?.is_empty() {
            return Ok(true);
        }
        let sql = format!(
            "SELECT DISTINCT COALESCE(author_name, author_username) AS name FROM message WHERE kind = $2 AND created_at >= $3 AND direction = 'in' \
             AND COALESCE(author_name, author_username) IS NOT NULL AND account_id IN ({accounts}) LIMIT {WRITERS}"
        );
        for row in db.rows_built(built(sql), values(source.kind().word(), since)).await? {
            people.insert(row.t("name")?);
        }
    }
    Ok(people.len() as i64 >= WRITERS)
}

/// A citizen's message was read from this source.
pub async fn proved(db: &Db, account: AccountId, source: Source, now: Time) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    let sql = "INSERT INTO source (account_id, name, proved_at) VALUES ($1, $2, $3) \
         ON CONFLICT (account_id, name) DO UPDATE SET proved_at = COALESCE(source.proved_at, excluded.proved_at)";
    tx.exec(sql, vals![account.0, source.word(), now]).await?;
    tx.commit().await
}

/// How many comments Meta counts under what an account published since then, but for the government's own, and how many of them were
/// read with their author.
pub async fn counted(db: &Db, account: AccountId, since: Time) -> Result<(i64, i64), StoreError> {
    let sql = "SELECT (SELECT CAST(COALESCE(SUM(total), 0) AS BIGINT) FROM post WHERE account_id = $1 AND created_at >= $2) AS counted, \
           COALESCE(SUM(CASE WHEN direction = 'out' THEN 1 ELSE 0 END), 0) AS own, \
           COALESCE(SUM(CASE WHEN direction = 'in' AND (author_id IS NOT NULL OR author_username IS NOT NULL) THEN 1 ELSE 0 END), 0) AS named \
         FROM message WHERE account_id = $1 AND created_at >= $2 AND kind = 'comment'";
    let rows = db.rows(sql, vals![account.0, since]).await?;
    let Some(row) = rows.first() else { return Ok((0, 0)) };
    Ok((row.i("counted")? - row.i("own")?, row.i("named")?))
}

/// Whether any conversation of an account is known.
pub async fn has_conversation(db: &Db, account: AccountId) -> Result<bool, StoreError> {
    Ok(!db.rows("SELECT id FROM thread WHERE account_id = $1 AND kind = 'message' LIMIT 1", vals![account.0]).await?.is_empty())
}
