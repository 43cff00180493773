//! How well the agencies are covered: for each, what its accounts lack and what to do about it, in sentences for people who know
//! nothing of this program. Pure: configuration, stored facts and `now` in, findings out.

use std::collections::HashMap;

use jiff::SignedDuration;
use minijinja::context;
use serde::Serialize;

use crate::{
    catalogue::{Part, Words, WordsError},
    domain::{
        Cause, Platform, Time,
        settings::{AccountSpec, Opd, OpdKind, Site},
        time::rfc3339,
        words,
    },
    store::audit::Watched,
};

/// What is found of an agency, the worst first: where citizens write unseen, then where they cannot write, then the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // each has its sentences in the catalogues
pub enum Finding {
    NotReadable,
    NotLinked,
    Doubtful,
    NotReadYet,
    NoAccount,
    PlatformMissing,
    Dormant,
    Silent,
    Several,
    Ok,
}
words!(Finding {
    NotReadable = "not_readable", NotLinked = "not_linked", Doubtful = "doubtful", NotReadYet = "not_read_yet", NoAccount = "no_account",
    PlatformMissing = "platform_missing", Dormant = "dormant", Silent = "silent", Several = "several", Ok = "ok",
});

/// One finding of one agency; an agency without any has one row that says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The agency's slug.
    pub opd: String,
    /// Its name.
    pub name: String,
    /// Its short name.
    pub abbreviation: String,
    /// What it is.
    pub kind: OpdKind,
    /// Slug of the agency above it.
    pub parent: Option<String>,
    /// What was found.
    pub finding: Finding,
    /// Of which platform, where it is of one.
    pub platform: Option<Platform>,
    /// Meta's id of the account, where it is of one.
    pub account: Option<String>,
    /// Since when: the first failure, the last post, the last message.
    #[serde(with = "rfc3339::option")]
    pub since: Option<Time>,
    /// A sentence, in the site's language.
    pub text: String,
    /// What to do, in the site's language; empty where nothing is to be done.
    pub advice: String,
    /// The stored reason of a failure, for those who look into it.
    pub reason: Option<String>,
}

/// How many agencies of one kind there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// Which kind; `None`: all of them.
    pub kind: Option<OpdKind>,
    /// What that is called in the site's language.
    pub name: String,
    /// How many there are.
    pub agencies: usize,
    /// How many of them have an account.
    pub with_account: usize,
    /// How many have nothing to be remarked.
    pub fine: usize,
}

/// The whole audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Headline.
    pub title: String,
    /// What was looked at and how it stands, a few sentences.
    pub summary: Vec<String>,
    /// The same by kind of agency.
    pub shares: Vec<Share>,
    /// Every finding: agencies with the worst one first, each agency's rows together.
    pub rows: Vec<Row>,
    /// What is to be said of all accounts at once, where none was ever read.
    pub never_ran: Option<Group>,
    /// What is said instead of an advice that was just given.
    pub same: String,
}

/// Neighbouring agencies of a kind of which the same is to be said, so that it is said once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// What they are called.
    pub who: String,
    /// Finding and advice; more than one for a single agency, where the same advice is given once.
    pub lines: Vec<(String, String)>,
    /// Something is to be done.
    pub open: bool,
}

/// Who is looked at, and how.
struct Look<'a> {
    words: Words,
    watched: HashMap<(Platform, &'a str), &'a Watched>,
    limits: Limits,
    now: Time,
}

/// When an account counts as forsaken.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// So long without a post of its own is dormant, so long without a message by a citizen silent.
    pub quiet: SignedDuration,
    /// Posts older than this (`poll.comment_horizon`) are never read: if `quiet` is longer, none is dormant for want of known posts.
    pub horizon: SignedDuration,
}

