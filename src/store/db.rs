//! SQLite or PostgreSQL behind one SQL text: connections, the one way to write, values in and rows out.
//!
//! A statement is written once, with `$1` placeholders, in the subset both databases read alike. Values and rows
//! are three types (integer, text, float); everything else is made of them here.

mod gate;
mod row;

use std::{
    fs::{File, TryLockError},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

pub use gate::Gate;
pub(crate) use row::vals;
pub use row::{Row, Val};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection, SqlSafeStr as _, SqlStr, Sqlite,
    migrate::{Migration, MigrationType, Migrator},
    postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions},
    sqlite::{
        SqliteArguments, SqliteAutoVacuum, SqliteConnectOptions, SqliteError, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
        SqliteSynchronous,
    },
};

/// The newest bundled library that is free of the WAL-reset bug (sqlite.org/changes.html, 3.51.3).
const SQLITE_AT_LEAST: (u32, u32, u32) = (3, 51, 3);
/// Rows of a multi-row statement: more brings nothing and makes statements the cache cannot hold.
pub(super) const CHUNK: usize = 50;

/// How often, and how many times, it is asked whether the turn to open a SQLite file has come.
const TURN_EVERY: Duration = Duration::from_millis(10);
const TURN_TRIES: u32 = 1_000;

/// A statement of PostgreSQL, all told. The longest of a site with a year of data takes a tenth of it.
const STATEMENT: Duration = Duration::from_secs(20);
/// A connection to PostgreSQL, waited for.
const CONNECTION: Duration = Duration::from_secs(10);
/// Whether a connection that was idle still lives.
const PING: Duration = Duration::from_secs(2);
/// A connection that was idle for less is not asked: it was asked when it was given back.
const FRESH: Duration = Duration::from_secs(1);
/// How long connections may take to say farewell.
const CLOSE: Duration = Duration::from_secs(2);
/// What PostgreSQL's end does with a line of ours that fell silent: a transaction that nobody ends would hold its rows for hours.
const SERVER_BOUNDS: &str = "SELECT set_config(name, value, false) FROM (VALUES ('idle_in_transaction_session_timeout', '60s'),
     ('tcp_keepalives_idle', '30'), ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '60s'),
     ('client_min_messages', 'error'))
     AS bound (name, value)";

/// Every migration: number, name, text for SQLite, text for PostgreSQL.
const MIGRATIONS: [(i64, &str, &str, &str); 5] = [
    (1, "start", include_str!("../../migrations/sqlite/0001_start.sql"), include_str!("../../migrations/postgres/0001_start.sql")),
    (2, "board", include_str!("../../migrations/sqlite/0002_board.sql"), include_str!("../../migrations/postgres/0002_board.sql")),
    (3, "forget", include_str!("../../migrations/sqlite/0003_forget.sql"), include_str!("../../migrations/postgres/0003_forget.sql")),
    (4, "proof", include_str!("../../migrations/sqlite/0004_proof.sql"), include_str!("../../migrations/postgres/0004_proof.sql")),
    (5, "window", include_str!("../../migrations/sqlite/0005_window.sql"), include_str!("../../migrations/postgres/0005_window.sql")),
];

