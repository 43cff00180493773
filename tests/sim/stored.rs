//! Tickets as they are stored, in a form to compare with those of the reckoning.

use tanggap::{
    domain::{
        Time,
        ticket::{PlannedStep, StepKind},
    },
    store::{
        Db,
        db::{Row, Val},
    },
};

use super::checks::rows;
use crate::reckoning::Expected;

/// A ticket as it is stored.
pub struct Stored {
    pub id: i64,
    pub thread_id: i64,
    pub thread: String,
    pub author: String,
    pub opened_at: Time,
    pub state: String,
    pub closed_at: Option<Time>,
    pub answered_by: Option<String>,
    pub due_at: Time,
    pub breached_at: Option<Time>,
    pub flagged_at: Option<Time>,
    pub policy: String,
    pub urgent: bool,
    pub reason: Option<String>,
    pub messages: usize,
    pub acknowledged_at: Option<Time>,
    pub steps: Vec<PlannedStep>,
    pub configuration: String,
}

impl Stored {
    /// What does not depend on calendars.
    pub fn line(&self) -> String {
        let at = |at: Time| at.timestamp();
        format!(
            "{} {} {} {} {:?} {:?} {} {} {:?} {} {:?}",
            self.thread,
            self.author,
            at(self.opened_at),
            self.state,
            self.closed_at.map(at),
            self.answered_by,
            self.policy,
            self.urgent,
            self.reason.as_deref().filter(|_| self.state != "answered"),
            self.messages,
            self.acknowledged_at.map(at),
        )
    }

    /// An open ticket is breached once its flag took effect, or was when the message went that had set its deadline.
    pub fn open_breach(&self) {
        let flag = self.steps.iter().any(|step| step.kind == StepKind::Breach && step.effect.is_some());
        match self.breached_at {
            Some(breached) => assert!(self.flagged_at.is_some() && breached <= self.due_at.max(breached), "ticket {}", self.id),
            None => assert!(!flag, "ticket {} took effect and is not breached: {:?}", self.id, self.steps),
        }
    }
}

/// The same of a ticket as it must be.
pub fn line(one: &Expected) -> String {
    format!(
        "{} {} {} {} {:?} {:?} {} {} {:?} {} {:?}",
        one.thread,
        one.author,
        one.opened_at,
        one.state,
        one.closed_at,
        one.answered_by,
        one.policy,
        one.urgent,
        one.reason.as_deref().filter(|_| one.state != "answered"),
        one.messages,
        one.acknowledged_at,
    )
}

const TICKETS: &str = "SELECT k.*, t.name AS thread FROM ticket k JOIN thread t ON t.id = k.thread_id
     WHERE (k.reason IS NULL OR k.reason NOT LIKE 'merged into %')";

/// Every ticket, those merged away left out.
pub async fn stored_all(db: &Db) -> Vec<Stored> {
    rows(db, TICKETS).await.iter().map(one).collect()
}

/// Those of one account.
pub async fn stored(db: &Db, account: i64) -> Vec<Stored> {
    let sql = "SELECT k.*, t.name AS thread FROM ticket k JOIN thread t ON t.id = k.thread_id
         WHERE (k.reason IS NULL OR k.reason NOT LIKE 'merged into %') AND k.account_id = $1";
    db.rows(sql, vec![Val::from(account)]).await.unwrap().iter().map(one).collect()
}

fn one(row: &Row) -> Stored {
    Stored {
        id: row.i("id").unwrap(),
        thread_id: row.i("thread_id").unwrap(),
        thread: row.t("thread").unwrap(),
        author: row.t("author").unwrap(),
        opened_at: row.at("opened_at").unwrap(),
        state: row.t("state").unwrap(),
        closed_at: row.oat("closed_at").unwrap(),
        answered_by: row.ot("answered_by").unwrap(),
        due_at: row.at("due_at").unwrap(),
        breached_at: row.oat("breached_at").unwrap(),
        flagged_at: row.oat("flagged_at").unwrap(),
        policy: row.t("policy").unwrap(),
        urgent: row.b("urgent").unwrap(),
        reason: row.ot("reason").unwrap(),
        messages: row.i("messages").unwrap() as usize,
        acknowledged_at: row.oat("acknowledged_at").unwrap(),
        steps: row.json("steps").unwrap(),
        configuration: row.t("configuration").unwrap(),
    }
}
