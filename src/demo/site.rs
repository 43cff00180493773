//! The configuration that reads the simulated accounts.

use std::{
    fs,
    io::{self, Write as _},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use super::{
    api::Simulator,
    script::Agency,
    sink::{HttpSink, SmtpSink},
};

/// Writes `tanggap.toml` into the folder, and beside it the tokens it names: deadlines of half a minute, letters to a captured
/// mailbox and to captured chats, the board at `page`. Where it stands.
pub fn configure(
    folder: &Path,
    simulator: &Simulator,
    (mails, chats): (&SmtpSink, &HttpSink),
    page: Option<SocketAddr>,
    agencies: &[Agency],
) -> io::Result<PathBuf> {
    let secret = |name: &str, value: &str| -> io::Result<String> {
        let path = folder.join(name);
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?.write_all(value.as_bytes())?;
        Ok(format!("file:{}", path.display()))
    };
    let apps = simulator.world().app.clone();
    let path = folder.join("tanggap.toml");
    let mut file = fs::File::create_new(&path)?;
    write!(
        file,
        r#"[site]
name = "Kabupaten Rembang"
timezone = "Asia/Jakarta"
[database]
url = "sqlite://{folder}/tanggap.db"
[http]
listen = "{listen}"
public_url = "{public}"
metrics_listen = "127.0.0.1:0"
[graph]
url = "{facebook}"
instagram_url = "{instagram}"
app_secret = "{app}"
instagram_app_secret = "{instagram_app}"
verify_token = "{verify}"
[poll]
interval = "2s"
idle_interval = "5s"
sweep_interval = "20s"
[sla]
urgent_keywords = ["builtin:id"]
[letter]
group = "5s"
per_hour = 1000
[[policy]]
name = "darurat"
match = {{ urgent = true }}
respond_within = "15s"
calendar = "always"
step = [ {{ at = "0m", notify = ["kepala", "sekda"] }}, {{ at = "15s", notify = ["bupati"] }} ]
[[policy]]
name = "biasa"
respond_within = "30s"
calendar = "always"
step = [ {{ at = "60%", notify = ["operator"] }}, {{ at = "0m", notify = ["kepala"] }}, {{ at = "15s", notify = ["sekda"] }} ]
[[official]]
name = "Operator Dinkominfo"
group = "operator"
telegram = "-1001"
[[official]]
name = "Sekretaris Daerah"
group = "sekda"
email = "sekda@example.go.id"
whatsapp = "6281200000000"
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
[channel.whatsapp]
token = "{whatsapp}"
phone_number_id = "1098"
template = "tiket_terlambat"
url = "{chat}"
"#,
        listen = page.map_or(String::new(), |page| page.to_string()),
        public = page.map_or(String::new(), |page| format!("http://{page}")),
        folder = folder.display(),
        facebook = simulator.facebook_url,
        instagram = simulator.instagram_url,
        mail = mails.address,
        chat = chats.url,
        bot = secret("telegram-bot", "1:demo")?,
        whatsapp = secret("whatsapp", "demo-whatsapp-token")?,
        app = secret("app", &apps.secret)?,
        instagram_app = secret("instagram-app", &apps.instagram_secret)?,
        verify = secret("verify", "demo-verify-token")?,
    )?;
    for Agency { opd, page, instagram } in agencies {
        let linked = simulator.world().account(&instagram.id).and_then(|account| account.page.clone());
        let (login, token, linked) = match linked {
            Some(linked) => ("facebook", &page.token, format!("page = \"{linked}\"\n")),
            None => ("instagram", &instagram.token, String::new()),
        };
        let page_token = secret(&format!("{}-page", opd.slug), &page.token)?;
        let instagram_token = secret(&format!("{}-instagram", opd.slug), token)?;
        write!(
            file,
            r#"[[official]]
name = "Kepala {abbreviation}"
group = "kepala"
opd = ["{slug}"]
email = "kepala.{slug}@example.go.id"
[[opd]]
slug = "{slug}"
name = "{name}"
abbreviation = "{abbreviation}"
[[opd.account]]
platform = "facebook"
id = "{page}"
token = "{page_token}"
[[opd.account]]
platform = "instagram"
id = "{instagram}"
{linked}login = "{login}"
token = "{instagram_token}"
"#,
            abbreviation = opd.abbreviation,
            slug = opd.slug,
            name = opd.name,
            page = page.id,
            instagram = instagram.id,
        )?;
    }
    let key = secret("token-key", "demo-key-demo-key-demo-key-demo-")?;
    write!(file, "[secrets]\nkey = \"{key}\"\n")?;
    Ok(path)
}
