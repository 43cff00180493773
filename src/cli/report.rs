//! `tanggap report`: how fast and how surely each agency answers, and what other policies would have done.

use std::{io::Write as _, path::PathBuf};

use clap::ValueEnum;
use jiff::civil::Date;

use super::{
    Failure, Shell, now, one_of,
    output::{self, Format, Listed, View},
};
use crate::{
    catalogue::{Words, WordsError},
    config::{self, Environment, Secrets},
    domain::{Scope, settings::Settings},
    hours::calendar::Calendars,
    report::{
        self, Ask, By, Report,
        page::{self, FIRST},
        summary::{Cell, Group},
        what_if::what_if,
    },
    runtime::log::escaped,
    store::figures::figures,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// First day, such as 2026-11-01, by the site's clock [default: 30 days up to the last one]
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// Last day, included [default: today]
    #[arg(long, value_name = "DAY")]
    to: Option<Date>,
    /// What the rows are
    #[arg(long, default_value = "opd", value_parser = one_of(By::ALL, By::word))]
    by: By,
    /// Replays the period under the [[policy]] and [[calendar]] of this file
    #[arg(long, value_name = "FILE")]
    what_if: Option<PathBuf>,
    /// How it looks [default: table on a terminal, json otherwise]
    #[arg(long)]
    format: Option<Form>,
}

/// How a report looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people, in the site's language
    Table,
    /// One object
    Json,
    /// For spreadsheets, one line a row
    Csv,
    /// A page that stands alone, for mail and paper
    Html,
}

/// Days of a report where none are named.
const DAYS: u16 = 30;

impl From<WordsError> for Failure {
    fn from(error: WordsError) -> Self {
        Self::Failed(error.to_string())
    }
}

pub(super) async fn run(args: Args, shell: &mut Shell) -> Result<(), Failure> {
    let other = match &args.what_if {
        None => None,
        Some(file) => {
            let env = Environment::of_process();
            let loaded = config::load_with(shell.config.as_deref(), &env, Secrets::DatabaseOnly, file);
            Some(loaded.map_err(Failure::Configuration)?.settings)
        }
    };
    let (db, settings) = shell.open().await?;
    let (zone, now) = (&settings.site.timezone, now());
    let to = args.to.unwrap_or_else(|| report::last_days(1, now, zone).1);
    let from = args.from.unwrap_or_else(|| report::days_until(to, DAYS));
    if from > to {
        return Err(Failure::Usage(format!("--from {from} lies after --to {to}")));
    }
    let (calendars, scope) = (Calendars::new(&settings.calendars), Scope::ALL);
    let found = figures(&db, report::span(from, to, zone), &scope, now).await?;
    let mut report = report::report(&found, &settings, &calendars, Ask { from, to, by: args.by, scope: &scope }, now)?;
    if let Some(other) = &other {
        report.what_if = Some(what_if(&found, (&settings, &calendars), (other, &Calendars::new(&other.calendars)), now));
    }
    let view = View::of(&settings);
    match args.format.unwrap_or(if shell.terminal { Form::Table } else { Form::Json }) {
        Form::Table => table(&report, &settings, shell),
        Form::Json => {
            output::write_json(&mut shell.out, &report)?;
            Ok(writeln!(shell.out)?)
        }
        Form::Csv => Ok(output::write(&mut shell.out, (Format::Csv, None), &view, &report.groups)?),
        Form::Html => Ok(shell.out.write_all(page::page(&report, &settings.site)?.as_bytes())?),
    }
}

