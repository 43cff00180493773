//! What Meta knows of tokens.

use secrecy::{ExposeSecret, SecretString};

use super::{GraphError, Next, Request, verdict, wire::account};

/// Asks about a token, as the app ([`super::Access::app`]). The endpoint takes the token to look at in its query and nowhere else.
pub fn token(token: &SecretString) -> Request {
    Request::new("debug_token", ["debug_token"]).with("input_token", token.expose_secret())
}

/// The error that every call with this token answers with, if Meta calls it invalid.
pub fn dead(token: &account::Token) -> Option<GraphError> {
    if token.is_valid != Some(false) {
        return None;
    }
    let error = verdict::of_token(token.error.code.unwrap_or(190), token.error.subcode);
    Some(if error.next == Next::Token { error } else { GraphError::new(Next::Token, "the token is invalid") })
}
