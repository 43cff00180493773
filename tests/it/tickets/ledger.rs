//! A real database under one account: what reads show is taken in, the stage judges, and what it stored is compared with the reckoning of
//! the very rows it judged by.

use std::{collections::BTreeMap, sync::Arc};

use jiff::SignedDuration;
use tanggap::{
    domain::{
        AccountId, Scope, TicketId, TicketState, Time,
        message::Seen,
        settings::{Language, Match, Mentions, Policy, Settings, Step, StepAt},
        ticket::ActionKind,
    },
    poll::Skew,
    runtime::{ManualClock, Stage as _},
    sla::SlaStage,
    store::{
        Db, actions,
        db::Row,
        intake::{self, Batch, Proof},
    },
};

use super::{
    facts::when,
    story::{Deed, OWN, PLACES, Story, at},
};
use crate::{
    alert::world::settings,
    reckoning::{self, Expected},
    stages,
};

/// Its own pseudo-random order, so that a failing story fails again.
fn roll(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize
}

fn policy(name: &str, urgent: Option<bool>, seconds: i64) -> Policy {
    let step = |text: &str, at| Step { text: text.into(), at, notify: vec!["kepala".into()] };
    Policy {
        name: name.into(),
        matches: Match { urgent, ..Match::default() },
        respond_within: SignedDuration::from_secs(seconds),
        calendar: "always".into(),
        steps: vec![step("50%", StepAt::Percent(50)), step("0m", StepAt::Offset(SignedDuration::ZERO))],
    }
}

/// Two policies of five minutes and, for urgent ones, one.
pub fn rules(mentions: Mentions) -> Settings {
    let mut settings = settings(Language::Indonesian);
    settings.policies = vec![policy("darurat", Some(true), 60), policy("biasa", None, 300)];
    settings.calendars =
        crate::clock::calendars::read("[[calendar]]\nname = \"always\"\ntimezone = \"UTC\"\n[calendar.hours]\nmon-sun = [\"00:00-24:00\"]");
    settings.poll.verify_within = SignedDuration::from_hours(1000);
    settings.sla.auto_reply_within = SignedDuration::from_secs(10);
    settings.sla.mentions = mentions;
    settings
}

/// A ticket as it is stored.
#[derive(Clone, Debug)]
pub struct Stored {
    pub id: i64,
    pub ticket: Expected,
}

pub struct Ledger {
    pub story: Story,
    pub db: Db,
    clock: Arc<ManualClock>,
    stage: SlaStage,
    /// When each place was read in whole.
    pub whole: BTreeMap<usize, Vec<Time>>,
    _folder: Option<tempfile::TempDir>,
}

impl Ledger {
    /// On a SQLite file.
    pub async fn sqlite(story: Story) -> Self {
        // In memory, where the system has such a folder: thousands of stories are played.
        let memory = std::path::Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        let url = format!("sqlite://{}", folder.path().join("t.db").display());
        Self::over(&url, story, Some(folder)).await
    }

    /// On a database of its own under the server at `$TANGGAP_TEST_POSTGRES`.
    pub async fn postgres(story: Story) -> Self {
        use sqlx::Connection as _;
        let server = std::env::var("TANGGAP_TEST_POSTGRES").expect("tests/run starts PostgreSQL and sets TANGGAP_TEST_POSTGRES");
        let name = format!("ledger_{:016x}", rand::random::<u64>());
        let mut admin = sqlx::PgConnection::connect(&server).await.unwrap();
        let sql: &'static str = Box::leak(format!("CREATE DATABASE {name}").into_boxed_str());
        sqlx::query(sql).execute(&mut admin).await.unwrap();
        let mut url = url::Url::parse(&server).unwrap();
        url.set_path(&name);
        Self::over(url.as_str(), story, None).await
    }

