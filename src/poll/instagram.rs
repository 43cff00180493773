//! An Instagram account: its media with comments and replies, media that tag it, and the conversations of both platforms.

use super::pass::{Pass, PassError, unknown};
use crate::{
    domain::{
        Object, Platform, Time,
        account::Login,
        message::{Post, key_of},
    },
    graph::{
        GraphError, Next, Request,
        facebook::{self, Depth},
        instagram as ask,
        wire::{List, facebook::Conversation, instagram as wire},
    },
    normalize::{self, Normalized, PostRef, PostSeen},
    store::{accounts, intake::Proof},
};

const DEPTHS: [Depth; 3] = [
    Depth { posts: 25, comments: 5, rich: true },
    Depth { posts: 10, comments: 5, rich: true },
    Depth { posts: 10, comments: 3, rich: true },
];
const PAGES_MAX: usize = 2000;
/// Conversations a page, smaller where Meta can't answer.
const CONVERSATIONS: [u32; 3] = [25, 10, 5];
/// Newest messages of each.
const MESSAGES: u32 = 5;

/// Reads the media from the top; on the first read back to the backfill.
pub async fn media(pass: &Pass<'_>, first: bool) -> Result<usize, PassError> {
    let mut new = 0;
    let mut after: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let began_at = pass.now();
        let page: List<wire::Media> = shrinking(pass, |depth| ask::media(&pass.spec.id, depth, after.as_deref())).await?;
        let oldest = page.data.iter().filter_map(|medium| medium.timestamp.as_deref().and_then(Time::parse)).min();
        new += page_of_media(pass, began_at, &page).await?;
        let goes_on = first && oldest.is_none_or(|at| at >= pass.opens_from(began_at));
        match page.next() {
            Some(cursor) if goes_on || page.data.is_empty() => after = Some(cursor.to_owned()),
            _ => break,
        }
    }
    Ok(new)
}

async fn shrinking(pass: &Pass<'_>, request: impl Fn(Depth) -> Request) -> Result<List<wire::Media>, GraphError> {
    let mut answer = pass.get(&request(DEPTHS[0])).await;
    for depth in &DEPTHS[1..] {
        match &answer {
            Err(error) if error.next == Next::Shrink => answer = pass.get(&request(*depth)).await,
            _ => break,
        }
    }
    answer
}

async fn page_of_media(pass: &Pass<'_>, began_at: Time, page: &List<wire::Media>) -> Result<usize, PassError> {
    let ids: Vec<&str> = page.data.iter().filter_map(|medium| medium.id.as_deref()).collect();
    let stored = accounts::posts(&pass.tools.db, pass.account, &ids).await?;
    let shown: Vec<Normalized> = page.data.iter().map(|medium| normalize::media(&pass.context(), medium)).collect();
    let all: Vec<_> = shown.iter().flat_map(|one| one.messages.iter().cloned()).collect();
    let known = pass.known(&all).await?;
    let mut batch = Normalized::default();
    let (mut settled, mut proofs, mut to_read) = (Vec::new(), Vec::new(), Vec::new());
    for one in shown {
        for PostSeen { post, inline_complete } in &one.posts {
            let before = stored.get(key_of(&post.external_id));
            let fresh = unknown(&one.messages, &known) as i64;
            let grown = before.and_then(|before| before.total).zip(post.total).map(|(old, new)| new - old);
            if *inline_complete {
                proofs.push(Proof::Post(post.external_id.clone()));
                settled.push(Post { read_at: Some(began_at), ..post.clone() });
            } else if before.is_some_and(|before| before.read_at.is_some()) && grown == Some(fresh) {
                settled.push(post.clone());
            } else {
                to_read.push(post.clone());
            }
        }
        batch = batch.and(Normalized { posts: Vec::new(), ..one });
    }
    let mut new = pass.take(began_at, batch, settled, proofs).await?;
    for post in to_read {
        new += comments(pass, &post).await?;
    }
    Ok(new)
}

