//! A message: one thing somebody wrote, from either platform, in one shape.

use super::{AccountId, Text, Time, words};

super::row_id! {
    /// Our number of a message.
    MessageId
}
super::row_id! {
    /// Our number of a thread.
    ThreadId
}

/// What a message is, and what its thread is called after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Messenger or an Instagram direct message.
    Message,
    /// A comment or a reply to one.
    Comment,
    /// A visitor's post on the Page's wall.
    Post,
    /// A review.
    Review,
    /// A post of another that mentions or tags the account.
    Mention,
}
words!(Kind { Message = "message", Comment = "comment", Post = "post", Review = "review", Mention = "mention" });

/// Who wrote it: a citizen (`in`) or the government (`out`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// A citizen wrote it.
    In,
    /// The government wrote it.
    Out,
}
words!(Direction { In = "in", Out = "out" });

/// Meta's kind of object; part of a message's identity (semantics.md, Messages and threads).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// A direct message.
    Message,
    /// A comment.
    Comment,
    /// A post or an Instagram medium.
    Post,
    /// A review.
    Review,
}
words!(Object { Message = "message", Comment = "comment", Post = "post", Review = "review" });

/// The part of an external id that decides identity: for Facebook posts and comments (digits joined by `_`)
/// the last part; every other id whole (semantics.md, Messages and threads).
pub fn key_of(external_id: &str) -> &str {
    let joined = external_id.contains('_') && external_id.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    match external_id.rsplit_once('_') {
        Some((_, last)) if joined && !last.is_empty() => last,
        _ => external_id,
    }
}

/// Who wrote a message. Every field may be missing: Meta does not name everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Author {
    /// Page-scoped or Instagram-scoped id; one person only within one account.
    pub id: Option<String>,
    /// Display name (Facebook).
    pub name: Option<Text>,
    /// User name without `@` (Instagram).
    pub username: Option<Text>,
}

/// A picture, film, sticker, share or file beside a text. Its address expires and is never fetched.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Attachment {
    /// image, video, audio, file, sticker, share, story_reply, story_mention, unsupported.
    pub kind: String,
    /// Meta's address of it, if any.
    pub url: Option<String>,
}

/// What somebody put on a direct message instead of an answer. It opens nothing and answers nobody.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Reaction {
    /// An emoji, or Meta's word for one.
    pub reaction: Text,
    /// Ids of those who put it there.
    pub by: Vec<String>,
}

/// Somebody named in a text by a tag.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tag {
    /// The tagged profile's id, where Meta gives it.
    pub id: Option<String>,
    /// The tagged name, or the user name after `@` without it.
    pub name: Option<Text>,
}

/// Which thread a message belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadKey {
    /// What the thread is.
    pub kind: Kind,
    /// Meta's id: the conversation's, the top-level comment's, the post's or the medium's. Compared by [`key_of`].
    pub name: String,
    /// The post or medium under which a comment thread stands (external id).
    pub post: Option<String>,
    /// Conversations: the citizen's id, from the participants.
    pub citizen: Option<String>,
}

/// A post or medium under which comments stand, as it was last read in whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Meta's id, as it came.
    pub external_id: String,
    /// Whose it is.
    pub author: PostAuthor,
    /// The visitor's or mentioning author's id.
    pub author_id: Option<String>,
    /// When it was published.
    pub created_at: Time,
    /// Meta's `updated_time`.
    pub updated_at: Option<Time>,
    /// Meta's count of its comments.
    pub total: Option<i64>,
    /// Where a person can look at it.
    pub permalink: Option<String>,
    /// When the last read of all its comments began.
    pub read_at: Option<Time>,
}

/// Whose a post is; it decides what thread the comments under it belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PostAuthor {
    /// The account's own.
    Own,
    /// A visitor's, on the Page's wall.
    Visitor,
    /// Of another who mentions the account.
    Mention,
}
words!(PostAuthor { Own = "own", Visitor = "visitor", Mention = "mention" });

