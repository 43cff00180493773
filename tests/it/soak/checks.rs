//! What must be true when the soak is over. Each check reads the database and what the simulated world knows, nothing else.
#![allow(clippy::print_stdout)] // figures, for a person

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tanggap::{
    demo::{api::Simulator, world::ItemKind},
    domain::{
        message::key_of,
        ticket::{Effect, PlannedStep},
    },
    store::{Db, db::Row},
};

use super::site::Site;

async fn rows(db: &Db, sql: &'static str) -> Vec<Row> {
    db.rows(sql, vec![]).await.unwrap()
}

async fn number(db: &Db, sql: &'static str) -> i64 {
    rows(db, sql).await[0].i("n").unwrap()
}

/// What a killed daemon left in WhatsApp's hands waits five minutes for a status, and closing lines about it wait with it: longer than this
/// test lasts; so does what is gathered of many urgent tickets under one post.
macro_rules! awaited {
    () => {
        "SELECT COALESCE(d.ticket_id, -1) FROM delivery d JOIN letter l ON l.id = d.letter_id
          WHERE l.channel = 'whatsapp' AND l.state = 'pending' AND l.lease_owner IS NOT NULL"
    };
}
const UNROUTED: &str =
    concat!("SELECT count(*) AS n FROM alert WHERE routed_at IS NULL AND COALESCE(ticket_id, 0) NOT IN (", awaited!(), ")");
