//! How listings look: a table for people, JSON or CSV for programs. What citizens wrote must neither drive a terminal nor run in a
//! spreadsheet.

use std::io::{self, Write};

use clap::ValueEnum;
use comfy_table::{Cell, ColumnConstraint, ContentArrangement, LineStyle, Table, Width, presets::UTF8_HORIZONTAL_ONLY};
use jiff::{SignedDuration, fmt::strtime, tz::TimeZone};
use serde::Serialize;
use serde_json::{Value, ser::Formatter};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{
    Shell, cells,
    look::{Look, colours, span},
    now,
};
use crate::{
    domain::{Time, settings::Settings},
    runtime::log::escaped,
};

/// How a listing looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people, in local times
    Table,
    /// One array
    Json,
    /// For spreadsheets; cells that would run as a formula begin with '
    Csv,
}

impl Format {
    /// A table on a terminal, JSON otherwise.
    pub fn or_usual(format: Option<Self>, shell: &Shell) -> Self {
        format.unwrap_or(if shell.terminal { Self::Table } else { Self::Json })
    }
}

/// The arguments of every listing.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Shape {
    /// How it looks [default: table on a terminal, json otherwise]
    #[arg(long)]
    pub format: Option<Format>,
    /// At most so many rows [default: 100 for a table, all otherwise]
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
}

impl Shape {
    /// What the arguments amount to here.
    pub fn settle(&self, shell: &Shell) -> (Format, Option<u32>) {
        let format = Format::or_usual(self.format, shell);
        (format, self.limit.or((format == Format::Table).then_some(100)))
    }
}

/// By which clock a table is read, and whether it has colours.
pub(super) struct View {
    pub zone: TimeZone,
    pub now: Time,
    pub colours: bool,
}

impl View {
    pub fn of(settings: &Settings) -> Self {
        Self { zone: settings.site.timezone.clone(), now: now(), colours: colours() }
    }

    /// Local time with its zone, to the minute.
    pub fn time(&self, at: Time) -> String {
        strtime::format("%Y-%m-%d %H:%M %Z", &at.timestamp().to_zoned_datetime(self.zone.clone())).unwrap_or_else(|_| at.rfc3339())
    }

    /// The same, or a dash.
    pub fn maybe(&self, at: Option<Time>) -> String {
        at.map_or("-".into(), |at| self.time(at))
    }

    /// Local time and how far off it is, `2026-11-24 13:00 WIB, 3 h ago`, or a dash.
    pub fn beside(&self, at: Option<Time>) -> String {
        at.map_or("-".into(), |at| format!("{}, {}", self.time(at), self.relative(at)))
    }

    /// How far off a time is: `3 h ago`, `in 5 m`, `now`.
    pub fn relative(&self, at: Time) -> String {
        let past = self.now.since(at);
        match span(past.abs()) {
            _ if past.abs() < SignedDuration::from_mins(1) => "now".to_owned(),
            length if past.is_positive() => format!("{length} ago"),
            length => format!("in {length}"),
        }
    }

    /// How far off a deadline is: `2 h 5 m left`, `3 d 1 h late`.
    pub fn until(&self, due: Time) -> String {
        let left = due.since(self.now);
        format!("{} {}", span(left.abs()), if left.is_negative() { "late" } else { "left" })
    }

    /// Cells that stand out as they should.
    pub fn row(&self, cells: &[String], look: impl Fn(usize) -> Look) -> Vec<Cell> {
        let look = |column| if self.colours { look(column) } else { Look::default() };
        cells.iter().enumerate().map(|(column, text)| look(column).cell(escaped(text))).collect()
    }
}

