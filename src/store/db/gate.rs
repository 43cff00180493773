//! What a test puts between a transaction and its commit, to try how the program stands a database that fails at the worst moment.

use std::fmt::Debug;

use futures_util::future::BoxFuture;

use super::StoreError;

/// Every write transaction of a [`super::Db`] passes through it; there is none in production.
///
/// Never returning is the death of the process just there: whoever polls the step drops it.
pub trait Gate: Debug + Send + Sync {
    /// Before a transaction begins; an error is what the database answers instead.
    fn begin(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// `commit` makes durable what was written. It may be let pass; dropped, which undoes it all; or awaited and its outcome withheld.
    fn commit<'a>(&'a self, commit: BoxFuture<'a, Result<(), StoreError>>) -> BoxFuture<'a, Result<(), StoreError>>;
}
