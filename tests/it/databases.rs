//! A PostgreSQL database of a test's own, and a whole server of its own.

pub mod server;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// The URL of a new database under the server at `$TANGGAP_TEST_POSTGRES`, which `tests/run` starts and throws away.
pub async fn postgres() -> String {
    let server = std::env::var("TANGGAP_TEST_POSTGRES").expect("tests/run starts PostgreSQL and sets TANGGAP_TEST_POSTGRES");
    let name = format!("t{:016x}", rand::random::<u64>());
    let mut admin = PgConnection::connect(&server).await.unwrap();
    #[allow(clippy::disallowed_methods, clippy::disallowed_types)] // a name made here
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    format!("{base}/{name}")
}
