//! Deliveries that wait for a letter, with everything a letter may say of them.

use super::{
    super::{
        db::{CHUNK, Db, Row, StoreError, built, placeholders, vals},
        restrict,
    },
    alert, closing,
};
use crate::domain::{
    Kind, Platform, Text, TicketId, TicketState, Time,
    alert::{Alert, Channel, Held},
    ticket::PlannedStep,
};

/// A delivery whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its row.
    pub delivery: i64,
    /// What it tells.
    pub alert: Alert,
    /// The official's id.
    pub official: String,
    /// The way.
    pub channel: Channel,
    /// The address on that way.
    pub address: String,
    /// `no recipient configured`, to be said in the letter.
    pub reason: Option<String>,
    /// When the last letter to this address was formed.
    pub last_letter_at: Option<Time>,
    /// When the one was formed that is the cap's number of letters back.
    pub crowded_at: Option<Time>,
    /// Of an urgent ticket under a post: when the third letter back was formed that told the official of such a ticket under that post by
    /// the same step.
    pub storm_at: Option<Time>,
    /// The account, unless it is about the site.
    pub account: Option<AccountFacts>,
    /// The ticket, unless it is about an account or the site.
    pub ticket: Option<TicketFacts>,
}

/// What letters say of an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountFacts {
    /// Where it lives.
    pub platform: Platform,
    /// Meta's id.
    pub external_id: String,
    /// Slug of the OPD.
    pub opd: String,
    /// Since when it can't be read: the last whole read, else the first failure.
    pub unread_since: Option<Time>,
}

/// What letters and webhooks say of a ticket (contract.md §3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the contract's own words
pub struct TicketFacts {
    pub id: TicketId,
    pub kind: Kind,
    pub thread: String,
    /// Identity of the post or medium under which a comment stands.
    pub post_key: Option<String>,
    pub permalink: Option<String>,
    pub author_id: Option<String>,
    pub author_name: Option<String>,
    pub author_username: Option<String>,
    /// The newest message; for other channels than webhooks only its beginning.
    pub text: Text,
    pub newest_at: Option<Time>,
    pub messages: i64,
    pub policy: String,
    pub urgent: bool,
    pub state: TicketState,
    pub opened_at: Time,
    pub due_at: Time,
    pub warned_at: Option<Time>,
    pub breached_at: Option<Time>,
    pub flagged_at: Option<Time>,
    pub acknowledged_at: Option<Time>,
    pub closed_at: Option<Time>,
    pub business_seconds: Option<i64>,
    pub answered_by: Option<String>,
    pub assignee: Option<String>,
    pub unverified: bool,
    pub reason: Option<String>,
}

/// How many letters in an hour told of urgent tickets under one post before the rest is gathered (semantics.md, Alerts, "Storms"), less one.
const STORM_AFTER: i64 = 2;

/// The newest message `m` of a ticket `t`, of which nothing is said where its author is restricted.
macro_rules! newest {
    () => {
        concat!(" LEFT JOIN message m ON m.id = t.newest_message_id AND ", restrict::of_ticket!(), " = 0 ")
    };
}

/// What letters say of a ticket `t`, its account `c`, its thread `th` and its newest message `m`; of one that its writer took back not whose.
macro_rules! facts {
    () => {
        concat!(
            "c.platform, c.external_id, COALESCE(t.held_by, c.opd) AS opd, COALESCE(c.last_read_at, c.failing_since) AS unread_since,
         th.kind AS thread_kind, th.name AS thread_name, th.post_key, CASE WHEN ",
            restrict::of_ticket!(),
            " = 0 THEN COALESCE(m.permalink, th.permalink) END AS permalink,
         CASE WHEN m.deleted_at IS NULL THEN NULLIF(m.author_id, '~') END AS author_id,
         CASE WHEN m.deleted_at IS NULL THEN m.author_name END AS author_name,
         CASE WHEN m.deleted_at IS NULL THEN m.author_username END AS author_username, t.id AS facts_id,
         t.newest_at, t.messages, t.policy AS ticket_policy, t.urgent, t.state, t.opened_at, t.due_at, t.warned_at, t.breached_at,
         t.flagged_at, t.acknowledged_at, t.closed_at, t.business_seconds, t.answered_by, t.assignee, t.unverified,
         CASE WHEN t.state = 'withdrawn' OR ",
            restrict::of_ticket!(),
            " = 0 THEN t.reason END AS reason"
        )
    };
}

