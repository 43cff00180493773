//! How well the agencies are covered: for each, what its accounts lack and what to do about it, in sentences for people who know
//! nothing of this program. Pure: configuration, stored facts and `now` in, findings out.

mod group;

use std::collections::{HashMap, HashSet};

use jiff::SignedDuration;
use minijinja::context;
use serde::Serialize;

pub use group::Group;

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

/// Agencies named in a sentence of the summary at most.
const NAMED: usize = 6;

/// What is found of an agency, the worst first: where citizens write unseen, then where they cannot write, then the rest,
/// and at the end where nothing is wrong with what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // each has its sentences in the catalogues
pub enum Finding {
    NotReadable,
    NotLinked,
    Doubtful,
    NotReadYet,
    NoAccount,
    Dormant,
    Silent,
    Several,
    PlatformMissing,
    Ok,
}
words!(Finding {
    NotReadable = "not_readable", NotLinked = "not_linked", Doubtful = "doubtful", NotReadYet = "not_read_yet", NoAccount = "no_account",
    Dormant = "dormant", Silent = "silent", Several = "several", PlatformMissing = "platform_missing", Ok = "ok",
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
    /// How many have accounts that all are read without a finding.
    pub read_well: usize,
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
    /// The same for people, what is to be said of several agencies once.
    pub groups: Vec<Group>,
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
    let rows: Vec<Row> = units.into_iter().flatten().collect();
    let groups = look.groups(&rows, accounts, never_ran)?;
    let title = look.words.say("title", context! { site => site.name.as_str(), date => look.words.date(now)? })?;
    Ok(Audit { title, summary, shares, rows, groups })
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
            let advice = format!("{advice} {}", self.words.say("until_back", parts.clone())?);
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
            let key = match doubt.cause {
                Cause::UnprovedMessages | Cause::BlindMessages => "unproved_messages",
                Cause::UnprovedComments | Cause::BlindComments => "unproved_comments",
                _ => "doubtful",
            };
            let row = self.row(opd, Finding::Doubtful, key, parts)?;
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
                read_well: own.iter().filter(|rows| rows.iter().all(|row| row.account.is_none())).count() - all(Finding::NoAccount),
                fine: all(Finding::Ok),
            });
        }
        let sum = |of: fn(&Share) -> usize| shares.iter().map(of).sum();
        let total = Share {
            kind: None,
            name: self.words.say("total", ())?,
            agencies: sum(|it| it.agencies),
            with_account: sum(|it| it.with_account),
            read_well: sum(|it| it.read_well),
            fine: sum(|it| it.fine),
        };
        shares.push(total);
        Ok(shares)
    }

    /// The news first, what all this is at the end.
    fn summary(&self, units: &[Vec<Row>], accounts: usize, never_ran: bool, keepers: &[&str]) -> Result<Vec<String>, WordsError> {
        let having = |findings: &[Finding]| -> Vec<&str> {
            let with = units.iter().filter(|rows| rows.iter().any(|row| findings.contains(&row.finding)));
            with.filter_map(|rows| rows.first()).map(|row| row.abbreviation.as_str()).collect()
        };
        // an account in two doubts is one account
        let times = |wanted: &dyn Fn(Finding) -> bool| {
            let found = units.iter().flatten().filter(|row| row.account.is_some() && wanted(row.finding));
            found.map(|row| (row.platform, &row.account)).collect::<HashSet<_>>().len()
        };
        let unreadable = [Finding::NotReadable, Finding::NotLinked];
        let mut lines = Vec::new();
        if never_ran {
            lines.push(self.words.say("sum_never_ran", context! { agencies => self.few(&having(&[Finding::NotReadYet]))? })?);
        }
        let urgent = having(&unreadable);
        if !urgent.is_empty() {
            lines.push(self.words.say("sum_urgent", context! { agencies => self.few(&urgent)? })?);
        }
        let (agencies, without, fine) = (units.len(), having(&[Finding::NoAccount]).len(), having(&[Finding::Ok]).len());
        let partial = units.iter().filter(|rows| rows.iter().all(|row| row.finding == Finding::PlatformMissing)).count();
        lines.push(self.words.say("sum_agencies", context! { agencies, with => agencies - without, without, fine, partial })?);
        if accounts > 0 {
            lines.push(self.words.say(
                "sum_accounts",
                context! {
                    accounts, fine => accounts - times(&|_| true), unreadable => times(&|it| unreadable.contains(&it)),
                    unread => times(&|it| it == Finding::NotReadYet), doubtful => times(&|it| it == Finding::Doubtful),
                    dormant => times(&|it| it == Finding::Dormant), silent => times(&|it| it == Finding::Silent),
                    days => self.limits.quiet.as_hours() / 24,
                },
            )?);
        }
        lines.push(self.words.say("intro", context! { keepers => keepers.join(", ") })?);
        Ok(lines)
    }

    /// The first of many names, and how many more there are.
    fn few(&self, names: &[&str]) -> Result<String, WordsError> {
        let (first, rest) = names.split_at(names.len().min(NAMED));
        let names = first.join(", ");
        if rest.is_empty() { Ok(names) } else { self.words.say("names_more", context! { names, n => rest.len() }) }
    }
}

#[cfg(test)]
mod tests;
