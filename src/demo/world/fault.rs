//! What goes wrong at Meta's end, on order.

use jiff::Timestamp;

/// How a call goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Code 1, HTTP 500: unknown error.
    Unknown,
    /// Code 2, HTTP 500, `is_transient`.
    Transient,
    /// Code 1, HTTP 500: "reduce the amount of data", neither type nor trace id.
    TooMuchData,
    /// Any error: HTTP status, code, subcode.
    Error(u16, i32, Option<u32>),
    /// HTTP 500 with an HTML page.
    Html,
    /// HTTP 502 without a body.
    Empty,
    /// HTTP 200 whose connection breaks in the middle of the body.
    HalfBody,
    /// The connection is reset before any answer; what the call does is done.
    Reset,
    /// The same, and nothing is done.
    Lost,
    /// No answer until the simulator stops; what the call does is done.
    Stall,
    /// The right JSON under `text/html`.
    WrongType,
    /// A list that is empty although more follows.
    EmptyPage,
    /// HTTP 200 with exactly this as JSON.
    Body(String),
    /// HTTP 200 with a JSON string of this many bytes.
    Flood(usize),
    /// HTTP 302 to this address.
    Redirect(String),
}

/// Which calls a fault meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every call.
    All,
    /// Calls for one account (its id).
    Account(String),
    /// Calls whose path holds this text.
    Path(String),
    /// Calls that write something.
    Writes,
}

/// A fault on order.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub scope: Scope,
    pub fault: Fault,
    /// How many calls are left to meet; `None` while it is an outage.
    pub left: Option<usize>,
    /// When an outage ends by itself.
    pub until: Option<Timestamp>,
}

impl Order {
    pub(super) fn meets(&self, account: Option<&str>, method: &str, path: &str, now: Timestamp) -> bool {
        self.left != Some(0)
            && self.until.is_none_or(|until| now < until)
            && match &self.scope {
                Scope::All => true,
                Scope::Account(id) => account == Some(id),
                Scope::Path(part) => path.contains(part.as_str()),
                Scope::Writes => method == "POST",
            }
    }
}
