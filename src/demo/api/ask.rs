//! One question put to the world: nodes are rendered with the fields asked for, lists are cut into pages.

use std::cell::Cell;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    error::Refusal,
    fields::{self, Args, Field},
    node::Node,
};
use crate::demo::world::{Citizen, Host, Item, Token, World};

/// What a field turned out to be.
pub(super) enum Found<'a> {
    /// A value; a sub-selection picks keys of it.
    Value(Value),
    /// Another node.
    Node(Node<'a>),
    /// A list of nodes.
    List(List<'a>),
    /// Known, but without data: left out, as Meta does.
    Absent,
    /// No such field on this node.
    Unknown,
}

impl<'a> Found<'a> {
    pub(super) fn value(value: impl Into<Value>) -> Self {
        Self::Value(value.into())
    }
    pub(super) fn maybe(value: Option<impl Into<Value>>) -> Self {
        value.map_or(Self::Absent, Self::value)
    }
    pub(super) fn node(node: Option<Node<'a>>) -> Self {
        node.map_or(Self::Absent, Self::Node)
    }
}

/// How much of `paging` a list shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Paging {
    /// Cursors always, `next` while there is more.
    Full,
    /// Nothing on the last page.
    UntilLast,
    /// Cursors, never `next`.
    CursorsOnly,
}

/// Where a row stands: its time and its place among equals.
pub(super) type Key = (Timestamp, usize);

/// A list of nodes in its order, before it is cut into pages.
pub(super) struct List<'a> {
    pub rows: Vec<Node<'a>>,
    pub newest_first: bool,
    /// The most rows on a page.
    pub most: usize,
    /// Asking for more than that is an error, not a smaller page.
    pub strict: bool,
    pub paging: Paging,
    pub summary: Option<Value>,
    /// Beyond this many rows only `id` and `created_time` are shown (nested lists of messages).
    pub window: usize,
}

impl<'a> List<'a> {
    /// A list of rows that came oldest first, at most so many a page.
    pub(super) fn new(mut rows: Vec<Node<'a>>, newest_first: bool, most: usize) -> Self {
        if newest_first {
            rows.reverse();
        }
        Self { rows, newest_first, most, strict: false, paging: Paging::Full, summary: None, window: usize::MAX }
    }
}

/// A question and who asks it.
pub(super) struct Ask<'a> {
    pub world: &'a World,
    pub now: Timestamp,
    pub token: &'a Token,
    pub host: Host,
    /// Host and version, for `next` links.
    pub base: String,
    /// The page asked for comes back empty although more follows.
    pub empty_page: Cell<bool>,
    /// Rows rendered so far.
    pub rows: Cell<usize>,
}

const DEFAULT_LIMIT: usize = 25;

impl<'a> Ask<'a> {
    /// Whether the writer of something is named to the app.
    pub(super) fn names(&self, citizen: &Citizen, item: &Item) -> bool {
        !citizen.unnamed && self.world.account(&item.account).is_none_or(|account| account.advanced_access)
    }

    /// A node with those of its fields.
    pub(super) fn render(&self, node: Node<'a>, fields: &[Field]) -> Result<Value, Refusal> {
        self.rows.set(self.rows.get() + 1);
        if self.rows.get() > self.world.manner.row_budget {
            return Err(Refusal::too_much());
        }
        let mut out = Map::new();
        for field in fields {
            let spoilt = node.item().and_then(|item| item.spoilt.get(&field.name));
            let found = if let Some(value) = spoilt { Found::Value(value.clone()) } else { node.field(self, &field.name, &field.args)? };
            let value = match found {
                Found::Value(value) => pick(value, &field.sub),
                Found::Node(inner) => self.render_or_default(inner, &field.sub)?,
                Found::List(list) => {
                    let parent = (node.id(self), field.name.as_str());
                    let page = self.page(list, &field.args, &field.sub, parent)?;
                    // An empty list without a summary is no key at all (seen on every recorded feed).
                    if page.get("summary").is_none() && page["data"].as_array().is_some_and(Vec::is_empty) {
                        continue;
                    }
                    page
                }
                Found::Absent => continue,
                Found::Unknown => return Err(Refusal::no_field(&field.name, node.type_name())),
            };
            out.insert(field.name.clone(), value);
        }
        let id = node.item().and_then(|item| item.spoilt.get("id")).cloned().unwrap_or_else(|| node.id(self).into());
        out.insert("id".into(), id);
        Ok(Value::Object(out))
    }

    /// The same; its default fields if none are named.
    pub(super) fn render_or_default(&self, node: Node<'a>, sub: &[Field]) -> Result<Value, Refusal> {
        if sub.is_empty() { self.render(node, &fields::parse(node.defaults())?) } else { self.render(node, sub) }
    }

