//! A kabupaten at its busiest: citizens write, officials answer, or not, or late. The same seed and start give the same story.
//!
//! Every act has its own due time; [`Script::step`] performs those that are due, in order, so the story does not depend on how
//! often it is stepped.

mod opds;
mod words;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
pub use opds::{Opd, opds};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use words::Sort;

use super::world::{Added, Attachment, Author, Citizen, Draft, World};

/// How busy the story is.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two messages of citizens, over all agencies, on average.
    pub gap: SignedDuration,
    /// The longest a diligent official takes to answer; slow ones take up to four times that.
    pub answer: SignedDuration,
    /// One message in twenty is shown by Meta only so much later, at most.
    pub late: SignedDuration,
}

/// An agency with its accounts in the world.
#[derive(Clone, Debug)]
pub struct Agency {
    /// The agency.
    pub opd: Opd,
    /// Its Page.
    pub page: Added,
    /// Its Instagram account.
    pub instagram: Added,
}

/// The story.
pub struct Script {
    rng: StdRng,
    pace: Pace,
    agencies: Vec<Agency>,
    due: BTreeMap<(Timestamp, u64), Act>,
    number: u64,
}

/// Something that will happen.
enum Act {
    /// A citizen writes; the next such act follows from it.
    Write,
    /// An agency posts, and will again.
    Post { agency: usize, instagram: bool },
    /// The account answers.
    Answer { target: String, name: String },
    /// A machine answers.
    Automatic { target: String },
    /// The account answers a comment by direct message.
    Private { target: String, name: String },
    /// Another agency's Page answers a comment.
    Sister { target: String, agency: usize, name: String },
    /// The citizen asks again.
    FollowUp { target: String, citizen: Citizen },
    /// The citizen writes another text.
    Edit { target: String },
    /// Somebody takes it away.
    Delete { target: String },
    /// The account hides it.
    Hide { target: String },
}

impl Script {
    /// Founds the agencies' accounts in the world (every third Instagram account through Instagram Login), each with a few
    /// posts, and begins at `now`.
    pub fn new(seed: u64, opds: Vec<Opd>, pace: Pace, world: &mut World, now: Timestamp) -> Self {
        let mut script = Self { rng: StdRng::seed_from_u64(seed), pace, agencies: Vec::new(), due: BTreeMap::new(), number: 0 };
        for (at, opd) in opds.into_iter().enumerate() {
            let username = opd.slug.replace('-', "_");
            let page = world.add_page(&format!("{} Rembang", opd.abbreviation), &format!("{username}.rembang"));
            let linked = (at % 3 != 2).then_some(page.id.as_str());
            let instagram = world.add_instagram(&opd.name, &format!("{username}_rembang"), linked);
            for (account, hours) in [(&page.id, 20), (&page.id, 3), (&instagram.id, 5)] {
                let text = script.choose(words::POSTS);
                world.post(account, Draft::from(text).at(now - SignedDuration::from_hours(hours)));
            }
            script.agencies.push(Agency { opd, page, instagram });
            for instagram in [false, true] {
                let wait = script.up_to(pace.answer * 20);
                script.plan(now + wait, Act::Post { agency: at, instagram });
            }
        }
        script.plan(now, Act::Write);
        script
    }
    /// The agencies, in order.
    pub fn agencies(&self) -> &[Agency] {
        &self.agencies
    }
    /// Performs everything due at `now`; says how many acts that were.
    pub fn step(&mut self, world: &mut World, now: Timestamp) -> usize {
        let mut acts = 0;
        while let Some(next) = self.due.first_entry().filter(|next| next.key().0 <= now) {
            let ((at, _), act) = next.remove_entry();
            self.perform(world, at, act);
            acts += 1;
        }
        acts
    }
    /// When the next act is due.
    pub fn next(&self) -> Option<Timestamp> {
        self.due.first_key_value().map(|(&(at, _), _)| at)
    }
    /// Nobody begins anything new; what was begun is still answered, edited, deleted.
    pub fn quiet(&mut self) {
        self.due.retain(|_, act| !matches!(act, Act::Write | Act::Post { .. }));
    }

