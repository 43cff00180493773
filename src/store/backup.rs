//! A consistent copy of the database while the daemon writes, and how one is put back (SQLite).

mod restore;

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

pub use restore::{PutBack, restore, staging};
use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{Db, StoreError, db::vals, restored::COPIED};
use crate::domain::Time;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// PostgreSQL has its own tool.
    #[error("only an SQLite database is copied this way; for PostgreSQL use pg_dump")]
    Postgres,
    /// What is to be put back is not what it should be; the database in use was not touched.
    #[error("{path} was not put back: {why}")]
    NoCopy {
        /// The copy.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Nothing is ever overwritten.
    #[error("{0} exists; choose another name or remove it first (a name ending in .tmp is what a broken-off backup leaves)")]
    Exists(PathBuf),
    /// SQLite takes a name only as text.
    #[error("the name of the copy is not UTF-8; choose another name")]
    Name,
    /// The copy could not be written.
    #[error("{path} could not be written: {error}")]
    Io {
        /// The copy.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// SQLite failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where the copy grows until it is whole.
pub fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    name.into()
}

/// How many bytes the copy will have.
pub async fn size(db: &Db) -> Result<u64, BackupError> {
    if !db.is_embedded() {
        return Err(BackupError::Postgres);
    }
    let sql = "SELECT (c.page_count - f.freelist_count) * s.page_size AS bytes
         FROM pragma_page_count() c, pragma_freelist_count() f, pragma_page_size() s";
    let rows = db.rows(sql, vals![]).await?;
    Ok(rows.first().map_or(Ok(0), |row| row.i("bytes"))?.unsigned_abs())
}

/// Writes the whole database to `path`, readable by its owner only. The copy stands under `path` once it is whole and on disk. It knows that
/// it is one, and when it was made; nobody is signed in there, and refreshed tokens are in it only if wanted.
pub async fn backup(db: &Db, path: &Path, tokens: bool, now: Time) -> Result<(), BackupError> {
    if !db.is_embedded() {
        return Err(BackupError::Postgres);
    }
    if path.try_exists().map_err(|error| BackupError::Io { path: path.to_owned(), error })? {
        return Err(BackupError::Exists(path.to_owned()));
    }
    let unfinished = unfinished(path);
    // SQLite fills an empty file, and so keeps its rights
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(unfinished.clone()),
        _ => BackupError::Io { path: unfinished.clone(), error },
    })?;
    let outcome = fill(db, &file, (&unfinished, path), tokens, now).await;
    if outcome.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    outcome
}

async fn fill(db: &Db, file: &File, (unfinished, path): (&Path, &Path), tokens: bool, now: Time) -> Result<(), BackupError> {
    let failed = |error| BackupError::Io { path: path.to_owned(), error };
    db.rows("VACUUM INTO $1", vals![unfinished.to_str().ok_or(BackupError::Name)?]).await?;
    stamp(unfinished, tokens, now).await?;
    file.sync_all().map_err(failed)?;
    fs::rename(unfinished, path).map_err(failed)?;
    on_disk(path).map_err(failed)
}

/// A name is on disk only when its folder is.
fn on_disk(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// A file that is nobody's database yet: one file again when it is closed, and what is deleted in it is gone from it.
async fn alone(file: &Path) -> Result<SqliteConnection, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Delete)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        .disable_statement_logging();
    Ok(options.connect().await?)
}

/// Writes into a copy that it is one, and takes out what it is not to hold.
async fn stamp(copy: &Path, tokens: bool, now: Time) -> Result<(), StoreError> {
    let mut db = alone(copy).await?;
    let mark = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    sqlx::query(mark).bind(COPIED).bind(now.ms().to_string()).execute(&mut db).await?;
    sqlx::query("DELETE FROM session").execute(&mut db).await?;
    if !tokens {
        sqlx::query("DELETE FROM token").execute(&mut db).await?;
    }
    db.close().await?;
    Ok(())
}
