//! What people write: posts, comments, direct messages, and who wrote them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// A Page's own post.
    Post,
    /// A visitor's post on the Page's wall.
    WallPost,
    /// A post of another that tags the Page.
    TagPost,
    /// A picture in a Page's album; the feed does not list it.
    Photo,
    /// A Page's film; the feed does not list it.
    Film,
    /// A Page's reel; the feed does not list it.
    Reel,
    /// An Instagram account's own medium.
    Media,
    /// A medium of another in which the Instagram account is tagged.
    TagMedia,
    /// A comment or a reply, on either platform.
    Comment,
    /// A direct message, on either platform.
    Message,
}

/// A person with a profile. The ids Meta shows of them differ from account to account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Citizen {
    /// Tells people apart inside the simulator; never shown.
    pub number: u64,
    /// Display name (Facebook, Messenger).
    pub name: String,
    /// User name without `@` (Instagram).
    pub username: String,
    /// Meta names this person to nobody (no `from`).
    pub unnamed: bool,
}

impl Citizen {
    /// A person with a first name; the user name is made from it and the number.
    pub fn new(number: u64, name: &str) -> Self {
        Self { number, name: name.into(), username: format!("{}_{number}", name.to_lowercase().replace(' ', ".")), unnamed: false }
    }
    /// The same person, whom Meta names to nobody.
    #[must_use]
    pub fn unnamed(mut self) -> Self {
        self.unnamed = true;
        self
    }
    /// The id one account sees: page-scoped or Instagram-scoped.
    pub fn scoped(&self, account: &str) -> String {
        let tail: u64 = account.bytes().fold(7, |hash, byte| (hash * 31 + u64::from(byte)) % 99_991);
        format!("{}", 2_000_000_000_000_000 + tail * 10_000_000_000 + self.number)
    }
}

/// Who wrote an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// A Page or an Instagram account of the world, by its id.
    Account(String),
    /// A person.
    Citizen(Citizen),
}

impl From<&Citizen> for Author {
    fn from(citizen: &Citizen) -> Self {
        Self::Citizen(citizen.clone())
    }
}

/// What hangs on an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// A file.
    File,
    /// A sticker.
    Sticker,
    /// A shared post or link.
    Share,
    /// An answer to a story (Instagram).
    StoryReply,
    /// A mention in a story (Instagram).
    StoryMention,
    /// What Meta does not show, such as a voice note on Instagram.
    Unsupported,
}

/// Somebody tagged in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagOf {
    /// The profile's id.
    pub id: String,
    /// The name as it stands in the text.
    pub name: String,
}

/// What is about to be written. A plain text is a draft written now and visible at once.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    pub(super) text: String,
    pub(super) at: Option<Timestamp>,
    pub(super) visible_from: Option<Timestamp>,
    pub(super) tags: Vec<TagOf>,
    pub(super) attachments: Vec<Attachment>,
}

impl From<&str> for Draft {
    fn from(text: &str) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}
impl From<String> for Draft {
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

impl Draft {
    /// Written then, not now.
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }
    /// The API shows it from then on only.
    #[must_use]
    pub fn visible_from(mut self, at: Timestamp) -> Self {
        self.visible_from = Some(at);
        self
    }
    /// Tags a profile whose name stands in the text.
    #[must_use]
    pub fn tag(mut self, id: &str, name: &str) -> Self {
        self.tags.push(TagOf { id: id.into(), name: name.into() });
        self
    }
    /// Hangs something on it.
    #[must_use]
    pub fn with(mut self, attachment: Attachment) -> Self {
        self.attachments.push(attachment);
        self
    }
}

/// One thing somebody wrote, with all that became of it. Deleted items stay, so that checks know the truth.
#[derive(Clone, Debug)]
pub struct Item {
    /// Meta's id.
    pub id: String,
    /// Position in the world, in order of arrival.
    pub seq: usize,
    /// What it is.
    pub kind: ItemKind,
    /// Whose Page, Instagram account or inbox it stands in (id).
    pub account: String,
    /// Who wrote it.
    pub author: Author,
    /// Comments: the post or medium; messages: the conversation; posts: empty.
    pub root: String,
    /// Replies: the top-level comment they stand under (Meta keeps two levels).
    pub parent: Option<String>,
    /// The text now.
    pub text: String,
    /// When it was written, whole seconds.
    pub created: Timestamp,
    /// The first instant the API shows it.
    pub visible_from: Timestamp,
    /// Earlier texts, each with the time it was replaced.
    pub edits: Vec<(Timestamp, String)>,
    /// When it was deleted.
    pub deleted: Option<Timestamp>,
    /// Since when the account hides it from the public.
    pub hidden: Option<Timestamp>,
    /// Whom it tags.
    pub tags: Vec<TagOf>,
    /// What hangs on it.
    pub attachments: Vec<Attachment>,
    /// Facebook comments: the conversation of a private reply.
    pub private_reply: Option<String>,
    /// Fields shown as something else than they are (bad input).
    pub spoilt: BTreeMap<String, Value>,
}

impl Item {
    /// Whether the API shows it at `now`.
    pub fn visible(&self, now: Timestamp) -> bool {
        self.deleted.is_none() && self.visible_from <= now
    }
    /// Whether the account whose place it stands in wrote it.
    pub fn own(&self) -> bool {
        matches!(&self.author, Author::Account(id) if *id == self.account)
    }
    /// Whether a person wrote it.
    pub fn by_citizen(&self) -> bool {
        matches!(self.author, Author::Citizen(_))
    }
}

/// A conversation between an account and one person.
#[derive(Clone, Debug)]
pub struct Thread {
    /// Meta's id.
    pub id: String,
    /// Position in the world.
    pub seq: usize,
    /// The Page or Instagram account (id).
    pub account: String,
    /// The person.
    pub citizen: Citizen,
    /// Its messages, by position in the world, in order of arrival.
    pub messages: Vec<usize>,
}
