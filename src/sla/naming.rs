//! Whom an `out` names of those who wait (semantics.md, Tickets, "Whom an `out` answers"). Pure.

use std::collections::BTreeMap;

use crate::domain::{Direction, Text, message::Message, view::ThreadView};

/// What is known of the citizens of a thread, for telling whom an `out` names.
pub struct People {
    /// Author key, then id, name and user name in lower case.
    known: BTreeMap<String, Vec<Person>>,
}

struct Person {
    id: Option<String>,
    name: Option<String>,
    username: Option<String>,
}

impl People {
    /// Of a thread.
    pub fn of(view: &ThreadView) -> Self {
        let mut known: BTreeMap<String, Vec<Person>> = BTreeMap::new();
        for message in view.messages.iter().filter(|m| m.seen.direction == Direction::In) {
            if let Some(author) = &message.seen.author {
                let lower = |text: &Option<Text>| text.as_ref().map(|t| t.as_str().trim().to_lowercase());
                known.entry(message.author_key()).or_default().push(Person {
                    id: author.id.clone(),
                    name: lower(&author.name),
                    username: lower(&author.username),
                });
            }
        }
        Self { known }
    }

    fn any(&self, author: &str, test: impl Fn(&Person) -> bool) -> bool {
        self.known.get(author).is_some_and(|people| people.iter().any(test))
    }

    /// The waiting citizens whom a message names: by a tag's id, or else by its name if that is exactly one of theirs; or by `@username`.
    pub fn named<'a>(&self, message: &Message, waiting: impl Iterator<Item = &'a String> + Clone) -> Vec<String> {
        let mut named = Vec::new();
        for tag in &message.seen.tags {
            let by_id: Vec<_> = waiting
                .clone()
                .filter(|author| tag.id.as_ref().is_some_and(|id| self.any(author, |p| p.id.as_ref() == Some(id))))
                .collect();
            let by_name = || {
                let name = tag.name.as_ref().map(|name| name.as_str().trim().trim_start_matches('@').to_lowercase());
                let same = |p: &Person| name.is_some() && (p.name == name || p.username == name);
                waiting.clone().filter(|author| self.any(author, same)).collect::<Vec<_>>()
            };
            let found = if by_id.is_empty() { by_name() } else { by_id };
            if let [one] = found[..] {
                named.push(one.clone());
            }
        }
        let text = message.seen.text.as_str().to_lowercase();
        for author in waiting {
            if self.any(author, |p| p.username.as_ref().is_some_and(|username| mentions(&text, username))) {
                named.push(author.clone());
            }
        }
        named.sort();
        named.dedup();
        named
    }
}

/// Whether a lower-case text holds `@username` as a whole.
fn mentions(text: &str, username: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    !username.is_empty()
        && text.match_indices('@').any(|(at, _)| {
            text[at + 1..].strip_prefix(username).is_some_and(|rest| {
                let rest = rest.trim_start_matches('.');
                !rest.starts_with(part_of_name)
            })
        })
}
