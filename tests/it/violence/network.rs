//! The link is cut: the program in a network of its own, Meta and the channels in another, between them a cable that is pulled. Needs root.
//!
//! Once at the near end, where every call fails at once, and once at the far end, where nothing is answered and nothing refused.
#![allow(clippy::print_stdout)] // figures, for a person

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use serde_json::Value;
use tanggap::{
    demo::{script::Pace, world::Use},
    store::Db,
};

use crate::soak::{
    self, WEBHOOK,
    site::{Daemon, Site},
};

/// Set for the test within the far network: the names of both.
const INSIDE: &str = "TANGGAP_TEST_NETWORKS";
/// How long a step waits for its read, and a call for its answer.
const VERIFY: i64 = 6;
const MORE: &str = r#"
[http]
metrics_listen = ""
[graph]
timeout = "2s"
[poll]
verify_within = "6s"
"#;

fn ip(args: &str) {
    let output = Command::new("ip").args(args.split(' ')).output().expect("tests/run installs iproute2");
    assert!(output.status.success(), "ip {args}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Two networks that have no loopback device, but its addresses at the two ends of a cable: only to those does the program talk in clear.
struct Networks {
    far: String,
    near: String,
}

impl Networks {
    fn new() -> Self {
        let id = rand::random::<u16>();
        let both = Self { far: format!("tanggap-far-{id:04x}"), near: format!("tanggap-near-{id:04x}") };
        for name in [&both.far, &both.near] {
            ip(&format!("netns add {name}"));
            let routed = "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet";
            assert!(Command::new("ip").args(["netns", "exec", name, "sh", "-c", routed]).status().unwrap().success());
        }
        ip(&format!("link add cable netns {} type veth peer name cable netns {}", both.far, both.near));
        for (name, address) in [(&both.far, "127.0.0.1"), (&both.near, "127.0.0.2")] {
            ip(&format!("-n {name} addr add {address}/8 scope global dev cable"));
            ip(&format!("-n {name} link set cable up"));
        }
        both
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        for name in [&self.far, &self.near] {
            let _ = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_cut_is_named_flags_nothing_unread_and_is_one_alarm_and_one_recovery() {
    if let Ok(names) = std::env::var(INSIDE) {
        let (_, near) = names.split_once(' ').unwrap();
        return inside(near).await;
    }
    let networks = Networks::new();
    // The story is told by this same test, run once more on the far side.
    let name = std::thread::current().name().unwrap().to_owned();
    let status = tokio::process::Command::new("ip")
        .args(["netns", "exec", &networks.far])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--nocapture"])
        .env(INSIDE, format!("{} {}", networks.far, networks.near))
        .status()
        .await
        .unwrap();
    assert!(status.success(), "on the far side: {status}");
}

struct Town {
    site: Site,
    db: Db,
    near: String,
}

impl Town {
    fn log(&self) -> String {
        fs::read_to_string(self.site.log()).unwrap()
    }

    fn events(&self, name: &str) -> Vec<Value> {
        let name = format!("\"event\":\"{name}\"");
        self.log().lines().filter(|line| line.contains(&name)).map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    async fn live(&mut self, seconds: i64) {
        self.site.live(SignedDuration::from_secs(seconds)).await;
    }

    async fn number(&self, sql: &'static str) -> i64 {
        self.db.rows(sql, vec![]).await.unwrap()[0].i("n").unwrap()
    }

    /// Lives until that holds; how long it took.
    async fn until(&mut self, what: &str, most: u64, holds: impl AsyncFn(&Self) -> bool) -> Duration {
        let start = Instant::now();
        while !holds(self).await {
            let log = self.log();
            assert!(start.elapsed().as_secs() < most, "waited in vain for {what}:\n{}", &log[log.len().saturating_sub(8000)..]);
            self.site.live(SignedDuration::from_millis(200)).await;
        }
        start.elapsed()
    }

    /// Pulls the cable and waits until every account fails for that cause.
    async fn cut(&mut self, cause: &str, at_the_far_end: bool) {
        let before = self.events("poll.failed").len();
        self.link(at_the_far_end, false);
        self.until("every account to fail", 30, async |town| town.number(FAILING).await == ACCOUNTS).await;
        let failed = self.events("poll.failed")[before..].to_vec();
        let named = failed.iter().filter(|line| line["error"].as_str().unwrap().contains(cause)).count();
        assert!(named * 2 > failed.len(), "the cause is named: {failed:#?}");
    }

    /// Pulls the cable or plugs it in again.
    fn link(&self, at_the_far_end: bool, up: bool) {
        let state = if up { "up" } else { "down" };
        if at_the_far_end { ip(&format!("link set cable {state}")) } else { ip(&format!("-n {} link set cable {state}", self.near)) }
    }
}

const ACCOUNTS: i64 = 10;
const FAILING: &str = "SELECT COUNT(*) AS n FROM account WHERE failures > 0";
const ALARMS: &str = "SELECT COUNT(*) AS n FROM alert WHERE kind IN ('account.unhealthy', 'account.recovered')";
const UNHEALTHY: &str = "SELECT COUNT(*) AS n FROM account WHERE healthy = 0";
const FLAGS: &str = "SELECT t.flagged_at - t.due_at AS lag, (SELECT COUNT(*) FROM event e WHERE e.ticket_id = t.id AND e.kind = 'breached'
    AND e.detail = 'unverified') AS unverified FROM ticket t JOIN thread h ON h.id = t.thread_id WHERE h.unreadable = 0 AND t.flagged_at >= $1 AND t.flagged_at < $2";

async fn inside(near: &str) {
    let pace = Pace { gap: SignedDuration::from_millis(300), answer: SignedDuration::from_secs(30), late: SignedDuration::from_secs(5) };
    let mut site = Site::new(17, 5, pace, &format!("{MORE}{WEBHOOK}")).await;
    {
        // It is the link that fails here, and no limit.
        let mut world = site.simulator.world();
        let ids: Vec<String> = world.accounts().map(|account| account.id.clone()).collect();
        let app = world.app.id.clone();
        world.set_limit(Use::App, &app, 1_000_000);
        for id in ids {
            for of in [Use::Pages, Use::Messenger, Use::Instagram, Use::InstagramConversations] {
                world.set_limit(of, &id, 1_000_000);
            }
        }
    }
    let database = format!("sqlite://{}", site.folder.path().join("cut.db").display());
    let daemon: Daemon = site.start_by(&["ip", "netns", "exec", near], &database);
    site.live(SignedDuration::from_secs(1)).await;
    let db = Db::open(&database).await.unwrap();
    let mut town = Town { site, db, near: near.to_owned() };
    town.until("first reads", 30, async |town| {
        town.number("SELECT COUNT(*) AS n FROM account WHERE last_read_at IS NOT NULL").await == ACCOUNTS
    })
    .await;
    town.live(8).await;
    assert_eq!(town.events("poll.failed").len(), 0);
    // At the near end for as long as nobody notices but the log.
    town.cut("could not connect", false).await;
    town.link(false, true);
    town.until("recovery", 45, async |town| town.number(FAILING).await == 0).await;
    assert_eq!(town.number(ALARMS).await, 0, "a minute is no alarm");
    // And at the far end for a quarter of an hour, as the database has it: nobody was read for so long.
    let cut = soak::site::now();
    town.cut("no answer in time", true).await;
    town.live(VERIFY + 3).await;
    town.site.simulator.world().clear_calls();
    town.until("a moment in which nobody is being read", 30, async |town| {
        let mut tx = town.db.write().await.unwrap();
        let aged = "UPDATE account SET failing_since = failing_since - 900000, next_poll_at = 0 WHERE failures > 0 AND lease_until = 0";
        let whole = tx.exec(aged, vec![]).await.unwrap() == ACCOUNTS as u64;
        if whole {
            tx.commit().await.unwrap();
        }
        whole
    })
    .await;
    town.until("all of them to be called unhealthy", 30, async |town| town.number(UNHEALTHY).await == ACCOUNTS).await;
    assert_eq!(town.site.simulator.world().calls().len(), 0, "nothing got through");
    let mended = soak::site::now();
    town.link(true, true);
    // One of them has waited out its pause; it wakes the others, which have up to a minute before them.
    let mut tx = town.db.write().await.unwrap();
    let due = "UPDATE account SET next_poll_at = 0 WHERE id = (SELECT MIN(id) FROM account WHERE lease_until = 0)";
    assert_eq!(tx.exec(due, vec![]).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let took = town.until("recovery", 15, async |town| town.number(UNHEALTHY).await == 0).await;
    println!("every account was read again {took:.1?} after the link was back");
    let flags = town.db.rows(FLAGS, vec![cut.as_millisecond().into(), mended.as_millisecond().into()]).await.unwrap();
    let count = |unverified: bool, odd: &dyn Fn(i64) -> bool| {
        flags.iter().filter(|row| (row.i("unverified").unwrap() > 0) == unverified && odd(row.i("lag").unwrap())).count()
    };
    let unverified = count(true, &|_| true);
    println!("{} flags since it was cut, {unverified} of them unverified", flags.len());
    assert!(unverified > 0, "deadlines passed during the cut");
    let (early, unread) = (count(true, &|lag| lag < VERIFY * 1_000), count(false, &|lag| lag > VERIFY * 1_000));
    assert_eq!((early, unread), (0, 0), "a flag before its time, or without a read after it: {early}, {unread}");
    end(town, daemon).await;
}

async fn end(town: Town, daemon: Daemon) {
    let Town { site, db, .. } = town;
    let site = super::end(site, daemon, &db, 100).await;
    let number = async |sql| db.rows(sql, vec![]).await.unwrap()[0].i("n").unwrap();
    // One alarm and one recovery, for the site, and unverified tickets are the operator's alone.
    let sql =
        "SELECT kind || ' ' || CASE WHEN account_id IS NULL THEN 'site' ELSE 'account' END || ' ' || COALESCE(cause, '') AS t FROM alert
        WHERE kind IN ('account.unhealthy', 'account.recovered') ORDER BY id";
    let told: Vec<String> = db.rows(sql, vec![]).await.unwrap().iter().map(|row| row.t("t").unwrap()).collect();
    assert_eq!(told, ["account.unhealthy site trouble", "account.recovered site trouble"]);
    let strangers = "SELECT COUNT(*) AS n FROM delivery d JOIN alert a ON a.id = d.alert_id
        WHERE a.kind = 'account.unverified' AND d.official NOT IN ('operator-dinkominfo', 'pusat-kendali') AND d.channel <> 'log'";
    assert_eq!(number(strangers).await, 0);
    assert!(!fs::read_to_string(site.log()).unwrap().contains("panicked"));
}
