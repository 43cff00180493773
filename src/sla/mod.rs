//! Stage 2: what stands in the queue, when its clock runs out, and what happens then. Everything but `stage` is pure.

mod automatic;
pub mod calendar;
pub mod judge;
mod naming;
mod numbering;
mod plan;
pub mod policy;
pub mod stage;
pub mod tickets;
pub mod worktime;
pub use stage::{Joints, SlaStage};