/// The number of the newest migration this version knows.
pub(super) const NEWEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// What went wrong with the database, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The statement or the connection failed.
    #[error("the database does not answer as it should: {0}")]
    Sql(#[from] sqlx::Error),
    /// The server cannot be reached, or said nothing in time: nothing is known of a write that was under way, the same work is tried again.
    #[error("the database cannot be reached: {0}")]
    Lost(String),
    /// The disk is full: nothing was written, the same work is tried again.
    #[error("the disk of the database is full: nothing of this was stored; make room, the work goes on by itself")]
    DiskFull,
    /// The schema is newer than this program.
    #[error("the database was written by a newer tanggap (migration {0}); install that version again or restore the backup made before it")]
    Newer(i64),
    /// A migration failed.
    #[error("the database could not be brought to this version: {0}")]
    Migrate(sqlx::migrate::MigrateError),
    /// The URL is neither of the two.
    #[error("database.url must begin with sqlite:// or postgres://")]
    Url,
    /// Another daemon works on the same SQLite file.
    #[error("another tanggap runs on this database, {0}, or its lock {0}.daemon can't be made ({1}): stop the other one first")]
    NotAlone(String, std::io::Error),
    /// SQLite is older than the bundled one.
    #[error("the SQLite library is {0}; at least 3.51.3 is needed (older ones can corrupt a WAL database)")]
    OldSqlite(String),
    /// A `db copy` into it was broken off.
    #[error("a copy into this database was broken off, and not everything is there: run the same `tanggap db copy` again, it goes on")]
    Unfinished,
    /// A row holds what this version does not know.
    #[error("the database holds {what} that this version does not know: {value:?}")]
    Unknown {
        /// Which column.
        what: &'static str,
        /// Its content.
        value: String,
    },
    /// A lease was lost to another worker; the result was not written.
    #[error("the lease was taken by another worker; nothing of this result was stored")]
    Fenced,
}

impl StoreError {
    fn of(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
        match (&error, code.as_deref()) {
            (_, Some("13" | "53100")) => Self::DiskFull,
            // Of SQLite: the disk under it fails, or no longer has the file. A full one may say so where the log's index wants to grow.
            (sqlx::Error::Database(it), Some(code)) if it.try_downcast_ref::<SqliteError>().is_some() && disk_fails(code) => {
                Self::Lost(error.to_string())
            }
            // Of PostgreSQL: connections (08), too many of them (53300), a server that stops, starts or broke down (57P01 to 57P03), and
            // bounds of ours that its end of a broken line kept (25P03, 57P05).
            (_, Some("53300" | "57P01" | "57P02" | "57P03" | "57P05" | "25P03")) => Self::Lost(error.to_string()),
            (_, Some(code)) if code.len() == 5 && code.starts_with("08") => Self::Lost(error.to_string()),
            (
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_) // the line was cut between two words
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed // the program stops
                | sqlx::Error::WorkerCrashed,
                _,
            ) => Self::Lost(error.to_string()),
            _ => Self::Sql(error),
        }
    }

    /// Whether it is the whole database that fails, for everybody and everything: it cannot be reached, or its disk is full.
    pub const fn is_outage(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::DiskFull)
    }
}

/// Whether a code of SQLite is of the families IOERR or CANTOPEN (sqlite.org/rescode.html).
fn disk_fails(code: &str) -> bool {
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 10 | 14))
}

/// The outcome of what was asked of a server, which may never answer: its end of the line may be gone without a word.
async fn answer<T>(asked: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
    match tokio::time::timeout(STATEMENT, Box::pin(asked)).await {
        Ok(answered) => answered.map_err(StoreError::of),
        Err(_) => Err(StoreError::Lost(format!("no answer within {} s", STATEMENT.as_secs()))),
    }
}

/// A value as the JSON text of a column.
pub(super) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// An open database.
#[derive(Clone, Debug)]
pub struct Db {
    pool: Pool,
    gate: Option<Arc<dyn Gate>>,
}

#[derive(Clone, Debug)]
enum Pool {
    /// Embedded: one connection that writes, a few that read.
    Sqlite { writer: SqlitePool, reader: SqlitePool },
    /// A server.
    Postgres(PgPool),
}

/// A write transaction. Dropped without [`Tx::commit`] it leaves nothing behind.
pub struct Tx {
    open: Open,
    gate: Option<Arc<dyn Gate>>,
}

