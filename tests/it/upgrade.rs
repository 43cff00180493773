//! A database of an earlier version: everything in it is still there after the upgrade and the daemon works on it; an upgrade that breaks
//! off leaves it as it was. On both databases, from every earlier schema.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf, process::Stdio, time::Duration};

use jiff::SignedDuration;
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, Row as _, SqlSafeStr as _, SqliteConnection,
    migrate::{Migration, MigrationType, Migrator},
};
use tanggap::store::Db;

use crate::{acks, cli::world::World as Program, evidence};

/// A database that no version of this program has opened.
enum Old {
    Sqlite(PathBuf, SqliteConnection),
    Postgres(String, PgConnection),
}

const SQLITE_COLUMNS: &str = "SELECT m.name || ' ' || c.name || ' ' || CASE WHEN c.type = 'INTEGER' THEN 'i' ELSE 't' END || CASE WHEN c.\"notnull\" = 1 OR c.pk > 0
    THEN '!' ELSE '' END AS t FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE '\\_%' ESCAPE '\\'
    AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid";
const POSTGRES_COLUMNS: &str = "SELECT table_name || ' ' || column_name || ' ' || CASE data_type WHEN 'bigint' THEN 'i' ELSE 't' END
    || CASE is_nullable WHEN 'NO' THEN '!' ELSE '' END AS t FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%' ORDER BY table_name, ordinal_position";

/// The numbers of all migrations.
pub fn numbers() -> Vec<i64> {
    files("sqlite").into_keys().collect()
}

fn files(kind: &str) -> BTreeMap<i64, (String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("migrations").join(kind);
    let read = |path: PathBuf| {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (number, name) = stem.split_once('_').unwrap();
        (number.parse().unwrap(), (name.to_owned(), fs::read_to_string(&path).unwrap()))
    };
    fs::read_dir(folder).unwrap().map(|entry| read(entry.unwrap().path())).collect()
}

#[allow(clippy::disallowed_methods, clippy::disallowed_types)] // texts of this repository
fn safe(text: String) -> sqlx::SqlStr {
    AssertSqlSafe(text).into_sql_str()
}

/// The migrations up to this one, as the version of then ran them.
pub fn migrator(kind: &str, last: i64) -> Migrator {
    let these = files(kind).into_iter().filter(|(number, _)| *number <= last);
    let migration =
        |(number, (name, text)): (i64, (String, String))| Migration::new(number, name.into(), MigrationType::Simple, safe(text), false);
    Migrator::with_migrations(these.map(migration).collect())
}

impl Old {
    async fn sqlite(last: i64, folder: &std::path::Path) -> Self {
        let file = folder.join("tanggap.db");
        let mut db = SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", file.display())).await.unwrap();
        migrator("sqlite", last).run_direct(None, &mut db, false).await.unwrap();
        let mut old = Self::Sqlite(file, db);
        old.fill().await;
        old
    }

    async fn postgres(last: i64) -> Self {
        let url = crate::databases::postgres().await;
        let mut db = PgConnection::connect(&url).await.unwrap();
        migrator("postgres", last).run_direct(None, &mut db, false).await.unwrap();
        let mut old = Self::Postgres(url, db);
        old.fill().await;
        old
    }

    fn url(&self) -> String {
        match self {
            Self::Sqlite(file, _) => format!("sqlite://{}", file.display()),
            Self::Postgres(url, _) => url.clone(),
        }
    }

    async fn run(&mut self, sql: String) {
        match self {
            Self::Sqlite(_, db) => drop(sqlx::raw_sql(safe(sql)).execute(db).await.unwrap()),
            Self::Postgres(_, db) => drop(sqlx::raw_sql(safe(sql)).execute(db).await.unwrap()),
        }
    }

    async fn texts(&mut self, sql: String) -> Vec<String> {
        match self {
            Self::Sqlite(_, db) => sqlx::query(safe(sql)).fetch_all(db).await.unwrap().iter().map(|row| row.get("t")).collect(),
            Self::Postgres(_, db) => sqlx::query(safe(sql)).fetch_all(db).await.unwrap().iter().map(|row| row.get("t")).collect(),
        }
    }

