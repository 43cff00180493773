//! Named tasks that stand and fall together. The only place where tasks are spawned: one that ends unasked stops the rest,
//! and the program ends with an error that names it, so that systemd starts it anew.

use std::collections::HashMap;
use std::fmt::Display;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::error;

/// How long tasks may take to stop, all told; a second is left of the ten promised for the rest of the exit.
const GRACE: Duration = Duration::from_secs(9);
/// How long tasks that were cut off may take to let go.
const LET_GO: Duration = Duration::from_millis(500);

/// Why a crew came to grief.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CrewError {
    /// A task that should run until it is stopped did not.
    #[error("the task {0} ended unasked; this is a bug")]
    Ended(String),
    /// A task gave up.
    #[error("the task {task} failed: {why}")]
    Failed {
        /// Its name.
        task: String,
        /// Its error.
        why: String,
    },
    /// A task panicked; the log has the place.
    #[error("the task {0} panicked; this is a bug, and the log says where")]
    Panicked(String),
    /// Tasks that were asked to stop, did not in time, and were cut off.
    #[error("did not stop in time and were cut off: {}", .0.join(", "))]
    Stuck(Vec<String>),
}

/// What a task comes to.
pub trait Outcome {
    /// As a result with the error's words.
    fn outcome(self) -> Result<(), String>;
}

impl Outcome for () {
    fn outcome(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: Display> Outcome for Result<(), E> {
    fn outcome(self) -> Result<(), String> {
        self.map_err(|error| error.to_string())
    }
}

/// The tasks of one run of the program, or of one configuration.
pub struct Crew {
    tasks: JoinSet<Result<(), String>>,
    names: HashMap<Id, String>,
    stop: CancellationToken,
    grace: Duration,
    trouble: Option<CrewError>,
}

impl Crew {
    /// An empty crew, which stops when `stop` does and can be stopped without it.
    pub fn new(stop: &CancellationToken) -> Self {
        Self { tasks: JoinSet::new(), names: HashMap::new(), stop: stop.child_token(), grace: GRACE, trouble: None }
    }

    /// What every task of the crew must watch and end at.
    pub fn token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task, which must run until the crew's token is cancelled, and comes to `()` or `Result<(), impl Display>`.
    pub fn spawn<O: Outcome>(&mut self, name: impl Into<String>, task: impl Future<Output = O> + Send + 'static) {
        let handle = self.tasks.spawn(async { task.await.outcome() });
        self.names.insert(handle.id(), name.into());
    }

    /// Returns when the crew has to stop: it was asked to, or a task ended unasked. Loses nothing if dropped half-way.
    pub async fn watch(&mut self) {
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                Some(end) = self.tasks.join_next_with_id() => self.note(end),
            }
        }
    }

    /// Asks every task to stop, waits for them, cuts off what has not ended in time, and says how it all ended.
    pub async fn stop(mut self) -> Result<(), CrewError> {
        // what ended before the stop did so unasked
        while let Some(end) = self.tasks.try_join_next_with_id() {
            self.note(end);
        }
        self.stop.cancel();
        if timeout(self.grace, self.join()).await.is_err() {
            let mut stuck: Vec<String> = self.names.values().cloned().collect();
            stuck.sort();
            self.tasks.abort_all();
            while let Ok(Some(_)) = timeout(LET_GO, self.tasks.join_next()).await {}
            self.fail(CrewError::Stuck(stuck));
        }
        self.trouble.map_or(Ok(()), Err)
    }

    async fn join(&mut self) {
        while let Some(end) = self.tasks.join_next_with_id().await {
            self.note(end);
        }
    }

    fn note(&mut self, end: Result<(Id, Result<(), String>), JoinError>) {
        let (id, outcome) = match end {
            Ok((id, outcome)) => (id, Some(outcome)),
            Err(panicked) => (panicked.id(), None),
        };
        let task = self.names.remove(&id).unwrap_or_default();
        match outcome {
            Some(Ok(())) if self.stop.is_cancelled() => {}
            Some(Ok(())) => self.fail(CrewError::Ended(task)),
            Some(Err(why)) => self.fail(CrewError::Failed { task, why }),
            None => self.fail(CrewError::Panicked(task)),
        }
    }

    /// The first trouble is the outcome; what follows from it is only logged.
    fn fail(&mut self, trouble: CrewError) {
        self.stop.cancel();
        if self.trouble.is_none() {
            self.trouble = Some(trouble);
        } else {
            error!(error = %trouble, "more trouble while stopping");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    fn crew() -> Crew {
        let mut crew = Crew::new(&CancellationToken::new());
        let token = crew.token();
        crew.spawn("steady", token.cancelled_owned());
        crew
    }

    fn boom() {
        panic!("on purpose")
    }

    async fn outcome(mut crew: Crew) -> Result<(), CrewError> {
        timeout(Duration::from_secs(10), crew.watch()).await.expect("nobody noticed");
        crew.stop().await
    }

    #[tokio::test]
    async fn a_task_that_returns_unasked_stops_the_rest_and_is_named() {
        let mut crew = crew();
        crew.spawn("poll", ready(()));
        assert_eq!(outcome(crew).await, Err(CrewError::Ended("poll".into())));
    }

    #[tokio::test]
    async fn a_task_that_errs_stops_the_rest_and_is_named_with_its_reason() {
        let mut crew = crew();
        crew.spawn("serve", ready(Err("no more sockets")));
        assert_eq!(outcome(crew).await.unwrap_err().to_string(), "the task serve failed: no more sockets");
    }

    #[tokio::test]
    async fn a_task_that_panics_stops_the_rest_and_is_named() {
        let mut crew = crew();
        crew.spawn("sla", async { boom() });
        assert_eq!(outcome(crew).await, Err(CrewError::Panicked("sla".into())));
    }

    #[tokio::test]
    async fn a_crew_that_was_asked_to_stop_ends_well() {
        let stop = CancellationToken::new();
        let mut crew = Crew::new(&stop);
        let token = crew.token();
        crew.spawn("steady", token.cancelled_owned());
        stop.cancel();
        assert_eq!(outcome(crew).await, Ok(()));
    }

    #[tokio::test]
    async fn stopping_one_crew_leaves_the_program_running() {
        let stop = CancellationToken::new();
        assert_eq!(Crew::new(&stop).stop().await, Ok(()));
        assert!(!stop.is_cancelled());
    }

    #[tokio::test]
    async fn a_task_that_does_not_stop_is_cut_off_and_named() {
        let mut crew = crew();
        crew.grace = Duration::from_millis(20);
        crew.spawn("stuck", pending::<()>());
        assert_eq!(crew.stop().await, Err(CrewError::Stuck(vec!["stuck".into()])));
    }

    #[tokio::test]
    async fn a_failure_while_stopping_is_a_failure() {
        let mut crew = crew();
        let token = crew.token();
        crew.spawn("alert", async move {
            token.cancelled().await;
            Err("the last write was refused")
        });
        assert!(matches!(crew.stop().await, Err(CrewError::Failed { task, .. }) if task == "alert"));
    }
}
