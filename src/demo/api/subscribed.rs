//! `/subscribed_apps`: of which webhook fields an account tells the app.

use serde_json::{Value, json};

use super::{error::Refusal, fields::Args};
use crate::{
    demo::world::{Token, World},
    domain::Platform,
};

/// The fields of a Page that are known here (of about 80).
const PAGE_FIELDS: [&str; 11] = [
    "feed",
    "mention",
    "messages",
    "message_deliveries",
    "message_echoes",
    "message_edits",
    "message_reactions",
    "message_reads",
    "messaging_postbacks",
    "ratings",
    "standby",
];
/// The same with Instagram Login.
const INSTAGRAM_FIELDS: [&str; 8] =
    ["comments", "live_comments", "mentions", "message_edit", "message_reactions", "messages", "messaging_postbacks", "messaging_seen"];

/// Answers GET, POST and DELETE of the edge.
pub(super) fn answer(world: &mut World, method: &str, token: &Token, subject: &str, query: &Args) -> Result<Value, Refusal> {
    let own = token.account().filter(|id| subject == "me" || *id == subject).ok_or_else(|| Refusal::no_object(subject))?.to_owned();
    let platform = world.account(&own).map(|account| account.platform).ok_or_else(|| Refusal::no_object(subject))?;
    let needs = |scope: &str| if token.scopes.contains(scope) { Ok(()) } else { Err(Refusal::no_messaging(scope).status(400)) };
    let (known, scope, messages): (&[&str], _, _) = match platform {
        Platform::Facebook => (&PAGE_FIELDS, "pages_manage_metadata", "pages_messaging"),
        Platform::Instagram => (&INSTAGRAM_FIELDS, "instagram_business_basic", "instagram_business_manage_messages"),
    };
    needs(scope)?;
    match method {
        "POST" => {
            let asked =
                query.get("subscribed_fields").ok_or_else(|| Refusal::new(100, "(#100) The parameter subscribed_fields is required"))?;
            let fields: Vec<String> = asked.split(',').map(str::to_owned).collect();
            if !fields.iter().all(|field| known.contains(&field.as_str())) {
                return Err(Refusal::bad_param("subscribed_fields", &format!("one of {{{}}}", known.join(", "))));
            }
            if fields.iter().any(|field| field.starts_with("messag")) {
                needs(messages)?;
            }
            world.change_account(&own, |account| account.subscribed = fields.into_iter().collect());
            Ok(json!({ "success": true }))
        }
        "DELETE" => {
            world.change_account(&own, |account| account.subscribed.clear());
            Ok(json!({ "success": true }))
        }
        _ => {
            let fields = world.account(&own).map(|account| account.subscribed.clone()).unwrap_or_default();
            let app = json!({ "id": world.app.id, "name": "Tanggap", "subscribed_fields": fields });
            Ok(json!({ "data": if fields.is_empty() { json!([]) } else { json!([app]) } }))
        }
    }
}
