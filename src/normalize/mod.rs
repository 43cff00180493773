//! Pure: from what Meta sent to messages in one shape, and what was odd about it.
//!
//! Who wrote a message is decided in `government`, what hangs on it in `attachment`, which thread it belongs to in `facebook`,
//! `instagram`, `direct` and `hook`, what it wants in `triage`. The rules are those of semantics.md, "Messages and threads".

mod attachment;
mod direct;
mod draft;
mod facebook;
mod government;
mod hook;
mod instagram;
pub mod triage;

pub use direct::conversation;
pub use facebook::{comments, counted_post, feed_post};
pub use government::{Government, Sister};
pub use hook::{Arrivals, arrivals};
pub use instagram::{media, media_comments, tagged_media};

use crate::{
    domain::{
        Platform,
        message::{Post, PostAuthor, Seen},
    },
    graph::wire::Undecoded,
};
use triage::Rules;

/// Whose messages are read, and by which rules.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Where the account lives.
    pub platform: Platform,
    /// The account as configured (external id).
    pub account: &'a str,
    /// Who speaks for the government.
    pub government: &'a Government,
    /// What a text wants.
    pub rules: &'a Rules,
}

/// The post or medium under which comments stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostRef {
    /// Meta's id.
    pub external_id: String,
    /// Whose it is.
    pub author: PostAuthor,
    /// The author's id, where Meta names him.
    pub author_id: Option<String>,
    /// Where a person can look at it, and so at comments that have no address of their own.
    pub permalink: Option<String>,
}

impl From<&Post> for PostRef {
    fn from(post: &Post) -> Self {
        Self {
            external_id: post.external_id.clone(),
            author: post.author,
            author_id: post.author_id.clone(),
            permalink: post.permalink.clone(),
        }
    }
}

/// A post or medium as a list showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostSeen {
    /// What is kept of it; `read_at` is the caller's to fill.
    pub post: Post,
    /// Every comment and reply that can be read was shown with it.
    pub inline_complete: bool,
}

/// Something that could not be taken, or not in whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Odd {
    /// What was wrong, in our words.
    pub what: &'static str,
    /// Its id, if that could be read.
    pub id: Option<String>,
}

/// What an answer holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Normalized {
    /// The messages, in Meta's order.
    pub messages: Vec<Seen>,
    /// Posts and media, the account's own too.
    pub posts: Vec<PostSeen>,
    /// What was odd.
    pub odd: Vec<Odd>,
    /// Configured Instagram accounts (external id) with the author id first seen under their user name.
    pub bindings: Vec<(String, String)>,
}

impl Normalized {
    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.messages.extend(other.messages);
        self.posts.extend(other.posts);
        self.odd.extend(other.odd);
        self.bindings.extend(other.bindings);
        self
    }
    fn note(&mut self, what: &'static str, id: Option<&str>) {
        self.odd.push(Odd { what, id: id.map(str::to_owned) });
    }
    fn unread(&mut self, elements: &[Undecoded], what: &'static str) {
        self.odd.extend(elements.iter().map(|element| Odd { what, id: element.id.clone() }));
    }
}

#[cfg(test)]
mod tests;
