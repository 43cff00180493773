//! Accounts: taken by one worker at a time, written by the fence, verified when wanted.

use std::collections::{HashMap, HashSet};

use jiff::SignedDuration;
use tanggap::{
    domain::{
        AccountId, Direction, Kind, Object, Platform, Source, Time,
        alert::AlertKind,
        message::{Author, Post, PostAuthor, Seen},
    },
    store::{
        StoreError,
        accounts::{self, Leased, Outcome},
        intake, sources,
    },
};
use tokio::task::JoinSet;

use super::world::{World, at, batch, comment, direct};
use crate::alert::world::on_both;

fn spec(id: &str) -> (Platform, String, String) {
    (Platform::Facebook, id.into(), "dinhub".into())
}

fn outcome(next: Time) -> Outcome {
    Outcome {
        began_at: at(0),
        next_poll_at: next,
        error: None,
        read: true,
        failures: 0,
        failing_since: None,
        tell: None,
        token_expires_at: None,
        expiring: false,
        name: None,
        username: None,
        memo: "{}".into(),
    }
}

async fn claim(w: &World, seconds: i64, limit: u32) -> Vec<Leased> {
    accounts::claim(&w.db, "w1", at(seconds), at(seconds + 600), limit).await.unwrap()
}

fn ids(leased: &[Leased]) -> Vec<&str> {
    leased.iter().map(|account| account.external_id.as_str()).collect()
}

/// Everything of the account that a result may write.
const WRITTEN: &str = "SELECT COALESCE(reason, '') || ' ' || CAST(failures AS TEXT) || ' ' || memo || ' ' || COALESCE(name, '') || ' '
    || COALESCE(CAST(last_read_at AS TEXT), '') || ' ' || CAST(healthy AS TEXT) || ' ' || COALESCE(CAST(told_at AS TEXT), '') AS t FROM account ORDER BY id";

