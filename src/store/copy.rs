//! Everything of a SQLite database into an empty PostgreSQL one, in steps that go on where they were broken off, and compared at the end.

use sha2::{Digest as _, Sha256};
use sqlx::SqlStr;

use super::{
    Db, StoreError,
    db::{Row, Val, built, numbered, vals},
};

/// Rows of a step.
const STEP: usize = 2_000;
/// What is known of a copy under way stands in a table of its own, in which database it ends; a daemon refuses to start on such a one.
const MARKS: &str = "CREATE TABLE IF NOT EXISTS copying (name TEXT NOT NULL PRIMARY KEY, after TEXT NOT NULL)";
/// The name under which the source stands among the marks.
const SOURCE: &str = "";

/// Why nothing, or not all, was copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The two databases are not of these kinds.
    #[error("a copy goes from the SQLite database that database.url names to PostgreSQL (postgres://…)")]
    Kind,
    /// There is something already.
    #[error("the database to copy to is not empty: its table {0} holds rows; name an empty one")]
    NotEmpty(String),
    /// The copy there was begun from another source.
    #[error("the database to copy to holds a broken-off copy of another database; name an empty one")]
    Other,
    /// The copy is not what was copied.
    #[error("the table {0} is not the same on both sides though it was copied twice: is the daemon stopped, and does nobody else write?")]
    Differs(String),
    /// A database failed.
    #[error("{0}; run the same command again, it goes on where it was broken off")]
    Store(#[from] StoreError),
}

struct Column {
    name: String,
    integer: bool,
    /// Its place in the primary key; 0: none.
    key: i64,
}

/// A table of the source.
pub struct Table {
    /// Its name.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    columns: Vec<Column>,
    /// Places of the columns of its primary key, in the key's order.
    key: Vec<usize>,
}

impl Table {
    fn names(&self) -> String {
        self.columns.iter().map(|column| format!("\"{}\"", column.name)).collect::<Vec<_>>().join(",")
    }
    fn key_names(&self) -> String {
        self.key.iter().map(|&at| format!("\"{}\"", self.columns[at].name)).collect::<Vec<_>>().join(",")
    }
    /// The next rows after a key, or the first.
    fn step(&self, after: bool) -> SqlStr {
        let (names, key) = (self.names(), self.key_names());
        let follows = if after { format!("WHERE ({key}) > ({})", numbered(1, self.key.len())) } else { String::new() };
        built(format!("SELECT {names} FROM \"{}\" {follows} ORDER BY {key} LIMIT {STEP}", self.name))
    }
    /// Rows given as one JSON text.
    fn insert(&self) -> SqlStr {
        let (name, names) = (&self.name, self.names());
        built(format!("INSERT INTO \"{name}\" ({names}) SELECT {names} FROM json_populate_recordset(NULL::\"{name}\", CAST($1 AS json))"))
    }
    fn read(&self, row: &Row) -> Result<Vec<serde_json::Value>, StoreError> {
        let value = |column: &Column| {
            Ok(if column.integer { serde_json::to_value(row.oi(&column.name)?) } else { serde_json::to_value(row.ot(&column.name)?) }
                .unwrap_or_default())
        };
        self.columns.iter().map(value).collect()
    }
    fn key_of(&self, row: &[serde_json::Value]) -> Vec<Val> {
        let val =
            |&at: &usize| if self.columns[at].integer { Val::I(row[at].as_i64()) } else { Val::T(row[at].as_str().map(str::to_owned)) };
        self.key.iter().map(val).collect()
    }
}

/// The tables of the source, with their rows.
pub async fn tables(from: &Db, to: &Db) -> Result<Vec<Table>, CopyError> {
    if !from.is_embedded() || to.is_embedded() {
        return Err(CopyError::Kind);
    }
    let columns = "SELECT m.name AS of, c.name, c.type, c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND m.name NOT LIKE '\\_sqlx%' ESCAPE '\\' ORDER BY m.name, c.cid";
    let mut tables: Vec<Table> = Vec::new();
    for row in from.rows(columns, vals![]).await? {
        let of = row.t("of")?;
        if tables.last().is_none_or(|table| table.name != of) {
            tables.push(Table { rows: count(from, &of).await?, name: of, columns: Vec::new(), key: Vec::new() });
        }
        let column = Column { name: row.t("name")?, integer: row.t("type")? == "INTEGER", key: row.i("pk")? };
        if let Some(table) = tables.last_mut() {
            table.columns.push(column);
        }
    }
    for Table { columns, key, .. } in &mut tables {
        *key = (0..columns.len()).filter(|&at| columns[at].key > 0).collect();
        key.sort_by_key(|&at| columns[at].key);
    }
    Ok(tables)
}

async fn count(db: &Db, table: &str) -> Result<u64, StoreError> {
    let rows = db.rows_built(built(format!("SELECT COUNT(*) AS n FROM \"{table}\"")), vals![]).await?;
    rows.first().map_or(Ok(0), |row| row.i("n")).map(i64::unsigned_abs)
}

/// Copies what is not there yet; `told` hears of rows that are there.
pub async fn copy(from: &Db, to: &Db, tables: &[Table], told: impl Fn(u64)) -> Result<(), CopyError> {
    begin(from, to, tables).await?;
    for table in tables {
        go_on(from, to, table, &told).await?;
    }
    Ok(())
}

