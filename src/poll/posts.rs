//! What an account published: the newest at every poll, the rest by its counts.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::{
    comments::{self, Depth},
    pass::{Pass, PassError, unknown},
    shelf::{self, Page, Shelf},
};
use crate::{
    domain::{
        Object, Time,
        message::{Post, PostAuthor, key_of},
    },
    graph::Next,
    normalize::{Normalized, PostSeen},
    store::{accounts, hints, intake::Proof},
};

/// A list goes on while it has a next page, but not for ever.
pub(super) const PAGES_MAX: usize = 2000;
/// Every list, the main one first.
const ALL: [Shelf; 4] = [Shelf::Main, Shelf::Photos, Shelf::Videos, Shelf::Reels];

/// Posts that are read one after another: one that can't be read stops none of the others.
#[derive(Default)]
struct Tries {
    new: usize,
    failed: Option<PassError>,
}

impl Tries {
    /// Goes on, unless what failed is the whole account's or ours.
    fn add(&mut self, outcome: Result<usize, PassError>) -> Result<(), PassError> {
        match outcome {
            Ok(new) => self.new += new,
            Err(failed @ PassError::Store(_)) => return Err(failed),
            Err(failed) if matches!(failed.next(), Next::Later { .. } | Next::Token) => return Err(failed),
            Err(failed) => drop(self.failed.get_or_insert(failed)),
        }
        Ok(())
    }

    /// How much was new, or what failed first.
    fn end(self) -> Result<usize, PassError> {
        self.failed.map_or(Ok(self.new), Err)
    }
}

/// Reads the newest posts with their newest comments; on the first read back to the backfill. How much was new.
pub async fn newest(pass: &Pass<'_>, shrunk: &mut usize, first: bool) -> Result<usize, PassError> {
    let mut tries = Tries::default();
    let mut after: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let began_at = pass.now();
        let page = shelf::newest(pass, shrunk, after.as_deref()).await?;
        if let (None, Some(_), Some(oldest)) = (&after, &page.after, page.oldest) {
            pass.newest_since.get_or_init(|| oldest);
        }
        let goes_on = page.empty || (first && page.oldest.is_none_or(|at| at >= pass.opens_from(began_at)));
        after = page.after.clone();
        tries.add(take(pass, began_at, page, first).await)?;
        if after.is_none() || !goes_on {
            break;
        }
    }
    tries.end()
}

/// Takes one page of posts: what the comments shown with them explain as it is, the rest by reading the post's comments.
async fn take(pass: &Pass<'_>, began_at: Time, page: Page, first: bool) -> Result<usize, PassError> {
    let ids: Vec<&str> = page.posts().map(|seen| seen.post.external_id.as_str()).collect();
    let stored = accounts::posts(&pass.tools.db, pass.account, &ids).await?;
    let all: Vec<_> = page.shown.iter().flat_map(|one| one.messages.iter().cloned()).collect();
    let known = pass.known(&all).await?;
    let mut batch = Normalized::default();
    let (mut settled, mut proofs, mut to_read) = (Vec::new(), Vec::new(), Vec::new());
    for one in page.shown {
        for PostSeen { post, inline_complete } in &one.posts {
            let before = stored.get(key_of(&post.external_id));
            let fresh = unknown(one.messages.iter().filter(|m| m.object == Object::Comment), &known) as i64;
            let grown = before.and_then(|before| before.total).zip(post.total).map(|(old, new)| new - old);
            let read_before = before.is_some_and(|before| before.read_at.is_some());
            let same = fresh == 0 && before.is_some_and(|before| before.total == post.total && before.updated_at == post.updated_at);
            if *inline_complete && one.odd.is_empty() {
                proofs.push(Proof::Post(post.external_id.clone()));
                settled.push(Post { read_at: Some(began_at), ..post.clone() });
            } else if read_before && (same || (fresh > 0 && grown == Some(fresh))) {
                settled.push(post.clone());
            } else if is_large(pass, before, post.total, began_at) {
                // What was shown with it is taken; its total stays as it was, so that the rest is read when its time comes.
            } else {
                let grew = !first && grown.is_some_and(|more| more > 0);
                to_read.push((post.clone(), if grew { Depth::ToKnown } else { Depth::Whole }));
            }
        }
        batch = batch.and(Normalized { posts: Vec::new(), ..one });
    }
    let mut tries = Tries { new: pass.take(began_at, batch, settled, proofs).await?, failed: None };
    for (post, depth) in to_read {
        tries.add(comments::read(pass, &post, depth).await)?;
    }
    tries.end()
}

/// A medium with more comments than this …
const LARGE: i64 = 500;
/// … is not read in whole again sooner than this: Instagram lists top-level comments only, a page for every fifty of them
/// (polling-scheme.md). Not so before a step.
const LARGE_EVERY: SignedDuration = SignedDuration::from_mins(10);

fn is_large(pass: &Pass<'_>, before: Option<&Post>, total: Option<i64>, now: Time) -> bool {
    let read_lately = before.and_then(|before| before.read_at).is_some_and(|at| now.since(at) < LARGE_EVERY);
    !pass.is_page() && total.is_some_and(|total| total > LARGE) && read_lately
}

/// Posts named by webhooks that are read in one poll.
const NAMED: u32 = 100;

