//! One call: who asks for what, does it count, does it fail on order, and what is the answer.

use std::cell::Cell;

use serde_json::{Value, json};

use super::{
    ask::{Ask, Found},
    error::Refusal,
    fields::{self, Args},
    inbox,
    node::Node,
    subscribed, token, write,
};
use crate::{
    demo::world::{Authorised, Call, Fault, Host, ItemKind, Token, Use, World},
    domain::Platform,
};

/// A call as it came in.
pub(super) struct Incoming {
    pub host: Host,
    pub method: String,
    pub path: String,
    pub query: Args,
    /// The body of a POST.
    pub form: Args,
    /// The token of the `Authorization` header.
    pub bearer: Option<String>,
    /// This host's own address, for `next` links.
    pub url: String,
}

/// An answer before it is put on the wire.
pub(super) struct Answer {
    pub status: u16,
    pub body: Value,
    pub headers: Vec<(&'static str, String)>,
    /// What goes wrong on the wire.
    pub fault: Option<Fault>,
}

/// The oldest version still served, and the newest.
const OLDEST: (u32, &str) = (21, "v21.0");
const NEWEST: u32 = 26;

pub(super) fn answer(world: &mut World, call: Incoming) -> Answer {
    let now = world.now();
    let mut segments: Vec<&str> = call.path.split('/').filter(|segment| !segment.is_empty()).collect();
    let version = segments.first().copied().filter(|first| first.starts_with('v') && first.contains('.')).unwrap_or_default().to_owned();
    if !version.is_empty() {
        segments.remove(0);
    }
    let (authorised, text) = match (&call.bearer, call.query.get("access_token")) {
        (Some(text), _) => (Authorised::Header, Some(text.as_str())),
        (None, Some(text)) => (Authorised::Query, Some(text)),
        (None, None) => (Authorised::No, None),
    };
    let owner = text.and_then(|text| world.token(text)).and_then(|token| token.account().map(str::to_owned));
    let subject = segments.first().copied().unwrap_or_default();
    let node = find(world, subject);
    let account = node.and_then(|node| node.account().map(str::to_owned)).or_else(|| owner.filter(|_| subject == "me"));
    let endpoint = match (subject, segments.get(1)) {
        (_, Some(edge)) => (*edge).to_owned(),
        ("me" | "debug_token" | "refresh_access_token", None) => subject.to_owned(),
        _ => "node".to_owned(),
    };
    let limits = limits(world, node, &endpoint, account.as_deref());

    let fault = world.fault(account.as_deref(), &call.method, &call.path);
    let lost = || Refusal::new(1, "never seen by anybody");
    let result = match fault.as_ref().and_then(|fault| if *fault == Fault::Lost { Some(lost()) } else { ordered(fault) }) {
        Some(refusal) => Err(refusal),
        None => run(world, &call, &segments, &version, text, &limits, fault == Some(Fault::EmptyPage)),
    };
    let trace = format!("A{:020x}", world.calls().len() * 7_919 + 104_729);
    let (status, code, throttled, body) = match result {
        Ok(body) => (200, None, false, body),
        Err(refusal) => (refusal.status, Some(refusal.code), refusal.throttled, refusal.body(&trace)),
    };
    let mut headers = usage(world, &limits);
    headers.push(("facebook-api-version", served(world, &version)));
    headers.push(("x-fb-trace-id", trace));
    let date = now + world.manner.date_skew;
    headers.push(("date", jiff::fmt::strtime::format("%a, %d %b %Y %H:%M:%S GMT", date).unwrap_or_default()));
    let hide = |(key, value): &(String, String)| {
        let value = if matches!(key.as_str(), "access_token" | "input_token" | "appsecret_proof") { "…".into() } else { value.clone() };
        (key.clone(), value)
    };
    world.record(Call {
        at: now,
        host: call.host,
        method: call.method,
        path: call.path.clone(),
        query: call.query.0.iter().map(hide).collect(),
        form: call.form.0.iter().map(hide).collect(),
        authorised,
        next_link: call.query.get("pretty").is_some(),
        account,
        endpoint,
        status,
        code,
        throttled,
    });
    Answer { status, body, headers, fault }
}

/// The node an id names; `None` for words such as `me`, and for nothing. Instagram Login's own ids are the account's after a 9.
pub(super) fn find<'a>(world: &'a World, id: &str) -> Option<Node<'a>> {
    let account = world.account(id).or_else(|| world.account(id.strip_prefix('9')?)).map(Node::of_account);
    account.or_else(|| world.thread(id).map(Node::Thread)).or_else(|| world.item(id).map(|item| Node::of_item(world, item)))
}