on_both! {
async fn the_configuration_decides_which_accounts_are_read_and_each_keeps_its_number(w: &mut World) {
    accounts::sync(&w.db, &[spec("1"), spec("2")], at(0)).await.unwrap();
    let known = "SELECT CAST(id AS TEXT) || external_id || opd || CAST(active AS TEXT) AS t FROM account ORDER BY external_id";
    let before = w.texts(known).await;
    accounts::sync(&w.db, &[spec("1"), spec("2")], at(60)).await.unwrap();
    assert_eq!(w.texts(known).await, before);
    assert_eq!(w.number("SELECT MAX(next_poll_at) AS n FROM account").await, Some(at(0).ms()), "a poll that is due stays due");
    accounts::sync(&w.db, &[spec("2")], at(60)).await.unwrap();
    assert_eq!(ids(&claim(w, 60, 9).await), ["2"]);
    assert_eq!(accounts::health(&w.db, at(60)).await.unwrap(), [("2".to_owned(), true, None)]);
    accounts::sync(&w.db, &[spec("1"), spec("2")], at(120)).await.unwrap();
    assert_eq!(w.texts(known).await, before);
    assert_eq!(claim(w, 120, 9).await.len(), 2, "a start takes over what a dead worker held");
}

async fn a_hurried_account_is_due_at_once_but_no_more_than_once_a_second_and_not_while_its_polls_fail(w: &mut World) {
    accounts::sync(&w.db, &["a", "b", "c"].map(spec), at(0)).await.unwrap();
    let hurry = async |ids: &[&str], seconds| accounts::hurry(&w.db, Platform::Facebook, ids, at(seconds)).await.unwrap();
    let due = async || w.texts("SELECT external_id || CAST((next_poll_at - CAST(1795485600000 AS BIGINT)) AS TEXT) AS t FROM account ORDER BY external_id").await;
    w.exec("UPDATE account SET next_poll_at = $1", vec![at(900).into()]).await;
    w.exec("UPDATE account SET failures = 1 WHERE external_id = 'c'", vec![]).await;
    assert!(!hurry(&["nobody", "c"], 10).await, "who fails keeps the pause, and strangers are nobody's");
    assert!(!accounts::hurry(&w.db, Platform::Instagram, &["a"], at(10)).await.unwrap());
    assert!(hurry(&["b", "a", "c", "nobody"], 10).await);
    assert_eq!(due().await, ["a10000", "b10000", "c900000"]);
    assert!(!hurry(&["a"], 10).await, "it is due already");
    let leased = claim(w, 10, 9).await;
    let one = leased.iter().find(|account| account.external_id == "a").unwrap();
    accounts::finish(&w.db, one, &Outcome { began_at: at(10), ..outcome(at(900)) }, at(10)).await.unwrap();
    assert!(hurry(&["a"], 10).await);
    assert_eq!(due().await[0], "a11000", "a second after the last read");
    assert!(!hurry(&["a"], 10).await, "once is enough");
    assert_eq!(accounts::number(&w.db, Platform::Facebook, "a").await.unwrap(), Some(one.id));
    assert_eq!(accounts::number(&w.db, Platform::Instagram, "a").await.unwrap(), None);
}

async fn a_clock_set_back_makes_due_what_was_planned_by_it_but_for_accounts_whose_polls_fail(w: &mut World) {
    accounts::sync(&w.db, &["a", "b", "c"].map(spec), at(0)).await.unwrap();
    w.exec("UPDATE account SET next_poll_at = $1 WHERE external_id <> 'b'", vec![at(3660).into()]).await;
    w.exec("UPDATE account SET failures = 1 WHERE external_id = 'c'", vec![]).await;
    accounts::clock_set_back(&w.db, at(60)).await.unwrap();
    let due = w.texts("SELECT external_id || CAST((next_poll_at - CAST(1795485600000 AS BIGINT)) AS TEXT) AS t FROM account ORDER BY external_id").await;
    assert_eq!(due, ["a60000", "b0", "c3660000"]);
}

async fn an_account_hurried_while_a_poll_holds_it_is_polled_once_more_unless_that_poll_failed(w: &mut World) {
    accounts::sync(&w.db, &["a", "b"].map(spec), at(0)).await.unwrap();
    let [a, b] = claim(w, 0, 2).await.try_into().unwrap();
    assert!(accounts::hurry(&w.db, Platform::Facebook, &["a", "b"], at(5)).await.unwrap());
    accounts::finish(&w.db, &a, &Outcome { began_at: at(0), ..outcome(at(900)) }, at(6)).await.unwrap();
    let failed = Outcome { began_at: at(0), error: Some("too many calls".into()), failures: 1, ..outcome(at(900)) };
    accounts::finish(&w.db, &b, &failed, at(6)).await.unwrap();
    assert_eq!(ids(&claim(w, 6, 9).await), [a.external_id.as_str()], "a limit is not met twice for a webhook's sake");
    assert!(claim(w, 899, 9).await.iter().all(|account| account.external_id == a.external_id));
}

async fn a_claim_takes_what_is_due_in_order_and_no_more_than_it_asks_for(w: &mut World) {
    accounts::sync(&w.db, &["a", "b", "c", "d"].map(spec), at(0)).await.unwrap();
    for (id, seconds) in [("a", 30), ("b", 10), ("c", 20), ("d", 99)] {
        w.exec("UPDATE account SET next_poll_at = $2 WHERE external_id = $1", vec![id.into(), at(seconds).into()]).await;
    }
    assert_eq!(accounts::next_poll(&w.db).await.unwrap(), Some(at(10)));
    assert!(claim(w, 9, 9).await.is_empty());
    let mut first = claim(w, 50, 2).await;
    first.sort_by(|a, b| a.external_id.cmp(&b.external_id));
    assert_eq!(ids(&first), ["b", "c"]);
    assert_eq!(accounts::next_poll(&w.db).await.unwrap(), Some(at(30)));
    assert_eq!(ids(&claim(w, 50, 9).await), ["a"]);
    assert!(claim(w, 50, 9).await.is_empty(), "a lease excludes others");
    assert_eq!(claim(w, 650, 9).await.len(), 4, "leases that ran out are taken again");
}

async fn eight_claimants_at_once_never_get_one_account_twice(w: &mut World) {
    let list: Vec<_> = (0..96).map(|n| spec(&format!("{n}"))).collect();
    accounts::sync(&w.db, &list, at(0)).await.unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let db = w.db.clone();
        tasks.spawn(async move {
            let mut got = Vec::new();
            loop {
                let some = accounts::claim(&db, &format!("w{task}"), at(0), at(600), 5).await.unwrap();
                assert!(some.len() <= 5);
                if some.is_empty() {
                    return got;
                }
                got.extend(some);
            }
        });
    }
    let mut leased: Vec<Leased> = tasks.join_all().await.into_iter().flatten().collect();
    leased.extend(claim(w, 0, 96).await); // what a claimant skipped because another was just taking it
    assert_eq!((leased.len(), leased.iter().map(|account| account.id).collect::<HashSet<_>>().len()), (96, 96));
    assert!(leased.iter().all(|account| account.fence == 1));
}

