//! Everything the tickets of some threads depend on, read in a few statements.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::ids;
use crate::{
    domain::{
        AccountId, Direction, Kind, MessageId, Object, Platform, Text, ThreadId, TicketId, TicketState,
        message::{Author, Message, Seen, ThreadKey},
        ticket::{Subject, Ticket},
        view::{Blindness, ThreadView},
    },
    store::{
        StoreError, actions,
        db::{Row, Tx, built, numbered},
    },
};

/// Everything the tickets of these threads depend on, but for automatic and private replies ([`quick`], [`private_replies`]).
pub async fn views(tx: &mut Tx, threads: &[ThreadId]) -> Result<Vec<ThreadView>, StoreError> {
    let mut views = Vec::with_capacity(threads.len());
    for chunk in threads.chunks(500) {
        views.extend(views_of(tx, chunk).await?);
    }
    Ok(views)
}

async fn views_of(tx: &mut Tx, threads: &[ThreadId]) -> Result<Vec<ThreadView>, StoreError> {
    let list = numbered(1, threads.len());
    let sql = format!(
        "SELECT t.id, t.account_id, t.kind, t.key, t.name, t.post_key, t.citizen_id, t.read_began_at, t.unreadable, a.external_id, a.platform, a.opd, \
           s.first_read_at, s.opens_from, s.blind_from, s.backlog_read_at \
         FROM thread t JOIN account a ON a.id = t.account_id \
         LEFT JOIN source s ON s.account_id = t.account_id AND s.name = CASE t.kind WHEN 'message' THEN 'messages' WHEN 'comment' THEN 'comments' \
           WHEN 'post' THEN 'posts' WHEN 'mention' THEN 'mentions' ELSE 'reviews' END \
         WHERE t.id IN ({list})"
    );
    let mut views: BTreeMap<i64, ThreadView> = BTreeMap::new();
    let mut keys: HashMap<i64, ThreadKey> = HashMap::new();
    for row in tx.rows_built(built(sql), ids(threads)).await? {
        let id = row.i("id")?;
        let kind = row.word("kind", Kind::from_word)?;
        keys.insert(id, ThreadKey { kind, name: row.t("name")?, post: row.ot("post_key")?, citizen: row.ot("citizen_id")? });
        views.insert(
            id,
            ThreadView {
                id: ThreadId(id),
                account: AccountId(row.i("account_id")?),
                account_external: row.t("external_id")?,
                subject: Subject { opd: row.t("opd")?, platform: row.word("platform", Platform::from_word)?, kind },
                messages: Vec::new(),
                elsewhere: Vec::new(),
                automatic: HashSet::new(),
                private: HashMap::new(),
                tickets: Vec::new(),
                members: HashMap::new(),
                actions: Vec::new(),
                opens_from: row.oat("opens_from")?,
                read_began_at: row.oat("read_began_at")?,
                blindness: row
                    .oat("backlog_read_at")?
                    .map(|until| Ok::<_, StoreError>(Blindness { from: row.oat("blind_from")?, until }))
                    .transpose()?,
                unreadable: row.b("unreadable")?,
            },
        );
    }
    messages(tx, threads, &keys, &mut views).await?;
    tickets(tx, threads, &mut views).await?;
    elsewhere(tx, threads, &keys, &mut views).await?;
    Ok(views.into_values().collect())
}

const MESSAGE: &str = "m.id, m.account_id, m.thread_id, m.object, m.external_id, m.kind, m.direction, m.government, m.parent, m.top_level, m.author_id, \
    m.author_name, m.author_username, m.text, m.tags, m.created_at, m.seen_at, m.edited_at, m.deleted_at, m.missing_since, m.hidden, m.hidden_at, \
    m.automatic, m.needs_answer, m.asks, m.urgent, m.urgent_at, m.bare, m.tags_own, m.by_page, m.private_reply, m.private_unseen_at, m.permalink";

async fn messages(
    tx: &mut Tx,
    threads: &[ThreadId],
    keys: &HashMap<i64, ThreadKey>,
    views: &mut BTreeMap<i64, ThreadView>,
) -> Result<(), StoreError> {
    let sql = format!("SELECT {MESSAGE} FROM message m WHERE m.erased_at IS NULL AND m.thread_id IN ({})", numbered(1, threads.len()));
    for row in tx.rows_built(built(sql), ids(threads)).await? {
        let thread = row.i("thread_id")?;
        if let (Some(view), Some(key)) = (views.get_mut(&thread), keys.get(&thread)) {
            view.messages.push(message(&row, key)?);
        }
    }
    Ok(())
}