/// Reads every comment and reply of a medium.
pub async fn comments(pass: &Pass<'_>, post: &Post) -> Result<usize, PassError> {
    let began_at = pass.now();
    let reference = PostRef::from(post);
    let mut found = Normalized::default();
    let mut after: Option<String> = None;
    let mut complete = false;
    for _ in 0..PAGES_MAX {
        let page: List<wire::Comment> = pass.get(&ask::media_comments(&post.external_id, ask::PAGE_MAX, after.as_deref())).await?;
        found = found.and(normalize::media_comments(&pass.context(), &reference, &page));
        for comment in &page.data {
            let (Some(id), Some(replies)) = (&comment.id, &comment.replies) else { continue };
            let mut more = replies.next().map(str::to_owned);
            while let Some(cursor) = more {
                let page: List<wire::Comment> = pass.get(&ask::replies(id, Some(&cursor))).await?;
                found = found.and(normalize::media_comments(&pass.context(), &reference, &page));
                more = page.next().map(str::to_owned);
            }
        }
        let Some(cursor) = page.next() else {
            complete = !page.has_next;
            break;
        };
        after = Some(cursor.to_owned());
    }
    let proofs = if complete { vec![Proof::Post(post.external_id.clone())] } else { Vec::new() };
    let read_at = if complete { Some(began_at) } else { None };
    Ok(pass.take(began_at, found, vec![Post { read_at, ..post.clone() }], proofs).await?)
}

/// Looks at older media in the horizon by their counts, and at media of others that tag the account.
pub async fn sweep(pass: &Pass<'_>, mentions: bool) -> Result<usize, PassError> {
    let mut new = 0;
    let horizon = pass.now().minus(pass.tools.settings.poll.comment_horizon);
    let mut after: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let page: List<wire::Media> = pass.get(&ask::media_counts(&pass.spec.id, after.as_deref())).await?;
        let ids: Vec<&str> = page.data.iter().filter_map(|medium| medium.id.as_deref()).collect();
        let stored = accounts::posts(&pass.tools.db, pass.account, &ids).await?;
        for counted in &page.data {
            let found = normalize::media(&pass.context(), counted);
            let Some(PostSeen { post, .. }) = found.posts.first() else { continue };
            let same = stored.get(key_of(&post.external_id)).is_some_and(|known| known.total == post.total);
            if !same && post.total != Some(0) {
                new += comments(pass, post).await?;
            }
        }
        let oldest = page.data.iter().filter_map(|medium| medium.timestamp.as_deref().and_then(Time::parse)).min();
        match page.next() {
            Some(cursor) if oldest.is_none_or(|at| at >= horizon) => after = Some(cursor.to_owned()),
            _ => break,
        }
    }
    if mentions {
        new += tags(pass).await?;
    }
    Ok(new)
}

/// Media of others that tag the account, down to a list of which every medium is known. Meta says nothing of a next page here, so
/// only an empty one ends the list.
async fn tags(pass: &Pass<'_>) -> Result<usize, PassError> {
    let mut new = 0;
    let mut after: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let began_at = pass.now();
        let page: List<wire::Media> = pass.get(&ask::tags(&pass.spec.id, ask::PAGE_MAX, after.as_deref())).await?;
        let found = page.data.iter().fold(Normalized::default(), |all, medium| all.and(normalize::tagged_media(&pass.context(), medium)));
        let fresh = unknown(&found.messages, &pass.known(&found.messages).await?);
        let unreadable = found.messages.iter().map(|m| Proof::Unreadable(m.thread.kind, m.thread.name.clone())).collect();
        new += pass.take(began_at, found, Vec::new(), unreadable).await?;
        match page.after.as_deref() {
            Some(cursor) if fresh > 0 => after = Some(cursor.to_owned()),
            _ => break,
        }
    }
    Ok(new)
}

