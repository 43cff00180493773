//! What a token can see, written as configuration ready to paste. Pure. Whatever is not beyond doubt is commented out: it asks a person.

use std::fmt::Write as _;

use super::{
    discover::{Account, Owner, Seen},
    matching::{self, Candidate, Unit},
};
use crate::{
    domain::{
        Platform,
        account::Login,
        settings::{AccountSpec, Opd},
    },
    runtime::log::escaped,
};

/// What each kind of account needs to be read in whole (permission, what for), by what Meta's pages of each edge say.
const PAGE_NEEDS: [(&str, &str); 4] = [
    ("pages_messaging", "direct messages"),
    ("pages_manage_metadata", "direct messages"),
    ("pages_read_engagement", "posts"),
    ("pages_read_user_content", "comments and visitors' posts"),
];
const LINKED_NEEDS: [(&str, &str); 4] = [
    ("instagram_basic", "posts"),
    ("instagram_manage_comments", "comments"),
    ("instagram_manage_messages", "direct messages"),
    ("pages_manage_metadata", "direct messages"),
];
/// The same of tasks; new Pages write `PROFILE_PLUS_` before them, and full control is all of them.
const TASKS: [(&str, &str); 2] = [("MESSAGING", "direct messages"), ("MODERATE", "comments")];

/// An account with the agency it belongs to.
#[derive(Clone, Debug)]
pub struct Placed<'a> {
    /// The account.
    pub account: &'a Account,
    /// The agencies it may belong to, the likeliest first.
    pub candidates: Vec<Candidate>,
    /// The one that is beyond doubt (its place among the units), with how sure.
    pub unit: Option<(usize, u8)>,
}

impl Placed<'_> {
    /// The beginning of its token's file name: the agency's slug, else its own name.
    pub fn slug(&self, units: &[Unit]) -> String {
        let own = [&self.account.username, &self.account.name].into_iter().flatten().map(|name| super::place::words(name).join("-"));
        let known = self.unit.map(|(at, _)| units[at].slug.clone());
        let plain = |slug: &String| !slug.is_empty() && slug.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        known.into_iter().chain(own).find(plain).unwrap_or_else(|| self.account.id.clone())
    }
}

/// Finds the agency of every account. An Instagram account linked to a Page is its Page's agency's, unless its own name says otherwise.
pub fn place<'a>(accounts: &'a [Account], units: &[Unit], site: &str) -> Vec<Placed<'a>> {
    let mut placed: Vec<Placed> = Vec::with_capacity(accounts.len());
    for account in accounts {
        let names: Vec<&str> = [&account.name, &account.username].into_iter().flatten().map(String::as_str).collect();
        let mut candidates = matching::candidates(units, site, &names);
        let mut unit = matching::certain(&candidates).map(|it| (it.unit, it.confidence));
        let page = account.page.as_ref().and_then(|page| placed.iter().find(|it| it.account.id == *page));
        match (page.and_then(|page| page.unit), unit) {
            (Some((pages, _)), Some((own, _))) if pages != own => {
                candidates.extend(page.map(|page| page.candidates.clone()).unwrap_or_default());
                unit = None;
            }
            (Some((pages, confidence)), own) => unit = Some((pages, confidence.max(own.map_or(0, |(_, own)| own)))),
            (None, _) => {}
        }
        placed.push(Placed { account, candidates, unit });
    }
    placed
}

/// What the draft is made of.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// The reference to the token that was looked through.
    pub reference: &'a str,
    /// The app it belongs to, if it is not the default one.
    pub app: Option<&'a str>,
    /// What it sees.
    pub seen: &'a Seen,
    /// The same with its agencies.
    pub placed: &'a [Placed<'a>],
    /// A reference to each account's token, as far as tokens were kept.
    pub tokens: &'a [Option<String>],
    /// Every agency an account may belong to.
    pub units: &'a [Unit],
    /// The configured ones.
    pub opds: &'a [Opd],
}

