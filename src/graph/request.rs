//! One request as data, so that what the daemon asks for can be listed and tested without a network.

use std::fmt;

/// A call to one node or edge, without host, version and credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Segments of the path after the version. Each is escaped on its own: an id from outside cannot leave its place.
    pub path: Vec<String>,
    /// The query.
    pub params: Vec<(&'static str, String)>,
    /// What is written, as a form in the body: a query may end in a proxy's log.
    pub form: Vec<(&'static str, String)>,
    /// The call's name in metrics and logs.
    pub endpoint: &'static str,
}

impl Request {
    /// A request for a path.
    pub(super) fn new<const N: usize>(endpoint: &'static str, path: [&str; N]) -> Self {
        Self { path: path.map(str::to_owned).to_vec(), params: Vec::new(), form: Vec::new(), endpoint }
    }
    /// With one more parameter.
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.params.push((name, value.to_string()));
        self
    }
    /// With one more field of the body; such a request is a POST.
    #[must_use]
    pub(super) fn writing(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.form.push((name, value.to_string()));
        self
    }
    /// The page of the list that follows a cursor; the first page without one.
    #[must_use]
    pub(super) fn after(self, cursor: Option<&str>) -> Self {
        match cursor {
            Some(cursor) => self.with("after", cursor),
            None => self,
        }
    }
}

/// Without the query, which may hold a token (`debug_token`), and without what is written to a citizen.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.path.join("/"), self.endpoint)
    }
}
