//! What befalls the program in a seed: it dies and is started again, its clock is set, its configuration edited, its database replaced by a copy.

use jiff::SignedDuration;
use tanggap::{
    demo::world::Fault,
    domain::Time,
    runtime::Clock as _,
    store::{Db, leases, meta},
};

use super::{
    driver::{Driver, Due},
    faults::Act,
    frozen::Frozen,
    gate::Trap,
    people,
    process::start,
    restored::Copy,
};

impl Driver {
    /// Does it.
    pub async fn act(&mut self, act: Act) {
        if let Act::Meta(Fault::Body(_) | Fault::EmptyPage, _) | Act::Outage(Fault::Body(_) | Fault::EmptyPage, _) = &act {
            self.checks.lied_to(Time::from_timestamp(self.world.clocks.now()));
        }
        if let Act::Outage(_, length) = &act {
            self.outage = self.outage.max(self.world.now() + *length);
        }
        if self.world.act(&act, &self.counts) {
            return;
        }
        match act {
            Act::Fail(failure, after, times) => self.process.trap.order(failure, after, times),
            Act::Clock(ahead) => {
                if ahead.is_positive() {
                    self.counts.add("clock an hour ahead");
                } else if ahead.is_negative() {
                    self.counts.add("clock an hour behind");
                }
                self.world.clocks.step(ahead);
                self.checks.clock_stepped(ahead);
                self.due = [Due { woken: true, ..Due::default() }; 3];
            }
            Act::Edit => {
                self.counts.add("calendar edited");
                self.edits += 1;
                self.settings = self.world.settings(self.edits);
                self.restart(false).await;
            }
            Act::Restart => {
                self.counts.add("restart");
                self.restart(false).await;
            }
            Act::Backup => {
                self.thaw().await;
                self.copy = Some(Copy::of(&self.process.aside, &self.url, &self.world).await);
                if Db::file(&self.url).is_none() {
                    self.restart(false).await;
                }
            }
            Act::Restore => self.restore().await,
            Act::Freeze { alert, after } => self.freeze(alert, after).await,
            Act::Thaw => self.thaw().await,
            Act::Staff(pick) => {
                let now = self.world.clocks.now();
                people::staff(&self.process.aside, &self.settings, now, pick, &mut self.due[1].woken).await;
            }
            Act::Snipe(pick) => {
                self.plan.extend(people::snipe(&self.process.aside, &self.world, pick).await);
                self.plan.sort_by_key(|(at, _)| *at);
            }
            Act::Answer(name) => people::answer(&self.world, &name),
            Act::AtOnce(pick) => people::at_once(&self.world, pick),
            Act::Lie => self.lies = Some(0),
            Act::Sabotage(sql) => {
                let mut tx = self.process.aside.write().await.unwrap();
                assert!(tx.exec(sql, vec![]).await.unwrap() > 0, "nothing to spoil");
                tx.commit().await.unwrap();
                self.due.iter_mut().for_each(|due| due.woken = true);
            }
            _ => unreachable!("the world did it"),
        }
    }

    /// The process ends, by itself or not, and another one takes its place, as often as it takes.
    pub async fn restart(&mut self, died: bool) {
        // What was under way, and whether it arrived, nobody knows.
        if died {
            self.in_hand().await;
        }
        let mut trap = Trap::new(self.counts.clone());
        trap.inherit(&self.process.trap);
        loop {
            self.starts += 1;
            self.process.db.close().await;
            let owner = format!("w{}", self.starts);
            // Where it ran on this machine its leases are ended; elsewhere they run out.
            let freed = died && !(self.seed + self.starts as u64).is_multiple_of(3);
            let former = if freed { Some(self.process.owner.clone()) } else { None };
            let fresh = Trap::new(self.counts.clone());
            fresh.inherit(&trap);
            let started = tokio::select! {
                started = start(&self.url, &self.settings, &self.world, &self.client, fresh.clone(), (&owner, self.seed)) => started,
                () = fresh.death() => Err("died".to_owned()),
            };
            if let Ok(process) = started {
                self.process = process;
                let free = async {
                    match &former {
                        Some(former) => leases::free(&self.process.db, std::slice::from_ref(former)).await.is_ok(),
                        None => true,
                    }
                };
                let freed = tokio::select! {
                    freed = free => freed,
                    () = fresh.death() => false,
                };
                if freed {
                    break;
                }
            } else {
                self.world.clocks.world.advance(SignedDuration::from_secs(1));
            }
            trap = fresh;
        }
        self.due = [Due { woken: true, ..Due::default() }; 3];
        self.remember_configuration().await;
    }

    /// The checks learn which configuration holds now.
    pub async fn remember_configuration(&mut self) {
        let known = meta::remembered(&self.process.aside, "configuration").await.unwrap().unwrap();
        let (hash, at) = known.split_once(' ').unwrap();
        self.checks.configured(hash, Time::clamp_ms(at.parse().unwrap()), &self.settings);
    }

    async fn restore(&mut self) {
        let Some(copy) = self.copy.take() else { return };
        self.thaw().await;
        self.counts.add("restored from yesterday's backup");
        self.in_hand().await;
        self.process.db.close().await;
        copy.put_in_place(&mut self.url);
        self.restart(false).await;
        self.checks.restored(&self.world);
    }

    async fn freeze(&mut self, alert: bool, after: usize) {
        let trap = Trap::new(self.counts.clone());
        let other =
            start(&self.url, &self.settings, &self.world, &self.client, trap, ("other", self.seed)).await.expect("nothing fails there");
        self.frozen = Frozen::catch(other, alert, after).await;
        // `start` ended every lease of this process: it comes up for everybody anew.
        self.due.iter_mut().for_each(|due| due.woken |= due.failures == 0);
        if self.frozen.is_none() {
            self.in_hand().await;
        }
    }

    /// The worker that stands still goes on, if there is one.
    pub async fn thaw(&mut self) {
        let Some(frozen) = self.frozen.take() else { return };
        self.in_hand().await;
        frozen.thaw(&self.process.aside).await;
        self.due.iter_mut().for_each(|due| due.woken |= due.failures == 0);
    }
}