/// Compares every table, copies once more what differs, and ends the copy: from then on a daemon may start on it. `told` hears of rows compared.
pub async fn compare(from: &Db, to: &Db, tables: &[Table], told: impl Fn(u64)) -> Result<(), CopyError> {
    for table in tables {
        let here = sum(from, table, &told).await?;
        if here == sum(to, table, &told).await? {
            continue;
        }
        // Somebody wrote between two parts of the copy.
        let mut tx = to.write().await?;
        tx.exec_built(built(format!("TRUNCATE \"{}\"", table.name)), vals![]).await?;
        tx.exec("DELETE FROM copying WHERE name = $1", vals![&table.name]).await?;
        tx.commit().await?;
        go_on(from, to, table, &|_| ()).await?;
        if sum(from, table, &|_| ()).await? != sum(to, table, &|_| ()).await? {
            return Err(CopyError::Differs(table.name.clone()));
        }
    }
    let mut tx = to.write().await?;
    for table in tables.iter().filter(|table| table.columns.iter().any(|column| column.name == "id" && column.integer)) {
        let name = &table.name;
        let next = format!("SELECT setval(pg_get_serial_sequence('{name}', 'id'), COALESCE(MAX(id), 0) + 1, false) AS n FROM \"{name}\"");
        tx.rows_built(built(next), vals![]).await?;
    }
    // A restored database goes on far ahead of its tickets.
    let ahead = "SELECT setval(pg_get_serial_sequence('ticket', 'id'), GREATEST(nextval(pg_get_serial_sequence('ticket', 'id')),
        (SELECT COALESCE(MAX(CAST(value AS BIGINT)), 0) FROM meta WHERE key = $1)), false) AS n";
    tx.rows(ahead, vals![super::restored::NEXT_TICKET]).await?;
    tx.exec("DROP TABLE copying", vals![]).await?;
    Ok(tx.commit().await?)
}

/// Notes whose copy this is, or that it is the one already begun.
async fn begin(from: &Db, to: &Db, tables: &[Table]) -> Result<(), CopyError> {
    let made = "SELECT CAST(installed_on AS TEXT) || ' ' || (SELECT COALESCE(MAX(value), '') FROM meta WHERE key = 'link_key') AS made
        FROM _sqlx_migrations WHERE version = 1";
    let made = from.rows(made, vals![]).await?.first().map_or(Ok(String::new()), |row| row.t("made"))?;
    let made = hex::encode(Sha256::digest(made));
    if to.is_unfinished().await? {
        let begun = to.rows("SELECT after FROM copying WHERE name = $1", vals![SOURCE]).await?;
        return if begun.first().map(|row| row.t("after")).transpose()? == Some(made) { Ok(()) } else { Err(CopyError::Other) };
    }
    for table in tables {
        if count(to, &table.name).await? > 0 {
            return Err(CopyError::NotEmpty(table.name.clone()));
        }
    }
    let mut tx = to.write().await?;
    tx.exec(MARKS, vals![]).await?;
    tx.exec("INSERT INTO copying (name, after) VALUES ($1, $2)", vals![SOURCE, made]).await?;
    Ok(tx.commit().await?)
}

async fn go_on(from: &Db, to: &Db, table: &Table, told: &impl Fn(u64)) -> Result<(), CopyError> {
    let mark = to.rows("SELECT after FROM copying WHERE name = $1", vals![&table.name]).await?;
    let mut after: Option<Vec<serde_json::Value>> = mark.first().map(|row| row.json("after")).transpose()?;
    if after.is_some() {
        told(count(to, &table.name).await?);
    }
    loop {
        let vals = after.as_ref().map_or(vec![], |row| table.key_of(row));
        let rows = from.rows_built(table.step(after.is_some()), vals).await?;
        let rows: Vec<_> = rows.iter().map(|row| table.read(row)).collect::<Result<_, _>>()?;
        let Some(last) = rows.last() else { return Ok(()) };
        let objects: Vec<serde_json::Map<_, _>> =
            rows.iter().map(|row| table.columns.iter().map(|column| column.name.clone()).zip(row.iter().cloned()).collect()).collect();
        let mut tx = to.write().await?;
        tx.exec_built(table.insert(), vec![Val::from(super::db::json(&objects))]).await?;
        let mark = "INSERT INTO copying (name, after) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET after = excluded.after";
        // only the key: the rest of a row is nobody's business here
        let key: Vec<_> =
            (0..last.len()).map(|at| if table.key.contains(&at) { last[at].clone() } else { serde_json::Value::Null }).collect();
        tx.exec(mark, vals![&table.name, super::db::json(&key)]).await?;
        tx.commit().await?;
        told(rows.len() as u64);
        after = Some(key);
    }
}

/// How many rows there are, and a sum over the SHA-256 of each: the same for the same rows in any order.
async fn sum(db: &Db, table: &Table, told: &impl Fn(u64)) -> Result<(u64, u128), CopyError> {
    let (mut count, mut sum, mut after) = (0, 0_u128, None::<Vec<Val>>);
    loop {
        let rows = db.rows_built(table.step(after.is_some()), after.take().unwrap_or_default()).await?;
        let mut last = None;
        for row in &rows {
            let row = table.read(row)?;
            let hash = Sha256::digest(super::db::json(&row));
            sum = sum.wrapping_add(hash[..16].iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte)));
            last = Some(row);
        }
        let Some(last) = last else { return Ok((count, sum)) };
        count += rows.len() as u64;
        told(rows.len() as u64);
        after = Some(table.key_of(&last));
    }
}
