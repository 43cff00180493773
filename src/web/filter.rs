//! The filters of lists, as they stand in an address. A wrong one is refused with the right names; an empty one, as forms send it, is none.

use axum::extract::Query;
use serde::{Deserialize, de::DeserializeOwned};
use url::form_urlencoded;
use utoipa::IntoParams;

use super::{Shared, cursor};
use crate::{
    domain::{Kind, Platform, Scope, TicketId, TicketState, Time, settings::Settings, words},
    store::{
        StoreError,
        listing::{self, TicketFilter, TicketRow},
    },
};

/// The most rows an answer holds.
pub(super) const LIMIT_MAX: u32 = 500;

/// Where tickets stand, or any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // domain::TicketState says what each is
pub enum Standing {
    #[default]
    Open,
    Answered,
    Dismissed,
    Withdrawn,
    All,
}
words!(Standing { Open = "open", Answered = "answered", Dismissed = "dismissed", Withdrawn = "withdrawn", All = "all" });

impl Standing {
    fn state(self) -> Option<TicketState> {
        TicketState::from_word(self.word())
    }
}

/// Which tickets.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct Tickets {
    /// Where they stand; `open` if nothing is said.
    pub state: Option<Standing>,
    /// Only open ones past their deadline.
    pub overdue: Option<bool>,
    /// Slug of the OPD that has to answer.
    pub opd: Option<String>,
    /// Where they were written.
    pub platform: Option<Platform>,
    /// What their thread is.
    pub kind: Option<Kind>,
    /// Urgent or not.
    pub urgent: Option<bool>,
    /// Meta's id of the account.
    pub account: Option<String>,
    /// The `next` of the answer before.
    pub cursor: Option<String>,
    /// At most so many, up to 500.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// Why there is no list.
pub(super) enum Unlisted {
    /// A filter is wrong.
    Wrong(String),
    /// The cursor is none of this list.
    Place,
    /// The database.
    Store(StoreError),
}

impl Tickets {
    /// Which tickets these are; and the filters as text, without place and number.
    fn filter(&self, settings: &Settings, scope: &Scope, now: Time) -> Result<(TicketFilter, String), String> {
        if let Some(opd) = &self.opd {
            know_opd(opd, settings, scope)?;
        }
        let state = self.state.unwrap_or_default();
        let overdue = self.overdue == Some(true);
        let filter = TicketFilter {
            state: state.state(),
            overdue_at: overdue.then_some(now),
            opd: self.opd.clone(),
            platform: self.platform,
            kind: self.kind,
            urgent: self.urgent,
            account: self.account.clone(),
            limit: None,
            after: None,
            backwards: state != Standing::Open && !overdue,
        };
        Ok((filter, format!("{:?}", Self { cursor: None, limit: None, ..self.clone() })))
    }

    /// So many of these tickets from the cursor on, and the cursor behind them if there are more.
    pub async fn page(&self, shared: &Shared, scope: &Scope, limit: u32, now: Time) -> Result<(Vec<TicketRow>, Option<String>), Unlisted> {
        let (mut filter, filters) = self.filter(shared.settings(), scope, now).map_err(Unlisted::Wrong)?;
        let (links, list) = (&shared.joints.links, cursor::list("tickets", &filters, scope));
        if let Some(given) = &self.cursor {
            let (at, id) = cursor::place(links, &list, given).ok_or(Unlisted::Place)?;
            filter.after = Some((at, TicketId(id)));
        }
        filter.limit = Some(limit + 1);
        let mut rows = listing::tickets(&shared.joints.db, scope, &filter).await.map_err(Unlisted::Store)?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|last| cursor::after(links, &list, last.due_at, last.id.0));
        Ok((rows, next))
    }

    /// How many rows an answer holds.
    pub fn limit(&self, usual: u32) -> Result<u32, String> {
        limit(self.limit, usual)
    }

    /// The address of this list without what names a place in it, for links that add to it.
    pub fn address(&self) -> String {
        let mut out = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("state", self.state.map(|state| state.word().to_owned())),
            ("overdue", self.overdue.map(|it| it.to_string())),
            ("opd", self.opd.clone()),
            ("platform", self.platform.map(|platform| platform.word().to_owned())),
            ("kind", self.kind.map(|kind| kind.word().to_owned())),
            ("urgent", self.urgent.map(|it| it.to_string())),
            ("account", self.account.clone()),
        ] {
            if let Some(value) = value {
                out.append_pair(name, &value);
            }
        }
        out.finish()
    }
}

