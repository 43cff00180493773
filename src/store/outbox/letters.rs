//! Letters: formed once with their bytes, claimed under a lease, marked by fence.

use jiff::SignedDuration;

use super::super::{
    accounts::tell_in,
    db::{CHUNK, Db, Row, StoreError, Tx, Val, built, placeholders, vals},
    proof,
};
use crate::domain::{
    TicketId, Time,
    alert::{AlertKind, Channel, undelivered},
};

/// No attempt lasts longer, unless its worker died.
pub const ATTEMPT: SignedDuration = SignedDuration::from_secs(30);

/// A letter to be stored, with the deliveries it makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLetter {
    /// The same for every attempt; unique.
    pub key: String,
    /// The way.
    pub channel: Channel,
    /// The address on that way.
    pub address: String,
    /// The official (the first, where several share the address).
    pub official: String,
    /// What it tells (of its first delivery).
    pub kind: AlertKind,
    /// The bytes to send; `Err`: why it can't be written, and it is given up at once.
    pub payload: Result<String, String>,
    /// Rows of the deliveries in it.
    pub deliveries: Vec<i64>,
}

/// A letter under our lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Its row.
    pub id: i64,
    /// What a mark must repeat.
    pub fence: i64,
    /// The same for every attempt.
    pub key: String,
    /// The way.
    pub channel: Channel,
    /// The address on that way.
    pub address: String,
    /// The official's id.
    pub official: String,
    /// The bytes to send.
    pub payload: String,
    /// Attempts, this one included.
    pub attempts: u32,
    /// When it was formed.
    pub created_at: Time,
    /// What it tells (of its first delivery).
    pub kind: AlertKind,
    /// How many tickets it tells of.
    pub tickets: i64,
    /// The lowest of their numbers.
    pub ticket: Option<TicketId>,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted.
    Delivered {
        /// When.
        at: Time,
        /// The other side's number for it.
        provider_id: Option<String>,
    },
    /// To be tried again.
    Later {
        /// When.
        at: Time,
        /// Why: our phrase.
        error: String,
    },
    /// Given up; the operators are told of it.
    Abandoned {
        /// Why: our phrase.
        error: String,
    },
}

/// The outcome of one claimed letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its row.
    pub id: i64,
    /// The fence of the claim.
    pub fence: i64,
    /// What became of it.
    pub outcome: Outcome,
}

/// Stores letters before their first attempt and takes their deliveries out of the waiting ones, all or nothing.
///
/// [`StoreError::Fenced`] if another worker took one of the deliveries first.
pub async fn form(db: &Db, now: Time, letters: &[NewLetter]) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    for chunk in letters.chunks(CHUNK) {
        let sql = format!(
            "INSERT INTO letter (key, channel, address, official, payload, state, attempts, created_at, next_try_at, error) VALUES {}
             ON CONFLICT (key) DO NOTHING RETURNING id, key",
            placeholders(chunk.len(), 10)
        );
        let vals = chunk
            .iter()
            .flat_map(|l| {
                let (payload, state, due, error) = match &l.payload {
                    Ok(payload) => (payload.as_str(), "pending", Some(now), None),
                    Err(why) => ("", "abandoned", None, Some(why.as_str())),
                };
                vals![&l.key, l.channel.word(), &l.address, &l.official, payload, state, 0_i64, now, due, error]
            })
            .collect();
        let ids: std::collections::HashMap<String, i64> = tx
            .rows_built(built(sql), vals)
            .await?
            .iter()
            .map(|row| Ok((row.t("key")?, row.i("id")?)))
            .collect::<Result<_, StoreError>>()?;
        let mut pairs = Vec::new();
        for letter in chunk {
            if let Err(why) = &letter.payload {
                tell_undelivered(&mut tx, letter.kind, (&letter.official, letter.channel, why), now).await?;
            }
            let id = *ids.get(&letter.key).ok_or(StoreError::Fenced)?;
            let state = if letter.payload.is_ok() { "pending" } else { "abandoned" };
            pairs.extend(letter.deliveries.iter().map(|&delivery| (delivery, id, state)));
        }
        for pairs in pairs.chunks(CHUNK) {
            let sql = format!(
                "UPDATE delivery SET letter_id = v.column2, state = v.column3 FROM (VALUES {}) AS v
                  WHERE delivery.id = v.column1 AND delivery.state = 'waiting'",
                placeholders(pairs.len(), 3)
            );
            let vals = pairs.iter().flat_map(|&(delivery, letter, state)| vals![delivery, letter, state]).collect();
            if tx.exec_built(built(sql), vals).await? != pairs.len() as u64 {
                return Err(StoreError::Fenced);
            }
        }
    }
    tx.commit().await
}

