//! Meta as a sender of webhooks: signed deliveries of what happens in the world, as unreliable as one orders them.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use sha2::Sha256;

use super::{
    api::Simulator,
    world::{Account, Author, Item, ItemKind, World},
};
use crate::{
    domain::{Platform, account::Login},
    runtime::http,
};

/// The most updates in one delivery.
const UPDATES: usize = 1_000;

/// How deliveries go wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Every other one is lost.
    pub drops_half: bool,
    /// Every one comes twice.
    pub twice: bool,
    /// The newest update comes first.
    pub reversed: bool,
    /// All that happened comes in as few deliveries as Meta allows; else one for each update.
    pub batched: bool,
}

/// Posts what happens at subscribed accounts.
pub struct Hooks {
    simulator: Simulator,
    client: reqwest::Client,
    url: String,
    manner: Manner,
    /// Of every item: how many edits were told, and whether its end was.
    told: Vec<(usize, bool)>,
    sent: usize,
}

/// What signs a delivery, and what it is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sender {
    Page,
    Instagram,
    InstagramLogin,
}

impl Hooks {
    /// Tells `url` what happens from now on.
    pub fn new(simulator: &Simulator, url: String, manner: Manner) -> Result<Self, reqwest::Error> {
        let client = http::client(std::time::Duration::from_secs(10))?;
        let told = simulator.world().items().iter().map(state).collect();
        Ok(Self { simulator: simulator.clone(), client, url, manner, told, sent: 0 })
    }

    /// Posts what happened since the last time; the answers' HTTP statuses.
    pub async fn send(&mut self) -> Result<Vec<u16>, reqwest::Error> {
        let mut answers = Vec::new();
        for (signature, body) in self.deliveries() {
            let count = self.sent;
            self.sent += 1;
            if self.manner.drops_half && count % 2 == 1 {
                continue;
            }
            for _ in 0..=usize::from(self.manner.twice) {
                let request =
                    self.client.post(&self.url).header(CONTENT_TYPE, "application/json").header("x-hub-signature-256", &signature);
                answers.push(request.body(body.clone()).send().await?.status().as_u16());
            }
        }
        Ok(answers)
    }

    /// What is to be posted, each with its signature.
    fn deliveries(&mut self) -> Vec<(String, String)> {
        let world = self.simulator.world();
        let mut updates: Vec<(Sender, Value)> = Vec::new();
        for item in world.items() {
            let before = self.told.get(item.seq).copied();
            let verb = match (before, state(item)) {
                (None, _) => "add",
                (Some(before), now) if before == now => continue,
                (Some((_, false)), (_, true)) => "remove",
                _ => "edited",
            };
            updates.extend(update(&world, item, verb));
        }
        self.told = world.items().iter().map(state).collect();
        if self.manner.reversed {
            updates.reverse();
        }
        let mut entries: BTreeMap<Sender, Vec<Value>> = BTreeMap::new();
        for (sender, entry) in updates {
            entries.entry(sender).or_default().push(entry);
        }
        let size = if self.manner.batched { UPDATES } else { 1 };
        let bodies = entries.iter().flat_map(|(sender, entries)| entries.chunks(size).map(move |chunk| (*sender, chunk)));
        bodies
            .map(|(sender, entries)| {
                let object = if sender == Sender::Page { "page" } else { "instagram" };
                let secret = if sender == Sender::InstagramLogin { &world.app.instagram_secret } else { &world.app.secret };
                let body = json!({ "object": object, "entry": entries }).to_string();
                (signature(secret, &body), body)
            })
            .collect()
    }
}

fn state(item: &Item) -> (usize, bool) {
    (item.edits.len(), item.deleted.is_some())
}

