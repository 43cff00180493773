//! Accounts: a Facebook Page or an Instagram professional account of an OPD.

use super::{Kind, words};

super::row_id! {
    /// Our number of an account.
    AccountId
}

/// Where an account lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Platform {
    /// A Facebook Page.
    Facebook,
    /// An Instagram professional account.
    Instagram,
}
words!(Platform { Facebook = "facebook", Instagram = "instagram" });

/// What of an account is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Messenger or Instagram direct messages.
    Messages,
    /// Comments under the account's own posts or media.
    Comments,
    /// Visitors' posts on the Page's wall (Facebook).
    Posts,
    /// Reviews; they arrive by webhook only.
    Reviews,
    /// Posts of others that tag the account.
    Mentions,
}
words!(Source { Messages = "messages", Comments = "comments", Posts = "posts", Reviews = "reviews", Mentions = "mentions" });

impl Source {
    /// What citizens' messages there are.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Messages => Kind::Message,
            Self::Comments => Kind::Comment,
            Self::Posts => Kind::Post,
            Self::Reviews => Kind::Review,
            Self::Mentions => Kind::Mention,
        }
    }
}

/// Through which of Meta's two logins an Instagram account is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Login {
    /// `graph.facebook.com`, with the token of the linked Page.
    Facebook,
    /// `graph.instagram.com`, with an Instagram user token.
    Instagram,
}
words!(Login { Facebook = "facebook", Instagram = "instagram" });
