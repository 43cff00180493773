//! `tanggap messages`: everything that was read, oldest first.

use jiff::{civil::Date, tz::TimeZone};

use super::{
    Failure, Shell, now, one_of,
    output::{Listed, Listing, Shape, View, preview},
};
use crate::{
    domain::{Direction, Scope, Time},
    store::listing::{MessageFilter, MessagePages, MessageRow},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Written at or after: 2026-11-24T02:00:00Z, 2026-11-24 (local midnight), or 2h (ago)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only this account's, by Meta's id
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Only what citizens (in) or the government (out) wrote
    #[arg(long, value_parser = one_of(Direction::ALL, Direction::word))]
    direction: Option<Direction>,
    #[command(flatten)]
    shape: Shape,
}

pub(super) async fn run(args: Args, shell: &mut Shell) -> Result<(), Failure> {
    let (db, settings) = shell.open().await?;
    let since = args.since.as_deref().map(|text| {
        instant(text, &settings.site.timezone, now())
            .ok_or_else(|| Failure::Usage(format!("--since {text:?} is no time; write 2026-11-24T02:00:00Z, 2026-11-24 or 2h")))
    });
    let filter = MessageFilter { since: since.transpose()?, account: args.account, direction: args.direction, ..MessageFilter::default() };
    let (shape, view) = (args.shape.settle(shell), View::of(&settings));
    let mut listing = Listing::begin::<MessageRow>(&mut shell.out, shape, &view)?;
    let mut pages = MessagePages::new(&db, &Scope::ALL, filter);
    'pages: loop {
        let page = pages.next().await?;
        if page.is_empty() {
            break;
        }
        for message in &page {
            if !listing.row(message)? {
                break 'pages;
            }
        }
    }
    Ok(listing.end()?)
}

/// An instant, the local midnight a day begins with, or so long before `now`.
fn instant(text: &str, zone: &TimeZone, now: Time) -> Option<Time> {
    let midnight = || Some(Time::from_timestamp(text.parse::<Date>().ok()?.to_zoned_datetime(zone.clone()).ok()?.timestamp()));
    let ago = || Some(now.minus(humantime::parse_duration(text).ok()?.try_into().ok()?));
    Time::parse(text).or_else(midnight).or_else(ago)
}

impl Listed for MessageRow {
    const CSV: &'static [&'static str] = &[
        "id",
        "external_id",
        "platform",
        "kind",
        "direction",
        "account",
        "opd",
        "thread",
        "parent",
        "author.id",
        "author.name",
        "text",
        "attachments",
        "reactions",
        "created_at",
        "seen_at",
        "edited_at",
        "deleted_at",
        "hidden",
        "automatic",
        "needs_answer",
    ];
    const TABLE: &'static [&'static str] = &["message", "written", "OPD", "kind", "", "from", "text"];

    fn cells(&self, view: &View) -> Vec<String> {
        let author = self.author.as_ref().and_then(|author| author.name.as_deref().or(author.id.as_deref())).unwrap_or("-");
        let mut text = preview(&self.text);
        for (holds, mark) in [
            (self.deleted_at.is_some(), "[gone]"),
            (self.hidden, "[hidden]"),
            (self.automatic, "[automatic]"),
            (self.restricted, "[restricted]"),
            (self.erased_at.is_some(), "[erased]"),
        ] {
            if holds {
                text = format!("{mark} {text}");
            }
        }
        let kind = format!("{} {}", self.platform, self.kind);
        vec![
            self.id.to_string(),
            view.beside(Some(self.created_at)),
            self.opd.clone(),
            kind,
            self.direction.to_string(),
            preview(author),
            text,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_an_instant_a_local_midnight_or_so_long_ago() {
        let (zone, now) = (TimeZone::fixed(jiff::tz::offset(7)), Time::from_secs(1_795_485_600));
        for (text, want) in [
            ("2026-11-24T02:00:00Z", Some(1_795_485_600)),
            ("2026-11-24", Some(1_795_453_200)),
            ("2h", Some(1_795_478_400)),
            ("yesterday", None),
        ] {
            assert_eq!(instant(text, &zone, now), want.map(Time::from_secs), "{text}");
        }
    }
}
