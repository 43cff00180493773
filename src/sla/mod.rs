//! Stage 2: what stands in the queue, when its clock runs out, and what happens then. Everything but `stage` is pure.

mod automatic;
pub mod judge;
mod naming;
mod numbering;
mod plan;
pub mod stage;
pub mod tickets;
pub use stage::{Joints, SlaStage};
