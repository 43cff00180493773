//! What the sla stage saw and did, for the chains: the messages a ticket holds and what answered it, their edits and deletions, what staff
//! did, what happened.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Fact, append, forget, ids, said};
use crate::{
    domain::{
        Direction, MessageId, TicketId, TicketState, Time,
        evidence::{record, time},
        ticket::{Action, Ticket},
        view::{Ruled, Ruling, ThreadView},
    },
    store::{
        StoreError,
        db::{Tx, built, numbered},
    },
};

/// A ticket of a judged thread, with the messages that its chain is to hold.
struct Held<'a> {
    ticket: &'a Ticket,
    messages: BTreeSet<(Time, MessageId)>,
}

/// What the chains know of a message: whether it was written down, which of its texts, which deletions.
#[derive(Default)]
struct Known {
    texts: HashMap<(i64, i64), HashSet<Option<i64>>>,
    gone: HashSet<(i64, i64, i64)>,
}

/// Adds to the chains of the judged tickets what they do not hold yet; after [`crate::store::tickets::record`], in its transaction.
pub async fn witness(tx: &mut Tx, views: &[ThreadView], rulings: &[Ruling], now: Time) -> Result<(), StoreError> {
    let judged: HashMap<i64, &Ruling> = rulings.iter().map(|ruling| (ruling.thread.0, ruling)).collect();
    let (mut facts, mut taken_back) = (Vec::new(), Vec::new());
    let held: Vec<(&ThreadView, Vec<Held<'_>>)> = views.iter().map(|view| (view, tickets(view, judged.get(&view.id.0).copied()))).collect();
    let old = views.iter().flat_map(|view| &view.tickets).map(|ticket| ticket.id.0).collect::<Vec<_>>();
    let known = known(tx, &old).await?;
    for (view, tickets) in &held {
        for Held { ticket, messages } in tickets {
            for (_, id) in messages {
                let Some(message) = view.messages.iter().chain(&view.elsewhere).find(|message| message.id == *id) else { continue };
                let place = (ticket.id.0, id.0);
                let edited_at = message.edited_at.map(Time::ms);
                let kind = match known.texts.get(&place) {
                    None => Some("message"),
                    Some(marks) => (edited_at.is_some() && !marks.contains(&edited_at)).then_some("edit"),
                };
                facts.extend(kind.map(|kind| fact(ticket.id, kind, Some((*id, message.edited_at)))));
                if let Some(at) = message.deleted_at.filter(|at| !known.gone.contains(&(place.0, place.1, at.ms()))) {
                    let said = record([("message", id.0.into()), ("deleted_at", time(at))]);
                    facts.push(Fact { record: said, ..fact(ticket.id, "deletion", Some((*id, Some(at)))) });
                    taken_back.extend((message.seen.direction == Direction::In).then_some(*id));
                }
            }
        }
        let Some(ruling) = judged.get(&view.id.0) else { continue };
        for action in view.actions.iter().filter(|action| ruling.actions.contains(&action.id)) {
            facts.push(Fact { record: acted(action), ..fact(action.ticket, "action", None) });
        }
        for ruled in &ruling.tickets {
            let happened = ruled.events.iter().map(|event| Fact { record: happened(ruled, event), ..fact(ruled.ticket.id, "event", None) });
            facts.extend(happened);
        }
    }
    written_out(tx, &mut facts).await?;
    append(tx, facts, now).await?;
    forget(tx, &taken_back).await.map(drop)
}

fn fact(ticket: TicketId, kind: &'static str, message: Option<(MessageId, Option<Time>)>) -> Fact {
    Fact { ticket, kind, message, record: BTreeMap::new() }
}

/// The tickets of a thread as they stand now.
fn tickets<'a>(view: &'a ThreadView, ruling: Option<&'a Ruling>) -> Vec<Held<'a>> {
    let ruled: &[Ruled] = ruling.map_or(&[], |ruling| &ruling.tickets);
    let as_it_was =
        view.tickets.iter().filter(|ticket| !ruled.iter().any(|ruled| ruled.ticket.id == ticket.id)).map(|ticket| {
            (ticket, view.members.iter().filter(|(_, holder)| **holder == ticket.id).map(|(id, _)| *id).collect::<HashSet<_>>())
        });
    let now = ruled.iter().map(|ruled| (&ruled.ticket, ruled.members.iter().copied().collect()));
    as_it_was.chain(now).map(|(ticket, members)| Held { ticket, messages: messages(view, ticket, &members) }).collect()
}

/// What of the thread a ticket holds, in order: its citizen's messages, what the government wrote there until it closed, and what
/// answered it from elsewhere under the same post.
fn messages(view: &ThreadView, ticket: &Ticket, members: &HashSet<MessageId>) -> BTreeSet<(Time, MessageId)> {
    let answered_at = ticket.closed_at.filter(|_| ticket.state == TicketState::Answered);
    let here = view.messages.iter().filter(|message| {
        let at = message.seen.created_at;
        let while_open = at >= ticket.opened_at && ticket.closed_at.is_none_or(|closed| at <= closed);
        members.contains(&message.id) || message.seen.direction == Direction::Out && while_open && !members.is_empty()
    });
    let elsewhere = view.elsewhere.iter().filter(|message| Some(message.seen.created_at) == answered_at);
    here.chain(elsewhere).map(|message| (message.seen.created_at, message.id)).collect()
}

async fn known(tx: &mut Tx, tickets: &[i64]) -> Result<Known, StoreError> {
    let mut known = Known::default();
    for chunk in tickets.chunks(500) {
        let list = numbered(1, chunk.len());
        let sql = format!("SELECT ticket_id, message_id, kind, mark FROM proof WHERE ticket_id IN ({list}) AND message_id IS NOT NULL");
        for row in tx.rows_built(built(sql), ids(chunk.iter().copied())).await? {
            let (ticket, message, mark) = (row.i("ticket_id")?, row.i("message_id")?, row.oi("mark")?);
            match (row.t("kind")?.as_str(), mark) {
                ("deletion", Some(at)) => drop(known.gone.insert((ticket, message, at))),
                _ => drop(known.texts.entry((ticket, message)).or_default().insert(mark)),
            }
        }
    }
    Ok(known)
}

/// Fills in what messages say, from where they stand.
async fn written_out(tx: &mut Tx, facts: &mut Vec<Fact>) -> Result<(), StoreError> {
    let wanted: BTreeSet<i64> = facts.iter().filter(|fact| fact.is_text()).filter_map(|fact| fact.message.map(|(id, _)| id.0)).collect();
    let wanted: Vec<i64> = wanted.into_iter().collect();
    for chunk in wanted.chunks(500) {
        let list = numbered(1, chunk.len());
        let sql = format!(
            "SELECT id AS message, external_id, direction, government, author_id, author_name, author_username, text, attachments, created_at,
               seen_at, edited_at FROM message WHERE id IN ({list})"
        );
        let mut rows = HashMap::new();
        for row in tx.rows_built(built(sql), ids(chunk.iter().copied())).await? {
            rows.insert(row.i("message")?, row);
        }
        for fact in facts.iter_mut().filter(|fact| fact.is_text()) {
            if let Some(row) = fact.message.and_then(|(id, _)| rows.get(&id.0)) {
                fact.record = said(fact.kind, row)?;
            }
        }
    }
    facts.retain(|fact| !fact.record.is_empty());
    Ok(())
}

fn acted(action: &Action) -> super::Record {
    record([
        ("action", action.kind.word().into()),
        ("by", action.by.as_str().into()),
        ("at", time(action.at)),
        ("text", Some(action.text.as_str()).filter(|text| !text.is_empty()).into()),
    ])
}

/// An event with how the ticket stands then. What staff typed is the action's to say, so that it can be erased there.
fn happened(ruled: &Ruled, (name, detail): &(&str, String)) -> super::Record {
    let ticket = &ruled.ticket;
    let own_words = !detail.is_empty() && !matches!(*name, "dismissed" | "resolved");
    record([
        ("event", (*name).into()),
        ("detail", own_words.then_some(detail.as_str()).into()),
        ("state", ticket.state.word().into()),
        ("policy", ticket.policy.as_str().into()),
        ("urgent", ticket.urgent.into()),
        ("opened_at", time(ticket.opened_at)),
        ("due_at", time(ticket.due_at)),
        ("warned_at", ticket.warned_at.map(time).into()),
        ("breached_at", ticket.breached_at.map(time).into()),
        ("flagged_at", ticket.flagged_at.map(time).into()),
        ("closed_at", ticket.closed_at.map(time).into()),
        ("answered_by", ticket.answered_by.as_deref().into()),
        ("held_by", ticket.held_by.as_deref().into()),
        ("unverified", ticket.unverified.then_some(true).into()),
    ])
}
