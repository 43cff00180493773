//! What poll keeps of accounts: which are due, what is known of their posts and threads, and how reading them went.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    db::{CHUNK, Db, Row, StoreError, Tx, built, numbered, vals},
    forget,
    intake::{among, identities},
    storm,
};
use crate::domain::{
    AccountId, Cause, Kind, Object, Platform, Time,
    alert::AlertKind,
    message::{Post, PostAuthor, key_of},
};

/// An account that a poll has taken under a lease.
#[derive(Clone, Debug)]
pub struct Leased {
    /// Our number.
    pub id: AccountId,
    /// Where it lives.
    pub platform: Platform,
    /// Meta's id.
    pub external_id: String,
    /// Repeated by whoever writes the result: an older lease writes nothing.
    pub fence: i64,
    /// Failed polls in a row.
    pub failures: i64,
    /// Since when.
    pub failing_since: Option<Time>,
    /// When the operator was told that it can't be read.
    pub told_at: Option<Time>,
    /// Poll's own memory.
    pub memo: String,
}

/// Makes the accounts of the configuration known and active, all others inactive.
pub async fn sync(db: &Db, accounts: &[(Platform, String, String)], now: Time) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    tx.exec("UPDATE account SET active = 0 WHERE active = 1", vals![]).await?;
    for (platform, external_id, opd) in accounts {
        tx.exec(
            "INSERT INTO account (platform, external_id, opd, active, next_poll_at) VALUES ($1, $2, $3, 1, $4) \
             ON CONFLICT (platform, external_id) DO UPDATE SET active = 1, opd = excluded.opd, lease_until = 0, \
               next_poll_at = CASE WHEN account.next_poll_at < excluded.next_poll_at THEN account.next_poll_at ELSE excluded.next_poll_at END",
            vals![platform.word(), external_id, opd, now],
        )
        .await?;
    }
    tx.commit().await
}

/// Takes due accounts under a lease until `until`.
pub async fn claim(db: &Db, owner: &str, now: Time, until: Time, limit: u32) -> Result<Vec<Leased>, StoreError> {
    let mut tx = db.write().await?;
    let sql = format!(
        "WITH due AS {}(SELECT id FROM account WHERE active = 1 AND next_poll_at <= $1 AND lease_until <= $1 ORDER BY next_poll_at LIMIT $4{}) \
         UPDATE account SET lease_owner = $2, lease_until = $3, fence = fence + 1 WHERE id IN (SELECT id FROM due) AND lease_until <= $1 \
         RETURNING id, platform, external_id, fence, failures, failing_since, told_at, memo",
        if db.skip_locked().is_empty() { "" } else { "MATERIALIZED " },
        db.skip_locked()
    );
    let rows = tx.rows_built(built(sql), vals![now, owner, until, limit]).await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| {
            Ok(Leased {
                id: AccountId(row.i("id")?),
                platform: row.word("platform", Platform::from_word)?,
                external_id: row.t("external_id")?,
                fence: row.i("fence")?,
                failures: row.i("failures")?,
                failing_since: row.oat("failing_since")?,
                told_at: row.oat("told_at")?,
                memo: row.t("memo")?,
            })
        })
        .collect()
}

/// The shortest time between the beginnings of two polls of an account, however many webhooks come.
const HURRIED: jiff::SignedDuration = jiff::SignedDuration::from_secs(1);

