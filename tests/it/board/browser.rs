//! The pages in a real browser, on the real program, the simulated Graph API and a site whose deadlines are half a minute.

use std::{
    fs,
    io::Write as _,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

use jiff::SignedDuration;
use tanggap::demo::{script::Pace, world::Citizen};

use super::{hostile::attacks, world::PASSWORD};
use crate::soak::site::{Site, now};

/// Attack texts in the browser: each kind twice.
const ATTACKS: usize = 66;

fn add(config: &Path, name: &str, role: &str) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tanggap"))
        .args(["user", "add", name, "--role", role, "--config"])
        .arg(config)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_work_on_the_board_in_a_real_browser() {
    tanggap::runtime::http::install_tls();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let page = format!("http://127.0.0.1:{port}");
    let pace = Pace { gap: SignedDuration::from_secs(3), answer: SignedDuration::from_secs(60), late: SignedDuration::from_secs(200) };
    let more = format!(
        "[http]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"{page}\"\n[[canned]]\nname = \"Terima kasih\"\ntext = \"Terima kasih {{{{ author }}}}.\"\n"
    );
    let mut site = Site::new(7, 3, pace, &more).await;
    let hostile = site.script.agencies()[0].opd.slug.clone();
    {
        let account = site.script.agencies()[0].page.id.clone();
        let mut world = site.simulator.world();
        let post = world.post(&account, "Jadwal pelayanan").unwrap();
        for (number, text) in attacks().into_iter().take(ATTACKS).enumerate() {
            let name = text.chars().take(60).collect();
            world
                .comment(&post, &Citizen { number: 90_000 + number as u64, name, username: "siti".into(), unnamed: false }, &*text)
                .unwrap();
        }
    }
    let database = format!("sqlite://{}", site.folder.path().join("tanggap.db").display());
    let daemon = site.start(&database);
    site.live(SignedDuration::from_secs(12)).await;
    for (name, role) in [("ani", "admin"), ("budi", "ops")] {
        add(&site.config, name, role);
    }
    let pictures = std::env::var("TANGGAP_TEST_PICTURES").ok().filter(|folder| !folder.is_empty());
    if let Some(folder) = &pictures {
        fs::create_dir_all(folder).unwrap();
    }
    let mut driver = Command::new("node")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/board.mjs"))
        .envs([("BASE", &*page), ("PASSWORD", PASSWORD), ("HOSTILE", &hostile), ("PICTURES", pictures.as_deref().unwrap_or_default())])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let end = now() + SignedDuration::from_secs(240);
    while driver.try_wait().unwrap().is_none() {
        assert!(now() < end || driver.kill().is_err(), "the browser took too long");
        site.live(SignedDuration::from_millis(500)).await;
    }
    let output = driver.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let log = fs::read_to_string(site.log()).unwrap();
    assert!(
        output.status.success(),
        "{said}{}\n{}",
        String::from_utf8_lossy(&output.stderr),
        log.lines().rev().take(40).collect::<Vec<_>>().join("\n")
    );
    let words = said.lines().find_map(|line| line.strip_prefix("words: ")).unwrap();
    assert_eq!(site.simulator.world().written(words), 1, "the citizen got it once");
    assert!(!log.contains("\"level\":\"ERROR\""), "{log}");
    daemon.stop();
}
