//! `tanggap restore`: a copy takes the place of the database.

use std::{fs, io::Write as _, path::PathBuf};

use secrecy::ExposeSecret as _;

use super::{Failure, Shell, now, progress};
use crate::{
    config::Secrets,
    runtime::log::escaped,
    store::{
        BackupError, Db,
        backup::{restore, staging},
    },
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A copy that `backup` made, or the files of another database of tanggap; left as it is
    copy: PathBuf,
}

pub(super) async fn run(args: Args, shell: &mut Shell) -> Result<(), Failure> {
    let settings = shell.load(Secrets::DatabaseOnly)?.settings;
    let url = settings.database.url.expose_secret();
    let file = Db::file(url).ok_or_else(|| Failure::Usage(NO_FILE.into()))?;
    let (name, staging) = (file.display().to_string(), staging(&file));
    let written = || fs::metadata(&staging).map_or(0, |file| file.len());
    let total = fs::metadata(&args.copy).map_or(0, |copy| copy.len());
    let put_back = progress::bytes(escaped(&name).into_owned(), total, written, restore(url, &args.copy, now())).await?;
    if let Some(aside) = put_back.aside {
        writeln!(shell.out, "{}: what was in use until now", escaped(&aside.display().to_string()))?;
    }
    let of = put_back.of.rfc3339();
    Ok(writeln!(
        shell.out,
        "{}: the copy of {of} is in place; the next start of the daemon says daemon.restored and what it makes good",
        escaped(&name)
    )?)
}

const NO_FILE: &str = "only an SQLite database is put back this way; for PostgreSQL use pg_restore, then start tanggap";

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Store(newer @ crate::store::StoreError::Newer(_)) => Self::Usage(newer.to_string()),
            error => Self::Failed(format!("{error:#}")),
        }
    }
}
