//! Takes in what one read showed: messages once, threads, posts, and what the read proves. One transaction; the same read twice changes nothing.

mod proof;

use std::collections::{BTreeSet, HashMap};

use jiff::SignedDuration;

use super::{
    db::{CHUNK, Db, StoreError, Tx, Val, built, json, numbered, vals},
    forget::Erased,
    reach::Reach,
};
use crate::domain::{
    AccountId, Kind, MessageId, Object, ThreadId, Time,
    message::{Post, Seen, key_of},
};

/// What one read of an account showed.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Whose.
    pub account: AccountId,
    /// When the first request of the read began.
    pub began_at: Time,
    /// When it was taken in (milliseconds); becomes `seen_at` of what is new.
    pub now: Time,
    /// Two reads this far apart must miss a message before it counts as gone.
    pub confirm_gone: SignedDuration,
    /// Every message shown.
    pub messages: Vec<Seen>,
    /// Every post or medium whose comments are now known in whole, with Meta's count and time to compare the next list with.
    pub posts: Vec<Post>,
    /// What the read proves.
    pub proofs: Vec<Proof>,
    /// Configured Instagram accounts by the author id first seen with their user name.
    pub bindings: Vec<(String, String)>,
}

/// What a read that began at a known time says about threads as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Every comment under this post (external id) was read: what is known and was not shown is missing.
    Post(String),
    /// This conversation was read back to `from`; `None` = all of it.
    Conversation {
        /// Meta's id.
        name: String,
        /// The oldest message shown.
        from: Option<Time>,
    },
    /// A list showed this thread as it is known.
    Unchanged(Kind, String),
    /// The post (external id) itself is gone while its account answers.
    PostGone(String),
    /// This thread can never be read.
    Unreadable(Kind, String),
    /// Meta told that this (external id) is removed, of a thread that can't be read.
    Removed(Object, String),
}

/// What was new in a batch.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// Messages stored for the first time (index into the batch).
    pub received: Vec<(MessageId, usize)>,
    /// Messages with another text than before (index into the batch).
    pub edited: Vec<(MessageId, usize)>,
    /// Messages that are gone for sure now.
    pub deleted: Vec<MessageId>,
}

struct Known {
    id: i64,
    thread: i64,
    text: String,
    hidden: bool,
    hidden_at: Option<Time>,
    gone: bool,
    missing: bool,
    private: bool,
    urgent: bool,
    reactions: String,
}

impl Known {
    /// Whether it says something else than before. What comes back after it was gone was emptied then, and is no edit.
    fn edited(&self, seen: &Seen) -> bool {
        self.text != seen.text.as_str() && !self.is_back()
    }

    fn is_back(&self) -> bool {
        self.gone && self.text.is_empty()
    }
}

type Identity = (Object, String);

/// Stores a batch.
pub async fn take(db: &Db, batch: &Batch) -> Result<Taken, StoreError> {
    let mut tx = db.write().await?;
    let taken = take_in(&mut tx, batch).await?;
    tx.commit().await?;
    Ok(taken)
}

