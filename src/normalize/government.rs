//! Who speaks for the government: the account itself, every other configured account, and the profiles an OPD lists as staff.
//! An author Meta does not name is a citizen, never the government.

use std::collections::{BTreeMap, HashMap};

use super::{Context, Normalized, draft::usable};
use crate::{
    domain::{
        Platform, Text,
        message::Author,
        settings::{AccountSpec, Opd, Settings},
    },
    graph::wire::Profile,
};

/// Everybody whose words are the government's, as seen from one account.
#[derive(Clone, Debug, Default)]
pub struct Government {
    /// The account's own ids: its external id, and for Instagram through Facebook Login the linked Page's.
    pub own: Vec<String>,
    /// Its user name, without `@`.
    pub own_username: Option<String>,
    /// Every other configured account of either platform.
    pub sisters: Vec<Sister>,
    /// Profiles (user name or id, without `@`) whose words are the OPD's.
    pub staff: Vec<String>,
    /// Configured Instagram accounts (external id) by the author id first seen under their user name.
    pub bindings: BTreeMap<String, String>,
}

/// Another configured account.
#[derive(Clone, Debug)]
pub struct Sister {
    /// Page id or Instagram professional account id.
    pub external_id: String,
    /// Where it lives.
    pub platform: Platform,
    /// Its user name at the last reading, without `@`.
    pub username: Option<String>,
    /// For Instagram through Facebook Login: the linked Page, whose words are its own.
    pub page: Option<String>,
}

impl Government {
    /// As seen from one configured account, by the user names (by external id) and author ids its sisters are known under.
    pub fn of(
        settings: &Settings,
        (opd, spec): (&Opd, &AccountSpec),
        usernames: &HashMap<String, String>,
        bindings: BTreeMap<String, String>,
    ) -> Self {
        let same_opd = |other: &Opd| settings.sla.sister_accounts_answer || other.slug == opd.slug;
        let sisters = settings.accounts().filter(|(other, sister)| sister.id != spec.id && same_opd(other)).map(|(_, sister)| Sister {
            external_id: sister.id.clone(),
            platform: sister.platform,
            username: usernames.get(&sister.id).cloned(),
            page: sister.page.clone(),
        });
        Self {
            own: std::iter::once(spec.id.clone()).chain(spec.page.clone()).collect(),
            own_username: usernames.get(&spec.id).cloned(),
            sisters: sisters.collect(),
            staff: opd.staff.clone(),
            bindings,
        }
    }
    pub(super) fn is_own(&self, id: Option<&str>) -> bool {
        id.is_some_and(|id| self.own.iter().any(|own| own == id))
    }
    pub(super) fn is_own_name(&self, name: Option<&str>) -> bool {
        same(self.own_username.as_deref(), name)
    }
    /// Whether a tag names a configured account or staff: then it is no talk to another citizen.
    pub(super) fn is_named(&self, platform: Platform, id: Option<&str>, name: Option<&str>) -> bool {
        let by_name = |other: Option<&str>| platform == Platform::Instagram && same(other, name);
        self.sisters.iter().any(|sister| {
            id == Some(&sister.external_id)
                || (id.is_some() && id == sister.page.as_deref())
                || (sister.platform == platform && by_name(sister.username.as_deref()))
        }) || self.staff.iter().any(|staff| id == Some(staff) || by_name(Some(staff)))
    }
}

fn same(known: Option<&str>, found: Option<&str>) -> bool {
    matches!((known, found), (Some(known), Some(found)) if known.eq_ignore_ascii_case(found))
}

/// Who wrote something.
#[derive(Clone, Debug, Default)]
pub(super) struct Writer {
    /// As Meta names him; `None` if it does not.
    pub author: Option<Author>,
    /// The configured account, or `staff`; `None` for a citizen.
    pub government: Option<String>,
}

impl Writer {
    /// Whether both are known to be different citizens.
    pub fn is_other_citizen(&self, other: &Self) -> bool {
        let id = |writer: &Self| writer.author.as_ref().and_then(|author| author.id.clone());
        self.government.is_none() && other.government.is_none() && id(self).zip(id(other)).is_some_and(|(a, b)| a != b)
    }
    /// His id.
    pub fn id(&self) -> Option<&str> {
        self.author.as_ref()?.id.as_deref()
    }
}

/// Who wrote something, by what Meta says of its author. `own`: Meta itself says that the account wrote it.
/// A user name met for the first time is bound to its id in `out`.
pub(super) fn writer(ctx: &Context, out: &mut Normalized, profile: &Profile, own: bool) -> Writer {
    let government = ctx.government;
    let text = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(Text::new);
    let author = Author { id: profile.id.clone(), name: text(&profile.name), username: text(&profile.username) };
    // An id that can't be kept must be bound to no name either.
    let (id, username) = (usable(profile.id.as_deref()), profile.username.as_deref().filter(|name| !name.is_empty()));
    let is_own = own || government.is_own(id) || (ctx.platform == Platform::Instagram && government.is_own_name(username));
    let who = if is_own {
        Some(ctx.account.to_owned())
    } else if let Some(sister) = sister(ctx, out, id, username) {
        Some(sister)
    } else {
        let staff = government.staff.iter().any(|staff| id == Some(staff) || same(Some(staff), username));
        staff.then(|| "staff".to_owned())
    };
    Writer { author: (author != Author::default()).then_some(author), government: who }
}

fn sister(ctx: &Context, out: &mut Normalized, id: Option<&str>, username: Option<&str>) -> Option<String> {
    let sisters = || ctx.government.sisters.iter().filter(|sister| !ctx.government.is_own(Some(&sister.external_id)));
    if ctx.platform == Platform::Facebook {
        let id = id?;
        let page = sisters().find(|s| s.platform == Platform::Facebook && s.external_id == id);
        return page.or_else(|| sisters().find(|s| s.page.as_deref() == Some(id))).map(|s| s.external_id.clone());
    }
    let bound = |sister: &Sister| {
        let earlier = ctx.government.bindings.get(&sister.external_id);
        earlier.or_else(|| out.bindings.iter().find(|(name, _)| *name == sister.external_id).map(|(_, id)| id)).cloned()
    };
    let mut accounts = sisters().filter(|s| s.platform == Platform::Instagram);
    if let Some(known) = id.and_then(|id| accounts.clone().find(|s| bound(s).as_deref() == Some(id))) {
        return Some(known.external_id.clone());
    }
    let named = accounts.find(|s| same(s.username.as_deref(), username))?;
    match (bound(named), id) {
        (Some(_), Some(_)) => return None, // somebody else goes by the name now
        (None, Some(id)) => out.bindings.push((named.external_id.clone(), id.to_owned())),
        (_, None) => {}
    }
    Some(named.external_id.clone())
}
