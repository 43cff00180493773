//! What the owner of a token is shown: the Pages they may use, and the permissions they gave.

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use super::{Profile, lenient};

/// A Page as lists of a person's or a system user's Pages show it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct OwnedPage {
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
    #[serde(deserialize_with = "secret")]
    pub access_token: Option<SecretString>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(lenient::text(deserializer)?.map(Into::into))
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
