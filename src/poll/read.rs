//! What is read of one account at a poll, source by source, each at its own pace.

use jiff::SignedDuration;

use super::{
    doubts, inbox, mentions,
    pass::{Pass, PassError},
    posts::{self, Sweep},
    tokens,
};
use crate::{
    domain::{Source, Time},
    graph::{Next, facebook as ask_page, instagram as ask_account, wire::account},
    store::{accounts, concerns, sources},
};

/// Blindness longer than this makes the next read a backlog (semantics.md, Backlog).
const BLIND_AFTER: SignedDuration = SignedDuration::from_hours(2);
/// How often an account is asked who it is.
const IDENTITY_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// How often a Page's albums, films and reels are looked at, and an Instagram account's young media read in whole.
const HOURLY: SignedDuration = SignedDuration::from_hours(1);
/// How often all media in the horizon are.
const DAILY: SignedDuration = SignedDuration::from_hours(24);
/// A wall is crowded whose first page holds less than this.
const CROWDED: SignedDuration = SignedDuration::from_hours(24);
/// What was read in whole so lately is not read again for that: most media show all their comments at every poll.
const LATELY: SignedDuration = SignedDuration::from_mins(30);
/// Media are young so long.
const YOUNG: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How often posts are asked for one by one that no list shows any more.
const UNLISTED_EVERY: SignedDuration = SignedDuration::from_hours(12);
/// After this the first, larger request is tried again.
const CLIMB_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// How soon an account is tried again that waits for others to be known.
const INTRODUCED: SignedDuration = SignedDuration::from_millis(500);

/// Poll's own memory of an account.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct Memo {
    /// Polls in a row without news.
    pub(super) quiet: u32,
    /// What is known of its token.
    pub(super) token: tokens::Memo,
    /// When it was asked who it is.
    known_at: Option<Time>,
    /// When older posts were looked at.
    swept_at: Option<Time>,
    /// When the posts of a crowded wall were counted.
    recounted_at: Option<Time>,
    /// When what is looked at hourly was.
    hourly_at: Option<Time>,
    /// When every medium was read in whole.
    daily_at: Option<Time>,
    /// When unlisted posts were.
    unlisted_at: Option<Time>,
    /// What is known of its inbox.
    inbox: inbox::Memo,
    /// When it was looked at whether it is to be trusted.
    doubted_at: Option<Time>,
    /// How far down the ladder of smaller requests it stands, and since when.
    shrunk: usize,
    shrunk_at: Option<Time>,
    /// Until when at least two people wrote within a day: who engages raises the limits of a Page.
    pub(super) engaged_until: Option<Time>,
    /// When one of its limits was reached last.
    pub(super) throttled_at: Option<Time>,
}

impl Memo {
    /// Whether something done every so often is due; if so it counts as done.
    fn due(at: &mut Option<Time>, every: SignedDuration, now: Time) -> bool {
        let due = at.is_none_or(|last| now.since(last) >= every);
        if due {
            *at = Some(now);
        }
        due
    }
}

/// What a poll came to.
#[derive(Default)]
pub(super) struct Report {
    pub(super) new: usize,
    pub(super) name: Option<String>,
    pub(super) username: Option<String>,
    /// The first source that failed; the others were read all the same.
    pub(super) failed: Option<PassError>,
    /// Nothing was read yet: it is to be read after this.
    pub(super) soon: Option<SignedDuration>,
}

/// Reads what is wanted of an account. A failing source never stops another, unless the failure is the account's.
pub(super) async fn read(pass: &mut Pass<'_>, memo: &mut Memo, report: &mut Report, began_at: Time) -> Result<(), PassError> {
    let lacks = tokens::tend(pass, &mut memo.token).await?;
    let stranger = memo.known_at.is_none();
    if memo.known_at.is_none_or(|at| began_at.since(at) >= IDENTITY_EVERY) {
        identity(pass, report).await?;
        memo.known_at = Some(began_at);
    }
    let wants = |pass: &Pass<'_>, source| pass.spec.sources.contains(&source);
    let before = sources::read_before(&pass.tools.db, pass.account).await?;
    // A sister on Instagram is known by its user name alone: nobody is read before everybody was asked for theirs.
    if stranger || (before.is_empty() && accounts::strangers(&pass.tools.db).await?) {
        report.soon = Some(if stranger { SignedDuration::ZERO } else { INTRODUCED });
        return Ok(());
    }
    sources::begin(&pass.tools.db, pass.account, &pass.spec.sources, (began_at, pass.opens_from(began_at), BLIND_AFTER)).await?;
    let published = [Source::Comments, Source::Posts];
    if published.iter().any(|&source| wants(pass, source)) {
        let first = !published.iter().any(|source| before.contains(source));
        if memo.shrunk > 0 && memo.shrunk_at.is_none_or(|at| began_at.since(at) >= CLIMB_AFTER) {
            memo.shrunk = 0;
        }
        let before = memo.shrunk;
        let outcome = match posts::newest(pass, &mut memo.shrunk, first).await {
            Ok(new) => older(pass, memo, began_at).await.map(|more| new + more),
            failed => failed,
        };
        if memo.shrunk != before {
            memo.shrunk_at = Some(began_at);
        }
        settle(pass, report, outcome, &published, began_at).await?;
    }
    if wants(pass, Source::Messages) {
        let walk = memo.inbox.wants_walk(began_at) || !before.contains(&Source::Messages);
        let outcome = inbox::read(pass, walk, &mut memo.inbox).await;
        settle(pass, report, outcome, &[Source::Messages], began_at).await?;
    }
    if Memo::due(&mut memo.doubted_at, HOURLY, began_at)
        || report.new > 0 && !concerns::standing(&pass.tools.db, pass.account).await?.is_empty()
    {
        doubts::look(pass, began_at).await?;
    }
    let sweep_due = memo.swept_at.is_none_or(|at| began_at.since(at) >= pass.tools.settings.poll.sweep_interval);
    if sweep_due && report.failed.is_none() {
        let before = memo.clone();
        memo.swept_at = Some(began_at);
        let outcome = sweep(pass, memo, began_at).await;
        // What could not be stored or was refused for the moment is looked for again at the next poll; anything else at the next sweep.
        if outcome.as_ref().is_err_and(|failed| matches!(failed.next(), Next::Retry | Next::Later { .. })) {
            *memo = before;
        }
        settle(pass, report, outcome, &[Source::Mentions], began_at).await?;
    }
    // It names what is missing, which an answer of Meta's does not.
    report.failed = lacks.or(report.failed.take());
    Ok(())
}

