//! The end of Meta's window for direct answers, from the citizen's message to the letter.

use std::sync::Arc;

use jiff::SignedDuration;
use tanggap::domain::{Direction, message::Seen, settings::Settings};

use super::world::World;
use crate::{alert::world::on_both, store::world::direct};

impl World {
    /// The citizen writes privately, now.
    async fn writes(&self, id: &str) {
        self.take(vec![Seen { created_at: self.now(), ..direct(id, Direction::In, 0) }]).await;
        self.judge().await;
    }

    /// Deliveries of window warnings, and of answers.
    async fn window(&self) -> Vec<String> {
        self.texts(
            "SELECT official || ' ' || kind || ' ' || state || COALESCE(' ' || reason, '') AS t FROM delivery
             WHERE kind IN ('ticket.window_closing', 'ticket.answered') ORDER BY id",
        )
        .await
    }
}

on_both! {
    async fn it_is_told_once_a_window_in_the_log_and_in_a_letter_that_says_until_when(w: &mut World) {
        let mut settings: Settings = (*w.settings).clone();
        settings.sla.window_warning = true;
        w.settings = Arc::new(settings);
        w.writes("m_1").await;
        w.pass(SignedDuration::from_hours(22)).await;
        assert_eq!(w.window().await, [""; 0]);
        w.pass(SignedDuration::from_mins(61)).await;
        w.pass(SignedDuration::from_mins(1)).await;
        let told = ["kepala-dinhub ticket.window_closing delivered", "sekda ticket.window_closing delivered"];
        assert_eq!(w.window().await, told);
        let log = w.heard.text();
        assert_eq!(log.matches("event=\"ticket.window_closing\"").count(), 1, "{log}");
        let mails = w.mails.captured();
        let mail = mails.last().unwrap().raw.replace("=\r\n", "");
        assert!(mail.contains("sebentar lagi tidak dapat dibalas langsung"), "{mail}");
        assert!(mail.contains("; dapat dibalas langsung sampai Rabu, 25 November 2026") && mail.contains("#T1-W"), "{mail}");
        w.writes("m_2").await;
        w.pass(SignedDuration::from_hours(23)).await;
        assert_eq!(w.window().await.len(), 4, "a newer window");
    }

    async fn a_warning_held_back_is_dropped_where_the_window_ended_or_began_anew(w: &mut World) {
        let mut settings: Settings = (*w.settings).clone();
        settings.sla.window_warning = true;
        for official in &mut settings.officials {
            official.digest = Some("07:00:00".parse().unwrap());
        }
        w.settings = Arc::new(settings);
        w.writes("m_1").await;
        w.pass(SignedDuration::from_mins(23 * 60 + 1)).await;
        assert_eq!(w.window().await.len(), 2);
        w.writes("m_2").await;
        w.pass(SignedDuration::from_mins(1)).await;
        let dropped = ["kepala-dinhub ticket.window_closing dropped window over", "sekda ticket.window_closing dropped window over"];
        assert_eq!(w.window().await, dropped, "the citizen wrote again");
        w.pass(SignedDuration::from_mins(23 * 60)).await;
        assert_eq!(w.window().await.len(), 4);
        w.pass(SignedDuration::from_hours(1)).await;
        assert_eq!(w.window().await[2..], dropped, "it is over");
    }
}
