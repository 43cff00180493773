//! A small kabupaten for the alert tests: settings, rows as the other stages write them, a clock that stands still.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, tz::TimeZone};
use tanggap::{
    alert::AlertStage,
    app,
    domain::{
        Platform, Source, Time,
        account::Login,
        settings::{
            AccountSpec, App, Channels, Database, Graph, Heartbeat, Http, Language, Letter, Log, LogFormat, Mentions, Official, Opd, Poll,
            Preview, Settings, Site, Sla, Smtp, Telegram, Valid, Webhook, Whatsapp,
        },
    },
    link,
    runtime::{Clock as _, ManualClock, Stage as _, Tally, metrics::Metrics},
    store::{
        Db,
        db::{Row, Val},
    },
};

use crate::channels::far::{HttpSink, SmtpSink};

/// Monday, 23 November 2026, 14.05 WIB.
pub const START: &str = "2026-11-23T07:05:00Z";
/// The secret of the specification's published example.
pub const HOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

/// An official with nothing but a name and a group.
pub fn official(id: &str, name: &str, group: &str, opd: &[&str]) -> Official {
    Official {
        id: id.into(),
        name: name.into(),
        group: group.into(),
        opd: opd.iter().map(|o| (*o).to_owned()).collect(),
        email: None,
        telegram: None,
        whatsapp: None,
        webhook: None,
        quiet: None,
        digest: None,
        valid: Valid::default(),
        morning: None,
        weekly: None,
    }
}

fn opd(slug: &str, name: &str, abbreviation: &str) -> Opd {
    let account = AccountSpec {
        platform: Platform::Facebook,
        id: slug.into(),
        page: None,
        login: Login::Facebook,
        token: None,
        app: None,
        sources: Source::ALL.to_vec(),
    };
    Opd {
        slug: slug.into(),
        name: name.into(),
        abbreviation: abbreviation.into(),
        kind: None,
        parent: None,
        expects: vec![],
        staff: vec![],
        calendar: None,
        accounts: vec![account],
    }
}

/// Two OPDs; no official and no channel yet.
pub fn settings(language: Language) -> Settings {
    let hours = SignedDuration::from_hours;
    Settings {
        site: Site { name: "Kabupaten Rembang".into(), timezone: TimeZone::get("Asia/Jakarta").unwrap(), language },
        database: Database { url: String::new().into() },
        log: Log { format: LogFormat::Auto, filter: "info".into() },
        http: Http { listen: None, metrics_listen: None, public_url: Some("https://tanggap.example.go.id".into()) },
        oidc: None,
        graph: Graph {
            url: String::new(),
            instagram_url: String::new(),
            version: "v25.0".into(),
            app: App::default(),
            apps: BTreeMap::new(),
            sources: vec![],
            verify_token: None,
            timeout: hours(1),
        },
        poll: Poll {
            interval: hours(1),
            idle_interval: hours(1),
            backfill: hours(1),
            comment_horizon: hours(1),
            sweep_interval: hours(1),
            concurrency: 1,
            verify_within: hours(1),
            confirm_gone: hours(1),
        },
        sla: Sla {
            auto_reply_patterns: vec![],
            auto_reply_within: hours(0),
            urgent_keywords: vec![],
            sister_accounts_answer: true,
            mentions: Mentions::Ask,
            window_warning: false,
        },
        heartbeat: Heartbeat { url: None, every: hours(1) },
        canned: vec![],
        letter: Letter { preview: Preview::Public, group: SignedDuration::from_secs(30), per_hour: 60, texts: BTreeMap::new() },
        retention_closed: hours(1),
        secrets_key: None,
        calendars: BTreeMap::new(),
        policies: vec![],
        officials: vec![],
        channels: Channels::default(),
        opds: vec![
            opd("dindukcapil", "Dinas Kependudukan dan Pencatatan Sipil", "Dindukcapil"),
            opd("dinhub", "Dinas Perhubungan", "Dinhub"),
        ],
    }
}

pub fn smtp(url: String) -> Smtp {
    Smtp { url, password: None, from: "Tanggap <tanggap@example.go.id>".into() }
}
pub fn telegram(sink: &HttpSink) -> Telegram {
    Telegram { token: "123:secret-token".to_owned().into(), url: sink.url.clone() }
}
pub fn whatsapp(sink: &HttpSink) -> Whatsapp {
    Whatsapp {
        token: "secret-wa".to_owned().into(),
        phone_number_id: "1098".into(),
        template: "tiket_terlambat".into(),
        url: sink.url.clone(),
    }
}
pub fn webhook(sink: &HttpSink, full: bool) -> Webhook {
    Webhook {
        name: "simpeg".into(),
        url: format!("{}/hook?key=secret-query", sink.url),
        secret: HOOK_SECRET.to_owned().into(),
        old_secret: None,
        full,
    }
}

