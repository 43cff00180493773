//! Tickets beside the slow reckoning, deadlines beside the oracles, flags beside the clock.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use tanggap::{
    demo::world::ItemKind,
    domain::{SharedSettings, Time, message::key_of, ticket::PlannedStep},
    store::{
        Db,
        db::{Row, Val},
    },
};

use super::{
    checks::{Now, rows, shown_from},
    rules::rules,
    stored::{Stored, line, stored, stored_all},
    world::World,
};
use crate::{
    clock::oracles::UleHours,
    reckoning::{self, Expected, Rules},
    soak::reckoned,
};

/// What was noticed while the machine's clock was ahead lies in the future when it is right again.
const AHEAD: SignedDuration = SignedDuration::from_hours(2);

/// So soon a held flag is looked at again, and a little more.
const HELD: SignedDuration = SignedDuration::from_secs(10);

/// One state of the configuration.
struct Configured {
    settings: SharedSettings,
    oracles: BTreeMap<String, UleHours>,
}

#[derive(Default)]
pub struct Ledger {
    /// By its hash.
    configured: HashMap<String, Configured>,
    current: String,
    /// When the configuration was edited.
    changes: BTreeSet<Time>,
    /// What the rows of each account were when they were reckoned.
    seen: HashMap<i64, String>,
    /// When flags were held back last: then it is looked again within seconds.
    held: Option<Timestamp>,
    /// Tickets whose flag was looked at.
    flagged: HashSet<(i64, Time)>,
    pub compared: usize,
    pub flags: usize,
}

impl Ledger {
    pub fn configured(&mut self, hash: &str, at: Time, settings: &SharedSettings) {
        let oracles =
            || settings.calendars.iter().filter(|(name, _)| *name != "always").map(|(name, spec)| (name.clone(), UleHours::new(spec)));
        self.configured.entry(hash.to_owned()).or_insert_with(|| Configured { settings: settings.clone(), oracles: oracles().collect() });
        hash.clone_into(&mut self.current);
        self.changes.insert(at);
    }

    pub fn restored(&mut self) {
        self.seen.clear();
        self.flagged.clear();
    }

    /// A step takes effect not before its time, and only after a read that shows all that can be seen; and what is due and read takes effect.
    pub async fn flagged_iff_due(&mut self, db: &Db, world: &World, at: Time, now: Now) {
        if now.hold {
            self.held = Some(world.now());
        }
        let hold = self.held.is_some_and(|held| world.now() < held + HELD);
        let sql = "SELECT t.id, t.steps, t.flagged_at, t.unverified, h.id AS thread_id, h.kind, h.key, h.post_key, h.read_began_at, h.unreadable, a.external_id AS account,
              (SELECT COUNT(*) FROM message m WHERE m.thread_id = h.id AND m.missing_since IS NOT NULL AND m.deleted_at IS NULL) AS doubted
             FROM ticket t JOIN thread h ON h.id = t.thread_id JOIN account a ON a.id = t.account_id WHERE t.state = 'open'";
        for row in rows(db, sql).await {
            let steps: Vec<PlannedStep> = row.json("steps").unwrap();
            let read = row.oat("read_began_at").unwrap().filter(|read| *read <= at);
            let number = row.i("id").unwrap();
            for step in &steps {
                match &step.effect {
                    // Edited calendars moved what had taken effect.
                    Some(effect) if self.changes.range(effect.at..).next().is_some() => {}
                    Some(effect) => assert!(effect.at >= step.due, "ticket {number}: {step:?} took effect before its time"),
                    None if hold || !now.sla_idle || row.i("doubted").unwrap() > 0 => {}
                    None => {
                        let proved = read.is_some_and(|read| read >= step.due) || row.b("unreadable").unwrap();
                        assert!(
                            !(step.due <= at && proved),
                            "ticket {number}: at {} {step:?} is due, read, and has no effect",
                            at.rfc3339_ms()
                        );
                    }
                }
            }
            let flagged = row.oat("flagged_at").unwrap();
            if let Some(flagged) = flagged.filter(|_| !row.b("unverified").unwrap() && !row.b("unreadable").unwrap())
                && self.flagged.insert((number, flagged))
            {
                self.flags += 1;
                self.no_false_alarm(db, world, &row).await;
            }
        }
    }

