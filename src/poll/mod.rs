//! Stage 1: reads what is due, truthfully: every account at its interval, and every thread whose step is due.
//!
//! `stage` takes what is due and runs it side by side; `account` polls one account and says how it went; `read` reads what is due of it by
//! `posts`, `comments`, `mentions` and `inbox`, the first of them by the lists of `shelf`; `verify` reads the threads of which a read is
//! wanted before a step; `doubts` looks whether it shows what citizens write. `replies` sends what staff wrote. `pass` is what they all do it with, `tokens` with what
//! right. Pure: `schedule` says when to poll again, `quota` what may still be asked, `silence` whether an account is quieter than usual.

mod account;
mod comments;
mod doubts;
mod inbox;
mod mentions;
mod pass;
mod posts;
mod quota;
mod read;
mod replies;
pub mod schedule;
mod shelf;
mod silence;
mod skew;
mod stage;
pub mod tokens;
mod verify;

pub use replies::Replies;
pub use skew::Skew;
pub use stage::{Joints, PollStage};
