//! How rows are emptied: the same for a person and for what is past retention.

use std::collections::BTreeSet;

use super::{
    again::{Key, Of, remember},
    letters::rewrite,
};
use crate::{
    domain::{Kind, MessageId, Object, TicketId, Time, message::key_of},
    store::{
        StoreError,
        db::{CHUNK, Row, Tx, Val, built, numbered, vals},
        proof,
    },
};

/// A message to be emptied.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub id: i64,
    pub thread: i64,
    pub object: Object,
    pub key: String,
    pub external_id: String,
    pub created_at: Time,
    /// It may have answered in other threads of its post.
    pub answers_elsewhere: bool,
}

impl Target {
    pub const COLUMNS: &str = "id, thread_id, object, key, external_id, created_at, direction, top_level";

    pub(in crate::store) fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.i("id")?,
            thread: row.i("thread_id")?,
            object: row.word("object", Object::from_word)?,
            key: row.t("key")?,
            external_id: row.t("external_id")?,
            created_at: row.at("created_at")?,
            answers_elsewhere: row.t("direction")? == "out" && row.b("top_level")?,
        })
    }
}

fn values(first: impl IntoIterator<Item = Val>, ids: &[i64]) -> Vec<Val> {
    first.into_iter().chain(ids.iter().map(|&id| id.into())).collect()
}

/// Empties messages of an account, and what else is held of them; threads of which nothing is left lose their names. Closed tickets that
/// depend on any of it are settled first.
pub(super) async fn messages(tx: &mut Tx, key: &Key, account: i64, targets: &[Target], now: Time) -> Result<(), StoreError> {
    let threads: Vec<i64> = targets.iter().map(|target| target.thread).collect::<BTreeSet<_>>().into_iter().collect();
    settle(tx, account, &threads, targets, now).await?;
    remember(tx, targets.iter().map(|target| key.hash(account, Of::Message(target.object, &target.key))).collect(), now).await?;
    let gone: BTreeSet<&str> = targets.iter().filter(|t| t.object == Object::Comment).map(|t| key_of(&t.external_id)).collect();
    for chunk in targets.chunks(CHUNK) {
        let ids: Vec<i64> = chunk.iter().map(|target| target.id).collect();
        let sql = format!(
            "UPDATE message SET erased_at = $1, key = '~' || CAST(id AS TEXT), external_id = '~' || CAST(id AS TEXT), \
               author_id = CASE WHEN author_id IS NULL AND author_username IS NULL THEN NULL ELSE '~' END, author_name = NULL, \
               author_username = NULL, text = '', attachments = '[]', reactions = '[]', tags = '[]', parent = NULL, private_reply = NULL, \
               permalink = NULL, missing_since = NULL WHERE id IN ({})",
            numbered(2, ids.len())
        );
        tx.exec_built(built(sql), values(vals![now], &ids)).await?;
        proof::forget(tx, &ids.into_iter().map(MessageId).collect::<Vec<_>>()).await?;
        let sql = format!("DELETE FROM hint WHERE account_id = $1 AND comment IN ({})", numbered(2, chunk.len()));
        let keys = chunk.iter().map(|target| Val::from(&target.key));
        tx.exec_built(built(sql), vals![account].into_iter().chain(keys).collect()).await?;
    }
    for chunk in threads.chunks(CHUNK) {
        // Answers to what is gone name it.
        let sql = format!(
            "SELECT id, parent FROM message WHERE erased_at IS NULL AND parent IS NOT NULL AND thread_id IN ({})",
            numbered(1, chunk.len())
        );
        let mut orphans = Vec::new();
        for row in tx.rows_built(built(sql), values([], chunk)).await? {
            if gone.contains(key_of(&row.t("parent")?)) {
                orphans.push(row.i("id")?);
            }
        }
        for ids in orphans.chunks(CHUNK) {
            let sql = format!("UPDATE message SET parent = NULL WHERE id IN ({})", numbered(1, ids.len()));
            tx.exec_built(built(sql), values([], ids)).await?;
        }
        empty(tx, key, (account, chunk), &gone, now).await?;
    }
    Ok(())
}

/// Closed tickets of these threads, and those that a comment of ours closed in other threads of its post, are judged no more; what counts as
/// automatic now does so for ever, since the message before it may be gone.
async fn settle(tx: &mut Tx, account: i64, threads: &[i64], targets: &[Target], now: Time) -> Result<(), StoreError> {
    for chunk in threads.chunks(CHUNK) {
        let list = numbered(2, chunk.len());
        let sql = format!("UPDATE ticket SET settled_at = $1 WHERE state <> 'open' AND settled_at IS NULL AND thread_id IN ({list})");
        tx.exec_built(built(sql), values(vals![now], chunk)).await?;
        let sql = format!(
            "UPDATE message SET automatic = 1 WHERE direction = 'out' AND automatic = 0 AND $1 = $1 AND thread_id IN ({list}) \
               AND EXISTS (SELECT 1 FROM quick_reply own WHERE own.message_id = message.id AND (SELECT COUNT(DISTINCT q.thread_id) \
                 FROM quick_reply q WHERE q.account_id = own.account_id AND q.text_hash = own.text_hash) >= 3)"
        );
        tx.exec_built(built(sql), values(vals![now], chunk)).await?;
    }
    for target in targets.iter().filter(|target| target.answers_elsewhere) {
        let sql = "UPDATE ticket SET settled_at = $1 WHERE state <> 'open' AND settled_at IS NULL AND account_id = $2 AND closed_at = $3 \
             AND thread_id IN (SELECT o.id FROM thread h JOIN thread o ON o.account_id = h.account_id AND o.post_key = h.post_key WHERE h.id = $4)";
        tx.exec(sql, vals![now, account, target.created_at, target.thread]).await?;
    }
    Ok(())
}

