//! The lists in which Meta keeps what an account published: what is asked of each, and its rows in one shape.

use super::pass::{Pass, PassError};
use crate::{
    domain::{
        Time,
        message::{Post, PostAuthor},
    },
    graph::{
        GraphError, Next, Request,
        facebook::{self, Depth},
        instagram,
        wire::{List, facebook as page, instagram as media},
    },
    normalize::{self, Normalized, Odd, PostSeen},
};

/// What is asked of a Page at once where Meta can answer it, and what instead where it can't (polling-scheme.md).
const OF_PAGES: [Depth; 4] = [
    Depth { posts: 25, comments: 10, rich: true },
    Depth { posts: 15, comments: 5, rich: true },
    Depth { posts: 10, comments: 3, rich: true },
    Depth { posts: 10, comments: 3, rich: false },
];
const OF_INSTAGRAM: [Depth; 3] = [
    Depth { posts: 25, comments: 5, rich: true },
    Depth { posts: 10, comments: 5, rich: true },
    Depth { posts: 10, comments: 3, rich: true },
];

/// From so many media on, all closed to comments, an account is.
const CLOSED: usize = 3;

/// One of those lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// A Page's feed or an Instagram account's media.
    Main,
    /// Pictures a Page uploaded: those of an album have comments of their own.
    Photos,
    /// A Page's films.
    Videos,
    /// A Page's reels.
    Reels,
}

/// A page of a list.
#[derive(Debug, Default)]
pub struct Page {
    /// Every post with what was shown under it.
    pub shown: Vec<Normalized>,
    /// The earliest time among them.
    pub oldest: Option<Time>,
    /// Whether it holds nothing, though more may follow.
    pub empty: bool,
    /// Cursor of the next page.
    pub after: Option<String>,
}

impl Page {
    fn new<T>(list: &List<T>, what: &'static str, created: impl Fn(&T) -> Option<&str>, show: impl Fn(&T) -> Normalized) -> Self {
        let odd = list.odd.iter().map(|element| Odd { what, id: element.id.clone() }).collect();
        let mut shown = vec![Normalized { odd, ..Normalized::default() }];
        shown.extend(list.data.iter().map(show));
        Self {
            shown,
            oldest: list.data.iter().filter_map(|row| Time::parse(created(row)?)).min(),
            empty: list.data.is_empty(),
            after: list.next().map(str::to_owned),
        }
    }

    /// Every post that was shown.
    pub fn posts(&self) -> impl Iterator<Item = &PostSeen> {
        self.shown.iter().flat_map(|one| &one.posts)
    }
}

/// A page of the main list, newest first, with the newest comments of each post; smaller where Meta can't answer. `shrunk` is how far
/// down the ladder the account stands; it is moved where Meta refuses.
pub async fn newest(pass: &Pass<'_>, shrunk: &mut usize, after: Option<&str>) -> Result<Page, PassError> {
    let ctx = pass.context();
    if pass.is_page() {
        let list = shrinking(pass, &OF_PAGES, shrunk, |depth| facebook::feed(&pass.spec.id, depth, after)).await?;
        Ok(Page::new(
            &list,
            "a post nobody can read",
            |post: &page::Post| post.created_time.as_deref(),
            |post| normalize::feed_post(&ctx, post),
        ))
    } else {
        let list: List<media::Media> =
            shrinking(pass, &OF_INSTAGRAM, shrunk, |depth| instagram::media(&pass.spec.id, depth, after)).await?;
        if after.is_none() {
            let off = list.data.len() >= CLOSED && list.data.iter().all(|one| one.is_comment_enabled == Some(false));
            pass.comments_off.get_or_init(|| off);
        }
        Ok(Page::new(&list, "a medium nobody can read", |one: &media::Media| one.timestamp.as_deref(), |one| normalize::media(&ctx, one)))
    }
}

async fn shrinking<T: serde::de::DeserializeOwned>(
    pass: &Pass<'_>,
    ladder: &[Depth],
    shrunk: &mut usize,
    request: impl Fn(Depth) -> Request,
) -> Result<List<T>, GraphError> {
    loop {
        let answer = pass.get(&request(ladder[(*shrunk).min(ladder.len() - 1)])).await;
        match &answer {
            Err(error) if matches!(error.next, Next::Shrink | Next::Field) && *shrunk + 1 < ladder.len() => *shrunk += 1,
            _ => return answer,
        }
    }
}

/// A page of a list with nothing but times and counts.
pub async fn counts(pass: &Pass<'_>, shelf: Shelf, after: Option<&str>) -> Result<Page, PassError> {
    let ctx = pass.context();
    if !pass.is_page() {
        let list: List<media::Media> = pass.get(&instagram::media_counts(&pass.spec.id, after)).await?;
        return Ok(Page::new(&list, "a medium nobody can read", |one| one.timestamp.as_deref(), |one| normalize::media(&ctx, one)));
    }
    let request = match shelf {
        Shelf::Main => facebook::feed_counts(&pass.spec.id, after),
        Shelf::Photos => facebook::photos(&pass.spec.id, after),
        Shelf::Videos => facebook::videos(&pass.spec.id, after),
        Shelf::Reels => facebook::reels(&pass.spec.id, after),
    };
    let list: List<page::Post> = pass.get(&request).await?;
    let show = |post: &page::Post| {
        let mut counted = normalize::counted_post(&ctx, post);
        if shelf != Shelf::Main {
            // Only the Page itself fills these lists, whether Meta names it there or not.
            counted.posts.iter_mut().for_each(|seen| seen.post.author = PostAuthor::Own);
        }
        counted
    };
    Ok(Page::new(&list, "a post nobody can read", |post| post.created_time.as_deref(), show))
}

/// One post of a Page, with its own text and its newest comments.
pub async fn single(pass: &Pass<'_>, id: &str) -> Result<Page, PassError> {
    let post: page::Post = pass.get(&facebook::post(id, OF_PAGES[0])).await?;
    let list = List { data: vec![post], ..List::default() };
    let ctx = pass.context();
    Ok(Page::new(&list, "a post nobody can read", |post| post.created_time.as_deref(), |post| normalize::feed_post(&ctx, post)))
}

/// How many comments a post that no list shows any more has now; everything else as it was known.
pub async fn recount(pass: &Pass<'_>, known: &Post) -> Result<Post, PassError> {
    let ctx = pass.context();
    let counted = if pass.is_page() {
        normalize::counted_post(&ctx, &pass.get(&facebook::post_count(&known.external_id)).await?)
    } else {
        normalize::media(&ctx, &pass.get(&instagram::medium_count(&known.external_id)).await?)
    };
    let now = counted.posts.into_iter().next().map(|seen| seen.post);
    let (updated_at, total) = now.map_or((None, None), |post| (post.updated_at, post.total));
    Ok(Post { updated_at, total, ..known.clone() })
}
