//! Lines for `tanggap due --stdin`, and texts for CSV that is opened in a spreadsheet.
//!
//! Every line that is not empty is answered or refused, in order, and an answer is the line with its deadline behind it. No cell begins with
//! what a spreadsheet would run, holds what drives a terminal, or loses a word; a line of cells is read back as it was written.

#![no_main]

use std::{collections::BTreeMap, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use tanggap::{
    cli::{
        cells,
        due::{self, DueArgs},
    },
    domain::{Time, settings::CalendarSpec},
};
use tanggap_fuzz::site;

const SITE: &str = r#"
[site]
name = "Uji"
timezone = "Asia/Jakarta"
[database]
url = "sqlite:///t.db"
[[policy]]
name = "biasa"
respond_within = "4h"
calendar = "always"
[[opd]]
slug = "uji"
name = "Uji"
[[opd.account]]
platform = "facebook"
id = "1"
token = "env:RAHASIA"
[[calendar]]
name = "kantor, siang"
hours = { mon-sun = ["00:00-24:00"] }
"#;

static CALENDARS: LazyLock<BTreeMap<String, CalendarSpec>> = LazyLock::new(|| {
    site::put("tanggap.toml", Some(SITE));
    let calendars = site::load().unwrap_or_else(|problems| panic!("{problems}")).settings.calendars;
    calendars.into_iter().filter(|(name, _)| ["always", "kantor, siang"].contains(&name.as_str())).collect()
});

fuzz_target!(|data: &[u8]| {
    answers(data);
    if let Ok(text) = str::from_utf8(data) {
        sheet(text);
    }
});

fn answers(data: &[u8]) {
    let args = DueArgs { calendar: None, within: None, at: None, stdin: true };
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let Ok(status) = due::run(&args, &CALENDARS, data, &mut out, &mut errors) else { panic!("memory does not fail") };
    let asked: Vec<&[u8]> = data.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end).collect();
    let answered: Vec<&[u8]> = out.strip_suffix(b"\n").map(|out| out.split(|byte| *byte == b'\n').collect()).unwrap_or_default();
    let Ok(errors) = String::from_utf8(errors) else { panic!("an error that is no text") };
    assert_eq!(status != 0, !errors.is_empty(), "{errors}");
    let refused = errors.lines().filter(|line| line.starts_with("line ")).count();
    let empty = asked.iter().filter(|line| line.is_empty()).count();
    assert!(answered.len() + refused >= asked.len() - empty, "a line was lost");
    let mut next = asked.iter();
    for line in answered {
        let at = line.iter().rposition(|byte| *byte == b',').unwrap_or_default();
        let (question, due) = (&line[..at], str::from_utf8(&line[at + 1..]).unwrap_or_default());
        assert!(next.any(|asked| *asked == question), "an answer to nothing, or out of order");
        assert!(due == "due" || Time::parse(due).is_some(), "{due:?} is no deadline");
    }
}

fn sheet(text: &str) {
    let cell = cells::inert(text);
    assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell:?} runs");
    assert!(!cell.contains(|c: char| c.is_control() && !['\t', '\r', '\n'].contains(&c)), "{cell:?} drives a terminal");
    let words = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    assert!(words(&cell) >= words(text), "words were lost");
    let row: Vec<String> = text.split('\u{1f}').map(cells::inert).collect();
    let mut line = b"text\n".to_vec(); // as in a listing: a mark of byte order can only stand before the headings
    cells::line(&mut line, row.iter().cloned()).unwrap_or_else(|error| panic!("{error}"));
    let mut back = csv::ReaderBuilder::new().flexible(true).from_reader(&line[..]);
    let read: Vec<csv::StringRecord> = back.records().map(|row| row.unwrap_or_else(|error| panic!("{error}"))).collect();
    assert!(read.len() == 1 && read[0].iter().eq(row.iter()), "{row:?} was read back as {read:?}");
}
