//! Pages, posts and comments (facts: graph-api-facebook.md, sections 2 and 4).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    ask::{Ask, Found, List},
    error::Refusal,
    fields::Args,
    inbox,
    node::Node,
    time,
};
use crate::{
    demo::world::{Account, Attachment, Author, Host, Item, ItemKind, Token, TokenKind},
    domain::message::key_of,
};

/// Roughly how many posts Meta lists of a year.
const LISTED: usize = 600;

pub(super) fn page<'a>(ask: &Ask<'a>, account: &'a Account, name: &str, args: &Args) -> Result<Found<'a>, Refusal> {
    let threads = || ask.world.threads_of(&account.id).map(|thread| inbox::unread(ask, thread));
    Ok(match name {
        "name" => Found::value(account.name.as_str()),
        "username" => Found::value(account.username.as_str()),
        "category" => Found::value("Government organization"),
        "category_list" => Found::Value(json!([{ "id": "147714868971098", "name": "Government organization" }])),
        "tasks" => Found::Value(json!(account.tasks)),
        "link" => Found::value(format!("https://www.facebook.com/{}", account.id)),
        "access_token" => Found::maybe(ask.world.page_token(&account.id).map(|token| token.text.as_str())),
        "is_published" => Found::value(true),
        "has_transitioned_to_new_page_experience" => Found::value(account.new_experience),
        "fan_count" | "followers_count" => Found::value(1_000),
        "unread_message_count" => Found::value(threads().sum::<usize>()),
        "unseen_message_count" => Found::value(threads().filter(|unread| *unread > 0).count()),
        "instagram_business_account" | "connected_instagram_account" => {
            ask.needs("instagram_basic")?;
            Found::node(ask.world.instagram_of(&account.id).map(Node::Instagram))
        }
        "feed" => posts(ask, account, &[ItemKind::Post, ItemKind::WallPost, ItemKind::TagPost], true)?,
        "posts" | "published_posts" => posts(ask, account, &[ItemKind::Post], false)?,
        "visitor_posts" if account.new_experience => {
            return Err(Refusal::new(100, "(#100) The visitor_posts edge is not supported for Pages of the new Pages experience"));
        }
        "visitor_posts" => posts(ask, account, &[ItemKind::WallPost], true)?,
        "tagged" => {
            ask.needs_user_content()?;
            let rows = ask.world.under(&account.id, ask.now).into_iter().filter(|item| item.kind == ItemKind::TagPost).map(Node::Tagged);
            Found::List(List::new(ask.own(rows.collect()), true, 100))
        }
        "ratings" => return Err(Refusal::new(12, "(#12) The ratings edge is deprecated")),
        "photos" => uploads(ask, account, ItemKind::Photo)?,
        "videos" => uploads(ask, account, ItemKind::Film)?,
        "video_reels" => uploads(ask, account, ItemKind::Reel)?,
        "conversations" | "threads" => inbox::conversations(ask, account, args)?,
        "about" | "description" | "emails" | "phone" | "website" | "displayed_message_response_time" => Found::Absent,
        _ => Found::Unknown,
    })
}

pub(super) fn user<'a>(ask: &Ask<'a>, token: &'a Token, name: &str) -> Result<Found<'a>, Refusal> {
    Ok(match name {
        "name" => Found::value("Pengelola Akun"),
        "permissions" => {
            let granted = token.scopes.iter().map(|scope| json!({ "permission": scope, "status": "granted" }));
            Found::Value(json!({ "data": granted.collect::<Vec<_>>() }))
        }
        "accounts" | "assigned_pages" => {
            ask.needs("pages_show_list")?;
            let system = matches!(token.kind, TokenKind::SystemUser(_));
            let listed = if name == "accounts" { !system || ask.world.manner.system_accounts } else { system };
            let pages = if listed { token.pages() } else { &[] };
            let mut pages: Vec<_> = pages.iter().filter_map(|id| ask.world.account(id)).collect();
            pages.sort_by_key(|page| page.id.parse::<usize>().unwrap_or_default());
            Found::List(List::new(pages.into_iter().map(Node::Page).collect(), false, 100))
        }
        _ => Found::Unknown,
    })
}

fn posts<'a>(ask: &Ask<'a>, account: &'a Account, kinds: &[ItemKind], peoples: bool) -> Result<Found<'a>, Refusal> {
    ask.needs("pages_read_engagement")?;
    if peoples {
        ask.needs_user_content()?;
    }
    let rows = ask.world.under(&account.id, ask.now).into_iter().filter(|item| kinds.contains(&item.kind)).map(Node::Post);
    let mut list = List::new(ask.own(rows.collect()), true, 100);
    list.rows.truncate(LISTED);
    list.strict = true;
    Ok(Found::List(list))
}

