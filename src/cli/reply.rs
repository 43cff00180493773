//! `tanggap reply`: answers a citizen on the platform. The reply is recorded; a running daemon sends it, and where none does it is sent from
//! here, by the same code. Whoever takes it first sends it, once.

use std::{io::Write as _, time::Duration};

use clap::builder::NonEmptyStringValueParser;
use tokio::time::{Instant, sleep};

use super::{
    Failure, Shell, now, one_of,
    staff::{LOOK_AGAIN, PATIENCE, Who},
    ticket_id,
};
use crate::{
    app,
    catalogue::canned::{Parts, fill},
    config::Secrets,
    domain::{Form, ReplyId, ReplyState, Scope, TicketId, TicketState, settings::Settings},
    runtime::log::escaped,
    store::{
        Db, StoreError, listing,
        replies::{self, ReplyRow},
    },
};

/// So much longer than a request may take it is waited for what becomes of one under way.
const BESIDES: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["text", "canned"]))]
pub(super) struct Args {
    /// Its number
    #[arg(value_parser = ticket_id)]
    ticket: TicketId,
    /// What is written to the citizen
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    text: Option<String>,
    /// The canned reply of this name in the configuration instead
    #[arg(long, value_name = "NAME")]
    canned: Option<String>,
    /// Below what was written, in the conversation, or by one direct message to a comment's writer [default: message for a conversation,
    /// comment for all else]
    #[arg(long, value_parser = one_of(Form::ALL, Form::word))]
    form: Option<Form>,
    #[command(flatten)]
    who: Who,
}

pub(super) async fn run(args: Args, shell: &mut Shell) -> Result<(), Failure> {
    let (db, settings) = shell.open_with(Secrets::All).await?;
    let ticket = args.ticket;
    let text = match (args.text, args.canned) {
        (Some(text), _) => text,
        (None, name) => canned(&db, &settings, ticket, &name.unwrap_or_default()).await?,
    };
    let by = args.who.name();
    let id = replies::record(&db, &Scope::ALL, ticket, (args.form, &text), &by, now()).await?;
    let timeout = settings.graph.timeout.unsigned_abs() + BESIDES;
    let mut reply = settled(&db, id, [PATIENCE, timeout, timeout]).await?;
    if reply.state == ReplyState::Waiting && reply.error.is_none() {
        let replies = app::replies(&db, &settings).await?;
        if replies.send(id).await? {
            // What nobody knows the end of may stand there already.
            if replies::one(&db, id).await?.is_some_and(|reply| reply.state == ReplyState::Uncertain) {
                replies.send(id).await?;
            }
            // The answer was read back: the ticket can be closed.
            app::apply_actions(&db, &settings).await?;
        }
        reply = settled(&db, id, [Duration::ZERO, timeout, Duration::ZERO]).await?;
    }
    let why = reply.error.as_deref().unwrap_or_default();
    let failed = |text: String| Err(Failure::Failed(text));
    match reply.state {
        ReplyState::Sent => {
            let standing = closed(&db, ticket).await?;
            Ok(writeln!(shell.out, "ticket {ticket}: {}; sent as {} by {}", escaped(&standing), reply.form, escaped(&by))?)
        }
        ReplyState::Failed => failed(format!("ticket {ticket}: not sent: {why}")),
        ReplyState::Uncertain | ReplyState::Sending => failed(format!(
            "ticket {ticket}: whether it was sent is not known yet ({why}); the daemon looks for it and sends it no second time: `tanggap show {ticket}` tells"
        )),
        ReplyState::Waiting => {
            let until = reply.until.map_or_else(String::new, |at| format!(" until {}", at.rfc3339()));
            failed(format!(
                "ticket {ticket}: not sent yet, it waits{until}: {why}; the daemon sends it then, `tanggap show {ticket}` tells"
            ))
        }
    }
}

/// The canned reply of that name, filled in for a ticket.
async fn canned(db: &Db, settings: &Settings, ticket: TicketId, name: &str) -> Result<String, Failure> {
    let row = listing::ticket(db, &Scope::ALL, ticket)
        .await?
        .ok_or_else(|| Failure::Failed(format!("there is no ticket {ticket}; nothing was sent")))?;
    let all: Vec<_> = settings.canned(&row.opd).collect();
    let found = all.iter().find(|canned| canned.name == name).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|canned| canned.name.as_str()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Failure::Usage(format!("no canned reply for tickets of {} is called \"{name}\"; there are: {names}", row.opd))
    })?;
    let author = row.author.as_ref().and_then(|author| author.name.as_deref());
    let parts = Parts::of(settings, ticket, &row.opd, author);
    fill(&found.text, &parts).map_err(|error| Failure::Failed(error.to_string()))
}

/// How the ticket stands once the answer was read back and judged, or after a while.
async fn closed(db: &Db, id: TicketId) -> Result<String, StoreError> {
    let began_at = Instant::now();
    loop {
        match listing::ticket(db, &Scope::ALL, id).await? {
            Some(ticket) if ticket.state == TicketState::Open && began_at.elapsed() < PATIENCE => sleep(LOOK_AGAIN).await,
            Some(ticket) => return Ok(ticket.standing()),
            None => return Ok(String::new()),
        }
    }
}

/// Waits so long for somebody to take the reply, so long for what becomes of it, and so long until it is found. One that waits for
/// something is not waited for.
async fn settled(db: &Db, id: ReplyId, [taken, ended, found]: [Duration; 3]) -> Result<ReplyRow, Failure> {
    let began_at = Instant::now();
    loop {
        let reply = replies::one(db, id).await?.ok_or_else(|| Failure::from(StoreError::Fenced))?;
        let patience = match reply.state {
            ReplyState::Sent | ReplyState::Failed => return Ok(reply),
            ReplyState::Waiting if reply.error.is_some() => return Ok(reply),
            ReplyState::Waiting => taken,
            ReplyState::Sending => ended,
            ReplyState::Uncertain => found,
        };
        if began_at.elapsed() >= patience {
            return Ok(reply);
        }
        sleep(LOOK_AGAIN).await;
    }
}
