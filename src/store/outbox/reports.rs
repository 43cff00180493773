//! What a channel says of letters after it took them: kept as it comes in by webhook, settled by the alert stage.

use super::{
    super::{
        db::{Db, StoreError, vals},
        proof,
    },
    letters::{Claimed, Columns, Mark, Outcome, claimed, claimed_columns, columns, given_up},
};
use crate::domain::{Time, alert::Status};

/// What WhatsApp says of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The letter's key, which went out with it.
    pub key: String,
    /// WhatsApp's id of the message.
    pub provider_id: String,
    /// How far it came.
    pub status: Status,
    /// When.
    pub at: Time,
    /// Of a failure: its code.
    pub code: Option<i64>,
}

/// A letter whose state is not what was reported of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The letter, under no lease.
    pub letter: Claimed,
    /// How far it came.
    pub status: Status,
    /// When.
    pub at: Time,
    /// Of a failure: its code.
    pub code: Option<i64>,
}

/// How far a letter's status is, as SQL: the order of [`Status`].
macro_rules! rank {
    () => {
        "CASE status WHEN 'sent' THEN 1 WHEN 'failed' THEN 2 WHEN 'delivered' THEN 3 WHEN 'read' THEN 4 ELSE 0 END"
    };
}

/// Keeps what says more than what is known, in whatever order it comes; what is about no letter of ours costs nothing. A failure counts
/// only of the copy that was accepted, or of one whose outcome is unknown. Returns how many letters it said something new of.
pub async fn report(db: &Db, reports: &[Report]) -> Result<u64, StoreError> {
    if reports.is_empty() {
        return Ok(0);
    }
    let mut tx = db.write().await?;
    let mut told = 0;
    for Report { key, provider_id, status, at, code } in reports {
        told += tx
            .exec(
                concat!(
                    "UPDATE letter SET status = $2, status_at = $3, status_code = $4 WHERE key = $1 AND channel = 'whatsapp' AND ",
                    rank!(),
                    " < $5 AND ($2 <> 'failed' OR provider_id IS NULL OR provider_id = $6 AND state = 'delivered')"
                ),
                vals![key, status.word(), *at, *code, *status as i64 + 1, provider_id],
            )
            .await?;
    }
    tx.commit().await?;
    Ok(told)
}

/// Letters that arrived though they are not said to be delivered, and letters that failed after they were: each to be settled.
pub async fn reported(db: &Db, now: Time, limit: u32) -> Result<Vec<Reported>, StoreError> {
    let sql = concat!(
        "SELECT ",
        claimed_columns!(),
        ", status, status_at, status_code FROM letter WHERE status IS NOT NULL AND payload <> ''
           AND (state = 'pending' OR state = 'abandoned' AND status <> 'failed' OR state = 'delivered' AND status = 'failed')
           AND lease_until <= $1 ORDER BY id LIMIT $2"
    );
    let rows = db.rows(sql, vals![now, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Reported {
                letter: claimed(row)?,
                status: row.word("status", Status::from_word)?,
                at: row.at("status_at")?,
                code: row.oi("status_code")?,
            })
        })
        .collect()
}

/// Writes what reports came to, of letters and of their deliveries; each mark with the status it follows from. What is to be tried again
/// begins anew. Returns the rows about which something else was known meanwhile: nothing is written for them.
pub async fn settle(db: &Db, now: Time, marks: &[(Mark, Status)]) -> Result<Vec<i64>, StoreError> {
    let (mut lost, mut proved) = (Vec::new(), Vec::new());
    let mut tx = db.write().await?;
    for (Mark { id, fence, outcome }, status) in marks {
        let Columns { state, due, error, delivered_at, .. } = columns(outcome);
        let written = tx
            .rows(
                "UPDATE letter SET state = $3, next_try_at = $4, error = $5, delivered_at = $6, lease_owner = NULL, lease_until = 0,
                   status = CASE WHEN $3 = 'pending' THEN NULL ELSE status END, status_at = CASE WHEN $3 = 'pending' THEN NULL ELSE status_at END,
                   status_code = CASE WHEN $3 = 'pending' THEN NULL ELSE status_code END
                  WHERE id = $1 AND fence = $2 AND status = $7 AND state <> 'dropped' AND lease_until <= $8
                 RETURNING key, official, channel, (SELECT d.kind FROM delivery d WHERE d.letter_id = letter.id ORDER BY d.id LIMIT 1) AS kind",
                vals![*id, *fence, state, due, error, delivered_at, status.word(), now],
            )
            .await?;
        let Some(letter) = written.first() else {
            lost.push(*id);
            continue;
        };
        tx.exec(
            "UPDATE delivery SET state = $2, delivered_at = $3, reason = CASE WHEN $2 = 'abandoned' THEN $4 WHEN state = 'abandoned' THEN NULL ELSE reason END
              WHERE letter_id = $1 AND state IN ('pending', 'delivered', 'abandoned')",
            vals![*id, state, delivered_at, error],
        )
        .await?;
        if let Outcome::Abandoned { error } = outcome {
            given_up(&mut tx, letter, error, now).await?;
        }
        // A failure is one of a letter that had been accepted.
        let outcome = delivered_at.ok_or_else(|| error.unwrap_or_default().to_owned());
        proved.push((*id, letter.t("key")?, outcome));
    }
    proof::deliveries(&mut tx, &proved, now).await?;
    tx.commit().await?;
    Ok(lost)
}
