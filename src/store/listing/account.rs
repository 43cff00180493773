//! The polled accounts and how they fare.

use std::collections::HashMap;

use jiff::SignedDuration;
use serde::Serialize;

use super::within;
use crate::{
    domain::{Platform, Scope, Source, Time, time::rfc3339},
    store::{
        Db, StoreError,
        concerns::{self, Concern},
        db::{Row, built, vals},
    },
};

/// An account as the contract's JSON has it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct AccountRow {
    /// Where it lives.
    pub platform: Platform,
    /// Meta's id.
    pub id: String,
    /// Slug of its OPD.
    pub opd: String,
    /// Its name, else its user name; `None` before the first read.
    pub name: Option<String>,
    /// Whether it can be read.
    pub healthy: bool,
    /// Why it cannot.
    pub reason: Option<String>,
    /// When the last poll that read everything began.
    #[serde(with = "rfc3339::option")]
    pub last_read_at: Option<Time>,
    /// When it is polled next.
    #[serde(with = "rfc3339")]
    pub next_read_at: Time,
    /// When its token ends, if it does.
    #[serde(with = "rfc3339::option")]
    pub token_expires_at: Option<Time>,
    /// Share of the last 30 days (or since its first read) in which all of it was watched, 0 to 1; `None` before the first read.
    pub watched: Option<f64>,
    /// What of it can't be read, and why.
    pub failing: Vec<Failing>,
    /// Which sources are proved to show what citizens write: one of theirs was read.
    pub proved: Vec<Source>,
    /// Why it is not to be trusted though it answers.
    pub doubts: Vec<Concern>,
}

/// A source that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Failing {
    /// What of the account.
    pub source: Source,
    /// Since when.
    #[serde(with = "rfc3339")]
    pub since: Time,
    /// Why, in our words.
    pub error: String,
}

/// Over how long the watched share is reckoned.
const SPAN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The accounts that stand in the configuration of the running (or last) daemon, by OPD.
pub async fn accounts(db: &Db, scope: &Scope, now: Time) -> Result<Vec<AccountRow>, StoreError> {
    let mut vals = Vec::new();
    let within = within(scope, "opd", &mut vals);
    let sql = format!(
        "SELECT id, platform, external_id, opd, coalesce(name, username) AS name, healthy, reason, last_read_at, next_poll_at, token_expires_at
         FROM account WHERE active = 1 AND {within} ORDER BY opd, platform, external_id"
    );
    let mut rows = Vec::new();
    let mut at = HashMap::new();
    for row in db.rows_built(built(sql), vals).await? {
        at.insert(row.i("id")?, rows.len());
        rows.push(read(&row)?);
    }
    let mut first: HashMap<i64, Time> = HashMap::new();
    let mut dark: HashMap<i64, Vec<(Time, Time)>> = HashMap::new();
    for row in db
        .rows(
            "SELECT account_id, name, first_read_at, last_read_at, failing_since, error, proved_at FROM source ORDER BY account_id, name",
            vals![],
        )
        .await?
    {
        let account = row.i("account_id")?;
        let Some(&index) = at.get(&account) else { continue };
        if let Some(read) = row.oat("first_read_at")? {
            let earliest = first.entry(account).or_insert(read);
            *earliest = (*earliest).min(read);
        }
        if row.oi("proved_at")?.is_some() {
            rows[index].proved.push(row.word("name", Source::from_word)?);
        }
        if let (Some(since), Some(error)) = (row.oat("failing_since")?, row.ot("error")?) {
            rows[index].failing.push(Failing { source: row.word("name", Source::from_word)?, since, error });
            dark.entry(account).or_default().push((row.oat("last_read_at")?.unwrap_or(since), now));
        }
    }
    for (account, doubts) in concerns::all(db).await? {
        if let Some(&index) = at.get(&account) {
            rows[index].doubts = doubts;
        }
    }
    for row in db.rows("SELECT account_id, from_at, until_at FROM gap WHERE until_at > $1", vals![now.minus(SPAN)]).await? {
        dark.entry(row.i("account_id")?).or_default().push((row.at("from_at")?, row.at("until_at")?));
    }
    for (account, first) in first {
        let from = first.max(now.minus(SPAN));
        if let Some(&index) = at.get(&account) {
            rows[index].watched = Some(watched(from, now, dark.remove(&account).unwrap_or_default()));
        }
    }
    Ok(rows)
}

/// Share of a span in which nothing was dark.
pub(in crate::store) fn watched(from: Time, until: Time, mut dark: Vec<(Time, Time)>) -> f64 {
    dark.sort();
    let (mut lit, mut reached) = (SignedDuration::ZERO, from);
    for (begins, ends) in dark {
        lit += begins.min(until).since(reached).max(SignedDuration::ZERO);
        reached = reached.max(ends);
    }
    lit += until.since(reached).max(SignedDuration::ZERO);
    let whole = until.since(from).as_secs_f64();
    if whole > 0.0 { lit.as_secs_f64() / whole } else { 1.0 }
}

fn read(row: &Row) -> Result<AccountRow, StoreError> {
    Ok(AccountRow {
        platform: row.word("platform", Platform::from_word)?,
        id: row.t("external_id")?,
        opd: row.t("opd")?,
        name: row.ot("name")?,
        healthy: row.b("healthy")?,
        reason: row.ot("reason")?,
        last_read_at: row.oat("last_read_at")?,
        next_read_at: row.at("next_poll_at")?,
        token_expires_at: row.oat("token_expires_at")?,
        watched: None,
        failing: Vec::new(),
        proved: Vec::new(),
        doubts: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_gaps_count_once_and_what_lies_outside_the_span_not_at_all() {
        let at = Time::from_secs;
        let percent = |gaps: &[(i64, i64)], until: i64| {
            let gaps = gaps.iter().map(|&(from, until)| (at(from), at(until))).collect();
            (watched(at(100), at(until), gaps) * 100.0).round() as i64
        };
        assert_eq!(percent(&[], 200), 100);
        assert_eq!(percent(&[(0, 50), (90, 110), (105, 120), (190, 300)], 200), 70);
        assert_eq!(percent(&[(0, 300)], 200), 0);
        assert_eq!(percent(&[], 100), 100, "read this very moment");
    }
}
