//! By what something erased is known again: keyed hashes of identities, and what intake leaves out.

use std::collections::{HashMap, HashSet};

use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;

use crate::{
    domain::{
        AccountId, Direction, Kind, Object, Time,
        message::{Author, Post, PostAuthor, Seen, key_of},
    },
    store::{
        Db, StoreError,
        db::{CHUNK, Row, Tx, Val, built, numbered, vals},
        intake::Batch,
        keys,
    },
};

/// What leaves a hash.
#[derive(Clone, Copy)]
pub(in crate::store) enum Of<'a> {
    Message(Object, &'a str),
    Thread(Kind, &'a str),
    Post(&'a str),
    /// As tickets have it: an id, or `@` and the user name.
    Author(&'a str),
}

/// The key of the hashes.
#[derive(Clone)]
pub(in crate::store) struct Key([u8; 32]);

impl Key {
    /// Made now if nothing was ever erased.
    pub(in crate::store) async fn made(tx: &mut Tx, fresh: &[u8; 32]) -> Result<Self, StoreError> {
        Ok(Self(keys::erased(tx, fresh).await?))
    }

    /// Hash of something of an account. Each part goes in with its length, so that no two things share one.
    pub(in crate::store) fn hash(&self, account: i64, of: Of<'_>) -> String {
        let (domain, kind, id) = match of {
            Of::Message(object, key) => ("message", object.word(), key),
            Of::Thread(kind, key) => ("thread", kind.word(), key),
            Of::Post(key) => ("post", "", key),
            Of::Author(author) => ("author", "", author),
        };
        let Ok(mut tag) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        for part in ["tanggap erased 1", domain, &account.to_string(), kind, id] {
            tag.update(&(part.len() as u64).to_be_bytes());
            tag.update(part.as_bytes());
        }
        hex::encode(tag.finalize().into_bytes())
    }

    /// How the trail names an author of an account who is to be forgotten.
    pub(in crate::store) fn named(&self, account: i64, author: &str) -> String {
        format!("account {account}: author {}", &self.hash(account, Of::Author(author))[..16])
    }
}

/// How tickets name a message's author, if Meta names them.
fn named(author: Option<&Author>) -> Option<String> {
    let author = author?;
    author.id.clone().or_else(|| author.username.as_ref().map(|name| format!("@{}", name.as_str().to_lowercase())))
}

/// What of a batch was erased before.
#[derive(Default)]
pub(in crate::store) struct Erased {
    key: Option<Key>,
    account: i64,
    at: HashMap<String, Time>,
}

impl Erased {
    /// Looks up the new messages of a batch, and the posts of others in it.
    pub(in crate::store) async fn of(tx: &mut Tx, batch: &Batch, fresh: &[usize]) -> Result<Self, StoreError> {
        let posts: Vec<&Post> = batch.posts.iter().filter(|post| post.author != PostAuthor::Own).collect();
        if fresh.is_empty() && posts.is_empty() {
            return Ok(Self::default());
        }
        let Some(key) = keys::if_erased(tx).await?.map(Key) else { return Ok(Self::default()) };
        let account = batch.account.0;
        let mut wanted: HashSet<String> = HashSet::new();
        for seen in fresh.iter().map(|&index| &batch.messages[index]) {
            let (object, id) = seen.identity();
            wanted.insert(key.hash(account, Of::Message(object, id)));
            wanted.insert(key.hash(account, Of::Thread(seen.thread.kind, key_of(&seen.thread.name))));
            wanted.extend(named(seen.author.as_ref()).map(|author| key.hash(account, Of::Author(&author))));
            wanted.extend(seen.thread.citizen.iter().map(|author| key.hash(account, Of::Author(author))));
        }
        for post in posts {
            wanted.insert(key.hash(account, Of::Post(key_of(&post.external_id))));
            wanted.extend(post.author_id.iter().map(|author| key.hash(account, Of::Author(author))));
        }
        let wanted: Vec<String> = wanted.into_iter().collect();
        let mut at = HashMap::new();
        for chunk in wanted.chunks(CHUNK) {
            for row in tx.rows_built(built(asked(chunk.len())), values(chunk)).await? {
                at.insert(row.t("hash")?, row.at("at")?);
            }
        }
        Ok(Self { key: Some(key), account, at })
    }

    /// Since when it is erased.
    fn since(&self, of: Of<'_>) -> Option<Time> {
        self.key.as_ref().and_then(|key| self.at.get(&key.hash(self.account, of))).copied()
    }

    /// Whether a new message is not to be stored: it was erased, or its author was, after it was written; or it is our answer in a thread of
    /// theirs. What was written in the very second of the erasure is stored: no citizen's message is missed.
    pub(in crate::store) fn holds(&self, seen: &Seen) -> bool {
        if self.at.is_empty() {
            return false;
        }
        let before = |since: Option<Time>| since.is_some_and(|since| seen.created_at.secs() < since.secs());
        let (object, id) = seen.identity();
        let citizen = match seen.direction {
            Direction::In => named(seen.author.as_ref()).is_some_and(|author| before(self.since(Of::Author(&author)))),
            Direction::Out => before(self.since(Of::Thread(seen.thread.kind, key_of(&seen.thread.name)))),
        };
        self.since(Of::Message(object, id)).is_some()
            || citizen
            || seen.thread.citizen.as_deref().is_some_and(|author| before(self.since(Of::Author(author))))
    }

    /// Notes the identity of a message that [`Self::holds`], so that it is known by it alone from now on.
    pub(in crate::store) async fn note(&self, tx: &mut Tx, seen: &[&Seen], now: Time) -> Result<(), StoreError> {
        let Some(key) = &self.key else { return Ok(()) };
        let hash = |seen: &&Seen| {
            let (object, id) = seen.identity();
            key.hash(self.account, Of::Message(object, id))
        };
        remember(tx, seen.iter().map(hash).collect(), now).await
    }

    /// A post with what may be kept of it: its key, external id, author and address.
    pub(in crate::store) fn post<'a>(
        &self,
        post: &'a Post,
    ) -> (std::borrow::Cow<'a, str>, std::borrow::Cow<'a, str>, Option<&'a str>, Option<&'a str>) {
        let plain = key_of(&post.external_id);
        if post.author != PostAuthor::Own
            && let Some(key) = self.key.as_ref().filter(|_| self.since(Of::Post(plain)).is_some())
        {
            let hidden = format!("~{}", key.hash(self.account, Of::Post(plain)));
            return (hidden.clone().into(), hidden.into(), None, None);
        }
        let by_erased = post.author_id.as_deref().and_then(|author| self.since(Of::Author(author)));
        if by_erased.is_some_and(|since| post.created_at.secs() < since.secs()) {
            return (plain.into(), post.external_id.as_str().into(), None, None);
        }
        (plain.into(), post.external_id.as_str().into(), post.author_id.as_deref(), post.permalink.as_deref())
    }
}

fn asked(count: usize) -> String {
    format!("SELECT hash, at FROM erased WHERE hash IN ({})", numbered(1, count))
}

fn values(hashes: &[String]) -> Vec<Val> {
    hashes.iter().map(Val::from).collect()
}

/// Keeps hashes; of one that is kept already the earlier time stands.
pub(super) async fn remember(tx: &mut Tx, hashes: Vec<String>, now: Time) -> Result<(), StoreError> {
    for chunk in hashes.chunks(CHUNK) {
        let sql = format!("INSERT INTO erased (hash, at) VALUES {} ON CONFLICT (hash) DO NOTHING", tx.values(chunk.len(), 2));
        tx.exec_built(built(sql), chunk.iter().flat_map(|hash| vals![hash, now]).collect()).await?;
    }
    Ok(())
}

/// Which of these messages of an account were erased.
pub(in crate::store) async fn known(
    db: &Db,
    account: AccountId,
    wanted: Vec<(Object, &str)>,
) -> Result<HashSet<(Object, String)>, StoreError> {
    let mut found = HashSet::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    let Some(key) = keys::if_ever_erased(db).await?.map(Key) else { return Ok(found) };
    let by_hash: HashMap<String, (Object, &str)> =
        wanted.into_iter().map(|(object, id)| (key.hash(account.0, Of::Message(object, id)), (object, id))).collect();
    let hashes: Vec<String> = by_hash.keys().cloned().collect();
    for chunk in hashes.chunks(CHUNK) {
        for row in db.rows_built(built(asked(chunk.len())), values(chunk)).await? {
            found.extend(by_hash.get(&row.t("hash")?).map(|&(object, id)| (object, id.to_owned())));
        }
    }
    Ok(found)
}

/// What is known of erased posts of an account, by the key that was asked for; read into their shape by the caller.
pub(in crate::store) async fn posts(db: &Db, account: AccountId, ids: Vec<&str>) -> Result<Vec<(String, Row)>, StoreError> {
    let mut found = Vec::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let Some(key) = keys::if_ever_erased(db).await?.map(Key) else { return Ok(found) };
    let by_key: HashMap<String, &str> = ids.into_iter().map(|id| (format!("~{}", key.hash(account.0, Of::Post(key_of(id)))), id)).collect();
    let keys: Vec<String> = by_key.keys().cloned().collect();
    for chunk in keys.chunks(CHUNK) {
        let sql = format!("SELECT * FROM post WHERE account_id = $1 AND key IN ({})", numbered(2, chunk.len()));
        let vals = std::iter::once(account.0.into()).chain(values(chunk)).collect();
        for row in db.rows_built(built(sql), vals).await? {
            if let Some(id) = by_key.get(&row.t("key")?) {
                found.push(((*id).to_owned(), row));
            }
        }
    }
    Ok(found)
}
