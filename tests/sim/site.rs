//! The configuration of a seed's site: three agencies, policies on several calendars, every channel.

use std::{fmt::Write as _, fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf};

use jiff::SignedDuration;
use rand::RngExt as _;
use tanggap::{demo::script::Agency, domain::SharedSettings};

use super::world::{HOOK_SECRET, World};
use crate::stages;

impl World {
    fn secret(&mut self, name: &str, value: &str) -> String {
        let path = self.folder.path().join(name);
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap().write_all(value.as_bytes()).unwrap();
        self.secrets.push(value.to_owned());
        format!("file:{}", path.display())
    }

    /// The configuration whose calendars were edited so many times.
    pub fn settings(&self, edits: usize) -> SharedSettings {
        let folder = self.folder.path();
        let path: PathBuf = folder.join(format!("tanggap-{edits}.toml"));
        let day = |ahead: i64| (self.begun + SignedDuration::from_hours(24 * ahead)).strftime("%Y-%m-%d").to_string();
        let hours = if edits.is_multiple_of(2) { "07:00-15:30" } else { "08:00-14:00" };
        let mut days = vec!["date,name".to_owned(), "2026-12-25,Natal".to_owned()];
        days.extend((0..edits as i64).map(|edit| format!("{},Libur {edit}", day(edit + 2))));
        fs::write(folder.join(format!("libur-{edits}.csv")), days.join("\n")).unwrap();
        let text = self.text.replace("{hours}", hours).replace("{holidays}", &format!("libur-{edits}.csv"));
        fs::write(&path, text).unwrap();
        stages::settings(&path)
    }

    /// Its text, in which hours and holidays are still open.
    pub fn configuration(&mut self) -> String {
        let interval = self.rng.random_range(40..75);
        let idle = interval + self.rng.random_range(10..40);
        let sweep = idle * self.rng.random_range(1..4);
        let concurrency = if self.rng.random_bool(0.8) { 1 } else { 4 };
        let hours = [2, 4, 4, 8][self.rng.random_range(0..4)];
        let quiet = if self.rng.random_bool(0.3) { "quiet = \"20:00-06:00\"" } else { "" };
        let digest = if self.rng.random_bool(0.2) { "digest = \"07:00\"" } else { "" };
        let mentions = ["ask", "ask", "all", "none"][self.rng.random_range(0..4)];
        let own = if self.rng.random_bool(0.4) { "calendar = \"rumah-sakit\"" } else { "" };
        let (app, instagram_app) = {
            let world = self.simulator.world();
            (world.app.secret.clone(), world.app.instagram_secret.clone())
        };
        let (app, instagram_app) = (self.secret("app", &app), self.secret("instagram-app", &instagram_app));
        let (key, bot) = (self.secret("key", "key-of-the-sim-key-of-the-sim-012"), self.secret("bot", "1:bot-of-the-sim"));
        let (whatsapp, hook) = (self.secret("whatsapp", "whatsapp-of-the-sim"), self.secret("hook", HOOK_SECRET));
        let (facebook, instagram) = (self.simulator.facebook_url.clone(), self.simulator.instagram_url.clone());
        let (mail, chat, hooks) = (self.mails.address, self.chats.url.clone(), self.hooks.url.clone());
        let mut text = format!(
            r#"[site]
name = "Kabupaten Rembang"
timezone = "Asia/Jakarta"
[http]
listen = ""
metrics_listen = ""
public_url = "https://tanggap.example.go.id"
[graph]
url = "{facebook}"
instagram_url = "{instagram}"
app_secret = "{app}"
instagram_app_secret = "{instagram_app}"
timeout = "3s"
[poll]
interval = "{interval}m"
idle_interval = "{idle}m"
sweep_interval = "{sweep}m"
concurrency = {concurrency}
[sla]
window_warning = true
urgent_keywords = ["builtin:id"]
mentions = "{mentions}"
[[calendar]]
name = "kantor"
hours = {{ mon-thu = ["{{hours}}"], fri = ["07:00-11:30", "13:00-14:30"] }}
holidays = ["{{holidays}}"]
[[calendar]]
name = "rumah-sakit"
hours = {{ mon-sun = ["06:00-22:00"] }}
holidays = []
[[policy]]
name = "darurat"
match = {{ urgent = true }}
respond_within = "30m"
calendar = "always"
step = [ {{ at = "50%", notify = ["operator"] }}, {{ at = "0m", notify = ["kepala"] }}, {{ at = "2h", notify = ["sekda", "bupati"] }} ]
[[policy]]
name = "pesan"
match = {{ kind = ["message"] }}
respond_within = "{hours}h"
calendar = "rumah-sakit"
step = [ {{ at = "-20m", notify = ["operator"] }}, {{ at = "0m", notify = ["kepala"] }}, {{ at = "3h", notify = ["sekda"] }} ]
[[policy]]
name = "biasa"
respond_within = "4h"
calendar = "kantor"
step = [ {{ at = "75%", notify = ["operator"] }}, {{ at = "0m", notify = ["kepala"] }}, {{ at = "4h", notify = ["sekda"] }} ]
[[official]]
name = "Operator Dinkominfo"
group = "operator"
telegram = "-1001"
[[official]]
name = "Pusat Kendali"
group = "operator"
webhook = "kendali"
[[official]]
name = "Sekretaris Daerah"
group = "sekda"
email = "sekda@example.go.id"
whatsapp = "6281200000000"
{quiet}
[[official]]
name = "Bupati"
group = "bupati"
email = "bupati@example.go.id"
{digest}
[channel.smtp]
url = "smtp://{mail}"
from = "Tanggap <tanggap@example.go.id>"
[channel.telegram]
token = "{bot}"
url = "{chat}"
[channel.whatsapp]
token = "{whatsapp}"
phone_number_id = "1098"
template = "tiket_terlambat"
url = "{chat}"
[[channel.webhook]]
name = "kendali"
url = "{hooks}/hook"
secret = "{hook}"
[secrets]
key = "{key}"
"#
        );
        for (at, Agency { opd, page, instagram }) in self.script.agencies().to_vec().into_iter().enumerate() {
            let linked = self.simulator.world().account(&instagram.id).and_then(|account| account.page.clone());
            let (login, token, linked) = match linked {
                Some(linked) => ("facebook", &page.token, format!("page = \"{linked}\"\n")),
                None => ("instagram", &instagram.token, String::new()),
            };
            let page_token = self.secret(&format!("{}-page", opd.slug), &page.token);
            let token = self.secret(&format!("{}-instagram", opd.slug), token);
            let _ = write!(
                text,
                r#"[[official]]
name = "Kepala {abbreviation}"
group = "kepala"
opd = ["{slug}"]
email = "kepala.{slug}@example.go.id"
[[opd]]
slug = "{slug}"
name = "{name}"
abbreviation = "{abbreviation}"
{own}
[[opd.account]]
platform = "facebook"
id = "{page}"
token = "{page_token}"
[[opd.account]]
platform = "instagram"
id = "{instagram}"
{linked}login = "{login}"
token = "{token}"
"#,
                abbreviation = opd.abbreviation,
                slug = opd.slug,
                name = opd.name,
                own = if at == 0 { own } else { "" },
                page = page.id,
                instagram = instagram.id,
            );
        }
        text
    }
}
