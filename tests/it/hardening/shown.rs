//! Where a system shows what a program holds: its command line, its settings when printed, its dumped memory.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, process::Command};

use secrecy::ExposeSecret as _;
use tanggap::config::{self, Environment, Secrets};

/// Secrets of every kind, and the parts of addresses that are as good as one.
const TEXT: &str = r#"
[site]
name = "Uji"
timezone = "Asia/Jakarta"
[database]
url = "DATABASE"
[graph]
app_id = "1"
app_secret = "SECRET"
instagram_app_secret = "SECRET"
verify_token = "SECRET"
[[graph.app]]
name = "lain"
id = "2"
secret = "SECRET"
instagram_secret = "SECRET"
[[graph.source]]
token = "SECRET"
[heartbeat]
url = "https://hc.example/kanari-1"
[secrets]
key = "SECRET"
[[policy]]
name = "biasa"
respond_within = "4h"
calendar = "always"
[channel.smtp]
url = "smtps://user@mail.example.go.id:465"
password = "SECRET"
from = "Tanggap <t@example.go.id>"
[channel.telegram]
token = "SECRET"
[channel.whatsapp]
token = "SECRET"
phone_number_id = "1"
template = "t"
[[channel.webhook]]
name = "simpeg"
url = "https://simpeg.example.go.id/hook?key=kanari-2"
secret = "env:SIGNING"
[[opd]]
slug = "uji"
name = "Uji"
[[opd.account]]
platform = "facebook"
id = "1"
token = "SECRET"
"#;

#[test]
fn settings_that_are_printed_hold_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    let value = "kanari-key-kanari-key-kanari-key";
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&secret).unwrap().write_all(value.as_bytes()).unwrap();
    let file = folder.path().join("tanggap.toml");
    fs::write(&file, TEXT.replace("SECRET", &format!("file:{}", secret.display())).replace("DATABASE", "env:DATABASE")).unwrap();
    let mut env = Environment::bare(folder.path());
    let signing = "whsec_a2FuYXJpLXNpZ25pbmcta2FuYXJpLXNpZ25pbmcx";
    env.vars.insert("SIGNING".into(), signing.into());
    env.vars.insert("DATABASE".into(), "postgres://tanggap:kanari-0@127.0.0.1/t".into());
    let loaded = config::load(Some(&file), &env, Secrets::All).unwrap();
    let settings = &loaded.settings;
    assert_eq!(settings.secrets_key.as_ref().unwrap().expose_secret(), value);
    let printed = format!("{loaded:?} {settings:#?}");
    assert!(printed.contains("simpeg"), "this is no print of the settings");
    for secret in ["kanari", &signing[6..]] {
        let at = printed.find(secret).map(|at| &printed[at.saturating_sub(80)..at + 20]);
        assert_eq!(at, None);
    }
}

#[test]
fn no_command_takes_a_secret_on_its_command_line() {
    // Every process of the machine may read it there.
    let run = |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_tanggap")).args(args).env_clear().output().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tanggap.toml");
    let text = "[site]\nname = \"Uji\"\ntimezone = \"Asia/Jakarta\"\n[database]\nurl = \"sqlite:///t.db\"\n
        [[policy]]\nname = \"biasa\"\nrespond_within = \"4h\"\ncalendar = \"always\"\n";
    fs::write(&file, text).unwrap();
    let output = run(&["--config", file.to_str().unwrap(), "accounts", "discover", "--token", "EAAkanari"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("env:NAME") && !said.contains("kanari"), "{said}");
    for (args, word) in
        [(&["user", "add", "--help"][..], "--password"), (&["token", "create", "--help"], "--token"), (&["run", "--help"], "--key")]
    {
        let help = String::from_utf8(run(args).stdout).unwrap();
        assert!(help.contains("Usage") && !help.contains(word), "{args:?} takes {word}: {help}");
    }
}
