//! `[oidc]`: sign-in by the site's own identity provider.

use super::Context;
use crate::{
    config::{read::Table, words},
    domain::settings::{Http, Oidc},
};

pub(super) fn oidc(table: &mut Table, http: &Http, context: &Context) -> Oidc {
    if http.public_url.is_none() {
        table.findings.problem(&table.spot, "needs http.public_url: the provider sends people back to it, with /oidc/back");
    }
    // The provider repeats it letter by letter (OpenID Connect Discovery §4.3), so that even its last slash stays.
    let issuer = |text: &str| words::base_url(text).map(|_| text.to_owned());
    Oidc {
        issuer: table.needed("issuer", "a URL", issuer).map_or_else(String::new, |it| it.value),
        client_id: table.needed_text("client_id").value,
        client_secret: table.secret("client_secret", context.vault).map(|secret| secret.value),
        name: table.needed_text("name").value,
        back: format!("{}/oidc/back", http.public_url.as_deref().unwrap_or_default()),
    }
}
