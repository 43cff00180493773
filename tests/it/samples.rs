//! The recorded answers that lie beside the checkout: every file that answers an edge we read goes through wire types and
//! normalization. `tests/count_samples.py` counts the same files without this crate; `.ci/run` compares.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tanggap::{
    domain::{
        Object, Platform,
        account::Login,
        message::{PostAuthor, Seen},
    },
    graph::{
        Request,
        facebook::{self, Depth},
        instagram,
        wire::{List, account, body, facebook as fb},
    },
    normalize::{
        Context, Government, Normalized, PostRef, comments, conversation, feed_post, media, media_comments, tagged_media, triage::Rules,
    },
};

const READINGS: &str = include_str!("../fixtures/graph/samples.tsv");

fn beside(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")).join(path)
}

/// As the client reads an answer; a single node as a list of one.
fn list<T: DeserializeOwned>(path: &str, single: bool) -> List<T> {
    let text = fs::read_to_string(beside("graph-samples").join(path)).unwrap();
    let text = if single { format!(r#"{{"data":[{text}]}}"#) } else { text };
    match body::read(200, Some("application/json"), text.as_bytes(), Box::default()) {
        Ok(list) => list,
        Err(error) => panic!("{path}: {error}"),
    }
}

fn each<T>(list: &List<T>, read: impl Fn(&T) -> Normalized) -> Normalized {
    assert_eq!(list.odd, [], "an element that the wire types cannot read");
    list.data.iter().map(read).fold(Normalized::default(), Normalized::and)
}

fn read(path: &str, reading: &str) -> Normalized {
    // an account that wrote none of the samples: everything in them is a citizen's
    let government = Government { own: vec!["1".to_owned()], ..Government::default() };
    let rules = Rules::new(&[], &[]);
    let ctx = |platform| Context { platform, account: "1", government: &government, rules: &rules };
    let (page, gram) = (ctx(Platform::Facebook), ctx(Platform::Instagram));
    let post = PostRef { external_id: "1_1".to_owned(), author: PostAuthor::Own, author_id: None, permalink: None };
    let talk = |messages| fb::Conversation { id: Some("t_1".to_owned()), messages: Some(messages), ..fb::Conversation::default() };
    match reading {
        "feed" => each(&list(path, false), |post| feed_post(&page, post)),
        "post" => each(&list(path, true), |post| feed_post(&page, post)),
        "comments" => comments(&page, &post, &list(path, false), &BTreeMap::new()),
        "comment" => comments(&page, &post, &list(path, true), &BTreeMap::new()),
        "conversations" => each(&list(path, false), |found| conversation(&page, found)),
        "conversation" => each(&list(path, true), |found| conversation(&page, found)),
        "messages" => conversation(&page, &talk(list(path, false))),
        "message" => conversation(&page, &talk(list(path, true))),
        "media" => each(&list(path, false), |found| media(&gram, found)),
        "medium" => each(&list(path, true), |found| media(&gram, found)),
        "media comments" => media_comments(&gram, &post, &list(path, false)),
        "media comment" => media_comments(&gram, &post, &list(path, true)),
        "tagged media" => each(&list(path, false), |found| tagged_media(&gram, found)),
        other => panic!("{path}: no reading {other}"),
    }
}

#[test]
#[ignore = "needs the recorded answers beside the checkout; .ci/run runs it"]
fn every_recorded_answer_is_read_and_what_is_odd_is_listed() {
    let mut counts = BTreeMap::new();
    for (path, reading) in READINGS.lines().filter_map(|line| line.split_once('\t')).filter(|(_, reading)| *reading != "-") {
        let found = read(path, reading);
        let count = |like: &dyn Fn(&Seen) -> bool| found.messages.iter().filter(|seen| like(seen)).count();
        counts.insert(
            path,
            json!({
                "posts": found.posts.len(),
                "comments": count(&|seen| seen.object == Object::Comment && seen.top_level),
                "replies": count(&|seen| seen.object == Object::Comment && !seen.top_level),
                "messages": count(&|seen| seen.object == Object::Message),
                "odd": found.odd.len(),
            }),
        );
        for odd in &found.odd {
            println!("{path}: {} (id {})", odd.what, odd.id.as_deref().unwrap_or("none"));
        }
    }
    if let Some(to) = std::env::var_os("TANGGAP_SAMPLE_COUNTS") {
        fs::write(to, serde_json::to_string_pretty(&counts).unwrap()).unwrap();
    }
    assert_eq!(counts.len(), READINGS.lines().filter(|line| !line.ends_with("\t-")).count());
}

#[test]
#[ignore = "needs the recorded answers beside the checkout; .ci/run runs it"]
fn every_recorded_error_is_an_error_and_every_recorded_token_is_read() {
    for file in fs::read_dir(beside("graph-samples/errors")).unwrap().map(|file| file.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.ends_with(".http.json") {
            let kind = if name.starts_with("html") { "text/html" } else { "application/json" };
            let error = body::read::<Value>(400, Some(kind), &fs::read(&file).unwrap(), Box::default()).unwrap_err();
            println!("{name}: {}: {error}", error.next.word());
            assert!(error.code.is_some() || name.starts_with("html") || name.starts_with("no-code") || name.starts_with("400-"), "{name}");
        }
    }
    for name in ["app-token", "data-wrapped-2012", "granular-scopes", "page-token", "user-token"] {
        let text = fs::read(beside(&format!("graph-samples/debug-token/debug-token-{name}.json"))).unwrap();
        let token: account::Debugged = body::read(200, Some("application/json"), &text, Box::default()).unwrap();
        assert!(token.data.is_valid.is_some() && token.data.app_id.is_some(), "{name}");
    }
}

/// Fields of direct messages, which Meta has no specification of (facts: its Conversations API guide and message reference).
const MESSAGE: [&str; 10] =
    ["id", "created_time", "from", "message", "attachments", "sticker", "shares", "story", "reactions", "is_unsupported"];
/// Edges that may stand among the fields, with the node they lead to; and objects whose keys have no specification.
const EDGES: [(&str, &str); 7] = [
    ("comments", "Comment"),
    ("messages", "Message"),
    ("replies", "IGComment"),
    ("parent", "Comment"),
    ("instagram_business_account", "IGUser"),
    ("shares", ""),
    ("participants", ""),
];

fn specified(node: &str) -> Vec<String> {
    if node == "Message" {
        return MESSAGE.map(str::to_owned).to_vec();
    }
    let text = fs::read_to_string(beside(&format!("graph-specs/{node}.json"))).unwrap();
    let spec: Value = serde_json::from_str(&text).unwrap();
    let names = |list: &str, key: &str| {
        spec[list].as_array().unwrap().iter().filter_map(|one| one[key].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    [names("fields", "name"), names("apis", "endpoint")].concat()
}

/// Checks `a,b{c},d.limit(5){e}` against a node's fields and edges, and what stands in braces against the node it leads to.
fn check(node: &str, fields: &str) {
    let known = specified(node);
    let (mut depth, mut start) = (0, 0);
    let ends = fields.char_indices().chain([(fields.len(), ',')]).filter(|&(_, c)| {
        depth += i32::from("{(".contains(c)) - i32::from("})".contains(c));
        c == ',' && depth == 0
    });
    for (end, _) in ends.collect::<Vec<_>>() {
        let field = &fields[start..end];
        start = end + 1;
        let (head, inner) = field.split_once('{').map_or((field, None), |(head, inner)| (head, inner.strip_suffix('}')));
        let name = head.split('.').next().unwrap();
        assert!(known.iter().any(|known| known == name), "{node} has no {name}");
        if let Some(inner) = inner {
            let next = EDGES.iter().find(|(edge, _)| *edge == name).unwrap_or_else(|| panic!("where does {name} lead?")).1;
            let next = if node.starts_with("IGMedia") && name == "comments" { "IGComment" } else { next };
            if !next.is_empty() {
                check(next, inner);
            }
        }
    }
}

#[test]
#[ignore = "needs Meta's specifications beside the checkout; .ci/run runs it"]
fn every_field_asked_for_is_in_metas_specifications() {
    let depth = Depth { posts: 25, comments: 10, rich: true };
    let asked: Vec<(&[&str], Request)> = vec![
        (&["PagePost"], facebook::feed("1", depth, None)),
        (&["PagePost"], facebook::feed_counts("1", None)),
        (&["PagePost"], facebook::tagged("1", 25, None)),
        (&["PagePost"], facebook::post("1", depth)),
        (&["Comment"], facebook::post_comments("1", 50, Some("A"))),
        (&["UnifiedThread"], facebook::conversations("1", 25, 5, None)),
        (&["UnifiedThread"], facebook::conversation("1")),
        (&["Page"], facebook::page("1")),
        (&["Page"], facebook::unread("1")),
        (&["IGMedia", "IGMediaForIGOnlyAPI"], instagram::media("1", depth, None)),
        (&["IGMedia", "IGMediaForIGOnlyAPI"], instagram::media_counts("1", None)),
        (&["IGComment"], instagram::media_comments("1", 50, None)),
        (&["IGComment"], instagram::replies("1", None)),
        (&["IGMedia", "IGMediaForIGOnlyAPI"], instagram::tags("1", 25, None)),
        (&["UnifiedThread"], instagram::conversations("1", 25, 5, None)),
        (&["UnifiedThread"], instagram::conversation("1")),
        (&["IGUser"], instagram::identity("1", Login::Facebook)),
        (&["IGUserForIGOnlyAPI"], instagram::identity("1", Login::Instagram)),
    ];
    for (nodes, request) in asked {
        let (_, fields) = request.params.iter().find(|(name, _)| *name == "fields").unwrap();
        for node in nodes {
            check(node, fields);
        }
    }
}
