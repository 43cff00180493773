//! Everything a token can see: Pages, the Instagram accounts linked to them, with what the token's owner may do there.

use secrecy::SecretString;

use crate::{
    domain::{Platform, Time, account::Login, settings::App},
    graph::{
        Access, Answer, Client, GraphError, Host, Next, Request, debug,
        discover::{self as ask, Wanted},
        instagram,
        wire::{
            List,
            account::{Debugged, Instagram, Page, Permission, Token},
        },
    },
};

/// No list of Pages is longer than this many pages of a hundred.
const PAGES_MAX: usize = 100;

/// Why a token could not be looked through.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// Meta refuses it on both hosts.
    #[error("Meta does not accept the token: {0}; make a new one, and see that graph.app_secret is that of its app")]
    Token(GraphError),
    /// It may not list Pages.
    #[error("the token may not list Pages: {0}; it needs the permission pages_show_list")]
    Permission(GraphError),
    /// Anything else.
    #[error("what the token can see could not be asked: {0}")]
    Graph(GraphError),
    /// A list that goes on and on.
    #[error("Meta's list of Pages does not end; try again later")]
    Endless,
}

impl From<GraphError> for DiscoverError {
    fn from(error: GraphError) -> Self {
        match error.next {
            Next::Token => Self::Token(error),
            Next::Permission => Self::Permission(error),
            _ => Self::Graph(error),
        }
    }
}

/// Whose a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A person's or a system user's: it lists Pages, each with its own token.
    Person,
    /// A Page's own.
    Page,
    /// An Instagram account's own, of Instagram Login.
    Instagram,
}

/// What a token can see.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Whose it is.
    pub owner: Owner,
    /// Meta's word for its type (`USER`, `SYSTEM_USER`, `PAGE`), if the app was able to ask.
    pub kind: Option<String>,
    /// When it ends; `None`: never, or not known.
    pub expires_at: Option<Time>,
    /// Each Page, followed by the Instagram account linked to it.
    pub accounts: Vec<Account>,
    /// Linked Instagram accounts are hidden from it: a permission is missing.
    pub instagram_hidden: bool,
    /// How many elements of Meta's lists could not be read.
    pub odd: usize,
}

/// An account that a token can see.
#[derive(Clone, Debug)]
pub struct Account {
    /// Where it lives.
    pub platform: Platform,
    /// By which login it is read.
    pub login: Login,
    /// Meta's id.
    pub id: String,
    /// Instagram through Facebook Login: the linked Page.
    pub page: Option<String>,
    /// Display name.
    pub name: Option<String>,
    /// User name.
    pub username: Option<String>,
    /// What the token's owner may do on the Page, in Meta's words; empty if Meta does not say.
    pub tasks: Vec<String>,
    /// The permissions granted for it; `None` if nobody could be asked.
    pub granted: Option<Vec<String>>,
    /// By which token it is read.
    pub token: Option<SecretString>,
}

/// Asks both hosts what the token can see. With the app's id and secret Meta also tells its type, its end, and which permission covers
/// which Page.
pub async fn discover(client: &Client, token: &SecretString, app: &App) -> Result<Seen, DiscoverError> {
    let access = Access { host: Host::Facebook, token: token.clone(), secret: app.secret.clone() };
    let about = match (&app.id, &app.secret) {
        (Some(id), Some(secret)) => {
            client.get::<Debugged>(&Access::app(id, secret), &debug::token(token)).await.ok().map(|answer| answer.value.data)
        }
        _ => None,
    };
    let mut wanted = Wanted { tasks: true, instagram: true };
    let (owner, pages, odd) = match listed(client, &access, &mut wanted).await {
        Ok((pages, odd)) => (Owner::Person, pages, odd),
        // a Page has no list of Pages
        Err(DiscoverError::Graph(error)) if error.next == Next::Field => {
            let mut page = shrinking(&mut wanted, async |wanted| client.get::<Page>(&access, &ask::own_page(wanted)).await).await?;
            page.access_token = Some(token.clone());
            (Owner::Page, vec![page], 0)
        }
        Err(DiscoverError::Token(error)) => return own_instagram(client, token, app).await.ok_or(DiscoverError::Token(error)),
        Err(error) => return Err(error),
    };
    let grants = Grants::of(client, &access, about.as_ref(), owner).await;
    let accounts = pages.into_iter().flat_map(|page| accounts(page, &grants)).collect();
    let kind = about.as_ref().and_then(|about| about.kind.clone());
    let expires_at = about.and_then(|about| about.expires_at).filter(|&at| at > 0).map(Time::from_secs);
    Ok(Seen { owner, kind, expires_at, accounts, instagram_hidden: !wanted.instagram, odd })
}

