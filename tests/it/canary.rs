//! Secrets and citizens' words, looked for wherever the real program could let them out: every secret of the configuration is a canary,
//! the log says all it can, and Meta, the channels and the configuration fail in every way that could make somebody print a URL.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::Write as _,
    net::TcpListener,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tanggap::{
    demo::{
        Now,
        api::Simulator,
        sink::{HttpSink, HttpTurn, SmtpSink, SmtpTurn},
        world::{Citizen, Death, Fault, Scope, Use},
    },
    runtime::{Clock as _, SystemClock},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::databases;

/// Words that stand in what citizens write and in their names, and nowhere else.
const WORDS: [&str; 3] = ["zirkonkutilang", "canthelanwati", "mbegandring"];
/// What belongs to a secret even where the secret itself is cut.
const NEAR: [&str; 3] = ["appsecret_proof", "access_token=", "Bearer "];

/// A daemon that ends with the test, also with one that fails.
struct Daemon(Child);

impl Daemon {
    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.0.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A text as it stands, percent-encoded, in hexadecimal, and in base64 wherever in a longer text it begins.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned(), url::form_urlencoded::byte_serialize(secret.as_bytes()).collect()];
    forms.extend([hex::encode(secret), hex::encode_upper(secret)]);
    for before in 0..3 {
        let whole = STANDARD.encode([&vec![0; before], secret.as_bytes()].concat());
        let from = [0, 2, 3][before]; // characters that hold bits of what stands before, and below of what follows
        let to = whole.trim_end_matches('=').len() - usize::from(whole.ends_with('='));
        let inner = whole[from..to].to_owned();
        forms.extend([inner.replace('+', "-").replace('/', "_"), inner]);
    }
    forms
}

struct Play {
    folder: tempfile::TempDir,
    simulator: Simulator,
    mails: SmtpSink,
    chats: HttpSink,
    hooks: HttpSink,
    /// Name and value of every secret.
    secrets: Vec<(String, String)>,
    accounts: Vec<String>,
    port: u16,
    postgres: Option<String>,
    stop: CancellationToken,
    _served: JoinSet<std::io::Result<()>>,
}

impl Drop for Play {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Play {
    async fn new(format: &str, filter: &str, postgres: bool) -> Self {
        let now: Now = Arc::new(|| SystemClock.now());
        let (simulator, servers) = Simulator::bind(now.clone()).await.unwrap();
        let (mails, mail_server) = SmtpSink::bind(now.clone()).await.unwrap();
        let (chats, chat_server) = HttpSink::bind(now.clone()).await.unwrap();
        let (hooks, hook_server) = HttpSink::bind(now).await.unwrap();
        let (stop, mut served) = (CancellationToken::new(), JoinSet::new());
        served.spawn(servers.serve(stop.clone()));
        served.spawn(mail_server.serve(stop.clone()));
        served.spawn(chat_server.serve(stop.clone()));
        served.spawn(hook_server.serve(stop.clone()));
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut play = Self {
            folder,
            simulator,
            mails,
            chats,
            hooks,
            secrets: Vec::new(),
            accounts: Vec::new(),
            port,
            postgres: None,
            stop,
            _served: served,
        };
        let database = if postgres {
            play.secrets.push(("database.url".into(), "kanari-password-of-the-database".into()));
            let url = databases::postgres().await;
            let (user, host) = url.split_once('@').unwrap();
            play.postgres = Some(url.clone());
            play.file("database", &format!("{user}:kanari-password-of-the-database@{host}"))
        } else {
            format!("sqlite://{}", play.path("t.db").display())
        };
        let text = play.configuration(format, filter, &database);
        fs::write(play.path("tanggap.toml"), text).unwrap();
        play
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where a file of its owner only holds this text.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap().write_all(text.as_bytes()).unwrap();
        format!("file:{}", path.display())
    }

    /// Makes a canary of a secret; where it is to be read.
    fn secret(&mut self, name: &str, value: &str) -> String {
        self.secrets.push((name.to_owned(), value.trim_start_matches("whsec_").to_owned()));
        self.file(&format!("secret-{}", self.secrets.len()), value)
    }

