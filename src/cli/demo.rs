//! `tanggap demo`: the whole thing on a simulated Graph API over real HTTP on loopback, in a temporary folder.

use std::{
    fs,
    io::{IsTerminal as _, Write as _},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::{
    Failure, Shell,
    output::{self, Format, View},
};
use crate::{
    alert::letter::Writer,
    app,
    config::{self, Environment, Secrets},
    demo::{
        Now,
        api::Simulator,
        configure,
        script::{Pace, Script, opds},
        sink::{HttpSink, SmtpSink},
    },
    domain::{Scope, settings::Settings},
    runtime::{Clock as _, Crew, SystemClock, log},
    store::{
        Db,
        listing::{self, TicketFilter},
    },
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How long it runs
    #[arg(long, default_value = "60s", value_parser = humantime::parse_duration, value_name = "TIME")]
    duration: Duration,
    /// How many OPDs write and are written to
    #[arg(long, default_value_t = 6, value_name = "N")]
    opds: usize,
    /// The same number gives the same citizens
    #[arg(long, default_value_t = 2021, value_name = "N")]
    seed: u64,
}

/// How often citizens and officials get a turn, and new letters are shown.
const TURN: Duration = Duration::from_millis(250);

pub(super) async fn run(args: Args, shell: &mut Shell) -> Result<(), Failure> {
    let folder = Folder::new()?;
    let outcome = play(args, shell, &folder.0).await;
    drop(folder);
    outcome
}

/// A temporary folder for this process, removed with everything in it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("tanggap-demo-{}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("the folder {} can't be made", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn play(args: Args, shell: &mut Shell, folder: &Path) -> Result<(), Failure> {
    let now: Now = Arc::new(|| SystemClock.now());
    let output = |error: std::io::Error| anyhow::Error::new(error).context("a socket on loopback can't be opened");
    let (simulator, servers) = Simulator::bind(now.clone()).await.map_err(output)?;
    let (mails, mail_server) = SmtpSink::bind(now.clone()).await.map_err(output)?;
    let (chats, chat_server) = HttpSink::bind(now).await.map_err(output)?;
    let pace = Pace { gap: SignedDuration::from_millis(1500), answer: SignedDuration::from_secs(12), late: SignedDuration::from_secs(20) };
    let began = SystemClock.now();
    let mut script = Script::new(args.seed, opds(args.opds), pace, &mut simulator.world(), began);
    let page = free_port().context("no port on loopback is free")?;
    let file =
        configure(folder, &simulator, (&mails, &chats), Some(page), script.agencies()).context("the configuration can't be written")?;
    let loaded = config::load(Some(&file), &Environment::of_process(), Secrets::All).map_err(Failure::Configuration)?;
    log::init(log::Format::Auto, "info", std::io::stderr().is_terminal(), loaded.settings.site.timezone.clone())
        .map_err(anyhow::Error::new)?;
    let stop = CancellationToken::new();
    let mut world = Crew::new(&stop);
    let token = world.token();
    world.spawn("graph", servers.serve(token.clone()));
    world.spawn("mail", mail_server.serve(token.clone()));
    world.spawn("chat", chat_server.serve(token));
    let (db, daemon) = app::start(&loaded, &stop).await?;
    let facebook = simulator.facebook_url.clone();
    writeln!(
        shell.out,
        "The page: http://{page}\nThe simulated Graph API listens on {facebook}; everything is kept in {} and removed at the end.",
        folder.display()
    )?;
    writeln!(shell.out, "Deadlines are 30 seconds. Log lines go to standard error, letters to officials stand here.\n")?;
    shell.out.flush()?;
    let writer = Writer::new(Arc::new(loaded.settings.clone()), None).map_err(anyhow::Error::new)?;
    let (mut shown_mails, mut shown_chats) = (0, 0);
    let end = began + SignedDuration::try_from(args.duration).unwrap_or(SignedDuration::MAX);
    let mut turns = tokio::time::interval(TURN);
    while SystemClock.now() < end {
        tokio::select! {
            _ = turns.tick() => {}
            _ = tokio::signal::ctrl_c() => break,
        }
        script.step(&mut simulator.world(), SystemClock.now());
        for mail in mails.captured().into_iter().skip(shown_mails) {
            shown_mails += 1;
            letter(shell, &mail.to.join(", "), &readable(&mail.raw))?;
        }
        for chat in chats.captured().into_iter().skip(shown_chats) {
            shown_chats += 1;
            let body: serde_json::Value = serde_json::from_slice(&chat.body).unwrap_or_default();
            match body["to"].as_str().zip(writer.shown(&String::from_utf8_lossy(&chat.body))) {
                Some((number, text)) => letter(shell, &format!("WhatsApp {number}"), &text)?,
                None => letter(shell, "Telegram", body["text"].as_str().unwrap_or_default())?,
            }
        }
    }
    summary(shell, &loaded.settings, &db, &simulator, shown_mails + shown_chats).await?;
    stop.cancel();
    daemon.stop().await.map_err(anyhow::Error::new)?;
    world.stop().await.map_err(anyhow::Error::new)?;
    db.close().await;
    Ok(())
}

/// An address on loopback that nothing listens on.
fn free_port() -> std::io::Result<SocketAddr> {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Shows a captured letter between two lines.
fn letter(shell: &mut Shell, to: &str, text: &str) -> Result<(), Failure> {
    writeln!(shell.out, "┌─ {}", log::escaped(to))?;
    for line in text.lines() {
        writeln!(shell.out, "│ {}", log::escaped(line))?;
    }
    writeln!(shell.out, "└─")?;
    shell.out.flush()?;
    Ok(())
}

/// The plain part of a mail as it came over the wire, without the headers that only machines read.
fn readable(raw: &str) -> String {
    let raw = raw.replace("\r\n", "\n");
    let part = raw.split("\n--=_").find(|part| part.contains("text/plain")).unwrap_or(&raw);
    let (head, body) = part.split_once("\n\n").unwrap_or(("", part));
    let mut text = String::new();
    if head.to_lowercase().contains("quoted-printable") {
        let bytes = unquoted(body);
        text.push_str(&String::from_utf8_lossy(&bytes));
    } else {
        text.push_str(body);
    }
    text
}

/// Undoes quoted-printable (RFC 2045, 6.7).
fn unquoted(body: &str) -> Vec<u8> {
    let body = body.replace("=\n", "");
    let mut bytes = body.bytes();
    let mut out = Vec::with_capacity(body.len());
    while let Some(byte) = bytes.next() {
        if byte != b'=' {
            out.push(byte);
            continue;
        }
        let code: Vec<u8> = bytes.by_ref().take(2).collect();
        if let Ok(byte) = u8::from_str_radix(&String::from_utf8_lossy(&code), 16) {
            out.push(byte);
        }
    }
    out
}

async fn summary(shell: &mut Shell, settings: &Settings, db: &Db, simulator: &Simulator, letters: usize) -> Result<(), Failure> {
    let calls = simulator.world().calls().len();
    let tickets = listing::tickets(db, &Scope::ALL, &TicketFilter::default()).await?;
    writeln!(shell.out, "\nAt the end: {} tickets, {letters} letters, {calls} calls to the simulated Graph API.\n", tickets.len())?;
    output::write(&mut shell.out, (Format::Table, None), &View::of(settings), &tickets)?;
    Ok(())
}
