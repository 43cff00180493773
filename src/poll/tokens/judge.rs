//! What Meta's answer about a token means for the account that is read with it. Pure.

use jiff::SignedDuration;

use crate::{
    domain::{Platform, Source, Time, settings::AccountSpec},
    graph::{GraphError, Next, debug, wire::account::Token},
};

/// What is wrong with a token though it may still answer.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Meta calls it dead.
    #[error("{0}")]
    Dead(GraphError),
    /// Its kind shows nothing of what people wrote.
    #[error("{0} token; a Page token is needed: with any other Meta answers with empty lists")]
    Kind(&'static str),
    /// It reads another Page.
    #[error("the token belongs to another Page")]
    OtherPage,
    /// The second clock ran out ("Auth vs. data", Facebook Login).
    #[error("access to data lapsed: the person behind the token must log in again")]
    Lapsed,
    /// It was judged before, and not mended since.
    #[error("the token was found at fault when the account was last polled")]
    Known,
    /// Permissions that the account's sources need.
    #[error("the token lacks {}", .0.join(", "))]
    Lacks(Vec<&'static str>),
}

impl Fault {
    /// What to do next.
    pub fn next(&self) -> Next {
        match self {
            Self::Dead(error) => error.next,
            Self::Kind(_) | Self::OtherPage | Self::Lapsed | Self::Known => Next::Token,
            Self::Lacks(_) => Next::Permission,
        }
    }
}

/// The nearer of a token's two ends; `None`: neither clock runs.
pub fn expires_at(token: &Token) -> Option<Time> {
    [token.expires_at, token.data_access_expires_at].into_iter().flatten().filter(|&at| at > 0).min().map(Time::from_secs)
}

/// What is wrong with the token of an account that is read at `graph.facebook.com`.
pub fn judge(spec: &AccountSpec, token: &Token, now: Time) -> Result<(), Fault> {
    if let Some(dead) = debug::dead(token) {
        return Err(Fault::Dead(dead));
    }
    let page = if spec.platform == Platform::Facebook { Some(&spec.id) } else { spec.page.as_ref() };
    // Media and comments of Instagram show with a person's token too (Instagram API with Facebook Login).
    let needs_page = spec.platform == Platform::Facebook || spec.sources.contains(&Source::Messages);
    match token.kind.as_deref() {
        None | Some("PAGE") => {}
        Some(_) if !needs_page => {}
        Some("USER") => return Err(Fault::Kind("a user")),
        Some("SYSTEM_USER") => return Err(Fault::Kind("a system user")),
        Some(_) => return Err(Fault::Kind("not a Page")),
    }
    if let (Some("PAGE"), Some(own), Some(page)) = (token.kind.as_deref(), &token.profile_id, page)
        && own != page
    {
        return Err(Fault::OtherPage);
    }
    if token.data_access_expires_at.is_some_and(|at| at > 0 && Time::from_secs(at) <= now) {
        return Err(Fault::Lapsed);
    }
    // A Page, or an Instagram account: which of the two a permission names is Meta's choice.
    let covers = |target: &String| *target == spec.id || Some(target) == page;
    let granted = |scope: &str| {
        let targets = token.granular_scopes.iter().find(|granular| granular.scope == scope).map(|granular| &granular.target_ids);
        token.scopes.iter().any(|granted| granted == scope)
            && targets.is_none_or(|targets| targets.is_empty() || targets.iter().any(covers))
    };
    let lacks: Vec<&str> = needed(spec).into_iter().filter(|scope| !granted(scope)).collect();
    if lacks.is_empty() { Ok(()) } else { Err(Fault::Lacks(lacks)) }
}

/// The permissions that reading an account's sources takes, by Meta's reference of each edge.
fn needed(spec: &AccountSpec) -> Vec<&'static str> {
    let of = |source: Source| -> &[&'static str] {
        match (spec.platform, source) {
            (Platform::Facebook, Source::Messages) => &["pages_messaging", "pages_manage_metadata", "pages_read_engagement"],
            (Platform::Facebook, Source::Comments | Source::Posts) => &["pages_read_engagement", "pages_read_user_content"],
            (Platform::Facebook, Source::Mentions) => &["pages_read_user_content"],
            (Platform::Instagram, Source::Messages) => &["instagram_basic", "instagram_manage_messages", "pages_manage_metadata"],
            (Platform::Instagram, Source::Comments | Source::Mentions) => {
                &["instagram_basic", "instagram_manage_comments", "pages_read_engagement"]
            }
            // Reviews come by webhook only; Instagram has no visitors' posts.
            (_, Source::Reviews) | (Platform::Instagram, Source::Posts) => &[],
        }
    };
    let mut needed = Vec::new();
    for scope in spec.sources.iter().flat_map(|source| of(*source)) {
        if !needed.contains(scope) {
            needed.push(scope);
        }
    }
    needed
}