/// Deliveries `d` with their alerts and what letters say of them, as SQL text between what else is asked for and the `WHERE`.
macro_rules! deliveries {
    () => {
        concat!(
            "d.id AS delivery_id, d.official, d.channel, d.address, d.reason AS delivery_reason,
             a.id AS alert_id, a.kind, a.ticket_id, a.account_id, a.policy, a.at_text, a.step, a.notify, a.late_found, a.cause, a.detail,
             a.created_at AS alert_created_at,
             COALESCE(CASE WHEN d.channel = 'webhook' THEN m.text ELSE substr(m.text, 1, 1000) END, '') AS text, ",
            facts!(),
            " FROM delivery d JOIN alert a ON a.id = d.alert_id
              LEFT JOIN ticket t ON t.id = d.ticket_id
              LEFT JOIN account c ON c.id = COALESCE(t.account_id, d.account_id)
              LEFT JOIN thread th ON th.id = t.thread_id",
            newest!()
        )
    };
}

/// Waiting deliveries whose time has come, in order. `per_hour`: the cap of letters to one address.
pub async fn waiting(db: &Db, now: Time, per_hour: usize, limit: u32) -> Result<Vec<Waiting>, StoreError> {
    let rows = db
        .rows(
            concat!(
                "SELECT (SELECT max(l.created_at) FROM letter l WHERE l.channel = d.channel AND l.address = d.address) AS last_letter_at,
                    (SELECT l.created_at FROM letter l WHERE l.channel = d.channel AND l.address = d.address
                      ORDER BY l.created_at DESC LIMIT 1 OFFSET $2) AS crowded_at,
                    CASE WHEN t.urgent = 1 AND th.post_key IS NOT NULL THEN
                      (SELECT l.created_at FROM thread oth JOIN ticket ot ON ot.thread_id = oth.id AND ot.urgent = 1
                         JOIN delivery od ON od.ticket_id = ot.id AND od.official = d.official AND od.channel = d.channel AND od.step = d.step
                         JOIN letter l ON l.id = od.letter_id
                        WHERE oth.account_id = th.account_id AND oth.post_key = th.post_key AND od.kind = d.kind
                        GROUP BY l.id, l.created_at ORDER BY l.created_at DESC LIMIT 1 OFFSET $3) END AS storm_at, ",
                deliveries!(),
                "WHERE d.state = 'waiting' AND d.send_at <= $1 ORDER BY d.send_at, d.id LIMIT $4"
            ),
            vals![now, per_hour.saturating_sub(1) as i64, STORM_AFTER, limit],
        )
        .await?;
    let one = |row: &Row| {
        let (last_letter_at, crowded_at, storm_at) = (row.oat("last_letter_at")?, row.oat("crowded_at")?, row.oat("storm_at")?);
        Ok(Waiting { last_letter_at, crowded_at, storm_at, ..delivery(row)? })
    };
    rows.iter().map(one).collect()
}

/// What fires at Alertmanager: of each open ticket that it was told of the newest delivery; of each account that is still
/// not read or in doubt, and of the site, the delivery that told of it. In the order of delivery rows, those after `after` only.
pub async fn firing(db: &Db, after: i64, limit: u32) -> Result<Vec<Waiting>, StoreError> {
    let rows = db
        .rows(
            concat!(
                "SELECT ",
                deliveries!(),
                "WHERE d.id > $1 AND d.id IN (
                   SELECT max(n.id) FROM ticket o JOIN delivery n ON n.ticket_id = o.id
                    WHERE o.state = 'open' AND n.channel = 'alertmanager' AND n.state = 'delivered' AND n.kind NOT IN ",
                closing!(),
                " GROUP BY o.id
                   UNION ALL
                   SELECT n.id FROM delivery n JOIN alert u ON u.id = n.alert_id LEFT JOIN account k ON k.id = n.account_id
                    WHERE n.ticket_id IS NULL AND n.channel = 'alertmanager' AND n.state = 'delivered' AND n.kind = 'account.unhealthy'
                      AND (k.active = 1 AND (k.told_at = u.created_at
                             OR EXISTS (SELECT 1 FROM concern q WHERE q.account_id = k.id AND q.cause = u.cause))
                           OR n.account_id IS NULL AND NOT EXISTS (SELECT 1 FROM alert r WHERE r.id > u.id AND r.kind = 'account.recovered'
                             AND r.account_id IS NULL)))
                  ORDER BY d.id LIMIT $2"
            ),
            vals![after, limit],
        )
        .await?;
    rows.iter().map(delivery).collect()
}