/// Tells the operators of a letter that was given up, unless it told of one itself.
async fn tell_undelivered(
    tx: &mut Tx,
    kind: AlertKind,
    (official, channel, why): (&str, Channel, &str),
    now: Time,
) -> Result<(), StoreError> {
    if kind == AlertKind::Undelivered {
        return Ok(());
    }
    tell_in(tx, None, AlertKind::Undelivered, (None, &undelivered(official, channel, why)), now).await
}

/// The same of a row with the letter's `official`, `channel` and `kind`.
pub(super) async fn given_up(tx: &mut Tx, letter: &Row, why: &str, now: Time) -> Result<(), StoreError> {
    let (kind, official) = (letter.word("kind", AlertKind::from_word)?, letter.t("official")?);
    tell_undelivered(tx, kind, (&official, letter.word("channel", Channel::from_word)?, why), now).await
}

/// Keys of the letters about these tickets that went out by mail: `(ticket, address, key)`, oldest first.
pub async fn former(db: &Db, tickets: &[TicketId]) -> Result<Vec<(TicketId, String, String)>, StoreError> {
    let mut out = Vec::new();
    for chunk in tickets.chunks(CHUNK) {
        let sql = format!(
            "SELECT DISTINCT l.id, d.ticket_id, l.address, l.key FROM delivery d JOIN letter l ON l.id = d.letter_id
              WHERE l.channel = 'smtp' AND d.ticket_id IN {} ORDER BY l.id",
            placeholders(1, chunk.len())
        );
        for row in db.rows_built(built(sql), chunk.iter().map(|id| Val::from(id.0)).collect()).await? {
            out.push((TicketId(row.i("ticket_id")?), row.t("address")?, row.t("key")?));
        }
    }
    Ok(out)
}

/// The columns of a [`Claimed`].
macro_rules! claimed_columns {
    () => {
        "id, fence, key, channel, address, official, payload, attempts, created_at,
           (SELECT count(DISTINCT d.ticket_id) FROM delivery d WHERE d.letter_id = letter.id) AS tickets,
           (SELECT min(d.ticket_id) FROM delivery d WHERE d.letter_id = letter.id) AS ticket,
           (SELECT d.kind FROM delivery d WHERE d.letter_id = letter.id ORDER BY d.id LIMIT 1) AS kind"
    };
}
pub(super) use claimed_columns;

pub(super) fn claimed(row: &Row) -> Result<Claimed, StoreError> {
    Ok(Claimed {
        id: row.i("id")?,
        fence: row.i("fence")?,
        key: row.t("key")?,
        channel: row.word("channel", Channel::from_word)?,
        address: row.t("address")?,
        official: row.t("official")?,
        payload: row.t("payload")?,
        attempts: row.i("attempts")? as u32,
        created_at: row.at("created_at")?,
        kind: row.word("kind", AlertKind::from_word)?,
        tickets: row.i("tickets")?,
        ticket: row.oi("ticket")?.map(TicketId),
    })
}

/// Of a paced channel: one letter an address, the earliest that is due, and none within the channel's pace after the last attempt. That of
/// two workers both see the same earliest letter, and one of them locks it, keeps the other from taking the next.
const PACED: &str = "AND NOT EXISTS (SELECT 1 FROM letter o WHERE o.channel = 'whatsapp' AND o.address = letter.address AND o.tried_at > $6)
    AND NOT EXISTS (SELECT 1 FROM letter f WHERE f.state = 'pending' AND f.channel = $1 AND f.address = letter.address AND f.status IS NULL
      AND f.next_try_at <= $2 AND f.lease_until <= $2 AND (f.next_try_at < letter.next_try_at OR f.next_try_at = letter.next_try_at AND f.id < letter.id))";

/// Leases up to `limit` letters of a channel whose time has come and whose lease, if any, is over; no letter of a channel with a
/// [`Channel::pace`] while another to its address is under way or was tried within it. An expired lease means that the outcome of an
/// attempt is unknown: it is tried again. What the channel reported on in the meantime waits for [`super::settle`].
pub async fn claim(db: &Db, channel: Channel, owner: &str, now: Time, until: Time, limit: u32) -> Result<Vec<Claimed>, StoreError> {
    let due = "SELECT 1 AS one FROM letter WHERE state = 'pending' AND channel = $1 AND next_try_at <= $2 AND lease_until <= $2 LIMIT 1";
    if db.rows(due, vals![channel.word(), now]).await?.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = db.write().await?;
    let since = channel.pace().map(|pace| now.minus(pace));
    // MATERIALIZED: PostgreSQL may run a plain subselect again for every row it locks, and then claims more than `limit`.
    let sql = format!(
        "WITH due AS MATERIALIZED (SELECT id FROM letter WHERE state = 'pending' AND channel = $1 AND next_try_at <= $2 AND lease_until <= $2
                                      AND status IS NULL {paced} ORDER BY next_try_at, id LIMIT $5{skip})
         UPDATE letter SET lease_owner = $3, lease_until = $4, fence = fence + 1, attempts = attempts + 1, tried_at = {tried}
          WHERE id IN (SELECT id FROM due) AND state = 'pending' AND next_try_at <= $2 AND lease_until <= $2 AND status IS NULL
         RETURNING {columns}",
        paced = if since.is_some() { PACED } else { "" },
        tried = if since.is_some() { "$7" } else { "$2" },
        skip = tx.skip_locked(),
        columns = claimed_columns!(),
    );
    let mut vals = vals![channel.word(), now, owner, until, limit];
    vals.extend(since.into_iter().flat_map(|since| vals![since, now.plus(ATTEMPT)]));
    let rows = tx.rows_built(built(sql), vals).await?;
    let claimed = rows.iter().map(claimed).collect::<Result<Vec<_>, StoreError>>()?;
    tx.commit().await?;
    Ok(claimed)
}

