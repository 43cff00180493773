//! What letters hold of tickets whose words may be shown no more.

use crate::{
    domain::Time,
    store::{
        StoreError,
        db::{CHUNK, Tx, Val, built, numbered, vals},
    },
};

/// Empties every letter that tells of these tickets. One that is not accepted yet is given up, and written anew from its other deliveries: if
/// it was being sent at this very moment its officials get a second one, without these words. With `gone` nothing more is said of the
/// tickets; else their own deliveries are written anew too.
pub(in crate::store) async fn rewrite(tx: &mut Tx, tickets: &[i64], gone: bool, now: Time) -> Result<(), StoreError> {
    if tickets.is_empty() {
        return Ok(());
    }
    for chunk in tickets.chunks(CHUNK) {
        let of = format!("SELECT letter_id FROM delivery WHERE ticket_id IN ({})", numbered(2, chunk.len()));
        let values = |first: Val| -> Vec<Val> { std::iter::once(first).chain(chunk.iter().map(|&id| id.into())).collect() };
        let pending =
            format!("state = 'pending' AND letter_id IN (SELECT l.id FROM letter l WHERE l.state = 'pending' AND l.id IN ({of}))");
        if gone {
            let sql = format!(
                "UPDATE delivery SET state = 'dropped', reason = $1 WHERE state IN ('waiting', 'pending') AND ticket_id IN ({})",
                numbered(2, chunk.len())
            );
            tx.exec_built(built(sql), values("erased".into())).await?;
        }
        // Which letters they were in still stands in the rows that are dropped.
        let sql = format!("UPDATE delivery SET state = 'waiting', send_at = $1, held = NULL WHERE {pending}");
        tx.exec_built(built(sql), values(now.into())).await?;
        let sql = format!(
            "UPDATE letter SET payload = '', \
               key = CASE WHEN state = 'pending' THEN key || '~' || CAST(id AS TEXT) ELSE key END, \
               fence = CASE WHEN state = 'pending' THEN fence + 1 ELSE fence END, \
               lease_owner = CASE WHEN state = 'pending' THEN NULL ELSE lease_owner END, \
               lease_until = CASE WHEN state = 'pending' THEN 0 ELSE lease_until END, \
               next_try_at = CASE WHEN state = 'pending' THEN NULL ELSE next_try_at END, \
               state = CASE WHEN state = 'pending' THEN 'dropped' ELSE state END \
             WHERE $1 = $1 AND payload <> '' AND id IN ({of})"
        );
        tx.exec_built(built(sql), values(now.into())).await?;
    }
    // Those that wait again are in no letter.
    tx.exec("UPDATE delivery SET letter_id = NULL WHERE state = 'waiting' AND letter_id IS NOT NULL", vals![]).await?;
    Ok(())
}
