//! The report as markup: a part for a page that has its own frame and stylesheet, and a page that stands alone, for mail and paper. Pure.
//! Text is escaped by the template engine, that of drawings in `chart`, and nowhere else.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context, value::Serde};
use serde::Serialize;

use super::{
    By, Report,
    chart::{self, Bar, Column, Field},
    stat::Share,
    summary::{Cell, Group},
    voice::{self, length, percent, share, within, worked, worked_within},
};
use crate::{
    catalogue::{Words, WordsError},
    domain::settings::Site,
};

/// The stylesheet of [`fragment`]: for a page whose content security policy takes none inside.
pub const STYLE: &str = include_str!("report.css");

/// Waiting tickets that are named: more would bury the figures.
const NAMED: usize = 50;

/// A row of figures, as it is read.
#[derive(Serialize)]
struct Line {
    name: String,
    cells: Vec<String>,
}

/// A page of its own: nothing is loaded, no script, UTF-8.
pub fn page(report: &Report, site: &Site) -> Result<String, WordsError> {
    let body = Value::from_safe_string(fragment(report, site)?);
    let style = Value::from_safe_string(STYLE.to_owned());
    let env = environment()?;
    let words = voice::words(site)?;
    let footer = words.say("footer", context! { site => site.name.as_str() })?;
    let parts = context! { language => site.language.word(), title => report.title.as_str(), style, body, footer };
    Ok(env.get_template("page.html")?.render(parts)?)
}

/// The main part, from the `h1` on: goes with [`STYLE`].
pub fn fragment(report: &Report, site: &Site) -> Result<String, WordsError> {
    let words = voice::words(site)?;
    let say = |key: &str| words.say(key, ());
    let drawn = Value::from_safe_string;
    let tables = report
        .tables
        .iter()
        .map(|(by, groups)| table(&words, *by, groups))
        .chain((report.by == By::Day).then(|| table(&words, By::Day, &report.groups)))
        .collect::<Result<Vec<_>, _>>()?;
    let what_if = report.what_if.as_ref().map(|it| words.say("what_if_sum", Serde(it))).transpose()?;
    let keys = KEYS.iter().map(|key| Ok((*key, say(key)?))).collect::<Result<std::collections::BTreeMap<_, _>, WordsError>>()?;
    let totals = &report.totals;
    let parts = context! {
        say => Serde(&keys), title => report.title.as_str(), as_of => words.moment(report.period.as_of)?,
        sums => Serde(sums(&words, totals)?), notes => Serde(["note_time", "note_interval", "note_rank", "note_hidden"].map(say).into_iter().collect::<Result<Vec<_>, _>>()?),
        ranking => Serde(&report.ranking.iter().map(|row| ranked(&words, row)).collect::<Result<Vec<_>, _>>()?),
        ranking_chart => drawn(ranking_chart(&words, report)?), heat_chart => drawn(heat(&words, report, false)?),
        late_chart => drawn(heat(&words, report, true)?), trend_chart => drawn(trend(&words, report)?),
        tables => Serde(&tables), heads => Serde(&heads(&words)?),
        first => FIRST, handovers => Serde(&report.handovers.iter().map(|it| Ok(Line {
            name: it.name.clone(),
            cells: vec![it.tickets.to_string(), it.passed_on.to_string(), worked(&words, it.working_seconds)?, length(&words, it.clock_seconds)?],
        })).collect::<Result<Vec<_>, WordsError>>()?),
        waiting => Serde(&waiting(&words, report)?), waiting_more => report.waiting.len().saturating_sub(NAMED),
        more => words.say("waiting_more", context! { n => report.waiting.len().saturating_sub(NAMED) })?,
        what_if, what_if_data => Serde(&report.what_if),
    };
    Ok(environment()?.get_template("report.html")?.render(parts)?)
}

