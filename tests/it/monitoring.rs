//! What an operator watches the program by: `/metrics` as the contract has it, the alert rules and the dashboard of `deploy/`, on a real
//! Prometheus that reads the real program.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use regex::Regex;
use serde_json::Value;
use tanggap::{
    demo::{script::Pace, world::Use},
    runtime::http::{client, install_tls},
};

use crate::soak::site::Site;

/// Section 5 of the contract, and what was added: each metric with its labels (those of a histogram's own left out).
const CONTRACT: [(&str, &[&str]); 12] = [
    ("tanggap_messages_total", &["platform", "kind", "direction"]),
    ("tanggap_tickets", &["opd", "state"]),
    ("tanggap_ticket_response_seconds", &["opd"]),
    ("tanggap_flag_lag_seconds", &[]),
    ("tanggap_detection_lag_seconds", &[]),
    ("tanggap_graph_requests_total", &["platform", "endpoint", "outcome"]),
    ("tanggap_graph_usage_ratio", &["account", "kind"]),
    ("tanggap_account_poll_age_seconds", &["account"]),
    ("tanggap_account_healthy", &["account"]),
    ("tanggap_alert_deliveries_total", &["channel", "outcome"]),
    ("tanggap_alert_outbox", &[]),
    ("tanggap_ready", &[]),
];

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

fn dashboard() -> Value {
    serde_json::from_str(&fs::read_to_string(shipped("grafana/tanggap.json")).unwrap()).unwrap()
}

/// Every query of the dashboard with its panel's title, the variables replaced as Grafana replaces them.
fn queries() -> Vec<(String, String)> {
    let dashboard = dashboard();
    let mut found = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let mut expr = target["expr"].as_str().unwrap().to_owned();
            for (variable, value) in
                [("$__rate_interval", "1m"), ("$__range", "1h"), ("$job", ".*"), ("$instance", ".*"), ("$opd", ".*"), ("$account", ".*")]
            {
                expr = expr.replace(variable, value);
            }
            assert!(!expr.contains('$'), "{expr}");
            found.push((panel["title"].as_str().unwrap().to_owned(), expr));
        }
    }
    found
}

/// The metrics named in a query.
fn named(expr: &str) -> BTreeSet<String> {
    Regex::new("tanggap_[a-z_]+").unwrap().find_iter(expr).map(|found| found.as_str().to_owned()).collect()
}

/// The samples of a page: each name with the labels it has.
fn samples(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let label = Regex::new("([a-z_]+)=\"").unwrap();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        found.entry(name.to_owned()).or_default().extend(label.captures_iter(line).map(|it| it[1].to_owned()));
    }
    found
}

fn promtool(args: &[&str], input: Option<&Path>) -> (bool, String) {
    let mut command = Command::new("promtool");
    command.args(args).current_dir(shipped("prometheus"));
    if let Some(path) = input {
        command.stdin(fs::File::open(path).unwrap());
    }
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned())
}

#[test]
fn the_alert_rules_hold_and_fire_on_what_they_are_for_and_on_nothing_else() {
    for args in [["check", "rules", "tanggap.rules.yml"], ["test", "rules", "tanggap.test.yml"]] {
        let (well, said) = promtool(&args, None);
        assert!(well, "{said}");
    }
    let (rules, tests) =
        ["tanggap.rules.yml", "tanggap.test.yml"].map(|name| fs::read_to_string(shipped("prometheus").join(name)).unwrap()).into();
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        let fires = tests.split("alertname: ").any(|test| test.starts_with(&format!("{alert}\n")) && !test.contains("exp_alerts: []"));
        assert!(fires, "no test lets {alert} fire");
    }
}

#[test]
fn the_dashboard_is_one_that_grafana_can_draw() {
    let dashboard = dashboard();
    assert_eq!(dashboard["schemaVersion"], 42);
    let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|name| panel["gridPos"][name].as_u64().unwrap());
        assert!(x + w <= 24, "{panel}");
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(cell), "{} lies on another panel", panel["title"]);
        }
        if panel["type"] != "row" {
            assert!(panel["description"].as_str().is_some_and(|text| text.ends_with('.')), "{}", panel["title"]);
            let sources = panel["targets"].as_array().unwrap().iter().chain([panel]).map(|it| &it["datasource"]["uid"]);
            assert!(sources.into_iter().all(|uid| uid == "${datasource}"), "{}", panel["title"]);
        }
    }
}

