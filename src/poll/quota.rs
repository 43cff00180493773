//! What may still be asked of Meta. A limit that was reached silences everything it counts until it is over; one that is nearly used up
//! stops new work and leaves the rest for reads before a step and for replies of staff. Pure.

use std::collections::HashMap;

use jiff::SignedDuration;

use crate::{
    domain::{Platform, Time},
    graph::{GraphError, Next, Scope, Usage},
    store::limits::Limit,
};

/// From this much of a limit on no new work is begun, in percent (issue 3: Quota).
pub const STOP_AT: u32 = 80;
/// How long new work rests then, where Meta gives no estimate: its windows are an hour long and slide.
pub const REST: SignedDuration = SignedDuration::from_mins(15);
/// Without an estimate a block is left alone for an hour (rate-limit page, facts 6.3).
pub const BLOCK: SignedDuration = SignedDuration::from_hours(1);
/// So long the others wait for the answer to the first request after a block.
const PROBE: SignedDuration = SignedDuration::from_secs(30);
/// Between two calls for conversations of one Instagram account: at most two a second (Messenger Platform, rate limits).
const INBOX_GAP: SignedDuration = SignedDuration::from_millis(500);

/// Whose calls a limit counts together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pool(String);

impl Pool {
    /// One Page or Instagram account, by Meta's id.
    pub fn account(platform: Platform, id: &str) -> Self {
        Self(format!("{platform} {id}"))
    }

    /// Every account of an app, by its name in the configuration; empty: the first app.
    pub fn app(name: &str) -> Self {
        Self(format!("app {name}"))
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A poll or a sweep.
    Work,
    /// A read before a step, or a reply of staff: may use the reserve.
    Reserve,
}

#[derive(Clone, Copy, Debug, Default)]
struct Rest {
    /// Nothing at all before this.
    blocked_until: Option<Time>,
    /// No new work before this.
    stopped_until: Option<Time>,
    /// When conversations were asked for last.
    inbox_at: Option<Time>,
    /// When a block was over, and one request was let through to see.
    probed_at: Option<Time>,
}

/// What is known of every limit.
#[derive(Clone, Debug, Default)]
pub struct Quota(HashMap<Pool, Rest>);

impl Quota {
    /// What was known before a restart.
    pub fn resumed(limits: Vec<Limit>) -> Self {
        let rest = |limit: Limit| {
            let Limit { pool, blocked_until, stopped_until } = limit;
            (Pool(pool), Rest { blocked_until, stopped_until, ..Rest::default() })
        };
        Self(limits.into_iter().map(rest).collect())
    }

    /// What is known of these limits, to be kept over a restart.
    pub fn limits(&self, pools: &[Pool]) -> Vec<Limit> {
        let known = pools.iter().filter_map(|pool| Some((pool, self.0.get(pool)?)));
        known
            .map(|(Pool(pool), rest)| Limit { pool: pool.clone(), blocked_until: rest.blocked_until, stopped_until: rest.stopped_until })
            .filter(|limit| limit.blocked_until.or(limit.stopped_until).is_some())
            .collect()
    }

    /// Until when nothing of this may be asked; `None`: ask. When a block is over, one asks, and the others wait for what it is answered.
    pub fn wait(&mut self, pools: &[Pool], purpose: Purpose, now: Time) -> Option<Time> {
        let rests = pools.iter().filter_map(|pool| self.0.get(pool));
        let until = |rest: &Rest| match purpose {
            Purpose::Work => rest.blocked_until.max(rest.stopped_until),
            Purpose::Reserve => rest.blocked_until,
        };
        let probe = |rest: &Rest| rest.blocked_until.and(rest.probed_at).map(|at| at.plus(PROBE));
        let waits = rests.flat_map(|rest| [until(rest), probe(rest)]).flatten().filter(|&until| until > now).max();
        if waits.is_none() {
            for pool in pools {
                if let Some(rest) = self.0.get_mut(pool).filter(|rest| rest.blocked_until.is_some()) {
                    rest.probed_at = Some(now);
                }
            }
        }
        waits
    }

    /// Meta answered: whatever was blocked is no more.
    pub fn answered(&mut self, pools: &[Pool]) {
        for pool in pools {
            if let Some(rest) = self.0.get_mut(pool) {
                (rest.blocked_until, rest.probed_at) = (None, None);
            }
        }
    }

    /// How long to wait before conversations of the account are asked for again; the turn is taken.
    pub fn inbox_turn(&mut self, pool: &Pool, now: Time) -> SignedDuration {
        let rest = self.0.entry(pool.clone()).or_default();
        // No longer than one gap: whoever waits here has asked before, and waited then.
        let at = rest.inbox_at.map_or(now, |last| last.plus(INBOX_GAP).clamp(now, now.plus(INBOX_GAP)));
        rest.inbox_at = Some(at);
        at.since(now)
    }

    /// Learns from the headers of an answer.
    pub fn used(&mut self, account: &Pool, app: &Pool, usage: &[Usage], now: Time) {
        for one in usage {
            let pool = if one.kind == "app" { app } else { account };
            let full = one.percent >= STOP_AT;
            if full || one.regain.is_some() {
                let rest = self.0.entry(pool.clone()).or_default();
                rest.stopped_until = rest.stopped_until.max(Some(now.plus(one.regain.unwrap_or(REST))));
            }
        }
    }