    async fn over(url: &str, story: Story, folder: Option<tempfile::TempDir>) -> Self {
        let db = Db::open(url).await.unwrap();
        let clock = ManualClock::new(at(0).timestamp());
        let mut tx = db.write().await.unwrap();
        let platform = if story.instagram { "instagram" } else { "facebook" };
        tx.exec(
            "INSERT INTO account (id, platform, external_id, opd, active, next_poll_at) VALUES (1, $1, $2, 'dindukcapil', 1, 0)",
            vec![platform.into(), OWN.into()],
        )
        .await
        .unwrap();
        for source in ["messages", "comments", "posts", "mentions"] {
            tx.exec(
                "INSERT INTO source (account_id, name, first_read_at, opens_from) VALUES (1, $1, $2, $3)",
                vec![source.into(), at(0).into(), story.opens_from.map(at).into()],
            )
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
        let stage = stages::sla(&db, &Arc::new(rules(story.mentions)), &clock, &Skew::default()).await;
        Self { story, db, clock, stage, whole: BTreeMap::new(), _folder: folder }
    }

    /// Plays the story's deeds, then reads everything and lets every deadline pass. After each deed the stage runs, as its timer would have it.
    pub async fn play(&mut self) -> Vec<Stored> {
        let mut before = Vec::new();
        for (second, deed) in self.story.deeds.clone() {
            self.run_until(second).await;
            match deed {
                Deed::Whole { place, seed } => {
                    self.read(second, &place.map_or_else(|| (0..PLACES.len()).collect(), |place| vec![place]), seed).await;
                }
                Deed::Part { seed } => self.read(second, &[], seed).await,
                Deed::Staff { kind, pick } => self.staff(kind, pick).await,
            }
            self.run().await;
            let now = self.stored().await;
            numbers_are_kept(&before, &now);
            before = now;
        }
        self.read(100_000, &(0..PLACES.len()).collect::<Vec<_>>(), 0).await;
        self.run().await;
        let now = self.stored().await;
        numbers_are_kept(&before, &now);
        now
    }

    /// What the tickets must be by the rows.
    pub async fn reckoned(&self) -> Vec<Expected> {
        reckoning::tickets(&self.facts().await)
    }

    /// The clock moves to a second, three tenths past it, as reads and people are never on the dot.
    async fn run_until(&mut self, second: i64) {
        self.clock.set(at(second).plus(SignedDuration::from_millis(300)).timestamp());
        self.run().await;
    }

    pub async fn run(&mut self) {
        self.stage.once().await.unwrap();
    }

    pub fn now(&self) -> Time {
        use tanggap::runtime::Clock as _;
        Time::from_timestamp(self.clock.now())
    }

    /// These places in whole, or (none given) a third of all that can be seen.
    pub async fn read(&mut self, second: i64, whole: &[usize], mut seed: u64) {
        self.clock.set(at(second).plus(SignedDuration::from_millis(300)).timestamp());
        let mut messages: Vec<Seen> = Vec::new();
        for item in &self.story.items {
            let wanted = if whole.is_empty() { roll(&mut seed).is_multiple_of(3) } else { whole.contains(&item.place) };
            messages.extend(item.shown(second).filter(|_| wanted));
            if roll(&mut seed).is_multiple_of(4) {
                messages.extend(messages.last().cloned());
            }
        }
        for index in (1..messages.len()).rev() {
            messages.swap(index, roll(&mut seed) % (index + 1));
        }
        let proofs: Vec<Proof> = whole.iter().map(|place| proof(PLACES[*place])).collect();
        let now = self.now();
        let began_at = now.minus(SignedDuration::from_millis(100));
        let batch = Batch {
            account: AccountId(1),
            began_at,
            now,
            confirm_gone: SignedDuration::ZERO,
            messages,
            posts: vec![],
            proofs,
            bindings: vec![],
        };
        // Twice: what the first misses is sure to be gone with the second, and what it took in is the same message.
        for _ in 0..2 {
            intake::take(&self.db, &batch).await.unwrap();
        }
        for place in whole {
            self.whole.entry(*place).or_default().push(began_at);
        }
    }

    async fn staff(&self, kind: ActionKind, pick: usize) {
        let mut open: Vec<Stored> = self.stored().await.into_iter().filter(|stored| stored.ticket.state == "open").collect();
        // not by number: threads of one read are numbered in no order
        open.sort_by(|a, b| (&a.ticket.thread, &a.ticket.author).cmp(&(&b.ticket.thread, &b.ticket.author)));
        if let Some(stored) = open.get(pick % open.len().max(1)) {
            actions::record(&self.db, &Scope::ALL, &[TicketId(stored.id)], (kind, "alasan"), "siti", self.now()).await.unwrap();
        }
    }

    pub async fn rows(&self, sql: &'static str) -> Vec<Row> {
        self.db.rows(sql, vec![]).await.unwrap()
    }

    /// Every ticket in the order of numbers, those merged away included.
    pub async fn stored(&self) -> Vec<Stored> {
        let mut members: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        let sql = "SELECT tm.ticket_id, m.external_id FROM ticket_message tm JOIN message m ON m.id = tm.message_id ORDER BY m.external_id";
        for row in self.rows(sql).await {
            members.entry(row.i("ticket_id").unwrap()).or_default().push(row.t("external_id").unwrap());
        }
        let rows = self.rows("SELECT k.*, th.key FROM ticket k JOIN thread th ON th.id = k.thread_id ORDER BY k.id").await;
        let stored = |row: &Row| {
            let id = row.i("id").unwrap();
            let ticket = Expected {
                thread: row.t("key").unwrap(),
                author: row.t("author").unwrap(),
                opened_at: row.at("opened_at").unwrap().timestamp(),
                state: row.word("state", TicketState::from_word).unwrap().word(),
                closed_at: when(row, "closed_at"),
                answered_by: row.ot("answered_by").unwrap(),
                due_at: row.at("due_at").unwrap().timestamp(),
                breached_at: when(row, "breached_at"),
                policy: row.t("policy").unwrap(),
                urgent: row.b("urgent").unwrap(),
                messages: row.i("messages").unwrap() as usize,
                acknowledged_at: when(row, "acknowledged_at"),
                reason: row.ot("reason").unwrap(),
                members: members.remove(&id).unwrap_or_default(),
            };
            Stored { id, ticket }
        };
        rows.iter().map(stored).collect()
    }
}

fn proof(place: &str) -> Proof {
    match place {
        conversation if conversation.starts_with("t_") => Proof::Conversation { name: conversation.into(), from: None },
        post => Proof::Post(post.into()),
    }
}

/// Those merged away left out, in the order of the reckoning.
pub fn standing(stored: Vec<Stored>) -> Vec<Expected> {
    let merged = |ticket: &Expected| ticket.reason.as_deref().is_some_and(|reason| reason.starts_with("merged into"));
    let mut tickets: Vec<Expected> = stored.into_iter().map(|stored| stored.ticket).filter(|ticket| !merged(ticket)).collect();
    tickets.sort_by(|a, b| (&a.thread, a.opened_at, &a.author, a.closed_at).cmp(&(&b.thread, b.opened_at, &b.author, b.closed_at)));
    tickets
}

/// No number vanishes or changes hands: a message leaves a ticket only where that is merged into one with a lower number that holds it now, or
/// keeps another part of its messages (a split).
fn numbers_are_kept(before: &[Stored], now: &[Stored]) {
    let by_id: BTreeMap<i64, &Expected> = now.iter().map(|stored| (stored.id, &stored.ticket)).collect();
    for old in before {
        let same = by_id[&old.id];
        assert_eq!((&same.thread, &same.author), (&old.ticket.thread, &old.ticket.author), "number {} changed hands", old.id);
        for member in &old.ticket.members {
            // None: an answer from before it turned up, and it asks nothing on its own.
            let Some(holder) = now.iter().find(|stored| stored.ticket.members.contains(member)).map(|stored| stored.id) else { continue };
            let merged = same.reason == Some(format!("merged into {holder}")) && holder < old.id;
            let split = same.members.iter().any(|kept| old.ticket.members.contains(kept));
            assert!(holder == old.id || merged || split, "{member} went from {} to {holder}: {same:?}", old.id);
        }
    }
}
