//! What goes wrong in a seed, and what staff and officials do besides the story: drawn before it begins.

use jiff::{SignedDuration, Timestamp};
use rand::{Rng, RngExt as _, seq::IndexedRandom as _};
use tanggap::demo::{
    sink::{HttpTurn, SmtpTurn},
    world::{Death, Fault, Scope, Use},
};

use crate::poll::month::faults;

use super::{
    gate::{Counts, Failure},
    world::{DAYS, World},
};

/// Something that happens at its time.
#[derive(Clone, Debug)]
pub enum Act {
    /// The database fails after so many transactions, so many times.
    Fail(Failure, usize, usize),
    /// The machine's clock is set so far ahead of the world's.
    Clock(SignedDuration),
    /// The calendars are edited and the configuration is loaded again.
    Edit,
    /// The operator stops the program and starts it again.
    Restart,
    /// A copy of the database is made.
    Backup,
    /// The copy takes its place.
    Restore,
    /// Another worker takes something up and stands still after so many transactions.
    Freeze {
        alert: bool,
        after: usize,
    },
    /// It goes on.
    Thaw,
    /// The next requests to a receiver of letters go wrong.
    Mail(SmtpTurn, usize),
    Chat(HttpTurn, usize),
    Hook(HttpTurn, usize),
    /// The next calls to Meta do.
    Meta(Fault, usize),
    /// All of them, for so long.
    Outage(Fault, SignedDuration),
    /// An account's limit is reached, for so long.
    Throttle(usize, SignedDuration),
    /// An account's token dies.
    Kill(usize),
    /// It lives again.
    Revive(usize),
    /// A hand that has no business there writes into the database: it shows that the checks notice.
    Sabotage(&'static str),
    /// From now on the database says of some commits of the alert stage that they are done, and they are not: to the same end.
    Lie,
    /// Staff say something of an open ticket.
    Staff(u64),
    /// An official answers an open ticket in the last second before its deadline, or in that second.
    Snipe(u64),
    /// He does so now, in this thread.
    Answer(String),
    /// An official answers in the very second of the question.
    AtOnce(u64),
    /// Something hidden is shown again.
    Unhide,
    /// An account takes one of its posts away, and all comments go with it.
    Unpost(u64),
}

/// Every kind of fault, by the word under which it is counted: over enough seeds each must have happened.
pub const KINDS: [&str; 20] = [
    "crash before a commit",
    "crash after a commit",
    "commit unknown, done",
    "commit unknown, not done",
    "disk full",
    "database busy",
    "worker frozen under a lease",
    "clock an hour ahead",
    "clock an hour behind",
    "calendar edited",
    "restart",
    "restored from yesterday's backup",
    "receiver refuses",
    "receiver asks for patience",
    "receiver accepts, then breaks off",
    "receiver accepts, then times out",
    "Meta fails",
    "Meta is out",
    "quota used up",
    "token dies",
];

/// What happens in this seed, in order of time; the last word of each seed is that all is well again.
pub fn plan(world: &mut World) -> Vec<(Timestamp, Act)> {
    let begun = world.begun;
    let rng = &mut world.rng;
    let length = (DAYS * 24 - 10) * 3600;
    let mut plan = Vec::new();
    let calm = rng.random_bool(0.05);
    macro_rules! at {
        () => {
            begun + SignedDuration::from_secs(rng.random_range(600..length - 3600))
        };
    }
    for _ in 0..rng.random_range(4..12) {
        let pick = rng.random();
        let act = match rng.random_range(0..10) {
            0..4 => Act::Staff(pick),
            4..7 => Act::Snipe(pick),
            7 => Act::AtOnce(pick),
            8 => Act::Unhide,
            _ => Act::Unpost(pick),
        };
        plan.push((at!(), act));
    }
    if !calm {
        for failure in [Failure::DeadBefore, Failure::DeadAfter, Failure::UnknownDone, Failure::UnknownUndone, Failure::Full, Failure::Busy]
        {
            if rng.random_bool(0.4) {
                let times = if matches!(failure, Failure::Full | Failure::Busy) { rng.random_range(1..12) } else { 1 };
                for _ in 0..rng.random_range(1..4) {
                    plan.push((at!(), Act::Fail(failure, rng.random_range(0..40), times)));
                }
            }
        }
        if rng.random_bool(0.25) {
            let (at, hours) = (at!(), if rng.random_bool(0.5) { 1 } else { -1 });
            plan.push((at, Act::Clock(SignedDuration::from_hours(hours))));
            plan.push((at + SignedDuration::from_mins(rng.random_range(5..45)), Act::Clock(SignedDuration::ZERO)));
        }
        for (act, chance) in [(Act::Edit, 0.3), (Act::Restart, 0.3)] {
            if rng.random_bool(chance) {
                plan.push((at!(), act));
            }
        }
        if rng.random_bool(0.15) {
            let at = begun + SignedDuration::from_hours(rng.random_range(2..40));
            plan.push((at, Act::Backup));
            plan.push((at + SignedDuration::from_hours(24), Act::Restore));
        }
        if rng.random_bool(0.3) {
            let (at, alert) = (at!(), rng.random_bool(0.4));
            plan.push((at, Act::Freeze { alert, after: rng.random_range(0..8) }));
            plan.push((at + SignedDuration::from_mins(11), Act::Thaw));
        }
        for _ in 0..rng.random_range(0..6) {
            let count = rng.random_range(1..5);
            plan.push((at!(), receiver(rng, count)));
        }
        for _ in 0..rng.random_range(0..5) {
            let count = rng.random_range(1..6);
            plan.push((at!(), Act::Meta(meta(rng), count)));
        }
        if rng.random_bool(0.2) {
            let length = SignedDuration::from_mins(rng.random_range(10..240));
            plan.push((at!(), Act::Outage(meta(rng), length)));
        }
        if rng.random_bool(0.2) {
            plan.push((at!(), Act::Throttle(rng.random_range(0..6), SignedDuration::from_mins(rng.random_range(10..90)))));
        }
        if rng.random_bool(0.2) {
            let (at, account) = (at!(), rng.random_range(0..6));
            plan.push((at, Act::Kill(account)));
            plan.push((at + SignedDuration::from_mins(rng.random_range(20..600)), Act::Revive(account)));
        }
    }
    plan.sort_by_key(|(at, _)| *at);
    plan
}

fn receiver(rng: &mut impl Rng, count: usize) -> Act {
    // To stall costs real time.
    let stalls = rng.random_bool(0.1);
    match rng.random_range(0..3) {
        0 if stalls => Act::Mail(SmtpTurn::Stall, 1),
        0 => Act::Mail(*[SmtpTurn::Refuse(450), SmtpTurn::Cut].choose(rng).unwrap(), count),
        1 if stalls => Act::Chat(HttpTurn::Stall, 1),
        1 => Act::Chat(http(rng), count),
        _ if stalls => Act::Hook(HttpTurn::Stall, 1),
        _ => Act::Hook(http(rng), count),
    }
}

fn http(rng: &mut impl Rng) -> HttpTurn {
    [HttpTurn::Status(500), HttpTurn::RetryAfter(429, 40), HttpTurn::Cut].choose(rng).unwrap().clone()
}

fn meta(rng: &mut impl Rng) -> Fault {
    let all: Vec<Fault> = faults().into_iter().filter(|fault| !matches!(fault, Fault::Redirect(_))).collect();
    all.choose(rng).unwrap().clone()
}

impl World {
    /// What of a seed happens outside of the program. Whether it was that.
    pub fn act(&mut self, act: &Act, counts: &Counts) -> bool {
        let accounts: Vec<String> =
            self.script.agencies().iter().flat_map(|agency| [agency.page.id.clone(), agency.instagram.id.clone()]).collect();
        let refused = |turn: &HttpTurn| match turn {
            HttpTurn::Cut => "receiver accepts, then breaks off",
            HttpTurn::Stall => "receiver accepts, then times out",
            HttpTurn::RetryAfter(..) => "receiver asks for patience",
            _ => "receiver refuses",
        };
        let now = self.now();
        let mut graph = self.simulator.world();
        match act {
            Act::Mail(turn, count) => {
                counts.add(match turn {
                    SmtpTurn::Refuse(_) => "receiver refuses",
                    SmtpTurn::Cut => "receiver accepts, then breaks off",
                    SmtpTurn::Stall => "receiver accepts, then times out",
                });
                self.mails.next(*turn, *count);
            }
            Act::Chat(turn, count) => {
                counts.add(refused(turn));
                self.chats.next("", turn, *count);
            }
            Act::Hook(turn, count) => {
                counts.add(refused(turn));
                self.hooks.next("", turn, *count);
            }
            Act::Meta(fault, count) => {
                counts.add("Meta fails");
                graph.fail_next(Scope::All, fault.clone(), *count);
            }
            Act::Outage(fault, length) => {
                counts.add("Meta is out");
                graph.outage(Scope::All, fault.clone(), Some(now + *length));
            }
            Act::Throttle(account, length) => {
                counts.add("quota used up");
                let of = if account.is_multiple_of(2) { Use::Pages } else { Use::Instagram };
                graph.throttle(of, &accounts[*account], *length);
            }
            Act::Kill(account) => {
                counts.add("token dies");
                graph.kill_token(&accounts[*account], Death::PasswordChanged);
            }
            Act::Revive(account) => graph.revive_token(&accounts[*account]),
            Act::Unhide => {
                let hidden: Vec<String> = graph.items().iter().filter(|item| item.hidden.is_some()).map(|item| item.id.clone()).collect();
                if let Some(id) = hidden.first() {
                    graph.unhide(id);
                }
            }
            Act::Unpost(pick) => {
                let own = graph.items().iter().filter(|item| item.root.is_empty() && item.own() && item.deleted.is_none());
                let posts: Vec<String> = own.map(|item| item.id.clone()).collect();
                graph.delete(&posts[*pick as usize % posts.len()]);
            }
            _ => return false,
        }
        true
    }
}
