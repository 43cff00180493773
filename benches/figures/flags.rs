//! 10,000 deadlines out of 100,000 open tickets, due at once and proved by a read, beside the same rows written by a plain statement each.

use std::{fs, io, path::Path, sync::Arc, time::Instant};

use jiff::SignedDuration;
use rusqlite::{Connection, params};
use tanggap::{
    domain::{
        AccountId, Platform, SharedSettings, Time,
        message::{Author, Seen, ThreadKey},
    },
    runtime::{ManualClock, Nudge, Stage as _, metrics::Metrics},
    sla::{Joints, SlaStage},
    store::{
        Db, accounts,
        intake::{Batch, Proof, take},
    },
};

use crate::{
    Figure, ROUNDS, Target,
    answers::{Office, START, page},
    files::{folder, open, plain, runtime, settings},
    rate,
};

/// Tickets due at once, and those that are not.
const DUE: usize = 10_000;
const WAITING: usize = 90_000;
/// Threads under a post.
const UNDER_A_POST: usize = 25;
/// Threads judged in one transaction by the stage; the plain statements get the same.
const BATCH: usize = 500;

pub fn run() {
    let (runtime, settings) = (runtime(), Arc::new(settings()));
    let folder = folder();
    let file = folder.path().join("world.db");
    let begun = Instant::now();
    runtime.block_on(build(&file, &settings));
    println!("flags: {} tickets opened, {DUE} of them warned, in {:.1} s", DUE + WAITING, begun.elapsed().as_secs_f64());
    let mut figure = Figure::new("flags", "flags", "plain statements", Target::Rate(DUE as f64 / 2.0));
    // The daemon logs every flag.
    let log = tracing_subscriber::fmt().with_writer(io::sink).finish();
    tracing::subscriber::with_default(log, || {
        for _ in 0..ROUNDS {
            let [ours, theirs] = ["ours.db", "theirs.db"].map(|name| folder.path().join(name));
            fs::copy(&file, &ours).unwrap();
            fs::copy(&file, &theirs).unwrap();
            let our_rate = runtime.block_on(flag(&ours, &settings));
            let connection = plain(&theirs);
            let their_rate = rate(DUE, || write(&connection));
            assert_eq!(flagged(&plain(&ours)), (DUE as i64, DUE as i64));
            assert_eq!(flagged(&connection), (DUE as i64, DUE as i64));
            figure.add(our_rate, their_rate);
        }
    });
    figure.print();
}

fn hours(hours: i64) -> Time {
    Time::parse(START).unwrap().plus(SignedDuration::from_hours(hours))
}

async fn stage(db: &Db, settings: &SharedSettings, now: Time) -> SlaStage {
    let joints = Joints {
        clock: ManualClock::new(now.timestamp()),
        metrics: Metrics::default(),
        alerts: Nudge::default(),
        polls: Nudge::default(),
        skewed: Arc::default(),
    };
    SlaStage::new(db.clone(), settings.clone(), joints).await.unwrap()
}

/// Steps of the stage until nothing is due; how many threads it judged.
async fn until_done(stage: &mut SlaStage) -> usize {
    let mut judged = 0;
    loop {
        match stage.once().await.unwrap().done as usize {
            0 => return judged,
            done => judged += done,
        }
    }
}

