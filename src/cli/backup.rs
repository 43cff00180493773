//! `tanggap backup`: a copy of the database.

use std::{io::Write as _, path::PathBuf};

use super::{Failure, Shell};
use crate::{runtime::log::escaped, store::backup::backup};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the copy goes; must not exist
    path: PathBuf,
}

pub(super) async fn run(args: Args, shell: &mut Shell) -> Result<(), Failure> {
    let (db, _) = shell.open().await?;
    backup(&db, &args.path).await?;
    Ok(writeln!(shell.out, "{}: the copy is complete", escaped(&args.path.display().to_string()))?)
}
