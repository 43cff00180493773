//! Whether an account that answers is to be trusted to show what citizens write: a failure that looks like peace is looked for, hourly,
//! told once, and taken back when it is over.

use jiff::SignedDuration;
use tracing::{error, info};

use super::{
    pass::{Pass, PassError},
    silence,
};
use crate::{
    domain::{Cause, Source, Time, settings::AccountSpec},
    graph::{GraphError, Next, facebook as ask_page, wire::account},
    store::{
        accounts,
        concerns::{self, Concern},
        sources,
    },
};

/// So long a source may be unproved before it is told (polling-scheme.md, "Is it blind?").
const UNPROVED: SignedDuration = SignedDuration::from_hours(7 * 24);
/// From so many comments on that Meta counts, none of them with an author, an account is blind (there).
const COUNTED: i64 = 20;
/// Over how long what was read is looked at.
const SPAN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Looks at all of it.
pub async fn look(pass: &Pass<'_>, now: Time) -> Result<(), PassError> {
    let (db, standing) = (&pass.tools.db, concerns::standing(&pass.tools.db, pass.account).await?);
    let mut found = vec![(Cause::Silent, silent(pass, now).await?)];
    if let Some(&off) = pass.comments_off.get() {
        found.push((Cause::CommentsOff, off.then(|| (now, "comments are switched off on every one of the newest media".to_owned()))));
    }
    if pass.spec.sources.contains(&Source::Comments) {
        found.push((Cause::BlindComments, blind_comments(pass, now).await?));
    }
    if pass.is_page() && pass.spec.sources.contains(&Source::Messages) {
        found.extend(blind_messages(pass, now).await?.map(|doubt| (Cause::BlindMessages, doubt)));
    }
    found.extend(unproved(pass, now).await?);
    let (opd, account, platform) = (pass.opd.slug.as_str(), pass.spec.id.as_str(), pass.spec.platform.word());
    for (cause, doubt) in found {
        let reason = cause.word();
        match doubt {
            Some((since, detail)) if !standing.contains(&cause) => {
                error!(event = "account.unhealthy", opd, account, platform, reason, error = detail, "answers, and is not to be trusted");
                concerns::raise(db, pass.account, &Concern { cause, since, detail }, now).await?;
            }
            None if standing.contains(&cause) => {
                info!(event = "account.recovered", opd, account, platform, reason, "no more in doubt");
                concerns::settle(db, pass.account, cause, now).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Since when, and why in our own words.
type Doubt = Option<(Time, String)>;

/// It is quieter than it ever is.
async fn silent(pass: &Pass<'_>, now: Time) -> Result<Doubt, PassError> {
    let (db, zone) = (&pass.tools.db, &pass.tools.settings.site.timezone);
    let Some(read_since) = sources::first_read(db, pass.account).await? else { return Ok(None) };
    let since = now.minus(SignedDuration::from_hours(silence::WEEKS * 2 * 7 * 24));
    let offset = SignedDuration::from_secs(zone.to_offset(now.timestamp()).seconds().into());
    let (days, last) = accounts::written_days(db, pass.account, since, offset).await?;
    let day = |number: i64| jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().try_days(number).ok()?).ok();
    let days: Vec<_> = days.into_iter().filter_map(|(number, count)| Some((day(number)?, count as u32))).collect();
    let from = read_since.minus(pass.tools.settings.poll.backfill);
    let found = last.and_then(|last| silence::unusual(&days, from, last, now, zone));
    Ok(found.map(|found| {
        let detail = format!("no message since {}, though about {:.0} were to be expected", found.since.rfc3339(), found.expected);
        (found.since, detail)
    }))
}

/// Meta counts comments and names nobody who wrote one.
async fn blind_comments(pass: &Pass<'_>, now: Time) -> Result<Doubt, PassError> {
    let since = now.minus(SPAN);
    let (counted, named) = concerns::counted(&pass.tools.db, pass.account, since).await?;
    let blind = counted >= COUNTED && named == 0;
    Ok(blind.then(|| (now, format!("{counted} comments counted within 30 days, and none with an author"))))
}

/// Meta counts unread messages and lists no conversation; `None`: it does not say.
async fn blind_messages(pass: &Pass<'_>, now: Time) -> Result<Option<Doubt>, PassError> {
    if concerns::has_conversation(&pass.tools.db, pass.account).await? {
        return Ok(Some(None));
    }
    let answer: Result<account::Unread, GraphError> = pass.get(&ask_page::unread(&pass.spec.id)).await;
    match answer {
        Err(error) if matches!(error.next, Next::Later { .. } | Next::Token) => Err(error.into()),
        Ok(account::Unread { unread_message_count: Some(unread @ 1..) }) => {
            Ok(Some(Some((now, format!("{unread} unread messages counted, and no conversation listed")))))
        }
        Ok(account::Unread { unread_message_count: Some(_) }) => Ok(Some(None)),
        _ => Ok(None),
    }
}

/// What was read for a week without a word of a citizen: an app with Standard Access is answered with empty lists.
async fn unproved(pass: &Pass<'_>, now: Time) -> Result<Vec<(Cause, Doubt)>, PassError> {
    let app = |spec: &AccountSpec| spec.app == pass.spec.app && spec.platform == pass.spec.platform && spec.login == pass.spec.login;
    let peers: Vec<&str> = pass.tools.settings.accounts().filter(|(_, spec)| app(spec)).map(|(_, spec)| spec.id.as_str()).collect();
    let proved = concerns::prove(&pass.tools.db, pass.account, (pass.spec.platform, &peers), (now.minus(SPAN), now)).await?;
    let doubt = |(source, cause)| {
        let standing = proved.get(&source).filter(|standing| !standing.proved && pass.spec.sources.contains(&source));
        let since = standing.and_then(|standing| standing.first_read_at).filter(|&first| now.since(first) >= UNPROVED);
        (cause, since.map(|since| (since, format!("no citizen's {} was read since {}", source.kind(), since.rfc3339()))))
    };
    Ok([(Source::Messages, Cause::UnprovedMessages), (Source::Comments, Cause::UnprovedComments)].map(doubt).to_vec())
}