/// Makes these accounts due now, a second after their last read at the earliest; whether any was not due already. An account that a poll
/// holds is polled once more ([`finish`]). One whose polls fail keeps its pause: calls made meanwhile lengthen a block.
pub async fn hurry(db: &Db, platform: Platform, ids: &[&str], now: Time) -> Result<bool, StoreError> {
    const AT: &str = "CASE WHEN last_read_at + $2 > $1 THEN last_read_at + $2 ELSE $1 END";
    let mut found = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let mut values = vals![now, HURRIED.as_millis() as i64, platform.word()];
        values.extend(chunk.iter().map(|&id| id.into()));
        let list = numbered(4, chunk.len());
        let sql = format!(
            "SELECT id FROM account WHERE active = 1 AND failures = 0 AND (next_poll_at > {AT} OR lease_until > $1) \
             AND platform = $3 AND external_id IN ({list}) ORDER BY id"
        );
        for row in db.rows_built(built(sql), values).await? {
            found.push(row.i("id")?);
        }
    }
    if found.is_empty() {
        return Ok(false);
    }
    let sql =
        format!("UPDATE account SET next_poll_at = {AT} WHERE id = $3 AND failures = 0 AND (next_poll_at > {AT} OR lease_until > $1)");
    let mut tx = db.write().await?;
    for id in found {
        tx.exec_built(built(sql.clone()), vals![now, HURRIED.as_millis() as i64, id]).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// The clock was set back: polls planned by it for later than they were meant are due now. Accounts whose polls fail keep their pause.
pub async fn clock_set_back(db: &Db, now: Time) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    tx.exec("UPDATE account SET next_poll_at = $1 WHERE active = 1 AND failures = 0 AND next_poll_at > $1", vals![now]).await?;
    tx.commit().await
}

/// Our number of an active account.
pub async fn number(db: &Db, platform: Platform, external_id: &str) -> Result<Option<AccountId>, StoreError> {
    let sql = "SELECT id FROM account WHERE active = 1 AND platform = $1 AND external_id = $2";
    let rows = db.rows(sql, vals![platform.word(), external_id]).await?;
    rows.first().map(|row| row.i("id").map(AccountId)).transpose()
}

/// How a poll went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// When it began.
    pub began_at: Time,
    /// When to poll again.
    pub next_poll_at: Time,
    /// Why it failed, in our words; `None`: it did not.
    pub error: Option<String>,
    /// Whether everything was read.
    pub read: bool,
    /// Failed polls in a row now.
    pub failures: i64,
    /// Since when they fail.
    pub failing_since: Option<Time>,
    /// What to tell `operator` now.
    pub tell: Option<AlertKind>,
    /// When its token ends, if it does.
    pub token_expires_at: Option<Time>,
    /// `operator` is to be told so now.
    pub expiring: bool,
    /// The display name, if it was read.
    pub name: Option<String>,
    /// The user name, if it was read.
    pub username: Option<String>,
    /// Poll's own memory.
    pub memo: String,
}

/// Writes how a poll went and ends its lease; [`StoreError::Fenced`] if another worker has taken the account. If the account was hurried
/// since the poll began, which then may not have seen why, it is polled again before its time.
pub async fn finish(db: &Db, account: &Leased, outcome: &Outcome, now: Time) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    let healthy = outcome.error.is_none() || (account.told_at.is_none() && outcome.tell.is_none());
    let changed = tx
        .exec(
            "UPDATE account SET lease_owner = NULL, lease_until = 0, \
               next_poll_at = CASE WHEN $6 IS NULL AND next_poll_at > $9 AND $3 > $16 \
                 THEN CASE WHEN next_poll_at > $16 THEN next_poll_at ELSE $16 END ELSE $3 END, failures = $4, failing_since = $5, reason = $6, healthy = $7, \
               last_read_at = CASE WHEN $8 = 1 THEN $9 ELSE last_read_at END, name = COALESCE($10, name), username = COALESCE($11, username), memo = $12, \
               told_at = CASE WHEN $13 = 1 THEN $14 WHEN $8 = 1 THEN NULL ELSE told_at END, token_expires_at = $15 \
             WHERE id = $1 AND fence = $2",
            vals![
                account.id.0,
                account.fence,
                outcome.next_poll_at,
                outcome.failures,
                outcome.failing_since,
                outcome.error.clone(),
                healthy,
                outcome.read,
                outcome.began_at,
                outcome.name.clone(),
                outcome.username.clone(),
                &outcome.memo,
                outcome.tell == Some(AlertKind::Unhealthy),
                now,
                outcome.token_expires_at,
                outcome.began_at.plus(HURRIED)
            ],
        )
        .await?;
    if changed == 0 {
        return Err(StoreError::Fenced);
    }
    let cause = outcome.error.as_deref().map(|error| Cause::of(account.platform, error));
    if outcome.tell == Some(AlertKind::Unhealthy) {
        storm::fails(&mut tx, account, outcome, cause, now).await?;
    } else if outcome.error.is_none() && (account.failures > 0 || account.told_at.is_some()) {
        storm::recovers(&mut tx, account, account.told_at.filter(|_| outcome.tell.is_some()), now).await?;
    }
    if outcome.error.is_some() {
        storm::probe(&mut tx, account, cause, now).await?;
    }
    if let Some(at) = outcome.token_expires_at.filter(|_| outcome.expiring) {
        tell_in(&mut tx, Some(account.id), AlertKind::Expiring, (cause, &at.rfc3339()), now).await?;
    }
    tx.commit().await
}

