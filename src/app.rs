//! The one file that knows every folder: configuration to store, clients and stages, stages to a crew.

mod access;
mod private;
mod restored;
mod subscribe;
mod witness;

use std::{
    collections::BTreeMap,
    io::IsTerminal as _,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use anyhow::Context as _;
pub use private::{Exposed, Unclosed, exposed};
use restored::Beat;
use secrecy::{ExposeSecret as _, SecretString};
pub use subscribe::subscribe;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
pub use witness::Witness;

use crate::{
    alert::{
        self, AlertStage, Refresh,
        press::{self, PressStage},
    },
    config::{self, Environment, Loaded, Secrets},
    domain::{
        Platform, Scope, SharedSettings, Time,
        alert::Channel,
        settings::{AccountSpec, LogFormat, Settings, Token},
    },
    forget::ForgetStage,
    graph::{Access, Client, Host, facebook, instagram, wire::account},
    link,
    poll::{self, PollStage, Replies, Skew, tokens},
    runtime::{
        Clock as _, Crew, Nudge, Pulse, SharedClock, Stage, SystemClock, beat, drive, http, log,
        metrics::{Metrics, Scrape},
        serve,
        signal::Signals,
        systemd, worker,
    },
    sla::{self, SlaStage},
    store::{Db, StoreError, accounts, keys, leases, listing, outbox},
    web,
};

/// How long one step of a stage may take before the watchdog calls it stuck. A poll step ends within a minute and its last request.
const BUDGET: Duration = Duration::from_mins(3);

/// Something that `check` or `alert test` tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What was tried: an account, a token, a channel, an official.
    pub what: String,
    /// What was found, good or bad.
    pub outcome: Result<String, String>,
}

/// The daemon, until it is told to stop. `config` is the `--config` it was started with, for reloads.
pub async fn run(config: Option<PathBuf>, loaded: Loaded) -> anyhow::Result<()> {
    let terminal = std::io::stderr().is_terminal();
    let format = match loaded.settings.log.format {
        LogFormat::Auto => log::Format::Auto,
        LogFormat::Text => log::Format::Text,
        LogFormat::Json => log::Format::Json,
        LogFormat::Journald => log::Format::Journald,
    };
    let log = log::init(format, &loaded.settings.log.filter, terminal, loaded.settings.site.timezone.clone())?;
    let (signals, reloads) = Signals::catch().context("signals can't be caught")?;
    let stop = CancellationToken::new();
    tokio::select! {
        outcome = daemon(config, loaded, &log, stop.clone(), reloads) => outcome,
        never = signals.listen(stop.clone()) => match never {},
    }
}

async fn daemon(
    config: Option<PathBuf>,
    loaded: Loaded,
    log: &log::Log,
    stop: CancellationToken,
    mut reloads: mpsc::Receiver<()>,
) -> anyhow::Result<()> {
    http::install_tls();
    let clock: SharedClock = Arc::new(SystemClock);
    let metrics = Metrics::default();
    let mut settings: SharedSettings = Arc::new(loaded.settings);
    say_warnings(&loaded.warnings);
    let (url, state_directory) = (settings.database.url.expose_secret(), state_directory());
    let _sole = Db::sole(url)?;
    private::close(url, state_directory.as_deref())?;
    let db = Db::open(url).await.context("opening the database that database.url names")?;
    let beat = Beat::new(db.clone(), url, state_directory.as_deref(), clock.clone());
    let accounts = settings.accounts().count();
    info!(event = "daemon.started", version = env!("CARGO_PKG_VERSION"), accounts, opds = settings.opds.len(), "reading");
    beat.recognise().await?;
    let mut doors = Doors::bind(&settings, false).await?;
    loop {
        let mut crew = crew(&db, &settings, &clock, &metrics, &stop, doors).await?;
        crew.spawn("beat", beat.clone().keep(crew.token()));
        systemd::ready();
        systemd::status(&format!("reading {} accounts", settings.accounts().count()));
        let reload = loop {
            tokio::select! {
                () = crew.watch() => break None,
                Some(()) = reloads.recv() => {
                    systemd::reloading();
                    match config::load(config.as_deref(), &Environment::of_process(), Secrets::All) {
                        Ok(loaded) => break Some(loaded),
                        Err(problems) => {
                            for problem in &problems.0 {
                                warn!(event = "config.refused", error = %problem, "the old configuration goes on");
                            }
                            systemd::ready();
                        }
                    }
                }
            }
        };
        if reload.is_none() {
            info!(event = "daemon.stopping", "finishing what is under way");
            systemd::stopping();
        }
        let outcome = crew.stop().await;
        let Some(loaded) = reload else {
            db.close().await;
            info!(event = "daemon.stopped", "everything is stored");
            return Ok(outcome?);
        };
        outcome?;
        settings = Arc::new(loaded.settings);
        say_warnings(&loaded.warnings);
        if let Err(refused) = log.refilter(&settings.log.filter) {
            warn!(event = "config.refused", error = %refused, "the old log filter goes on");
        }
        doors = Doors::bind(&settings, false).await?;
        info!(event = "config.reloaded", accounts = settings.accounts().count(), "the new configuration holds");
    }
}

