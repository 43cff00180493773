//! The program: its poll stage, stepped by hand, and its receiver of webhooks over real HTTP.

use std::sync::Arc;

use jiff::Timestamp;
use tanggap::{
    app,
    demo::hook::{Hooks, Manner},
    domain::Time,
    poll::{PollStage, Skew},
    runtime::{Clock as _, Crew, ManualClock, Stage as _},
    store::Db,
};

use crate::{Reader, figures::Found, stages};

pub struct Tanggap {
    clock: Arc<ManualClock>,
    db: Db,
    poll: PollStage,
    /// When something is due, as the stage said.
    next: Option<Timestamp>,
    hooks: Option<(Hooks, Crew)>,
}

impl Tanggap {
    /// Over this site's empty database; with a manner Meta tells it of every account.
    pub async fn new(site: &stages::Site, manner: Option<Manner>) -> Self {
        let stages::Site { clock, db, settings, .. } = site;
        let poll = stages::poll(db, settings, clock, &Skew::default()).await;
        let mut hooks = None;
        if let Some(manner) = manner {
            let (url, crew) = stages::web(db, settings, clock).await;
            app::subscribe(settings).await.unwrap();
            hooks = Some((Hooks::new(&site.simulator, format!("{url}/webhooks/meta"), manner).unwrap(), crew));
        }
        Self { clock: clock.clone(), db: db.clone(), poll, next: Some(clock.now()), hooks }
    }
}

impl Reader for Tanggap {
    async fn second(&mut self) {
        let told = match &mut self.hooks {
            Some((hooks, _)) => hooks.send().await.unwrap(),
            None => Vec::new(),
        };
        assert!(told.iter().all(|&status| status == 200), "{told:?}");
        if !told.is_empty() || self.next.is_some_and(|at| at <= self.clock.now()) {
            self.next = self.poll.once().await.unwrap().next;
        }
    }

    async fn found(self) -> Vec<Found> {
        if let Some((_, crew)) = self.hooks {
            crew.stop().await.unwrap();
        }
        let sql = "SELECT a.external_id AS account, m.key, m.seen_at FROM message m JOIN account a ON a.id = m.account_id";
        let rows = self.db.rows(sql, vec![]).await.unwrap();
        let found = rows.iter().map(|row| Found {
            account: row.t("account").unwrap(),
            key: row.t("key").unwrap(),
            at: Time::clamp_ms(row.i("seen_at").unwrap()).timestamp(),
        });
        found.collect()
    }
}