    /// Tables with their columns: name, whether a number, whether never null.
    async fn tables(&mut self) -> BTreeMap<String, Vec<(String, bool, bool)>> {
        let columns = if matches!(self, Self::Sqlite(..)) { SQLITE_COLUMNS } else { POSTGRES_COLUMNS };
        let mut tables: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for line in self.texts(columns.into()).await {
            let [table, column, kind] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
            tables.entry(table.into()).or_default().push((column.to_owned(), kind.starts_with('i'), kind.ends_with('!')));
        }
        tables
    }

    /// A row in every table.
    async fn fill(&mut self) {
        let mut sql = String::new();
        for (table, columns) in self.tables().await {
            let needed: Vec<_> = columns.iter().filter(|(_, _, needed)| *needed).collect();
            let names = needed.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>().join(", ");
            let values = needed.iter().map(|(name, number, _)| value(&table, name, *number)).collect::<Vec<_>>().join(", ");
            writeln!(sql, "INSERT INTO {table} ({names}) VALUES ({values});").unwrap();
            if columns.iter().any(|(name, ..)| name == "id") && matches!(self, Self::Postgres(..)) {
                writeln!(sql, "SELECT setval(pg_get_serial_sequence('{table}', 'id'), 1);").unwrap();
            }
        }
        self.run(sql).await;
    }

    /// Every row of these columns, as text.
    async fn dump(&mut self, tables: &BTreeMap<String, Vec<(String, bool, bool)>>) -> Vec<String> {
        let mut rows = Vec::new();
        for (table, columns) in tables {
            let columns: Vec<_> = columns.iter().map(|(name, ..)| format!("COALESCE(CAST({name} AS TEXT), '-')")).collect();
            let found = self.texts(format!("SELECT '{table} ' || {} AS t FROM {table} ORDER BY 1", columns.join(" || ' ' || "))).await;
            assert!(!found.is_empty(), "no row in {table}");
            rows.extend(found);
        }
        rows
    }

    async fn versions(&mut self) -> Vec<i64> {
        let versions = self.texts("SELECT CAST(version AS TEXT) AS t FROM _sqlx_migrations ORDER BY version".into()).await;
        versions.iter().map(|version| version.parse().unwrap()).collect()
    }
}

/// What may stand in a column.
fn value(table: &str, column: &str, number: bool) -> String {
    let text = match (table, column) {
        _ if number => return "1".into(),
        (_, "platform") => "facebook",
        ("alert" | "delivery", "kind") => "ticket.breached",
        ("action", "kind") => "note",
        ("event", "kind") => "opened",
        ("source", "name") | ("gap", "source") => "comments",
        ("concern", "cause") => "silent",
        ("ticket", "state") => "open",
        ("delivery" | "letter", "state") => "delivered",
        ("reply", "state") => "sent",
        ("post", "author") => "own",
        (_, "kind" | "object" | "form") => "comment",
        (_, "direction") => "in",
        (_, "channel") => "smtp",
        (_, "role") => "viewer",
        (_, "attachments" | "reactions" | "tags" | "steps" | "notify" | "opds") => "[]",
        (_, "memo") => "{}",
        _ => "x",
    };
    format!("'{text}'")
}

async fn every_old(folder: &std::path::Path) -> Vec<(i64, Old)> {
    let mut all = Vec::new();
    let newest = *numbers().last().unwrap();
    for last in numbers().into_iter().filter(|number| *number < newest) {
        let own = folder.join(last.to_string());
        fs::create_dir(&own).unwrap();
        all.push((last, Old::sqlite(last, &own).await));
        all.push((last, Old::postgres(last).await));
    }
    all
}