/// `X-Hub-Signature-256` of a body.
fn signature(secret: &str, body: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// The entry that tells of an item, if its account is subscribed to such.
fn update(world: &World, item: &Item, verb: &str) -> Option<(Sender, Value)> {
    let account = world.account(&item.account)?;
    let now = world.now();
    let (field, entry) = match (item.kind, account.platform) {
        (ItemKind::Message, _) => ("messages", messaging(account, world, item, verb, now)?),
        (ItemKind::Comment, Platform::Instagram) if verb == "add" => ("comments", instagram_comment(world, account, item, now)),
        (ItemKind::Comment | ItemKind::Post | ItemKind::WallPost, Platform::Facebook) => {
            ("feed", changes(account, now, "feed", &feed(world, item, verb)))
        }
        (ItemKind::TagPost, _) => ("mention", changes(account, now, "mention", &feed(world, item, verb))),
        _ => return None,
    };
    let sender = match (account.platform, account.login) {
        (Platform::Facebook, _) => Sender::Page,
        (Platform::Instagram, Login::Facebook) => Sender::Instagram,
        (Platform::Instagram, Login::Instagram) => Sender::InstagramLogin,
    };
    world.subscribed(&account.id, field).then_some((sender, entry))
}

fn changes(account: &Account, now: Timestamp, field: &str, value: &Value) -> Value {
    json!({ "id": account.id, "time": now.as_second(), "changes": [{ "field": field, "value": value }] })
}

fn feed(world: &World, item: &Item, verb: &str) -> Value {
    let is_comment = item.kind == ItemKind::Comment;
    let post = if is_comment { &item.root } else { &item.id };
    let mut value = json!({
        "item": if is_comment { "comment" } else { "status" }, "verb": verb, "post_id": post,
        "created_time": item.created.as_second(), "published": 1, "is_hidden": item.hidden.is_some(),
        "post": { "id": post, "status_type": "mobile_status_update", "is_published": true, "promotion_status": "inactive" },
    });
    if verb != "remove" {
        value["message"] = item.text.as_str().into();
    }
    if is_comment {
        value["comment_id"] = item.id.as_str().into();
        value["parent_id"] = item.parent.as_ref().unwrap_or(post).as_str().into();
    }
    match &item.author {
        Author::Account(id) => value["from"] = json!({ "id": id, "name": world.account(id).map(|account| account.name.as_str()) }),
        Author::Citizen(citizen) if citizen.unnamed => {}
        Author::Citizen(citizen) => value["from"] = json!({ "id": citizen.scoped(&item.account), "name": citizen.name }),
    }
    value
}

/// With Instagram Login the change stands in the entry itself.
fn instagram_comment(world: &World, account: &Account, item: &Item, now: Timestamp) -> Value {
    let from = match &item.author {
        Author::Account(id) => json!({ "id": id, "username": world.account(id).map(|account| account.username.as_str()) }),
        Author::Citizen(citizen) => json!({ "id": citizen.scoped(&item.account), "username": citizen.username }),
    };
    let media = json!({ "id": item.root, "media_product_type": "FEED" });
    let mut value = json!({ "id": item.id, "from": from, "text": item.text, "media": media });
    if let Some(parent) = &item.parent {
        value["parent_id"] = parent.as_str().into();
    }
    match account.login {
        Login::Facebook => changes(account, now, "comments", &value),
        Login::Instagram => json!({ "id": account.id, "time": now.as_second(), "field": "comments", "value": value }),
    }
}

fn messaging(account: &Account, world: &World, item: &Item, verb: &str, now: Timestamp) -> Option<Value> {
    let citizen = world.thread(&item.root)?.citizen.scoped(&account.id);
    let (sender, recipient) = if item.own() { (&account.id, &citizen) } else { (&citizen, &account.id) };
    let mut event = json!({ "sender": { "id": sender }, "recipient": { "id": recipient }, "timestamp": item.created.as_millisecond() });
    let id = item.id.as_str();
    match verb {
        "add" => event["message"] = json!({ "mid": id, "text": item.text, "is_echo": item.own() }),
        "edited" => event["message_edit"] = json!({ "mid": id, "text": item.text, "num_edit": item.edits.len() }),
        _ => event["message"] = json!({ "mid": id, "is_deleted": true }),
    }
    Some(json!({ "id": account.id, "time": now.as_millisecond(), "messaging": [event] }))
}
