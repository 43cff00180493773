//! What a reader's calls and finds come to, held against everything that was written.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    iter,
};

use jiff::Timestamp;
use tanggap::{
    demo::world::{Call, Item, ItemKind, World},
    domain::{Platform, message::key_of},
};

/// Something that was written, as a reader found it.
pub struct Found {
    /// Meta's id of the account.
    pub account: String,
    /// The last part of its id.
    pub key: String,
    pub at: Timestamp,
}

/// Which messages are meant: comments, replies and posts of others, and direct messages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Those on the walls of Pages.
    Walls,
    /// All of them.
    Everything,
}

impl Reach {
    fn holds(self, world: &World, account: &str, direct: bool) -> bool {
        let page = world.account(account).is_some_and(|account| account.platform == Platform::Facebook);
        self == Self::Everything || (page && !direct)
    }

    fn has(self, world: &World, item: &Item) -> bool {
        self.holds(world, &item.account, item.kind == ItemKind::Message)
    }
}

/// What came of a story that somebody read.
pub struct Read {
    pub begun: Timestamp,
    pub hours: i64,
    /// What this reader reads at all.
    pub reach: Reach,
    pub found: Vec<Found>,
}

/// The figures of a reader.
pub struct Figures {
    pub written: usize,
    pub found: usize,
    /// Deleted before anybody could find them.
    pub gone: usize,
    pub missed: usize,
    pub twice: usize,
    /// Out of the reader's reach.
    pub unread: usize,
    /// Calls in an hour in which nothing happened to an account that is read at all.
    pub idle: f64,
    /// All calls for each message found.
    pub each: f64,
    /// Calls of the poll that found it beyond those of the account's last poll that found nothing, for each message it found: the median
    /// and the 95th percentile.
    pub beyond: [f64; 2],
    /// From written to found, seconds: the same.
    pub delay: [f64; 2],
}

/// Reckons what is within `reach`.
pub fn reckon(world: &World, read: &Read, reach: Reach) -> Figures {
    let mut finds: HashMap<(&str, &str), Vec<Timestamp>> = HashMap::new();
    for found in &read.found {
        finds.entry((&found.account, &found.key)).or_default().push(found.at);
    }
    let (mut written, mut gone, mut missed, mut twice, mut unread) = (0, 0, 0, 0, 0);
    let (mut delays, mut news) = (Vec::new(), HashMap::new());
    for item in messages(world, read.begun).filter(|item| reach.has(world, item)) {
        written += 1;
        match finds.get(&(item.account.as_str(), key_of(&item.id))) {
            Some(times) => {
                let first = *times.iter().min().unwrap();
                delays.push(first.duration_since(item.created).as_secs_f64());
                twice += times.len() - 1;
                *news.entry((item.account.clone(), first)).or_insert(0) += 1;
            }
            None if !read.reach.has(world, item) => unread += 1,
            None if item.deleted.is_some() => gone += 1,
            None => missed += 1,
        }
    }
    let calls: Vec<(String, Timestamp)> =
        world.calls().iter().filter_map(|call| whose(world, call, reach).map(|account| (account, call.at))).collect();
    let (found, all) = (delays.len(), calls.len());
    Figures {
        written,
        found,
        gone,
        missed,
        twice,
        unread,
        idle: idle(world, read, reach, &calls),
        each: all as f64 / found as f64,
        beyond: spread(beyond(&calls, &news)),
        delay: spread(delays),
    }
}

/// Everything written since then that a reader can find at all: of posts only those of others, and nothing under another's medium.
fn messages(world: &World, begun: Timestamp) -> impl Iterator<Item = &Item> {
    let hidden = |item: &Item| world.item(&item.root).is_some_and(|root| root.kind == ItemKind::TagMedia);
    let own = |item: &Item| matches!(item.kind, ItemKind::Post | ItemKind::Media);
    world.items().iter().filter(move |item| item.created >= begun && !own(item) && !hidden(item))
}

/// The account that a call reads for, if it reads such messages.
fn whose(world: &World, call: &Call, reach: Reach) -> Option<String> {
    let subject = call.path.split('/').find(|part| !part.is_empty() && !part.contains('.'))?;
    let message = |item: &Item| item.kind == ItemKind::Message;
    let direct = call.endpoint == "conversations" || world.thread(subject).is_some() || world.item(subject).is_some_and(message);
    let asked = call.account.as_deref()?;
    // An Instagram account's inbox may be an edge of its Page.
    let inbox = (call.param("platform") == Some("instagram")).then(|| world.instagram_of(asked)).flatten();
    let account = inbox.map_or(asked, |account| account.id.as_str());
    reach.holds(world, account, direct).then(|| account.to_owned())
}

/// Calls of an account in an hour in which nothing was written to it, and nothing that was written changed.
fn idle(world: &World, read: &Read, reach: Reach, calls: &[(String, Timestamp)]) -> f64 {
    let hour = |at: Timestamp| at.duration_since(read.begun).as_hours();
    let mut idle: HashSet<(&str, i64)> = HashSet::new();
    let is_read = |id: &str| reach.holds(world, id, false) && read.reach.holds(world, id, false);
    for account in world.accounts().filter(|account| is_read(&account.id)) {
        idle.extend((0..read.hours).map(|hour| (account.id.as_str(), hour)));
    }
    for item in world.items().iter().filter(|item| reach.has(world, item)) {
        let edits = item.edits.iter().map(|edit| edit.0);
        for at in edits.chain([item.created, item.visible_from]).chain(item.deleted).chain(item.hidden) {
            idle.remove(&(item.account.as_str(), hour(at)));
        }
    }
    let made = calls.iter().filter(|(account, at)| idle.contains(&(account.as_str(), hour(*at)))).count();
    made as f64 / idle.len() as f64
}

/// What each message cost, as [`Figures::beyond`] says.
fn beyond(calls: &[(String, Timestamp)], news: &HashMap<(String, Timestamp), usize>) -> Vec<f64> {
    let mut polls: BTreeMap<&(String, Timestamp), usize> = BTreeMap::new();
    for call in calls {
        *polls.entry(call).or_default() += 1;
    }
    let (mut costs, mut usual) = (Vec::new(), ("", None));
    for (poll, made) in polls {
        if usual.0 != poll.0 {
            usual = (&poll.0, None);
        }
        match (news.get(poll), usual.1) {
            (None, _) => usual.1 = Some(made),
            (Some(&found), Some(before)) => costs.extend(iter::repeat_n((made as f64 - before as f64) / found as f64, found)),
            (Some(_), None) => {}
        }
    }
    costs
}

/// The median and the 95th percentile; no numbers if there are none.
fn spread(mut values: Vec<f64>) -> [f64; 2] {
    values.sort_by(f64::total_cmp);
    let most = values.len().saturating_sub(1) as f64;
    [0.5, 0.95].map(|share| values.get((most * share) as usize).copied().unwrap_or(f64::NAN))
}
