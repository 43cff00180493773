//! The outbox: alerts to route, deliveries that wait for a letter, letters that wait to be accepted.
//!
//! `route` stores deliveries (once ever per key) together with `alert.routed_at`; `form` puts waiting deliveries into
//! rendered letters; `claim` leases letters, `mark` writes by fence what became of them; `report` keeps what a channel says of a letter
//! afterwards, `settle` draws the conclusion. A crash between any two of
//! these is repaired by the next call: nothing is lost, and a letter whose outcome is unknown keeps its bytes and key.

mod letters;
mod reports;
mod waiting;

pub use letters::{ATTEMPT, Claimed, Mark, NewLetter, Outcome, claim, form, former, mark, next_due, outbox_count};
pub use reports::{Report, Reported, report, reported, settle};
pub use waiting::{AccountFacts, TicketFacts, Waiting, facts, firing, hold, waiting};

use super::{
    db::{CHUNK, Db, Row, StoreError, Val, built, placeholders, vals},
    restored,
};
use crate::domain::{
    AccountId, Cause, TicketId, TicketState, Time,
    alert::{Alert, AlertId, AlertKind, Channel, Held},
};

/// What of its ticket or account decides where an alert goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unrouted {
    /// The alert.
    pub alert: Alert,
    /// Slug of the OPD; `None` if it is about the site.
    pub opd: Option<String>,
    /// The ticket is urgent.
    pub urgent: bool,
    /// Where the ticket stands now; `None` without one.
    pub state: Option<TicketState>,
    /// A letter about the ticket is being sent, under a lease that ends then: whom it reaches is not known yet.
    pub sending_until: Option<Time>,
}

/// A delivery to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its identity for ever; a second one with this key is not stored.
    pub key: String,
    /// The alert it delivers.
    pub alert: AlertId,
    /// What that tells.
    pub kind: AlertKind,
    /// Of which ticket.
    pub ticket: Option<TicketId>,
    /// Of which account.
    pub account: Option<AccountId>,
    /// The step's number.
    pub step: u32,
    /// The official's id.
    pub official: String,
    /// The way.
    pub channel: Channel,
    /// The address on that way.
    pub address: String,
    /// Said in the letter: `no recipient configured`.
    pub reason: Option<String>,
    /// Not into a letter before this.
    pub send_at: Time,
    /// What it waits for until then.
    pub held: Option<Held>,
}

/// Somebody who was told of a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Told {
    /// Of which ticket.
    pub ticket: TicketId,
    /// The official's id.
    pub official: String,
    /// The way.
    pub channel: Channel,
    /// The address on that way.
    pub address: String,
}

/// The `kind`s that tell of a ticket's end, as SQL text; `'ticket.' || state` is the one that fits a state.
macro_rules! closing {
    () => {
        "('ticket.answered', 'ticket.dismissed', 'ticket.withdrawn')"
    };
}
use closing;

/// Reads an alert from columns named as in the table.
fn alert(row: &Row) -> Result<Alert, StoreError> {
    Ok(Alert {
        id: AlertId(row.i("alert_id")?),
        kind: row.word("kind", AlertKind::from_word)?,
        ticket: row.oi("ticket_id")?.map(TicketId),
        account: row.oi("account_id")?.map(AccountId),
        policy: row.t("policy")?,
        at: row.t("at_text")?,
        step: row.i("step")? as u32,
        notify: row.json("notify")?,
        late_found: row.b("late_found")?,
        cause: row.oword("cause", Cause::from_word)?,
        detail: row.t("detail")?,
        created_at: row.at("alert_created_at")?,
    })
}

