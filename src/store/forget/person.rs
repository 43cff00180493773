//! One person's data: who knows them, and their erasure.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    again::{Key, Of},
    blank::{self, Target},
};
use crate::{
    domain::{
        AccountId, Platform, Time,
        message::{Tag, key_of},
    },
    store::{
        Db, StoreError,
        db::{CHUNK, Row, Tx, Val, built, json, numbered, vals},
        trail,
    },
};

/// What one account holds of a person. Authors are one person only within one account.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Holding {
    /// Our number of the account.
    #[serde(skip)]
    pub account: AccountId,
    /// Where it lives.
    pub platform: Platform,
    /// Meta's id of it.
    pub id: String,
    /// Slug of its OPD.
    pub opd: String,
    /// Messages of theirs.
    pub messages: i64,
    /// Tickets of theirs.
    pub tickets: i64,
    /// Those of them that are open.
    pub open: i64,
    /// Their texts and names are shown to nobody.
    pub restricted: bool,
}

/// What was erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erasure {
    /// Accounts that held something.
    pub accounts: u64,
    /// Messages, the government's in answer to them included.
    pub messages: u64,
    /// Tickets.
    pub tickets: u64,
    /// Those of them that were open, and are withdrawn now.
    pub withdrawn: u64,
}

/// The accounts that hold something of an author: an id as tickets show it, or `@` and a user name. `only`: Meta's id of one account.
pub async fn holdings(db: &Db, author: &str, only: Option<&str>) -> Result<Vec<Holding>, StoreError> {
    if author == "~" {
        return Ok(Vec::new()); // everybody who was erased
    }
    let rows = db
        .rows(
            "SELECT a.id, a.platform, a.external_id, a.opd, \
               (SELECT COUNT(*) FROM message m WHERE m.account_id = a.id AND m.direction = 'in' AND (m.author_id = $1 OR '@' || LOWER(m.author_username) = $2)) AS messages, \
               (SELECT COUNT(*) FROM ticket t WHERE t.account_id = a.id AND t.author IN ($1, $2)) AS tickets, \
               (SELECT COUNT(*) FROM ticket t WHERE t.account_id = a.id AND t.author IN ($1, $2) AND t.state = 'open') AS waiting, \
               (SELECT COUNT(*) FROM restricted r WHERE r.account_id = a.id AND r.author IN ($1, $2)) AS restricted, \
               (SELECT COUNT(*) FROM thread h WHERE h.account_id = a.id AND h.citizen_id = $1) \
                 + (SELECT COUNT(*) FROM post p WHERE p.account_id = a.id AND p.author_id = $1) AS places \
             FROM account a WHERE $3 IS NULL OR a.external_id = $3 ORDER BY a.opd, a.platform, a.external_id",
            vals![author, author.to_lowercase(), only],
        )
        .await?;
    let mut found = Vec::new();
    for row in rows {
        let holding = Holding {
            account: AccountId(row.i("id")?),
            platform: row.word("platform", Platform::from_word)?,
            id: row.t("external_id")?,
            opd: row.t("opd")?,
            messages: row.i("messages")?,
            tickets: row.i("tickets")?,
            open: row.i("waiting")?,
            restricted: row.i("restricted")? > 0,
        };
        if holding.messages + holding.tickets + row.i("places")? > 0 || holding.restricted {
            found.push(holding);
        }
    }
    Ok(found)
}

/// A person within one account, by all names that are known of them.
#[derive(Default)]
pub(in crate::store) struct Person {
    /// Ids, as Meta gives them.
    pub ids: BTreeSet<String>,
    /// User names, in lower case.
    pub usernames: BTreeSet<String>,
    /// Display names, in lower case.
    names: BTreeSet<String>,
}

impl Person {
    /// Who that author is.
    pub(in crate::store) async fn of(tx: &mut Tx, account: i64, author: &str) -> Result<Self, StoreError> {
        let mut person = Self::default();
        match author.strip_prefix('@') {
            Some(name) => person.usernames.insert(name.to_lowercase()),
            None => person.ids.insert(author.to_owned()),
        };
        // Who is asked for by a user name is everybody who bears it.
        let bearing = "SELECT DISTINCT author_id FROM message WHERE account_id = $1 AND direction = 'in' AND erased_at IS NULL \
             AND author_id IS NOT NULL AND LOWER(author_username) = $2";
        for name in person.usernames.clone() {
            for row in tx.rows(bearing, vals![account, name]).await? {
                person.ids.insert(row.t("author_id")?);
            }
        }
        // By the ids the user names, by those what was written where Meta gave no id. A name that went over to somebody else leads no further.
        for _ in 0..2 {
            let (condition, mut values) = person.wrote(2);
            let sql = format!(
                "SELECT DISTINCT author_name, author_username FROM message WHERE account_id = $1 AND direction = 'in' AND erased_at IS NULL AND {condition}"
            );
            values.insert(0, account.into());
            for row in tx.rows_built(built(sql), values).await? {
                person.usernames.extend(row.ot("author_username")?.map(|name| name.to_lowercase()));
                person.names.extend(row.ot("author_name")?.map(|name| name.trim().to_lowercase()));
            }
        }
        person.names.retain(|name| !name.is_empty());
        Ok(person)
    }

