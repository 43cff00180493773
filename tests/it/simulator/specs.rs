//! Meta's field types (`tests/fixtures/graph-fields.tsv`) against what the simulator answers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use tanggap::{
    demo::{
        api::Simulator,
        world::{Attachment, Citizen, Draft, ItemKind},
    },
    domain::Platform,
};

use super::{Bench, budi, siti};

const TABLE: &str = include_str!("../../fixtures/graph-fields.tsv");

/// Type of each field of a node.
fn table(node: &str) -> BTreeMap<&'static str, &'static str> {
    let rows = TABLE.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter(|row| row[0] == node).map(|row| (row[1], row[2])).collect()
}

/// The table's name for a type as it stands in a field of `node`: the two logins call the same things by other names.
fn node_of(node: &str, kind: &str) -> String {
    match (node, kind) {
        ("IGMediaForIGOnlyAPI", "Comment") => "IGComment".into(),
        (_, "Media") => "IGMediaForIGOnlyAPI".into(),
        _ => kind.into(),
    }
}

/// Says what of a node's JSON is not as the table has it.
fn check(node: &str, value: &Value) -> Result<(), String> {
    let fields = table(node);
    let object = value.as_object().ok_or_else(|| format!("{node}: {value} is no object"))?;
    for (name, value) in object {
        let kind = fields.get(name.as_str()).ok_or_else(|| format!("{node} has no field {name}"))?;
        check_value(node, kind, value).map_err(|why| format!("{node}.{name}: {why}"))?;
    }
    Ok(())
}

fn check_value(node: &str, kind: &str, value: &Value) -> Result<(), String> {
    let fits = match kind {
        "string" => value.is_string(),
        "bool" => value.is_boolean(),
        "int" => value.is_i64(),
        "unsigned int" => value.is_u64(),
        "datetime" => {
            value.as_str().is_some_and(|text| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text).is_ok() && text.ends_with("+0000"))
        }
        "Object" => value.is_object(),
        _ if kind.starts_with("edge<") => return check_list(&node_of(node, &kind[5..kind.len() - 1]), value),
        _ if kind.starts_with("list") => value.is_array(),
        _ if table(&node_of(node, kind)).is_empty() => value.is_object(),
        _ => return check(&node_of(node, kind), value),
    };
    if fits { Ok(()) } else { Err(format!("{value} is no {kind}")) }
}

fn check_list(node: &str, list: &Value) -> Result<(), String> {
    for row in list["data"].as_array().ok_or("a list without data")? {
        check(node, row)?;
    }
    for key in list.as_object().into_iter().flatten().map(|(key, _)| key.as_str()) {
        if !["data", "paging", "summary"].contains(&key) {
            return Err(format!("a list with {key}"));
        }
    }
    let cursors = &list["paging"]["cursors"];
    let whole = cursors["before"].is_string() && cursors["after"].is_string();
    if !list["paging"].is_null() && !whole {
        return Err("paging without cursors".into());
    }
    Ok(())
}

/// The node a path names.
fn named(sim: &Simulator, instagram_login: bool, token: &str, id: &str) -> Option<&'static str> {
    let world = sim.world();
    let owner = world.token(token).and_then(|token| token.account().map(str::to_owned));
    let id = if id == "me" { owner? } else { id.to_owned() };
    let (user, media) = if instagram_login { ("IGUserForIGOnlyAPI", "IGMediaForIGOnlyAPI") } else { ("IGUser", "IGMedia") };
    if let Some(account) = world.account(&id) {
        return Some(if account.platform == Platform::Facebook { "Page" } else { user });
    }
    if world.thread(&id).is_some() {
        return Some("UnifiedThread");
    }
    let item = world.item(&id)?;
    Some(match item.kind {
        ItemKind::Message => "UnifiedMessage",
        ItemKind::Media | ItemKind::TagMedia => media,
        ItemKind::Photo => "Photo",
        ItemKind::Film | ItemKind::Reel => "AdVideo",
        ItemKind::Comment if world.account(&item.account)?.platform == Platform::Instagram => "IGComment",
        ItemKind::Comment => "Comment",
        _ => "PagePost",
    })
}

