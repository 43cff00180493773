//! What `deploy/` ships: systemd takes the unit, the unit is as tight as promised, the package's configuration is one to begin with, `tanggap-ctl`
//! hands on every word unchanged. `tests/package/run` tries the package itself.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

#[test]
fn systemd_takes_the_unit_without_a_word() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tanggap.service");
    let unit = fs::read_to_string(shipped("tanggap.service")).unwrap();
    fs::write(&file, unit.replace("/usr/bin/tanggap", env!("CARGO_BIN_EXE_tanggap"))).unwrap();
    let folder = dir.path().join("tanggap.service.d");
    fs::create_dir(&folder).unwrap();
    fs::copy(shipped("tanggap.service.d/credentials.conf.example"), folder.join("credentials.conf")).unwrap();
    let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&file).output().unwrap();
    assert!(output.status.success() && !said(&output).contains("tanggap"), "{}", said(&output));
}

#[test]
fn the_unit_exposes_no_more_than_one_and_a_fifth() {
    let unit = shipped("tanggap.service");
    let output = Command::new("systemd-analyze").args(["security", "--offline=true", "--threshold=12"]).arg(unit).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn the_user_is_one_that_systemd_can_make() {
    let output = Command::new("systemd-sysusers").arg("--dry-run").arg(shipped("sysusers.d/tanggap.conf")).output().unwrap();
    assert!(output.status.success() && said(&output).contains("tanggap"), "{}", said(&output));
}

/// `tanggap check --offline` on this configuration, with the credentials that it names.
fn check(text: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tanggap.toml");
    fs::write(&file, text).unwrap();
    for name in ["dinkominfo-page", "smtp-password"] {
        fs::write(dir.path().join(name), "secret").unwrap();
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_tanggap"));
    command.args(["check", "--offline", "--config"]).arg(file).env_clear().env("CREDENTIALS_DIRECTORY", dir.path());
    command.output().unwrap()
}

#[test]
fn the_package_s_configuration_watches_nobody_until_its_lines_are_freed() {
    let shipped = fs::read_to_string(shipped("deb/tanggap.toml")).unwrap();
    let output = check(&shipped);
    assert!(output.status.code() == Some(2) && said(&output).contains("site.name"), "{}", said(&output));
    let freed: String = shipped
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line).to_owned() + "\n")
        .collect();
    let output = check(&freed);
    assert!(output.status.success(), "{}\n{freed}", said(&output));
}

#[test]
fn the_list_of_parts_names_what_is_linked_by_hash_and_nothing_of_the_tests() {
    let list = || {
        let output = Command::new("python3")
            .args(["deploy/deb/parts.py", "sbom"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("SOURCE_DATE_EPOCH", "0")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", said(&output));
        output.stdout
    };
    let first = list();
    assert_eq!(first, list());
    let list: serde_json::Value = serde_json::from_slice(&first).unwrap();
    let parts = list["components"].as_array().unwrap();
    let part = |name| parts.iter().find(|part| part["name"] == name);
    assert_eq!((&list["bomFormat"], &part("tokio").unwrap()["scope"]), (&"CycloneDX".into(), &"required".into()));
    assert_eq!((part("thiserror-impl").unwrap()["scope"].as_str(), part("proptest")), (Some("excluded"), None));
    assert!(parts.iter().all(|part| part["hashes"][0]["content"].as_str().is_some_and(|hash| hash.len() == 64)));
}

/// `tanggap-ctl` among stand-ins: a unit with these lines, and a `systemd-run` that prints its arguments, one a line.
fn ctl(unit: &str, args: &[&str]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("unit"), unit).unwrap();
    for (name, body) in [
        ("systemctl", format!("cat {}", dir.path().join("unit").display())),
        ("systemd-run", "printf '%s\\0' \"$@\"".into()),
        ("id", "echo 0".into()),
    ] {
        let file = dir.path().join(name);
        fs::write(&file, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", dir.path().display());
    let output = Command::new(shipped("tanggap-ctl"))
        .args(args)
        .env_clear()
        .env("PATH", path)
        .env("SUDO_USER", "siti")
        .current_dir("/")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap().split_terminator('\0').map(str::to_owned).collect()
}

#[test]
fn tanggap_ctl_hands_on_the_credentials_and_every_word_unchanged() {
    let unit = "# /etc/x\n[Service]\nUser=tanggap\nGroup=tanggap\nExecStart=/usr/bin/tanggap run\nEnvironment=\"A=$HOME `id`\"\n\
                LoadCredential=a:/etc/a b\nLoadCredentialEncrypted=b:/etc/b\n";
    let words = ["note", "42", "dua kata; $(touch x) `id` \"'\\", "", "--by", "*"];
    let args = ctl(unit, &words);
    let program = args.iter().position(|arg| arg == "--").unwrap();
    assert_eq!(args[program + 1], "/usr/bin/tanggap");
    assert_eq!(args[program + 2..], words);
    let properties: Vec<&str> = args[..program].windows(2).filter(|pair| pair[0] == "-p").map(|pair| pair[1].as_str()).collect();
    assert_eq!(
        properties,
        [
            "User=tanggap",
            "Group=tanggap",
            "Environment=\"A=$HOME `id`\"",
            "LoadCredential=a:/etc/a b",
            "LoadCredentialEncrypted=b:/etc/b",
            "UMask=0077",
            "LimitCORE=0",
            "WorkingDirectory=-/",
        ]
    );
    assert!(args.contains(&"--setenv=SUDO_USER=siti".to_owned()), "{args:?}");
}

#[test]
fn tanggap_ctl_works_where_nothing_is_handed_over() {
    let args = ctl("[Service]\nUser=tanggap\n", &["queue"]);
    assert_eq!(args[args.len() - 3..], ["--", "/usr/bin/tanggap", "queue"]);
}
