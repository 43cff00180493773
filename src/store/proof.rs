//! The chain of what can be proved of a ticket: added to in the transaction that makes the fact, read for an export, anchored once a day in
//! the journal, robbed of its salts where a text is erased.

mod witness;

use std::collections::BTreeMap;

pub use witness::witness;

use super::{
    Db, StoreError,
    db::{CHUNK, Row, Tx, Val, built, numbered, vals},
    meta,
    tickets::bulk,
};
use crate::domain::{
    MessageId, TicketId, Time,
    evidence::{self, End, Entry, Missing, Record, canonical, record, time},
};

/// Something to be proved of a ticket.
pub(super) struct Fact {
    ticket: TicketId,
    kind: &'static str,
    /// The message whose text it is, and which version of it.
    message: Option<(MessageId, Option<Time>)>,
    record: Record,
}

impl Fact {
    /// A delivery that a channel accepted, or that failed after all.
    fn delivery(row: &Row, letter: &str, (delivered_at, error): (Option<Time>, Option<&str>)) -> Result<Self, StoreError> {
        let record = record([
            ("official", row.t("official")?.into()),
            ("channel", row.t("channel")?.into()),
            ("tells", row.t("kind")?.into()),
            ("step", row.i("step")?.into()),
            ("letter", letter.into()),
            ("delivered_at", delivered_at.map(time).into()),
            ("failed", error.into()),
        ]);
        Ok(Self { ticket: TicketId(row.i("ticket_id")?), kind: "delivery", message: None, record })
    }

    /// Whether its words stand with the message alone.
    fn is_text(&self) -> bool {
        matches!(self.kind, "message" | "edit")
    }
}

/// Adds facts to the chains of their tickets, in the order given. The last thing a transaction does: two that add to the same chains wait
/// for each other here, in the order of tickets, and nobody who holds a chain waits for anything else.
pub(super) async fn append(tx: &mut Tx, facts: Vec<Fact>, now: Time) -> Result<(), StoreError> {
    let mut by_ticket: BTreeMap<i64, Vec<Fact>> = BTreeMap::new();
    for fact in facts {
        by_ticket.entry(fact.ticket.0).or_default().push(fact);
    }
    let tickets: Vec<i64> = by_ticket.keys().copied().collect();
    let lock = if tx.is_embedded() { "" } else { " FOR UPDATE" };
    let mut ends: BTreeMap<i64, (i64, String)> = BTreeMap::new();
    for chunk in tickets.chunks(CHUNK) {
        let list = numbered(1, chunk.len());
        let sql = format!("SELECT ticket_id, n, link FROM chain WHERE ticket_id IN ({list}) ORDER BY ticket_id{lock}");
        for row in tx.rows_built(built(sql), chunk.iter().map(|&id| id.into()).collect()).await? {
            ends.insert(row.i("ticket_id")?, (row.i("n")?, row.t("link")?));
        }
    }
    let at = now.rfc3339_ms();
    let (mut rows, mut heads) = (Vec::new(), Vec::new());
    for (ticket, facts) in by_ticket {
        let (mut n, mut before) = ends.remove(&ticket).unwrap_or_default();
        if n == 0 {
            before = evidence::root(TicketId(ticket));
        }
        for fact in facts {
            n += 1;
            let (salt, said) = (hex::encode(rand::random::<[u8; 16]>()), canonical(&fact.record));
            let digest = evidence::digest(&salt, &said);
            before = evidence::link(&before, n, &at, fact.kind, &digest);
            let kept = (!fact.is_text()).then_some(said);
            let (message, mark) = fact.message.map_or((None, None), |(id, mark)| (Some(id.0), mark));
            rows.push(vals![ticket, n, now, fact.kind, message, mark, kept, salt, digest, before.as_str()]);
        }
        heads.push(vals![ticket, n, before]);
    }
    bulk(tx, "INSERT INTO proof (ticket_id, n, at, kind, message_id, mark, record, salt, digest, link) VALUES ", "", rows).await?;
    let moved = " ON CONFLICT (ticket_id) DO UPDATE SET n = excluded.n, link = excluded.link";
    bulk(tx, "INSERT INTO chain (ticket_id, n, link) VALUES ", moved, heads).await
}

