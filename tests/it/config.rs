//! The configuration: the shipped example, layers, and a folder of mistakes, each with its expected sentences beside it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use secrecy::ExposeSecret;
use tanggap::{
    config::{Environment, Loaded, Place, Problems, Secrets, load, looks_newer, reread},
    domain::settings::{Origin, StepAt, Token},
};

/// A folder with a configuration and its secrets, and an environment that knows nothing else.
struct World {
    folder: tempfile::TempDir,
    env: Environment,
}

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/config");

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut env = Environment::bare(folder.path());
        env.installed = folder.path().join("etc/tanggap.toml");
        env.service_credentials = folder.path().join("run");
        env.vars.insert("CREDENTIALS_DIRECTORY".into(), folder.path().join("secrets").display().to_string());
        let world = Self { folder, env };
        let key = format!("whsec_{}", "QUJD".repeat(8));
        for (name, mode, value) in [
            ("good", 0o440, "a-good-token\n"),
            ("hook", 0o400, key.as_str()),
            ("group-readable", 0o640, "canary"),
            ("world-readable", 0o444, "canary"),
            ("empty", 0o400, "\n"),
            ("two-lines", 0o400, "canary\ncanary\n"),
        ] {
            world.secret(name, mode, value);
        }
        world
    }
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    /// Writes a file; `{dir}` in it becomes the folder.
    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.replace("{dir}", &self.folder.path().display().to_string())).unwrap();
    }
    fn secret(&self, name: &str, mode: u32, value: &str) {
        let name = format!("secrets/{name}");
        let _ = fs::remove_file(self.path(&name)); // it may be read-only
        self.write(&name, value);
        fs::set_permissions(self.path(&name), fs::Permissions::from_mode(mode)).unwrap();
    }
    fn set(&mut self, name: &str, value: &str) {
        self.env.vars.insert(name.into(), value.into());
    }
    fn load(&self) -> Result<Loaded, Problems> {
        load(Some(Path::new("tanggap.toml")), &self.env, Secrets::All)
    }
    /// What is wrong, the folder called `{dir}` again.
    fn problems(&self) -> String {
        self.load()
            .err()
            .map_or_else(String::new, |problems| problems.to_string())
            .replace(&self.folder.path().display().to_string(), "{dir}")
    }
    fn good() -> Self {
        let world = Self::new();
        world.write("tanggap.toml", &fixture("good.toml"));
        world
    }
    fn with(part: &str) -> Self {
        let world = Self::good();
        world.write("tanggap.d/part.toml", part);
        world
    }
}

fn fixture(name: &str) -> String {
    fs::read_to_string(Path::new(FIXTURES).join(name)).unwrap()
}

