//! Meta's error answers: the envelope, and the ones the simulator gives.

use serde_json::{Map, Value, json};

/// An error as Meta would answer it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Meta's code.
    pub code: i32,
    /// Meta's subcode.
    pub subcode: Option<u32>,
    /// The sentence.
    pub message: String,
    /// A limit had been reached.
    pub throttled: bool,
    kind: &'static str,
    transient: bool,
}

impl Refusal {
    /// An `OAuthException` under HTTP 400, as most are.
    pub(super) fn new(code: i32, message: impl Into<String>) -> Self {
        Self { status: 400, code, subcode: None, message: message.into(), throttled: false, kind: "OAuthException", transient: false }
    }
    pub(super) fn subcode(mut self, subcode: impl Into<Option<u32>>) -> Self {
        self.subcode = subcode.into();
        self
    }
    pub(super) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
    fn graph_method(mut self) -> Self {
        self.kind = "GraphMethodException";
        self
    }
    pub(super) fn transient(mut self) -> Self {
        self.transient = true;
        self
    }
    /// Past a limit.
    pub(super) fn limit((code, subcode, message): (i32, Option<u32>, &str)) -> Self {
        Self { throttled: true, ..Self::new(code, message).subcode(subcode) }
    }
    /// 100: no such field on that type of node.
    pub(super) fn no_field(field: &str, node: &str) -> Self {
        Self::new(100, format!("(#100) Tried accessing nonexisting field ({field}) on node type ({node})"))
    }
    /// 100/33: gone, never was, or not for this token.
    pub(super) fn no_object(id: &str) -> Self {
        let message = format!(
            "Unsupported get request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api"
        );
        Self::new(100, message).subcode(33).graph_method()
    }
    /// A direct message that was deleted, or is older than the 20 newest.
    pub(super) fn message_deleted() -> Self {
        Self::new(100, "(#100) The message was deleted.")
    }
    /// 100: the item the cursor stands on is gone, or the cursor is of another list.
    pub(super) fn bad_cursor() -> Self {
        Self::new(100, "(#100) Invalid cursor: it may be of an item that no longer exists")
    }
    /// 100: a parameter has a value that is not offered.
    pub(super) fn bad_param(name: &str, want: &str) -> Self {
        Self::new(100, format!("(#100) Param {name} must be {want}"))
    }
    /// 1: too many rows at once; has neither type nor trace id.
    pub(super) fn too_much() -> Self {
        Self { kind: "", ..Self::new(1, "Please reduce the amount of data you're asking for, then retry your request").status(500) }
    }
    /// 10: a permission is missing or lapsed.
    pub(super) fn no_permission(scope: &str) -> Self {
        Self::new(10, format!("(#10) This endpoint requires the '{scope}' permission"))
    }
    /// 283: people's content without the permission for it.
    pub(super) fn no_user_content() -> Self {
        Self::new(283, "(#283) Requires pages_read_user_content permission to manage the object")
    }
    /// 200: the inbox without the permission for it.
    pub(super) fn no_messaging(scope: &str) -> Self {
        Self::new(200, format!("(#200) Requires permission: {scope} or User associated with the Page access token does not have an appropriate role on the Page."))
            .status(403)
    }
    /// 104: no token at all.
    pub(super) fn no_token() -> Self {
        Self::new(104, "An access token is required to request this resource.")
    }
    /// 2500: a path nobody serves.
    pub(super) fn no_path(path: &str) -> Self {
        Self::new(2500, format!("Unknown path components: {path}"))
    }
    /// The body.
    pub(super) fn body(&self, trace: &str) -> Value {
        let mut error = Map::new();
        error.insert("message".into(), self.message.clone().into());
        if !self.kind.is_empty() {
            error.insert("type".into(), self.kind.into());
        }
        error.insert("code".into(), self.code.into());
        if let Some(subcode) = self.subcode {
            error.insert("error_subcode".into(), subcode.into());
        }
        if self.transient {
            error.insert("is_transient".into(), true.into());
        }
        if !self.kind.is_empty() {
            error.insert("fbtrace_id".into(), trace.into());
        }
        json!({ "error": error })
    }
}
