//! `tanggap accounts`: what is polled and how it fares.

use super::{
    Failure, Shell,
    output::{self, Listed, Shape, View},
};
use crate::store::listing::{AccountRow, accounts};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    shape: Shape,
}

pub(super) async fn run(args: Args, shell: &mut Shell) -> Result<(), Failure> {
    let (db, settings) = shell.open().await?;
    let shape = args.shape.settle(shell);
    Ok(output::write(&mut shell.out, shape, &View::of(&settings), &accounts(&db).await?)?)
}

impl Listed for AccountRow {
    const CSV: &'static [&'static str] =
        &["platform", "id", "opd", "name", "healthy", "reason", "last_read_at", "next_read_at", "token_expires_at"];
    const TABLE: &'static [&'static str] = &["platform", "id", "OPD", "name", "health", "last read", "next read", "token ends"];

    fn cells(&self, view: &View) -> Vec<String> {
        let health = if self.healthy { "ok" } else { self.reason.as_deref().unwrap_or("can't be read") };
        vec![
            self.platform.to_string(),
            self.id.clone(),
            self.opd.clone(),
            self.name.clone().unwrap_or_else(|| "-".into()),
            health.to_owned(),
            view.maybe(self.last_read_at),
            view.time(self.next_read_at),
            view.maybe(self.token_expires_at),
        ]
    }
}