fn uploads<'a>(ask: &Ask<'a>, account: &'a Account, kind: ItemKind) -> Result<Found<'a>, Refusal> {
    ask.needs("pages_read_engagement")?;
    let rows = ask.world.under(&account.id, ask.now).into_iter().filter(|item| item.kind == kind).map(Node::Upload);
    Ok(Found::List(List::new(ask.own(rows.collect()), true, 100)))
}

/// A picture, film or reel.
pub(super) fn upload<'a>(ask: &Ask<'a>, item: &'a Item, name: &str, args: &Args) -> Result<Found<'a>, Refusal> {
    match (name, item.kind) {
        ("created_time" | "updated_time" | "from" | "comments", _) => post(ask, item, name, args),
        ("name" | "link", ItemKind::Photo) | ("description" | "permalink_url", ItemKind::Film | ItemKind::Reel) => {
            post(ask, item, if matches!(name, "name" | "description") { "message" } else { "permalink_url" }, args)
        }
        _ => Ok(Found::Unknown),
    }
}

pub(super) fn post<'a>(ask: &Ask<'a>, item: &'a Item, name: &str, args: &Args) -> Result<Found<'a>, Refusal> {
    Ok(match name {
        "created_time" => Found::value(time(item.created)),
        "updated_time" => Found::value(time(updated(ask, item))),
        "from" => Found::maybe(named(ask, item)),
        "message" => Found::maybe((!item.text.is_empty()).then_some(item.text.as_str())),
        "message_tags" => tags(ask, item),
        "permalink_url" => Found::value(format!("https://www.facebook.com/{}/posts/{}", item.account, key_of(&item.id))),
        "status_type" => Found::value(match item.kind {
            ItemKind::WallPost => "wall_post",
            _ if item.attachments.contains(&Attachment::Video) => "added_video",
            _ if item.attachments.contains(&Attachment::Image) => "added_photos",
            _ => "mobile_status_update",
        }),
        "is_published" => Found::value(true),
        "is_hidden" => Found::value(item.hidden.is_some()),
        "is_expired" => Found::value(false),
        "can_reply_privately" => Found::value(item.by_citizen()),
        "comments" => comments(ask, &item.id, None, args)?,
        "parent_id" | "story" | "story_tags" | "shares" | "full_picture" | "admin_creator" | "application" | "properties" | "place"
        | "privacy" | "target" | "via" | "backdated_time" | "promotable_id" | "promotion_status" => Found::Absent,
        _ => Found::Unknown,
    })
}

/// A post's `updated_time`: written, edited, or a person's own comment. Replies and the Page's comments are not documented to
/// move it, so here they do not.
fn updated(ask: &Ask<'_>, post: &Item) -> Timestamp {
    let commented = ask.world.under(&post.id, ask.now).into_iter().filter(|item| item.by_citizen() && item.parent.is_none());
    commented.map(|item| item.created).chain(post.edits.last().map(|edit| edit.0)).fold(post.created, Timestamp::max)
}

pub(super) fn comment<'a>(ask: &Ask<'a>, item: &'a Item, name: &str, args: &Args) -> Result<Found<'a>, Refusal> {
    let replies = || ask.world.under(&item.root, ask.now).into_iter().filter(|reply| reply.parent.as_ref() == Some(&item.id)).count();
    Ok(match name {
        "created_time" => Found::value(time(item.created)),
        "from" => Found::maybe(named(ask, item)),
        "message" => Found::value(item.text.as_str()),
        "message_tags" => tags(ask, item),
        "parent" => Found::node(item.parent.as_deref().and_then(|id| ask.world.item(id)).map(Node::Comment)),
        "comment_count" => Found::value(replies()),
        "like_count" => Found::value(0),
        "user_likes" | "is_private" => Found::value(false),
        "is_hidden" => Found::value(item.hidden.is_some()),
        "can_comment" | "can_like" | "can_remove" => Found::value(true),
        "can_hide" => Found::value(!item.own()),
        "can_reply_privately" => Found::value(item.by_citizen() && item.private_reply.is_none()),
        "permalink_url" => {
            Found::value(format!("https://www.facebook.com/{}/posts/{}?comment_id={}", item.account, key_of(&item.root), key_of(&item.id)))
        }
        "attachment" => Found::maybe(item.attachments.first().map(|attachment| attached(*attachment, &item.id))),
        "private_reply_conversation" => Found::maybe(item.private_reply.as_ref().map(|id| json!({ "id": id }))),
        "comments" => comments(ask, &item.root, Some(item), args)?,
        "object" | "application" | "admin_creator" | "live_broadcast_timestamp" => Found::Absent,
        _ => Found::Unknown,
    })
}

