//! What Prometheus sees. Counts and histograms are kept here; what the database knows better is handed in at each scrape,
//! so that an account that is gone does not linger.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The media type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3600.0;
const DAY: f64 = 86_400.0;

/// Bounds for the time to an answer: around the SLAs that offices set themselves.
const RESPONSE: [f64; 12] =
    [MINUTE, 5.0 * MINUTE, 15.0 * MINUTE, 30.0 * MINUTE, HOUR, 2.0 * HOUR, 4.0 * HOUR, 8.0 * HOUR, DAY, 2.0 * DAY, 3.0 * DAY, 7.0 * DAY];
/// Bounds for the lag of a flag, which should stay under a second.
const FLAG_LAG: [f64; 11] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, MINUTE, 5.0 * MINUTE];
/// Bounds for the lag of detection: around the polling intervals.
const DETECTION_LAG: [f64; 11] = [5.0, 15.0, 30.0, MINUTE, 2.0 * MINUTE, 5.0 * MINUTE, 10.0 * MINUTE, 30.0 * MINUTE, HOUR, 6.0 * HOUR, DAY];

/// What may become of an attempt to deliver an alert.
const OUTCOMES: [&str; 4] = ["delivered", "retrying", "abandoned", "lost"];

type Labels<const N: usize> = [(&'static str, String); N];
type Counters<const N: usize> = Family<Labels<N>, Counter>;
type Ratio = Gauge<f64, AtomicU64>;

/// The counts and histograms. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    messages: Counters<3>,
    graph_requests: Counters<3>,
    deliveries: Counters<2>,
    response: Family<Labels<1>, Histogram, fn() -> Histogram>,
    flag_lag: Histogram,
    detection_lag: Histogram,
    usage: Family<Labels<2>, Ratio>,
}

/// What is true at the moment of a scrape.
#[derive(Clone, Debug, Default)]
pub struct Scrape {
    /// OPD, state (`open`, which includes overdue, or `overdue`), number of tickets.
    pub tickets: Vec<(String, &'static str, u64)>,
    /// Account, seconds since its last good read.
    pub account_poll_age: Vec<(String, f64)>,
    /// Account, whether it is healthy.
    pub account_healthy: Vec<(String, bool)>,
    /// Deliveries not yet made.
    pub alert_outbox: u64,
    /// What `/readyz` says.
    pub ready: bool,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            messages: Family::default(),
            graph_requests: Family::default(),
            deliveries: Family::default(),
            response: Family::new_with_constructor(|| Histogram::new(RESPONSE)),
            flag_lag: Histogram::new(FLAG_LAG),
            detection_lag: Histogram::new(DETECTION_LAG),
            usage: Family::default(),
        }
    }
}

impl Metrics {
    /// Counts a message seen for the first time.
    pub fn message(&self, platform: &str, kind: &str, direction: &str) {
        self.messages.get_or_create(&labels([("platform", platform), ("kind", kind), ("direction", direction)])).inc();
    }

    /// Counts a request to the Graph API.
    pub fn graph_request(&self, platform: &str, endpoint: &str, outcome: &str) {
        self.graph_requests.get_or_create(&labels([("platform", platform), ("endpoint", endpoint), ("outcome", outcome)])).inc();
    }

    /// Records the seconds from a ticket's opening to its answer.
    pub fn response_seconds(&self, opd: &str, seconds: f64) {
        self.response.get_or_create(&labels([("opd", opd)])).observe(seconds);
    }

    /// Records the seconds from the later of the deadline and the opening message's sighting to the flag.
    pub fn flag_lag(&self, seconds: f64) {
        self.flag_lag.observe(seconds);
    }

    /// Records the seconds from a message's writing to its sighting.
    pub fn detection_lag(&self, seconds: f64) {
        self.detection_lag.observe(seconds);
    }

