//! `tanggap alert test`: whether officials would hear of something.

use super::{Failure, Shell, check};
use crate::{app, config::Secrets};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Sends a test alert to every official of the group, by every channel the official has
    Test {
        /// Only this group [default: all]
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
    },
}

pub(super) async fn run(command: Command, shell: &mut Shell) -> Result<(), Failure> {
    let Command::Test { group } = command;
    let settings = shell.load(Secrets::All)?.settings;
    if let Some(group) = group.as_deref().filter(|name| !settings.officials.iter().any(|official| official.group == *name)) {
        return Err(Failure::Usage(format!("no official belongs to the group {group:?}; see `group` under [[official]]")));
    }
    check::print(&app::alert_test(&settings, group.as_deref()).await?, shell)
}
