//! What Meta sends, read so that nothing it leaves out or gets wrong costs more than the element it stands in.
//!
//! Every field may be missing. An id, a text, an author or a parent of a type nobody can read makes its element odd, since a
//! wrong guess would put words in somebody's mouth; a decoration (tags, attachments, links) that cannot be read is left out.

pub mod account;
pub mod body;
pub mod facebook;
pub mod hook;
pub mod instagram;
pub mod lenient;

use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error as _};
use serde_json::value::RawValue;

/// A page of a list: `{"data": […], "paging": {…}, "summary": {…}}`, or the bare array of old edges.
#[derive(Clone, Debug)]
pub struct List<T> {
    /// What could be read, in Meta's order.
    pub data: Vec<T>,
    /// What could not.
    pub odd: Vec<Undecoded>,
    /// The cursor after the last element. Dies with that element: not to be kept beyond a pass.
    pub after: Option<String>,
    /// Whether Meta says that there is another page.
    pub has_next: bool,
    /// `summary.total_count`: may exceed what can ever be read.
    pub total: Option<i64>,
}

/// An element of a list that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecoded {
    /// Its place in the list as sent.
    pub index: usize,
    /// Its id, if that much could be read.
    pub id: Option<String>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { data: Vec::new(), odd: Vec::new(), after: None, has_next: false, total: None }
    }
}

impl<T> List<T> {
    /// The cursor of the next page; `None` at the end. A page may be empty and yet have a next one.
    pub fn next(&self) -> Option<&str> {
        self.after.as_deref().filter(|_| self.has_next)
    }
    /// How many elements were sent.
    pub fn sent(&self) -> usize {
        self.data.len() + self.odd.len()
    }
    /// Whether nothing is missing: no further page, nothing unread.
    pub fn is_complete(&self) -> bool {
        !self.has_next && self.odd.is_empty()
    }
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(default, deserialize_with = "lenient::loose")]
    paging: Paging,
    #[serde(default, deserialize_with = "lenient::loose")]
    summary: Summary,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Paging {
    #[serde(deserialize_with = "lenient::loose")]
    cursors: Cursors,
    #[serde(deserialize_with = "lenient::loose")]
    next: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cursors {
    #[serde(deserialize_with = "lenient::loose")]
    after: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Summary {
    #[serde(deserialize_with = "lenient::int")]
    total_count: Option<i64>,
}

impl Paging {
    /// The cursor, out of `next` where it stands alone. The link itself holds the token and goes no further.
    fn after(&self) -> Option<String> {
        if !self.cursors.after.is_empty() {
            return Some(self.cursors.after.clone());
        }
        let next = url::Url::parse(&self.next).ok()?;
        next.query_pairs().find(|(name, value)| name == "after" && !value.is_empty()).map(|(_, value)| value.into_owned())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        if raw.starts_with('[') {
            return Ok(Self::default().filled(serde_json::from_str(raw).map_err(D::Error::custom)?));
        }
        let page: Page = serde_json::from_str(raw).map_err(D::Error::custom)?;
        let elements = serde_json::from_str(page.data.get()).map_err(D::Error::custom)?;
        let list =
            Self { after: page.paging.after(), has_next: !page.paging.next.is_empty(), total: page.summary.total_count, ..Self::default() };
        Ok(list.filled(elements))
    }
}

impl<T: DeserializeOwned> List<T> {
    fn filled(mut self, elements: Vec<&RawValue>) -> Self {
        for (index, element) in elements.into_iter().enumerate() {
            // serde would read an array as an object's fields in their order
            let element = Some(element.get()).filter(|element| element.starts_with('{')).unwrap_or("0");
            match serde_json::from_str(element) {
                Ok(element) => self.data.push(element),
                Err(_) => self.odd.push(Undecoded { index, id: serde_json::from_str(element).ok().and_then(|only: Node| only.id) }),
            }
        }
        self
    }
}

/// A node of which only the id is asked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Node {
    /// Its id.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
}

/// The answer to something written: the id of the comment, or of the message.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Written {
    /// Of a comment.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// Of a direct message.
    #[serde(deserialize_with = "lenient::text")]
    pub message_id: Option<String>,
}

/// A person, Page or account as an author or a participant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// Page-scoped or Instagram-scoped id.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// Display name (Facebook).
    #[serde(deserialize_with = "lenient::loose")]
    pub name: Option<String>,
    /// User name (Instagram).
    #[serde(deserialize_with = "lenient::loose")]
    pub username: Option<String>,
}

#[cfg(test)]
mod tests;
