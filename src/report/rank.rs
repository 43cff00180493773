//! The league table, fair: too few cases are not compared, an agency whose account was not watched is not ranked, and a difference that
//! chance explains is called uncertain. Pure.

use minijinja::context;
use serde::Serialize;

use super::{
    stat::{Quantile, Share},
    summary::Group,
    voice::Voice,
};
use crate::{
    catalogue::WordsError,
    domain::{
        Cause,
        settings::{Opd, Settings},
    },
    store::figures::{Account, Figures},
};

/// Fewer decided tickets are not compared.
pub const ENOUGH: u64 = 10;
/// An account that was watched for less of the period is not.
pub const WATCHED: f64 = 0.95;
/// Doubts that mean that what citizens write may not be seen.
const BLIND: [Cause; 4] = [Cause::BlindMessages, Cause::BlindComments, Cause::UnprovedMessages, Cause::UnprovedComments];

/// Why an agency has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Apart {
    /// Too few decided tickets.
    Few,
    /// An account of its was not watched.
    Blind,
    /// It has no account.
    NoAccount,
}
crate::domain::words!(Apart { Few = "few", Blind = "blind", NoAccount = "no_account" });

/// A row of the league table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rank {
    /// From 1; two that are equal in share and median share one. `None`: not compared.
    pub place: Option<u64>,
    /// Why it has none.
    pub apart: Option<Apart>,
    /// Its slug.
    pub opd: String,
    /// Its short name.
    pub name: String,
    /// Tickets of which it is known whether they were answered in time.
    pub decided: u64,
    /// Of these, answered by the deadline.
    pub in_time: u64,
    /// As a share.
    pub share: Option<Share>,
    /// Half are answered within so much working time.
    pub median_working: Option<Quantile>,
    /// Unanswered now, those from before the period included.
    pub open: u64,
    /// Of those of the period, past the deadline.
    pub overdue: u64,
    /// Chance may explain the difference from the place above.
    pub uncertain: bool,
    /// Why it stands here, in a sentence.
    pub why: String,
}

/// Every agency: those compared by their place, then the others in the order of the configuration.
pub fn rank(groups: &[Group], figures: &Figures, settings: &Settings, voice: &Voice) -> Result<Vec<Rank>, WordsError> {
    let (mut ranked, mut apart) = (Vec::new(), Vec::new());
    let none = Group::default();
    let known = settings.opds.iter().map(|opd| (opd.slug.as_str(), Some(opd)));
    let gone = groups.iter().filter(|group| settings.opd(&group.key).is_none()).map(|group| (group.key.as_str(), None));
    for (slug, opd) in known.chain(gone) {
        let group = groups.iter().find(|group| group.key == slug).unwrap_or(&none);
        let row = |place| Rank {
            place,
            apart: None,
            opd: slug.to_owned(),
            name: voice.opd(slug),
            decided: group.decided,
            in_time: group.in_time,
            share: group.share,
            median_working: group.median_working,
            open: group.open + group.older,
            overdue: group.overdue,
            uncertain: false,
            why: String::new(),
        };
        match kept_apart(slug, opd, group, figures, voice)? {
            None => ranked.push(row(Some(0))),
            Some((why, said)) => {
                let row = row(None);
                let known = if row.decided > 0 || row.open > 0 { format!(" {}", voice.standing(&row, None)?) } else { String::new() };
                apart.push(Rank { apart: Some(why), why: format!("{said}{known}"), ..row });
            }
        }
    }
    ranked.sort_by(|a: &Rank, b: &Rank| better(a, b).then_with(|| a.name.cmp(&b.name)).then_with(|| a.opd.cmp(&b.opd)));
    for nth in 0..ranked.len() {
        let above = nth.checked_sub(1).map(|above| ranked[above].clone());
        let row = &mut ranked[nth];
        let tied = above.as_ref().filter(|above| better(above, row).is_eq()).and_then(|above| above.place);
        row.place = tied.or(Some(nth as u64 + 1));
        row.uncertain = above.as_ref().is_some_and(|above| match (above.share, row.share) {
            (Some(above), Some(own)) => above.overlaps(&own),
            _ => false,
        });
        row.why = voice.standing(row, above.filter(|_| row.uncertain).as_ref())?;
    }
    ranked.extend(apart);
    Ok(ranked)
}

/// The larger share first, then the shorter median; a median that is only known to be longer than something comes after one that is known.
fn better(a: &Rank, b: &Rank) -> std::cmp::Ordering {
    let shares = (u128::from(b.in_time) * u128::from(a.decided)).cmp(&(u128::from(a.in_time) * u128::from(b.decided)));
    let median = |it: &Rank| it.median_working.map_or((2, 0), |it| (u8::from(it.at_least), it.seconds));
    shares.then_with(|| median(a).cmp(&median(b)))
}

/// Why an agency is not compared, if so.
fn kept_apart(
    slug: &str,
    opd: Option<&Opd>,
    group: &Group,
    figures: &Figures,
    voice: &Voice,
) -> Result<Option<(Apart, String)>, WordsError> {
    let mut own: Vec<&Account> = figures.accounts.values().filter(|it| it.active && it.opd == slug).collect();
    own.sort_by_key(|it| (it.platform, &it.id));
    if opd.is_some_and(|opd| opd.accounts.is_empty()) && group.tickets + group.older == 0 {
        return Ok(Some((Apart::NoAccount, voice.say("why_no_account", ())?)));
    }
    for account in &own {
        if let Some(reason) = blind(account, voice)? {
            let said = voice.say("why_blind", context! { account => voice.account(account)?, reason })?;
            return Ok(Some((Apart::Blind, said)));
        }
    }
    // configured, and never seen by the daemon
    let unseen =
        opd.and_then(|opd| opd.accounts.iter().find(|spec| !own.iter().any(|it| it.platform == spec.platform && it.id == spec.id)));
    if let Some(spec) = unseen {
        let account = format!("{} {}", voice.words.platform(spec.platform)?, spec.id);
        return Ok(Some((Apart::Blind, voice.say("why_blind", context! { account, reason => voice.say("blind_unread", ())? })?)));
    }
    if group.decided < ENOUGH {
        return Ok(Some((Apart::Few, voice.say("why_few", context! { n => ENOUGH })?)));
    }
    Ok(None)
}

/// Why what citizens write to an account may have gone unseen; `None` if it was watched.
fn blind(account: &Account, voice: &Voice) -> Result<Option<String>, WordsError> {
    if !account.healthy {
        return Ok(Some(voice.words.cause(Cause::of(account.platform, account.reason.as_deref().unwrap_or_default()))?.0));
    }
    let Some(watched) = account.watched else { return voice.say("blind_unread", ()).map(Some) };
    if watched < WATCHED {
        return voice.say("blind_watched", context! { percent => (watched * 100.0).floor() as i64 }).map(Some);
    }
    let doubt = account.doubts.iter().find(|doubt| BLIND.contains(&doubt.cause));
    doubt.map(|doubt| Ok(voice.words.cause(doubt.cause)?.0)).transpose()
}
