//! The Graph client over real HTTP, against a server that does everything wrong.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request as Incoming,
    http::{HeaderMap, Uri},
    response::{IntoResponse, Redirect, Response},
};
use futures_util::stream::{self, StreamExt};
use jiff::SignedDuration;
use secrecy::SecretString;
use tanggap::{
    domain::{account::Login, settings},
    graph::{Access, Answer, Client, GraphError, Host, Next, Request, Scope, debug, facebook, instagram, wire},
    runtime::{crew::Crew, http, serve::Server},
};
use tokio_util::sync::CancellationToken;

const TOKEN: &str = "EAACANARYTOKEN";
const SECRET: &str = "canary-app-secret";
const JSON: (&str, &str) = ("content-type", "application/json; charset=UTF-8");

type Asked = Arc<Mutex<Vec<(Uri, HeaderMap)>>>;

struct Far {
    crew: Crew,
    asked: Asked,
    client: Client,
}

impl Far {
    async fn start(timeout: SignedDuration) -> Self {
        let asked = Asked::default();
        let seen = asked.clone();
        let answer = move |request: Incoming| {
            seen.lock().unwrap().push((request.uri().clone(), request.headers().clone()));
            misbehave(request.uri().path().to_owned())
        };
        let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let url = format!("http://{}", server.address());
        let mut crew = Crew::new(&CancellationToken::new());
        let stop = crew.token();
        crew.spawn("far", async move {
            server.run(Router::new().fallback(answer), stop).await;
        });
        let graph = settings::Graph {
            url: format!("{url}/fb"),
            instagram_url: format!("{url}/ig"),
            version: "v25.0".to_owned(),
            app: settings::App::default(),
            apps: [].into(),
            sources: vec![],
            verify_token: None,
            timeout,
        };
        let client = Client::new(http::client(Duration::from_secs(10)).unwrap(), &graph);
        Self { crew, asked, client }
    }
    async fn get(&self, host: Host, request: &Request) -> Result<Answer<wire::Node>, GraphError> {
        self.client.get(&access(host), request).await
    }
    async fn node(&self, id: &str) -> Result<Answer<wire::Node>, GraphError> {
        self.get(Host::Facebook, &facebook::exists(id)).await
    }
    fn last(&self) -> (Uri, HeaderMap) {
        self.asked.lock().unwrap().last().unwrap().clone()
    }
}

fn access(host: Host) -> Access {
    Access { host, token: SecretString::from(TOKEN), secret: Some(SecretString::from(SECRET)) }
}