/// Four hours after the first tickets opened and an hour after they were warned, a read has shown that they still wait.
async fn build(file: &Path, settings: &SharedSettings) {
    let db = open(file).await;
    let specs: Vec<(Platform, String, String)> =
        settings.accounts().map(|(opd, account)| (account.platform, account.id.clone(), opd.slug.clone())).collect();
    accounts::sync(&db, &specs, hours(0)).await.unwrap();
    let template = Office::new().read(1, &page(1)).messages.into_iter().find(|seen| seen.asks && seen.top_level).unwrap();
    let accounts = specs.len();
    let message = |number: usize, created_at| Seen {
        external_id: format!("{}_{number}", number / UNDER_A_POST),
        thread: ThreadKey {
            name: format!("{}_{number}", number / UNDER_A_POST),
            post: Some((number / UNDER_A_POST).to_string()),
            ..template.thread.clone()
        },
        author: template.author.clone().map(|author| Author { id: Some(format!("2{number:015}")), ..author }),
        created_at,
        ..template.clone()
    };
    let mut reads = Vec::new();
    for account in 0..accounts {
        let due = DUE / accounts * account..DUE / accounts * (account + 1);
        let waiting = DUE + WAITING / accounts * account..DUE + WAITING / accounts * (account + 1);
        let posts = due.start / UNDER_A_POST..due.end / UNDER_A_POST;
        let messages: Vec<Seen> = due.map(|n| message(n, hours(0))).chain(waiting.map(|n| message(n, hours(2)))).collect();
        let batch = Batch {
            account: AccountId(account as i64 + 1),
            began_at: hours(2),
            now: hours(2),
            confirm_gone: settings.poll.confirm_gone,
            messages,
            posts: Vec::new(),
            proofs: posts.map(|post| Proof::Post(post.to_string())).collect(),
            bindings: Vec::new(),
        };
        take(&db, &batch).await.unwrap();
        reads.push(batch);
    }
    assert_eq!(until_done(&mut stage(&db, settings, hours(2)).await).await, DUE + WAITING);
    for hour in [3, 4] {
        for read in &mut reads {
            read.messages.truncate(DUE / accounts);
            (read.began_at, read.now) = (hours(hour), hours(hour));
            take(&db, read).await.unwrap();
        }
        if hour == 3 {
            assert_eq!(until_done(&mut stage(&db, settings, hours(3)).await).await, DUE);
        }
    }
    db.close().await;
}

async fn flag(file: &Path, settings: &SharedSettings) -> f64 {
    let db = open(file).await;
    let mut stage = stage(&db, settings, hours(4)).await;
    let begun = Instant::now();
    let judged = until_done(&mut stage).await;
    let rate = DUE as f64 / begun.elapsed().as_secs_f64();
    assert_eq!(judged, DUE);
    db.close().await;
    rate
}

/// Flags the same tickets without a thought: a statement for each row that the stage writes.
fn write(connection: &Connection) {
    let due: Vec<(i64, i64, String)> = connection
        .prepare("SELECT id, thread_id, steps FROM ticket WHERE state = 'open' AND due_at <= ?1")
        .unwrap()
        .query_map([hours(4).ms()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let now = hours(4).ms();
    for batch in due.chunks(BATCH) {
        let tx = connection.unchecked_transaction().unwrap();
        let mut ticket = tx.prepare_cached("UPDATE ticket SET breached_at = due_at, flagged_at = ?2, steps = ?3 WHERE id = ?1").unwrap();
        let mut event = tx.prepare_cached("INSERT INTO event (ticket_id, at, kind, detail) VALUES (?1, ?2, 'breached', '')").unwrap();
        let mut alert = tx
            .prepare_cached(
                "INSERT INTO alert (kind, ticket_id, account_id, policy, at_text, step, notify, late_found, detail, created_at) \
                 VALUES ('ticket.breached', ?1, 1, 'biasa', '0m', 2, '[\"operator\",\"kepala\"]', 0, '', ?2)",
            )
            .unwrap();
        let mut thread = tx.prepare_cached("UPDATE thread SET next_look_at = ?2, verify_at = ?2 WHERE id = ?1").unwrap();
        for (id, thread_id, steps) in batch {
            ticket.execute(params![id, now, steps]).unwrap();
            event.execute([*id, now]).unwrap();
            alert.execute([*id, now]).unwrap();
            thread.execute([*thread_id, hours(6).ms()]).unwrap();
        }
        drop((ticket, event, alert, thread));
        tx.commit().unwrap();
    }
}

/// How many tickets are flagged, and how many alerts say so.
fn flagged(connection: &Connection) -> (i64, i64) {
    connection
        .query_row(
            "SELECT (SELECT count(*) FROM ticket WHERE flagged_at IS NOT NULL), (SELECT count(*) FROM alert WHERE kind = 'ticket.breached')",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap()
}
