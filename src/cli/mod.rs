//! The command line: one file a command (the six workflow commands, which differ in a word, share `staff`).
//! Data go to standard output, complaints to standard error, one sentence each.

mod accounts;
mod alert;
mod audit;
mod backup;
pub mod cells;
mod check;
mod db;
mod demo;
mod documents;
pub mod due;
mod evidence;
mod look;
mod messages;
mod output;
mod people;
mod privacy;
mod progress;
mod queue;
mod reply;
mod report;
mod restore;
mod run;
mod show;
mod staff;

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal as _, Stdout, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{
    Parser, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use secrecy::ExposeSecret as _;

use crate::{
    app,
    config::{self, Environment, Loaded, Problems, Secrets},
    domain::{TicketId, Time, settings::Settings},
    runtime::{Clock as _, SystemClock, log::escaped},
    store::{Db, StoreError, actions::ActionError, replies::ReplyError},
};

/// Watches the Facebook Pages and Instagram accounts of a government, keeps one queue, and flags what goes unanswered.
#[derive(Debug, Parser)]
#[command(name = "tanggap", version, propagate_version = true)]
struct Cli {
    /// Configuration file [default: $TANGGAP_CONFIG, /etc/tanggap/tanggap.toml, config/tanggap.toml]
    #[arg(long, global = true, value_name = "PATH")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the daemon until SIGTERM or SIGINT; SIGHUP reloads the configuration
    Run,
    /// Shows the whole thing on a simulated Graph API, without a token
    Demo(demo::Args),
    /// Checks the configuration, and unless offline every token, account and alert channel
    Check(check::Args),
    /// Lists tickets, earliest deadline first
    Queue(queue::Args),
    /// Shows a ticket with its thread, its clock and its alerts
    Show(show::Args),
    /// Lists normalized messages, oldest first
    Messages(messages::Args),
    /// Says of tickets that they are being seen to: stops warnings to those already told
    Ack(staff::Ack),
    /// Closes tickets that hold nothing to answer
    Dismiss(staff::Dismiss),
    /// Closes a ticket that was answered elsewhere: by telephone, at the counter
    Resolve(staff::Resolve),
    /// Adds a remark to a ticket
    Note(staff::Note),
    /// Gives a ticket to somebody
    Assign(staff::Assign),
    /// Hands a ticket over to another OPD
    Handover(staff::Handover),
    /// Answers a citizen on the platform: below the comment, or in the conversation
    Reply(reply::Args),
    /// Says when a clock runs out
    Due(due::DueArgs),
    /// Lists what is polled and how it fares; `discover` finds what a token can see
    Accounts(accounts::Args),
    /// Says which OPDs lack an account, and whose accounts can't be read, are silent or dormant
    Audit(audit::Args),
    /// Tells how fast and how surely each agency answers; `--what-if` replays history under other policies
    Report(report::Args),
    /// Tries the alert channels
    #[command(subcommand)]
    Alert(alert::Command),
    /// Writes what can be proved of a ticket into a file that others can check, or checks one
    Evidence(evidence::Args),
    /// Writes a consistent copy of the SQLite database while the daemon runs
    Backup(backup::Args),
    /// The database as a whole
    #[command(subcommand)]
    Db(db::Command),
    /// Puts a copy in place of the SQLite database; the daemon must be stopped, the old database is kept beside it
    Restore(restore::Args),
    /// Programs that may use the API: makes and revokes their tokens
    #[command(subcommand)]
    Token(people::Token),
    /// People who may sign in to the page
    #[command(subcommand)]
    User(people::User),
    /// Erases the texts, names and ids that are held of one person; counts stay
    Erase(privacy::Erase),
    /// Erases what is past retention.closed now, not at the daily time
    Purge,
    /// Prints everything that is held of one person, as JSON
    Export(privacy::Export),
    /// Shows one person's texts and names to nobody, until it is undone; nothing is erased and clocks run on
    Restrict(privacy::Restrict),
    /// Prints the description of the API
    Openapi,
    /// Prints a completion script
    Completions(documents::Completions),
    /// Prints the manual page, or writes one for every command
    Man(documents::Man),
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
enum Failure {
    /// The configuration is wrong: exit status 2.
    Configuration(Problems),
    /// The arguments are, or the program is too old for the database: trying again helps as little. Exit status 2.
    Usage(String),
    /// Standard output: a closed pipe is no error, all else is.
    Output(io::Error),
    /// Exit status 1.
    Failed(String),
    /// Everything has been said; this exit status is left.
    Told(u8),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

macro_rules! failed {
    ($($error:ty),+) => { $(impl From<$error> for Failure { fn from(error: $error) -> Self { Self::Failed(format!("{error:#}")) } })+ };
}
failed!(StoreError, ReplyError);

/// Where somebody looks who named a ticket that is none.
const NO_TICKET: &str = "`tanggap queue --state all` lists them";

impl From<ActionError> for Failure {
    fn from(error: ActionError) -> Self {
        let unknown = matches!(error, ActionError::Unknown(_));
        Self::Failed(if unknown { format!("{error}; {NO_TICKET}") } else { format!("{error:#}") })
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let text = format!("{error:#}");
        let usage = matches!(error.downcast_ref(), Some(StoreError::Newer(_))) || error.is::<app::Unclosed>();
        if usage { Self::Usage(text) } else { Self::Failed(text) }
    }
}

/// What every command gets: where its data go, and where the configuration is.
struct Shell {
    config: Option<PathBuf>,
    out: BufWriter<Stdout>,
    /// Standard output is a terminal.
    terminal: bool,
}

impl Shell {
    fn load(&self, secrets: Secrets) -> Result<Loaded, Failure> {
        config::load(self.config.as_deref(), &Environment::of_process(), secrets).map_err(Failure::Configuration)
    }

    /// The database and the settings, of whose secrets only that of the database is read.
    async fn open(&self) -> Result<(Db, Settings), Failure> {
        self.open_with(Secrets::DatabaseOnly).await
    }

    /// The same with these secrets.
    async fn open_with(&self, secrets: Secrets) -> Result<(Db, Settings), Failure> {
        let settings = self.load(secrets)?.settings;
        let url = settings.database.url.expose_secret();
        match Db::open_existing(url).await {
            Ok(db) => Ok((db, settings)),
            Err(error @ StoreError::Newer(_)) => Err(anyhow::Error::new(error).into()),
            Err(error) => Err(Failure::Failed(unopened(url, &error))),
        }
    }
}

/// Why the database that `database.url` names could not be opened, and what helps.
fn unopened(url: &str, error: &StoreError) -> String {
    let Some(file) = Db::file(url) else { return format!("{error} (opening the database that database.url names)") };
    let name = file.display();
    match File::options().read(true).write(true).open(&file).err().map(|error| error.kind()) {
        Some(io::ErrorKind::NotFound) => format!("there is no database {name} yet: `tanggap run` makes it where database.url says"),
        Some(io::ErrorKind::PermissionDenied) => {
            format!(
                "the database {name} may not be opened by this user: tanggap-ctl runs a command as the user who may, such as `tanggap-ctl queue`"
            )
        }
        _ => format!("{error} (opening the database {name}, which database.url names)"),
    }
}

/// The present instant.
fn now() -> Time {
    Time::from_timestamp(SystemClock.now())
}

/// Reads the arguments, does what they say, and gives the exit status: 0 done, 1 failed, 2 usage or configuration.
pub async fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut shell = Shell { config: cli.config, out: BufWriter::new(io::stdout()), terminal: io::stdout().is_terminal() };
    let outcome = Box::pin(cli.command.run(&mut shell)).await;
    let flushed = shell.out.flush().map_err(Failure::Output);
    match outcome.and(flushed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Failure::Output(error)) => fail(&format!("standard output could not be written: {error}"), ExitCode::FAILURE),
        Err(Failure::Told(status)) => ExitCode::from(status),
        Err(Failure::Failed(text)) => fail(&text, ExitCode::FAILURE),
        Err(Failure::Usage(text)) => fail(&text, ExitCode::from(2)),
        Err(Failure::Configuration(problems)) => {
            problems.0.iter().fold(ExitCode::from(2), |code, problem| fail(&problem.to_string(), code))
        }
    }
}

/// Says on standard error why, and gives the status back.
pub fn fail(why: &str, status: ExitCode) -> ExitCode {
    complain(why);
    status
}

/// A sentence on standard error; nobody is left to hear that it failed.
fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "tanggap: {}", escaped(text));
}

