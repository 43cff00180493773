//! "Somebody is seeing to it", said from a letter: which tickets it tells of, how they stand, and the saying, once a letter and ticket.

use super::{
    Db, StoreError,
    db::{Row, Tx, Val, built, numbered, vals},
};
use crate::domain::{
    Kind, Platform, TicketId, TicketState, Time,
    alert::{AlertKind, Channel},
    ticket::ActionKind,
};

/// What a letter asks officials to see to. Its other lines (answered, dismissed, an account's state) ask for nothing.
const ASKS: [AlertKind; 6] =
    [AlertKind::Warned, AlertKind::Breached, AlertKind::Escalated, AlertKind::Backlog, AlertKind::HandedOver, AlertKind::WindowClosing];

/// A letter that was formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its row.
    pub id: i64,
    /// The official's id (the first, where several share the address).
    pub official: String,
    /// The way.
    pub channel: Channel,
    /// The address on that way.
    pub address: String,
    /// The other side's number for it, once accepted.
    pub provider_id: Option<String>,
    /// When it was formed.
    pub created_at: Time,
}

/// How a ticket stands to a letter that tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits, and nobody said that it is being seen to.
    Open,
    /// Somebody said so.
    Acknowledged,
    /// Somebody said so by this letter, at any time; it can't be said by it again.
    Used,
    /// It is closed.
    Closed,
}

/// A ticket that a letter tells of. No text, no author, no thread: none of it may stand on a page that needs no sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its number.
    pub ticket: TicketId,
    /// Slug of the OPD.
    pub opd: String,
    /// Where it was written.
    pub platform: Platform,
    /// What it is.
    pub kind: Kind,
    /// Since when the citizen waits.
    pub opened_at: Time,
    /// When the answer was or is due.
    pub due_at: Time,
    /// How it stands.
    pub standing: Standing,
}

/// The letter with this key.
pub async fn letter(db: &Db, key: &str) -> Result<Option<Letter>, StoreError> {
    let rows = db.rows("SELECT id, official, channel, address, provider_id, created_at FROM letter WHERE key = $1", vals![key]).await?;
    let letter = |row: &Row| {
        Ok(Letter {
            id: row.i("id")?,
            official: row.t("official")?,
            channel: row.word("channel", Channel::from_word)?,
            address: row.t("address")?,
            provider_id: row.ot("provider_id")?,
            created_at: row.at("created_at")?,
        })
    };
    rows.first().map(letter).transpose()
}

/// The tickets that a letter asks for, those that wait longest first.
pub async fn tickets(db: &Db, letter: i64) -> Result<Vec<Told>, StoreError> {
    db.rows_built(built(of_letter()), values(letter)).await?.iter().map(told).collect()
}

/// Records that `by` is seeing to those of the `chosen` tickets (`None`: all) that the letter asks for and that are [`Standing::Open`];
/// gives their numbers. What is asked a second time, also at the same instant, records nothing.
pub async fn acknowledge(db: &Db, letter: i64, chosen: Option<&[TicketId]>, by: &str, at: Time) -> Result<Vec<TicketId>, StoreError> {
    let mut tx = db.write().await?;
    let tickets: Vec<Told> = tx.rows_built(built(of_letter()), values(letter)).await?.iter().map(told).collect::<Result<_, _>>()?;
    let wanted = |told: &&Told| told.standing == Standing::Open && chosen.is_none_or(|chosen| chosen.contains(&told.ticket));
    let mut done = Vec::new();
    for told in tickets.iter().filter(wanted) {
        if record(&mut tx, letter, told.ticket, by, at).await? {
            done.push(told.ticket);
        }
    }
    tx.commit().await?;
    Ok(done)
}

/// The key of (ticket, letter) makes it once, where another process says it meanwhile.
async fn record(tx: &mut Tx, letter: i64, ticket: TicketId, by: &str, at: Time) -> Result<bool, StoreError> {
    let written = tx
        .exec(
            "INSERT INTO action (ticket_id, kind, by_name, at, text, letter_id) VALUES ($1, $2, $3, $4, '', $5)
             ON CONFLICT (ticket_id, letter_id) DO NOTHING",
            vals![ticket.0, ActionKind::Ack.word(), by, at, letter],
        )
        .await?;
    Ok(written == 1)
}

fn of_letter() -> String {
    format!(
        "SELECT t.id, t.state, t.opened_at, t.due_at, t.acknowledged_at, COALESCE(t.held_by, a.opd) AS opd, a.platform, th.kind AS thread_kind,
                (SELECT count(*) FROM action x WHERE x.ticket_id = t.id AND x.letter_id = $1) AS used,
                (SELECT count(*) FROM action x WHERE x.ticket_id = t.id AND x.kind = $2 AND x.applied_at IS NULL) AS said
           FROM ticket t JOIN account a ON a.id = t.account_id JOIN thread th ON th.id = t.thread_id
          WHERE t.id IN (SELECT d.ticket_id FROM delivery d WHERE d.letter_id = $1 AND d.kind IN ({}))
          ORDER BY t.opened_at, t.id",
        numbered(3, ASKS.len())
    )
}

fn values(letter: i64) -> Vec<Val> {
    let mut values = vals![letter, ActionKind::Ack.word()];
    values.extend(ASKS.map(|kind| Val::from(kind.word())));
    values
}

fn told(row: &Row) -> Result<Told, StoreError> {
    let standing = match row.word("state", TicketState::from_word)? {
        TicketState::Open if row.b("used")? => Standing::Used,
        TicketState::Open if row.b("said")? || row.oat("acknowledged_at")?.is_some() => Standing::Acknowledged,
        TicketState::Open => Standing::Open,
        _ => Standing::Closed,
    };
    Ok(Told {
        ticket: TicketId(row.i("id")?),
        opd: row.t("opd")?,
        platform: row.word("platform", Platform::from_word)?,
        kind: row.word("thread_kind", Kind::from_word)?,
        opened_at: row.at("opened_at")?,
        due_at: row.at("due_at")?,
        standing,
    })
}
