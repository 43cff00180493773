//! Instagram accounts, media and comments, through both logins (facts: instagram-and-alert-channels.md, A1 to A5).

use serde_json::{Value, json};

use super::{
    ask::{Ask, Found, List, Paging},
    error::Refusal,
    fields::Args,
    inbox,
    node::Node,
    time,
};
use crate::demo::world::{Account, Attachment, Author, Host, Item, ItemKind};

pub(super) fn account<'a>(ask: &Ask<'a>, account: &'a Account, name: &str, args: &Args) -> Result<Found<'a>, Refusal> {
    let facebook = ask.host == Host::Facebook;
    let media = |kind: ItemKind| {
        let rows = ask.world.under(&account.id, ask.now).into_iter().filter(|item| item.kind == kind);
        rows.map(Node::Media).collect::<Vec<_>>()
    };
    Ok(match name {
        "user_id" if !facebook => Found::maybe(account.id.parse::<u64>().ok()),
        "account_type" if !facebook => Found::value("BUSINESS"),
        "username" => Found::value(account.username.as_str()),
        "name" => Found::value(account.name.as_str()),
        "media_count" => Found::value(media(ItemKind::Media).len()),
        "followers_count" | "follows_count" => Found::value(1_000),
        "media" => {
            allowed(ask, "basic")?;
            Found::List(List::new(media(ItemKind::Media), true, 100))
        }
        "tags" => {
            allowed(ask, "manage_comments")?;
            let mut list = List::new(media(ItemKind::TagMedia), true, 100);
            list.paging = Paging::CursorsOnly;
            Found::List(list)
        }
        // With a Page token the inbox is an edge of the Page.
        "conversations" if facebook => {
            return Err(Refusal::new(3, "(#3) Application does not have the capability to make this API call."));
        }
        "conversations" => inbox::conversations(ask, account, args)?,
        "biography" | "website" | "profile_picture_url" => Found::Absent,
        _ => Found::Unknown,
    })
}

pub(super) fn media<'a>(ask: &Ask<'a>, item: &'a Item, name: &str) -> Result<Found<'a>, Refusal> {
    Ok(match name {
        "timestamp" => Found::value(time(item.created)),
        "caption" => Found::maybe((!item.text.is_empty()).then_some(item.text.as_str())),
        "media_type" => Found::value(if item.attachments.contains(&Attachment::Video) { "VIDEO" } else { "IMAGE" }),
        "media_product_type" => Found::value("FEED"),
        "media_url" => Found::value(format!("https://scontent.example.invalid/{}", item.id)),
        "permalink" => Found::value(format!("https://www.instagram.com/p/{}/", item.id)),
        "shortcode" => Found::value(item.id.as_str()),
        "like_count" => Found::value(0),
        "is_comment_enabled" => Found::value(ask.world.account(&item.account).is_none_or(|account| account.comments_open)),
        "username" => Found::maybe(username(ask, item)),
        "owner" => Found::maybe(item.own().then(|| json!({ "id": item.account }))),
        // Replies count too.
        "comments_count" => Found::value(ask.world.under(&item.id, ask.now).len()),
        "comments" => {
            allowed(ask, "manage_comments")?;
            let rows = ask.world.under(&item.id, ask.now).into_iter().filter(|item| item.parent.is_none());
            let mut list = List::new(rows.map(Node::InstagramComment).collect(), true, 50);
            list.paging = Paging::UntilLast;
            Found::List(list)
        }
        "ig_id" if ask.host == Host::Facebook => Found::value(item.id.as_str()),
        "alt_text" | "thumbnail_url" | "is_shared_to_feed" | "children" => Found::Absent,
        _ => Found::Unknown,
    })
}

pub(super) fn comment<'a>(ask: &Ask<'a>, item: &'a Item, name: &str) -> Result<Found<'a>, Refusal> {
    Ok(match name {
        "timestamp" => Found::value(time(item.created)),
        "text" => Found::value(item.text.as_str()),
        "username" => Found::maybe(username(ask, item)),
        "from" => Found::maybe(writer(ask, item)),
        // Only when the app's own account wrote it.
        "user" => Found::maybe(item.own().then(|| json!({ "id": item.account }))),
        "like_count" => Found::value(0),
        "hidden" => Found::value(item.hidden.is_some()),
        "parent_id" => Found::maybe(item.parent.as_deref()),
        "media" => Found::Value(json!({ "id": item.root, "media_product_type": "FEED" })),
        "replies" => {
            allowed(ask, "manage_comments")?;
            let rows = ask.world.under(&item.root, ask.now).into_iter().filter(|reply| reply.parent.as_ref() == Some(&item.id));
            let mut list = List::new(rows.map(Node::InstagramComment).collect(), false, 50);
            list.paging = Paging::UntilLast;
            Found::List(list)
        }
        "legacy_instagram_comment_id" => Found::Absent,
        _ => Found::Unknown,
    })
}

fn username(ask: &Ask<'_>, item: &Item) -> Option<String> {
    match &item.author {
        Author::Account(id) => ask.world.account(id).map(|account| account.username.clone()),
        Author::Citizen(citizen) => ask.names(citizen, item).then(|| citizen.username.clone()),
    }
}

/// `from`: the Instagram-scoped id and the user name.
fn writer(ask: &Ask<'_>, item: &Item) -> Option<Value> {
    let id = match &item.author {
        Author::Account(id) => id.clone(),
        Author::Citizen(citizen) => citizen.scoped(&item.account),
    };
    Some(json!({ "id": id, "username": username(ask, item)? }))
}

/// Error 10 unless the token allows it; the permission's name depends on the login.
fn allowed(ask: &Ask<'_>, what: &str) -> Result<(), Refusal> {
    let start = if ask.host == Host::Facebook { "instagram_" } else { "instagram_business_" };
    ask.needs(&format!("{start}{what}"))
}
