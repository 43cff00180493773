//! The configuration after it was checked: no dangling name, no bad zone, no unreadable secret.
//! `config` makes it; every other folder takes the part it needs from here.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc};

use jiff::{SignedDuration, civil, tz::TimeZone};
use regex::Regex;
use secrecy::SecretString;

use super::{Kind, Platform, Source, account::Login};

/// Everything. Cheap to clone behind an `Arc`; a reload makes a new one.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The kabupaten.
    pub site: Site,
    /// Where everything is kept.
    pub database: Database,
    /// How the log looks.
    pub log: Log,
    /// What is served.
    pub http: Http,
    /// Who else may say who somebody is; `None` = off.
    pub oidc: Option<Oidc>,
    /// How Meta is reached.
    pub graph: Graph,
    /// How accounts are read.
    pub poll: Poll,
    /// What counts as an answer, what is urgent.
    pub sla: Sla,
    /// Who must miss us when we stop.
    pub heartbeat: Heartbeat,
    /// What letters show.
    pub letter: Letter,
    /// Replies to be chosen from, in the order of the configuration.
    pub canned: Vec<Canned>,
    /// How long texts of closed threads are kept.
    pub retention_closed: SignedDuration,
    /// `secrets.key`: encrypts refreshed Instagram tokens; there wherever an account has `login = "instagram"`.
    pub secrets_key: Option<SecretString>,
    /// Calendars by name, the built-in ones included.
    pub calendars: BTreeMap<String, CalendarSpec>,
    /// In the order in which they are tried; the last one has no match.
    pub policies: Vec<Policy>,
    /// Offices that are told.
    pub officials: Vec<Official>,
    /// Ways to tell them.
    pub channels: Channels,
    /// The agencies and their accounts.
    pub opds: Vec<Opd>,
}

/// `[site]`.
#[derive(Clone, Debug)]
pub struct Site {
    /// As written in letters.
    pub name: String,
    /// The zone of letters, quiet hours and digests.
    pub timezone: TimeZone,
    /// Of alerts, page and reports.
    pub language: Language,
}

/// Of alerts, page and reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// Bahasa Indonesia.
    Indonesian,
    /// English.
    English,
}
super::words!(Language { Indonesian = "id", English = "en" });

/// `[database]`.
#[derive(Clone, Debug)]
pub struct Database {
    /// `sqlite:///path` or `postgres://…`; secret because a password may stand in it.
    pub url: SecretString,
}

/// `[log]`.
#[derive(Clone, Debug)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// tracing's EnvFilter syntax.
    pub filter: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogFormat {
    /// text on a terminal, journald under systemd, else json.
    Auto,
    /// For people.
    Text,
    /// One flat object a line.
    Json,
    /// Journal fields.
    Journald,
}
super::words!(LogFormat { Auto = "auto", Text = "text", Json = "json", Journald = "journald" });

/// `[http]`.
#[derive(Clone, Debug)]
pub struct Http {
    /// Page and API; `None` = off.
    pub listen: Option<SocketAddr>,
    /// Metrics and health; `None` = off.
    pub metrics_listen: Option<SocketAddr>,
    /// Base of links in alerts, without a trailing slash.
    pub public_url: Option<String>,
}

/// `[oidc]`: sign-in by the site's own identity provider.
#[derive(Clone, Debug)]
pub struct Oidc {
    /// As written: the provider calls itself exactly so.
    pub issuer: String,
    /// What the provider calls us.
    pub client_id: String,
    /// `None`: a public client.
    pub client_secret: Option<SecretString>,
    /// What people call it.
    pub name: String,
    /// Where the provider sends people back to.
    pub back: String,
}

impl Oidc {
    /// Somebody of this provider, as `person.subject` holds it.
    pub fn subject(&self, sub: &str) -> String {
        format!("{} {sub}", self.issuer)
    }
}

/// `[graph]`.
#[derive(Clone, Debug)]
pub struct Graph {
    /// Base URL without a trailing slash.
    pub url: String,
    /// Base URL of accounts with `login = "instagram"`, without a trailing slash.
    pub instagram_url: String,
    /// `v25.0`.
    pub version: String,
    /// The default app.
    pub app: App,
    /// Further apps by name.
    pub apps: BTreeMap<String, App>,
    /// Tokens from which the Page tokens of accounts without a `token` are fetched, in the order in which they are asked.
    pub sources: Vec<TokenSource>,
    /// Turns on `/webhooks/meta`: Meta shows it in the handshake.
    pub verify_token: Option<SecretString>,
    /// One request, all told.
    pub timeout: SignedDuration,
}

