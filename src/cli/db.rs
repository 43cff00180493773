//! `tanggap db copy`: the move to PostgreSQL.

use std::{
    io::Write as _,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use secrecy::ExposeSecret as _;

use super::{Failure, Shell, progress};
use crate::{
    config::{self, Environment},
    store::{
        Db, StoreError,
        copy::{self, CopyError},
    },
};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Copies everything of the SQLite database into an empty PostgreSQL one; broken off, it goes on where it was
    Copy(Copy),
}

#[derive(Debug, clap::Args)]
pub(super) struct Copy {
    /// Where it goes: postgres://…, or with a password where that URL is kept: env:NAME, file:/path or credential:NAME
    #[arg(long, value_name = "URL")]
    to: String,
}

impl From<CopyError> for Failure {
    fn from(error: CopyError) -> Self {
        Self::Failed(error.to_string())
    }
}

pub(super) async fn run(command: Command, shell: &mut Shell) -> Result<(), Failure> {
    let Command::Copy(args) = command;
    let target = target(&args.to)?;
    let (from, settings) = shell.open().await?;
    let _stopped = Db::sole(settings.database.url.expose_secret()).map_err(|error| match error {
        StoreError::NotAlone(..) => Failure::Failed(format!("{error} (systemctl stop tanggap): what it wrote meanwhile would be missing")),
        other => other.into(),
    })?;
    let to =
        Db::open_unfinished(&target).await.map_err(|error| Failure::Failed(format!("{error} (opening the database that --to names)")))?;
    let tables = copy::tables(&from, &to).await?;
    let rows: u64 = tables.iter().map(|table| table.rows).sum();
    let done = AtomicU64::new(0);
    let told = |rows| {
        done.fetch_add(rows, Relaxed);
    };
    progress::rows("copied", rows, || done.load(Relaxed), Box::pin(copy::copy(&from, &to, &tables, told))).await?;
    done.store(0, Relaxed);
    progress::rows("compared", 2 * rows, || done.load(Relaxed), Box::pin(copy::compare(&from, &to, &tables, told))).await?;
    for table in &tables {
        writeln!(shell.out, "{:>12} {}", table.rows, table.name)?;
    }
    to.close().await;
    Ok(writeln!(shell.out, "{rows} rows copied and compared; let database.url name the new database, then start tanggap")?)
}

/// The URL itself, or what stands where it is kept.
fn target(to: &str) -> Result<String, Failure> {
    let Ok(url) = to.parse::<url::Url>() else { return secret(to) };
    if !url.scheme().starts_with("postgres") {
        return if matches!(url.scheme(), "env" | "file" | "credential") { secret(to) } else { Err(CopyError::Kind.into()) };
    }
    if url.password().is_some() {
        let why =
            "every user of the machine sees arguments: put the URL with its password into a file of mode 0600 and say --to file:/path";
        return Err(Failure::Usage(format!("--to: {why}")));
    }
    Ok(to.to_owned())
}

fn secret(reference: &str) -> Result<String, Failure> {
    let read = config::read_secret(reference, &Environment::of_process()).map_err(|why| Failure::Usage(format!("--to: {why}")))?;
    Ok(read.value.expose_secret().to_owned())
}
