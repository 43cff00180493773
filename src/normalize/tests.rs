//! Whole answers, from Meta's JSON to messages.

use std::collections::BTreeMap;

use regex::Regex;
use serde::de::DeserializeOwned;

use super::*;
use crate::{
    domain::{
        Direction, Kind, Object, Source, Time,
        message::{Seen, ThreadKey},
    },
    graph::wire::{List, facebook, instagram},
};

/// Dindukcapil's Page (101) and Dinkes's Instagram account (1784, read through Page 303), with the DPU's Page (202) and the
/// kabupaten's Instagram account (1785, `pemkab.rembang`) as sisters.
struct World {
    government: Government,
    rules: Rules,
    platform: Platform,
    account: &'static str,
}

impl World {
    fn new(platform: Platform) -> Self {
        let (account, own, name) = match platform {
            Platform::Facebook => ("101", vec!["101"], "dindukcapil"),
            Platform::Instagram => ("1784", vec!["1784", "303"], "dinkes.rembang"),
        };
        let sister = |id: &str, platform, username: Option<&str>, page: Option<&str>| Sister {
            external_id: id.to_owned(),
            platform,
            username: username.map(str::to_owned),
            page: page.map(str::to_owned),
        };
        Self {
            government: Government {
                own: own.into_iter().map(str::to_owned).collect(),
                own_username: Some(name.to_owned()),
                sisters: vec![
                    sister("202", Platform::Facebook, None, None),
                    sister("1785", Platform::Instagram, Some("pemkab.rembang"), Some("404")),
                ],
                staff: vec!["admin_capil".to_owned(), "9009".to_owned()],
                bindings: BTreeMap::new(),
            },
            rules: Rules::new(&[Regex::new("(?i)^balasan otomatis").unwrap()], &[]),
            platform,
            account,
        }
    }
    fn ctx(&self) -> Context<'_> {
        Context { platform: self.platform, account: self.account, government: &self.government, rules: &self.rules }
    }
}

fn read<T: DeserializeOwned>(fixture: &str) -> List<T> {
    let path = format!("{}/tests/fixtures/graph/{fixture}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn comment_list(json: &str) -> List<facebook::Comment> {
    serde_json::from_str(json).unwrap()
}

fn find<'a>(all: &'a Normalized, id: &str) -> &'a Seen {
    all.messages.iter().find(|seen| seen.external_id == id).unwrap_or_else(|| panic!("no message {id}"))
}

fn own_post() -> PostRef {
    PostRef { external_id: "101_9".to_owned(), author: PostAuthor::Own, author_id: Some("101".to_owned()), permalink: None }
}

fn comment_thread(name: &str, post: &str) -> ThreadKey {
    ThreadKey { kind: Kind::Comment, name: name.to_owned(), post: Some(post.to_owned()), citizen: None }
}

#[test]
fn a_comment_and_its_replies_are_one_thread_under_the_accounts_own_post() {
    let world = World::new(Platform::Facebook);
    let all = feed_post(&world.ctx(), &read::<facebook::Post>("feed.json").data[0]);
    assert_eq!(all.odd, []);
    assert_eq!(all.messages.len(), 5, "the post itself is no message");

    let siti = find(&all, "9_77");
    assert_eq!((siti.direction, siti.kind, siti.object), (Direction::In, Kind::Comment, Object::Comment));
    assert_eq!(siti.thread, comment_thread("9_77", "101_9"));
    assert_eq!((siti.top_level, siti.parent.as_deref()), (true, Some("101_9")));
    assert!(siti.hidden && siti.needs_answer && siti.asks);
    assert_eq!(siti.private_reply.as_deref(), Some("t_5"));
    assert_eq!(siti.author.as_ref().unwrap().id.as_deref(), Some("9001"));
    assert_eq!(siti.permalink.as_deref(), Some("https://www.facebook.com/c77"));

    let answer = find(&all, "9_80");
    assert_eq!((answer.direction, answer.government.as_deref()), (Direction::Out, Some("101")));
    assert_eq!(answer.thread, siti.thread);
    assert_eq!(answer.tags[0].id.as_deref(), Some("9001"));
    assert!(!answer.needs_answer && answer.by_page && !answer.top_level);

    let banter = find(&all, "9_78");
    assert!(!banter.needs_answer, "it only talks to another citizen");
    let deep = find(&all, "9_79");
    assert_eq!(deep.thread, siti.thread, "a reply to a reply belongs to the top-level comment");
    assert_eq!((deep.direction, &deep.author), (Direction::In, &None), "an author Meta does not name is a citizen");
    assert_eq!(deep.permalink.as_deref(), Some("https://www.facebook.com/101/posts/9"));

    let sticker = find(&all, "9_76");
    assert_eq!(sticker.attachments[0].kind, "sticker");
    assert!(sticker.bare && !sticker.needs_answer);
}