/// The comments of a post, or the replies of a comment. By default replies are left out of a post's.
fn comments<'a>(ask: &Ask<'a>, root: &str, above: Option<&Item>, args: &Args) -> Result<Found<'a>, Refusal> {
    ask.needs_user_content()?;
    let stream = choice(args, "filter", ["toplevel", "stream"])? == 1;
    let newest_first = choice(args, "order", ["chronological", "reverse_chronological"])? == 1;
    choice(args, "live_filter", ["filter_low_quality", "no_filter"])?;
    let rows = ask.world.under(root, ask.now).into_iter().filter(|item| match above {
        Some(above) => item.parent.as_ref() == Some(&above.id),
        None => stream || item.parent.is_none(),
    });
    let mut list = List::new(ask.own(rows.map(Node::Comment).collect()), newest_first, 100);
    list.summary = args.get("summary").filter(|asked| !matches!(*asked, "false" | "0")).map(|asked| {
        let all = matches!(asked, "true" | "1");
        let mut summary = json!({});
        if all || asked.contains("order") {
            summary["order"] = if newest_first { "reverse_chronological" } else { "chronological" }.into();
        }
        if all || asked.contains("total_count") {
            summary["total_count"] = list.rows.len().into();
        }
        if all {
            summary["can_comment"] = true.into();
        }
        summary
    });
    Ok(Found::List(list))
}

/// Which of the two values a parameter has; the first by default.
fn choice(args: &Args, name: &str, offered: [&str; 2]) -> Result<usize, Refusal> {
    let Some(value) = args.get(name) else { return Ok(0) };
    offered.iter().position(|word| *word == value).ok_or_else(|| Refusal::bad_param(name, &format!("one of {offered:?}")))
}

/// `from`: name and id; `None` for people whom Meta does not name.
fn named(ask: &Ask<'_>, item: &Item) -> Option<Value> {
    match &item.author {
        Author::Account(id) => Some(json!({ "name": ask.world.account(id)?.name, "id": id })),
        Author::Citizen(citizen) => ask.names(citizen, item).then(|| json!({ "name": citizen.name, "id": citizen.scoped(&item.account) })),
    }
}

/// `message_tags`: offsets and lengths count code points.
fn tags<'a>(ask: &Ask<'a>, item: &Item) -> Found<'a> {
    let tags: Vec<Value> = (item.tags.iter())
        .filter_map(|tag| {
            let offset = item.text[..item.text.find(&tag.name)?].chars().count();
            let kind = if ask.world.account(&tag.id).is_some() { "page" } else { "user" };
            Some(json!({ "id": tag.id, "name": tag.name, "type": kind, "offset": offset, "length": tag.name.chars().count() }))
        })
        .collect();
    if tags.is_empty() { Found::Absent } else { Found::value(tags) }
}

/// What hangs on a comment.
fn attached(attachment: Attachment, id: &str) -> Value {
    let kind = match attachment {
        Attachment::Sticker => "sticker",
        Attachment::Video => "video_inline",
        Attachment::Share => "share",
        _ => "photo",
    };
    let url = format!("https://scontent.example.invalid/{}", key_of(id));
    json!({ "type": kind, "url": url, "target": { "id": key_of(id), "url": url }, "media": { "image": { "src": url, "height": 720, "width": 720 } } })
}

impl<'a> Ask<'a> {
    /// Error 10 unless the token allows it.
    pub(super) fn needs(&self, scope: &str) -> Result<(), Refusal> {
        if self.token.scopes.contains(scope) { Ok(()) } else { Err(Refusal::no_permission(scope)) }
    }
    /// Error 283 unless the token may read what people write.
    pub(super) fn needs_user_content(&self) -> Result<(), Refusal> {
        if self.token.scopes.contains("pages_read_user_content") { Ok(()) } else { Err(Refusal::no_user_content()) }
    }
    /// A person's token sees an empty list where a Page's own is wanted.
    pub(super) fn own(&self, rows: Vec<Node<'a>>) -> Vec<Node<'a>> {
        if self.token.account().is_none() && self.host == Host::Facebook { Vec::new() } else { rows }
    }
}