/// When the next account is due.
pub async fn next_poll(db: &Db) -> Result<Option<Time>, StoreError> {
    let rows = db
        .rows(
            "SELECT MIN(CASE WHEN lease_until > next_poll_at THEN lease_until ELSE next_poll_at END) AS next FROM account WHERE active = 1",
            vals![],
        )
        .await?;
    rows.first().map_or(Ok(None), |row| row.oat("next"))
}

/// Since when the account is due that waits longest for a poll.
pub async fn longest_due(db: &Db, now: Time) -> Result<Option<Time>, StoreError> {
    let sql = "SELECT MIN(next_poll_at) AS at FROM account WHERE active = 1 AND next_poll_at <= $1 AND lease_until <= $1";
    let rows = db.rows(sql, vals![now]).await?;
    rows.first().map_or(Ok(None), |row| row.oat("at"))
}

/// User names of active Instagram accounts by external id.
pub async fn usernames(db: &Db) -> Result<HashMap<String, String>, StoreError> {
    let rows = db.rows("SELECT external_id, username FROM account WHERE username IS NOT NULL", vals![]).await?;
    rows.iter().map(|row| Ok((row.t("external_id")?, row.t("username")?))).collect()
}

/// Whether some active Instagram account was never asked for its user name, by which alone its comments are told from a citizen's.
pub async fn strangers(db: &Db) -> Result<bool, StoreError> {
    let sql = "SELECT id FROM account WHERE active = 1 AND platform = 'instagram' AND username IS NULL AND failures = 0 LIMIT 1";
    Ok(!db.rows(sql, vals![]).await?.is_empty())
}

/// Which author id is which configured Instagram account, under this account.
pub async fn bindings(db: &Db, account: AccountId) -> Result<BTreeMap<String, String>, StoreError> {
    let rows = db.rows("SELECT sister, author_id FROM binding WHERE account_id = $1", vals![account.0]).await?;
    rows.iter().map(|row| Ok((row.t("sister")?, row.t("author_id")?))).collect()
}

/// What is known of these posts, by key.
pub async fn posts(db: &Db, account: AccountId, ids: &[&str]) -> Result<HashMap<String, Post>, StoreError> {
    let mut found = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let mut values = vals![account.0];
        values.extend(chunk.iter().map(|id| key_of(id).into()));
        let sql = format!("SELECT * FROM post WHERE account_id = $1 AND key IN ({})", numbered(2, chunk.len()));
        for row in db.rows_built(built(sql), values).await? {
            found.insert(row.t("key")?, post(&row)?);
        }
    }
    let unknown = ids.iter().copied().filter(|id| !found.contains_key(key_of(id))).collect();
    for (id, row) in forget::posts(db, account, unknown).await? {
        found.insert(key_of(&id).to_owned(), Post { external_id: id, ..post(&row)? });
    }
    Ok(found)
}

/// Every post published since then, but for those that are erased.
pub async fn posts_since(db: &Db, account: AccountId, since: Time) -> Result<Vec<Post>, StoreError> {
    let sql = "SELECT * FROM post WHERE account_id = $1 AND created_at >= $2 AND key NOT LIKE '~%' ORDER BY created_at";
    db.rows(sql, vals![account.0, since]).await?.iter().map(post).collect()
}