/// The Pages of both lists, each once, and how many elements were unreadable.
async fn listed(client: &Client, access: &Access, wanted: &mut Wanted) -> Result<(Vec<Page>, usize), DiscoverError> {
    let mine = walk(client, access, wanted, ask::pages).await;
    let assigned = match walk(client, access, wanted, ask::assigned_pages).await {
        // not every user has this list
        Err(DiscoverError::Graph(GraphError { next: Next::Field | Next::Refused | Next::Gone, .. }) | DiscoverError::Permission(_))
            if mine.is_ok() =>
        {
            (Vec::new(), 0)
        }
        Err(error) => return Err(mine.err().unwrap_or(error)),
        Ok(assigned) => assigned,
    };
    let (mut pages, odd) = match mine {
        Ok(mine) => mine,
        // a system user's Pages may stand in the other list alone
        Err(DiscoverError::Graph(_) | DiscoverError::Permission(_)) => (Vec::new(), 0),
        Err(error) => return Err(error),
    };
    let known: Vec<_> = pages.iter().filter_map(|page| page.id.clone()).collect();
    pages.extend(assigned.0.into_iter().filter(|page| page.id.as_ref().is_some_and(|id| !known.contains(id))));
    Ok((pages, odd + assigned.1))
}

/// One list to its end.
async fn walk(
    client: &Client,
    access: &Access,
    wanted: &mut Wanted,
    edge: fn(Wanted, Option<&str>) -> Request,
) -> Result<(Vec<Page>, usize), DiscoverError> {
    let (mut pages, mut odd, mut after) = (Vec::new(), 0, None::<String>);
    for _ in 0..PAGES_MAX {
        let cursor = after.as_deref();
        let list = shrinking(wanted, async |wanted| client.get::<List<Page>>(access, &edge(wanted, cursor)).await).await?;
        let next = list.next().map(str::to_owned);
        odd += list.odd.len();
        pages.extend(list.data);
        match next {
            None => return Ok((pages, odd)),
            next => after = next,
        }
    }
    Err(DiscoverError::Endless)
}

/// Asks again for less while a field is what Meta minds.
async fn shrinking<T>(wanted: &mut Wanted, ask: impl AsyncFn(Wanted) -> Result<Answer<T>, GraphError>) -> Result<T, DiscoverError> {
    let mut less = *wanted;
    loop {
        match ask(less).await {
            Ok(answer) => {
                *wanted = less;
                return Ok(answer.value);
            }
            // without the linked accounts the same list may well be allowed
            Err(error) if error.next == Next::Permission && less.instagram => less.instagram = false,
            Err(error) if error.next == Next::Field && less.tasks => less.tasks = false,
            Err(error) => return Err(error.into()),
        }
    }
}

/// The account of a token of Instagram Login; `None` if it is none.
async fn own_instagram(client: &Client, token: &SecretString, app: &App) -> Option<Seen> {
    let access = Access { host: Host::Instagram, token: token.clone(), secret: app.instagram_secret.clone() };
    let me: Instagram = client.get(&access, &instagram::identity("me", Login::Instagram)).await.ok()?.value;
    let account = Account {
        platform: Platform::Instagram,
        login: Login::Instagram,
        id: id(me.user_id)?,
        page: None,
        name: None,
        username: me.username,
        tasks: Vec::new(),
        granted: None,
        token: Some(token.clone()),
    };
    Some(Seen { owner: Owner::Instagram, kind: None, expires_at: None, accounts: vec![account], instagram_hidden: false, odd: 0 })
}

