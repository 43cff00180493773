//! Everything that is held of one person, for them to have.

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    again::Key,
    person::{Person, owned, touched},
};
use crate::{
    domain::{AccountId, Time},
    store::{
        Db, StoreError,
        db::{Row, Tx, vals},
        trail,
    },
};

/// What one account holds of a person. Of others only what the government wrote to them; no letter, since one tells of several people: of
/// letters whom they reached and when.
#[derive(Clone, Debug, Serialize)]
pub struct Held {
    /// Meta's id of the account.
    pub account: String,
    /// Where it lives.
    pub platform: String,
    /// Slug of its OPD.
    pub opd: String,
    /// Ids and user names by which they are known.
    pub author: Vec<String>,
    /// What they wrote and what was written to them, oldest first.
    pub messages: Vec<Value>,
    /// Their tickets, with what staff did and wrote, what was sent, and who was told.
    pub tickets: Vec<Value>,
    /// Since when and why their data are restricted.
    pub restricted: Vec<Value>,
}

/// What these accounts hold of an author. The trail keeps that it was asked for.
pub async fn export(db: &Db, fresh: &[u8; 32], author: &str, accounts: &[AccountId], by: &str, now: Time) -> Result<Vec<Held>, StoreError> {
    let mut found = Vec::new();
    let mut tx = db.write().await?;
    let key = Key::made(&mut tx, fresh).await?;
    for account in accounts {
        let held = of_account(&mut tx, account.0, author).await?;
        let detail = format!("{}, {} messages, {} tickets", key.named(account.0, author), held.messages.len(), held.tickets.len());
        trail::note(&mut tx, by, "export", None, &detail, now).await?;
        found.push(held);
    }
    tx.commit().await?;
    Ok(found)
}

async fn of_account(tx: &mut Tx, account: i64, author: &str) -> Result<Held, StoreError> {
    let person = Person::of(tx, account, author).await?;
    let mut held = Held {
        account: String::new(),
        platform: String::new(),
        opd: String::new(),
        author: person.keys(),
        messages: Vec::new(),
        tickets: Vec::new(),
        restricted: Vec::new(),
    };
    for row in tx.rows("SELECT external_id, platform, opd FROM account WHERE id = $1", vals![account]).await? {
        (held.account, held.platform, held.opd) = (row.t("external_id")?, row.t("platform")?, row.t("opd")?);
    }
    let (mut targets, _) = touched(tx, account, &person).await?;
    targets.sort_by_key(|target| (target.created_at, target.id));
    for target in targets {
        let sql = "SELECT m.*, t.name AS thread FROM message m JOIN thread t ON t.id = m.thread_id WHERE m.id = $1";
        for row in tx.rows(sql, vals![target.id]).await? {
            held.messages.push(message(&row)?);
        }
    }
    for id in owned(tx, account, &person).await? {
        held.tickets.push(ticket(tx, id).await?);
    }
    for key in &held.author {
        let sql = "SELECT at, reason FROM restricted WHERE account_id = $1 AND author = $2";
        for row in tx.rows(sql, vals![account, key]).await? {
            held.restricted.push(json!({ "at": row.at("at")?.rfc3339(), "reason": row.t("reason")? }));
        }
    }
    Ok(held)
}

fn at(row: &Row, column: &str) -> Result<Option<String>, StoreError> {
    Ok(row.oat(column)?.map(Time::rfc3339))
}

fn message(row: &Row) -> Result<Value, StoreError> {
    let (attachments, reactions): (Value, Value) = (row.json("attachments")?, row.json("reactions")?);
    Ok(json!({
        "id": row.i("id")?, "external_id": row.t("external_id")?, "kind": row.t("kind")?, "direction": row.t("direction")?,
        "thread": row.t("thread")?, "parent": row.ot("parent")?, "text": row.t("text")?, "attachments": attachments, "reactions": reactions,
        "author": { "id": row.ot("author_id")?, "name": row.ot("author_name")?, "username": row.ot("author_username")? },
        "created_at": at(row, "created_at")?, "seen_at": at(row, "seen_at")?, "edited_at": at(row, "edited_at")?,
        "deleted_at": at(row, "deleted_at")?, "hidden": row.b("hidden")?, "needs_answer": row.b("needs_answer")?,
        "urgent": row.b("urgent")?, "permalink": row.ot("permalink")?,
    }))
}

async fn ticket(tx: &mut Tx, id: i64) -> Result<Value, StoreError> {
    let (mut whole, mut actions, mut replies, mut told) = (Value::Null, Vec::new(), Vec::new(), Vec::new());
    for row in tx.rows("SELECT * FROM ticket WHERE id = $1", vals![id]).await? {
        whole = json!({
            "id": id, "policy": row.t("policy")?, "urgent": row.b("urgent")?, "state": row.t("state")?, "opened_at": at(&row, "opened_at")?,
            "due_at": at(&row, "due_at")?, "breached_at": at(&row, "breached_at")?, "closed_at": at(&row, "closed_at")?,
            "answered_by": row.ot("answered_by")?, "reason": row.ot("reason")?, "messages": row.i("messages")?,
        });
    }
    for row in tx.rows("SELECT kind, at, text FROM action WHERE ticket_id = $1 ORDER BY id", vals![id]).await? {
        actions.push(json!({ "kind": row.t("kind")?, "at": at(&row, "at")?, "text": row.t("text")? }));
    }
    for row in tx.rows("SELECT form, text, state, created_at, sent_at FROM reply WHERE ticket_id = $1 ORDER BY id", vals![id]).await? {
        let (written, sent) = (at(&row, "created_at")?, at(&row, "sent_at")?);
        replies.push(
            json!({ "form": row.t("form")?, "text": row.t("text")?, "state": row.t("state")?, "created_at": written, "sent_at": sent }),
        );
    }
    let sql = "SELECT official, channel, kind, state, delivered_at FROM delivery WHERE ticket_id = $1 ORDER BY id";
    for row in tx.rows(sql, vals![id]).await? {
        let delivered = at(&row, "delivered_at")?;
        told.push(json!({ "official": row.t("official")?, "channel": row.t("channel")?, "kind": row.t("kind")?, "state": row.t("state")?,
            "delivered_at": delivered }));
    }
    if let Some(fields) = whole.as_object_mut() {
        fields.insert("actions".to_owned(), actions.into());
        fields.insert("replies".to_owned(), replies.into());
        fields.insert("deliveries".to_owned(), told.into());
    }
    Ok(whole)
}
