//! `tanggap backup`: a copy of the database.

use std::{fs, io::Write as _, path::PathBuf};

use super::{Failure, Shell, now, progress};
use crate::{
    runtime::log::escaped,
    store::backup::{self, backup},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the copy goes; must not exist
    path: PathBuf,
    /// Copy refreshed Instagram tokens too (encrypted under secrets.key); without them the configured ones are used after a restore
    #[arg(long)]
    with_tokens: bool,
}

pub(super) async fn run(args: Args, shell: &mut Shell) -> Result<(), Failure> {
    let (db, _) = shell.open().await?;
    let (name, unfinished) = (args.path.display().to_string(), backup::unfinished(&args.path));
    let name = escaped(&name);
    let written = || fs::metadata(&unfinished).map_or(0, |file| file.len());
    progress::bytes(name.to_string(), backup::size(&db).await?, written, backup(&db, &args.path, args.with_tokens, now())).await?;
    Ok(writeln!(shell.out, "{name}: the copy is complete")?)
}
