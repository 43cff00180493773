//! Two agencies with a Page each, tickets of both, people and programs of every role, and the real pages with the sla stage beside them.

use std::{collections::HashMap, fs, sync::Arc, time::Duration};

use jiff::SignedDuration;
use reqwest::{Method, RequestBuilder, redirect};
use serde_json::Value;
use tanggap::{
    domain::{
        Kind, Object, Platform, Role, SharedSettings, Time,
        message::{Author, Seen, ThreadKey},
    },
    poll::Skew,
    runtime::{Clock as _, Crew, ManualClock, Nudge, Pulse, drive},
    store::{
        Db, accounts,
        intake::{self, Batch},
        people::{self, Rights},
    },
    web::secret,
};

use crate::{hooks::world::secret as file, stages, store::world::comment};

/// In every text, name and id of the first agency's citizens: whoever may not see that agency never reads it.
pub const MARK: &str = "zirkonkutilang";

pub struct World {
    pub clock: Arc<ManualClock>,
    pub db: Db,
    pub settings: SharedSettings,
    pub url: String,
    client: reqwest::Client,
    sessions: HashMap<&'static str, String>,
    pub tokens: HashMap<&'static str, String>,
    _crew: Crew,
    _folder: tempfile::TempDir,
}

pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Who is there: name, role, OPDs.
const STAFF: [(&str, Role, &[&str]); 5] = [
    ("ani", Role::Admin, &[]),
    ("budi", Role::Ops, &[]),
    ("citra", Role::Viewer, &[]),
    ("dewi", Role::Ops, &["dinhub"]),
    ("eko", Role::Admin, &["dinkes"]),
];
pub const PASSWORD: &str = "kata sandi panjang";

