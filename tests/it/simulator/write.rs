//! What an app writes to citizens, with Meta's rules of who, when and how often.

use serde_json::json;
use tanggap::demo::world::{Author, Fault, Scope};

use super::{Bench, Got, siti};

impl Bench {
    async fn post(&self, token: &str, path: &str, form: &[(&str, &str)]) -> Got {
        let base = self.sim.facebook_url.clone();
        self.write(&base, token, path, form).await.unwrap()
    }
    async fn write(&self, base: &str, token: &str, path: &str, form: &[(&str, &str)]) -> reqwest::Result<Got> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.client.post(format!("{base}/v25.0{path}")).bearer_auth(token);
        let answer = request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Ok(Got { status, headers, body: serde_json::from_str(&answer.text().await?).unwrap_or_default() })
    }
}

fn subcode(got: &Got) -> (Option<i64>, Option<i64>) {
    (got.code(), got.body["error"]["error_subcode"].as_i64())
}

#[tokio::test]
async fn a_page_comments_below_a_post_or_a_comment_and_a_post_to_the_comment_itself_overwrites_it() {
    let bench = Bench::start().await;
    let (page, comment) = {
        let mut world = bench.sim.world();
        let page = world.add_page("Dinhub", "dinhub");
        let post = world.post(&page.id, "Halo").unwrap();
        (page, world.comment(&post, &siti(), "Kapan?").unwrap())
    };
    let got = bench.post(&page.token, &format!("/{comment}/comments"), &[("message", "Besok, Bu.")]).await;
    let id = got.body["id"].as_str().unwrap().to_owned();
    {
        let world = bench.sim.world();
        let item = world.item(&id).unwrap();
        assert_eq!(
            (item.author.clone(), item.parent.as_ref(), item.text.as_str()),
            (Author::Account(page.id.clone()), Some(&comment), "Besok, Bu.")
        );
        assert_eq!(world.written("Besok, Bu."), 1);
    }
    assert_eq!(bench.post(&page.token, &format!("/{comment}/comments"), &[("message", " ")]).await.code(), Some(100));
    assert_eq!(bench.post(&page.token, &format!("/{comment}/comments"), &[("message", &"a".repeat(8_001))]).await.code(), Some(100));
    assert_eq!(subcode(&bench.post(&page.token, "/9_999/comments", &[("message", "Besok")]).await), (Some(100), Some(33)));
    bench.post(&page.token, &format!("/{comment}"), &[("message", "Besok, Bu.")]).await;
    assert_eq!(bench.sim.world().item(&comment).unwrap().text, "Besok, Bu.", "the danger");
    bench.sim.world().revoke_scope(&page.id, "pages_manage_engagement");
    assert_eq!(bench.post(&page.token, &format!("/{comment}/comments"), &[("message", "Besok")]).await.code(), Some(200));
}