#[test]
fn every_mistake_is_told_in_the_sentences_beside_it() {
    let mut wrong = Vec::new();
    let mut walked = 0;
    for folder in ["added", "alone"] {
        for entry in fs::read_dir(Path::new(FIXTURES).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|it| it != "toml") {
                continue;
            }
            let (world, text) = (World::good(), fs::read_to_string(&path).unwrap());
            for file in ["bad.csv", "bad.ics", "empty.csv", "surat.toml", "rusak.toml"] {
                world.write(file, &fixture(file));
            }
            let file = if folder == "added" { "tanggap.d/bad.toml" } else { "tanggap.toml" };
            world.write(file, &text);
            let (told, expected) = (world.problems(), fs::read_to_string(path.with_extension("txt")).unwrap());
            if told != expected.trim_end() || told.is_empty() {
                wrong.push(format!("{}\n  expected:\n{expected}  told:\n{told}\n", path.display()));
            }
            assert!(!told.contains("canary") && !told.contains("hunter2"), "a secret in {}: {told}", path.display());
            walked += 1;
        }
    }
    assert!(walked >= 60, "only {walked} fixtures found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The example with a file for each credential it names.
fn example() -> World {
    let world = World::new();
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/example.toml")).unwrap();
    for name in text.split("\"credential:").skip(1).filter_map(|rest| rest.split('"').next()) {
        world.secret(name, 0o400, "a-token\n");
    }
    world.write("tanggap.toml", &text);
    world
}

#[test]
fn the_example_is_a_whole_configuration_without_a_problem_or_warning() {
    let loaded = example().load().unwrap();
    assert_eq!(loaded.warnings, []);
    let settings = loaded.settings;
    assert_eq!((settings.opds.len(), settings.accounts().count()), (41, 7));
    assert_eq!(settings.opds.iter().filter(|opd| !opd.accounts.is_empty()).count(), 6);
    assert_eq!(settings.opd("rsud-soetrasno").unwrap().calendar.as_deref(), Some("always"));
    assert_eq!(settings.opd("dindagkopukm").unwrap().calendar.as_deref(), Some("builtin:6-hari"));
    assert_eq!(settings.calendars.keys().collect::<Vec<_>>(), ["always", "builtin:5-hari", "builtin:6-hari", "loket"]);
    assert_eq!(settings.policies[0].steps[0].at, StepAt::Percent(50));
    assert_eq!(settings.officials.iter().map(|it| it.id.as_str()).collect::<Vec<_>>()[..2], ["operator-dinkominfo", "sekretaris-daerah"]);
}

/// Every key of the example, commented out or not, by its path: `[[graph.app]]` and `name = …` give `graph.app.name`.
fn keys(text: &str, commented: bool) -> Vec<String> {
    let mut section = String::new();
    let mut keys = Vec::new();
    for line in text.lines().map(|line| if commented { line.trim_start_matches("# ") } else { line }) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            name.trim_start_matches('[').clone_into(&mut section);
        } else if let Some((key, _)) = line.split_once(" = ").filter(|(key, _)| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')) {
            keys.push(format!("{section}.{key}"));
        }
    }
    keys
}

#[test]
fn the_example_shows_every_key_that_has_a_default_and_the_rest_too() {
    let defaults = include_str!("../../src/config/defaults.toml");
    let example = include_str!("../../config/example.toml");
    let shown = keys(example, true);
    for key in keys(defaults, false) {
        assert!(shown.contains(&key), "{key} is not shown");
    }
    for key in [
        "graph.app.instagram_secret",
        "channel.whatsapp.template",
        "channel.webhook.full",
        "official.whatsapp",
        "opd.account.app",
        "secrets.key",
    ] {
        assert!(shown.contains(&key.to_owned()), "{key} is not shown");
    }
}

#[test]
fn lists_of_the_folder_are_appended_its_policies_stand_first_and_everything_else_is_replaced() {
    let world = World::good();
    let policy = |name: &str| {
        format!("[[policy]]\nname = \"{name}\"\nmatch = {{ urgent = true }}\nrespond_within = \"1h\"\ncalendar = \"always\"\n")
    };
    let opd = |slug: &str| format!("[[opd]]\nslug = \"{slug}\"\nname = \"{slug}\"\n");
    world.write("tanggap.d/20-b.toml", &format!("[poll]\ninterval = \"20s\"\n{}{}", policy("b"), opd("b")));
    world.write("tanggap.d/10-a.toml", &format!("[poll]\ninterval = \"10s\"\nsweep_interval = \"10m\"\n{}{}", policy("a"), opd("a")));
    world.write("tanggap.d/README", "not TOML");
    world.write("tanggap.d/.hidden.toml", "not TOML");
    let settings = world.load().unwrap().settings;
    assert_eq!(settings.policies.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["a", "b", "biasa"]);
    assert_eq!(settings.opds.iter().map(|it| it.slug.as_str()).collect::<Vec<_>>(), ["dindukcapil", "a", "b"]);
    assert_eq!((settings.poll.interval.as_secs(), settings.poll.sweep_interval.as_mins(), settings.poll.concurrency), (20, 10, 8));
}