fn delivery(row: &Row) -> Result<Waiting, StoreError> {
    Ok(Waiting {
        delivery: row.i("delivery_id")?,
        alert: alert(row)?,
        official: row.t("official")?,
        channel: row.word("channel", Channel::from_word)?,
        address: row.t("address")?,
        reason: row.ot("delivery_reason")?,
        last_letter_at: None,
        crowded_at: None,
        storm_at: None,
        account: account(row)?,
        ticket: ticket(row)?,
    })
}

/// What a letter about a ticket would say, with its steps; `None` if there is no such ticket.
pub async fn facts(db: &Db, id: TicketId) -> Result<Option<(AccountFacts, TicketFacts, Vec<PlannedStep>)>, StoreError> {
    let rows = db
        .rows(
            concat!(
                "SELECT COALESCE(m.text, '') AS text, t.steps, ",
                facts!(),
                " FROM ticket t JOIN account c ON c.id = t.account_id JOIN thread th ON th.id = t.thread_id",
                newest!(),
                "WHERE t.id = $1"
            ),
            vals![id.0],
        )
        .await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let Some((account, ticket)) = account(row)?.zip(ticket(row)?) else { return Ok(None) };
    Ok(Some((account, ticket, row.json("steps")?)))
}

fn account(row: &Row) -> Result<Option<AccountFacts>, StoreError> {
    let Some(external_id) = row.ot("external_id")? else { return Ok(None) };
    Ok(Some(AccountFacts {
        platform: row.word("platform", Platform::from_word)?,
        external_id,
        opd: row.t("opd")?,
        unread_since: row.oat("unread_since")?,
    }))
}

fn ticket(row: &Row) -> Result<Option<TicketFacts>, StoreError> {
    let Some(id) = row.oi("facts_id")? else { return Ok(None) };
    Ok(Some(TicketFacts {
        id: TicketId(id),
        kind: row.word("thread_kind", Kind::from_word)?,
        thread: row.t("thread_name")?,
        post_key: row.ot("post_key")?,
        permalink: row.ot("permalink")?,
        author_id: row.ot("author_id")?,
        author_name: row.ot("author_name")?,
        author_username: row.ot("author_username")?,
        text: Text::from(row.t("text")?),
        newest_at: row.oat("newest_at")?,
        messages: row.i("messages")?,
        policy: row.t("ticket_policy")?,
        urgent: row.b("urgent")?,
        state: row.word("state", TicketState::from_word)?,
        opened_at: row.at("opened_at")?,
        due_at: row.at("due_at")?,
        warned_at: row.oat("warned_at")?,
        breached_at: row.oat("breached_at")?,
        flagged_at: row.oat("flagged_at")?,
        acknowledged_at: row.oat("acknowledged_at")?,
        closed_at: row.oat("closed_at")?,
        business_seconds: row.oi("business_seconds")?,
        answered_by: row.ot("answered_by")?,
        assignee: row.ot("assignee")?,
        unverified: row.b("unverified")?,
        reason: row.ot("reason")?,
    }))
}

/// Lets waiting deliveries wait longer: each with the new time and what it waits for.
pub async fn hold(db: &Db, held: &[(i64, Time, Held)]) -> Result<(), StoreError> {
    if held.is_empty() {
        return Ok(());
    }
    let mut tx = db.write().await?;
    for chunk in held.chunks(CHUNK) {
        let sql = format!(
            "UPDATE delivery SET send_at = v.column2, held = v.column3 FROM (VALUES {}) AS v
              WHERE delivery.id = v.column1 AND delivery.state = 'waiting'",
            placeholders(chunk.len(), 3)
        );
        tx.exec_built(built(sql), chunk.iter().flat_map(|&(id, until, why)| vals![id, until, why.word()]).collect()).await?;
    }
    tx.commit().await
}
