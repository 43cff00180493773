//! The program's stages as a test steps them, the simulated Graph API that they ask, and what the program's log says meanwhile.

use std::{
    io::Write,
    path::Path,
    sync::{Arc, Mutex},
};

use secrecy::ExposeSecret as _;
use tanggap::{
    app,
    config::{self, Environment, Secrets},
    demo::{
        api::Simulator,
        configure,
        script::{Pace, Script, opds},
        sink::{HttpSink, SmtpSink},
    },
    domain::SharedSettings,
    graph::Client,
    poll::{self, PollStage, Skew},
    runtime::{Clock as _, Crew, ManualClock, Nudge, http, metrics::Metrics, serve::Server},
    sla::{self, SlaStage},
    store::Db,
    web,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing_subscriber::fmt::MakeWriter;

/// A clock that stands at Tuesday, 24 November 2026, 09.00 WIB.
pub fn clock() -> Arc<ManualClock> {
    ManualClock::new("2026-11-24T02:00:00Z".parse().unwrap())
}

/// A running simulator on that clock, until the guard is dropped.
pub async fn simulator(clock: &Arc<ManualClock>) -> (Simulator, DropGuard) {
    http::install_tls();
    let read = clock.clone();
    let (simulator, servers) = Simulator::bind(Arc::new(move || read.now())).await.unwrap();
    let stop = CancellationToken::new();
    #[allow(clippy::disallowed_methods)] // it ends with the test's runtime
    tokio::spawn(servers.serve(stop.clone()));
    (simulator, stop.drop_guard())
}

/// A simulated site without its stages.
pub struct Site {
    pub clock: Arc<ManualClock>,
    pub simulator: Simulator,
    pub script: Script,
    pub settings: SharedSettings,
    pub db: Db,
    pub folder: tempfile::TempDir,
    pub stop: DropGuard,
}

/// So many agencies with a Page and an Instagram account each, read into an empty SQLite file; a story that is stepped by the caller.
/// `more` is appended to the configuration.
pub async fn site(seed: u64, count: usize, pace: Pace, more: &str) -> Site {
    let clock = clock();
    let (simulator, stop) = simulator(&clock).await;
    let read = clock.clone();
    let now: tanggap::demo::Now = Arc::new(move || read.now());
    let folder = tempfile::tempdir().unwrap();
    let ((mails, _), (chats, _)) = (SmtpSink::bind(now.clone()).await.unwrap(), HttpSink::bind(now).await.unwrap());
    let script = Script::new(seed, opds(count), pace, &mut simulator.world(), clock.now());
    let beside = folder.path().join("tanggap.d");
    std::fs::create_dir(&beside).unwrap();
    std::fs::write(beside.join("10-more.toml"), more).unwrap();
    let settings = settings(&configure(folder.path(), &simulator, (&mails, &chats), None, script.agencies()).unwrap());
    let db = Db::open(settings.database.url.expose_secret()).await.unwrap();
    Site { clock, simulator, script, settings, db, folder, stop }
}

/// A configuration that must hold.
pub fn settings(file: &Path) -> SharedSettings {
    Arc::new(config::load(Some(file), &Environment::bare(file.parent().unwrap()), Secrets::All).unwrap().settings)
}

/// The poll stage.
pub async fn poll(db: &Db, settings: &SharedSettings, clock: &Arc<ManualClock>, skew: &Skew) -> PollStage {
    let client = http::client(settings.graph.timeout.unsigned_abs()).unwrap();
    let joints = poll::Joints {
        clock: clock.clone(),
        metrics: Metrics::default(),
        client: Client::new(client, &settings.graph),
        judge: Nudge::default(),
        alerts: Nudge::default(),
        stop: CancellationToken::new(),
        skew: skew.clone(),
        owner: "test".to_owned(),
        reread: Arc::new(config::reread),
    };
    PollStage::new(db.clone(), settings.clone(), joints).await.unwrap()
}

/// The sla stage.
pub async fn sla(db: &Db, settings: &SharedSettings, clock: &Arc<ManualClock>, skew: &Skew) -> SlaStage {
    let joints = sla::Joints {
        clock: clock.clone(),
        metrics: Metrics::default(),
        alerts: Nudge::default(),
        polls: Nudge::default(),
        skewed: skew.skewed.clone(),
    };
    SlaStage::new(db.clone(), settings.clone(), joints).await.unwrap()
}

/// The pages of `http.listen` on a free port, until the crew is stopped; their address.
pub async fn web(db: &Db, settings: &SharedSettings, clock: &Arc<ManualClock>) -> (String, Crew) {
    web_of(db, settings, clock, Nudge::default()).await
}

/// The same; what staff do wakes `judge`.
pub async fn web_of(db: &Db, settings: &SharedSettings, clock: &Arc<ManualClock>, judge: Nudge) -> (String, Crew) {
    let mut crew = Crew::new(&CancellationToken::new());
    let joints = web::Joints {
        db: db.clone(),
        settings: settings.clone(),
        clock: clock.clone(),
        metrics: Metrics::default(),
        polls: Nudge::default(),
        judge,
        links: app::links(db).await.unwrap(),
        stop: crew.token(),
        open: false,
    };
    let (server, stop) = (Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap(), crew.token());
    let url = format!("http://{}", server.address());
    let (router, live) = web::served(joints, || std::future::ready(true)).unwrap();
    crew.spawn("web", server.run(router, stop));
    crew.spawn("live", live);
    (url, crew)
}

/// Lines of the program's own log, as text.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    /// Everything so far.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
    /// Everything since this was asked last.
    pub fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
    /// How many lines hold this.
    pub fn count(&self, what: &str) -> usize {
        self.text().lines().filter(|line| line.contains(what)).count()
    }
}
impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
impl MakeWriter<'_> for Heard {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}
