//! The captured channels.

use std::time::Duration;

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    transport::smtp::{Error, authentication::Credentials},
};
use tanggap::demo::sink::{HttpSink, HttpTurn, SmtpSink, SmtpTurn};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Clock, client};

/// `None` when no answer came in time (lettre's own time bound covers only the connect).
async fn send(sink: &SmtpSink, text: &str) -> Option<Result<(), Error>> {
    let mail = Message::builder().from("tanggap@example.go.id".parse().unwrap()).to("kepala@example.go.id".parse().unwrap());
    let mail = mail.subject("1 pesan belum dijawab").body(text.to_owned()).unwrap();
    let mailer = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1").port(sink.address.port());
    let mailer = mailer.credentials(Credentials::new("user".into(), "secret".into())).build();
    tokio::time::timeout(Duration::from_millis(500), mailer.send(mail)).await.ok().map(|sent| sent.map(|_| ()))
}

#[tokio::test]
async fn mails_are_kept_whole_and_refused_or_broken_off_as_told() {
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let (sink, server) = SmtpSink::bind(Clock::new().read()).await.unwrap();
    tasks.spawn(server.serve(stop.clone()));
    send(&sink, "Baris pertama\r\n.titik di depan\r\n").await.unwrap().unwrap();
    let mail = &sink.captured()[0];
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice(), mail.accepted),
        ("tanggap@example.go.id", &["kepala@example.go.id".to_owned()][..], true)
    );
    assert!(mail.raw.contains("Subject: 1 pesan belum dijawab\r\n") && mail.raw.contains("\r\n.titik di depan\r\n"), "{}", mail.raw);
    for (turn, transient, permanent) in [(SmtpTurn::Refuse(450), true, false), (SmtpTurn::Refuse(550), false, true)] {
        sink.next(turn, 1);
        let why = send(&sink, "Ditolak").await.unwrap().unwrap_err();
        assert_eq!((why.is_transient(), why.is_permanent()), (transient, permanent), "{why}");
    }
    assert_eq!(sink.captured().len(), 1, "refused before its text");
    sink.next(SmtpTurn::Cut, 1);
    assert!(send(&sink, "Tidak pasti").await.unwrap().is_err());
    sink.next(SmtpTurn::Stall, 1);
    assert!(send(&sink, "Tidak pasti").await.is_none());
    let unsure: Vec<bool> = sink.captured().iter().skip(1).map(|mail| mail.accepted).collect();
    assert_eq!(unsure, [false, false], "whole, but never confirmed");
    send(&sink, "Lagi").await.unwrap().unwrap();
    stop.cancel();
    tasks.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn requests_are_kept_whole_and_answered_as_told() {
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let (sink, server) = HttpSink::bind(Clock::new().read()).await.unwrap();
    tasks.spawn(server.serve(stop.clone()));
    let client = client();
    let post = async |path: &str| {
        let request = client.post(format!("{}{path}", sink.url)).header("webhook-id", "msg_1").body("{\"a\":1}");
        request.timeout(Duration::from_millis(500)).send().await
    };
    assert_eq!(post("/hook").await.unwrap().status(), 200);
    let kept = &sink.captured()[0];
    assert_eq!(
        (kept.path.as_str(), kept.header("webhook-id"), &kept.body[..], kept.accepted),
        ("/hook", Some("msg_1"), &b"{\"a\":1}"[..], true)
    );
    sink.next("/bot", &HttpTurn::RetryAfter(429, 7), 1);
    assert_eq!(post("/hook").await.unwrap().status(), 200, "not its path");
    let patience = post("/bot1:x/sendMessage").await.unwrap();
    assert_eq!((patience.status().as_u16(), patience.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    assert_eq!(patience.text().await.unwrap().parse::<serde_json::Value>().unwrap()["parameters"]["retry_after"], 7);
    sink.next("", &HttpTurn::Status(410), 1);
    assert_eq!(post("/hook").await.unwrap().status(), 410);
    for turn in [HttpTurn::Cut, HttpTurn::Stall] {
        sink.next("", &turn, 1);
        assert!(post("/hook").await.is_err());
    }
    let accepted: Vec<bool> = sink.captured().iter().map(|kept| kept.accepted).collect();
    assert_eq!(accepted, [true, true, false, false, false, false]);
    stop.cancel();
    tasks.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn updates_are_given_from_the_asked_one_on_until_a_later_one_is_asked_for_and_are_no_letters() {
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let (sink, server) = HttpSink::bind(Clock::new().read()).await.unwrap();
    tasks.spawn(server.serve(stop.clone()));
    let client = client();
    let ask = async |offset: i64, timeout: u64| {
        let asked = serde_json::json!({"offset": offset, "timeout": timeout});
        let answer = client.post(format!("{}/bot1:x/getUpdates", sink.url)).json(&asked).send().await.unwrap();
        let answer: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let updates = answer["result"].as_array().unwrap().iter().map(|update| update["update_id"].as_i64().unwrap());
        updates.collect::<Vec<_>>()
    };
    assert_eq!(ask(0, 0).await, [0; 0]);
    for id in [5, 6] {
        sink.update(serde_json::json!({ "update_id": id }));
    }
    assert_eq!((ask(0, 9).await, ask(0, 9).await), (vec![5, 6], vec![5, 6]), "nothing is confirmed yet");
    assert_eq!((ask(6, 9).await, ask(0, 9).await), (vec![6], vec![6]));
    let (news, ()) = tokio::join!(ask(7, 20), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        sink.update(serde_json::json!({ "update_id": 7 }));
    });
    assert_eq!((news, sink.captured().len()), (vec![7], 0));
    sink.next("/getUpdates", &HttpTurn::Said(409, "Conflict"), 1);
    let refused = client.post(format!("{}/bot1:x/getUpdates", sink.url)).body("{}").send().await.unwrap();
    assert_eq!(refused.status(), 409);
    assert!(refused.text().await.unwrap().contains(r#""description":"Conflict""#));
    stop.cancel();
    tasks.join_next().await.unwrap().unwrap().unwrap();
}
