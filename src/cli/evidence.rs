//! `tanggap evidence`: what can be proved of a ticket, in a file that others can check; and checking one.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use super::{
    Failure, NO_TICKET, Shell, now,
    output::{Format, View, fitted, preview, table, write_json},
    staff::Who,
    ticket_id,
};
use crate::{
    domain::{
        Scope, TicketId, Time,
        evidence::{Entry, Evidence, Missing},
    },
    dossier::evidence,
    runtime::log::escaped,
    store::{proof, trail},
};

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["ticket", "verify", "anchored"]))]
pub(super) struct Args {
    /// Its number
    #[arg(value_parser = ticket_id)]
    ticket: Option<TicketId>,
    /// Checks a file that `evidence` wrote; needs neither configuration nor database
    #[arg(long, value_name = "FILE")]
    verify: Option<PathBuf>,
    /// Reckons again what the log said as proof.anchored of these rows (its `first` and `last`)
    #[arg(long, value_name = "FIRST-LAST", value_parser = rows)]
    anchored: Option<(i64, i64)>,
    /// How it looks: table on a terminal, json otherwise
    #[arg(long)]
    format: Option<Format>,
    #[command(flatten)]
    who: Who,
}

fn rows(text: &str) -> Result<(i64, i64), &'static str> {
    let rows = text.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    rows.filter(|(first, last)| first <= last).ok_or("two row numbers, such as 1-250")
}

pub(super) async fn run(args: Args, shell: &mut Shell) -> Result<(), Failure> {
    let Args { ticket, verify, anchored, format, who } = args;
    if let Some(file) = verify {
        return self::verify(&file, shell);
    }
    let (db, settings) = shell.open().await?;
    if let Some(rows) = anchored {
        let found = proof::anchored(&db, rows).await?;
        return Ok(writeln!(shell.out, "{} tickets, {}", found.tickets, found.hash)?);
    }
    let Some(id) = ticket else { return Ok(()) };
    let evidence = evidence(&db, &Scope::ALL, id, now()).await?;
    let evidence = evidence.ok_or_else(|| Failure::Failed(format!("there is no ticket {id}; {NO_TICKET}")))?;
    trail::add(&db, &who.name(), trail::EVIDENCE, &format!("ticket {id}"), now()).await?;
    match Format::or_usual(format, shell) {
        Format::Table => Ok(people(&mut shell.out, &evidence, &View::of(&settings))?),
        Format::Csv => Err(Failure::Usage("evidence is written as json, or as a table to look at".into())),
        Format::Json => {
            write_json(&mut shell.out, &evidence)?;
            Ok(writeln!(shell.out)?)
        }
    }
}

fn verify(file: &std::path::Path, shell: &mut Shell) -> Result<(), Failure> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).map_err(|error| Failure::Failed(format!("{name} can't be read: {error}")))?;
    let evidence: Evidence =
        serde_json::from_str(&text).map_err(|error| Failure::Failed(format!("{name} is no evidence file of tanggap: {error}")))?;
    let found = evidence.examine();
    for (n, why) in &found.silent {
        writeln!(shell.out, "entry {n}: {}", why_silent(*why))?;
    }
    if found.wrong.is_empty() {
        let (entries, end) = (evidence.entries.len(), &evidence.end.link);
        return Ok(writeln!(shell.out, "{}: whole; {entries} entries, the last is {}", escaped(&name), escaped(end))?);
    }
    for wrong in &found.wrong {
        writeln!(shell.out, "{}", escaped(wrong))?;
    }
    Err(Failure::Failed(format!("{name} is not whole: {} found wrong", found.wrong.len())))
}

const fn why_silent(why: Missing) -> &'static str {
    match why {
        Missing::Erased => "its text is erased and can't be shown any more; its digest stands",
        Missing::Edited => "its text was edited later and is not held any more; its digest stands, and whoever has the text can check it",
    }
}

/// For people: an entry a line.
fn people(out: &mut impl Write, evidence: &Evidence, view: &View) -> io::Result<()> {
    let mut table = table(&["", "at", "what", ""]);
    for entry in &evidence.entries {
        let at = Time::parse(&entry.at).map_or_else(|| entry.at.clone(), |at| view.time(at));
        table.add_row([entry.n.to_string(), at, entry.kind.clone(), escaped(&says(entry)).into_owned()]);
    }
    let found = evidence.examine();
    writeln!(out, "{}", fitted(&mut table))?;
    let whole = if found.wrong.is_empty() { "whole".to_owned() } else { found.wrong.join("; ") };
    writeln!(out, "\nchain   {}\nend     {}", escaped(&whole), evidence.end.link)?;
    writeln!(out, "`tanggap evidence {} --format json > FILE` writes what others can check", evidence.ticket["id"])
}

/// What an entry says, in a line.
fn says(entry: &Entry) -> String {
    let Some(record) = &entry.record else { return entry.missing.map_or("", why_silent).to_owned() };
    let text = |key: &str| record.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let words: &[&str] = match entry.kind.as_str() {
        "message" => &["direction", "author_name", "text"],
        "edit" => &["text"],
        "deletion" => &["deleted_at"],
        "action" => &["action", "by", "text"],
        "delivery" => &["official", "channel", "tells", "delivered_at", "failed"],
        _ => &["event", "detail", "state"],
    };
    preview(&words.iter().filter_map(|key| text(key)).collect::<Vec<_>>().join(", "))
}
