//! Pages, Instagram accounts and tokens.

use secrecy::SecretString;
use serde::Deserialize;

use super::{Profile, lenient};

/// A Page with the Instagram account linked to it; in lists of a person's or a system user's Pages with what they may do there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Page {
    /// The Page's id.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// Its name.
    #[serde(deserialize_with = "lenient::loose")]
    pub name: Option<String>,
    /// Its user name; not every Page has one.
    #[serde(deserialize_with = "lenient::loose")]
    pub username: Option<String>,
    /// The linked professional account.
    #[serde(deserialize_with = "lenient::loose")]
    pub instagram_business_account: Option<Profile>,
    /// What the token's owner may do there.
    #[serde(deserialize_with = "lenient::loose")]
    pub tasks: Vec<String>,
    /// Its own token.
    #[serde(deserialize_with = "lenient::secret")]
    pub access_token: Option<SecretString>,
}

/// An Instagram account as it sees itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Instagram {
    /// App-scoped with Instagram Login: compares with nothing. The account's id with Facebook Login.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// The professional account's id with Instagram Login.
    #[serde(deserialize_with = "lenient::text")]
    pub user_id: Option<String>,
    /// The user name of this moment.
    #[serde(deserialize_with = "lenient::loose")]
    pub username: Option<String>,
}

/// How many messages of a Page nobody opened: a hint.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Unread {
    /// Of all its conversations.
    #[serde(deserialize_with = "lenient::int")]
    pub unread_message_count: Option<i64>,
}

/// The answer to a change that makes nothing: `{"success": true}`, or the same word as text.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    /// Whether it was done.
    #[serde(deserialize_with = "lenient::flag")]
    pub success: Option<bool>,
}

/// `{"data": …}` of `debug_token`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Debugged {
    /// What Meta knows of the token.
    pub data: Token,
}

/// What Meta knows of a token.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Token {
    /// The app it was made for.
    #[serde(deserialize_with = "lenient::text")]
    pub app_id: Option<String>,
    /// `PAGE`, `USER`, `APP`, …
    #[serde(rename = "type", deserialize_with = "lenient::loose")]
    pub kind: Option<String>,
    /// Whether it works now.
    #[serde(deserialize_with = "lenient::flag")]
    pub is_valid: Option<bool>,
    /// Unix seconds; 0 = no end.
    #[serde(deserialize_with = "lenient::int")]
    pub expires_at: Option<i64>,
    /// When data access lapses though the token is still valid, Unix seconds; 0 = never.
    #[serde(deserialize_with = "lenient::int")]
    pub data_access_expires_at: Option<i64>,
    /// What was granted.
    #[serde(deserialize_with = "lenient::loose")]
    pub scopes: Vec<String>,
    /// What was granted for which Pages.
    #[serde(deserialize_with = "lenient::loose")]
    pub granular_scopes: Vec<GranularScope>,
    /// The Page of a Page token.
    #[serde(deserialize_with = "lenient::text")]
    pub profile_id: Option<String>,
    /// Why it is not valid.
    #[serde(deserialize_with = "lenient::loose")]
    pub error: TokenError,
}

/// Why a token is not valid.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TokenError {
    /// Meta's error code.
    #[serde(deserialize_with = "lenient::int")]
    pub code: Option<i32>,
    /// Meta's subcode.
    #[serde(deserialize_with = "lenient::int")]
    pub subcode: Option<i32>,
}

/// A permission with the objects it covers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct GranularScope {
    /// The permission.
    pub scope: String,
    /// Pages or accounts; empty = all.
    #[serde(deserialize_with = "lenient::loose")]
    pub target_ids: Vec<String>,
}

/// A permission that a token's owner was asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Permission {
    /// Its name.
    #[serde(deserialize_with = "lenient::loose")]
    pub permission: String,
    /// `granted`, `declined` or `expired`.
    #[serde(deserialize_with = "lenient::loose")]
    pub status: String,
}

/// A refreshed token of Instagram Login; the old one stays valid until its own end.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Refreshed {
    /// The token; some have seen the old one again.
    #[serde(deserialize_with = "lenient::secret")]
    pub access_token: Option<SecretString>,
    /// Seconds until it runs out.
    #[serde(deserialize_with = "lenient::int")]
    pub expires_in: Option<i64>,
}