/// Days before a token's end at which `operator` is told (semantics.md, Alerts).
const TELL_AT: [i64; 3] = [3, 10, 20];

/// The nearest of these marks that the time `left` has passed, and whether it is to be told, `said` being the nearest before.
pub fn mark(said: Option<i64>, left: SignedDuration) -> (Option<i64>, bool) {
    let reached = TELL_AT.into_iter().find(|days| left <= SignedDuration::from_hours(24 * days));
    (reached, reached.is_some_and(|reached| said.is_none_or(|said| reached < said)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::account::Login, graph::wire::account::GranularScope};

    const NOW: i64 = 1_800_000_000;

    fn spec(platform: Platform, sources: &[Source]) -> AccountSpec {
        let (id, page) = if platform == Platform::Facebook { ("101", None) } else { ("178", Some("101".into())) };
        AccountSpec { platform, id: id.into(), page, login: Login::Facebook, token: None, app: None, sources: sources.to_vec() }
    }

    fn token(scopes: &[&str]) -> Token {
        Token {
            kind: Some("PAGE".into()),
            is_valid: Some(true),
            profile_id: Some("101".into()),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            ..Token::default()
        }
    }

    fn said(spec: &AccountSpec, token: &Token) -> String {
        judge(spec, token, Time::from_secs(NOW)).err().map(|fault| fault.to_string()).unwrap_or_default()
    }

    #[test]
    fn each_source_needs_its_own_permissions_for_this_very_page() {
        let comments = spec(Platform::Facebook, &[Source::Comments, Source::Posts, Source::Mentions, Source::Reviews]);
        let good = token(&["pages_read_engagement", "pages_read_user_content"]);
        assert_eq!(said(&comments, &good), "");
        assert_eq!(said(&spec(Platform::Facebook, &[Source::Reviews]), &token(&[])), "");
        let all = spec(Platform::Facebook, Source::ALL);
        assert_eq!(said(&all, &good), "the token lacks pages_messaging, pages_manage_metadata");
        let of = |id: &str| GranularScope { scope: "pages_read_user_content".into(), target_ids: vec![id.into()] };
        assert_eq!(said(&comments, &Token { granular_scopes: vec![of("102")], ..good.clone() }), "the token lacks pages_read_user_content");
        assert_eq!(said(&comments, &Token { granular_scopes: vec![of("101")], ..good.clone() }), "");
        let instagram = spec(Platform::Instagram, &[Source::Comments]);
        let scopes = ["instagram_basic", "instagram_manage_comments", "pages_read_engagement"];
        let target = GranularScope { scope: "instagram_basic".into(), target_ids: vec!["178".into()] };
        assert_eq!(said(&instagram, &Token { granular_scopes: vec![target], ..token(&scopes) }), "");
    }

    #[test]
    fn a_token_of_the_wrong_kind_or_page_is_a_fault_though_meta_answers() {
        let page = spec(Platform::Facebook, &[Source::Reviews]);
        let user = Token { kind: Some("USER".into()), profile_id: None, ..token(&[]) };
        assert!(said(&page, &user).starts_with("a user token; a Page token is needed"));
        assert_eq!(said(&page, &Token { profile_id: Some("102".into()), ..token(&[]) }), "the token belongs to another Page");
        let scopes = ["instagram_basic", "instagram_manage_comments", "pages_read_engagement"].map(str::to_owned).to_vec();
        assert_eq!(said(&spec(Platform::Instagram, &[Source::Comments]), &Token { scopes, ..user }), "");
        assert_eq!(said(&page, &Token { is_valid: Some(false), ..token(&[]) }), "the token is invalid (code 190)");
    }

    #[test]
    fn the_nearer_of_both_clocks_counts_and_lapsed_access_is_a_fault() {
        let both = |expires, data| Token { expires_at: expires, data_access_expires_at: data, ..token(&[]) };
        assert_eq!(expires_at(&both(Some(0), None)), None);
        assert_eq!(expires_at(&both(Some(0), Some(NOW + 9))), Some(Time::from_secs(NOW + 9)));
        assert_eq!(expires_at(&both(Some(NOW + 5), Some(NOW + 9))), Some(Time::from_secs(NOW + 5)));
        let page = spec(Platform::Facebook, &[Source::Reviews]);
        assert!(said(&page, &both(Some(0), Some(NOW))).starts_with("access to data lapsed"));
        assert_eq!(said(&page, &both(Some(0), Some(NOW + 1))), "");
    }

    #[test]
    fn each_mark_is_told_once_and_again_after_the_end_moved_away() {
        let (mut said, mut told) = (None, Vec::new());
        for days in [25, 20, 19, 11, 9, 8, 2, 1, 0, -1, 60, 15, 10] {
            let (reached, tell) = mark(said, SignedDuration::from_hours(24 * days));
            said = reached;
            told.extend(tell.then_some(days));
        }
        assert_eq!(told, [20, 9, 2, 15, 10]);
    }
}