/// Texts of the templates.
const KEYS: [&str; 36] = [
    "as_of",
    "section_rank",
    "section_apart",
    "section_heat",
    "section_late",
    "section_weeks",
    "section_handover",
    "section_waiting",
    "section_notes",
    "section_what_if",
    "head_place",
    "head_opd",
    "head_share",
    "head_median",
    "head_open",
    "head_why",
    "head_tickets",
    "head_passed_on",
    "head_working",
    "head_clock",
    "head_ticket",
    "head_kind",
    "head_since",
    "head_waited",
    "head_policy",
    "head_official",
    "head_before",
    "head_after",
    "head_step",
    "head_breaches",
    "nothing",
    "waiting_none",
    "rank_none",
    "uncertain",
    "overdue",
    "seen_to",
];

fn environment() -> Result<Environment<'static>, WordsError> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    env.add_template("report.html", include_str!("report.html"))?;
    env.add_template("page.html", include_str!("page.html"))?;
    Ok(env)
}

/// So many of [`heads`] are the first to be read; the others stand apart.
pub const FIRST: usize = 6;

/// What stands over the columns of figures.
pub fn heads(words: &Words) -> Result<Vec<String>, WordsError> {
    let keys = [
        "head_tickets",
        "head_share",
        "head_median",
        "head_p90",
        "head_open",
        "head_oldest",
        "head_median_clock",
        "head_p90_clock",
        "head_staff",
        "head_dismissed",
        "head_gone",
        "head_hidden",
        "head_unverified",
    ];
    keys.iter().map(|key| words.say(key, ())).collect()
}

/// The figures of a group under [`heads`].
pub fn cells(words: &Words, group: &Group) -> Result<Vec<String>, WordsError> {
    let waited = |count: u64, longest: Option<i64>| match longest {
        Some(seconds) => Ok(format!("{count} ({})", length(words, seconds)?)),
        None => Ok::<_, WordsError>(count.to_string()),
    };
    let (open, overdue) = (group.open + group.older, group.overdue + group.older);
    Ok(vec![
        group.tickets.to_string(),
        share(group.share),
        worked_within(words, group.median_working)?,
        worked_within(words, group.p90_working)?,
        if overdue > 0 { words.say("open_overdue", context! { open, overdue })? } else { open.to_string() },
        group.oldest_seconds.map_or_else(|| Ok("–".into()), |seconds| length(words, seconds))?,
        within(words, group.median_clock)?,
        within(words, group.p90_clock)?,
        group.staff.to_string(),
        group.dismissed.to_string(),
        waited(group.gone, group.gone_waited_seconds)?,
        waited(group.hidden, group.hidden_waited_seconds)?,
        group.unverified.to_string(),
    ])
}

/// The whole in a few sentences.
pub fn sums(words: &Words, totals: &Group) -> Result<Vec<String>, WordsError> {
    let said = |key, part: Option<Share>| {
        let it = part.map(|it| (percent(it.value), percent(it.low), percent(it.high))).unwrap_or_default();
        words.say(
            key,
            context! {
                group => Serde(totals), share => it.0, low => it.1, high => it.2, open => totals.open + totals.older,
                overdue => totals.overdue, median => worked_within(words, totals.median_working)?, p90 => worked_within(words, totals.p90_working)?,
                clock => within(words, totals.median_clock)?, oldest => totals.oldest_seconds.map(|it| length(words, it)).transpose()?,
            },
        )
    };
    let mut lines = vec![said("sum_share", totals.share)?];
    for (key, there) in [
        ("sum_median", totals.median_working.is_some()),
        ("sum_open", totals.open + totals.older > 0),
        ("sum_apart", totals.staff + totals.dismissed + totals.gone + totals.hidden > 0),
    ] {
        if there {
            lines.push(said(key, totals.share)?);
        }
    }
    Ok(lines)
}

#[derive(Serialize)]
struct Table {
    head: String,
    lines: Vec<Line>,
}

fn table(words: &Words, by: By, groups: &[Group]) -> Result<Table, WordsError> {
    let line = |group: &Group| Ok(Line { name: group.name.clone(), cells: cells(words, group)? });
    Ok(Table { head: words.say(&format!("by_{by}"), ())?, lines: groups.iter().map(line).collect::<Result<_, WordsError>>()? })
}

