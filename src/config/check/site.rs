//! The plain sections: site, database, log, http, sla, heartbeat.

use std::net::SocketAddr;

use jiff::tz::TimeZone;
use secrecy::ExposeSecret;
use tracing_subscriber::EnvFilter;

use crate::{
    config::{
        read::{Table, to_mend},
        secret::{Vault, is_reference},
        words,
    },
    domain::settings::{Database, Heartbeat, Http, Language, Log, LogFormat, Mentions, Site, Sla},
};

pub(super) fn site(table: &mut Table) -> Site {
    Site {
        name: table.needed_text("name").value,
        timezone: table.needed("timezone", "an IANA name such as \"Asia/Jakarta\"", words::zone).map_or(TimeZone::UTC, |it| it.value),
        language: table.word("language", Language::ALL, Language::word).unwrap_or(Language::Indonesian),
    }
}

/// The one secret that every command reads. Written out, it must hold no password.
pub(super) fn database(table: &mut Table, vault: &Vault) -> Database {
    let read = |text: &str| {
        if is_reference(text) {
            let secret = vault.read_always(text)?.value;
            words::database_url(secret.expose_secret()).map_err(|why| format!("what is read there {why}"))?;
            return Ok(secret);
        }
        words::database_url(text)?;
        if words::has_password(text) {
            return Err("holds a password: write the whole URL into a secret, such as credential:database-url".into());
        }
        Ok(text.into())
    };
    Database {
        url: table
            .needed("url", "a database, such as sqlite:///var/lib/tanggap/tanggap.db", read)
            .map_or_else(Default::default, |it| it.value),
    }
}

pub(super) fn log(table: &mut Table) -> Log {
    let filter = |text: &str| match EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("is no filter of tracing: {error}")),
    };
    Log {
        format: table.word("format", LogFormat::ALL, LogFormat::word).unwrap_or(LogFormat::Auto),
        filter: table.parsed("filter", "a text", filter).map_or_else(|| "info".into(), |it| it.value),
    }
}

pub(super) fn http(table: &mut Table) -> Http {
    let address =
        |text: &str| text.parse().map_err(|_| format!("\"{text}\" is no address: write it as \"127.0.0.1:8787\", or \"\" for off"));
    let listen = table.parsed::<SocketAddr>("listen", "an address and port", address);
    let metrics = table.parsed::<SocketAddr>("metrics_listen", "an address and port", address);
    if let (Some(listen), Some(metrics)) = (&listen, &metrics)
        && listen.value == metrics.value
        && metrics.port() != 0
    {
        table.findings.problem(to_mend(listen, metrics), "http.listen and http.metrics_listen are one address: each needs its own port");
    }
    Http {
        listen: listen.map(|it| it.value),
        metrics_listen: metrics.map(|it| it.value),
        public_url: table.parsed("public_url", "a URL", words::base_url).map(|it| it.value),
    }
}

pub(super) fn sla(table: &mut Table) -> Sla {
    Sla {
        auto_reply_patterns: table.list("auto_reply_patterns", "a list of texts", words::pattern).map_or_else(Vec::new, |it| it.value),
        auto_reply_within: table.duration("auto_reply_within").value,
        urgent_keywords: table.list("urgent_keywords", "a list of texts", words::keyword).map_or_else(Vec::new, |it| it.value),
        sister_accounts_answer: table.flag("sister_accounts_answer").unwrap_or(true),
        mentions: table.word("mentions", Mentions::ALL, Mentions::word).unwrap_or(Mentions::Ask),
        window_warning: table.flag("window_warning").unwrap_or(false),
    }
}

pub(super) fn heartbeat(table: &mut Table) -> Heartbeat {
    Heartbeat { url: table.parsed("url", "a URL", words::web_url).map(|it| it.value), every: table.positive("every").value }
}
