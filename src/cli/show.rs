//! `tanggap show`: one ticket with everything that belongs to it.

use std::{
    cell::OnceCell,
    io::{self, Write},
};

use super::{
    Failure, NO_TICKET, Shell,
    look::Look,
    now,
    output::{self, Format, Listed as _, View, fitted, table, write_json},
    ticket_id,
};
use crate::{
    domain::{Scope, TicketId},
    dossier::Dossier,
    hours::{calendar::Calendars, holding::Holding},
    runtime::log::escaped,
    store::{
        listing::{ActionRow, AlertRow, EventRow, MessageRow},
        replies::ReplyRow,
    },
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Its number
    #[arg(value_parser = ticket_id)]
    ticket: TicketId,
    /// How it looks: table on a terminal, json otherwise; csv is the ticket's line of the queue
    #[arg(long)]
    format: Option<Format>,
}

pub(super) async fn run(args: Args, shell: &mut Shell) -> Result<(), Failure> {
    let (db, settings) = shell.open().await?;
    let id = args.ticket;
    let calendars = OnceCell::new();
    let by = (&settings, || calendars.get_or_init(|| Calendars::new(&settings.calendars)));
    let shown = Dossier::of(&db, &Scope::ALL, id, by, now()).await?;
    let shown = shown.ok_or_else(|| Failure::Failed(format!("there is no ticket {id}; {NO_TICKET}")))?;
    let view = View::of(&settings);
    match Format::or_usual(args.format, shell) {
        Format::Json => {
            write_json(&mut shell.out, &shown)?;
            writeln!(shell.out)?;
        }
        Format::Csv => output::write(&mut shell.out, (Format::Csv, None), &view, &[shown.ticket])?,
        Format::Table => people(&mut shell.out, &shown, &view)?,
    }
    Ok(())
}

/// For people: the ticket line by line, then a table for everything that hangs on it.
fn people(out: &mut impl Write, shown: &Dossier, view: &View) -> io::Result<()> {
    let Dossier { ticket, history, events, actions, replies, alerts, holdings } = shown;
    let who = ticket.author.as_ref().map_or_else(
        || "unknown".into(),
        |author| [&author.name, &author.id].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", "),
    );
    let left = ticket.left(view).map_or(String::new(), |left| format!("{left}, "));
    let lines = [
        ("ticket", format!("{}, {}", ticket.id, ticket.standing())),
        ("account", format!("{}, {} {}", ticket.opd, ticket.platform, ticket.account)),
        ("thread", format!("{} {}", ticket.kind, ticket.thread)),
        ("from", who),
        ("opened", view.beside(Some(ticket.opened_at))),
        ("due", format!("{}, {}policy {}", view.time(ticket.due_at), left, ticket.policy)),
        ("warned", view.beside(ticket.warned_at)),
        ("breached", view.beside(ticket.breached_at)),
        ("closed", view.beside(ticket.closed_at)),
        ("window", view.beside(ticket.reply_window_closes_at)),
        ("link", ticket.permalink.clone().unwrap_or_else(|| "-".into())),
    ];
    for (label, value) in lines {
        let look = if matches!(label, "ticket" | "due") { ticket.urgency(view) } else { Look::default() };
        let value = escaped(&value);
        writeln!(out, "{label:10}{}", if view.colours { look.paint(&value) } else { value.into_owned() })?;
    }
    section(out, "history", MessageRow::TABLE, history.iter().map(|message| message.cells(view)).collect())?;
    let event = |e: &EventRow| vec![view.time(e.at), e.kind.clone(), e.detail.clone()];
    section(out, "events", &["at", "event", ""], events.iter().map(event).collect())?;
    let action = |a: &ActionRow| vec![view.time(a.at), a.kind.to_string(), a.by.clone(), a.text.clone(), view.maybe(a.applied_at)];
    section(out, "staff", &["at", "action", "by", "", "took effect"], actions.iter().map(action).collect())?;
    let minutes = |seconds: i64| format!("{} min", seconds / 60);
    let held = |h: &Holding| vec![h.opd.clone(), view.time(h.from), view.maybe(h.until), minutes(h.seconds), minutes(h.business_seconds)];
    section(out, "held by", &["opd", "from", "until", "waited", "in working time"], holdings.iter().map(held).collect())?;
    section(out, "replies", ReplyRow::HEADINGS, replies.iter().map(|reply| reply.cells(view)).collect())?;
    section(out, "alerts", AlertRow::HEADINGS, alerts.iter().map(|alert| alert.cells(view)).collect())
}

fn section(out: &mut impl Write, title: &str, headings: &[&str], rows: Vec<Vec<String>>) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut table = table(headings);
    for row in rows {
        table.add_row(row.iter().map(|cell| escaped(cell)));
    }
    writeln!(out, "\n{title}\n{}", fitted(&mut table))
}

impl ReplyRow {
    const HEADINGS: &'static [&'static str] = &["at", "by", "form", "", "state", "sent", "why"];

    fn cells(&self, view: &View) -> Vec<String> {
        let until = self.until.filter(|_| self.error.is_some()).map(|at| format!("until {}", view.time(at)));
        vec![
            view.time(self.at),
            self.by.clone(),
            self.form.to_string(),
            self.text.clone(),
            self.state.to_string(),
            view.maybe(self.sent_at),
            [self.error.clone(), until].into_iter().flatten().collect::<Vec<_>>().join("; "),
        ]
    }
}

impl AlertRow {
    const HEADINGS: &'static [&'static str] = &["step", "what", "official", "by", "state", "tries", "delivered", "status", "why"];

    fn cells(&self, view: &View) -> Vec<String> {
        let dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
        vec![
            self.step.to_string(),
            self.kind.clone(),
            dash(&self.official),
            dash(&self.channel),
            self.state.clone(),
            self.attempts.to_string(),
            view.maybe(self.delivered_at),
            self.status.as_ref().map_or_else(String::new, |status| format!("{status} {}", view.maybe(self.status_at))),
            [self.reason.clone(), self.until.map(|at| format!("until {}", view.time(at))), self.error.clone()]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join("; "),
        ]
    }
}
