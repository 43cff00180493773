//! Breaches by the thousand, the process dying again and again, channels that fail one time in five: nothing is lost, and a second copy
//! stands for an outcome that nobody could know.
//!
//! Some hundreds by default. `TANGGAP_CHAOS_BREACHES=10000 tests/run --release --test it alert::chaos -- --nocapture` is the whole of it; it
//! prints its figures.
#![allow(clippy::print_stdout)] // figures, for a person

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    env,
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tanggap::{
    alert::AlertStage,
    demo::sink::{Captured, HttpSink, HttpTurn, SmtpSink, SmtpTurn},
    domain::settings::{Official, Webhook},
    runtime::{Clock as _, Stage as _, metrics::Metrics},
    store::{leases, outbox},
};
use tokio_util::sync::CancellationToken;

use super::world::{HOOK_SECRET, World, official, on_both, smtp};

/// A step of the stage is an attempt to send a letter; it dies after so many of them, on average, wherever it then is.
const STEPS: usize = 50;
/// Breaches at once.
const BATCH: i64 = 100;
/// The share of requests that fail, in percent.
const FAILING: u32 = 20;

/// The present instant, for the other sides.
#[allow(clippy::disallowed_methods)] // what is measured here is real time
fn now() -> Timestamp {
    Timestamp::now()
}

/// The receivers: one webhook that is well, one that fails, and a mail server that fails.
struct Far {
    well: HttpSink,
    ill: HttpSink,
    mail: SmtpSink,
    /// How many outcomes they leave unknown.
    unknown: usize,
    _stop: tokio_util::sync::DropGuard,
}

impl Far {
    async fn new(random: &mut StdRng, breaches: usize) -> Self {
        let clock: tanggap::demo::Now = Arc::new(now);
        let stop = CancellationToken::new();
        let (well, well_server) = HttpSink::bind(clock.clone()).await.unwrap();
        let (ill, ill_server) = HttpSink::bind(clock.clone()).await.unwrap();
        let (mail, mail_server) = SmtpSink::bind(clock).await.unwrap();
        let mut unknown = 0;
        for _ in 0..breaches * 3 {
            if random.random_range(0..100) >= FAILING {
                ill.next("", &HttpTurn::Status(200), 1);
                continue;
            }
            let turn = [HttpTurn::Status(500), HttpTurn::Status(429), HttpTurn::Cut, HttpTurn::Stall][random.random_range(0..4)].clone();
            unknown += usize::from(matches!(turn, HttpTurn::Cut | HttpTurn::Stall));
            ill.next("", &turn, 1);
        }
        mail.next(SmtpTurn::Refuse(450), 3);
        mail.next(SmtpTurn::Cut, 1);
        #[allow(clippy::disallowed_methods)] // they end with the test's runtime
        {
            tokio::spawn(well_server.serve(stop.clone()));
            tokio::spawn(ill_server.serve(stop.clone()));
            tokio::spawn(mail_server.serve(stop.clone()));
        }
        Self { well, ill, mail, unknown, _stop: stop.drop_guard() }
    }
}

impl Far {
    /// Requests of webhooks so far.
    fn attempts(&self) -> usize {
        self.well.count() + self.ill.count()
    }
}

fn stage(w: &World) -> AlertStage {
    let limit = Duration::from_millis(250);
    AlertStage::new(w.db.clone(), Arc::new(w.settings.clone()), w.clock.clone(), Metrics::default(), "w1".into(), w.links.clone())
        .unwrap()
        .with_limit(limit)
}

