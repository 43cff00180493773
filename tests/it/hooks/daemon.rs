//! The real program between a simulated Graph API and its webhooks: with them it reads at once, without them it only reads later.

use std::{
    collections::BTreeSet,
    net::TcpListener,
    process::{Command, Output},
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use tanggap::{
    demo::{
        hook::{Hooks, Manner},
        script::Pace,
        world::{Author, Citizen, ItemKind},
    },
    store::Db,
};

use crate::soak::site::{Daemon, Site};

struct Town {
    site: Site,
    database: String,
    hook: String,
}

impl Town {
    /// Two agencies with two accounts each, read every so often.
    async fn new(interval: &str) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let more = format!(
            r#"
[http]
listen = "{address}"
[poll]
interval = "{interval}"
idle_interval = "{interval}"
sweep_interval = "{interval}"
"#
        );
        let pace = Pace { gap: SignedDuration::from_hours(1), answer: SignedDuration::from_hours(1), late: SignedDuration::from_secs(20) };
        let site = Site::new(7, 2, pace, &more).await;
        let database = format!("sqlite://{}", site.folder.path().join("hooks.db").display());
        Self { site, database, hook: format!("http://{address}/webhooks/meta") }
    }

    fn subscribe(&self) -> Output {
        let program = env!("CARGO_BIN_EXE_tanggap");
        Command::new(program).args(["accounts", "subscribe", "--config"]).arg(&self.site.config).output().unwrap()
    }

    fn hooks(&self, manner: Manner) -> Hooks {
        Hooks::new(&self.site.simulator, self.hook.clone(), manner).unwrap()
    }

    /// Starts the program and waits until it has read every account once.
    async fn start(&self) -> (Daemon, Db) {
        let daemon = self.site.start(&self.database);
        // also makes the schema, whoever is first
        let db = Db::open(&self.database).await.unwrap();
        self.until(&db, "SELECT CAST(COUNT(*) AS TEXT) AS one FROM account WHERE last_read_at IS NOT NULL AND lease_until = 0", &["4"])
            .await;
        (daemon, db)
    }

    /// Waits until a query gives this.
    async fn until(&self, db: &Db, sql: &'static str, want: &[&str]) {
        let start = Instant::now();
        loop {
            let found: Vec<String> = db.rows(sql, vec![]).await.unwrap().iter().map(|row| row.t("one").unwrap()).collect();
            if found == want {
                return;
            }
            let said = || std::fs::read_to_string(self.site.log()).unwrap();
            assert!(start.elapsed() < Duration::from_mins(1), "{sql}\nis still {found:?}; the program said\n{}", said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A citizen writes a comment and a direct message to every account.
    fn everybody_writes(&self, what: &str) {
        let mut world = self.site.simulator.world();
        let siti = Citizen::new(7, "Siti");
        for agency in self.site.script.agencies() {
            for account in [&agency.page.id, &agency.instagram.id] {
                let newest = world.items().iter().rev().find(|item| {
                    item.account == *account
                        && matches!(item.kind, ItemKind::Post | ItemKind::Media)
                        && matches!(item.author, Author::Account(_))
                });
                let post = newest.map(|item| item.id.clone());
                let post = post.or_else(|| world.post(account, "Jadwal layanan")).unwrap();
                world.comment(&post, &siti, format!("Komentar {what}: kapan buka?")).unwrap();
                world.direct_message(account, &siti, format!("Pesan {what}: kapan buka?")).unwrap();
            }
        }
    }
}

const WRITTEN: &str = "SELECT CAST(COUNT(*) AS TEXT) AS one FROM message WHERE text LIKE '%: kapan buka?'";

#[tokio::test(flavor = "multi_thread")]
async fn with_webhooks_a_message_is_in_the_queue_long_before_the_next_poll() {
    let town = Town::new("1h").await;
    let told = town.subscribe();
    assert!(told.status.success(), "{told:?}");
    let (daemon, db) = town.start().await;
    let mut hooks = town.hooks(Manner { twice: true, reversed: true, ..Manner::default() });
    for (round, what) in ["pertama", "kedua"].into_iter().enumerate() {
        town.everybody_writes(what);
        let sent = Instant::now();
        let answers = hooks.send().await.unwrap();
        assert!(answers.len() >= 16 && answers.iter().all(|&status| status == 200), "{answers:?}");
        town.until(&db, WRITTEN, &[["8", "16"][round]]).await;
        println!("8 messages by webhook were in the queue after {:?}", sent.elapsed());
    }
    town.until(&db, "SELECT CAST(COUNT(*) AS TEXT) AS one FROM ticket WHERE state = 'open'", &["12"]).await;
    daemon.stop();
    let log = std::fs::read_to_string(town.site.log()).unwrap();
    assert!(
        !log.contains("demo-verify-token") && !log.contains("app-secret") && !log.contains("kapan buka"),
        "a secret or a citizen's words in the log"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn when_webhooks_are_lost_nothing_else_is() {
    let town = Town::new("2s").await;
    assert!(town.subscribe().status.success());
    let (daemon, db) = town.start().await;
    let mut hooks = town.hooks(Manner { drops_half: true, batched: true, ..Manner::default() });
    town.everybody_writes("separuh");
    assert!(hooks.send().await.unwrap().iter().all(|&status| status == 200));
    town.everybody_writes("tanpa");
    town.until(&db, WRITTEN, &["16"]).await;
    daemon.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribing_says_for_every_account_what_was_set_or_why_not() {
    let town = Town::new("1h").await;
    let agencies = town.site.script.agencies().to_vec();
    let page = agencies[0].page.id.clone();
    town.site.simulator.world().revoke_scope(&page, "pages_manage_metadata");
    let told = town.subscribe();
    let (shown, said) = (String::from_utf8(told.stdout).unwrap(), String::from_utf8(told.stderr).unwrap());
    assert_eq!(told.status.code(), Some(1), "{said}");
    let lines: Vec<&str> = shown.lines().filter(|line| line.contains(&page)).collect();
    assert!(lines.iter().all(|line| line.starts_with("FAILED") && line.contains("permission")) && !lines.is_empty(), "{shown}");
    assert_eq!(shown.lines().count(), 4, "{shown}");
    assert!(agencies.iter().all(|agency| !shown.contains(&agency.page.token) && !said.contains(&agency.page.token)));

    town.site.simulator.world().grant_scope(&page, "pages_manage_metadata");
    let told = town.subscribe();
    assert!(told.status.success(), "{told:?}");
    let world = town.site.simulator.world();
    let fields = |id: &str| world.account(id).unwrap().subscribed.clone();
    let wanted = ["feed", "mention", "message_echoes", "message_edits", "messages", "ratings"];
    for agency in &agencies {
        assert_eq!(fields(&agency.page.id), wanted.map(str::to_owned).into());
        assert!(world.subscribed(&agency.instagram.id, "comments") && world.subscribed(&agency.instagram.id, "messages"));
        if world.account(&agency.instagram.id).unwrap().page.is_none() {
            let wanted = ["comments", "live_comments", "mentions", "message_edit", "messages"];
            assert_eq!(fields(&agency.instagram.id), BTreeSet::from(wanted.map(str::to_owned)));
        }
    }
    let posts = world.calls().iter().filter(|call| call.method == "POST" && call.status == 200);
    assert!(posts.clone().count() >= 2 && posts.clone().all(|call| call.endpoint == "subscribed_apps"));
}
