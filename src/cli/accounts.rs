//! `tanggap accounts`: what is polled and how it fares; `accounts discover`: what a token can see, as configuration; `accounts
//! subscribe`: Meta's webhooks.

use std::{io::Write as _, path::PathBuf};

use super::{
    Failure, Shell, check, complain,
    look::{Look, Tone},
    output::{self, Listed, Shape, View},
};
use crate::{
    accounts::{
        self,
        discover::{Account, discover},
        draft::{self, Draft},
        keep,
    },
    app,
    config::{self, Environment, Secrets},
    domain::{
        Scope,
        settings::{Origin, Settings},
    },
    graph::Client,
    runtime::http,
    store::listing::{AccountRow, accounts},
};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(flatten)]
    shape: Shape,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Prints what a token can see as configuration ready to paste, each account with its OPD as far as its name tells
    Discover(Discover),
    /// Asks Meta to tell /webhooks/meta at once what happens at the accounts
    Subscribe,
}

#[derive(Debug, clap::Args)]
struct Discover {
    /// Where the token is: env:NAME, file:/path or credential:NAME; a person's, a system user's, a Page's or an Instagram account's
    #[arg(long, value_name = "REF")]
    token: String,
    /// Writes the token of every account into a file of this folder, readable by its owner only; never over another account's
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// The [[graph.app]] that the token was made for [default: the default app]
    #[arg(long, value_name = "NAME")]
    app: Option<String>,
}

pub(super) async fn run(args: Args, shell: &mut Shell) -> Result<(), Failure> {
    match args.command {
        Some(Command::Discover(args)) => return look(args, shell).await,
        Some(Command::Subscribe) => {
            let settings = shell.load(Secrets::All)?.settings;
            return check::print(&app::subscribe(&settings).await?, shell);
        }
        None => {}
    }
    let (db, settings) = shell.open().await?;
    let shape = args.shape.settle(shell);
    Ok(output::write(&mut shell.out, shape, &View::of(&settings), &accounts(&db, &Scope::ALL, super::now()).await?)?)
}

async fn look(args: Discover, shell: &mut Shell) -> Result<(), Failure> {
    let settings = shell.load(Secrets::Apps)?.settings;
    let token =
        config::read_secret(&args.token, &Environment::of_process()).map_err(|why| Failure::Usage(format!("--token: {why}")))?.value;
    let app = match &args.app {
        None => &settings.graph.app,
        Some(name) => settings.graph.apps.get(name).ok_or_else(|| Failure::Usage(format!("--app: no [[graph.app]] is called {name:?}")))?,
    };
    let http = http::client(settings.graph.timeout.unsigned_abs()).map_err(anyhow::Error::new)?;
    let seen = discover(&Client::new(http, &settings.graph), &token, app).await.map_err(anyhow::Error::new)?;
    let units = accounts::units(&settings.site.name, &settings.opds);
    let placed = draft::place(&seen.accounts, &units, &settings.site.name);
    let tokens = match &args.save {
        None => vec![None; placed.len()],
        Some(folder) => save(folder, &placed, &units, &settings)?,
    };
    let draft = Draft {
        reference: &args.token,
        app: args.app.as_deref(),
        seen: &seen,
        placed: &placed,
        tokens: &tokens,
        units: &units,
        opds: &settings.opds,
    };
    write!(shell.out, "{}", draft.write())?;
    if placed.is_empty() {
        complain("the token sees no account: its owner needs a role on the Pages, or a business must assign them");
    }
    Ok(())
}

/// Keeps each account's token, and says where. A linked Instagram account is read by its Page's token, which needs one file only.
fn save(
    folder: &std::path::Path,
    placed: &[draft::Placed],
    units: &[accounts::matching::Unit],
    settings: &Settings,
) -> Result<Vec<Option<String>>, Failure> {
    let failed = |error: keep::KeepError| Failure::Failed(error.to_string());
    let folder = keep::folder(folder).map_err(failed)?;
    let mut kept: Vec<Option<String>> = Vec::with_capacity(placed.len());
    for it in placed {
        let Account { platform, id, page, token, .. } = it.account;
        let of_page = placed.iter().zip(&kept).find(|(other, _)| page.as_ref() == Some(&other.account.id));
        kept.push(match (of_page, token) {
            (Some((_, kept)), _) => kept.clone(),
            (None, None) => None,
            (None, Some(token)) => {
                let mine = |path: &std::path::Path| {
                    let own = settings.accounts().find(|(_, spec)| spec.platform == *platform && spec.id == *id);
                    let from = own.and_then(|(_, spec)| spec.token.as_ref());
                    from.is_some_and(|token| matches!(&token.origin, Origin::File(own) if own == path))
                };
                let path = keep::token(&folder, &it.slug(units), (*platform, id), token, mine).map_err(failed)?;
                Some(format!("file:{}", path.display()))
            }
        });
    }
    Ok(kept)
}

impl Listed for AccountRow {
    const CSV: &'static [&'static str] = &[
        "platform",
        "id",
        "opd",
        "name",
        "healthy",
        "reason",
        "last_read_at",
        "next_read_at",
        "token_expires_at",
        "watched",
        "failing",
        "proved",
        "doubts",
    ];
    const TABLE: &'static [&'static str] =
        &["account", "OPD", "name", "health", "last read", "next read", "token ends", "watched", "proved"];

    fn cells(&self, view: &View) -> Vec<String> {
        let health = match (&self.reason, self.failing.first(), self.doubts.first()) {
            (Some(reason), ..) => reason.clone(),
            (None, Some(source), _) => format!("{}: {}", source.source, source.error),
            (None, None, Some(doubt)) => format!("in doubt: {}", doubt.detail),
            (None, None, None) => "ok".to_owned(),
        };
        vec![
            format!("{} {}", self.platform, self.id),
            self.opd.clone(),
            self.name.clone().unwrap_or_else(|| "-".into()),
            health,
            view.beside(self.last_read_at),
            view.relative(self.next_read_at),
            view.beside(self.token_expires_at),
            self.watched.map_or_else(|| "-".into(), |share| format!("{:.1} %", share * 100.0)),
            self.proved.iter().map(|source| source.word()).collect::<Vec<_>>().join(" "),
        ]
    }

    fn look(&self, column: usize, _: &View) -> Look {
        match column {
            3 if !self.healthy => Tone::Bad.into(),
            3 if !(self.failing.is_empty() && self.doubts.is_empty()) => Tone::Near.into(),
            3 => Tone::Well.into(),
            _ => Look::default(),
        }
    }
}
