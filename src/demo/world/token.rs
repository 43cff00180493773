//! Tokens: whose they are, what they allow, and how they die.

use std::collections::BTreeSet;

use jiff::Timestamp;

/// What kind of token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A Page's own token.
    Page(String),
    /// A person's token; sees its Pages through `/me/accounts`.
    User(Vec<String>),
    /// A system user's token; sees its Pages through `/me/accounts` and `/{id}/assigned_pages`.
    SystemUser(Vec<String>),
    /// An Instagram user token of Instagram Login (account id).
    Instagram(String),
}

/// How a token died; all but one show as a subcode of error 190.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// No subcode.
    Revoked,
    /// 458: the person removed the app.
    AppRemoved,
    /// 460: the password was changed.
    PasswordChanged,
    /// 463: past its expiry.
    Expired,
    /// 467: logged out.
    LoggedOut,
    /// 492: the person lost their role on the Page.
    RoleLost,
}

impl Death {
    /// The subcode of error 190, with Meta's sentence.
    pub(crate) fn subcode(self) -> (Option<u32>, &'static str) {
        match self {
            Self::Revoked => (None, "The access token could not be decrypted"),
            Self::AppRemoved => (Some(458), "Error validating access token: The user has not authorized application 1234567890."),
            Self::PasswordChanged => (
                Some(460),
                "Error validating access token: The session has been invalidated because the user changed their password or Facebook has changed the session for security reasons",
            ),
            Self::Expired => (Some(463), "Error validating access token: Session has expired."),
            Self::LoggedOut => (Some(467), "Error validating access token: The session is invalid because the user logged out."),
            Self::RoleLost => (
                Some(492),
                "Error validating access token: Session does not match current stored session. This may be because the user lost their role on the Page.",
            ),
        }
    }
}

/// A token.
#[derive(Clone, Debug)]
pub struct Token {
    /// The secret text.
    pub text: String,
    /// What kind it is.
    pub kind: TokenKind,
    /// The person or system user behind it.
    pub user: String,
    /// What it allows.
    pub scopes: BTreeSet<String>,
    /// When it was made.
    pub issued: Timestamp,
    /// When it runs out; `None` for never.
    pub expires: Option<Timestamp>,
    /// How it died.
    pub dead: Option<Death>,
}

impl Token {
    /// How it is dead at `now`, if it is.
    pub fn death(&self, now: Timestamp) -> Option<Death> {
        self.dead.or_else(|| self.expires.filter(|at| *at <= now).map(|_| Death::Expired))
    }
    /// The account it belongs to: a Page's or an Instagram account's own token.
    pub fn account(&self) -> Option<&str> {
        match &self.kind {
            TokenKind::Page(id) | TokenKind::Instagram(id) => Some(id),
            TokenKind::User(_) | TokenKind::SystemUser(_) => None,
        }
    }
    /// The Pages it lists.
    pub fn pages(&self) -> &[String] {
        match &self.kind {
            TokenKind::User(pages) | TokenKind::SystemUser(pages) => pages,
            TokenKind::Page(_) | TokenKind::Instagram(_) => &[],
        }
    }
}

/// What a Page token may hold when nothing was taken from it.
pub(super) const PAGE_SCOPES: &[&str] = &[
    "pages_show_list",
    "pages_messaging",
    "pages_manage_metadata",
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_manage_engagement",
    "instagram_basic",
    "instagram_manage_comments",
    "instagram_manage_messages",
];
/// The same for Instagram Login.
pub(super) const INSTAGRAM_SCOPES: &[&str] =
    &["instagram_business_basic", "instagram_business_manage_comments", "instagram_business_manage_messages"];