#[test]
fn a_post_is_own_a_visitors_or_a_mention_and_its_comments_follow_it() {
    let world = World::new(Platform::Facebook);
    let posts = read::<facebook::Post>("feed.json").data;
    let all = posts.iter().map(|post| feed_post(&world.ctx(), post)).fold(Normalized::default(), Normalized::and);
    let kinds: Vec<_> = all.posts.iter().map(|seen| (seen.post.external_id.as_str(), seen.post.author, seen.inline_complete)).collect();
    assert_eq!(
        kinds,
        [
            ("101_9", PostAuthor::Own, true),
            ("101_10", PostAuthor::Visitor, false),
            ("9003_11", PostAuthor::Mention, false),
            ("101_12", PostAuthor::Visitor, false),
        ]
    );
    assert_eq!(all.posts[0].post.total, Some(5));
    assert_eq!(all.posts[0].post.updated_at, Time::parse("2026-11-24T02:10:00Z"));

    let visitor = find(&all, "101_10");
    assert_eq!((visitor.kind, visitor.object, visitor.direction), (Kind::Post, Object::Post, Direction::In));
    assert!(visitor.needs_answer);
    let sister = find(&all, "10_2");
    assert_eq!(sister.thread, visitor.thread, "comments under a visitor's post belong to it");
    assert_eq!((sister.direction, sister.government.as_deref()), (Direction::Out, Some("202")));
    assert!(sister.tags_own, "the sister passes the matter on");
    assert_eq!(sister.parent.as_deref(), Some("10_1"));
    assert!(!find(&all, "10_1").needs_answer, "it talks to the visitor");

    let mention = find(&all, "9003_11");
    assert_eq!((mention.kind, mention.thread.kind, mention.thread.name.as_str()), (Kind::Mention, Kind::Mention, "9003_11"));
    assert!(mention.tags_own && mention.author.is_none() && !mention.by_page);
    assert_eq!(mention.attachments[0].kind, "image");
    assert!(all.messages.iter().all(|seen| seen.external_id != "101_12"), "what is not published is no message");
}

#[test]
fn a_post_of_which_only_the_count_was_asked_is_no_message_and_shows_nothing() {
    let world = World::new(Platform::Facebook);
    let counted = |total: u32| {
        let json = format!(
            r#"{{"id":"101_10","created_time":"2026-11-23T03:00:00+0000","from":{{"id":"9002"}},
                 "comments":{{"data":[],"summary":{{"total_count":{total}}}}}}}"#
        );
        counted_post(&world.ctx(), &serde_json::from_str(&json).unwrap())
    };
    let (some, none) = (counted(7), counted(0));
    assert_eq!((some.messages.len(), some.posts[0].post.author, some.posts[0].post.total), (0, PostAuthor::Visitor, Some(7)));
    assert!(!some.posts[0].inline_complete && none.posts[0].inline_complete);
}

#[test]
fn a_reply_finds_its_thread_by_what_earlier_reads_know_else_by_its_parent() {
    let world = World::new(Platform::Facebook);
    let list = comment_list(
        r#"{"data":[{"id":"9_90","message":"a?","created_time":"2026-11-24T02:00:00+0000","parent":{"id":"89"}},
                    {"id":"91","message":"b?","created_time":"2026-11-24T02:00:00+0000","parent":{"id":"9_90"}},
                    {"id":"9_92","message":"c?","created_time":"2026-11-24T02:00:00+0000","parent":{"id":"9_92"}}]}"#,
    );
    let known = BTreeMap::from([("89".to_owned(), "9_88".to_owned())]);
    let all = comments(&world.ctx(), &own_post(), &list, &known);
    let names: Vec<_> = all.messages.iter().map(|seen| seen.thread.name.as_str()).collect();
    assert_eq!(names, ["9_88", "9_88", "9_92"], "both shapes of an id are one; a circle ends");
    let all = comments(&world.ctx(), &own_post(), &list, &BTreeMap::new());
    assert_eq!(all.messages[1].thread.name, "89");
}

