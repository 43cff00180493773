//! Who may use the page and the API: people, their sessions, and programs' tokens. Of a secret only its hash is kept.

use jiff::SignedDuration;
use serde::Serialize;

use super::{
    Db, StoreError,
    db::{Row, json, vals},
    trail,
};
use crate::domain::{Role, Scope, Time, time::rfc3339};

/// A session that nobody used for so long is over.
pub const IDLE: SignedDuration = SignedDuration::from_hours(8);
/// So is every one so long after its sign-in.
pub const LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Somebody, or some program, as listings show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Of which OPDs, by their slugs; empty: of all.
    pub opds: Vec<String>,
    /// Since when.
    #[serde(with = "rfc3339")]
    pub created_at: Time,
    /// When it was last used, where that is kept.
    #[serde(with = "rfc3339::option")]
    pub used_at: Option<Time>,
    /// Since when it may not sign in any more.
    #[serde(with = "rfc3339::option")]
    pub ended_at: Option<Time>,
}

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Our number.
    pub id: i64,
    /// The name to sign in with.
    pub name: String,
    /// Argon2id in PHC form; `None`: not by password.
    pub password: Option<String>,
    /// What they may do.
    pub role: Role,
    /// Of which OPDs.
    pub scope: Scope,
}

/// What a name may be given.
#[derive(Clone, Debug)]
pub struct Rights<'a> {
    /// What they may do.
    pub role: Role,
    /// Of which OPDs, by their slugs; empty: of all.
    pub opds: &'a [String],
}

/// Adds somebody who signs in by password, or by the subject of an identity provider. `false` if the name is taken.
pub async fn add(
    db: &Db,
    (name, password, subject): (&str, Option<&str>, Option<&str>),
    rights: &Rights<'_>,
    by: &str,
    now: Time,
) -> Result<bool, StoreError> {
    let mut tx = db.write().await?;
    let sql = "INSERT INTO person (name, password, subject, role, opds, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
               ON CONFLICT DO NOTHING";
    let added = tx.exec(sql, vals![name, password, subject, rights.role.word(), json(&rights.opds), now]).await? == 1;
    if added {
        trail::note(&mut tx, by, "user.added", None, &told(name, rights), now).await?;
    }
    tx.commit().await?;
    Ok(added)
}

fn told(name: &str, rights: &Rights<'_>) -> String {
    let of = if rights.opds.is_empty() { "all OPDs".to_owned() } else { rights.opds.join(", ") };
    format!("{name}, {} of {of}", rights.role)
}

/// Changes role and OPDs of somebody, or a new password; who was signed in is no more. `false` if nobody has the name.
pub async fn change(
    db: &Db,
    name: &str,
    (password, rights): (Option<&str>, Option<&Rights<'_>>),
    by: &str,
    now: Time,
) -> Result<bool, StoreError> {
    let mut tx = db.write().await?;
    if let Some(password) = password {
        tx.exec("UPDATE person SET password = $2 WHERE name = $1", vals![name, password]).await?;
        trail::note(&mut tx, by, "user.password", None, name, now).await?;
    }
    if let Some(rights) = rights {
        tx.exec("UPDATE person SET role = $2, opds = $3 WHERE name = $1", vals![name, rights.role.word(), json(&rights.opds)]).await?;
        trail::note(&mut tx, by, "user.changed", None, &told(name, rights), now).await?;
    }
    let known = !tx.rows("SELECT id FROM person WHERE name = $1", vals![name]).await?.is_empty();
    if known {
        tx.exec("DELETE FROM session WHERE person_id IN (SELECT id FROM person WHERE name = $1)", vals![name]).await?;
        tx.commit().await?;
    }
    Ok(known)
}

/// Lets somebody sign in no more, and ends what they have open. `false` if nobody has the name.
pub async fn end(db: &Db, name: &str, by: &str, now: Time) -> Result<bool, StoreError> {
    let mut tx = db.write().await?;
    let ended = tx.exec("UPDATE person SET ended_at = COALESCE(ended_at, $2) WHERE name = $1", vals![name, now]).await? == 1;
    if ended {
        tx.exec("DELETE FROM session WHERE person_id IN (SELECT id FROM person WHERE name = $1)", vals![name]).await?;
        trail::note(&mut tx, by, "user.ended", None, name, now).await?;
    }
    tx.commit().await?;
    Ok(ended)
}

const PERSON: &str = "p.id, p.name, p.password, p.role, p.opds";

fn person(row: &Row) -> Result<Person, StoreError> {
    Ok(Person {
        id: row.i("id")?,
        name: row.t("name")?,
        password: row.ot("password")?,
        role: row.word("role", Role::from_word)?,
        scope: Scope::of(row.json::<Vec<String>>("opds")?),
    })
}

/// Who signs in by this name.
pub async fn by_name(db: &Db, name: &str) -> Result<Option<Person>, StoreError> {
    let sql = super::db::built(format!("SELECT {PERSON} FROM person p WHERE p.name = $1 AND p.ended_at IS NULL"));
    db.rows_built(sql, vals![name]).await?.first().map(person).transpose()
}

/// Who is known to the identity provider by this subject.
pub async fn by_subject(db: &Db, subject: &str) -> Result<Option<Person>, StoreError> {
    let sql = super::db::built(format!("SELECT {PERSON} FROM person p WHERE p.subject = $1 AND p.ended_at IS NULL"));
    db.rows_built(sql, vals![subject]).await?.first().map(person).transpose()
}

/// Everybody, by name.
pub async fn all(db: &Db) -> Result<Vec<Account>, StoreError> {
    let sql = "SELECT p.name, p.role, p.opds, p.created_at, p.ended_at, (SELECT max(s.used_at) FROM session s WHERE s.person_id = p.id) AS used_at
               FROM person p ORDER BY p.name";
    db.rows(sql, vals![]).await?.iter().map(account).collect()
}

fn account(row: &Row) -> Result<Account, StoreError> {
    Ok(Account {
        name: row.t("name")?,
        role: row.word("role", Role::from_word)?,
        opds: row.json("opds")?,
        created_at: row.at("created_at")?,
        used_at: row.oat("used_at")?,
        ended_at: row.oat("ended_at")?,
    })
}

/// Notes that somebody signed in; what is long over is forgotten on the way.
pub async fn sign_in(db: &Db, who: &Person, hash: &str, now: Time) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    tx.exec("DELETE FROM session WHERE created_at < $1 OR used_at < $2", vals![now.minus(LIFE), now.minus(IDLE)]).await?;
    // Not if the password was changed, or the name ended, while this one was looked at.
    let sql = "INSERT INTO session (hash, person_id, created_at, used_at) SELECT $1, id, $3, $3 FROM person
               WHERE id = $2 AND ended_at IS NULL AND COALESCE(password, '') = $4";
    if tx.exec(sql, vals![hash, who.id, now, who.password.clone().unwrap_or_default()]).await? == 0 {
        return Ok(());
    }
    trail::note(&mut tx, &who.name, "sign_in", None, "", now).await?;
    tx.commit().await
}

