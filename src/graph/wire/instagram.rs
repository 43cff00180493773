//! Media and comments of Instagram. Conversations have the shape of Facebook's.

use serde::Deserialize;

use super::{List, Node, Profile, lenient};

/// A medium of the account, or one in which it is tagged.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Media {
    /// Its id.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// When it was published.
    #[serde(deserialize_with = "lenient::text")]
    pub timestamp: Option<String>,
    /// Its text.
    #[serde(deserialize_with = "lenient::text")]
    pub caption: Option<String>,
    /// Who published it.
    #[serde(deserialize_with = "lenient::loose")]
    pub username: Option<String>,
    /// `IMAGE`, `VIDEO`, `CAROUSEL_ALBUM`.
    #[serde(deserialize_with = "lenient::loose")]
    pub media_type: Option<String>,
    /// Its address for people.
    #[serde(deserialize_with = "lenient::loose")]
    pub permalink: Option<String>,
    /// Comments and replies; may lag, and may count what nobody can read.
    #[serde(deserialize_with = "lenient::int")]
    pub comments_count: Option<i64>,
    /// Whether anybody can comment on it.
    #[serde(deserialize_with = "lenient::flag")]
    pub is_comment_enabled: Option<bool>,
    /// The first page of its comments, newest first, where asked for.
    #[serde(deserialize_with = "lenient::list")]
    pub comments: Option<List<Comment>>,
}

/// A comment or a reply.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Comment {
    /// Its id.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// Its text.
    #[serde(deserialize_with = "lenient::text")]
    pub text: Option<String>,
    /// When it was written.
    #[serde(deserialize_with = "lenient::text")]
    pub timestamp: Option<String>,
    /// The writer's user name.
    #[serde(deserialize_with = "lenient::loose")]
    pub username: Option<String>,
    /// Who wrote it; sometimes left out.
    pub from: Option<Profile>,
    /// Only there when the account itself wrote it.
    #[serde(deserialize_with = "lenient::loose")]
    pub user: Option<Node>,
    /// Whether the account hides it.
    #[serde(deserialize_with = "lenient::flag")]
    pub hidden: Option<bool>,
    /// The top-level comment of a reply.
    #[serde(deserialize_with = "lenient::text")]
    pub parent_id: Option<String>,
    /// The first page of its replies.
    #[serde(deserialize_with = "lenient::list")]
    pub replies: Option<List<Self>>,
}
