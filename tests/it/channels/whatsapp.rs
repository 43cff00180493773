//! WhatsApp's Cloud API: what is asked of it, and what each of its answers and codes means.

use super::{Verdict, channels, far::HttpSink, far::Mode, no_secret, verdict};
use crate::alert::world::whatsapp;
use tanggap::{
    alert::channel::{Channels, Outgoing, check_whatsapp},
    domain::{Time, alert::Channel, settings},
};

const BODY: &str = r#"{"to":"6281200000000"}"#;

fn letter() -> Outgoing<'static> {
    Outgoing { key: "t42-2-1-9", address: "6281200000000", payload: BODY, at: Time::from_secs(0) }
}

fn pair() -> (HttpSink, Channels) {
    let sink = HttpSink::start();
    let channels = channels(settings::Channels { whatsapp: Some(whatsapp(&sink)), ..settings::Channels::default() });
    (sink, channels)
}

fn later(after: Option<i64>) -> Verdict {
    Verdict::Later { after, unknown: false }
}

#[tokio::test]
async fn a_message_is_one_post_to_the_number_with_the_token_beside_it() {
    let (sink, channels) = pair();
    assert_eq!(channels.send(Channel::Whatsapp, &letter()).await.unwrap().provider_id.as_deref(), Some("wamid.7"));
    let call = &sink.requests()[0];
    assert_eq!((call.path.as_str(), call.header("authorization")), ("/v25.0/1098/messages", "Bearer secret-wa"));
    assert_eq!((call.header("content-type"), call.body.as_str()), ("application/json", BODY));
}

#[tokio::test]
async fn every_code_of_the_fact_sheet_is_later_never_or_to_be_mended_and_says_which() {
    let (sink, channels) = pair();
    let mend = "channel.whatsapp";
    for (codes, want, said) in [
        (&[130_429][..], later(Some(60)), "at once"),
        (&[131_056], later(Some(64)), "to this official"),
        (&[4, 80_007], later(Some(1800)), "too many calls"),
        (&[131_000, 131_016, 131_057, 133_004, 1, 2], later(None), "out of order"),
        (&[131_026], Verdict::Never, "can't be reached"),
        (&[131_021], Verdict::Never, "correct the official's whatsapp"),
        (&[130_472, 131_050], Verdict::Never, "official|number"),
        (&[100, 131_008, 131_009, 131_051, 132_005, 132_007, 131_047], Verdict::Never, "a fault of tanggap"),
        (&[190, 0, 3, 10, 200, 299, 131_005], later(None), mend),
        (&[132_000, 132_001, 132_012, 132_015, 132_016, 131_049], later(None), "channel.whatsapp.template"),
        (&[33, 131_037, 131_045, 133_000, 133_005, 133_006, 133_010, 133_016], later(None), "channel.whatsapp.phone_number_id"),
        (&[131_042, 131_031, 368], later(None), mend),
        (&[131_048], later(None), "WhatsApp Manager"),
        (&[131_030], later(None), "add the official's number"),
        (&[999_999], later(None), "does not know"),
    ] {
        for code in codes {
            let body =
                format!(r#"{{"error":{{"message":"(#{code}) 62812 Siti","type":"OAuthException","code":{code},"fbtrace_id":"A"}}}}"#);
            sink.set(Mode::Answer(if *code == 190 { 401 } else { 400 }, Box::leak(body.into_boxed_str())));
            let result = channels.send(Channel::Whatsapp, &letter()).await;
            assert_eq!(verdict(&result), want, "{code}");
            let text = result.as_ref().unwrap_err().to_string();
            assert!(said.split('|').any(|said| text.contains(said)) && text.contains(&format!("(code {code})")), "{text}");
            no_secret(&result, Channel::Whatsapp);
        }
    }
    sink.set(Mode::Answer(400, r#"{"error":{"code":100,"error_subcode":33}}"#));
    let unknown_number = channels.send(Channel::Whatsapp, &letter()).await.unwrap_err().to_string();
    assert!(unknown_number.contains("channel.whatsapp.phone_number_id"), "{unknown_number}");
}

#[tokio::test]
async fn an_answer_without_a_code_is_judged_by_its_status_and_a_strangers_yes_is_none() {
    let (sink, channels) = pair();
    let strange = Verdict::Later { after: Some(300), unknown: true };
    for (status, body, want) in [
        (200, "<html>a proxy's page</html>", &strange),
        (200, r#"{"messages":[]}"#, &strange),
        (200, r#"{"messages":[{"id":""}]}"#, &strange),
        (401, "", &later(None)),
        (404, "<html></html>", &later(None)),
        (302, "", &later(None)),
        (429, "[]", &later(None)),
        (500, r#"{"error":{}}"#, &later(None)),
        (400, r#"{"error":7}"#, &later(None)),
    ] {
        sink.set(Mode::Answer(status, body));
        let result = channels.send(Channel::Whatsapp, &letter()).await;
        assert_eq!(&verdict(&result), want, "{status} {body}");
        no_secret(&result, Channel::Whatsapp);
    }
    // held back until the template is judged: WhatsApp has it, a second one would be a copy
    for held in ["held_for_quality_assessment", "paused"] {
        let body = format!(r#"{{"messages":[{{"id":"wamid.8","message_status":"{held}"}}]}}"#);
        sink.set(Mode::Answer(200, Box::leak(body.into_boxed_str())));
        assert_eq!(channels.send(Channel::Whatsapp, &letter()).await.unwrap().provider_id.as_deref(), Some("wamid.8"));
    }
    // an id that is no plain word is not kept
    sink.set(Mode::Answer(200, r#"{"messages":[{"id":"wamid 8\u0007"}]}"#));
    assert_eq!(channels.send(Channel::Whatsapp, &letter()).await.unwrap().provider_id, None);
}

#[tokio::test]
async fn a_check_asks_for_the_number_and_sends_nothing() {
    let sink = HttpSink::start();
    let check = async |body| {
        sink.set(body);
        check_whatsapp(&whatsapp(&sink), "v25.0").await
    };
    check(Mode::Answer(200, r#"{"id":"1098"}"#)).await.unwrap();
    let refused = check(Mode::Answer(401, r#"{"error":{"code":190}}"#)).await.unwrap_err().to_string();
    assert!(refused.contains("channel.whatsapp.token"), "{refused}");
    check(Mode::Answer(200, "<html>")).await.unwrap_err();
    let calls = sink.requests();
    assert_eq!((calls.len(), calls[0].path.as_str(), calls[0].body.as_str()), (3, "/v25.0/1098?fields=id", ""));
}
