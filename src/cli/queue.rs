//! `tanggap queue`: what waits, earliest deadline first.

use std::{io::Write as _, time::Duration};

use super::{
    Failure, Shell, complain,
    look::{Look, Tone},
    now, one_of,
    output::{self, Format, Listed, Shape, View, preview},
};
use crate::{
    config,
    domain::{Kind, Platform, Scope, TicketState, settings::Settings},
    store::listing::{TicketFilter, TicketRow, tickets},
};

/// How often `--watch` draws anew.
const REDRAW: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only open tickets past their deadline
    #[arg(long, conflicts_with = "state")]
    overdue: bool,
    /// Where they stand
    #[arg(long, default_value = "open", value_parser = one_of(Standing::ALL, Standing::word))]
    state: Standing,
    /// Only this OPD's
    #[arg(long, value_name = "SLUG")]
    opd: Option<String>,
    /// Only this platform's
    #[arg(long, value_parser = one_of(Platform::ALL, Platform::word))]
    platform: Option<Platform>,
    /// Only threads of this kind
    #[arg(long, value_parser = one_of(Kind::ALL, Kind::word))]
    kind: Option<Kind>,
    #[command(flatten)]
    shape: Shape,
    /// Draw anew every two seconds until Ctrl-C
    #[arg(long)]
    watch: bool,
}

/// A state, or any.
#[derive(Clone, Copy, Debug)]
struct Standing(Option<TicketState>);

impl Standing {
    const ALL: &'static [Self] = &[
        Self(Some(TicketState::Open)),
        Self(Some(TicketState::Answered)),
        Self(Some(TicketState::Dismissed)),
        Self(Some(TicketState::Withdrawn)),
        Self(None),
    ];
    fn word(self) -> &'static str {
        self.0.map_or("all", TicketState::word)
    }
}

pub(super) async fn run(args: Args, shell: &mut Shell) -> Result<(), Failure> {
    let (db, settings) = shell.open().await?;
    let (format, limit) = args.shape.settle(shell);
    if args.watch && !(shell.terminal && format == Format::Table) {
        return Err(Failure::Usage("--watch draws a table on a terminal; leave it out to write to a file or a pipe".into()));
    }
    know_opd(args.opd.as_deref(), &settings);
    let mut filter =
        TicketFilter { state: args.state.0, opd: args.opd, platform: args.platform, kind: args.kind, limit, ..TicketFilter::default() };
    loop {
        filter.overdue_at = args.overdue.then(now);
        let rows = tickets(&db, &Scope::ALL, &filter).await?;
        if args.watch {
            write!(shell.out, "\x1b[H\x1b[2J")?; // cursor home, screen empty
        }
        output::write(&mut shell.out, (format, limit), &View::of(&settings), &rows)?;
        if !args.watch {
            return Ok(());
        }
        shell.out.flush()?;
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(()),
            () = tokio::time::sleep(REDRAW) => {}
        }
    }
}

/// A slip in a slug would look like an empty queue. Tickets of an OPD no longer configured can still be listed.
fn know_opd(slug: Option<&str>, settings: &Settings) {
    if let Some(slug) = slug.filter(|slug| settings.opd(slug).is_none()) {
        let hint = config::hint(slug, settings.opds.iter().map(|opd| opd.slug.as_str()));
        complain(&format!("no OPD of the configuration has the slug {slug:?}{hint}"));
    }
}

impl Listed for TicketRow {
    const CSV: &'static [&'static str] = &[
        "id",
        "opd",
        "platform",
        "kind",
        "account",
        "thread",
        "author.id",
        "author.name",
        "text",
        "messages",
        "policy",
        "urgent",
        "state",
        "opened_at",
        "due_at",
        "warned_at",
        "breached_at",
        "flagged_at",
        "acknowledged_at",
        "closed_at",
        "response_seconds",
        "business_seconds",
        "answered_by",
        "reply_window_closes_at",
        "assignee",
        "permalink",
        "unverified",
        "reason",
    ];
    const TABLE: &'static [&'static str] = &["ticket", "OPD", "kind", "from", "text", "due", "left", "state"];

    fn cells(&self, view: &View) -> Vec<String> {
        let author = self.author.as_ref().and_then(|author| author.name.as_deref().or(author.id.as_deref())).unwrap_or("-");
        let kind = format!("{} {}", self.platform, self.kind);
        vec![
            self.id.to_string(),
            self.opd.clone(),
            kind,
            preview(author),
            self.said(),
            view.time(self.due_at),
            self.left(view).unwrap_or_else(|| "-".into()),
            self.standing(),
        ]
    }

    fn look(&self, column: usize, view: &View) -> Look {
        let whole = self.urgency(view);
        // the whole line of an urgent one is bold; colours stand where the clock does
        if matches!(column, 0 | 6 | 7) { whole } else { Look { tone: Tone::Plain, ..whole } }
    }
}

impl TicketRow {
    /// How far off the deadline of an open ticket is, or how long past.
    pub(super) fn left(&self, view: &View) -> Option<String> {
        (self.state == TicketState::Open).then(|| view.until(self.due_at))
    }

    /// What its clock looks like: `late`, `warned` and `urgent` say the same in words.
    pub(super) fn urgency(&self, view: &View) -> Look {
        let tone = match self.state {
            TicketState::Open if self.due_at < view.now => Tone::Bad,
            TicketState::Open if self.warned_at.is_some() => Tone::Near,
            _ => Tone::Plain,
        };
        Look { tone, bold: self.urgent && self.state == TicketState::Open }
    }

    /// The beginning of its newest message, or why there is none.
    fn said(&self) -> String {
        match self {
            Self { erased_at: Some(_), .. } => "[erased]".into(),
            Self { restricted: true, .. } => "[restricted]".into(),
            Self { state: TicketState::Withdrawn, .. } if self.text.is_empty() => "[gone]".into(),
            _ => preview(&self.text),
        }
    }

    /// Where it stands, in words.
    pub(super) fn standing(&self) -> String {
        let mut words = vec![self.state.word().to_owned()];
        for (holds, word) in [
            (self.urgent, "urgent"),
            (self.warned_at.is_some() && self.breached_at.is_none() && self.state == TicketState::Open, "warned"),
            (self.breached_at.is_some(), "breached"),
            (self.acknowledged_at.is_some(), "acknowledged"),
            (self.unverified, "unverified"),
        ] {
            words.extend(holds.then(|| word.to_owned()));
        }
        words.extend(self.assignee.as_ref().map(|name| format!("assigned to {name}")));
        words.extend(self.answered_by.as_ref().map(|by| format!("by {by}")));
        words.extend(self.reason.as_ref().map(|reason| format!("reason: {reason}")));
        words.join(", ")
    }
}