    /// Everything that can be seen in the thread was stored when it was flagged.
    async fn no_false_alarm(&self, db: &Db, world: &World, ticket: &Row) {
        let stored =
            db.rows("SELECT key FROM message WHERE thread_id = $1", vec![Val::from(ticket.i("thread_id").unwrap())]).await.unwrap();
        let stored: HashSet<String> = stored.iter().map(|row| row.t("key").unwrap()).collect();
        let (account, key, kind) = (ticket.t("account").unwrap(), ticket.t("key").unwrap(), ticket.t("kind").unwrap());
        let (graph, now) = (world.simulator.world(), Time::from_timestamp(world.now()));
        for item in graph.items().iter().filter(|item| item.account == account && item.deleted.is_none() && shown_from(&graph, item) <= now)
        {
            let here = match item.kind {
                ItemKind::Comment if kind == "comment" => key_of(item.parent.as_deref().unwrap_or(&item.id)) == key,
                ItemKind::Comment | ItemKind::Message => key_of(&item.root) == key,
                _ => false,
            };
            assert!(
                !here || stored.contains(key_of(&item.id)),
                "flagged ticket {} though this was not read: {item:?}",
                ticket.i("id").unwrap()
            );
        }
    }

    /// Tickets of every account of which something changed are as the reckoning has them.
    pub async fn reckon(&mut self, db: &Db, at: Time) {
        let sql = "SELECT a.*, (SELECT CAST(COUNT(*) AS TEXT) || ' ' || CAST(COALESCE(SUM(LENGTH(text) + COALESCE(edited_at, 0) + 3 * COALESCE(deleted_at, 0)
               + 5 * COALESCE(hidden_at, 0) + 7 * COALESCE(missing_since, 0) + needs_answer + 2 * urgent + COALESCE(private_unseen_at, 0)), 0) AS TEXT)
               FROM message m WHERE m.account_id = a.id)
            || ' ' || (SELECT CAST(COUNT(*) AS TEXT) || ' ' || CAST(COALESCE(SUM(COALESCE(closed_at, 0) + 3 * due_at + 5 * COALESCE(breached_at, 0)
               + 7 * COALESCE(acknowledged_at, 0) + messages + LENGTH(steps)), 0) AS TEXT) FROM ticket t WHERE t.account_id = a.id)
            || ' ' || (SELECT CAST(COUNT(*) AS TEXT) FROM action x JOIN ticket t ON t.id = x.ticket_id WHERE t.account_id = a.id) AS seen FROM account a ORDER BY a.id";
        for account in rows(db, sql).await {
            let (id, seen) = (account.i("id").unwrap(), account.t("seen").unwrap());
            if self.seen.insert(id, seen.clone()) != Some(seen) {
                self.account(db, &account, at).await;
            }
        }
    }

    async fn account(&mut self, db: &Db, account: &Row, at: Time) {
        let stored = stored(db, account.i("id").unwrap()).await;
        let opd = account.t("opd").unwrap();
        let mut facts = reckoned::facts(db, account, at.plus(AHEAD).timestamp(), Rules::default()).await;
        let mut expected: HashMap<&str, Vec<Expected>> = HashMap::new();
        let current = [self.current.as_str()];
        for hash in stored.iter().map(|ticket| ticket.configuration.as_str()).chain(current).collect::<BTreeSet<_>>() {
            let known = self.configured.get(hash).unwrap_or_else(|| panic!("a ticket of a configuration nobody loaded: {hash}"));
            facts.rules = rules(&known.settings, &opd);
            expected.insert(hash, reckoning::tickets(&facts));
        }
        let structure: Vec<String> = expected[self.current.as_str()].iter().map(line).collect();
        let found: Vec<String> = stored.iter().map(Stored::line).collect();
        let only = |these: &[String], those: &[String]| these.iter().filter(|one| !those.contains(one)).cloned().collect::<Vec<_>>();
        let (surplus, lacking) = (only(&found, &structure), only(&structure, &found));
        assert!(
            surplus.is_empty() && lacking.is_empty() && found.len() == structure.len(),
            "at {} in account {}\nstored, not reckoned: {surplus:#?}\nreckoned, not stored: {lacking:#?}",
            at.rfc3339_ms(),
            facts.own
        );
        let gone: HashSet<&str> =
            facts.messages.iter().filter(|message| message.deleted_at.is_some()).map(|message| message.thread.as_str()).collect();
        for (ticket, one) in stored.iter().map(|ticket| (ticket, ticket.line())) {
            // Some tickets differ by nothing that is compared: each of them is looked for among its like.
            let same = |expected: &&Expected| line(expected) == one;
            let alike: Vec<&Expected> = expected[ticket.configuration.as_str()].iter().filter(same).collect();
            let due = alike.iter().any(|expected| expected.due_at == ticket.due_at.timestamp());
            assert!(
                due || self.changes.contains(&ticket.due_at),
                "ticket {}: due {} and not {alike:#?}",
                ticket.id,
                ticket.due_at.rfc3339()
            );
            self.oracle(ticket, &opd);
            let breached = alike.iter().any(|expected| due && expected.breached_at == ticket.breached_at.map(Time::timestamp));
            let plain = ticket.closed_at.is_some_and(|closed| ticket.due_at < closed) == ticket.breached_at.is_some();
            match &ticket.closed_at {
                Some(_) => assert!(
                    breached || !due && plain || gone.contains(ticket.thread.as_str()),
                    "ticket {}: breached {:?} and not {alike:#?}",
                    ticket.id,
                    ticket.breached_at
                ),
                None => ticket.open_breach(),
            }
            self.compared += 1;
        }
    }

    /// A deadline on a business calendar, beside arithmetic that others wrote.
    fn oracle(&self, ticket: &Stored, opd: &str) {
        let known = &self.configured[&ticket.configuration];
        let Some(policy) = known.settings.policies.iter().find(|policy| policy.name == ticket.policy && policy.calendar != "always") else {
            return;
        };
        if ticket.urgent || self.changes.contains(&ticket.due_at) {
            return;
        }
        let own = known.settings.opd(opd).and_then(|opd| opd.calendar.as_ref());
        let oracle = &known.oracles[own.unwrap_or(&policy.calendar)];
        assert_eq!(oracle.due(ticket.opened_at.secs(), policy.respond_within.as_secs()), ticket.due_at.secs(), "ticket {}", ticket.id);
    }

    /// Officials are warned of the end of a reply window once, while it runs.
    async fn windows(db: &Db) {
        let mut warned = HashSet::new();
        let sql = "SELECT a.ticket_id, a.detail, a.created_at, h.kind FROM alert a JOIN ticket t ON t.id = a.ticket_id JOIN thread h ON h.id = t.thread_id
             WHERE a.kind = 'ticket.window_closing'";
        for row in rows(db, sql).await {
            let (ticket, ends, told) = (row.i("ticket_id").unwrap(), row.t("detail").unwrap(), row.at("created_at").unwrap());
            let window = Time::parse(&ends).unwrap();
            assert_eq!(row.t("kind").unwrap(), "message", "ticket {ticket}");
            assert!(
                window.minus(SignedDuration::from_hours(24)) <= told && told < window,
                "ticket {ticket}: {ends}, told at {}",
                told.rfc3339()
            );
            assert!(warned.insert((ticket, ends)), "ticket {ticket} was warned of twice");
        }
    }

    /// Every step that spoke is written down as an alert, and every official of its groups has a delivery of it on each of his ways.
    pub async fn end(&self, db: &Db, settings: &SharedSettings) {
        Self::windows(db).await;
        let mut told: HashSet<(i64, String, String)> = HashSet::new();
        let sql = "SELECT t.thread_id, a.policy, a.at_text FROM alert a JOIN ticket t ON t.id = a.ticket_id";
        for row in rows(db, sql).await {
            told.insert((row.i("thread_id").unwrap(), row.t("policy").unwrap(), row.t("at_text").unwrap()));
        }
        for ticket in stored_all(db).await {
            for step in ticket.steps.iter().filter(|step| !step.notify.is_empty()) {
                let spoke = step.effect.as_ref().is_some_and(|effect| effect.silent.is_none() && !effect.unverified);
                let alert = (ticket.thread_id, step.policy.clone(), step.at.clone());
                assert!(!spoke || told.contains(&alert), "ticket {}: nobody was told of {step:?}", ticket.id);
            }
        }
        let mut delivered: HashSet<(i64, String, String, String, String)> = HashSet::new();
        let sql = "SELECT d.ticket_id, a.policy, a.at_text, d.official, d.channel FROM delivery d JOIN alert a ON a.id = d.alert_id WHERE d.ticket_id IS NOT NULL";
        for row in rows(db, sql).await {
            let text = |name: &str| row.t(name).unwrap();
            delivered.insert((row.i("ticket_id").unwrap(), text("policy"), text("at_text"), text("official"), text("channel")));
        }
        let sql = "SELECT a.*, c.opd FROM alert a JOIN ticket t ON t.id = a.ticket_id JOIN account c ON c.id = t.account_id
             WHERE a.kind IN ('ticket.warned', 'ticket.breached', 'ticket.escalated', 'account.backlog') AND t.held_by IS NULL
               AND NOT EXISTS (SELECT 1 FROM action x WHERE x.ticket_id = t.id AND x.kind = 'handover')";
        for row in rows(db, sql).await {
            let groups: Vec<String> = row.json("notify").unwrap();
            let opd = row.t("opd").unwrap();
            for official in settings.officials.iter().filter(|official| groups.contains(&official.group)) {
                if !official.opd.is_empty() && !official.opd.contains(&opd) {
                    continue;
                }
                for (way, _) in tanggap::alert::route::ways(official, settings) {
                    let one = (
                        row.i("ticket_id").unwrap(),
                        row.t("policy").unwrap(),
                        row.t("at_text").unwrap(),
                        official.id.clone(),
                        way.word().to_owned(),
                    );
                    assert!(delivered.contains(&one), "never told: {one:?}");
                }
            }
        }
    }
}
