//! A simulated site with a poll stage and an sla stage that are stepped by hand.

use std::sync::Arc;

use jiff::SignedDuration;
use tanggap::{
    app,
    demo::{
        api::Simulator,
        hook::{Hooks, Manner},
        script::{Agency, Pace, Script},
    },
    domain::SharedSettings,
    poll::{PollStage, Skew},
    runtime::{Clock as _, Crew, ManualClock, Stage as _},
    sla::SlaStage,
    store::Db,
};
use tokio_util::sync::DropGuard;

use crate::stages;

pub struct World {
    pub clock: Arc<ManualClock>,
    pub simulator: Simulator,
    pub agencies: Vec<Agency>,
    pub db: Db,
    pub settings: SharedSettings,
    poll: PollStage,
    sla: SlaStage,
    _folder: tempfile::TempDir,
    _stop: DropGuard,
}

impl World {
    /// So many agencies with a Page and an Instagram account each, on a SQLite file. Nobody writes by itself.
    pub async fn new(count: usize) -> Self {
        let pace = Pace { gap: SignedDuration::from_hours(1), answer: SignedDuration::from_hours(1), late: SignedDuration::from_secs(20) };
        Self::with(1, count, pace, "").await.0
    }

    /// The same with a story that is stepped by the caller; `more` is appended to the configuration.
    pub async fn with(seed: u64, count: usize, pace: Pace, more: &str) -> (Self, Script) {
        let stages::Site { clock, simulator, script, settings, db, folder, stop } = stages::site(seed, count, pace, more).await;
        let agencies = script.agencies().to_vec();
        let skew = Skew::default();
        let poll = stages::poll(&db, &settings, &clock, &skew).await;
        let sla = stages::sla(&db, &settings, &clock, &skew).await;
        (Self { clock, simulator, agencies, db, settings, poll, sla, _folder: folder, _stop: stop }, script)
    }

    pub fn page(&self, agency: usize) -> String {
        self.agencies[agency].page.id.clone()
    }

    pub fn instagram(&self, agency: usize) -> String {
        self.agencies[agency].instagram.id.clone()
    }

    pub fn clock_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// Every account was asked who it is, and then read for the first time.
    pub async fn introduced(&mut self) {
        self.turn(SignedDuration::ZERO).await;
        self.turn(SignedDuration::from_secs(1)).await;
    }

    /// Subscribes every account to everything, and lets Meta tell of it.
    pub async fn hooks(&self, manner: Manner) -> (Hooks, Crew) {
        let (url, crew) = stages::web(&self.db, &self.settings, &self.clock).await;
        app::subscribe(&self.settings).await.unwrap();
        (Hooks::new(&self.simulator, format!("{url}/webhooks/meta"), manner).unwrap(), crew)
    }

    /// The stages of a new process on the same database.
    pub async fn restart(&mut self) {
        let skew = Skew::default();
        self.poll = stages::poll(&self.db, &self.settings, &self.clock, &skew).await;
        self.sla = stages::sla(&self.db, &self.settings, &self.clock, &skew).await;
    }

    /// Moves the clock on, then lets poll do what is due, and sla after it.
    pub async fn turn(&mut self, by: SignedDuration) {
        self.clock.advance(by);
        self.poll.once().await.unwrap();
        self.sla.once().await.unwrap();
    }

    /// The same with sla first, as it may be at a start.
    pub async fn turn_judged_first(&mut self, by: SignedDuration) {
        self.clock.advance(by);
        self.sla.once().await.unwrap();
        self.poll.once().await.unwrap();
        self.sla.once().await.unwrap();
    }

    /// The process dies this long into a step of poll.
    pub async fn killed(&mut self, after: std::time::Duration) {
        tokio::select! {
            outcome = self.poll.once() => panic!("the step ended before: {outcome:?}"),
            () = tokio::time::sleep(after) => {}
        }
        self.restart().await;
    }

    /// The column `one` of a query, in its order.
    pub async fn texts(&self, sql: &'static str) -> Vec<String> {
        self.db.rows(sql, vec![]).await.unwrap().iter().map(|row| row.t("one").unwrap()).collect()
    }
}
