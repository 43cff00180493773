//! Yesterday's backup, put in place of the database.

use std::{fs, path::PathBuf};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tanggap::store::{Db, backup};

use super::world::World;

/// A copy of the database as it stood.
pub enum Copy {
    File(PathBuf),
    /// Another database on the same server.
    Database(String),
}

impl Copy {
    /// PostgreSQL copies only what nobody is connected to: there `db` is closed.
    pub async fn of(db: &Db, url: &str, world: &World) -> Self {
        let Some(_) = Db::file(url) else {
            db.close().await;
            let (base, name) = url.rsplit_once('/').unwrap();
            let copy = format!("{name}_copy");
            let mut admin = PgConnection::connect(&format!("{base}/postgres")).await.unwrap();
            #[allow(clippy::disallowed_methods, clippy::disallowed_types)] // names made here
            sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {copy} TEMPLATE {name}"))).execute(&mut admin).await.unwrap();
            return Self::Database(format!("{base}/{copy}"));
        };
        let path = world.folder.path().join("copy.db");
        backup::backup(db, &path, false, tanggap::domain::Time::from_timestamp(world.now())).await.unwrap();
        Self::File(path)
    }

    /// Nobody has the database open.
    pub fn put_in_place(self, url: &mut String) {
        match self {
            Self::Database(copy) => *url = copy,
            Self::File(copy) => {
                let file = Db::file(url).unwrap();
                for end in ["-wal", "-shm"] {
                    let _ = fs::remove_file(format!("{}{end}", file.display()));
                }
                fs::rename(copy, file).unwrap();
            }
        }
    }
}