/// Takes the names of those of these threads in which nothing is left, and the address of those whose first message is gone.
pub(super) async fn empty(
    tx: &mut Tx,
    key: &Key,
    (account, threads): (i64, &[i64]),
    gone: &BTreeSet<&str>,
    now: Time,
) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT id, kind, key, (SELECT COUNT(*) FROM message m WHERE m.thread_id = thread.id AND m.erased_at IS NULL) AS left_over \
         FROM thread WHERE erased_at IS NULL AND id IN ({})",
        numbered(1, threads.len())
    );
    for row in tx.rows_built(built(sql), values([], threads)).await? {
        let (id, kind, name) = (row.i("id")?, row.word("kind", Kind::from_word)?, row.t("key")?);
        if row.i("left_over")? > 0 {
            if gone.contains(name.as_str()) {
                tx.exec("UPDATE thread SET permalink = NULL WHERE id = $1", vals![id]).await?;
            }
            continue;
        }
        remember(tx, vec![key.hash(account, Of::Thread(kind, &name))], now).await?;
        tx.exec(
            "UPDATE thread SET erased_at = $2, key = '~' || CAST(id AS TEXT), name = '~' || CAST(id AS TEXT), permalink = NULL, \
               citizen_id = NULL, next_look_at = NULL, verify_at = NULL WHERE id = $1",
            vals![id, now],
        )
        .await?;
        if matches!(kind, Kind::Post | Kind::Mention) {
            let hash = key.hash(account, Of::Post(&name));
            let hidden = format!("~{hash}");
            let renamed = tx
                .exec(
                    "UPDATE post SET key = $3, external_id = $3, author_id = NULL, permalink = NULL \
                     WHERE account_id = $1 AND key = $2 AND author <> 'own' AND NOT EXISTS (SELECT 1 FROM post p WHERE p.account_id = $1 AND p.key = $3)",
                    vals![account, &name, &hidden],
                )
                .await?;
            if renamed > 0 {
                remember(tx, vec![hash], now).await?;
                tx.exec("UPDATE thread SET post_key = $3 WHERE account_id = $1 AND post_key = $2", vals![account, &name, &hidden]).await?;
                tx.exec("DELETE FROM hint WHERE account_id = $1 AND post = $2", vals![account, &name]).await?;
            }
        }
    }
    Ok(())
}

/// Takes the author of tickets, and what staff wrote about them; what is still open is withdrawn, reason `erased`. How many were open.
pub(super) async fn tickets(tx: &mut Tx, tickets: &[i64], now: Time) -> Result<u64, StoreError> {
    let mut closed = 0;
    for chunk in tickets.chunks(CHUNK) {
        let list = numbered(2, chunk.len());
        let of = values(vals![now], chunk);
        let sql = format!(
            "INSERT INTO event (ticket_id, at, kind, detail) SELECT id, $1, 'withdrawn', 'erased' FROM ticket WHERE state = 'open' AND id IN ({list})"
        );
        closed += tx.exec_built(built(sql), of.clone()).await?;
        let sql = format!(
            "INSERT INTO alert (kind, ticket_id, account_id, policy, at_text, step, notify, late_found, detail, created_at) \
             SELECT 'ticket.withdrawn', id, account_id, '', '', 0, '[]', 0, '', $1 FROM ticket WHERE state = 'open' AND id IN ({list})"
        );
        tx.exec_built(built(sql), of.clone()).await?;
        let sql = format!(
            "UPDATE ticket SET author = CASE WHEN author = '' THEN '' ELSE '~' END, settled_at = COALESCE(settled_at, $1), \
               reason = CASE WHEN state = 'open' THEN 'erased' WHEN state = 'withdrawn' THEN reason END, \
               closed_at = CASE WHEN state = 'open' THEN $1 ELSE closed_at END, unverified = CASE WHEN state = 'open' THEN 0 ELSE unverified END, \
               state = CASE WHEN state = 'open' THEN 'withdrawn' ELSE state END WHERE id IN ({list})"
        );
        tx.exec_built(built(sql), of.clone()).await?;
        for sql in [
            "UPDATE event SET detail = '' WHERE $1 = $1 AND kind IN ('dismissed', 'resolved') AND ticket_id IN",
            "UPDATE action SET text = '' WHERE $1 = $1 AND kind IN ('dismiss', 'resolve', 'note') AND ticket_id IN",
            "UPDATE reply SET text = '', target = '~', external_id = NULL, error = NULL WHERE $1 = $1 AND next_try_at IS NULL AND ticket_id IN",
            "UPDATE reply SET text = '', target = '~', external_id = NULL, error = 'erased', state = 'failed', next_try_at = NULL, fence = fence + 1, \
               lease_owner = NULL, lease_until = 0 WHERE $1 = $1 AND next_try_at IS NOT NULL AND ticket_id IN",
        ] {
            tx.exec_built(built(format!("{sql} ({list})")), of.clone()).await?;
        }
    }
    rewrite(tx, tickets, true, now).await?;
    proof::erased(tx, &tickets.iter().copied().map(TicketId).collect::<Vec<_>>(), now).await?;
    Ok(closed)
}