    /// Accounts of both platforms and both logins, what people wrote there, and the configuration that watches them.
    fn configuration(&mut self, format: &str, filter: &str, database: &str) -> String {
        let (app, instagram_app) = ("kanari/app+secret=1", "kanari/instagram+app=2");
        let accounts = {
            let mut world = self.simulator.world();
            (world.app.secret, world.app.instagram_secret, world.app.proof_required) = (app.into(), instagram_app.into(), true);
            let page = world.add_page("Dinhub Rembang", "dinhub");
            let linked = world.add_instagram("Dinhub", "dinhub_rembang", Some(&page.id));
            let own = world.add_instagram("RSUD", "rsud_rembang", None);
            let dying = world.add_page("RSUD Rembang", "rsud");
            for account in [&page, &linked, &own, &dying] {
                world.post(&account.id, "Pengumuman").unwrap();
            }
            [(page, None, ""), (linked, Some(()), ""), (own, Some(()), "login = \"instagram\"\n"), (dying, None, "")]
        };
        self.accounts = accounts.iter().map(|(account, ..)| account.id.clone()).collect();
        let page = accounts[0].0.id.clone();
        let port = self.port;
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (mail, chat, hook) = (self.mails.address, self.chats.url.clone(), self.hooks.url.clone());
        let (facebook, instagram) = (self.simulator.facebook_url.clone(), self.simulator.instagram_url.clone());
        for (name, value) in [("the webhook's address", "kanari-query-of-the-webhook"), ("heartbeat.url", "kanari-path-of-the-heartbeat")] {
            self.secrets.push((name.into(), value.into()));
        }
        let mut text = format!(
            r#"[site]
name = "Kabupaten Uji"
timezone = "Asia/Jakarta"
[database]
url = "{database}"
[log]
format = "{format}"
filter = "{filter}"
[http]
listen = ""
metrics_listen = "127.0.0.1:{port}"
public_url = "https://tanggap.example.go.id"
[graph]
url = "{facebook}"
instagram_url = "{instagram}"
timeout = "1s"
app_id = "1234567890"
app_secret = "{app}"
instagram_app_secret = "{instagram_app}"
verify_token = "{verify}"
[[graph.app]]
name = "lain"
id = "22"
secret = "{other}"
instagram_secret = "{other_instagram}"
[[graph.source]]
token = "{source}"
app = "lain"
[poll]
interval = "1s"
idle_interval = "1s"
[heartbeat]
url = "http://{closed}/kanari-path-of-the-heartbeat"
every = "1s"
[secrets]
key = "{key}"
[letter]
group = "1s"
[[policy]]
name = "biasa"
respond_within = "2s"
calendar = "always"
step = [ {{ at = "0m", notify = ["operator", "mesin", "kepala", "sekda", "jauh"] }} ]
[[official]]
name = "Kepala"
group = "kepala"
email = "kepala@example.go.id"
[[official]]
name = "Sekda"
group = "sekda"
telegram = "-1001"
whatsapp = "6281200000000"
[[official]]
name = "Mesin"
group = "mesin"
webhook = "simpeg"
[[official]]
name = "Jauh"
group = "jauh"
webhook = "jauh"
[channel.smtp]
url = "smtp://user@{mail}"
password = "{password}"
from = "Tanggap <tanggap@example.go.id>"
[channel.telegram]
token = "{bot}"
url = "{chat}"
[channel.whatsapp]
token = "{whatsapp}"
phone_number_id = "1098"
template = "tiket_terlambat"
url = "http://{closed}"
[[channel.webhook]]
name = "simpeg"
url = "{hook}/hook?key=kanari-query-of-the-webhook"
secret = "{signing}"
full = true
[[channel.webhook]]
name = "jauh"
url = "http://{closed}/hook?key=kanari-query-of-the-webhook"
secret = "{signing}"
[[opd]]
slug = "dinhub"
name = "Dinas Perhubungan"
"#,
            app = self.secret("graph.app_secret", app),
            instagram_app = self.secret("graph.instagram_app_secret", instagram_app),
            verify = self.secret("graph.verify_token", "kanari/verify+token=3"),
            other = self.secret("graph.app.secret", "kanari/other+secret=4"),
            other_instagram = self.secret("graph.app.instagram_secret", "kanari/other+instagram=5"),
            source = self.secret("graph.source.token", "EAAkanarisource6"),
            key = self.secret("secrets.key", "kanari-key-kanari-key-kanari-key"),
            password = self.secret("channel.smtp.password", "kanari smtp/password+8"),
            bot = self.secret("channel.telegram.token", "987654321:kanari-telegram-9"),
            whatsapp = self.secret("channel.whatsapp.token", "EAAkanariwhatsapp10"),
            signing = self.secret("channel.webhook.secret", "whsec_a2FuYXJpLXNpZ25pbmcta2FuYXJpLXNpZ25pbmcx"),
        );
        for (account, instagram, login) in accounts {
            let token = self.secret("account.token", &account.token);
            let platform = if instagram.is_some() { "instagram" } else { "facebook" };
            let page = if instagram.is_some() && login.is_empty() { format!("page = \"{page}\"\n") } else { String::new() };
            let id = &account.id;
            writeln!(text, "[[opd.account]]\nplatform = \"{platform}\"\nid = \"{id}\"\n{page}{login}token = \"{token}\"").unwrap();
        }
        text
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tanggap"));
        command
            .args(args)
            .env_clear()
            .env("TANGGAP_CONFIG", self.path("tanggap.toml"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    async fn run(&self, args: &[&str]) -> Output {
        tokio::process::Command::from(self.command(args)).output().await.unwrap()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("stderr")).unwrap()
    }

    async fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < Duration::from_secs(40), "waited in vain for {what}:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn page(&self, path: &str) -> String {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        tanggap::runtime::http::client(Duration::from_secs(5)).unwrap().get(url).send().await.unwrap().text().await.unwrap()
    }

    /// Everything stored, as it stands on disk or as the server shows it.
    async fn stored(&self) -> String {
        use sqlx::{Connection as _, PgConnection};
        let Some(url) = &self.postgres else {
            let bytes: Vec<u8> = ["t.db", "t.db-wal"].into_iter().flat_map(|name| fs::read(self.path(name)).unwrap_or_default()).collect();
            return String::from_utf8_lossy(&bytes).into_owned();
        };
        let mut connection = PgConnection::connect(url).await.unwrap();
        let names = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
        let tables: Vec<String> = sqlx::query_scalar(names).fetch_all(&mut connection).await.unwrap();
        let mut all = String::new();
        for table in tables {
            let sql: &'static str = Box::leak(format!("SELECT COALESCE(string_agg(t::text, ' '), '') FROM {table} t").into_boxed_str());
            all += &sqlx::query_scalar::<_, String>(sql).fetch_one(&mut connection).await.unwrap();
        }
        all
    }

    /// A citizen comments on every account's post and writes to its inbox.
    fn people_write(&self) {
        let mut world = self.simulator.world();
        let posts: Vec<(String, String)> = world
            .items()
            .iter()
            .filter(|item| item.own() && item.root.is_empty())
            .map(|item| (item.account.clone(), item.id.clone()))
            .collect();
        for (account, post) in posts {
            let citizen = Citizen::new(1, "Canthelanwati Mbegandring");
            world.comment(&post, &citizen, "Kapan zirkonkutilang saya jadi?").unwrap();
            world.direct_message(&account, &citizen, "Bagaimana zirkonkutilang itu?").unwrap();
        }
    }

    /// The next calls for the first three accounts go wrong, also when they are tried again.
    fn trouble(&self, faults: [Fault; 3]) {
        let mut world = self.simulator.world();
        for (account, fault) in self.accounts.iter().zip(faults) {
            world.fail_next(Scope::Account(account.clone()), fault, 2);
        }
    }

    /// Somebody presses the button below the first letter in the chat; what it carries.
    fn press(&self) -> String {
        let letter = self.chats.captured().into_iter().find(|chat| chat.path.ends_with("/sendMessage")).unwrap();
        let letter: Value = serde_json::from_slice(&letter.body).unwrap();
        let data = letter["reply_markup"]["inline_keyboard"][0][0]["callback_data"].as_str().unwrap().to_owned();
        let message = json!({"message_id": 1, "chat": {"id": -1001}});
        self.chats.update(json!({"update_id": 1, "callback_query": {"id": "1", "data": data, "message": message}}));
        data
    }

    /// The whole story: what came out, by where.
    async fn tell(&self) -> Vec<(&'static str, String)> {
        tanggap::runtime::http::install_tls();
        self.chats.next("/sendMessage", &HttpTurn::Status(401), 1);
        self.hooks.next("", &HttpTurn::Status(401), 1);
        self.mails.next(SmtpTurn::Refuse(450), 1);
        let file = |name| File::create(self.path(name)).unwrap();
        let mut daemon = Daemon(self.command(&["run"]).stdout(file("stdout")).stderr(file("stderr")).spawn().unwrap());
        let events = |name: &str| self.log().matches(name).count();
        for account in &self.accounts {
            self.simulator.world().set_limit(Use::Pages, account, 400); // a few calls are one percent of it
        }
        self.until("first reads", || {
            self.accounts
                .iter()
                .all(|id| self.simulator.world().calls().iter().filter(|call| call.account.as_ref() == Some(id)).count() > 4)
        })
        .await;
        self.people_write();
        let tried = || !self.hooks.captured().is_empty() && !self.chats.captured().is_empty();
        self.until("letters", || tried() && events("alert.delivered") > 0 && events("alert.retrying") > 2).await;
        let button = self.press();
        self.until("a press", || events("ticket.acknowledged") > 0).await;
        let mut out = vec![("/metrics", self.page("/metrics").await), ("/readyz", self.page("/readyz").await)];
        for metric in ["tanggap_graph_requests_total{", "tanggap_graph_usage_ratio{account=", "tanggap_account_healthy{account="] {
            assert!(out[0].1.contains(metric), "{metric}: {}", out[0].1);
        }
        let bad = self.path("tanggap.d");
        fs::create_dir(&bad).unwrap();
        let literal = "[channel.telegram]\ntoken = \"987:kanari-literal\"\n[graph]\napp_sekret = \"kanari-literal\"\n[database]\nurl = \"mysql://u:kanari-literal@h/d\"\n";
        fs::write(bad.join("buruk.toml"), literal).unwrap();
        daemon.signal("-HUP");
        self.until("a refusal", || events("config.refused") > 2).await;
        let refused = self.run(&["check"]).await;
        assert_eq!(refused.status.code(), Some(2));
        fs::remove_dir_all(bad).unwrap();
        let faults = [
            [Fault::Stall, Fault::Redirect(format!("{}/?access_token=x", self.hooks.url)), Fault::Html],
            [Fault::Reset, Fault::Body("{\"data\": 7}".into()), Fault::Error(403, 10, None)],
        ];
        for (reloads, faults) in faults.into_iter().enumerate() {
            let failed = events("poll.failed");
            self.trouble(faults);
            daemon.signal("-HUP"); // every account is read at once
            self.until("a reload and failures", || events("config.reloaded") > reloads && events("poll.failed") > failed).await;
        }
        let unhealthy = events("account.unhealthy");
        self.simulator.world().kill_token(&self.accounts[3], Death::PasswordChanged);
        daemon.signal("-HUP");
        self.until("a dead account", || events("account.unhealthy") > unhealthy).await;
        let (check, test, queue) = (self.run(&["check"]).await, self.run(&["alert", "test"]).await, self.run(&["accounts"]).await);
        assert!(String::from_utf8_lossy(&check.stdout).contains("190"), "{check:?}");
        let server = std::env::var("TANGGAP_TEST_POSTGRES").unwrap().replacen('@', ":kanari-absent@", 1);
        let absent = server.replace("/postgres", "/absent");
        let mut queue_of_absent = self.command(&["queue"]);
        queue_of_absent.env("TANGGAP__DATABASE__URL", "env:ABSENT").env("ABSENT", absent);
        let absent = queue_of_absent.output().unwrap();
        assert_eq!(absent.status.code(), Some(1), "{absent:?}");
        for output in [refused, check, test, queue, absent] {
            out.push(("a command", String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)));
        }
        daemon.signal("-TERM");
        assert!(daemon.0.wait().unwrap().success());
        out.push(("the daemon's output", fs::read_to_string(self.path("stdout")).unwrap()));
        let log = self.log();
        assert!(!log.contains(&button) && !log.contains("/ack/"), "a button or a link stands in the log");
        out.push(("the log", log));
        out.push(("the database", self.stored().await));
        out
    }

