//! One table of all readers: what each of them reads, then everything that people write.

use comfy_table::{CellAlignment, LineStyle, presets::UTF8_HORIZONTAL_ONLY};
use tanggap::demo::world::World;

use crate::figures::{Figures, Reach, Read, reckon};

const HEAD: [&str; 12] = [
    "messages",
    "reader",
    "written",
    "found",
    "missed",
    "deleted first",
    "not read",
    "twice",
    "calls/idle h",
    "calls/message",
    "beyond idle poll",
    "delay",
];
const LEGEND: &str = "\
on Pages: comments, replies and visitors' posts, and the calls that read them; all: Instagram and direct messages too.
missed: still there at the end and never found. deleted first: before a poll could find them. not read: by design, such as Instagram.
calls/idle h: of one account, in an hour in which nothing happened to it. calls/message: all calls by all messages found.
beyond idle poll: calls of the poll that found a message beyond the account's last poll that found nothing, by the messages it found.
delay: from written to found; one message in twenty is shown up to two minutes late. Of both: median, 95th percentile.";

/// A table that grows by a reader.
#[derive(Default)]
pub struct Table {
    walls: Vec<(String, Figures)>,
    everything: Vec<(String, Figures)>,
}

impl Table {
    /// Adds what a reader came to in its world. Everybody must have read the same story.
    pub fn add(&mut self, reader: &str, world: &World, read: &Read) {
        for (rows, reach) in [(&mut self.walls, Reach::Walls), (&mut self.everything, Reach::Everything)] {
            let figures = reckon(world, read, reach);
            assert!(rows.iter().all(|(_, other)| other.written == figures.written), "another story");
            rows.push((reader.to_owned(), figures));
        }
    }

    pub fn print(&self) {
        let mut table = comfy_table::Table::new();
        table.load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none())).set_header(HEAD);
        for (what, rows) in [("on Pages", &self.walls), ("all", &self.everything)] {
            for (reader, figures) in rows {
                let counts = [figures.written, figures.found, figures.missed, figures.gone, figures.unread, figures.twice];
                let cells = [what.to_owned(), reader.clone()].into_iter().chain(counts.map(|count| count.to_string()));
                table.add_row(cells.chain([
                    format!("{:.1}", figures.idle),
                    format!("{:.1}", figures.each),
                    format!("{:.2}, {:.2}", figures.beyond[0], figures.beyond[1]),
                    format!("{:.0} s, {:.0} s", figures.delay[0], figures.delay[1]),
                ]));
            }
        }
        for column in table.column_iter_mut().skip(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        println!("{table}\n{LEGEND}");
    }
}