    /// Whether nothing is left to happen.
    pub fn is_over(&self) -> bool {
        self.due.is_empty()
    }

    fn perform(&mut self, world: &mut World, at: Timestamp, act: Act) {
        // An act whose target is gone by then simply does not happen.
        match act {
            Act::Write => {
                let wait = self.up_to(self.pace.gap * 2);
                self.plan(at + wait, Act::Write);
                self.write(world, at);
            }
            Act::Post { agency, instagram } => {
                let Some(accounts) = self.agencies.get(agency) else { return };
                let account = if instagram { accounts.instagram.id.clone() } else { accounts.page.id.clone() };
                let text = self.choose(words::POSTS);
                world.post(&account, Draft::from(text).at(at));
                let wait = self.pace.answer * 20 + self.up_to(self.pace.answer * 20);
                self.plan(at + wait, Act::Post { agency, instagram });
            }
            Act::Answer { target, name } => {
                let text = self.answer(&name);
                if alive(world, &target) {
                    world.answer(&target, text.at(at));
                }
            }
            Act::Automatic { target } => {
                world.answer(&target, Draft::from(words::AUTOMATIC).at(at));
            }
            Act::Private { target, name } => {
                let text = self.answer(&name);
                if alive(world, &target) {
                    world.private_reply(&target, text.at(at));
                }
            }
            Act::Sister { target, agency, name } => {
                let text = self.answer(&name);
                let Some(sister) = self.agencies.get(agency).map(|agency| agency.page.id.clone()) else { return };
                if alive(world, &target) {
                    world.reply(&target, Author::Account(sister), text.at(at));
                }
            }
            Act::FollowUp { target, citizen } => {
                let text = Draft::from(self.choose(words::FOLLOW_UPS)).at(at);
                let Some(item) = world.item(&target).filter(|item| item.deleted.is_none()) else { return };
                let (account, root) = (item.account.clone(), item.root.clone());
                if world.thread(&root).is_some() {
                    world.direct_message(&account, &citizen, text);
                } else if root.is_empty() {
                    world.comment(&target, &citizen, text);
                } else {
                    world.reply(&target, &citizen, text);
                }
            }
            Act::Edit { target } => {
                if let Some(text) = world.item(&target).map(|item| format!("{} (mohon segera)", item.text)) {
                    world.edit(&target, &text);
                }
            }
            Act::Delete { target } => {
                world.delete(&target);
            }
            Act::Hide { target } => {
                world.hide(&target);
            }
        }
    }

    /// A citizen writes somewhere; what will become of it is decided now.
    fn write(&mut self, world: &mut World, at: Timestamp) {
        let agency = self.rng.random_range(0..self.agencies.len().max(1));
        let Some(Agency { opd, page, instagram }) = self.agencies.get(agency).cloned() else { return };
        let number = self.rng.random_range(1..=400);
        let citizen = Citizen::new(number, words::NAMES[number as usize % words::NAMES.len()]);
        let citizen = if number % 31 == 0 { citizen.unnamed() } else { citizen };
        let sort = match self.rng.random_range(0..100) {
            0..6 => Sort::Urgent,
            6..22 => Sort::Idle,
            _ => Sort::Ask,
        };
        let mut draft = Draft::from(words::texts(&opd.slug, &sort, self.rng.random_range(0..10_000))).at(at);
        if self.rng.random_bool(0.05) {
            draft = draft.visible_from(at + self.up_to(self.pace.late));
        }
        if self.rng.random_bool(0.08) {
            draft = draft.with(Attachment::Image);
        }
        let account = if self.rng.random_bool(0.7) { &page.id } else { &instagram.id };
        let on_page = *account == page.id;
        let (id, comment) = match self.rng.random_range(0..100) {
            0..35 => (world.direct_message(account, &citizen, draft), false),
            35..47 if on_page => (world.visitor_post(account, &citizen, draft), false),
            47..52 => (world.tag_post(account, &citizen, draft), false),
            52..62 => (self.pick(world, account, true).and_then(|above| world.reply(&above, &citizen, draft)), true),
            _ => {
                let Some(post) = self.pick(world, account, false) else { return };
                let id = world.comment(&post, &citizen, draft);
                if self.rng.random_bool(0.05) {
                    // A neighbour at the same second.
                    let neighbour = Citizen::new(number + 1_000, self.choose(words::NAMES));
                    let text = words::texts(&opd.slug, &Sort::Ask, self.rng.random_range(0..10_000));
                    if let Some(id) = world.comment(&post, &neighbour, Draft::from(text).at(at)) {
                        self.consequences(&id, &neighbour, agency, &Sort::Ask, true, at);
                    }
                }
                (id, true)
            }
        };
        if let Some(id) = id {
            self.consequences(&id, &citizen, agency, &sort, comment, at);
        }
    }

