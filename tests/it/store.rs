//! One set of test bodies for both databases: every public function of `src/store/` means the same on each.

mod accounts;
mod concerns;
mod db;
mod intake;
mod outbox;
mod people;
mod replies;
mod schema;
mod storm;
mod suite;
mod tickets;
pub mod world;
