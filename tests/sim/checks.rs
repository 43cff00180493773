//! What must hold after every step. Each check reads the database, the world and what the receivers took, nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::SignedDuration;
use tanggap::{
    demo::world::{Item, ItemKind},
    domain::{SharedSettings, Time, message::key_of},
    store::{
        Db,
        db::{Row, Val},
    },
};

use super::{letters::Letters, tickets::Ledger, world::World};
use crate::stages::Heard;

/// What else must be known of the moment.
#[derive(Clone, Copy)]
pub struct Now {
    /// The sla stage has done all that is due.
    pub sla_idle: bool,
    /// The machine's clock is wrong, or the program thinks so.
    pub hold: bool,
}

pub struct Checks {
    heard: Heard,
    secrets: Vec<String>,
    pub ledger: Ledger,
    pub letters: Letters,
    /// Until when, by the machine's clock, what Meta says may be no list though it looks like one.
    lies: Vec<(Time, Time)>,
    /// How far the machine's clock ever was ahead.
    ahead: SignedDuration,
    /// Which of its texts a message was stored with.
    versions: HashMap<(String, String), usize>,
    /// What was looked at last.
    seen: String,
    pub steps: usize,
    failures: BTreeMap<String, usize>,
}

pub async fn rows(db: &Db, sql: &'static str) -> Vec<Row> {
    db.rows(sql, Vec::<Val>::new()).await.unwrap()
}

/// Whether Meta shows it to anybody: not what is written under another's medium.
fn readable(world: &tanggap::demo::world::World, item: &Item) -> bool {
    let published = matches!(item.kind, ItemKind::Post | ItemKind::Media | ItemKind::Photo | ItemKind::Film | ItemKind::Reel);
    !published && world.item(&item.root).is_none_or(|root| root.kind != ItemKind::TagMedia)
}

/// Since when Meta shows it: a reply stands under its comment, which may be shown later than it was written.
pub fn shown_from(world: &tanggap::demo::world::World, item: &Item) -> Time {
    let above = [item.parent.as_deref(), Some(item.root.as_str())].into_iter().flatten().filter_map(|id| world.item(id));
    let from = above.map(|above| above.visible_from).chain([item.visible_from]).max();
    from.map_or(Time::clamp_ms(0), Time::from_timestamp)
}

impl Checks {
    pub fn new(heard: Heard, secrets: Vec<String>) -> Self {
        Self {
            heard,
            secrets,
            ledger: Ledger::default(),
            letters: Letters::default(),
            lies: Vec::new(),
            ahead: SignedDuration::ZERO,
            versions: HashMap::new(),
            seen: String::new(),
            steps: 0,
            failures: BTreeMap::new(),
        }
    }

    pub fn configured(&mut self, hash: &str, at: Time, settings: &SharedSettings) {
        self.ledger.configured(hash, at, settings);
    }

    pub fn clock_stepped(&mut self, ahead: SignedDuration) {
        self.ahead = self.ahead.max(ahead);
    }

    /// Meta will answer some calls with what looks like a whole list and is none. Nobody can tell; a later look shows what was left out.
    pub fn lied_to(&mut self, at: Time) {
        self.lies.push((at, at.plus(SignedDuration::from_hours(4))));
    }

    /// A stage failed, as it may.
    pub fn failed(&mut self, stage: usize, error: &str) {
        *self.failures.entry(format!("{stage}: {error}")).or_default() += 1;
    }

    /// What was being sent just now may be sent again.
    pub async fn in_hand(&mut self, db: &Db) {
        self.letters.in_hand(db).await;
    }

    /// The database is yesterday's now. What it holds must come up to the world again, whatever had been read, judged and told since; what
    /// of that may be told again is for this to say.
    pub fn restored(&mut self, world: &World) {
        self.versions.clear();
        self.ledger.restored();
        self.letters.restored(world);
    }

    pub async fn after_step(&mut self, db: &Db, world: &World, now: Now) {
        self.steps += 1;
        self.no_secret();
        self.letters.outbox(db).await;
        let at = Time::from_timestamp(tanggap::runtime::Clock::now(&*world.clocks));
        self.ledger.flagged_iff_due(db, world, at, now).await;
        let seen = fingerprint(db).await;
        if seen != self.seen {
            self.seen = seen;
            self.messages(db, world, false).await;
            self.cursors(db, world).await;
        }
        if now.sla_idle {
            self.ledger.reckon(db, at).await;
        }
    }

    /// When all is over.
    pub async fn end(&mut self, db: &Db, world: &World, settings: &SharedSettings) {
        self.messages(db, world, true).await;
        self.letters.end(db, world).await;
        self.ledger.end(db, settings).await;
    }

    fn no_secret(&self) {
        let said = self.heard.take();
        for secret in &self.secrets {
            assert!(!said.contains(secret.as_str()), "a secret in the log:\n{said}");
        }
        assert!(!said.contains("fault of the program"), "{said}");
    }

