//! Restriction: somebody's texts and names are kept and shown to nobody. Tickets and clocks run on. What readers of the store show of
//! tickets and messages goes through [`of_ticket`] and [`of_message`].

use super::{
    Db, StoreError,
    db::vals,
    forget::{Key, Person, owned, rewrite},
    trail,
};
use crate::domain::{AccountId, Time};

/// 1 where the author of the ticket `t` is restricted, else 0.
macro_rules! of_ticket {
    () => {
        "CAST(CASE WHEN EXISTS (SELECT 1 FROM restricted r WHERE r.account_id = t.account_id AND r.author = t.author) THEN 1 ELSE 0 END AS BIGINT)"
    };
}
/// 1 where the message `m` in the thread `th` is a restricted author's, stands in their conversation, or is ours in a thread in which they
/// have a ticket; else 0.
macro_rules! of_message {
    () => {
        "CAST(CASE WHEN EXISTS (SELECT 1 FROM restricted r WHERE r.account_id = m.account_id AND (m.direction = 'in' AND (r.author = m.author_id \
           OR m.author_id IS NULL AND r.author = '@' || LOWER(m.author_username)) OR r.author = th.citizen_id OR m.direction = 'out' AND EXISTS \
             (SELECT 1 FROM ticket k WHERE k.thread_id = m.thread_id AND k.author = r.author))) THEN 1 ELSE 0 END AS BIGINT)"
    };
}
/// What staff wrote of the ticket `t`, the column `$text` of something of the kind in `$kind`; nothing where its author is restricted.
macro_rules! said {
    ($kind:literal, $text:literal) => {
        concat!(
            "CASE WHEN ",
            $kind,
            " IN ('note', 'dismiss', 'resolve', 'dismissed', 'resolved') AND ",
            $crate::store::restrict::of_ticket!(),
            " = 1 THEN '' ELSE ",
            $text,
            " END"
        )
    };
}
pub(super) use of_message;
pub(super) use of_ticket;
pub(super) use said;

/// Restricts what these accounts hold of an author, or lifts it (`reason`: none). Letters that are not sent yet are written anew without
/// their words. The trail keeps a keyed hash.
pub async fn restrict(
    db: &Db,
    fresh: &[u8; 32],
    author: &str,
    accounts: &[AccountId],
    reason: Option<&str>,
    (by, now): (&str, Time),
) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    let key = Key::made(&mut tx, fresh).await?;
    for account in accounts.iter().map(|account| account.0) {
        let person = Person::of(&mut tx, account, author).await?;
        for name in person.keys() {
            match reason {
                Some(reason) => {
                    let sql = "INSERT INTO restricted (account_id, author, at, by_name, reason) VALUES ($1, $2, $3, $4, $5) \
                         ON CONFLICT (account_id, author) DO UPDATE SET reason = excluded.reason";
                    tx.exec(sql, vals![account, &name, now, by, reason]).await?;
                }
                None => drop(tx.exec("DELETE FROM restricted WHERE account_id = $1 AND author = $2", vals![account, &name]).await?),
            }
        }
        if reason.is_some() {
            let tickets = owned(&mut tx, account, &person).await?;
            rewrite(&mut tx, &tickets, false, now).await?;
        }
        let did = if reason.is_some() { "restrict" } else { "restrict.undone" };
        trail::note(&mut tx, by, did, None, &key.named(account, author), now).await?;
    }
    tx.commit().await
}
