//! One seed from its beginning to its end: the clock goes from one due time to the next, the stages are stepped by hand, faults strike between
//! and within their steps, and after every step the checks look at what is stored.

use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};
use tanggap::{
    domain::{SharedSettings, Time},
    graph::Client,
    runtime::{Clock as _, http},
    store::outbox,
};

use super::{
    checks::{Checks, Now, rows},
    faults::{Act, plan},
    frozen::Frozen,
    gate::{Counts, Failure, Trap},
    process::{Process, Step, start, step},
    restored::Copy,
    world::{DAYS, World},
};
use crate::stages::Heard;

/// The longest the stages are left alone; the program itself looks every second.
const TICK: SignedDuration = SignedDuration::from_hours(2);
/// The most rounds of the stages at one instant.
const ROUNDS: usize = 12;
/// Flags go on so soon after the clock was set right.
const HELD: SignedDuration = SignedDuration::from_mins(20);
/// So long people write: the third day ends with what becomes of it.
const WRITING: SignedDuration = SignedDuration::from_hours(DAYS * 24 - 10);
/// Within this whatever was written is read in whole: two sweeps, and what makes one late.
const SETTLED: SignedDuration = SignedDuration::from_hours(10);
/// So long what was begun may take to end when all is well again.
const REST: SignedDuration = SignedDuration::from_hours(40);

/// When a stage is to run again.
#[derive(Clone, Copy, Default)]
pub struct Due {
    /// By the machine's clock.
    pub at: Option<Timestamp>,
    pub woken: bool,
    pub failures: u32,
}

pub struct Driver {
    pub seed: u64,
    pub world: World,
    pub url: String,
    pub settings: SharedSettings,
    pub counts: Counts,
    pub checks: Checks,
    pub process: Process,
    pub due: [Due; 3],
    pub plan: Vec<(Timestamp, Act)>,
    pub ticked: Timestamp,
    pub starts: usize,
    pub edits: usize,
    pub client: Client,
    pub frozen: Option<Frozen>,
    pub copy: Option<Copy>,
    /// Meta answers nobody until then.
    pub outage: Timestamp,
    pub held_since: Option<Timestamp>,
    /// In each step of the alert stage the database lies once: how often it did.
    pub lies: Option<usize>,
}

impl Driver {
    pub async fn new(seed: u64, postgres: Option<String>, heard: Heard) -> Self {
        let mut world = World::new(seed).await;
        let url = postgres.unwrap_or_else(|| world.sqlite());
        let settings = world.settings(0);
        let plan = plan(&mut world);
        let client = Client::new(http::client(settings.graph.timeout.unsigned_abs()).unwrap(), &settings.graph);
        let counts = Counts::default();
        let process = start(&url, &settings, &world, &client, Trap::new(counts.clone()), ("w0", seed)).await.expect("nothing fails yet");
        let checks = Checks::new(heard, world.secrets.clone());
        let ticked = world.now();
        let mut this = Self {
            seed,
            world,
            url,
            settings,
            counts,
            checks,
            process,
            due: [Due { woken: true, ..Due::default() }; 3],
            plan,
            ticked,
            starts: 0,
            edits: 0,
            client,
            frozen: None,
            copy: None,
            outage: ticked,
            held_since: None,
            lies: None,
        };
        this.remember_configuration().await;
        this
    }

    /// Something besides what the seed has drawn, so many hours after its beginning.
    pub fn add(&mut self, hours: i64, act: Act) {
        self.plan.push((self.world.begun + SignedDuration::from_hours(hours), act));
        self.plan.sort_by_key(|(at, _)| *at);
    }

    /// The whole of it.
    pub async fn run(&mut self) {
        let end = self.world.begun + WRITING;
        while self.world.now() < end {
            self.instant().await;
            self.advance(end);
        }
        self.world.over = true;
        self.heal().await;
        let (end, last) = (self.world.now(), self.world.now() + REST);
        loop {
            self.instant().await;
            if self.settled(end).await {
                break;
            }
            assert!(
                self.world.now() < last,
                "after {REST:#} something is still under way: {}",
                self.checks.unsettled(&self.process.aside).await
            );
            self.advance(last);
        }
        self.checks.end(&self.process.aside, &self.world, &self.settings).await;
    }

    /// All is well from now on.
    async fn heal(&mut self) {
        self.thaw().await;
        self.process.trap.heal();
        self.world.clocks.step(SignedDuration::ZERO);
        let mut graph = self.world.simulator.world();
        graph.end_outages();
        let accounts: Vec<String> = graph.accounts().map(|account| account.id.clone()).collect();
        for account in &accounts {
            graph.revive_token(account);
        }
        drop(graph);
        self.due = [Due { woken: true, ..Due::default() }; 3];
        self.plan.clear();
    }

