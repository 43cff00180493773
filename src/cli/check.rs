//! `tanggap check`: the configuration, and what it names.

use std::io::Write as _;

use super::{Failure, Shell, complain};
use crate::{
    app::{self, Checked},
    config::Secrets,
    runtime::log::escaped,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only the configuration: ask neither Meta nor any alert channel
    #[arg(long)]
    offline: bool,
}

pub(super) async fn run(args: Args, shell: &mut Shell) -> Result<(), Failure> {
    let loaded = shell.load(Secrets::All)?;
    for warning in &loaded.warnings {
        complain(&format!("warning: {warning}"));
    }
    let settings = &loaded.settings;
    let (opds, accounts, policies) = (settings.opds.len(), settings.accounts().count(), settings.policies.len());
    let file = loaded.file.display().to_string();
    writeln!(shell.out, "{}: the configuration holds; OPDs: {opds}, accounts: {accounts}, policies: {policies}", escaped(&file))?;
    if args.offline { Ok(()) } else { print(&app::check(settings).await?, shell) }
}

/// A line for everything that was tried; fails if something did not work.
pub(super) fn print(tried: &[Checked], shell: &mut Shell) -> Result<(), Failure> {
    for Checked { what, outcome } in tried {
        let (mark, text) = match outcome {
            Ok(text) => ("ok    ", text),
            Err(text) => ("FAILED", text),
        };
        writeln!(shell.out, "{mark} {}: {}", escaped(what), escaped(text))?;
    }
    match tried.iter().filter(|one| one.outcome.is_err()).count() {
        0 => Ok(()),
        failed => Err(Failure::Failed(format!("{failed} of {} did not work; the lines marked FAILED say why", tried.len()))),
    }
}