/// The limits a call counts against, first the ones with a usage header.
fn limits(world: &World, node: Option<Node<'_>>, endpoint: &str, account: Option<&str>) -> Vec<(Use, String)> {
    let mut limits = Vec::new();
    if let Some(account) = account.and_then(|id| world.account(id)) {
        let inbox = matches!(endpoint, "conversations" | "messages") || matches!(node, Some(Node::Thread(_) | Node::Message(_)));
        let of = match (account.platform, inbox) {
            (Platform::Facebook, false) => Use::Pages,
            (Platform::Facebook, true) => Use::Messenger,
            // a hundred messages may be sent in a second, but two conversations read
            (Platform::Instagram, inbox) if !inbox || endpoint == "messages" => Use::Instagram,
            (Platform::Instagram, _) => Use::InstagramConversations,
        };
        limits.push((of, account.id.clone()));
    }
    limits.push((Use::App, world.app.id.clone()));
    limits
}

/// The error that a fault on order answers with; `None` if it breaks on the wire.
fn ordered(fault: &Fault) -> Option<Refusal> {
    Some(match fault {
        Fault::Unknown => Refusal::new(1, "An unknown error occurred").status(500),
        Fault::Transient => Refusal::new(2, "An unexpected error has occurred. Please retry your request later.").status(500).transient(),
        Fault::TooMuchData => Refusal::too_much(),
        Fault::Error(status, code, subcode) => Refusal::new(*code, format!("(#{code}) Simulated error")).status(*status).subcode(*subcode),
        _ => return None,
    })
}

/// Answers a call that does not fail on order.
fn run(
    world: &mut World,
    call: &Incoming,
    segments: &[&str],
    version: &str,
    text: Option<&str>,
    limits: &[(Use, String)],
    empty_page: bool,
) -> Result<Value, Refusal> {
    let subscription = match segments {
        [subject, "subscribed_apps"] => Some(*subject),
        _ => None,
    };
    let writes = call.method == "POST" && write::is_edge(segments);
    if call.method != "GET" && subscription.is_none() && !writes {
        return Err(Refusal::new(100, format!("Unsupported {} request.", call.method.to_lowercase())));
    }
    if call.query.get("ids").is_some() {
        return Err(Refusal::new(100, "(#100) The ids parameter is deprecated").status(500));
    }
    if segments == ["debug_token"] {
        return token::debug(world, text, &call.query);
    }
    let token = token::authenticate(world, call.host, text, &call.query)?;
    count(world, &token, segments.first().copied().unwrap_or_default(), limits)?;
    if let Some(subject) = subscription {
        return subscribed::answer(world, &call.method, &token, subject, &call.query);
    }
    if writes {
        return write::answer(world, call.host, &token, segments, &call.form);
    }
    let now = world.now();
    if segments == ["refresh_access_token"] && call.host == Host::Instagram {
        return token::refresh(world, &token);
    }
    let ask = Ask {
        world,
        now,
        token: &token,
        host: call.host,
        base: format!("{}/{}", call.url, if version.is_empty() { OLDEST.1 } else { version }),
        empty_page: Cell::new(empty_page),
        rows: Cell::new(0),
    };
    dispatch(&ask, segments, &call.query)
}