async fn a_result_under_an_old_fence_is_refused_and_writes_nothing(w: &mut World) {
    w.accounts().await;
    let old = claim(w, 0, 1).await.remove(0);
    let new = claim(w, 600, 2).await.into_iter().find(|account| account.id == old.id).unwrap();
    assert_eq!(new.fence, old.fence + 1);
    let before = w.texts(WRITTEN).await;
    let late = Outcome { error: Some("late".into()), failures: 7, tell: Some(AlertKind::Unhealthy), name: Some("x".into()), ..outcome(at(9)) };
    assert!(matches!(accounts::finish(&w.db, &old, &late, at(601)).await, Err(StoreError::Fenced)));
    assert_eq!((w.texts(WRITTEN).await, w.number("SELECT COUNT(*) AS n FROM alert").await), (before, Some(0)));
    assert_eq!(claim(w, 601, 9).await.len(), 0, "the other's lease stands");
    accounts::finish(&w.db, &new, &outcome(at(660)), at(601)).await.unwrap();
    assert_eq!(ids(&claim(w, 660, 9).await), [new.external_id.as_str()]);
}

async fn a_failing_account_is_told_once_and_its_recovery_once(w: &mut World) {
    accounts::sync(&w.db, &[spec("1")], at(0)).await.unwrap();
    let finish = async |seconds: i64, error: Option<&str>, tell: Option<AlertKind>| {
        let account = claim(w, seconds, 1).await.remove(0);
        let failed = error.is_some();
        let outcome = Outcome {
            began_at: at(seconds),
            error: error.map(str::to_owned),
            failures: i64::from(failed),
            failing_since: failed.then(|| at(seconds)),
            tell,
            username: Some("dinhub".into()),
            read: error.is_none(),
            ..outcome(at(seconds))
        };
        accounts::finish(&w.db, &account, &outcome, at(seconds + 1)).await.unwrap();
        account.told_at.is_some()
    };
    assert!(!finish(0, None, None).await);
    assert_eq!(accounts::health(&w.db, at(30)).await.unwrap(), [("1".to_owned(), true, Some(30))]);
    assert!(!finish(60, Some("no route"), None).await);
    assert_eq!(accounts::health(&w.db, at(90)).await.unwrap(), [("1".to_owned(), true, Some(90))], "not yet told");
    assert!(!finish(120, Some("no route"), Some(AlertKind::Unhealthy)).await);
    assert_eq!(accounts::health(&w.db, at(120)).await.unwrap(), [("1".to_owned(), false, Some(120))]);
    assert!(accounts::read_since(&w.db, at(0)).await.unwrap() && !accounts::read_since(&w.db, at(1)).await.unwrap());
    assert!(finish(180, Some("no route"), None).await, "remembered");
    assert!(finish(240, None, Some(AlertKind::Recovered)).await);
    assert!(!finish(300, None, None).await);
    assert_eq!(w.texts("SELECT kind || ' ' || detail AS t FROM alert ORDER BY id").await, ["account.unhealthy no route", "account.recovered "]);
    assert_eq!(accounts::usernames(&w.db).await.unwrap(), HashMap::from([("1".to_owned(), "dinhub".to_owned())]));
}

