//! What Meta posts to a webhook: up to 1,000 updates at once, in any order, some of them twice (Webhooks, Getting Started).

use serde::{Deserialize, de::IgnoredAny};

use super::{super::GraphError, List, Profile, body, lenient};

/// One delivery.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Delivery {
    /// `page`, `instagram` or `whatsapp_business_account`; others are none of ours.
    #[serde(deserialize_with = "lenient::loose")]
    pub object: String,
    /// What happened, by account.
    #[serde(deserialize_with = "lenient::list")]
    pub entry: Option<List<Entry>>,
}

impl Delivery {
    /// Reads a body, tolerantly: an element nobody can read costs that element.
    pub fn read(body: &[u8]) -> Result<Self, GraphError> {
        body::read(200, None, body, Box::default())
    }
}

/// What happened at one account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// The Page, or the Instagram professional account.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// When Meta sent it, in seconds or milliseconds; not when it happened.
    #[serde(deserialize_with = "lenient::text")]
    pub time: Option<String>,
    /// Updates of subscribed fields.
    #[serde(deserialize_with = "lenient::list")]
    pub changes: Option<List<Change>>,
    /// Direct messages and what became of them.
    #[serde(deserialize_with = "lenient::list")]
    pub messaging: Option<List<Messaging>>,
    /// The same while another app has the conversation.
    #[serde(deserialize_with = "lenient::list")]
    pub standby: Option<List<Messaging>>,
    /// Instagram Login: the one change, without a list around it (the documented form; others have been seen with the list).
    #[serde(deserialize_with = "lenient::loose")]
    pub field: String,
    /// The same.
    #[serde(deserialize_with = "lenient::loose")]
    pub value: Value,
}

impl Entry {
    /// Every change by its field, wherever it stands.
    pub fn changes(&self) -> impl Iterator<Item = (&str, &Value)> {
        let bare = (!self.field.is_empty()).then_some((self.field.as_str(), &self.value));
        self.changes.iter().flat_map(|list| &list.data).map(|change| (change.field.as_str(), &change.value)).chain(bare)
    }

    /// How many of its elements nobody can read.
    pub fn odd(&self) -> usize {
        let direct = self.messaging.iter().chain(&self.standby).map(|list| list.odd.len());
        self.changes.iter().map(|list| list.odd.len()).chain(direct).sum()
    }

    /// Whether something may be new to read. What nobody can read may be; likes and reactions are not.
    pub fn is_news(&self) -> bool {
        let mut direct = self.messaging.iter().chain(&self.standby).flat_map(|list| &list.data);
        let written = |(_, value): (&str, &Value)| !matches!(value.item.as_str(), "like" | "reaction");
        self.odd() > 0 || self.changes().any(written) || direct.any(Messaging::is_news)
    }
}

/// An update of a subscribed field.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Change {
    /// `feed`, `ratings`, `mention`, `comments`, …
    #[serde(deserialize_with = "lenient::loose")]
    pub field: String,
    /// What happened.
    pub value: Value,
}

