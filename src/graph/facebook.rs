//! What is asked of Pages (the polling scheme: an account with nothing new costs one call for comments and one for messages).

use super::{
    Request,
    fields::{COMMENT, COMMENT_RICH, COUNT, MESSAGE, PAGE, PAGE_TOKEN, PHOTO_COUNT, POST, POST_COUNT, THREAD, VIDEO_COUNT},
};

/// Direct messages whose content Meta shows: of older ones it says that they were deleted.
pub const READABLE_MESSAGES: u32 = 20;
/// The most posts or comments a page of a list may hold.
pub const PAGE_MAX: u32 = 100;

/// How much of a list of posts or media is asked at once; made smaller when Meta cannot answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Posts or media.
    pub posts: u32,
    /// Newest comments of each.
    pub comments: u32,
    /// Facebook: tags and attachments of comments too. Without them a message is read again later, in whole.
    pub rich: bool,
}

/// The Page's feed, newest first: its own posts, visitors' posts and posts that tag it, each with its newest comments.
pub fn feed(page: &str, depth: Depth, after: Option<&str>) -> Request {
    let fields = format!("{POST},{}", nested(depth));
    Request::new("feed", [page, "feed"]).with("limit", depth.posts).with("fields", fields).after(after)
}

/// The Page's feed with nothing but times and counts: what of it has changed.
pub fn feed_counts(page: &str, after: Option<&str>) -> Request {
    Request::new("feed_counts", [page, "feed"]).with("limit", PAGE_MAX).with("fields", format!("{POST_COUNT},{COUNT}")).after(after)
}

/// Pictures the Page uploaded, with their counts: those of an album have comments of their own.
pub fn photos(page: &str, after: Option<&str>) -> Request {
    shelf("photos", page, PHOTO_COUNT, after).with("type", "uploaded")
}

/// The Page's films with their counts.
pub fn videos(page: &str, after: Option<&str>) -> Request {
    shelf("videos", page, VIDEO_COUNT, after)
}

/// The Page's reels with their counts; Meta documents this list both as readable and as not.
pub fn reels(page: &str, after: Option<&str>) -> Request {
    shelf("video_reels", page, VIDEO_COUNT, after)
}

fn shelf(edge: &'static str, page: &str, fields: &str, after: Option<&str>) -> Request {
    Request::new(edge, [page, edge]).with("limit", PAGE_MAX).with("fields", format!("{fields},{COUNT}")).after(after)
}

/// One post with nothing but times and counts.
pub fn post_count(post: &str) -> Request {
    Request::new("post_count", [post]).with("fields", format!("{POST_COUNT},{COUNT}"))
}

/// Public posts that tag the Page.
pub fn tagged(page: &str, limit: u32, after: Option<&str>) -> Request {
    Request::new("tagged", [page, "tagged"]).with("limit", limit).with("fields", format!("{POST},{COUNT}")).after(after)
}

/// One post with its newest comments.
pub fn post(post: &str, depth: Depth) -> Request {
    Request::new("post", [post]).with("fields", format!("{POST},{}", nested(depth)))
}

/// All comments and replies under a post (or photo, or film), newest first.
pub fn post_comments(post: &str, limit: u32, after: Option<&str>) -> Request {
    Request::new("comments", [post, "comments"])
        .with("filter", "stream")
        .with("order", "reverse_chronological")
        .with("live_filter", "no_filter")
        .with("summary", "total_count")
        .with("limit", limit)
        .with("fields", format!("{COMMENT}{COMMENT_RICH}"))
        .after(after)
}

/// The Page's Messenger conversations, those with the newest message first, each with its newest messages.
pub fn conversations(page: &str, limit: u32, messages: u32, after: Option<&str>) -> Request {
    Request::new("conversations", [page, "conversations"])
        .with("platform", "messenger")
        .with("limit", limit)
        .with("fields", format!("{THREAD},messages.limit({messages}){{{MESSAGE}}}"))
        .after(after)
}

/// One Messenger conversation with every message that can be read.
pub fn conversation(id: &str) -> Request {
    Request::new("conversation", [id]).with("fields", format!("{THREAD},messages.limit({READABLE_MESSAGES}){{{MESSAGE}}}"))
}

/// One direct message of Messenger.
pub fn message(id: &str) -> Request {
    Request::new("message", [id]).with("fields", MESSAGE)
}

/// Who the Page is, and which Instagram account is linked to it.
pub fn page(page: &str) -> Request {
    Request::new("page", [page]).with("fields", PAGE)
}

/// How many messages of a Page nobody opened.
pub fn unread(page: &str) -> Request {
    Request::new("page", [page]).with("fields", "unread_message_count")
}

/// The Pages on which a token's person has a task, each with its token.
pub fn my_pages(after: Option<&str>) -> Request {
    Request::new("accounts", ["me", "accounts"]).with("limit", PAGE_MAX).with("fields", PAGE_TOKEN).after(after)
}

/// The Pages that are assigned to a system user, each with its token.
pub fn assigned_pages(user: &str, after: Option<&str>) -> Request {
    Request::new("assigned_pages", [user, "assigned_pages"]).with("limit", PAGE_MAX).with("fields", PAGE_TOKEN).after(after)
}

/// Whose the token is.
pub fn myself() -> Request {
    Request::new("me", ["me"]).with("fields", "id")
}

/// Subscribes the app to these webhook fields of the Page, in place of those before.
pub fn subscribe(page: &str, fields: &str) -> Request {
    Request::new("subscribed_apps", [page, "subscribed_apps"]).with("subscribed_fields", fields)
}

/// Whether an object (post, comment, medium, account) is still there.
pub fn exists(id: &str) -> Request {
    Request::new("exists", [id]).with("fields", "id")
}

fn nested(depth: Depth) -> String {
    let rich = if depth.rich { COMMENT_RICH } else { "" };
    format!("comments.filter(stream).order(reverse_chronological).limit({}).summary(total_count){{{COMMENT}{rich}}}", depth.comments)
}
