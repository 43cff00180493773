//! The daemon's sign of life, in the database and in a file beside it: a database whose own is older has gone back in time.

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::bail;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    domain::Time,
    runtime::SharedClock,
    store::{
        Db, StoreError,
        restored::{self, Restored},
    },
};

/// How often it is renewed.
const EVERY: Duration = Duration::from_mins(1);

/// The sign of life of this process.
#[derive(Clone)]
pub(super) struct Beat {
    db: Db,
    /// Where it is kept outside the database; `None`: nowhere.
    file: Option<PathBuf>,
    clock: SharedClock,
}

/// Where the sign of life of a database is kept: beside a SQLite file, in the state directory where there is a server.
fn place(url: &str, state_directory: Option<&Path>) -> Option<PathBuf> {
    let beside = || state_directory.map(|folder| folder.join("tanggap.beat"));
    Db::files(url).map(|[.., beat]| beat).or_else(beside)
}

impl Beat {
    /// The one of that database; `state_directory` is the one that the service manager gave.
    pub fn new(db: Db, url: &str, state_directory: Option<&Path>, clock: SharedClock) -> Self {
        Self { db, file: place(url, state_directory), clock }
    }

    fn now(&self) -> Time {
        Time::from_timestamp(self.clock.now())
    }

    /// At a start: makes an older database good and says so.
    pub async fn recognise(&self) -> Result<(), StoreError> {
        let now = self.now();
        let outside =
            self.file.as_deref().and_then(|file| fs::read_to_string(file).ok()).and_then(|text| Time::from_ms(text.trim().parse().ok()?));
        if let Some(found) = restored::recognise(&self.db, outside, now).await? {
            say(&found, now);
        }
        self.renew().await.map(drop)
    }

    /// First in the database, then outside: a crash in between makes nobody believe that it has gone back.
    async fn renew(&self) -> Result<Time, StoreError> {
        let at = restored::renew(&self.db, self.now()).await?;
        if let Some(file) = &self.file
            && let Err(error) = write(file, at)
        {
            warn!(error = %error, file = %file.display(), "the sign of life can't be kept outside the database: a restored copy may not be noticed");
        }
        Ok(at)
    }

    /// Renews it until the stop. Fails if the database went back in time under the running daemon: a new start makes it good.
    pub async fn keep(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut last: Option<Time> = None;
        loop {
            // One that does not answer is the watchdog's matter.
            if let Ok(known) = restored::beat(&self.db).await {
                if let Some(last) = last.filter(|last| known.is_none_or(|known| known < *last)) {
                    bail!(
                        "the database is older than what this daemon wrote into it at {}: it was put back under a running daemon",
                        last.rfc3339()
                    );
                }
                last = self.renew().await.ok().or(last);
            }
            if stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_none() {
                let _ = self.renew().await;
                return Ok(());
            }
        }
    }
}

fn say(found: &Restored, now: Time) {
    let Restored { of, alerts, deliveries, letters, replies, again, next_ticket } = found;
    let (copy_of, age) = (of.map(Time::rfc3339), of.map(|of| now.since(of).as_secs()));
    info!(
        event = "daemon.restored",
        copy_of,
        age,
        alerts,
        deliveries,
        letters,
        replies,
        again,
        next_ticket = next_ticket.0,
        "the database is an older copy: what was due before now counts as told, each official gets one summary, replies are looked for and not \
         sent; what staff did since the copy was made is lost"
    );
}

/// Written beside and moved, so that no half of it is ever read.
fn write(file: &Path, at: Time) -> io::Result<()> {
    let mut fresh = file.as_os_str().to_owned();
    fresh.push(".tmp");
    let mut to = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    io::Write::write_all(&mut to, format!("{}\n", at.ms()).as_bytes())?;
    fs::rename(&fresh, file)
}