impl Graph {
    /// Every secret by which an app of ours may sign.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        let apps = std::iter::once(&self.app).chain(self.apps.values());
        apps.flat_map(|app| [&app.secret, &app.instagram_secret]).flatten()
    }

    /// The app of that name, the default app without one.
    pub fn app(&self, name: Option<&str>) -> &App {
        name.and_then(|name| self.apps.get(name)).unwrap_or(&self.app)
    }
}

/// `[[graph.source]]`.
#[derive(Clone, Debug)]
pub struct TokenSource {
    /// Of a system user or a person.
    pub token: Token,
    /// Name of a `[[graph.app]]`; `None` = the default app.
    pub app: Option<String>,
}

/// A Meta app.
#[derive(Clone, Debug, Default)]
pub struct App {
    /// Its id.
    pub id: Option<String>,
    /// For `appsecret_proof` to `graph.url` and for `debug_token`.
    pub secret: Option<SecretString>,
    /// For `appsecret_proof` to `graph.instagram_url`.
    pub instagram_secret: Option<SecretString>,
}

/// `[poll]`.
#[derive(Clone, Debug)]
pub struct Poll {
    /// An account with news is read this often.
    pub interval: SignedDuration,
    /// An account without.
    pub idle_interval: SignedDuration,
    /// How far back the first read goes.
    pub backfill: SignedDuration,
    /// Comments on posts up to this age are found.
    pub comment_horizon: SignedDuration,
    /// How often older posts in that horizon are looked at.
    pub sweep_interval: SignedDuration,
    /// Requests under way at once.
    pub concurrency: usize,
    /// After this a step takes effect unverified.
    pub verify_within: SignedDuration,
    /// Two reads this far apart must miss a message before it counts as gone.
    pub confirm_gone: SignedDuration,
}

/// Which mentions open tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mentions {
    /// Those whose text asks something or is urgent.
    Ask,
    /// All.
    All,
    /// None.
    None,
}
super::words!(Mentions { Ask = "ask", All = "all", None = "none" });

/// `[sla]`.
#[derive(Clone, Debug)]
pub struct Sla {
    /// Case-insensitive.
    pub auto_reply_patterns: Vec<Regex>,
    /// See semantics.md, Tickets, "Automatic".
    pub auto_reply_within: SignedDuration,
    /// As written; `banjir*` also takes suffixes.
    pub urgent_keywords: Vec<String>,
    /// A reply by another configured account answers too.
    pub sister_accounts_answer: bool,
    /// Which mentions open tickets.
    pub mentions: Mentions,
    /// Whether `ticket.window_closing` is sent.
    pub window_warning: bool,
}

/// `[heartbeat]`.
#[derive(Clone)]
pub struct Heartbeat {
    /// `None` = off. Its path is the watching service's secret.
    pub url: Option<String>,
    /// How often.
    pub every: SignedDuration,
}

impl std::fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Heartbeat").field("every", &self.every).finish_non_exhaustive()
    }
}

/// What letters show of what a citizen wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Preview {
    /// First words of public comments and posts, nothing of direct messages.
    Public,
    /// First words of all, masked.
    Masked,
    /// Nothing.
    None,
}
super::words!(Preview { Public = "public", Masked = "masked", None = "none" });

/// `[[canned]]`: a reply to be chosen from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canned {
    /// What it is called.
    pub name: String,
    /// A template with the variables of `catalogue::canned`.
    pub text: String,
    /// Only for tickets of these; empty = of all.
    pub opd: Vec<String>,
}

/// `[letter]`.
#[derive(Clone, Debug)]
pub struct Letter {
    /// What is shown of a message.
    pub preview: Preview,
    /// What falls due within this after a message leaves as the next one.
    pub group: SignedDuration,
    /// The site's own wording: texts by the catalogue's keys, checked.
    pub texts: BTreeMap<String, String>,
    /// Messages to one address in an hour at most, urgent ones aside; the rest is gathered.
    pub per_hour: usize,
}

/// Hours of one local day, `(from, to)` in seconds after midnight, half-open, sorted, not overlapping; `to` may be 86,400.
pub type DayHours = Vec<(u32, u32)>;

/// Hours by weekday, Monday first.
pub type Week = [DayHours; 7];

