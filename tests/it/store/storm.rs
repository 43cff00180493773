//! More than half of the accounts fail within ten minutes for one cause: one alert and one recovery for the site replace theirs.

use tanggap::{
    domain::{Platform, alert::AlertKind},
    store::{
        accounts::{self, Outcome},
        leases,
    },
};

use super::world::{World, at};
use crate::alert::world::on_both;

const LINK: &str = "could not connect";
const TOKEN: &str = "the token is no longer valid (code 190, HTTP status 400)";
const TOLD: &str = "SELECT kind || ' ' || COALESCE((SELECT external_id FROM account WHERE account.id = account_id), 'site') || ' ' || COALESCE(cause, '') AS t
    FROM alert ORDER BY id";

/// The account is polled at that second; it has failed since then, for that reason, or is well again.
async fn polled(w: &World, id: &str, second: i64, fails: Option<(&str, i64)>) {
    w.exec("UPDATE account SET next_poll_at = $1 WHERE external_id <> $2", vec![at(1_000_000).into(), id.into()]).await;
    w.exec("UPDATE account SET next_poll_at = 0 WHERE external_id = $1", vec![id.into()]).await;
    let account = accounts::claim(&w.db, "w1", at(second), at(second + 600), 1).await.unwrap().remove(0);
    let long = fails.is_some_and(|(_, since)| second - since >= 900);
    let tell = match fails {
        Some(_) => (long && account.told_at.is_none()).then_some(AlertKind::Unhealthy),
        None => account.told_at.is_some().then_some(AlertKind::Recovered),
    };
    let outcome = Outcome {
        began_at: at(second),
        next_poll_at: at(second + 900),
        error: fails.map(|(reason, _)| reason.to_owned()),
        read: fails.is_none(),
        failures: fails.map_or(0, |_| account.failures + 1),
        failing_since: fails.map(|(_, since)| at(since)),
        tell,
        token_expires_at: None,
        expiring: false,
        name: None,
        username: None,
        memo: "{}".into(),
    };
    accounts::finish(&w.db, &account, &outcome, at(second)).await.unwrap();
}

async fn five(w: &World) {
    let list = ["1", "2", "3", "4", "5"].map(|id| (Platform::Facebook, id.to_owned(), "dinhub".to_owned()));
    accounts::sync(&w.db, &list, at(0)).await.unwrap();
}

on_both! {
async fn three_of_five_accounts_that_fail_for_one_cause_are_one_alert_and_one_recovery(w: &mut World) {
    five(w).await;
    for id in ["1", "2", "3"] {
        polled(w, id, 100, Some((LINK, 100))).await;
    }
    for id in ["1", "2", "3"] {
        polled(w, id, 1_000, Some((LINK, 100))).await;
    }
    assert_eq!(w.texts(TOLD).await, ["account.unhealthy site trouble"], "one alert");
    polled(w, "4", 1_100, Some((LINK, 200))).await;
    polled(w, "4", 1_200, Some((LINK, 200))).await;
    assert_eq!(w.texts(TOLD).await.len(), 1, "one that joins later is told of already");
    let pause = w.db.rows("SELECT next_poll_at AS n FROM account WHERE external_id = '4'", vec![]).await.unwrap()[0].i("n").unwrap();
    assert_eq!(pause, at(1_260).ms(), "the link is tried once a minute");
    polled(w, "1", 2_000, None).await;
    assert_eq!(w.texts(TOLD).await.len(), 1, "three of five still fail");
    let waits = "SELECT external_id AS t FROM account WHERE failures > 0 AND next_poll_at <= $1 ORDER BY external_id";
    let due: Vec<String> = w.db.rows(waits, vec![at(2_000).into()]).await.unwrap().iter().map(|row| row.t("t").unwrap()).collect();
    assert_eq!(due, ["2", "3", "4"], "the others need not wait out their pauses");
    polled(w, "2", 2_001, None).await;
    assert_eq!(w.texts(TOLD).await, ["account.unhealthy site trouble", "account.recovered site trouble"]);
    polled(w, "3", 2_002, None).await;
    polled(w, "4", 2_003, Some((LINK, 200))).await;
    let told = w.texts(TOLD).await;
    assert_eq!(told[2..], ["account.unhealthy 4 trouble"], "who goes on failing is told of alone");
    polled(w, "4", 3_000, None).await;
    assert_eq!(w.texts(TOLD).await[3..], ["account.recovered 4 "]);
}

async fn two_of_five_or_three_for_different_causes_or_at_different_times_are_told_of_alone(w: &mut World) {
    five(w).await;
    for (id, reason, since) in [("1", LINK, 100), ("2", LINK, 100), ("3", TOKEN, 100), ("4", LINK, 900)] {
        polled(w, id, since, Some((reason, since))).await;
    }
    for (id, reason, since) in [("1", LINK, 100), ("2", LINK, 100), ("3", TOKEN, 100), ("4", LINK, 900)] {
        polled(w, id, 2_000, Some((reason, since))).await;
    }
    let own = ["1 trouble", "2 trouble", "3 token", "4 trouble"].map(|one| format!("account.unhealthy {one}"));
    assert_eq!(w.texts(TOLD).await, own);
    for id in ["1", "2", "3", "4"] {
        polled(w, id, 3_000, None).await;
    }
    assert_eq!(w.texts(TOLD).await[4..], ["1", "2", "3", "4"].map(|id| format!("account.recovered {id} ")));
}
async fn a_worker_lets_go_of_its_own_accounts_and_letters_alone_but_of_no_whatsapp_message(w: &mut World) {
    five(w).await;
    accounts::claim(&w.db, "w1", at(0), at(600), 2).await.unwrap();
    accounts::claim(&w.db, "w2", at(0), at(600), 1).await.unwrap();
    for (id, channel, owner) in [(1_i64, "smtp", "w1"), (2, "whatsapp", "w1"), (3, "smtp", "w2")] {
        w.exec(
            "INSERT INTO letter (id, key, channel, address, official, payload, state, attempts, created_at, lease_owner, lease_until)
             VALUES ($1, CAST($1 AS TEXT), $2, '', '', '', 'pending', 0, 0, $3, $4)",
            vec![id.into(), channel.into(), owner.into(), at(600).into()],
        )
        .await;
    }
    let held = "SELECT lease_owner || ' account' AS t FROM account WHERE lease_until > 0
         UNION ALL SELECT lease_owner || ' ' || channel AS t FROM letter WHERE lease_until > 0 ORDER BY 1";
    assert_eq!(w.texts(held).await, ["w1 account", "w1 account", "w1 smtp", "w1 whatsapp", "w2 account", "w2 smtp"]);
    leases::free_accounts(&w.db, "w1", at(1)).await.unwrap();
    assert_eq!(w.texts(held).await, ["w1 smtp", "w1 whatsapp", "w2 account", "w2 smtp"]);
    leases::free_letters(&w.db, "w1", at(1)).await.unwrap();
    assert_eq!(w.texts(held).await, ["w1 whatsapp", "w2 account", "w2 smtp"]);
    leases::free_accounts(&w.db, "w2", at(1)).await.unwrap();
}
}
