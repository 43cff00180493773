//! One conformance suite for all channels that leave the machine, over real HTTP and a real SMTP server.

pub mod far;
mod hostile;
mod whatsapp;

use std::time::Duration;

use far::{HttpSink, Mode, SmtpSink};
use jiff::SignedDuration;
use tanggap::{
    alert::channel::{Accepted, Channels, Outgoing, SendError},
    demo::sink::HttpTurn,
    domain::{Time, alert::Channel, settings, settings::Language},
};

use crate::alert::world::{HOOK_SECRET, at, settings, smtp, telegram, webhook, whatsapp};

/// What must stand in no error, wherever it comes from.
const SECRETS: [&str; 10] = ["secret-", "whsec", "MfKQ9r8G", "kepala@", "-100555", "62812", "127.0.0.1", "http://", "Siti", "1098"];
const MAIL: &str = "From: <tanggap@example.go.id>\r\nSubject: x\r\n\r\nSiti\r\n.\r\nend\r\n";

/// The other side of one channel and how it is reached.
struct Side {
    way: Channel,
    address: &'static str,
    payload: &'static str,
    channels: Channels,
    /// What it asks for when it is too much, in seconds.
    patience: Option<i64>,
    /// How it refuses for good.
    refuse: Mode,
    set: Box<dyn Fn(Mode)>,
    /// The bytes it took, in order.
    took: Box<dyn Fn() -> Vec<String>>,
}

impl Side {
    async fn send(&self) -> Result<Accepted, SendError> {
        let letter = Outgoing { key: "t42-2-1-9", address: self.address, payload: self.payload, at: at("2026-11-23T07:05:00Z") };
        self.channels.send(self.way, &letter).await
    }
}

/// Every channel that leaves the machine: a new one is one line here.
fn sides() -> Vec<Side> {
    use settings::Channels as Set;
    let none = Set::default;
    vec![
        mail_side(),
        http_side((Channel::Telegram, "-100555", r#"{"chat_id":"-100555","text":"Siti"}"#), Some(7), Mode::Refuse, |sink| Set {
            telegram: Some(telegram(sink)),
            ..none()
        }),
        http_side((Channel::Whatsapp, "6281200000000", r#"{"to":"6281200000000","text":"Siti"}"#), Some(64), Mode::Refuse, |sink| Set {
            whatsapp: Some(whatsapp(sink)),
            ..none()
        }),
        http_side((Channel::Webhook, "simpeg", r#"{"type":"test","data":"Siti"}"#), Some(7), Mode::Answer(410, ""), |sink| Set {
            webhooks: [("simpeg".to_owned(), webhook(sink, false))].into(),
            ..none()
        }),
        http_side(
            (Channel::Alertmanager, "alertmanager", r#"[{"labels":{"alertname":"Siti"}}]"#),
            Some(7),
            Mode::Answer(400, "bad Siti"),
            |sink| Set { alertmanager: Some(alertmanager(sink.url.clone())), ..none() },
        ),
    ]
}

fn alertmanager(url: String) -> settings::Alertmanager {
    settings::Alertmanager { url, group: "operator".into() }
}

fn channels(set: settings::Channels) -> Channels {
    let settings = settings::Settings { channels: set, ..settings(Language::Indonesian) };
    Channels::new(&settings).unwrap().with_limit(Duration::from_secs(2))
}

fn mail_side() -> Side {
    let mail = std::rc::Rc::new(SmtpSink::start());
    let other = mail.clone();
    Side {
        way: Channel::Smtp,
        address: "kepala@example.go.id",
        payload: MAIL,
        channels: channels(settings::Channels { smtp: Some(smtp(mail.url())), ..settings::Channels::default() }),
        patience: None, // SMTP can't say how long
        refuse: Mode::Refuse,
        set: Box::new(move |mode| mail.set(mode)),
        took: Box::new(move || other.mails()),
    }
}

fn http_side(
    (way, address, payload): (Channel, &'static str, &'static str),
    patience: Option<i64>,
    refuse: Mode,
    set: impl Fn(&HttpSink) -> settings::Channels,
) -> Side {
    let sink = HttpSink::start();
    let (channels, other) = (channels(set(&sink)), sink.clone());
    let took = Box::new(move || other.requests().into_iter().map(|request| request.body).collect());
    Side { way, address, payload, channels, patience, refuse, set: Box::new(move |mode| sink.set(mode)), took }
}

/// What a channel must make of an attempt.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Accepted,
    Later { after: Option<i64>, unknown: bool },
    Never,
}

