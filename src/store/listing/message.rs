//! Normalized messages, page by page or thread by thread.

use serde::Serialize;

use super::{AuthorRow, of_ticket, within};
use crate::{
    domain::{
        Direction, Kind, MessageId, Platform, Scope, TicketId, Time,
        message::{Attachment, Reaction},
        time::rfc3339,
    },
    store::{
        Db, StoreError,
        db::{Row, built, vals},
        restrict,
    },
};

/// Messages read at a time.
const PAGE: u32 = 500;

/// A quick text that went to three threads is automatic too (semantics.md, Tickets), though the message itself matches no pattern.
const MESSAGE: &str = concat!(
    "SELECT m.*, a.platform, a.external_id AS account, a.opd, th.name AS thread,
 (SELECT COUNT(*) FROM (SELECT DISTINCT q.thread_id FROM quick_reply own JOIN quick_reply q ON q.account_id = own.account_id
   AND q.text_hash = own.text_hash WHERE own.message_id = m.id LIMIT 3) three) AS quick_threads, ",
    restrict::of_message!(),
    " AS restricted FROM message m JOIN account a ON a.id = m.account_id JOIN thread th ON th.id = m.thread_id"
);

/// A message as the contract's JSON has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MessageRow {
    /// Our number.
    pub id: MessageId,
    /// Meta's id.
    pub external_id: String,
    /// Where it was written.
    pub platform: Platform,
    /// What it is.
    pub kind: Kind,
    /// By whom: a citizen or the government.
    pub direction: Direction,
    /// Meta's id of the account.
    pub account: String,
    /// Slug of the account's OPD.
    pub opd: String,
    /// The thread's name.
    pub thread: String,
    /// The comment replied to, else the post or medium.
    pub parent: Option<String>,
    /// `None` where Meta does not say.
    pub author: Option<AuthorRow>,
    /// What was written.
    pub text: String,
    /// What hangs on it.
    pub attachments: Vec<Attachment>,
    /// What was put on it.
    pub reactions: Vec<Reaction>,
    /// When it was written.
    #[serde(with = "rfc3339")]
    pub created_at: Time,
    /// When it was first seen.
    #[serde(with = "rfc3339::ms")]
    pub seen_at: Time,
    /// When an edit was noticed.
    #[serde(with = "rfc3339::option")]
    pub edited_at: Option<Time>,
    /// When it was sure to be gone.
    #[serde(with = "rfc3339::option")]
    pub deleted_at: Option<Time>,
    /// Whether the public cannot see it.
    pub hidden: bool,
    /// A reply nobody wrote by hand.
    pub automatic: bool,
    /// Whether it asks for an answer.
    pub needs_answer: bool,
    /// When its text and its author were erased.
    #[serde(with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Time>,
    /// Its text and its author are kept and shown to nobody.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub restricted: bool,
}

/// Which messages; `None` means any.
#[derive(Clone, Debug, Default)]
pub struct MessageFilter {
    /// Written at or after this.
    pub since: Option<Time>,
    /// Meta's id of the account.
    pub account: Option<String>,
    /// By a citizen or by the government.
    pub direction: Option<Direction>,
    /// Only those that follow this one.
    pub after: Option<(Time, MessageId)>,
    /// How many a page holds.
    pub page: Option<u32>,
}

/// Messages oldest first, a page at a time, so that a million cost no memory.
pub struct MessagePages<'a> {
    db: &'a Db,
    scope: &'a Scope,
    filter: MessageFilter,
    /// `created_at` and id of the last row given out.
    after: (Time, i64),
}

impl<'a> MessagePages<'a> {
    /// Starts before the oldest that the filter allows.
    pub fn new(db: &'a Db, scope: &'a Scope, filter: MessageFilter) -> Self {
        let after = filter.after.unwrap_or_else(|| (filter.since.unwrap_or(Time::clamp_ms(0)), MessageId(0)));
        Self { db, scope, filter, after: (after.0, after.1.0) }
    }

    /// The next page; empty at the end.
    pub async fn next(&mut self) -> Result<Vec<MessageRow>, StoreError> {
        let (at, id) = self.after;
        let mut vals =
            vals![at, id, self.filter.account.as_deref(), self.filter.direction.map(Direction::word), self.filter.page.unwrap_or(PAGE)];
        let mine = within(self.scope, "a.opd", &mut vals);
        let handed = within(self.scope, "h.held_by", &mut vals);
        let sql = format!(
            "{MESSAGE} WHERE (m.created_at, m.id) > ($1, $2) AND ($3 IS NULL OR a.external_id = $3) AND ($4 IS NULL OR m.direction = $4)
              AND ({mine} OR EXISTS (SELECT 1 FROM ticket h WHERE h.thread_id = m.thread_id AND {handed}
                AND m.created_at <= COALESCE(h.closed_at, m.created_at)))
             ORDER BY m.created_at, m.id LIMIT $5"
        );
        let rows = self.db.rows_built(built(sql), vals).await?;
        let page: Vec<_> = rows.iter().map(read).collect::<Result<_, _>>()?;
        if let Some(last) = page.last() {
            self.after = (last.created_at, last.id.0);
        }
        Ok(page)
    }
}

/// Every message of a ticket's thread, oldest first; to whom it was only handed over, up to its end.
pub async fn history(db: &Db, scope: &Scope, ticket: TicketId) -> Result<Vec<MessageRow>, StoreError> {
    let mut vals = vals![ticket.0];
    let of_ticket = of_ticket(scope, &mut vals);
    let mine = within(scope, "a.opd", &mut vals);
    let sql = format!(
        "{MESSAGE} WHERE m.thread_id = (SELECT thread_id FROM ticket WHERE id = $1) AND {of_ticket}
          AND ({mine} OR m.created_at <= COALESCE((SELECT closed_at FROM ticket WHERE id = $1), m.created_at)) ORDER BY m.created_at, m.id"
    );
    db.rows_built(built(sql), vals).await?.iter().map(read).collect()
}

/// Of what its writer took back nobody is named, nor of what is restricted.
fn read(row: &Row) -> Result<MessageRow, StoreError> {
    let (restricted, deleted_at) = (row.b("restricted")?, row.oat("deleted_at")?);
    let direction = row.word("direction", Direction::from_word)?;
    let named = !restricted && (deleted_at.is_none() || direction == Direction::Out);
    Ok(MessageRow {
        id: MessageId(row.i("id")?),
        external_id: row.t("external_id")?,
        platform: row.word("platform", Platform::from_word)?,
        kind: row.word("kind", Kind::from_word)?,
        direction,
        account: row.t("account")?,
        opd: row.t("opd")?,
        thread: row.t("thread")?,
        parent: row.ot("parent")?,
        author: if named { AuthorRow::of(row.ot("author_id")?, row.ot("author_name")?.or(row.ot("author_username")?)) } else { None },
        text: if restricted { String::new() } else { row.t("text")? },
        attachments: if restricted { Vec::new() } else { row.json("attachments")? },
        reactions: if restricted { Vec::new() } else { row.json("reactions")? },
        created_at: row.at("created_at")?,
        seen_at: row.at("seen_at")?,
        edited_at: row.oat("edited_at")?,
        deleted_at,
        hidden: row.b("hidden")?,
        automatic: row.b("automatic")? || row.i("quick_threads")? >= 3,
        needs_answer: row.b("needs_answer")?,
        erased_at: row.oat("erased_at")?,
        restricted,
    })
}
