//! Stage 1: reads what is due, truthfully: every account at its interval, and every thread whose step is due.
//!
//! `stage` takes what is due and runs it side by side, `facebook` and `instagram` walk the edges of one account, `verify` reads the
//! threads of which a read is wanted, `tokens` says with what right, `schedule` (pure) says when to poll again.

mod facebook;
mod instagram;
mod pass;
pub mod schedule;
mod stage;
pub mod tokens;
mod verify;

pub use stage::{Joints, PollStage, Skew};
