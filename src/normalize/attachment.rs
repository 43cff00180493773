//! What hangs on a message, by the few words we have for it. The addresses expire and are never fetched.

use crate::{
    domain::message::{Attachment, Reaction},
    graph::wire::facebook::{self as wire, CommentAttachment, Message, MessageAttachment},
};

fn attachment(kind: &str, url: Option<&String>) -> Attachment {
    Attachment { kind: kind.to_owned(), url: url.filter(|url| !url.is_empty()).cloned() }
}

/// Of a comment. Meta's types are many and undocumented; what is none of ours leads somewhere, like a share.
pub(super) fn of_comment(found: &CommentAttachment) -> Attachment {
    let kind = match found.kind.to_ascii_lowercase() {
        kind if kind.contains("sticker") => "sticker",
        kind if kind.contains("video") => "video",
        kind if ["photo", "image", "album"].iter().any(|word| kind.contains(word)) => "image",
        _ => "share",
    };
    attachment(kind, found.url.as_ref())
}

/// Of a post, of which only the status type tells.
pub(super) fn of_post(status_type: Option<&str>, url: Option<&String>) -> Option<Attachment> {
    let kind = match status_type? {
        "added_photos" => "image",
        "added_video" => "video",
        "shared_story" => "share",
        _ => return None,
    };
    Some(attachment(kind, url))
}

/// Of a direct message, with what else stands in place of a text.
pub(super) fn of_message(message: &Message) -> Vec<Attachment> {
    let mut found: Vec<Attachment> = message.attachments.iter().flat_map(|list| &list.data).map(of_direct).collect();
    if message.sticker.is_some() && !found.iter().any(|one| one.kind == "sticker") {
        found.push(attachment("sticker", message.sticker.as_ref()));
    }
    found.extend(message.shares.iter().flat_map(|list| &list.data).map(|share| attachment("share", share.link.as_ref())));
    let story = message.story.iter();
    found.extend(story.clone().filter_map(|story| Some(attachment("story_reply", story.reply_to.as_ref()?.link.as_ref()))));
    found.extend(story.filter_map(|story| Some(attachment("story_mention", story.mention.as_ref()?.link.as_ref()))));
    if message.is_unsupported == Some(true) || unread(message) {
        found.push(attachment("unsupported", None));
    }
    found
}

/// What was put on a direct message. What nobody can read of it is left out.
pub(super) fn reactions(message: &Message) -> Vec<Reaction> {
    let one = |found: &wire::Reaction| {
        let by = found.users.iter().filter_map(|user| user.id.clone()).collect();
        Some(Reaction { reaction: found.reaction.as_deref()?.into(), by })
    };
    message.reactions.iter().flat_map(|list| &list.data).filter_map(one).collect()
}

/// Something hangs on it that could not be read.
fn unread(message: &Message) -> bool {
    let (files, shares) = (message.attachments.as_ref(), message.shares.as_ref());
    files.is_some_and(|list| !list.odd.is_empty()) || shares.is_some_and(|list| !list.odd.is_empty())
}

fn of_direct(found: &MessageAttachment) -> Attachment {
    let picture = found.image_data.as_ref();
    let film = found.video_data.as_ref().and_then(|film| film.url.as_ref());
    let image = picture.and_then(|picture| picture.url.as_ref());
    let url = film.or(image).or(found.file_url.as_ref());
    let kind = if found.kind == "sticker" || found.sticker_id.is_some() || picture.is_some_and(|p| p.render_as_sticker == Some(true)) {
        "sticker"
    } else if found.video_data.is_some() || found.mime_type.starts_with("video/") {
        "video"
    } else if picture.is_some() || found.mime_type.starts_with("image/") {
        "image"
    } else if found.mime_type.starts_with("audio/") {
        "audio"
    } else if found.file_url.is_some() {
        "file"
    } else {
        "unsupported"
    };
    attachment(kind, url)
}
