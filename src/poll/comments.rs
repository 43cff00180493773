//! Every comment and reply under one post or medium.

use std::collections::BTreeMap;

use super::{
    pass::{Pass, PassError, unknown},
    posts::PAGES_MAX,
    shelf,
};
use crate::{
    domain::{Direction, message::Post},
    graph::{
        facebook,
        instagram::{self, PAGE_MAX},
        wire::{List, facebook as page, instagram as media},
    },
    normalize::{self, Normalized, PostRef},
    store::intake::Proof,
};

/// Comments a page of a Page's post.
const COMMENTS: u32 = 50;

/// How far the comments of a post are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// All of them.
    Whole,
    /// To a page of which everything is known: their number grew, and nothing else is looked for.
    ToKnown,
}

/// Reads the comments of a post.
pub async fn read(pass: &Pass<'_>, post: &Post, depth: Depth) -> Result<usize, PassError> {
    let began_at = pass.now();
    let reference = PostRef::from(post);
    let mut found = Normalized::default();
    let mut after: Option<String> = None;
    let (mut complete, mut counted) = (false, None);
    for _ in 0..PAGES_MAX {
        let (one, next, has_next) = if pass.is_page() {
            let page: List<page::Comment> = pass.get(&facebook::post_comments(&post.external_id, COMMENTS, after.as_deref())).await?;
            let next = page.next().map(str::to_owned);
            counted = page.total;
            (normalize::comments(&pass.context(), &reference, &page, &BTreeMap::new()), next, page.has_next)
        } else {
            let page: List<media::Comment> = pass.get(&instagram::media_comments(&post.external_id, PAGE_MAX, after.as_deref())).await?;
            let next = page.next().map(str::to_owned);
            let top = normalize::media_comments(&pass.context(), &reference, &page);
            (top.and(replies(pass, &reference, &page).await?), next, page.has_next)
        };
        let known = pass.known(&one.messages).await?;
        let nothing_new = !one.messages.is_empty() && unknown(&one.messages, &known) == 0;
        found = found.and(one);
        let Some(cursor) = next else {
            complete = !has_next;
            break;
        };
        // Of Instagram a reply may stand under the oldest comment: only Pages give everything in one order.
        if nothing_new && depth == Depth::ToKnown && pass.is_page() && descends(&found) {
            break;
        }
        after = Some(cursor);
    }
    if complete && found.messages.is_empty() && !pass.is_page() && post.total != Some(0) {
        counted = shelf::recount(pass, post).await?.total;
    }
    // Meta counts what it does not show, and shows nothing of citizens: it may be this app to which it shows nothing any more.
    let citizens = found.messages.iter().any(|message| message.direction == Direction::In);
    complete &= citizens || counted.is_none_or(|counted| counted <= found.messages.len() as i64);
    let proofs = match complete {
        false => Vec::new(),
        true if found.odd.is_empty() => vec![Proof::Post(post.external_id.clone())],
        // What nobody could read may be what was not shown: nothing is missing, and only what was shown is proved.
        true => found.messages.iter().map(|message| Proof::Unchanged(message.thread.kind, message.thread.name.clone())).collect(),
    };
    let read_at = complete.then_some(began_at);
    Ok(pass.take(began_at, found, vec![Post { read_at, ..post.clone() }], proofs).await?)
}

/// The replies that were not shown with their comments.
async fn replies(pass: &Pass<'_>, post: &PostRef, page: &List<media::Comment>) -> Result<Normalized, PassError> {
    let mut found = Normalized::default();
    for comment in &page.data {
        let (Some(id), Some(replies)) = (&comment.id, &comment.replies) else { continue };
        let mut after = replies.next().map(str::to_owned);
        while let Some(cursor) = after {
            let page: List<media::Comment> = pass.get(&instagram::replies(id, Some(&cursor))).await?;
            found = found.and(normalize::media_comments(&pass.context(), post, &page));
            after = page.next().map(str::to_owned);
        }
    }
    Ok(found)
}

/// Whether the newest came first, as asked: only then does a known page end the search.
fn descends(found: &Normalized) -> bool {
    found.messages.windows(2).all(|pair| pair[0].created_at >= pair[1].created_at)
}