    /// Learns from a refusal.
    pub fn refused(&mut self, account: &Pool, app: &Pool, error: &GraphError, now: Time) {
        let Next::Later { after, scope } = error.next else { return };
        let pool = if scope == Scope::App { app } else { account };
        let rest = self.0.entry(pool.clone()).or_default();
        rest.blocked_until = rest.blocked_until.max(Some(now.plus(after.unwrap_or(BLOCK))));
        rest.probed_at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_secs(1_795_500_000 + seconds)
    }

    fn pools() -> (Pool, Pool) {
        (Pool::account(Platform::Facebook, "1"), Pool::app(""))
    }

    fn usage(kind: &'static str, percent: u32, minutes: Option<i64>) -> Usage {
        Usage { kind, percent, regain: minutes.map(SignedDuration::from_mins) }
    }

    #[test]
    fn at_eighty_percent_new_work_rests_and_the_reserve_does_not() {
        let (account, app) = pools();
        let mut quota = Quota::default();
        quota.used(&account, &app, &[usage("pages", 79, None)], at(0));
        assert_eq!(quota.wait(std::slice::from_ref(&account), Purpose::Work, at(0)), None);
        quota.used(&account, &app, &[usage("pages", 80, None)], at(0));
        assert_eq!(quota.wait(std::slice::from_ref(&account), Purpose::Work, at(1)), Some(at(900)));
        assert_eq!(quota.wait(std::slice::from_ref(&account), Purpose::Reserve, at(1)), None);
        assert_eq!(quota.wait(&[account, app], Purpose::Work, at(900)), None, "then one probe");
    }

    #[test]
    fn a_limit_of_the_app_silences_every_account_of_it_as_long_as_meta_says() {
        let (account, app) = pools();
        let mut quota = Quota::default();
        let later = Next::Later { after: Some(SignedDuration::from_mins(20)), scope: Scope::App };
        quota.refused(&account, &app, &GraphError::new(later, "too many"), at(0));
        let other = [Pool::account(Platform::Instagram, "2"), app];
        assert_eq!(quota.wait(&other, Purpose::Reserve, at(1_199)), Some(at(1_200)));
        assert_eq!(quota.wait(&other, Purpose::Reserve, at(1_200)), None);
        assert_eq!(quota.wait(&[account], Purpose::Work, at(1)), None);
    }

    #[test]
    fn a_refusal_without_an_estimate_rests_an_hour_and_any_other_error_not_at_all() {
        let (account, app) = pools();
        let mut quota = Quota::default();
        quota.refused(&account, &app, &GraphError::new(Next::Retry, "trouble"), at(0));
        assert_eq!(quota.wait(std::slice::from_ref(&account), Purpose::Work, at(0)), None);
        quota.refused(&account, &app, &GraphError::new(Next::Later { after: None, scope: Scope::Account }, "too many"), at(0));
        assert_eq!(quota.wait(&[account], Purpose::Reserve, at(0)), Some(at(3_600)));
    }

    #[test]
    fn after_a_block_one_asks_and_the_others_wait_for_its_answer() {
        let (account, app) = pools();
        let mut quota = Quota::default();
        let later = Next::Later { after: Some(SignedDuration::from_mins(20)), scope: Scope::App };
        quota.refused(&account, &app, &GraphError::new(later, "too many"), at(0));
        let (first, second) = ([account.clone(), app.clone()], [Pool::account(Platform::Instagram, "2"), app.clone()]);
        let wait = |quota: &mut Quota, pools: &[Pool], seconds| quota.wait(pools, Purpose::Reserve, at(seconds));
        assert_eq!(wait(&mut quota, &first, 1_200), None);
        assert_eq!(wait(&mut quota, &second, 1_201), Some(at(1_230)));
        assert_eq!(wait(&mut quota, &second, 1_230), None, "the first was never answered: another asks");
        quota.refused(&account, &app, &GraphError::new(later, "too many"), at(1_231));
        assert_eq!(wait(&mut quota, &first, 2_430), Some(at(2_431)));
        assert_eq!(wait(&mut quota, &second, 2_431), None);
        quota.answered(&second);
        assert_eq!(wait(&mut quota, &first, 2_432), None);
    }

    #[test]
    fn what_is_known_of_limits_outlives_a_restart() {
        let (account, app) = pools();
        let mut quota = Quota::default();
        quota.used(&account, &app, &[usage("app", 90, None)], at(0));
        let both = [account, app];
        let mut quota = Quota::resumed(quota.limits(&both));
        assert_eq!(quota.wait(&both, Purpose::Work, at(1)), Some(at(900)));
        assert_eq!(quota.wait(&both, Purpose::Reserve, at(1)), None);
    }

    #[test]
    fn conversations_of_an_account_are_asked_for_twice_a_second_at_most() {
        let (account, _) = pools();
        let mut quota = Quota::default();
        let waits: Vec<i128> = (0..3).map(|_| quota.inbox_turn(&account, at(0)).as_millis()).collect();
        assert_eq!(waits, [0, 500, 500]);
        assert_eq!(quota.inbox_turn(&account, at(10)).as_millis(), 0);
    }
}
