//! What was judged, written in one transaction with what it tells.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    domain::{
        AccountId, TicketId, Time,
        alert::AlertKind,
        view::{Ruled, Ruling},
    },
    store::{
        StoreError, accounts,
        db::{CHUNK, Tx, Val, built, json, numbered, vals},
        meta,
        restored::NEXT_TICKET,
    },
};

/// Writes what was judged, filling in the numbers of new tickets. Alerts and events go with it.
pub async fn record(tx: &mut Tx, rulings: &mut [Ruling], now: Time) -> Result<(), StoreError> {
    let mut kept: Vec<Vec<Val>> = Vec::new();
    let mut members: Vec<Vec<Val>> = Vec::new();
    let mut events: Vec<Vec<Val>> = Vec::new();
    let mut alerts: Vec<Vec<Val>> = Vec::new();
    let mut doubtful: BTreeSet<i64> = BTreeSet::new();
    let mut skips = tx.is_embedded();
    for ruling in rulings.iter_mut() {
        for ruled in &mut ruling.tickets {
            let ticket = &mut ruled.ticket;
            let mut values = vals![
                ticket.thread_id.0,
                ruling.account.0,
                &ticket.author,
                &ticket.policy,
                ticket.urgent,
                ticket.state.word(),
                ticket.opened_at,
                ticket.due_at,
                ticket.warned_at,
                ticket.breached_at,
                ticket.flagged_at,
                ticket.acknowledged_at,
                ticket.closed_at,
                ticket.answered_by.clone(),
                ticket.business_seconds,
                ticket.reason.clone(),
                ticket.unverified,
                ticket.messages,
                ruled.newest.map(|(id, _)| id.0),
                ruled.newest.map(|(_, at)| at),
                ticket.assignee.clone(),
                ticket.held_by.clone(),
                ticket.window_warned,
                json(&ticket.steps),
                &ticket.configuration
            ];
            if ticket.id == TicketId(0) {
                let sql = match skipped_to(tx, &mut skips).await? {
                    Some(next) => {
                        values.insert(0, next.into());
                        format!("INSERT INTO ticket (id, {TICKET}) VALUES {} RETURNING id", tx.values(1, 26))
                    }
                    None => format!("INSERT INTO ticket ({TICKET}) VALUES {} RETURNING id", tx.values(1, 25)),
                };
                if let Some(row) = tx.rows_built(built(sql), values).await?.first() {
                    ticket.id = TicketId(row.i("id")?);
                }
            } else {
                values.insert(0, ticket.id.0.into());
                kept.push(values);
            }
            let id = ticket.id;
            members.extend(ruled.members.iter().map(|message| vals![message.0, id.0]));
            events.extend(ruled.events.iter().map(|(kind, detail)| vals![id.0, now, *kind, detail]));
            for alert in &mut ruled.alerts {
                alert.ticket = Some(id);
                if alert.kind == AlertKind::Unverified {
                    doubtful.insert(ruling.account.0);
                    continue;
                }
                alerts.push(vals![
                    alert.kind.word(),
                    id.0,
                    alert.account.map(|a| a.0),
                    &alert.policy,
                    &alert.at,
                    alert.step,
                    json(&alert.notify),
                    alert.late_found,
                    &alert.detail,
                    alert.created_at
                ]);
            }
        }
    }
    doubtful.retain({
        let told = in_doubt(tx, &doubtful).await?;
        move |account| !told.contains_key(account)
    });
    let update: String = TICKET.split(", ").map(|c| format!("{c} = excluded.{c}")).collect::<Vec<_>>().join(", ");
    bulk(tx, &format!("INSERT INTO ticket (id, {TICKET}) VALUES "), &format!(" ON CONFLICT (id) DO UPDATE SET {update}"), kept).await?;
    forget_members(tx, rulings).await?;
    bulk(
        tx,
        "INSERT INTO ticket_message (message_id, ticket_id) VALUES ",
        " ON CONFLICT (message_id) DO UPDATE SET ticket_id = excluded.ticket_id",
        members,
    )
    .await?;
    bulk(tx, "INSERT INTO event (ticket_id, at, kind, detail) VALUES ", "", events).await?;
    for (account, tickets) in in_doubt(tx, &doubtful).await? {
        accounts::tell_in(tx, Some(AccountId(account)), AlertKind::Unverified, (None, &tickets.to_string()), now).await?;
    }
    bulk(
        tx,
        "INSERT INTO alert (kind, ticket_id, account_id, policy, at_text, step, notify, late_found, detail, created_at) VALUES ",
        "",
        alerts,
    )
    .await?;
    looks(tx, rulings).await?;
    let seen: Vec<i64> = rulings.iter().flat_map(|ruling| ruling.actions.iter().copied()).collect();
    for chunk in seen.chunks(CHUNK) {
        let sql = format!("UPDATE action SET applied_at = $1 WHERE id IN ({})", numbered(2, chunk.len()));
        let values = std::iter::once(now.into()).chain(chunk.iter().map(|&id| id.into())).collect();
        tx.exec_built(built(sql), values).await?;
    }
    Ok(())
}