#[test]
fn a_provider_to_sign_in_by_is_reached_by_tls_and_knows_where_to_send_people_back() {
    let oidc = |issuer: &str| format!("[oidc]\nissuer = \"{issuer}\"\nclient_id = \"tanggap\"\nname = \"SSO\"\n");
    let http = "[http]\npublic_url = \"https://tanggap.example.go.id/\"\n";
    let settings = World::with(&format!("{http}{}", oidc("https://sso.example.go.id/"))).load().unwrap().settings;
    let read = settings.oidc.unwrap();
    assert_eq!((read.issuer.as_str(), read.back.as_str()), ("https://sso.example.go.id/", "https://tanggap.example.go.id/oidc/back"));
    assert!(read.client_secret.is_none() && read.subject("7") == "https://sso.example.go.id/ 7");
    let plain = World::with(&format!("{http}{}", oidc("http://sso.example.go.id"))).problems();
    assert!(plain.contains("oidc.issuer: must be https"), "{plain}");
    let bare = World::with(&format!("http.public_url = \"\"\n{}", oidc("https://sso.example.go.id"))).problems();
    assert!(bare.contains("oidc: needs http.public_url"), "{bare}");
    let open = World::with(&format!("{http}{}client_secret = \"rahasia\"\n", oidc("https://sso.example.go.id"))).problems();
    assert!(open.contains("oidc.client_secret: a secret is never written in the open") && !open.contains("rahasia"), "{open}");
}

#[test]
fn a_wrong_type_is_told_even_where_a_later_layer_replaces_it() {
    let mut world = World::with("poll = \"60s\"\nletter.group = 30\n");
    world.write("tanggap.d/then.toml", "[letter]\ngroup = \"20s\"\n");
    world.set("TANGGAP__POLL__INTERVAL", "90s");
    let expected = "{dir}/tanggap.d/part.toml:1: poll: is of another type than what a later layer puts in its place\n\
        {dir}/tanggap.d/part.toml:2: letter.group: is of another type than what a later layer puts in its place";
    assert_eq!(world.problems(), expected);
}

#[test]
fn the_environment_wins_and_its_texts_are_read_as_the_type_wanted() {
    let mut world = World::with("[poll]\ninterval = \"10s\"\n");
    for (name, value) in [
        ("TANGGAP__POLL__INTERVAL", "7s"),
        ("TANGGAP__POLL__CONCURRENCY", "3"),
        ("TANGGAP__SLA__WINDOW_WARNING", "true"),
        ("TANGGAP__SLA__URGENT_KEYWORDS", "banjir*, longsor"),
        ("TANGGAP__HTTP__LISTEN", ""),
        ("TANGGAP__SITE__NAME", "42"),
        ("TANGGAP_CONFIG", "elsewhere.toml"),
        ("TANGGAP_LOG", "debug"),
    ] {
        world.set(name, value);
    }
    let settings = world.load().unwrap().settings;
    assert_eq!((settings.poll.interval.as_secs(), settings.poll.concurrency), (7, 3));
    assert!(settings.sla.window_warning && settings.http.listen.is_none());
    assert_eq!((settings.site.name.as_str(), settings.sla.urgent_keywords), ("42", vec!["banjir*".to_owned(), "longsor".to_owned()]));
}

#[test]
fn an_empty_text_means_absent_so_that_the_default_stands() {
    let mut world =
        World::with("poll.interval = \"10s\"\npoll.concurrency = 3\nsla = \"\"\n[http]\nmetrics_listen = \"\"\npublic_url = \"\"\n");
    world.set("TANGGAP__POLL__INTERVAL", "");
    world.set("TANGGAP__POLL__CONCURRENCY", "");
    let settings = world.load().unwrap().settings;
    assert_eq!((settings.poll.interval.as_secs(), settings.poll.concurrency, settings.sla.auto_reply_within.as_secs()), (60, 8, 10));
    assert_eq!((settings.http.metrics_listen, settings.http.public_url), (None, None));
}