    /// How tickets name them.
    pub(in crate::store) fn keys(&self) -> Vec<String> {
        self.ids.iter().cloned().chain(self.usernames.iter().map(|name| format!("@{name}"))).collect()
    }

    /// The condition that a message is theirs, and its values from `$from` on.
    pub(in crate::store) fn wrote(&self, from: usize) -> (String, Vec<Val>) {
        let mut parts = Vec::new();
        if !self.ids.is_empty() {
            parts.push(format!("author_id IN ({})", numbered(from, self.ids.len())));
        }
        if !self.usernames.is_empty() {
            parts.push(format!(
                "author_id IS NULL AND LOWER(author_username) IN ({})",
                numbered(from + self.ids.len(), self.usernames.len())
            ));
        }
        (format!("({})", parts.join(" OR ")), self.ids.iter().chain(&self.usernames).map(Val::from).collect())
    }

    fn tagged(&self, tag: &Tag, here: bool) -> bool {
        let name = tag.name.as_ref().map(|name| name.as_str().trim().trim_start_matches('@').to_lowercase());
        tag.id.as_ref().is_some_and(|id| self.ids.contains(id))
            || name.is_some_and(|name| self.usernames.contains(&name) || here && self.names.contains(&name))
    }

    /// Whether a text names them: by `@username`; where they wrote (`here`) by their whole name too, which elsewhere may be another's.
    fn named(&self, text: &str, here: bool) -> bool {
        let text = text.to_lowercase();
        let part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        self.usernames.iter().any(|name| whole(&text, &format!("@{name}"), part))
            || here && self.names.iter().any(|name| whole(&text, name, char::is_alphanumeric))
    }
}

/// Whether a word stands in a text with nothing of a name around it; a full stop after it is none.
fn whole(text: &str, word: &str, part: impl Fn(char) -> bool) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let after = text[at + word.len()..].trim_start_matches('.');
        !text[..at].ends_with(char::is_alphanumeric) && !after.starts_with(&part)
    })
}

/// What is looked at of a message.
struct Candidate {
    target: Target,
    incoming: bool,
    theirs: bool,
    parent: Option<String>,
    text: String,
    tags: Vec<Tag>,
}

/// Erases what these accounts hold of an author, account by account; what they write from now on is stored like any other's. A thread that
/// is open for somebody else goes on. The trail keeps a keyed hash and counts.
pub async fn erase(db: &Db, fresh: &[u8; 32], author: &str, accounts: &[AccountId], by: &str, now: Time) -> Result<Erasure, StoreError> {
    let mut whole = Erasure::default();
    for &account in accounts {
        let mut tx = db.write().await?;
        tx.alone(&[account.0]).await?;
        let key = Key::made(&mut tx, fresh).await?;
        let one = of_account(&mut tx, &key, account.0, author, now).await?;
        let detail =
            format!("{}, {} messages, {} tickets ({} open)", key.named(account.0, author), one.messages, one.tickets, one.withdrawn);
        trail::note(&mut tx, by, "erase", None, &detail, now).await?;
        tx.commit().await?;
        whole.accounts += 1;
        whole.messages += one.messages;
        whole.tickets += one.tickets;
        whole.withdrawn += one.withdrawn;
    }
    db.scrub().await?;
    Ok(whole)
}

async fn of_account(tx: &mut Tx, key: &Key, account: i64, author: &str, now: Time) -> Result<Erasure, StoreError> {
    let person = Person::of(tx, account, author).await?;
    for known in person.keys() {
        let sql = "INSERT INTO erased (hash, at) VALUES ($1, $2) ON CONFLICT (hash) DO UPDATE SET at = excluded.at";
        tx.exec(sql, vals![key.hash(account, Of::Author(&known)), now]).await?;
    }
    let (targets, tags) = touched(tx, account, &person).await?;
    blank::messages(tx, key, account, &targets, now).await?;
    for (id, kept) in tags {
        tx.exec("UPDATE message SET tags = $2 WHERE id = $1", vals![id, kept]).await?;
    }
    let tickets = owned(tx, account, &person).await?;
    let withdrawn = blank::tickets(tx, &tickets, now).await?;
    for known in person.keys() {
        tx.exec("DELETE FROM restricted WHERE account_id = $1 AND author = $2", vals![account, &known]).await?;
        tx.exec("UPDATE post SET author_id = NULL, permalink = NULL WHERE account_id = $1 AND author_id = $2", vals![account, &known])
            .await?;
        tx.exec("UPDATE thread SET citizen_id = NULL WHERE account_id = $1 AND citizen_id = $2", vals![account, &known]).await?;
    }
    Ok(Erasure { accounts: 1, messages: targets.len() as u64, tickets: tickets.len() as u64, withdrawn })
}

