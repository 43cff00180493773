//! Where else a message decides: a top-level comment of ours may answer in other threads of its post, a direct message may be a private reply
//! to a comment, or stand between one and its comment. Those threads are looked at again.

use std::collections::{HashMap, HashSet};

use super::{
    StoreError,
    db::{CHUNK, Tx, Val, built, numbered, vals},
    intake::Batch,
};
use crate::domain::{
    Direction, Kind, MessageId, Time,
    message::{Seen, ThreadKey, key_of},
};

/// Whom what came, changed or went reaches.
#[derive(Default)]
pub(super) struct Reach {
    /// With the time of the earliest: what closed before it stays as it is.
    posts: HashMap<String, Time>,
    /// Conversations with their citizen. All their tickets: one whose private reply could not be read closed earlier than it was written.
    conversations: HashSet<(String, Option<String>)>,
}

impl Reach {
    /// A message came or changed.
    pub(super) fn shown(&mut self, seen: &Seen) {
        let ThreadKey { name, post, citizen, .. } = &seen.thread;
        let post = post.as_deref().map(key_of);
        self.add((seen.kind, seen.direction, seen.top_level), key_of(name), post, citizen.as_deref(), seen.created_at);
    }

    fn add(&mut self, what: (Kind, Direction, bool), thread: &str, post: Option<&str>, citizen: Option<&str>, at: Time) {
        match (what, post) {
            ((Kind::Message, ..), _) => {
                self.conversations.insert((thread.to_owned(), citizen.map(str::to_owned)));
            }
            ((Kind::Comment, Direction::Out, true), Some(post)) => {
                self.posts.entry(post.to_owned()).and_modify(|earliest| *earliest = at.min(*earliest)).or_insert(at);
            }
            _ => {}
        }
    }

    /// These messages are gone.
    pub(super) async fn gone(&mut self, tx: &mut Tx, deleted: &[MessageId]) -> Result<(), StoreError> {
        for chunk in deleted.chunks(CHUNK) {
            let sql = format!(
                "SELECT m.kind, m.direction, m.top_level, m.created_at, t.key, t.post_key, t.citizen_id \
                 FROM message m JOIN thread t ON t.id = m.thread_id WHERE m.id IN ({})",
                numbered(1, chunk.len())
            );
            for row in tx.rows_built(built(sql), chunk.iter().map(|id| Val::from(id.0)).collect()).await? {
                let what = (row.word("kind", Kind::from_word)?, row.word("direction", Direction::from_word)?, row.b("top_level")?);
                let (thread, post, citizen) = (row.t("key")?, row.ot("post_key")?, row.ot("citizen_id")?);
                self.add(what, &thread, post.as_deref(), citizen.as_deref(), row.at("created_at")?);
            }
        }
        Ok(())
    }

    /// Lowers `next_look_at` of the threads reached.
    pub(super) async fn look_again(self, tx: &mut Tx, batch: &Batch) -> Result<(), StoreError> {
        for (post, at) in self.posts {
            tx.exec(
                "UPDATE thread SET next_look_at = $1 WHERE account_id = $2 AND post_key = $3 AND (next_look_at IS NULL OR next_look_at > $1) \
                 AND id IN (SELECT thread_id FROM ticket WHERE account_id = $2 AND (state = 'open' OR closed_at >= $4))",
                vals![batch.now, batch.account.0, post, at],
            )
            .await?;
        }
        for (conversation, citizen) in self.conversations {
            tx.exec(
                "UPDATE thread SET next_look_at = $1 WHERE (next_look_at IS NULL OR next_look_at > $1) AND id IN \
                 (SELECT thread_id FROM ticket WHERE account_id = $2 AND author = $3 \
                  UNION SELECT thread_id FROM message WHERE account_id = $2 AND private_reply = $4)",
                vals![batch.now, batch.account.0, citizen, conversation],
            )
            .await?;
        }
        Ok(())
    }
}
