//! `tanggap due`: when a clock runs out, for one question by hand or for millions of lines from elsewhere.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufWriter, Write},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Args;

use crate::{
    domain::{Time, settings::CalendarSpec},
    hours::calendar::{ALWAYS, Calendar, Calendars},
};

/// Says when a clock runs out: for one start, or with `--stdin` for one on every line.
#[derive(Args, Clone, Debug)]
pub struct DueArgs {
    /// Calendar the clock runs on
    #[arg(long, value_name = "NAME", required_unless_present = "stdin")]
    pub calendar: Option<String>,
    /// Business time until it runs out, such as 4h or 90m
    #[arg(long, value_name = "DURATION", required_unless_present = "stdin")]
    pub within: Option<String>,
    /// When it starts: RFC 3339, or seconds since 1970
    #[arg(long, value_name = "TIME", required_unless_present = "stdin")]
    pub at: Option<String>,
    /// Read CSV lines `calendar,start,seconds` and print each with `,due` added
    #[arg(long, conflicts_with_all = ["calendar", "within", "at"])]
    pub stdin: bool,
}

/// First line of a CSV file, if it has one.
const HEADER: &str = "calendar,start,seconds";

/// Runs the command and gives its exit status: 1 if a line of `input` could not be answered, 2 if the question was wrong;
/// the reasons stand in `errors`. That nobody reads the output any longer is no error.
pub fn run(
    args: &DueArgs,
    calendars: &BTreeMap<String, CalendarSpec>,
    input: impl BufRead,
    output: impl Write,
    errors: impl Write,
) -> Result<u8> {
    let calendars = Calendars::new(calendars);
    let done = match (&args.calendar, &args.within, &args.at) {
        (Some(calendar), Some(within), Some(at)) => one(&calendars, (calendar, within, at), output, errors),
        _ => lines(&calendars, input, output, errors),
    };
    match done {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        done => Ok(done?),
    }
}

/// Answers one question with the instant in UTC and by the calendar's clocks.
fn one(calendars: &Calendars, question: (&str, &str, &str), mut output: impl Write, mut errors: impl Write) -> io::Result<u8> {
    let (calendar, due) = match ask(calendars, question) {
        Ok(answer) => answer,
        Err(problem) => return writeln!(errors, "{problem:#}").map(|()| 2),
    };
    writeln!(output, "{} {}", due.rfc3339(), due.timestamp().to_zoned_datetime(calendar.spec.timezone.clone()).strftime("%FT%T%:z"))?;
    if calendar.ends_before(due) {
        writeln!(errors, "the holidays of calendar \"{}\" are not known as far as this deadline", calendar.spec.name)?;
    }
    Ok(0)
}

fn ask<'a>(calendars: &'a Calendars, (calendar, within, at): (&str, &str, &str)) -> Result<(&'a Calendar, Time)> {
    let calendar = named(calendars, calendar)?;
    let budget = humantime::parse_duration(within).with_context(|| format!("--within \"{within}\" is no duration such as 4h or 90m"))?;
    let in_days = within.split(|c: char| !c.is_alphabetic()).any(|unit| unit.starts_with(['d', 'w', 'M', 'y']) || unit.starts_with("mon"));
    ensure!(!in_days || calendar.spec.name == ALWAYS, "--within \"{within}\": a working day has no fixed length: write hours");
    let at = time(at).context("--at")?;
    Ok((calendar, due(calendar, at, i64::try_from(budget.as_secs())?)?))
}

/// Answers line by line, in order; a line that can't be answered is left out.
fn lines(calendars: &Calendars, mut input: impl BufRead, output: impl Write, mut errors: impl Write) -> io::Result<u8> {
    let mut output = BufWriter::with_capacity(1 << 16, output);
    let (mut line, mut number, mut status) = (Vec::new(), 0_u64, 0);
    while input.read_until(b'\n', &mut line)? > 0 {
        number += 1;
        let text = line.trim_ascii_end();
        match answer(calendars, text, number) {
            Ok(None) => {}
            Ok(Some(due)) => {
                output.write_all(text)?;
                writeln!(output, ",{due}")?;
            }
            Err(problem) => {
                status = 1;
                writeln!(errors, "line {number}: {problem:#}")?;
            }
        }
        line.clear();
    }
    output.flush()?;
    Ok(status)
}

/// What is added to a line; `None` for an empty one.
fn answer(calendars: &Calendars, line: &[u8], number: u64) -> Result<Option<String>> {
    let line = std::str::from_utf8(line).context("not UTF-8")?;
    if number == 1 && line.eq_ignore_ascii_case(HEADER) {
        return Ok(Some("due".to_owned()));
    }
    if line.is_empty() {
        return Ok(None);
    }
    let mut fields = line.rsplitn(3, ',').map(|field| field.trim().trim_matches('"'));
    let (Some(seconds), Some(start), Some(calendar)) = (fields.next(), fields.next(), fields.next()) else {
        bail!("has not the three fields {HEADER}");
    };
    let seconds: u32 = seconds.parse().map_err(|_| anyhow!("\"{seconds}\" is no number of seconds"))?;
    Ok(Some(due(named(calendars, calendar)?, time(start)?, seconds.into())?.rfc3339()))
}

fn named<'a>(calendars: &'a Calendars, name: &str) -> Result<&'a Calendar> {
    calendars.get(name).with_context(|| {
        let names: Vec<&str> = calendars.names().collect();
        format!("there is no calendar \"{name}\"; there are: {}", names.join(", "))
    })
}

fn time(text: &str) -> Result<Time> {
    Time::parse(text).with_context(|| format!("\"{text}\" is no time such as 2026-11-24T09:00:00+07:00"))
}

fn due(calendar: &Calendar, start: Time, seconds: i64) -> Result<Time> {
    let (worktime, name) = (&calendar.worktime, &calendar.spec.name);
    ensure!(start >= worktime.start(), "calendar \"{name}\" is not known before {}", worktime.start().rfc3339());
    worktime
        .due(start, seconds)
        .with_context(|| format!("calendar \"{name}\" has not that much business time until {}", worktime.end().rfc3339()))
}
