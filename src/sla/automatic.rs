//! Which `out` messages came so quickly that a text sent to several threads counts as automatic (semantics.md, Tickets, "Automatic"). Pure.

use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization as _;

use crate::{
    domain::{Direction, Text, view::ThreadView},
    store::tickets::Quick,
};

/// The `out` messages of a thread that came within `within` of the message before them.
pub fn quick(view: &ThreadView, within: SignedDuration) -> Vec<Quick> {
    let mut order: Vec<_> = view.messages.iter().collect();
    order.sort_by(|a, b| {
        let rank = |d| u8::from(d == Direction::Out);
        let key = |m: &crate::domain::message::Message| (m.seen.created_at, rank(m.seen.direction));
        key(a).cmp(&key(b)).then_with(|| a.seen.external_id.cmp(&b.seen.external_id))
    });
    let mut names: Vec<Vec<String>> = order
        .iter()
        .filter(|m| m.seen.direction == Direction::In)
        .filter_map(|m| m.seen.author.as_ref())
        .flat_map(|author| {
            let full = |name: &Option<Text>| name.as_ref().map(|name| words(name.as_str())).unwrap_or_default();
            let name = full(&author.name);
            // Part of a user name is no name: an official may well write "Siti" by hand to @siti_303.
            [name.iter().take(1).cloned().collect(), name, full(&author.username)]
        })
        .filter(|name| !name.is_empty())
        .collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    order
        .windows(2)
        .filter(|pair| pair[1].seen.direction == Direction::Out && !pair[1].seen.text.is_blank())
        .filter(|pair| pair[1].seen.created_at.since(pair[0].seen.created_at) <= within)
        .map(|pair| Quick { account: view.account, hash: hash(pair[1].seen.text.as_str(), &names), thread: view.id, message: pair[1].id })
        .collect()
}

/// The words of a text in lower case; what is neither letter nor digit parts them.
fn words(text: &str) -> Vec<String> {
    let text = text.nfkc().collect::<String>().to_lowercase();
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Of a text, case, spaces and the person's name aside. A name counts only as whole words: "Ani" is not taken out of "melayani".
fn hash(text: &str, names: &[Vec<String>]) -> String {
    let words = words(text);
    let mut rest = words.as_slice();
    let mut hasher = Sha256::new();
    while let [word, after @ ..] = rest {
        if let Some(name) = names.iter().find(|name| rest.starts_with(name)) {
            rest = &rest[name.len()..];
        } else {
            hasher.update(word);
            rest = after;
        }
    }
    hex::encode(hasher.finalize())
}
