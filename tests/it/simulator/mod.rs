//! The simulated Graph API over real HTTP: every answer that any of these tests gets is checked against Meta's field types.

mod access;
mod faults;
mod inbox;
mod limits;
mod paging;
mod sinks;
mod specs;
mod story;
mod write;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tanggap::demo::{
    Now,
    api::Simulator,
    world::{Citizen, Use},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new("2026-11-24T02:00:00Z".parse::<Timestamp>().unwrap().as_second())))
    }
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }
    fn tick(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
    fn read(&self) -> Now {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}

/// One answer.
struct Got {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Value,
}

impl Got {
    fn code(&self) -> Option<i64> {
        self.body["error"]["code"].as_i64()
    }
    fn ids(&self) -> Vec<String> {
        ids(&self.body)
    }
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The ids of a list's rows.
fn ids(list: &Value) -> Vec<String> {
    list["data"].as_array().map(|rows| rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()).unwrap_or_default()
}

/// A running simulator and a caller.
struct Bench {
    sim: Simulator,
    clock: Clock,
    client: reqwest::Client,
    stop: CancellationToken,
    _tasks: JoinSet<std::io::Result<()>>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Bench {
    async fn start() -> Self {
        let clock = Clock::new();
        let (sim, servers) = Simulator::bind(clock.read()).await.unwrap();
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        tasks.spawn(servers.serve(stop.clone()));
        Self { sim, clock, client: client(), stop, _tasks: tasks }
    }
    /// Calls `graph.facebook.com/v25.0/…` and checks the types of what comes.
    async fn get(&self, token: &str, path: &str) -> Got {
        let base = self.sim.facebook_url.clone();
        self.call(&base, token, path).await
    }
    /// The same on `graph.instagram.com`.
    async fn get_instagram(&self, token: &str, path: &str) -> Got {
        let base = self.sim.instagram_url.clone();
        self.call(&base, token, path).await
    }
    async fn call(&self, base: &str, token: &str, path: &str) -> Got {
        let got = self.send(base, token, path).await.unwrap();
        if got.status == 200 && got.body.is_object() {
            specs::check_answer(&self.sim, base == self.sim.instagram_url, token, path, &got.body);
        }
        got
    }
    async fn send(&self, base: &str, token: &str, path: &str) -> reqwest::Result<Got> {
        let request = self.client.get(format!("{base}/v25.0{path}")).bearer_auth(token);
        let answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await?;
        Ok(Got { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null) })
    }
    /// Walks a list to its end by cursors and gives the ids in order, and how many pages it took.
    async fn walk(&self, token: &str, path: &str) -> (Vec<String>, usize) {
        let (mut all, mut after, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let got = self.get(token, &format!("{path}{after}")).await;
            assert_eq!(got.status, 200, "{path}{after}: {}", got.body);
            all.extend(got.ids());
            pages += 1;
            assert!(pages < 1_000, "{path}: the walk does not end");
            if got.body["paging"]["next"].is_null() {
                return (all, pages);
            }
            after = format!("&after={}", got.body["paging"]["cursors"]["after"].as_str().unwrap());
        }
    }
    /// Lets tests call an inbox on Instagram more than twice on a clock that stands still.
    fn no_pace(&self, instagram: &str) {
        self.sim.world().set_limit(Use::InstagramConversations, instagram, 1_000);
    }
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default(); // an error: somebody did so already
    let plain = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    plain.timeout(Duration::from_secs(5)).build().unwrap()
}

fn siti() -> Citizen {
    Citizen::new(1, "Siti")
}
fn budi() -> Citizen {
    Citizen::new(2, "Budi")
}
fn secs(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}