/// Where the service manager lets the service keep what it must not lose.
pub fn state_directory() -> Option<PathBuf> {
    let folders = std::env::var_os("STATE_DIRECTORY")?;
    std::env::split_paths(&folders).next().filter(|folder| !folder.as_os_str().is_empty())
}

/// The daemon's stages on a configuration that was just loaded, until `stop`, its page open to everybody: for `demo`.
pub async fn start(loaded: &Loaded, stop: &CancellationToken) -> anyhow::Result<(Db, Crew)> {
    http::install_tls();
    let settings: SharedSettings = Arc::new(loaded.settings.clone());
    let db = Db::open(settings.database.url.expose_secret()).await?;
    let clock: SharedClock = Arc::new(SystemClock);
    let doors = Doors::bind(&settings, true).await?;
    let crew = crew(&db, &settings, &clock, &Metrics::default(), stop, doors).await?;
    Ok((db, crew))
}

fn say_warnings(warnings: &[config::Problem]) {
    for warning in warnings {
        warn!(warning = %warning, "the configuration has a gap");
    }
}

/// The addresses that are ours.
struct Doors {
    web: Option<serve::Server>,
    operations: Option<serve::Server>,
    /// The page asks nobody to sign in.
    open: bool,
}

impl Doors {
    async fn bind(settings: &Settings, open: bool) -> anyhow::Result<Self> {
        let bind = async |address| match address {
            Some(address) => serve::Server::bind(address).await.map(Some),
            None => Ok(None),
        };
        Ok(Self { web: bind(settings.http.listen).await?, operations: bind(settings.http.metrics_listen).await?, open })
    }
}

