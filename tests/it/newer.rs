//! A database that this version must not touch: one of a newer version, and bytes that are no database. Every command that opens it
//! says so and ends, and the file stays as it was.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use tanggap::store::Db;

use crate::{cli::world::write, databases::postgres};

/// Every command that opens the database.
const COMMANDS: [&[&str]; 13] = [
    &["run"],
    &["queue"],
    &["show", "1"],
    &["messages"],
    &["ack", "1"],
    &["ack", "1", "--undo"],
    &["dismiss", "1", "--reason", "r"],
    &["resolve", "1", "--how", "h"],
    &["note", "1", "n"],
    &["assign", "1", "Budi"],
    &["accounts"],
    &["evidence", "1"],
    &["backup", "copy.db"],
];

struct World {
    folder: tempfile::TempDir,
    url: String,
}

impl World {
    fn new(url: Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = url.unwrap_or_else(|| format!("sqlite://{}", folder.path().join("tanggap.db").display()));
        let text = "[site]\nname = \"Uji\"\ntimezone = \"Asia/Jakarta\"\n[http]\nlisten = \"\"\nmetrics_listen = \"\"\n
            [[policy]]\nname = \"biasa\"\nrespond_within = \"4h\"\ncalendar = \"always\"\n
            [[opd]]\nslug = \"dinhub\"\nname = \"Dinas Perhubungan\"\n
            [[opd.account]]\nplatform = \"facebook\"\nid = \"101\"\ntoken = \"env:PAGE_TOKEN\"\n";
        fs::write(folder.path().join("tanggap.toml"), text).unwrap();
        Self { folder, url }
    }
    fn file(&self) -> PathBuf {
        self.folder.path().join("tanggap.db")
    }
    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tanggap"));
        command.args(args).env_clear().env("TANGGAP_CONFIG", self.folder.path().join("tanggap.toml")).env("USER", "siti");
        command.env("TANGGAP__DATABASE__URL", &self.url).env("PAGE_TOKEN", "EAAx");
        command.current_dir(self.folder.path()).stdin(Stdio::null()).output().unwrap()
    }
    /// Every command ends with that status and says that on standard error, and nothing elsewhere.
    fn all_refuse(&self, status: i32, saying: &[&str]) {
        for args in COMMANDS {
            let output = self.run(args);
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
            let last = said.lines().last().unwrap_or_default();
            assert!(saying.iter().all(|words| last.contains(words)), "{args:?}: {said}");
            assert!(!said.contains("panicked") && output.stdout.is_empty(), "{args:?}: {said}");
        }
        assert!(!self.folder.path().join("copy.db").exists());
    }
}

async fn made_newer(url: &str) {
    let db = Db::open(url).await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
        SELECT 9001, 'later', installed_on, success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
    write(&db, newer, vec![]).await;
    db.close().await;
}

const NEWER: [&str; 3] = ["written by a newer tanggap (migration 9001)", "install that version again", "restore the backup"];

#[tokio::test]
async fn every_command_refuses_a_newer_sqlite_database_and_leaves_it_as_it_was() {
    let world = World::new(None);
    made_newer(&world.url).await;
    let tables = || {
        let db = rusqlite::Connection::open(world.file()).unwrap();
        let sql = "SELECT group_concat(name || sql) || (SELECT group_concat(version) FROM _sqlx_migrations) FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'";
        db.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap()
    };
    let before = tables();
    world.all_refuse(2, &NEWER);
    assert_eq!(tables(), before);
}

#[tokio::test]
async fn every_command_refuses_a_newer_postgres_database() {
    let world = World::new(Some(postgres().await));
    made_newer(&world.url).await;
    world.all_refuse(2, &NEWER);
}

#[test]
fn every_command_refuses_bytes_that_are_no_database_and_leaves_them_as_they_were() {
    let world = World::new(None);
    let garbage = "bukan basis data\n".repeat(1000);
    fs::write(world.file(), &garbage).unwrap();
    world.all_refuse(1, &["file is not a database", "database.url"]);
    assert_eq!(fs::read_to_string(world.file()).unwrap(), garbage);
}
