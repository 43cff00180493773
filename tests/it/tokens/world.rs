//! Accounts of the simulated Graph API, a configuration with tokens in files and sources, and a poll stage on a clock moved by hand.

use std::{fmt::Write as _, fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, sync::Arc};

use jiff::SignedDuration;
use tanggap::{
    app,
    config::{self, Environment, Secrets},
    demo::{api::Simulator, world::Added},
    domain::{SharedSettings, Time, settings::Settings},
    poll::{PollStage, Skew},
    runtime::{Clock as _, ManualClock, Stage as _},
    store::Db,
};
use tokio_util::sync::DropGuard;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::EnvFilter;

use crate::stages::{self, Heard};

pub struct World {
    pub clock: Arc<ManualClock>,
    pub simulator: Simulator,
    pub db: Db,
    pub heard: Heard,
    url: String,
    folder: tempfile::TempDir,
    toml: String,
    poll: Option<PollStage>,
    _stop: DropGuard,
    _log: DefaultGuard,
}

impl World {
    /// On a new SQLite file.
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("tokens.db").display());
        Self::on(folder, &url).await
    }

    /// On a new database of the server at `$TANGGAP_TEST_POSTGRES`.
    pub async fn postgres() -> Self {
        Self::on(tempfile::tempdir().unwrap(), &crate::databases::postgres().await).await
    }

    async fn on(folder: tempfile::TempDir, url: &str) -> Self {
        let heard = Heard::default();
        let log = tracing_subscriber::fmt().with_env_filter(EnvFilter::new("tanggap=trace")).with_writer(heard.clone()).with_ansi(false);
        let log = tracing::subscriber::set_default(log.finish());
        let clock = stages::clock();
        let (simulator, stop) = stages::simulator(&clock).await;
        simulator.world().app.proof_required = true;
        let db = Db::open(url).await.unwrap();
        let mut world =
            Self { clock, simulator, db, heard, url: url.to_owned(), folder, toml: String::new(), poll: None, _stop: stop, _log: log };
        world.toml = world.site();
        world
    }

    fn site(&self) -> String {
        let (id, secret, instagram) = {
            let graph = self.simulator.world();
            (graph.app.id.clone(), graph.app.secret.clone(), graph.app.instagram_secret.clone())
        };
        format!(
            r#"[site]
name = "Kabupaten Rembang"
timezone = "Asia/Jakarta"
[database]
url = "{}"
[graph]
url = "{}"
instagram_url = "{}"
app_id = "{id}"
app_secret = "{}"
instagram_app_secret = "{}"
[secrets]
key = "{}"
[[policy]]
name = "biasa"
respond_within = "4h"
calendar = "always"
step = [ {{ at = "0m", notify = ["operator"] }} ]
"#,
            self.url,
            self.simulator.facebook_url,
            self.simulator.instagram_url,
            self.file("app-secret", &secret),
            self.file("instagram-app-secret", &instagram),
            self.file("token-key", "a key of this site"),
        )
    }

    /// Writes a secret's file; how a configuration names it.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        format!("file:{}", path.display())
    }

    /// One more account, of an OPD of its own; `more` are further lines of it.
    pub fn account(&mut self, platform: &str, account: &Added, more: &str) {
        let opd = format!("opd-{}", account.id);
        writeln!(
            self.toml,
            "[[opd]]\nslug = \"{opd}\"\nname = \"{opd}\"\n[[opd.account]]\nplatform = \"{platform}\"\nid = \"{}\"\n{more}",
            account.id
        )
        .unwrap();
    }

    /// A Page whose token stands in the file `page`.
    pub fn page(&mut self, more: &str) -> Added {
        let page = self.simulator.world().add_page("Dinhub", "dinhub");
        let token = self.file("page", &page.token);
        self.account("facebook", &page, &format!("token = \"{token}\"\n{more}"));
        page
    }

    /// An Instagram account of Instagram Login whose token stands in the file `instagram`.
    pub fn instagram(&mut self) -> Added {
        let instagram = self.simulator.world().add_instagram("Dinhub", "dinhub", None);
        let token = self.file("instagram", &instagram.token);
        self.account("instagram", &instagram, &format!("login = \"instagram\"\ntoken = \"{token}\""));
        instagram
    }

    /// A source whose token stands in the file `source`.
    pub fn source(&mut self, token: &str) {
        let file = self.file("source", token);
        writeln!(self.toml, "[[graph.source]]\ntoken = \"{file}\"").unwrap();
    }

    fn settings(&self) -> Settings {
        let path = self.folder.path().join("tanggap.toml");
        fs::write(&path, &self.toml).unwrap();
        config::load(Some(&path), &Environment::bare(self.folder.path()), Secrets::All).unwrap().settings
    }

    /// What `tanggap check` says of accounts and tokens, a line each.
    pub async fn check(&self) -> Vec<String> {
        let tried = app::check(&self.settings()).await.unwrap();
        tried.into_iter().map(|one| format!("{}: {}", one.what, one.outcome.unwrap_or_else(|bad| format!("FAILED {bad}")))).collect()
    }

    /// Starts the daemon's poll stage, or starts it again.
    pub async fn start(&mut self) {
        let settings: SharedSettings = Arc::new(self.settings());
        assert!(!format!("{settings:?}").contains("simulated"), "settings show a token");
        self.poll = Some(stages::poll(&self.db, &settings, &self.clock, &Skew::default()).await);
        self.turn(SignedDuration::ZERO).await;
    }

    /// Moves the clock on, then lets poll do what is due.
    pub async fn turn(&mut self, by: SignedDuration) {
        self.clock.advance(by);
        self.poll.as_mut().unwrap().once().await.unwrap();
        self.clock.advance(SignedDuration::from_secs(1));
        self.poll.as_mut().unwrap().once().await.unwrap();
    }

    pub async fn days(&mut self, days: i64) {
        for _ in 0..days {
            self.turn(SignedDuration::from_hours(24)).await;
        }
    }

    pub fn now(&self) -> Time {
        Time::from_timestamp(self.clock.now())
    }

    /// Calls of an endpoint so far.
    pub fn calls(&self, endpoint: &str) -> usize {
        self.simulator.world().calls().iter().filter(|call| call.endpoint == endpoint).count()
    }

    /// The column `one` of a query, in its order.
    pub async fn texts(&self, sql: &'static str) -> Vec<String> {
        self.db.rows(sql, vec![]).await.unwrap().iter().map(|row| row.t("one").unwrap()).collect()
    }

    /// Why accounts can't be read, by their ids; `-` where they can.
    pub async fn reasons(&self) -> Vec<String> {
        self.texts("SELECT COALESCE(reason, '-') AS one FROM account ORDER BY external_id").await
    }

    /// What `operator` is told.
    pub async fn alerts(&self) -> Vec<String> {
        // Nobody writes to these accounts, which is told after a week and is no matter of tokens.
        let sql = "SELECT kind || ' ' || detail AS one FROM alert WHERE COALESCE(cause, '') NOT LIKE 'unproved%' ORDER BY id";
        self.texts(sql).await
    }

    /// No token is ever shown, and none is stored in the open.
    pub async fn invariants(&self) {
        let stored = "SELECT memo || COALESCE(reason, '') AS one FROM account UNION ALL SELECT detail FROM alert UNION ALL SELECT sealed || origin FROM token";
        let seen = self.texts(stored).await.join("\n") + &self.heard.text();
        let world = self.simulator.world();
        for token in world.tokens() {
            assert!(!seen.contains(&token.text), "a token shows: {}", token.text);
        }
        assert!(!seen.contains(&world.app.secret) && !seen.contains(&world.app.instagram_secret), "a secret shows");
    }
}
