//! CSV that is opened in a spreadsheet: what a citizen wrote must not run there.

use std::io::{self, Write};

use crate::runtime::log::escaped;

/// What a cell begins with that a spreadsheet would run.
const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];
/// What may stand in a cell although it is a control.
const LINES: [char; 3] = ['\t', '\r', '\n'];

/// A text that a spreadsheet shows and does not run (a leading `'` says so), without what drives a terminal.
pub fn inert(text: &str) -> String {
    let guard = if text.starts_with(FORMULA) { "'" } else { "" };
    let lines = text.split_inclusive(LINES).map(|part| {
        let words = part.trim_end_matches(LINES);
        format!("{}{}", escaped(words), &part[words.len()..])
    });
    std::iter::once(guard.to_owned()).chain(lines).collect()
}

/// Writes a line; cells are quoted where they must be.
pub fn line(out: &mut impl Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    let mut line = csv::Writer::from_writer(out);
    line.write_record(cells.map(String::into_bytes))?;
    line.flush()
}
