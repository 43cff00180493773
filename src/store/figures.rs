//! What a report is reckoned from: the cases of a period in lean rows, who held which of them since when, and how the accounts were
//! watched meanwhile.

use std::collections::HashMap;

use jiff::SignedDuration;

use super::{
    Db, StoreError,
    concerns::{self, Concern},
    db::{Row, Val, built, numbered, vals},
    listing::watched,
};
use crate::domain::{AccountId, Kind, Platform, Scope, TicketId, TicketState, Time};

/// So much of a period is read at a time: a year's rows would otherwise stand in memory twice. A span and no count of rows, since for a
/// count PostgreSQL sorts all that is left, each time anew.
const SLICE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A ticket as a report counts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its number.
    pub id: TicketId,
    /// Slug of the OPD that has to answer: the account's own, or the one it was handed over to.
    pub opd: String,
    /// Our number of its account.
    pub account: AccountId,
    /// What was written.
    pub kind: Kind,
    /// Name of the policy whose clock ran last.
    pub policy: String,
    /// An urgent message is in it.
    pub urgent: bool,
    /// Since when; `None` if it is not urgent.
    pub urgent_at: Option<Time>,
    /// Where it stands.
    pub state: TicketState,
    /// Since when the citizen waits.
    pub opened_at: Time,
    /// The deadline.
    pub due_at: Time,
    /// The deadline that was missed.
    pub breached_at: Option<Time>,
    /// When an official said that it is being seen to.
    pub acknowledged_at: Option<Time>,
    /// When the waiting ended.
    pub closed_at: Option<Time>,
    /// The account that answered, or `staff`.
    pub answered_by: Option<String>,
    /// Working seconds from opening to answer.
    pub business_seconds: Option<i64>,
    /// Why it was dismissed or withdrawn.
    pub reason: Option<String>,
    /// Its last step took effect without a read that proves it.
    pub unverified: bool,
}

/// An account, and how it was watched in the period.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Where it lives.
    pub platform: Platform,
    /// Meta's id.
    pub id: String,
    /// Slug of its OPD.
    pub opd: String,
    /// Its name, else its user name.
    pub name: Option<String>,
    /// Stands in the configuration.
    pub active: bool,
    /// Whether it can be read now.
    pub healthy: bool,
    /// Why it cannot.
    pub reason: Option<String>,
    /// Share of the period (or since its first read) in which all of it was watched, 0 to 1; `None` if it was not read by the period's end.
    pub watched: Option<f64>,
    /// Why it is not to be trusted though it answers.
    pub doubts: Vec<Concern>,
}

/// A ticket went to another OPD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// When.
    pub at: Time,
    /// To whom: a slug.
    pub to: String,
}

/// Everything a report is reckoned from.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Tickets opened in the period, by opening.
    pub cases: Vec<Case>,
    /// Tickets opened before it that are still open, by opening.
    pub older: Vec<Case>,
    /// Every account that was ever configured.
    pub accounts: HashMap<AccountId, Account>,
    /// Tickets of both lists that were handed over, in order of time.
    pub handovers: HashMap<TicketId, Vec<Handover>>,
}

const CASE: &str =
    "SELECT t.id, COALESCE(t.held_by, a.opd) AS opd, t.account_id, th.kind, t.policy, t.urgent, t.state, t.opened_at, t.due_at,
 t.breached_at, t.acknowledged_at, t.closed_at, t.answered_by, t.business_seconds, t.reason, t.unverified
 FROM ticket t JOIN account a ON a.id = t.account_id JOIN thread th ON th.id = t.thread_id";

/// The figures of the tickets opened in `[from, to)` of the OPDs of a scope: [`Scope::ALL`] for a league table, which shows nothing of a
/// single ticket. Of a period that has not ended, the accounts are judged up to `now`.
pub async fn figures(db: &Db, (from, to): (Time, Time), scope: &Scope, now: Time) -> Result<Figures, StoreError> {
    let urgent = urgent(db, from, to).await?;
    let mut found =
        Figures { accounts: accounts(db, from, to.min(now)).await?, handovers: handovers(db, from, to).await?, ..Figures::default() };
    let bounds = db
        .rows(
            "SELECT MIN(opened_at) AS first, MAX(opened_at) AS last FROM ticket WHERE opened_at >= $1 AND opened_at < $2",
            vals![from, to],
        )
        .await?;
    let (mut begins, last) = match bounds.first() {
        Some(row) => (row.oat("first")?, row.oat("last")?),
        None => (None, None),
    };
    while let Some(first) = begins.filter(|first| last.is_some_and(|last| *first <= last)) {
        let ends = first.plus(SLICE).min(to);
        for row in cases(db, "t.opened_at >= $1 AND t.opened_at < $2", vals![first, ends], scope).await? {
            found.cases.push(read(&row, &urgent)?);
        }
        begins = Some(ends);
    }
    for row in cases(db, "t.state = 'open' AND t.opened_at < $1", vals![from], scope).await? {
        found.older.push(read(&row, &urgent)?);
    }
    Ok(found)
}