    /// Whatever was written was read in whole, told and accepted.
    async fn settled(&self, since: Timestamp) -> bool {
        self.world.now() > since + SETTLED && outbox::outbox_count(&self.process.aside).await.unwrap() == 0
    }

    /// The clock goes on to whatever comes next.
    fn advance(&mut self, end: Timestamp) {
        let (now, ahead) = (self.world.now(), self.world.clocks.ahead());
        let due = self.due.iter().filter_map(|due| if due.woken { Some(now) } else { due.at.map(|at| at - ahead) });
        let story = self.world.script.next().filter(|_| !self.world.over);
        let others = [story, self.plan.first().map(|(at, _)| *at), Some(self.ticked + TICK), Some(end)];
        let next = due.chain(others.into_iter().flatten()).min().unwrap();
        // Never the same instant twice, whatever is due.
        self.world.clocks.world.set(next.max(now + SignedDuration::from_millis(200)));
    }

    /// Everything that is due now.
    async fn instant(&mut self) {
        self.world.live();
        let now = self.world.now();
        while self.plan.first().is_some_and(|(at, _)| *at <= now) {
            let (_, act) = self.plan.remove(0);
            self.act(act).await;
        }
        if self.world.now() >= self.ticked + TICK {
            self.ticked = self.world.now();
            self.due.iter_mut().for_each(|due| due.woken |= due.failures == 0);
        }
        let mut ran = false;
        for _ in 0..ROUNDS {
            let mut any = false;
            for stage in 0..3 {
                if self.is_due(stage) {
                    any = true;
                    self.stage(stage).await;
                }
            }
            if !any {
                break;
            }
            ran = true;
        }
        if ran {
            let sla_idle = !self.is_due(1) && self.due[1].failures == 0;
            self.flags_go_on();
            let now = Now { sla_idle, hold: self.process.skewed.load(Ordering::Relaxed) || !self.world.clocks.ahead().is_zero() };
            self.checks.after_step(&self.process.aside, &self.world, now).await;
        }
    }

    /// Soon after the machine's clock is right again the program knows it, unless nobody at Meta's tells the time.
    fn flags_go_on(&mut self) {
        let (now, skewed) = (self.world.now(), self.process.skewed.load(Ordering::Relaxed));
        if !skewed || !self.world.clocks.ahead().is_zero() || now < self.outage {
            self.held_since = None;
        } else {
            let since = *self.held_since.get_or_insert(now);
            assert!(now < since + HELD, "flags are held back since {since}, though the clock is right");
        }
    }

    fn is_due(&self, stage: usize) -> bool {
        let due = &self.due[stage];
        due.woken || due.at.is_some_and(|at| at <= self.world.clocks.now())
    }

    /// One step of a stage, as `drive` would take it.
    async fn stage(&mut self, stage: usize) {
        let Process { poll, sla, alert, trap, .. } = &mut self.process;
        if let (2, Some(lies)) = (stage, &mut self.lies) {
            trap.heal();
            trap.order(Failure::Lie, *lies % 6, 1);
            *lies += 1;
        }
        let outcome = match stage {
            0 => step(poll, trap).await,
            1 => step(sla, trap).await,
            _ => step(alert, trap).await,
        };
        let now = self.world.clocks.now();
        match outcome {
            Step::Done(tally) => {
                let spins = tally.done == 0 && tally.next.is_some_and(|next| next <= now);
                let at = if spins { Some(now + SignedDuration::from_secs(1)) } else { tally.next };
                self.due[stage] = Due { at, ..Due::default() };
                if tally.done > 0 {
                    self.nudge(stage, now).await;
                }
            }
            Step::Failed(error) => {
                self.checks.failed(stage, &error);
                self.in_hand().await;
                let failures = self.due[stage].failures + 1;
                let pause = SignedDuration::from_millis(250 << failures.min(6));
                self.due[stage] = Due { at: Some(now + pause), woken: false, failures };
                // What it stored before is there for the others.
                self.due.iter_mut().for_each(|due| due.woken |= due.failures == 0);
            }
            Step::Died => self.restart(true).await,
        }
    }

    /// The stages that a step of another may have made work for.
    async fn nudge(&mut self, by: usize, now: Timestamp) {
        let db = &self.process.aside;
        let untold = by < 2 && !rows(db, "SELECT 1 AS one FROM alert WHERE routed_at IS NULL LIMIT 1").await.is_empty();
        let sql = "SELECT 1 AS one FROM thread WHERE verify_at <= $1 LIMIT 1";
        let wanted = by == 1 && !db.rows(sql, vec![Time::from_timestamp(now).into()]).await.unwrap().is_empty();
        let woken = [wanted, by == 0, untold];
        self.due.iter_mut().zip(woken).for_each(|(due, woken)| due.woken |= woken && due.failures == 0);
    }

    /// Letters whose attempt is under way now may come twice.
    pub async fn in_hand(&mut self) {
        self.checks.in_hand(&self.process.aside).await;
    }
}
