//! Any answer of the Graph API, read as the client reads it and normalized as the poll stage does. The first byte says what was
//! asked (`a` is the feed), the second with which status and content type it came (`0`: 200 and JSON); the rest is the body.

#![no_main]

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::SignedDuration;
use libfuzzer_sys::fuzz_target;
use serde::de::{DeserializeOwned, IgnoredAny};
use tanggap::{
    domain::{
        Platform::{self, Facebook, Instagram},
        message::PostAuthor,
    },
    graph::{
        Next, Usage, debug,
        wire::{List, Node, account, body, facebook as page, instagram as gram},
    },
    normalize::{self, Context, Normalized, PostRef},
};
use tanggap_fuzz::{normalized, verdict};

const JSON: Option<&str> = Some("application/json; charset=UTF-8");
const HEADS: [(u16, Option<&str>); 8] = [
    (200, JSON),
    (200, None),
    (200, Some("text/javascript")),
    (200, Some("text/html")),
    (400, JSON),
    (404, JSON),
    (429, JSON),
    (503, None),
];

static USAGE: LazyLock<[Usage; 3]> = LazyLock::new(|| {
    let usage = |kind, minutes| Usage { kind, percent: 100, regain: Some(SignedDuration::from_mins(minutes)) };
    [usage("app", 3), usage("pages", 5), usage("instagram", 7)]
});

/// What came back.
struct Answer<'a> {
    status: u16,
    content_type: Option<&'a str>,
    body: &'a [u8],
}

impl Answer<'_> {
    fn read<T: DeserializeOwned>(&self) -> Option<T> {
        match body::read(self.status, self.content_type, self.body, (*USAGE).clone().into()) {
            Ok(value) => {
                assert!((200..300).contains(&self.status), "an error status was taken for an answer");
                Some(value)
            }
            Err(error) => {
                verdict(&error, self.status, &*USAGE);
                None
            }
        }
    }

    /// Of what is read but never normalized.
    fn only<T: DeserializeOwned>(&self) {
        let _: Option<T> = self.read();
    }

    fn one<T: DeserializeOwned>(&self, platform: Platform, normalize: impl Fn(&Context, &T) -> Normalized) {
        if let Some(found) = self.read() {
            normalized(platform, |ctx| normalize(ctx, &found));
        }
    }

    fn list<T: DeserializeOwned>(&self) -> Option<List<T>> {
        let list: List<T> = self.read()?;
        assert!(list.next().is_none() || !list.is_complete());
        Some(list)
    }

    fn each<T: DeserializeOwned>(&self, platform: Platform, normalize: impl Fn(&Context, &T) -> Normalized) {
        for found in self.list().iter().flat_map(|list: &List<T>| &list.data) {
            normalized(platform, |ctx| normalize(ctx, found));
        }
    }

    /// Comments under a post of each kind of author; `shown` counts them. None may be lost without a word.
    fn comments<T: DeserializeOwned>(
        &self,
        platform: Platform,
        normalize: impl Fn(&Context, &PostRef, &List<T>) -> Normalized,
        shown: impl Fn(&List<T>) -> usize,
    ) {
        let Some(list) = self.list() else { return };
        for author in PostAuthor::ALL {
            let post = PostRef { external_id: "101_9".to_owned(), author: *author, author_id: Some("9002".to_owned()), permalink: None };
            let found = normalized(platform, |ctx| normalize(ctx, &post, &list));
            assert_eq!(found.messages.len() + found.odd.len(), shown(&list), "comments were lost");
        }
    }
}

fn comments(ctx: &Context, post: &PostRef, list: &List<page::Comment>) -> Normalized {
    let known = BTreeMap::from([("89".to_owned(), "9_88".to_owned()), ("88".to_owned(), "9_89".to_owned())]);
    normalize::comments(ctx, post, list, &known)
}

fn under(list: &List<page::Comment>) -> usize {
    list.sent() + list.data.iter().filter_map(|comment| comment.comments.as_ref()).map(under).sum::<usize>()
}

fn with_replies(list: &List<gram::Comment>) -> usize {
    list.sent() + list.data.iter().filter_map(|comment| comment.replies.as_ref()).map(List::sent).sum::<usize>()
}

fn conversation(ctx: &Context, found: &page::Conversation) -> Normalized {
    let taken = normalize::conversation(ctx, found);
    if let Some(messages) = &found.messages {
        assert_eq!(taken.messages.len() + taken.odd.len(), messages.sent(), "messages were lost");
    }
    taken
}

/// A message read alone, in the conversation that named it.
fn message(ctx: &Context, found: &page::Message) -> Normalized {
    let messages = Some(List { data: vec![found.clone()], ..List::default() });
    conversation(ctx, &page::Conversation { id: Some("t_1".to_owned()), messages, ..page::Conversation::default() })
}

fn token(answer: &Answer) {
    let Some(account::Debugged { data: token }) = answer.read() else { return };
    match debug::dead(&token) {
        Some(error) => assert_eq!((error.next, token.is_valid), (Next::Token, Some(false))),
        None => assert_ne!(token.is_valid, Some(false)),
    }
}

fuzz_target!(|data: &[u8]| {
    let [kind, head, body @ ..] = data else { return };
    let (status, content_type) = HEADS[usize::from(head.wrapping_sub(b'0')) % HEADS.len()];
    let answer = Answer { status, content_type, body };
    match kind.wrapping_sub(b'a') % 22 {
        0 => answer.each(Facebook, normalize::feed_post),
        1 => answer.each(Facebook, normalize::counted_post),
        2 => answer.one(Facebook, normalize::feed_post),
        3 => answer.one(Facebook, normalize::counted_post),
        4 => answer.comments(Facebook, comments, under),
        5 => answer.each(Facebook, conversation),
        6 => answer.one(Facebook, conversation),
        7 => answer.one(Facebook, message),
        8 => answer.each(Instagram, normalize::media),
        9 => answer.one(Instagram, normalize::media),
        10 => answer.comments(Instagram, normalize::media_comments, with_replies),
        11 => answer.each(Instagram, normalize::tagged_media),
        12 => answer.each(Instagram, conversation),
        13 => answer.one(Instagram, message),
        14 => token(&answer),
        15 => answer.only::<List<account::Page>>(),
        16 => answer.only::<account::Page>(),
        17 => answer.only::<account::Instagram>(),
        18 => {
            answer.only::<account::Unread>();
            answer.only::<account::Done>();
        }
        19 => answer.only::<account::Refreshed>(),
        20 => answer.only::<List<account::Permission>>(),
        _ => {
            answer.only::<Node>();
            answer.only::<IgnoredAny>();
        }
    }
});