/// Everything that runs, started.
async fn crew(
    db: &Db,
    settings: &SharedSettings,
    clock: &SharedClock,
    metrics: &Metrics,
    stop: &CancellationToken,
    doors: Doors,
) -> anyhow::Result<Crew> {
    let mut crew = Crew::new(stop);
    let stop = crew.token();
    let owner = worker::name();
    let gone: Vec<String> =
        leases::owners(db, Time::from_timestamp(clock.now())).await?.into_iter().filter(|it| worker::is_gone(it)).collect();
    if !gone.is_empty() {
        info!(workers = gone.len(), "taking over what a worker that died had in hand");
        leases::free(db, &gone).await?;
    }
    let (polls, judge, alerts) = (Nudge::default(), Nudge::default(), Nudge::default());
    let skew = Skew::default();
    let pulse = Pulse::default();
    for name in [PollStage::NAME, SlaStage::NAME, AlertStage::NAME, ForgetStage::NAME] {
        pulse.register(name, BUDGET);
    }
    let client = http::client(settings.graph.timeout.unsigned_abs())?;
    let poll = PollStage::new(
        db.clone(),
        settings.clone(),
        poll::Joints {
            clock: clock.clone(),
            metrics: metrics.clone(),
            client: Client::new(client, &settings.graph),
            judge: judge.clone(),
            alerts: alerts.clone(),
            stop: stop.clone(),
            skew: skew.clone(),
            owner: owner.clone(),
            reread: Arc::new(reread),
        },
    )
    .await?;
    let joints = sla::Joints {
        clock: clock.clone(),
        metrics: metrics.clone(),
        alerts: alerts.clone(),
        polls: polls.clone(),
        skewed: skew.skewed.clone(),
    };
    let sla = SlaStage::new(db.clone(), settings.clone(), joints).await?;
    let links = links(db).await?;
    let alert = AlertStage::new(db.clone(), settings.clone(), clock.clone(), metrics.clone(), owner, links.clone())?;
    let joints = press::Joints { db: db.clone(), clock: clock.clone(), judge: judge.clone(), links: links.clone(), stop: stop.clone() };
    let press = PressStage::new(settings, joints)?;
    let joints = web::Joints {
        db: db.clone(),
        settings: settings.clone(),
        clock: clock.clone(),
        metrics: metrics.clone(),
        polls: polls.clone(),
        judge: judge.clone(),
        links,
        stop: stop.clone(),
        open: doors.open,
    };
    crew.spawn(PollStage::NAME, drive(poll, clock.clone(), polls, stop.clone(), pulse.clone()));
    crew.spawn(SlaStage::NAME, drive(sla, clock.clone(), judge, stop.clone(), pulse.clone()));
    crew.spawn(AlertStage::NAME, drive(alert, clock.clone(), alerts, stop.clone(), pulse.clone()));
    let forget = ForgetStage::new(db.clone(), settings.clone(), clock.clone());
    crew.spawn(ForgetStage::NAME, drive(forget, clock.clone(), Nudge::default(), stop.clone(), pulse.clone()));
    if settings.channels.alertmanager.is_some() {
        let refresh = Refresh::new(db.clone(), settings.clone(), clock.clone())?;
        pulse.register(Refresh::NAME, BUDGET);
        crew.spawn(Refresh::NAME, drive(refresh, clock.clone(), Nudge::default(), stop.clone(), pulse.clone()));
    }
    if let Some(press) = press {
        pulse.register(PressStage::NAME, BUDGET);
        crew.spawn(PressStage::NAME, drive(press, clock.clone(), Nudge::default(), stop.clone(), pulse.clone()));
    }
    let alive = alive(db.clone());
    let (ready, watched) = (alive.clone(), pulse.clone());
    let ready = move || {
        let (ready, watched) = (ready.clone(), watched.clone());
        async move { ready().await && watched.overrun().is_none() }
    };
    if let Some(server) = doors.web {
        let (router, live) = web::served(joints, ready.clone())?;
        crew.spawn("web", server.run(router, stop.clone()));
        crew.spawn("live", live);
    }
    if let Some(server) = doors.operations {
        for channel in channel_words(settings) {
            metrics.expect_deliveries(channel);
        }
        let page = {
            let (db, settings, clock, metrics, ready) = (db.clone(), settings.clone(), clock.clone(), metrics.clone(), ready.clone());
            move || {
                let (db, settings, metrics, ready) = (db.clone(), settings.clone(), metrics.clone(), ready.clone());
                let now = Time::from_timestamp(clock.now());
                async move { scrape(&db, &settings, now, &metrics, ready().await).await.map_err(|error| format!("{error:#}")) }
            }
        };
        crew.spawn("http", server.run(serve::operations(page, ready), stop.clone()));
    }
    if let Some(url) = &settings.heartbeat.url {
        let client = http::client(Duration::from_secs(10))?;
        let every = settings.heartbeat.every.unsigned_abs();
        let (db, clock) = (db.clone(), clock.clone());
        let healthy = move || {
            let (db, now) = (db.clone(), Time::from_timestamp(clock.now()));
            // The database answered, and some account was read within the last two beats or idle intervals.
            async move { accounts::read_since(&db, now.minus(jiff::SignedDuration::from_mins(10))).await.unwrap_or(false) }
        };
        crew.spawn("heartbeat", beat::beat(client, url.parse()?, every, healthy, stop.clone()));
    }
    crew.spawn("watchdog", systemd::watchdog(alive, pulse, stop));
    Ok(crew)
}

/// The key of links and buttons in letters, made at the first start.
pub async fn links(db: &Db) -> Result<link::Key, StoreError> {
    Ok(link::Key::new(&keys::links(db, &rand::random()).await?))
}