/// A letter whose deliveries' state has just been written: its row and key, and when it was delivered, or why it is not after all.
pub(super) type Marked = (i64, String, Result<Time, String>);

/// Proves what became of the deliveries in these letters.
pub(super) async fn deliveries(tx: &mut Tx, letters: &[Marked], now: Time) -> Result<(), StoreError> {
    let mut facts = Vec::new();
    for (letter, key, outcome) in letters {
        let sql =
            "SELECT ticket_id, official, channel, kind, step FROM delivery WHERE letter_id = $1 AND ticket_id IS NOT NULL ORDER BY id";
        let told = (outcome.as_ref().ok().copied(), outcome.as_ref().err().map(String::as_str));
        for row in tx.rows(sql, vals![*letter]).await? {
            facts.push(Fact::delivery(&row, key, told)?);
        }
    }
    append(tx, facts, now).await
}

/// Takes the salts of everything these messages' texts stand in: what was proved stays proved, and nobody can find the text by trying.
/// Whoever erases texts calls it in the same transaction.
pub async fn forget(tx: &mut Tx, messages: &[MessageId]) -> Result<u64, StoreError> {
    let mut forgotten = 0;
    for chunk in messages.chunks(CHUNK) {
        let list = numbered(1, chunk.len());
        let sql = format!("UPDATE proof SET salt = NULL WHERE salt IS NOT NULL AND kind IN ('message', 'edit') AND message_id IN ({list})");
        forgotten += tx.exec_built(built(sql), chunk.iter().map(|id| id.0.into()).collect()).await?;
    }
    Ok(forgotten)
}

/// Says in the chains of these tickets that their words were erased, and takes what staff wrote about them (reasons, remarks, names).
pub(super) async fn erased(tx: &mut Tx, tickets: &[TicketId], now: Time) -> Result<(), StoreError> {
    forget_actions(tx, tickets).await?;
    let fact = |ticket: &TicketId| Fact { ticket: *ticket, kind: "event", message: None, record: record([("event", "erased".into())]) };
    append(tx, tickets.iter().map(fact).collect(), now).await
}

/// Records and salts of what staff wrote.
pub async fn forget_actions(tx: &mut Tx, tickets: &[TicketId]) -> Result<u64, StoreError> {
    let mut forgotten = 0;
    for chunk in tickets.chunks(CHUNK) {
        let list = numbered(1, chunk.len());
        let sql =
            format!("UPDATE proof SET salt = NULL, record = NULL WHERE salt IS NOT NULL AND kind = 'action' AND ticket_id IN ({list})");
        forgotten += tx.exec_built(built(sql), chunk.iter().map(|id| id.0.into()).collect()).await?;
    }
    Ok(forgotten)
}

/// A ticket's chain: its entries, with what they say as far as that is still held, and its end.
pub async fn chain(db: &Db, ticket: TicketId) -> Result<(Vec<Entry>, End), StoreError> {
    let sql =
        "SELECT p.n, p.at, p.kind, p.mark, p.record, p.salt, p.digest, p.link, m.id AS message, m.external_id, m.direction, m.government,
           m.author_id, m.author_name, m.author_username, m.text, m.attachments, m.created_at, m.seen_at, m.edited_at, m.deleted_at
         FROM proof p LEFT JOIN message m ON m.id = p.message_id WHERE p.ticket_id = $1 ORDER BY p.n";
    let entries = db.rows(sql, vals![ticket.0]).await?.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    let end = db.rows("SELECT n, link FROM chain WHERE ticket_id = $1 AND n > 0", vals![ticket.0]).await?;
    let end = end.first().map(|row| Ok::<_, StoreError>(End { n: row.i("n")?, link: row.t("link")? })).transpose()?;
    Ok((entries, end.unwrap_or_else(|| End { n: 0, link: evidence::root(ticket) })))
}

fn entry(row: &Row) -> Result<Entry, StoreError> {
    let kind = row.t("kind")?;
    // Of a text that its writer took back the sla stage takes the salt as soon as it knows.
    let taken_back =
        matches!(kind.as_str(), "message" | "edit") && row.oi("deleted_at")?.is_some() && row.ot("direction")?.as_deref() == Some("in");
    let salt = row.ot("salt")?.filter(|_| !taken_back);
    let (record, missing) = match row.ot("record")? {
        _ if salt.is_none() => (None, Some(Missing::Erased)),
        Some(text) => (serde_json::from_str(&text).ok(), None),
        None if row.oi("message")?.is_some() && row.oat("edited_at")? == row.oat("mark")? => (Some(said(&kind, row)?), None),
        None => (None, Some(Missing::Edited)),
    };
    let at = row.at("at")?.rfc3339_ms();
    Ok(Entry { n: row.i("n")?, at, kind, record, missing, salt, digest: row.t("digest")?, link: row.t("link")? })
}

