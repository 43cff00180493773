//! What the benches of the database share: settings, the daemon's file, and the same file under plain statements.

use std::{fmt::Write as _, fs, path::Path};

use rusqlite::Connection;
use tanggap::{
    config::{self, Environment, Secrets},
    domain::settings::Settings,
    store::Db,
};
use tokio::runtime::Runtime;

/// Twenty OPDs with a Page and an Instagram account each, one policy of four hours with three steps.
pub fn settings() -> Settings {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tanggap.toml");
    let mut text = include_str!("figures.toml").to_owned();
    for opd in 0..20 {
        writeln!(text, "[[opd]]\nslug = \"opd-{opd}\"\nname = \"Dinas {opd}\"").unwrap();
        for (platform, first) in [("facebook", 101_000_000_000_001_u64), ("instagram", 17_841_400_000_000_001)] {
            writeln!(text, "[[opd.account]]\nplatform = \"{platform}\"\nid = \"{}\"\ntoken = \"env:NONE\"", first + opd).unwrap();
            if platform == "instagram" {
                writeln!(text, "page = \"{}\"", 101_000_000_000_001 + opd).unwrap();
            }
        }
    }
    fs::write(&file, text).unwrap();
    config::load(Some(&file), &Environment::bare(folder.path()), Secrets::DatabaseOnly).unwrap().settings
}

/// A folder for databases, on the disk that holds `target/`: a temporary folder may lie in memory, where nothing waits for a disk.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// As many threads as the machine has cores, like the daemon.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

/// Opens the file as the daemon does.
pub async fn open(file: &Path) -> Db {
    Db::open(&format!("sqlite://{}", file.display())).await.unwrap()
}

/// Opens the daemon's file for plain statements, with the settings that [`Db`] gives its own writer.
pub fn plain(file: &Path) -> Connection {
    let connection = Connection::open(file).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 2000; \
             PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY",
        )
        .unwrap();
    connection
}