/// What the server does depends on the node that is asked for.
async fn misbehave(path: String) -> Response {
    match path.rsplit('/').next().unwrap() {
        "html" => (axum::http::StatusCode::INTERNAL_SERVER_ERROR, [("content-type", "text/html")], "<html>Sorry").into_response(),
        "half" => ([JSON], r#"{"id":"hal"#).into_response(),
        "torn" => {
            let torn = stream::once(async {
                tokio::task::yield_now().await; // the head and the first chunk leave meanwhile
                Err(std::io::Error::other("torn"))
            });
            let chunks = stream::iter([Ok(Bytes::from_static(b"{\"id\":"))]).chain(torn);
            ([JSON], Body::from_stream(chunks)).into_response()
        }
        "huge" => {
            let chunks = stream::repeat(Ok::<_, Infallible>(Bytes::from(vec![b' '; 65_536]))).take(1600);
            ([JSON], Body::from_stream(chunks)).into_response()
        }
        "declared" => ([JSON], vec![b' '; 100_000_000]).into_response(),
        "image" => ([("content-type", "image/png")], r#"{"id":"1"}"#).into_response(),
        "empty" => ([JSON], "").into_response(),
        "error200" => (
            [JSON, ("x-app-usage", r#"{"call_count":100}"#)],
            format!(r#"{{"error":{{"message":"limit of {TOKEN}","code":4,"fbtrace_id":"AbC1"}}}}"#),
        )
            .into_response(),
        "throttled" => {
            let usage = r#"{"101":[{"type":"pages","call_count":130,"estimated_time_to_regain_access":42}]}"#;
            (
                axum::http::StatusCode::BAD_REQUEST,
                [JSON, ("x-business-use-case-usage", usage), ("x-fb-trace-id", "Head2")],
                r#"{"error":{"code":80001}}"#,
            )
                .into_response()
        }
        "moved" => Redirect::temporary("/fb/v25.0/elsewhere").into_response(),
        "slow" => std::future::pending().await,
        _ => (
            [
                JSON,
                ("facebook-api-version", "v26.0"),
                ("x-fb-trace-id", "Trace3"),
                ("date", "Tue, 24 Nov 2026 02:00:00 GMT"),
                ("x-app-usage", r#"{"call_count":28,"total_time":25,"total_cputime":25}"#),
            ],
            r#"{"id":"101"}"#,
        )
            .into_response(),
    }
}

#[tokio::test]
async fn a_good_answer_comes_with_what_its_headers_tell() {
    let far = Far::start(SignedDuration::from_secs(10)).await;
    let answer = far.node("101").await.unwrap();
    assert_eq!(answer.value.id.as_deref(), Some("101"));
    assert_eq!((answer.version.as_deref(), answer.trace.as_deref()), (Some("v26.0"), Some("Trace3")));
    assert_eq!(answer.date.unwrap().rfc3339(), "2026-11-24T02:00:00Z");
    assert_eq!(answer.usage.iter().map(|usage| (usage.kind, usage.percent)).collect::<Vec<_>>(), [("app", 28)]);
    far.crew.stop().await.unwrap();
}

#[tokio::test]
async fn the_token_travels_in_a_header_and_an_id_cannot_leave_its_place_in_the_path() {
    let far = Far::start(SignedDuration::from_secs(10)).await;
    far.node("../me?fields=email#").await.unwrap();
    let (uri, headers) = far.last();
    assert_eq!(uri.path(), "/fb/v25.0/..%2Fme%3Ffields=email%23");
    // printf %s EAACANARYTOKEN | openssl dgst -sha256 -hmac canary-app-secret
    let proof = "96ccfa5bfd9b4e166d33b8c96bdec9592f36891c28a83039cc569e73016b6118";
    assert_eq!(uri.query().unwrap(), format!("fields=id&appsecret_proof={proof}"));
    assert_eq!(headers["authorization"], format!("Bearer {TOKEN}"));
    assert!(!uri.to_string().contains("CANARY"));

    far.get(Host::Instagram, &instagram::identity("1784", Login::Instagram)).await.unwrap();
    assert!(far.last().0.to_string().starts_with("/ig/v25.0/me?fields=user_id%2Cusername&"));

    let app = SecretString::from("app-secret");
    let looked_at: Answer<serde::de::IgnoredAny> =
        far.client.get(&Access::app("77", &app), &debug::token(&SecretString::from("LOOKEDAT"))).await.unwrap();
    assert!(looked_at.trace.is_some());
    let (uri, headers) = far.last();
    assert_eq!((uri.query(), &headers["authorization"]), (Some("input_token=LOOKEDAT"), &"Bearer 77|app-secret".parse().unwrap()));
    assert!(!format!("{:?}", debug::token(&SecretString::from("LOOKEDAT"))).contains("LOOKEDAT"));
    far.crew.stop().await.unwrap();
}

#[tokio::test]
async fn every_bad_answer_is_a_verdict_that_holds_no_secret() {
    let far = Far::start(SignedDuration::from_secs(10)).await;
    let later = |minutes: Option<i64>, scope| Next::Later { after: minutes.map(SignedDuration::from_mins), scope };
    for (node, next, status, text) in [
        ("html", Next::Retry, Some(500), "the answer is no JSON (HTTP status 500)"),
        ("half", Next::Retry, Some(200), "the answer is broken off or no JSON (HTTP status 200)"),
        ("torn", Next::Retry, Some(200), "the answer broke off (HTTP status 200)"),
        ("huge", Next::Shrink, Some(200), "the answer is longer than 16 MiB (HTTP status 200)"),
        ("declared", Next::Shrink, Some(200), "the answer is longer than 16 MiB (HTTP status 200)"),
        ("image", Next::Retry, Some(200), "the answer is no JSON (HTTP status 200)"),
        ("empty", Next::Retry, Some(200), "the answer is empty (HTTP status 200)"),
        ("error200", later(None, Scope::App), Some(200), "the app's limit of calls is reached (code 4, HTTP status 200, fbtrace_id AbC1)"),
        (
            "throttled",
            later(Some(42), Scope::Account),
            Some(400),
            "the Page's limit of calls is reached (code 80001, HTTP status 400, fbtrace_id Head2)",
        ),
        ("moved", Next::Odd, Some(307), "the answer is empty (HTTP status 307)"),
    ] {
        let error = far.node(node).await.unwrap_err();
        assert_eq!((error.next, error.status, error.to_string().as_str()), (next, status, text), "{node}");
        assert!(!error.to_string().contains("CANARY") && !error.to_string().contains("127.0.0.1"), "{node}");
    }
    assert_eq!(far.node("error200").await.unwrap_err().usage[0].percent, 100);
    assert!(far.asked.lock().unwrap().iter().all(|(uri, _)| !uri.path().contains("elsewhere")), "a redirect was followed");
    far.crew.stop().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_reached_or_answers_too_late_is_tried_again() {
    let far = Far::start(SignedDuration::from_millis(50)).await;
    let slow = far.node("slow").await.unwrap_err();
    assert_eq!((slow.next, slow.status, slow.to_string().as_str()), (Next::Retry, None, "no answer in time"));
    far.crew.stop().await.unwrap();
    let gone = far.client.get::<wire::Node>(&access(Host::Facebook), &facebook::exists("101")).await.unwrap_err();
    assert_eq!((gone.next, gone.to_string().as_str()), (Next::Retry, "could not connect"));
    let broken = Access { token: SecretString::from("a\nb"), ..access(Host::Facebook) };
    let error = far.client.get::<wire::Node>(&broken, &facebook::exists("101")).await.unwrap_err();
    assert_eq!((error.next, error.to_string().as_str()), (Next::Token, "the token holds characters no token has"));
}
