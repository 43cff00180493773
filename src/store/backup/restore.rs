//! A copy takes the place of the database: examined before anything is touched, the old one kept under another name, nothing of its
//! write-ahead log left beside the new one, which SQLite would take for its own.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::{BackupError, alone, on_disk};
use crate::{
    domain::Time,
    store::{Db, StoreError, db::NEWEST, restored::COPIED},
};

/// What was put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutBack {
    /// As of when the copy is.
    pub of: Time,
    /// Where the database that was in use is now, if there was one.
    pub aside: Option<PathBuf>,
}

/// The same name with an end.
fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Where the copy is examined before it takes its place.
pub fn staging(file: &Path) -> PathBuf {
    with(file, ".restoring")
}

/// Puts `copy` in place of the database at `url`, unless a daemon runs there. The copy itself is left as it is; a daemon that starts on what
/// was put back knows it ([`crate::store::restored`]).
pub async fn restore(url: &str, copy: &Path, now: Time) -> Result<PutBack, BackupError> {
    let file = Db::file(url).ok_or(BackupError::Postgres)?;
    let _sole = Db::sole(url)?;
    let staging = staging(&file);
    clear(&staging);
    let outcome = place(&file, &staging, copy, now).await;
    if outcome.is_err() {
        clear(&staging);
    }
    outcome
}

/// What a broken-off attempt left.
fn clear(staging: &Path) {
    for end in ["", "-wal", "-shm", "-journal"] {
        let _ = fs::remove_file(with(staging, end));
    }
}

async fn place(file: &Path, staging: &Path, copy: &Path, now: Time) -> Result<PutBack, BackupError> {
    let no_copy = |why: String| BackupError::NoCopy { path: copy.to_owned(), why };
    let failed = |error| BackupError::Io { path: file.to_owned(), error };
    let written_at = fetch(copy, staging).map_err(|error| no_copy(error.to_string()))?;
    let of = match examine(staging, written_at.unwrap_or(now)).await? {
        Ok(of) => of,
        Err(why) => return Err(no_copy(why)),
    };
    File::open(staging).and_then(|file| file.sync_all()).map_err(failed)?;
    let aside = set_aside(file, now).await.map_err(failed)?;
    fs::rename(staging, file).map_err(failed)?;
    on_disk(file).map_err(failed)?;
    Ok(PutBack { of, aside })
}

/// Copies the copy, and its write-ahead log if it was a database in use; when it was written.
fn fetch(copy: &Path, staging: &Path) -> io::Result<Option<Time>> {
    let mut written_at = None;
    for end in ["", "-wal"] {
        let mut from = match File::open(with(copy, end)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !end.is_empty() => continue,
            opened => opened?,
        };
        let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(with(staging, end))?;
        io::copy(&mut from, &mut to)?;
        let modified = from.metadata()?.modified()?.duration_since(UNIX_EPOCH).ok();
        written_at = written_at.max(modified.and_then(|since| Time::from_ms(since.as_millis() as i64)));
    }
    Ok(written_at)
}

/// Whether it is whole, a database of tanggap and not a newer one's; then marks it and says as of when it is. `Err`: what it is instead.
async fn examine(staging: &Path, written_at: Time) -> Result<Result<Time, String>, StoreError> {
    let mut db = match alone(staging).await {
        Ok(db) => db,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let outcome = examined(&mut db, written_at).await;
    db.close().await?;
    match outcome {
        Err(StoreError::Sql(error)) => Ok(Err(format!("SQLite says: {error}"))),
        outcome => outcome,
    }
}

async fn examined(db: &mut SqliteConnection, written_at: Time) -> Result<Result<Time, String>, StoreError> {
    let found = sqlx::query("PRAGMA integrity_check").fetch_one(&mut *db).await?;
    let found: String = found.try_get(0)?;
    if found != "ok" {
        return Ok(Err(format!("it is damaged: {found}")));
    }
    let tables = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name IN ('_sqlx_migrations', 'meta', 'account', 'ticket')";
    let tables: i64 = sqlx::query_scalar(tables).fetch_one(&mut *db).await?;
    if tables != 4 {
        return Ok(Err("it is no database of tanggap".into()));
    }
    let version: Option<i64> = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(&mut *db).await?;
    if let Some(newer) = version.filter(|version| *version > NEWEST) {
        return Err(StoreError::Newer(newer));
    }
    let known = "SELECT value FROM meta WHERE key IN ($1, 'beat') ORDER BY key DESC";
    let known: Vec<String> = sqlx::query_scalar(known).bind(COPIED).fetch_all(&mut *db).await?;
    let of = known.iter().find_map(|text| Time::from_ms(text.parse().ok()?)).unwrap_or(written_at);
    let mark = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
    sqlx::query(mark).bind(COPIED).bind(of.ms().to_string()).execute(&mut *db).await?;
    Ok(Ok(of))
}

/// Gives the database in use another name, whole, and leaves nothing of it beside its old one.
async fn set_aside(file: &Path, now: Time) -> io::Result<Option<PathBuf>> {
    if !file.try_exists()? {
        for end in ["-wal", "-shm", "-journal"] {
            remove(&with(file, end))?;
        }
        return Ok(None);
    }
    // What its write-ahead log holds goes into the file, if it is whole enough for that.
    if let Ok(db) = alone(file).await {
        let _ = db.close().await;
    }
    let stem = format!(".before-{}", now.rfc3339().replace([':', '-'], ""));
    let ends = std::iter::once(stem.clone()).chain((2..).map(|n| format!("{stem}-{n}")));
    let aside = ends.map(|end| with(file, &end)).find(|path| !path.exists()).unwrap_or_else(|| with(file, &stem));
    // A second name first, so that a database stands under the old one at every moment.
    if fs::hard_link(file, &aside).is_err() {
        fs::rename(file, &aside)?;
    }
    remove(&with(file, "-shm"))?;
    for end in ["-wal", "-journal"] {
        match fs::rename(with(file, end), with(&aside, end)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(Some(aside))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
