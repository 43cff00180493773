//! What a read says of threads as a whole: that it proves them, and what it missed.

use std::collections::{BTreeSet, HashMap};

use super::{Batch, Identity, Proof, Taken};
use crate::{
    domain::{MessageId, Object, Time, message::key_of},
    store::{
        StoreError,
        db::{CHUNK, Row, Tx, Val, built, numbered, vals},
        forget,
    },
};

/// What a citizen took back is emptied at once; what judging needs of it stays: times, flags, and names, which are shown to nobody. What the
/// government took back is its own.
macro_rules! taken_back {
    () => {
        "text = CASE WHEN direction = 'in' THEN '' ELSE text END, attachments = CASE WHEN direction = 'in' THEN '[]' ELSE attachments END, \
         reactions = CASE WHEN direction = 'in' THEN '[]' ELSE reactions END"
    };
}

pub(super) async fn prove(
    tx: &mut Tx,
    batch: &Batch,
    proof: &Proof,
    shown: &HashMap<Identity, usize>,
    taken: &mut Taken,
    touched: &mut BTreeSet<i64>,
) -> Result<(), StoreError> {
    let account = batch.account.0;
    let threads: Vec<Row> = match proof {
        Proof::Removed(object, id) => return removed(tx, batch, (*object, id), taken, touched).await,
        Proof::Post(name) | Proof::PostGone(name) => {
            tx.rows(
                "SELECT id, verify_at, unreadable FROM thread WHERE account_id = $1 AND post_key = $2 UNION \
                 SELECT id, verify_at, unreadable FROM thread WHERE account_id = $1 AND key = $2 AND kind IN ('post', 'mention')",
                vals![account, key_of(name)],
            )
            .await?
        }
        Proof::Conversation { name, .. } => {
            tx.rows(
                "SELECT id, verify_at, unreadable FROM thread WHERE account_id = $1 AND kind = 'message' AND key = $2",
                vals![account, name],
            )
            .await?
        }
        Proof::Unchanged(kind, name) | Proof::Unreadable(kind, name) => {
            tx.rows(
                "SELECT id, verify_at, unreadable FROM thread WHERE account_id = $1 AND kind = $2 AND key = $3",
                vals![account, kind.word(), key_of(name)],
            )
            .await?
        }
    };
    let reads = !matches!(proof, Proof::Unreadable(..));
    for row in &threads {
        // What could not be read until now waits for no read of its own.
        if row.oat("verify_at")?.is_some_and(|at| at <= batch.began_at) || (reads && row.b("unreadable")?) {
            touched.insert(row.i("id")?);
        }
    }
    let ids: Vec<i64> = threads.iter().map(|row| row.i("id")).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Ok(());
    }
    for chunk in ids.chunks(CHUNK) {
        let list = numbered(2, chunk.len());
        let sql = if reads {
            format!(
                // One in the future was noted while the clock was ahead.
                "UPDATE thread SET read_began_at = CASE WHEN read_began_at > $1 AND read_began_at <= ${now} THEN read_began_at ELSE $1 END, \
                 unreadable = 0, verify_tried_at = NULL WHERE id IN ({list})",
                now = chunk.len() + 2
            )
        } else {
            format!("UPDATE thread SET unreadable = 1, verify_tried_at = $1 WHERE id IN ({list})")
        };
        let mut values = vals![batch.began_at];
        values.extend(chunk.iter().map(|&id| Val::from(id)));
        if reads {
            values.push(batch.now.into());
        }
        tx.exec_built(built(sql), values).await?;
    }
    let from = match proof {
        Proof::Post(_) | Proof::PostGone(_) => None,
        Proof::Conversation { from, .. } => *from,
        Proof::Unchanged(..) | Proof::Unreadable(..) | Proof::Removed(..) => return Ok(()),
    };
    let gone_post = matches!(proof, Proof::PostGone(_));
    missing(tx, batch, &ids, from, gone_post, shown, taken, touched).await
}