/// A number of rows, or what is wrong with it.
pub(super) fn limit(wanted: Option<u32>, usual: u32) -> Result<u32, String> {
    match wanted {
        Some(0) => Err(format!("limit: 0 is too few, 1 to {LIMIT_MAX} are given at once")),
        Some(many) if many > LIMIT_MAX => Err(format!("limit: {many} is too many, 1 to {LIMIT_MAX} are given at once")),
        given => Ok(given.unwrap_or(usual)),
    }
}

/// An instant as the API's answers write it, or what is wrong with it.
pub(super) fn instant(name: &str, text: &str) -> Result<Time, String> {
    let time = Some(text).filter(|text| text.contains(['T', 't'])).and_then(Time::parse);
    time.ok_or_else(|| format!("{name}: {text:?} is no time; write it like 2026-11-24T02:00:00Z"))
}

/// A slug that the configuration does not know is answered like one outside the scope.
pub(super) fn know_opd(slug: &str, settings: &Settings, scope: &Scope) -> Result<(), String> {
    let known: Vec<_> = settings.opds.iter().map(|opd| opd.slug.as_str()).filter(|opd| scope.holds(opd)).collect();
    if known.contains(&slug) { Ok(()) } else { Err(format!("opd: there is no {slug:?}, there are {}", known.join(", "))) }
}

/// The filters as a form of ours sends them: what is left empty is none.
pub(super) fn of_form<T: DeserializeOwned>(query: Option<&str>) -> Result<T, String> {
    let given = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).filter(|(_, value)| !value.is_empty());
    read(Some(&form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish()))
}

/// The filters out of an address; what is wrong with them names the parameter and what would be right.
pub(super) fn read<T: DeserializeOwned>(query: Option<&str>) -> Result<T, String> {
    let query = query.unwrap_or_default();
    let uri = format!("/?{query}").parse().map_err(|_| "the address can't be read".to_owned())?;
    let Query(read) = Query::<T>::try_from_uri(&uri).map_err(|error| {
        let text = error.body_text();
        text.split_once(": ").map_or(text.clone(), |(_, what)| what.to_owned())
    })?;
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_filter_is_refused_with_the_right_names_and_an_empty_one_is_none() {
        let read = |query| of_form::<Tickets>(Some(query)).map(|it| it.address());
        assert!(super::read::<Tickets>(Some("state=")).is_err(), "but a program is held to its word");
        assert_eq!(read("opd=&state=all&urgent=true&limit=5&cursor=x").unwrap(), "state=all&urgent=true");
        assert_eq!(read("").unwrap(), "");
        for (query, said) in [
            ("state=opn", "state: unknown variant `opn`, expected one of `open`, `answered`, `dismissed`, `withdrawn`, `all`"),
            ("platform=twitter", "platform: unknown variant `twitter`, expected `facebook` or `instagram`"),
            ("stat=open", "unknown field `stat`, expected one of `state`"),
            ("limit=many", "limit: invalid digit"),
            ("urgent=maybe", "urgent: provided string was not `true` or `false`"),
        ] {
            let wrong = read(query).unwrap_err();
            assert!(wrong.contains(said), "{query}: {wrong}");
        }
        assert!(limit(Some(0), 9).is_err() && limit(Some(501), 9).is_err() && limit(None, 9) == Ok(9));
    }
}