/// What an outcome writes.
pub(super) struct Columns<'a> {
    pub state: &'static str,
    pub due: Option<Time>,
    pub provider_id: Option<&'a str>,
    pub error: Option<&'a str>,
    pub delivered_at: Option<Time>,
}

pub(super) fn columns(outcome: &Outcome) -> Columns<'_> {
    let (state, due, provider_id, error, delivered_at) = match outcome {
        Outcome::Delivered { at, provider_id } => ("delivered", None, provider_id.as_deref(), None, Some(*at)),
        Outcome::Later { at, error } => ("pending", Some(*at), None, Some(error.as_str()), None),
        Outcome::Abandoned { error } => ("abandoned", None, None, Some(error.as_str()), None),
    };
    Columns { state, due, provider_id, error, delivered_at }
}

/// Writes what became of claimed letters and of their deliveries. Returns the rows whose lease another worker took meanwhile:
/// nothing is written for them.
pub async fn mark(db: &Db, now: Time, marks: &[Mark]) -> Result<Vec<i64>, StoreError> {
    let (mut lost, mut proved) = (Vec::new(), Vec::new());
    let mut tx = db.write().await?;
    for Mark { id, fence, outcome } in marks {
        let Columns { state, due, provider_id, error, delivered_at } = columns(outcome);
        let written = tx
            .rows(
                "UPDATE letter SET state = $3, next_try_at = $4, provider_id = COALESCE($5, provider_id), error = $6, delivered_at = $7, tried_at = $8,
                   lease_owner = NULL, lease_until = 0
                  WHERE id = $1 AND fence = $2 AND state = 'pending'
                 RETURNING key, official, channel, (SELECT d.kind FROM delivery d WHERE d.letter_id = letter.id ORDER BY d.id LIMIT 1) AS kind",
                vals![*id, *fence, state, due, provider_id, error, delivered_at, now],
            )
            .await?;
        let Some(letter) = written.first() else {
            lost.push(*id);
            continue;
        };
        if due.is_none() {
            tx.exec(
                "UPDATE delivery SET state = $2, delivered_at = $3, reason = COALESCE($4, reason) WHERE letter_id = $1 AND state = 'pending'",
                vals![*id, state, delivered_at, error],
            )
            .await?;
        }
        if let Outcome::Abandoned { error } = outcome {
            given_up(&mut tx, letter, error, now).await?;
        }
        if let Some(at) = delivered_at {
            proved.push((*id, letter.t("key")?, Ok(at)));
        }
    }
    proof::deliveries(&mut tx, &proved, now).await?;
    tx.commit().await?;
    Ok(lost)
}

/// The earliest time at which there is something to put into a letter or to send.
pub async fn next_due(db: &Db) -> Result<Option<Time>, StoreError> {
    let pace = Channel::Whatsapp.pace().unwrap_or_default().as_millis() as i64;
    let rows = db
        .rows(
            "SELECT min(at) AS at FROM (SELECT min(send_at) AS at FROM delivery WHERE state = 'waiting'
              UNION ALL SELECT min(CASE WHEN lease_until > next_try_at THEN lease_until ELSE next_try_at END) FROM letter
                WHERE state = 'pending' AND channel <> 'whatsapp'
              UNION ALL SELECT min(CASE WHEN at > paced THEN at ELSE paced END) FROM (
                SELECT CASE WHEN l.lease_until > l.next_try_at THEN l.lease_until ELSE l.next_try_at END AS at,
                  (SELECT max(o.tried_at) + $1 FROM letter o WHERE o.channel = 'whatsapp' AND o.address = l.address) AS paced
                  FROM letter l WHERE l.state = 'pending' AND l.channel = 'whatsapp') AS paced) AS due",
            vals![pace],
        )
        .await?;
    rows.first().map_or(Ok(None), |row| row.oat("at"))
}

/// How many deliveries are not accepted, given up or dropped yet.
pub async fn outbox_count(db: &Db) -> Result<i64, StoreError> {
    let rows = db.rows("SELECT count(*) AS n FROM delivery WHERE state IN ('waiting', 'pending')", vals![]).await?;
    rows.first().map_or(Ok(0), |row| row.i("n"))
}