enum Open {
    /// `BEGIN IMMEDIATE`.
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    /// Read committed; rows are claimed by `FOR UPDATE SKIP LOCKED`.
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

/// The same function for each driver's arguments.
macro_rules! arguments {
    ($name:ident, $type:ty) => {
        fn $name(vals: Vec<Val>) -> Result<$type, StoreError> {
            use sqlx::Arguments as _;
            let mut args = <$type>::default();
            for val in vals {
                match val {
                    Val::I(v) => args.add(v),
                    Val::T(v) => args.add(v),
                }
                .map_err(|e| StoreError::of(sqlx::Error::Encode(e)))?;
            }
            Ok(args)
        }
    };
}
arguments!(sqlite_args, SqliteArguments);
arguments!(postgres_args, PgArguments);

/// SQL made in this folder from constant parts and numbers of placeholders; never from outside text.
pub(super) fn built(sql: String) -> SqlStr {
    #[allow(clippy::disallowed_methods, clippy::disallowed_types)] // the one place
    AssertSqlSafe(sql).into_sql_str()
}

/// `$from,$from+1,…`
pub(super) fn numbered(from: usize, count: usize) -> String {
    (from..from + count).map(|i| format!("${i}")).collect::<Vec<_>>().join(",")
}

/// `($1,$2),($3,$4)` for `rows` rows of `columns` columns.
pub(super) fn placeholders(rows: usize, columns: usize) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(rows * columns * 5);
    for row in 0..rows {
        out.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..columns {
            let _ = write!(out, "{}${}", if column == 0 { "" } else { "," }, row * columns + column + 1);
        }
        out.push(')');
    }
    out
}

