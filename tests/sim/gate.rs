//! The database fails: at a commit or before a transaction, by error or by death of the process, once or for a while.

use std::{
    collections::BTreeMap,
    fmt, io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::future::{BoxFuture, FutureExt as _, pending};
use tanggap::{
    runtime::held,
    store::{Db, StoreError, db::Gate},
};
use tokio::sync::Notify;

/// What happens at a commit, or (the last two) where a transaction begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The process dies before it.
    DeadBefore,
    /// The process dies after it, nobody having heard of it.
    DeadAfter,
    /// The connection breaks; it is done.
    UnknownDone,
    /// The connection breaks; it is not done.
    UnknownUndone,
    /// The disk is full.
    Full,
    /// Nothing is stored, though it is said to be: no database does so. It shows that the checks notice.
    Lie,
    /// The database is busy.
    Busy,
    /// The process stands still, long enough to lose its leases, and goes on.
    Frozen,
}

impl Failure {
    pub const fn word(self) -> &'static str {
        match self {
            Self::DeadBefore => "crash before a commit",
            Self::DeadAfter => "crash after a commit",
            Self::UnknownDone => "commit unknown, done",
            Self::UnknownUndone => "commit unknown, not done",
            Self::Full => "disk full",
            Self::Lie => "lie",
            Self::Busy => "database busy",
            Self::Frozen => "worker frozen under a lease",
        }
    }
    const fn at_begin(self) -> bool {
        matches!(self, Self::Busy | Self::Frozen)
    }
}

/// How often each fault was really injected.
#[derive(Clone, Debug, Default)]
pub struct Counts(Arc<Mutex<BTreeMap<&'static str, usize>>>);

impl Counts {
    pub fn add(&self, what: &'static str) {
        *held(&self.0).entry(what).or_default() += 1;
    }
    pub fn all(&self) -> BTreeMap<&'static str, usize> {
        held(&self.0).clone()
    }
}

#[derive(Debug)]
struct Order {
    failure: Failure,
    /// So many transactions pass before.
    after: usize,
    /// So many meet it.
    times: usize,
}

/// The gate of one process.
#[derive(Default)]
pub struct Trap {
    orders: Mutex<Vec<Order>>,
    counts: Counts,
    dead: AtomicBool,
    frozen: AtomicBool,
    died: Notify,
    froze: Notify,
    thaw: Notify,
}

impl fmt::Debug for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trap")
    }
}

fn broken() -> StoreError {
    StoreError::Sql(io::Error::new(io::ErrorKind::ConnectionReset, "simulated").into())
}

impl Trap {
    pub fn new(counts: Counts) -> Arc<Self> {
        Arc::new(Self { counts, ..Self::default() })
    }
    /// The transactions of `db` pass through it.
    pub fn around(self: &Arc<Self>, db: Db) -> Db {
        db.gated(self.clone())
    }
    /// After so many transactions, so many of them fail like this.
    pub fn order(&self, failure: Failure, after: usize, times: usize) {
        held(&self.orders).push(Order { failure, after, times });
    }
    /// Nothing more is to fail.
    pub fn heal(&self) {
        held(&self.orders).clear();
    }
    /// Orders that were not met yet go with the disk, not with the process.
    pub fn inherit(&self, other: &Self) {
        held(&self.orders).append(&mut held(&other.orders));
    }
    /// Returns when the process is dead.
    pub async fn death(&self) {
        while !self.dead.load(Ordering::Relaxed) {
            self.died.notified().await;
        }
    }
    /// Returns when the process stands still.
    pub async fn frost(&self) {
        while !self.frozen.load(Ordering::Relaxed) {
            self.froze.notified().await;
        }
    }
    /// It goes on.
    pub fn thaw(&self) {
        self.thaw.notify_one();
    }
    /// What happens now.
    fn next(&self, at_begin: bool) -> Option<Failure> {
        let mut orders = held(&self.orders);
        let at = orders.iter().position(|order| order.failure.at_begin() == at_begin)?;
        let order = &mut orders[at];
        if order.after > 0 {
            order.after -= 1;
            return None;
        }
        let failure = order.failure;
        order.times -= 1;
        if order.times == 0 {
            orders.remove(at);
        }
        self.counts.add(failure.word());
        Some(failure)
    }
    async fn die(&self) -> ! {
        self.dead.store(true, Ordering::Relaxed);
        self.died.notify_one();
        pending().await
    }
}

impl Gate for Trap {
    fn begin(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        async {
            if self.dead.load(Ordering::Relaxed) {
                pending::<()>().await;
            }
            match self.next(true) {
                Some(Failure::Busy) => Err(StoreError::Sql(sqlx::Error::PoolTimedOut)),
                Some(Failure::Frozen) => {
                    self.frozen.store(true, Ordering::Relaxed);
                    self.froze.notify_one();
                    self.thaw.notified().await;
                    Ok(())
                }
                _ => Ok(()),
            }
        }
        .boxed()
    }

    fn commit<'a>(&'a self, commit: BoxFuture<'a, Result<(), StoreError>>) -> BoxFuture<'a, Result<(), StoreError>> {
        async {
            match self.next(false) {
                Some(Failure::DeadBefore) => {
                    drop(commit);
                    self.die().await
                }
                Some(Failure::DeadAfter) => {
                    let _ = commit.await;
                    self.die().await
                }
                Some(Failure::UnknownDone) => commit.await.and(Err(broken())),
                Some(Failure::UnknownUndone) => Err(broken()),
                Some(Failure::Full) => Err(StoreError::DiskFull),
                Some(Failure::Lie) => Ok(()),
                _ => commit.await,
            }
        }
        .boxed()
    }
}
