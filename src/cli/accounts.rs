//! `tanggap accounts`: what is polled and how it fares; `tanggap accounts subscribe`: Meta's webhooks.

use super::{
    Failure, Shell, check,
    output::{self, Listed, Shape, View},
};
use crate::{
    app,
    config::Secrets,
    store::listing::{AccountRow, accounts},
};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    shape: Shape,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Asks Meta to tell /webhooks/meta at once what happens at the accounts
    Subscribe,
}

pub(super) async fn run(args: Args, shell: &mut Shell) -> Result<(), Failure> {
    if let Some(Command::Subscribe) = args.command {
        let settings = shell.load(Secrets::All)?.settings;
        return check::print(&app::subscribe(&settings).await?, shell);
    }
    let (db, settings) = shell.open().await?;
    let shape = args.shape.settle(shell);
    Ok(output::write(&mut shell.out, shape, &View::of(&settings), &accounts(&db, super::now()).await?)?)
}

impl Listed for AccountRow {
    const CSV: &'static [&'static str] =
        &["platform", "id", "opd", "name", "healthy", "reason", "last_read_at", "next_read_at", "token_expires_at", "watched", "failing"];
    const TABLE: &'static [&'static str] = &["platform", "id", "OPD", "name", "health", "last read", "next read", "token ends", "watched"];

    fn cells(&self, view: &View) -> Vec<String> {
        let health = match (&self.reason, self.failing.first()) {
            (Some(reason), _) => reason.clone(),
            (None, Some(source)) => format!("{}: {}", source.source, source.error),
            (None, None) => "ok".to_owned(),
        };
        vec![
            self.platform.to_string(),
            self.id.clone(),
            self.opd.clone(),
            self.name.clone().unwrap_or_else(|| "-".into()),
            health,
            view.maybe(self.last_read_at),
            view.time(self.next_read_at),
            view.maybe(self.token_expires_at),
            self.watched.map_or_else(|| "-".into(), |share| format!("{:.1} %", share * 100.0)),
        ]
    }
}
