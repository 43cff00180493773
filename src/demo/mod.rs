//! The world outside, on loopback: Meta's Graph API with its citizens and officials, and the channels that alerts go out on.
//!
//! `tanggap demo`, the tests, the soak and the crash runs use the same one. It is written from the fact sheets alone and
//! shares no code with [`crate::graph`], so that client and simulator cannot share one misreading of Meta.
//!
//! [`world`] is what exists and who may see it; [`api`] shows it as Meta would; [`script`] lets people write;
//! [`hook`] tells of it by webhook; [`sink`] catches what the daemon sends; [`configure`] joins the daemon to all of them.

pub mod api;
pub mod hook;
mod line;
pub mod script;
pub mod sink;
mod site;
pub mod world;

use std::sync::Arc;

use jiff::Timestamp;
pub use site::configure;

/// Where the simulator takes its time from.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;