#[test]
fn replies_sent_level_by_level_are_read_like_the_stream() {
    let world = World::new(Platform::Facebook);
    let list = comment_list(
        r#"{"data":[{"id":"9_1","from":{"id":"9001"},"message":"a?","created_time":"2026-11-24T02:00:00+0000",
             "comments":{"data":[{"id":"9_2","from":{"id":"101"},"message":"b","created_time":"2026-11-24T02:01:00+0000"},7]}}]}"#,
    );
    let all = comments(&world.ctx(), &own_post(), &list, &BTreeMap::new());
    assert_eq!(find(&all, "9_2").thread, comment_thread("9_1", "101_9"));
    assert_eq!(all.odd.len(), 1);
}

#[test]
fn an_item_without_id_or_readable_time_is_odd_and_costs_nothing_else() {
    let world = World::new(Platform::Facebook);
    let all = comments(&world.ctx(), &own_post(), &read("odd.json"), &BTreeMap::new());
    let odd: Vec<_> = all.odd.iter().map(|odd| (odd.what, odd.id.as_deref())).collect();
    assert_eq!(
        odd,
        [
            ("a comment nobody can read", Some("9_5")),
            ("no readable time", Some("9_1")),
            ("no readable time", Some("9_2")),
            ("no readable time", Some("9_3")),
            ("no usable id", None),
        ]
    );
    let good = find(&all, "9_6");
    assert_eq!(good.created_at, Time::parse("2026-11-24T02:00:00Z").unwrap(), "whole seconds");
    assert!(good.top_level, "its parent is the post");
    assert_eq!(find(&all, "9_7").thread.name, "9_1", "the thread of an odd comment is known all the same");
}

#[test]
fn an_id_too_long_for_an_index_and_a_post_without_id_are_odd() {
    let world = World::new(Platform::Facebook);
    let long = format!(r#"{{"data":[{{"id":"{}","created_time":"2026-11-24T02:00:00+0000"}}]}}"#, "x".repeat(513));
    assert_eq!(comments(&world.ctx(), &own_post(), &comment_list(&long), &BTreeMap::new()).odd[0].what, "no usable id");
    let post = facebook::Post { comments: Some(comment_list(r#"{"data":[{"id":"1"},{"id":"2"}]}"#)), ..facebook::Post::default() };
    assert_eq!(feed_post(&world.ctx(), &post).odd.len(), 3);
    assert_eq!(media(&world.ctx(), &instagram::Media::default()).odd.len(), 1);
}

#[test]
fn a_message_whose_parent_or_thread_cannot_be_kept_is_odd_and_one_whose_author_cannot_counts() {
    let time = r#""created_time":"2026-11-24T02:00:00+0000""#;
    let long = "x".repeat(513);
    let list = comment_list(&format!(
        r#"{{"data":[{{"id":"9_1",{time},"parent":{{"id":"{long}"}}}},{{"id":"9_2",{time},"from":{{"id":"{long}"}}}},
                     {{"id":"9_3",{time},"private_reply_conversation":{{"id":"{long}"}}}}]}}"#
    ));
    let page = World::new(Platform::Facebook);
    let all = comments(&page.ctx(), &own_post(), &list, &BTreeMap::new());
    let odd = |id: &str| Odd { what: "a parent or thread without a usable id", id: Some(id.to_owned()) };
    assert_eq!(all.odd, [odd("9_1")]);
    assert_eq!((&find(&all, "9_2").author, &find(&all, "9_3").private_reply), (&None, &None));

    let talk = format!(
        r#"{{"id":"t_1","participants":{{"data":[{{"id":"{long}"}}]}},
             "messages":{{"data":[{{"id":"m_2",{time},"from":{{"id":"{long}"}}}},{{"id":"m_1",{time},"from":{{"id":"101"}}}}]}}}}"#
    );
    let all = conversation(&page.ctx(), &serde_json::from_str(&talk).unwrap());
    assert_eq!((all.odd.as_slice(), &find(&all, "m_2").author, &find(&all, "m_1").thread.citizen), ([].as_slice(), &None, &None));

    let time = r#""timestamp":"2026-11-24T02:00:00+0000""#;
    let json = format!(r#"{{"data":[{{{time},"replies":{{"data":[{{"id":"1802",{time}}}]}}}}]}}"#);
    let all = media_comments(&World::new(Platform::Instagram).ctx(), &own_post(), &serde_json::from_str(&json).unwrap());
    assert_eq!(all.odd, [Odd { what: "no usable id", id: None }, odd("1802")], "a reply to what has no id belongs to no thread");
}

