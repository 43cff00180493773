//! A Page: its feed with comments, posts of others that tag it, and what lies further back (polling-scheme.md).

use std::collections::BTreeMap;

use super::pass::{Pass, PassError, unknown};
use crate::{
    domain::{
        Time,
        message::{Post, key_of},
    },
    graph::{
        GraphError, Next, Request,
        facebook::{self as ask, Depth, PAGE_MAX},
        wire::{List, facebook as wire},
    },
    normalize::{self, Normalized, PostRef, PostSeen},
    store::{accounts, intake::Proof},
};

/// What is asked at once where Meta can answer it, and what instead where it can't.
const DEPTHS: [Depth; 4] = [
    Depth { posts: 25, comments: 10, rich: true },
    Depth { posts: 15, comments: 5, rich: true },
    Depth { posts: 10, comments: 3, rich: true },
    Depth { posts: 10, comments: 3, rich: false },
];
/// Comments a page of a full read.
const COMMENTS: u32 = 50;
/// An empty page with `next` goes on, but not for ever.
const PAGES_MAX: usize = 2000;

/// Reads the feed from the top; on the first read back to the backfill. How much was new.
pub async fn feed(pass: &Pass<'_>, first: bool) -> Result<usize, PassError> {
    let mut new = 0;
    let mut after: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let began_at = pass.now();
        let page: List<wire::Post> = shrinking(pass, |depth| ask::feed(&pass.spec.id, depth, after.as_deref())).await?;
        let oldest = page.data.iter().filter_map(|post| post.created_time.as_deref().and_then(Time::parse)).min();
        new += posts(pass, began_at, &page, first).await?;
        let goes_on = first && oldest.is_none_or(|at| at >= pass.opens_from(began_at));
        match page.next() {
            Some(cursor) if goes_on || page.data.is_empty() => after = Some(cursor.to_owned()),
            _ => break,
        }
    }
    Ok(new)
}

async fn shrinking(pass: &Pass<'_>, request: impl Fn(Depth) -> Request) -> Result<List<wire::Post>, GraphError> {
    let mut answer = pass.get(&request(DEPTHS[0])).await;
    for depth in &DEPTHS[1..] {
        match &answer {
            Err(error) if matches!(error.next, Next::Shrink | Next::Field) => answer = pass.get(&request(*depth)).await,
            _ => break,
        }
    }
    answer
}

/// Takes one page of posts: what its inline comments explain as they are, the rest by reading the post's comments.
async fn posts(pass: &Pass<'_>, began_at: Time, page: &List<wire::Post>, first: bool) -> Result<usize, PassError> {
    let ids: Vec<&str> = page.data.iter().filter_map(|post| post.id.as_deref()).collect();
    let stored = accounts::posts(&pass.tools.db, pass.account, &ids).await?;
    let shown: Vec<Normalized> = page.data.iter().map(|post| normalize::feed_post(&pass.context(), post)).collect();
    let all: Vec<_> = shown.iter().flat_map(|one| one.messages.iter().cloned()).collect();
    let known = pass.known(&all).await?;
    let mut batch = Normalized { odd: unread(page), ..Normalized::default() };
    let (mut settled, mut proofs, mut to_read) = (Vec::new(), Vec::new(), Vec::new());
    for one in shown {
        for PostSeen { post, inline_complete } in &one.posts {
            let before = stored.get(key_of(&post.external_id));
            let fresh = unknown(one.messages.iter().filter(|m| m.object == crate::domain::Object::Comment), &known) as i64;
            let same = before.is_some_and(|before| before.total == post.total && before.updated_at == post.updated_at && fresh == 0);
            let explained = before.is_some_and(|before| {
                before.read_at.is_some() && fresh > 0 && before.total.zip(post.total).is_some_and(|(old, new)| new - old == fresh)
            });
            if *inline_complete {
                proofs.push(Proof::Post(post.external_id.clone()));
                settled.push(Post { read_at: Some(began_at), ..post.clone() });
            } else if same || explained {
                settled.push(post.clone());
            } else {
                to_read.push((post.clone(), before.is_none() || first));
            }
        }
        batch = batch.and(Normalized { posts: Vec::new(), ..one });
    }
    let mut new = pass.take(began_at, batch, settled, proofs).await?;
    for (post, whole) in to_read {
        new += comments(pass, &post, whole).await?;
    }
    Ok(new)
}

fn unread(page: &List<wire::Post>) -> Vec<normalize::Odd> {
    page.odd.iter().map(|element| normalize::Odd { what: "a post nobody can read", id: element.id.clone() }).collect()
}

