//! A client that works as Zammad does (its `app/models/channel/driver/facebook.rb` and `lib/facebook.rb`, 2022): every five minutes the
//! first page of each Page's feed with the first page of each post's comments, then one call for the replies to each comment, and to each
//! reply. What bears no name is left out with all below it, and a second page is never asked for.
//!
//! Two things are not done here that Zammad does, so that it looks better than it is: a call for each person who wrote, kept for a quarter
//! of an hour, and one for the list of Pages.

use std::{collections::HashSet, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tanggap::{
    demo::world::Added,
    domain::message::key_of,
    runtime::{Clock as _, ManualClock, http},
};

use crate::{Reader, figures::Found, stages};

const EVERY: SignedDuration = SignedDuration::from_mins(5);
const COMMENT: &str = "id,from,message,created_time";

pub struct Client {
    clock: Arc<ManualClock>,
    http: reqwest::Client,
    url: String,
    pages: Vec<Added>,
    next: Timestamp,
    known: HashSet<String>,
    found: Vec<Found>,
}

impl Client {
    /// Of the Pages of this site.
    pub fn new(site: &stages::Site) -> Self {
        Self {
            clock: site.clock.clone(),
            http: http::client(Duration::from_secs(10)).unwrap(),
            url: site.simulator.facebook_url.clone(),
            pages: site.script.agencies().iter().map(|agency| agency.page.clone()).collect(),
            next: site.clock.now(),
            known: HashSet::new(),
            found: Vec::new(),
        }
    }

    async fn page(&mut self, page: &Added) {
        let fields = format!("{COMMENT},permalink_url,comments{{{COMMENT}}}");
        for post in self.rows(page, "me/feed", &fields).await {
            if post["message"].is_null() || !self.note(page, &post) {
                continue;
            }
            let mut comments = taken(post["comments"].clone());
            while let Some(comment) = comments.pop() {
                if self.note(page, &comment) {
                    let edge = format!("{}/comments", comment["id"].as_str().unwrap());
                    comments.extend(self.rows(page, &edge, COMMENT).await);
                }
            }
        }
    }

    async fn rows(&self, page: &Added, edge: &str, fields: &str) -> Vec<Value> {
        let request = self.http.get(format!("{}/v25.0/{edge}", self.url)).bearer_auth(&page.token).query(&[("fields", fields)]);
        taken(request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap())
    }

    /// Whether somebody is named as its author; if so it is found, unless it was before.
    fn note(&mut self, page: &Added, row: &Value) -> bool {
        let named = !row["from"]["id"].is_null();
        let key = key_of(row["id"].as_str().unwrap());
        if named && self.known.insert(key.to_owned()) {
            self.found.push(Found { account: page.id.clone(), key: key.to_owned(), at: self.clock.now() });
        }
        named
    }
}

/// The rows of a list.
fn taken(mut list: Value) -> Vec<Value> {
    list["data"].as_array_mut().map(std::mem::take).unwrap_or_default()
}

impl Reader for Client {
    async fn second(&mut self) {
        if self.clock.now() < self.next {
            return;
        }
        self.next = self.clock.now() + EVERY;
        for page in self.pages.clone() {
            self.page(&page).await;
        }
    }

    async fn found(self) -> Vec<Found> {
        self.found
    }
}