async fn messages_are_counted_by_the_local_day_of_their_writing(w: &mut World) {
    let (page, _) = w.accounts().await;
    let said = |id: &str, seconds| Seen { created_at: at(seconds), ..comment(id, "Kapan?") };
    // 09.00, 16.59.59 and midnight in Jakarta.
    w.take(page, 100, &[said("1", 0), said("2", 28_799), said("3", 15 * 3600)], &[]).await;
    let jakarta = SignedDuration::from_hours(7);
    let day = at(0).ms() / 86_400_000;
    assert_eq!(accounts::written_days(&w.db, page, at(0), jakarta).await.unwrap(), (vec![(day, 2), (day + 1, 1)], Some(at(15 * 3600))));
    assert_eq!(accounts::written_days(&w.db, page, at(15 * 3600 + 1), jakarta).await.unwrap(), (vec![], None));
}

async fn two_people_within_a_day_engage_an_account_until_a_day_after_the_second_lasts_words(w: &mut World) {
    let (page, _) = w.accounts().await;
    let said = |id: &str, author: &str, seconds| Seen {
        author: Some(Author { id: Some(author.into()), ..Author::default() }),
        created_at: at(seconds),
        ..comment(id, "Kapan?")
    };
    w.take(page, 100, &[said("1", "a", 0), said("2", "a", 50)], &[]).await;
    assert_eq!(accounts::engaged_until(&w.db, page, at(100)).await.unwrap(), None, "one person is not two");
    w.take(page, 100, &[said("3", "b", 20)], &[]).await;
    assert_eq!(accounts::engaged_until(&w.db, page, at(100)).await.unwrap(), Some(at(86_420)));
    assert_eq!(accounts::engaged_until(&w.db, page, at(86_430)).await.unwrap(), None);
}

async fn an_instagram_account_is_a_stranger_until_it_was_asked_or_could_not_be(w: &mut World) {
    w.accounts().await;
    assert!(accounts::strangers(&w.db).await.unwrap());
    w.exec("UPDATE account SET username = 'dinhub' WHERE platform = 'instagram'", vec![]).await;
    assert!(!accounts::strangers(&w.db).await.unwrap());
    w.exec("UPDATE account SET username = NULL, failures = 1", vec![]).await;
    assert!(!accounts::strangers(&w.db).await.unwrap(), "whoever can't be asked holds nobody up");
}

async fn the_account_that_waits_longest_for_its_turn_is_known_and_one_being_read_does_not_wait(w: &mut World) {
    w.accounts().await;
    w.exec("UPDATE account SET next_poll_at = $1 WHERE platform = 'instagram'", vec![at(50).into()]).await;
    assert_eq!(accounts::longest_due(&w.db, at(60)).await.unwrap(), Some(at(0)));
    claim(w, 60, 1).await;
    assert_eq!(accounts::longest_due(&w.db, at(60)).await.unwrap(), Some(at(50)));
    assert_eq!(accounts::longest_due(&w.db, at(40)).await.unwrap(), None);
}

async fn a_site_wide_message_is_written_each_time_it_is_told(w: &mut World) {
    accounts::tell(&w.db, None, AlertKind::ClockSkewed, (None, "40"), at(0)).await.unwrap();
    let told = "SELECT kind || detail || notify || CAST(created_at AS TEXT) AS t FROM alert WHERE account_id IS NULL AND ticket_id IS NULL AND routed_at IS NULL";
    assert_eq!(w.texts(told).await, [format!("clock.skewed40[]{}", at(0).ms())]);
}

