//! `tanggap run`: the daemon.

use super::{Failure, Shell};
use crate::{app, config::Secrets};

pub(super) async fn run(shell: &Shell) -> Result<(), Failure> {
    let loaded = shell.load(Secrets::All)?;
    Ok(Box::pin(app::run(shell.config.clone(), loaded)).await?)
}
