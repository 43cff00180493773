//! PostgreSQL is restarted, crashes, stays away and falls silent while the program works: nothing is lost, nobody is alarmed falsely, the
//! log says so once, and ten seconds after its return the work goes on.
#![allow(clippy::print_stdout)] // figures, for a person

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use tanggap::{demo::script::Pace, store::Db};

use super::relay::Relay;
use crate::{
    databases::server::{Server, Stop, url_at},
    soak::{WEBHOOK, checks, site::Site},
};

/// How soon after its return the work must go on.
const WITHIN: Duration = Duration::from_secs(10);

struct Town {
    server: Server,
    relay: Relay,
    site: Site,
    seen: usize,
}

impl Town {
    async fn new(seed: u64) -> Self {
        let server = Server::new();
        let relay = Relay::to(server.port()).await;
        let pace =
            Pace { gap: SignedDuration::from_millis(400), answer: SignedDuration::from_secs(8), late: SignedDuration::from_secs(10) };
        Self { server, relay, site: Site::new(seed, 8, pace, &format!("[poll]\nverify_within = \"8s\"\n{WEBHOOK}")).await, seen: 0 }
    }

    fn database(&self) -> String {
        url_at(self.relay.port)
    }

    async fn live(&mut self, seconds: i64) {
        self.site.live(SignedDuration::from_secs(seconds)).await;
    }

    /// Lines of the log since this was asked last, of WARN and ERROR or of an outage.
    fn loud(&mut self) -> Vec<String> {
        let log = std::fs::read_to_string(self.site.log()).unwrap();
        let fresh = log[self.seen..].to_owned();
        self.seen = log.len();
        let loud = |line: &&str| ["\"WARN\"", "\"ERROR\"", "database."].into_iter().any(|word| line.contains(word));
        let usual =
            |line: &&str| ["ticket.breached", "ticket.escalated", "message.gap", "alert.log"].into_iter().any(|word| line.contains(word));
        fresh.lines().filter(loud).filter(|line| !usual(line)).map(str::to_owned).collect()
    }

    /// Waits until a message is stored that was written after this was called.
    async fn works_again(&mut self, what: &str) {
        let (start, from) = (Instant::now(), crate::soak::site::now());
        let db = loop {
            assert!(start.elapsed() < WITHIN, "{what}: nothing can be asked");
            match tokio::time::timeout(Duration::from_secs(2), Db::open(&self.server.url())).await {
                Ok(Ok(db)) => break db,
                _ => self.live(1).await,
            }
        };
        loop {
            let sql = "SELECT COUNT(*) AS n FROM message WHERE seen_at >= $1";
            let seen = db.rows(sql, vec![from.as_millisecond().into()]).await.unwrap()[0].i("n").unwrap();
            if seen > 0 {
                println!("{what}: works again after {:?}", start.elapsed());
                db.close().await;
                return;
            }
            let log = std::fs::read_to_string(self.site.log()).unwrap();
            assert!(start.elapsed() < WITHIN, "{what}: not working again\n{}", &log[log.len().saturating_sub(6000)..]);
            self.site.live(SignedDuration::from_millis(200)).await;
        }
    }

    /// The log told of one outage, once, and of its end. One that is over at once may be met by nobody.
    fn said_once(&mut self, what: &str, away: i64) {
        let loud = self.loud();
        let count = |event: &str| loud.iter().filter(|line| line.contains(event)).count();
        let (lost, back) = (count("database.lost"), count("database.back"));
        assert!(lost == back && lost <= 1 && (lost == 1 || away == 0) && loud.len() <= 3, "{what}: {loud:#?}");
    }

    /// The story is told to its end, and everything is as if nothing had been.
    async fn end(mut self, daemon: crate::soak::site::Daemon, outages: i64) {
        self.site.script.quiet();
        while !self.site.script.is_over() {
            self.live(1).await;
        }
        let db = Db::open(&self.server.url()).await.unwrap();
        for _ in 0..20 {
            self.live(5).await;
            if checks::settled(&db).await {
                break;
            }
        }
        daemon.stop();
        checks::everything_is_told_and_decided(&db).await;
        checks::every_message_is_stored_once(&db, &self.site.simulator).await;
        crate::soak::reckoned::every_ticket_is_as_the_rules_say(&db, crate::soak::site::now()).await;
        checks::every_step_has_its_deliveries(&db).await;
        checks::every_letter_was_accepted_and_copies_have_a_cause(&db, &self.site, outages).await;
        no_alarm(&db).await;
        db.close().await;
    }
}

async fn no_alarm(db: &Db) {
    let alarms =
        "SELECT kind || ' ' || detail AS t FROM alert WHERE kind IN ('account.unhealthy', 'account.recovered', 'account.unverified')";
    let alarms: Vec<String> = db.rows(alarms, vec![]).await.unwrap().iter().map(|row| row.t("t").unwrap()).collect();
    assert!(alarms.is_empty(), "alarmed falsely: {alarms:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_that_is_restarted_crashes_or_stays_away_is_worked_with_again_at_once() {
    let mut town = Town::new(11).await;
    let daemon = town.site.start(&town.database());
    town.live(4).await;
    assert_eq!(town.loud(), Vec::<String>::new());
    for (what, how, away) in [("restart", Stop::Fast, 0), ("crash", Stop::Immediate, 0), ("away", Stop::Fast, 14)] {
        town.server.stop(how);
        town.live(away).await;
        town.server.start();
        town.works_again(what).await;
        town.live(3).await;
        town.said_once(what, away);
    }
    town.end(daemon, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_that_falls_silent_is_given_up_and_worked_with_again() {
    let mut town = Town::new(12).await;
    let daemon = town.site.start(&town.database());
    town.live(4).await;
    let before = town.relay.connections();
    town.relay.silence(true);
    // Longer than a statement may take, so that it is not just waited out.
    town.live(24).await;
    town.relay.silence(false);
    town.works_again("silence").await;
    assert!(town.relay.connections() > before, "by other connections than those that fell silent");
    town.live(3).await;
    town.said_once("silence", 24);
    let db = Db::open(&town.server.url()).await.unwrap();
    super::end(town.site, daemon, &db, 1).await;
    no_alarm(&db).await;
    db.close().await;
}