const UNDECIDED: &str = concat!(
    "SELECT d.official || ' ' || d.channel || ' ' || d.kind || ' ' || d.state || COALESCE(' by ' || l.lease_owner, '') || COALESCE(': ' || l.error, '') AS t
        FROM delivery d LEFT JOIN letter l ON l.id = d.letter_id
       WHERE d.state NOT IN ('delivered', 'dropped') AND COALESCE(d.held, '') <> 'storm'
         AND NOT (d.channel = 'whatsapp' AND COALESCE(d.ticket_id, 0) IN (",
    awaited!(),
    "))"
);

/// Nothing is under way any more.
pub async fn settled(db: &Db) -> bool {
    number(db, UNROUTED).await == 0 && rows(db, UNDECIDED).await.is_empty() && open_steps(db).await == 0
}

/// Steps of open tickets that have not taken effect.
async fn open_steps(db: &Db) -> usize {
    let tickets = rows(db, "SELECT steps FROM ticket WHERE state = 'open'").await;
    tickets.iter().flat_map(steps).filter(|step| step.effect.is_none()).count()
}

fn steps(row: &Row) -> Vec<PlannedStep> {
    serde_json::from_str(&row.t("steps").unwrap()).unwrap()
}

/// Whatever was killed when, no chain has a gap, and every event, accepted delivery and citizen's message of a ticket is in it.
pub async fn every_chain_is_whole_and_holds_everything(db: &Db) {
    for row in rows(db, "SELECT id FROM ticket ORDER BY id").await {
        let evidence = crate::evidence::of(db, row.i("id").unwrap()).await;
        let found = evidence.examine();
        assert!(found.wrong.is_empty() && !evidence.entries.is_empty(), "ticket {}: {:?}", row.i("id").unwrap(), found.wrong);
    }
    for (kind, sql) in [
        ("event", "SELECT count(*) AS n FROM event"),
        ("delivery", "SELECT count(*) AS n FROM delivery WHERE state = 'delivered' AND ticket_id IS NOT NULL"),
        ("message", "SELECT count(*) AS n FROM ticket_message"),
    ] {
        let chained = rows(db, "SELECT kind AS t FROM proof").await.iter().filter(|row| row.t("t").unwrap() == kind).count() as i64;
        let there = number(db, sql).await;
        assert!(if kind == "message" { chained >= there } else { chained == there }, "{kind}: {chained} chained of {there}");
    }
}

pub async fn everything_is_told_and_decided(db: &Db) {
    assert_eq!(number(db, UNROUTED).await, 0);
    let undecided: Vec<String> = rows(db, UNDECIDED).await.iter().map(|row| row.t("t").unwrap()).collect();
    assert!(undecided.is_empty(), "{undecided:#?}");
    assert_eq!(open_steps(db).await, 0);
}

/// What citizens and officials wrote, and what is stored, are the same; whatever nobody could ever read is left out.
pub async fn every_message_is_stored_once(db: &Db, simulator: &Simulator) {
    let sql = "SELECT a.external_id AS account, m.key, m.direction, m.text, m.created_at, m.deleted_at FROM message m JOIN account a ON a.id = m.account_id";
    let mut stored: HashMap<(String, String), Vec<Row>> = HashMap::new();
    for row in rows(db, sql).await {
        stored.entry((row.t("account").unwrap(), row.t("key").unwrap())).or_default().push(row);
    }
    let world = simulator.world();
    let (mut written, mut missing, mut gone_unseen) = (0, Vec::new(), 0);
    for item in world.items().iter().filter(|item| !matches!(item.kind, ItemKind::Post | ItemKind::Media)) {
        if world.item(&item.root).is_some_and(|root| root.kind == ItemKind::TagMedia) {
            continue; // Meta shows nobody the comments under another's medium
        }
        written += 1;
        let found = stored.remove(&(item.account.clone(), key_of(&item.id).to_owned())).unwrap_or_default();
        match (&found[..], item.deleted) {
            ([row], deleted) => {
                assert_eq!(row.t("direction").unwrap(), if item.by_citizen() { "in" } else { "out" }, "{item:?}");
                assert_eq!(row.i("created_at").unwrap(), item.created.as_second() * 1000, "{item:?}");
                if deleted.is_none() {
                    assert_eq!(row.t("text").unwrap(), item.text, "{item:?}");
                    assert_eq!(row.oi("deleted_at").unwrap(), None, "not gone: {item:?}");
                }
            }
            ([], Some(_)) => gone_unseen += 1,
            ([], None) => missing.push(item.clone()),
            _ => panic!("stored more than once: {item:?}"),
        }
    }
    assert!(missing.is_empty(), "{} of {written} were never stored: {missing:#?}", missing.len());
    assert!(stored.is_empty(), "nobody wrote these: {:?}", stored.keys());
    println!("{written} messages written, lost 0; {gone_unseen} were deleted before a read could show them");
}

/// Each step that took effect and spoke has one delivery for each official it concerns, and no delivery lacks its step.
pub async fn every_step_has_its_deliveries(db: &Db) {
    let sql =
        "SELECT t.id, t.steps, a.opd, h.unreadable FROM ticket t JOIN account a ON a.id = t.account_id JOIN thread h ON h.id = t.thread_id";
    let mut expected = BTreeSet::new();
    for row in rows(db, sql).await {
        let (ticket, opd) = (row.i("id").unwrap(), row.t("opd").unwrap());
        for step in steps(&row) {
            // What can never be read alerts without a proof.
            let spoke = |effect: &Effect| effect.silent.is_none() && (!effect.unverified || row.b("unreadable").unwrap());
            if !step.effect.as_ref().is_some_and(spoke) {
                continue;
            }
            for group in &step.notify {
                let officials = match group.as_str() {
                    "operator" => vec![("operator-dinkominfo".to_owned(), "telegram"), ("pusat-kendali".to_owned(), "webhook")],
                    "sekda" => ["smtp", "whatsapp"].map(|channel| ("sekretaris-daerah".to_owned(), channel)).to_vec(),
                    "bupati" => vec![("bupati".to_owned(), "smtp")],
                    _ => vec![(format!("kepala of {opd}"), "smtp")],
                };
                expected.extend(
                    officials.into_iter().map(|(official, channel)| (ticket, i64::from(step.number), official, channel.to_owned())),
                );
            }
        }
    }
    let sql = "SELECT d.ticket_id, d.step, d.official, d.channel, d.address FROM delivery d
         WHERE d.kind IN ('ticket.warned', 'ticket.breached', 'ticket.escalated') AND d.channel <> 'log'";
    let mut found = BTreeSet::new();
    for row in rows(db, sql).await {
        let address = row.t("address").unwrap();
        let kepala = address.strip_prefix("kepala.").and_then(|rest| rest.split_once('@')).map(|(opd, _)| format!("kepala of {opd}"));
        let official = kepala.unwrap_or(row.t("official").unwrap());
        let one = (row.i("ticket_id").unwrap(), row.i("step").unwrap(), official, row.t("channel").unwrap());
        assert!(found.insert(one.clone()), "stored twice: {one:?}");
    }
    let (lacking, unasked): (Vec<_>, Vec<_>) = (expected.difference(&found).collect(), found.difference(&expected).collect());
    assert!(lacking.is_empty() && unasked.is_empty(), "lacking: {lacking:?}\nnot asked for: {unasked:?}");
    println!("{} deliveries of steps, each stored once", found.len());
}

/// Chats that quoted what its writer took back: they are emptied, and can be told by their way alone.
#[derive(Default)]
pub struct Emptied(BTreeMap<String, usize>);

impl Emptied {
    /// Whether a delivered letter is one.
    pub fn count(&mut self, channel: &str, payload: &str) -> bool {
        let emptied = matches!(channel, "telegram" | "whatsapp") && payload.is_empty();
        if emptied {
            *self.0.entry(channel.to_owned()).or_default() += 1;
        }
        emptied
    }

    /// As many as there are of each way, of what came and is said of no letter.
    pub fn strike_out<T>(mut self, came: &mut BTreeMap<String, T>) {
        came.retain(|name, _| {
            let left = name.split(' ').next().and_then(|way| self.0.get_mut(way)).filter(|left| **left > 0);
            left.map(|left| *left -= 1).is_none()
        });
    }
}

/// Every delivered letter reached its sink, each copy has the same bytes and key, and copies are no more than the kills.
pub async fn every_letter_was_accepted_and_copies_have_a_cause(db: &Db, site: &Site, kills: i64) {
    let mut accepted: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for mail in site.mails.captured().into_iter().filter(|mail| mail.accepted) {
        let id = mail.raw.lines().find_map(|line| line.strip_prefix("Message-ID: <")).unwrap();
        let (key, _host) = id.split_once('@').unwrap();
        accepted.entry(format!("smtp {key} {}", mail.to.join(","))).or_default().push(mail.raw.into_bytes());
    }
    for hook in site.hooks.captured().into_iter().filter(|hook| hook.accepted) {
        let id = hook.header("webhook-id").unwrap().to_owned();
        accepted.entry(format!("webhook {id}")).or_default().push(hook.body.to_vec());
    }
    for chat in site.chats.captured().into_iter().filter(|chat| chat.accepted) {
        let way = if chat.path.ends_with("/messages") { "whatsapp" } else { "telegram" };
        let key = String::from_utf8(chat.body.to_vec()).unwrap();
        accepted.entry(format!("{way} {key}")).or_default().push(chat.body.to_vec());
    }
    let copies: usize = accepted.values().map(|copies| copies.len() - 1).sum();
    for (key, bytes) in &accepted {
        assert!(bytes.windows(2).all(|pair| pair[0] == pair[1]), "a copy with other bytes: {key}");
    }
    let mut emptied = Emptied::default();
    for row in rows(db, "SELECT channel, key, address, payload FROM letter WHERE state = 'delivered' AND channel <> 'log'").await {
        let (channel, key, payload) = (row.t("channel").unwrap(), row.t("key").unwrap(), row.t("payload").unwrap());
        if emptied.count(&channel, &payload) {
            continue;
        }
        let name = match channel.as_str() {
            "smtp" => format!("smtp {key} {}", row.t("address").unwrap()),
            "webhook" => format!("webhook {key}"),
            way => format!("{way} {payload}"),
        };
        assert!(accepted.remove(&name).is_some(), "said to be delivered, but it never came: {name}");
    }
    let awaited = "SELECT payload FROM letter WHERE channel = 'whatsapp' AND state = 'pending' AND lease_owner IS NOT NULL";
    let awaited = rows(db, awaited).await;
    assert!(awaited.len() as i64 <= kills, "{} letters are in WhatsApp's hands after {kills} kills", awaited.len());
    for row in awaited {
        accepted.remove(&format!("whatsapp {}", row.t("payload").unwrap()));
    }
    emptied.strike_out(&mut accepted);
    assert!(accepted.is_empty(), "came, but is not said to be delivered: {:?}", accepted.keys());
    assert!(copies as i64 <= kills, "{copies} copies after {kills} kills");
    println!("{copies} copies after {kills} kills, each with the same bytes and key");
}

/// From the later of the deadline and the moment the citizen's words were seen to the flag. Tickets that were taken up again, since their
/// answer went away or turned out to be a machine's, are counted apart: their deadline had passed before that was known.
pub async fn flags_were_prompt(db: &Db, kills: i64) {
    let sql = "SELECT t.flagged_at, t.due_at,
         (SELECT min(m.seen_at) FROM ticket_message tm JOIN message m ON m.id = tm.message_id
          WHERE tm.ticket_id = t.id AND m.created_at = t.opened_at) AS seen_at
         FROM ticket t WHERE t.flagged_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM event e WHERE e.ticket_id = t.id AND e.kind = 'reopened')";
    let lag = |row: &Row| row.i("flagged_at").unwrap() - row.i("due_at").unwrap().max(row.oi("seen_at").unwrap().unwrap_or(0));
    let mut lags: Vec<i64> = rows(db, sql).await.iter().map(lag).collect();
    lags.sort_unstable();
    let at = |share: f64| lags[((lags.len() - 1) as f64 * share) as usize];
    println!("{} flags: lag p50 {} ms, p99 {} ms, max {} ms", lags.len(), at(0.5), at(0.99), at(1.0));
    assert!(kills > 0 || at(0.99) < 1_000, "flags came late: {lags:?}");
}

pub fn the_log_tells_of_no_fault(site: &Site) {
    let log = std::fs::read_to_string(site.log()).unwrap();
    let faults: Vec<&str> = log.lines().filter(|line| line.contains(r#""level":"ERROR""#) || line.contains("panicked")).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}