#[tokio::test]
async fn a_message_passes_for_a_day_as_an_answer_and_for_a_week_by_a_person() {
    let bench = Bench::start().await;
    let (page, own) = {
        let mut world = bench.sim.world();
        let (page, own) = (world.add_page("Dinhub", "dinhub"), world.add_instagram("RSUD", "rsud", None));
        world.direct_message(&page.id, &siti(), "Kapan?").unwrap();
        world.direct_message(&own.id, &siti(), "Kapan?").unwrap();
        (page, own)
    };
    let instagram = bench.sim.instagram_url.clone();
    let send = async |on: &str, text: &str, more: &[(&str, &str)]| {
        let account = if on == "page" { &page } else { &own };
        let recipient = json!({ "id": siti().scoped(&account.id) }).to_string();
        let message = json!({ "text": text }).to_string();
        let form = [&[("recipient", recipient.as_str()), ("message", message.as_str())], more].concat();
        match on {
            "page" => bench.post(&account.token, &format!("/{}/messages", account.id), &form).await,
            _ => bench.write(&instagram, &account.token, &format!("/{}/messages", account.id), &form).await.unwrap(),
        }
    };
    let (response, agent) = ([("messaging_type", "RESPONSE")], [("messaging_type", "MESSAGE_TAG"), ("tag", "HUMAN_AGENT")]);
    for (on, closed) in [("page", 2_018_278), ("own", 2_534_022)] {
        let got = send(on, "Besok", &response).await;
        assert!(got.status == 200 && got.body["message_id"].is_string() && got.body["recipient_id"].is_string(), "{}", got.body);
        assert_eq!(send(on, &"é".repeat(1_001), &response).await.code(), if on == "page" { None } else { Some(100) });
        bench.clock.tick(24 * 3600);
        assert_eq!(subcode(&send(on, "Besok", &response).await), (Some(10), Some(closed)));
        assert_eq!(send(on, "Besok", &agent).await.status, 200);
        bench.sim.world().app.human_agent = false;
        assert_eq!(subcode(&send(on, "Besok", &agent).await), (Some(10), None));
        bench.sim.world().app.human_agent = true;
        bench.clock.tick(-24 * 3600);
    }
    bench.clock.tick(7 * 24 * 3600);
    assert_eq!(subcode(&send("page", "Besok", &agent).await), (Some(10), Some(2_018_278)));
    let stranger = [("recipient", r#"{"id":"42"}"#), ("message", r#"{"text":"x"}"#)];
    assert_eq!(subcode(&bench.post(&page.token, &format!("/{}/messages", page.id), &stranger).await), (Some(100), Some(2_018_001)));
}

#[tokio::test]
async fn a_private_reply_goes_once_within_a_week_to_a_person_and_shows_with_the_comment() {
    let bench = Bench::start().await;
    let (page, comment, late, ours) = {
        let mut world = bench.sim.world();
        let page = world.add_page("Dinhub", "dinhub");
        let post = world.post(&page.id, "Halo").unwrap();
        let ours = world.comment(&post, Author::Account(page.id.clone()), "Info").unwrap();
        let [comment, late] = ["Kapan?", "Di mana?"].map(|text| world.comment(&post, &siti(), text).unwrap());
        (page, comment, late, ours)
    };
    let send = async |comment: &str| {
        let recipient = json!({ "comment_id": comment }).to_string();
        bench.post(&page.token, &format!("/{}/messages", page.id), &[("recipient", &recipient), ("message", r#"{"text":"Besok"}"#)]).await
    };
    assert_eq!(send(&comment).await.status, 200);
    let shown = bench.get(&page.token, &format!("/{comment}?fields=private_reply_conversation{{id}}")).await;
    assert!(shown.body["private_reply_conversation"]["id"].is_string(), "{}", shown.body);
    assert_eq!(send(&comment).await.code(), Some(10900));
    assert_eq!(send(&ours).await.code(), Some(10903));
    bench.clock.tick(7 * 24 * 3600);
    assert_eq!(send(&late).await.code(), Some(10903));
}

#[tokio::test]
async fn instagram_takes_replies_to_comments_that_are_not_hidden() {
    let bench = Bench::start().await;
    let (own, comment, hidden) = {
        let mut world = bench.sim.world();
        let own = world.add_instagram("RSUD", "rsud", None);
        let medium = world.post(&own.id, "Halo").unwrap();
        let [comment, hidden] = ["Kapan?", "Di mana?"].map(|text| world.comment(&medium, &siti(), text).unwrap());
        world.hide(&hidden).unwrap();
        (own, comment, hidden)
    };
    let base = bench.sim.instagram_url.clone();
    let reply = async |to: &str, text: &str| bench.write(&base, &own.token, &format!("/{to}/replies"), &[("message", text)]).await.unwrap();
    let got = reply(&comment, "Besok").await;
    assert_eq!(bench.sim.world().item(got.body["id"].as_str().unwrap()).unwrap().parent.as_ref(), Some(&comment));
    assert_eq!(reply(&hidden, "Besok").await.code(), Some(100));
    assert_eq!(reply(&comment, &"a".repeat(2_201)).await.code(), Some(100));
}

#[tokio::test]
async fn what_breaks_off_was_done_and_what_is_lost_was_not() {
    let bench = Bench::start().await;
    let (page, post) = {
        let mut world = bench.sim.world();
        let page = world.add_page("Dinhub", "dinhub");
        let post = world.post(&page.id, "Halo").unwrap();
        (page, post)
    };
    let base = bench.sim.facebook_url.clone();
    for (fault, done) in [(Fault::Reset, 1), (Fault::Lost, 0), (Fault::HalfBody, 1), (Fault::Error(400, 368, None), 0)] {
        let text = format!("Info {fault:?}");
        bench.sim.world().fail_next(Scope::Writes, fault.clone(), 1);
        assert_eq!(bench.get(&page.token, &format!("/{post}/comments")).await.status, 200, "reads are not met");
        let got = bench.write(&base, &page.token, &format!("/{post}/comments"), &[("message", &text)]).await;
        assert!(got.is_err() || got.unwrap().code() == Some(368));
        let world = bench.sim.world();
        assert_eq!((world.items().iter().filter(|item| item.text == text).count(), world.written(&text)), (done, 1), "{fault:?}");
    }
}