#[derive(Serialize)]
struct Ranked<'a> {
    place: Option<u64>,
    name: &'a str,
    share: String,
    median: String,
    open: u64,
    uncertain: bool,
    why: &'a str,
}

fn ranked<'a>(words: &Words, row: &'a super::rank::Rank) -> Result<Ranked<'a>, WordsError> {
    let median = worked_within(words, row.median_working)?;
    Ok(Ranked {
        place: row.place,
        name: &row.name,
        share: share(row.share),
        median,
        open: row.open,
        uncertain: row.uncertain,
        why: &row.why,
    })
}

fn ranking_chart(words: &Words, report: &Report) -> Result<String, WordsError> {
    let bars: Vec<Bar> = report
        .ranking
        .iter()
        .filter(|row| row.decided > 0)
        .map(|row| Bar {
            label: row.place.map_or_else(|| row.name.clone(), |place| format!("{place}. {}", row.name)),
            text: share(row.share),
            share: row.share.map(|it| (it.value, it.low, it.high)),
            apart: row.place.is_none(),
        })
        .collect();
    if bars.is_empty() { Ok(String::new()) } else { Ok(chart::bars("rank", &words.say("section_rank", ())?, &bars)) }
}

/// The week's names, Monday first.
pub fn weekdays(words: &Words) -> Result<Vec<String>, WordsError> {
    Ok(words.say("weekdays", ())?.split(',').map(str::to_owned).collect())
}

fn heat(words: &Words, report: &Report, late: bool) -> Result<String, WordsError> {
    let (days, title) = (weekdays(words)?, words.say(if late { "section_late" } else { "section_heat" }, ())?);
    let field = |day: &String, hour: usize, cell: &Cell| {
        let text = words.say("heat_field", context! { day, hour => format!("{hour:02}"), tickets => cell.tickets, late => cell.late })?;
        Ok(Field { count: if late { cell.late } else { cell.tickets }, text })
    };
    let row = |(day, row): (&String, &Vec<Cell>)| {
        row.iter().enumerate().map(|(hour, cell)| field(day, hour, cell)).collect::<Result<Vec<_>, WordsError>>()
    };
    let fields = days.iter().zip(&report.heat_map).map(row).collect::<Result<Vec<_>, _>>()?;
    Ok(chart::heat(if late { "late" } else { "heat" }, &title, &days, &fields))
}

fn trend(words: &Words, report: &Report) -> Result<String, WordsError> {
    let columns = report.weeks.iter().map(|week| {
        let text = words.say(
            "week_column",
            context! { tickets => week.tickets, share => share(week.share), median => worked_within(words, week.median_working)? },
        )?;
        Ok(Column { label: format!("{}/{}", week.monday.day(), week.monday.month()), text, count: week.tickets, marked: week.in_time })
    });
    Ok(chart::trend("weeks", &words.say("section_weeks", ())?, &columns.collect::<Result<Vec<_>, WordsError>>()?))
}

#[derive(Serialize)]
struct Unanswered<'a> {
    ticket: i64,
    name: &'a str,
    kind: String,
    since: String,
    waited: String,
    overdue: bool,
    seen_to: bool,
}

fn waiting<'a>(words: &Words, report: &'a Report) -> Result<Vec<Unanswered<'a>>, WordsError> {
    let one = |row: &'a super::Waiting| {
        Ok(Unanswered {
            ticket: row.ticket.0,
            name: &row.name,
            kind: row.platform.map_or_else(|| Ok(row.kind.to_string()), |platform| words.kind(row.kind, platform))?,
            since: words.moment(row.opened_at)?,
            waited: words
                .say("waited", context! { working => worked(words, row.working_seconds)?, clock => length(words, row.clock_seconds)? })?,
            overdue: row.overdue,
            seen_to: row.acknowledged,
        })
    };
    report.waiting.iter().take(NAMED).map(one).collect()
}