/// Writes down that an official's sheet of that time is to be told, once; whether it was not yet.
pub async fn schedule(db: &Db, kind: AlertKind, official: &str, at: Time, now: Time) -> Result<bool, StoreError> {
    if restored::at(db).await?.is_some_and(|restored| at <= restored) {
        return Ok(false); // counts as told
    }
    let known = "SELECT 1 AS one FROM alert WHERE kind = $1 AND policy = $2 AND at_text = $3 LIMIT 1";
    if !db.rows(known, vals![kind.word(), official, at.rfc3339()]).await?.is_empty() {
        return Ok(false);
    }
    let mut tx = db.write().await?;
    tx.exec(
        "INSERT INTO alert (kind, policy, at_text, step, notify, late_found, detail, created_at) VALUES ($1, $2, $3, 0, '[]', 0, '', $4)",
        vals![kind.word(), official, at.rfc3339(), now],
    )
    .await?;
    tx.commit().await?;
    Ok(true)
}

/// Alerts nobody has been chosen for, oldest first.
pub async fn unrouted(db: &Db, now: Time, limit: u32) -> Result<Vec<Unrouted>, StoreError> {
    let rows = db
        .rows(
            "SELECT a.id AS alert_id, a.kind, a.ticket_id, a.account_id, a.policy, a.at_text, a.step, a.notify, a.late_found, a.cause, a.detail,
                    a.created_at AS alert_created_at, COALESCE(t.held_by, c.opd) AS opd, COALESCE(t.urgent, 0) AS urgent, t.state,
                    (SELECT max(l.lease_until) FROM delivery d JOIN letter l ON l.id = d.letter_id
                      WHERE d.ticket_id = a.ticket_id AND d.state = 'pending' AND l.lease_until > $1) AS sending_until
               FROM alert a LEFT JOIN ticket t ON t.id = a.ticket_id LEFT JOIN account c ON c.id = COALESCE(t.account_id, a.account_id)
              WHERE a.routed_at IS NULL ORDER BY a.id LIMIT $2",
            vals![now, limit],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Unrouted {
                alert: alert(row)?,
                opd: row.ot("opd")?,
                urgent: row.b("urgent")?,
                state: row.ot("state")?.and_then(|word| TicketState::from_word(&word)),
                sending_until: row.oat("sending_until")?,
            })
        })
        .collect()
}

/// Who accepted a delivery about these tickets, closing lines aside.
pub async fn told(db: &Db, tickets: &[TicketId]) -> Result<Vec<Told>, StoreError> {
    let mut out = Vec::new();
    for chunk in tickets.chunks(CHUNK) {
        let sql = format!(
            "SELECT DISTINCT ticket_id, official, channel, address FROM delivery
              WHERE state = 'delivered' AND kind NOT IN {} AND ticket_id IN {} ORDER BY ticket_id, official, channel",
            closing!(),
            placeholders(1, chunk.len())
        );
        for row in db.rows_built(built(sql), chunk.iter().map(|id| Val::from(id.0)).collect()).await? {
            out.push(Told {
                ticket: TicketId(row.i("ticket_id")?),
                official: row.t("official")?,
                channel: row.word("channel", Channel::from_word)?,
                address: row.t("address")?,
            });
        }
    }
    Ok(out)
}

/// Whether every active account has had its first whole read and none is blind since before `seen_since`,
/// so that a summary of the backlog can name them all. On a restored database each must have been read since, and what was due then be decided.
pub async fn backlog_complete(db: &Db, seen_since: Time) -> Result<bool, StoreError> {
    let restored_at = restored::at(db).await?.filter(|at| *at > seen_since);
    let rows = db
        .rows(
            "SELECT 1 AS one FROM account c WHERE c.active = 1 AND (NOT EXISTS (SELECT 1 FROM source s WHERE s.account_id = c.id)
                OR EXISTS (SELECT 1 FROM source s WHERE s.account_id = c.id AND (s.first_read_at IS NULL OR s.last_read_at < $1))) LIMIT 1",
            vals![restored_at.unwrap_or(seen_since)],
        )
        .await?;
    let Some(restored_at) = restored_at.filter(|_| rows.is_empty()) else { return Ok(rows.is_empty()) };
    let undecided = "SELECT 1 AS one FROM thread WHERE next_look_at <= $1 UNION ALL
         SELECT 1 FROM thread WHERE verify_at <= $1 AND unreadable = 0 LIMIT 1";
    Ok(db.rows(undecided, vals![restored_at]).await?.is_empty())
}