/// Looks at every configured agency. `keepers`: who runs this program, by office.
pub fn audit((site, keepers): (&Site, &[&str]), opds: &[Opd], watched: &[Watched], limits: Limits, now: Time) -> Result<Audit, WordsError> {
    let look = Look {
        words: Words::new(Part::Audit, site.language, site.timezone.clone())?,
        watched: watched.iter().map(|it| ((it.platform, it.id.as_str()), it)).collect(),
        limits,
        now,
    };
    let mut units = Vec::with_capacity(opds.len());
    for opd in opds {
        let mut rows = look.agency(opd)?;
        rows.sort_by_key(|row| row.finding);
        units.push(rows);
    }
    // stable: agencies with the same findings stay in the order of the configuration
    units.sort_by_key(|rows| {
        let kind = rows.first().map(|row| row.kind);
        (rows.iter().map(|row| row.finding).min(), std::cmp::Reverse(rows.len()), kind)
    });
    let shares = look.shares(&units)?;
    let accounts: usize = opds.iter().map(|opd| opd.accounts.len()).sum();
    let never_ran = accounts > 0 && watched.iter().all(|it| it.last_read_at.is_none() && it.healthy);
    let summary = look.summary(&units, accounts, never_ran, keepers)?;
    let words = &look.words;
    let all = || -> Result<Group, WordsError> {
        let lines = vec![(words.say("never_ran", ())?, words.say("never_ran_do", ())?)];
        Ok(Group { who: words.say("never_ran_who", context! { accounts })?, lines, open: true })
    };
    let title = look.words.say("title", context! { site => site.name.as_str(), date => look.words.date(now)? })?;
    let (never_ran, same) = (never_ran.then(all).transpose()?, words.say("same", ())?);
    Ok(Audit { title, summary, shares, rows: units.into_iter().flatten().collect(), never_ran, same })
}

fn kind_of(opd: &Opd) -> OpdKind {
    opd.kind.unwrap_or(OpdKind::Lainnya)
}

