//! Token life on the simulated Graph API: where tokens come from, how they are examined, refreshed and replaced, and what is told.

mod world;

use std::collections::BTreeSet;

use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use tanggap::{
    demo::world::{Added, Citizen, Death, Fault, Scope},
    domain::Platform,
    runtime::{Clock as _, SystemClock},
    store::tokens::{self, Kept},
};

use self::world::World;
use crate::alert::world::on_both;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Pages of which the second one's Instagram account is read too, all without a token of their own; 120 more that are not configured.
fn sourced(w: &mut World) -> (Vec<Added>, String) {
    let (pages, instagram, token) = {
        let mut graph = w.simulator.world();
        let pages: Vec<Added> = (0..122).map(|n| graph.add_page(&format!("Dinas {n}"), &format!("dinas{n}"))).collect();
        let instagram = graph.add_instagram("Dinas 1", "dinas1", Some(&pages[1].id));
        let ids: Vec<&str> = pages.iter().map(|page| page.id.as_str()).collect();
        let token = graph.system_token(&ids);
        (pages, instagram, token)
    };
    w.source(&token);
    w.account("facebook", &pages[0], "");
    w.account("facebook", &pages[121], "");
    w.account("instagram", &instagram, &format!("page = \"{}\"", pages[1].id));
    (pages, token)
}