/// Whose conversations are asked for: with Facebook Login the linked Page's.
fn owner<'a>(pass: &'a Pass<'_>) -> &'a str {
    match (pass.spec.login, &pass.spec.page) {
        (Login::Facebook, Some(page)) if !pass.is_page() => page,
        _ => &pass.spec.id,
    }
}

/// Reads conversations from the top until a whole page is known; on the first read back to the backfill.
pub async fn conversations(pass: &Pass<'_>, first: bool) -> Result<usize, PassError> {
    let mut new = 0;
    let mut after: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let began_at = pass.now();
        let request = |limit| match pass.spec.platform {
            Platform::Facebook => facebook::conversations(owner(pass), limit, MESSAGES, after.as_deref()),
            Platform::Instagram => ask::conversations(owner(pass), limit, MESSAGES, after.as_deref()),
        };
        let mut answer: Result<List<Conversation>, GraphError> = pass.get(&request(CONVERSATIONS[0])).await;
        for limit in &CONVERSATIONS[1..] {
            match &answer {
                Err(error) if error.next == Next::Shrink => answer = pass.get(&request(*limit)).await,
                _ => break,
            }
        }
        let page = answer?;
        let shown: Vec<Normalized> = page.data.iter().map(|one| normalize::conversation(&pass.context(), one)).collect();
        let all: Vec<_> = shown.iter().flat_map(|one| one.messages.iter().cloned()).collect();
        let known = pass.known(&all).await?;
        let fresh = unknown(&all, &known);
        let (mut batch, mut proofs, mut alone) = (Normalized::default(), Vec::new(), Vec::new());
        for (wire, one) in page.data.iter().zip(shown) {
            let name = wire.id.clone().unwrap_or_default();
            let more = wire.messages.as_ref().is_none_or(|list| !list.is_complete());
            if more && unknown(&one.messages, &known) == one.messages.len() {
                alone.push(name);
            } else {
                let from = if more { one.messages.iter().map(|m| m.created_at).min() } else { None };
                proofs.push(Proof::Conversation { name, from });
            }
            batch = batch.and(one);
        }
        new += pass.take(began_at, batch, Vec::new(), proofs).await?;
        for name in alone {
            new += conversation(pass, &name).await?;
        }
        let oldest = page.data.iter().filter_map(|one| one.updated_time.as_deref().and_then(Time::parse)).min();
        let goes_on = if first { oldest.is_none_or(|at| at >= pass.opens_from(began_at)) } else { fresh > 0 };
        match page.next() {
            Some(cursor) if goes_on || page.data.is_empty() => after = Some(cursor.to_owned()),
            _ => break,
        }
    }
    Ok(new)
}

/// Reads one conversation with every message that can be read. Twenty of twenty unknown in a conversation known before is a gap.
pub async fn conversation(pass: &Pass<'_>, name: &str) -> Result<usize, PassError> {
    let began_at = pass.now();
    let request = match pass.spec.platform {
        Platform::Facebook => facebook::conversation(name),
        Platform::Instagram => ask::conversation(name),
    };
    let found: Conversation = pass.get(&request).await?;
    let one = normalize::conversation(&pass.context(), &found);
    let known = pass.known(&one.messages).await?;
    let all_new = unknown(&one.messages, &known) == one.messages.len();
    let more = found.messages.as_ref().is_some_and(|list| !list.is_complete());
    if all_new && more && one.messages.iter().filter(|m| m.object == Object::Message).count() >= facebook::READABLE_MESSAGES as usize {
        let (opd, account, platform) = (pass.opd.slug.as_str(), pass.spec.id.as_str(), pass.spec.platform.word());
        tracing::warn!(
            event = "message.gap",
            opd,
            account,
            platform,
            thread = name,
            "more new messages than Meta shows; older ones can be read in the inbox only"
        );
    }
    let from = if more { one.messages.iter().map(|m| m.created_at).min() } else { None };
    Ok(pass.take(began_at, one, Vec::new(), vec![Proof::Conversation { name: name.to_owned(), from }]).await?)
}
