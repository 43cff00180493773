//! Stage 2: which clock runs for a ticket, when it runs out, and what happens then.

pub mod calendar;
pub mod policy;
pub mod worktime;
