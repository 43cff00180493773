//! What an app writes to citizens: comments, replies and direct messages (facts: graph-api-facebook.md, section 8; instagram sheet A3 and A6).

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{error::Refusal, fields::Args, node::Node, route::find, token};
use crate::{
    demo::world::{Author, Host, Item, ItemKind, Token, World},
    domain::Platform,
};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Whether something can be posted there. To a comment itself too: that changes what it says.
pub(super) fn is_edge(segments: &[&str]) -> bool {
    matches!(segments, [_, "comments" | "replies" | "messages"] | [_])
}

/// Answers a POST.
pub(super) fn answer(world: &mut World, host: Host, token: &Token, segments: &[&str], form: &Args) -> Result<Value, Refusal> {
    match segments {
        [above, "comments"] if host == Host::Facebook => comment(world, token, above, form),
        [above, "replies"] => reply(world, host, token, above, form),
        [sender, "messages"] => message(world, host, token, sender, form),
        [id] => edit(world, token, id, form),
        _ => Err(Refusal::new(100, "Unsupported post request.")),
    }
}

fn needs(token: &Token, scope: &str) -> Result<(), Refusal> {
    if token.scopes.contains(scope) { Ok(()) } else { Err(Refusal::no_messaging(scope)) }
}

fn text(form: &Args, most: usize) -> Result<&str, Refusal> {
    let text = form.get("message").unwrap_or_default();
    let fits = !text.trim().is_empty() && text.encode_utf16().count() <= most;
    if fits { Ok(text) } else { Err(Refusal::new(100, format!("(#100) The message must hold 1 to {most} characters"))) }
}

/// What is written under, if the token may see it and it is still there.
fn target<'a>(world: &'a World, token: &Token, id: &str) -> Result<&'a Item, Refusal> {
    let item = find(world, id).filter(|node| token::may_see(world, token, *node)).and_then(Node::item);
    item.filter(|item| item.visible(world.now())).ok_or_else(|| Refusal::no_object(id))
}

fn comment(world: &mut World, token: &Token, above: &str, form: &Args) -> Result<Value, Refusal> {
    needs(token, "pages_manage_engagement")?;
    let item = target(world, token, above)?;
    let on_page = world.account(&item.account).is_some_and(|account| account.platform == Platform::Facebook);
    if !on_page || item.kind == ItemKind::Message || token.account().is_none() {
        return Err(Refusal::new(100, "Unsupported post request."));
    }
    let text = text(form, 8_000)?.to_owned();
    let id = world.answer(above, text).ok_or_else(|| Refusal::no_object(above))?;
    Ok(json!({ "id": id }))
}

fn reply(world: &mut World, host: Host, token: &Token, above: &str, form: &Args) -> Result<Value, Refusal> {
    needs(token, if host == Host::Facebook { "instagram_manage_comments" } else { "instagram_business_manage_comments" })?;
    let item = target(world, token, above)?;
    let on_instagram = world.account(&item.account).is_some_and(|account| account.platform == Platform::Instagram);
    if !on_instagram || item.kind != ItemKind::Comment {
        return Err(Refusal::new(100, "Unsupported post request."));
    }
    if item.hidden.is_some() {
        return Err(Refusal::new(100, "(#100) A hidden comment can't be replied to").subcode(2_207_057));
    }
    let text = text(form, 2_200)?.to_owned();
    let id = world.answer(above, text).ok_or_else(|| Refusal::no_object(above))?;
    Ok(json!({ "id": id }))
}

