//! The real program on a busy kabupaten, killed again and again: nothing is lost, nothing is told twice without cause.
//!
//! A short run by default. `TANGGAP_SOAK_SECONDS=600 TANGGAP_SOAK_KILLS=20 tests/run --release --test it soak:: -- --nocapture`
//! is the long one; it prints its figures. With `TANGGAP_SOAK_KILLS=1000` a kill comes every 0.6 s on average, often before the program is up.

pub mod checks;
mod idle;
pub mod reckoned;
pub mod site;

use jiff::SignedDuration;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tanggap::{demo::script::Pace, store::Db};

use self::site::Site;

/// The seed of citizens, officials and kills.
const SEED: u64 = 2021;
const AGENCIES: usize = 20;
/// The operator is told by a signed webhook too.
pub const WEBHOOK: &str = r#"
[[official]]
name = "Pusat Kendali"
group = "operator"
webhook = "kendali"
[[channel.webhook]]
name = "kendali"
url = "{hooks}/hook"
secret = "env:WEBHOOK_SECRET"
"#;

pub fn asked(name: &str, otherwise: i64) -> i64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

async fn soak(database: &str, kills: i64) {
    let length = SignedDuration::from_secs(asked("TANGGAP_SOAK_SECONDS", 30));
    let pace = Pace { gap: SignedDuration::from_millis(500), answer: SignedDuration::from_secs(8), late: SignedDuration::from_secs(20) };
    let mut site = Site::new(SEED, AGENCIES, pace, WEBHOOK).await;
    let mut daemon = site.start(database);
    let mut rng = StdRng::seed_from_u64(SEED);
    for _ in 0..kills {
        let part = length / (kills as i32 + 1);
        site.live(part.mul_f64(rng.random_range(0.0..2.0))).await;
        daemon.kill();
        daemon = site.start(database);
    }
    site.live(length / (kills as i32 + 1)).await;
    site.script.quiet();
    while !site.script.is_over() {
        site.live(SignedDuration::from_secs(1)).await;
    }
    // The last words want one more poll, the last deadline another 45 s.
    let db = Db::open(database).await.unwrap();
    // WhatsApp takes one message to a number in six seconds, and each kill leaves some to be sent again.
    for _ in 0..20 + kills / 5 {
        site.live(SignedDuration::from_secs(8)).await;
        if checks::settled(&db).await {
            break;
        }
    }
    daemon.stop();
    checks::everything_is_told_and_decided(&db).await;
    checks::every_message_is_stored_once(&db, &site.simulator).await;
    reckoned::every_ticket_is_as_the_rules_say(&db, site::now()).await;
    checks::every_step_has_its_deliveries(&db).await;
    checks::every_letter_was_accepted_and_copies_have_a_cause(&db, &site, kills).await;
    checks::every_chain_is_whole_and_holds_everything(&db).await;
    checks::flags_were_prompt(&db, kills).await;
    checks::the_log_tells_of_no_fault(&site);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_kabupaten_on_sqlite_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    soak(&format!("sqlite://{}", folder.path().join("soak.db").display()), 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_killed_again_and_again_on_sqlite_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    soak(&format!("sqlite://{}", folder.path().join("soak.db").display()), asked("TANGGAP_SOAK_KILLS", 3)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_killed_again_and_again_on_postgresql_loses_nothing() {
    let database = crate::databases::postgres().await;
    soak(&database, asked("TANGGAP_SOAK_KILLS", 3)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_on_the_same_file_is_refused_and_says_why() {
    let pace = Pace { gap: SignedDuration::from_hours(1), answer: SignedDuration::from_hours(1), late: SignedDuration::from_secs(20) };
    let site = Site::new(SEED, 1, pace, WEBHOOK).await;
    let database = format!("sqlite://{}", site.folder.path().join("t.db").display());
    let first = site.start(&database);
    while site.simulator.world().calls().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(site.start(&database).ended().code(), Some(1));
    let log = std::fs::read_to_string(site.log()).unwrap();
    assert!(log.contains(&format!("another tanggap runs on this database, {}/t.db", site.folder.path().display())), "{log}");
    first.kill();
    let after = site.start(&database);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    after.stop();
}
