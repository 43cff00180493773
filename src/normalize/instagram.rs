//! Media and comments of Instagram.

use super::{
    Context, Normalized, PostRef, PostSeen,
    draft::{Draft, usable},
    facebook::thread,
    government::{Writer, writer},
};
use crate::{
    domain::{
        Kind, Object, Time,
        message::{Attachment, Post, PostAuthor, ThreadKey},
    },
    graph::wire::{
        List, Profile,
        instagram::{Comment, Media},
    },
};

/// A medium of the account's own with the comments shown with it. It is no message.
pub fn media(ctx: &Context, found: &Media) -> Normalized {
    let mut out = Normalized::default();
    let Some(id) = usable(found.id.as_deref()) else {
        out.note("a medium without a usable id", None);
        for comment in found.comments.iter().flat_map(|list| &list.data) {
            out.note("a comment under a medium without a usable id", comment.id.as_deref());
        }
        return out;
    };
    let Some(post) = post(found, id, PostAuthor::Own, None) else {
        out.note("no readable time", Some(id));
        let post = PostRef { external_id: id.to_owned(), author: PostAuthor::Own, author_id: None, permalink: found.permalink.clone() };
        return found.comments.iter().fold(out, |out, list| comments_into(ctx, &post, list, out));
    };
    let reference = PostRef::from(&post);
    // nothing shown is all of it only if Meta counts none
    let shown = found.comments.as_ref().filter(|list| list.sent() > 0);
    let inline_complete = shown.map_or(found.comments_count == Some(0), is_complete);
    out.posts.push(PostSeen { post, inline_complete });
    found.comments.iter().fold(out, |out, list| comments_into(ctx, &reference, list, out))
}

/// Comments under a medium with the replies shown with them, or replies under one comment (`parent_id` says which).
pub fn media_comments(ctx: &Context, post: &PostRef, list: &List<Comment>) -> Normalized {
    comments_into(ctx, post, list, Normalized::default())
}

/// A medium of somebody else in which the account is tagged. Its comments can't be read.
pub fn tagged_media(ctx: &Context, found: &Media) -> Normalized {
    let mut out = Normalized::default();
    let writer = writer(ctx, &mut out, &Profile { username: found.username.clone(), ..Profile::default() }, false);
    if writer.government.as_deref() == Some(ctx.account) {
        return out; // the account tagged itself
    }
    let Some(id) = usable(found.id.as_deref()) else {
        out.note("a medium without a usable id", None);
        return out;
    };
    out.posts.extend(post(found, id, PostAuthor::Mention, writer.id()).map(|post| PostSeen { post, inline_complete: false }));
    let kind = match found.media_type.as_deref() {
        Some("VIDEO") => "video",
        _ => "image",
    };
    let draft = Draft {
        object: Object::Post,
        kind: Kind::Mention,
        id: Some(id),
        time: found.timestamp.as_deref(),
        writer,
        thread: ThreadKey { kind: Kind::Mention, name: id.to_owned(), post: None, citizen: None },
        parent: None,
        top_level: false,
        text: found.caption.as_deref(),
        attachments: vec![Attachment { kind: kind.to_owned(), url: None }],
        reactions: Vec::new(),
        tags: Vec::new(),
        replies_to_other: false,
        hidden: false,
        private_reply: None,
        permalink: found.permalink.clone(),
    };
    draft.finish(ctx, &mut out);
    out
}

fn post(found: &Media, id: &str, author: PostAuthor, author_id: Option<&str>) -> Option<Post> {
    Some(Post {
        external_id: id.to_owned(),
        author,
        author_id: author_id.map(str::to_owned),
        created_at: Time::parse(found.timestamp.as_deref()?)?.floor_secs(),
        updated_at: None,
        total: found.comments_count,
        permalink: found.permalink.clone(),
        read_at: None,
    })
}

fn comments_into(ctx: &Context, post: &PostRef, list: &List<Comment>, mut out: Normalized) -> Normalized {
    out.unread(&list.odd, "a comment nobody can read");
    for comment in &list.data {
        let author = comment_writer(ctx, &mut out, comment);
        one(ctx, post, comment, author.clone(), comment.parent_id.as_deref().map(|id| (id, None)), &mut out);
        let Some(replies) = &comment.replies else { continue };
        out.unread(&replies.odd, "a reply nobody can read");
        for reply in &replies.data {
            let replier = comment_writer(ctx, &mut out, reply);
            let above = reply.parent_id.as_deref().or(comment.id.as_deref()).unwrap_or_default();
            one(ctx, post, reply, replier, Some((above, Some(&author))), &mut out);
        }
    }
    out
}

/// `above`: the id of the comment replied to and, if it was shown, who wrote it.
fn one(ctx: &Context, post: &PostRef, comment: &Comment, writer: Writer, above: Option<(&str, Option<&Writer>)>, out: &mut Normalized) {
    let above_id = above.map(|(id, _)| id.to_owned());
    let draft = Draft {
        object: Object::Comment,
        kind: Kind::Comment,
        id: comment.id.as_deref(),
        time: comment.timestamp.as_deref(),
        thread: thread(post, comment.id.as_deref().unwrap_or_default(), above_id.clone()),
        parent: Some(above_id.unwrap_or_else(|| post.external_id.clone())),
        top_level: above.is_none(),
        text: comment.text.as_deref(),
        attachments: Vec::new(),
        reactions: Vec::new(),
        tags: Vec::new(),
        replies_to_other: above.and_then(|(_, other)| other).is_some_and(|other| writer.is_other_citizen(other)),
        hidden: comment.hidden == Some(true),
        private_reply: None,
        permalink: post.permalink.clone(),
        writer,
    };
    draft.finish(ctx, out);
}

/// `user` is there only when the account itself wrote it; the user name may stand beside `from`.
fn comment_writer(ctx: &Context, out: &mut Normalized, comment: &Comment) -> Writer {
    let mut profile = comment.from.clone().unwrap_or_default();
    profile.username = profile.username.or_else(|| comment.username.clone());
    profile.id = profile.id.or_else(|| comment.user.as_ref()?.id.clone());
    writer(ctx, out, &profile, comment.user.is_some())
}

fn is_complete(list: &List<Comment>) -> bool {
    list.is_complete() && list.data.iter().filter_map(|comment| comment.replies.as_ref()).all(List::is_complete)
}
