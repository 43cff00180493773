//! What exists at Meta's end: accounts, tokens, what people wrote, limits, faults, and the calls that came in.

mod acts;
mod control;
mod fault;
mod item;
mod quota;
mod record;
mod token;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

pub use fault::{Fault, Scope};
pub use item::{Attachment, Author, Citizen, Draft, Item, ItemKind, TagOf, Thread};
use jiff::{SignedDuration, Timestamp};
pub use quota::{Quota, Use};
pub use record::{Authorised, Call, Host};
pub use token::{Death, Token, TokenKind};

use super::Now;
use crate::domain::{Platform, account::Login, message::key_of};

/// A Page or an Instagram professional account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Meta's id.
    pub id: String,
    /// Where it lives.
    pub platform: Platform,
    /// Through which login it is read.
    pub login: Login,
    /// Display name.
    pub name: String,
    /// User name without `@`.
    pub username: String,
    /// Instagram through Facebook Login: the linked Page.
    pub page: Option<String>,
    /// A Page of the new experience: `/visitor_posts` is not offered.
    pub new_experience: bool,
    /// Instagram: the owner lets tools read messages.
    pub message_access: bool,
    /// Instagram: people can comment on what is published.
    pub comments_open: bool,
    /// The app may read what people without a role on it write: otherwise no conversation is listed, and no comment's author named.
    pub advanced_access: bool,
    /// What the owner of a listing token may do on the Page, in Meta's words.
    pub tasks: Vec<String>,
    /// Webhook fields of which it tells the app.
    pub subscribed: BTreeSet<String>,
}

/// What a script gets for a new account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Meta's id.
    pub id: String,
    /// A token that reads it.
    pub token: String,
}

/// The Meta app whose calls are answered.
#[derive(Clone, Debug)]
pub struct App {
    /// Its id.
    pub id: String,
    /// Its secret on `graph.facebook.com`.
    pub secret: String,
    /// Its secret on `graph.instagram.com`.
    pub instagram_secret: String,
    /// Every call must carry `appsecret_proof`.
    pub proof_required: bool,
    /// Meta granted it the feature Human Agent.
    pub human_agent: bool,
}

/// How the API behaves beyond what was written.
#[derive(Clone, Debug)]
pub struct Manner {
    /// The version that answers, if not the one asked for.
    pub served_version: Option<String>,
    /// Added to the `Date` header.
    pub date_skew: SignedDuration,
    /// Each answer takes this long.
    pub latency: Duration,
    /// More rows than this in one answer are "too much data".
    pub row_budget: usize,
    /// Comment ids come bare instead of joined to their post's.
    pub bare_comment_ids: bool,
    /// Nested lists of messages hold bodies, not only ids and times.
    pub nested_bodies: bool,
    /// `/me/accounts` lists a system user's Pages too, not only `/{id}/assigned_pages`.
    pub system_accounts: bool,
}

/// The whole world. Scripts write through it, [`super::api`] reads it.
pub struct World {
    now: Now,
    /// The app.
    pub app: App,
    /// How the API behaves.
    pub manner: Manner,
    accounts: BTreeMap<String, Account>,
    tokens: BTreeMap<String, Token>,
    items: Vec<Item>,
    by_key: HashMap<String, usize>,
    children: HashMap<String, Vec<usize>>,
    threads: Vec<Thread>,
    thread_by_id: HashMap<String, usize>,
    quotas: BTreeMap<(Use, String), Quota>,
    orders: Vec<fault::Order>,
    calls: Vec<Call>,
    number: u64,
}