/// Elsewhere two reads must miss it: whoever sends a webhook may be early, and a read is truth.
async fn removed(
    tx: &mut Tx,
    batch: &Batch,
    (object, id): (Object, &str),
    taken: &mut Taken,
    touched: &mut BTreeSet<i64>,
) -> Result<(), StoreError> {
    let sql = concat!(
        "UPDATE message SET deleted_at = $1, ",
        taken_back!(),
        " WHERE account_id = $2 AND object = $3 AND key = $4 AND deleted_at IS NULL \
         AND thread_id IN (SELECT id FROM thread WHERE account_id = $2 AND unreadable = 1) RETURNING id, thread_id"
    );
    let mut gone = Vec::new();
    for row in tx.rows(sql, vals![batch.now, batch.account.0, object.word(), key_of(id)]).await? {
        gone.push(row.i("id")?);
        touched.insert(row.i("thread_id")?);
    }
    letters(tx, &gone, batch.now).await?;
    taken.deleted.extend(gone.into_iter().map(MessageId));
    Ok(())
}

/// Letters hold first words of it.
async fn letters(tx: &mut Tx, gone: &[i64], now: Time) -> Result<(), StoreError> {
    for chunk in gone.chunks(CHUNK) {
        let sql = format!("SELECT DISTINCT ticket_id FROM ticket_message WHERE message_id IN ({})", numbered(1, chunk.len()));
        let rows = tx.rows_built(built(sql), chunk.iter().map(|&id| id.into()).collect()).await?;
        let tickets: Vec<i64> = rows.iter().map(|row| row.i("ticket_id")).collect::<Result<_, _>>()?;
        forget::rewrite(tx, &tickets, false, now).await?;
    }
    Ok(())
}

#[allow(clippy::too_many_arguments)] // one step of `prove`, split for length
async fn missing(
    tx: &mut Tx,
    batch: &Batch,
    threads: &[i64],
    from: Option<Time>,
    gone_post: bool,
    shown: &HashMap<Identity, usize>,
    taken: &mut Taken,
    touched: &mut BTreeSet<i64>,
) -> Result<(), StoreError> {
    let mut first_time = Vec::new();
    let mut for_sure = Vec::new();
    for chunk in threads.chunks(CHUNK) {
        let sql = format!(
            "SELECT id, thread_id, object, key, missing_since FROM message WHERE deleted_at IS NULL AND erased_at IS NULL AND created_at >= $1 AND thread_id IN ({})",
            numbered(2, chunk.len())
        );
        let mut values = vals![from.map_or(0, Time::ms)];
        values.extend(chunk.iter().map(|&id| Val::from(id)));
        for row in tx.rows_built(built(sql), values).await? {
            let object = row.word("object", Object::from_word)?;
            // The comments of a post were read, not the post itself.
            let readable = gone_post || object != Object::Post;
            if !readable || shown.contains_key(&(object, row.t("key")?)) {
                continue;
            }
            match row.oat("missing_since")? {
                None => first_time.push(row.i("id")?),
                Some(since) if batch.began_at.since(since) >= batch.confirm_gone => for_sure.push(row.i("id")?),
                Some(_) => continue,
            }
            touched.insert(row.i("thread_id")?);
        }
    }
    for (ids, sql) in [
        (&first_time, "UPDATE message SET missing_since = $1 WHERE id IN"),
        (&for_sure, concat!("UPDATE message SET deleted_at = $1, ", taken_back!(), " WHERE id IN")),
    ] {
        let at = if std::ptr::eq(ids, &raw const first_time) { batch.began_at } else { batch.now };
        for chunk in ids.chunks(CHUNK) {
            let mut values = vals![at];
            values.extend(chunk.iter().map(|&id| Val::from(id)));
            tx.exec_built(built(format!("{sql} ({})", numbered(2, chunk.len()))), values).await?;
        }
    }
    letters(tx, &for_sure, batch.now).await?;
    taken.deleted.extend(for_sure.into_iter().map(MessageId));
    Ok(())
}
