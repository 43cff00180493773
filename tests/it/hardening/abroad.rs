//! Out: a server that sends every call on to another host, and one whose answers never end.
#![allow(clippy::print_stdout)] // figures, for a person

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use tanggap::{
    demo::sink::HttpSink,
    runtime::{Crew, serve::Server},
};
use tokio_util::sync::CancellationToken;

use crate::soak::site::now;

/// A program that ends with its test.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that answers everything so, until the crew ends.
async fn serving(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> (String, Crew) {
    let mut crew = Crew::new(&CancellationToken::new());
    let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let (url, stop) = (format!("http://{}", server.address()), crew.token());
    crew.spawn("far", server.run(Router::new().fallback(async move || answer()), stop));
    (url, crew)
}

/// A site whose every way out leads to one address: eight accounts of all logins, every channel, the heartbeat and a token's source.
fn configure(folder: &Path, far: &str) -> std::path::PathBuf {
    let token = folder.join("token");
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&token).unwrap().write_all(b"EAAkanari-token").unwrap();
    let token = format!("file:{}", token.display());
    let key = folder.join("key");
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&key).unwrap().write_all(&[b'k'; 32]).unwrap();
    let mut text = format!(
        r#"[site]
name = "Uji"
timezone = "Asia/Jakarta"
[database]
url = "sqlite://{folder}/t.db"
[http]
listen = ""
metrics_listen = ""
[graph]
url = "{far}"
instagram_url = "{far}"
app_id = "12"
app_secret = "{token}"
instagram_app_secret = "{token}"
timeout = "10s"
[[graph.source]]
token = "{token}"
[poll]
interval = "1s"
idle_interval = "1s"
[heartbeat]
url = "{far}/beat"
every = "1s"
[secrets]
key = "file:{key}"
[[policy]]
name = "biasa"
respond_within = "1h"
calendar = "always"
step = [ {{ at = "0m", notify = ["operator"] }} ]
[[official]]
name = "Operator"
group = "operator"
telegram = "-1001"
whatsapp = "6281200000000"
webhook = "jauh"
[channel.telegram]
token = "{token}"
url = "{far}"
[channel.whatsapp]
token = "{token}"
phone_number_id = "1098"
template = "tiket"
url = "{far}"
[[channel.webhook]]
name = "jauh"
url = "{far}/hook"
secret = "env:SIGNING"
[channel.alertmanager]
url = "{far}"
group = "operator"
[[opd]]
slug = "uji"
name = "Uji"
"#,
        folder = folder.display(),
        key = key.display(),
    );
    let own = format!("token = \"{token}\"\n");
    let accounts = (0..6).map(|id| (format!("platform = \"facebook\"\nid = \"10{id}\"\n"), id > 0));
    let instagram = ["id = \"201\"\npage = \"101\"\n", "id = \"202\"\nlogin = \"instagram\"\n"];
    for (lines, has) in accounts.chain(instagram.map(|lines| (format!("platform = \"instagram\"\n{lines}"), true))) {
        text.push_str("[[opd.account]]\n");
        text.push_str(&lines);
        text.push_str(if has { &own } else { "" });
    }
    let file = folder.join("tanggap.toml");
    fs::write(&file, text).unwrap();
    file
}

fn start(folder: &Path, config: &Path, args: &[&str]) -> Running {
    let log = fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_tanggap"))
        .args(args)
        .env_clear()
        .env("TANGGAP_CONFIG", config)
        .env("SIGNING", "whsec_a2FuYXJpLXNpZ25pbmcta2FuYXJpLXNpZ25pbmcx")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::from(log))
        .spawn()
        .unwrap();
    Running(child)
}

/// Waits until the log holds so many lines with this.
async fn said(folder: &Path, what: &str, count: usize) -> String {
    let start = Instant::now();
    loop {
        let log = fs::read_to_string(folder.join("log")).unwrap();
        if log.lines().filter(|line| line.contains(what)).count() >= count {
            return log;
        }
        assert!(start.elapsed() < Duration::from_mins(1), "waited in vain for {what}:\n{log}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_sent_on_to_another_host_is_not_made_there() {
    let (stranger, server) = HttpSink::bind(Arc::new(now)).await.unwrap();
    let mut crew = Crew::new(&CancellationToken::new());
    let stop = crew.token();
    crew.spawn("stranger", async move { server.serve(stop).await });
    let to = stranger.url.clone();
    // 307 and 308 would have the body sent on, too.
    let turn = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (far, _far) = serving(move || {
        let status = [302, 307, 308, 301, 303][turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 5];
        (StatusCode::from_u16(status).unwrap(), [(header::LOCATION, format!("{to}/taken?access_token=x"))]).into_response()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), &far);
    let _daemon = start(folder.path(), &config, &["run"]);
    said(folder.path(), "poll.failed", 8).await;
    for args in [&["alert", "test"][..], &["check"], &["accounts", "discover", "--token", "env:SIGNING"], &["accounts", "subscribe"]] {
        start(folder.path(), &config, args).0.wait().unwrap();
    }
    assert_eq!(stranger.captured().len(), 0, "{:?}", stranger.captured());
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(!log.contains("kanari") && !log.contains("panicked"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_without_an_end_cost_bounded_memory_and_leave_the_account_unread() {
    // A gigabyte each, if anybody took it: a list of messages that begins well.
    let (far, _far) = serving(|| {
        let chunk = Bytes::from(format!("{{\"id\":\"1\",\"message\":\"{}\"}},", "Kapan? ".repeat(9_000)).into_bytes());
        let begin = Bytes::from_static(b"{\"data\":[");
        let body =
            stream::iter((0..16_000).map(move |n| Ok::<_, std::convert::Infallible>(if n == 0 { begin.clone() } else { chunk.clone() })));
        ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(body)).into_response()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), &far);
    let daemon = start(folder.path(), &config, &["run"]);
    said(folder.path(), "longer than 16 MiB", 4).await;
    let db = tanggap::store::Db::open_existing(&format!("sqlite://{}/t.db", folder.path().display())).await.unwrap();
    let number = async |sql| db.rows(sql, vec![]).await.unwrap()[0].i("n").unwrap();
    let start_at = Instant::now();
    while number("SELECT COUNT(*) AS n FROM account WHERE failures > 0").await < 8 {
        assert!(start_at.elapsed() < Duration::from_mins(1), "{}", fs::read_to_string(folder.path().join("log")).unwrap());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.0.id())).unwrap();
    let most: u64 = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim().trim_end_matches(" kB").parse().unwrap();
    println!("at most {} MiB with eight such answers at once", most / 1024);
    assert!(most < 320 * 1024, "{most} KiB");
    assert_eq!(number("SELECT COUNT(*) AS n FROM account WHERE last_read_at IS NOT NULL").await, 0, "an account counts as read");
    // Channels and commands have their own bounds.
    for args in [&["alert", "test"][..], &["check"], &["accounts", "discover", "--token", "env:SIGNING"]] {
        let start_at = Instant::now();
        start(folder.path(), &config, args).0.wait().unwrap();
        assert!(start_at.elapsed() < Duration::from_mins(1), "{args:?} took {:?}", start_at.elapsed());
    }
}
