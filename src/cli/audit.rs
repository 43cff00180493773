//! `tanggap audit`: how well the OPDs are covered by accounts that citizens can write to.

use std::io::Write as _;

use clap::ValueEnum;
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;

use super::{
    Failure, Shell, now,
    output::{self, Format, Listed, View},
};
use crate::{
    accounts::{
        audit::{Audit, Group, Limits, Row, audit},
        page,
    },
    config::Secrets,
    domain::settings::Settings,
    runtime::log::escaped,
    store::{
        Db,
        audit::{Watched, watched},
    },
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How it looks [default: table on a terminal, json otherwise]
    #[arg(long)]
    format: Option<Form>,
    /// After so many days without a post of its own an account counts as dormant, and without a message by a citizen as silent
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..))]
    dormant: u16,
}

/// How an audit looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people, in the site's language
    Table,
    /// One array, one object a finding
    Json,
    /// For spreadsheets, one line a finding
    Csv,
    /// A page that stands alone, for a telephone or for paper
    Html,
}

pub(super) async fn run(args: Args, shell: &mut Shell) -> Result<(), Failure> {
    let settings = shell.load(Secrets::DatabaseOnly)?.settings;
    let accounts = stored(shell, &settings).await?;
    let quiet = SignedDuration::from_hours(24 * i64::from(args.dormant));
    let limits = Limits { quiet, horizon: settings.poll.comment_horizon };
    let keepers: Vec<&str> =
        settings.officials.iter().filter(|official| official.group == "operator").map(|official| official.name.as_str()).collect();
    let found = audit((&settings.site, &keepers), &settings.opds, &accounts, limits, now()).map_err(anyhow::Error::new)?;
    let view = View::of(&settings);
    match args.format.unwrap_or(if shell.terminal { Form::Table } else { Form::Json }) {
        Form::Table => table(&found, &settings, shell),
        Form::Json => Ok(output::write(&mut shell.out, (Format::Json, None), &view, &found.rows)?),
        Form::Csv => Ok(output::write(&mut shell.out, (Format::Csv, None), &view, &found.rows)?),
        Form::Html => Ok(shell.out.write_all(page::page(&found, &settings.site).map_err(anyhow::Error::new)?.as_bytes())?),
    }
}

/// What is known of the accounts: nothing before the daemon has made its database.
async fn stored(shell: &Shell, settings: &Settings) -> Result<Vec<Watched>, Failure> {
    if Db::is_absent(settings.database.url.expose_secret()) {
        return Ok(Vec::new());
    }
    let (db, _) = shell.open().await?;
    Ok(watched(&db).await?)
}

fn table(found: &Audit, settings: &Settings, shell: &mut Shell) -> Result<(), Failure> {
    let heads = page::heads(&settings.site).map_err(anyhow::Error::new)?;
    let [who, text, advice, kind, agencies, with, read, fine, section_open, section_fine, _] = &heads;
    let (width, table) = output::sheet(shell.terminal);
    let out = &mut shell.out;
    writeln!(out, "{}", output::wrapped(&escaped(&found.title), width))?;
    for line in &found.summary {
        writeln!(out, "\n{}", output::wrapped(&escaped(line), width))?;
    }
    let mut shares = table(&[kind, agencies, with, read, fine]);
    for share in &found.shares {
        let counts = [share.agencies, share.with_account, share.read_well, share.fine].map(|count| count.to_string());
        shares.add_row(std::iter::once(share.name.clone()).chain(counts));
    }
    writeln!(out, "\n{}", shares.trim_fmt())?;
    let (open, fine): (Vec<_>, Vec<_>) = found.groups.iter().partition(|group| group.open);
    let named = |group: &Group| std::iter::once(&group.who).chain(&group.members).map(|it| escaped(it).into_owned()).collect::<Vec<_>>();
    if !open.is_empty() {
        let mut findings = table(&[who, text, advice]);
        for (nth, group) in open.into_iter().enumerate() {
            if nth > 0 {
                findings.add_row([""; 3]);
            }
            let mut who = named(group).join("\n");
            for (text, advice) in &group.lines {
                findings.add_row([std::mem::take(&mut who), escaped(text).into_owned(), escaped(advice).into_owned()]);
            }
        }
        writeln!(out, "\n{section_open}\n{}", findings.trim_fmt())?;
    }
    if !fine.is_empty() {
        writeln!(out, "\n{section_fine}")?;
    }
    for line in fine.into_iter().flat_map(named) {
        writeln!(out, "{}", output::wrapped(&line, width))?;
    }
    Ok(())
}

impl Listed for Row {
    const CSV: &'static [&'static str] =
        &["opd", "name", "abbreviation", "kind", "parent", "finding", "platform", "account", "since", "text", "advice", "reason"];
}
