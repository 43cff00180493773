//! One test binary: real HTTP on loopback, SQLite files, a real PostgreSQL, the real program.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod alert;
mod channels;
mod cli;
mod clock;
mod config;
mod daemon;
mod deploy;
mod graph;
mod reckoning;
mod samples;
mod simulator;
mod texts;
mod tickets;
