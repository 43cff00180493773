//! Every field the daemon asks for. Each stands in Meta's field specifications or, for direct messages, in its Conversations
//! API guide; nothing is asked that is not used.

/// A comment or reply of Facebook.
pub const COMMENT: &str = "id,from,message,created_time,parent{id},is_hidden,permalink_url,private_reply_conversation";
/// What is dropped from comments when an answer is too large.
pub const COMMENT_RICH: &str = ",message_tags,attachment";
/// A post on a Page's feed or one that tags it.
pub const POST: &str = "id,created_time,updated_time,from,message,message_tags,permalink_url,status_type,is_published";
/// A post of which only the change is looked for.
pub const POST_COUNT: &str = "id,created_time,updated_time,from,status_type";
/// A picture of which only the change is looked for.
pub const PHOTO_COUNT: &str = "id,created_time,updated_time,from";
/// A film or reel of which only the change is looked for.
pub const VIDEO_COUNT: &str = "id,created_time,updated_time,from";
/// How many comments a post has, without any of them.
pub const COUNT: &str = "comments.filter(stream).limit(0).summary(total_count)";
/// A conversation of Messenger.
pub const THREAD: &str = "id,updated_time,link,participants";
/// A direct message of Messenger.
pub const MESSAGE: &str = "id,created_time,from,message,attachments,sticker,shares{link},reactions,is_unsupported";
/// A conversation of Instagram.
pub const IG_THREAD: &str = "id,updated_time,participants";
/// A direct message of Instagram.
pub const IG_MESSAGE: &str = "id,created_time,from,message,attachments,shares{link},story,reactions,is_unsupported";
/// A medium of the account's own.
pub const MEDIA: &str = "id,timestamp,permalink,comments_count,is_comment_enabled";
/// A medium of somebody else.
pub const IG_TAGGED: &str = "id,timestamp,permalink,caption,username,media_type";
/// A comment or reply of Instagram.
pub const IG_COMMENT: &str = "id,text,timestamp,username,from,user,hidden";
/// What only replies have.
pub const IG_PARENT: &str = "parent_id";
/// A Page.
pub const PAGE: &str = "id,name,username,instagram_business_account{id,username}";
/// A Page's own token.
pub const PAGE_TOKEN: &str = "id,access_token";
/// An Instagram account with Facebook Login.
pub const IG_USER: &str = "id,username";
/// An Instagram account with Instagram Login, whose `id` compares with nothing.
pub const IG_ME: &str = "user_id,username";