/// Until when at least two people wrote to the account within a day, as seen from `now`; `None`: they did not.
pub async fn engaged_until(db: &Db, account: AccountId, now: Time) -> Result<Option<Time>, StoreError> {
    let day = jiff::SignedDuration::from_hours(24);
    let sql = "SELECT MAX(created_at) AS at FROM message WHERE account_id = $1 AND created_at >= $2 AND direction = 'in' \
         GROUP BY author_id ORDER BY at DESC LIMIT 1 OFFSET 1";
    let rows = db.rows(sql, vals![account.0, now.minus(day)]).await?;
    Ok(rows.first().map(|row| row.at("at")).transpose()?.map(|at| at.plus(day)))
}

fn post(row: &Row) -> Result<Post, StoreError> {
    Ok(Post {
        external_id: row.t("external_id")?,
        author: row.word("author", PostAuthor::from_word)?,
        author_id: row.ot("author_id")?,
        created_at: row.at("created_at")?,
        updated_at: row.oat("updated_at")?,
        total: row.oi("total")?,
        permalink: row.ot("permalink")?,
        read_at: row.oat("read_at")?,
    })
}

/// Which of these messages are stored already.
pub async fn known(
    db: &Db,
    account: AccountId,
    wanted: impl IntoIterator<Item = (Object, &str)>,
) -> Result<HashSet<(Object, String)>, StoreError> {
    let wanted: Vec<(Object, &str)> = wanted.into_iter().collect();
    let mut found = HashSet::with_capacity(wanted.len());
    for chunk in wanted.chunks(CHUNK) {
        let sql = format!("SELECT object, key FROM message WHERE account_id = $1 AND {}", among(chunk.len()));
        for row in db.rows_built(built(sql), identities(account, chunk.iter().copied())).await? {
            found.insert((row.word("object", Object::from_word)?, row.t("key")?));
        }
    }
    // What was erased is known, or it would be read again and again.
    let unknown = wanted.iter().copied().filter(|&(object, key)| !found.contains(&(object, key.to_owned()))).collect();
    found.extend(forget::known(db, account, unknown).await?);
    Ok(found)
}

/// When citizens wrote to the account since then, by local day (days since 1970, `offset` east of Greenwich), with how many messages; and
/// when the last of all was written.
pub async fn written_days(
    db: &Db,
    account: AccountId,
    since: Time,
    offset: jiff::SignedDuration,
) -> Result<(Vec<(i64, i64)>, Option<Time>), StoreError> {
    let sql = "SELECT (created_at + $3) / 86400000 AS day, COUNT(*) AS messages, MAX(created_at) AS last FROM message \
         WHERE account_id = $1 AND created_at >= $2 AND direction = 'in' GROUP BY (created_at + $3) / 86400000 ORDER BY day";
    let rows = db.rows(sql, vals![account.0, since, offset.as_millis() as i64]).await?;
    let days = rows.iter().map(|row| Ok((row.i("day")?, row.i("messages")?))).collect::<Result<_, StoreError>>()?;
    Ok((days, rows.last().map(|row| row.at("last")).transpose()?))
}

/// When the newest known message of a conversation was written; `None` if nothing of it is known.
pub async fn last_written(db: &Db, account: AccountId, conversation: &str) -> Result<Option<Time>, StoreError> {
    let sql = "SELECT MAX(m.created_at) AS at FROM message m JOIN thread t ON t.id = m.thread_id \
         WHERE t.account_id = $1 AND t.kind = 'message' AND t.key = $2";
    let rows = db.rows(sql, vals![account.0, conversation]).await?;
    rows.first().map_or(Ok(None), |row| row.oat("at"))
}

/// A thread of which a read is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Whose.
    pub account: AccountId,
    /// Where the account lives.
    pub platform: Platform,
    /// The account's external id.
    pub external_id: String,
    /// What the thread is.
    pub kind: Kind,
    /// Meta's id.
    pub name: String,
    /// The post it stands under (external id).
    pub post: Option<Post>,
}

