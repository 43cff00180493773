//! Who may ask: tokens, `appsecret_proof`, `/debug_token`, and the refresh of Instagram tokens.

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{error::Refusal, fields::Args, node::Node};
use crate::demo::world::{App, Host, Token, TokenKind, World};

/// The token of a call: known, alive, of this host, with the proof if the app demands it (or a right one if it came).
pub(super) fn authenticate(world: &World, host: Host, text: Option<&str>, query: &Args) -> Result<Token, Refusal> {
    let text = text.ok_or_else(Refusal::no_token)?;
    let instagram = |token: &Token| matches!(token.kind, TokenKind::Instagram(_));
    let token = (world.token(text))
        .filter(|token| instagram(token) == (host == Host::Instagram))
        .ok_or_else(|| Refusal::new(190, "Invalid OAuth access token - Cannot parse access token"))?;
    if let Some(death) = token.death(world.now()) {
        let (subcode, message) = death.subcode();
        return Err(Refusal::new(190, message).subcode(subcode));
    }
    match query.get("appsecret_proof") {
        Some(proof) if proof != proof_of(&world.app, host, text) => {
            Err(Refusal::new(100, "Invalid appsecret_proof provided in the API argument"))
        }
        None if world.app.proof_required => Err(Refusal::new(100, "API calls from the server require an appsecret_proof argument")),
        _ => Ok(token.clone()),
    }
}

/// Lower-case hex of HMAC-SHA256 over the token, keyed with the app's secret.
fn proof_of(app: &App, host: Host, token: &str) -> String {
    let secret = if host == Host::Facebook { &app.secret } else { &app.instagram_secret };
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(token.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// Whether a token may look at a node at all.
pub(super) fn may_see(world: &World, token: &Token, node: Node<'_>) -> bool {
    let Some(account) = node.account() else { return true };
    let page = world.account(account).and_then(|account| account.page.as_deref());
    match &token.kind {
        TokenKind::Page(id) => account == id || page == Some(id),
        TokenKind::Instagram(id) => account == id,
        TokenKind::User(pages) | TokenKind::SystemUser(pages) => pages.iter().any(|id| account == id || page == Some(id)),
    }
}

/// `/debug_token`: what a token is. The caller is the app (`id|secret`) or any live token.
pub(super) fn debug(world: &World, caller: Option<&str>, query: &Args) -> Result<Value, Refusal> {
    let app = format!("{}|{}", world.app.id, world.app.secret);
    if caller != Some(app.as_str()) {
        authenticate(world, Host::Facebook, caller, query)?;
    }
    let asked = query.get("input_token").ok_or_else(|| Refusal::new(100, "(#100) The parameter input_token is required"))?;
    let now = world.now();
    let Some(token) = world.token(asked) else {
        return Ok(
            json!({ "data": { "error": { "code": 190, "message": "Invalid OAuth access token." }, "is_valid": false, "scopes": [] } }),
        );
    };
    let (kind, profile) = match &token.kind {
        TokenKind::Page(id) => ("PAGE", Some(id)),
        TokenKind::User(_) | TokenKind::Instagram(_) => ("USER", None),
        TokenKind::SystemUser(_) => ("SYSTEM_USER", None),
    };
    let seconds = |at: Option<Timestamp>| at.map_or(0, Timestamp::as_second);
    let mut data = json!({
        "app_id": world.app.id, "type": kind, "application": "Tanggap", "is_valid": true,
        "expires_at": seconds(token.expires), "issued_at": seconds(Some(token.issued)),
        "data_access_expires_at": seconds(Some(token.issued + SignedDuration::from_hours(90 * 24))),
        "scopes": token.scopes, "user_id": token.user,
        "granular_scopes": token.scopes.iter().map(|scope| json!({ "scope": scope })).collect::<Vec<_>>(),
    });
    if let Some(profile) = profile {
        data["profile_id"] = profile.as_str().into();
    }
    if let Some((subcode, message)) = token.death(now).map(super::super::world::Death::subcode) {
        data["is_valid"] = false.into();
        data["error"] = json!({ "code": 190, "message": message });
        if let Some(subcode) = subcode {
            data["error"]["subcode"] = subcode.into();
        }
    }
    Ok(json!({ "data": data }))
}

/// `/refresh_access_token` of Instagram Login: a new token of 60 days for one at least 24 h old.
pub(super) fn refresh(world: &mut World, token: &Token) -> Result<Value, Refusal> {
    let new = world.refresh(&token.text).ok_or_else(|| Refusal::new(100, "(#100) The access token must be at least 24 hours old"))?;
    let left = new.expires.map_or(0, |at| at.duration_since(new.issued).as_secs());
    let scopes: Vec<&str> = new.scopes.iter().map(String::as_str).collect();
    Ok(json!({ "access_token": new.text, "token_type": "bearer", "expires_in": left, "permissions": scopes.join(",") }))
}