    /// Notes how much of a limit an account, or its app, has used up (1 = all).
    pub fn graph_usage(&self, account: &str, kind: &str, ratio: f64) {
        self.usage.get_or_create(&labels([("account", account), ("kind", kind)])).set(ratio);
    }

    /// Forgets that: other accounts are read now.
    pub fn forget_usage(&self) {
        self.usage.clear();
    }

    /// Counts an attempt to deliver an alert.
    pub fn delivery(&self, channel: &str, outcome: &str) {
        self.deliveries.get_or_create(&labels([("channel", channel), ("outcome", outcome)])).inc();
    }

    /// Shows what may become of an alert on this channel as counted zero times: Prometheus sees no increase in a count that it never saw lower.
    pub fn expect_deliveries(&self, channel: &str) {
        for outcome in OUTCOMES {
            drop(self.deliveries.get_or_create(&labels([("channel", channel), ("outcome", outcome)])));
        }
    }

    /// Everything in Prometheus' text format.
    pub fn render(&self, scrape: &Scrape) -> Result<String, fmt::Error> {
        // the library appends `_total` to the names of counters
        let mut registry = Registry::with_prefix("tanggap");
        registry.register("messages", "Messages seen for the first time", self.messages.clone());
        registry.register("graph_requests", "Requests to the Graph API", self.graph_requests.clone());
        registry.register("alert_deliveries", "Attempts to deliver an alert", self.deliveries.clone());
        registry.register("ticket_response_seconds", "From a ticket's opening to its answer", self.response.clone());
        registry.register("flag_lag_seconds", "From the deadline, or the sighting if later, to the flag", self.flag_lag.clone());
        registry.register("detection_lag_seconds", "From a message's writing to its sighting", self.detection_lag.clone());

        let tickets = Family::<Labels<2>, Gauge>::default();
        for (opd, state, count) in &scrape.tickets {
            tickets.get_or_create(&labels([("opd", opd), ("state", state)])).set(i64::try_from(*count).unwrap_or(i64::MAX));
        }
        registry.register("tickets", "Tickets; open includes overdue", tickets);
        registry.register("graph_usage_ratio", "Share of the Graph API's limit that is used up", self.usage.clone());
        let age = Family::<Labels<1>, Ratio>::default();
        for (account, seconds) in &scrape.account_poll_age {
            age.get_or_create(&labels([("account", account)])).set(*seconds);
        }
        registry.register("account_poll_age_seconds", "Since the account was last read", age);
        let healthy = Family::<Labels<1>, Gauge>::default();
        for (account, well) in &scrape.account_healthy {
            healthy.get_or_create(&labels([("account", account)])).set(i64::from(*well));
        }
        registry.register("account_healthy", "1 if the account can be read", healthy);
        let outbox = Gauge::<i64>::default();
        outbox.set(i64::try_from(scrape.alert_outbox).unwrap_or(i64::MAX));
        registry.register("alert_outbox", "Alerts not yet delivered", outbox);
        let ready = Gauge::<i64>::default();
        ready.set(i64::from(scrape.ready));
        registry.register("ready", "1 if the database answers and no stage is stuck", ready);

        let mut page = String::new();
        text::encode_registry(&mut page, &registry)?;
        Ok(classic(&page))
    }
}