#[tokio::test]
async fn everything_of_an_earlier_version_is_still_there_and_the_daemon_works_on_it() {
    let folder = tempfile::tempdir().unwrap();
    for (last, mut old) in every_old(folder.path()).await {
        let tables = old.tables().await;
        let before = old.dump(&tables).await;
        assert_eq!(old.versions().await.last(), Some(&last));
        let db = Db::open(&old.url()).await.unwrap();
        db.close().await;
        assert_eq!(old.versions().await, numbers(), "from {last}");
        assert_eq!(old.dump(&tables).await, before, "from {last}");

        let mut w = acks::world::World::over(&old.url(), tempfile::tempdir().unwrap()).await;
        assert_eq!(w.ticket("Kapan zirkonkutilang saya jadi?").await, 2, "numbers go on");
        w.pass(SignedDuration::from_mins(241)).await;
        assert_eq!(w.mails.captured().len(), 1, "from {last}");
        assert_eq!(evidence::of(&w.db, 2).await.examine().wrong, Vec::<String>::new());
        if !tables.contains_key("proof") {
            let of_then = evidence::of(&w.db, 1).await;
            assert!(!of_then.entries.is_empty() && of_then.examine().wrong.is_empty(), "proved from the first look after the upgrade on");
        }
        assert!(w.number("SELECT COUNT(*) AS n FROM delivery WHERE state = 'delivered'").await >= 2);
    }
}

#[tokio::test]
async fn an_upgrade_that_breaks_off_leaves_everything_as_it_was_and_goes_through_when_it_can() {
    let folder = tempfile::tempdir().unwrap();
    for (last, mut old) in every_old(folder.path()).await {
        let (tables, versions) = (old.tables().await, old.versions().await);
        let before = old.dump(&tables).await;
        // What the last statement of a migration makes is there already, so that it fails after all the others.
        let (broken, name, made, unmade) = if last < 4 {
            (4, "proof_message", "CREATE INDEX proof_message ON meta (key)", "DROP INDEX proof_message")
        } else {
            (5, "window_warned", "ALTER TABLE ticket ADD COLUMN window_warned TEXT", "ALTER TABLE ticket DROP COLUMN window_warned")
        };
        old.run(made.into()).await;
        let said = Db::open(&old.url()).await.unwrap_err().to_string();
        assert!(said.contains(name), "{said}");
        let after = old.versions().await;
        assert!(after.starts_with(&versions) && !after.contains(&broken), "from {last}: {after:?}");
        let there = old.tables().await;
        assert_eq!(there.contains_key("proof") && there.contains_key("chain"), broken > 4, "from {last}");
        assert_eq!(old.dump(&tables).await, before);
        old.run(unmade.into()).await;
        Db::open(&old.url()).await.unwrap().close().await;
        assert_eq!((old.versions().await, old.dump(&tables).await), (numbers(), before));
    }
}

#[tokio::test]
async fn a_program_killed_at_any_moment_of_an_upgrade_leaves_one_schema_or_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let old = Old::sqlite(1, folder.path()).await;
    let Old::Sqlite(file, db) = old else { return };
    db.close().await.unwrap();
    let world = Program::new().await;
    let mut seen = BTreeMap::new();
    for tries in 0..30 {
        let copy = folder.path().join(format!("{tries}.db"));
        fs::copy(&file, &copy).unwrap();
        let url = format!("sqlite://{}", copy.display());
        let mut command = world.command(&["queue"]);
        let mut child = command.env("TANGGAP__DATABASE__URL", &url).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(4 * tries)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let mut old = Old::Sqlite(copy.clone(), SqliteConnection::connect(&url).await.unwrap());
        let (versions, there) = (old.versions().await, old.tables().await);
        assert_eq!(there.contains_key("proof"), versions.contains(&4));
        assert_eq!(there.contains_key("person"), versions.contains(&2));
        assert_eq!(old.texts("SELECT CAST(id AS TEXT) AS t FROM ticket".into()).await, ["1"]);
        *seen.entry(versions.len()).or_insert(0) += 1;
        Db::open(&url).await.unwrap().close().await;
        assert_eq!(old.versions().await, numbers());
    }
    assert!(seen.contains_key(&1), "killed before it began, at least once: {seen:?}");
}