async fn cases(db: &Db, condition: &str, mut vals: Vec<Val>, scope: &Scope) -> Result<Vec<Row>, StoreError> {
    let mut condition = condition.to_owned();
    if let Some(opds) = scope.opds() {
        let before = vals.len();
        vals.extend(opds.map(Val::from));
        condition = format!("{condition} AND COALESCE(t.held_by, a.opd) IN ({})", numbered(before + 1, vals.len() - before));
    }
    db.rows_built(built(format!("{CASE} WHERE {condition} ORDER BY t.opened_at, t.id")), vals).await
}

/// When the urgent ones became so; the messages of a ticket know.
async fn urgent(db: &Db, from: Time, to: Time) -> Result<HashMap<TicketId, Time>, StoreError> {
    let rows = db
        .rows(
            "SELECT tm.ticket_id, MIN(m.urgent_at) AS urgent_at FROM ticket t JOIN ticket_message tm ON tm.ticket_id = t.id
             JOIN message m ON m.id = tm.message_id WHERE t.urgent = 1 AND (t.opened_at >= $1 OR t.state = 'open')
               AND t.opened_at < $2 AND m.urgent_at IS NOT NULL GROUP BY tm.ticket_id",
            vals![from, to],
        )
        .await?;
    rows.iter().map(|row| Ok((TicketId(row.i("ticket_id")?), row.at("urgent_at")?))).collect()
}

async fn handovers(db: &Db, from: Time, to: Time) -> Result<HashMap<TicketId, Vec<Handover>>, StoreError> {
    let rows = db
        .rows(
            "SELECT c.ticket_id, c.at, c.text FROM action c JOIN ticket t ON t.id = c.ticket_id
             WHERE c.kind = 'handover' AND c.applied_at IS NOT NULL AND (t.opened_at >= $1 OR t.state = 'open') AND t.opened_at < $2
             ORDER BY c.at, c.id",
            vals![from, to],
        )
        .await?;
    let mut found: HashMap<TicketId, Vec<Handover>> = HashMap::new();
    for row in rows {
        found.entry(TicketId(row.i("ticket_id")?)).or_default().push(Handover { at: row.at("at")?, to: row.t("text")? });
    }
    Ok(found)
}

/// Every account, and its share of the span in which nothing of it was dark.
async fn accounts(db: &Db, from: Time, until: Time) -> Result<HashMap<AccountId, Account>, StoreError> {
    let mut found = HashMap::new();
    let sql = "SELECT id, platform, external_id, opd, COALESCE(name, username) AS name, active, healthy, reason FROM account";
    for row in db.rows(sql, vals![]).await? {
        let account = Account {
            platform: row.word("platform", Platform::from_word)?,
            id: row.t("external_id")?,
            opd: row.t("opd")?,
            name: row.ot("name")?,
            active: row.b("active")?,
            healthy: row.b("healthy")?,
            reason: row.ot("reason")?,
            watched: None,
            doubts: Vec::new(),
        };
        found.insert(AccountId(row.i("id")?), account);
    }
    let mut first: HashMap<i64, Time> = HashMap::new();
    let mut dark: HashMap<i64, Vec<(Time, Time)>> = HashMap::new();
    for row in db.rows("SELECT account_id, first_read_at, last_read_at, failing_since FROM source", vals![]).await? {
        let account = row.i("account_id")?;
        if let Some(read) = row.oat("first_read_at")?.filter(|read| *read < until) {
            let earliest = first.entry(account).or_insert(read);
            *earliest = (*earliest).min(read);
        }
        if let Some(since) = row.oat("failing_since")? {
            dark.entry(account).or_default().push((row.oat("last_read_at")?.unwrap_or(since), until));
        }
    }
    let gaps = "SELECT account_id, from_at, until_at FROM gap WHERE until_at > $1 AND from_at < $2";
    for row in db.rows(gaps, vals![from, until]).await? {
        dark.entry(row.i("account_id")?).or_default().push((row.at("from_at")?, row.at("until_at")?));
    }
    for (account, first) in first {
        let share = watched(from.max(first), until, dark.remove(&account).unwrap_or_default());
        if let Some(it) = found.get_mut(&AccountId(account)) {
            it.watched = Some(share);
        }
    }
    for (account, doubts) in concerns::all(db).await? {
        if let Some(it) = found.get_mut(&AccountId(account)) {
            it.doubts = doubts;
        }
    }
    Ok(found)
}

fn read(row: &Row, urgent: &HashMap<TicketId, Time>) -> Result<Case, StoreError> {
    let id = TicketId(row.i("id")?);
    Ok(Case {
        id,
        opd: row.t("opd")?,
        account: AccountId(row.i("account_id")?),
        kind: row.word("kind", Kind::from_word)?,
        policy: row.t("policy")?,
        urgent: row.b("urgent")?,
        urgent_at: urgent.get(&id).copied(),
        state: row.word("state", TicketState::from_word)?,
        opened_at: row.at("opened_at")?,
        due_at: row.at("due_at")?,
        breached_at: row.oat("breached_at")?,
        acknowledged_at: row.oat("acknowledged_at")?,
        closed_at: row.oat("closed_at")?,
        answered_by: row.ot("answered_by")?,
        business_seconds: row.oi("business_seconds")?,
        reason: row.ot("reason")?,
        unverified: row.b("unverified")?,
    })
}