#[test]
fn a_mistake_in_the_environment_names_its_variable() {
    let mut world = World::good();
    for (name, value) in [
        ("TANGGAP__POLL__INTERVAL", "90"),
        ("TANGGAP__POLL__CONCURRENCY", "many"),
        ("TANGGAP__POLL__INTERVL", "90s"),
        ("TANGGAP__SLA__WINDOW_WARNING", "yes"),
        ("TANGGAP__OPD__0__SLUG", "dinkes"),
        ("TANGGAP__LOG", "info"),
        ("TANGGAP__GRAPH__APP_SECRET", "hunter2"),
    ] {
        world.set(name, value);
    }
    let expected = r#"environment variable TANGGAP__GRAPH__APP_SECRET: graph.app_secret: a secret is never written in the open: write env:NAME, file:/path or credential:NAME
environment variable TANGGAP__LOG: log: expected a table: write [log], found a text
environment variable TANGGAP__OPD__0__SLUG: opd.0.slug: [[opd]] can't be set by the environment: write it in the file or in a file of its .d/ folder
environment variable TANGGAP__POLL__CONCURRENCY: poll.concurrency: expected a whole number, found a text
environment variable TANGGAP__POLL__INTERVAL: poll.interval: "90" is no duration: write a number with its unit, such as 90s, 15m, 4h or 2d
environment variable TANGGAP__POLL__INTERVL: poll.intervl: unknown key, did you mean "interval"?
environment variable TANGGAP__SLA__WINDOW_WARNING: sla.window_warning: expected true or false, found a text"#;
    assert_eq!(world.problems(), expected);
}

#[test]
fn the_file_is_looked_for_by_option_then_variable_then_etc_then_the_working_folder() {
    let mut world = World::good();
    let find = |world: &World, named: Option<&Path>| load(named, &world.env, Secrets::All).map(|loaded| loaded.file);
    let nowhere = find(&world, None).unwrap_err().0;
    assert!(nowhere[0].text.contains("--config or $TANGGAP_CONFIG"), "{nowhere:?}");
    let mut expected = Vec::new();
    for name in ["config/tanggap.toml", "etc/tanggap.toml", "by-variable.toml", "by-option.toml"] {
        world.write(name, &fixture("good.toml"));
        if name == "by-variable.toml" {
            world.set("TANGGAP_CONFIG", name);
        }
        let option = (name == "by-option.toml").then(|| Path::new(name));
        expected.push((find(&world, option).unwrap(), world.path(name)));
    }
    assert!(expected.iter().all(|(found, wanted)| found == wanted), "{expected:?}");
    let missing = find(&world, Some(Path::new("missing.toml"))).unwrap_err().0;
    assert_eq!(missing[0].place, Place::File { path: world.path("missing.toml"), line: 0 });
}

#[test]
fn secrets_come_from_files_variables_and_credentials_with_one_newline_cut() {
    let mut world = World::with("[graph]\napp_id = \"1\"\napp_secret = \"env:SECRET\"\ninstagram_app_secret = \"file:{dir}/own\"\n");
    world.set("SECRET", " of the environment ");
    world.write("own", "of a file\r\n");
    fs::set_permissions(world.path("own"), fs::Permissions::from_mode(0o600)).unwrap();
    let settings = world.load().unwrap().settings;
    let app = settings.graph.app.clone();
    assert_eq!((app.secret.unwrap().expose_secret(), app.instagram_secret.unwrap().expose_secret()), (" of the environment ", "of a file"));
    let token = settings.opds[0].accounts[0].token.as_ref().unwrap();
    assert_eq!((token.value.expose_secret(), &token.origin), ("a-good-token", &Origin::Credential(world.path("secrets/good"))));
    let printed = format!("{settings:?}");
    assert!(!printed.contains("a-good-token") && !printed.contains("of a file"), "{printed}");
}

#[test]
fn outside_the_unit_credentials_are_looked_for_where_systemd_keeps_them() {
    let mut world = World::good();
    world.env.vars.remove("CREDENTIALS_DIRECTORY");
    assert!(world.problems().contains("no credential good in $CREDENTIALS_DIRECTORY or {dir}/run"));
    world.write("run/good", "a-good-token");
    fs::set_permissions(world.path("run/good"), fs::Permissions::from_mode(0o440)).unwrap();
    assert!(world.load().is_ok());
}

