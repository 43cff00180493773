//! `tanggap reply` beside a running daemon and without one: sent once, and the outcome is said.

use std::{path::Path, process::Output, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use tanggap::{
    app,
    config::{self, Environment, Secrets},
    demo::{
        api::Simulator,
        configure,
        script::{Pace, Script, opds},
        sink::{HttpSink, SmtpSink},
        world::{Citizen, Fault, Scope},
    },
    store::Db,
};
use tokio::process::Command;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::world::stderr;

/// A site on the real clock whose Page got a comment and a message, read once by a daemon.
struct Site {
    simulator: Simulator,
    folder: tempfile::TempDir,
    db: Db,
    page: String,
    _stop: DropGuard,
}

const CANNED: &str = "[graph]\ntimeout = \"2s\"\n[[canned]]\nname = \"loket\"\ntext = \"Yth. {{ author }}, silakan ke loket {{ opd }} (#{{ ticket }}).\"\n\
    [[policy]]\nname = \"lama\"\nrespond_within = \"4h\"\ncalendar = \"always\"\nmatch = { platform = [\"facebook\", \"instagram\"] }\n";

impl Site {
    async fn new() -> Self {
        tanggap::runtime::http::install_tls();
        #[allow(clippy::disallowed_methods)] // the real program reads the real clock
        let now: tanggap::demo::Now = Arc::new(Timestamp::now);
        let (simulator, servers) = Simulator::bind(now.clone()).await.unwrap();
        let stop = CancellationToken::new();
        #[allow(clippy::disallowed_methods)] // it ends with the test's runtime
        tokio::spawn(servers.serve(stop.clone()));
        let folder = tempfile::tempdir().unwrap();
        let ((mails, _), (chats, _)) = (SmtpSink::bind(now.clone()).await.unwrap(), HttpSink::bind(now.clone()).await.unwrap());
        let pace = Pace { gap: SignedDuration::from_hours(1), answer: SignedDuration::from_hours(1), late: SignedDuration::ZERO };
        let script = Script::new(1, opds(1), pace, &mut simulator.world(), now());
        configure(folder.path(), &simulator, (&mails, &chats), None, script.agencies()).unwrap();
        std::fs::create_dir(folder.path().join("tanggap.d")).unwrap();
        std::fs::write(folder.path().join("tanggap.d/more.toml"), CANNED).unwrap();
        let page = script.agencies()[0].page.id.clone();
        {
            let mut graph = simulator.world();
            let post = graph.post(&page, "Jadwal layanan").unwrap();
            graph.comment(&post, &Citizen::new(1, "Siti"), "Kapan KTP saya jadi?").unwrap();
            graph.direct_message(&page, &Citizen::new(2, "Budi"), "Buka jam berapa?").unwrap();
        }
        let settings = load(folder.path()).settings;
        let db = Db::open(settings.database.url.expose_secret()).await.unwrap();
        Self { simulator, folder, db, page, _stop: stop.drop_guard() }
    }

    /// The daemon's stages, until told to stop.
    async fn daemon(&self) -> tanggap::runtime::Crew {
        app::start(&load(self.folder.path()), &CancellationToken::new()).await.unwrap().1
    }

    /// Runs the daemon until both tickets are there; their numbers.
    async fn tickets(&self) -> [String; 2] {
        for _ in 0..200 {
            let sql = "SELECT t.id, m.kind FROM ticket t JOIN message m ON m.id = t.newest_message_id ORDER BY m.kind";
            let rows = self.db.rows(sql, vec![]).await.unwrap();
            if rows.len() == 2 {
                return [0, 1].map(|at| rows[at].i("id").unwrap().to_string());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("no tickets");
    }

    async fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tanggap"));
        command.args(args).env_clear().env("TANGGAP_CONFIG", self.folder.path().join("tanggap.toml")).env("USER", "siti");
        command.output().await.unwrap()
    }

    fn written(&self, text: &str) -> (usize, usize) {
        let world = self.simulator.world();
        (world.written(text), world.items().iter().filter(|item| item.own() && item.text == text).count())
    }
}

fn load(folder: &Path) -> config::Loaded {
    config::load(Some(&folder.join("tanggap.toml")), &Environment::bare(folder), Secrets::All).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_daemon_sends_what_the_command_records_and_the_command_says_how_it_ended() {
    let site = Site::new().await;
    let daemon = site.daemon().await;
    let [comment, message] = site.tickets().await;
    let output = site.run(&["reply", &comment, "Besok, Bu.", "--by", "Wati"]).await;
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    assert_eq!(stdout(&output), format!("ticket {comment}: answered, by {}; sent as comment by Wati\n", site.page));
    assert_eq!(site.written("Besok, Bu."), (1, 1));

    site.simulator.world().fail_next(Scope::Writes, Fault::Reset, 1);
    let output = site.run(&["reply", &message, "--canned", "loket"]).await;
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()), "accepted, broken off, found");
    let text = {
        let world = site.simulator.world();
        world.items().last().unwrap().text.clone()
    };
    assert!(text.starts_with("Yth. Budi, silakan ke loket ") && text.ends_with(&format!(" (#{message}).")), "{text}");
    assert_eq!(site.written(&text), (1, 1));

    let shown: serde_json::Value = serde_json::from_str(&stdout(&site.run(&["show", &comment]).await)).unwrap();
    let reply = &shown["replies"][0];
    assert_eq!(
        (&reply["form"], &reply["by"], &reply["state"], &reply["text"]),
        (&"comment".into(), &"Wati".into(), &"sent".into(), &"Besok, Bu.".into())
    );
    let table = stdout(&site.run(&["show", &comment, "--format", "table"]).await);
    assert!(table.contains("\nreplies\n") && table.contains("Wati"), "{table}");
    daemon.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_daemon_the_command_sends_it_itself_and_what_fails_is_said() {
    let site = Site::new().await;
    let daemon = site.daemon().await;
    let [comment, message] = site.tickets().await;
    daemon.stop().await.unwrap();
    for (args, status, why) in [
        (&["reply", &comment, "Besok", "--form", "message"][..], 1, "only a conversation is answered by a message"),
        (&["reply", "99", "Besok"], 1, "there is no ticket 99"),
        (&["reply", &comment, " "], 1, "the text is empty"),
        (&["reply", &comment], 2, "required"),
        (&["reply", &comment, "--canned", "lokett"], 2, "there are: loket"),
    ] {
        let output = site.run(args).await;
        assert_eq!(output.status.code(), Some(status), "{args:?} {}", stderr(&output));
        assert!(stderr(&output).contains(why), "{args:?} {}", stderr(&output));
    }
    site.simulator.world().fail_next(Scope::Writes, Fault::Error(400, 551, Some(1_545_041)), 1);
    let output = site.run(&["reply", &message, "Pukul 8."]).await;
    assert_eq!((output.status.code(), site.written("Pukul 8.")), (Some(1), (1, 0)));
    assert!(stderr(&output).contains("not sent: Meta does not deliver this message (code 551"), "{}", stderr(&output));

    site.simulator.world().fail_next(Scope::Writes, Fault::Lost, 1);
    let output = site.run(&["reply", &message, "Pukul 8 pagi."]).await;
    assert_eq!((output.status.code(), site.written("Pukul 8 pagi.")), (Some(1), (1, 0)));
    assert!(stderr(&output).contains("not known yet"), "{}", stderr(&output));

    let output = site.run(&["reply", &comment, "Besok, Bu."]).await;
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    assert_eq!(stdout(&output), format!("ticket {comment}: answered, by {}; sent as comment by siti\n", site.page));
    assert_eq!(site.written("Besok, Bu."), (1, 1));
}