/// A message as one read showed it. What is ours to decide (`needs_answer` and so on) was decided by the rules of that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Part of the identity.
    pub object: Object,
    /// Meta's id, as it came.
    pub external_id: String,
    /// What it is in the queue.
    pub kind: Kind,
    /// Who wrote it.
    pub direction: Direction,
    /// For `out`: the configured account (its external id) that wrote it, or `"staff"` for a profile the OPD lists.
    pub government: Option<String>,
    /// Where it belongs.
    pub thread: ThreadKey,
    /// The comment replied to, else the post or medium, else none (external id).
    pub parent: Option<String>,
    /// Whether it stands directly under its post (comments only).
    pub top_level: bool,
    /// Who wrote it; `None` if Meta does not say.
    pub author: Option<Author>,
    /// What was written.
    pub text: Text,
    /// What hangs on it.
    pub attachments: Vec<Attachment>,
    /// Direct messages: what was put on it.
    pub reactions: Vec<Reaction>,
    /// Whom it names.
    pub tags: Vec<Tag>,
    /// When it was written, whole seconds.
    pub created_at: Time,
    /// Whether the account hides it from the public now.
    pub hidden: bool,
    /// `out` only: matches one of `auto_reply_patterns`.
    pub automatic: bool,
    /// `in` only: whether it needs an answer (triage).
    pub needs_answer: bool,
    /// `in` only: whether its text plainly asks, requests or complains (what opens a mention under `sla.mentions = "ask"`).
    pub asks: bool,
    /// `in` only: holds one of `urgent_keywords`.
    pub urgent: bool,
    /// Nothing but emoji or a sticker.
    pub bare: bool,
    /// Names or tags the thread's own account.
    pub tags_own: bool,
    /// The author is a Page or a configured account (decides for mentions).
    pub by_page: bool,
    /// Facebook comments: the conversation of a private reply (external id).
    pub private_reply: Option<String>,
    /// Where a person can look at it.
    pub permalink: Option<String>,
}

impl Seen {
    /// What decides whether two readings are the same message, within one account.
    pub fn identity(&self) -> (Object, &str) {
        (self.object, key_of(&self.external_id))
    }
}

/// A message as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Our number.
    pub id: MessageId,
    /// Whose it is.
    pub account: AccountId,
    /// Where it belongs.
    pub thread_id: ThreadId,
    /// What was read last.
    pub seen: Seen,
    /// When we first saw it (milliseconds).
    pub seen_at: Time,
    /// When we noticed that its text had changed.
    pub edited_at: Option<Time>,
    /// When we were sure that it is gone.
    pub deleted_at: Option<Time>,
    /// When we noticed that it was hidden after we had seen it visible; `None` if visible now or hidden from the start.
    pub hidden_at: Option<Time>,
    /// When a read that should show it did not, for the first time since it was last seen.
    pub missing_since: Option<Time>,
    /// Since when it is urgent: its own time, or when an edit that made it so was noticed.
    pub urgent_at: Option<Time>,
    /// Facebook comments: the last read that did not show the private reply yet.
    pub private_unseen_at: Option<Time>,
}

impl Message {
    /// Who wrote it, as one citizen of one account: the id, else `@` and the user name; empty if Meta names nobody
    /// (those count as one citizen per thread).
    pub fn author_key(&self) -> String {
        match &self.seen.author {
            Some(Author { id: Some(id), .. }) => id.clone(),
            Some(Author { username: Some(username), .. }) => format!("@{}", username.as_str().to_lowercase()),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::key_of;

    #[test]
    fn the_last_part_decides_for_facebook_ids_and_the_whole_for_all_others() {
        for (id, key) in [
            ("101000000000001_9_77", "77"),
            ("9_77", "77"),
            ("77", "77"),
            ("t_100", "t_100"),
            ("m_AbC_9", "m_AbC_9"),
            ("aWdfZAG06MTpJR01", "aWdfZAG06MTpJR01"),
            ("123_", "123_"),
            ("", ""),
        ] {
            assert_eq!(key_of(id), key, "{id}");
        }
    }
}