fn table(report: &Report, settings: &Settings, shell: &mut Shell) -> Result<(), Failure> {
    let words = report::words(&settings.site)?;
    let say = |key: &str| words.say(key, ());
    let (width, table) = output::sheet(shell.terminal);
    let out = &mut shell.out;
    let paragraph = |text: &str| output::wrapped(&escaped(text), width);
    writeln!(out, "{}", paragraph(&report.title))?;
    for line in page::sums(&words, &report.totals)? {
        writeln!(out, "\n{}", paragraph(&line))?;
    }
    if let Some(it) = &report.what_if {
        writeln!(out, "\n{}", paragraph(&words.say("what_if_sum", minijinja::value::Serde(it))?))?;
        let mut steps =
            table(&[&say("head_official")?, &say("head_policy")?, &say("head_step")?, &say("head_before")?, &say("head_after")?]);
        for step in &it.steps {
            let [name, policy, at] = [&step.name, &step.policy, &step.at].map(|cell| escaped(cell).into_owned());
            steps.add_row([name, policy, at, step.before.to_string(), step.after.to_string()]);
        }
        writeln!(out, "{}", steps.trim_fmt())?;
    }
    let heads = page::heads(&words)?;
    let by = say(&format!("by_{}", report.by))?;
    for part in [0..FIRST, FIRST..heads.len()] {
        let mut figures = table(&std::iter::once(by.as_str()).chain(heads[part.clone()].iter().map(String::as_str)).collect::<Vec<_>>());
        for group in report.groups.iter().chain([&report.totals]) {
            let cells = page::cells(&words, group)?;
            figures.add_row(std::iter::once(escaped(&group.name).into_owned()).chain(cells[part.clone()].iter().cloned()));
        }
        writeln!(out, "\n{}", figures.trim_fmt())?;
    }
    let (ranked, apart): (Vec<_>, Vec<_>) = report.ranking.iter().partition(|row| row.place.is_some());
    for (section, rows) in [("section_rank", ranked), ("section_apart", apart)] {
        let mut ranks = table(&[&say("head_place")?, &say("head_opd")?, &say("head_share")?, &say("head_why")?]);
        for row in &rows {
            let place = row.place.map_or_else(|| "–".to_owned(), |place| place.to_string());
            ranks.add_row([place, escaped(&row.name).into_owned(), report::share(row.share), escaped(&row.why).into_owned()]);
        }
        if !rows.is_empty() {
            writeln!(out, "\n{}\n{}", say(section)?, ranks.trim_fmt())?;
        }
    }
    heat(&words, &report.heat_map, out)
}

/// The hours of the week as characters, the busier the darker.
fn heat(words: &Words, cells: &[Vec<Cell>], out: &mut impl std::io::Write) -> Result<(), Failure> {
    const SHADES: [char; 6] = ['·', '░', '░', '▒', '▓', '█'];
    let most = cells.iter().flatten().map(|cell| cell.tickets).max().unwrap_or(0);
    writeln!(out, "\n{}", words.say("section_heat", ())?)?;
    let hours: Vec<_> = (0..24).step_by(3).map(|hour| format!("{hour:02}")).collect();
    writeln!(out, "{:<10}{}", "", hours.join("    "))?;
    for (day, row) in page::weekdays(words)?.iter().zip(cells) {
        let shades = row.iter().map(|cell| SHADES[report::chart::shade(cell.tickets, most) as usize]);
        writeln!(out, "{day:<10}{}", shades.flat_map(|shade| [shade, shade]).collect::<String>())?;
    }
    Ok(())
}

impl Listed for Group {
    const CSV: &'static [&'static str] = &[
        "key",
        "name",
        "tickets",
        "answered",
        "staff",
        "open",
        "overdue",
        "older",
        "oldest_seconds",
        "gone",
        "gone_waited_seconds",
        "hidden",
        "hidden_waited_seconds",
        "dismissed",
        "unverified",
        "urgent",
        "handed_over",
        "decided",
        "in_time",
        "share.value",
        "share.low",
        "share.high",
        "median_working.seconds",
        "median_working.at_least",
        "p90_working.seconds",
        "p90_working.at_least",
        "median_clock.seconds",
        "median_clock.at_least",
        "p90_clock.seconds",
        "p90_clock.at_least",
    ];
}