/// Whose session this is, if it still holds; `used`: somebody is there, it is not a page that looks anew by itself.
pub async fn signed_in(db: &Db, hash: &str, used: bool, now: Time) -> Result<Option<Person>, StoreError> {
    let sql = super::db::built(format!(
        "SELECT {PERSON}, s.used_at FROM session s JOIN person p ON p.id = s.person_id
          WHERE s.hash = $1 AND s.created_at > $2 AND s.used_at > $3 AND p.ended_at IS NULL"
    ));
    let rows = db.rows_built(sql, vals![hash, now.minus(LIFE), now.minus(IDLE)]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    // Once a minute is exact enough, and spares a write at every request.
    if used && now.since(row.at("used_at")?) >= SignedDuration::from_mins(1) {
        touch(db, "UPDATE session SET used_at = $2 WHERE hash = $1", hash, now).await;
    }
    person(row).map(Some)
}

/// Notes that something was used. Whoever only reads must neither wait for a writer nor fail with a full disk.
async fn touch(db: &Db, sql: &'static str, hash: &str, now: Time) {
    let write = async {
        let mut tx = db.write().await?;
        tx.exec(sql, vals![hash, now]).await?;
        tx.commit().await
    };
    let _: Result<Result<(), StoreError>, _> = tokio::time::timeout(std::time::Duration::from_secs(1), write).await;
}

/// Ends a session.
pub async fn sign_out(db: &Db, hash: &str, by: &str, now: Time) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    if tx.exec("DELETE FROM session WHERE hash = $1", vals![hash]).await? == 1 {
        trail::note(&mut tx, by, "sign_out", None, "", now).await?;
    }
    tx.commit().await
}

/// A program that may use the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Of which OPDs.
    pub scope: Scope,
}

/// Adds a program's token. `false` if the name is taken, also by one that was revoked: the trail tells them apart by it.
pub async fn add_token(db: &Db, name: &str, hash: &str, rights: &Rights<'_>, by: &str, now: Time) -> Result<bool, StoreError> {
    let mut tx = db.write().await?;
    let sql = "INSERT INTO api_token (name, hash, role, opds, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    let added = tx.exec(sql, vals![name, hash, rights.role.word(), json(&rights.opds), now]).await? == 1;
    if added {
        trail::note(&mut tx, by, "token.created", None, &told(name, rights), now).await?;
    }
    tx.commit().await?;
    Ok(added)
}

/// Revokes a token. `false` if there is none of this name.
pub async fn end_token(db: &Db, name: &str, by: &str, now: Time) -> Result<bool, StoreError> {
    let mut tx = db.write().await?;
    let ended = tx.exec("UPDATE api_token SET ended_at = COALESCE(ended_at, $2) WHERE name = $1", vals![name, now]).await? == 1;
    if ended {
        trail::note(&mut tx, by, "token.revoked", None, name, now).await?;
    }
    tx.commit().await?;
    Ok(ended)
}

/// Every token, by name.
pub async fn tokens(db: &Db) -> Result<Vec<Account>, StoreError> {
    let sql = "SELECT name, role, opds, created_at, used_at, ended_at FROM api_token ORDER BY name";
    db.rows(sql, vals![]).await?.iter().map(account).collect()
}

/// Whose token this is, if it holds.
pub async fn program(db: &Db, hash: &str, now: Time) -> Result<Option<Program>, StoreError> {
    let rows = db.rows("SELECT name, role, opds, used_at FROM api_token WHERE hash = $1 AND ended_at IS NULL", vals![hash]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    if row.oat("used_at")?.is_none_or(|at| now.since(at) >= SignedDuration::from_mins(1)) {
        touch(db, "UPDATE api_token SET used_at = $2 WHERE hash = $1", hash, now).await;
    }
    let scope = Scope::of(row.json::<Vec<String>>("opds")?);
    Ok(Some(Program { name: row.t("name")?, role: row.word("role", Role::from_word)?, scope }))
}