impl Db {
    /// Opens the database and brings it to this version. The SQLite file is made if missing, readable by its owner only.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::opened(url, true).await
    }

    /// Opens a database that must exist, for commands beside the daemon, and brings it to this version.
    pub async fn open_existing(url: &str) -> Result<Self, StoreError> {
        Self::opened(url, false).await
    }

    async fn opened(url: &str, create: bool) -> Result<Self, StoreError> {
        let db = Self::migrated(url, create).await?;
        if db.is_unfinished().await? { Err(StoreError::Unfinished) } else { Ok(db) }
    }

    /// Whether a copy into it was begun and has not ended (`copy`).
    pub(super) async fn is_unfinished(&self) -> Result<bool, StoreError> {
        let copying = "SELECT 1 AS one FROM pg_tables WHERE tablename = 'copying' AND schemaname = current_schema()";
        Ok(!self.is_embedded() && !self.rows(copying, vals![]).await?.is_empty())
    }

    /// Opens a database into which another is being copied.
    pub async fn open_unfinished(url: &str) -> Result<Self, StoreError> {
        Self::migrated(url, false).await
    }

    async fn migrated(url: &str, create: bool) -> Result<Self, StoreError> {
        let _turn = turn(url).await;
        let db = Self::connect(url, create).await?;
        db.migrate().await?;
        Ok(db)
    }

    /// The same database, whose transactions all pass through `gate` from now on.
    #[must_use]
    pub fn gated(self, gate: Arc<dyn Gate>) -> Self {
        Self { gate: Some(gate), ..self }
    }

    /// Whether it is a SQLite file.
    pub const fn is_embedded(&self) -> bool {
        matches!(self.pool, Pool::Sqlite { .. })
    }

    /// Whether there certainly is no such database: a SQLite file that no daemon has made yet. What cannot be told is not absent.
    pub fn is_absent(url: &str) -> bool {
        Self::file(url).is_some_and(|file| matches!(file.try_exists(), Ok(false)))
    }

    /// The file of a SQLite database.
    pub fn file(url: &str) -> Option<PathBuf> {
        let options = url.starts_with("sqlite:").then(|| SqliteConnectOptions::from_str(url).ok()).flatten();
        options.map(|options| options.get_filename().to_owned())
    }

    /// The files that make up a SQLite database, and those a daemon keeps beside it: the database itself first, its sign of life last.
    pub fn files(url: &str) -> Option<[PathBuf; 6]> {
        let file = Self::file(url)?;
        Some(["", "-wal", "-shm", "-journal", ".daemon", ".beat"].map(|end| {
            let mut name = file.as_os_str().to_owned();
            name.push(end);
            name.into()
        }))
    }

    /// Makes this process the only daemon on a SQLite file, for as long as the value lives; the system lets go of it when the process
    /// dies. On PostgreSQL several workers share the accounts by leases, so there it is `None`.
    pub fn sole(url: &str) -> Result<Option<File>, StoreError> {
        if !url.starts_with("sqlite:") {
            return Ok(None);
        }
        let options = SqliteConnectOptions::from_str(url).map_err(StoreError::of)?;
        let taken = |error: std::io::Error| StoreError::NotAlone(options.get_filename().display().to_string(), error);
        let path = options.get_filename().with_added_extension("daemon");
        let lock = File::options().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(taken)?;
        lock.try_lock().map_err(|error| taken(error.into()))?;
        Ok(Some(lock))
    }

    async fn connect(url: &str, create: bool) -> Result<Self, StoreError> {
        if url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(url)
                .map_err(StoreError::of)?
                .create_if_missing(create)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(10))
                .pragma("wal_autocheckpoint", "2000")
                .pragma("journal_size_limit", "67108864")
                .pragma("cache_size", "-8192")
                .pragma("temp_store", "MEMORY")
                .pragma("secure_delete", "ON") // what is erased is overwritten in its page
                .row_buffer_size(1_000) // answers are fetched whole: by default the worker would pause after every fifty rows
                .disable_statement_logging();
            if create {
                private(options.get_filename());
            }
            // On a full disk SQLite ends a transaction by itself (sqlite.org/lang_transaction.html), and sqlx would count it for ever:
            // a connection that is said to be in one when it is given back is replaced.
            let writer = SqlitePoolOptions::new()
                .max_connections(1)
                .after_release(|connection, _| Box::pin(async { Ok(connection.ping().await.is_ok() && !connection.is_in_transaction()) }))
                .idle_timeout(None)
                .max_lifetime(None)
                .acquire_timeout(Duration::from_secs(30))
                .connect_with(options.clone().auto_vacuum(SqliteAutoVacuum::Incremental).optimize_on_close(true, 400))
                .await
                .map_err(StoreError::of)?;
            let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&writer).await.map_err(StoreError::of)?;
            if !new_enough(&version) {
                return Err(StoreError::OldSqlite(version));
            }
            let reader = SqlitePoolOptions::new()
                .max_connections(3)
                .idle_timeout(None)
                .max_lifetime(None)
                .connect_lazy_with(options.read_only(true));
            Ok(Self { pool: Pool::Sqlite { writer, reader }, gate: None })
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(url).map_err(StoreError::of)?.application_name("tanggap").disable_statement_logging();
            // Connections are looked at by us and not by the pool, which would wait for an answer without end.
            let pool = PgPoolOptions::new()
                .max_connections(8)
                .acquire_timeout(CONNECTION)
                .acquire_slow_threshold(CONNECTION) // said by whoever needed it
                .test_before_acquire(false)
                .after_connect(|connection, _| Box::pin(async { connection.execute(SERVER_BOUNDS).await.map(drop) }))
                .before_acquire(|connection, about| Box::pin(async move { Ok(about.idle_for < FRESH || lives(connection).await) }))
                .after_release(|connection, _| Box::pin(async { Ok(lives(connection).await) }))
                .connect_with(options)
                .await;
            Ok(Self { pool: Pool::Postgres(pool.map_err(StoreError::of)?), gate: None })
        } else {
            Err(StoreError::Url)
        }
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        use sqlx::migrate::MigrateError;
        let migrator = |pick: fn((&'static str, &'static str)) -> &'static str| {
            Migrator::with_migrations(
                MIGRATIONS
                    .iter()
                    .map(|&(number, name, sqlite, postgres)| {
                        Migration::new(number, name.into(), MigrationType::Simple, pick((sqlite, postgres)).into_sql_str(), false)
                    })
                    .collect(),
            )
        };
        let outcome = match &self.pool {
            Pool::Sqlite { writer, .. } => migrator(|(sqlite, _)| sqlite).run(writer).await,
            Pool::Postgres(pool) => migrator(|(_, postgres)| postgres).run(pool).await,
        };
        outcome.map_err(|error| match error {
            MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _) => StoreError::Newer(version),
            MigrateError::Execute(error) => StoreError::of(error),
            other => StoreError::Migrate(other),
        })
    }

    /// Rows of a reading statement.
    pub async fn rows(&self, sql: &'static str, vals: Vec<Val>) -> Result<Vec<Row>, StoreError> {
        self.rows_built(sql.into_sql_str(), vals).await
    }

    pub(super) async fn rows_built(&self, sql: SqlStr, vals: Vec<Val>) -> Result<Vec<Row>, StoreError> {
        match &self.pool {
            Pool::Sqlite { reader, .. } => {
                let rows = sqlx::query_with(sql, sqlite_args(vals)?).fetch_all(reader).await.map_err(StoreError::of)?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Pool::Postgres(pool) => {
                let rows = answer(sqlx::query_with(sql, postgres_args(vals)?).fetch_all(pool)).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// Begins a write. On SQLite it waits for the one writer (`BEGIN IMMEDIATE`).
    pub async fn write(&self) -> Result<Tx, StoreError> {
        if let Some(gate) = &self.gate {
            gate.begin().await?;
        }
        let open = match &self.pool {
            Pool::Sqlite { writer, .. } => Open::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await.map_err(StoreError::of)?),
            #[allow(clippy::disallowed_methods)] // the one place
            Pool::Postgres(pool) => Open::Postgres(answer(pool.begin()).await?),
        };
        Ok(Tx { open, gate: self.gate.clone() })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.rows("SELECT 1 AS one", vals![]).await.map(drop)
    }

    /// Makes what was erased vanish from the write-ahead log too, which otherwise holds older pages until it is written over; whether nobody
    /// who reads kept it. PostgreSQL has no such step: there autovacuum and the archives of its log decide.
    pub async fn scrub(&self) -> Result<bool, StoreError> {
        match &self.pool {
            Pool::Sqlite { writer, .. } => {
                let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(writer).await.map_err(StoreError::of)?;
                Ok(Row::Sqlite(row).i("busy")? == 0)
            }
            Pool::Postgres(_) => Ok(true),
        }
    }

    /// Closes every connection; SQLite folds its write-ahead log into the file.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Sqlite { writer, reader } => {
                reader.close().await;
                writer.close().await;
            }
            // A courtesy, which a line that fell silent would keep waiting without end.
            Pool::Postgres(pool) => {
                let _ = tokio::time::timeout(CLOSE, pool.close()).await;
            }
        }
    }

    /// ` FOR UPDATE SKIP LOCKED` where the database has it; SQLite's one writer needs none.
    pub(super) const fn skip_locked(&self) -> &'static str {
        match &self.pool {
            Pool::Sqlite { .. } => "",
            Pool::Postgres(_) => " FOR UPDATE SKIP LOCKED",
        }
    }
}

