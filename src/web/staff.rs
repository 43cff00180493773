//! Who asks: somebody signed in by the session's cookie, or a program by its bearer token. Signing in and out.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex},
};

use axum::{
    Form, Router,
    extract::{FromRequestParts, Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use cookie::{Cookie, SameSite};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::SignedDuration;
use minijinja::context;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tracing::{info, warn};

use super::{Shared, page, secret};
use crate::{
    domain::{Role, Scope, Time, settings::Language},
    runtime::held,
    store::{people, trail},
};

/// Failures after which a name must wait.
const FREE: u32 = 5;
/// The longest such wait.
const WAIT_MAX: SignedDuration = SignedDuration::from_mins(1);
/// Names remembered for their failures; who floods it with more waits like everybody.
const NAMES: usize = 10_000;
/// Sign-ins tried in a second by all together, and at once after a pause: each costs a core some 50 ms.
const TRIES: NonZeroU32 = NonZeroU32::new(5).unwrap();
const BURST: NonZeroU32 = NonZeroU32::new(30).unwrap();
/// How often failures by one name are noted.
const NOTE_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// Passwords looked at side by side: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;
/// The longest name.
const NAME_MAX: usize = 100;

/// Who asks for something.
#[derive(Clone, Debug)]
pub(super) struct Staff {
    /// In the trail: a person's name, or `token NAME`.
    pub by: String,
    /// What they may do.
    pub role: Role,
    /// Of which OPDs.
    pub scope: Scope,
    /// In which language pages speak to them.
    pub language: Language,
    /// Fingerprint of the session's secret; none where nobody signs in (`demo`) and for programs.
    pub session: Option<String>,
}

impl Staff {
    /// Everybody, where nobody signs in.
    pub fn everybody(language: Language) -> Self {
        Self { by: "demo".into(), role: Role::Admin, scope: Scope::ALL, language, session: None }
    }
    /// Whether they may act on tickets.
    pub fn acts(&self) -> bool {
        self.role >= Role::Ops
    }
}

/// Remembers who failed to sign in.
pub(super) struct Gate {
    failed: Mutex<HashMap<String, (u32, Time)>>,
    looking: Semaphore,
    tries: DefaultDirectRateLimiter,
    noted: Mutex<HashMap<String, Time>>,
}

impl Gate {
    pub fn new() -> Self {
        let tries = RateLimiter::direct(Quota::per_second(TRIES).allow_burst(BURST));
        Self { failed: Mutex::default(), looking: Semaphore::new(AT_ONCE), tries, noted: Mutex::default() }
    }

    /// Until when the name must wait.
    pub fn wait(&self, name: &str, now: Time) -> Option<Time> {
        held(&self.failed).get(name).map(|(_, until)| *until).filter(|until| *until > now)
    }

    /// Notes a failure.
    pub fn failed(&self, name: &str, now: Time) {
        let mut failed = held(&self.failed);
        if failed.len() >= NAMES {
            failed.retain(|_, (_, until)| *until > now);
        }
        let (times, until) = failed.entry(name.to_owned()).or_insert((0, now));
        *times = times.saturating_add(1);
        let wait = SignedDuration::from_secs(1 << times.saturating_sub(FREE).min(10)).min(WAIT_MAX);
        *until = if *times < FREE { now } else { now.plus(wait) };
    }

    /// Whether a failure by this name is to be noted in the trail: once a minute, however many there are.
    fn notes(&self, name: &str, now: Time) -> bool {
        let mut noted = held(&self.noted);
        noted.retain(|_, at| now.since(*at) < NOTE_EVERY);
        noted.len() < NAMES && noted.insert(name.to_owned(), now).is_none()
    }

    /// Forgets the failures of a name.
    pub fn passed(&self, name: &str) {
        held(&self.failed).remove(name);
    }
}

/// Somebody who looks at pages. Who is not signed in is asked to.
pub(super) struct Reader(pub Staff);

impl FromRequestParts<Arc<Shared>> for Reader {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Response> {
        let language = language(shared, &parts.headers);
        if shared.joints.open {
            return Ok(Self(Staff::everybody(language)));
        }
        // A part of a page that looks anew must not be replaced by the form to sign in, and is nobody's presence.
        let by_itself = parts.headers.contains_key("hx-request") || parts.uri.path() == "/live";
        let ask = || {
            if by_itself {
                return (StatusCode::UNAUTHORIZED, [("hx-redirect", "/login")]).into_response();
            }
            let next = parts.uri.path_and_query().map_or("/", |path| path.as_str());
            let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
            Redirect::to(&format!("/login?{query}")).into_response()
        };
        let Some(session) = cookie(&parts.headers, shared.cookie()).map(|value| secret::fingerprint(&value)) else { return Err(ask()) };
        let now = shared.now();
        match people::signed_in(&shared.joints.db, &session, !by_itself, now).await {
            Ok(Some(person)) => {
                Ok(Self(Staff { by: person.name, role: person.role, scope: person.scope, language, session: Some(session) }))
            }
            Ok(None) => Err(ask()),
            Err(error) => Err(shared.failed(language, &error)),
        }
    }
}

/// The value of the first cookie of this name, as it was sent; `None` if there is none. What cannot be read hides no other one.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let sent = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    sent.flat_map(Cookie::split_parse).flatten().find(|cookie| cookie.name() == name).map(|cookie| cookie.value().to_owned())
}

/// The language somebody chose, else the site's.
pub(super) fn language(shared: &Shared, headers: &HeaderMap) -> Language {
    cookie(headers, "language").and_then(|word| Language::from_word(&word)).unwrap_or(shared.joints.settings.site.language)
}

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/login", get(ask).post(sign_in)).route("/logout", post(sign_out)).route("/language/{word}", get(speak))
}