#[test]
fn listings_read_only_the_secret_of_the_database() {
    let world = World::with("[database]\nurl = \"credential:database\"\n[graph]\napp_secret = \"credential:missing\"\n");
    let listing = || load(Some(Path::new("tanggap.toml")), &world.env, Secrets::DatabaseOnly);
    assert!(listing().unwrap_err().to_string().contains("database.url: no credential database"));
    world.secret("database", 0o400, "postgres://tanggap:hunter2@db.example.go.id/tanggap\n");
    let settings = listing().unwrap().settings;
    assert_eq!(settings.database.url.expose_secret(), "postgres://tanggap:hunter2@db.example.go.id/tanggap");
    assert_eq!(settings.graph.app.secret.unwrap().expose_secret(), "");
    assert!(world.problems().contains("graph.app_secret: no credential missing"), "all secrets are read by the daemon");
}

#[test]
fn a_token_is_read_again_but_an_empty_or_half_written_one_keeps_the_old() {
    let world = World::new();
    let token = Token { value: "EAAB-old-value".into(), origin: Origin::File(world.path("secrets/token")) };
    let again = |mode: u32, text: &str| {
        world.secret("token", mode, text);
        reread(&token).map(|it| it.expose_secret().to_owned())
    };
    assert_eq!(again(0o600, "EAAB-new\n").as_deref(), Some("EAAB-new"));
    for (mode, text) in [(0o600, ""), (0o600, "\n"), (0o600, "EAAB-old"), (0o600, "a\nb\n"), (0o644, "EAAB-new\n")] {
        assert_eq!(again(mode, text), None, "{text:?}");
    }
    fs::remove_file(world.path("secrets/token")).unwrap();
    assert_eq!(reread(&token).map(|_| ()), None);
    let fixed = Token { origin: Origin::Environment, ..token };
    assert!(reread(&fixed).is_none() && !looks_newer(&fixed));
    let credential = Token { origin: Origin::Credential(world.path("secrets/token")), ..fixed };
    for (text, newer) in [("EAAB-old-value\n", false), ("EAAB-new\n", true), ("", false)] {
        world.secret("token", 0o440, text);
        assert_eq!((reread(&credential).is_some(), looks_newer(&credential)), (false, newer), "{text:?}");
    }
}

#[test]
fn a_step_that_reaches_nobody_for_an_opd_with_an_account_is_a_warning() {
    let world = World::with(
        r#"
[[official]]
name = "Kepala"
group = "kepala"
opd = ["dindukcapil"]
email = "kepala@example.go.id"
[[opd]]
slug = "dinkes"
name = "Dinas Kesehatan"
[[opd.account]]
platform = "instagram"
id = "2"
page = "3"
token = "credential:good"
[[opd]]
slug = "setda"
name = "Sekretariat Daerah"
[[policy]]
name = "ig"
match = { platform = ["facebook"] }
respond_within = "1h"
calendar = "always"
step = [{ at = "0m", notify = ["kepala"] }]
[[policy]]
name = "dua"
match = { urgent = true }
respond_within = "1h"
calendar = "always"
step = [{ at = "0m", notify = ["kepala"] }, { at = "1h", notify = ["operator"] }]
"#,
    );
    let warnings = || world.load().unwrap().warnings.iter().map(|it| format!("{}: {}", it.key, it.text)).collect::<Vec<_>>();
    assert_eq!(
        warnings(),
        [
            "official[0].email: is never used: there is no [channel.smtp]",
            "policy[0].step[0]: \"0m\" of policy \"ig\" reaches nobody for dindukcapil: no official of kepala with an address that can be used",
            "policy[1].step[0]: \"0m\" of policy \"dua\" reaches nobody for any OPD: no official of kepala with an address that can be used",
        ]
    );
    world.write("tanggap.d/smtp.toml", "[channel.smtp]\nurl = \"smtp://127.0.0.1:25\"\nfrom = \"tanggap@example.go.id\"\n");
    assert_eq!(
        warnings(),
        ["policy[1].step[0]: \"0m\" of policy \"dua\" reaches nobody for dinkes: no official of kepala with an address that can be used"]
    );
    world.write("tanggap.d/am.toml", "[channel.alertmanager]\nurl = \"http://127.0.0.1:9093/\"\ngroup = \"kepala\"\n");
    assert_eq!(warnings(), Vec::<String>::new(), "alertmanager is a channel of its group");
}
