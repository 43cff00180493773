//! What keeps the program alive and stops it: time, loops, tasks, signals, systemd, log, metrics, HTTP in and out.
//! Knows nothing of messages and tickets, and imports nothing of ours.

pub mod beat;
pub mod clock;
pub mod crew;
pub mod http;
pub mod log;
pub mod metrics;
pub mod pulse;
pub mod serve;
pub mod signal;
pub mod stage;
pub mod systemd;
pub mod worker;

pub use clock::{Clock, ManualClock, SharedClock, SystemClock};
pub use crew::{Crew, CrewError};
pub use pulse::Pulse;
pub use stage::{Nudge, Stage, Tally, drive};

/// `Mutex::lock` for data that a panicking holder cannot leave half-written.
pub fn held<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
