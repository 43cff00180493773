//! The edge to Meta's Graph API: one request, one verdict.
//!
//! `call` sends a request and reads its answer, `facebook` and `instagram` say what is asked, `reply` what is written, `wire` what may come
//! back (tolerantly: a broken element costs that element), `verdict` what an error asks for next, `usage` how much of a limit is used.

pub mod call;
pub mod debug;
pub mod discover;
pub mod error;
pub mod facebook;
mod fields;
pub mod instagram;
pub mod reply;
pub mod request;
pub mod usage;
mod verdict;
pub mod wire;

pub use call::{Access, Answer, Client, Host};
pub use error::{GraphError, Next, Scope};
pub use request::Request;
pub use usage::Usage;