/// A row of a listing.
pub(super) trait Listed: Serialize {
    /// Columns of the CSV form: fields of the JSON form, `outer.inner` within an object.
    const CSV: &'static [&'static str];
    /// Headings of the table; none where a table is made otherwise.
    const TABLE: &'static [&'static str] = &[];
    /// Cells of the table.
    fn cells(&self, _: &View) -> Vec<String> {
        Vec::new()
    }
    /// How the cell of a column stands out.
    fn look(&self, _column: usize, _: &View) -> Look {
        Look::default()
    }
}

/// A listing being written, row by row.
pub(super) struct Listing<'a, W: Write> {
    out: &'a mut W,
    format: Format,
    view: &'a View,
    limit: Option<u32>,
    rows: u32,
    table: Table,
}

impl<'a, W: Write> Listing<'a, W> {
    pub fn begin<T: Listed>(out: &'a mut W, (format, limit): (Format, Option<u32>), view: &'a View) -> io::Result<Self> {
        match format {
            Format::Table => {}
            Format::Json => out.write_all(b"[")?,
            Format::Csv => cells::line(out, T::CSV.iter().map(|column| column.replace('.', "_")))?,
        }
        Ok(Self { out, format, view, limit, rows: 0, table: table(T::TABLE) })
    }

    /// Writes a row; false once no more are wanted.
    pub fn row<T: Listed>(&mut self, row: &T) -> io::Result<bool> {
        if self.is_full() {
            return Ok(false);
        }
        match self.format {
            Format::Table => {
                self.table.add_row(self.view.row(&row.cells(self.view), |column| row.look(column, self.view)));
            }
            Format::Json => {
                self.out.write_all(if self.rows == 0 { b"\n" } else { b",\n" })?;
                write_json(self.out, row)?;
            }
            Format::Csv => {
                let row = serde_json::to_value(row)?;
                cells::line(self.out, T::CSV.iter().map(|column| csv_cell(&row, column)))?;
            }
        }
        self.rows += 1;
        Ok(!self.is_full())
    }

    fn is_full(&self) -> bool {
        self.limit.is_some_and(|limit| self.rows >= limit)
    }

    pub fn end(mut self) -> io::Result<()> {
        match self.format {
            Format::Table => {
                writeln!(self.out, "{}", fitted(&mut self.table))?;
                if self.is_full() { writeln!(self.out, "the first {}; more with --limit", self.rows) } else { Ok(()) }
            }
            Format::Json => self.out.write_all(if self.rows == 0 { b"]\n" } else { b"\n]\n" }),
            Format::Csv => Ok(()),
        }
    }
}

/// Writes a whole listing.
pub(super) fn write<T: Listed>(out: &mut impl Write, shape: (Format, Option<u32>), view: &View, rows: &[T]) -> io::Result<()> {
    let mut listing = Listing::begin::<T>(out, shape, view)?;
    for row in rows {
        listing.row(row)?;
    }
    listing.end()
}

/// Columns below which a table is no narrower, but wrapped by the terminal.
const NARROWEST: u16 = 80;
/// From so many columns on, two lie between a table's own.
const WIDE: usize = 120;
/// A column with a cell of more characters holds free text.
const FREE: usize = 40;
/// Words of free text are broken after no fewer characters, unless all are.
const SHORT: usize = 7;

/// An empty table with these headings; as wide as the terminal, if it goes to one.
pub(super) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()))
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(headings.iter().copied());
    // A narrower terminal (or one of unknown size, which says 0) would break words into letters.
    if table.width().is_some_and(|width| width < NARROWEST) {
        table.set_width(NARROWEST);
    }
    table
}