/// A program that ends with the test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn get(url: &str, query: &[(&str, &str)]) -> Result<(u16, String), reqwest::Error> {
    let answer = client(Duration::from_secs(10)).unwrap().get(url).query(query).send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_scrape_is_the_contracts_and_answers_every_rule_and_every_panel() {
    install_tls();
    let (ours, theirs) = (free_port(), free_port());
    let pace = Pace { gap: SignedDuration::from_millis(500), answer: SignedDuration::from_secs(6), late: SignedDuration::from_secs(20) };
    let mut site = Site::new(5, 3, pace, &format!("[http]\nmetrics_listen = \"127.0.0.1:{ours}\"\n")).await;
    // so low that Meta's usage header, absent at zero percent, soon appears
    let pages: Vec<String> = site.script.agencies().iter().map(|agency| agency.page.id.clone()).collect();
    for page in pages {
        site.simulator.world().set_limit(Use::Pages, &page, 1000);
    }
    let database = format!("sqlite://{}", site.folder.path().join("tanggap.db").display());
    let daemon = site.start(&database);

    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("prometheus.yml");
    let rules = shipped("prometheus/tanggap.rules.yml");
    let scrape = format!("scrape_configs: [{{job_name: tanggap, static_configs: [{{targets: ['127.0.0.1:{ours}']}}]}}]");
    let text = format!("global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{}']\n{scrape}\n", rules.display());
    fs::write(&config, text).unwrap();
    let mut command = Command::new("prometheus");
    command.arg(format!("--config.file={}", config.display())).arg(format!("--web.listen-address=127.0.0.1:{theirs}"));
    command.arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()));
    let _prometheus = Ends(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());

    // until everything that is counted has happened once
    let start = Instant::now();
    let page = loop {
        site.live(SignedDuration::from_secs(1)).await;
        let page = get(&format!("http://127.0.0.1:{ours}/metrics"), &[]).await.map_or_else(|error| error.to_string(), |(_, page)| page);
        let missing: Vec<_> = CONTRACT.iter().filter(|(name, _)| !page.contains(&format!("# TYPE {name} "))).collect();
        if missing.is_empty() {
            break page;
        }
        let log = || fs::read_to_string(site.log()).unwrap();
        assert!(start.elapsed() < Duration::from_mins(1), "no {missing:?} in\n{page}\n{}", log());
    };
    site.live(SignedDuration::from_secs(5)).await; // two scrapes more: a rate wants some
    for (path, word) in [("healthz", "ok"), ("readyz", "ready")] {
        assert_eq!(get(&format!("http://127.0.0.1:{ours}/{path}"), &[]).await.unwrap(), (200, word.to_owned()));
    }

    let file = folder.path().join("page");
    fs::write(&file, &page).unwrap();
    assert_eq!(promtool(&["check", "metrics"], Some(&file)), (true, String::new()), "{page}");
    let samples = samples(&page);
    for (name, labels) in CONTRACT {
        let (name, own) = if samples.contains_key(name) { (name.to_owned(), None) } else { (format!("{name}_bucket"), Some("le")) };
        let want: BTreeSet<String> = labels.iter().copied().chain(own).map(str::to_owned).collect();
        assert_eq!(samples[&name], want, "{name}");
    }

    let ask = async |path: &str, query: &[(&str, &str)]| -> Value {
        let (status, text) = get(&format!("http://127.0.0.1:{theirs}/api/v1/{path}"), query).await.unwrap();
        assert_eq!(status, 200, "{query:?}: {text}");
        serde_json::from_str::<Value>(&text).unwrap()["data"].take()
    };
    for (panel, expr) in queries() {
        assert!(named(&expr).iter().all(|name| samples.contains_key(name)), "{panel}: {expr}");
        let data = ask("query", &[("query", &expr)]).await;
        let some = data["result"].as_array().is_some_and(|rows| !rows.is_empty());
        let selects = ["> 0", "== 0"].iter().any(|filter| expr.contains(filter));
        assert!(some || selects, "{panel} is empty: {expr}");
    }
    let groups = ask("rules", &[]).await;
    let alerts = groups["groups"][0]["rules"].as_array().unwrap();
    assert!(alerts.len() >= 10);
    for alert in alerts {
        let (name, expr) = (&alert["name"], alert["query"].as_str().unwrap());
        assert!(named(expr).iter().all(|name| samples.contains_key(name)), "{name}: {expr}");
        assert_eq!((&alert["health"], &alert["state"]), (&"ok".into(), &"inactive".into()), "{alert}");
        for part in ["summary", "description", "action", "ringkasan", "tindakan"] {
            assert!(alert["annotations"][part].as_str().is_some_and(|text| !text.is_empty()), "{name}: {part}");
        }
    }
    daemon.stop();
}