/// Counts a call against every limit it falls under; a person's token counts against the person, not the Page.
fn count(world: &mut World, token: &Token, subject: &str, limits: &[(Use, String)]) -> Result<(), Refusal> {
    let now = world.now();
    let person = token.account().is_none();
    let page = matches!(find(world, subject), Some(Node::Page(_) | Node::Post(_) | Node::Comment(_)));
    let user = person.then(|| (Use::User, token.user.clone()));
    let mut error = None;
    for (of, id) in limits.iter().filter(|(of, _)| !person || *of == Use::App).chain(&user) {
        if !world.quota_mut(*of, id).call(now) {
            error.get_or_insert(if *of == Use::User && page { (32, None, "(#32) Page request limit reached") } else { of.error() });
        }
    }
    error.map_or(Ok(()), |error| Err(Refusal::limit(error)))
}

/// A node, or one of its edges.
fn dispatch(ask: &Ask<'_>, segments: &[&str], query: &Args) -> Result<Value, Refusal> {
    let (id, edge) = match segments {
        [id] => (*id, None),
        [id, edge] => (*id, Some(*edge)),
        _ => return Err(Refusal::no_path(&format!("/{}", segments.join("/")))),
    };
    let node = if id == "me" { myself(ask) } else { find(ask.world, id).or_else(|| ask.world.user(id).map(Node::User)) };
    let node = node.filter(|node| token::may_see(ask.world, ask.token, *node)).ok_or_else(|| Refusal::no_object(id))?;
    match node {
        Node::Message(message) if !within_window(ask, node) || !message.visible(ask.now) => return Err(Refusal::message_deleted()),
        _ if node.item().is_some_and(|item| !item.visible(ask.now)) => return Err(Refusal::no_object(id)),
        _ => {}
    }
    let fields = fields::parse(query.get("fields").unwrap_or_default())?;
    let Some(edge) = edge else { return ask.render_or_default(node, &fields) };
    match node.field(ask, edge, query)? {
        Found::List(list) => ask.page(list, query, &fields, (node.id(ask), edge)),
        // a list of what is no node, all on one page
        Found::Value(list) if edge == "permissions" => Ok(list),
        _ => Err(Refusal::no_field(edge, node.type_name())),
    }
}

/// The node of `/me`: the Page, the Instagram account or the person of the token.
fn myself<'a>(ask: &Ask<'a>) -> Option<Node<'a>> {
    match ask.token.account() {
        Some(id) => ask.world.account(id).map(Node::of_account),
        None => ask.world.user(&ask.token.user).map(Node::User),
    }
}

/// Whether a message is among the newest of its conversation.
fn within_window(ask: &Ask<'_>, node: Node<'_>) -> bool {
    let Some(item) = node.item().filter(|item| item.kind == ItemKind::Message) else { return true };
    let newest = ask.world.thread(&item.root).map(|thread| ask.world.messages(thread, ask.now)).unwrap_or_default();
    newest.iter().take(inbox::WINDOW).any(|message| message.seq == item.seq)
}

/// The version that answers: the one asked for while it is served, else the oldest that is.
fn served(world: &World, asked: &str) -> String {
    let number = asked.trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
    match &world.manner.served_version {
        Some(version) => version.clone(),
        None if (OLDEST.0..=NEWEST).contains(&number) => asked.into(),
        None => OLDEST.1.into(),
    }
}

/// The usage headers; absent at 0 %.
fn usage(world: &World, limits: &[(Use, String)]) -> Vec<(&'static str, String)> {
    let now = world.now();
    let mut headers = Vec::new();
    for (of, id) in limits {
        let Some(quota) = world.quota(*of, id) else { continue };
        let percent = quota.percent(now);
        let wait = quota.blocked(now).map_or(0, |left| (left.as_secs() + 59) / 60);
        let mut usage = json!({ "call_count": percent, "total_cputime": percent / 2, "total_time": percent / 2 });
        match of.row() {
            _ if percent == 0 => {}
            Some(row) => {
                usage["type"] = row.into();
                usage["estimated_time_to_regain_access"] = wait.into();
                headers.push(("x-business-use-case-usage", json!({ id.as_str(): [usage] }).to_string()));
            }
            None if *of == Use::App => headers.push(("x-app-usage", usage.to_string())),
            None => {}
        }
    }
    headers
}
