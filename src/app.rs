//! The one file that knows every folder.

use std::{path::PathBuf, time::Duration};

use anyhow::bail;

use crate::{config::Loaded, domain::settings::Settings, store::Db};

/// Something that `check` or `alert test` tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What was tried: an account, a token, a channel, an official.
    pub what: String,
    /// What was found, good or bad.
    pub outcome: Result<String, String>,
}

/// The daemon, until it is told to stop. `config` is the `--config` it was started with, for reloads.
pub async fn run(_config: Option<PathBuf>, _loaded: Loaded) -> anyhow::Result<()> {
    bail!("not built in this binary")
}

/// The whole thing on a simulated Graph API.
pub async fn demo(_duration: Duration, _opds: Option<usize>, _seed: Option<u64>) -> anyhow::Result<()> {
    bail!("not built in this binary")
}

/// Asks Meta and every alert channel whether they would work.
pub async fn check(_settings: &Settings) -> anyhow::Result<Vec<Checked>> {
    bail!("not built in this binary")
}

/// Sends a test alert to every official of the group, or of all groups.
pub async fn alert_test(_settings: &Settings, _group: Option<&str>) -> anyhow::Result<Vec<Checked>> {
    bail!("not built in this binary")
}

/// Applies what staff recorded, where no daemon runs that would.
pub async fn apply_actions(_db: &Db, _settings: &Settings) -> anyhow::Result<()> {
    bail!("not built in this binary")
}
