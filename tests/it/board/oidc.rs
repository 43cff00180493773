//! Sign-in by an identity provider, end to end over real HTTP: who is let in, who is not, and that nothing of a sign-in gets out.

use std::{
    fs,
    process::{Command, Output},
    sync::Arc,
    time::Duration,
};

use jiff::SignedDuration;
use reqwest::{Method, header::HeaderMap, redirect};
use tanggap::{
    domain::Time,
    runtime::{Clock as _, Crew, ManualClock},
    store::{Db, people},
};
use url::Url;

use super::provider::{ACCESS, CODE, Provider, SECRET, Wrong};
use crate::{
    hooks::world::secret,
    stages::{self, Heard},
};

/// The board with a provider, and one browser.
struct World {
    clock: Arc<ManualClock>,
    db: Db,
    provider: Arc<Provider>,
    url: String,
    client: reqwest::Client,
    folder: tempfile::TempDir,
    crews: [Crew; 2],
}

struct Page {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Page {
    fn to(&self) -> &str {
        self.headers["location"].to_str().unwrap()
    }
    /// `name=value` of the cookie that was set, with the rest of it.
    fn cookie(&self, name: &str) -> (String, String) {
        let set = self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
        let found = set.filter_map(|cookie| cookie.split_once("; ")).find(|(pair, _)| pair.split_once('=').unwrap().0 == name);
        found.map(|(pair, rest)| (pair.to_owned(), rest.to_owned())).unwrap()
    }
}

impl World {
    async fn new(database: Option<&str>) -> Self {
        tanggap::runtime::http::install_tls();
        let (folder, clock) = (tempfile::tempdir().unwrap(), stages::clock());
        let (provider, crew) = Provider::start(&clock).await;
        let url = database.map_or_else(|| format!("sqlite://{}", folder.path().join("t.db").display()), str::to_owned);
        let text = format!(
            "[site]\nname = \"Kabupaten Uji\"\ntimezone = \"Asia/Jakarta\"\n[database]\nurl = \"{url}\"\n\
             [http]\npublic_url = \"http://127.0.0.1:9\"\n\
             [oidc]\nissuer = \"{}\"\nclient_id = \"tanggap\"\nclient_secret = \"{}\"\nname = \"SSO <Uji>\"\n\
             [[policy]]\nname = \"biasa\"\nrespond_within = \"4h\"\ncalendar = \"always\"\n\
             [[opd]]\nslug = \"dinkes\"\nname = \"Dinas Kesehatan\"\n[[opd.account]]\nplatform = \"facebook\"\nid = \"101\"\ntoken = \"{}\"\n",
            provider.url,
            secret(folder.path(), "oidc", SECRET),
            secret(folder.path(), "token", "EAAG"),
        );
        let path = folder.path().join("tanggap.toml");
        fs::write(&path, text).unwrap();
        let settings = stages::settings(&path);
        let db = Db::open(&url).await.unwrap();
        let (url, web) = stages::web(&db, &settings, &clock).await;
        let client = reqwest::Client::builder().redirect(redirect::Policy::none()).timeout(Duration::from_secs(20)).build().unwrap();
        Self { clock, db, provider, url, client, folder, crews: [crew, web] }
    }

    /// The real command beside it.
    fn command(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_tanggap"))
            .args(args)
            .arg("--config")
            .arg(self.folder.path().join("tanggap.toml"))
            .output()
            .unwrap()
    }

    fn admit(&self, sub: &str) {
        let output = self.command(&["user", "add", "siti", "--role", "ops", "--subject", sub, "--by", "test"]);
        assert!(output.status.success(), "{output:?}");
    }

    fn admit_as(&self, name: &str, sub: &str) {
        let output = self.command(&["user", "add", name, "--role", "viewer", "--subject", sub]);
        assert!(output.status.success(), "{output:?}");
        let twice = self.command(&["user", "add", "other", "--role", "viewer", "--subject", sub]);
        assert!(String::from_utf8_lossy(&twice.stderr).contains("or subject already"), "{twice:?}");
    }

    async fn get(&self, url: &str, cookie: &str) -> Page {
        let url = if url.starts_with('/') { format!("{}{url}", self.url) } else { url.to_owned() };
        let answer = self.client.get(url).header("cookie", cookie).send().await.unwrap();
        Page { status: answer.status().as_u16(), headers: answer.headers().clone(), body: answer.text().await.unwrap() }
    }

    /// From the button to the provider: what the browser keeps, and where the provider sends it.
    async fn begun(&self, next: &str) -> (String, String) {
        let start = self.get(&format!("/oidc/start?next={next}"), "").await;
        assert_eq!(start.status, 303, "{}", start.body);
        assert!(start.to().starts_with(&format!("{}/authorize?", self.provider.url)), "{}", start.to());
        let (kept, how) = start.cookie("tanggap-oidc");
        assert_eq!(how, "HttpOnly; SameSite=Lax; Path=/; Max-Age=600");
        let there = self.get(start.to(), "").await;
        let back = there.to().strip_prefix("http://127.0.0.1:9").unwrap().to_owned();
        assert!(back.starts_with("/oidc/back?"));
        (kept, back)
    }

