//! The button below a letter in a chat.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use serde_json::{Value, json};
use tanggap::{demo::sink::HttpTurn, domain::TicketId, runtime::Stage as _, store::acks};

use super::{KEPALA, world::World};
use crate::alert::world::on_both;

const CHAT: i64 = -1001;

/// The texts that were shown, and whether the buttons were taken away after them.
fn shown(calls: &[(String, Value)]) -> Vec<(String, bool)> {
    let mut shown: Vec<(String, bool)> = Vec::new();
    for (method, body) in calls {
        match method.as_str() {
            "answerCallbackQuery" => shown.push((body["text"].as_str().unwrap().to_owned(), false)),
            "editMessageReplyMarkup" => {
                assert_eq!(body["reply_markup"], json!({"inline_keyboard": []}));
                assert_eq!((body["message_id"].as_i64(), body["chat_id"].as_i64().is_some()), (Some(7), true));
                shown.last_mut().unwrap().1 = true;
            }
            other => panic!("{other}"),
        }
    }
    shown
}

on_both! {
    async fn a_press_says_it_of_every_open_ticket_of_the_letter_once_and_takes_the_buttons_away(w: &mut World) {
        let [_, b] = w.two_late().await;
        w.clock.advance(SignedDuration::from_mins(1));
        w.answer(b).await;
        let data = w.button();
        assert!(data.len() <= 64);
        let mut stage = w.presses();
        w.press(CHAT, &data);
        let tally = stage.once().await.unwrap();
        assert_eq!((tally.done, tally.next.is_some()), (1, true));
        assert_eq!(shown(&w.calls(0)), [("Tercatat: 1 pesan warga sedang ditangani.".to_owned(), true)]);
        assert_eq!(w.said().await, ["telegram of sekda ack 1"]);
        w.press(CHAT, &data);
        w.press(CHAT, &data);
        assert_eq!(stage.once().await.unwrap().done, 2);
        let again = ("Pesan warga ini sudah pernah ditandai sedang ditangani. Tidak ada yang perlu dilakukan di sini.".to_owned(), true);
        assert_eq!(shown(&w.calls(2)), [again.clone(), again]);
        w.judge().await;
        assert_eq!((w.acknowledged().await, w.said().await.len()), (vec!["1".to_owned()], 1));
        w.undo(1).await;
        w.press(CHAT, &data);
        stage.once().await.unwrap();
        w.judge().await;
        assert_eq!(w.acknowledged().await, [""; 0], "taken back, and not said again by the same letter");
        let offset = w.texts("SELECT value AS t FROM meta WHERE key = 'telegram_offset 4711'").await;
        assert!(offset[0].starts_with("105 "), "{offset:?}");
    }

    async fn a_press_elsewhere_or_of_a_made_up_button_says_nothing_of_any_ticket(w: &mut World) {
        w.two_late().await;
        let data = w.button();
        let mail = w.texts("SELECT key AS t FROM letter WHERE channel = 'smtp'").await[0].clone();
        let before = w.said().await;
        let token = w.token(KEPALA);
        let other = w.links.button(&mail).unwrap();
        let unknown = w.links.button("t9-9-9-9").unwrap();
        for (chat, data) in
            [(-1002, data.as_str()), (CHAT, &data[1..]), (CHAT, ""), (CHAT, &token), (CHAT, &other), (CHAT, &unknown), (CHAT, "🌊"), (1001, &data)]
        {
            w.press(chat, data);
        }
        w.update(json!({"callback_query": {"id": "1", "data": data}}));
        w.update(json!({"callback_query": {"id": 7}}));
        w.update(json!({"message": {"text": "/start"}}));
        w.chats.update(json!({"nothing": 1}));
        assert_eq!(w.presses().once().await.unwrap().done, 11);
        let refused = ("Tombol ini tidak berlaku di sini.".to_owned(), false);
        assert_eq!(shown(&w.calls(0)), vec![refused; 9]);
        assert_eq!(w.said().await, before);
        // a group that became a supergroup has another id, which its letter was accepted under
        w.exec("UPDATE letter SET provider_id = '-1002/7' WHERE channel = 'telegram'", vec![]).await;
        w.press(-1002, &data);
        let mut stage = w.presses();
        stage.once().await.unwrap();
        assert_eq!(w.said().await.len(), 2);
    }

    async fn a_press_that_was_recorded_before_a_crash_is_answered_after_it_and_changes_nothing(w: &mut World) {
        w.two_late().await;
        let data = w.button();
        w.press(CHAT, &data);
        let letter = acks::letter(&w.db, &w.texts("SELECT key AS t FROM letter WHERE channel = 'telegram'").await[0]).await.unwrap().unwrap();
        let said = acks::acknowledge(&w.db, letter.id, None, "telegram of sekda", w.now()).await.unwrap();
        assert_eq!(said, [TicketId(1), TicketId(2)]); // and here the process died: nothing is answered, nothing noted
        w.presses().once().await.unwrap();
        assert!(shown(&w.calls(0))[0].0.contains("sudah pernah ditandai"));
        // it died again before the mark was stored: Telegram delivers the same update once more
        w.exec("DELETE FROM meta WHERE key LIKE 'telegram_offset%'", vec![]).await;
        assert_eq!(w.presses().once().await.unwrap().done, 1);
        assert_eq!(w.said().await, ["telegram of sekda ack 1", "telegram of sekda ack 2"]);
        // an answer that breaks off is asked for no more
        w.chats.next("/answerCallbackQuery", &HttpTurn::Cut, 1);
        w.chats.next("/editMessageReplyMarkup", &HttpTurn::Status(400), 1);
        w.press(CHAT, &data);
        let mut stage = w.presses();
        assert_eq!(stage.once().await.unwrap().done, 1);
        w.press(CHAT, "another");
        assert_eq!(stage.once().await.unwrap().done, 1);
    }

    async fn a_button_ends_after_seven_days_and_with_its_tickets(w: &mut World) {
        let [a, b] = w.two_late().await;
        let data = w.button();
        w.answer(a).await;
        w.answer(b).await;
        w.press(CHAT, &data);
        w.presses().once().await.unwrap();
        w.clock.advance(SignedDuration::from_hours(7 * 24));
        w.press(CHAT, &data);
        w.presses().once().await.unwrap();
        let shown = shown(&w.calls(0));
        assert!(shown[0].0.contains("sudah selesai") && shown.last().unwrap().0.contains("berlaku tujuh hari") && shown.iter().all(|(_, away)| *away), "{shown:?}");
        assert_eq!(w.said().await, [""; 0]);
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_bot_is_said_once_with_its_cure_and_asked_again_later_and_later() {
    let mut w = World::sqlite().await;
    let mut stage = w.presses();
    for (turn, said, rest) in [
        (HttpTurn::Said(409, "Conflict: can't use getUpdates method while webhook is active"), "deleteWebhook", 60),
        (HttpTurn::Said(409, "Conflict: terminated by other getUpdates request"), "another program reads this bot's presses", 64),
        (HttpTurn::Status(401), "check channel.telegram.token", 300),
        (HttpTurn::Status(404), "check channel.telegram.token", 300),
        (HttpTurn::Status(502), "out of order (502)", 64),
        (HttpTurn::Cut, "the connection to Telegram broke", 64),
    ] {
        w.heard.take();
        for _ in 0..8 {
            w.chats.next("/getUpdates", &turn, 1);
            let tally = stage.once().await.unwrap();
            let wait = tally.next.unwrap().duration_since(tanggap::runtime::Clock::now(&*w.clock));
            assert!(tally.done == 0 && wait > SignedDuration::ZERO && wait <= SignedDuration::from_secs(rest), "{turn:?} {wait}");
            assert_eq!(stage.once().await.unwrap().next, tally.next, "it rests");
            w.clock.advance(wait);
        }
        assert_eq!(w.heard.count(said), 1, "{}", w.heard.text());
        assert!(!w.heard.text().contains("secret-of-the-bot") && !w.heard.text().contains("127.0.0.1"), "{}", w.heard.text());
    }
    w.chats.next("/getUpdates", &HttpTurn::RetryAfter(429, 7), 1);
    let waits = stage.once().await.unwrap().next.unwrap().duration_since(tanggap::runtime::Clock::now(&*w.clock));
    assert_eq!(waits, SignedDuration::from_secs(7));
    w.clock.advance(waits);
    w.press(CHAT, "x");
    assert_eq!(stage.once().await.unwrap().done, 1);
    assert_eq!(w.heard.count("are read again"), 1);
}

#[tokio::test]
async fn a_stop_ends_the_wait_for_presses_at_once_and_an_old_mark_is_not_used() {
    let mut w = World::sqlite().await;
    let mut stage = w.presses();
    let began = Instant::now();
    let stopping = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        w.stop.cancel();
    };
    let (tally, ()) = tokio::join!(stage.once(), stopping);
    assert_eq!(tally.unwrap(), tanggap::runtime::Tally::default());
    assert!(began.elapsed() < Duration::from_secs(3));

    // Telegram numbers updates anew after a week of silence: 101 is lower than what was seen
    w.stop = tokio_util::sync::CancellationToken::new();
    let mark = format!("5000 {}", w.now().ms());
    w.exec("INSERT INTO meta (key, value) VALUES ('telegram_offset 4711', $1)", vec![mark.into()]).await;
    w.clock.advance(SignedDuration::from_hours(7 * 24));
    w.press(CHAT, "x");
    assert_eq!(w.presses().once().await.unwrap().done, 1);
}