    /// One page of a list.
    pub(super) fn page(&self, list: List<'a>, args: &Args, sub: &[Field], (parent, edge): (String, &str)) -> Result<Value, Refusal> {
        let limit = match args.get("limit") {
            None => DEFAULT_LIMIT.min(list.most),
            Some(text) => text.parse::<usize>().map_err(|_| Refusal::bad_param("limit", "an unsigned integer"))?,
        };
        if list.strict && limit > list.most {
            return Err(Refusal::bad_param("limit", &format!("at most {}", list.most)));
        }
        let limit = limit.min(list.most);
        let scope = format!("{parent}/{edge}");
        let start = match args.get("after").map(|cursor| self.position(cursor, &scope)).transpose()? {
            None | Some(None) => 0,
            Some(Some(after)) => {
                list.rows.partition_point(|row| if list.newest_first { row.key(self) >= after } else { row.key(self) <= after })
            }
        };
        let empty = self.empty_page.take() && start < list.rows.len();
        let end = if empty { start } else { list.rows.len().min(start + limit) };
        let mut data = Vec::with_capacity(end - start);
        let brief = fields::parse("id,created_time")?;
        for (at, row) in list.rows.iter().enumerate().take(end).skip(start) {
            let bare = at >= list.window || (list.window != usize::MAX && !self.world.manner.nested_bodies);
            data.push(if bare { self.render(*row, &brief)? } else { self.render_or_default(*row, sub)? });
        }
        let mut page = json!({ "data": data });
        let more = limit > 0 && end < list.rows.len();
        let cursor = |row: Option<&Node<'a>>| encode(row.map(|row| (row.item().is_some(), row.key(self))), &scope);
        let after = if empty { args.get("after").map_or_else(|| cursor(None), Into::into) } else { cursor(list.rows[start..end].last()) };
        if (end > start || empty) && (list.paging != Paging::UntilLast || more) {
            page["paging"] = json!({ "cursors": { "before": cursor(list.rows.get(start)), "after": after } });
            if more && list.paging != Paging::CursorsOnly {
                page["paging"]["next"] = self.next(args, sub, &scope, limit, &after).into();
            }
        }
        if let Some(summary) = list.summary {
            page["summary"] = summary;
        }
        Ok(page)
    }

    /// Meta's `next` link: absolute, with the token in it.
    fn next(&self, args: &Args, sub: &[Field], scope: &str, limit: usize, after: &str) -> String {
        let Ok(mut url) = Url::parse(&format!("{}/{scope}", self.base)) else { return String::new() };
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("access_token", &self.token.text).append_pair("pretty", "0");
            for (key, value) in args.0.iter().filter(|(key, _)| !matches!(key.as_str(), "limit" | "after" | "fields")) {
                query.append_pair(key, value);
            }
            if !sub.is_empty() {
                query.append_pair("fields", &fields::text(sub));
            }
            query.append_pair("limit", &limit.to_string()).append_pair("after", after);
        }
        url.into()
    }

    /// Where a cursor stands; `None` before the first row. An error if it is of another list or its item is gone.
    fn position(&self, cursor: &str, scope: &str) -> Result<Option<Key>, Refusal> {
        let decoded = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let mut parts = decoded.as_deref().unwrap_or_default().split('|');
        if parts.next() != Some(scope) {
            return Err(Refusal::bad_cursor());
        }
        let (Some(kind), Some(at), Some(seq)) = (parts.next(), parts.next(), parts.next()) else { return Ok(None) };
        let key = at
            .parse()
            .ok()
            .and_then(|at| Timestamp::from_second(at).ok())
            .zip(seq.parse::<usize>().ok())
            .ok_or_else(Refusal::bad_cursor)?;
        let alive = match kind {
            "i" => self.world.items().get(key.1).is_some_and(|item| item.visible(self.now)),
            _ => true,
        };
        if alive { Ok(Some(key)) } else { Err(Refusal::bad_cursor()) }
    }
}

fn encode(row: Option<(bool, Key)>, scope: &str) -> String {
    let place = row.map_or_else(String::new, |(item, (at, seq))| format!("|{}|{}|{seq}", if item { "i" } else { "o" }, at.as_second()));
    URL_SAFE_NO_PAD.encode(format!("{scope}{place}"))
}

/// A sub-selection of a value: those keys of an object, of each object in an array, or of each object under `data`.
fn pick(value: Value, sub: &[Field]) -> Value {
    match value {
        value if sub.is_empty() => value,
        Value::Array(items) => items.into_iter().map(|item| pick(item, sub)).collect(),
        Value::Object(mut object) if object.len() == 1 && object.contains_key("data") => {
            json!({ "data": pick(object.remove("data").unwrap_or_default(), sub) })
        }
        Value::Object(mut object) => {
            let named = |field: &Field| Some((field.name.clone(), pick(object.remove(&field.name)?, &field.sub)));
            Value::Object(sub.iter().filter_map(named).collect())
        }
        value => value,
    }
}