/// Stores the deliveries of these alerts and that they are routed, in one transaction. Returns how many deliveries are new.
pub async fn route(db: &Db, now: Time, alerts: &[AlertId], deliveries: &[NewDelivery]) -> Result<u64, StoreError> {
    let mut tx = db.write().await?;
    let mut stored = 0;
    for chunk in deliveries.chunks(CHUNK) {
        let sql = format!(
            "INSERT INTO delivery (key, alert_id, kind, ticket_id, account_id, step, official, channel, address, state, reason, created_at, send_at, held)
             VALUES {} ON CONFLICT (key) DO NOTHING",
            placeholders(chunk.len(), 14)
        );
        let vals = chunk
            .iter()
            .flat_map(|d| {
                vals![
                    &d.key,
                    d.alert.0,
                    d.kind.word(),
                    d.ticket.map(|id| id.0),
                    d.account.map(|id| id.0),
                    d.step,
                    &d.official,
                    d.channel.word(),
                    &d.address,
                    if d.channel == Channel::None { "skipped" } else { "waiting" },
                    d.reason.as_deref(),
                    now,
                    d.send_at,
                    d.held.map(Held::word)
                ]
            })
            .collect();
        stored += tx.exec_built(built(sql), vals).await?;
    }
    for chunk in alerts.chunks(CHUNK) {
        let sql =
            format!("UPDATE alert SET routed_at = ${} WHERE routed_at IS NULL AND id IN {}", chunk.len() + 1, placeholders(1, chunk.len()));
        let vals = chunk.iter().map(|id| Val::from(id.0)).chain([Val::from(now)]).collect();
        tx.exec_built(built(sql), vals).await?;
    }
    tx.commit().await?;
    Ok(stored)
}

/// Drops what is no longer true: deliveries not yet accepted whose ticket closed (reason: its new state), closing lines
/// whose ticket is open again, handovers that a later one overtook, warnings of a window that is over or began anew, and letters with nothing left in them. What is being sent under a lease
/// is left alone.
pub async fn drop_closed(db: &Db, now: Time) -> Result<u64, StoreError> {
    macro_rules! untrue {
        () => {
            concat!(
                "d.state IN ('waiting', 'pending') AND (EXISTS (SELECT 1 FROM ticket t WHERE t.id = d.ticket_id AND CASE WHEN d.kind IN ",
                closing!(),
                " THEN d.kind <> 'ticket.' || t.state ELSE t.state <> 'open' END)
                  OR d.kind = 'ticket.handed_over' AND EXISTS
                    (SELECT 1 FROM alert n WHERE n.ticket_id = d.ticket_id AND n.kind = d.kind AND n.id > d.alert_id)
                  OR d.kind = 'ticket.window_closing' AND EXISTS
                    (SELECT 1 FROM ticket w WHERE w.id = d.ticket_id AND (w.window_warned <= $1 OR w.newest_at > w.window_warned - 86400000)))
                  AND NOT EXISTS (SELECT 1 FROM letter l WHERE l.id = d.letter_id AND l.lease_until > $1)"
            )
        };
    }
    if db.rows(concat!("SELECT 1 AS one FROM delivery d WHERE ", untrue!(), " LIMIT 1"), vals![now]).await?.is_empty() {
        return Ok(0);
    }
    let mut tx = db.write().await?;
    let dropped = tx
        .exec(
            concat!(
                "UPDATE delivery AS d SET state = 'dropped', reason = (SELECT CASE WHEN t.state <> 'open' THEN t.state WHEN d.kind = 'ticket.handed_over'
                   THEN 'handed over again' WHEN d.kind = 'ticket.window_closing' THEN 'window over' ELSE t.state END FROM ticket t WHERE t.id = d.ticket_id) WHERE ",
                untrue!()
            ),
            vals![now],
        )
        .await?;
    tx.exec(
        "UPDATE letter SET state = 'dropped', next_try_at = NULL WHERE state = 'pending' AND lease_until <= $1
            AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.letter_id = letter.id AND d.state = 'pending')",
        vals![now],
    )
    .await?;
    tx.commit().await?;
    Ok(dropped)
}
