//! Conversations of Messenger and Instagram.

use super::{
    Context, Normalized, attachment,
    draft::{Draft, usable},
    government::{Writer, writer},
};
use crate::{
    domain::{Kind, Object, message::ThreadKey},
    graph::wire::facebook::{Conversation, Message},
};

/// The messages of a conversation, as far as they were shown.
pub fn conversation(ctx: &Context, found: &Conversation) -> Normalized {
    let mut out = Normalized::default();
    let Some(messages) = &found.messages else {
        if usable(found.id.as_deref()).is_none() {
            out.note("a conversation without a usable id", None);
        }
        return out;
    };
    out.unread(&messages.odd, "a message nobody can read");
    let Some(name) = usable(found.id.as_deref()) else {
        for message in &messages.data {
            out.note("a message in a conversation without a usable id", message.id.as_deref());
        }
        return out;
    };
    let written: Vec<(&Message, Writer)> =
        messages.data.iter().map(|message| (message, writer(ctx, &mut out, &message.from.clone().unwrap_or_default(), false))).collect();
    let citizen = citizen(ctx, found, &written).filter(|id| usable(Some(id)).is_some());
    let thread = ThreadKey { kind: Kind::Message, name: name.to_owned(), post: None, citizen };
    for (message, writer) in written {
        let draft = Draft {
            object: Object::Message,
            kind: Kind::Message,
            id: message.id.as_deref(),
            time: message.created_time.as_deref(),
            writer,
            thread: thread.clone(),
            parent: None,
            top_level: false,
            text: message.message.as_deref(),
            attachments: attachment::of_message(message),
            reactions: attachment::reactions(message),
            tags: Vec::new(),
            replies_to_other: false,
            hidden: false,
            private_reply: None,
            permalink: found.link.as_deref().filter(|link| !link.is_empty()).map(absolute),
        };
        draft.finish(ctx, &mut out);
    }
    out
}

/// The citizen's id: the participant that is not the account, else the author of a message that is a citizen's.
fn citizen(ctx: &Context, found: &Conversation, written: &[(&Message, Writer)]) -> Option<String> {
    let others = found
        .participants
        .iter()
        .flat_map(|list| &list.data)
        .filter(|profile| !ctx.government.is_own(profile.id.as_deref()) && !ctx.government.is_own_name(profile.username.as_deref()));
    let mut ids = others.filter_map(|profile| profile.id.clone());
    match (ids.next(), ids.next()) {
        (Some(id), None) => Some(id),
        _ => written.iter().filter(|(_, writer)| writer.government.is_none()).find_map(|(_, writer)| writer.id().map(str::to_owned)),
    }
}

/// Meta writes the address of a conversation without its host.
fn absolute(link: &str) -> String {
    if link.starts_with('/') { format!("https://www.facebook.com{link}") } else { link.to_owned() }
}