    /// Answered in time, late or never; asked again, edited, hidden, deleted.
    fn consequences(&mut self, id: &str, citizen: &Citizen, agency: usize, sort: &Sort, comment: bool, at: Timestamp) {
        let (target, name) = (id.to_owned(), if citizen.unnamed { String::new() } else { citizen.name.clone() });
        let fate = self.rng.random_range(0..100);
        let wait = self.up_to(self.pace.answer);
        let late = self.pace.answer * 2 + self.up_to(self.pace.answer * 2);
        match fate {
            _ if matches!(sort, Sort::Idle) => {}
            0..5 if comment => self.plan(at + wait, Act::Private { target: target.clone(), name }),
            // Facebook's ids of comments are joined; only Pages answer for one another.
            5..9 if comment && id.contains('_') && self.agencies.len() > 1 => {
                let sister = (agency + 1) % self.agencies.len();
                self.plan(at + wait, Act::Sister { target: target.clone(), agency: sister, name });
            }
            0..58 => self.plan(at + wait, Act::Answer { target: target.clone(), name }),
            58..75 => self.plan(at + late, Act::Answer { target: target.clone(), name }),
            _ => {}
        }
        if !comment && self.rng.random_bool(0.1) && (id.starts_with("m_") || id.starts_with("aWdf")) {
            self.plan(at + SignedDuration::from_secs(2), Act::Automatic { target: target.clone() });
        }
        let soon = self.up_to(self.pace.answer * 2);
        match self.rng.random_range(0..100) {
            0..10 => self.plan(at + soon, Act::FollowUp { target, citizen: citizen.clone() }),
            10..14 => self.plan(at + soon, Act::Edit { target }),
            14..17 => self.plan(at + soon, Act::Delete { target }),
            17..19 if comment => self.plan(at + soon, Act::Hide { target }),
            _ => {}
        }
    }

    fn answer(&mut self, name: &str) -> Draft {
        format!("{} {}", self.choose(words::ANSWERS), if name.is_empty() { "Bapak/Ibu" } else { name }).into()
    }
    /// One of the account's newest posts, or a comment under it.
    fn pick(&mut self, world: &World, account: &str, comment: bool) -> Option<String> {
        let recent = world.items().iter().rev().filter(|item| item.account == account && item.deleted.is_none());
        let fit: Vec<&str> = if comment {
            recent.filter(|item| !item.root.is_empty() && world.thread(&item.root).is_none()).take(8).map(|item| item.id.as_str()).collect()
        } else {
            recent.filter(|item| item.root.is_empty() && item.own()).take(4).map(|item| item.id.as_str()).collect()
        };
        fit.choose(&mut self.rng).map(ToString::to_string)
    }
    fn choose(&mut self, texts: &[&'static str]) -> &'static str {
        texts.choose(&mut self.rng).copied().unwrap_or_default()
    }
    /// Some milliseconds up to that.
    fn up_to(&mut self, most: SignedDuration) -> SignedDuration {
        SignedDuration::from_millis(self.rng.random_range(0..=most.as_millis().max(1) as i64))
    }
    fn plan(&mut self, at: Timestamp, act: Act) {
        self.number += 1;
        self.due.insert((at, self.number), act);
    }
}

/// Whether the target of an answer still stands.
fn alive(world: &World, target: &str) -> bool {
    world.item(target).is_some_and(|item| item.deleted.is_none())
}