/// OpenMetrics, which the library writes, as the older format that every reader knows: there a counter's headers bear its whole name.
fn classic(page: &str) -> String {
    let counters: HashSet<&str> = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let mut out = String::with_capacity(page.len());
    for line in page.lines() {
        let header = line.strip_prefix("# HELP ").or(line.strip_prefix("# TYPE ")).and_then(|rest| rest.split_once(' '));
        match header {
            Some((name, rest)) if counters.contains(name) => out.extend([&line[..7], name, "_total ", rest]),
            _ => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

fn labels<const N: usize>(labels: [(&'static str, &str); N]) -> Labels<N> {
    labels.map(|(key, value)| (key, value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> String {
        let metrics = Metrics::default();
        metrics.message("facebook", "comment", "in");
        metrics.message("facebook", "comment", "in");
        metrics.graph_request("instagram", "media", "ok");
        metrics.delivery("telegram", "accepted");
        metrics.response_seconds("dindukcapil", 1200.0);
        metrics.flag_lag(0.2);
        metrics.detection_lag(40.0);
        metrics.graph_usage("101", "page", 0.25);
        let scrape = Scrape {
            tickets: vec![("dindukcapil".into(), "open", 3), ("dindukcapil".into(), "overdue", 1)],
            account_poll_age: vec![("101".into(), 12.5)],
            account_healthy: vec![("101".into(), true)],
            alert_outbox: 4,
            ready: true,
        };
        let first = metrics.render(&scrape).unwrap();
        metrics.forget_usage();
        let second = metrics.render(&Scrape::default()).unwrap();
        assert!(first.contains("account=") && !second.contains("account="), "what is gone does not linger");
        assert!(second.contains("tanggap_messages_total{"), "what was counted stays");
        first
    }

    #[test]
    fn every_metric_has_the_name_and_the_labels_of_the_contract() {
        let page = page();
        for line in [
            r#"tanggap_messages_total{platform="facebook",kind="comment",direction="in"} 2"#,
            r#"tanggap_tickets{opd="dindukcapil",state="open"} 3"#,
            r#"tanggap_tickets{opd="dindukcapil",state="overdue"} 1"#,
            r#"tanggap_ticket_response_seconds_bucket{le="1800.0",opd="dindukcapil"} 1"#,
            r#"tanggap_ticket_response_seconds_bucket{le="900.0",opd="dindukcapil"} 0"#,
            r#"tanggap_flag_lag_seconds_bucket{le="0.25"} 1"#,
            "tanggap_detection_lag_seconds_sum 40.0",
            r#"tanggap_graph_requests_total{platform="instagram",endpoint="media",outcome="ok"} 1"#,
            r#"tanggap_graph_usage_ratio{account="101",kind="page"} 0.25"#,
            r#"tanggap_account_poll_age_seconds{account="101"} 12.5"#,
            r#"tanggap_account_healthy{account="101"} 1"#,
            r#"tanggap_alert_deliveries_total{channel="telegram",outcome="accepted"} 1"#,
            "tanggap_alert_outbox 4",
            "tanggap_ready 1",
            "# TYPE tanggap_messages_total counter",
        ] {
            assert!(page.lines().any(|have| have == line), "{line} is not in\n{page}");
        }
    }

    #[test]
    fn the_page_holds_the_twelve_families_each_with_its_help() {
        let page = page();
        for header in ["# TYPE tanggap_", "# HELP tanggap_"] {
            assert_eq!(page.matches(header).count(), 12, "{page}");
        }
    }

    #[test]
    fn what_may_become_of_an_alert_is_shown_before_it_happens() {
        let metrics = Metrics::default();
        metrics.delivery("smtp", "retrying");
        metrics.expect_deliveries("smtp");
        let page = metrics.render(&Scrape::default()).unwrap();
        let counts: Vec<_> = page.lines().filter(|line| line.starts_with("tanggap_alert_deliveries_total{")).collect();
        assert_eq!(counts.len(), OUTCOMES.len(), "{page}");
        assert!(page.contains(r#"{channel="smtp",outcome="retrying"} 1"#) && page.contains(r#"{channel="smtp",outcome="abandoned"} 0"#));
    }

    #[test]
    fn a_label_cannot_forge_a_line() {
        let metrics = Metrics::default();
        metrics.delivery("x\"} 1\ntanggap_alert_outbox 0\n", "ok");
        let page = metrics.render(&Scrape { alert_outbox: 4, ..Scrape::default() }).unwrap();
        assert!(!page.lines().any(|line| line == "tanggap_alert_outbox 0"), "{page}");
    }
}
