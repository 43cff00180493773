//! What is asked of Instagram accounts. With Facebook Login conversations belong to the linked Page: its id is the owner.

use super::{
    Request,
    facebook::{Depth, READABLE_MESSAGES},
    fields::{IG_COMMENT, IG_ME, IG_MESSAGE, IG_PARENT, IG_TAGGED, IG_THREAD, IG_USER, MEDIA},
};
use crate::domain::account::Login;

/// The most comments a page may hold.
pub const PAGE_MAX: u32 = 50;

/// The account's media, each with its newest comments and their replies.
pub fn media(account: &str, depth: Depth, after: Option<&str>) -> Request {
    let comments = format!("comments.limit({}){{{}}}", depth.comments, comment(depth.comments));
    Request::new("media", [account, "media"]).with("limit", depth.posts).with("fields", format!("{MEDIA},{comments}")).after(after)
}

/// The account's media with nothing but their counts.
pub fn media_counts(account: &str, after: Option<&str>) -> Request {
    Request::new("media_counts", [account, "media"]).with("limit", 100).with("fields", MEDIA).after(after)
}

/// One medium with nothing but its count.
pub fn medium_count(medium: &str) -> Request {
    Request::new("medium_count", [medium]).with("fields", MEDIA)
}

/// The comments under a medium, newest first, with their replies.
pub fn media_comments(media: &str, limit: u32, after: Option<&str>) -> Request {
    Request::new("comments", [media, "comments"]).with("limit", limit).with("fields", comment(PAGE_MAX)).after(after)
}

/// The replies to a comment.
pub fn replies(comment: &str, after: Option<&str>) -> Request {
    Request::new("replies", [comment, "replies"]).with("limit", PAGE_MAX).with("fields", format!("{IG_COMMENT},{IG_PARENT}")).after(after)
}

/// Media of others in which the account is tagged. This list says nothing of a next page: ask on while pages are not empty.
pub fn tags(account: &str, limit: u32, after: Option<&str>) -> Request {
    Request::new("tags", [account, "tags"]).with("limit", limit).with("fields", IG_TAGGED).after(after)
}

/// The account's conversations; the owner is the linked Page with Facebook Login, the account with Instagram Login.
pub fn conversations(owner: &str, limit: u32, messages: u32, after: Option<&str>) -> Request {
    Request::new("conversations", [owner, "conversations"])
        .with("platform", "instagram")
        .with("limit", limit)
        .with("fields", format!("{IG_THREAD},messages.limit({messages}){{{IG_MESSAGE}}}"))
        .after(after)
}

/// One conversation with every message that can be read.
pub fn conversation(id: &str) -> Request {
    Request::new("conversation", [id]).with("fields", format!("{IG_THREAD},messages.limit({READABLE_MESSAGES}){{{IG_MESSAGE}}}"))
}

/// One direct message of Instagram.
pub fn message(id: &str) -> Request {
    Request::new("message", [id]).with("fields", IG_MESSAGE)
}

/// Who the account is.
pub fn identity(account: &str, login: Login) -> Request {
    match login {
        Login::Facebook => Request::new("account", [account]).with("fields", IG_USER),
        Login::Instagram => Request::new("account", ["me"]).with("fields", IG_ME),
    }
}

/// A successor of the token that asks, which must be at least 24 hours old ("Refresh a long-lived token", Instagram Platform).
pub fn refresh() -> Request {
    Request::new("refresh_access_token", ["refresh_access_token"]).with("grant_type", "ig_refresh_token")
}

/// Subscribes the app to these webhook fields of the token's own account (Instagram Login), in place of those before.
pub fn subscribe(fields: &str) -> Request {
    Request::new("subscribed_apps", ["me", "subscribed_apps"]).with("subscribed_fields", fields)
}

fn comment(replies: u32) -> String {
    format!("{IG_COMMENT},replies.limit({replies}){{{IG_COMMENT},{IG_PARENT}}}")
}