on_both! {
async fn page_tokens_come_out_of_a_source_through_every_page_of_its_list(w: &mut World) {
    sourced(w);
    w.start().await;
    assert_eq!(w.reasons().await, ["-"; 3]);
    assert_eq!((w.calls("accounts"), w.calls("assigned_pages")), (2, 0), "once for all accounts, in two pages of a hundred");
    assert!(w.texts("SELECT CAST(last_read_at AS TEXT) AS one FROM account WHERE last_read_at IS NOT NULL").await.len() == 3);
    assert!(w.texts("SELECT sealed AS one FROM token").await.is_empty(), "kept in memory only");
}

async fn a_system_users_pages_are_found_by_their_assignment_where_its_account_list_is_empty(w: &mut World) {
    w.simulator.world().manner.system_accounts = false;
    sourced(w);
    w.start().await;
    assert_eq!(w.reasons().await, ["-"; 3]);
    assert_eq!((w.calls("accounts"), w.calls("assigned_pages")), (1, 2));
}

async fn a_dead_page_token_is_fetched_anew_and_a_dead_sources_own_token_read_again(w: &mut World) {
    let (pages, source) = sourced(w);
    w.start().await;
    w.turn(2 * MINUTE).await;
    w.simulator.world().kill_token(&pages[0].id, Death::PasswordChanged);
    w.simulator.world().new_token(&pages[0].id);
    w.turn(6 * MINUTE).await;
    assert_eq!((w.reasons().await, w.alerts().await), (vec!["-".to_owned(); 3], vec![]), "within the same poll");

    // Now the system user's token dies too: what was fetched goes on, what dies afterwards is blind until a good one stands in the file.
    w.simulator.world().kill(&source, Death::AppRemoved);
    w.turn(6 * MINUTE).await;
    assert_eq!(w.reasons().await, ["-"; 3]);
    w.simulator.world().kill_token(&pages[0].id, Death::Revoked);
    w.simulator.world().new_token(&pages[0].id);
    w.turn(6 * MINUTE).await;
    assert!(w.reasons().await[0].starts_with("the token is invalid (code 190"), "{:?}", w.reasons().await);
    assert_eq!(w.alerts().await.len(), 1);
    let ids: Vec<&str> = pages.iter().map(|page| page.id.as_str()).collect();
    let fresh = w.simulator.world().system_token(&ids);
    w.file("source", &fresh);
    w.turn(15 * MINUTE).await;
    assert_eq!(w.reasons().await, ["-"; 3]);
    assert_eq!(w.alerts().await[1], "account.recovered ");
}

async fn an_account_no_source_knows_or_whose_source_is_dead_says_so(w: &mut World) {
    let (token, page) = {
        let mut graph = w.simulator.world();
        let page = graph.add_page("Dinas", "dinas");
        (graph.system_token(&[]), page)
    };
    w.source(&token);
    w.account("facebook", &page, "");
    w.start().await;
    assert_eq!(w.reasons().await, ["no token: give the account a `token`, or a [[graph.source]] that knows its Page"]);
    w.simulator.world().kill(&token, Death::RoleLost);
    w.turn(5 * MINUTE).await;
    let said = w.reasons().await.remove(0);
    assert!(said.starts_with("no Page token, since a [[graph.source]] can't be asked: the token's owner has no role on the Page"), "{said}");
    assert_eq!(w.alerts().await.len(), 1, "told once");
}

async fn a_dead_account_is_retried_ever_more_slowly_and_recovers_when_a_good_token_stands_in_its_file(w: &mut World) {
    let page = w.page("");
    w.start().await;
    assert_eq!(w.reasons().await, ["-"]);
    w.simulator.world().kill_token(&page.id, Death::PasswordChanged);
    w.turn(5 * MINUTE).await;
    let dead = "the token died with a change of password or a security reset (code 190, subcode 460, HTTP status 400";
    assert!(w.reasons().await[0].starts_with(dead), "{:?}", w.reasons().await);
    let mut pauses = BTreeSet::new();
    for _ in 0..200 {
        w.turn(SignedDuration::from_secs(30)).await;
        let row = &w.db.rows("SELECT next_poll_at - failing_since AS n, next_poll_at AS at FROM account", vec![]).await.unwrap()[0];
        pauses.insert(row.at("at").unwrap().since(w.now()).as_mins());
    }
    assert!(pauses.iter().max() <= Some(&15) && pauses.iter().max() >= Some(&14), "{pauses:?}");
    assert_eq!(w.alerts().await.len(), 1, "told once");

    let good = w.simulator.world().new_token(&page.id).unwrap();
    for half in ["", "\n", &page.token[..9]] {
        w.file("page", half);
        w.turn(16 * MINUTE).await;
        assert!(w.reasons().await[0].starts_with(dead), "half-written: {half:?}");
    }
    w.file("page", &good);
    w.turn(16 * MINUTE).await;
    assert_eq!(w.reasons().await, ["-"]);
    assert_eq!(w.alerts().await[1], "account.recovered ");
    assert_eq!(w.heard.count("token.renewed"), 1);
}

async fn a_users_token_where_a_pages_is_needed_is_told_at_once_and_nothing_is_read_with_it(w: &mut World) {
    let page = w.page("");
    let user = w.simulator.world().user_token(&[&page.id]);
    w.file("page", &user);
    w.start().await;
    let said = "a user token; a Page token is needed: with any other Meta answers with empty lists";
    assert_eq!((w.reasons().await, w.alerts().await), (vec![said.to_owned()], vec![format!("account.unhealthy {said}")]));
    assert_eq!((w.calls("feed"), w.calls("conversations")), (0, 0), "an empty list would be believed");
    w.file("page", &page.token);
    w.turn(15 * MINUTE).await;
    assert_eq!(w.reasons().await, ["-"]);
}

async fn a_users_token_that_takes_a_pages_place_makes_no_message_pass_for_gone(w: &mut World) {
    let page = w.page("");
    {
        let mut graph = w.simulator.world();
        let post = graph.post(&page.id, "Jadwal layanan").unwrap();
        graph.comment(&post, &Citizen::new(7, "Siti"), "Kapan KTP saya jadi?").unwrap();
    }
    w.start().await;
    assert_eq!(w.texts("SELECT text AS one FROM message").await, ["Kapan KTP saya jadi?"]);
    let user = w.simulator.world().user_token(&[&page.id]);
    w.file("page", &user);
    w.start().await;
    for _ in 0..4 {
        let mut tx = w.db.write().await.unwrap();
        tx.exec("UPDATE thread SET verify_at = $1, verify_tried_at = NULL", vec![w.now().into()]).await.unwrap();
        tx.commit().await.unwrap();
        w.simulator.world().clear_calls();
        w.turn(MINUTE).await;
        assert_eq!(w.calls("comments"), 0);
    }
    let missing = "SELECT text AS one FROM message WHERE missing_since IS NOT NULL OR deleted_at IS NOT NULL";
    assert!(w.texts(missing).await.is_empty());
    w.file("page", &page.token);
    w.turn(15 * MINUTE).await;
    assert!(w.calls("comments") > 0, "the thread is read as soon as the token is right");
}

async fn check_tells_of_every_token_that_the_daemon_would_use(w: &mut World) {
    w.clock.set(SystemClock.now());
    sourced(w);
    let instagram = w.instagram();
    w.start().await;
    w.days(1).await;
    w.simulator.world().kill(&instagram.token, Death::Expired);
    let said = w.check().await;
    let good = said.iter().filter(|line| line.contains("its token: PAGE, expires")).count();
    assert_eq!((good, said.len()), (3, 7), "{said:#?}");
    assert!(said.contains(&format!("instagram {} (opd-{}): dinhub", instagram.id, instagram.id)), "{said:#?}");
    w.page("");
    let user = w.simulator.world().user_token(&[]);
    w.file("page", &user);
    let said = w.check().await.pop().unwrap();
    assert!(said.contains("FAILED a user token; a Page token is needed"), "{said}");
}

async fn a_permission_that_vanished_is_named_and_the_other_sources_are_read_all_the_same(w: &mut World) {
    let page = w.page("");
    w.simulator.world().revoke_scope(&page.id, "pages_manage_metadata");
    w.start().await;
    assert_eq!(w.reasons().await, ["the token lacks pages_manage_metadata"]);
    assert_eq!(w.alerts().await, ["account.unhealthy the token lacks pages_manage_metadata"]);
    assert_eq!(w.texts("SELECT name AS one FROM source WHERE last_read_at IS NOT NULL ORDER BY name").await, ["comments", "mentions", "messages", "posts"]);
    w.simulator.world().grant_scope(&page.id, "pages_manage_metadata");
    w.turn(15 * MINUTE).await;
    assert_eq!((w.reasons().await, w.alerts().await.len()), (vec!["-".to_owned()], 2));
}

async fn an_end_is_told_twenty_ten_and_three_days_before_once_each_and_anew_for_a_new_token(w: &mut World) {
    let page = w.page("");
    let ends = w.now().plus(SignedDuration::from_hours(30 * 24 + 1));
    w.simulator.world().expire_token(&page.id, ends.timestamp());
    w.start().await;
    assert_eq!(w.texts("SELECT CAST(token_expires_at AS TEXT) AS one FROM account").await, [ends.ms().to_string()]);
    let mut told = Vec::new();
    for day in 1..=29 {
        w.days(1).await;
        if w.alerts().await.len() > told.len() {
            told.push(30 - day);
        }
    }
    assert_eq!(told, [19, 9, 2]);
    assert_eq!(w.alerts().await, vec![format!("token.expiring {}", ends.rfc3339()); 3]);
    assert_eq!(w.heard.count("token.expiring"), 3);
    assert_eq!(w.calls("debug_token"), 30, "at the first poll and daily");

    // The token dies of age; its successor has another end, of which everything is told again.
    w.simulator.world().new_token(&page.id);
    let next = w.simulator.world().page_token(&page.id).unwrap().text.clone();
    let later = w.now().plus(SignedDuration::from_hours(12 * 24));
    w.simulator.world().kill(&page.token, Death::Expired);
    w.simulator.world().expire_token(&page.id, later.timestamp());
    w.file("page", &next);
    w.turn(15 * MINUTE).await;
    assert_eq!((w.reasons().await, w.alerts().await.pop()), (vec!["-".to_owned()], Some(format!("token.expiring {}", later.rfc3339()))));
}

async fn access_to_data_that_lapses_is_warned_of_though_the_token_has_no_end(w: &mut World) {
    let page = w.page("");
    let ends = w.now().plus(SignedDuration::from_hours(90 * 24));
    w.start().await;
    assert_eq!(w.texts("SELECT CAST(token_expires_at AS TEXT) AS one FROM account").await, [ends.ms().to_string()]);
    w.days(71).await;
    assert_eq!(w.alerts().await, [format!("token.expiring {}", ends.rfc3339())]);
    w.days(20).await;
    let said = w.reasons().await.remove(0);
    assert_eq!(said, "access to data lapsed: the person behind the token must log in again");
    assert!(w.simulator.world().token(&page.token).unwrap().death(w.now().timestamp()).is_none());
}

async fn an_instagram_token_is_refreshed_weekly_and_kept_only_sealed(w: &mut World) {
    let account = w.instagram();
    w.start().await;
    assert_eq!((w.reasons().await, w.calls("refresh_access_token")), (vec!["-".to_owned()], 0));
    w.simulator.world().fail_next(Scope::Path("refresh_access_token".into()), Fault::Error(400, 100, None), 1);
    w.days(1).await;
    assert_eq!(w.heard.count("token.unrefreshed"), 1);
    w.turn(5 * MINUTE).await;
    assert_eq!(w.calls("refresh_access_token"), 1, "a failed refresh waits a day");
    w.days(1).await;
    let kept = tokens::kept(&w.db, Platform::Instagram, &account.id).await.unwrap().unwrap();
    assert_eq!(kept.expires_at, kept.issued_at.plus(SignedDuration::from_hours(60 * 24)));
    w.days(20).await;
    assert_eq!(w.calls("refresh_access_token"), 4, "then weekly");
    assert_eq!(w.simulator.world().tokens().count(), 4);

    // Only the newest lives on, in the database alone: a restart goes on with it.
    let texts: Vec<String> = {
        let graph = w.simulator.world();
        let newest = graph.tokens().max_by_key(|token| token.issued).unwrap().text.clone();
        graph.tokens().map(|token| token.text.clone()).filter(|text| *text != newest).collect()
    };
    for text in &texts {
        w.simulator.world().kill(text, Death::Expired);
    }
    w.start().await;
    w.turn(5 * MINUTE).await;
    assert_eq!((w.reasons().await, w.alerts().await), (vec!["-".to_owned()], vec![]));
    let ends = tokens::kept(&w.db, Platform::Instagram, &account.id).await.unwrap().unwrap().expires_at;
    assert_eq!(w.texts("SELECT CAST(token_expires_at AS TEXT) AS one FROM account").await, [ends.ms().to_string()]);
}

async fn a_newly_configured_instagram_token_wins_over_the_refreshed_one(w: &mut World) {
    let account = w.instagram();
    w.start().await;
    w.days(1).await;
    w.simulator.world().kill_token(&account.id, Death::PasswordChanged);
    w.turn(5 * MINUTE).await;
    assert_eq!(w.alerts().await.len(), 1);
    let fresh = w.simulator.world().new_token(&account.id).unwrap();
    w.file("instagram", &fresh);
    w.turn(15 * MINUTE).await;
    assert_eq!((w.reasons().await, w.alerts().await.len()), (vec!["-".to_owned()], 2));
    let before = tokens::kept(&w.db, Platform::Instagram, &account.id).await.unwrap().unwrap();
    w.days(2).await;
    let after = tokens::kept(&w.db, Platform::Instagram, &account.id).await.unwrap().unwrap();
    assert_ne!(before.origin, after.origin, "what is kept descends from the new one");
}

async fn a_refreshed_token_that_died_hides_the_configured_one_no_longer(w: &mut World) {
    // as out of an old copy of the database
    w.instagram();
    w.start().await;
    w.days(1).await;
    let newest = w.simulator.world().tokens().max_by_key(|token| token.issued).unwrap().text.clone();
    w.simulator.world().kill(&newest, Death::PasswordChanged);
    w.turn(5 * MINUTE).await;
    assert_eq!((w.reasons().await, w.alerts().await), (vec!["-".to_owned()], vec![]), "within the same poll");
    w.start().await;
    w.turn(5 * MINUTE).await;
    assert_eq!(w.reasons().await, ["-"], "after a restart too");
    w.days(2).await;
    assert_eq!(w.simulator.world().tokens().count(), 3, "and the configured one is refreshed anew");
}

async fn a_token_sealed_under_another_key_is_not_used_and_the_configured_one_is(w: &mut World) {
    w.instagram();
    w.start().await;
    w.days(1).await;
    assert_eq!(w.simulator.world().tokens().count(), 2);
    w.file("token-key", "another key of this site");
    w.start().await;
    w.turn(5 * MINUTE).await;
    assert_eq!(w.reasons().await, ["-"]);
    assert!(w.heard.count("can't be opened with this secrets.key") > 0);
}

async fn another_version_that_answers_is_said_once(w: &mut World) {
    w.page("");
    w.simulator.world().manner.served_version = Some("v26.0".into());
    w.start().await;
    w.turn(5 * MINUTE).await;
    assert_eq!(w.heard.count("graph.version"), 1);
    assert!(w.heard.text().contains("v25.0") && w.heard.text().contains("v26.0"));
}

async fn a_kept_token_takes_the_place_of_the_former_one_of_its_account(w: &mut World) {
    let account = w.instagram();
    w.start().await;
    let id = tanggap::domain::AccountId(w.db.rows("SELECT id AS n FROM account", vec![]).await.unwrap()[0].i("n").unwrap());
    assert_eq!(tokens::kept(&w.db, Platform::Instagram, &account.id).await.unwrap(), None);
    let one = Kept { sealed: "AAAA".into(), origin: "a".into(), issued_at: w.now(), expires_at: w.now().plus(MINUTE) };
    let two = Kept { sealed: "BBBB".into(), expires_at: w.now().plus(2 * MINUTE), ..one.clone() };
    for kept in [one, two] {
        tokens::keep(&w.db, id, &kept).await.unwrap();
        assert_eq!(tokens::kept(&w.db, Platform::Instagram, &account.id).await.unwrap(), Some(kept));
    }
    assert_eq!(tokens::kept(&w.db, Platform::Facebook, &account.id).await.unwrap(), None);
}
}

#[test]
fn what_the_graph_answers_of_tokens_prints_without_them() {
    let page: tanggap::graph::wire::account::Page = serde_json::from_str(r#"{"id": "101", "access_token": "EAAsecret"}"#).unwrap();
    assert!(!format!("{page:?}").contains("EAAsecret"));
    assert_eq!(page.access_token.unwrap().expose_secret(), "EAAsecret");
}
