//! Posts and comments of Pages, and conversations of both platforms.

use serde::Deserialize;

use super::{List, Node, Profile, lenient};

/// A post on a Page's feed, or one that tags the Page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Post {
    /// `{owner}_{post}`.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// When it was written.
    #[serde(deserialize_with = "lenient::text")]
    pub created_time: Option<String>,
    /// Moves when it is edited or somebody comments.
    #[serde(deserialize_with = "lenient::text")]
    pub updated_time: Option<String>,
    /// Who wrote it; left out for privacy.
    pub from: Option<Profile>,
    /// Its text.
    #[serde(deserialize_with = "lenient::text")]
    pub message: Option<String>,
    /// Whom the text tags.
    #[serde(deserialize_with = "lenient::loose")]
    pub message_tags: Vec<Tagged>,
    /// Its address for people.
    #[serde(deserialize_with = "lenient::loose")]
    pub permalink_url: Option<String>,
    /// `wall_post`, `added_photos`, …
    #[serde(deserialize_with = "lenient::loose")]
    pub status_type: Option<String>,
    /// False for drafts, scheduled posts and ads.
    #[serde(deserialize_with = "lenient::flag")]
    pub is_published: Option<bool>,
    /// The first page of its comments, where asked for.
    #[serde(deserialize_with = "lenient::list")]
    pub comments: Option<List<Comment>>,
}

/// A comment or a reply.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Comment {
    /// `{post}_{comment}` or the bare number.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// Who wrote it; left out for privacy.
    pub from: Option<Profile>,
    /// Its text.
    #[serde(deserialize_with = "lenient::text")]
    pub message: Option<String>,
    /// When it was written.
    #[serde(deserialize_with = "lenient::text")]
    pub created_time: Option<String>,
    /// The comment replied to.
    pub parent: Option<Node>,
    /// Whether the Page hides it.
    #[serde(deserialize_with = "lenient::flag")]
    pub is_hidden: Option<bool>,
    /// Whom the text tags.
    #[serde(deserialize_with = "lenient::loose")]
    pub message_tags: Vec<Tagged>,
    /// A picture, sticker or link.
    #[serde(deserialize_with = "lenient::loose")]
    pub attachment: Option<CommentAttachment>,
    /// Its address for people.
    #[serde(deserialize_with = "lenient::loose")]
    pub permalink_url: Option<String>,
    /// The conversation in which the Page answered in private.
    #[serde(deserialize_with = "lenient::loose")]
    pub private_reply_conversation: Option<Node>,
    /// Replies, where the comments were read level by level.
    #[serde(deserialize_with = "lenient::list")]
    pub comments: Option<List<Self>>,
}

/// An entry of `message_tags`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Tagged {
    /// The profile's id.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// The name as it stands in the text.
    #[serde(deserialize_with = "lenient::loose")]
    pub name: Option<String>,
}

/// What hangs on a comment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CommentAttachment {
    /// `photo`, `sticker`, `share`, `video_inline`, `animated_image_share`, …
    #[serde(rename = "type", deserialize_with = "lenient::loose")]
    pub kind: String,
    /// Where it leads.
    #[serde(deserialize_with = "lenient::loose")]
    pub url: Option<String>,
}

/// A conversation of Messenger or Instagram.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Conversation {
    /// `t_…` or an opaque text.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// When its newest message was written.
    #[serde(deserialize_with = "lenient::text")]
    pub updated_time: Option<String>,
    /// Its address for people, often without the host.
    #[serde(deserialize_with = "lenient::loose")]
    pub link: Option<String>,
    /// The citizen and the account itself.
    #[serde(deserialize_with = "lenient::list")]
    pub participants: Option<List<Profile>>,
    /// Its newest messages, newest first.
    #[serde(deserialize_with = "lenient::list")]
    pub messages: Option<List<Message>>,
}

/// A direct message.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Message {
    /// Opaque.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// When it was written.
    #[serde(deserialize_with = "lenient::text")]
    pub created_time: Option<String>,
    /// Who wrote it.
    pub from: Option<Profile>,
    /// Its text.
    #[serde(deserialize_with = "lenient::text")]
    pub message: Option<String>,
    /// Pictures, films, files.
    #[serde(deserialize_with = "lenient::list")]
    pub attachments: Option<List<MessageAttachment>>,
    /// Address of a sticker.
    #[serde(deserialize_with = "lenient::loose")]
    pub sticker: Option<String>,
    /// Posts and links passed on.
    #[serde(deserialize_with = "lenient::list")]
    pub shares: Option<List<Share>>,
    /// The story it answers or mentions the account in (Instagram).
    #[serde(deserialize_with = "lenient::loose")]
    pub story: Option<Story>,
    /// What was put on it.
    #[serde(deserialize_with = "lenient::list")]
    pub reactions: Option<List<Reaction>>,
    /// Meta shows its content to nobody through the API (voice notes, effects).
    #[serde(deserialize_with = "lenient::flag")]
    pub is_unsupported: Option<bool>,
}

/// What somebody put on a direct message.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Reaction {
    /// An emoji or a word.
    #[serde(deserialize_with = "lenient::text")]
    pub reaction: Option<String>,
    /// By whom.
    #[serde(deserialize_with = "lenient::loose")]
    pub users: Vec<Profile>,
}

/// What hangs on a direct message.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct MessageAttachment {
    /// `sticker`, where Meta says so (since 2026-08-30).
    #[serde(rename = "type", deserialize_with = "lenient::loose")]
    pub kind: String,
    /// `image/jpeg`, `audio/mp4`, …
    #[serde(deserialize_with = "lenient::loose")]
    pub mime_type: String,
    /// Set for stickers.
    #[serde(deserialize_with = "lenient::text")]
    pub sticker_id: Option<String>,
    /// A picture.
    #[serde(deserialize_with = "lenient::loose")]
    pub image_data: Option<Picture>,
    /// A film; its preview stands in `image_data` too.
    #[serde(deserialize_with = "lenient::loose")]
    pub video_data: Option<Link>,
    /// A file.
    #[serde(deserialize_with = "lenient::loose")]
    pub file_url: Option<String>,
}

/// A picture.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Picture {
    /// Its address, for a while.
    #[serde(deserialize_with = "lenient::loose")]
    pub url: Option<String>,
    /// It is a sticker.
    #[serde(deserialize_with = "lenient::flag")]
    pub render_as_sticker: Option<bool>,
}

/// Something with an address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Link {
    /// Its address, for a while.
    #[serde(deserialize_with = "lenient::loose")]
    pub url: Option<String>,
}

/// Something passed on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Share {
    /// Its address.
    #[serde(deserialize_with = "lenient::loose")]
    pub link: Option<String>,
}

/// A story.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Story {
    /// The account's story that the message answers.
    #[serde(deserialize_with = "lenient::loose")]
    pub reply_to: Option<Share>,
    /// The citizen's story that mentions the account.
    #[serde(deserialize_with = "lenient::loose")]
    pub mention: Option<Share>,
}
