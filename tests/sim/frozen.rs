//! A second worker on the same database that stands still in the middle of a step until its leases are gone, and then goes on as if nothing
//! had happened: what it writes then must be refused, or change nothing that another worker holds by now.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tanggap::{
    runtime::Stage as _,
    store::{Db, db::Row},
};
use tokio::task::JoinHandle;

use super::{
    gate::{Failure, Trap},
    process::Process,
};

/// What a lease protects, as text, with the number of the lease.
const LEASED: &str = "SELECT 'account ' || CAST(id AS TEXT) AS t, fence, CAST(next_poll_at AS TEXT) || ' ' || COALESCE(lease_owner, '-') || ' ' ||
      CAST(lease_until AS TEXT) || ' ' || CAST(failures AS TEXT) || ' ' || COALESCE(CAST(last_read_at AS TEXT), '-') || memo AS holds FROM account
    UNION ALL SELECT 'letter ' || CAST(id AS TEXT), fence, state || ' ' || CAST(attempts AS TEXT) || ' ' || COALESCE(CAST(next_try_at AS TEXT), '-') ||
      ' ' || COALESCE(lease_owner, '-') || ' ' || CAST(lease_until AS TEXT) || ' ' || COALESCE(CAST(delivered_at AS TEXT), '-') FROM letter";

type Held = BTreeMap<String, (i64, String)>;

async fn held(db: &Db) -> Held {
    let rows = db.rows(LEASED, vec![]).await.unwrap();
    let one = |row: &Row| (row.t("t").unwrap(), (row.i("fence").unwrap(), row.t("holds").unwrap()));
    rows.iter().map(one).collect()
}

pub struct Frozen {
    trap: Arc<Trap>,
    task: JoinHandle<()>,
    db: Db,
    /// The leases it has.
    own: Held,
}

impl Frozen {
    /// Lets the worker take a step of its alert or poll stage until, after so many transactions, it stands still; `None` if it did not come
    /// so far.
    pub async fn catch(mut worker: Process, alert: bool, after: usize) -> Option<Self> {
        let (trap, db) = (worker.trap.clone(), worker.aside.clone());
        trap.order(Failure::Frozen, after, 1);
        #[allow(clippy::disallowed_methods)] // it is awaited below, or when it goes on
        let mut task = tokio::spawn(async move {
            // Refused or not: what it stored is looked at.
            let _ = if alert { worker.alert.once().await.is_ok() } else { worker.poll.once().await.is_ok() };
        });
        tokio::select! {
            ended = &mut task => {
                ended.unwrap();
                db.close().await;
                None
            }
            () = trap.frost() => {
                let mut own = held(&db).await;
                own.retain(|_, (_, holds)| holds.contains(" other "));
                Some(Self { trap, task, db, own })
            }
        }
    }

    /// It goes on, its leases long gone.
    pub async fn thaw(self, db: &Db) {
        let before = held(db).await;
        self.trap.thaw();
        tokio::time::timeout(Duration::from_mins(1), self.task).await.expect("it never ends").unwrap();
        let after = held(db).await;
        for (name, (fence, _)) in &self.own {
            let taken = before.get(name).filter(|(now, _)| now > fence);
            assert!(
                taken.is_none() || before.get(name) == after.get(name),
                "written under a lease that was lost: {name}: {before:?} {after:?}"
            );
        }
        self.db.close().await;
    }
}