impl Command {
    async fn run(self, shell: &mut Shell) -> Result<(), Failure> {
        match self {
            Self::Run => run::run(shell).await,
            Self::Demo(args) => demo::run(args, shell).await,
            Self::Check(args) => check::run(args, shell).await,
            Self::Queue(args) => queue::run(args, shell).await,
            Self::Show(args) => show::run(args, shell).await,
            Self::Messages(args) => messages::run(args, shell).await,
            Self::Ack(args) => args.run(shell).await,
            Self::Dismiss(args) => args.run(shell).await,
            Self::Resolve(args) => args.run(shell).await,
            Self::Note(args) => args.run(shell).await,
            Self::Assign(args) => args.run(shell).await,
            Self::Handover(args) => args.run(shell).await,
            Self::Reply(args) => reply::run(args, shell).await,
            Self::Due(args) => {
                let calendars = shell.load(Secrets::DatabaseOnly)?.settings.calendars;
                match due::run(&args, &calendars, io::stdin().lock(), &mut shell.out, io::stderr())? {
                    0 => Ok(()),
                    status => Err(Failure::Told(status)),
                }
            }
            Self::Accounts(args) => accounts::run(args, shell).await,
            Self::Audit(args) => audit::run(args, shell).await,
            Self::Report(args) => report::run(args, shell).await,
            Self::Alert(command) => alert::run(command, shell).await,
            Self::Evidence(args) => evidence::run(args, shell).await,
            Self::Backup(args) => backup::run(args, shell).await,
            Self::Db(command) => db::run(command, shell).await,
            Self::Restore(args) => restore::run(args, shell).await,
            Self::Token(command) => command.run(shell).await,
            Self::User(command) => command.run(shell).await,
            Self::Erase(args) => args.run(shell).await,
            Self::Purge => privacy::purge(shell).await,
            Self::Export(args) => args.run(shell).await,
            Self::Restrict(args) => args.run(shell).await,
            Self::Openapi => documents::openapi(shell),
            Self::Completions(args) => documents::completions(&args, shell),
            Self::Man(args) => documents::man(&args, shell),
        }
    }
}

/// Refuses a slug that no OPD of the configuration has.
fn configured_opd(slug: &str, settings: &Settings) -> Result<(), Failure> {
    if settings.opd(slug).is_some() {
        return Ok(());
    }
    let known: Vec<_> = settings.opds.iter().map(|opd| opd.slug.as_str()).collect();
    Err(Failure::Usage(format!("no OPD of the configuration has the slug {slug:?}; there are {}", known.join(", "))))
}

/// Reads one of the words of a closed set.
fn one_of<T: Copy + Send + Sync + 'static>(all: &'static [T], word: fn(T) -> &'static str) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(|&value| word(value)))
        .try_map(move |text| all.iter().copied().find(|&value| word(value) == text).ok_or("unknown"))
}

/// Reads a ticket's number.
fn ticket_id(text: &str) -> Result<TicketId, &'static str> {
    text.parse().ok().filter(|&number| number > 0).map(TicketId).ok_or("a ticket's number is a whole number, such as 42")
}
