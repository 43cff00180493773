//! What the daemon asks Meta for, as the simulator heard it: every edge and field is one of Meta's (`tests/fixtures/graph-fields.tsv`, which
//! `simulator::specs` compares with Meta's own specifications), or stands below with the place that vouches for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
};

use jiff::SignedDuration;
use tanggap::{
    app,
    demo::{
        api::Simulator,
        world::{Call, Citizen, Draft, Host, ItemKind, World},
    },
    domain::Platform,
    poll::Skew,
    runtime::{Clock as _, ManualClock, Stage as _},
    store::Db,
};

use crate::stages;

const TABLE: &str = include_str!("../fixtures/graph-fields.tsv");

/// Asked for though no specification of Meta's holds it: sections of the fact sheets on Facebook (FB) and Instagram (IG).
const VOUCHED: [(&str, &str); 12] = [
    ("debug_token", "FB 2.2"),
    ("UnifiedMessage.id", "FB 3.2, IG A4"),
    ("UnifiedMessage.created_time", "FB 3.2, IG A4"),
    ("UnifiedMessage.from", "FB 3.2, IG A4"),
    ("UnifiedMessage.message", "FB 3.2, IG A4"),
    ("UnifiedMessage.attachments", "FB 3.2, IG A4"),
    ("UnifiedMessage.sticker", "FB 3.2"),
    ("UnifiedMessage.shares", "FB 3.2, IG A4"),
    ("Object.link", "of shares: FB 3.2, IG A4"),
    ("UnifiedMessage.reactions", "FB 3.2, IG A4"),
    ("UnifiedMessage.story", "IG A4"),
    ("UnifiedMessage.is_unsupported", "FB 3.2, IG A4"),
];

/// Type and source of each field and edge, by node and name.
fn table() -> BTreeMap<(&'static str, &'static str), (&'static str, &'static str)> {
    let rows = TABLE.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    rows.map(|row| ((row[0], row[1]), (row[2], row[3]))).collect()
}

/// The parts of a `fields` list: a name, and what is asked of its rows.
fn parts(list: &str) -> Vec<(&str, Option<&str>)> {
    let (mut parts, mut from, mut open) = (Vec::new(), 0, 0);
    for (at, letter) in list.char_indices().chain([(list.len(), ',')]) {
        match letter {
            '(' | '{' => open += 1,
            ')' | '}' => open -= 1,
            ',' if open == 0 => {
                let part = &list[from..at];
                let name = &part[..part.find(['.', '{']).unwrap_or(part.len())];
                parts.push((name, part.split_once('{').map(|(_, rest)| rest.strip_suffix('}').unwrap())));
                from = at + 1;
            }
            _ => {}
        }
    }
    parts
}

/// Notes what a list asks of a node, as `node.field`.
fn note(asked: &mut BTreeSet<String>, node: &str, list: &str) {
    for (name, rows) in parts(list) {
        asked.insert(format!("{node}.{name}"));
        if let Some(rows) = rows {
            note(asked, &rows_of(node, name), rows);
        }
    }
}

/// What kind of node a field's value or an edge's rows are. The two logins call the same things by other names.
fn rows_of(node: &str, name: &str) -> String {
    let kind = table().get(&(node, name)).unwrap_or_else(|| panic!("{node} has no {name}")).0;
    match (node, kind.trim_start_matches("edge<").trim_start_matches("list<").trim_end_matches('>')) {
        ("IGMediaForIGOnlyAPI", "Comment") => "IGComment".into(),
        (_, "Media") => "IGMediaForIGOnlyAPI".into(),
        (_, kind) => kind.into(),
    }
}

/// The kind of node that a call's path begins with; `None` for what is no node.
fn node(world: &World, call: &Call) -> Option<&'static str> {
    let own = call.host == Host::Instagram;
    let id = call.path.split('/').nth(2).unwrap();
    let id = if id == "me" { call.account.as_deref().unwrap() } else { id };
    if let Some(account) = world.account(id) {
        let instagram = if own { "IGUserForIGOnlyAPI" } else { "IGUser" };
        return Some(if account.platform == Platform::Facebook { "Page" } else { instagram });
    }
    if world.thread(id).is_some() {
        return Some("UnifiedThread");
    }
    let item = world.item(id)?;
    let instagram = world.account(&item.account).unwrap().platform == Platform::Instagram;
    Some(match item.kind {
        ItemKind::Media | ItemKind::TagMedia => ["IGMedia", "IGMediaForIGOnlyAPI"][usize::from(own)],
        ItemKind::Comment => ["Comment", "IGComment"][usize::from(instagram)],
        _ => "PagePost",
    })
}

