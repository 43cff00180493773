//! `ack`, `dismiss`, `resolve`, `note`, `assign`, `handover`: what staff do with tickets. It is recorded with who and when; a running daemon
//! notices and applies it, and where none runs it is applied here.

use std::{
    env, fs,
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    os::unix::fs::MetadataExt as _,
    time::Duration,
};

use clap::builder::NonEmptyStringValueParser;

use super::{Failure, Shell, configured_opd, now, ticket_id};
use crate::{
    app,
    config::Secrets,
    domain::{Scope, TicketId, ticket::ActionKind},
    runtime::log::escaped,
    store::{actions, listing},
};

/// More tickets than this at once are likely a slip.
const ASK_ABOVE: usize = 20;
/// A running daemon notices within two seconds.
pub(super) const PATIENCE: Duration = Duration::from_millis(2500);
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(50);

#[derive(Debug, clap::Args)]
pub(super) struct Who {
    /// Who does it [default: who called sudo, else who is logged in]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    by: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Ack {
    /// Numbers
    #[arg(required = true, value_parser = ticket_id, value_name = "TICKET")]
    tickets: Vec<TicketId>,
    /// Take it back
    #[arg(long)]
    undo: bool,
    /// Don't ask, however many they are
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    who: Who,
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["tickets", "post", "author"]))]
pub(super) struct Dismiss {
    /// Numbers
    #[arg(value_parser = ticket_id, value_name = "TICKET")]
    tickets: Vec<TicketId>,
    /// All open tickets under this post, by Meta's id
    #[arg(long, value_name = "ID")]
    post: Option<String>,
    /// All open tickets of this author, by the id that tickets show
    #[arg(long, value_name = "ID")]
    author: Option<String>,
    /// Why: spam, nothing asked
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    reason: String,
    /// Don't ask, however many they are
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    who: Who,
}

#[derive(Debug, clap::Args)]
pub(super) struct Resolve {
    /// Its number
    #[arg(value_parser = ticket_id)]
    ticket: TicketId,
    /// How it was answered
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    how: String,
    #[command(flatten)]
    who: Who,
}

#[derive(Debug, clap::Args)]
pub(super) struct Note {
    /// Its number
    #[arg(value_parser = ticket_id)]
    ticket: TicketId,
    /// The remark
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    text: String,
    #[command(flatten)]
    who: Who,
}

#[derive(Debug, clap::Args)]
pub(super) struct Assign {
    /// Its number
    #[arg(value_parser = ticket_id)]
    ticket: TicketId,
    /// To whom
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    name: String,
    #[command(flatten)]
    who: Who,
}

#[derive(Debug, clap::Args)]
pub(super) struct Handover {
    /// Its number
    #[arg(value_parser = ticket_id)]
    ticket: TicketId,
    /// Slug of the OPD that has to answer from now on; the citizen's clock goes on
    #[arg(value_name = "OPD", value_parser = NonEmptyStringValueParser::new())]
    opd: String,
    #[command(flatten)]
    who: Who,
}

impl Ack {
    pub async fn run(self, shell: &mut Shell) -> Result<(), Failure> {
        let kind = if self.undo { ActionKind::Unack } else { ActionKind::Ack };
        Act { tickets: self.tickets, kind, text: String::new(), yes: self.yes }.run(self.who, shell).await
    }
}

impl Dismiss {
    pub async fn run(self, shell: &mut Shell) -> Result<(), Failure> {
        let found = match (&self.post, &self.author) {
            (Some(post), _) => actions::targets_of_post(&shell.open().await?.0, post).await?,
            (_, Some(author)) => actions::targets_of_author(&shell.open().await?.0, author).await?,
            _ => self.tickets,
        };
        if found.is_empty() {
            return Err(Failure::Failed("no open ticket stands there; nothing was recorded".into()));
        }
        Act { tickets: found, kind: ActionKind::Dismiss, text: self.reason, yes: self.yes }.run(self.who, shell).await
    }
}

impl Resolve {
    pub async fn run(self, shell: &mut Shell) -> Result<(), Failure> {
        Act { tickets: vec![self.ticket], kind: ActionKind::Resolve, text: self.how, yes: false }.run(self.who, shell).await
    }
}

impl Note {
    pub async fn run(self, shell: &mut Shell) -> Result<(), Failure> {
        Act { tickets: vec![self.ticket], kind: ActionKind::Note, text: self.text, yes: false }.run(self.who, shell).await
    }
}

impl Assign {
    pub async fn run(self, shell: &mut Shell) -> Result<(), Failure> {
        Act { tickets: vec![self.ticket], kind: ActionKind::Assign, text: self.name, yes: false }.run(self.who, shell).await
    }
}

impl Handover {
    pub async fn run(self, shell: &mut Shell) -> Result<(), Failure> {
        let settings = shell.load(Secrets::DatabaseOnly)?.settings;
        configured_opd(&self.opd, &settings)?;
        Act { tickets: vec![self.ticket], kind: ActionKind::Handover, text: self.opd, yes: false }.run(self.who, shell).await
    }
}

/// One action on some tickets.
struct Act {
    tickets: Vec<TicketId>,
    kind: ActionKind,
    text: String,
    yes: bool,
}

impl Act {
    async fn run(mut self, who: Who, shell: &mut Shell) -> Result<(), Failure> {
        let by = who.name();
        self.tickets.sort_unstable();
        self.tickets.dedup();
        if self.tickets.len() > ASK_ABOVE && !self.yes {
            self.ask()?;
        }
        let (db, settings) = shell.open().await?;
        let recorded = actions::record(&db, &Scope::ALL, &self.tickets, (self.kind, &self.text), &by, now()).await?;
        if !actions::noticed(&db, &recorded, PATIENCE, LOOK_AGAIN).await? {
            app::apply_actions(&db, &settings).await?;
        }
        for &id in &self.tickets {
            if let Some(ticket) = listing::ticket(&db, &Scope::ALL, id).await? {
                let holder = if self.kind == ActionKind::Handover { format!(", held by {}", ticket.opd) } else { String::new() };
                writeln!(shell.out, "ticket {id}: {}{}", escaped(&ticket.standing()), escaped(&holder))?;
            }
        }
        Ok(writeln!(shell.out, "recorded: {} by {}", self.kind, escaped(&by))?)
    }

    /// Asks whether so many are meant; without a terminal nobody could answer.
    fn ask(&self) -> Result<(), Failure> {
        let (kind, many) = (self.kind, self.tickets.len());
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return Err(Failure::Usage(format!("{kind} would change {many} tickets at once; say --yes if that is meant")));
        }
        write!(io::stderr(), "{kind}: {many} tickets at once? [y/N] ")?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        match answer.trim() {
            "y" | "Y" | "yes" => Ok(()),
            _ => Err(Failure::Failed("nothing was recorded".into())),
        }
    }
}

impl Who {
    pub fn name(self) -> String {
        let login = || ["SUDO_USER", "USER", "LOGNAME"].into_iter().filter_map(|name| env::var(name).ok()).find(|name| !name.is_empty());
        // a container or a unit may set none of them; the process belongs to somebody all the same
        let uid = || fs::metadata("/proc/self").map_or("unknown".into(), |process| format!("uid {}", process.uid()));
        self.by.or_else(login).unwrap_or_else(uid)
    }
}
