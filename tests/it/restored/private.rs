//! What others may read: closed and said where it is ours, refused where it is a secret.

use std::{fs, os::unix::fs::PermissionsExt as _};

use jiff::SignedDuration;
use tanggap::{app, demo::script::Pace, store::Db};

use crate::soak::site::Site;

fn chmod(path: &std::path::Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

async fn site() -> Site {
    let pace = Pace { gap: SignedDuration::from_hours(1), answer: SignedDuration::from_hours(1), late: SignedDuration::from_secs(60) };
    Site::new(7, 1, pace, "[http]\nlisten = \"\"\nmetrics_listen = \"\"\n").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_others_may_read_is_closed_at_the_start_and_it_is_said() {
    let site = site().await;
    let state = site.folder.path().join("state");
    fs::create_dir(&state).unwrap();
    let file = state.join("t.db");
    let url = format!("sqlite://{}", file.display());
    Db::open(&url).await.unwrap().close().await;
    fs::write(state.join("t.db.daemon"), "").unwrap();
    chmod(&file, 0o644);
    chmod(&state.join("t.db.daemon"), 0o666);
    chmod(&state, 0o755);
    let exposed = app::exposed(&url, Some(&state));
    assert_eq!(exposed.iter().map(|it| it.right).collect::<Vec<_>>(), [Some(0o700), Some(0o600), Some(0o600)]);
    assert!(exposed[1].to_string().ends_with(&format!("may be read or written by others (mode 0644): chmod 0600 {}", file.display())));

    let check = std::process::Command::new(env!("CARGO_BIN_EXE_tanggap"))
        .args(["check", "--offline", "--config"])
        .arg(&site.config)
        .env("TANGGAP__DATABASE__URL", &url)
        .env("STATE_DIRECTORY", &state)
        .output()
        .unwrap();
    let said = String::from_utf8(check.stderr).unwrap();
    assert!(check.status.success() && said.matches("warning: ").count() >= 3 && said.contains("chmod 0600"), "{said}");

    // the unit gives the state directory by its variable
    let log = fs::File::create(site.log()).unwrap();
    let mut daemon = std::process::Command::new(env!("CARGO_BIN_EXE_tanggap"))
        .args(["run", "--config"])
        .arg(&site.config)
        .env("TANGGAP__DATABASE__URL", &url)
        .env("STATE_DIRECTORY", &state)
        .env_remove("JOURNAL_STREAM")
        .stderr(log)
        .spawn()
        .unwrap();
    let start = std::time::Instant::now();
    let log = loop {
        let log = fs::read_to_string(site.log()).unwrap();
        if log.contains("daemon.started") && state.join("t.db.beat").exists() {
            break log;
        }
        assert!(start.elapsed() < std::time::Duration::from_mins(1), "{log}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    let modes = ["t.db", "t.db-wal", "t.db-shm", "t.db.daemon", "t.db.beat"].map(|name| mode(&state.join(name)));
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert_eq!((modes, mode(&state)), ([0o600; 5], 0o700));
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("database.exposed")).collect();
    assert!(lines.len() == 3 && lines.iter().all(|line| line.contains("WARN") && line.contains("closed now")), "{log}");
}

#[tokio::test]
async fn a_folder_into_which_anybody_may_write_is_said_and_a_sticky_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/t.db", folder.path().display());
    chmod(folder.path(), 0o777);
    let exposed = app::exposed(&url, None);
    assert!(exposed.len() == 1 && exposed[0].right.is_none() && exposed[0].to_string().contains("chmod o-w"), "{exposed:?}");
    chmod(folder.path(), 0o1777);
    assert_eq!(app::exposed(&url, None), []);
    assert_eq!(app::exposed("postgres://localhost/t", None), []);
    assert_eq!(Db::files(&url).unwrap()[0], folder.path().join("t.db"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_others_may_read_refuses_start_and_check_and_says_what_helps() {
    let site = site().await;
    let secret = fs::read_dir(site.folder.path()).unwrap().map(|entry| entry.unwrap().path()).find(|path| {
        path.is_file()
            && path.extension().is_none()
            && fs::read_to_string(&site.config).unwrap().contains(&format!("file:{}", path.display()))
    });
    let secret = secret.expect("a secret in a file");
    for mode in [0o644, 0o640, 0o620, 0o602] {
        chmod(&secret, mode);
        for args in [&["run"][..], &["check", "--offline"]] {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tanggap"));
            let output = command.args(args).arg("--config").arg(&site.config).env_remove("JOURNAL_STREAM").output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{args:?} {mode:o}: {said}");
            assert!(said.contains(&format!("{} may be read by others: chmod 0600 it", secret.display())), "{said}");
        }
    }
}
