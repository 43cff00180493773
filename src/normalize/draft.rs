//! The last step for every kind of message: what it lacks, whom it names, what it wants.

use super::{
    Context, Normalized,
    government::Writer,
    triage::{Signals, is_bare},
};
use crate::domain::{
    Direction, Kind, Object, Platform, Text, Time,
    message::{Attachment, Author, Reaction, Seen, Tag, ThreadKey},
};

/// The longest id taken: Meta's have at most about 200 bytes, and an index entry of a database must hold it.
const ID_MAX: usize = 512;

/// A message before it was judged.
pub(super) struct Draft<'a> {
    pub object: Object,
    pub kind: Kind,
    pub id: Option<&'a str>,
    pub time: Option<&'a str>,
    pub writer: Writer,
    pub thread: ThreadKey,
    pub parent: Option<String>,
    pub top_level: bool,
    pub text: Option<&'a str>,
    pub attachments: Vec<Attachment>,
    pub reactions: Vec<Reaction>,
    pub tags: Vec<Tag>,
    pub replies_to_other: bool,
    pub hidden: bool,
    pub private_reply: Option<String>,
    pub permalink: Option<String>,
}

/// An id that can be kept.
pub(super) fn usable(id: Option<&str>) -> Option<&str> {
    id.filter(|id| (1..=ID_MAX).contains(&id.len()))
}

impl Draft<'_> {
    /// Adds the message to `out`, or what is wrong with it.
    pub(super) fn finish(self, ctx: &Context, out: &mut Normalized) {
        let Some(external_id) = usable(self.id) else { return out.note("no usable id", None) };
        let Some(created_at) = self.time.and_then(Time::parse) else { return out.note("no readable time", Some(external_id)) };
        let named = [Some(self.thread.name.as_str()), self.parent.as_deref()];
        if named.into_iter().flatten().any(|id| usable(Some(id)).is_none()) {
            return out.note("a parent or thread without a usable id", Some(external_id));
        }
        // Whom Meta names by nothing that can be kept is unknown; what they wrote counts.
        let author = self.writer.author.map(|author| Author { id: author.id.filter(|id| usable(Some(id)).is_some()), ..author });
        let text = Text::new(self.text.unwrap_or_default());
        let sticker = self.attachments.iter().any(|attachment| attachment.kind == "sticker");
        let attachments = self.attachments.iter().any(|attachment| attachment.kind != "sticker");
        let handles = handles(text.as_str());
        let mut tags = self.tags;
        if ctx.platform == Platform::Instagram && self.object != Object::Message {
            tags.extend(handles.iter().map(|name| Tag { id: None, name: Some(Text::new(name)) }));
        }
        let government = ctx.government;
        let is_own = |tag: &Tag| government.is_own(tag.id.as_deref()) || government.is_own_name(tag.name.as_ref().map(Text::as_str));
        let is_government = |tag: &Tag| government.is_named(ctx.platform, tag.id.as_deref(), tag.name.as_ref().map(Text::as_str));
        let public = self.object != Object::Message;
        let tags_own = self.kind == Kind::Mention
            || tags.iter().any(is_own)
            || (public && handles.iter().any(|name| government.is_own_name(Some(name))));
        let others: Vec<&Tag> = tags.iter().filter(|tag| !is_own(tag) && !is_government(tag)).collect();
        let other_names: Vec<&str> = others.iter().filter_map(|tag| tag.name.as_ref()).map(Text::as_str).collect();
        let signals = Signals {
            attachments,
            sticker,
            tags_own,
            tags_others: !others.is_empty(),
            replies_to_other: self.replies_to_other,
            other_names: &other_names,
            public,
        };
        let citizen = self.writer.government.is_none();
        let verdict = citizen.then(|| ctx.rules.incoming(&text, &signals));
        out.messages.push(Seen {
            object: self.object,
            external_id: external_id.to_owned(),
            kind: self.kind,
            direction: if citizen { Direction::In } else { Direction::Out },
            automatic: !citizen && ctx.rules.automatic(text.as_str()),
            needs_answer: verdict.is_some_and(|verdict| verdict.needs_answer),
            asks: verdict.is_some_and(|verdict| verdict.asks),
            urgent: verdict.is_some_and(|verdict| verdict.urgent),
            bare: verdict.map_or_else(|| !attachments && is_bare(text.as_str(), sticker), |verdict| verdict.bare),
            by_page: !citizen,
            government: self.writer.government,
            author: author.filter(|author| *author != Author::default()),
            thread: self.thread,
            parent: self.parent,
            top_level: self.top_level,
            text,
            attachments: self.attachments,
            reactions: self.reactions,
            tags,
            created_at: created_at.floor_secs(),
            hidden: self.hidden,
            tags_own,
            private_reply: self.private_reply,
            permalink: self.permalink,
        });
    }
}

/// User names after `@`, each once. An `@` inside a word belongs to an e-mail address.
fn handles(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    let part_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    for (at, _) in text.match_indices('@') {
        let rest = &text[at + 1..];
        let name = rest[..rest.find(|c| !part_of_name(c)).unwrap_or(rest.len())].trim_end_matches('.');
        let in_word = text[..at].chars().next_back().is_some_and(|before| before.is_alphanumeric() || part_of_name(before));
        // Instagram's user names have at most 30 characters
        if !in_word && (1..=30).contains(&name.len()) && !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::handles;

    #[test]
    fn a_user_name_is_what_stands_after_an_at_sign_outside_a_word() {
        for (text, names) in [
            ("@dinas.kes_rembang. tolong", vec!["dinas.kes_rembang"]),
            ("halo @a,@b dan (@a) 🌊@c", vec!["a", "b", "c"]),
            ("siti@example.org dan @ saja", vec![]),
            ("@1234567890123456789012345678901", vec![]),
            ("@", vec![]),
        ] {
            assert_eq!(handles(text), names, "{text}");
        }
    }
}
