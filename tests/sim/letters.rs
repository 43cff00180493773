//! Deliveries and letters beside what the receivers took: everything arrives, and a second copy has a cause, the same key and the same bytes.

use std::collections::{BTreeMap, HashMap, HashSet};

use tanggap::store::Db;

use super::{checks::rows, world::World};
use crate::soak::checks::Emptied;

#[derive(Default)]
pub struct Letters {
    /// How often a letter was in hand when its process died, failed or stood still: so many copies of it have a cause.
    in_hand: HashMap<String, usize>,
    /// Attempts that nobody answered in time, which on a busy machine happens to one that was accepted too.
    unanswered: HashSet<(String, i64)>,
    /// What the receivers had taken before yesterday's backup took the database's place: mails, chats, calls.
    before: [usize; 3],
    pub accepted: usize,
    pub copies: usize,
}

impl Letters {
    pub async fn in_hand(&mut self, db: &Db) {
        for row in rows(db, "SELECT channel, key FROM letter WHERE state = 'pending' AND lease_owner IS NOT NULL AND lease_until > 0").await
        {
            *self.in_hand.entry(format!("{} {}", row.t("channel").unwrap(), row.t("key").unwrap())).or_default() += 1;
        }
    }

    pub fn restored(&mut self, world: &World) {
        self.before = [world.mails.captured().len(), world.chats.count(), world.hooks.count()];
        self.in_hand.clear();
    }

    /// What is pending has a letter and a next attempt, and nothing stands in two states.
    pub async fn outbox(&mut self, db: &Db) {
        for row in rows(db, "SELECT channel, key, attempts FROM letter WHERE state = 'pending' AND error LIKE 'no answer%'").await {
            let name = format!("{} {}", row.t("channel").unwrap(), row.t("key").unwrap());
            if self.unanswered.insert((name.clone(), row.i("attempts").unwrap())) {
                *self.in_hand.entry(name).or_default() += 1;
            }
        }
        let sql = "SELECT l.id FROM letter l WHERE (l.state = 'pending') <> (l.next_try_at IS NOT NULL) OR (l.lease_owner IS NULL AND l.lease_until > 0)
             UNION ALL SELECT d.id FROM delivery d WHERE d.state IN ('pending', 'delivered') AND d.letter_id IS NULL
             UNION ALL SELECT d.id FROM delivery d JOIN letter l ON l.id = d.letter_id WHERE d.state = 'pending' AND l.state <> 'pending'";
        let odd = rows(db, sql).await;
        assert!(odd.is_empty(), "{} rows break an invariant of the outbox", odd.len());
    }

    /// When all is over.
    pub async fn end(&mut self, db: &Db, world: &World) {
        let given_up = rows(
            db,
            "SELECT d.kind || ' ' || d.official || ' ' || d.channel || COALESCE(': ' || l.error, '') AS t FROM delivery d
             LEFT JOIN letter l ON l.id = d.letter_id WHERE d.state NOT IN ('delivered', 'dropped', 'skipped')",
        )
        .await;
        let given_up: Vec<String> = given_up.iter().map(|row| row.t("t").unwrap()).collect();
        assert!(given_up.is_empty(), "not delivered though all is well: {given_up:#?}");
        let mut taken = self.taken(world);
        let sql = "SELECT channel, key, address, payload FROM letter WHERE state = 'delivered' AND channel <> 'log'";
        let mut emptied = Emptied::default();
        for row in rows(db, sql).await {
            let (channel, key, payload) = (row.t("channel").unwrap(), row.t("key").unwrap(), row.t("payload").unwrap());
            if emptied.count(&channel, &payload) {
                continue;
            }
            let name = match channel.as_str() {
                "telegram" | "whatsapp" => format!("{channel} {payload}"),
                _ => format!("{channel} {key}"),
            };
            let copies = match taken.remove(&name) {
                Some(copies) => copies,
                None if self.before != [0; 3] => continue, // told before the backup took its place
                None => panic!("said to be delivered, but it never came: {name}"),
            };
            assert!(copies.windows(2).all(|pair| pair[0] == pair[1]), "a copy with other bytes: {name}");
            let cause = self.in_hand.get(&format!("{channel} {key}")).copied().unwrap_or(0);
            assert!(copies.len() <= 1 + cause, "{} copies of {name}, and {cause} causes", copies.len() - 1);
            self.accepted += copies.len();
            self.copies += copies.len() - 1;
        }
        // Of a letter that was dropped afterwards an attempt may have arrived whose yes was lost.
        for row in rows(db, "SELECT channel, key, payload FROM letter WHERE state = 'dropped'").await {
            let (channel, key) = (row.t("channel").unwrap(), row.t("key").unwrap());
            taken.remove(&format!("{channel} {key}"));
            taken.remove(&format!("{channel} {}", row.t("payload").unwrap()));
        }
        emptied.strike_out(&mut taken);
        assert!(taken.is_empty(), "came, but is not said to be delivered: {:?}", taken.keys());
    }

    /// What the receivers took since, by way and key (chats: by their bytes).
    fn taken(&self, world: &World) -> BTreeMap<String, Vec<Vec<u8>>> {
        let mut taken: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        let mut take = |name: String, bytes: Vec<u8>| taken.entry(name).or_default().push(bytes);
        let [mails, chats, hooks] = self.before;
        for mail in world.mails.captured().into_iter().skip(mails).filter(|mail| mail.accepted) {
            let id = mail.raw.lines().find_map(|line| line.strip_prefix("Message-ID: <")).unwrap();
            let (key, _host) = id.split_once('@').unwrap();
            take(format!("smtp {key}"), mail.raw.into_bytes());
        }
        for chat in world.chats.captured().into_iter().skip(chats).filter(|chat| chat.accepted) {
            let way = if chat.path.ends_with("/messages") { "whatsapp" } else { "telegram" };
            take(format!("{way} {}", String::from_utf8_lossy(&chat.body)), chat.body.to_vec());
        }
        for hook in world.hooks.captured().into_iter().skip(hooks).filter(|hook| hook.accepted) {
            take(format!("webhook {}", hook.header("webhook-id").unwrap()), hook.body.to_vec());
        }
        taken
    }
}
