//! A citizen's comments in a real database, the real stages on a clock that is moved by hand, letters that went out to a captured mailbox
//! and chat, and the pages of `http.listen` over real HTTP.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use jiff::SignedDuration;
use regex::Regex;
use serde_json::{Value, json};
use tanggap::{
    alert::{
        AlertStage,
        press::{Joints, PressStage},
    },
    app,
    demo::{
        Now,
        sink::{HttpSink, SmtpSink},
    },
    domain::{AccountId, Direction, Kind, Platform, Scope, SharedSettings, TicketId, Time, message::Seen, ticket::ActionKind},
    link,
    poll::Skew,
    runtime::{Clock as _, Crew, ManualClock, Nudge, Stage as _, http, metrics::Metrics},
    store::{
        Db, accounts, actions,
        db::Val,
        intake::{self, Batch, Proof},
    },
};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::EnvFilter;

use crate::{
    hooks::world::secret,
    stages::{self, Heard},
    store::world::comment,
};

const PUBLIC: &str = "https://tanggap.example.go.id";
/// What an OPD is called that means harm.
pub const NAME: &str = r#"Dinas <script>alert("x")</script> & 'Kawan' {{ 7 * 7 }}"#;

/// What came back.
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

impl Answer {
    /// What the page sends along.
    pub fn nonce(&self) -> String {
        Regex::new(r#"name="nonce" value="([^"]+)""#).unwrap().captures(&self.body).expect("a form")[1].to_owned()
    }
    /// The numbers beside the boxes.
    pub fn boxes(&self) -> Vec<i64> {
        let boxes = Regex::new(r#"type="checkbox" name="ticket" value="(\d+)""#).unwrap();
        boxes.captures_iter(&self.body).map(|found| found[1].parse().unwrap()).collect()
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub struct World {
    pub clock: Arc<ManualClock>,
    pub db: Db,
    pub settings: SharedSettings,
    pub links: link::Key,
    pub mails: SmtpSink,
    pub chats: HttpSink,
    pub url: String,
    pub heard: Heard,
    pub stop: CancellationToken,
    pub config: PathBuf,
    client: reqwest::Client,
    account: AccountId,
    threads: Vec<String>,
    updates: i64,
    _crew: Crew,
    _log: DefaultGuard,
    _served: JoinSet<std::io::Result<()>>,
    _sinks: DropGuard,
    _folder: tempfile::TempDir,
}

impl World {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("t.db").display());
        Self::over(&url, folder).await
    }

    pub async fn postgres() -> Self {
        Self::over(&crate::databases::postgres().await, tempfile::tempdir().unwrap()).await
    }

    /// On a database that may have been used before.
    pub async fn over(url: &str, folder: tempfile::TempDir) -> Self {
        let heard = Heard::default();
        let filter = EnvFilter::new("tanggap=trace,axum=trace,tower=trace,sqlx=trace");
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(heard.clone()).with_ansi(false);
        let log = tracing::subscriber::set_default(log.finish());
        http::install_tls();
        let clock = stages::clock();
        let read = clock.clone();
        let now: Now = Arc::new(move || read.now());
        let (mails, mail_server) = SmtpSink::bind(now.clone()).await.unwrap();
        let (chats, chat_server) = HttpSink::bind(now).await.unwrap();
        let (sinks, mut served) = (CancellationToken::new(), JoinSet::new());
        served.spawn(mail_server.serve(sinks.clone()));
        served.spawn(chat_server.serve(sinks.clone()));
        let text = format!(
            r#"
[site]
name = "Kabupaten <Uji>"
timezone = "Asia/Jakarta"
[database]
url = "{url}"
[http]
public_url = "{PUBLIC}"
[[policy]]
name = "biasa"
respond_within = "4h"
calendar = "always"
step = [ {{ at = "0m", notify = ["kepala", "sekda"] }}, {{ at = "1h", notify = ["kepala"] }}, {{ at = "2h", notify = ["bupati"] }} ]
[[official]]
name = "Kepala Dinhub"
group = "kepala"
email = "kepala@example.go.id"
[[official]]
name = "Sekda"
group = "sekda"
telegram = "-1001"
[[official]]
name = "Bupati"
group = "bupati"
email = "bupati@example.go.id"
[channel.smtp]
url = "smtp://{mail}"
from = "Tanggap <tanggap@example.go.id>"
[channel.telegram]
token = "{bot}"
url = "{chat}"
[[opd]]
slug = "dinhub"
name = '''{NAME}'''
abbreviation = "Dinhub"
[[opd.account]]
platform = "facebook"
id = "101"
token = "{token}"
"#,
            mail = mails.address,
            chat = chats.url,
            bot = secret(folder.path(), "bot", "4711:secret-of-the-bot"),
            token = secret(folder.path(), "token", "EAAG"),
        );
        let file = folder.path().join("tanggap.toml");
        fs::write(&file, text).unwrap();
        let settings = stages::settings(&file);
        let db = Db::open(url).await.unwrap();
        accounts::sync(&db, &[(Platform::Facebook, "101".into(), "dinhub".into())], Time::from_timestamp(clock.now())).await.unwrap();
        let account = accounts::number(&db, Platform::Facebook, "101").await.unwrap().unwrap();
        let (url, crew) = stages::web(&db, &settings, &clock).await;
        Self {
            links: app::links(&db).await.unwrap(),
            client: http::client(Duration::from_secs(20)).unwrap(),
            clock,
            db,
            settings,
            mails,
            chats,
            url,
            heard,
            stop: CancellationToken::new(),
            config: file,
            account,
            threads: Vec::new(),
            updates: 100,
            _crew: crew,
            _log: log,
            _served: served,
            _sinks: sinks.drop_guard(),
            _folder: folder,
        }
    }

    pub fn now(&self) -> Time {
        Time::from_timestamp(self.clock.now())
    }

    /// A read shows these messages, and all that is known as it is.
    pub async fn take(&self, messages: Vec<Seen>) {
        let mut threads: Vec<Proof> = self.threads.iter().map(|id| Proof::Unchanged(Kind::Comment, id.clone())).collect();
        threads.push(Proof::Unchanged(Kind::Message, "t_1".into()));
        let (account, began_at, now) = (self.account, self.now(), self.now());
        let confirm_gone = SignedDuration::from_secs(20);
        let read = Batch { account, began_at, now, confirm_gone, messages, posts: vec![], proofs: threads, bindings: vec![] };
        intake::take(&self.db, &read).await.unwrap();
    }

    /// A citizen comments; the ticket's number.
    pub async fn ticket(&mut self, text: &str) -> i64 {
        let id = format!("77{}", self.threads.len());
        self.threads.push(id.clone());
        self.take(vec![Seen { created_at: self.now(), ..comment(&id, text) }]).await;
        self.judge().await;
        self.number("SELECT max(id) AS n FROM ticket").await
    }

    /// The Page answers under the comment of this ticket (they are numbered in the order of writing).
    pub async fn answer(&self, ticket: i64) {
        let thread = self.threads[usize::try_from(ticket).unwrap() - 1].clone();
        let comment = comment(&format!("88{ticket}"), "Sudah kami teruskan, silakan datang ke kantor besok pagi.");
        let out = Seen {
            direction: Direction::Out,
            government: Some("101".into()),
            parent: Some(thread.clone()),
            top_level: false,
            author: None,
            needs_answer: false,
            asks: false,
            created_at: self.now(),
            ..comment
        };
        let thread = tanggap::domain::message::ThreadKey { name: thread, ..out.thread.clone() };
        self.take(vec![Seen { thread, ..out }]).await;
        self.judge().await;
    }

    pub async fn judge(&self) {
        let mut stage = stages::sla(&self.db, &self.settings, &self.clock, &Skew::default()).await;
        stage.once().await.unwrap();
    }

    /// Time passes, everything is read, judged and told.
    pub async fn pass(&self, by: SignedDuration) {
        self.clock.advance(by);
        self.take(vec![]).await;
        self.judge().await;
        self.tell().await;
    }

    /// What is to be told is told.
    pub async fn tell(&self) {
        let (db, settings, clock) = (self.db.clone(), self.settings.clone(), self.clock.clone());
        let mut alerts = AlertStage::new(db, settings, clock, Metrics::default(), "test".into(), self.links.clone()).unwrap();
        alerts.once().await.unwrap();
    }

    /// Two tickets that were written together, the deadline of both a minute ago, and the letters about them sent.
    pub async fn two_late(&mut self) -> [i64; 2] {
        let tickets = [self.ticket("Kapan zirkonkutilang saya jadi?").await, self.ticket("Lampu jalan padam, kapan diperbaiki?").await];
        self.pass(SignedDuration::from_mins(241)).await;
        tickets
    }

    /// The link's path in the newest mail to the address.
    pub fn link(&self, to: &str) -> String {
        let mails = self.mails.captured();
        let mail = mails.iter().rev().find(|mail| mail.to == [to]).expect("a mail to the address");
        let text = mail.raw.replace("=\r\n", "");
        let found = Regex::new(&format!("{PUBLIC}(/ack/[A-Za-z0-9_-]+)")).unwrap();
        found.captures(&text).unwrap_or_else(|| panic!("no link in {text}"))[1].to_owned()
    }

    pub fn token(&self, to: &str) -> String {
        self.link(to).strip_prefix("/ack/").unwrap().to_owned()
    }

    async fn answered(answer: reqwest::Response) -> Answer {
        Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), body: answer.text().await.unwrap() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        Self::answered(self.client.get(format!("{}{path}", self.url)).send().await.unwrap()).await
    }

    pub async fn head(&self, path: &str) -> Answer {
        Self::answered(self.client.head(format!("{}{path}", self.url)).send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, form: &str) -> Answer {
        let request = self.client.post(format!("{}{path}", self.url)).header("content-type", "application/x-www-form-urlencoded");
        Self::answered(request.body(form.to_owned()).send().await.unwrap()).await
    }

    /// What a person does: opens the page, ticks these boxes, presses the button.
    pub async fn tick(&self, path: &str, tickets: &[i64]) -> Answer {
        let nonce = self.get(path).await.nonce();
        self.post(path, &form(&nonce, tickets)).await
    }

    /// `by kind ticket` of everything that was said, in order.
    pub async fn said(&self) -> Vec<String> {
        self.texts("SELECT by_name || ' ' || kind || ' ' || CAST(ticket_id AS TEXT) AS t FROM action ORDER BY id").await
    }

    pub async fn undo(&self, ticket: i64) {
        actions::record(&self.db, &Scope::ALL, &[TicketId(ticket)], (ActionKind::Unack, ""), "Budi", self.now()).await.unwrap();
        self.judge().await;
    }

    /// The numbers of the tickets that somebody is seeing to.
    pub async fn acknowledged(&self) -> Vec<String> {
        self.texts("SELECT CAST(id AS TEXT) AS t FROM ticket WHERE acknowledged_at IS NOT NULL ORDER BY id").await
    }

    pub async fn texts(&self, sql: &'static str) -> Vec<String> {
        self.db.rows(sql, vec![]).await.unwrap().iter().map(|row| row.t("t").unwrap()).collect()
    }

    pub async fn number(&self, sql: &'static str) -> i64 {
        self.db.rows(sql, vec![]).await.unwrap()[0].i("n").unwrap()
    }

    pub async fn exec(&self, sql: &'static str, vals: Vec<Val>) {
        let mut tx = self.db.write().await.unwrap();
        tx.exec(sql, vals).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Everything that a page could change.
    pub async fn rows(&self) -> Vec<String> {
        self.texts(
            "SELECT 'a' || CAST(id AS TEXT) || by_name AS t FROM action UNION ALL SELECT 'm' || key || value FROM meta
             UNION ALL SELECT 't' || CAST(id AS TEXT) || state || COALESCE(CAST(acknowledged_at AS TEXT), '') FROM ticket
             UNION ALL SELECT 'l' || key || state || CAST(attempts AS TEXT) FROM letter
             UNION ALL SELECT 'd' || key || state FROM delivery UNION ALL SELECT 'e' || CAST(id AS TEXT) || kind FROM event ORDER BY 1",
        )
        .await
    }

    /// The stage that reads presses, as after a start.
    pub fn presses(&self) -> PressStage {
        let joints = Joints {
            db: self.db.clone(),
            clock: self.clock.clone(),
            judge: Nudge::default(),
            links: self.links.clone(),
            stop: self.stop.clone(),
        };
        PressStage::new(&self.settings, joints).unwrap().unwrap()
    }

    /// What the button below the newest letter in the chat carries.
    pub fn button(&self) -> String {
        let letter = self.chats.captured().into_iter().rev().find(|chat| chat.path.ends_with("/sendMessage")).unwrap();
        let letter: Value = serde_json::from_slice(&letter.body).unwrap();
        letter["reply_markup"]["inline_keyboard"][0][0]["callback_data"].as_str().unwrap().to_owned()
    }

    /// Somebody presses a button in a chat.
    pub fn press(&mut self, chat: i64, data: &str) {
        let from = json!({"id": 9, "is_bot": false, "first_name": "Zirkonkutilang"});
        let message = json!({"message_id": 7, "date": 0, "chat": {"id": chat, "type": "group"}});
        self.update(json!({"callback_query": {"id": "5", "from": from, "message": message, "chat_instance": "1", "data": data}}));
    }

    /// Telegram hears of something.
    pub fn update(&mut self, mut what: Value) {
        self.updates += 1;
        what["update_id"] = self.updates.into();
        self.chats.update(what);
    }

    /// The method and body of every call to the bot but letters, in order, since the last time.
    pub fn calls(&self, from: usize) -> Vec<(String, Value)> {
        let calls = self.chats.captured().into_iter().filter(|call| !call.path.ends_with("/sendMessage"));
        calls
            .skip(from)
            .map(|call| (call.path.rsplit('/').next().unwrap().to_owned(), serde_json::from_slice(&call.body).unwrap()))
            .collect()
    }

    /// What must hold after every test: the log holds neither link nor button nor what citizens write, and no acknowledgement is doubled.
    pub async fn invariants(&self) {
        let log = self.heard.text();
        let letters = self.texts("SELECT key AS t FROM letter").await;
        for letter in letters {
            let formed = Time::from_ms(letter.rsplit('-').next().unwrap().parse().unwrap()).unwrap();
            for secret in [self.links.token(&letter, formed), self.links.button(&letter).unwrap()] {
                assert!(!log.contains(&secret), "{log}");
            }
        }
        for secret in ["/ack/", "nonce", "irkonkutilang", "secret-of-the-bot"] {
            assert!(!log.contains(secret), "{secret}: {log}");
        }
        let doubled = "SELECT count(*) AS n FROM (SELECT 1 FROM action WHERE letter_id IS NOT NULL GROUP BY ticket_id, letter_id HAVING count(*) > 1) AS x";
        assert_eq!(self.number(doubled).await, 0);
    }
}

/// What the page sends with these boxes ticked.
pub fn form(nonce: &str, tickets: &[i64]) -> String {
    use std::fmt::Write as _;
    let mut form = format!("nonce={nonce}");
    for ticket in tickets {
        write!(form, "&ticket={ticket}").unwrap();
    }
    form
}