/// Where somebody wanted to go.
#[derive(Deserialize)]
pub(super) struct Where {
    #[serde(default)]
    next: String,
}

impl Where {
    pub fn place(&self) -> &str {
        own_place(&self.next)
    }
}

/// A place of ours, or the first page for any other text: nobody is sent elsewhere.
pub fn own_place(next: &str) -> &str {
    let own = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n', '\t']);
    if own { next } else { "/" }
}

async fn ask(State(shared): State<Arc<Shared>>, headers: HeaderMap, Query(next): Query<Where>) -> Response {
    form(&shared, language(&shared, &headers), next.place(), "", None)
}

fn form(shared: &Shared, language: Language, next: &str, name: &str, wrong: Option<&str>) -> Response {
    let status = match wrong {
        Some("wait") => StatusCode::TOO_MANY_REQUESTS,
        Some(_) => StatusCode::UNAUTHORIZED,
        None => StatusCode::OK,
    };
    let provider = shared.settings().oidc.as_ref().map(|oidc| &oidc.name);
    page(shared, language, status, "login", context! { next, name, wrong, provider })
}

#[derive(Deserialize)]
struct Credentials {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(flatten)]
    next: Where,
}

async fn sign_in(State(shared): State<Arc<Shared>>, headers: HeaderMap, Form(sent): Form<Credentials>) -> Response {
    let (language, now) = (language(&shared, &headers), shared.now());
    let name: String = sent.name.trim().chars().take(NAME_MAX).collect();
    let refused = |wrong| form(&shared, language, sent.next.place(), &name, Some(wrong));
    if shared.gate.wait(&name, now).is_some() || shared.gate.tries.check().is_err() {
        return refused("wait");
    }
    let db = &shared.joints.db;
    let person = match people::by_name(db, &name).await {
        Ok(person) => person,
        Err(error) => return shared.failed(language, &error),
    };
    let Ok(_turn) = shared.gate.looking.acquire().await else { return refused("wait") };
    // Others may have failed by the name while this one waited for its turn.
    if shared.gate.wait(&name, shared.now()).is_some() {
        return refused("wait");
    }
    let known = if person.is_some() { name.as_str() } else { "unknown" };
    let (password, kept) = (sent.password, person.as_ref().and_then(|person| person.password.clone()));
    let right = tokio::task::spawn_blocking(move || secret::is_password(&password, kept.as_deref())).await.unwrap_or(false);
    let Some(person) = person.filter(|_| right) else {
        shared.gate.failed(&name, shared.now());
        warn!(event = "user.refused", "a sign-in failed; the trail says by which name");
        // What was typed as a name may be a password: one that nobody has is not kept.
        if shared.gate.notes(known, now)
            && let Err(error) = trail::add(db, known, "sign_in.failed", "", now).await
        {
            return shared.failed(language, &error);
        }
        return refused("wrong");
    };
    shared.gate.passed(&name);
    enter(&shared, &person, sent.next.place(), now).await.unwrap_or_else(|error| shared.failed(language, &error))
}