/// A message without its attachments and reactions, which decide nothing.
fn message(row: &Row, thread: &ThreadKey) -> Result<Message, StoreError> {
    let (id, name, username) = (row.ot("author_id")?, row.ot("author_name")?, row.ot("author_username")?);
    let author = (id.is_some() || name.is_some() || username.is_some()).then(|| Author {
        id,
        name: name.map(Text::from),
        username: username.map(Text::from),
    });
    Ok(Message {
        id: MessageId(row.i("id")?),
        account: AccountId(row.i("account_id")?),
        thread_id: ThreadId(row.i("thread_id")?),
        seen: Seen {
            object: row.word("object", Object::from_word)?,
            external_id: row.t("external_id")?,
            kind: row.word("kind", Kind::from_word)?,
            direction: row.word("direction", Direction::from_word)?,
            government: row.ot("government")?,
            thread: thread.clone(),
            parent: row.ot("parent")?,
            top_level: row.b("top_level")?,
            author,
            text: row.t("text")?.into(),
            attachments: Vec::new(),
            reactions: Vec::new(),
            tags: row.json("tags")?,
            created_at: row.at("created_at")?,
            hidden: row.b("hidden")?,
            automatic: row.b("automatic")?,
            needs_answer: row.b("needs_answer")?,
            asks: row.b("asks")?,
            urgent: row.b("urgent")?,
            bare: row.b("bare")?,
            tags_own: row.b("tags_own")?,
            by_page: row.b("by_page")?,
            private_reply: row.ot("private_reply")?,
            permalink: row.ot("permalink")?,
        },
        seen_at: row.at("seen_at")?,
        edited_at: row.oat("edited_at")?,
        deleted_at: row.oat("deleted_at")?,
        hidden_at: row.oat("hidden_at")?,
        missing_since: row.oat("missing_since")?,
        urgent_at: row.oat("urgent_at")?,
        private_unseen_at: row.oat("private_unseen_at")?,
    })
}

/// The tickets with their messages and what staff did. Settled tickets are judged no more: neither they nor their messages are shown, as if
/// the thread began without them.
async fn tickets(tx: &mut Tx, threads: &[ThreadId], views: &mut BTreeMap<i64, ThreadView>) -> Result<(), StoreError> {
    let list = numbered(1, threads.len());
    let mut settled: HashSet<TicketId> = HashSet::new();
    let sql = format!("SELECT * FROM ticket WHERE thread_id IN ({list}) ORDER BY id");
    for row in tx.rows_built(built(sql), ids(threads)).await? {
        let ticket = ticket(&row)?;
        if row.oi("settled_at")?.is_some() {
            settled.insert(ticket.id);
        } else if let Some(view) = views.get_mut(&ticket.thread_id.0) {
            view.tickets.push(ticket);
        }
    }
    let sql = format!(
        "SELECT tm.message_id, tm.ticket_id, t.thread_id FROM ticket_message tm JOIN ticket t ON t.id = tm.ticket_id WHERE t.thread_id IN ({list})"
    );
    for row in tx.rows_built(built(sql), ids(threads)).await? {
        if let Some(view) = views.get_mut(&row.i("thread_id")?) {
            view.members.insert(MessageId(row.i("message_id")?), TicketId(row.i("ticket_id")?));
        }
    }
    if !settled.is_empty() {
        for ThreadView { messages, members, .. } in views.values_mut() {
            messages.retain(|message| !members.get(&message.id).is_some_and(|ticket| settled.contains(ticket)));
            members.retain(|_, ticket| !settled.contains(ticket));
        }
    }
    let sql =
        format!("SELECT a.*, t.thread_id FROM action a JOIN ticket t ON t.id = a.ticket_id WHERE t.thread_id IN ({list}) ORDER BY a.id");
    for row in tx.rows_built(built(sql), ids(threads)).await? {
        if let Some(view) = views.get_mut(&row.i("thread_id")?) {
            view.actions.push(actions::read(&row)?);
        }
    }
    Ok(())
}

fn ticket(row: &Row) -> Result<Ticket, StoreError> {
    Ok(Ticket {
        id: TicketId(row.i("id")?),
        thread_id: ThreadId(row.i("thread_id")?),
        author: row.t("author")?,
        policy: row.t("policy")?,
        urgent: row.b("urgent")?,
        state: row.word("state", TicketState::from_word)?,
        opened_at: row.at("opened_at")?,
        due_at: row.at("due_at")?,
        warned_at: row.oat("warned_at")?,
        breached_at: row.oat("breached_at")?,
        flagged_at: row.oat("flagged_at")?,
        acknowledged_at: row.oat("acknowledged_at")?,
        closed_at: row.oat("closed_at")?,
        answered_by: row.ot("answered_by")?,
        business_seconds: row.oi("business_seconds")?,
        reason: row.ot("reason")?,
        unverified: row.b("unverified")?,
        messages: row.i("messages")?,
        assignee: row.ot("assignee")?,
        held_by: row.ot("held_by")?,
        window_warned: row.oat("window_warned")?,
        steps: row.json("steps")?,
        configuration: row.t("configuration")?,
    })
}