/// Whose inbox a sender writes from: with Facebook Login the Page speaks for its Instagram account too, whose people have other ids.
fn message(world: &mut World, host: Host, token: &Token, sender: &str, form: &Args) -> Result<Value, Refusal> {
    let sender = if sender == "me" { token.account().unwrap_or_default() } else { sender };
    let account = world.account(sender).or_else(|| world.account(sender.strip_prefix('9')?)).ok_or_else(|| Refusal::no_object(sender))?;
    let own = token.account() == Some(account.id.as_str());
    if !own || (account.platform == Platform::Instagram) != (host == Host::Instagram) {
        return Err(Refusal::no_object(sender));
    }
    let json = |name: &str| serde_json::from_str::<Value>(form.get(name).unwrap_or_default()).unwrap_or_default();
    let (recipient, message) = (json("recipient"), json("message"));
    let text = message["text"].as_str().filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| Refusal::new(100, "(#100) The message must not be empty"))?.to_owned();
    let owners: Vec<String> = [Some(account), world.instagram_of(&account.id)].into_iter().flatten().map(|one| one.id.clone()).collect();
    let id = |name: &str| recipient[name].as_str().map(str::to_owned);
    let (owner, target) = match (id("id"), id("comment_id").or_else(|| id("post_id"))) {
        (Some(person), _) => {
            let theirs = owners.iter().find_map(|owner| {
                let thread = world.threads_of(owner).find(|thread| thread.citizen.scoped(owner) == person)?;
                Some((owner.clone(), Target::Thread(thread.id.clone())))
            });
            let unknown = if host == Host::Instagram { 2_534_014 } else { 2_018_001 };
            theirs.ok_or_else(|| Refusal::new(100, "(#100) No matching user found").subcode(unknown))?
        }
        (None, Some(item)) => (target_of(world, token, &item)?, Target::Item(item)),
        (None, None) => return Err(Refusal::new(100, "(#100) The parameter recipient is required")),
    };
    let platform = world.account(&owner).map_or(Platform::Facebook, |account| account.platform);
    needs(
        token,
        match (platform, host) {
            (Platform::Facebook, _) => "pages_messaging",
            (Platform::Instagram, Host::Facebook) => "instagram_manage_messages",
            (Platform::Instagram, Host::Instagram) => "instagram_business_manage_messages",
        },
    )?;
    let long = if platform == Platform::Facebook { text.encode_utf16().count() > 2_000 } else { text.len() > 1_000 };
    if long {
        return Err(Refusal::new(100, "(#100) Length of param message[text] must be less than or equal to the limit"));
    }
    let written = match &target {
        Target::Thread(thread) => {
            window(world, platform, thread, form)?;
            world.answer(thread, text)
        }
        Target::Item(item) => {
            private(world, item)?;
            world.private_reply(item, text)
        }
    };
    let written = written.ok_or_else(|| Refusal::no_object(&owner))?;
    let person = world.item(&written).and_then(|item| world.thread(&item.root)).map(|thread| thread.citizen.scoped(&owner));
    Ok(json!({ "recipient_id": person, "message_id": written }))
}

enum Target {
    Thread(String),
    Item(String),
}

/// Whose account a comment or post stands on.
fn target_of(world: &World, token: &Token, id: &str) -> Result<String, Refusal> {
    target(world, token, id).map(|item| item.account.clone())
}

/// Error 10 outside what the type of the message may do.
fn window(world: &World, platform: Platform, thread: &str, form: &Args) -> Result<(), Refusal> {
    let closed = if platform == Platform::Facebook { 2_018_278 } else { 2_534_022 };
    let outside = || Refusal::new(10, "(#10) This message is sent outside of allowed window.").subcode(closed);
    let now = world.now();
    let messages = world.thread(thread).map(|thread| world.messages(thread, now)).unwrap_or_default();
    let newest =
        messages.iter().find(|message| message.by_citizen()).map(|message| now.duration_since(message.created)).ok_or_else(outside)?;
    match (form.get("messaging_type"), form.get("tag")) {
        (None | Some("RESPONSE"), _) if newest < DAY => Ok(()),
        (Some("MESSAGE_TAG"), Some("HUMAN_AGENT")) if !world.app.human_agent => {
            Err(Refusal::new(10, "(#10) To use the tag HUMAN_AGENT, your use of this endpoint must be reviewed and approved by Facebook."))
        }
        (Some("MESSAGE_TAG"), Some("HUMAN_AGENT")) if newest < WEEK => Ok(()),
        (None | Some("RESPONSE" | "MESSAGE_TAG"), _) => Err(outside()),
        _ => Err(Refusal::bad_param("messaging_type", "one of RESPONSE, UPDATE, MESSAGE_TAG, UTILITY")),
    }
}

/// One private reply for each comment or post of a person, within seven days.
fn private(world: &World, id: &str) -> Result<(), Refusal> {
    let Some(item) = world.item(id) else { return Err(Refusal::no_object(id)) };
    let late = world.now().duration_since(item.created) >= WEEK;
    let fits = matches!(item.kind, ItemKind::Comment | ItemKind::WallPost) && matches!(item.author, Author::Citizen(_));
    match item.private_reply {
        Some(_) => Err(Refusal::new(10900, "(#10900) Activity already replied to")),
        None if late || !fits => Err(Refusal::new(10903, "(#10903) This user cannot reply to this activity")),
        None => Ok(()),
    }
}

/// The update of a comment: it puts other words into it, whoever wrote it.
fn edit(world: &mut World, token: &Token, id: &str, form: &Args) -> Result<Value, Refusal> {
    needs(token, "pages_manage_engagement")?;
    if target(world, token, id)?.kind != ItemKind::Comment {
        return Err(Refusal::new(100, "Unsupported post request."));
    }
    let text = text(form, 8_000)?.to_owned();
    world.edit(id, &text);
    Ok(json!({ "success": true }))
}