/// The table as text. On a terminal no word is broken as long as there is room for all of a column's; where there is not, free text gives
/// way first, and then every column alike.
pub(super) fn fitted(table: &mut Table) -> String {
    let columns = table.column_count();
    let Some(width) = table.width().map(usize::from) else { return table.trim_fmt() };
    let gap = u16::from(width >= WIDE); // beside the column that the style puts between
    for column in table.column_iter_mut() {
        column.set_padding((0, gap));
    }
    let longest = |index, count: fn(&str) -> usize| {
        table.column_cells_with_header_iter(index).flatten().map(|cell| count(&cell.content())).max().unwrap_or(0)
    };
    let word = |text: &str| text.split_whitespace().map(|word| word.chars().count()).max().unwrap_or(0);
    let words: Vec<(usize, bool)> =
        (0..columns).map(|index| (longest(index, word), longest(index, |text| text.chars().count()) > FREE)).collect();
    let room = width.saturating_sub(columns * usize::from(gap) + columns.saturating_sub(1));
    let least = |most: usize, all: bool| words.iter().map(move |&(word, free)| if free || all { word.min(most) } else { word });
    let fits = |&(most, all): &(usize, bool)| least(most, all).sum::<usize>() <= room;
    let tries = (SHORT..=width).rev().map(|most| (most, false)).chain((1..=width).rev().map(|most| (most, true)));
    let (most, all) = tries.into_iter().find(fits).unwrap_or((1, true));
    let bound = |word| ColumnConstraint::LowerBoundary(Width::Fixed(u16::try_from(word).unwrap_or(u16::MAX).saturating_add(gap)));
    let bounds: Vec<_> = least(most, all).map(bound).collect();
    table.set_constraints(bounds);
    table.trim_fmt()
}

/// How wide sentences and tables of a whole page are: as the terminal breaks them, or where there is none, a hundred columns.
pub(super) fn sheet(terminal: bool) -> (usize, impl Fn(&[&str]) -> Table) {
    const WIDTH: u16 = 100;
    let made = move |headings: &[&str]| {
        let mut table = table(headings);
        if !terminal {
            table.set_width(WIDTH);
        }
        table
    };
    (if terminal { usize::MAX } else { WIDTH.into() }, made)
}

/// A text in lines of at most so many characters, broken between words.
pub(super) fn wrapped(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count().saturating_add(1 + word.chars().count()) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

/// The first words of a text, on one line.
pub(super) fn preview(text: &str) -> String {
    const GRAPHEMES: usize = 80;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.grapheme_indices(true).nth(GRAPHEMES) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}

/// JSON in which every character that could drive a terminal is written as `\u….`.
pub(super) fn write_json(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    Ok(value.serialize(&mut serde_json::Serializer::with_formatter(out, Inert))?)
}

/// Leaves to serde_json what it escapes itself (below U+0020), and escapes the other controls.
struct Inert;

impl Formatter for Inert {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut units = [0; 2];
        for c in fragment.chars() {
            let mut utf8 = [0; 4];
            if matches!(escaped(c.encode_utf8(&mut utf8)), std::borrow::Cow::Borrowed(_)) {
                out.write_all(utf8[..c.len_utf8()].as_ref())?;
            } else {
                for unit in c.encode_utf16(&mut units) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

/// The cell of a column; a text is inert, everything else as in JSON.
fn csv_cell(row: &Value, column: &str) -> String {
    match column.split('.').try_fold(row, |value, field| value.get(field)) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => cells::inert(text),
        Some(value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_by_how_far_off_it_is_in_its_two_largest_units() {
        let view = View { zone: TimeZone::UTC, now: Time::from_secs(1_000_000), colours: false };
        for (seconds, relative, until) in [
            (-7_500, "2 h 5 m ago", "2 h 5 m late"),
            (-30, "now", "0 m late"),
            (59, "now", "0 m left"),
            (60, "in 1 m", "1 m left"),
            (3_600, "in 1 h", "1 h left"),
            (2 * 86_400 + 3 * 3_600 + 59 * 60, "in 2 d 3 h", "2 d 3 h left"),
            (86_400 + 60, "in 1 d", "1 d left"),
        ] {
            let at = Time::from_secs(1_000_000 + seconds);
            assert_eq!((view.relative(at).as_str(), view.until(at).as_str()), (relative, until), "{seconds}");
        }
    }
}
