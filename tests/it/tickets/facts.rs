//! The rows of a ledger as the reckoning wants them.

use jiff::{SignedDuration, Timestamp};
use tanggap::{
    domain::{Time, message::Tag, settings::Mentions, ticket::ActionKind},
    store::db::Row,
};

use super::{
    ledger::Ledger,
    story::{OWN, at},
};
use crate::reckoning::{self, Action, Facts, Message, Rules, What};

impl Ledger {
    /// What its rows say, for the reckoning.
    pub async fn facts(&self) -> Facts {
        let policy = |name: &str, urgent, seconds| reckoning::Policy {
            name: name.into(),
            urgent,
            respond_within_seconds: seconds,
            calendar: "always".into(),
            ..reckoning::Policy::default()
        };
        let mentions = match self.story.mentions {
            Mentions::Ask => reckoning::Mentions::Ask,
            Mentions::All => reckoning::Mentions::All,
            Mentions::None => reckoning::Mentions::None,
        };
        let rows = self
            .rows(
                "SELECT m.*, th.key AS thread, th.kind AS thread_kind, th.post_key, th.citizen_id FROM message m \
                 JOIN thread th ON th.id = m.thread_id",
            )
            .await;
        let acted = self
            .rows("SELECT a.*, k.author, th.key FROM action a JOIN ticket k ON k.id = a.ticket_id JOIN thread th ON th.id = k.thread_id")
            .await;
        Facts {
            now: self.now().timestamp(),
            opens_from: self.story.opens_from.map(|second| at(second).timestamp()),
            opd: "dindukcapil".into(),
            platform: if self.story.instagram { "instagram" } else { "facebook" }.into(),
            own: OWN.into(),
            rules: Rules {
                policies: vec![policy("darurat", Some(true), 60), policy("biasa", None, 300)],
                auto_reply_within_seconds: 10,
                mentions,
                ..Rules::default()
            },
            messages: rows.iter().map(|row| self.message(row)).collect(),
            actions: acted.iter().filter_map(action).collect(),
        }
    }

    fn message(&self, row: &Row) -> Message {
        let text = |name: &str| row.ot(name).unwrap();
        let yes = |name: &str| row.b(name).unwrap();
        let id = row.t("external_id").unwrap();
        let item = self.story.items.iter().find(|item| item.seen.external_id == id).unwrap();
        let place = item.place;
        let deleted_at = row.oat("deleted_at").unwrap();
        let reads = self.whole.get(&place).into_iter().flatten();
        let last = reads.filter(|read| deleted_at.is_some_and(|gone| **read < gone.minus(SignedDuration::from_millis(100)))).max();
        Message {
            thread: row.t("thread").unwrap(),
            kind: row.t("thread_kind").unwrap(),
            post: text("post_key"),
            government: text("government"),
            author: text("author_id").unwrap_or_default(),
            author_name: text("author_name"),
            author_username: text("author_username"),
            created_at: row.at("created_at").unwrap().timestamp(),
            seen_at: row.at("seen_at").unwrap().timestamp(),
            text: row.t("text").unwrap(),
            tags: row.json::<Vec<Tag>>("tags").unwrap().into_iter().map(tag).collect(),
            top_level: yes("top_level"),
            bare: yes("bare"),
            automatic: yes("automatic"),
            tags_own: yes("tags_own"),
            by_page: yes("by_page"),
            needs_answer: yes("needs_answer"),
            asked_at: when(row, "edited_at").filter(|_| !item.seen.needs_answer),
            asks: yes("asks"),
            urgent_at: when(row, "urgent_at"),
            hidden_at: when(row, "hidden_at"),
            deleted_at: deleted_at.map(Time::timestamp),
            shown_until: deleted_at.map(|_| last.map_or(Timestamp::UNIX_EPOCH, |last| last.timestamp())),
            private_reply: text("private_reply"),
            private_unseen_at: when(row, "private_unseen_at"),
            citizen: text("citizen_id"),
            id,
        }
    }
}

pub fn when(row: &Row, name: &str) -> Option<Timestamp> {
    row.oat(name).unwrap().map(Time::timestamp)
}

fn tag(tag: Tag) -> reckoning::Tag {
    reckoning::Tag { id: tag.id, name: tag.name.map(Into::into) }
}

fn action(row: &Row) -> Option<Action> {
    let what = match row.word("kind", ActionKind::from_word).unwrap() {
        ActionKind::Ack => What::Ack,
        ActionKind::Unack => What::Unack,
        ActionKind::Dismiss => What::Dismiss(row.t("text").unwrap()),
        ActionKind::Resolve => What::Resolve(row.t("text").unwrap()),
        ActionKind::Handover => What::Handover(row.t("text").unwrap()),
        ActionKind::Note | ActionKind::Assign => return None,
    };
    Some(Action { thread: row.t("key").unwrap(), author: row.t("author").unwrap(), at: row.at("at").unwrap().timestamp(), what })
}
