//! What is asked to find out what a token can see (Pages API, "Get started"; User and SystemUser edges `accounts`, `assigned_pages`,
//! `permissions`).

use super::Request;

/// How much is asked of each Page: one field that the token may not see, or that an edge does not have, sinks the whole request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What the token's owner may do there.
    pub tasks: bool,
    /// The linked Instagram account.
    pub instagram: bool,
}

impl Wanted {
    fn fields(self) -> String {
        let tasks = if self.tasks { ",tasks" } else { "" };
        let instagram = if self.instagram { ",instagram_business_account{id,username}" } else { "" };
        format!("id,name,username,access_token{tasks}{instagram}")
    }
}

/// The Pages of a person's or a system user's token, each with its own token.
pub fn pages(wanted: Wanted, after: Option<&str>) -> Request {
    list("accounts", wanted, after)
}

/// The Pages that a business gave to a system user.
pub fn assigned_pages(wanted: Wanted, after: Option<&str>) -> Request {
    list("assigned_pages", wanted, after)
}

fn list(edge: &'static str, wanted: Wanted, after: Option<&str>) -> Request {
    Request::new(edge, ["me", edge]).with("limit", 100).with("fields", wanted.fields()).after(after)
}

/// The Page of a Page's own token.
pub fn own_page(wanted: Wanted) -> Request {
    Request::new("page", ["me"]).with("fields", Wanted { tasks: false, ..wanted }.fields())
}

/// What the token's owner granted the app.
pub fn permissions() -> Request {
    Request::new("permissions", ["me", "permissions"])
}
