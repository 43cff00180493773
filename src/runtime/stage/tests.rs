//! Each way in which the loop can be woken, with the others out of reach.

use std::sync::Arc;

use jiff::{SignedDuration, ToSpan};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::runtime::pulse::CALM;
use crate::runtime::{Clock, ManualClock};

const FAR: Duration = Duration::from_hours(1);
const SOON: Duration = Duration::from_secs(10);
const OUTAGE: &str = "the database is away";

/// Answers with what the test sends, and reports each step.
struct Scripted {
    answers: mpsc::UnboundedReceiver<Result<Tally, &'static str>>,
    steps: mpsc::UnboundedSender<()>,
}

impl Stage for Scripted {
    const NAME: &'static str = "scripted";
    type Error = &'static str;
    fn is_outage(error: &&'static str) -> bool {
        *error == OUTAGE
    }
    async fn once(&mut self) -> Result<Tally, &'static str> {
        self.steps.send(()).unwrap();
        self.answers.recv().await.unwrap()
    }
}

struct Bench {
    clock: Arc<ManualClock>,
    nudge: Nudge,
    stop: CancellationToken,
    pulse: Pulse,
    answers: mpsc::UnboundedSender<Result<Tally, &'static str>>,
    steps: mpsc::UnboundedReceiver<()>,
    task: JoinHandle<()>,
}

impl Bench {
    #[expect(clippy::disallowed_methods, reason = "the test watches one loop without a crew")]
    fn start(pace: Pace) -> Self {
        let (answers, script) = mpsc::unbounded_channel();
        let (report, steps) = mpsc::unbounded_channel();
        let clock = ManualClock::new("2026-11-24T02:00:00Z".parse().unwrap());
        let (nudge, stop, pulse) = (Nudge::default(), CancellationToken::new(), Pulse::default());
        let stage = Scripted { answers: script, steps: report };
        let task = tokio::spawn(drive_at(pace, stage, clock.clone(), nudge.clone(), stop.clone(), pulse.clone()));
        Self { clock, nudge, stop, pulse, answers, steps, task }
    }

    async fn step(&mut self, answer: Result<Tally, &'static str>) {
        timeout(SOON, self.steps.recv()).await.expect("the stage was not run").unwrap();
        self.answers.send(answer).unwrap();
    }

    async fn step_waits(&mut self, answer: Result<Tally, &'static str>) {
        self.nudge.nudge();
        self.step(answer).await;
    }

    async fn end(self) {
        self.stop.cancel();
        timeout(SOON, self.task).await.expect("the loop did not stop").unwrap();
    }
}

fn pace(tick: Duration) -> Pace {
    Pace { tick, first_pause: Duration::from_millis(1), longest_pause: Duration::from_millis(4), outage_pause: Duration::from_millis(2) }
}

const IDLE: Result<Tally, &str> = Ok(Tally { done: 0, next: None });

#[tokio::test]
async fn a_nudge_wakes_it_long_before_the_tick() {
    let mut bench = Bench::start(pace(FAR));
    bench.step(IDLE).await;
    bench.nudge.nudge();
    bench.step(IDLE).await;
    bench.end().await;
}

#[tokio::test]
async fn a_nudge_given_during_a_step_is_kept_for_after_it() {
    let mut bench = Bench::start(pace(FAR));
    timeout(SOON, bench.steps.recv()).await.unwrap().unwrap();
    bench.nudge.nudge();
    bench.answers.send(IDLE).unwrap();
    bench.step(IDLE).await;
    bench.end().await;
}

#[tokio::test]
async fn the_instant_it_named_wakes_it_long_before_the_tick() {
    let mut bench = Bench::start(pace(FAR));
    let next = bench.clock.now() + 20.milliseconds();
    bench.step(Ok(Tally { done: 0, next: Some(next) })).await;
    bench.step(IDLE).await;
    bench.end().await;
}

#[tokio::test]
async fn work_that_is_left_over_is_done_at_once() {
    let mut bench = Bench::start(pace(FAR));
    let past = bench.clock.now() - 1.second();
    bench.step(Ok(Tally { done: 7, next: Some(past) })).await;
    bench.step(IDLE).await;
    bench.end().await;
}