/// What sends replies where no daemon does.
pub async fn replies(db: &Db, settings: &Settings) -> anyhow::Result<Replies> {
    http::install_tls();
    let joints = poll::Joints {
        clock: Arc::new(SystemClock),
        metrics: Metrics::default(),
        client: Client::new(http::client(settings.graph.timeout.unsigned_abs())?, &settings.graph),
        judge: Nudge::default(),
        alerts: Nudge::default(),
        stop: CancellationToken::new(),
        skew: Skew::default(),
        owner: worker::name(),
        reread: Arc::new(reread),
    };
    Ok(Replies::new(db.clone(), Arc::new(settings.clone()), &joints).await?)
}

/// Reads a token again where it came from; of a credential it only says that it looks newer.
fn reread(token: &Token) -> Option<SecretString> {
    if config::looks_newer(token) {
        warn!("a credential holds a newer token than the one in use: restart tanggap to take it");
    }
    config::reread(token)
}

fn alive(db: Db) -> impl Fn() -> futures_util::future::BoxFuture<'static, bool> + Clone + Send + Sync + 'static {
    move || {
        let db = db.clone();
        Box::pin(async move { matches!(tokio::time::timeout(Duration::from_secs(5), db.ping()).await, Ok(Ok(()))) })
    }
}

async fn scrape(db: &Db, settings: &Settings, now: Time, metrics: &Metrics, ready: bool) -> anyhow::Result<String> {
    let mut page = Scrape { alert_outbox: outbox::outbox_count(db).await?.unsigned_abs(), ready, ..Scrape::default() };
    // an OPD for which nothing waits is a zero, no hole
    let mut tickets: BTreeMap<String, (u64, u64)> = settings.opds.iter().map(|opd| (opd.slug.clone(), (0, 0))).collect();
    tickets.extend(listing::counts(db, &Scope::ALL, now).await?.into_iter().map(|it| (it.opd, (it.open, it.overdue))));
    for (opd, (open, overdue)) in tickets {
        page.tickets.push((opd.clone(), "open", open));
        page.tickets.push((opd, "overdue", overdue));
    }
    for (account, healthy, age) in accounts::health(db, now).await? {
        page.account_healthy.push((account.clone(), healthy));
        page.account_poll_age.extend(age.map(|age| (account, age as f64)));
    }
    Ok(metrics.render(&page)?)
}

/// Asks Meta about every account, and whether every alert channel can be reached.
pub async fn check(settings: &Settings) -> anyhow::Result<Vec<Checked>> {
    http::install_tls();
    let client = Client::new(http::client(settings.graph.timeout.unsigned_abs())?, &settings.graph);
    let now = Time::from_timestamp(SystemClock.now());
    let mut tried = Vec::new();
    for access::Account { what, spec, held } in access::accounts(settings, &client, now).await? {
        let held = match held {
            Ok(held) => held,
            Err(why) => {
                tried.push(Checked { what, outcome: Err(why) });
                continue;
            }
        };
        let request = match spec.platform {
            Platform::Facebook => facebook::page(&spec.id),
            Platform::Instagram => instagram::identity(&spec.id, spec.login),
        };
        let outcome = client.get::<account::Page>(&held.access, &request).await;
        let named = |page: account::Page| page.name.or(page.username).unwrap_or_else(|| "no name".to_owned());
        tried.push(Checked { what: what.clone(), outcome: outcome.map(|answer| named(answer.value)).map_err(|error| error.to_string()) });
        if let (Some(id), Some(secret), Host::Facebook) = (&held.app.id, &held.app.secret, held.access.host) {
            let request = crate::graph::debug::token(&held.access.token);
            let outcome = match client.get::<account::Debugged>(&Access::app(id, secret), &request).await {
                Ok(answer) => judged(spec, &answer.value.data, now),
                Err(error) => Err(error.to_string()),
            };
            tried.push(Checked { what: format!("{what}, its token"), outcome });
        }
    }
    for (what, url) in channel_urls(settings) {
        let outcome = reach(&url).await;
        tried.push(Checked { what, outcome });
    }
    if let Some(whatsapp) = &settings.channels.whatsapp {
        let outcome = alert::channel::check_whatsapp(whatsapp, &settings.graph.version).await;
        let outcome = outcome.map(|()| "the token is good for it".to_owned()).map_err(|error| error.to_string());
        tried.push(Checked { what: "channel whatsapp, its number".to_owned(), outcome });
    }
    Ok(tried)
}

