//! 1,000 new messages in batches of a page of comments each, then the same once more, beside one prepared statement a row for the same
//! rows, in a transaction for each of the same batches.

use std::{path::Path, time::Instant};

use jiff::SignedDuration;
use rusqlite::{Connection, params};
use tanggap::{
    domain::{
        AccountId, Platform, Text, Time,
        message::{Post, Seen, key_of},
    },
    store::{
        accounts,
        intake::{Batch, Proof, take},
    },
};

use crate::{
    Figure, ROUNDS, Target,
    answers::{COMMENTS, Office, PAGE, START, own_post, page},
    files::{folder, open, plain, runtime},
    rate,
};

const BATCHES: u64 = 40;
const MESSAGES: usize = (BATCHES * COMMENTS) as usize;

pub fn run() {
    let runtime = runtime();
    let mut new = Figure::new("intake of new messages", "messages", "plain statements", Target::Ratio(0.5));
    let mut again = Figure::new("intake of messages seen again", "messages", "plain statements", Target::None);
    let began_at = Time::parse(START).unwrap().plus(SignedDuration::from_hours(1));
    let reads = [batches(began_at), batches(began_at.plus(SignedDuration::from_mins(1)))];
    for _ in 0..ROUNDS {
        let folder = folder();
        let [ours, theirs] = ["ours.db", "theirs.db"].map(|name| folder.path().join(name));
        let our_rates = runtime.block_on(ours_rates(&ours, &reads));
        runtime.block_on(async { open(&theirs).await.close().await });
        let mut connection = plain(&theirs);
        let their_rates = reads.each_ref().map(|read| rate(MESSAGES, || read.iter().for_each(|batch| write(&mut connection, batch))));
        same_rows(&connection, &ours);
        new.add(our_rates[0], their_rates[0]);
        again.add(our_rates[1], their_rates[1]);
    }
    new.print();
    again.print();
}

/// What a read of forty posts shows.
fn batches(began_at: Time) -> Vec<Batch> {
    let office = Office::new();
    let batch = |post| {
        let (reference, found) = (own_post(post), office.read(post, &page(post)));
        let post = Post {
            external_id: reference.external_id.clone(),
            author: reference.author,
            author_id: reference.author_id,
            created_at: Time::parse(START).unwrap(),
            updated_at: found.messages.iter().map(|seen| seen.created_at).max(),
            total: Some(COMMENTS as i64),
            permalink: reference.permalink,
            read_at: Some(began_at),
        };
        Batch {
            account: AccountId(1),
            began_at,
            now: began_at.plus(SignedDuration::from_secs(1)),
            confirm_gone: SignedDuration::from_secs(20),
            messages: found.messages,
            posts: vec![post],
            proofs: vec![Proof::Post(reference.external_id)],
            bindings: found.bindings,
        }
    };
    (1..=BATCHES).map(batch).collect()
}

async fn ours_rates(file: &Path, reads: &[Vec<Batch>; 2]) -> [f64; 2] {
    let db = open(file).await;
    let page = [(Platform::Facebook, PAGE.to_owned(), "opd-0".to_owned())];
    accounts::sync(&db, &page, reads[0][0].began_at).await.unwrap();
    let mut rates = [0.0; 2];
    for ((read, new), rate) in reads.iter().zip([MESSAGES, 0]).zip(&mut rates) {
        let begun = Instant::now();
        let mut received = 0;
        for batch in read {
            received += take(&db, batch).await.unwrap().received.len();
        }
        *rate = MESSAGES as f64 / begun.elapsed().as_secs_f64();
        assert_eq!(received, new);
    }
    db.close().await;
    rates
}