impl World {
    /// An empty world on that clock.
    pub fn new(now: Now) -> Self {
        Self {
            now,
            app: App {
                id: "1234567890".into(),
                secret: "app-secret-of-the-simulator".into(),
                instagram_secret: "instagram-secret-of-the-simulator".into(),
                proof_required: false,
                human_agent: true,
            },
            manner: Manner {
                served_version: None,
                date_skew: SignedDuration::ZERO,
                latency: Duration::ZERO,
                row_budget: 2_000,
                bare_comment_ids: false,
                nested_bodies: true,
                system_accounts: true,
            },
            accounts: BTreeMap::new(),
            tokens: BTreeMap::new(),
            items: Vec::new(),
            by_key: HashMap::new(),
            children: HashMap::new(),
            threads: Vec::new(),
            thread_by_id: HashMap::new(),
            quotas: BTreeMap::new(),
            orders: Vec::new(),
            calls: Vec::new(),
            number: 1_000,
        }
    }
    /// The time here.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }
    /// An account by its id.
    pub fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.get(id)
    }
    /// Every account, by id.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }
    /// Whether webhooks tell of this field of an account. With Facebook Login an Instagram account's fields are chosen in the app's
    /// dashboard (here: all), and it needs no more than that its Page is subscribed to something.
    pub fn subscribed(&self, account: &str, field: &str) -> bool {
        let linked = self.account(account).and_then(|account| account.page.as_deref());
        let subscribed = |id: &str| self.account(id).map(|account| &account.subscribed);
        match linked {
            Some(page) => subscribed(page).is_some_and(|fields| !fields.is_empty()),
            None => subscribed(account).is_some_and(|fields| fields.contains(field)),
        }
    }
    /// The Instagram account linked to a Page.
    pub fn instagram_of(&self, page: &str) -> Option<&Account> {
        self.accounts.values().find(|account| account.page.as_deref() == Some(page))
    }
    /// A token by its text.
    pub fn token(&self, text: &str) -> Option<&Token> {
        self.tokens.get(text)
    }
    /// Every token.
    pub fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.tokens.values()
    }
    /// A Page's own token, the newest that lives, as lists of Pages show it.
    pub fn page_token(&self, page: &str) -> Option<&Token> {
        let own = self.tokens.values().filter(|token| token.account() == Some(page));
        own.max_by_key(|token| (token.dead.is_none(), token.issued))
    }
    /// The person or system user of a token, by their id.
    pub fn user(&self, id: &str) -> Option<&Token> {
        self.tokens.values().find(|token| token.user == id && token.account().is_none())
    }
    /// Everything anybody ever wrote, deleted or not yet visible too, in order of arrival: the truth that checks compare with.
    pub fn items(&self) -> &[Item] {
        &self.items
    }
    /// An item by any form of its id.
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.by_key.get(key_of(id)).and_then(|at| self.items.get(*at))
    }
    /// A conversation by its id.
    pub fn thread(&self, id: &str) -> Option<&Thread> {
        self.thread_by_id.get(id).and_then(|at| self.threads.get(*at))
    }
    /// Every conversation of an account.
    pub fn threads_of<'a>(&'a self, account: &'a str) -> impl Iterator<Item = &'a Thread> {
        self.threads.iter().filter(move |thread| thread.account == account)
    }
    /// The conversation of an account with a person.
    pub fn thread_with(&self, account: &str, citizen: &Citizen) -> Option<&Thread> {
        self.threads.iter().find(|thread| thread.account == account && thread.citizen.number == citizen.number)
    }
    /// What the API shows now under an account (posts, media) or under an item (its comments, all levels), oldest first.
    pub(super) fn under(&self, id: &str, now: Timestamp) -> Vec<&Item> {
        let all = self.children.get(key_of(id)).map_or(&[][..], Vec::as_slice);
        let mut items: Vec<&Item> = all.iter().filter_map(|at| self.items.get(*at)).filter(|item| item.visible(now)).collect();
        items.sort_by_key(|item| (item.created, item.seq));
        items
    }
    /// The visible messages of a conversation, newest first.
    pub(super) fn messages(&self, thread: &Thread, now: Timestamp) -> Vec<&Item> {
        let mut items: Vec<&Item> = thread.messages.iter().filter_map(|at| self.items.get(*at)).filter(|item| item.visible(now)).collect();
        items.sort_by_key(|item| std::cmp::Reverse((item.created, item.seq)));
        items
    }
}