/// Fails the test whose answer holds a field or a type that Meta's does not.
pub(super) fn check_answer(sim: &Simulator, instagram_login: bool, token: &str, path: &str, body: &Value) {
    let mut parts = path.split('?').next().unwrap().split('/').filter(|part| !part.is_empty());
    let (id, edge) = (parts.next().unwrap(), parts.next());
    let node = match (id, sim.world().token(token).is_some_and(|token| token.account().is_none())) {
        ("debug_token" | "refresh_access_token", _) => return,
        // Its rows are of the fact sheet: Meta's specification says no more than that they are applications.
        _ if edge == Some("subscribed_apps") => return,
        ("me", true) => Some("User"),
        _ => None,
    };
    let Some(node) = node.or_else(|| named(sim, instagram_login, token, id)) else { return };
    let checked = match edge {
        None => check(node, body),
        Some(edge) => check_value(node, table(node)[edge], body),
    };
    checked.unwrap_or_else(|why| panic!("{path}: {why}\n{body:#}"));
}

/// Every field of a node; edges with every plain field of their rows.
fn everything(node: &str, deep: bool) -> String {
    let offered = |name: &str| !matches!(name, "ratings" | "visitor_posts");
    let fields = table(node).into_iter().filter(|(name, _)| offered(name)).filter_map(|(name, kind)| match kind.strip_prefix("edge<") {
        None => Some(name.to_owned()),
        Some(_) if !deep => None,
        Some(rows) => Some(format!("{name}{{{}}}", everything(&node_of(node, rows.trim_end_matches('>')), false))),
    });
    fields.collect::<Vec<_>>().join(",")
}

#[tokio::test]
async fn every_field_of_the_table_is_answered_in_its_type_on_every_node() {
    let bench = Bench::start().await;
    let (page, instagram, own, ids) = {
        let mut world = bench.sim.world();
        let page = world.add_page("Dindukcapil Rembang", "dindukcapil.rembang");
        let instagram = world.add_instagram("Dindukcapil", "dindukcapil_rembang", Some(&page.id));
        let own = world.add_instagram("Dinhub", "dinhub_rembang", None);
        let mut ids = vec![page.id.clone(), instagram.id.clone()];
        let unnamed = Citizen::new(3, "Rina").unnamed();
        for account in [&page.id, &instagram.id, &own.id] {
            let post = world.post(account, "Pelayanan buka").unwrap();
            let comment =
                world.comment(&post, &siti(), Draft::from("Kapan, Dindukcapil Rembang?").tag(&page.id, "Dindukcapil Rembang")).unwrap();
            let reply = world.answer(&comment, Draft::from("Besok").with(Attachment::Sticker)).unwrap();
            world.comment(&post, &unnamed, "Sampai kapan?").unwrap();
            world.tag_post(account, &budi(), "Lihat ini").unwrap();
            for attachment in [
                Attachment::Image,
                Attachment::Video,
                Attachment::File,
                Attachment::Sticker,
                Attachment::Share,
                Attachment::StoryReply,
                Attachment::StoryMention,
                Attachment::Unsupported,
            ] {
                world.direct_message(account, &siti(), Draft::from("Ini").with(attachment)).unwrap();
            }
            let message = world.direct_message(account, &unnamed, "Halo").unwrap();
            world.private_reply(&comment, "Kami kirim ke sini").unwrap();
            let thread = world.item(&message).unwrap().root.clone();
            if *account != own.id {
                ids.extend([post, comment, reply, message, thread]);
            }
        }
        for kind in [ItemKind::Photo, ItemKind::Film, ItemKind::Reel] {
            let upload = world.upload(&page.id, kind, "Lomba desa").unwrap();
            world.comment(&upload, &siti(), "Kapan lagi?").unwrap();
            ids.push(upload);
        }
        ids.push(world.visitor_post(&page.id, &budi(), "Lampu mati").unwrap());
        (page, instagram, own, ids)
    };
    bench.no_pace(&instagram.id);
    bench.no_pace(&own.id);
    for id in &ids {
        let node = named(&bench.sim, false, &page.token, id).unwrap();
        let got = bench.get(&page.token, &format!("/{id}?fields={}", everything(node, true))).await;
        assert_eq!(got.status, 200, "{id}: {}", got.body);
    }
    let mine = format!("/me?fields={}", everything("IGUserForIGOnlyAPI", true));
    assert_eq!(bench.get_instagram(&own.token, &mine).await.status, 200);
    let medium = bench.get_instagram(&own.token, "/me/media").await.ids().remove(0);
    let got = bench.get_instagram(&own.token, &format!("/{medium}?fields={}", everything("IGMediaForIGOnlyAPI", true))).await;
    assert_eq!((got.status, super::ids(&got.body["comments"]).len()), (200, 2), "{}", got.body);
    let list = bench
        .get(&page.token, &format!("/{}/conversations?platform=messenger&fields={}", page.id, everything("UnifiedThread", true)))
        .await;
    let messages = list.body["data"][1]["messages"]["data"].as_array().unwrap();
    assert!(messages.iter().any(|message| message["is_unsupported"] == true), "{}", list.body);
}

