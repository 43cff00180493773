//! A small queue as the stages write it, with texts that mean harm; the real program with a configuration beside it.

use std::{
    path::PathBuf,
    process::{Command, Output},
};

use tanggap::{
    domain::Time,
    store::{
        Db,
        db::{Row, Val},
    },
};
use tempfile::TempDir;

/// A formula, colours, a C1 control, a right-to-left override and a line break.
pub const HOSTILE: &str = "=HYPERLINK(\"http://x\")\n\u{1b}[31mmerah\u{9b}5m \u{202e}kabur";

const CONFIG: &str = r#"
[site]
name = "Kabupaten Uji"
timezone = "Asia/Jakarta"
[[policy]]
name = "biasa"
respond_within = "4h"
calendar = "builtin:5-hari"
[[official]]
name = "Operator"
group = "operator"
[[opd]]
slug = "dindukcapil"
name = "Dinas Kependudukan dan Pencatatan Sipil"
[[opd.account]]
platform = "facebook"
id = "101000000000001"
token = "env:SET_NOWHERE"
[[opd]]
slug = "rsud"
name = "Rumah Sakit Umum Daerah"
"#;

pub fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

/// A folder with a configuration and a filled SQLite database.
pub struct World {
    pub dir: TempDir,
    pub db: Db,
}

impl World {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("tanggap.db").display());
        std::fs::write(dir.path().join("tanggap.toml"), format!("{CONFIG}\n[database]\nurl = \"{url}\"\n")).unwrap();
        let db = Db::open(&url).await.unwrap();
        fill(&db).await;
        Self { dir, db }
    }

    /// Adds to the configuration an official whom the only step of ticket 1 tells by mail.
    pub async fn with_a_step(&self, more: &str) {
        std::fs::create_dir(self.path("tanggap.d")).unwrap();
        let official = "[[official]]\nname = \"Kepala Dindukcapil\"\ngroup = \"kepala\"\nemail = \"kepala@example.go.id\"\n\
                        [channel.smtp]\nurl = \"smtp://127.0.0.1:25\"\nfrom = \"tanggap@example.go.id\"\n";
        std::fs::write(self.path("tanggap.d/more.toml"), format!("{official}{more}")).unwrap();
        let steps = r#"[{"policy": "biasa", "at": "0m", "number": 2, "kind": "breach", "due": 0, "notify": ["kepala"], "effect": null}]"#;
        let mut tx = self.db.write().await.unwrap();
        tx.exec("UPDATE ticket SET steps = $1 WHERE id = 1", vec![Val::from(steps)]).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The program with this configuration, run by "siti".
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tanggap"));
        command.args(args).env_clear().env("TANGGAP_CONFIG", self.path("tanggap.toml")).env("USER", "siti").current_dir(self.dir.path());
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Standard output of a command that must succeed in silence otherwise.
    pub fn output(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()), "{args:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.output(args)).unwrap()
    }
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A filled database of each kind: the listings must not tell them apart.
pub async fn both() -> (World, Db) {
    let postgres = Db::open(&crate::databases::postgres().await).await.unwrap();
    fill(&postgres).await;
    (World::new().await, postgres)
}

pub async fn write(db: &Db, sql: &'static str, vals: Vec<Val>) {
    let mut tx = db.write().await.unwrap();
    tx.exec(sql, vals).await.unwrap();
    tx.commit().await.unwrap();
}

pub async fn read(db: &Db, sql: &'static str) -> Vec<Row> {
    db.rows(sql, vec![]).await.unwrap()
}

/// A message as intake writes it.
pub async fn message(db: &Db, id: i64, thread: i64, direction: &str, author: (Option<&str>, Option<&str>), text: &str, created_at: &str) {
    let (external_id, when) = (format!("m_{id}"), at(created_at));
    write(
        db,
        "INSERT INTO message (id, account_id, thread_id, object, key, external_id, kind, direction, top_level, author_id, author_name, text,
         attachments, tags, created_at, seen_at, hidden, automatic, needs_answer, asks, urgent, bare, tags_own, by_page)
         VALUES ($1, (SELECT account_id FROM thread WHERE id = $2), $2, 'message', $3, $3, (SELECT kind FROM thread WHERE id = $2), $4, 0,
         $5, $6, $7, '[]', '[]', $8, $8 + 123, 0, 0, 1, 0, 0, 0, 0, 0)",
        vec![id.into(), thread.into(), external_id.into(), direction.into(), author.0.into(), author.1.into(), text.into(), when.into()],
    )
    .await;
}