/// Stores a batch in a transaction of the caller's.
pub async fn take_in(tx: &mut Tx, batch: &Batch) -> Result<Taken, StoreError> {
    tx.alone(&[batch.account.0]).await?;
    let mut newest: HashMap<Identity, usize> = HashMap::with_capacity(batch.messages.len());
    for (index, seen) in batch.messages.iter().enumerate() {
        newest.insert((seen.object, key_of(&seen.external_id).to_owned()), index); // shown twice: the later one holds
    }
    let known = known(tx, batch, newest.keys()).await?;
    let mut taken = Taken::default();
    let mut touched: BTreeSet<i64> = BTreeSet::new();
    let mut fresh = Vec::new();
    let mut changed = Vec::new();
    for (identity, &index) in &newest {
        match known.get(identity) {
            None => fresh.push(index),
            Some(row) => {
                if update(tx, batch, row, &batch.messages[index]).await? {
                    touched.insert(row.thread);
                    changed.push(index);
                    if row.edited(&batch.messages[index]) {
                        taken.edited.push((MessageId(row.id), index));
                    }
                }
            }
        }
    }
    fresh.sort_by_key(|&index| (batch.messages[index].created_at, index));
    let erased = Erased::of(tx, batch, &fresh).await?;
    let (out, fresh): (Vec<usize>, Vec<usize>) = fresh.into_iter().partition(|&index| erased.holds(&batch.messages[index]));
    erased.note(tx, &out.iter().map(|&index| &batch.messages[index]).collect::<Vec<_>>(), batch.now).await?;
    let threads = threads(tx, batch, &fresh).await?;
    insert(tx, batch, &fresh, &threads, &mut taken).await?;
    posts(tx, batch, &erased).await?;
    for (sister, author) in &batch.bindings {
        tx.exec(
            "INSERT INTO binding (account_id, sister, author_id) VALUES ($1, $2, $3) ON CONFLICT (account_id, sister) DO NOTHING",
            vals![batch.account.0, sister, author],
        )
        .await?;
    }
    for proof in &batch.proofs {
        proof::prove(tx, batch, proof, &newest, &mut taken, &mut touched).await?;
    }
    look_again(tx, batch, touched).await?;
    let mut reach = Reach::default();
    fresh.iter().chain(&changed).for_each(|&index| reach.shown(&batch.messages[index]));
    reach.gone(tx, &taken.deleted).await?;
    reach.look_again(tx, batch).await?;
    Ok(taken)
}

async fn known(tx: &mut Tx, batch: &Batch, wanted: impl Iterator<Item = &Identity>) -> Result<HashMap<Identity, Known>, StoreError> {
    let wanted: Vec<&Identity> = wanted.collect();
    let mut found = HashMap::with_capacity(wanted.len());
    for chunk in wanted.chunks(CHUNK) {
        let sql = format!(
            "SELECT id, thread_id, object, key, text, hidden, hidden_at, deleted_at, missing_since, private_reply, urgent, reactions \
             FROM message WHERE account_id = $1 AND {}",
            among(chunk.len())
        );
        let values = identities(batch.account, chunk.iter().map(|(object, key)| (*object, key.as_str())));
        for row in tx.rows_built(built(sql), values).await? {
            let identity = (row.word("object", Object::from_word)?, row.t("key")?);
            found.insert(
                identity,
                Known {
                    id: row.i("id")?,
                    thread: row.i("thread_id")?,
                    text: row.t("text")?,
                    hidden: row.b("hidden")?,
                    hidden_at: row.oat("hidden_at")?,
                    gone: row.oi("deleted_at")?.is_some(),
                    missing: row.oi("missing_since")?.is_some(),
                    private: row.ot("private_reply")?.is_some(),
                    urgent: row.b("urgent")?,
                    reactions: row.t("reactions")?,
                },
            );
        }
    }
    Ok(found)
}

/// Brings a known message up to date; whether anything differed.
async fn update(tx: &mut Tx, batch: &Batch, row: &Known, seen: &Seen) -> Result<bool, StoreError> {
    let (edited, changed) = (row.edited(seen), row.text != seen.text.as_str());
    let private_new = seen.private_reply.is_some() && !row.private;
    let reactions = json(&seen.reactions);
    if row.reactions != reactions {
        tx.exec("UPDATE message SET reactions = $2 WHERE id = $1", vals![row.id, reactions]).await?;
    }
    if !edited && row.hidden == seen.hidden && !row.gone && !row.missing && !private_new {
        return Ok(false);
    }
    let hidden_at = match (row.hidden, seen.hidden) {
        (false, true) => Some(batch.now),
        (true, true) => row.hidden_at,
        _ => None,
    };
    // An edit may make a message urgent or in need of an answer, never the reverse; it may have happened while it was gone.
    let urgent_now = seen.urgent && !row.urgent;
    tx.exec(
        "UPDATE message SET text = $2, edited_at = CASE WHEN $3 = 1 THEN $4 ELSE edited_at END, hidden = $5, hidden_at = $6, \
           deleted_at = NULL, missing_since = NULL, \
           needs_answer = CASE WHEN $7 = 1 THEN 1 ELSE needs_answer END, asks = CASE WHEN $8 = 1 THEN 1 ELSE asks END, \
           urgent = CASE WHEN $9 = 1 THEN 1 ELSE urgent END, urgent_at = CASE WHEN $9 = 1 THEN $4 ELSE urgent_at END, \
           bare = CASE WHEN $14 = 1 THEN $10 ELSE bare END, tags = CASE WHEN $14 = 1 THEN $11 ELSE tags END, \
           attachments = CASE WHEN $15 = 1 THEN $16 ELSE attachments END, \
           private_unseen_at = CASE WHEN $12 = 1 THEN (SELECT read_began_at FROM thread WHERE thread.id = message.thread_id) ELSE private_unseen_at END, \
           private_reply = COALESCE(private_reply, $13) \
         WHERE id = $1",
        vals![
            row.id,
            &seen.text,
            edited,
            batch.now,
            seen.hidden,
            hidden_at,
            changed && seen.needs_answer,
            changed && seen.asks,
            changed && urgent_now,
            seen.bare,
            json(&seen.tags),
            private_new,
            seen.private_reply.clone(),
            changed,
            row.is_back(),
            json(&seen.attachments)
        ],
    )
    .await?;
    Ok(true)
}