/// Top-level `out` comments in other threads of the same post, for comment threads with a post. Each post is gone through once, however
/// many of its threads are due: a deadline is often that of many comments under one post.
async fn elsewhere(
    tx: &mut Tx,
    threads: &[ThreadId],
    keys: &HashMap<i64, ThreadKey>,
    views: &mut BTreeMap<i64, ThreadView>,
) -> Result<(), StoreError> {
    let mut under: HashMap<(i64, &str), Vec<i64>> = HashMap::new();
    for (id, view) in views.iter().filter(|(_, view)| view.subject.kind == Kind::Comment) {
        if let Some(post) = keys.get(id).and_then(|key| key.post.as_deref()) {
            under.entry((view.account.0, post)).or_default().push(*id);
        }
    }
    let sql = format!(
        "SELECT h.post_key, {MESSAGE} FROM (SELECT DISTINCT account_id, post_key FROM thread WHERE kind = 'comment' AND id IN ({})) h \
         JOIN thread o ON o.account_id = h.account_id AND o.post_key = h.post_key \
         JOIN message m ON m.thread_id = o.id AND m.direction = 'out' AND m.top_level = 1 AND m.erased_at IS NULL",
        numbered(1, threads.len())
    );
    for row in tx.rows_built(built(sql), ids(threads)).await? {
        let (there, post) = (row.i("thread_id")?, row.t("post_key")?);
        for here in under.get(&(row.i("account_id")?, post.as_str())).into_iter().flatten().filter(|here| **here != there) {
            if let (Some(view), Some(key)) = (views.get_mut(here), keys.get(here)) {
                view.elsewhere.push(message(&row, key)?);
            }
        }
    }
    Ok(())
}

/// Whether direct message `d` can answer anybody (semantics.md, Tickets): not automatic, not bare, not gone within a day.
const ANSWERS: &str = "d.direction = 'out' AND d.automatic = 0 AND d.bare = 0 AND (d.deleted_at IS NULL OR d.deleted_at > d.created_at + 86400000) \
    AND NOT EXISTS (SELECT 1 FROM quick_reply q WHERE q.message_id = d.id AND (SELECT COUNT(DISTINCT r.thread_id) FROM quick_reply r \
      WHERE r.account_id = q.account_id AND r.text_hash = q.text_hash) >= 3)";

/// Fills in when comments were answered by a private reply (semantics.md, Tickets): on Facebook the first `out` of the conversation shown with
/// it, or where none is known the last read that did not show it; on Instagram an `out` direct message to its author with no `in` of theirs in
/// between. Asked once this transaction's quick texts are noted: they decide which of them are automatic.
pub async fn private_replies(tx: &mut Tx, views: &mut [ThreadView]) -> Result<(), StoreError> {
    for views in views.chunks_mut(500) {
        let threads: Vec<ThreadId> = views.iter().map(|view| view.id).collect();
        let list = numbered(1, threads.len());
        let shown = format!(
            "SELECT c.id, c.thread_id, c.created_at, c.private_unseen_at, COUNT(d.id) AS outs, \
               MIN(CASE WHEN {ANSWERS} THEN d.created_at END) AS answered \
             FROM message c LEFT JOIN thread t ON t.account_id = c.account_id AND t.kind = 'message' AND t.key = c.private_reply \
             LEFT JOIN message d ON d.thread_id = t.id AND d.direction = 'out' AND d.created_at >= c.created_at \
             WHERE c.private_reply IS NOT NULL AND c.thread_id IN ({list}) GROUP BY c.id, c.thread_id, c.created_at, c.private_unseen_at"
        );
        let found = format!(
            "SELECT c.id, c.thread_id, MIN(d.created_at) AS answered \
             FROM message c JOIN account a ON a.id = c.account_id AND a.platform = 'instagram' \
             JOIN thread t ON t.account_id = c.account_id AND t.citizen_id = c.author_id AND t.kind = 'message' \
             JOIN message d ON d.thread_id = t.id AND d.created_at > c.created_at AND {ANSWERS} \
             WHERE c.direction = 'in' AND c.object = 'comment' AND c.thread_id IN ({list}) AND NOT EXISTS (SELECT 1 FROM message i \
               WHERE i.thread_id = t.id AND i.direction = 'in' AND i.created_at > c.created_at AND i.created_at <= d.created_at) \
             GROUP BY c.id, c.thread_id"
        );
        let mut answered = Vec::new();
        for row in tx.rows_built(built(shown), ids(&threads)).await? {
            let at = match row.oat("answered")? {
                None if row.i("outs")? == 0 => Some(row.oat("private_unseen_at")?.map_or_else(|| row.at("created_at"), Ok)?),
                at => at,
            };
            answered.push((row.i("thread_id")?, row.i("id")?, at));
        }
        for row in tx.rows_built(built(found), ids(&threads)).await? {
            answered.push((row.i("thread_id")?, row.i("id")?, row.oat("answered")?));
        }
        for (thread, comment, at) in answered {
            if let (Some(view), Some(at)) = (views.iter_mut().find(|view| view.id.0 == thread), at) {
                view.private.insert(MessageId(comment), at);
            }
        }
    }
    Ok(())
}