/// Runs the stage until it ends or, as soon as `attempts` says so, dies: `None` if it died.
async fn once(stage: &mut AlertStage, attempts: impl Fn() -> usize, most: usize) -> Option<tanggap::runtime::Tally> {
    let mut step = pin!(stage.once());
    std::future::poll_fn(|context| match step.as_mut().poll(context) {
        Poll::Ready(tally) => Poll::Ready(Some(tally.unwrap())),
        Poll::Pending if attempts() >= most => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// Breaches `from..from + BATCH`, as the sla stage writes them.
async fn breach(w: &World, from: i64) {
    let mut tx = w.db.write().await.unwrap();
    for id in from..from + BATCH {
        let at = w.now();
        tx.exec("INSERT INTO thread (id, account_id, kind, key, name) VALUES ($1, 1, 'comment', CAST($1 AS TEXT), 'n')", vec![id.into()])
            .await
            .unwrap();
        tx.exec(
            "INSERT INTO ticket (id, thread_id, account_id, author, policy, urgent, state, opened_at, due_at, unverified, messages, steps, configuration)
             VALUES ($1, $1, 1, 'a', 'biasa', 0, 'open', $2, $2, 0, 1, '[]', '')",
            vec![id.into(), at.into()],
        )
        .await
        .unwrap();
        tx.exec(
            "INSERT INTO alert (kind, ticket_id, policy, at_text, step, notify, late_found, detail, created_at)
             VALUES ('ticket.breached', $1, 'biasa', '0m', 2, '[\"kepala\", \"mesin\"]', 0, '', $2)",
            vec![id.into(), at.into()],
        )
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
}

/// The tickets' numbers by webhook-id, with every body that came under it; `took` says which requests count.
fn by_key(calls: &[Captured], took: impl Fn(&Captured) -> bool) -> BTreeMap<String, Vec<&Captured>> {
    let mut keys: BTreeMap<String, Vec<&Captured>> = BTreeMap::new();
    for call in calls.iter().filter(|call| took(call)) {
        keys.entry(call.header("webhook-id").unwrap().to_owned()).or_default().push(call);
    }
    keys
}

fn ticket_of(call: &Captured) -> i64 {
    let body: serde_json::Value = serde_json::from_slice(&call.body).unwrap();
    body["data"]["ticket"]["id"].as_i64().unwrap()
}

on_both! {
    async fn breaches_survive_crashes_and_failing_channels_and_copies_stand_for_unknown_outcomes(w: &mut World) {
        let breaches: i64 = env::var("TANGGAP_CHAOS_BREACHES").map_or(400, |count| count.parse().unwrap());
        let mut random = StdRng::seed_from_u64(2021);
        let far = Far::new(&mut random, breaches as usize).await;
        let hook = |name: &str, sink: &HttpSink| Webhook {
            name: name.into(), url: sink.url.clone(), secret: HOOK_SECRET.to_owned().into(), old_secret: None, full: false,
        };
        w.settings.channels.webhooks = [("well".to_owned(), hook("well", &far.well)), ("ill".to_owned(), hook("ill", &far.ill))].into();
        w.settings.channels.smtp = Some(smtp(format!("smtp://{}", far.mail.address)));
        w.settings.officials.push(Official { webhook: Some("well".into()), ..official("well", "Sehat", "mesin", &[]) });
        w.settings.officials.push(Official { webhook: Some("ill".into()), ..official("ill", "Sakit", "mesin", &[]) });

        let (mut crashes, mut in_hand, mut begun) = (0, 0, HashMap::new());
        let mut next = 1;
        let mut running = stage(w);
        let mut alive_until = random.random_range(1..2 * STEPS);
        loop {
            if next <= breaches {
                breach(w, next).await;
                begun.extend((next..next + BATCH).map(|id| (id, now())));
                next += BATCH;
            }
            let tally = loop {
                if let Some(tally) = once(&mut running, || far.attempts(), alive_until).await {
                    break tally;
                }
                crashes += 1;
                alive_until = far.attempts() + random.random_range(1..2 * STEPS);
                let leased = w.rows("SELECT id FROM letter WHERE lease_owner IS NOT NULL AND lease_until > 0 AND state = 'pending'").await;
                in_hand += leased.len();
                running = stage(w);
                leases::free(&w.db, &["w1".to_owned()]).await.unwrap();
            };
            if next > breaches && outbox::outbox_count(&w.db).await.unwrap() == 0 {
                break;
            }
            let soon = w.clock.now() + SignedDuration::from_secs(1);
            w.clock.set(tally.next.filter(|_| next > breaches).map_or(soon, |at| at.max(soon)));
        }

        let abandoned = w.rows("SELECT id FROM delivery WHERE state = 'abandoned'").await;
        assert!(abandoned.is_empty(), "{} given up", abandoned.len());
        let mut copies = 0;
        for (sink, name) in [(&far.well, "well"), (&far.ill, "ill")] {
            let calls = sink.captured();
            let accepted = by_key(&calls, |call| call.accepted);
            let tickets: BTreeSet<i64> = accepted.values().map(|calls| ticket_of(calls[0])).collect();
            assert_eq!((tickets.len() as i64, accepted.len() as i64), (breaches, breaches), "{name}: one key a breach, none lost");
            for calls in by_key(&calls, |_| true).values() {
                assert!(calls.iter().all(|call| call.body == calls[0].body), "the same bytes under the same key");
            }
            let twice: usize = accepted.values().map(|calls| calls.len() - 1).sum();
            println!("{name}: {} requests, {twice} copies accepted", calls.len());
            copies += twice;
        }
        let mails = far.mail.captured();
        let (unknown, mails) = (far.unknown, mails.len());
        println!("{breaches} breaches, {crashes} crashes with {in_hand} letters in hand, {unknown} answers withheld; {copies} copies, {mails} mails");
        // a crash leaves the outcome of every letter in hand unknown
        assert!(copies <= in_hand + far.unknown, "{copies} copies");
        assert!(crashes * 200 > breaches as usize, "{crashes} crashes");

        let mut first: HashMap<i64, Timestamp> = HashMap::new();
        for call in far.well.captured() {
            first.entry(ticket_of(&call)).or_insert(call.at);
        }
        let mut lags: Vec<SignedDuration> = begun.iter().map(|(id, at)| first[id].duration_since(*at)).collect();
        lags.sort_unstable();
        let of = |percent: usize| lags[(lags.len() - 1) * percent / 100];
        println!("first delivery on the channel that is well: p50 {:?}, p99 {:?}, max {:?}", of(50), of(99), of(100));
        assert!(of(99) < SignedDuration::from_secs(5), "p99 {:?}", of(99));
    }
}
