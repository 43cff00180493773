//! What Meta knows of a token.

use secrecy::{ExposeSecret, SecretString};

use super::Request;

/// Asks about a token, as the app ([`super::Access::app`]). The endpoint takes the token to look at in its query and nowhere else.
pub fn token(token: &SecretString) -> Request {
    Request::new("debug_token", ["debug_token"]).with("input_token", token.expose_secret())
}
