//! Which `out` messages came so quickly that a text sent to several threads counts as automatic (semantics.md, Tickets, "Automatic"). Pure.

use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization as _;

use crate::{
    domain::{Direction, view::ThreadView},
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
    let names: Vec<String> = order
        .iter()
        .filter(|m| m.seen.direction == Direction::In)
        .filter_map(|m| m.seen.author.as_ref())
        .flat_map(|author| author.name.iter().chain(&author.username))
        .flat_map(|name| {
            let full = plain(name.as_str());
            let first = full.split(' ').next().unwrap_or_default().to_owned();
            [full, first]
        })
        .filter(|name| !name.is_empty())
        .collect();
    order
        .windows(2)
        .filter(|pair| pair[1].seen.direction == Direction::Out && !pair[1].seen.text.is_blank())
        .filter(|pair| pair[1].seen.created_at.since(pair[0].seen.created_at) <= within)
        .map(|pair| Quick { account: view.account, hash: hash(pair[1].seen.text.as_str(), &names), thread: view.id, message: pair[1].id })
        .collect()
}

/// Lower case, one space between words.
fn plain(text: &str) -> String {
    text.nfkc().collect::<String>().to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Of a text, case, spaces and the person's name aside.
fn hash(text: &str, names: &[String]) -> String {
    let mut text = plain(text);
    let mut longest_first: Vec<&String> = names.iter().collect();
    longest_first.sort_by_key(|name| std::cmp::Reverse(name.len()));
    for name in longest_first {
        text = text.replace(name.as_str(), "");
    }
    hex::encode(Sha256::digest(plain(&text)))
}