async fn a_source_remembers_its_first_read_its_last_and_the_blindness_in_between(w: &mut World) {
    let (page, _) = w.accounts().await;
    let blind = SignedDuration::from_hours(2);
    let begins = async |seconds| sources::begin(&w.db, page, &[Source::Comments], (at(seconds), at(seconds - 100), blind)).await.unwrap();
    let line = "SELECT COALESCE(CAST((first_read_at - CAST(1795485600000 AS BIGINT)) / 1000 AS TEXT), '-') || ' ' || CAST((opens_from - CAST(1795485600000 AS BIGINT)) / 1000 AS TEXT)
        || ' ' || COALESCE(CAST((last_read_at - CAST(1795485600000 AS BIGINT)) / 1000 AS TEXT), '-') || ' ' || COALESCE(CAST((blind_from - CAST(1795485600000 AS BIGINT)) / 1000 AS TEXT), '-')
        || ' ' || CAST((backlog_read_at - CAST(1795485600000 AS BIGINT)) / 1000 AS TEXT) AS t FROM source";
    begins(0).await;
    assert!(sources::read_before(&w.db, page).await.unwrap().is_empty());
    begins(60).await;
    assert_eq!(w.texts(line).await, ["- -100 - - 60"], "what opens tickets is fixed by the first try; the backlog is read by the one that succeeds");
    sources::read(&w.db, page, &[Source::Comments], at(60), SignedDuration::from_hours(3)).await.unwrap();
    assert_eq!(sources::read_before(&w.db, page).await.unwrap(), HashSet::from([Source::Comments]));
    begins(60 + 7200).await;
    assert_eq!(w.texts(line).await, ["60 -100 60 - 60"], "two hours are not more than two hours");
    sources::read(&w.db, page, &[Source::Comments], at(60 + 7200), SignedDuration::from_hours(3)).await.unwrap();
    begins(60 + 14_401).await;
    assert_eq!(w.texts(line).await, ["60 -100 7260 7260 14461"]);
    begins(60 + 14_500).await;
    sources::read(&w.db, page, &[Source::Comments], at(60 + 14_500), SignedDuration::from_hours(3)).await.unwrap();
    begins(60 + 14_600).await;
    assert_eq!(w.texts(line).await, ["60 -100 14560 7260 14560"], "once it is over it stays as it was");
    assert_eq!(sources::first_read(&w.db, page).await.unwrap(), Some(at(60)));
    let gap = |from, until, reason: &str| sources::Gap { account: "101".into(), source: Source::Comments, from, until, reason: reason.into() };
    assert!(sources::gaps(&w.db, at(0)).await.unwrap().is_empty(), "a read within the lapse leaves no gap");
    for error in ["the token expired", "the token is invalid"] {
        sources::failed(&w.db, page, &[Source::Comments], error, at(20_000)).await.unwrap();
    }
    assert_eq!(w.texts("SELECT error || ' ' || CAST(failing_since AS TEXT) AS t FROM source").await, [format!("the token is invalid {}", at(20_000).ms())]);
    for seconds in [40_000, 60_000] {
        sources::read(&w.db, page, &[Source::Comments], at(seconds), SignedDuration::from_hours(3)).await.unwrap();
    }
    sources::lost(&w.db, page, Source::Comments, (at(70_000), at(70_060)), "too many").await.unwrap();
    let found = sources::gaps(&w.db, at(50_000)).await.unwrap();
    assert_eq!(found, [gap(at(40_000), at(60_000), "not polled"), gap(at(70_000), at(70_060), "too many")]);
    assert_eq!(sources::gaps(&w.db, at(0)).await.unwrap()[0], gap(at(14_560), at(40_000), "the token is invalid"));
}

async fn posts_messages_and_bindings_are_known_under_every_form_of_their_id(w: &mut World) {
    let (page, instagram) = w.accounts().await;
    let post = Post {
        external_id: "101_9".into(), author: PostAuthor::Visitor, author_id: Some("9001".into()), created_at: at(-900), updated_at: Some(at(-60)),
        total: Some(1), permalink: Some("https://fb.example/9".into()), read_at: Some(at(0)),
    };
    let read = intake::Batch { posts: vec![post.clone()], bindings: vec![("178".into(), "5".into())], ..batch(page, 0, &[comment("101_9_77", "x")], &[]) };
    intake::take(&w.db, &read).await.unwrap();
    let many: Vec<String> = (0..120).map(|n| format!("101_{}", 5000 + n)).chain(["9".into(), "101_9".into()]).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(accounts::posts(&w.db, page, &many).await.unwrap(), HashMap::from([("9".to_owned(), post.clone())]));
    assert!(accounts::posts(&w.db, instagram, &many).await.unwrap().is_empty());
    // What a shorter list leaves out stays as it was.
    let shorter = Post { updated_at: None, total: Some(2), permalink: None, read_at: None, ..post.clone() };
    intake::take(&w.db, &intake::Batch { posts: vec![shorter], ..batch(page, 60, &[], &[]) }).await.unwrap();
    assert_eq!(accounts::posts(&w.db, page, &["9"]).await.unwrap()["9"], Post { total: Some(2), ..post.clone() });
    assert_eq!(accounts::posts_since(&w.db, page, post.created_at).await.unwrap().len(), 1);
    assert!(accounts::posts_since(&w.db, page, post.created_at.plus(SignedDuration::from_secs(1))).await.unwrap().is_empty());
    assert_eq!(accounts::last_written(&w.db, page, "t_1").await.unwrap(), None);
    w.take(page, 60, &[direct("m_1", Direction::In, 30)], &[]).await;
    assert_eq!(accounts::last_written(&w.db, page, "t_1").await.unwrap(), Some(at(30)));
    let known = async |object| {
        let ids = ["9_77", "101_9_78"].map(|id| (object, tanggap::domain::message::key_of(id)));
        accounts::known(&w.db, page, ids).await.unwrap()
    };
    assert_eq!(
        (known(Object::Comment).await, known(Object::Post).await),
        (HashSet::from([(Object::Comment, "77".to_owned())]), HashSet::new())
    );
    let bound = async |id| { accounts::bindings(&w.db, id).await.unwrap().into_iter().collect::<Vec<_>>() };
    assert_eq!((bound(page).await, bound(instagram).await), (vec![("178".to_owned(), "5".to_owned())], vec![]));
}

