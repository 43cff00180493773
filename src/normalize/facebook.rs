//! Posts and comments of Pages.

use std::collections::{BTreeMap, HashMap};

use super::{
    Context, Normalized, PostRef, PostSeen, attachment,
    draft::{Draft, usable},
    government::{Writer, writer},
};
use crate::{
    domain::{
        Kind, Object, Text, Time,
        message::{Post, PostAuthor, Tag, ThreadKey, key_of},
    },
    graph::wire::{
        List, Profile,
        facebook::{self as wire, Comment, Tagged},
    },
};

/// A post of which only times and counts were asked: no message.
pub fn counted_post(ctx: &Context, found: &wire::Post) -> Normalized {
    let mut out = Normalized::default();
    let writer = writer(ctx, &mut out, &found.from.clone().unwrap_or_default(), false);
    match usable(found.id.as_deref()) {
        Some(id) => take_post(found, &reference(ctx, found, id, &writer), &mut out),
        None => out.note("a post without a usable id", None),
    }
    out
}

/// A post of the feed or of the list of tagged posts, with the comments shown with it. The account's own posts are no messages;
/// what is not published is none either, but the comments under it are.
pub fn feed_post(ctx: &Context, found: &wire::Post) -> Normalized {
    let mut out = Normalized::default();
    let writer = writer(ctx, &mut out, &found.from.clone().unwrap_or_default(), false);
    let Some(id) = usable(found.id.as_deref()) else {
        out.note("a post without a usable id", None);
        for comment in found.comments.iter().flat_map(|list| &list.data) {
            out.note("a comment under a post without a usable id", comment.id.as_deref());
        }
        return out;
    };
    let post = reference(ctx, found, id, &writer);
    let is_message = post.author != PostAuthor::Own && found.is_published != Some(false);
    take_post(found, &post, &mut out);
    let has_time = out.odd.is_empty(); // said once is enough
    if is_message && has_time {
        let kind = if post.author == PostAuthor::Mention { Kind::Mention } else { Kind::Post };
        let draft = Draft {
            object: Object::Post,
            kind,
            id: Some(id),
            time: found.created_time.as_deref(),
            writer,
            thread: ThreadKey { kind, name: id.to_owned(), post: None, citizen: None },
            parent: None,
            top_level: false,
            text: found.message.as_deref(),
            attachments: attachment::of_post(found.status_type.as_deref(), found.permalink_url.as_ref()).into_iter().collect(),
            reactions: Vec::new(),
            tags: tags(&found.message_tags),
            replies_to_other: false,
            hidden: false,
            private_reply: None,
            permalink: found.permalink_url.clone(),
        };
        draft.finish(ctx, &mut out);
    }
    found.comments.iter().fold(out, |out, list| comments_into(ctx, &post, list, &BTreeMap::new(), out))
}

/// What is kept of a post, unless its time cannot be read.
fn take_post(found: &wire::Post, post: &PostRef, out: &mut Normalized) {
    let Some(created_at) = found.created_time.as_deref().and_then(Time::parse) else {
        return out.note("no readable time", Some(&post.external_id));
    };
    let kept = Post {
        external_id: post.external_id.clone(),
        author: post.author,
        author_id: post.author_id.clone(),
        created_at: created_at.floor_secs(),
        updated_at: found.updated_time.as_deref().and_then(Time::parse),
        total: found.comments.as_ref().and_then(|list| list.total),
        permalink: post.permalink.clone(),
        read_at: None,
    };
    out.posts.push(PostSeen { post: kept, inline_complete: found.comments.as_ref().is_some_and(is_complete) });
}

fn reference(ctx: &Context, found: &wire::Post, id: &str, writer: &Writer) -> PostRef {
    PostRef {
        external_id: id.to_owned(),
        author: whose(ctx, found, id, writer),
        author_id: writer.id().map(str::to_owned),
        permalink: found.permalink_url.clone(),
    }
}

/// Comments under a post. `known`: what earlier readings know of replies (the key of each, and the id of the comment it replies to).
pub fn comments(ctx: &Context, post: &PostRef, list: &List<Comment>, known: &BTreeMap<String, String>) -> Normalized {
    comments_into(ctx, post, list, known, Normalized::default())
}