    /// From the button back to us.
    async fn signed_in(&self) -> Page {
        let (kept, back) = self.begun("/tickets/4").await;
        self.get(&back, &kept).await
    }

    /// The last line of the trail.
    async fn trail(&self) -> String {
        let sql = "SELECT by_name || ': ' || did || ': ' || detail AS t FROM trail ORDER BY id DESC LIMIT 1";
        self.db.rows(sql, vec![]).await.unwrap().first().map_or_else(String::new, |row| row.t("t").unwrap())
    }
}

#[tokio::test]
async fn who_was_admitted_signs_in_by_the_provider_and_goes_where_they_wanted() {
    for database in [None, Some(crate::databases::postgres().await)] {
        let world = World::new(database.as_deref()).await;
        world.admit("f3a1-siti");
        let login = world.get("/login?next=/tickets/4%3Fa%3D1%26b", "").await.body;
        assert!(login.contains("Masuk dengan SSO &lt;Uji&gt;") && login.contains(r#"name="password""#), "{login}");
        assert!(login.replace("&#x2f;", "/").contains(r#"href="/oidc/start?next=/tickets/4%3Fa%3D1%26b""#), "{login}");
        let done = world.signed_in().await;
        assert_eq!((done.status, done.to()), (303, "/tickets/4"), "{}", done.body);
        assert!(done.cookie("tanggap-oidc").1.contains("Max-Age=0"));
        let (session, how) = done.cookie("tanggap");
        assert!(how.contains("HttpOnly") && how.contains("SameSite=Lax"));
        assert_eq!(world.get("/", &session).await.status, 200);
        assert_eq!(world.trail().await, "siti: sign_in: ");
        // no password fits somebody who has none
        let form = [("name", "siti"), ("password", "")];
        let request =
            world.client.request(Method::POST, format!("{}/login", world.url)).header("sec-fetch-site", "same-origin").form(&form);
        assert_eq!(request.send().await.unwrap().status().as_u16(), 401);
        people::end(&world.db, "siti", "test", Time::from_timestamp(world.clock.now())).await.unwrap();
        assert_eq!((world.get("/", &session).await.status, world.signed_in().await.status), (303, 401));
    }
}

#[tokio::test]
async fn being_known_to_the_provider_alone_lets_nobody_in() {
    let world = World::new(None).await;
    world.admit("lain");
    world.provider.now().sub = "<b>f3a1</b> siti".into();
    let page = world.signed_in().await;
    assert_eq!(page.status, 401);
    assert!(page.body.contains("Akun belum terdaftar") && page.body.contains("&lt;b&gt;f3a1&lt;&#x2f;b&gt; siti"), "{}", page.body);
    assert!(!page.headers.get_all("set-cookie").iter().any(|cookie| cookie.to_str().unwrap().starts_with("tanggap=")));
    assert_eq!(world.trail().await, "oidc: sign_in.failed: nobody has the subject <b>f3a1</b> siti");
    world.admit_as("budi", "<b>f3a1</b> siti");
    assert_eq!(world.signed_in().await.status, 303);
}

#[tokio::test]
async fn a_token_that_proves_nothing_lets_nobody_in_and_nothing_secret_is_logged() {
    let heard = Heard::default();
    let log = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(heard.clone()).with_ansi(false).finish();
    let _log = tracing::subscriber::set_default(log);
    let world = World::new(None).await;
    world.admit("f3a1-siti");
    for (wrong, status, why) in [
        (Wrong::Audience, 401, "ID token: for somebody else"),
        (Wrong::Issuer, 401, "ID token: by another issuer"),
        (Wrong::Nonce, 401, "ID token: of another sign-in"),
        (Wrong::Expired, 401, "ID token: expired"),
        (Wrong::Forged, 401, "ID token: not signed by the provider"),
        (Wrong::Unsigned, 401, ""),
        (Wrong::BySecret, 401, "ID token: not signed by the provider"),
        (Wrong::Subject, 401, "ID token: no proper subject"),
        (Wrong::NoToken, 401, "no ID token"),
        (Wrong::Garbage, 401, "the answer to the token request cannot be read"),
        (Wrong::Denied, 401, "token request: invalid_grant"),
        (Wrong::Broken, 503, ""),
    ] {
        world.clock.advance(SignedDuration::from_secs(61));
        world.provider.now().wrong = wrong;
        let before = world.trail().await;
        let page = world.signed_in().await;
        assert_eq!(page.status, status, "{wrong:?}: {}", page.body);
        assert!(!page.headers.get_all("set-cookie").iter().any(|cookie| cookie.to_str().unwrap().starts_with("tanggap=")), "{wrong:?}");
        let trail = world.trail().await;
        if status == 401 {
            assert!(trail.starts_with("oidc: sign_in.failed: ") && trail.contains(why), "{wrong:?}: {trail}");
        } else {
            assert_eq!(trail, before, "{wrong:?}: nobody failed but the provider");
        }
    }
    world.provider.now().wrong = Wrong::Nothing;
    assert_eq!(world.signed_in().await.status, 303);
    let log = heard.text();
    assert!(log.contains("user.refused") && log.contains("oidc.down") && log.contains("user.signed_in"), "{log}");
    let encoded: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let mut secrets = vec![SECRET.to_owned(), encoded, ACCESS.to_owned()];
    secrets.extend(world.provider.now().tokens.iter().map(|token| token.split('.').nth(1).unwrap().to_owned()));
    let ours = log.lines().filter(|line| line.contains("tanggap") || line.contains("user.") || line.contains("oidc")).collect::<Vec<_>>();
    assert!(secrets.iter().all(|secret| !log.contains(secret)), "a secret is logged");
    assert!(ours.iter().all(|line| !line.contains(CODE)), "a code is logged: {ours:?}");
}

#[tokio::test]
async fn what_comes_back_is_taken_once_by_the_browser_that_asked_and_in_time() {
    let world = World::new(None).await;
    world.admit("f3a1-siti");
    let refused = async |back: &str, cookie: &str, why: &str| {
        world.clock.advance(SignedDuration::from_secs(61));
        let page = world.get(back, cookie).await;
        assert!(page.status == 400 && page.body.contains("Tidak jadi masuk"), "{why}: {} {}", page.status, page.body);
        assert_eq!(world.trail().await, format!("oidc: sign_in.failed: {why}"));
    };
    const NONE: &str = "no sign-in of this browser is under way";
    let (kept, back) = world.begun("/").await;
    let (other_kept, _) = world.begun("/").await;
    refused(&back, "", NONE).await;
    refused(&back, &other_kept, "the state is of another sign-in").await;
    refused(&back, &format!("{kept}A"), NONE).await;
    refused("/oidc/back", &kept, "the state is of another sign-in").await;
    assert_eq!(world.get(&back, &kept).await.status, 303, "none of these spoilt it");
    refused(&back, &kept, "the sign-in came back a second time").await;

    let (kept, back) = world.begun("/").await;
    world.clock.advance(SignedDuration::from_mins(9));
    refused(&back, &kept, NONE).await;

    let (kept, back) = world.begun("/").await;
    let state =
        Url::parse(&format!("{}{back}", world.url)).unwrap().query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    refused(&format!("/oidc/back?state={state}&error=access_denied&error_description=x"), &kept, "the provider says access_denied").await;
    let (kept, back) = world.begun("/").await;
    refused(back.split_once("code=").unwrap().0, &kept, "the state is of another sign-in").await;
}

#[tokio::test]
async fn nobody_is_sent_elsewhere_and_the_trail_cannot_be_filled() {
    let world = World::new(None).await;
    world.admit("f3a1-siti");
    for next in ["//evil.example", "https://evil.example", "/%5Cevil.example", &format!("/{}", "x".repeat(5000))] {
        let (kept, back) = world.begun(next).await;
        assert_eq!(world.get(&back, &kept).await.to(), "/", "{next}");
    }
    for _ in 0..50 {
        assert_eq!(world.get("/oidc/back?state=x&code=y", "").await.status, 400);
    }
    let rows = world.db.rows("SELECT COUNT(*) AS n FROM trail WHERE did = 'sign_in.failed'", vec![]).await.unwrap();
    assert_eq!(rows[0].i("n").unwrap(), 5);
    assert_eq!(world.signed_in().await.status, 303, "who can sign in needs not wait for it");
}

#[tokio::test]
async fn the_provider_is_asked_once_an_hour_and_again_when_it_changed_its_key() {
    let world = World::new(None).await;
    world.admit("f3a1-siti");
    for _ in 0..3 {
        assert_eq!(world.signed_in().await.status, 303);
    }
    assert_eq!(world.provider.now().discovered, 1);
    world.clock.advance(SignedDuration::from_secs(20));
    world.provider.now().rotated = true;
    assert_eq!((world.signed_in().await.status, world.provider.now().discovered), (303, 2));
    world.clock.advance(SignedDuration::from_mins(61));
    assert_eq!((world.signed_in().await.status, world.provider.now().discovered), (303, 3));
}

#[tokio::test]
async fn while_the_provider_is_down_a_page_says_so_and_passwords_still_work() {
    let heard = Heard::default();
    let log = tracing_subscriber::fmt().with_writer(heard.clone()).with_ansi(false).finish();
    let _log = tracing::subscriber::set_default(log);
    let mut world = World::new(None).await;
    let [crew, web] = world.crews;
    crew.stop().await.unwrap();
    world.crews = [Crew::new(&tokio_util::sync::CancellationToken::new()), web];
    let page = world.get("/oidc/start", "").await;
    assert!(page.status == 503 && page.body.contains("Layanan masuk tidak menjawab"), "{}", page.body);
    let said = heard.text();
    assert!(said.contains("WARN") && said.contains("oidc.down") && said.contains("could not connect") && !said.contains(SECRET), "{said}");
    assert_eq!(world.get("/login", "").await.status, 200);
}