impl Tx {
    /// Rows of a statement (`SELECT`, or a write with `RETURNING`).
    pub async fn rows(&mut self, sql: &'static str, vals: Vec<Val>) -> Result<Vec<Row>, StoreError> {
        self.rows_built(sql.into_sql_str(), vals).await
    }

    pub(super) async fn rows_built(&mut self, sql: SqlStr, vals: Vec<Val>) -> Result<Vec<Row>, StoreError> {
        match &mut self.open {
            Open::Sqlite(tx) => {
                let rows = sqlx::query_with(sql, sqlite_args(vals)?).fetch_all(&mut **tx).await.map_err(StoreError::of)?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Open::Postgres(tx) => {
                let rows = answer(sqlx::query_with(sql, postgres_args(vals)?).fetch_all(&mut **tx)).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// How many rows a write changed.
    pub async fn exec(&mut self, sql: &'static str, vals: Vec<Val>) -> Result<u64, StoreError> {
        self.exec_built(sql.into_sql_str(), vals).await
    }

    pub(super) async fn exec_built(&mut self, sql: SqlStr, vals: Vec<Val>) -> Result<u64, StoreError> {
        match &mut self.open {
            Open::Sqlite(tx) => {
                Ok(sqlx::query_with(sql, sqlite_args(vals)?).execute(&mut **tx).await.map_err(StoreError::of)?.rows_affected())
            }
            Open::Postgres(tx) => Ok(answer(sqlx::query_with(sql, postgres_args(vals)?).execute(&mut **tx)).await?.rows_affected()),
        }
    }

    /// Makes it durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        let Self { open, gate } = self;
        let commit = async {
            match open {
                Open::Sqlite(tx) => tx.commit().await.map_err(StoreError::of),
                Open::Postgres(tx) => answer(tx.commit()).await,
            }
        };
        match gate {
            None => commit.await,
            Some(gate) => gate.commit(Box::pin(commit)).await,
        }
    }

    /// `rows` rows of `columns` columns for a statement that takes no other value. SQLite looks a numbered placeholder up in a list
    /// of all of them for every value it is given: with hundreds that costs more than the statement, so there they have no numbers.
    pub(super) fn values(&self, rows: usize, columns: usize) -> String {
        match self.open {
            Open::Sqlite(_) => vec![format!("({})", vec!["?"; columns].join(",")); rows].join(","),
            Open::Postgres(_) => placeholders(rows, columns),
        }
    }

    /// See [`Db::is_embedded`].
    pub(super) const fn is_embedded(&self) -> bool {
        matches!(self.open, Open::Sqlite(_))
    }

    /// See [`Db::skip_locked`].
    pub(super) const fn skip_locked(&self) -> &'static str {
        match self.open {
            Open::Sqlite(_) => "",
            Open::Postgres(_) => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// Until this transaction ends nobody else reads in or judges anything of these accounts: side by side, neither would see what the
    /// other has not committed, and a thread that both concern would not be looked at again. Whether it may have waited for another one,
    /// so that what was read before may be old; SQLite has one writer anyway.
    pub(super) async fn alone(&mut self, accounts: &[i64]) -> Result<bool, StoreError> {
        if matches!(self.open, Open::Sqlite(_)) {
            return Ok(false);
        }
        for chunk in accounts.chunks(CHUNK) {
            let sql = format!("SELECT id FROM account WHERE id IN ({}) ORDER BY id FOR UPDATE", numbered(1, chunk.len()));
            self.rows_built(built(sql), chunk.iter().map(|&id| id.into()).collect()).await?;
        }
        Ok(true)
    }
}

async fn lives(connection: &mut PgConnection) -> bool {
    tokio::time::timeout(PING, connection.ping()).await.is_ok_and(|answered| answered.is_ok())
}

fn new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next()) >= SQLITE_AT_LEAST
}

/// Held while a SQLite file is opened and brought to this version: two programs doing so at once refuse each other. It is the folder that
/// is locked, since closing a second handle on the file itself would drop SQLite's own locks (sqlite.org/howtocorrupt.html, 2.2). Who
/// can't have it goes on without; PostgreSQL's migrations take turns by themselves.
async fn turn(url: &str) -> Option<File> {
    let file = url.starts_with("sqlite:").then(|| SqliteConnectOptions::from_str(url).ok())??;
    let folder = file.get_filename().parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = File::open(folder).ok()?;
    for _ in 0..TURN_TRIES {
        match folder.try_lock() {
            Ok(()) => return Some(folder),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(TURN_EVERY).await,
            Err(TryLockError::Error(_)) => return None,
        }
    }
    None
}

/// Makes a missing database file with rights for its owner only, before SQLite makes it with the process's umask.
fn private(file: &Path) {
    let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
}