impl Draft<'_> {
    /// The configuration.
    pub fn write(&self) -> String {
        let mut out = String::new();
        self.head(&mut out);
        let configured = |account: &Account| {
            let same = |spec: &AccountSpec| spec.platform == account.platform && spec.id == account.id;
            self.opds.iter().find(|opd| opd.accounts.iter().any(same))
        };
        let rows: Vec<(&Placed, Option<&String>)> = self.placed.iter().zip(self.tokens.iter().map(Option::as_ref)).collect();
        let (known, new): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(it, _)| configured(it.account).is_some());
        if !known.is_empty() {
            out.push_str("\n# In the configuration already:\n");
        }
        for (it, token) in known {
            let slug = configured(it.account).map_or("", |opd| opd.slug.as_str());
            let token = token.map_or_else(String::new, |token| format!("; its token: {token}"));
            let _ = writeln!(out, "# {} under {slug}{token}{}", called(it.account), shortfall(it.account));
        }
        let usable = |(it, _): &&(&Placed, Option<&String>)| it.unit.is_some() && it.account.token.is_some();
        for (at, unit) in self.units.iter().enumerate() {
            let own: Vec<_> = new.iter().filter(usable).filter(|(it, _)| it.unit.is_some_and(|(unit, _)| unit == at)).collect();
            if !own.is_empty() {
                self.opd(&mut out, unit);
            }
            for (it, token) in own {
                let _ = writeln!(out, "# {}: {} % sure{}", called(it.account), it.unit.map_or(0, |it| it.1), shortfall(it.account));
                self.account(&mut out, it.account, *token, "");
            }
        }
        let doubtful: Vec<_> = new.iter().filter(|row| !usable(row)).collect();
        if !doubtful.is_empty() {
            out.push_str("\n# Not beyond doubt. Put each under its [[opd]] and take the # away:\n");
        }
        for (it, token) in doubtful {
            let _ = writeln!(out, "#\n# {}: {}{}", called(it.account), self.perhaps(it), shortfall(it.account));
            self.account(&mut out, it.account, *token, "# ");
        }
        out
    }

    fn head(&self, out: &mut String) {
        let Seen { owner, kind, expires_at, accounts, .. } = self.seen;
        let whose = match (owner, kind.as_deref()) {
            (Owner::Person, Some("SYSTEM_USER")) => "a system user's token",
            (Owner::Person, Some("USER")) => "a person's token",
            (Owner::Person, _) => "the token of a person or system user",
            (Owner::Page, _) => "a Page's own token",
            (Owner::Instagram, _) => "an Instagram account's own token",
        };
        let pages = accounts.iter().filter(|it| it.platform == Platform::Facebook).count();
        let end = expires_at.map_or_else(String::new, |at| format!("; it ends {}", at.rfc3339()));
        let _ = writeln!(out, "# {} is {whose}{end}.", escaped(self.reference));
        let _ = writeln!(out, "# It sees {pages} Facebook Pages and {} Instagram accounts.", accounts.len() - pages);
        if self.seen.instagram_hidden {
            out.push_str("# It may not see which Instagram accounts are linked: it needs the permission instagram_basic.\n");
        }
        if self.seen.odd > 0 {
            let _ = writeln!(out, "# {} entries of Meta's list could not be read.", self.seen.odd);
        }
        let kept = self.tokens.iter().any(Option::is_some);
        if *owner == Owner::Person && !kept && !accounts.is_empty() {
            out.push_str("\n# From this the tokens of the accounts below are fetched; --save DIR gives each a file of its own instead.\n");
            let _ = writeln!(out, "[[graph.source]]\ntoken = {}", text(self.reference));
            let _ = self.app.map(|app| writeln!(out, "app = {}", text(app)));
        }
    }

    /// The head of an agency, with every key it has in the configuration.
    fn opd(&self, out: &mut String, unit: &Unit) {
        let opd = self.opds.iter().find(|opd| opd.slug == unit.slug);
        let standing = opd.map_or(0, |opd| opd.accounts.len());
        out.push_str(match (opd, standing) {
            (None, _) => "\n# Not in the configuration yet.\n",
            (Some(_), 0) => "\n# Stands in the configuration without an account: replace it by this.\n",
            (Some(_), _) => "\n# Stands in the configuration with other accounts: add these to it, below its own.\n",
        });
        let _ = writeln!(out, "[[opd]]\nslug = {}\nname = {}", text(&unit.slug), text(&unit.name));
        let mut key = |name: &str, value: Option<String>| value.map(|value| writeln!(out, "{name} = {value}"));
        key("abbreviation", Some(text(&unit.abbreviation)));
        key("kind", unit.kind.map(|kind| text(kind.word())));
        key("parent", unit.parent.as_deref().map(text));
        let Some(opd) = opd else { return };
        let list =
            |words: Vec<&str>| (!words.is_empty()).then(|| format!("[{}]", words.into_iter().map(text).collect::<Vec<_>>().join(", ")));
        key("expects", list(opd.expects.iter().map(|it| it.word()).collect()));
        key("staff", list(opd.staff.iter().map(String::as_str).collect()));
        key("calendar", opd.calendar.as_deref().map(text));
    }

    fn account(&self, out: &mut String, account: &Account, token: Option<&String>, before: &str) {
        let own = self.seen.owner != Owner::Person;
        let token = token.cloned().or_else(|| own.then(|| self.reference.to_owned())).filter(|_| account.token.is_some());
        let keys = [
            ("platform", Some(account.platform.word())),
            ("id", Some(account.id.as_str())),
            ("page", account.page.as_deref()),
            ("login", (account.login == Login::Instagram).then_some("instagram")),
            ("token", token.as_deref()),
            ("app", self.app),
        ];
        let _ = writeln!(out, "{before}[[opd.account]]");
        for (key, value) in keys.into_iter().filter_map(|(key, value)| Some((key, value?))) {
            let _ = writeln!(out, "{before}{key} = {}", text(value));
        }
    }

    fn perhaps(&self, it: &Placed) -> String {
        let named = it.candidates.iter().map(|it| format!("{} ({} %)", escaped(&self.units[it.unit].slug), it.confidence));
        match named.collect::<Vec<_>>() {
            _ if it.account.token.is_none() => "Meta gives no token for it: the token's owner needs a role there".to_owned(),
            named if named.is_empty() => "no agency is called so".to_owned(),
            named => format!("perhaps {}", named.join(", or ")),
        }
    }
}