/// Reads the comments of a post: in whole, or down to a page of which everything is known while their number did not fall.
pub async fn comments(pass: &Pass<'_>, post: &Post, whole: bool) -> Result<usize, PassError> {
    let began_at = pass.now();
    let before = accounts::posts(&pass.tools.db, pass.account, &[&post.external_id]).await?.remove(key_of(&post.external_id));
    let grew = before.as_ref().and_then(|before| before.total).zip(post.total).is_some_and(|(old, new)| new > old);
    let reference = PostRef::from(post);
    let mut found = Normalized::default();
    let mut after: Option<String> = None;
    let mut complete = false;
    for _ in 0..PAGES_MAX {
        let page: List<wire::Comment> = pass.get(&ask::post_comments(&post.external_id, COMMENTS, after.as_deref())).await?;
        let one = normalize::comments(&pass.context(), &reference, &page, &BTreeMap::new());
        let known = pass.known(&one.messages).await?;
        let nothing_new = !one.messages.is_empty() && unknown(&one.messages, &known) == 0;
        found = found.and(one);
        let Some(cursor) = page.next() else {
            complete = !page.has_next;
            break;
        };
        if nothing_new && grew && !whole && descends(&found) {
            break;
        }
        after = Some(cursor.to_owned());
    }
    let proofs = if complete { vec![Proof::Post(post.external_id.clone())] } else { Vec::new() };
    let read_at = if complete { Some(began_at) } else { None };
    Ok(pass.take(began_at, found, vec![Post { read_at, ..post.clone() }], proofs).await?)
}

/// Whether the newest came first, as asked: only then does a known page end the search.
fn descends(found: &Normalized) -> bool {
    found.messages.windows(2).all(|pair| pair[0].created_at >= pair[1].created_at)
}

/// Looks at older posts in the horizon by their counts, and at posts of others that tag the Page.
pub async fn sweep(pass: &Pass<'_>, mentions: bool) -> Result<usize, PassError> {
    let mut new = 0;
    let horizon = pass.now().minus(pass.tools.settings.poll.comment_horizon);
    let mut after: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let page: List<wire::Post> = pass.get(&ask::feed_counts(&pass.spec.id, after.as_deref())).await?;
        let ids: Vec<&str> = page.data.iter().filter_map(|post| post.id.as_deref()).collect();
        let stored = accounts::posts(&pass.tools.db, pass.account, &ids).await?;
        for counted in &page.data {
            let Some(id) = counted.id.as_deref() else { continue };
            let total = counted.comments.as_ref().and_then(|list| list.total);
            let updated_at = counted.updated_time.as_deref().and_then(Time::parse);
            match stored.get(key_of(id)) {
                Some(known) if known.total == total && known.updated_at == updated_at => {}
                Some(known) => new += comments(pass, &Post { updated_at, total, ..known.clone() }, true).await?,
                None => {
                    let began_at = pass.now();
                    let post: wire::Post = pass.get(&ask::post(id, DEPTHS[0])).await?;
                    let page = List { data: vec![post], ..List::default() };
                    new += posts(pass, began_at, &page, true).await?;
                }
            }
        }
        let oldest = page.data.iter().filter_map(|post| post.created_time.as_deref().and_then(Time::parse)).min();
        match page.next() {
            Some(cursor) if oldest.is_none_or(|at| at >= horizon) => after = Some(cursor.to_owned()),
            _ => break,
        }
    }
    if mentions {
        new += tagged(pass).await?;
    }
    Ok(new)
}

/// Posts of others that tag the Page, down to a list of which every post is known.
async fn tagged(pass: &Pass<'_>) -> Result<usize, PassError> {
    let mut new = 0;
    let mut after: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let began_at = pass.now();
        let page: List<wire::Post> = pass.get(&ask::tagged(&pass.spec.id, PAGE_MAX, after.as_deref())).await?;
        let found = page.data.iter().fold(Normalized::default(), |all, post| all.and(normalize::feed_post(&pass.context(), post)));
        let fresh = unknown(&found.messages, &pass.known(&found.messages).await?);
        let posts = found.posts.iter().map(|seen| seen.post.clone()).collect();
        new += pass.take(began_at, found, posts, Vec::new()).await?;
        match page.next() {
            Some(cursor) if fresh > 0 || page.data.is_empty() => after = Some(cursor.to_owned()),
            _ => break,
        }
    }
    Ok(new)
}