async fn a_wanted_read_is_given_out_once_until_its_time_or_its_patience_is_over(w: &mut World) {
    let (page, _) = w.accounts().await;
    let post = Post { external_id: "101_9".into(), author: PostAuthor::Own, author_id: None, created_at: at(-900), updated_at: None, total: None, permalink: None, read_at: None };
    let read = intake::Batch { posts: vec![post], ..batch(page, 0, &[comment("101_9_77", "x"), direct("m_1", Direction::In, -5)], &[]) };
    intake::take(&w.db, &read).await.unwrap();
    let wanted = async |seconds, limit| {
        let found = accounts::wanted(&w.db, at(seconds), SignedDuration::from_secs(10), limit).await.unwrap();
        found.into_iter().map(|one| (one.kind, one.name, one.post.map(|post| post.external_id))).collect::<Vec<_>>()
    };
    let (a_comment, a_message) = ((Kind::Comment, "101_9_77".to_owned(), Some("101_9".to_owned())), (Kind::Message, "t_1".to_owned(), None));
    assert!(wanted(50, 9).await.is_empty());
    w.exec("UPDATE thread SET verify_at = CASE WHEN kind = 'comment' THEN $1 ELSE $2 END", vec![at(60).into(), at(70).into()]).await;
    assert_eq!(accounts::next_wanted(&w.db, at(0)).await.unwrap(), Some(at(60)));
    assert_eq!(accounts::next_wanted(&w.db, at(60)).await.unwrap(), Some(at(70)));
    assert!(wanted(59, 9).await.is_empty());
    assert_eq!(wanted(70, 1).await, std::slice::from_ref(&a_comment), "the earliest first, and no more than asked for");
    assert_eq!(wanted(70, 9).await, [a_message]);
    assert!(wanted(79, 9).await.is_empty());
    assert_eq!(wanted(80, 1).await, [a_comment], "tried in vain: once more");
    w.take(page, 81, &[comment("101_9_77", "x")], &[intake::Proof::Post("101_9".into())]).await;
    w.take(page, 81, &[], &[intake::Proof::Unchanged(Kind::Message, "t_1".into())]).await;
    assert!(wanted(200, 9).await.is_empty(), "read since it was wanted");
}

async fn eight_claimants_at_once_never_get_one_wanted_thread_twice(w: &mut World) {
    let (page, _) = w.accounts().await;
    let many: Vec<_> = (0..96).map(|n| comment(&format!("101_9_{}", 1000 + n), "x")).collect();
    w.take(page, 0, &many, &[]).await;
    w.exec("UPDATE thread SET verify_at = $1", vec![at(5).into()]).await;
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let db = w.db.clone();
        tasks.spawn(async move { accounts::wanted(&db, at(10), SignedDuration::from_secs(10), 7).await.unwrap() });
    }
    let given: Vec<(AccountId, String)> = tasks.join_all().await.into_iter().flatten().map(|one| (one.account, one.name)).collect();
    assert_eq!(given.iter().collect::<HashSet<_>>().len(), given.len());
    assert!(given.len() <= 56 && given.len() >= 7, "{}", given.len());
}
}
