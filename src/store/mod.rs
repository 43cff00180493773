//! The only SQL. Every public function means the same on SQLite and PostgreSQL; one conformance suite runs them on both.

pub mod accounts;
pub mod acks;
pub mod actions;
pub mod audit;
pub mod backup;
pub mod concerns;
pub mod copy;
pub mod db;
pub mod figures;
pub mod forget;
pub mod hints;
pub mod intake;
pub mod keys;
pub mod leases;
pub mod limits;
pub mod listing;
pub mod meta;
pub mod outbox;
pub mod people;
pub mod proof;
mod reach;
pub mod recap;
pub mod replies;
pub mod restored;
pub mod restrict;
pub mod sources;
mod storm;
pub mod tickets;
pub mod tokens;
pub mod trail;

pub use backup::BackupError;
pub use db::{Db, StoreError};