impl World {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("t.db").display());
        Self::over(&url, folder, [(&format!("Kapan KTP {MARK} saya jadi?"), 3), ("Lampu jalan padam, kapan diperbaiki?", 3)]).await
    }

    pub async fn postgres() -> Self {
        let url = crate::databases::postgres().await;
        let texts = [(&*format!("Kapan KTP {MARK} saya jadi?"), 3), ("Lampu jalan padam, kapan diperbaiki?", 3)];
        Self::over(&url, tempfile::tempdir().unwrap(), texts).await
    }

    /// So many comments with these texts to dinkes and to dinhub.
    pub async fn over(url: &str, folder: tempfile::TempDir, texts: [(&str, usize); 2]) -> Self {
        tanggap::runtime::http::install_tls();
        let clock = stages::clock();
        let text = format!(
            r#"
[site]
name = "Kabupaten <Uji>"
timezone = "Asia/Jakarta"
[database]
url = "{url}"
[[policy]]
name = "biasa"
respond_within = "4h"
calendar = "always"
step = [ {{ at = "0m", notify = ["kepala"] }} ]
[[official]]
name = "Kepala"
group = "kepala"
[[opd]]
slug = "dinkes"
name = "Dinas Kesehatan"
abbreviation = "Dinkes"
[[opd.account]]
platform = "facebook"
id = "101"
token = "{token}"
[[opd]]
slug = "dinhub"
name = "Dinas Perhubungan"
abbreviation = "Dinhub"
[[opd.account]]
platform = "facebook"
id = "102"
token = "{token}"
"#,
            token = file(folder.path(), "token", "EAAG"),
        );
        let path = folder.path().join("tanggap.toml");
        fs::write(&path, text).unwrap();
        let settings = stages::settings(&path);
        let db = Db::open(url).await.unwrap();
        let now = Time::from_timestamp(clock.now());
        let known = [("101", "dinkes"), ("102", "dinhub")].map(|(id, opd)| (Platform::Facebook, id.to_owned(), opd.to_owned()));
        accounts::sync(&db, &known, now).await.unwrap();
        let judge = Nudge::default();
        let (url, mut crew) = stages::web_of(&db, &settings, &clock, judge.clone()).await;
        let sla = stages::sla(&db, &settings, &clock, &Skew::default()).await;
        let stop = crew.token();
        crew.spawn("sla", drive(sla, clock.clone(), judge, stop, Pulse::default()));
        let client = reqwest::Client::builder().redirect(redirect::Policy::none()).timeout(Duration::from_secs(20)).build().unwrap();
        let (mut sessions, mut tokens) = (HashMap::new(), HashMap::new());
        for (name, role, opds) in STAFF {
            let opds: Vec<String> = opds.iter().map(|&opd| opd.to_owned()).collect();
            let rights = Rights { role, opds: &opds };
            people::add(&db, (name, Some(&secret::hashed(PASSWORD).unwrap()), None), &rights, "test", now).await.unwrap();
            let person = people::by_name(&db, name).await.unwrap().unwrap();
            let session = secret::fresh("");
            people::sign_in(&db, &person, &secret::fingerprint(&session), now).await.unwrap();
            sessions.insert(name, session);
            let token = secret::fresh("tgp_");
            people::add_token(&db, name, &secret::fingerprint(&token), &rights, "test", now).await.unwrap();
            tokens.insert(name, token);
        }
        let world = Self { clock, db, settings, url, client, sessions, tokens, _crew: crew, _folder: folder };
        for ((account, prefix), (text, count)) in [("101", "71"), ("102", "72")].into_iter().zip(texts) {
            world.comments(account, prefix, &vec![text; count]).await;
        }
        world
    }

    pub fn now(&self) -> Time {
        Time::from_timestamp(self.clock.now())
    }

    /// Citizens comment on the account's posts, a second after one another; returns when their tickets stand.
    pub async fn comments(&self, account: &str, prefix: &str, texts: &[&str]) {
        let number = accounts::number(&self.db, Platform::Facebook, account).await.unwrap().unwrap();
        let mark = if account == "101" { MARK } else { "" };
        let messages = texts.iter().enumerate().map(|(nth, text)| {
            let id = format!("{prefix}{nth}");
            Seen {
                object: Object::Comment,
                thread: ThreadKey { name: id.clone(), kind: Kind::Comment, ..comment(&id, text).thread },
                author: Some(Author {
                    id: Some(format!("9{prefix}{nth}")),
                    name: Some(format!("Siti {mark}{nth}").into()),
                    username: None,
                }),
                created_at: self.now().minus(SignedDuration::from_secs(100 - nth as i64)),
                ..comment(&id, text)
            }
        });
        let (now, confirm_gone) = (self.now(), SignedDuration::from_secs(20));
        let messages = messages.collect();
        let read = Batch { account: number, began_at: now, now, confirm_gone, messages, posts: vec![], proofs: vec![], bindings: vec![] };
        intake::take(&self.db, &read).await.unwrap();
        let mut stage = stages::sla(&self.db, &self.settings, &self.clock, &Skew::default()).await;
        tanggap::runtime::Stage::once(&mut stage).await.unwrap();
    }

    /// The citizen of a comment's thread writes again below it.
    pub async fn follow(&self, account: &str, thread: &str, text: &str) {
        let number = accounts::number(&self.db, Platform::Facebook, account).await.unwrap().unwrap();
        let id = format!("{thread}99");
        let written = comment(&id, text);
        let message = Seen {
            thread: ThreadKey { name: thread.to_owned(), ..written.thread.clone() },
            parent: Some(thread.to_owned()),
            top_level: false,
            created_at: self.now(),
            ..written
        };
        let (now, confirm_gone, messages) = (self.now(), SignedDuration::from_secs(20), vec![message]);
        let read = Batch { account: number, began_at: now, now, confirm_gone, messages, posts: vec![], proofs: vec![], bindings: vec![] };
        intake::take(&self.db, &read).await.unwrap();
    }

    /// The number of the first open ticket of an OPD.
    pub async fn ticket_of(&self, opd: &str) -> i64 {
        let list = self.api("ani", &format!("/api/v1/tickets?opd={opd}")).await.json();
        list["data"][0]["id"].as_i64().unwrap()
    }

    async fn sent(request: RequestBuilder) -> Answer {
        let answer = request.send().await.unwrap();
        Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), body: answer.text().await.unwrap() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// A page as somebody signed in reads it; an empty name: nobody.
    pub async fn page(&self, name: &str, path: &str) -> Answer {
        Self::sent(self.signed(name, self.request(Method::GET, path))).await
    }

    pub fn session(&self, name: &str) -> &str {
        &self.sessions[name]
    }

    pub fn signed(&self, name: &str, request: RequestBuilder) -> RequestBuilder {
        match self.sessions.get(name) {
            Some(session) => request.header("cookie", format!("tanggap={session}")),
            None => request,
        }
    }

    /// What a form of ours sends.
    pub async fn post(&self, name: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let request = self.request(Method::POST, path).header("sec-fetch-site", "same-origin").form(form);
        Self::sent(self.signed(name, request)).await
    }

    /// The same from elsewhere.
    pub async fn post_from(&self, name: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.signed(name, self.request(Method::POST, path).form(&[("text", "x")]));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Self::sent(request).await
    }

    fn borne(&self, name: &str, request: RequestBuilder) -> RequestBuilder {
        match self.tokens.get(name) {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// An answer of the API to somebody's token.
    pub async fn api(&self, name: &str, path: &str) -> Answer {
        Self::sent(self.borne(name, self.request(Method::GET, path))).await
    }

    pub async fn api_with(&self, name: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.borne(name, self.request(Method::GET, path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Self::sent(request).await
    }

    pub async fn act(&self, name: &str, path: &str, body: &Value) -> Answer {
        Self::sent(self.borne(name, self.request(Method::POST, path).json(body))).await
    }
}