/// A Page, an Instagram account of each login, and enough written there that every kind of request is made.
fn people(world: &mut World, clock: &ManualClock) -> (Vec<(String, String, String)>, String) {
    let page = world.add_page("Dinhub Rembang", "dinhub");
    let linked = world.add_instagram("Dinhub", "dinhub_rembang", Some(&page.id));
    let own = world.add_instagram("RSUD", "rsud_rembang", None);
    let citizen = |number| Citizen::new(number, "Siti");
    let mut doomed = String::new();
    for account in [&page, &linked, &own] {
        for number in 0..30 {
            let post = world.post(&account.id, Draft::from("Kabar").at(clock.now() - SignedDuration::from_hours(40 - number))).unwrap();
            let comments: Vec<_> =
                (0..if number == 29 { 70 } else { 1 }).map(|n| world.comment(&post, &citizen(n), "Kapan?").unwrap()).collect();
            for n in 0..if number == 28 { 60 } else { 0 } {
                world.reply(&comments[0], &citizen(n), "Saya juga?").unwrap();
            }
            if account.id == page.id {
                doomed = post;
            }
        }
        for _ in 0..30 {
            world.direct_message(&account.id, &citizen(1), "Halo?").unwrap();
        }
        world.tag_post(&account.id, &citizen(2), "Lihat, kapan diperbaiki?").unwrap();
    }
    world.visitor_post(&page.id, &citizen(3), "Lampu mati, kapan diperbaiki?").unwrap();
    let linked_page = format!("page = \"{}\"\n", page.id);
    let spec = |account: &tanggap::demo::world::Added, more: &str| (account.id.clone(), account.token.clone(), more.to_owned());
    let own_login = "platform = \"instagram\"\nlogin = \"instagram\"\n";
    let accounts = vec![
        spec(&page, "platform = \"facebook\"\n"),
        spec(&linked, &format!("platform = \"instagram\"\n{linked_page}")),
        spec(&own, own_login),
    ];
    (accounts, doomed)
}

/// Polls twice with a sweep, reads every thread before its step, finds a post gone, and checks the tokens: every call that was made.
async fn calls() -> (Simulator, Vec<Call>) {
    let folder = tempfile::tempdir().unwrap();
    let clock = stages::clock();
    let (simulator, _served) = stages::simulator(&clock).await;
    let (accounts, doomed) = people(&mut simulator.world(), &clock);
    let secret = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap().write_all(text.as_bytes()).unwrap();
        format!("file:{}", path.display())
    };
    let mut text = format!(
        "[site]\nname = \"Uji\"\ntimezone = \"Asia/Jakarta\"\n[database]\nurl = \"sqlite://{}/t.db\"\n
        [graph]\nurl = \"{}\"\ninstagram_url = \"{}\"\napp_id = \"1234567890\"\napp_secret = \"{}\"\n[secrets]\nkey = \"{}\"\n
        [[policy]]\nname = \"biasa\"\nrespond_within = \"4h\"\ncalendar = \"always\"\n[[opd]]\nslug = \"dinhub\"\nname = \"Dinas Perhubungan\"\n",
        folder.path().display(),
        simulator.facebook_url,
        simulator.instagram_url,
        secret("app", "app-secret-of-the-simulator"),
        secret("key", "key-key-key-key-key-key-key-key-"),
    );
    for (id, token, more) in accounts {
        let token = secret(&id, &token);
        writeln!(text, "[[opd.account]]\nid = \"{id}\"\n{more}token = \"{token}\"").unwrap();
    }
    let file = folder.path().join("tanggap.toml");
    fs::write(&file, text).unwrap();
    let settings = stages::settings(&file);
    let db = Db::open(&format!("sqlite://{}/t.db", folder.path().display())).await.unwrap();
    let mut stage = stages::poll(&db, &settings, &clock, &Skew::default()).await;
    stage.once().await.unwrap();
    clock.advance(SignedDuration::from_secs(1900));
    simulator.world().delete(&doomed).unwrap();
    let mut tx = db.write().await.unwrap();
    let now = tanggap::domain::Time::from_timestamp(clock.now());
    tx.exec("UPDATE thread SET verify_at = $1", vec![now.into()]).await.unwrap();
    tx.commit().await.unwrap();
    stage.once().await.unwrap();
    app::check(&settings).await.unwrap();
    let calls = simulator.world().calls().to_vec();
    (simulator, calls)
}

#[tokio::test]
async fn every_edge_and_field_that_is_asked_for_is_metas() {
    let (simulator, calls) = calls().await;
    let world = simulator.world();
    let (mut asked, mut shapes) = (BTreeSet::new(), BTreeSet::new());
    for call in &calls {
        assert_eq!(call.method, "GET");
        let host = if call.host == Host::Instagram { "instagram " } else { "facebook " };
        shapes.insert(host.to_owned() + &call.endpoint);
        if call.endpoint == "debug_token" {
            asked.insert("debug_token".to_owned());
            continue;
        }
        let mut node = node(&world, call).unwrap_or_else(|| panic!("what is {}?", call.path)).to_owned();
        if let Some(edge) = call.path.split('/').nth(3) {
            asked.insert(format!("{node}.{edge}"));
            node = rows_of(&node, edge);
        }
        note(&mut asked, &node, call.param("fields").unwrap_or_else(|| panic!("{} asks for whatever there is", call.path)));
    }
    let table = table();
    let by_spec = |asked: &str| asked.split_once('.').is_some_and(|key| table.get(&key).is_some_and(|(_, source)| *source == "spec"));
    let vouched: BTreeSet<String> = VOUCHED.iter().map(|(name, _)| (*name).to_owned()).collect();
    let others: BTreeSet<String> = asked.iter().filter(|asked| !by_spec(asked)).cloned().collect();
    assert_eq!(others, vouched, "asked for and in no specification, against what the fact sheets vouch for");
    let all = [
        "facebook comments",
        "facebook conversations",
        "facebook debug_token",
        "facebook feed",
        "facebook media",
        "facebook node",
        "facebook photos",
        "facebook replies",
        "facebook tagged",
        "facebook tags",
        "facebook video_reels",
        "facebook videos",
        "instagram comments",
        "instagram conversations",
        "instagram me",
        "instagram media",
        "instagram node",
        "instagram replies",
        "instagram tags",
    ];
    assert_eq!(shapes.iter().map(String::as_str).collect::<Vec<_>>(), all, "every kind of request was made");
}
