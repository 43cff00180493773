//! Alertmanager itself shows what is told, keeps what is repeated, and takes it for resolved when the ticket is answered.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tanggap::{
    alert::Refresh,
    domain::{Time, settings},
    runtime::{Clock as _, Stage as _, SystemClock, http},
};

use crate::{
    alert::world::{Ticket, World, ticket},
    channels::far::HttpSink,
};

/// A running Alertmanager on a free port, with its files in a folder of its own, which ends with this value.
struct Server {
    child: Child,
    url: String,
    folder: tempfile::TempDir,
}

impl Server {
    /// Tells `receiver` of what fires and what is resolved.
    async fn start(receiver: &HttpSink) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "route: {{receiver: x, group_by: [ticket], group_wait: 0s, group_interval: 1s}}\n\
             receivers: [{{name: x, webhook_configs: [{{url: '{}'}}]}}]\n",
            receiver.url
        );
        std::fs::write(folder.path().join("alertmanager.yml"), config).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { child: Self::spawn(&folder, port), url: format!("http://127.0.0.1:{port}"), folder };
        server.ready().await;
        server
    }

    fn spawn(folder: &tempfile::TempDir, port: u16) -> Child {
        let path = |name: &str| folder.path().join(name).display().to_string();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        Command::new("prometheus-alertmanager")
            .args([format!("--config.file={}", path("alertmanager.yml")), format!("--storage.path={}", path("data"))])
            .args([&format!("--web.listen-address=127.0.0.1:{port}"), "--cluster.listen-address="])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("prometheus-alertmanager is installed by tests/run")
    }

    async fn get(&self, path: &str) -> reqwest::Result<reqwest::Response> {
        http::client(Duration::from_secs(5)).unwrap().get(format!("{}{path}", self.url)).send().await
    }

    async fn ready(&self) {
        for _ in 0..200 {
            if self.get("/-/ready").await.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("Alertmanager does not come up: {}", std::fs::read_to_string(self.folder.path().join("log")).unwrap());
    }

    /// The same server once more, which has forgotten every alert.
    async fn restart(&mut self) {
        self.kill();
        self.child = Self::spawn(&self.folder, self.url.rsplit(':').next().unwrap().parse().unwrap());
        self.ready().await;
    }

    /// The alerts it shows: tickets with the time at which each ends.
    async fn shows(&self) -> Vec<(String, Timestamp)> {
        let alerts: Value = self.get("/api/v2/alerts").await.unwrap().json().await.unwrap();
        let mut shown: Vec<_> = alerts
            .as_array()
            .unwrap()
            .iter()
            .map(|alert| {
                assert_eq!(alert["labels"]["alertname"], "TanggapTicketUnanswered");
                (alert["labels"]["ticket"].as_str().unwrap().to_owned(), alert["endsAt"].as_str().unwrap().parse().unwrap())
            })
            .collect();
        shown.sort();
        shown
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until the receiver was told of this: `firing 1`, `resolved 1`.
async fn receiver_hears(receiver: &HttpSink, what: &str) {
    let heard = || -> Vec<String> {
        let calls = receiver.requests();
        let alerts = calls.iter().flat_map(|call| call.json()["alerts"].as_array().unwrap().clone()).collect::<Vec<_>>();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        alerts.iter().map(|alert| format!("{} {}", text(&alert["status"]), text(&alert["labels"]["ticket"]))).collect()
    };
    for _ in 0..200 {
        if heard().iter().any(|heard| heard == what) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("Alertmanager tells its receiver {:?}, not {what}", heard());
}

#[tokio::test]
async fn alertmanager_shows_what_is_told_also_after_its_own_restart_and_resolves_it_when_it_is_answered() {
    let receiver = HttpSink::start();
    let mut server = Server::start(&receiver).await;
    let mut world = World::sqlite().await;
    world.settings.channels = settings::Channels {
        alertmanager: Some(settings::Alertmanager { url: server.url.clone(), group: "kepala".into() }),
        ..settings::Channels::default()
    };
    // Alertmanager lives by the real clock
    let now = SystemClock.now();
    world.clock.set(now);
    let opened = Time::from_timestamp(now - SignedDuration::from_hours(5));
    for id in [1, 2] {
        let late = Ticket { opened, due: opened.plus(SignedDuration::from_hours(4)), ..ticket(id) };
        world.breach(&late, &["kepala"]).await;
    }
    world.step().await;
    let shown = server.shows().await;
    assert_eq!(shown.iter().map(|(ticket, _)| ticket.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    receiver_hears(&receiver, "firing 1").await;

    let mut refresh = Refresh::new(world.db.clone(), Arc::new(world.settings.clone()), world.clock.clone()).unwrap();
    world.clock.advance(SignedDuration::from_secs(60));
    assert_eq!(refresh.once().await.unwrap().done, 2);
    let later = server.shows().await;
    assert!(later.iter().zip(&shown).all(|(now, before)| now.0 == before.0 && now.1 > before.1), "{shown:?} {later:?}");

    server.restart().await;
    assert!(server.shows().await.is_empty(), "Alertmanager keeps no alert over its restart");
    world.clock.advance(SignedDuration::from_secs(60));
    refresh.once().await.unwrap();
    assert_eq!(server.shows().await.len(), 2);
    receiver_hears(&receiver, "firing 2").await;

    // the clock of the world ran ahead by two minutes, and an alert ends now
    world.clock.set(SystemClock.now());
    world.close(1, "answered").await;
    world.tell("ticket.answered", Some(1), (0, "", &[])).await;
    world.step().await;
    let told = world.deliveries().await;
    let told: Vec<&str> = told.iter().map(String::as_str).filter(|row| !row.starts_with("kepala none")).collect();
    assert_eq!(told, ["alertmanager alertmanager delivered"; 3]);
    assert_eq!(server.shows().await.iter().map(|(ticket, _)| ticket.as_str()).collect::<Vec<_>>(), ["2"]);
    receiver_hears(&receiver, "resolved 1").await;
    world.invariants().await;
}