#[test]
fn an_edit_without_the_text_of_what_it_edits_changes_nothing() {
    let world = World::new(Platform::Facebook);
    let changed = |text: &str| {
        let json = format!(
            r#"{{"id":"101","changes":[{{"field":"ratings","value":{{"item":"rating","verb":"edit","open_graph_story_id":"555",
                 "reviewer_id":"9001","created_time":1795485000,"{text}":"Antre lama"}}}}]}}"#
        );
        arrivals(&world.ctx(), Source::ALL, &serde_json::from_str(&json).unwrap()).changed.messages
    };
    assert_eq!(changed("review_text")[0].text.as_str(), "Antre lama");
    assert_eq!((changed("message"), changed("text")), (vec![], vec![]), "a review's text stands in neither");
}

#[test]
fn a_post_without_a_time_keeps_its_comments() {
    let world = World::new(Platform::Facebook);
    let mut post = read::<facebook::Post>("feed.json").data.remove(0);
    post.created_time = Some("9999-01-01T00:00:00+0000".to_owned());
    let all = feed_post(&world.ctx(), &post);
    assert_eq!((all.messages.len(), all.posts.len(), all.odd.len()), (5, 0, 1));
}

#[test]
fn direct_messages_are_one_thread_with_their_citizen() {
    let world = World::new(Platform::Facebook);
    let conversations = read::<facebook::Conversation>("conversations.json").data;
    let all = conversation(&world.ctx(), &conversations[0]);
    assert_eq!((all.messages.len(), all.odd.len()), (5, 0));
    let thread = ThreadKey { kind: Kind::Message, name: "t_100".to_owned(), post: None, citizen: Some("9001".to_owned()) };
    assert!(all.messages.iter().all(|seen| seen.thread == thread && seen.object == Object::Message && seen.parent.is_none()));

    let automatic = find(&all, "m_5");
    assert_eq!((automatic.direction, automatic.government.as_deref(), automatic.automatic), (Direction::Out, Some("101"), true));
    assert_eq!(automatic.permalink.as_deref(), Some("https://www.facebook.com/101/inbox/100/"));

    let kinds =
        |id: &str| find(&all, id).attachments.iter().map(|one| (one.kind.clone(), one.url.clone().unwrap_or_default())).collect::<Vec<_>>();
    let pair = |kind: &str, url: &str| (kind.to_owned(), url.to_owned());
    assert_eq!(
        kinds("m_4"),
        [
            pair("image", "https://img"),
            pair("video", "https://vid"),
            pair("audio", "https://aud"),
            pair("file", "https://pdf"),
            pair("unsupported", "")
        ]
    );
    assert!(find(&all, "m_4").needs_answer && !find(&all, "m_4").bare);
    assert_eq!(kinds("m_3"), [pair("sticker", "https://st")], "one sticker, though told twice");
    assert!(find(&all, "m_3").bare);
    assert_eq!(kinds("m_2"), [pair("share", "https://share"), pair("story_mention", "https://story"), pair("unsupported", "")]);
    assert_eq!(find(&all, "m_2").direction, Direction::In, "without an author it is a citizen's");
    assert_eq!(find(&all, "m_4").created_at, Time::from_secs(1_795_486_080), "a time may be a number");

    let staff = conversation(&world.ctx(), &conversations[1]);
    assert_eq!(staff.messages[0].government.as_deref(), Some("staff"));
    assert_eq!(staff.messages[0].thread.citizen, None);
    assert_eq!(conversation(&world.ctx(), &conversations[2]), Normalized::default(), "a conversation shown without messages");
}

#[test]
fn on_instagram_a_sister_is_her_user_name_bound_to_the_id_first_seen_with_it() {
    let mut world = World::new(Platform::Instagram);
    let first = read::<instagram::Media>("media.json").data.remove(0);
    let all = media(&world.ctx(), &first);
    assert_eq!((all.messages.len(), all.odd.len()), (6, 0));
    assert_eq!(all.bindings, [("1785".to_owned(), "7001".to_owned())]);
    assert_eq!(find(&all, "1803").government.as_deref(), Some("1785"));
    assert_eq!(find(&all, "1805").government, None, "another id under the same name is nobody of ours");
    assert_eq!(find(&all, "1802").government.as_deref(), Some("1784"), "Meta says that the account wrote it");

    world.government.bindings.extend(all.bindings);
    world.government.sisters[1].username = Some("kabupaten.rembang".to_owned());
    let renamed = media(&world.ctx(), &first);
    assert_eq!(find(&renamed, "1803").government.as_deref(), Some("1785"), "a bound id counts under any name");
    assert_eq!(renamed.bindings, []);
}

