//! A process of the program: its stages on its database, stepped by hand, and how it ends.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use tanggap::{
    alert::AlertStage,
    app,
    config::reread,
    domain::SharedSettings,
    graph::Client,
    poll::{self, PollStage, Skew},
    runtime::{Nudge, Stage, Tally, metrics::Metrics},
    sla::{self, SlaStage},
    store::Db,
};
use tokio_util::sync::CancellationToken;

use super::{gate::Trap, world::World};

/// A process of the program.
pub struct Process {
    pub db: Db,
    /// The same without its gate: for staff and for the checks.
    pub aside: Db,
    pub trap: Arc<Trap>,
    pub owner: String,
    /// It knows that its clock is wrong.
    pub skewed: Arc<AtomicBool>,
    pub poll: PollStage,
    pub sla: SlaStage,
    pub alert: AlertStage,
}

/// How a step of a stage ended.
pub enum Step {
    Done(Tally),
    Failed(String),
    Died,
}

/// One step of a stage, at whose end the process may be dead.
pub async fn step<S: Stage>(stage: &mut S, trap: &Trap) -> Step {
    tokio::select! {
        biased;
        outcome = stage.once() => match outcome {
            Ok(tally) => Step::Done(tally),
            Err(error) => Step::Failed(error.to_string()),
        },
        () = trap.death() => Step::Died,
    }
}

/// A process on this database: what `app` does at a start, but for the pages.
pub async fn start(
    url: &str,
    settings: &SharedSettings,
    world: &World,
    client: &Client,
    trap: Arc<Trap>,
    (owner, seed): (&str, u64),
) -> Result<Process, String> {
    let aside = Db::open(url).await.map_err(|error| error.to_string())?;
    let db = trap.around(aside.clone());
    let (skew, metrics, clock) = (Skew::default(), Metrics::default(), world.clocks.clone());
    let joints = poll::Joints {
        clock: clock.clone(),
        metrics: metrics.clone(),
        client: client.clone(),
        judge: Nudge::default(),
        alerts: Nudge::default(),
        stop: CancellationToken::new(),
        skew: skew.clone(),
        owner: owner.to_owned(),
        reread: Arc::new(reread),
    };
    let poll = PollStage::new(db.clone(), settings.clone(), joints).await.map_err(|error| error.to_string())?;
    let joints = sla::Joints {
        clock: clock.clone(),
        metrics: metrics.clone(),
        alerts: Nudge::default(),
        polls: Nudge::default(),
        skewed: skew.skewed.clone(),
    };
    let sla = SlaStage::new(db.clone(), settings.clone(), joints).await.map_err(|error| error.to_string())?;
    let links = app::links(&db).await.map_err(|error| error.to_string())?;
    let alert =
        AlertStage::new(db.clone(), settings.clone(), clock, metrics, owner.to_owned(), links).map_err(|error| error.to_string())?;
    let alert = alert.with_limit(Duration::from_millis(600)).with_seed(seed);
    Ok(Process { db, aside, trap, owner: owner.to_owned(), skewed: skew.skewed, poll, sla, alert })
}