fn verdict(result: &Result<Accepted, SendError>) -> Verdict {
    match result {
        Ok(_) => Verdict::Accepted,
        Err(SendError::Later { after, unknown_outcome, .. }) => {
            Verdict::Later { after: after.map(|a: SignedDuration| a.as_secs()), unknown: *unknown_outcome }
        }
        Err(SendError::Never { .. }) => Verdict::Never,
    }
}

#[tokio::test]
async fn every_channel_tells_accepted_later_never_and_unknown_apart_and_says_no_secret() {
    for side in sides() {
        let later = |after| Verdict::Later { after, unknown: false };
        let unknown = Verdict::Later { after: side.way.awaits().map(|wait| wait.as_secs()), unknown: true };
        for (mode, want) in [
            (Mode::Ok, &Verdict::Accepted),
            (Mode::Slower, &later(side.patience)),
            (Mode::Down, &later(None)),
            (Mode::Hang, &unknown),
            (Mode::Cut, &unknown),
            (Mode::Half, &unknown),
            (Mode::Auth, &later(None)),
            (side.refuse, &Verdict::Never),
        ] {
            (side.set)(mode);
            let result = side.send().await;
            assert_eq!(&verdict(&result), want, "{} {mode:?}: {result:?}", side.way);
            no_secret(&result, side.way);
        }
    }
}

fn no_secret(result: &Result<Accepted, SendError>, way: Channel) {
    let said = result.as_ref().map_or_else(|e| format!("{e} {e:?}"), |a| format!("{a:?}"));
    for secret in SECRETS {
        assert!(!said.contains(secret), "{way} says {said}");
    }
}

#[tokio::test]
async fn the_bytes_arrive_as_they_were_stored_also_when_they_arrive_twice() {
    for side in sides() {
        for mode in [Mode::Cut, Mode::Ok] {
            (side.set)(mode);
            let _ = side.send().await;
        }
        let took = (side.took)();
        assert_eq!(took.len(), 2, "{}: the break came after the last byte", side.way);
        for bytes in took {
            assert_eq!(bytes.trim_end(), side.payload.trim_end(), "{}", side.way);
        }
    }
}

#[tokio::test]
async fn a_mail_server_that_defers_refuses_breaks_off_or_hangs_at_any_command_is_understood_and_gets_the_mail_once() {
    let sink = SmtpSink::start();
    let mut settings = settings(Language::English);
    settings.channels.smtp = Some(smtp(sink.url()));
    let channels = Channels::new(&settings).unwrap().with_limit(Duration::from_millis(500));
    let payload = "Message-ID: <t42-2-1-9@example.go.id>\r\nSubject: x\r\n\r\nSiti\r\n";
    let letter = Outgoing { key: "t42-2-1-9", address: "kepala@example.go.id", payload, at: Time::from_secs(0) };
    let later = |unknown| Verdict::Later { after: None, unknown };
    for (mode, want) in [
        (Mode::At("MAIL", "421 4.3.2 secret-host closing"), later(false)),
        (Mode::At("RCPT", "450 4.2.1 kepala@ busy"), later(false)),
        (Mode::At("RCPT", "552 5.2.2 mailbox full"), Verdict::Never),
        (Mode::At("DATA", "451 4.7.1 looked at for too long"), later(false)),
        (Mode::At("DATA", "554 5.7.1 Siti is spam"), Verdict::Never),
        (Mode::At("MAIL", "hang"), later(true)),
        (Mode::At("RCPT", "hang"), later(true)),
        (Mode::At("RCPT", "cut"), later(true)),
        (Mode::Greylist, later(false)),
        (Mode::Greylist, Verdict::Accepted),
    ] {
        sink.set(mode);
        let result = channels.send(Channel::Smtp, &letter).await;
        assert_eq!(verdict(&result), want, "{mode:?} {result:?}");
        no_secret(&result, Channel::Smtp);
    }
    assert_eq!(sink.mails().len(), 1, "only the last attempt was taken");
}