/// A ticket as the clock writes it: opened with its newest message, due at `due`.
pub async fn ticket(db: &Db, id: i64, newest: i64, author: &str, state: &str, due: &str) {
    write(
        db,
        "INSERT INTO ticket (id, thread_id, account_id, author, policy, urgent, state, opened_at, due_at, unverified, messages,
         newest_message_id, newest_at, steps, configuration)
         SELECT $1, thread_id, account_id, $3, 'biasa', 0, $4, created_at, $5, 0, 1, id, created_at, '[]', '' FROM message WHERE id = $2",
        vec![id.into(), newest.into(), author.into(), state.into(), at(due).into()],
    )
    .await;
    write(db, "INSERT INTO ticket_message (message_id, ticket_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", vec![newest.into(), id.into()])
        .await;
}

/// Two accounts, four threads, tickets 1 to 4: a comment past its deadline, a direct message with time left, an answered comment
/// under the same post, and a visitor's post by nobody Meta names.
pub async fn fill(db: &Db) {
    for (id, platform, external_id, opd) in
        [(1, "facebook", "101000000000001", "dindukcapil"), (2, "instagram", "17841400000000001", "rsud")]
    {
        write(
            db,
            "INSERT INTO account (id, platform, external_id, opd, username, active, next_poll_at) VALUES ($1, $2, $3, $4, $4, 1, 1795485600000)",
            vec![i64::from(id).into(), platform.into(), external_id.into(), opd.into()],
        )
        .await;
    }
    // read for the first time long ago, so that what was written since opens tickets
    write(
        db,
        "INSERT INTO source (account_id, name, first_read_at, opens_from, last_read_at, backlog_read_at)
         SELECT a.id, s.name, 1000, 0, 1795489200000, 1000 FROM account a
         CROSS JOIN (SELECT 'messages' AS name UNION SELECT 'comments' UNION SELECT 'posts') s",
        vec![],
    )
    .await;
    for (id, account, kind, name, post) in [
        (1, 1, "comment", "101000000000001_9_77", Some("9")),
        (2, 2, "message", "t_100", None),
        (3, 1, "comment", "101000000000001_9_78", Some("9")),
        (4, 1, "post", "101000000000001_9", None),
    ] {
        write(
            db,
            "INSERT INTO thread (id, account_id, kind, key, name, post_key, permalink) VALUES ($1, $2, $3, $4, $5, $6, 'https://fb.example/9')",
            vec![
                i64::from(id).into(),
                i64::from(account).into(),
                kind.into(),
                tanggap::domain::message::key_of(name).into(),
                name.into(),
                post.into(),
            ],
        )
        .await;
    }
    let siti = (Some("9001"), Some("Siti"));
    message(db, 1, 1, "in", siti, HOSTILE, "2026-11-24T02:00:00Z").await;
    message(db, 2, 2, "in", (Some("42"), None), "Antrean besok?", "2026-11-24T02:05:00Z").await;
    message(db, 3, 3, "in", siti, "Kapan KTP saya jadi?", "2026-11-24T02:10:00Z").await;
    message(db, 4, 3, "out", (Some("101000000000001"), Some("Dindukcapil")), "Sudah, Bu.", "2026-11-24T03:10:00Z").await;
    message(db, 5, 4, "in", (None, None), "Jalan rusak", "2026-11-24T02:10:00Z").await;
    ticket(db, 1, 1, "9001", "open", "2020-11-24T06:00:00Z").await;
    ticket(db, 2, 2, "42", "open", "2996-11-24T06:05:00Z").await;
    ticket(db, 3, 3, "9001", "answered", "2026-11-24T06:10:00Z").await;
    ticket(db, 4, 5, "", "open", "2996-11-24T06:10:00Z").await;
    write(
        db,
        "UPDATE ticket SET closed_at = opened_at + 3600000, business_seconds = 3600, answered_by = '101000000000001' WHERE id = 3",
        vec![],
    )
    .await;
    write(
        db,
        "UPDATE ticket SET breached_at = due_at, flagged_at = due_at + 456, warned_at = due_at - 60000, steps = $1 WHERE id = 1",
        vec![
            r#"[{"policy":"biasa","at":"75%","number":1,"kind":"warning","due":1795500000000,"notify":["operator"],"effect":{"at":1795500000000,"unverified":false,"silent":"newer step"}}]"#
                .into(),
        ],
    )
    .await;
    write(db, "INSERT INTO event (ticket_id, at, kind, detail) VALUES (1, 1795485600000, 'opened', '')", vec![]).await;
    write(
        db,
        "INSERT INTO letter (id, key, channel, address, official, payload, state, attempts, created_at, error)
         VALUES (1, 'k', 'smtp', 'a@example.go.id', 'operator', '', 'pending', 3, 0, 'no route')",
        vec![],
    )
    .await;
    write(
        db,
        "INSERT INTO delivery (key, alert_id, kind, ticket_id, step, official, channel, address, state, letter_id, created_at, send_at)
         VALUES ('1/biasa/0m', 1, 'ticket.breached', 1, 2, 'operator', 'smtp', 'a@example.go.id', 'pending', 1, 0, 0)",
        vec![],
    )
    .await;
}