fn comments_into(ctx: &Context, post: &PostRef, list: &List<Comment>, known: &BTreeMap<String, String>, mut out: Normalized) -> Normalized {
    let mut rows = Vec::new();
    flatten(list, None, &mut rows, &mut out);
    let parents: HashMap<&str, &str> =
        rows.iter().filter_map(|(comment, parent)| Some((key_of(comment.id.as_deref()?), (*parent)?))).collect();
    let writers: Vec<Writer> =
        rows.iter().map(|(comment, _)| writer(ctx, &mut out, &comment.from.clone().unwrap_or_default(), false)).collect();
    let by_key: HashMap<&str, &Writer> =
        rows.iter().zip(&writers).filter_map(|((comment, _), writer)| Some((key_of(comment.id.as_deref()?), writer))).collect();
    let post_writer = writer(ctx, &mut out, &Profile { id: post.author_id.clone(), ..Profile::default() }, false);
    for ((comment, parent), writer) in rows.iter().zip(&writers) {
        // Meta names the post as parent in some places, the comment in others
        let parent = parent.filter(|parent| key_of(parent) != key_of(&post.external_id));
        let answered = match parent {
            Some(parent) => by_key.get(key_of(parent)).copied(),
            None => (post.author != PostAuthor::Own).then_some(&post_writer),
        };
        let draft = Draft {
            object: Object::Comment,
            kind: Kind::Comment,
            id: comment.id.as_deref(),
            time: comment.created_time.as_deref(),
            writer: writer.clone(),
            thread: thread(post, comment.id.as_deref().unwrap_or_default(), parent.map(|parent| top(parent, &parents, known))),
            parent: Some(parent.map_or_else(|| post.external_id.clone(), str::to_owned)),
            top_level: parent.is_none(),
            text: comment.message.as_deref(),
            attachments: comment.attachment.iter().map(attachment::of_comment).collect(),
            reactions: Vec::new(),
            tags: tags(&comment.message_tags),
            replies_to_other: answered.is_some_and(|other| writer.is_other_citizen(other)),
            hidden: comment.is_hidden == Some(true),
            private_reply: comment.private_reply_conversation.as_ref().and_then(|node| usable(node.id.as_deref())).map(str::to_owned),
            permalink: comment.permalink_url.clone().or_else(|| post.permalink.clone()),
        };
        draft.finish(ctx, &mut out);
    }
    out
}

/// Everything in the list with the comment it replies to, level by level where levels were sent.
fn flatten<'a>(list: &'a List<Comment>, under: Option<&'a str>, rows: &mut Vec<(&'a Comment, Option<&'a str>)>, out: &mut Normalized) {
    out.unread(&list.odd, "a comment nobody can read");
    for comment in &list.data {
        rows.push((comment, comment.parent.as_ref().and_then(|node| node.id.as_deref()).or(under)));
        if let Some(replies) = &comment.comments {
            flatten(replies, comment.id.as_deref(), rows, out);
        }
    }
}

/// The top-level comment above a reply, as far as the chain of parents is known. A chain longer than Meta's two levels is cut at 16.
fn top(parent: &str, parents: &HashMap<&str, &str>, known: &BTreeMap<String, String>) -> String {
    let mut name = parent;
    for _ in 0..16 {
        let key = key_of(name);
        match parents.get(key).copied().or_else(|| known.get(key).map(String::as_str)) {
            Some(above) => name = above,
            None => break,
        }
    }
    name.to_owned()
}

/// The thread of a comment: the post's where the post is another's, else that of its top-level comment.
pub(super) fn thread(post: &PostRef, id: &str, top: Option<String>) -> ThreadKey {
    let name = post.external_id.clone();
    match post.author {
        PostAuthor::Own => ThreadKey { kind: Kind::Comment, name: top.unwrap_or_else(|| id.to_owned()), post: Some(name), citizen: None },
        PostAuthor::Visitor => ThreadKey { kind: Kind::Post, name, post: None, citizen: None },
        PostAuthor::Mention => ThreadKey { kind: Kind::Mention, name, post: None, citizen: None },
    }
}

/// Whose a post is. Without an author it is another's: the Page's own always have one.
fn whose(ctx: &Context, post: &wire::Post, id: &str, writer: &Writer) -> PostAuthor {
    if writer.government.as_deref() == Some(ctx.account) {
        PostAuthor::Own
    } else if post.status_type.as_deref() == Some("wall_post") || ctx.government.is_own(id.split_once('_').map(|(owner, _)| owner)) {
        PostAuthor::Visitor
    } else {
        PostAuthor::Mention
    }
}

/// An empty list is all of it only if Meta counts none: where only the count was asked, nothing is shown.
fn is_complete(list: &List<Comment>) -> bool {
    let shown = list.sent() > 0 || list.total == Some(0);
    shown && list.is_complete() && list.data.iter().filter_map(|comment| comment.comments.as_ref()).all(List::is_complete)
}

fn tags(found: &[Tagged]) -> Vec<Tag> {
    let tags = found.iter().map(|tag| Tag { id: tag.id.clone(), name: tag.name.as_deref().map(Text::new) });
    tags.filter(|tag| tag.id.is_some() || tag.name.is_some()).collect()
}