#[tokio::test]
async fn a_step_of_the_wall_clock_is_noticed_at_the_next_tick() {
    let mut bench = Bench::start(pace(Duration::from_millis(20)));
    let next = bench.clock.now() + 10.hours();
    bench.step(Ok(Tally { done: 1, next: Some(next) })).await;
    bench.clock.advance(SignedDuration::from_hours(11));
    bench.step(IDLE).await;
    bench.end().await;
}

#[tokio::test]
async fn failures_never_end_the_loop() {
    let mut bench = Bench::start(pace(FAR));
    for _ in 0..40 {
        bench.step(Err("the disk is full")).await;
    }
    bench.step(IDLE).await;
    bench.end().await;
}

#[tokio::test]
async fn an_outage_is_over_when_the_stage_that_met_it_first_gets_through() {
    let mut bench = Bench::start(pace(FAR));
    bench.pulse.lost("another", Instant::now(), OUTAGE);
    bench.step(Err(OUTAGE)).await;
    bench.step(IDLE).await;
    bench.nudge.nudge();
    bench.step(IDLE).await;
    assert!(bench.pulse.is_out());
    bench.pulse.through("another");
    assert!(!bench.pulse.is_out());
    bench.step_waits(Err(OUTAGE)).await;
    bench.step(IDLE).await;
    bench.nudge.nudge();
    bench.step(IDLE).await;
    assert!(!bench.pulse.is_out());
    bench.end().await;
}

#[tokio::test]
async fn a_step_that_began_before_an_outage_was_over_or_hardly_after_met_no_other() {
    let mut bench = Bench::start(pace(FAR));
    bench.pulse.lost("another", Instant::now(), OUTAGE);
    timeout(SOON, bench.steps.recv()).await.unwrap().unwrap();
    bench.pulse.through("another");
    for _ in 0..2 {
        bench.answers.send(Err(OUTAGE)).unwrap();
        timeout(SOON, bench.steps.recv()).await.unwrap().unwrap();
        assert!(!bench.pulse.is_out());
    }
    bench.pulse.lost("another", Instant::now() + CALM, OUTAGE);
    assert!(bench.pulse.is_out());
    bench.answers.send(IDLE).unwrap();
    bench.end().await;
}

#[tokio::test]
async fn stop_ends_the_wait_but_not_the_step() {
    let mut bench = Bench::start(pace(FAR));
    timeout(SOON, bench.steps.recv()).await.unwrap().unwrap();
    bench.stop.cancel();
    tokio::task::yield_now().await;
    assert!(!bench.task.is_finished(), "the step was cut off");
    bench.answers.send(IDLE).unwrap();
    bench.end().await;
}

#[tokio::test]
async fn a_step_over_its_budget_is_named_until_it_ends() {
    let mut bench = Bench::start(pace(FAR));
    bench.pulse.register(Scripted::NAME, Duration::ZERO);
    timeout(SOON, bench.steps.recv()).await.unwrap().unwrap();
    assert_eq!(bench.pulse.overrun(), Some(Scripted::NAME));
    bench.pulse.register(Scripted::NAME, FAR);
    assert_eq!(bench.pulse.overrun(), None, "within its budget");
    bench.pulse.register(Scripted::NAME, Duration::ZERO);
    bench.answers.send(IDLE).unwrap();
    let pulse = bench.pulse.clone();
    bench.end().await;
    assert_eq!(pulse.overrun(), None, "no step is under way");
}

#[test]
fn an_idle_step_whose_next_has_passed_does_not_spin() {
    let now = Timestamp::UNIX_EPOCH;
    let past = Tally { done: 0, next: Some(now - 1.second()) };
    let tick = Duration::from_secs(1);
    assert!(wait(tick, past, now) >= tick.mul_f64(0.9));
    assert_eq!(wait(tick, Tally { done: 1, ..past }, now), Duration::ZERO);
    assert!(wait(tick, Tally { done: 1, next: None }, now) <= tick);
}