/// An id is digits, or it is none: it becomes part of a file's name and of the configuration.
fn id(text: Option<String>) -> Option<String> {
    text.filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
}

/// A Page and the Instagram account linked to it.
fn accounts(page: Page, grants: &Grants) -> Vec<Account> {
    let Some(page_id) = id(page.id) else { return Vec::new() };
    let linked = page.instagram_business_account.and_then(|linked| Some((id(linked.id)?, linked.username)));
    let linked = linked.map(|(id, username)| Account {
        platform: Platform::Instagram,
        login: Login::Facebook,
        granted: grants.on(&[&page_id, &id]),
        id,
        page: Some(page_id.clone()),
        name: None,
        username,
        tasks: page.tasks.clone(),
        token: page.access_token.clone(),
    });
    let own = Account {
        platform: Platform::Facebook,
        login: Login::Facebook,
        granted: grants.on(&[&page_id]),
        id: page_id,
        page: None,
        name: page.name,
        username: page.username,
        tasks: page.tasks,
        token: page.access_token,
    };
    std::iter::once(own).chain(linked).collect()
}

/// The permissions of a token: each with the ids it is held to, none for all.
struct Grants(Option<Vec<(String, Vec<String>)>>);

impl Grants {
    /// As the app is told, else as the token's owner is.
    async fn of(client: &Client, access: &Access, about: Option<&Token>, owner: Owner) -> Self {
        if let Some(about) = about.filter(|about| !about.scopes.is_empty()) {
            return Self::told(about);
        }
        if owner != Owner::Person {
            return Self(None);
        }
        let answer = client.get::<List<Permission>>(access, &ask::permissions()).await;
        Self(answer.ok().map(|answer| {
            let granted = answer.value.data.into_iter().filter(|it| it.status == "granted");
            granted.map(|it| (it.permission, Vec::new())).collect()
        }))
    }

    fn told(about: &Token) -> Self {
        let targets = |scope: &String| about.granular_scopes.iter().find(|it| it.scope == *scope).map(|it| it.target_ids.clone());
        Self(Some(about.scopes.iter().map(|scope| (scope.clone(), targets(scope).unwrap_or_default())).collect()))
    }

    /// What is granted for an account that goes by any of these ids.
    fn on(&self, ids: &[&str]) -> Option<Vec<String>> {
        let covers = |targets: &[String]| targets.is_empty() || targets.iter().any(|id| ids.contains(&id.as_str()));
        Some(self.0.as_ref()?.iter().filter(|(_, targets)| covers(targets)).map(|(scope, _)| scope.clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::wire::account::GranularScope;

    #[test]
    fn a_permission_held_to_one_page_is_not_granted_for_another() {
        let narrow = GranularScope { scope: "pages_messaging".into(), target_ids: vec!["101".into()] };
        let about =
            Token { scopes: vec!["pages_show_list".into(), "pages_messaging".into()], granular_scopes: vec![narrow], ..Token::default() };
        let grants = Grants::told(&about);
        assert_eq!(grants.on(&["101"]).unwrap(), ["pages_show_list", "pages_messaging"]);
        assert_eq!(grants.on(&["102"]).unwrap(), ["pages_show_list"]);
        assert_eq!(grants.on(&["102", "101"]).unwrap().len(), 2, "an Instagram account by its Page");
    }

    #[test]
    fn an_id_that_is_no_number_is_no_account() {
        let page = Page { id: Some("../etc".into()), name: Some("x".into()), ..Page::default() };
        assert!(accounts(page, &Grants(None)).is_empty());
    }
}
