//! How a reply is recorded: with all that forbids it looked at in the same transaction.

use jiff::SignedDuration;

use crate::{
    domain::{
        AccountId, Form, Kind, Platform, ReplyId, Scope, ThreadId, TicketId, TicketState, Time,
        reply::{Facts, Newest, TextError, Unfit, essence, text as checked},
    },
    store::{
        Db, StoreError,
        db::{Row, Tx, vals},
    },
};

/// The same text again within this is a second click, not a second thought.
const TWICE: SignedDuration = SignedDuration::from_mins(2);

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    /// A number nobody has seen.
    #[error("there is no ticket {0}; nothing was sent")]
    Unknown(TicketId),
    /// Meta would not take it.
    #[error("ticket {ticket} can't be answered so: {}{}; nothing was sent", why.sentence(), at(link.as_deref()))]
    Unfit {
        /// Of which ticket.
        ticket: TicketId,
        /// In which form.
        form: Form,
        /// Why.
        why: Unfit,
        /// Where a person can answer instead.
        link: Option<String>,
    },
    /// The text.
    #[error("{0}; nothing was sent")]
    Text(#[from] TextError),
    /// The account has left the configuration.
    #[error("the account {0} is no longer in the configuration; nothing was sent")]
    Inactive(String),
    /// Another one is under way.
    #[error("another reply to ticket {0} is {1}: wait for what becomes of it; nothing was sent")]
    UnderWay(TicketId, crate::domain::ReplyState),
    /// A second click.
    #[error("the same text was sent to ticket {0} a moment ago; it was not sent again")]
    Twice(TicketId),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn at(link: Option<&str>) -> String {
    link.map_or_else(String::new, |link| format!(" ({link})"))
}

const FACTS: &str =
    "SELECT t.id, t.state, t.account_id, a.external_id AS account, a.platform, COALESCE(t.held_by, a.opd) AS opd, a.active, t.thread_id, th.kind,
   th.name, th.post_key, th.citizen_id, th.permalink AS thread_link, n.external_id AS newest, n.created_at, n.author_id, n.by_page, n.permalink,
   COALESCE((SELECT c.hidden FROM message c WHERE c.account_id = t.account_id AND c.object = 'comment' AND c.key = th.key), 0) AS hidden,
   CASE WHEN n.private_reply IS NOT NULL THEN 1 ELSE (SELECT COUNT(*) FROM reply r WHERE r.account_id = t.account_id AND r.form = 'private'
     AND r.state <> 'failed' AND r.target = n.external_id AND r.id <> $2) END AS private
 FROM ticket t JOIN account a ON a.id = t.account_id JOIN thread th ON th.id = t.thread_id
 LEFT JOIN message n ON n.deleted_at IS NULL AND n.id = COALESCE(CASE WHEN th.kind = 'message' THEN
     (SELECT x.id FROM message x WHERE x.thread_id = th.id AND x.direction = 'in' AND x.deleted_at IS NULL ORDER BY x.created_at DESC, x.id DESC
      LIMIT 1) END, t.newest_message_id)
 WHERE t.id = $1";

/// What of a ticket decides how it can be answered; `but`: a reply that is not to forbid itself.
pub async fn facts(db: &Db, scope: &Scope, ticket: TicketId, but: Option<ReplyId>) -> Result<Option<Facts>, StoreError> {
    let facts = db.rows(FACTS, vals![ticket.0, but.map_or(0, |id| id.0)]).await?.first().map(read).transpose()?;
    Ok(facts.filter(|facts| scope.holds(&facts.opd)))
}

fn read(row: &Row) -> Result<Facts, StoreError> {
    let newest = match row.ot("newest")? {
        Some(external_id) => Some(Newest {
            external_id,
            at: row.at("created_at")?,
            author: row.ot("author_id")?,
            by_page: row.b("by_page")?,
            private_reply: row.b("private")?,
        }),
        None => None,
    };
    Ok(Facts {
        ticket: TicketId(row.i("id")?),
        state: row.word("state", TicketState::from_word)?,
        account: AccountId(row.i("account_id")?),
        account_id: row.t("account")?,
        platform: row.word("platform", Platform::from_word)?,
        opd: row.t("opd")?,
        thread_id: ThreadId(row.i("thread_id")?),
        kind: row.word("kind", Kind::from_word)?,
        thread: row.t("name")?,
        post: row.ot("post_key")?,
        citizen: row.ot("citizen_id")?,
        thread_hidden: row.b("hidden")?,
        newest,
        permalink: row.ot("permalink")?.or(row.ot("thread_link")?),
    })
}

/// Records a reply in this form, or in the usual one; poll sends it. Nothing is recorded that Meta would not take, while another one to the
/// same ticket is under way, or a second time by a second click. A ticket outside the scope is unknown.
pub async fn record(
    db: &Db,
    scope: &Scope,
    ticket: TicketId,
    (form, text): (Option<Form>, &str),
    by: &str,
    now: Time,
) -> Result<ReplyId, ReplyError> {
    let mut tx = db.write().await?;
    let account = tx.rows("SELECT account_id FROM ticket WHERE id = $1", vals![ticket.0]).await?;
    let account = account.first().ok_or(ReplyError::Unknown(ticket))?.i("account_id")?;
    tx.alone(&[account]).await?; // two that answer at once take turns
    let rows = tx.rows(FACTS, vals![ticket.0, 0_i64]).await?;
    let row = rows.first().ok_or(ReplyError::Unknown(ticket))?;
    let facts = read(row)?;
    if !scope.holds(&facts.opd) {
        return Err(ReplyError::Unknown(ticket));
    }
    if !row.b("active")? {
        return Err(ReplyError::Inactive(facts.account_id));
    }
    let form = form.unwrap_or(facts.usual());
    // What is under way says more than that a private reply can be sent once.
    unhindered(&mut tx, ticket, text, now).await?;
    let way = facts.way(form, now).map_err(|why| ReplyError::Unfit { ticket, form, why, link: facts.permalink.clone() })?;
    let text = checked(facts.platform, form, text)?;
    let rows = tx
        .rows(
            "INSERT INTO reply (ticket_id, account_id, form, target, text, by_name, created_at, state, next_try_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', $7) RETURNING id",
            vals![ticket.0, account, form.word(), &way.target, &text, by, now],
        )
        .await?;
    let id = rows.first().map(|row| row.i("id")).transpose()?.unwrap_or_default();
    tx.commit().await?;
    Ok(ReplyId(id))
}

async fn unhindered(tx: &mut Tx, ticket: TicketId, text: &str, now: Time) -> Result<(), ReplyError> {
    let rows = tx
        .rows(
            "SELECT state, text, created_at FROM reply WHERE ticket_id = $1 AND (state IN ('waiting', 'sending', 'uncertain') OR sent_at >= $2)
             ORDER BY id",
            vals![ticket.0, now.minus(TWICE)],
        )
        .await?;
    for row in rows {
        let state = row.word("state", crate::domain::ReplyState::from_word)?;
        if state.is_open() {
            return Err(ReplyError::UnderWay(ticket, state));
        }
        if essence(&row.t("text")?) == essence(text) {
            return Err(ReplyError::Twice(ticket));
        }
    }
    Ok(())
}
