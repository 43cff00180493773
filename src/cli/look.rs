//! How things stand out and how lengths are said, for people: colours only on a terminal and never alone.

use std::io::{self, IsTerminal as _};

use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, Cell, Color};
use jiff::SignedDuration;

/// Whether standard output shows colours: a terminal whose user does not refuse them (NO_COLOR, CLICOLOR, TERM).
pub(super) fn colours() -> bool {
    let out = io::stdout();
    out.is_terminal() && anstream::AutoStream::choice(&out) != anstream::ColorChoice::Never
}

/// How a word stands out where colours are shown. The word itself says it too: not everybody sees colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    pub tone: Tone,
    pub bold: bool,
}

/// What a colour stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tone {
    #[default]
    Plain,
    /// Green.
    Well,
    /// Yellow.
    Near,
    /// Red.
    Bad,
}

impl From<Tone> for Look {
    fn from(tone: Tone) -> Self {
        Self { tone, bold: false }
    }
}

impl Look {
    fn colour(self) -> Option<(AnsiColor, Color)> {
        match self.tone {
            Tone::Plain => None,
            Tone::Well => Some((AnsiColor::Green, Color::DarkGreen)),
            Tone::Near => Some((AnsiColor::Yellow, Color::DarkYellow)),
            Tone::Bad => Some((AnsiColor::Red, Color::DarkRed)),
        }
    }

    /// A cell of a table that looks so.
    pub fn cell(self, text: impl ToString) -> Cell {
        let mut cell = Cell::new(text);
        if let Some((_, colour)) = self.colour() {
            cell = cell.fg(colour);
        }
        if self.bold { cell.add_attribute(Attribute::Bold) } else { cell }
    }

    /// A text outside tables, coloured if standard output shows colours.
    pub fn paint(self, text: &str) -> String {
        let mut style = Style::new().fg_color(self.colour().map(|(colour, _)| colour.into()));
        if self.bold {
            style = style.bold();
        }
        if colours() && !style.is_plain() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// A length's two largest units, down to the minute.
pub(super) fn span(length: SignedDuration) -> String {
    let minutes = length.as_mins();
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} m"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} m"),
        (days, 0, _) => format!("{days} d"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}
