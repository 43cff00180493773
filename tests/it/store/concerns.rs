//! What is proved of a source, the doubts that stand, the limits that outlive a restart, and what webhooks named.

use tanggap::{
    domain::{
        AccountId, Cause, Direction, Platform, Scope, Source,
        message::{Author, Post, PostAuthor, Seen},
    },
    store::{
        concerns::{self, Concern, Standing},
        hints::{self, Hint},
        intake,
        limits::{self, Limit},
        listing, sources,
    },
};

use super::world::{World, at, batch, comment, direct};
use crate::alert::world::on_both;

fn by(name: &str, seen: Seen) -> Seen {
    Seen { author: Some(Author { id: Some(name.into()), name: Some(name.into()), username: None }), ..seen }
}

/// What is proved of an account whose app reads the Page 101 too.
async fn proved(w: &World, account: AccountId) -> Vec<Source> {
    let found = concerns::prove(&w.db, account, (Platform::Facebook, &["101"]), (at(-1000), at(500))).await.unwrap();
    found.into_iter().filter(|(_, standing)| standing.proved).map(|(source, _)| source).collect()
}

on_both! {
async fn a_doubt_is_told_once_and_once_more_when_it_is_gone(w: &mut World) {
    let (page, _) = w.accounts().await;
    let doubt = Concern { cause: Cause::BlindComments, since: at(5), detail: "20 counted".into() };
    assert!(concerns::raise(&w.db, page, &doubt, at(6)).await.unwrap());
    assert!(!concerns::raise(&w.db, page, &Concern { since: at(9), ..doubt.clone() }, at(9)).await.unwrap(), "it stands already");
    assert_eq!(concerns::standing(&w.db, page).await.unwrap(), [Cause::BlindComments].into());
    let shown = listing::accounts(&w.db, &Scope::ALL, at(10)).await.unwrap();
    assert_eq!(shown.iter().find(|row| row.platform == Platform::Facebook).unwrap().doubts, [doubt]);
    assert!(concerns::settle(&w.db, page, Cause::BlindComments, at(11)).await.unwrap());
    assert!(!concerns::settle(&w.db, page, Cause::BlindComments, at(12)).await.unwrap());
    assert!(concerns::standing(&w.db, page).await.unwrap().is_empty());
    let told = "SELECT kind || ' ' || cause || ' ' || detail AS t FROM alert ORDER BY id";
    assert_eq!(w.texts(told).await, ["account.unhealthy blind_comments 20 counted", "account.recovered blind_comments "]);
}

async fn a_source_is_proved_by_a_named_citizen_once_three_people_wrote_to_the_apps_accounts(w: &mut World) {
    let (page, _) = w.accounts().await;
    let all = [Source::Comments, Source::Messages];
    sources::begin(&w.db, page, &all, (at(0), at(0), jiff::SignedDuration::from_hours(2))).await.unwrap();
    sources::read(&w.db, page, &all, at(0), jiff::SignedDuration::from_hours(2)).await.unwrap();
    w.take(page, 100, &[by("Ani", comment("101_9_1", "x")), by("Ani", comment("101_9_2", "x")), by("Budi", comment("101_9_3", "x"))], &[]).await;
    w.take(page, 100, &[Seen { author: None, ..comment("101_9_4", "x") }], &[]).await;
    assert_eq!(proved(w, page).await, [], "two people may have made the app; whom Meta does not name proves nothing");
    w.take(page, 100, &[by("Citra", comment("101_9_5", "x"))], &[]).await;
    assert_eq!(proved(w, page).await, [Source::Comments]);
    let standing = concerns::prove(&w.db, page, (Platform::Facebook, &["101"]), (at(-1000), at(600))).await.unwrap();
    assert_eq!(standing[&Source::Messages], Standing { first_read_at: Some(at(0)), proved: false }, "comments prove no messages");
    w.take(page, 100, &[by("Dewi", direct("m1", Direction::In, 0))], &[]).await;
    assert_eq!(proved(w, page).await, [Source::Comments]);
    concerns::proved(&w.db, page, Source::Messages, at(700)).await.unwrap();
    assert_eq!(proved(w, page).await, [Source::Messages, Source::Comments], "a witness");
}

async fn what_meta_counts_is_set_against_what_was_read_with_its_author(w: &mut World) {
    let (page, _) = w.accounts().await;
    let post = Post {
        external_id: "101_9".into(),
        author: PostAuthor::Own,
        author_id: None,
        created_at: at(0),
        updated_at: None,
        total: Some(25),
        permalink: None,
        read_at: None,
    };
    intake::take(&w.db, &intake::Batch { posts: vec![post], ..batch(page, 100, &[], &[]) }).await.unwrap();
    assert_eq!(concerns::counted(&w.db, page, at(0)).await.unwrap(), (25, 0));
    assert!(!concerns::has_conversation(&w.db, page).await.unwrap());
    w.take(page, 100, &[by("Ani", comment("101_9_1", "x")), by("Ani", direct("m1", Direction::In, 0))], &[]).await;
    assert_eq!(concerns::counted(&w.db, page, at(-100)).await.unwrap(), (25, 1));
    assert!(concerns::has_conversation(&w.db, page).await.unwrap());
}

async fn what_a_webhook_named_stays_until_a_read_that_began_after_it(w: &mut World) {
    let (page, _) = w.accounts().await;
    let hint = |post: &str, comment: &str| Hint { post: post.into(), comment: comment.into() };
    hints::note(&w.db, Platform::Facebook, "101", &[hint("101_9", "1"), hint("101_8", "")], at(0)).await.unwrap();
    hints::note(&w.db, Platform::Facebook, "999", &[hint("999_9", "")], at(0)).await.unwrap();
    assert_eq!(hints::named(&w.db, page, 9).await.unwrap(), [hint("101_8", ""), hint("101_9", "1")], "nobody reads 999");
    assert_eq!(hints::named(&w.db, page, 1).await.unwrap().len(), 1);
    hints::note(&w.db, Platform::Facebook, "101", &[hint("101_8", "")], at(5)).await.unwrap();
    let both = [hint("101_9", "1"), hint("101_8", "")];
    hints::followed(&w.db, page, &both, at(4)).await.unwrap();
    assert_eq!(hints::named(&w.db, page, 9).await.unwrap(), both, "one is not shown yet, the other was named anew since the read began");
    w.take(page, 5, &[comment("101_9_1", "x")], &[]).await;
    hints::followed(&w.db, page, &both, at(6)).await.unwrap();
    hints::note(&w.db, Platform::Facebook, "101", &[hint("101_7", "2")], at(7)).await.unwrap();
    hints::followed(&w.db, page, &[hint("101_7", "2")], at(606)).await.unwrap();
    assert_eq!(hints::named(&w.db, page, 9).await.unwrap(), [hint("101_7", "2")]);
    hints::followed(&w.db, page, &[hint("101_7", "2")], at(607)).await.unwrap();
    assert!(hints::named(&w.db, page, 9).await.unwrap().is_empty(), "after ten minutes it is given up");
}

async fn a_limit_outlives_a_restart_and_no_longer_than_it_holds(w: &mut World) {
    let limit = |pool: &str, blocked, stopped| Limit { pool: pool.into(), blocked_until: blocked, stopped_until: stopped };
    let (block, stop) = (limit("app ", Some(at(100)), None), limit("facebook 101", None, Some(at(50))));
    limits::keep(&w.db, &[block.clone(), limit("facebook 101", None, Some(at(20)))]).await.unwrap();
    limits::keep(&w.db, std::slice::from_ref(&stop)).await.unwrap();
    assert_eq!(limits::held(&w.db, at(49)).await.unwrap(), [block.clone(), stop]);
    assert_eq!(limits::held(&w.db, at(50)).await.unwrap(), [block]);
    assert_eq!(limits::held(&w.db, at(100)).await.unwrap(), []);
}
}