type ThreadIdentity = (Kind, String);

fn thread_identity(seen: &Seen) -> ThreadIdentity {
    (seen.thread.kind, key_of(&seen.thread.name).to_owned())
}

/// The threads of the new messages, made where missing; each is looked at again.
async fn threads(tx: &mut Tx, batch: &Batch, fresh: &[usize]) -> Result<HashMap<ThreadIdentity, ThreadId>, StoreError> {
    let mut wanted: HashMap<ThreadIdentity, &Seen> = HashMap::new();
    for &index in fresh {
        let seen = &batch.messages[index];
        // The thread's own first message names it and has the permalink.
        let entry = wanted.entry(thread_identity(seen)).or_insert(seen);
        if seen.external_id == seen.thread.name {
            *entry = seen;
        }
    }
    let mut ids = HashMap::with_capacity(wanted.len());
    let wanted: Vec<(&ThreadIdentity, &&Seen)> = wanted.iter().collect();
    for chunk in wanted.chunks(CHUNK) {
        let mut values = Vec::with_capacity(chunk.len() * 8);
        for ((kind, key), seen) in chunk {
            let post = seen.thread.post.as_deref().map(key_of);
            values.extend(vals![
                batch.account.0,
                kind.word(),
                key,
                &seen.thread.name,
                post,
                seen.thread.citizen.clone(),
                seen.permalink.clone(),
                batch.now
            ]);
        }
        let sql = format!(
            "INSERT INTO thread (account_id, kind, key, name, post_key, citizen_id, permalink, next_look_at) VALUES {} \
             ON CONFLICT (account_id, kind, key) DO UPDATE SET \
               citizen_id = COALESCE(thread.citizen_id, excluded.citizen_id), permalink = COALESCE(thread.permalink, excluded.permalink), \
               post_key = COALESCE(thread.post_key, excluded.post_key), \
               next_look_at = CASE WHEN thread.next_look_at < excluded.next_look_at THEN thread.next_look_at ELSE excluded.next_look_at END \
             RETURNING id, kind, key",
            tx.values(chunk.len(), 8)
        );
        for row in tx.rows_built(built(sql), values).await? {
            ids.insert((row.word("kind", Kind::from_word)?, row.t("key")?), ThreadId(row.i("id")?));
        }
    }
    Ok(ids)
}

const COLUMNS: &str = "account_id, thread_id, object, key, external_id, kind, direction, government, parent, top_level, author_id, author_name, \
    author_username, text, attachments, reactions, tags, created_at, seen_at, hidden, automatic, needs_answer, asks, urgent, urgent_at, bare, tags_own, \
    by_page, private_reply, permalink";