/// Reads the posts that webhooks named, but for what the newest posts showed already. How much was new.
pub async fn named(pass: &Pass<'_>) -> Result<usize, PassError> {
    let (db, began_at) = (&pass.tools.db, pass.now());
    let named = hints::named(db, pass.account, NAMED).await?;
    if named.is_empty() {
        return Ok(0);
    }
    let ids: Vec<&str> = named.iter().map(|hint| hint.post.as_str()).collect();
    let stored = accounts::posts(db, pass.account, &ids).await?;
    let known = accounts::known(db, pass.account, named.iter().map(|hint| (Object::Comment, hint.comment.as_str()))).await?;
    let mut wanted = BTreeMap::new();
    for hint in named.iter().filter(|hint| !known.contains(&(Object::Comment, hint.comment.clone()))) {
        let whole = wanted.entry(hint.post.as_str()).or_insert(false);
        *whole |= hint.comment.is_empty();
    }
    let mut new = 0;
    for (post, whole) in wanted {
        let outcome = match stored.get(key_of(post)) {
            Some(known) => comments::read(pass, known, if whole { Depth::Whole } else { Depth::ToKnown }).await,
            None if pass.is_page() => single(pass, post).await,
            None => continue, // a medium that was never listed: a sweep finds it
        };
        match outcome {
            // What is gone, or not ours to read, is named in vain.
            Err(failed) if !matches!(failed.next(), Next::Gone | Next::Permission | Next::Refused | Next::Field) => return Err(failed),
            outcome => new += outcome.unwrap_or(0),
        }
    }
    hints::followed(db, pass.account, &named, began_at).await?;
    Ok(new)
}

async fn single(pass: &Pass<'_>, id: &str) -> Result<usize, PassError> {
    let began_at = pass.now();
    let page = shelf::single(pass, id).await?;
    take(pass, began_at, page, true).await
}

/// What a sweep looks at besides the counts of the main list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sweep {
    /// The lists of albums, films and reels too.
    pub shelves: bool,
    /// Posts that no list shows any more, one by one.
    pub unlisted: bool,
    /// Everything published since the first of these times that was not read in whole since the second is, whatever its count says: one
    /// comment more and one less cancel out.
    pub whole: Option<(Time, Time)>,
    /// Nothing published before this; `None`: the horizon.
    pub since: Option<Time>,
}

/// Looks at everything in the horizon by its counts, and reads what changed.
pub async fn sweep(pass: &Pass<'_>, wanted: Sweep) -> Result<usize, PassError> {
    let began_at = pass.now();
    let horizon = wanted.since.unwrap_or(began_at.minus(pass.tools.settings.poll.comment_horizon));
    let mut tries = Tries::default();
    let mut listed = std::collections::HashSet::new();
    let shelves = if wanted.shelves { &ALL[..] } else { &ALL[..1] };
    for &shelf in shelves {
        let mut after: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let page = match shelf::counts(pass, shelf, after.as_deref()).await {
                Ok(page) => page,
                // Meta documents reels both as readable and as not; a Page without albums or films refuses too.
                Err(PassError::Graph(error))
                    if shelf != Shelf::Main && !matches!(error.next, Next::Retry | Next::Later { .. } | Next::Token) =>
                {
                    break;
                }
                Err(failed) if shelf == Shelf::Main => return Err(failed),
                Err(failed) => {
                    tries.add(Err(failed))?;
                    break;
                }
            };
            listed.extend(page.posts().map(|seen| key_of(&seen.post.external_id).to_owned()));
            changed(pass, &page, wanted.whole, &mut tries).await?;
            after = page.after;
            if after.is_none() || page.oldest.is_some_and(|at| at < horizon) {
                break;
            }
        }
    }
    if wanted.unlisted {
        for known in accounts::posts_since(&pass.tools.db, pass.account, horizon).await? {
            if !listed.contains(key_of(&known.external_id)) {
                tries.add(unlisted(pass, &known).await)?;
            }
        }
    }
    tries.end()
}

/// Reads the comments of every post on a page of counts that differs from what is known of it, or is to be read whatever they say.
async fn changed(pass: &Pass<'_>, page: &Page, whole: Option<(Time, Time)>, tries: &mut Tries) -> Result<(), PassError> {
    let ids: Vec<&str> = page.posts().map(|seen| seen.post.external_id.as_str()).collect();
    let stored = accounts::posts(&pass.tools.db, pass.account, &ids).await?;
    for PostSeen { post, .. } in page.posts() {
        let outcome = match stored.get(key_of(&post.external_id)) {
            Some(known)
                if known.total == post.total
                    && known.updated_at == post.updated_at
                    && whole.is_none_or(|(since, read)| post.created_at < since || known.read_at.is_some_and(|at| at >= read)) =>
            {
                continue;
            }
            Some(known) => {
                comments::read(pass, &Post { updated_at: post.updated_at, total: post.total, ..known.clone() }, Depth::Whole).await
            }
            None if post.author == PostAuthor::Own && post.total == Some(0) => {
                Ok(pass.take(pass.now(), Normalized::default(), vec![post.clone()], Vec::new()).await?)
            }
            None if post.author == PostAuthor::Own => comments::read(pass, post, Depth::Whole).await,
            None => single(pass, &post.external_id).await,
        };
        tries.add(outcome)?;
    }
    Ok(())
}

/// Looks at one post that Meta lists no more (of a feed it lists about 600 a year).
async fn unlisted(pass: &Pass<'_>, known: &Post) -> Result<usize, PassError> {
    match shelf::recount(pass, known).await {
        Ok(post) if post.total == known.total && post.updated_at == known.updated_at => Ok(0),
        Ok(post) => comments::read(pass, &post, Depth::Whole).await,
        // Deleted, or hidden from us: the reads before a step find out which.
        Err(PassError::Graph(error)) if error.next == Next::Gone => Ok(0),
        Err(failed) => Err(failed),
    }
}
