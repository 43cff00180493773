//! The register of accounts: what a token can see, whose it is, and how well the agencies are covered.
//!
//! `discover` asks Meta what a token sees, `matching` (pure) finds the agency of each account, `draft` (pure) writes both as
//! configuration, `keep` puts tokens into files of their owner's; `audit` (pure) says of every agency what its accounts lack, and
//! `page` makes a page of it.

pub mod audit;
pub mod discover;
pub mod draft;
pub mod keep;
pub mod matching;
pub mod page;
mod place;
mod shipped;

pub use shipped::units;