fn judged(spec: &AccountSpec, token: &account::Token, now: Time) -> Result<String, String> {
    tokens::judge(spec, token, now).map_err(|fault| fault.to_string())?;
    let kind = token.kind.as_deref().unwrap_or("of unknown type");
    let end = tokens::expires_at(token).map_or_else(|| "never expires".to_owned(), |at| format!("expires {}", at.rfc3339()));
    Ok(format!("{kind}, {end}, scopes: {}", token.scopes.join(" ")))
}

/// The channels by which letters go out here, as metrics name them.
fn channel_words(settings: &Settings) -> Vec<&'static str> {
    let channels = &settings.channels;
    let there = [
        (channels.smtp.is_some(), Channel::Smtp),
        (channels.telegram.is_some(), Channel::Telegram),
        (channels.whatsapp.is_some(), Channel::Whatsapp),
        (!channels.webhooks.is_empty(), Channel::Webhook),
        (channels.alertmanager.is_some(), Channel::Alertmanager),
        (true, Channel::Log),
    ];
    there.into_iter().filter(|(there, _)| *there).map(|(_, channel)| channel.word()).collect()
}

fn channel_urls(settings: &Settings) -> Vec<(String, String)> {
    let channels = &settings.channels;
    let one = |what: &str, url: &String| (format!("channel {what}"), url.clone());
    let mut urls = Vec::new();
    urls.extend(channels.smtp.as_ref().map(|c| one("smtp", &c.url)));
    urls.extend(channels.telegram.as_ref().map(|c| one("telegram", &c.url)));
    urls.extend(channels.whatsapp.as_ref().map(|c| one("whatsapp", &c.url)));
    urls.extend(channels.webhooks.values().map(|c| one(&format!("webhook {}", c.name), &c.url)));
    urls.extend(channels.alertmanager.as_ref().map(|c| one("alertmanager", &c.url)));
    urls
}

async fn reach(url: &str) -> Result<String, String> {
    let url: url::Url = url.parse().map_err(|_| "its url can't be read".to_owned())?;
    let smtp = if url.scheme() == "smtps" { 465 } else { 587 };
    let port = url.port_or_known_default().unwrap_or(smtp);
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    match tokio::time::timeout(Duration::from_secs(10), tokio::net::TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Ok("can be reached".to_owned()),
        Ok(Err(error)) => Err(format!("can't be reached: {error}")),
        Err(_) => Err("can't be reached: no answer in 10 s".to_owned()),
    }
}

/// Sends a test alert to every official of the group, or of all groups.
pub async fn alert_test(settings: &Settings, group: Option<&str>) -> anyhow::Result<Vec<Checked>> {
    http::install_tls();
    let mut groups: Vec<&str> = settings.officials.iter().map(|official| official.group.as_str()).collect();
    groups.sort_unstable();
    groups.dedup();
    let now = Time::from_timestamp(SystemClock.now());
    let shared = Arc::new(settings.clone());
    groups.retain(|name| group.is_none_or(|wanted| wanted == *name));
    let outcomes = alert::test_letter(shared, &groups, now).await?;
    Ok(outcomes
        .into_iter()
        .map(|outcome| Checked {
            what: format!("{} by {}", outcome.official, outcome.channel),
            outcome: outcome.result.map(|_| "accepted".to_owned()).map_err(|error| error.to_string()),
        })
        .collect())
}

/// Applies what staff recorded, where no daemon runs that would.
pub async fn apply_actions(db: &Db, settings: &Settings) -> anyhow::Result<()> {
    let joints = sla::Joints {
        clock: Arc::new(SystemClock),
        metrics: Metrics::default(),
        alerts: Nudge::default(),
        polls: Nudge::default(),
        skewed: Arc::new(AtomicBool::new(false)),
    };
    let mut stage = SlaStage::new(db.clone(), Arc::new(settings.clone()), joints).await?;
    if let Err(failed) = stage.once().await {
        error!(error = %failed, "what staff recorded could not be applied");
        return Err(failed.into());
    }
    Ok(())
}