    /// What is stored was written by somebody, once, and never goes back to an older text; at the end nothing that can be seen lacks.
    async fn messages(&mut self, db: &Db, world: &World, whole: bool) {
        let sql = "SELECT a.external_id AS account, m.key, m.direction, m.text, m.created_at, m.deleted_at FROM message m JOIN account a ON a.id = m.account_id";
        let stored = rows(db, sql).await;
        let graph = world.simulator.world();
        let mut items: HashMap<(String, String), &Item> =
            graph.items().iter().map(|item| ((item.account.clone(), key_of(&item.id).to_owned()), item)).collect();
        for row in stored {
            let name = (row.t("account").unwrap(), row.t("key").unwrap());
            let Some(item) = items.remove(&name) else { panic!("stored twice, or written by nobody: {name:?}") };
            assert_eq!(row.t("direction").unwrap(), if item.by_citizen() { "in" } else { "out" }, "{item:?}");
            assert_eq!(row.i("created_at").unwrap(), item.created.as_second() * 1000, "{item:?}");
            let text = row.t("text").unwrap();
            let texts: Vec<&str> = item.edits.iter().map(|(_, old)| old.as_str()).chain([item.text.as_str()]).collect();
            if text.is_empty() && item.by_citizen() && item.deleted.is_some() {
                continue; // what its writer took back is emptied
            }
            let version = texts.iter().rposition(|old| *old == text).unwrap_or_else(|| panic!("never so written: {text} {item:?}"));
            let before = self.versions.insert(name, version);
            assert!(before.is_none_or(|before| before <= version), "an older text is back: {item:?}");
            if whole && item.deleted.is_none() {
                assert_eq!(text, item.text, "an edit was never seen: {item:?}");
                assert!(row.oi("deleted_at").unwrap().is_none(), "not gone: {item:?}");
            }
        }
        if whole {
            let lacking: Vec<&&Item> = items.values().filter(|item| item.deleted.is_none() && readable(&graph, item)).collect();
            assert!(lacking.is_empty(), "never stored: {lacking:#?}");
        }
    }

    /// No cursor says that something was read which is not there.
    async fn cursors(&self, db: &Db, world: &World) {
        let sql =
            "SELECT a.external_id AS account, 'p' AS what, p.key AS key, p.read_at AS at FROM post p JOIN account a ON a.id = p.account_id
              WHERE p.read_at IS NOT NULL
             UNION ALL SELECT a.external_id, 't', t.key, t.read_began_at FROM thread t JOIN account a ON a.id = t.account_id
              WHERE t.read_began_at IS NOT NULL AND t.kind = 'message'";
        let mut read: HashMap<(String, String), Time> = HashMap::new();
        for row in rows(db, sql).await {
            read.insert((row.t("account").unwrap(), row.t("key").unwrap()), row.at("at").unwrap().minus(self.ahead));
        }
        let stored: BTreeSet<(String, String)> =
            rows(db, "SELECT a.external_id AS account, m.key FROM message m JOIN account a ON a.id = m.account_id")
                .await
                .iter()
                .map(|row| (row.t("account").unwrap(), row.t("key").unwrap()))
                .collect();
        let graph = world.simulator.world();
        for item in graph.items().iter().filter(|item| matches!(item.kind, ItemKind::Comment | ItemKind::Message) && item.deleted.is_none())
        {
            let root = key_of(&item.root).to_owned();
            let Some(&at) = read.get(&(item.account.clone(), root)) else { continue };
            if self.lies.iter().any(|(from, to)| *from <= at && at <= *to) {
                continue;
            }
            let shown = shown_from(&graph, item);
            let known = stored.contains(&(item.account.clone(), key_of(&item.id).to_owned()));
            assert!(shown >= at || known || !readable(&graph, item), "read in whole at {}, and not stored: {item:?}", at.rfc3339_ms());
        }
    }

    /// What is still under way, for a person.
    pub async fn unsettled(&self, db: &Db) -> String {
        let sql = "SELECT d.official || ' ' || d.channel || ' ' || d.kind || ' ' || d.state || ' ' || CAST(d.send_at AS TEXT) || COALESCE(' ' || l.state || ' ' ||
            CAST(l.attempts AS TEXT) || ' ' || COALESCE(l.error, ''), '') AS t FROM delivery d LEFT JOIN letter l ON l.id = d.letter_id
            WHERE d.state IN ('waiting', 'pending')";
        let left: Vec<String> = rows(db, sql).await.iter().map(|row| row.t("t").unwrap()).collect();
        format!("{left:#?} after {:?}", self.failures)
    }
}

/// Differs when messages or cursors do.
async fn fingerprint(db: &Db) -> String {
    let sql = "SELECT (SELECT CAST(COUNT(*) AS TEXT) || ' ' || CAST(COALESCE(SUM(LENGTH(text) + COALESCE(edited_at, 0) + COALESCE(deleted_at, 0)), 0) AS TEXT) FROM message)
        || ' ' || (SELECT CAST(COALESCE(SUM(read_at), 0) AS TEXT) FROM post) || ' ' || (SELECT CAST(COALESCE(SUM(read_began_at), 0) AS TEXT) FROM thread) AS t";
    rows(db, sql).await[0].t("t").unwrap()
}
