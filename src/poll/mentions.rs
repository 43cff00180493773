//! Posts and media of others that tag the account.

use super::{
    pass::{Pass, PassError, unknown},
    posts::PAGES_MAX,
};
use crate::{
    graph::{
        facebook, instagram,
        wire::{List, facebook as page, instagram as media},
    },
    normalize::{self, Normalized},
    store::intake::Proof,
};

/// Reads them down to a list of which everything is known.
pub async fn read(pass: &Pass<'_>) -> Result<usize, PassError> {
    let mut new = 0;
    let mut after: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let began_at = pass.now();
        let (found, next) = if pass.is_page() {
            let list: List<page::Post> = pass.get(&facebook::tagged(&pass.spec.id, facebook::PAGE_MAX, after.as_deref())).await?;
            let show = |all: Normalized, post| all.and(normalize::feed_post(&pass.context(), post));
            (list.data.iter().fold(Normalized::default(), show), list.next().map(str::to_owned))
        } else {
            let list: List<media::Media> = pass.get(&instagram::tags(&pass.spec.id, instagram::PAGE_MAX, after.as_deref())).await?;
            let show = |all: Normalized, medium| all.and(normalize::tagged_media(&pass.context(), medium));
            // Meta says nothing of a next page here: only an empty one ends the list.
            (list.data.iter().fold(Normalized::default(), show), list.after.clone().filter(|_| !list.data.is_empty()))
        };
        let fresh = unknown(&found.messages, &pass.known(&found.messages).await?);
        let ends = fresh == 0 && !found.messages.is_empty();
        if pass.is_page() {
            let posts = found.posts.iter().map(|seen| seen.post.clone()).collect();
            new += pass.take(began_at, found, posts, Vec::new()).await?;
        } else {
            // What stands under another's medium can't be read.
            let unreadable = found.messages.iter().map(|m| Proof::Unreadable(m.thread.kind, m.thread.name.clone())).collect();
            new += pass.take(began_at, found, Vec::new(), unreadable).await?;
        }
        if next.is_none() || ends {
            break;
        }
        after = next;
    }
    Ok(new)
}