/// A calendar as configured: everything the table of working time is built from.
#[derive(Clone, Debug, PartialEq)]
pub struct CalendarSpec {
    /// Its name.
    pub name: String,
    /// Its zone.
    pub timezone: TimeZone,
    /// The usual week.
    pub week: Week,
    /// Other hours for some days; the first that holds a day wins.
    pub periods: Vec<Period>,
    /// Days without hours, with their names. A holiday beats week and periods.
    pub holidays: BTreeMap<civil::Date, String>,
    /// The last day up to which the holiday data can be trusted to be complete; `None` = there are no holidays to know ("always").
    pub holidays_until: Option<civil::Date>,
}

/// Other hours for some days, both ends included.
#[derive(Clone, Debug, PartialEq)]
pub struct Period {
    /// First day.
    pub from: civil::Date,
    /// Last day.
    pub to: civil::Date,
    /// The hours, which replace the week's.
    pub week: Week,
}

/// A policy: how fast, by which calendar, and who hears of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// When it applies; everything given must hold.
    pub matches: Match,
    /// Business time from opening to deadline.
    pub respond_within: SignedDuration,
    /// Name of a calendar.
    pub calendar: String,
    /// In the order of the configuration; the clock sorts them by time.
    pub steps: Vec<Step>,
}

/// `match = { … }`; an empty list or `None` means "any".
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Match {
    /// Slugs.
    pub opd: Vec<String>,
    /// Platforms.
    pub platform: Vec<Platform>,
    /// Kinds of thread.
    pub kind: Vec<Kind>,
    /// Urgent or not.
    pub urgent: Option<bool>,
}

/// When a step is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepAt {
    /// Percent of `respond_within`, counted from the opening, rounded down to the second.
    Percent(u32),
    /// Business time from the deadline; negative before it.
    Offset(SignedDuration),
}

/// One step of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// As written: `75%`, `0m`, `-15m`, `2h`.
    pub text: String,
    /// When.
    pub at: StepAt,
    /// Groups.
    pub notify: Vec<String>,
}

/// An office that is told.
#[derive(Clone, Debug)]
pub struct Official {
    /// Stable id, in logs and in the key of a delivery.
    pub id: String,
    /// As shown in letters.
    pub name: String,
    /// What a step's `notify` names.
    pub group: String,
    /// Only alerts of these; empty = of all.
    pub opd: Vec<String>,
    /// Address.
    pub email: Option<String>,
    /// Chat id.
    pub telegram: Option<String>,
    /// International number without `+`.
    pub whatsapp: Option<String>,
    /// A `[[channel.webhook]]` by name.
    pub webhook: Option<String>,
    /// Nothing in these hours but urgent ones (site's zone; may pass midnight).
    pub quiet: Option<(civil::Time, civil::Time)>,
    /// One message a day at this time (site's zone).
    pub digest: Option<civil::Time>,
    /// The days on which it is told, both ends included; an acting official has an end.
    pub valid: Valid,
    /// A morning sheet every day at this time (site's zone).
    pub morning: Option<civil::Time>,
    /// A recap of the last seven days every week then (site's zone).
    pub weekly: Option<(civil::Weekday, civil::Time)>,
}

/// The days on which an official is told; an open end has no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Valid {
    /// The first.
    pub from: Option<civil::Date>,
    /// The last.
    pub to: Option<civil::Date>,
}

impl Valid {
    /// Whether a day is one of them.
    pub fn holds(&self, day: civil::Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }
}

/// `[channel.*]`.
#[derive(Clone, Debug, Default)]
pub struct Channels {
    /// `[channel.smtp]`.
    pub smtp: Option<Smtp>,
    /// `[channel.telegram]`.
    pub telegram: Option<Telegram>,
    /// `[channel.whatsapp]`.
    pub whatsapp: Option<Whatsapp>,
    /// `[[channel.webhook]]` by name.
    pub webhooks: BTreeMap<String, Webhook>,
    /// `[channel.alertmanager]`.
    pub alertmanager: Option<Alertmanager>,
}

/// `[channel.smtp]`.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// `smtps://user@host:465`, `smtp+starttls://…`, `smtp://` to a loopback host only. Without a password.
    pub url: String,
    /// The password of the user in the URL.
    pub password: Option<SecretString>,
    /// Sender, as in a mail header.
    pub from: String,
}

/// `[channel.telegram]`.
#[derive(Clone, Debug)]
pub struct Telegram {
    /// Bot token.
    pub token: SecretString,
    /// Base URL without a trailing slash.
    pub url: String,
}