#[test]
fn instagram_replies_stand_under_their_top_level_comment() {
    let world = World::new(Platform::Instagram);
    let list = read::<instagram::Media>("media.json").data;
    let all = list.iter().map(|medium| media(&world.ctx(), medium)).fold(Normalized::default(), Normalized::and);
    let complete: Vec<_> = all.posts.iter().map(|seen| (seen.post.total, seen.inline_complete)).collect();
    assert_eq!(complete, [(Some(6), true), (Some(0), true), (Some(3), false)]);

    let top = find(&all, "1801");
    assert_eq!(top.thread, comment_thread("1801", "1790"));
    assert!(top.top_level && top.tags_own && top.asks);
    assert_eq!(top.permalink.as_deref(), Some("https://www.instagram.com/p/A/"));
    let reply = find(&all, "1804");
    assert_eq!((&reply.thread, reply.parent.as_deref(), reply.top_level), (&top.thread, Some("1801"), false));
    assert_eq!(reply.tags[0].name.as_ref().unwrap().as_str(), "siti");
    assert!(!reply.needs_answer, "it only talks to another citizen");
    assert!(find(&all, "1805").hidden);
    let unknown = find(&all, "1806");
    assert_eq!((unknown.direction, &unknown.author), (Direction::In, &None));
}

#[test]
fn replies_read_alone_name_their_comment() {
    let world = World::new(Platform::Instagram);
    let post = PostRef { external_id: "1790".to_owned(), ..own_post() };
    let list =
        serde_json::from_str(r#"{"data":[{"id":"1809","text":"ya?","timestamp":"2026-11-24T02:00:00+0000","parent_id":"1801"}]}"#).unwrap();
    let all = media_comments(&world.ctx(), &post, &list);
    assert_eq!((all.messages[0].thread.clone(), all.messages[0].top_level), (comment_thread("1801", "1790"), false));
}

#[test]
fn a_medium_that_tags_the_account_is_a_mention() {
    let world = World::new(Platform::Instagram);
    let tagged = |username: &str| {
        let json = format!(
            r#"{{"id":"1795","caption":"halo @dinkes.rembang?","timestamp":"2026-11-24T02:00:00+0000","username":"{username}","media_type":"VIDEO"}}"#
        );
        tagged_media(&world.ctx(), &serde_json::from_str(&json).unwrap())
    };
    let citizen = tagged("siti");
    let mention = &citizen.messages[0];
    assert_eq!((mention.kind, mention.object, mention.attachments[0].kind.as_str()), (Kind::Mention, Object::Post, "video"));
    assert!(mention.tags_own && mention.asks && !mention.by_page);
    assert_eq!(citizen.posts[0].post.author, PostAuthor::Mention);
    let sister = tagged("pemkab.rembang");
    assert_eq!(sister.messages[0].government.as_deref(), Some("1785"));
    assert!(sister.messages[0].by_page && sister.bindings.is_empty(), "no id was seen with the name");
    assert_eq!(tagged("dinkes.rembang"), Normalized::default(), "its own media are no messages");
}

#[test]
fn a_sisters_name_is_bound_to_no_id_that_cannot_be_kept() {
    let world = World::new(Platform::Instagram);
    let json = format!(
        r#"{{"data":[{{"id":"1801","text":"Besok","timestamp":"2026-11-24T02:00:00+0000","username":"pemkab.rembang","from":{{"id":"{}"}}}}]}}"#,
        "7".repeat(600)
    );
    let post = PostRef { external_id: "1795".into(), author: PostAuthor::Own, author_id: None, permalink: None };
    let list: List<instagram::Comment> = serde_json::from_str(&json).unwrap();
    let found = media_comments(&world.ctx(), &post, &list);
    assert_eq!((found.messages.len(), found.bindings.as_slice()), (1, [].as_slice()));
    assert_eq!(found.messages[0].government.as_deref(), Some("1785"));
}