/// What may be done there, and what cannot be read.
fn shortfall(account: &Account) -> String {
    let mut lacks = Vec::new();
    let needs = match (account.platform, account.login) {
        (Platform::Facebook, _) => &PAGE_NEEDS[..],
        (Platform::Instagram, Login::Facebook) => &LINKED_NEEDS[..],
        (Platform::Instagram, Login::Instagram) => &[],
    };
    if let Some(granted) = &account.granted {
        let missing = needs.iter().filter(|(name, _)| !granted.iter().any(|it| it == name));
        lacks.extend(missing.map(|(name, what)| format!("the permission {name} ({what})")));
    }
    let may = |task: &str| account.tasks.iter().any(|it| it.ends_with(task) || it.ends_with("FULL_CONTROL"));
    if !account.tasks.is_empty() {
        lacks.extend(TASKS.iter().filter(|(task, _)| !may(task)).map(|(task, what)| format!("the task {task} ({what})")));
    }
    let plain = |words: &[String]| escaped(&words.join(" ")).into_owned();
    let mut said = String::new();
    if !account.tasks.is_empty() {
        let _ = write!(said, "\n# tasks: {}", plain(&account.tasks));
    }
    if let Some(granted) = account.granted.as_ref().filter(|granted| !granted.is_empty()) {
        let _ = write!(said, "\n# permissions: {}", plain(granted));
    }
    if !lacks.is_empty() {
        let _ = write!(said, "\n# LACKS {}", lacks.join(", "));
    }
    said
}

/// `Page "Dinkes Rembang" (@dinkes.rembang, 101)`, on one line whatever the name holds.
fn called(account: &Account) -> String {
    let what = match account.platform {
        Platform::Facebook => "Page",
        Platform::Instagram => "Instagram",
    };
    let name = account.name.as_ref().map_or_else(String::new, |name| format!(" \"{}\"", escaped(name)));
    let user = account.username.as_ref().map_or_else(String::new, |name| format!("@{}, ", escaped(name)));
    format!("{what}{name} ({user}{})", account.id)
}

/// A TOML string.
fn text(value: &str) -> String {
    toml::Value::from(value).to_string()
}

#[cfg(test)]
mod tests;
