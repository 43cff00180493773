//! `tanggap alert`: whether officials would hear of something, what a letter would say, and in which words.

use std::{io::Write as _, sync::Arc};

use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use super::{Failure, NO_TICKET, Shell, check, now, ticket_id};
use crate::{
    alert, app, catalogue,
    config::Secrets,
    domain::{TicketId, alert::Channel},
    runtime::log::escaped,
};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Sends a test alert to every official of the group, by every channel the official has
    Test {
        /// Only this group [default: all]
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
    },
    /// Prints what a step of a ticket would say now, and sends nothing
    Preview {
        /// Its number
        #[arg(value_parser = ticket_id)]
        ticket: TicketId,
        /// The step's number, as `show` lists them
        #[arg(long, value_name = "N")]
        step: u32,
        /// By which way
        #[arg(long, value_name = "C", value_parser = PossibleValuesParser::new(CHANNELS.map(Channel::word))
            .try_map(|word| Channel::from_word(&word).ok_or("no such channel")))]
        channel: Channel,
    },
    /// Prints what letters say, in the site's language: keep what is to be said otherwise, change it, and name the file by letter.texts
    Texts,
}

const CHANNELS: [Channel; 6] = [Channel::Smtp, Channel::Telegram, Channel::Whatsapp, Channel::Webhook, Channel::Alertmanager, Channel::Log];

pub(super) async fn run(command: Command, shell: &mut Shell) -> Result<(), Failure> {
    match command {
        Command::Test { group } => test(group, shell).await,
        Command::Preview { ticket, step, channel } => {
            let (db, settings) = shell.open().await?;
            let preview = alert::preview(&db, Arc::new(settings), ticket, step, channel, now()).await;
            let (office, text) = preview.map_err(|error| match error {
                alert::PreviewError::Ticket(_) => Failure::Failed(format!("{error}; {NO_TICKET}")),
                error => Failure::Failed(error.to_string()),
            })?;
            writeln!(shell.out, "To: {}", escaped(&office))?;
            for line in text.lines() {
                writeln!(shell.out, "{}", escaped(line))?;
            }
            Ok(())
        }
        Command::Texts => {
            let settings = shell.load(Secrets::DatabaseOnly)?.settings;
            let texts = catalogue::letter_texts(settings.site.language).map_err(anyhow::Error::new)?;
            Ok(write!(shell.out, "{texts}")?)
        }
    }
}

async fn test(group: Option<String>, shell: &mut Shell) -> Result<(), Failure> {
    let settings = shell.load(Secrets::All)?.settings;
    if let Some(group) = group.as_deref().filter(|name| !settings.officials.iter().any(|official| official.group == *name)) {
        return Err(Failure::Usage(format!("no official belongs to the group {group:?}; see `group` under [[official]]")));
    }
    check::print(&app::alert_test(&settings, group.as_deref()).await?, shell)
}