/// What a message, or an edit of it, says.
fn said(kind: &str, row: &Row) -> Result<Record, StoreError> {
    let (message, text) = (("message", row.i("message")?.into()), ("text", row.t("text")?.into()));
    if kind == "edit" {
        return Ok(record([message, ("edited_at", row.oat("edited_at")?.map(time).into()), text]));
    }
    Ok(record([
        message,
        ("id", row.t("external_id")?.into()),
        ("direction", row.t("direction")?.into()),
        ("government", row.ot("government")?.into()),
        ("author_id", row.ot("author_id")?.into()),
        ("author_name", row.ot("author_name")?.into()),
        ("author_username", row.ot("author_username")?.into()),
        ("created_at", time(row.at("created_at")?)),
        ("seen_at", time(row.at("seen_at")?)),
        ("attachments", row.t("attachments")?.into()),
        text,
    ]))
}

/// What the journal keeps of a day, outside the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The first row of `proof` it covers, and the last.
    pub rows: (i64, i64),
    /// Tickets that were added to.
    pub tickets: i64,
    /// Over ticket, number and link of the newest entry of each, a line each, in the order of tickets.
    pub hash: String,
}

const ANCHORED: &str = "anchored";

/// What was added since the last day that was anchored, once a day; nothing where nothing was. It is to be said before the transaction is
/// committed: a crash in between says it twice, not never.
pub async fn anchor(tx: &mut Tx, day: &str) -> Result<Option<Anchor>, StoreError> {
    meta::put(tx, ANCHORED, "- 0").await?;
    if !tx.is_embedded() {
        // Whoever adds has taken row numbers: all of them are to be seen here.
        tx.exec("LOCK TABLE proof IN SHARE ROW EXCLUSIVE MODE", vals![]).await?;
    }
    let rows = tx.rows("SELECT value, (SELECT COALESCE(MAX(id), 0) FROM proof) AS last FROM meta WHERE key = $1", vals![ANCHORED]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let (value, last) = (row.t("value")?, row.i("last")?);
    let (known, before) = value.split_once(' ').and_then(|(day, row)| Some((day, row.parse().ok()?))).unwrap_or(("-", 0));
    if known == day {
        return Ok(None);
    }
    meta::set(tx, ANCHORED, &format!("{day} {}", last.max(before))).await?;
    if last <= before {
        return Ok(None);
    }
    let (tickets, hash) = summed(&tx.rows(NEWEST, vals![before + 1, last]).await?)?;
    Ok(Some(Anchor { rows: (before + 1, last), tickets, hash }))
}

/// The same once more, for rows that the journal names.
pub async fn anchored(db: &Db, rows: (i64, i64)) -> Result<Anchor, StoreError> {
    let (tickets, hash) = summed(&db.rows(NEWEST, vals![rows.0, rows.1]).await?)?;
    Ok(Anchor { rows, tickets, hash })
}

/// The newest entry of each ticket among these rows.
const NEWEST: &str = "SELECT p.ticket_id, p.n, p.link FROM proof p
     JOIN (SELECT ticket_id, MAX(n) AS n FROM proof WHERE id BETWEEN $1 AND $2 GROUP BY ticket_id) newest
       ON newest.ticket_id = p.ticket_id AND newest.n = p.n ORDER BY p.ticket_id";

fn summed(rows: &[Row]) -> Result<(i64, String), StoreError> {
    let line = |row: &Row| Ok::<_, StoreError>(format!("{} {} {}\n", row.i("ticket_id")?, row.i("n")?, row.t("link")?));
    Ok((rows.len() as i64, evidence::hash(&rows.iter().map(line).collect::<Result<String, _>>()?)))
}

fn ids(list: impl IntoIterator<Item = i64>) -> Vec<Val> {
    list.into_iter().map(Val::from).collect()
}
