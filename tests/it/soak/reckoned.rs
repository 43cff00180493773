//! The tickets of the soak beside the slow reckoning, which knows nothing of `tanggap::sla`.

use jiff::Timestamp;
use tanggap::{
    domain::ticket::ActionKind,
    store::{
        Db,
        db::{Row, Val},
    },
};

use crate::reckoning::{Action, Expected, Facts, Message, Policy, Rules, Tag, What, tickets};

fn time(row: &Row, name: &str) -> Option<Timestamp> {
    row.oat(name).unwrap().map(tanggap::domain::Time::timestamp)
}

fn always(name: &str, urgent: Option<bool>, seconds: i64) -> Policy {
    Policy { name: name.into(), urgent, respond_within_seconds: seconds, calendar: "always".into(), ..Policy::default() }
}

/// Every ticket in the database is one that the rules ask for, and every one that they ask for is there. How many there are.
pub async fn every_ticket_is_as_the_rules_say(db: &Db, now: Timestamp) {
    let mut compared = 0;
    for account in db.rows("SELECT id, external_id, platform, opd FROM account ORDER BY id", vec![]).await.unwrap() {
        let id = account.i("id").unwrap();
        let rules = Rules {
            policies: vec![always("darurat", Some(true), 15), always("biasa", None, 30)],
            auto_reply_within_seconds: 10,
            ..Rules::default()
        };
        let facts = facts(db, &account, now, rules).await;
        let mut expected: Vec<Line> = tickets(&facts).into_iter().map(Line::from).collect();
        expected.sort();
        let stored = stored(db, id).await;
        assert_eq!(stored, expected, "account {}", facts.own);
        compared += expected.len();
    }
    #[allow(clippy::print_stdout)] // figures, for a person
    {
        println!("{compared} tickets, each as the slow reckoning has it");
    }
}

/// All that is stored of an account, for the reckoning.
pub async fn facts(db: &Db, account: &Row, now: Timestamp, rules: Rules) -> Facts {
    let id = account.i("id").unwrap();
    let from = db.rows("SELECT MIN(opens_from) AS at FROM source WHERE account_id = $1", vec![Val::from(id)]).await.unwrap();
    let sql =
        "SELECT m.*, t.name AS thread, t.kind AS thread_kind, t.post_key, t.citizen_id FROM message m JOIN thread t ON t.id = m.thread_id
         WHERE m.account_id = $1";
    let messages = db.rows(sql, vec![Val::from(id)]).await.unwrap().iter().map(message).collect();
    let acted =
        "SELECT a.*, k.author, t.name AS thread FROM action a JOIN ticket k ON k.id = a.ticket_id JOIN thread t ON t.id = k.thread_id
         WHERE k.account_id = $1 ORDER BY a.id";
    Facts {
        now,
        opens_from: time(&from[0], "at"),
        opd: account.t("opd").unwrap(),
        platform: account.t("platform").unwrap(),
        own: account.t("external_id").unwrap(),
        rules,
        messages,
        actions: db.rows(acted, vec![Val::from(id)]).await.unwrap().iter().filter_map(action).collect(),
    }
}

fn action(row: &Row) -> Option<Action> {
    let text = row.t("text").unwrap();
    let what = match row.word("kind", ActionKind::from_word).unwrap() {
        ActionKind::Ack => What::Ack,
        ActionKind::Unack => What::Unack,
        ActionKind::Dismiss => What::Dismiss(text),
        ActionKind::Resolve => What::Resolve(text),
        ActionKind::Handover => What::Handover(text),
        ActionKind::Note | ActionKind::Assign => return None,
    };
    Some(Action { thread: row.t("thread").unwrap(), author: row.t("author").unwrap(), at: time(row, "at").unwrap(), what })
}

#[derive(serde::Deserialize)]
struct StoredTag {
    id: Option<String>,
    name: Option<String>,
}

fn message(row: &Row) -> Message {
    let (id, username) = (row.ot("author_id").unwrap(), row.ot("author_username").unwrap());
    let author = id.or_else(|| username.as_ref().map(|name| format!("@{}", name.to_lowercase()))).unwrap_or_default();
    let direction = row.t("direction").unwrap();
    let tags: Vec<StoredTag> = row.json("tags").unwrap();
    Message {
        id: row.t("external_id").unwrap(),
        thread: row.t("thread").unwrap(),
        kind: row.t("thread_kind").unwrap(),
        post: row.ot("post_key").unwrap(),
        government: (direction == "out").then(|| row.ot("government").unwrap().unwrap()),
        author,
        author_name: row.ot("author_name").unwrap(),
        author_username: username,
        created_at: time(row, "created_at").unwrap(),
        seen_at: time(row, "seen_at").unwrap(),
        text: row.t("text").unwrap(),
        tags: tags.into_iter().map(|tag| Tag { id: tag.id, name: tag.name }).collect(),
        top_level: row.b("top_level").unwrap(),
        bare: row.b("bare").unwrap(),
        automatic: row.b("automatic").unwrap(),
        tags_own: row.b("tags_own").unwrap(),
        by_page: row.b("by_page").unwrap(),
        needs_answer: row.b("needs_answer").unwrap(),
        asked_at: None,
        asks: row.b("asks").unwrap(),
        urgent_at: time(row, "urgent_at"),
        hidden_at: time(row, "hidden_at"),
        deleted_at: time(row, "deleted_at"),
        shown_until: time(row, "missing_since"),
        private_reply: row.ot("private_reply").unwrap(),
        private_unseen_at: time(row, "private_unseen_at"),
        citizen: row.ot("citizen_id").unwrap(),
    }
}

/// What of a ticket is compared.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    thread: String,
    opened_at: Timestamp,
    author: String,
    state: String,
    closed_at: Option<Timestamp>,
    due_at: Timestamp,
    breached_at: Option<Timestamp>,
    answered_by: Option<String>,
    policy: String,
    urgent: bool,
    reason: Option<String>,
    messages: usize,
}

impl From<Expected> for Line {
    fn from(one: Expected) -> Self {
        Self {
            thread: one.thread,
            opened_at: one.opened_at,
            author: one.author,
            state: one.state.into(),
            closed_at: one.closed_at,
            due_at: one.due_at,
            breached_at: one.breached_at,
            answered_by: one.answered_by,
            policy: one.policy,
            urgent: one.urgent,
            reason: one.reason,
            messages: one.messages,
        }
    }
}

async fn stored(db: &Db, account: i64) -> Vec<Line> {
    let sql = "SELECT k.*, t.name AS thread FROM ticket k JOIN thread t ON t.id = k.thread_id
         WHERE k.account_id = $1 AND (k.reason IS NULL OR k.reason NOT LIKE 'merged into %')";
    let rows = db.rows(sql, vec![Val::from(account)]).await.unwrap();
    let line = |row: &Row| Line {
        thread: row.t("thread").unwrap(),
        opened_at: time(row, "opened_at").unwrap(),
        author: row.t("author").unwrap(),
        state: row.t("state").unwrap(),
        closed_at: time(row, "closed_at"),
        due_at: time(row, "due_at").unwrap(),
        breached_at: time(row, "breached_at"),
        answered_by: row.ot("answered_by").unwrap(),
        policy: row.t("policy").unwrap(),
        urgent: row.b("urgent").unwrap(),
        reason: row.ot("reason").unwrap(),
        messages: row.i("messages").unwrap() as usize,
    };
    let mut lines: Vec<Line> = rows.iter().map(line).collect();
    lines.sort();
    lines
}
