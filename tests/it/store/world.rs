//! A bare database of each kind, and messages as a read shows them.

use jiff::SignedDuration;
use tanggap::{
    domain::{
        AccountId, Direction, Kind, Object, Platform, Time,
        message::{Author, Seen, ThreadKey},
    },
    store::{
        Db, accounts,
        db::Val,
        intake::{self, Batch, Proof, Taken},
    },
};

/// Tuesday, 24 November 2026, 09.00 WIB, so many seconds later.
pub fn at(seconds: i64) -> Time {
    Time::parse("2026-11-24T02:00:00Z").unwrap().plus(SignedDuration::from_secs(seconds))
}

/// A database of its own.
pub struct World {
    pub db: Db,
    pub url: String,
    _folder: tempfile::TempDir,
}

impl World {
    /// A new SQLite file.
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("t.db").display());
        Self { db: Db::open(&url).await.unwrap(), url, _folder: folder }
    }

    /// A new database of the server at `$TANGGAP_TEST_POSTGRES`.
    pub async fn postgres() -> Self {
        let url = crate::databases::postgres().await;
        Self { db: Db::open(&url).await.unwrap(), url, _folder: tempfile::tempdir().unwrap() }
    }

    pub async fn exec(&self, sql: &'static str, vals: Vec<Val>) -> u64 {
        let mut tx = self.db.write().await.unwrap();
        let changed = tx.exec(sql, vals).await.unwrap();
        tx.commit().await.unwrap();
        changed
    }

    /// The column `n` of the only row.
    pub async fn number(&self, sql: &'static str) -> Option<i64> {
        self.db.rows(sql, vec![]).await.unwrap()[0].oi("n").unwrap()
    }

    /// The column `t` of every row.
    pub async fn texts(&self, sql: &'static str) -> Vec<String> {
        self.db.rows(sql, vec![]).await.unwrap().iter().map(|row| row.t("t").unwrap()).collect()
    }

    /// A Page and an Instagram account, both due at once.
    pub async fn accounts(&self) -> (AccountId, AccountId) {
        let list = [(Platform::Facebook, "101"), (Platform::Instagram, "178")].map(|(platform, id)| (platform, id.into(), "dinhub".into()));
        accounts::sync(&self.db, &list, at(0)).await.unwrap();
        let id = async |sql| AccountId(self.number(sql).await.unwrap());
        (
            id("SELECT id AS n FROM account WHERE external_id = '101'").await,
            id("SELECT id AS n FROM account WHERE external_id = '178'").await,
        )
    }

    /// Takes in a read that began `seconds` after the hour and ended a second later.
    pub async fn take(&self, account: AccountId, seconds: i64, messages: &[Seen], proofs: &[Proof]) -> Taken {
        intake::take(&self.db, &batch(account, seconds, messages, proofs)).await.unwrap()
    }

    /// See [`stored`].
    pub async fn stored(&self) -> Vec<String> {
        stored(&self.db).await
    }

    /// What must hold after every test.
    pub async fn invariants(&self) {
        let lost = "SELECT COUNT(*) AS n FROM message m WHERE NOT EXISTS (SELECT 1 FROM thread t WHERE t.id = m.thread_id AND t.account_id = m.account_id)";
        assert_eq!(self.number(lost).await, Some(0), "messages without a thread");
        let half = "SELECT COUNT(*) AS n FROM account WHERE (lease_owner IS NULL) <> (lease_until = 0)";
        assert_eq!(self.number(half).await, Some(0), "leases without an owner, or the other way round");
    }
}

/// Everything that a read writes, as text: two equal ones mean that nothing changed in between.
pub async fn stored(db: &Db) -> Vec<String> {
    let text = |column: &str| format!("COALESCE(CAST({column} AS TEXT), '-')");
    let line = |columns: &str| columns.split(' ').map(text).collect::<Vec<_>>().join(" || ' ' || ");
    let message =
        line("id thread_id key text edited_at deleted_at missing_since hidden hidden_at needs_answer urgent urgent_at private_reply");
    let thread = line("id kind key name post_key citizen_id read_began_at next_look_at unreadable verify_tried_at");
    let post = line("id key author updated_at total read_at");
    let source = line("account_id name first_read_at opens_from last_read_at");
    let sql = format!(
        "SELECT 'm ' || {message} AS t FROM message UNION ALL SELECT 't ' || {thread} FROM thread UNION ALL SELECT 'p ' || {post} FROM post
         UNION ALL SELECT 'b ' || sister || ' ' || author_id FROM binding UNION ALL SELECT 's ' || {source} FROM source ORDER BY 1"
    );
    let rows = db.rows(Box::leak(sql.into_boxed_str()), vec![]).await.unwrap();
    rows.iter().map(|row| row.t("t").unwrap()).collect()
}

pub fn batch(account: AccountId, seconds: i64, messages: &[Seen], proofs: &[Proof]) -> Batch {
    Batch {
        account,
        began_at: at(seconds),
        now: at(seconds + 1),
        confirm_gone: SignedDuration::from_secs(20),
        messages: messages.to_vec(),
        posts: vec![],
        proofs: proofs.to_vec(),
        bindings: vec![],
    }
}

/// A citizen's comment under post 9 that begins a thread.
pub fn comment(id: &str, text: &str) -> Seen {
    Seen {
        object: Object::Comment,
        external_id: id.into(),
        kind: Kind::Comment,
        direction: Direction::In,
        government: None,
        thread: ThreadKey { kind: Kind::Comment, name: id.into(), post: Some("101_9".into()), citizen: None },
        parent: Some("101_9".into()),
        top_level: true,
        author: Some(Author { id: Some("9001".into()), name: Some("Siti".into()), username: None }),
        text: text.into(),
        attachments: vec![],
        reactions: vec![],
        tags: vec![],
        created_at: at(-60),
        hidden: false,
        automatic: false,
        needs_answer: true,
        asks: true,
        urgent: false,
        bare: false,
        tags_own: false,
        by_page: false,
        private_reply: None,
        permalink: Some(format!("https://fb.example/{id}")),
    }
}

/// A direct message in the conversation `t_1` with citizen 9001, written `seconds` after the hour.
pub fn direct(id: &str, direction: Direction, seconds: i64) -> Seen {
    Seen {
        object: Object::Message,
        kind: Kind::Message,
        direction,
        thread: ThreadKey { kind: Kind::Message, name: "t_1".into(), post: None, citizen: Some("9001".into()) },
        parent: None,
        top_level: false,
        created_at: at(seconds),
        permalink: None,
        ..comment(id, "Halo")
    }
}