impl Look<'_> {
    /// Everything to be said of an agency.
    fn agency(&self, opd: &Opd) -> Result<Vec<Row>, WordsError> {
        let mut rows = Vec::new();
        if opd.accounts.is_empty() {
            let expected = opd.expects.iter().map(|it| self.words.platform(*it)).collect::<Result<Vec<_>, _>>()?;
            rows.push(self.row(opd, Finding::NoAccount, "no_account", context! { expected => expected.join(" & ") })?);
            return Ok(rows);
        }
        for platform in Platform::ALL {
            let own: Vec<_> = opd.accounts.iter().filter(|it| it.platform == *platform).collect();
            let named = self.words.platform(*platform)?;
            let row = match own.len() {
                0 if opd.expects.contains(platform) => {
                    self.row(opd, Finding::PlatformMissing, "platform_missing", context! { platform => named })?
                }
                0 | 1 => continue,
                n => {
                    let accounts = own.iter().map(|spec| self.short(spec)).collect::<Vec<_>>().join(", ");
                    self.row(opd, Finding::Several, "several", context! { platform => named, n, accounts })?
                }
            };
            rows.push(Row { platform: Some(*platform), ..row });
        }
        for spec in &opd.accounts {
            for row in self.account(opd, spec)? {
                rows.push(Row { platform: Some(spec.platform), account: Some(spec.id.clone()), ..row });
            }
        }
        if rows.is_empty() {
            rows.push(self.row(opd, Finding::Ok, "ok", ())?);
        }
        Ok(rows)
    }

    /// Everything to be said of an account. Of one that can't be read nothing else is known.
    fn account(&self, opd: &Opd, spec: &AccountSpec) -> Result<Vec<Row>, WordsError> {
        let account = self.long(spec)?;
        let Some(it) = self.watched.get(&(spec.platform, spec.id.as_str())) else {
            return Ok(vec![self.row(opd, Finding::NotReadYet, "not_read_yet", context! { account })?]);
        };
        let since = |at: Option<Time>| at.map(|at| self.words.date(at)).transpose();
        if !it.healthy {
            let cause = Cause::of(it.platform, it.reason.as_deref().unwrap_or_default());
            let finding = if cause == Cause::NotLinked { Finding::NotLinked } else { Finding::NotReadable };
            let (why, advice) = self.words.cause(cause)?;
            let parts = context! { account, since => since(it.failing_since)?, cause => why };
            let row = self.row(opd, finding, finding.word(), parts)?;
            return Ok(vec![Row { since: it.failing_since, advice, reason: it.reason.clone(), ..row }]);
        }
        let Some(first) = it.first_read_at.filter(|_| it.last_read_at.is_some()) else {
            return Ok(vec![self.row(opd, Finding::NotReadYet, "not_read_yet", context! { account })?]);
        };
        let mut rows = Vec::new();
        for doubt in &it.doubts {
            let (why, advice) = self.words.cause(doubt.cause)?;
            let parts = context! { account => account.as_str(), since => self.words.date(doubt.since)?, cause => why };
            let row = self.row(opd, Finding::Doubtful, "doubtful", parts)?;
            rows.push(Row { since: Some(doubt.since), advice, reason: Some(doubt.detail.clone()), ..row });
        }
        let quiet = |last: Option<Time>| last.is_none_or(|at| self.now.since(at) > self.limits.quiet);
        let parts = |last: Option<Time>| -> Result<_, WordsError> {
            let days = last.map_or(self.limits.quiet, |at| self.now.since(at)).as_hours() / 24;
            Ok(context! { account => account.as_str(), days, last => since(last)? })
        };
        if quiet(it.last_post_at) && (self.limits.quiet <= self.limits.horizon || it.last_post_at.is_some()) {
            let row = self.row(opd, Finding::Dormant, "dormant", parts(it.last_post_at)?)?;
            rows.push(Row { since: it.last_post_at, ..row });
        }
        // who has not watched for that long cannot know
        if quiet(it.last_message_at) && self.now.since(first) > self.limits.quiet && it.doubts.is_empty() {
            let row = self.row(opd, Finding::Silent, "silent", parts(it.last_message_at)?)?;
            rows.push(Row { since: it.last_message_at, ..row });
        }
        Ok(rows)
    }

    fn row(&self, opd: &Opd, finding: Finding, key: &str, parts: impl Into<minijinja::Value>) -> Result<Row, WordsError> {
        let parts = parts.into();
        let advice = if matches!(finding, Finding::NotReadable | Finding::NotLinked | Finding::Doubtful | Finding::Ok) {
            String::new()
        } else {
            self.words.say(&format!("{key}_do"), parts.clone())?
        };
        Ok(Row {
            opd: opd.slug.clone(),
            name: opd.name.clone(),
            abbreviation: opd.abbreviation.clone(),
            kind: kind_of(opd),
            parent: opd.parent.clone(),
            finding,
            platform: None,
            account: None,
            since: None,
            text: self.words.say(key, parts)?,
            advice,
            reason: None,
        })
    }

    /// The account's name as people know it.
    fn short(&self, spec: &AccountSpec) -> String {
        let it = self.watched.get(&(spec.platform, spec.id.as_str()));
        let username = it.and_then(|it| it.username.as_ref()).map(|name| format!("@{name}"));
        let name = it.and_then(|it| it.name.as_ref()).map(|name| format!("“{name}”"));
        let known = if spec.platform == Platform::Facebook { name.or(username) } else { username.or(name) };
        known.unwrap_or_else(|| spec.id.clone())
    }

    /// The same with its platform.
    fn long(&self, spec: &AccountSpec) -> Result<String, WordsError> {
        Ok(format!("{} {}", self.words.platform(spec.platform)?, self.short(spec)))
    }

    fn shares(&self, units: &[Vec<Row>]) -> Result<Vec<Share>, WordsError> {
        let mut shares = Vec::new();
        for kind in OpdKind::ALL {
            let own: Vec<_> = units.iter().filter(|rows| rows.first().is_some_and(|row| row.kind == *kind)).collect();
            if own.is_empty() {
                continue;
            }
            let all = |finding| own.iter().filter(|rows| rows.iter().all(|row| row.finding == finding)).count();
            shares.push(Share {
                kind: Some(*kind),
                name: self.words.say(&format!("kind_{kind}"), ())?,
                agencies: own.len(),
                with_account: own.len() - all(Finding::NoAccount),
                fine: all(Finding::Ok),
            });
        }
        let sum = |of: fn(&Share) -> usize| shares.iter().map(of).sum();
        let (agencies, with_account, fine) = (sum(|it| it.agencies), sum(|it| it.with_account), sum(|it| it.fine));
        shares.push(Share { kind: None, name: self.words.say("total", ())?, agencies, with_account, fine });
        Ok(shares)
    }

    /// The news first, what all this is at the end.
    fn summary(&self, units: &[Vec<Row>], accounts: usize, never_ran: bool, keepers: &[&str]) -> Result<Vec<String>, WordsError> {
        let having = |finding| units.iter().filter(|rows| rows.iter().any(|row| row.finding == finding)).count();
        let times = |finding| units.iter().flatten().filter(|row| row.finding == finding).count();
        let mut lines = Vec::new();
        if never_ran {
            lines.push(self.words.say("sum_never_ran", ())?);
        }
        let (agencies, without) = (units.len(), having(Finding::NoAccount));
        lines
            .push(self.words.say("sum_agencies", context! { agencies, with => agencies - without, without, fine => having(Finding::Ok) })?);
        if accounts > 0 {
            lines.push(self.words.say(
                "sum_accounts",
                context! {
                    accounts, unreadable => times(Finding::NotReadable) + times(Finding::NotLinked), unread => times(Finding::NotReadYet),
                    doubtful => times(Finding::Doubtful), dormant => times(Finding::Dormant), silent => times(Finding::Silent),
                    days => self.limits.quiet.as_hours() / 24,
                },
            )?);
        }
        lines.push(self.words.say("intro", context! { keepers => keepers.join(", ") })?);
        Ok(lines)
    }
}

