//! normalize
pub mod triage;
