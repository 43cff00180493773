//! Conversations and direct messages of both platforms (facts: graph-api-facebook.md section 3, instagram sheet A4).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    ask::{Ask, Found, List},
    error::Refusal,
    fields::Args,
    node::Node,
    time,
};
use crate::{
    demo::world::{Account, Attachment, Author, Host, Item, Thread},
    domain::Platform,
};

/// Only this many of the newest messages give details.
pub(super) const WINDOW: usize = 20;

pub(super) fn conversations<'a>(ask: &Ask<'a>, account: &'a Account, args: &Args) -> Result<Found<'a>, Refusal> {
    let platform = args.get("platform").map(str::to_lowercase);
    let owner = match (account.platform, platform.as_deref()) {
        (Platform::Facebook, None | Some("messenger")) | (Platform::Instagram, None | Some("instagram")) => Some(account),
        (Platform::Facebook, Some("instagram")) => ask.world.instagram_of(&account.id),
        (_, _) => return Err(Refusal::bad_param("platform", "one of instagram, messenger")),
    };
    let Some(owner) = owner else { return Ok(Found::List(List::new(Vec::new(), true, 200))) };
    let scope = match (owner.platform, ask.host) {
        (Platform::Facebook, _) => "pages_messaging",
        (Platform::Instagram, Host::Facebook) => "instagram_manage_messages",
        (Platform::Instagram, Host::Instagram) => "instagram_business_manage_messages",
    };
    if !ask.token.scopes.contains(scope) {
        return Err(Refusal::no_messaging(scope));
    }
    if !owner.message_access {
        return Err(Refusal::new(200, "(#200) The owner of this Instagram account switched off access to messages")
            .status(403)
            .subcode(2_534_041));
    }
    let wanted = args.get("user_id");
    let mut rows: Vec<Node<'a>> = (ask.world.threads_of(&owner.id))
        .filter(|thread| owner.advanced_access && !ask.world.messages(thread, ask.now).is_empty())
        .filter(|thread| wanted.is_none_or(|id| thread.citizen.scoped(&owner.id) == id))
        .map(Node::Thread)
        .collect();
    rows.sort_by_cached_key(|row| row.key(ask));
    // `since` and `until` are not offered here: they change nothing.
    Ok(Found::List(List::new(ask.own(rows), true, 200)))
}

/// When the newest message was written.
pub(super) fn updated(ask: &Ask<'_>, thread: &Thread) -> Timestamp {
    ask.world.messages(thread, ask.now).first().map_or(Timestamp::UNIX_EPOCH, |newest| newest.created)
}

/// How many messages of the person came after the account's last one.
pub(super) fn unread(ask: &Ask<'_>, thread: &Thread) -> usize {
    ask.world.messages(thread, ask.now).into_iter().take_while(|message| message.by_citizen()).count()
}

pub(super) fn thread<'a>(ask: &Ask<'a>, thread: &'a Thread, name: &str) -> Found<'a> {
    let messages = ask.world.messages(thread, ask.now);
    let people = || vec![person(ask, thread, true), person(ask, thread, false)];
    match name {
        "updated_time" => Found::value(time(updated(ask, thread))),
        "link" => Found::value(format!("/{}/inbox/{}/", thread.account, thread.seq)),
        "snippet" => Found::maybe(messages.first().map(|newest| newest.text.as_str())),
        "message_count" => Found::value(messages.len()),
        "unread_count" => Found::maybe(Some(unread(ask, thread)).filter(|unread| *unread > 0)),
        "can_reply" => {
            let newest = messages.iter().find(|message| message.by_citizen());
            Found::value(newest.is_some_and(|message| message.created + SignedDuration::from_hours(24) > ask.now))
        }
        "is_subscribed" => Found::value(true),
        "participants" | "senders" => Found::Value(json!({ "data": people() })),
        "former_participants" => Found::Value(json!({ "data": [] })),
        "scoped_thread_key" => Found::value(thread.id.as_str()),
        "messages" => {
            let mut list = List::new(messages.into_iter().rev().map(Node::Message).collect(), true, 100);
            list.window = WINDOW;
            Found::List(list)
        }
        "is_owner" | "folder" | "name" | "linked_group" | "wallpaper" => Found::Absent,
        _ => Found::Unknown,
    }
}

/// One side of a conversation, as `from`, `to` and `participants` show it.
fn person(ask: &Ask<'_>, thread: &Thread, citizen: bool) -> Value {
    let account = ask.world.account(&thread.account);
    let instagram = account.is_some_and(|account| account.platform == Platform::Instagram);
    let id = if citizen { thread.citizen.scoped(&thread.account) } else { thread.account.clone() };
    let (name, username) = match (citizen, account) {
        (true, _) => (thread.citizen.name.as_str(), thread.citizen.username.as_str()),
        (false, Some(account)) => (account.name.as_str(), account.username.as_str()),
        (false, None) => ("", ""),
    };
    if instagram {
        json!({ "username": username, "id": id })
    } else {
        json!({ "name": name, "email": format!("{id}@facebook.com"), "id": id })
    }
}

pub(super) fn message<'a>(ask: &Ask<'a>, item: &'a Item, name: &str) -> Result<Found<'a>, Refusal> {
    let Some(thread) = ask.world.thread(&item.root) else { return Err(Refusal::no_object(&item.id)) };
    let hung = |wanted: &[Attachment]| item.attachments.iter().copied().find(|attachment| wanted.contains(attachment));
    let url = format!("https://lookaside.example.invalid/{}", item.seq);
    Ok(match name {
        "created_time" => Found::value(time(item.created)),
        "from" => match &item.author {
            Author::Citizen(citizen) if citizen.unnamed => Found::Absent,
            author => Found::Value(person(ask, thread, matches!(author, Author::Citizen(_)))),
        },
        "to" => Found::Value(json!({ "data": [person(ask, thread, !item.by_citizen())] })),
        "message" => Found::maybe((!item.text.is_empty() || !item.attachments.is_empty()).then_some(item.text.as_str())),
        "attachments" => Found::maybe(hung(&[Attachment::Image, Attachment::Video, Attachment::File]).map(|attachment| {
            let (mime, key, data) = match attachment {
                Attachment::Video => ("video/mp4", "video_data", json!({ "width": 720, "height": 720, "length": 4, "url": url })),
                Attachment::File => ("application/pdf", "file_url", json!(url)),
                _ => ("image/jpeg", "image_data", json!({ "width": 720, "height": 720, "url": url, "preview_url": url })),
            };
            json!({ "data": [{ "id": format!("88{}", item.seq), "mime_type": mime, "name": "lampiran", "size": 54_321, key: data }] })
        })),
        "sticker" => Found::maybe(hung(&[Attachment::Sticker]).map(|_| url)),
        "shares" => Found::maybe(hung(&[Attachment::Share]).map(|_| json!({ "data": [{ "link": url }] }))),
        "story" => Found::maybe(hung(&[Attachment::StoryReply, Attachment::StoryMention]).map(|attachment| {
            let key = if attachment == Attachment::StoryReply { "reply_to" } else { "mention" };
            json!({ key: { "link": url, "id": format!("1799{}", item.seq) } })
        })),
        "is_unsupported" => Found::maybe(hung(&[Attachment::Unsupported]).map(|_| true)),
        "tags" => Found::Value(json!({ "data": [{ "name": "inbox" }, { "name": "source:mobile" }] })),
        "reactions" | "reply_to" => Found::Absent,
        _ => Found::Unknown,
    })
}