impl Audit {
    /// The rows in groups: an agency with several findings is one, neighbours of a kind with the same single finding are one.
    pub fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<(Vec<&Row>, Group)> = Vec::new();
        // What is so of every account is said once, of all of them.
        let said = |row: &&Row| self.never_ran.is_some() && row.finding == Finding::NotReadYet;
        let rows: Vec<&Row> = self.rows.iter().filter(|row| !said(row)).collect();
        for unit in rows.chunk_by(|a, b| a.opd == b.opd) {
            let repeated = |at: usize| at > 0 && unit[at - 1].advice == unit[at].advice;
            let advice = |at: usize| if repeated(at) { self.same.clone() } else { unit[at].advice.clone() };
            let lines: Vec<_> = unit.iter().enumerate().map(|(at, row)| (row.text.clone(), advice(at))).collect();
            let Some(&row) = unit.first() else { continue };
            let same = groups.last_mut().filter(|(rows, group)| {
                group.lines == lines && row.account.is_none() && rows.last().is_some_and(|last| last.kind == row.kind)
            });
            if let Some((rows, group)) = same {
                rows.push(row);
                group.who = rows.iter().map(|row| row.abbreviation.as_str()).collect::<Vec<_>>().join(", ");
                continue;
            }
            let named = row.name.contains(&row.abbreviation);
            let full = if named { row.name.clone() } else { format!("{} ({})", row.name, row.abbreviation) };
            groups.push((vec![row], Group { who: full, lines, open: row.finding != Finding::Ok }));
        }
        for (rows, group) in &mut groups {
            let kind = rows.first().map(|row| row.kind).filter(|kind| rows.len() > 1 && *kind != OpdKind::Lainnya);
            if let Some(share) = self.shares.iter().find(|share| kind.is_some() && share.kind == kind) {
                group.who = format!("{} {}: {}", rows.len(), share.name, group.who);
            }
        }
        self.never_ran.iter().cloned().chain(groups.into_iter().map(|(_, group)| group)).collect()
    }
}

#[cfg(test)]
mod tests;
