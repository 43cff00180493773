//! Whom a step tells: the officials of its groups to whom an agency belongs.

use super::{
    Time,
    settings::{Official, Settings},
};

/// Group of those who run the daemon.
pub const OPERATOR: &str = "operator";
/// Group of those who are told of the agency above a ticket's OPD.
pub const PARENT: &str = "parent";

impl Settings {
    /// The officials of some groups to whom an OPD belongs (`None`: the site, which belongs to all) and whose days hold `now`, in the order
    /// of the configuration. The group `parent` is whoever names the agency above the OPD.
    pub fn recipients<'a>(&'a self, groups: &[&str], opd: Option<&str>, now: Time) -> impl Iterator<Item = &'a Official> {
        let today = now.timestamp().to_zoned_datetime(self.site.timezone.clone()).date();
        let parent = opd.and_then(|opd| self.opd(opd)?.parent.as_deref()).filter(|_| groups.contains(&PARENT));
        self.officials.iter().filter(move |official| {
            let named = |slug: &str| official.opd.iter().any(|o| o == slug);
            let belongs = groups.contains(&official.group.as_str()) && (official.opd.is_empty() || opd.is_none_or(named));
            (belongs || parent.is_some_and(named)) && official.valid.holds(today)
        })
    }
}
