//! What the targets share: whose messages are read, and what must hold of whatever comes out, whoever wrote what went in.

pub mod site;

use std::{collections::BTreeMap, sync::LazyLock};

use regex::Regex;
use tanggap::{
    domain::{
        Direction, Platform, Text, Time,
        message::{Attachment, Seen, Tag},
    },
    graph::{GraphError, Next, Usage},
    normalize::{Context, Government, Normalized, PostSeen, Sister, triage::Rules},
};

/// The longest id that an index of every database holds.
pub const ID_MAX: usize = 512;

struct Site {
    facebook: Government,
    instagram: Government,
    rules: Rules,
}

static SITE: LazyLock<Site> = LazyLock::new(|| {
    let sister = |id: &str, platform, username: Option<&str>, page: Option<&str>| Sister {
        external_id: id.to_owned(),
        platform,
        username: username.map(str::to_owned),
        page: page.map(str::to_owned),
    };
    let government = |own: &[&str], name: &str| Government {
        own: own.iter().map(|&id| id.to_owned()).collect(),
        own_username: Some(name.to_owned()),
        sisters: vec![
            sister("202", Platform::Facebook, None, None),
            sister("1785", Platform::Instagram, Some("pemkab"), Some("404")),
            sister("1786", Platform::Instagram, Some("perpus"), None),
        ],
        staff: vec!["admin_dinas".to_owned(), "9009".to_owned()],
        bindings: BTreeMap::from([("1786".to_owned(), "7002".to_owned())]),
    };
    Site {
        facebook: government(&["101"], "dinas"),
        instagram: government(&["1784", "303"], "dinas"),
        rules: Rules::new(
            &Regex::new("(?i)^balasan otomatis").into_iter().collect::<Vec<_>>(),
            &["banjir*".to_owned(), "gawat darurat".to_owned()],
        ),
    }
});

/// An account of that platform (Page 101, or Instagram account 1784 of Page 303) with sisters and staff.
pub fn context(platform: Platform) -> Context<'static> {
    let site = &*SITE;
    let (account, government) = match platform {
        Platform::Facebook => ("101", &site.facebook),
        Platform::Instagram => ("1784", &site.instagram),
    };
    Context { platform, account, government, rules: &site.rules }
}

/// Normalizes twice, which must give the same, and checks what came of it.
pub fn normalized(platform: Platform, normalize: impl Fn(&Context) -> Normalized) -> Normalized {
    let ctx = context(platform);
    let found = normalize(&ctx);
    assert_eq!(found, normalize(&ctx), "normalizing again gives something else");
    found.messages.iter().for_each(|seen| message(&ctx, seen));
    found.posts.iter().for_each(post);
    found.odd.iter().for_each(|odd| text(odd.id.as_deref()));
    found.bindings.iter().for_each(|(_, author)| id(author));
    found
}

fn message(ctx: &Context, seen: &Seen) {
    id(&seen.external_id);
    assert!(!seen.identity().1.is_empty(), "a message without identity");
    id(&seen.thread.name);
    let author = seen.author.as_ref();
    [&seen.thread.post, &seen.thread.citizen, &seen.parent, &seen.private_reply].into_iter().flatten().for_each(|one| id(one));
    author.iter().filter_map(|author| author.id.as_deref()).for_each(id);
    author.iter().flat_map(|author| [&author.name, &author.username]).flatten().chain([&seen.text]).for_each(words);
    seen.attachments.iter().for_each(|Attachment { kind, url }| {
        text(Some(kind));
        text(url.as_deref());
    });
    seen.tags.iter().for_each(|Tag { id, name }| {
        text(id.as_deref());
        name.iter().for_each(words);
    });
    text(seen.permalink.as_deref());
    whole_seconds(seen.created_at);

    let citizen = seen.direction == Direction::In;
    assert_eq!((seen.government.is_none(), seen.by_page), (citizen, !citizen), "whose is it?");
    let government = ctx.government;
    let ours = |name: &str| name == ctx.account || name == "staff" || government.sisters.iter().any(|sister| sister.external_id == name);
    assert!(seen.government.as_deref().is_none_or(ours), "a government nobody configured");
    assert!(citizen || !(seen.needs_answer || seen.asks || seen.urgent), "what the government writes waits for no answer");
    assert!(!(citizen && seen.automatic), "no citizen answers automatically");
}

fn post(seen: &PostSeen) {
    id(&seen.post.external_id);
    text(seen.post.author_id.as_deref());
    text(seen.post.permalink.as_deref());
    whole_seconds(seen.post.created_at);
    assert!(seen.post.updated_at.is_none_or(can_be_kept) && seen.post.read_at.is_none());
}

fn id(id: &str) {
    assert!((1..=ID_MAX).contains(&id.len()), "an id of {} bytes", id.len());
    text(Some(id));
}

fn words(words: &Text) {
    assert!(words.as_str().len() <= Text::MAX);
    text(Some(words.as_str()));
}

/// PostgreSQL keeps no NUL.
fn text(text: Option<&str>) {
    assert!(text.is_none_or(|text| !text.contains('\0')), "a NUL");
}

fn whole_seconds(at: Time) {
    assert!(can_be_kept(at) && at == at.floor_secs(), "{} ms", at.ms());
}

fn can_be_kept(at: Time) -> bool {
    Time::from_ms(at.ms()) == Some(at) && Time::parse(&at.rfc3339()) == Some(at.floor_secs())
}

/// Checks what is said of an answer that is none: it goes into logs, and decides how long is waited.
pub fn verdict(error: &GraphError, status: u16, usage: &[Usage]) {
    assert_eq!(error.status, Some(status));
    assert_eq!(*error.usage, *usage);
    let said = error.to_string();
    assert!(said.len() < 256 && said.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{said:?}");
    let foreign = error.foreign().unwrap_or_default();
    assert!(foreign.chars().count() <= 200 && !foreign.contains("://") && !foreign.contains("access_token"), "{foreign:?}");
    if let Next::Later { after: Some(after), .. } = error.next {
        assert!(usage.iter().any(|usage| usage.regain == Some(after)), "nobody said {after:?}");
    }
}