/// `[channel.whatsapp]`.
#[derive(Clone, Debug)]
pub struct Whatsapp {
    /// System-user token.
    pub token: SecretString,
    /// Of the sending number.
    pub phone_number_id: String,
    /// Name of the approved template.
    pub template: String,
    /// Base URL without a trailing slash.
    pub url: String,
}

/// `[[channel.webhook]]`.
#[derive(Clone)]
pub struct Webhook {
    /// What `official.webhook` names.
    pub name: String,
    /// Where it is posted. A key may stand in its query.
    pub url: String,
    /// `whsec_` + base64.
    pub secret: SecretString,
    /// While a key is changed: the one that receivers still know. Both sign.
    pub old_secret: Option<SecretString>,
    /// The unmasked text and author too.
    pub full: bool,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").field("name", &self.name).field("full", &self.full).finish_non_exhaustive()
    }
}

/// `[channel.alertmanager]`.
#[derive(Clone, Debug)]
pub struct Alertmanager {
    /// Base URL without a trailing slash.
    pub url: String,
    /// Whose alerts go there.
    pub group: String,
}

/// What an agency is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // Indonesian administrative terms; translating them would lose them
pub enum OpdKind {
    Pimpinan,
    Sekretariat,
    Dinas,
    Badan,
    Kecamatan,
    Kelurahan,
    Desa,
    Rsud,
    Lainnya,
}
super::words!(OpdKind {
    Pimpinan = "pimpinan", Sekretariat = "sekretariat", Dinas = "dinas", Badan = "badan", Kecamatan = "kecamatan",
    Kelurahan = "kelurahan", Desa = "desa", Rsud = "rsud", Lainnya = "lainnya",
});

/// An agency.
#[derive(Clone, Debug)]
pub struct Opd {
    /// Stable short name.
    pub slug: String,
    /// As in letters.
    pub name: String,
    /// As in lists.
    pub abbreviation: String,
    /// What it is.
    pub kind: Option<OpdKind>,
    /// Slug of the agency above it.
    pub parent: Option<String>,
    /// What the coverage audit looks for.
    pub expects: Vec<Platform>,
    /// Profiles (user name or id, without `@`) whose replies are the OPD's.
    pub staff: Vec<String>,
    /// Replaces the policy's calendar, unless that is "always".
    pub calendar: Option<String>,
    /// What is polled.
    pub accounts: Vec<AccountSpec>,
}

/// `[[opd.account]]`.
#[derive(Clone, Debug)]
pub struct AccountSpec {
    /// Where it lives.
    pub platform: Platform,
    /// Page id, or Instagram professional account id.
    pub id: String,
    /// For Instagram through Facebook Login: the linked Page's id.
    pub page: Option<String>,
    /// Which host and token.
    pub login: Login,
    /// `None` while a `[[graph.source]]` is to supply it.
    pub token: Option<Token>,
    /// Name of a `[[graph.app]]`; `None` = the default app.
    pub app: Option<String>,
    /// What is read.
    pub sources: Vec<Source>,
}

/// A secret with the place it came from, so that it can be read again.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its value at the last reading.
    pub value: SecretString,
    /// Where it was read.
    pub origin: Origin,
}

/// Where a secret was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `file:`; read again on Graph error 190.
    File(PathBuf),
    /// `credential:`, whose file systemd fills at start: a newer value holds from the next start on.
    Credential(PathBuf),
    /// `env:`; changes only at restart.
    Environment,
}

impl Settings {
    /// Every account with its OPD, in the order of the configuration.
    pub fn accounts(&self) -> impl Iterator<Item = (&Opd, &AccountSpec)> {
        self.opds.iter().flat_map(|opd| opd.accounts.iter().map(move |account| (opd, account)))
    }
    /// An official's name by the id; the id itself if the configuration does not know it (any more).
    pub fn office<'a>(&'a self, id: &'a str) -> &'a str {
        self.officials.iter().find(|official| official.id == id).map_or(id, |official| &official.name)
    }
    /// The replies to be chosen from for a ticket of this OPD.
    pub fn canned<'a>(&'a self, opd: &'a str) -> impl Iterator<Item = &'a Canned> {
        self.canned.iter().filter(move |canned| canned.opd.is_empty() || canned.opd.iter().any(|slug| slug == opd))
    }
    /// The OPD with this slug.
    pub fn opd(&self, slug: &str) -> Option<&Opd> {
        self.opds.iter().find(|opd| opd.slug == slug)
    }
}

/// Settings that a reload replaces while others hold the old ones.
pub type SharedSettings = Arc<Settings>;
