//! What arrives by webhook alone: reviews, which no edge lists any more, and comments on ads, which stand on no feed.
//! Everything else a webhook tells is read anew.

use super::{
    Context, Normalized, PostRef,
    draft::{Draft, usable},
    facebook::thread,
    government::writer,
};
use crate::{
    domain::{
        Kind, Object, Platform, Source,
        message::{Attachment, PostAuthor, ThreadKey, key_of},
    },
    graph::wire::{
        Profile,
        hook::{Entry, Value},
    },
};

/// What a webhook brought that is to be stored.
#[derive(Clone, Debug, Default)]
pub struct Arrivals {
    /// Written: to be stored unless known, since Meta delivers for 36 hours and in no order.
    pub written: Normalized,
    /// Changed: an edit, hidden or shown again.
    pub changed: Normalized,
    /// Removed, by kind of object and Meta's id.
    pub removed: Vec<(Object, String)>,
}

/// The reviews and comments on ads that an entry brings, of the sources that are read.
pub fn arrivals(ctx: &Context, sources: &[Source], entry: &Entry) -> Arrivals {
    let mut found = Arrivals::default();
    for (field, value) in entry.changes() {
        let out = match value.verb.as_str() {
            "" | "add" => &mut found.written,
            // what comes without its text would be read as emptied
            "edit" | "edited" | "update" | "hide" | "unhide" if text(ctx, value).is_some() => &mut found.changed,
            "remove" | "delete" => {
                found.removed.extend(removal(ctx, field, value));
                continue;
            }
            _ => continue,
        };
        let wants = |source| sources.contains(&source);
        match (ctx.platform, field) {
            (Platform::Facebook, "ratings" | "feed") if wants(Source::Reviews) && (field == "ratings" || value.item == "rating") => {
                review(ctx, value, out);
            }
            (Platform::Facebook, "feed")
                if wants(Source::Comments) && value.item == "comment" && value.post.is_published == Some(false) =>
            {
                ad_comment(ctx, value.post_id.as_deref(), value.created_time.as_deref(), value, out);
            }
            (Platform::Instagram, _) if wants(Source::Comments) && value.media.ad_id.is_some() => {
                // the comment itself has no time here
                let time = value.created_time.as_deref().or(entry.time.as_deref());
                ad_comment(ctx, value.media.id.as_deref(), time, value, out);
            }
            _ => {}
        }
    }
    found
}

/// A recommendation, or a comment under one.
fn review(ctx: &Context, value: &Value, out: &mut Normalized) {
    let Some(story) = usable(value.open_graph_story_id.as_deref()) else { return out.note("a review without a usable id", None) };
    let thread = ThreadKey { kind: Kind::Review, name: story.to_owned(), post: None, citizen: None };
    let comment = match value.item.as_str() {
        "comment" => true,
        "rating" | "" => false,
        _ => return, // a like, a reaction
    };
    let reviewer = Profile { id: value.reviewer_id.clone(), name: value.reviewer_name.clone(), username: None };
    let profile = Some(author(value)).filter(|profile| comment || profile.id.is_some()).unwrap_or(reviewer);
    let draft = Draft {
        object: if comment { Object::Comment } else { Object::Review },
        kind: if comment { Kind::Comment } else { Kind::Review },
        id: if comment { value.comment_id.as_deref() } else { Some(story) },
        time: value.created_time.as_deref(),
        writer: writer(ctx, out, &profile, false),
        thread,
        parent: comment.then(|| story.to_owned()),
        top_level: comment,
        text: text(ctx, value),
        attachments: attachments(value),
        reactions: Vec::new(),
        tags: Vec::new(),
        replies_to_other: false,
        hidden: value.is_hidden == Some(true),
        private_reply: None,
        permalink: value.post.permalink_url.clone(),
    };
    draft.finish(ctx, out);
    // A recommendation without a word asks nothing, as praise does.
    let praise = !comment && value.recommendation_type.eq_ignore_ascii_case("positive") && value.review_text.is_none();
    if let Some(seen) = out.messages.last_mut().filter(|seen| praise && seen.object == Object::Review && seen.external_id == story) {
        seen.needs_answer = false;
    }
}

fn ad_comment(ctx: &Context, post: Option<&str>, time: Option<&str>, value: &Value, out: &mut Normalized) {
    let id = value.comment_id.as_deref().or(value.id.as_deref());
    let Some(post) = usable(post) else { return out.note("a comment on an ad without a usable id", id) };
    let post =
        PostRef { external_id: post.to_owned(), author: PostAuthor::Own, author_id: None, permalink: value.post.permalink_url.clone() };
    let parent = value.parent_id.clone().filter(|parent| key_of(parent) != key_of(&post.external_id));
    let draft = Draft {
        object: Object::Comment,
        kind: Kind::Comment,
        id,
        time,
        writer: writer(ctx, out, &author(value), false),
        thread: thread(&post, id.unwrap_or_default(), parent.clone()),
        parent: Some(parent.clone().unwrap_or_else(|| post.external_id.clone())),
        top_level: parent.is_none(),
        text: text(ctx, value),
        attachments: attachments(value),
        reactions: Vec::new(),
        tags: Vec::new(),
        replies_to_other: false,
        hidden: value.is_hidden == Some(true) || value.verb == "hide",
        private_reply: None,
        permalink: post.permalink,
    };
    draft.finish(ctx, out);
}

/// What a removal is of: a review, or a comment.
fn removal(ctx: &Context, field: &str, value: &Value) -> Option<(Object, String)> {
    let review = ctx.platform == Platform::Facebook && value.item != "comment" && (field == "ratings" || value.item == "rating");
    let (object, id) = if review {
        (Object::Review, &value.open_graph_story_id)
    } else {
        (Object::Comment, if value.comment_id.is_some() { &value.comment_id } else { &value.id })
    };
    Some((object, usable(id.as_deref())?.to_owned()))
}

/// What was written: a review's text stands elsewhere than a comment's.
fn text<'a>(ctx: &Context, value: &'a Value) -> Option<&'a str> {
    let review = ctx.platform == Platform::Facebook && value.item != "comment";
    if review { value.review_text.as_deref() } else { value.message.as_deref().or(value.text.as_deref()) }
}

fn author(value: &Value) -> Profile {
    let older = || Profile { id: value.sender_id.clone(), name: value.sender_name.clone(), username: None };
    value.from.clone().unwrap_or_else(older)
}

fn attachments(value: &Value) -> Vec<Attachment> {
    let of = [("image", &value.photo), ("video", &value.video), ("share", &value.link)];
    let found = of.into_iter().find_map(|(kind, url)| url.as_ref().map(|url| Attachment { kind: kind.to_owned(), url: Some(url.clone()) }));
    found.into_iter().collect()
}