/// Every message that goes with a person, and of the others those that tag them, with the tags that are left.
pub(super) async fn touched(tx: &mut Tx, account: i64, person: &Person) -> Result<(Vec<Target>, Vec<(i64, String)>), StoreError> {
    let (own, candidates) = candidates(tx, account, person).await?;
    let theirs: BTreeSet<&str> = candidates.iter().filter(|one| one.theirs).map(|one| one.target.key.as_str()).collect();
    let (mut targets, mut tags) = (Vec::new(), Vec::new());
    for one in &candidates {
        let here = own.contains_key(&one.target.thread);
        let alone = own.get(&one.target.thread).copied().unwrap_or(false);
        let answers = one.parent.as_deref().is_some_and(|parent| theirs.contains(key_of(parent)));
        let tagged = one.tags.iter().any(|tag| person.tagged(tag, here));
        if one.theirs || alone || !one.incoming && (answers || tagged || person.named(&one.text, here)) {
            targets.push(one.target.clone());
        } else if tagged {
            let kept: Vec<&Tag> = one.tags.iter().filter(|tag| !person.tagged(tag, here)).collect();
            tags.push((one.target.id, json(&kept)));
        }
    }
    Ok((targets, tags))
}

/// The tickets of a person, in order.
pub(in crate::store) async fn owned(tx: &mut Tx, account: i64, person: &Person) -> Result<Vec<i64>, StoreError> {
    let keys = person.keys();
    let sql = format!("SELECT id FROM ticket WHERE account_id = $1 AND author IN ({}) ORDER BY id", numbered(2, keys.len()));
    let rows = tx.rows_built(built(sql), vals![account].into_iter().chain(keys.iter().map(Val::from)).collect()).await?;
    rows.iter().map(|row| row.i("id")).collect()
}

/// The threads they wrote in, each with whether no other citizen did; and every message of these threads, with what elsewhere may name them.
async fn candidates(tx: &mut Tx, account: i64, person: &Person) -> Result<(BTreeMap<i64, bool>, Vec<Candidate>), StoreError> {
    let (wrote, values) = person.wrote(2);
    let with = |first: Vec<Val>| first.into_iter().chain(values.clone()).collect::<Vec<_>>();
    let sql = format!(
        "SELECT DISTINCT thread_id AS id, 0 AS conversation FROM message WHERE account_id = $1 AND direction = 'in' AND erased_at IS NULL AND {wrote}"
    );
    let mut own: BTreeMap<i64, bool> = BTreeMap::new();
    for row in tx.rows_built(built(sql), with(vals![account])).await? {
        own.insert(row.i("id")?, false);
    }
    for id in &person.ids {
        let sql = "SELECT id FROM thread WHERE account_id = $1 AND citizen_id = $2";
        for row in tx.rows(sql, vals![account, id]).await? {
            own.insert(row.i("id")?, true);
        }
    }
    let mut found: BTreeMap<i64, Candidate> = BTreeMap::new();
    let select = format!("SELECT {}, author_id, author_username, parent, text, tags FROM message WHERE erased_at IS NULL", Target::COLUMNS);
    let threads: Vec<i64> = own.keys().copied().collect();
    for chunk in threads.chunks(CHUNK) {
        let sql = format!("{select} AND thread_id IN ({})", numbered(1, chunk.len()));
        for row in tx.rows_built(built(sql), chunk.iter().map(|&id| id.into()).collect()).await? {
            let one = candidate(&row, person)?;
            found.insert(one.target.id, one);
        }
    }
    for (thread, alone) in own.iter_mut().filter(|(_, alone)| !**alone) {
        *alone = !found.values().any(|one| one.target.thread == *thread && one.incoming && !one.theirs);
    }
    let mut patterns: Vec<(&str, String)> = person.ids.iter().map(|id| ("tags", format!("%\"{id}\"%"))).collect();
    for name in &person.usernames {
        patterns.extend([("LOWER(tags)", format!("%\"{name}\"%")), ("LOWER(text)", format!("%@{name}%"))]);
    }
    for (column, pattern) in patterns {
        let sql = format!("{select} AND account_id = $1 AND {column} LIKE $2");
        for row in tx.rows_built(built(sql), vals![account, pattern]).await? {
            let one = candidate(&row, person)?;
            found.entry(one.target.id).or_insert(one);
        }
    }
    Ok((own, found.into_values().collect()))
}

fn candidate(row: &Row, person: &Person) -> Result<Candidate, StoreError> {
    let incoming = row.t("direction")? == "in";
    let theirs = match row.ot("author_id")? {
        Some(id) => person.ids.contains(&id),
        None => row.ot("author_username")?.is_some_and(|name| person.usernames.contains(&name.to_lowercase())),
    };
    Ok(Candidate {
        target: Target::read(row)?,
        incoming,
        theirs: incoming && theirs,
        parent: row.ot("parent")?,
        text: row.t("text")?,
        tags: row.json("tags")?,
    })
}
