//! `tanggap check`: the configuration, and what it names.

use std::{io::Write as _, time::Duration};

use jiff::SignedDuration;
use secrecy::ExposeSecret as _;

use super::{
    Failure, Shell, complain,
    look::{Look, Tone},
};
use crate::{
    app::{self, Checked, Witness},
    config::Secrets,
    domain::settings::Settings,
    runtime::log::escaped,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only the configuration: ask neither Meta nor any alert channel
    #[arg(long)]
    offline: bool,
    /// Only this account (Meta's id): waits for a comment and a message of somebody with a private profile, and says which arrived
    #[arg(long, value_name = "ACCOUNT", conflicts_with = "offline")]
    witness: Option<String>,
    /// How long `--witness` waits
    #[arg(long, default_value = "10m", value_parser = humantime::parse_duration, value_name = "TIME", requires = "witness")]
    wait: Duration,
}

/// What no read shows (polling-scheme.md).
const NEVER: &str =
    "never seen: finished live streams, comments that the account's own filters hold back, comments under other people's shares";

pub(super) async fn run(args: Args, shell: &mut Shell) -> Result<(), Failure> {
    let loaded = shell.load(Secrets::All)?;
    for warning in &loaded.warnings {
        complain(&format!("warning: {warning}"));
    }
    let settings = &loaded.settings;
    for exposed in app::exposed(settings.database.url.expose_secret(), app::state_directory().as_deref()) {
        complain(&format!("warning: {exposed}"));
    }
    let (opds, accounts, policies) = (settings.opds.len(), settings.accounts().count(), settings.policies.len());
    let file = loaded.file.display().to_string();
    writeln!(shell.out, "{}: the configuration holds; OPDs: {opds}, accounts: {accounts}, policies: {policies}", escaped(&file))?;
    match &args.witness {
        _ if args.offline => Ok(()),
        Some(account) => witness(settings, account, args.wait, shell).await,
        None => {
            let hooks =
                if settings.graph.verify_token.is_some() { "come by webhook" } else { "are not seen: graph.verify_token is not set" };
            writeln!(shell.out, "{NEVER}; reviews and comments on ads {hooks}")?;
            print(&app::check(settings).await?, shell)
        }
    }
}

/// Waits for what a witness writes.
async fn witness(settings: &Settings, account: &str, wait: Duration, shell: &mut Shell) -> Result<(), Failure> {
    let mut witness = Witness::new(settings, account, super::now()).await?;
    let ends = super::now().plus(SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX));
    let open = |witness: &Witness| witness.open.iter().map(|source| format!("a {}", source.kind())).collect::<Vec<_>>().join(" and ");
    let what = escaped(&witness.what).into_owned();
    writeln!(
        shell.out,
        "{what}: have somebody with a private profile, who has no role on the app and is none of `staff`, write {} now.\n\
         A comment goes under one of the newest posts. Waiting {}.",
        open(&witness),
        humantime::format_duration(wait)
    )?;
    while !witness.open.is_empty() && super::now() < ends {
        for (source, seen) in witness.look(super::now()).await? {
            let name = seen.author.and_then(|author| author.name.or(author.username)).unwrap_or_default();
            writeln!(shell.out, "ok     {}: one by {} was read", source.kind(), escaped(name.as_str()))?;
        }
        if !witness.open.is_empty() {
            Witness::pause().await;
        }
    }
    if witness.open.is_empty() {
        writeln!(shell.out, "{what}: what citizens write here can be read")?;
        return Ok(());
    }
    Err(Failure::Failed(format!(
        "{what}: {} did not arrive. If it was written, the app lacks Meta's Advanced Access for it: citizens' messages are not shown to it",
        open(&witness)
    )))
}

/// A line for everything that was tried; fails if something did not work.
pub(super) fn print(tried: &[Checked], shell: &mut Shell) -> Result<(), Failure> {
    for Checked { what, outcome } in tried {
        let (mark, tone, text) = match outcome {
            Ok(text) => ("ok    ", Tone::Well, text),
            Err(text) => ("FAILED", Tone::Bad, text),
        };
        writeln!(shell.out, "{} {}: {}", Look::from(tone).paint(mark), escaped(what), escaped(text))?;
    }
    match tried.iter().filter(|one| one.outcome.is_err()).count() {
        0 => Ok(()),
        failed => Err(Failure::Failed(format!("{failed} of {} did not work; the lines marked FAILED say why", tried.len()))),
    }
}