/// The rows of a batch, one statement each.
fn write(connection: &mut Connection, batch: &Batch) {
    let account = batch.account.0;
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    {
        let mut thread = tx
            .prepare_cached(
                "INSERT INTO thread (account_id, kind, key, name, post_key, citizen_id, permalink, next_look_at, read_began_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
                 ON CONFLICT (account_id, kind, key) DO UPDATE SET read_began_at = excluded.read_began_at RETURNING id",
            )
            .unwrap();
        let mut message = tx
            .prepare_cached(
                "INSERT INTO message (account_id, thread_id, object, key, external_id, kind, direction, government, parent, top_level, \
                   author_id, author_name, author_username, text, attachments, tags, created_at, seen_at, hidden, automatic, needs_answer, asks, \
                   urgent, urgent_at, bare, tags_own, by_page, private_reply, permalink) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, \
                   ?26, ?27, ?28, ?29) \
                 ON CONFLICT (account_id, object, key) DO UPDATE SET text = excluded.text, hidden = excluded.hidden, deleted_at = NULL, \
                   missing_since = NULL \
                 WHERE text <> excluded.text OR hidden <> excluded.hidden OR deleted_at IS NOT NULL OR missing_since IS NOT NULL",
            )
            .unwrap();
        let mut post = tx
            .prepare_cached(
                "INSERT INTO post (account_id, key, external_id, author, author_id, created_at, updated_at, total, permalink, read_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (account_id, key) DO UPDATE SET \
                   updated_at = excluded.updated_at, total = excluded.total, permalink = excluded.permalink, read_at = excluded.read_at",
            )
            .unwrap();
        // A thread's permalink is that of its own first message.
        let mut rows: Vec<&Seen> = batch.messages.iter().collect();
        rows.sort_by_key(|seen| (seen.created_at, seen.external_id != seen.thread.name));
        for m in rows {
            let t = &m.thread;
            let values = params![
                account,
                t.kind.word(),
                key_of(&t.name),
                t.name,
                t.post.as_deref().map(key_of),
                t.citizen,
                m.permalink,
                batch.now.ms(),
                batch.began_at.ms()
            ];
            let thread_id: i64 = thread.query_row(values, |row| row.get(0)).unwrap();
            let author = m.author.as_ref();
            let values = params![
                account,
                thread_id,
                m.object.word(),
                key_of(&m.external_id),
                m.external_id,
                m.kind.word(),
                m.direction.word(),
                m.government,
                m.parent,
                m.top_level,
                author.and_then(|a| a.id.as_deref()),
                author.and_then(|a| a.name.as_ref()).map(Text::as_str),
                author.and_then(|a| a.username.as_ref()).map(Text::as_str),
                m.text.as_str(),
                serde_json::to_string(&m.attachments).unwrap(),
                serde_json::to_string(&m.tags).unwrap(),
                m.created_at.ms(),
                batch.now.ms(),
                m.hidden,
                m.automatic,
                m.needs_answer,
                m.asks,
                m.urgent,
                m.urgent.then_some(m.created_at.ms()),
                m.bare,
                m.tags_own,
                m.by_page,
                m.private_reply,
                m.permalink
            ];
            message.execute(values).unwrap();
        }
        for p in &batch.posts {
            let values = params![
                account,
                key_of(&p.external_id),
                p.external_id,
                p.author.word(),
                p.author_id,
                p.created_at.ms(),
                p.updated_at.map(Time::ms),
                p.total,
                p.permalink,
                p.read_at.map(Time::ms)
            ];
            post.execute(values).unwrap();
        }
    }
    tx.commit().unwrap();
}

/// Both files hold the same, row numbers aside.
fn same_rows(theirs: &Connection, ours: &Path) {
    theirs.execute("ATTACH ?1 AS ours", [ours.to_str().unwrap()]).unwrap();
    for (table, least) in [("message", MESSAGES as i64), ("thread", MESSAGES as i64 / 2), ("post", BATCHES as i64)] {
        let columns: String = theirs
            .query_row("SELECT group_concat(name) FROM pragma_table_info(?1) WHERE name NOT IN ('id', 'thread_id')", [table], |row| {
                row.get(0)
            })
            .unwrap();
        let (mine, other): (i64, i64) = theirs
            .query_row(
                &format!(
                    "SELECT (SELECT count(*) FROM ours.{table}), \
                       (SELECT count(*) FROM (SELECT {columns} FROM ours.{table} EXCEPT SELECT {columns} FROM main.{table}))"
                ),
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        assert!(mine >= least && other == 0, "{other} of {mine} rows of {table} differ");
    }
}