/// A ticket as `sla` would have written it.
#[derive(Clone)]
pub struct Ticket {
    pub id: i64,
    pub account: i64,
    pub kind: &'static str,
    pub post: Option<&'static str>,
    pub text: String,
    pub urgent: bool,
    pub opened: Time,
    pub due: Time,
}

/// A comment at Dindukcapil, opened four hours before [`START`] and due two minutes before it.
pub fn ticket(id: i64) -> Ticket {
    let opened = at("2026-11-23T03:00:00Z").plus(SignedDuration::from_secs(id));
    Ticket {
        id,
        account: 1,
        kind: "comment",
        post: None,
        text: "Kapan KTP saya jadi?".into(),
        urgent: false,
        opened,
        due: at("2026-11-23T07:03:00Z"),
    }
}

/// Where the tests' rows stand.
pub struct World {
    pub db: Db,
    pub clock: Arc<ManualClock>,
    pub settings: Settings,
    pub mail: SmtpSink,
    pub chat: HttpSink,
    pub hook: HttpSink,
    pub wa: HttpSink,
    pub links: link::Key,
    _folder: tempfile::TempDir,
}

impl World {
    /// On a new SQLite file.
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("t.db").display());
        Self::over(&url, folder).await
    }

    /// On a PostgreSQL database of its own.
    pub async fn postgres() -> Self {
        Self::over(&crate::databases::postgres().await, tempfile::tempdir().unwrap()).await
    }

    async fn over(url: &str, folder: tempfile::TempDir) -> Self {
        let (mail, chat, hook, wa) = (SmtpSink::start(), HttpSink::start(), HttpSink::start(), HttpSink::start());
        let mut settings = settings(Language::Indonesian);
        settings.database.url = url.to_owned().into();
        settings.channels = Channels {
            smtp: Some(smtp(mail.url())),
            telegram: Some(telegram(&chat)),
            whatsapp: Some(whatsapp(&wa)),
            webhooks: [("simpeg".to_owned(), webhook(&hook, false))].into(),
            ..Channels::default()
        };
        settings.officials = vec![
            Official { email: Some("kepala@example.go.id".into()), ..official("kepala", "Kepala Dindukcapil", "kepala", &["dindukcapil"]) },
            Official { telegram: Some("-100555".into()), ..official("sekda", "Sekretaris Daerah", "sekda", &[]) },
            Official { webhook: Some("simpeg".into()), ..official("simpeg", "Simpeg", "mesin", &[]) },
            Official { email: Some("operator@example.go.id".into()), ..official("op", "Operator Dinkominfo", "operator", &[]) },
            Official { whatsapp: Some("6281200000000".into()), ..official("bupati", "Bupati", "bupati", &[]) },
        ];
        let db = Db::open(url).await.unwrap();
        let links = app::links(&db).await.unwrap();
        let clock = ManualClock::new(at(START).timestamp());
        let world = Self { db, clock, settings, mail, chat, hook, wa, links, _folder: folder };
        for (id, slug) in [(1, "dindukcapil"), (2, "dinhub")] {
            world
                .exec(
                    "INSERT INTO account (id, platform, external_id, opd, active, next_poll_at, last_read_at) VALUES ($1, 'facebook', $2, $2, 1, 0, $3)",
                    vec![Val::from(i64::from(id)), slug.into(), world.now().into()],
                )
                .await;
            world
                .exec(
                    "INSERT INTO source (account_id, name, first_read_at, last_read_at) VALUES ($1, 'comments', $2, $2)",
                    vec![Val::from(i64::from(id)), world.now().into()],
                )
                .await;
        }
        world
    }

    pub fn now(&self) -> Time {
        Time::from_timestamp(self.clock.now())
    }

    pub async fn exec(&self, sql: &'static str, vals: Vec<Val>) -> u64 {
        let mut tx = self.db.write().await.unwrap();
        let changed = tx.exec(sql, vals).await.unwrap();
        tx.commit().await.unwrap();
        changed
    }

    pub async fn rows(&self, sql: &'static str) -> Vec<Row> {
        self.db.rows(sql, vec![]).await.unwrap()
    }

    /// Stores a ticket with its thread and message, all under its number.
    pub async fn add(&self, t: &Ticket) {
        self.exec(
            "INSERT INTO thread (id, account_id, kind, key, name, post_key) VALUES ($1, $2, $3, $4, $4, $5)",
            vec![t.id.into(), t.account.into(), t.kind.into(), format!("th{}", t.id).into(), t.post.into()],
        )
        .await;
        self.exec(
            "INSERT INTO message (id, account_id, thread_id, object, key, external_id, kind, direction, top_level, author_id, author_name, text,
               attachments, tags, created_at, seen_at, hidden, automatic, needs_answer, asks, urgent, bare, tags_own, by_page)
             VALUES ($1, $2, $1, 'comment', $3, $3, $4, 'in', 1, '9001', 'Siti Rahma', $5, '[]', '[]', $6, $6, 0, 0, 1, 1, 0, 0, 0, 0)",
            vec![t.id.into(), t.account.into(), format!("m{}", t.id).into(), t.kind.into(), (&t.text).into(), t.opened.into()],
        )
        .await;
        self.exec(
            "INSERT INTO ticket (id, thread_id, account_id, author, policy, urgent, state, opened_at, due_at, unverified, messages,
               newest_message_id, newest_at, steps, configuration)
             VALUES ($1, $1, $2, '9001', 'biasa', $3, 'open', $4, $5, 0, 1, $1, $4, '[]', '')",
            vec![t.id.into(), t.account.into(), t.urgent.into(), t.opened.into(), t.due.into()],
        )
        .await;
    }

    /// Writes an alert about a ticket (`Some`) or account 1, as the transaction of a step does. `step` is `(number, at, groups)`.
    pub async fn tell(&self, kind: &str, ticket: Option<i64>, (number, step, groups): (i64, &str, &[&str])) {
        self.exec(
            "INSERT INTO alert (kind, ticket_id, account_id, policy, at_text, step, notify, late_found, detail, created_at)
             VALUES ($1, $2, $3, 'biasa', $4, $5, $6, 0, '3', $7)",
            vec![
                kind.into(),
                ticket.into(),
                ticket.is_none().then_some(1).into(),
                step.into(),
                number.into(),
                serde_json::to_string(groups).unwrap().into(),
                self.now().into(),
            ],
        )
        .await;
    }

    /// A ticket whose deadline was flagged just now, to `groups`.
    pub async fn breach(&self, t: &Ticket, groups: &[&str]) {
        self.add(t).await;
        self.tell("ticket.breached", Some(t.id), (2, "0m", groups)).await;
    }

    pub async fn close(&self, ticket: i64, state: &str) {
        self.exec("UPDATE ticket SET state = $2, closed_at = $3 WHERE id = $1", vec![ticket.into(), state.into(), self.now().into()]).await;
    }

    pub fn stage(&self) -> AlertStage {
        let settings = Arc::new(self.settings.clone());
        AlertStage::new(self.db.clone(), settings, self.clock.clone(), Metrics::default(), "w1".into(), self.links.clone())
            .unwrap()
            .with_limit(std::time::Duration::from_secs(2))
    }

    /// One step of a stage made anew, as after a restart.
    pub async fn step(&self) -> Tally {
        self.stage().once().await.unwrap()
    }

    /// The clock moves, then one step.
    pub async fn after(&self, seconds: i64) -> Tally {
        self.clock.advance(SignedDuration::from_secs(seconds));
        self.step().await
    }

    /// `official channel state reason` of every delivery, in order.
    pub async fn deliveries(&self) -> Vec<String> {
        let rows = self.rows("SELECT official, channel, state, reason FROM delivery ORDER BY id").await;
        rows.iter()
            .map(|r| {
                let reason = r.ot("reason").unwrap().map_or_else(String::new, |reason| format!(" {reason}"));
                format!("{} {} {}{reason}", r.t("official").unwrap(), r.t("channel").unwrap(), r.t("state").unwrap())
            })
            .collect()
    }

    /// What must hold after every test: nothing is leased, what is pending has a letter and a next attempt.
    pub async fn invariants(&self) {
        let odd = self
            .rows(
                "SELECT l.id FROM letter l WHERE (l.state = 'pending') <> (l.next_try_at IS NOT NULL) OR l.lease_owner IS NOT NULL
                 UNION ALL SELECT d.id FROM delivery d WHERE d.state IN ('pending', 'delivered') AND d.letter_id IS NULL
                 UNION ALL SELECT d.id FROM delivery d JOIN letter l ON l.id = d.letter_id WHERE d.state = 'pending' AND l.state <> 'pending'",
            )
            .await;
        assert!(odd.is_empty(), "{} rows break an invariant of the outbox", odd.len());
    }
}

/// Runs a test on both databases, each in a world of its own, and checks the outbox's invariants afterwards.
macro_rules! on_both {
    ($($(#[$doc:meta])* async fn $name:ident($world:ident: &mut World) $body:block)+) => {
        $($(#[$doc])* mod $name {
            use super::*;
            #[allow(clippy::needless_pass_by_ref_mut)] // some tests change the settings
            async fn check($world: &mut World) $body
            #[tokio::test]
            async fn on_sqlite() {
                let mut world = World::sqlite().await;
                check(&mut world).await;
                world.invariants().await;
            }
            #[tokio::test]
            async fn on_postgres() {
                let mut world = World::postgres().await;
                check(&mut world).await;
                world.invariants().await;
            }
        })+
    };
}
pub(crate) use on_both;