async fn insert(
    tx: &mut Tx,
    batch: &Batch,
    fresh: &[usize],
    threads: &HashMap<ThreadIdentity, ThreadId>,
    taken: &mut Taken,
) -> Result<(), StoreError> {
    for chunk in fresh.chunks(CHUNK) {
        let mut values: Vec<Val> = Vec::with_capacity(chunk.len() * 30);
        for &index in chunk {
            let seen = &batch.messages[index];
            let author = seen.author.as_ref();
            let thread = threads.get(&thread_identity(seen)).map_or(0, |id| id.0);
            values.extend(vals![
                batch.account.0,
                thread,
                seen.object.word(),
                key_of(&seen.external_id),
                &seen.external_id,
                seen.kind.word(),
                seen.direction.word(),
                seen.government.clone(),
                seen.parent.clone(),
                seen.top_level,
                author.and_then(|a| a.id.clone()),
                author.and_then(|a| a.name.as_ref()),
                author.and_then(|a| a.username.as_ref()),
                &seen.text,
                json(&seen.attachments),
                json(&seen.reactions),
                json(&seen.tags),
                seen.created_at,
                batch.now,
                seen.hidden,
                seen.automatic,
                seen.needs_answer,
                seen.asks,
                seen.urgent,
                seen.urgent.then_some(seen.created_at),
                seen.bare,
                seen.tags_own,
                seen.by_page,
                seen.private_reply.clone(),
                seen.permalink.clone()
            ]);
        }
        let sql = format!("INSERT INTO message ({COLUMNS}) VALUES {} RETURNING id, object, key", tx.values(chunk.len(), 30));
        let mut by_identity: HashMap<Identity, usize> = chunk
            .iter()
            .map(|&index| ((batch.messages[index].object, key_of(&batch.messages[index].external_id).to_owned()), index))
            .collect();
        for row in tx.rows_built(built(sql), values).await? {
            if let Some(index) = by_identity.remove(&(row.word("object", Object::from_word)?, row.t("key")?)) {
                taken.received.push((MessageId(row.i("id")?), index));
            }
        }
    }
    Ok(())
}

async fn posts(tx: &mut Tx, batch: &Batch, erased: &Erased) -> Result<(), StoreError> {
    for chunk in batch.posts.chunks(CHUNK) {
        let mut last: HashMap<&str, &Post> = HashMap::new();
        for post in chunk {
            last.insert(key_of(&post.external_id), post);
        }
        let mut values = Vec::with_capacity(last.len() * 10);
        for post in last.values() {
            let (key, external_id, author_id, permalink) = erased.post(post);
            values.extend(vals![
                batch.account.0,
                &*key,
                &*external_id,
                post.author.word(),
                author_id,
                post.created_at,
                post.updated_at,
                post.total,
                permalink,
                post.read_at
            ]);
        }
        let sql = format!(
            "INSERT INTO post (account_id, key, external_id, author, author_id, created_at, updated_at, total, permalink, read_at) VALUES {} \
             ON CONFLICT (account_id, key) DO UPDATE SET updated_at = COALESCE(excluded.updated_at, post.updated_at), \
               total = COALESCE(excluded.total, post.total), permalink = COALESCE(excluded.permalink, post.permalink), \
               read_at = COALESCE(excluded.read_at, post.read_at)",
            tx.values(last.len(), 10)
        );
        tx.exec_built(built(sql), values).await?;
    }
    Ok(())
}

/// Lowers `next_look_at` of the threads in which something changed.
async fn look_again(tx: &mut Tx, batch: &Batch, touched: BTreeSet<i64>) -> Result<(), StoreError> {
    let touched: Vec<i64> = touched.into_iter().collect();
    for chunk in touched.chunks(CHUNK) {
        let sql = format!(
            "UPDATE thread SET next_look_at = $1 WHERE (next_look_at IS NULL OR next_look_at > $1) AND id IN ({})",
            numbered(2, chunk.len())
        );
        let mut values = vals![batch.now];
        values.extend(chunk.iter().map(|&id| Val::from(id)));
        tx.exec_built(built(sql), values).await?;
    }
    Ok(())
}

/// A condition that holds for `count` messages of an account, whose values [`identities`] gives.
pub(super) fn among(count: usize) -> String {
    let pairs = (0..count).map(|i| format!("(${},${})", 2 * i + 2, 2 * i + 3)).collect::<Vec<_>>().join(",");
    format!("(object, key) IN (SELECT * FROM (VALUES {pairs}) AS shown)")
}

/// The account, then object and key of each message.
pub(super) fn identities<'a>(account: AccountId, of: impl IntoIterator<Item = (Object, &'a str)>) -> Vec<Val> {
    let mut values = vals![account.0];
    for (object, key) in of {
        values.extend(vals![object.word(), key]);
    }
    values
}