#[tokio::test]
async fn nobody_listening_is_a_failure_with_a_known_outcome() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut settings = settings(Language::English);
    settings.channels.smtp = Some(smtp(format!("smtp://127.0.0.1:{port}")));
    settings.channels.telegram =
        Some(settings::Telegram { token: "1:secret-token".to_owned().into(), url: format!("http://127.0.0.1:{port}") });
    settings.channels.whatsapp = Some(settings::Whatsapp { url: format!("http://127.0.0.1:{port}"), ..whatsapp(&HttpSink::start()) });
    settings.channels.alertmanager = Some(alertmanager(format!("http://127.0.0.1:{port}")));
    let channels = Channels::new(&settings).unwrap();
    let sides = [
        (Channel::Smtp, "kepala@example.go.id"),
        (Channel::Telegram, "-100555"),
        (Channel::Whatsapp, "62812"),
        (Channel::Alertmanager, "alertmanager"),
    ];
    for (way, address) in sides {
        let letter = Outgoing { key: "k", address, payload: "{}", at: Time::from_secs(0) };
        let result = channels.send(way, &letter).await;
        assert_eq!(verdict(&result), Verdict::Later { after: None, unknown: false }, "{result:?}");
        no_secret(&result, way);
    }
}

#[tokio::test]
async fn a_webhook_is_signed_as_the_specifications_published_example() {
    let sink = HttpSink::start();
    let mut settings = settings(Language::English);
    settings.channels.webhooks = [("simpeg".to_owned(), webhook(&sink, false))].into();
    let channels = Channels::new(&settings).unwrap();
    let letter = Outgoing {
        key: "msg_p5jXN8AQM9LWM0D4loKWxJek",
        address: "simpeg",
        payload: r#"{"test": 2432232314}"#,
        at: Time::from_secs(1_614_265_330),
    };
    channels.send(Channel::Webhook, &letter).await.unwrap();
    let call = &sink.requests()[0];
    assert_eq!(call.path, "/hook?key=secret-query");
    assert_eq!(call.header("webhook-signature"), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_eq!((call.header("webhook-id"), call.header("webhook-timestamp")), ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330"));
    assert_eq!(call.header("content-type"), "application/json");
    // and the crate's own reading of the specification agrees
    let signer = standardwebhooks::Webhook::new(HOOK_SECRET).unwrap();
    assert_eq!(signer.sign(letter.key, 1_614_265_330, call.body.as_bytes()).unwrap(), call.header("webhook-signature"));
}

#[tokio::test]
async fn while_a_key_is_changed_both_sign_the_newer_first() {
    let sink = HttpSink::start();
    let old = "whsec_a2FuYXJpLXNpZ25pbmcta2FuYXJpLXNpZ25pbmcx";
    let changed = settings::Webhook { old_secret: Some(old.to_owned().into()), ..webhook(&sink, false) };
    let channels = channels(settings::Channels { webhooks: [("simpeg".to_owned(), changed)].into(), ..settings::Channels::default() });
    let letter = Outgoing { key: "k", address: "simpeg", payload: "{}", at: Time::from_secs(1_614_265_330) };
    channels.send(Channel::Webhook, &letter).await.unwrap();
    let by = |secret| standardwebhooks::Webhook::new(secret).unwrap().sign("k", 1_614_265_330, b"{}").unwrap();
    assert_eq!(sink.requests()[0].header("webhook-signature"), format!("{} {}", by(HOOK_SECRET), by(old)));
}

#[tokio::test]
async fn webhooks_follow_no_redirect_and_take_nothing_but_a_2xx_for_a_yes() {
    let sink = HttpSink::start();
    let mut settings = settings(Language::English);
    settings.channels.webhooks = [("simpeg".to_owned(), webhook(&sink, false))].into();
    let channels = Channels::new(&settings).unwrap();
    let letter = Outgoing { key: "k", address: "simpeg", payload: "{}", at: Time::from_secs(0) };
    for (status, want) in [
        (204, Verdict::Accepted),
        (302, Verdict::Never),
        (308, Verdict::Never),
        (400, Verdict::Later { after: None, unknown: false }),
        (404, Verdict::Later { after: None, unknown: false }),
        (502, Verdict::Later { after: None, unknown: false }),
    ] {
        sink.set(Mode::Answer(status, ""));
        assert_eq!(verdict(&channels.send(Channel::Webhook, &letter).await), want, "{status}");
    }
    assert_eq!(sink.requests().len(), 6);
}

#[tokio::test]
async fn telegram_follows_a_group_to_its_new_id_once() {
    let sink = HttpSink::start();
    let mut settings = settings(Language::English);
    settings.channels.telegram = Some(telegram(&sink));
    let channels = Channels::new(&settings).unwrap();
    sink.set(Mode::Answer(400, r#"{"ok":false,"parameters":{"migrate_to_chat_id":-100777}}"#));
    let payload = r#"{"chat_id":"-5","text":"x"}"#;
    let letter = Outgoing { key: "k", address: "-5", payload, at: Time::from_secs(0) };
    // the new id is kept, so that a press of the button there is known
    assert_eq!(channels.send(Channel::Telegram, &letter).await.unwrap().provider_id.as_deref(), Some("-100777/7"));
    let calls = sink.requests();
    assert_eq!(calls[0].path, "/bot123:secret-token/sendMessage");
    assert_eq!(calls[1].json(), serde_json::json!({"chat_id": -100_777, "text": "x"}));

    sink.set(Mode::Answer(400, r#"{"ok":false,"description":"Bad Request: chat not found"}"#));
    assert_eq!(verdict(&channels.send(Channel::Telegram, &letter).await), Verdict::Never);
    sink.set(Mode::Answer(200, "<html>a proxy's page</html>"));
    assert_eq!(verdict(&channels.send(Channel::Telegram, &letter).await), Verdict::Later { after: None, unknown: true });
}

#[tokio::test]
async fn a_letter_whose_buttons_telegram_refuses_leaves_without_them() {
    let (sink, server) = tanggap::demo::sink::HttpSink::bind(std::sync::Arc::new(|| Time::from_secs(0).timestamp())).await.unwrap();
    let (stop, mut served) = (tokio_util::sync::CancellationToken::new(), tokio::task::JoinSet::new());
    served.spawn(server.serve(stop.clone()));
    let mut settings = settings(Language::English);
    settings.channels.telegram = Some(settings::Telegram { token: "123:secret-token".to_owned().into(), url: sink.url.clone() });
    let channels = Channels::new(&settings).unwrap();
    let refused = "Bad Request: inline keyboard button URL 'x' is invalid: Wrong HTTP URL";
    sink.next("/sendMessage", &HttpTurn::Said(400, refused), 1);
    let payload = r#"{"chat_id":"-5","reply_markup":{"inline_keyboard":[]},"text":"x"}"#;
    let letter = Outgoing { key: "k", address: "-5", payload, at: Time::from_secs(0) };
    assert_eq!(verdict(&channels.send(Channel::Telegram, &letter).await), Verdict::Accepted);
    let bodies: Vec<String> = sink.captured().iter().map(|sent| String::from_utf8(sent.body.to_vec()).unwrap()).collect();
    assert_eq!(bodies, [payload, r#"{"chat_id":"-5","text":"x"}"#]);
    sink.next("/sendMessage", &HttpTurn::Said(400, refused), 2);
    assert_eq!(verdict(&channels.send(Channel::Telegram, &letter).await), Verdict::Never);
    stop.cancel();
    served.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn mail_never_leaves_in_the_clear_but_to_this_machine_and_starttls_is_not_optional() {
    let mut settings = settings(Language::English);
    for url in ["smtp://mail.example.go.id:25", "http://127.0.0.1:25", "smtp://127.0.0.1.example.com:25", "nonsense"] {
        settings.channels.smtp = Some(smtp(url.to_owned()));
        let error = Channels::new(&settings).map(|_| ()).unwrap_err().to_string();
        assert!(error.starts_with("channel.smtp.url: "), "{error}");
    }
    // a server without STARTTLS gets neither a password nor a mail
    let sink = SmtpSink::start();
    settings.channels.smtp = Some(settings::Smtp {
        password: Some("pass:w/ord@".to_owned().into()),
        ..smtp(format!("smtp+starttls://user@127.0.0.1:{}", sink.port))
    });
    let channels = Channels::new(&settings).unwrap();
    let letter = Outgoing { key: "k", address: "kepala@example.go.id", payload: "Subject: x\r\n\r\nx", at: Time::from_secs(0) };
    let result = channels.send(Channel::Smtp, &letter).await;
    assert_eq!(verdict(&result), Verdict::Later { after: None, unknown: false }, "{result:?}");
    assert!(sink.mails().is_empty());
}