/// What happened, of every field: which of it is there depends on the field.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Value {
    /// `comment`, `status`, `rating`, `reaction`, …
    #[serde(deserialize_with = "lenient::loose")]
    pub item: String,
    /// `add`, `edit`, `edited`, `hide`, `unhide`, `remove`, …
    #[serde(deserialize_with = "lenient::loose")]
    pub verb: String,
    /// The post.
    #[serde(deserialize_with = "lenient::text")]
    pub post_id: Option<String>,
    /// The comment.
    #[serde(deserialize_with = "lenient::text")]
    pub comment_id: Option<String>,
    /// The same (Instagram).
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// The comment replied to, or the post.
    #[serde(deserialize_with = "lenient::text")]
    pub parent_id: Option<String>,
    /// Who wrote it.
    pub from: Option<Profile>,
    /// The same in older deliveries.
    #[serde(deserialize_with = "lenient::text")]
    pub sender_id: Option<String>,
    /// The same.
    #[serde(deserialize_with = "lenient::loose")]
    pub sender_name: Option<String>,
    /// Its text.
    #[serde(deserialize_with = "lenient::text")]
    pub message: Option<String>,
    /// The same (Instagram).
    #[serde(deserialize_with = "lenient::text")]
    pub text: Option<String>,
    /// When it was written, in seconds.
    #[serde(deserialize_with = "lenient::text")]
    pub created_time: Option<String>,
    /// Whether the Page hides it.
    #[serde(deserialize_with = "lenient::flag")]
    pub is_hidden: Option<bool>,
    /// A picture beside it.
    #[serde(deserialize_with = "lenient::loose")]
    pub photo: Option<String>,
    /// A film beside it.
    #[serde(deserialize_with = "lenient::loose")]
    pub video: Option<String>,
    /// A link beside it.
    #[serde(deserialize_with = "lenient::loose")]
    pub link: Option<String>,
    /// The post it stands under.
    #[serde(deserialize_with = "lenient::loose")]
    pub post: Post,
    /// The Instagram medium it stands under.
    #[serde(deserialize_with = "lenient::loose")]
    pub media: Media,
    /// A review's story, by which it is known.
    #[serde(deserialize_with = "lenient::text")]
    pub open_graph_story_id: Option<String>,
    /// `positive` or `negative`.
    #[serde(deserialize_with = "lenient::loose")]
    pub recommendation_type: String,
    /// A review's text.
    #[serde(deserialize_with = "lenient::text")]
    pub review_text: Option<String>,
    /// Who wrote a review.
    #[serde(deserialize_with = "lenient::text")]
    pub reviewer_id: Option<String>,
    /// The same.
    #[serde(deserialize_with = "lenient::loose")]
    pub reviewer_name: Option<String>,
    /// What became of WhatsApp messages of ours.
    #[serde(deserialize_with = "lenient::list")]
    pub statuses: Option<List<Status>>,
}

/// What became of a WhatsApp message (Cloud API, Webhooks, Messages, Status).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Status {
    /// WhatsApp's id of the message.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// `sent`, `delivered`, `read`, `failed`, …
    #[serde(deserialize_with = "lenient::loose")]
    pub status: String,
    /// When, in seconds.
    #[serde(deserialize_with = "lenient::int")]
    pub timestamp: Option<i64>,
    /// What we sent with it.
    #[serde(deserialize_with = "lenient::text")]
    pub biz_opaque_callback_data: Option<String>,
    /// Why it failed.
    #[serde(deserialize_with = "lenient::list")]
    pub errors: Option<List<Fault>>,
}

/// Why a WhatsApp message failed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fault {
    /// Its code (Cloud API, Error Codes).
    #[serde(deserialize_with = "lenient::int")]
    pub code: Option<i64>,
}

/// The post of a comment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Post {
    /// False for ads that stand on no Page's feed.
    #[serde(deserialize_with = "lenient::flag")]
    pub is_published: Option<bool>,
    /// Its address for people.
    #[serde(deserialize_with = "lenient::loose")]
    pub permalink_url: Option<String>,
}

/// The medium of a comment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Media {
    /// Its id.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// There if it is an ad.
    #[serde(deserialize_with = "lenient::text")]
    pub ad_id: Option<String>,
}

/// A direct message, or what became of one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Messaging {
    /// The citizen saw it.
    read: Option<IgnoredAny>,
    /// It reached the citizen's telephone.
    delivery: Option<IgnoredAny>,
    /// A reaction to it.
    reaction: Option<IgnoredAny>,
}

impl Messaging {
    /// Messages, echoes of our own, edits, unsends, and whatever Meta may think of next.
    fn is_news(&self) -> bool {
        self.read.is_none() && self.delivery.is_none() && self.reaction.is_none()
    }
}