#[tokio::test]
async fn only_what_is_asked_for_is_given_and_an_unknown_field_is_error_100() {
    let bench = Bench::start().await;
    let (page, post) = {
        let mut world = bench.sim.world();
        let page = world.add_page("Dinhub Rembang", "dinhub");
        let post = world.post(&page.id, "Halo").unwrap();
        world.comment(&post, &siti(), "Kapan?").unwrap();
        (page, post)
    };
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(",");
    let feed = bench.get(&page.token, &format!("/{}/feed", page.id)).await;
    assert_eq!(keys(&feed.body["data"][0]), "created_time,id,message");
    let comments = bench.get(&page.token, &format!("/{post}/comments?fields=from{{id}}")).await;
    assert_eq!(keys(&comments.body["data"][0]), "from,id");
    assert_eq!(keys(&comments.body["data"][0]["from"]), "id");
    let wrong = bench.get(&page.token, &format!("/{}/feed?fields=id,comments{{mesage}}", page.id)).await;
    assert_eq!((wrong.status, wrong.code()), (400, Some(100)));
    assert_eq!(wrong.body["error"]["message"], "(#100) Tried accessing nonexisting field (mesage) on node type (Comment)");
}

#[test]
#[ignore = "needs ../shared/graph-specs; .ci/run runs it"]
fn the_table_of_fields_agrees_with_metas_specifications() {
    for line in TABLE.lines().skip(1) {
        let row: Vec<&str> = line.split('\t').collect();
        let (node, field, kind, source) = (row[0], row[1], row[2], row[3]);
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../shared/graph-specs/{node}.json"));
        let spec: Value = match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).unwrap(),
            Err(_) if source == "sheet" => continue,
            Err(why) => panic!("{}: {why}", path.display()),
        };
        let fields = spec["fields"].as_array().unwrap().iter().filter(|entry| entry["name"] == field).map(|entry| entry["type"].clone());
        let edge = |api: &&Value| api["method"] == "GET" && api["endpoint"].as_str().is_some_and(|name| name.trim_matches('/') == field);
        let edges = spec["apis"].as_array().unwrap().iter().filter(edge);
        let edges = edges.map(|api| Value::from(format!("edge<{}>", api["return"].as_str().unwrap())));
        let found = fields.chain(edges).next();
        let want = (source == "spec").then(|| Value::from(kind));
        assert_eq!(found, want, "{node}.{field}");
    }
}
