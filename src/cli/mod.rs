//! cli

pub mod due;
