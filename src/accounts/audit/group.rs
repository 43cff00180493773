//! The findings as people read them: what is to be said of several agencies is said once, with all their names.

use minijinja::context;
use serde::Serialize;

use super::{Finding, Look, Row};
use crate::{catalogue::WordsError, domain::settings::OpdKind};

/// A finding and what to do about it.
type Line = (String, String);

/// An agency, or all the agencies of which the same is to be said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The agency's name, or how many there are (of one kind: with their names).
    pub who: String,
    /// What a single agency is called for short.
    pub short: Option<String>,
    /// The names of several of more than one kind, a line a kind.
    pub members: Vec<String>,
    /// Finding and advice; more than one for a single agency, where the same advice is given once.
    pub lines: Vec<Line>,
    /// Something is to be done.
    pub open: bool,
}

impl Look<'_> {
    /// The rows in groups, the worst first. Where no account was ever read, that is said once of all of them (`never_ran`).
    pub(super) fn groups(&self, rows: &[Row], accounts: usize, never_ran: bool) -> Result<Vec<Group>, WordsError> {
        let (waiting, rest): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| never_ran && row.finding == Finding::NotReadYet);
        let mut groups = Vec::new();
        if never_ran {
            let who = self.words.say("never_ran_who", context! { accounts })?;
            let lines = vec![(self.words.say("never_ran", ())?, self.words.say("never_ran_do", ())?)];
            let agencies: Vec<&Row> = waiting.chunk_by(|a, b| a.opd == b.opd).filter_map(<[_]>::first).copied().collect();
            groups.push(Group { who, short: None, members: self.members(&agencies)?, lines, open: true });
        }
        let mut units: Vec<&[&Row]> = rest.chunk_by(|a, b| a.opd == b.opd).collect();
        // stable: differs from the order of the rows only where what is said of all was left out
        units.sort_by_key(|unit| unit.iter().map(|row| row.finding).min());
        let same = self.words.say("same", ())?;
        let mut alike: Vec<(Vec<Line>, Vec<&Row>)> = Vec::new();
        for unit in units {
            let Some(&agency) = unit.first() else { continue };
            let repeated = |at: usize| at > 0 && unit[at - 1].advice == unit[at].advice;
            let advice = |at: usize| if repeated(at) { same.clone() } else { unit[at].advice.clone() };
            let lines: Vec<_> = unit.iter().enumerate().map(|(at, row)| (row.text.clone(), advice(at))).collect();
            let of_no_account = unit.iter().all(|row| row.account.is_none());
            match alike.iter_mut().find(|(known, _)| of_no_account && *known == lines) {
                Some((_, agencies)) => agencies.push(agency),
                None => alike.push((lines, vec![agency])),
            }
        }
        for (lines, agencies) in alike {
            let open = agencies.iter().all(|row| row.finding != Finding::Ok);
            groups.push(if let [one] = agencies[..] {
                let named = one.name.contains(&one.abbreviation);
                let who = if named { one.name.clone() } else { format!("{} ({})", one.name, one.abbreviation) };
                Group { who, short: Some(one.abbreviation.clone()), members: Vec::new(), lines, open }
            } else {
                let (who, members) = match self.members(&agencies)? {
                    kinds if kinds.len() == 1 => (kinds.concat(), Vec::new()),
                    kinds => (self.words.say("group", context! { n => agencies.len() })?, kinds),
                };
                Group { who, short: None, members, lines, open }
            });
        }
        Ok(groups)
    }

    /// "14 Kecamatan: Kec. Sumber, Kec. Bulu, …", a line a kind.
    fn members(&self, agencies: &[&Row]) -> Result<Vec<String>, WordsError> {
        let mut lines = Vec::new();
        for kind in OpdKind::ALL {
            let names: Vec<&str> = agencies.iter().filter(|row| row.kind == *kind).map(|row| row.abbreviation.as_str()).collect();
            if !names.is_empty() {
                let kind = self.words.say(&format!("kind_{kind}"), ())?;
                lines.push(self.words.say("members", context! { n => names.len(), kind, names => names.join(", ") })?);
            }
        }
        Ok(lines)
    }
}