    fn no_secret_in(&self, out: &[(&'static str, String)]) {
        let literals = ["kanari-literal", "kanari-absent"].map(|text| ("a literal".to_owned(), text.to_owned()));
        for (name, value) in self.secrets.iter().cloned().chain(literals) {
            for form in forms(&value) {
                for (place, text) in out {
                    let at = text.find(&form);
                    assert!(at.is_none(), "{place} holds {name}: …{}", at.map(|at| around(text, at)).unwrap_or_default());
                }
            }
        }
        for near in NEAR {
            let log = &out.iter().find(|(place, _)| *place == "the log").unwrap().1;
            assert!(!log.contains(near), "the log holds {near}: …{}", around(log, log.find(near).unwrap()));
        }
    }
}

/// Some text before and after a place.
fn around(text: &str, at: usize) -> String {
    let bytes = &text.as_bytes()[at.saturating_sub(200)..(at + 100).min(text.len())];
    String::from_utf8_lossy(bytes).into_owned()
}

/// Lines of a log that hold a citizen's word.
fn with_words<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    lines.filter(|line| WORDS.iter().any(|word| line.to_lowercase().contains(word))).collect()
}

#[test]
fn the_forms_of_a_canary_are_found_in_what_hides_it() {
    for text in ["user:kanari/secret+1", "kanari/secret+1", "\0user\0kanari/secret+1", "xkanari/secret+1yy"] {
        let found = |hidden: &str| forms("kanari/secret+1").iter().any(|form| hidden.contains(form.as_str()));
        assert!(found(text) && found(&STANDARD.encode(text)) && found(&hex::encode(text)), "{text}");
        assert!(found(&url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()));
        assert!(!found("nothing of the kind") && !found(&STANDARD.encode("nothing of the kind")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_comes_out_where_the_log_is_text_and_says_all_it_can() {
    let play = Play::new("text", "trace", false).await;
    let out = play.tell().await;
    play.no_secret_in(&out);
    let stored = &out.last().unwrap().1;
    assert!(stored.contains("zirkonkutilang") && stored.contains("Canthelanwati"), "what citizens write is stored");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_comes_out_where_the_log_is_json_and_the_database_has_a_password() {
    let play = Play::new("json", "trace", true).await;
    let out = play.tell().await;
    play.no_secret_in(&out);
    let log = play.log();
    let (mut debug, mut lines) = (0, Vec::new());
    for line in log.lines() {
        let level = serde_json::from_str::<Value>(line).unwrap()["level"].as_str().unwrap().to_owned();
        if ["DEBUG", "TRACE"].contains(&level.as_str()) { debug += 1 } else { lines.push(line) }
    }
    assert!(debug > 0, "it said all it could");
    assert_eq!(with_words(lines.into_iter()), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_and_no_citizens_word_comes_out_where_the_log_is_journalds_at_info() {
    // where there is a journal, its lines can't be read here: then another form stands in
    let format = if Path::new("/run/systemd/journal/socket").exists() { "auto" } else { "journald" };
    let play = Play::new(format, "info", false).await;
    let out = play.tell().await;
    play.no_secret_in(&out);
    assert_eq!(with_words(play.log().lines()), Vec::<&str>::new());
}