/// The number of the next ticket, where a restored copy must not give out its own next one. SQLite goes on from there by itself.
async fn skipped_to(tx: &mut Tx, skips: &mut bool) -> Result<Option<i64>, StoreError> {
    if !std::mem::take(skips) {
        return Ok(None);
    }
    Ok(meta::take(tx, NEXT_TICKET).await?.and_then(|text| text.parse().ok()))
}

/// How many open tickets of these accounts wait for a read that proves them; accounts without one are left out. The operator is told once
/// an account, when the first of them turns up.
async fn in_doubt(tx: &mut Tx, accounts: &BTreeSet<i64>) -> Result<BTreeMap<i64, i64>, StoreError> {
    let mut found = BTreeMap::new();
    for &account in accounts {
        let sql = "SELECT COUNT(*) AS tickets FROM ticket t JOIN thread h ON h.id = t.thread_id \
             WHERE t.account_id = $1 AND t.state = 'open' AND t.unverified = 1 AND h.unreadable = 0";
        let rows = tx.rows(sql, vals![account]).await?;
        match rows.first().map_or(Ok(0), |row| row.i("tickets"))? {
            0 => {}
            tickets => drop(found.insert(account, tickets)),
        }
    }
    Ok(found)
}

/// Messages that a ticket held and no ticket holds any more: an answer turned up between its question and them.
async fn forget_members(tx: &mut Tx, rulings: &[Ruling]) -> Result<(), StoreError> {
    let ruled: Vec<&Ruled> = rulings.iter().flat_map(|ruling| &ruling.tickets).collect();
    for chunk in ruled.chunks(CHUNK) {
        let mut values: Vec<Val> = chunk.iter().map(|ruled| ruled.ticket.id.0.into()).collect();
        let members: Vec<Val> = chunk.iter().flat_map(|ruled| &ruled.members).map(|message| message.0.into()).collect();
        let mut sql = format!("DELETE FROM ticket_message WHERE ticket_id IN ({})", numbered(1, chunk.len()));
        if !members.is_empty() {
            sql = format!("{sql} AND message_id NOT IN ({})", numbered(chunk.len() + 1, members.len()));
        }
        values.extend(members);
        tx.exec_built(built(sql), values).await?;
    }
    Ok(())
}

const TICKET: &str = "thread_id, account_id, author, policy, urgent, state, opened_at, due_at, warned_at, breached_at, flagged_at, \
    acknowledged_at, closed_at, answered_by, business_seconds, reason, unverified, messages, newest_message_id, newest_at, assignee, held_by, window_warned, steps, configuration";

/// Writes rows in statements of at most [`CHUNK`] of them.
pub(in crate::store) async fn bulk(tx: &mut Tx, head: &str, tail: &str, rows: Vec<Vec<Val>>) -> Result<(), StoreError> {
    let columns = rows.first().map_or(0, Vec::len);
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let chunk: Vec<Vec<Val>> = rows.by_ref().take(CHUNK).collect();
        let sql = format!("{head}{}{tail}", tx.values(chunk.len(), columns));
        tx.exec_built(built(sql), chunk.into_iter().flatten().collect()).await?;
    }
    Ok(())
}

/// When to look again, and from when on a read is wanted, by thread.
async fn looks(tx: &mut Tx, rulings: &[Ruling]) -> Result<(), StoreError> {
    for chunk in rulings.chunks(CHUNK) {
        let rows = (0..chunk.len())
            .map(|i| format!("(CAST(${} AS BIGINT), CAST(${} AS BIGINT), CAST(${} AS BIGINT))", 3 * i + 1, 3 * i + 2, 3 * i + 3))
            .collect::<Vec<_>>()
            .join(",");
        let sql = format!(
            "UPDATE thread SET next_look_at = v.column2, verify_at = v.column3 FROM (VALUES {rows}) AS v WHERE thread.id = v.column1"
        );
        let values = chunk.iter().flat_map(|ruling| vals![ruling.thread.0, ruling.look_again, ruling.verify_at]).collect();
        tx.exec_built(built(sql), values).await?;
    }
    Ok(())
}