/// Posts below the newest of which something is to be expected: those that webhooks named, and all of a wall so crowded that what was
/// published a day ago stands on no first page any more. How much was new.
async fn older(pass: &Pass<'_>, memo: &mut Memo, now: Time) -> Result<usize, PassError> {
    let mut new = 0;
    if pass.tools.settings.graph.verify_token.is_some() {
        new += posts::named(pass).await?;
    }
    let crowded = pass.newest_since.get().is_some_and(|&oldest| now.since(oldest) < CROWDED);
    if crowded && Memo::due(&mut memo.recounted_at, pass.tools.settings.poll.idle_interval, now) {
        new += posts::sweep(pass, Sweep { since: Some(now.minus(CROWDED * 2)), ..Sweep::default() }).await?;
    }
    Ok(new)
}

/// Looks at what lies further back, and at what others wrote of the account.
async fn sweep(pass: &Pass<'_>, memo: &mut Memo, now: Time) -> Result<usize, PassError> {
    let poll = &pass.tools.settings.poll;
    let hourly = Memo::due(&mut memo.hourly_at, HOURLY, now);
    // Instagram counts what nobody can read and says nothing of when a medium changed, so its counts are a hint only.
    let whole = if pass.is_page() {
        None
    } else if Memo::due(&mut memo.daily_at, DAILY, now) {
        Some((now.minus(poll.comment_horizon), now.minus(LATELY)))
    } else {
        hourly.then(|| (now.minus(YOUNG), now.minus(LATELY)))
    };
    let unlisted = Memo::due(&mut memo.unlisted_at, UNLISTED_EVERY, now);
    let wanted = Sweep { shelves: pass.is_page() && hourly, unlisted, whole, since: None };
    let mut new = posts::sweep(pass, wanted).await?;
    if pass.spec.sources.contains(&Source::Mentions) {
        new += mentions::read(pass).await?;
    }
    Ok(new)
}

async fn settle(
    pass: &Pass<'_>,
    report: &mut Report,
    outcome: Result<usize, PassError>,
    of: &[Source],
    began_at: Time,
) -> Result<(), PassError> {
    let concerned: Vec<Source> = of.iter().copied().filter(|source| pass.spec.sources.contains(source)).collect();
    let db = &pass.tools.db;
    match outcome {
        Ok(new) => {
            report.new += new;
            Ok(sources::read(db, pass.account, &concerned, began_at, pass.lapse()).await?)
        }
        // The whole account is concerned: nothing else of it is asked now.
        Err(failed) if matches!(failed.next(), Next::Later { .. } | Next::Token) => {
            sources::failed(db, pass.account, &pass.spec.sources, &failed.to_string(), began_at).await?;
            Err(failed)
        }
        Err(failed @ PassError::Store(_)) => Err(failed),
        Err(failed) => {
            sources::failed(db, pass.account, &concerned, &failed.to_string(), began_at).await?;
            report.failed.get_or_insert(failed);
            Ok(())
        }
    }
}

/// Asks the account who it is: its name is shown, its user name tells whether it wrote a comment itself.
async fn identity(pass: &mut Pass<'_>, report: &mut Report) -> Result<(), PassError> {
    if pass.is_page() {
        let page: account::Page = pass.get(&ask_page::page(&pass.spec.id)).await?;
        (report.name, report.username) = (page.name, page.username);
    } else {
        let found: account::Instagram = pass.get(&ask_account::identity(&pass.spec.id, pass.spec.login)).await?;
        pass.government.own_username.clone_from(&found.username);
        (report.name, report.username) = (found.username.clone(), found.username);
    }
    Ok(())
}
