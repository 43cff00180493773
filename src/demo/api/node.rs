//! The nodes of Meta's graph that the simulator knows.

use super::{
    ask::{Ask, Found, Key},
    error::Refusal,
    facebook,
    fields::Args,
    inbox, instagram,
};
use crate::{
    demo::world::{Account, Host, Item, ItemKind, Thread, Token, World},
    domain::{Platform, message::key_of},
};

/// A node.
#[derive(Clone, Copy)]
pub(super) enum Node<'a> {
    Page(&'a Account),
    Instagram(&'a Account),
    /// A person or a system user.
    User(&'a Token),
    Post(&'a Item),
    /// A post as `/tagged` shows it: without its author.
    Tagged(&'a Item),
    /// A picture, film or reel of a Page.
    Upload(&'a Item),
    Comment(&'a Item),
    Media(&'a Item),
    InstagramComment(&'a Item),
    Thread(&'a Thread),
    Message(&'a Item),
}

impl<'a> Node<'a> {
    pub(super) fn of_account(account: &'a Account) -> Self {
        match account.platform {
            Platform::Facebook => Self::Page(account),
            Platform::Instagram => Self::Instagram(account),
        }
    }
    pub(super) fn of_item(world: &World, item: &'a Item) -> Self {
        let instagram = world.account(&item.account).is_some_and(|account| account.platform == Platform::Instagram);
        match item.kind {
            ItemKind::Post | ItemKind::WallPost | ItemKind::TagPost => Self::Post(item),
            ItemKind::Photo | ItemKind::Film | ItemKind::Reel => Self::Upload(item),
            ItemKind::Media | ItemKind::TagMedia => Self::Media(item),
            ItemKind::Comment if instagram => Self::InstagramComment(item),
            ItemKind::Comment => Self::Comment(item),
            ItemKind::Message => Self::Message(item),
        }
    }
    /// What Meta's error texts call it.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Page(_) => "Page",
            Self::Instagram(_) => "IGUser",
            Self::User(_) => "User",
            Self::Post(_) | Self::Tagged(_) => "PagePost",
            Self::Upload(item) if item.kind == ItemKind::Photo => "Photo",
            Self::Upload(_) => "Video",
            Self::Comment(_) => "Comment",
            Self::Media(_) => "IGMedia",
            Self::InstagramComment(_) => "IGComment",
            Self::Thread(_) => "UnifiedThread",
            Self::Message(_) => "UnifiedMessage",
        }
    }
    /// The fields given when none are asked for.
    pub(super) fn defaults(self) -> &'static str {
        match self {
            Self::Page(_) | Self::User(_) => "name,id",
            Self::Post(_) | Self::Tagged(_) => "created_time,message,id",
            Self::Upload(_) => "created_time,id",
            Self::Comment(_) => "created_time,from,message,id",
            Self::Instagram(_) | Self::Media(_) => "id",
            Self::InstagramComment(_) => "timestamp,text,id",
            Self::Thread(_) => "id,updated_time",
            Self::Message(_) => "id,created_time",
        }
    }
    /// The item behind it.
    pub(super) fn item(self) -> Option<&'a Item> {
        match self {
            Self::Post(item)
            | Self::Tagged(item)
            | Self::Upload(item)
            | Self::Comment(item)
            | Self::Media(item)
            | Self::InstagramComment(item)
            | Self::Message(item) => Some(item),
            Self::Page(_) | Self::Instagram(_) | Self::User(_) | Self::Thread(_) => None,
        }
    }
    /// The account it belongs to.
    pub(super) fn account(self) -> Option<&'a str> {
        match self {
            Self::Page(account) | Self::Instagram(account) => Some(&account.id),
            Self::User(_) => None,
            Self::Thread(thread) => Some(&thread.account),
            _ => self.item().map(|item| item.account.as_str()),
        }
    }
    pub(super) fn id(self, ask: &Ask<'_>) -> String {
        match self {
            // Instagram Login shows an id of its own; the account's is `user_id`.
            Self::Instagram(account) if ask.host == Host::Instagram => format!("9{}", account.id),
            Self::Page(account) | Self::Instagram(account) => account.id.clone(),
            Self::User(token) => token.user.clone(),
            Self::Thread(thread) => thread.id.clone(),
            Self::Comment(item) if ask.world.manner.bare_comment_ids => key_of(&item.id).into(),
            _ => self.item().map(|item| item.id.clone()).unwrap_or_default(),
        }
    }
    /// Where it stands in a list.
    pub(super) fn key(self, ask: &Ask<'_>) -> Key {
        match self {
            Self::Thread(thread) => (inbox::updated(ask, thread), thread.seq),
            Self::Page(account) | Self::Instagram(account) => (jiff::Timestamp::UNIX_EPOCH, account.id.parse().unwrap_or_default()),
            _ => self.item().map_or_else(Key::default, |item| (item.created, item.seq)),
        }
    }
    /// A field or an edge.
    pub(super) fn field(self, ask: &Ask<'a>, name: &str, args: &Args) -> Result<Found<'a>, Refusal> {
        match self {
            _ if name == "id" => Ok(Found::Absent), // render gives it always
            Self::Page(account) => facebook::page(ask, account, name, args),
            Self::User(token) => facebook::user(ask, token, name),
            Self::Tagged(_) if name == "from" => Ok(Found::Absent),
            Self::Post(item) | Self::Tagged(item) => facebook::post(ask, item, name, args),
            Self::Upload(item) => facebook::upload(ask, item, name, args),
            Self::Comment(item) => facebook::comment(ask, item, name, args),
            Self::Instagram(account) => instagram::account(ask, account, name, args),
            Self::Media(item) => instagram::media(ask, item, name),
            Self::InstagramComment(item) => instagram::comment(ask, item, name),
            Self::Thread(thread) => Ok(inbox::thread(ask, thread, name)),
            Self::Message(item) => inbox::message(ask, item, name),
        }
    }
}
