//! `tanggap erase`, `purge`, `export`, `restrict`: a person's data, and what is past retention.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use clap::builder::NonEmptyStringValueParser;

use super::{Failure, Shell, now, output::write_json, progress, staff::Who};
use crate::{
    domain::AccountId,
    runtime::log::escaped,
    store::{
        Db,
        forget::{self, Holding, Purged},
        restrict::restrict,
    },
};

/// Whose data.
#[derive(Debug, clap::Args)]
pub(super) struct Whose {
    /// Their id as tickets and messages show it, or @ and a user name
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    author: String,
    /// Only under this account, by Meta's id: elsewhere the same id may be another person [default: all that know it]
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    #[command(flatten)]
    who: Who,
}

#[derive(Debug, clap::Args)]
pub(super) struct Erase {
    #[command(flatten)]
    whose: Whose,
    /// Don't ask
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Export {
    #[command(flatten)]
    whose: Whose,
}

#[derive(Debug, clap::Args)]
pub(super) struct Restrict {
    #[command(flatten)]
    whose: Whose,
    /// Show their data again
    #[arg(long)]
    undo: bool,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "", conflicts_with = "undo")]
    reason: String,
}

impl Whose {
    async fn holdings(&self, db: &Db) -> Result<Vec<Holding>, Failure> {
        let found = forget::holdings(db, &self.author, self.account.as_deref()).await?;
        if found.is_empty() {
            return Err(Failure::Failed("no account holds anything of this author; `tanggap messages --format json` shows ids".into()));
        }
        Ok(found)
    }
}

fn accounts(holdings: &[Holding]) -> Vec<AccountId> {
    holdings.iter().map(|holding| holding.account).collect()
}

/// What one account holds, in words.
fn said(holding: &Holding) -> String {
    let Holding { platform, id, opd, messages, tickets, open, .. } = holding;
    format!("{opd}, {platform} {id}: {messages} messages, {tickets} tickets, {open} of them open")
}

impl Erase {
    pub async fn run(self, shell: &mut Shell) -> Result<(), Failure> {
        let (db, _) = shell.open().await?;
        let holdings = self.whose.holdings(&db).await?;
        if !self.yes && (holdings.len() > 1 || holdings.iter().any(|holding| holding.open > 0)) {
            ask(&holdings)?;
        }
        let done = forget::erase(&db, &rand::random(), &self.whose.author, &accounts(&holdings), &self.whose.who.name(), now()).await?;
        for holding in &holdings {
            writeln!(shell.out, "{}", escaped(&said(holding)))?;
        }
        Ok(writeln!(
            shell.out,
            "erased: {} messages (answers to them included) and {} tickets, of which {} were open and are withdrawn",
            done.messages, done.tickets, done.withdrawn
        )?)
    }
}

/// Says what would happen and asks whether that is meant; without a terminal nobody could answer.
fn ask(holdings: &[Holding]) -> Result<(), Failure> {
    let held = holdings.iter().map(said).collect::<Vec<_>>().join("; ");
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(Failure::Usage(format!("erase would concern {held}; say --yes if that is meant, or --account for one account")));
    }
    write!(io::stderr(), "{}\nErased for good; open tickets are withdrawn. Erase? [y/N] ", escaped(&held))?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::Failed("nothing was erased".into())),
    }
}

impl Export {
    pub async fn run(self, shell: &mut Shell) -> Result<(), Failure> {
        let (db, _) = shell.open().await?;
        let holdings = self.whose.holdings(&db).await?;
        let by = self.whose.who.name();
        let held = forget::export(&db, &rand::random(), &self.whose.author, &accounts(&holdings), &by, now()).await?;
        write_json(&mut shell.out, &held)?;
        Ok(writeln!(shell.out)?)
    }
}

impl Restrict {
    pub async fn run(self, shell: &mut Shell) -> Result<(), Failure> {
        let (db, _) = shell.open().await?;
        let holdings = self.whose.holdings(&db).await?;
        let (by, reason) = (self.whose.who.name(), (!self.undo).then_some(self.reason.as_str()));
        restrict(&db, &rand::random(), &self.whose.author, &accounts(&holdings), reason, (&by, now())).await?;
        for holding in &holdings {
            writeln!(shell.out, "{}", escaped(&said(holding)))?;
        }
        let done = if self.undo { "shown again" } else { "restricted: kept, and shown to nobody; clocks run on" };
        Ok(writeln!(shell.out, "{done}")?)
    }
}

/// Erases what is past retention, now.
pub(super) async fn purge(shell: &mut Shell) -> Result<(), Failure> {
    let (db, settings) = shell.open().await?;
    let before = now().minus(settings.retention_closed);
    let bar = progress::counted("threads past retention", forget::stale(&db, before).await?);
    let mut done = Purged::default();
    while let Some(batch) = forget::purge(&db, &rand::random(), (done.after, before), now()).await? {
        done = done.and(batch);
        bar.set_position(done.threads);
    }
    bar.finish_and_clear();
    let gone = db.scrub().await?;
    writeln!(shell.out, "erased: {} messages and {} tickets in {} threads", done.messages, done.tickets, done.threads)?;
    if !gone {
        super::complain("older pages stay in the write-ahead log until nobody reads them any more");
    }
    Ok(())
}
