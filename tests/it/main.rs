//! One test binary: real HTTP on loopback, SQLite files, a real PostgreSQL, the real program.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod acks;
mod alert;
mod arrows;
mod board;
mod canary;
mod channels;
mod cli;
mod clock;
mod config;
mod daemon;
mod databases;
mod deploy;
mod disk;
mod evidence;
mod forget;
mod graph;
mod handbook;
mod hardening;
mod hooks;
mod monitoring;
mod newer;
mod poll;
mod reckoning;
mod registry;
mod report;
mod requests;
mod restored;
mod samples;
mod servers;
#[path = "../sim/mod.rs"]
mod sim;
mod simulator;
mod soak;
mod stages;
mod store;
mod texts;
mod tickets;
mod tokens;
mod upgrade;
mod violence;