/// Gives somebody a session and sends them on.
pub(super) async fn enter(shared: &Shared, person: &people::Person, next: &str, now: Time) -> Result<Response, crate::store::StoreError> {
    let value = secret::fresh("");
    people::sign_in(&shared.joints.db, person, &secret::fingerprint(&value), now).await?;
    info!(event = "user.signed_in", role = person.role.word(), "somebody signed in; the trail says who");
    let life = cookie::time::Duration::seconds(people::LIFE.as_secs());
    let session = Cookie::build((shared.cookie(), value)).max_age(life);
    Ok(with_cookie(Redirect::to(next).into_response(), &whole(shared, session)))
}

async fn sign_out(State(shared): State<Arc<Shared>>, Reader(staff): Reader) -> Response {
    if let Some(session) = &staff.session
        && let Err(error) = people::sign_out(&shared.joints.db, session, &staff.by, shared.now()).await
    {
        return shared.failed(staff.language, &error);
    }
    let gone = Cookie::build((shared.cookie(), "")).max_age(cookie::time::Duration::ZERO);
    with_cookie(Redirect::to("/login").into_response(), &whole(&shared, gone))
}

async fn speak(State(shared): State<Arc<Shared>>, Path(word): Path<String>, Query(next): Query<Where>) -> Response {
    let Some(language) = Language::from_word(&word) else { return StatusCode::NOT_FOUND.into_response() };
    let chosen = Cookie::build(("language", language.word())).max_age(cookie::time::Duration::days(400));
    with_cookie(Redirect::to(next.place()).into_response(), &whole(&shared, chosen))
}

/// A cookie that no script reads and no other site's form sends along; only over TLS where the page is reached by it.
pub(super) fn whole<'c>(shared: &Shared, cookie: cookie::CookieBuilder<'c>) -> Cookie<'c> {
    cookie.path("/").http_only(true).same_site(SameSite::Lax).secure(shared.over_tls()).build()
}

pub(super) fn with_cookie(mut response: Response, cookie: &Cookie<'_>) -> Response {
    if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_five_failures_a_name_waits_longer_each_time_and_never_more_than_a_minute() {
        let (gate, now) = (Gate::new(), Time::from_secs(1_795_500_000));
        for _ in 0..4 {
            gate.failed("siti", now);
            assert_eq!(gate.wait("siti", now), None);
        }
        let mut waits = Vec::new();
        for _ in 0..8 {
            gate.failed("siti", now);
            waits.push(gate.wait("siti", now).unwrap().since(now).as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(gate.wait("budi", now), None);
        gate.passed("siti");
        assert_eq!(gate.wait("siti", now), None);
    }

    #[test]
    fn nobody_is_sent_elsewhere_after_signing_in() {
        for (next, place) in
            [("/tickets/4?x=1", "/tickets/4?x=1"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil", "/"), ("", "/")]
        {
            assert_eq!(Where { next: next.into() }.place(), place);
        }
    }
}
