//! The listings and the record of staff actions mean the same on SQLite and PostgreSQL.

use serde_json::{json, to_value};
use tanggap::{
    domain::{Direction, Kind, Platform, Scope, TicketId, TicketState, Time, ticket::ActionKind},
    store::{
        actions::{self, ActionError},
        listing::{self, MessageFilter, MessagePages, TicketFilter},
    },
};

use super::world::{at, both, message, write};

#[tokio::test]
async fn every_listing_is_the_same_on_both() {
    let (world, postgres) = both().await;
    let filters = [
        TicketFilter::default(),
        TicketFilter { state: Some(TicketState::Open), limit: Some(2), ..TicketFilter::default() },
        TicketFilter { overdue_at: Some(at("2026-11-24T00:00:00Z")), ..TicketFilter::default() },
        TicketFilter {
            opd: Some("dindukcapil".into()),
            platform: Some(Platform::Facebook),
            kind: Some(Kind::Comment),
            ..TicketFilter::default()
        },
    ];
    for (filter, count) in filters.iter().zip([4, 2, 1, 2]) {
        let here = listing::tickets(&world.db, &Scope::ALL, filter).await.unwrap();
        assert_eq!(here.len(), count, "{filter:?}");
        assert_eq!(here, listing::tickets(&postgres, &Scope::ALL, filter).await.unwrap(), "{filter:?}");
    }
    for id in [1, 2, 3, 4, 99].map(TicketId) {
        assert_eq!(listing::ticket(&world.db, &Scope::ALL, id).await.unwrap(), listing::ticket(&postgres, &Scope::ALL, id).await.unwrap());
        assert_eq!(
            listing::history(&world.db, &Scope::ALL, id).await.unwrap(),
            listing::history(&postgres, &Scope::ALL, id).await.unwrap()
        );
        assert_eq!(listing::events(&world.db, &Scope::ALL, id).await.unwrap(), listing::events(&postgres, &Scope::ALL, id).await.unwrap());
        assert_eq!(listing::alerts(&world.db, &Scope::ALL, id).await.unwrap(), listing::alerts(&postgres, &Scope::ALL, id).await.unwrap());
    }
    let now = at("2026-11-24T06:00:00Z");
    assert_eq!(
        listing::accounts(&world.db, &Scope::ALL, now).await.unwrap(),
        listing::accounts(&postgres, &Scope::ALL, now).await.unwrap()
    );
}

#[tokio::test]
async fn pages_of_messages_leave_nothing_out_where_many_were_written_in_one_second() {
    let (world, postgres) = both().await;
    for db in [&world.db, &postgres] {
        write(
            db,
            "INSERT INTO message (id, account_id, thread_id, object, key, external_id, kind, direction, top_level, text, attachments, tags,
             created_at, seen_at, hidden, automatic, needs_answer, asks, urgent, bare, tags_own, by_page)
             WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 2200)
             SELECT i, 2, 2, 'message', CAST(i AS TEXT), CAST(i AS TEXT), 'message', 'in', 0, 'sama', '[]', '[]',
             1795489200000, 1795489200000, 0, 0, 1, 0, 0, 0, 0, 0 FROM n",
            vec![],
        )
        .await;
        message(db, 9000, 2, "out", (None, None), "jawaban", "2026-11-24T03:00:00Z").await;
        let filter = MessageFilter {
            since: Some(at("2026-11-24T03:00:00Z")),
            account: Some("17841400000000001".into()),
            direction: Some(Direction::In),
            ..MessageFilter::default()
        };
        let (mut pages, mut seen) = (MessagePages::new(db, &Scope::ALL, filter), std::collections::BTreeSet::new());
        loop {
            let page = pages.next().await.unwrap();
            if page.is_empty() {
                break;
            }
            assert!(page.len() <= 500);
            seen.extend(page.into_iter().map(|message| message.external_id));
        }
        assert_eq!(seen.len(), 1201);
    }
}

#[tokio::test]
async fn an_action_stays_pending_until_it_is_applied_and_none_is_half_recorded() {
    let (world, postgres) = both().await;
    let now = Time::parse("2026-11-24T05:00:00Z").unwrap();
    for db in [&world.db, &postgres] {
        let (open, answered, unknown) = (TicketId(1), TicketId(3), TicketId(99));
        let refused = actions::record(db, &Scope::ALL, &[open, answered], (ActionKind::Ack, ""), "Budi", now).await;
        assert!(matches!(refused, Err(ActionError::Closed(tickets)) if tickets == [(answered, TicketState::Answered)]));
        let refused = actions::record(db, &Scope::ALL, &[open, unknown], (ActionKind::Note, "x"), "Budi", now).await;
        assert!(matches!(refused, Err(ActionError::Unknown(tickets)) if tickets == [unknown]));
        assert_eq!(to_value(listing::actions(db, &Scope::ALL, open).await.unwrap()).unwrap(), json!([]));

        let ids = actions::record(db, &Scope::ALL, &[open, answered], (ActionKind::Note, "x"), "Budi", now).await.unwrap();
        write(db, "UPDATE action SET applied_at = at WHERE ticket_id = 1", vec![]).await;
        assert!(actions::applied(db, &ids[..1]).await.unwrap() && !actions::applied(db, &ids).await.unwrap());
        let of = async |ticket| to_value(listing::actions(db, &Scope::ALL, ticket).await.unwrap()).unwrap();
        let note =
            |applied_at| json!([{"kind": "note", "by": "Budi", "at": "2026-11-24T05:00:00Z", "text": "x", "applied_at": applied_at}]);
        assert_eq!((of(open).await, of(answered).await), (note(Some("2026-11-24T05:00:00Z")), note(None)));
    }
}

#[tokio::test]
async fn a_post_of_another_account_with_the_same_last_digits_is_not_meant() {
    let (world, postgres) = both().await;
    for db in [&world.db, &postgres] {
        write(db, "INSERT INTO thread (id, account_id, kind, key, name, post_key) VALUES (9, 2, 'comment', '80', '80', '9')", vec![]).await;
        message(db, 80, 9, "in", (Some("7"), None), "Halo?", "2026-11-24T04:00:00Z").await;
        super::world::ticket(db, 9, 80, "7", "open", "2996-11-24T06:00:00Z").await;
        let of = async |post| actions::targets_of_post(db, post).await.unwrap().into_iter().map(|id| id.0).collect::<Vec<_>>();
        assert_eq!(of("101000000000001_9").await, [1, 4]);
        assert_eq!(of("17841400000000001_9").await, [9]);
        assert_eq!(of("9").await, [1, 4, 9]);
        assert_eq!(actions::targets_of_author(db, "9001").await.unwrap(), [TicketId(1)]);
    }
}
