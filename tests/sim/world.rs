//! What stands outside of the program: citizens and officials, Meta, the receivers of letters, the disk, and two clocks, that of the world and
//! that of the program's machine, which may be wrong.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use jiff::{SignedDuration, Timestamp};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tanggap::{
    demo::{
        Now,
        api::Simulator,
        script::{Agency, Pace, Script, opds},
        sink::{HttpSink, SmtpSink},
        world::Use,
    },
    runtime::{Clock, ManualClock, http},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long citizens write.
pub const DAYS: i64 = 3;
/// Of the webhook that signs.
pub const HOOK_SECRET: &str = "whsec_dGhlIHdlYmhvb2sgc2VjcmV0IG9mIHRoZSBzaW0=";

/// The clock of the program's machine: the world's, and so much ahead of it.
#[derive(Debug)]
pub struct Clocks {
    pub world: Arc<ManualClock>,
    ahead: AtomicI64,
}

impl Clocks {
    /// How far the machine's clock is ahead of the world's.
    pub fn ahead(&self) -> SignedDuration {
        SignedDuration::from_millis(self.ahead.load(Ordering::Relaxed))
    }
    pub fn step(&self, ahead: SignedDuration) {
        self.ahead.store(ahead.as_millis() as i64, Ordering::Relaxed);
    }
}

impl Clock for Clocks {
    fn now(&self) -> Timestamp {
        self.world.now() + self.ahead()
    }
    /// The time passes at once.
    fn wait(&self, length: SignedDuration) -> BoxFuture<'_, ()> {
        self.world.advance(length);
        ready(()).boxed()
    }
}

pub struct World {
    pub rng: StdRng,
    pub clocks: Arc<Clocks>,
    pub simulator: Simulator,
    pub script: Script,
    pub mails: SmtpSink,
    pub chats: HttpSink,
    pub hooks: HttpSink,
    pub folder: tempfile::TempDir,
    pub begun: Timestamp,
    /// Nobody writes any more, whatever was begun.
    pub over: bool,
    /// What no line may hold.
    pub secrets: Vec<String>,
    /// The configuration, its calendars still open.
    pub text: String,
    _stop: DropGuard,
}

/// In memory, where the system has such a folder: thousands of seeds are run.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

impl World {
    pub async fn new(seed: u64) -> Self {
        http::install_tls();
        let mut rng = StdRng::seed_from_u64(seed);
        // Some hour of some day of the week in which 24 November 2026 lies.
        let begun: Timestamp = "2026-11-22T17:00:00Z".parse().unwrap();
        let begun = begun + SignedDuration::from_secs(rng.random_range(0..7 * 24 * 3600));
        let clocks = Arc::new(Clocks { world: ManualClock::new(begun), ahead: AtomicI64::new(0) });
        let read = clocks.world.clone();
        let now: Now = Arc::new(move || read.now());
        let (simulator, servers) = Simulator::bind(now.clone()).await.unwrap();
        let (mails, mail_server) = SmtpSink::bind(now.clone()).await.unwrap();
        let (chats, chat_server) = HttpSink::bind(now.clone()).await.unwrap();
        let (hooks, hook_server) = HttpSink::bind(now).await.unwrap();
        let stop = CancellationToken::new();
        #[allow(clippy::disallowed_methods)] // they end with the seed's runtime
        {
            tokio::spawn(servers.serve(stop.clone()));
            tokio::spawn(mail_server.serve(stop.clone()));
            tokio::spawn(chat_server.serve(stop.clone()));
            tokio::spawn(hook_server.serve(stop.clone()));
        }
        let answer = SignedDuration::from_hours(rng.random_range(1..8));
        let pace = Pace { gap: SignedDuration::from_mins(DAYS * 24 * 60 / 85), answer, late: SignedDuration::from_mins(40) };
        let script = Script::new(seed, opds(3), pace, &mut simulator.world(), begun);
        let mut this = Self {
            rng,
            clocks,
            simulator,
            script,
            mails,
            chats,
            hooks,
            folder: folder(),
            begun,
            over: false,
            secrets: vec![HOOK_SECRET.trim_start_matches("whsec_").to_owned()],
            text: String::new(),
            _stop: stop.drop_guard(),
        };
        for Agency { instagram, .. } in this.script.agencies().to_vec() {
            // A step of a stage that waits for its turn twice in a row is no offence here.
            this.simulator.world().set_limit(Use::InstagramConversations, &instagram.id, 1_000);
        }
        this.text = this.configuration();
        this
    }

    /// The instant outside.
    pub fn now(&self) -> Timestamp {
        self.clocks.world.now()
    }

    /// Everybody does what is due, until the story is over.
    pub fn live(&mut self) {
        let now = self.now();
        if self.over {
            return;
        }
        self.script.step(&mut self.simulator.world(), now);
    }

    /// The URL of the file that SQLite is to keep.
    pub fn sqlite(&self) -> String {
        format!("sqlite://{}", self.folder.path().join("sim.db").display())
    }
}