/// Threads of which a read that begins now is wanted; each is given out once per `again_after`.
pub async fn wanted(db: &Db, now: Time, again_after: jiff::SignedDuration, limit: u32) -> Result<Vec<Wanted>, StoreError> {
    let mut tx = db.write().await?;
    let sql = format!(
        "WITH due AS {}(SELECT id FROM thread WHERE verify_at <= $1 AND (read_began_at IS NULL OR read_began_at < verify_at) \
           AND (verify_tried_at IS NULL OR verify_tried_at <= $2 OR verify_tried_at < verify_at) ORDER BY verify_at LIMIT $3{}) \
         UPDATE thread SET verify_tried_at = $1 WHERE id IN (SELECT id FROM due) RETURNING id",
        if db.skip_locked().is_empty() { "" } else { "MATERIALIZED " },
        db.skip_locked()
    );
    let rows = tx.rows_built(built(sql), vals![now, now.minus(again_after), limit]).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.i("id")).collect::<Result<_, _>>()?;
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let sql = format!(
            "SELECT t.account_id AS owner, a.platform, a.external_id AS account, t.kind, t.name, p.* FROM thread t \
             JOIN account a ON a.id = t.account_id AND a.active = 1 \
             LEFT JOIN post p ON p.account_id = t.account_id AND p.key = COALESCE(t.post_key, t.key) WHERE t.id IN ({})",
            numbered(1, chunk.len())
        );
        for row in tx.rows_built(built(sql), chunk.iter().map(|&id| id.into()).collect()).await? {
            found.push(Wanted {
                account: AccountId(row.i("owner")?),
                platform: row.word("platform", Platform::from_word)?,
                external_id: row.t("account")?,
                kind: row.word("kind", Kind::from_word)?,
                name: row.t("name")?,
                post: if row.ot("author")?.is_some() { Some(post(&row)?) } else { None },
            });
        }
    }
    tx.commit().await?;
    Ok(found)
}

/// The next time at which a read is wanted.
pub async fn next_wanted(db: &Db, now: Time) -> Result<Option<Time>, StoreError> {
    let rows = db.rows("SELECT MIN(verify_at) AS next FROM thread WHERE verify_at > $1", vals![now]).await?;
    rows.first().map_or(Ok(None), |row| row.oat("next"))
}

/// Figures for the metrics page: external id, healthy, seconds since the last whole read.
pub async fn health(db: &Db, now: Time) -> Result<Vec<(String, bool, Option<i64>)>, StoreError> {
    let rows = db.rows("SELECT external_id, healthy, last_read_at FROM account WHERE active = 1 ORDER BY id", vals![]).await?;
    rows.iter()
        .map(|row| Ok((row.t("external_id")?, row.b("healthy")?, row.oat("last_read_at")?.map(|at| now.since(at).as_secs()))))
        .collect()
}

/// Something to tell of an account, or of the site as a whole (`None`), to `operator`.
pub async fn tell(db: &Db, account: Option<AccountId>, kind: AlertKind, what: (Option<Cause>, &str), now: Time) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    tell_in(&mut tx, account, kind, what, now).await?;
    tx.commit().await
}

/// The same in a transaction of the caller's.
pub(super) async fn tell_in(
    tx: &mut Tx,
    account: Option<AccountId>,
    kind: AlertKind,
    (cause, detail): (Option<Cause>, &str),
    now: Time,
) -> Result<(), StoreError> {
    tx.exec(
        "INSERT INTO alert (kind, account_id, policy, at_text, step, notify, late_found, cause, detail, created_at) \
         VALUES ($1, $2, '', '', 0, '[]', 0, $3, $4, $5)",
        vals![kind.word(), account.map(|account| account.0), cause.map(Cause::word), detail, now],
    )
    .await?;
    Ok(())
}

/// Whether some account was read in whole since then.
pub async fn read_since(db: &Db, since: Time) -> Result<bool, StoreError> {
    Ok(!db.rows("SELECT id FROM account WHERE active = 1 AND last_read_at >= $1 LIMIT 1", vals![since]).await?.is_empty())
}
