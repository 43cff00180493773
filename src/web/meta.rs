//! `/webhooks/meta`: the handshake, and deliveries. A delivery only makes its accounts be read sooner; a lost, late, doubled or forged one
//! costs nothing but that. What can be read by no other way is taken in by [`super::take`], what became of WhatsApp messages is kept by
//! [`super::status`].

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use tracing::{debug, error, warn};

use super::{Shared, status, take};
use crate::{
    domain::{Platform, Time, message::key_of, settings::Graph},
    graph::wire::hook::{Delivery, Entry, Value},
    store::{
        StoreError, accounts,
        hints::{self, Hint},
    },
};

/// The largest delivery: 1,000 updates with the longest comments Meta takes stay well below.
const BODY_MAX: usize = 4 * 1024 * 1024;
/// How long a delivery may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(10);
/// Meta gives up on a delivery after about as long, and sends it again.
const STORING: Duration = Duration::from_secs(5);
/// The longest id that is noted; Meta's are shorter.
const ID_MAX: usize = 200;
/// The longest challenge sent back; Meta's are numbers.
const CHALLENGE_MAX: usize = 256;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/webhooks/meta", get(handshake).post(receive))
}

/// What Meta shows when the address is entered in the app's dashboard.
#[derive(serde::Deserialize)]
struct Handshake {
    #[serde(rename = "hub.mode")]
    mode: String,
    #[serde(rename = "hub.verify_token")]
    token: String,
    #[serde(rename = "hub.challenge")]
    challenge: String,
}

async fn handshake(State(shared): State<Arc<Shared>>, Query(shown): Query<Handshake>) -> Result<String, StatusCode> {
    let known = |token: &SecretString| same(token.expose_secret(), &shown.token);
    let granted = shared.joints.settings.graph.verify_token.as_ref().is_some_and(known);
    if shown.mode != "subscribe" || !granted || shown.challenge.len() > CHALLENGE_MAX {
        return Err(StatusCode::FORBIDDEN);
    }
    Ok(shown.challenge)
}

async fn receive(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Body) -> StatusCode {
    let body = match tokio::time::timeout(ARRIVAL, to_bytes(body, BODY_MAX)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE,
        Err(_) => return StatusCode::REQUEST_TIMEOUT,
    };
    if !signed(&shared.joints.settings.graph, &headers, &body) {
        debug!("a webhook without a valid signature was refused");
        return StatusCode::UNAUTHORIZED;
    }
    // Signed, yet unreadable: sending it again would not mend it, and after an hour of refusals Meta ends the subscription.
    let Ok(delivery) = Delivery::read(&body) else {
        warn!(event = "message.odd", what = "a webhook nobody can read", "left to the next poll");
        return StatusCode::OK;
    };
    match tokio::time::timeout(STORING, store(&shared, &delivery)).await {
        Ok(Ok(())) => StatusCode::OK,
        Ok(Err(failed)) => {
            error!(error = %failed, "a webhook could not be noted; Meta sends it again");
            StatusCode::SERVICE_UNAVAILABLE
        }
        Err(_) => {
            error!("a webhook could not be noted in time; Meta sends it again");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

async fn store(shared: &Shared, delivery: &Delivery) -> Result<(), StoreError> {
    let entries = delivery.entry.iter().flat_map(|list| &list.data);
    let now = Time::from_timestamp(shared.joints.clock.now());
    let platform = match delivery.object.as_str() {
        "page" => Platform::Facebook,
        "instagram" => Platform::Instagram,
        "whatsapp_business_account" => return status::keep(shared, entries, now).await,
        _ => return Ok(()),
    };
    let odd: usize = delivery.entry.iter().map(|list| list.odd.len()).sum::<usize>() + entries.clone().map(Entry::odd).sum::<usize>();
    if odd > 0 {
        warn!(
            event = "message.odd",
            platform = platform.word(),
            what = "updates of a webhook nobody can read",
            odd,
            "left to the next poll"
        );
    }
    let mut ids: Vec<&str> = entries.clone().filter(|entry| entry.is_news()).filter_map(|entry| entry.id.as_deref()).collect();
    ids.sort_unstable();
    ids.dedup();
    for entry in entries.clone() {
        let named: Vec<Hint> = entry.changes().filter_map(|(_, value)| hint(value)).collect();
        if let (Some(id), false) = (&entry.id, named.is_empty()) {
            hints::note(&shared.joints.db, platform, id, &named, now).await?;
        }
    }
    if accounts::hurry(&shared.joints.db, platform, &ids, now).await? {
        shared.joints.polls.nudge();
    }
    take::arrivals(shared, platform, entries, now).await
}

/// The post that a comment's update names; none for an ad's, which no read shows.
fn hint(value: &Value) -> Option<Hint> {
    let ad = value.post.is_published == Some(false) || value.media.ad_id.is_some();
    let (post, comment) = match (&value.media.id, value.item.as_str()) {
        (Some(medium), _) => (medium, &value.id),
        (None, "comment") => (value.post_id.as_ref()?, &value.comment_id),
        _ => return None,
    };
    let added = matches!(value.verb.as_str(), "" | "add");
    let comment = comment.as_deref().filter(|_| added).map(key_of).unwrap_or_default().to_owned();
    (!ad && post.len() <= ID_MAX && comment.len() <= ID_MAX).then(|| Hint { post: post.clone(), comment })
}

/// Whether some app of ours signed the body: `X-Hub-Signature-256` is `sha256=` and the hexadecimal HMAC-SHA256 of the raw body under the
/// app's secret (Webhooks, Getting Started).
/// Which of its two secrets signs with Instagram Login is not documented: both are tried. Takes the same time whatever is wrong.
pub fn signed(graph: &Graph, headers: &HeaderMap, body: &[u8]) -> bool {
    let signature = headers.get("x-hub-signature-256").and_then(|value| value.to_str().ok());
    let shown = signature.and_then(|text| hex::decode(text.strip_prefix("sha256=")?).ok()).unwrap_or_default();
    is_ours(graph, &shown, body)
}

/// Whether this is the HMAC-SHA256 of these bytes under some app's secret of ours.
pub(super) fn is_ours(graph: &Graph, shown: &[u8], bytes: &[u8]) -> bool {
    graph
        .secrets()
        .fold(false, |known, secret| known | tag(secret.expose_secret(), bytes).is_some_and(|tag| tag.verify_slice(shown).is_ok()))
}

/// Compares without telling by the time it takes how much of it is right.
fn same(known: &str, shown: &str) -> bool {
    let known_tag = tag(known, known.as_bytes()).map(|tag| tag.finalize().into_bytes());
    known_tag.zip(tag(known, shown.as_bytes())).is_some_and(|(known, shown)| shown.verify(&known).is_ok())
}

fn tag(secret: &str, bytes: &[u8]) -> Option<Hmac<Sha256>> {
    let mut tag = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    tag.update(bytes);
    Some(tag)
}
