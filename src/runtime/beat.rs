//! The heartbeat: as long as all is well somebody outside hears of it, and must miss it when it stays away.

use std::time::Duration;

use reqwest::Client;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use url::Url;

use super::http::describe;

/// Until `stop`, asks every `every` whether all is well, and if so calls `url` with GET. The answer's body is not read; its URL is
/// a secret of the watching service and never logged. A call that fails is logged once, until one succeeds.
pub async fn beat<F: Future<Output = bool> + Send>(
    client: Client,
    url: Url,
    every: Duration,
    healthy: impl Fn() -> F + Send,
    stop: CancellationToken,
) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut silent = false;
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if !healthy().await {
            continue;
        }
        let heard = call(&client, &url).await;
        match &heard {
            Ok(()) if silent => info!("the heartbeat is heard again"),
            Err(error) if !silent => warn!(error, "the heartbeat was not heard"),
            _ => {}
        }
        silent = heard.is_err();
    }
}

async fn call(client: &Client, url: &Url) -> Result<(), String> {
    let answer = client.get(url.clone()).send().await.map_err(describe)?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("the answer was HTTP {}", answer.status().as_u16())) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::routing::get;
    use tokio::sync::mpsc;
    use tokio::time::timeout;

    use super::*;
    use crate::runtime::http;
    use crate::runtime::serve::tests::serving;

    #[tokio::test]
    async fn it_beats_only_while_all_is_well_and_outlives_a_failing_listener() {
        let (heard, mut beats) = mpsc::unbounded_channel();
        let ears = get(move || {
            heard.send(()).unwrap();
            std::future::ready(axum::http::StatusCode::SERVICE_UNAVAILABLE)
        });
        let (mut crew, url) = serving(Router::new().route("/", ears)).await;
        let (token, client) = (crew.token(), http::client(Duration::from_secs(10)).unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        // well at every second question only
        let well = move || std::future::ready(counter.fetch_add(1, Ordering::SeqCst) % 2 == 1);
        crew.spawn("beat", beat(client, url.parse().unwrap(), Duration::from_millis(5), well, token));
        for _ in 0..3 {
            timeout(Duration::from_secs(10), beats.recv()).await.expect("no beat").unwrap();
        }
        crew.stop().await.unwrap();
        let mut calls = 3;
        while beats.try_recv().is_ok() {
            calls += 1;
        }
        assert_eq!(calls, asked.load(Ordering::SeqCst) / 2, "a beat for each good answer, none for a bad one");
    }
}
