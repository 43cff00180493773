//! A database, the pages of `http.listen` over real HTTP, and the sla stage, on a clock that is moved by hand.

use std::{fs, os::unix::fs::OpenOptionsExt as _, path::Path, sync::Arc, time::Duration};

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::Sha256;
use tanggap::{
    domain::{Platform, Time},
    poll::Skew,
    runtime::{Clock as _, Crew, ManualClock, Stage as _, http},
    sla::SlaStage,
    store::{Db, accounts},
};

use crate::stages;

pub const PAGE: &str = "101000000000001";
pub const INSTAGRAM: &str = "17841400000000001";
pub const APP: &str = "secret-of-the-app";
pub const APP_INSTAGRAM: &str = "secret-of-its-instagram";
pub const OTHER_APP: &str = "secret-of-the-other-app";
pub const VERIFY: &str = "shown-in-the-handshake";

/// Writes a secret into a file of its own and gives its reference.
pub fn secret(folder: &Path, name: &str, value: &str) -> String {
    let path = folder.join(name);
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    std::io::Write::write_all(&mut file.unwrap(), value.as_bytes()).unwrap();
    format!("file:{}", path.display())
}

/// `X-Hub-Signature-256`.
pub fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

pub struct World {
    pub clock: Arc<ManualClock>,
    pub db: Db,
    pub client: reqwest::Client,
    pub url: String,
    sla: SlaStage,
    crew: Crew,
    _folder: tempfile::TempDir,
}

impl World {
    /// An OPD with a Page and an Instagram account, neither of them due before the next day.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keep = |name: &str, value: &str| secret(folder.path(), name, value);
        let text = format!(
            r#"
[site]
name = "Kabupaten Uji"
timezone = "Asia/Jakarta"
[database]
url = "sqlite://{folder}/hooks.db"
[graph]
app_secret = "{app}"
instagram_app_secret = "{instagram}"
verify_token = "{verify}"
[[graph.app]]
name = "kedua"
id = "2"
secret = "{other}"
[[policy]]
name = "biasa"
respond_within = "4h"
calendar = "always"
step = [ {{ at = "50%", notify = ["operator"] }}, {{ at = "0m", notify = ["kepala"] }} ]
[[official]]
name = "Operator"
group = "operator"
email = "operator@example.go.id"
[[official]]
name = "Kepala"
group = "kepala"
email = "kepala@example.go.id"
[[opd]]
slug = "dinhub"
name = "Dinas Perhubungan"
[[opd.account]]
platform = "facebook"
id = "{PAGE}"
token = "{token}"
[[opd.account]]
platform = "instagram"
id = "{INSTAGRAM}"
page = "{PAGE}"
token = "{token}"
"#,
            folder = folder.path().display(),
            app = keep("app", APP),
            instagram = keep("instagram", APP_INSTAGRAM),
            other = keep("other", OTHER_APP),
            verify = keep("verify", VERIFY),
            token = keep("token", "EAAG"),
        );
        let file = folder.path().join("tanggap.toml");
        fs::write(&file, text).unwrap();
        let settings = stages::settings(&file);
        let clock = stages::clock();
        let db = Db::open(&format!("sqlite://{}", folder.path().join("hooks.db").display())).await.unwrap();
        let list: Vec<_> = settings.accounts().map(|(opd, spec)| (spec.platform, spec.id.clone(), opd.slug.clone())).collect();
        let tomorrow = Time::from_timestamp(clock.now()).plus(SignedDuration::from_hours(24));
        accounts::sync(&db, &list, tomorrow).await.unwrap();
        let (url, crew) = stages::web(&db, &settings, &clock).await;
        let sla = stages::sla(&db, &settings, &clock, &Skew::default()).await;
        let client = http::client(Duration::from_secs(20)).unwrap();
        Self { clock, db, client, url, sla, crew, _folder: folder }
    }

    /// Posts a body under a signature; status and words of the answer.
    pub async fn post(&self, signature: Option<&str>, body: &[u8]) -> (u16, String) {
        let mut request = self.client.post(format!("{}/webhooks/meta", self.url)).body(body.to_vec());
        if let Some(signature) = signature {
            request = request.header("X-Hub-Signature-256", signature);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Posts a delivery that the app signed.
    pub async fn deliver(&self, object: &str, entries: Value) {
        let body = json!({ "object": object, "entry": entries }).to_string();
        assert_eq!(self.post(Some(&signature(APP, body.as_bytes())), body.as_bytes()).await.0, 200, "{body}");
    }

    /// Whether the account is due; if so it is put off until the next day.
    pub async fn was_hurried(&self, platform: Platform, id: &str) -> bool {
        let now = Time::from_timestamp(self.clock.now());
        let mut tx = self.db.write().await.unwrap();
        let sql = "UPDATE account SET next_poll_at = $1 WHERE platform = $2 AND external_id = $3 AND next_poll_at <= $4";
        let tomorrow = now.plus(SignedDuration::from_hours(24));
        let changed = tx.exec(sql, vec![tomorrow.into(), platform.word().into(), id.into(), now.into()]).await.unwrap();
        tx.commit().await.unwrap();
        changed == 1
    }

    /// Moves the clock on and lets sla do what is due.
    pub async fn turn(&mut self, by: SignedDuration) {
        self.clock.advance(by);
        self.sla.once().await.unwrap();
    }

    /// The column `one` of a query, in its order.
    pub async fn texts(&self, sql: &'static str) -> Vec<String> {
        self.db.rows(sql, vec![]).await.unwrap().iter().map(|row| row.t("one").unwrap()).collect()
    }

    pub async fn stop(self) {
        self.crew.stop().await.unwrap();
    }
}
