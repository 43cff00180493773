//! Intake: each message once, whatever is shown how often; gone only after two misses; one transaction.

use jiff::SignedDuration;
use tanggap::{
    domain::{
        Direction, Kind, Object,
        message::{Post, PostAuthor, Seen, ThreadKey},
    },
    store::intake::{self, Proof},
};

use super::world::{World, at, batch, comment, direct};
use crate::alert::world::on_both;

/// What is known of the only message, in a line: text, edited, missing since, deleted, hidden.
async fn only(w: &World) -> String {
    let sql = "SELECT text || ' e' || COALESCE(CAST(edited_at AS TEXT), '') || ' m' || COALESCE(CAST(missing_since AS TEXT), '') || ' d'
        || COALESCE(CAST(deleted_at AS TEXT), '') || ' h' || CAST(hidden AS TEXT) || COALESCE(CAST(hidden_at AS TEXT), '') AS t FROM message";
    let texts = w.texts(sql).await;
    assert_eq!(texts.len(), 1, "{texts:?}");
    texts[0].replace(&at(0).ms().to_string()[..7], "~")
}

/// A time as `only` writes it.
fn ms(seconds: i64) -> String {
    at(seconds).ms().to_string().replace(&at(0).ms().to_string()[..7], "~")
}

on_both! {
async fn what_is_new_is_stored_once_and_the_same_read_again_changes_nothing(w: &mut World) {
    let (page, _) = w.accounts().await;
    let read = |seconds| {
        let mut read = batch(page, seconds, &[comment("101_9_77", "Kapan?"), direct("m_1", Direction::In, -30)], &[]);
        let post = Post {
            external_id: "101_9".into(), author: PostAuthor::Own, author_id: None, created_at: at(-900), updated_at: Some(at(-60)),
            total: Some(1), permalink: None, read_at: Some(at(0)),
        };
        read.posts = vec![post.clone(), post];
        read.bindings = vec![("178".into(), "5".into()), ("178".into(), "6".into())];
        read
    };
    let taken = intake::take(&w.db, &read(0)).await.unwrap();
    assert_eq!(taken.received.iter().map(|(_, index)| *index).collect::<Vec<_>>(), [0, 1], "oldest first");
    assert_eq!(w.number("SELECT COUNT(*) AS n FROM thread WHERE next_look_at IS NOT NULL").await, Some(2), "sla is told");
    w.exec("UPDATE thread SET next_look_at = NULL", vec![]).await;
    let before = w.stored().await;
    assert_eq!(before.len(), 6, "{before:?}");
    let taken = intake::take(&w.db, &read(60)).await.unwrap();
    assert!(taken.received.is_empty() && taken.edited.is_empty() && taken.deleted.is_empty(), "{taken:?}");
    assert_eq!(w.stored().await, before, "an author once bound stays so");
}

async fn a_read_noted_while_the_clock_was_ahead_gives_way_to_one_of_now_and_any_other_later_one_does_not(w: &mut World) {
    let (page, _) = w.accounts().await;
    let began = async || w.number("SELECT read_began_at AS n FROM thread").await.map(|ms| ms - at(0).ms());
    let whole = [Proof::Post("101_9".into())];
    w.take(page, 3600, &[comment("101_9_77", "Kapan?")], &whole).await;
    w.take(page, 0, &[comment("101_9_77", "Kapan?")], &whole).await;
    assert_eq!(began().await, Some(0));
    let mut late = batch(page, -60, &[comment("101_9_77", "Kapan?")], &whole);
    late.now = at(1);
    intake::take(&w.db, &late).await.unwrap();
    assert_eq!(began().await, Some(0), "that read began before and ended after");
}

async fn two_forms_of_an_id_are_one_message_and_one_id_of_two_objects_or_accounts_is_two(w: &mut World) {
    let (page, instagram) = w.accounts().await;
    w.take(page, 0, &[comment("101_9_77", "Satu")], &[]).await;
    let taken = w.take(page, 60, &[comment("9_77", "Satu"), comment("77", "Satu")], &[]).await;
    assert!(taken.received.is_empty());
    let post = Seen { object: Object::Post, kind: Kind::Post, thread: ThreadKey { kind: Kind::Post, name: "101_77".into(), post: None, citizen: None }, ..comment("101_77", "Dua") };
    assert_eq!(w.take(page, 60, &[post, comment("101_9_77", "Satu")], &[]).await.received.len(), 1);
    assert_eq!(w.take(instagram, 60, &[comment("101_9_77", "Tiga")], &[]).await.received.len(), 1);
    assert_eq!(w.texts("SELECT text AS t FROM message ORDER BY id").await, ["Satu", "Dua", "Tiga"]);
    assert_eq!(w.number("SELECT COUNT(*) AS n FROM thread").await, Some(3));
}

async fn what_a_read_shows_twice_holds_as_shown_last(w: &mut World) {
    let (page, _) = w.accounts().await;
    let taken = w.take(page, 0, &[comment("101_9_77", "lama"), comment("101_9_77", "baru")], &[]).await;
    assert_eq!((taken.received.len(), only(w).await), (1, "baru e m d h0".to_owned()));
}

async fn an_edit_is_noticed_once_and_may_make_a_message_urgent_but_never_the_reverse(w: &mut World) {
    let (page, _) = w.accounts().await;
    let idle = Seen { needs_answer: false, asks: false, ..comment("101_9_77", "Halo") };
    w.take(page, 0, std::slice::from_ref(&idle), &[]).await;
    w.exec("UPDATE thread SET next_look_at = NULL", vec![]).await;
    let urgent = Seen { urgent: true, ..comment("101_9_77", "Banjir!") };
    let taken = w.take(page, 60, std::slice::from_ref(&urgent), &[]).await;
    assert_eq!((taken.received.len(), taken.edited.len()), (0, 1));
    assert_eq!(only(w).await, format!("Banjir! e{} m d h0", ms(61)));
    assert_eq!(w.number("SELECT next_look_at AS n FROM thread").await, Some(at(61).ms()));
    assert!(w.take(page, 90, &[urgent], &[]).await.edited.is_empty());
    assert_eq!(w.take(page, 120, &[idle], &[]).await.edited.len(), 1);
    let kept = "SELECT text || CAST(needs_answer + asks + urgent AS TEXT) || ' ' || CAST(urgent_at AS TEXT) AS t FROM message";
    assert_eq!(w.texts(kept).await, [format!("Halo3 {}", at(61).ms())]);
}

async fn a_message_is_gone_when_two_reads_far_enough_apart_miss_it_and_back_when_one_shows_it(w: &mut World) {
    let (page, _) = w.accounts().await;
    let (shown, whole) = ([comment("101_9_77", "x")], [Proof::Post("101_9".into())]);
    w.take(page, 0, &shown, &whole).await;
    assert!(w.take(page, 60, &[], &whole).await.deleted.is_empty());
    assert_eq!(only(w).await, format!("x e m{} d h0", ms(60)));
    assert!(w.take(page, 79, &[], &whole).await.deleted.is_empty(), "too soon after the first miss");
    assert_eq!(only(w).await, format!("x e m{} d h0", ms(60)));
    assert!(w.take(page, 90, &[], &[]).await.deleted.is_empty(), "a read that proves nothing");
    w.take(page, 95, &shown, &whole).await;
    assert_eq!(only(w).await, "x e m d h0", "seen again: the count begins anew");
    w.take(page, 100, &[], &whole).await;
    assert_eq!(w.take(page, 120, &[], &whole).await.deleted.len(), 1);
    assert_eq!(only(w).await, format!(" e m{} d{} h0", ms(100), ms(121)), "what is taken back is not kept");
    assert!(w.take(page, 180, &[], &whole).await.deleted.is_empty(), "gone once");
    assert!(w.take(page, 240, &shown, &whole).await.received.is_empty());
    assert_eq!(only(w).await, "x e m d h0", "back with its text, and no edit");
}

async fn hiding_is_dated_only_if_it_was_visible_before_and_undone_when_shown_again(w: &mut World) {
    let (page, _) = w.accounts().await;
    let (visible, hidden) = (comment("101_9_77", "x"), Seen { hidden: true, ..comment("101_9_77", "x") });
    w.take(page, 0, std::slice::from_ref(&hidden), &[]).await;
    assert_eq!(only(w).await, "x e m d h1", "hidden from the start");
    w.take(page, 10, std::slice::from_ref(&visible), &[]).await;
    assert_eq!(only(w).await, "x e m d h0");
    w.take(page, 20, std::slice::from_ref(&hidden), &[]).await;
    assert_eq!(only(w).await, format!("x e m d h1{}", ms(21)));
    w.take(page, 30, &[hidden], &[]).await;
    assert_eq!(only(w).await, format!("x e m d h1{}", ms(21)), "when it was first noticed");
    w.take(page, 40, &[visible], &[]).await;
    assert_eq!(only(w).await, "x e m d h0");
}

async fn a_read_of_the_end_of_a_conversation_says_nothing_of_its_beginning(w: &mut World) {
    let (page, _) = w.accounts().await;
    let messages = [direct("m_1", Direction::In, -300), direct("m_2", Direction::In, -200), direct("m_3", Direction::In, -100)];
    w.take(page, 0, &messages, &[]).await;
    w.take(page, 60, &messages[2..], &[Proof::Conversation { name: "t_1".into(), from: Some(at(-200)) }]).await;
    let missing = "SELECT key AS t FROM message WHERE missing_since IS NOT NULL ORDER BY key";
    assert_eq!(w.texts(missing).await, ["m_2"]);
    w.take(page, 60, &messages[2..], &[Proof::Conversation { name: "t_1".into(), from: None }]).await;
    assert_eq!(w.texts(missing).await, ["m_1", "m_2"]);
}

async fn proofs_date_the_thread_and_never_backwards(w: &mut World) {
    let (page, instagram) = w.accounts().await;
    w.take(page, 0, &[comment("101_9_77", "x"), direct("m_1", Direction::In, -30)], &[]).await;
    w.take(instagram, 0, &[direct("m_1", Direction::In, -30)], &[]).await;
    let dated = "SELECT a.external_id || ' ' || t.kind || ' ' || CAST((t.read_began_at - CAST(1795485600000 AS BIGINT)) / 1000 AS TEXT) AS t
        FROM thread t JOIN account a ON a.id = t.account_id WHERE t.read_began_at IS NOT NULL ORDER BY 1";
    w.exec("UPDATE thread SET next_look_at = NULL, verify_at = $1 WHERE kind = 'comment'", vec![at(50).into()]).await;
    w.take(page, 40, &[], &[Proof::Unchanged(Kind::Comment, "101_9_77".into())]).await;
    assert_eq!(w.number("SELECT next_look_at AS n FROM thread WHERE kind = 'comment'").await, None, "a read that began before it was wanted");
    w.take(page, 60, &[], &[Proof::Unchanged(Kind::Comment, "101_9_77".into()), Proof::Unchanged(Kind::Message, "t_1".into())]).await;
    assert_eq!(w.texts(dated).await, ["101 comment 60", "101 message 60"], "the other account's conversation of that name is another");
    assert_eq!(w.number("SELECT next_look_at AS n FROM thread WHERE kind = 'comment'").await, Some(at(61).ms()), "the read that was wanted");
    let mut late = batch(page, 30, &[], &[Proof::Unchanged(Kind::Comment, "101_9_77".into())]);
    late.now = at(61);
    intake::take(&w.db, &late).await.unwrap();
    assert_eq!(w.texts(dated).await, ["101 comment 60", "101 message 60"]);
    w.take(page, 70, &[], &[Proof::Unreadable(Kind::Comment, "101_9_77".into())]).await;
    assert_eq!(w.number("SELECT unreadable AS n FROM thread WHERE kind = 'comment'").await, Some(1));
    w.take(page, 80, &[], &[Proof::Unchanged(Kind::Comment, "101_9_77".into())]).await;
    assert_eq!(w.number("SELECT unreadable AS n FROM thread WHERE kind = 'comment'").await, Some(0));
}

async fn a_post_that_is_gone_takes_its_comments_along_and_the_read_of_its_comments_leaves_it(w: &mut World) {
    let (page, _) = w.accounts().await;
    let post = Seen { object: Object::Post, kind: Kind::Post, thread: ThreadKey { kind: Kind::Post, name: "101_9".into(), post: None, citizen: None }, ..comment("101_9", "Lampu mati") };
    w.take(page, 0, &[post, comment("101_9_77", "x")], &[]).await;
    let missing = "SELECT object AS t FROM message WHERE missing_since IS NOT NULL ORDER BY object";
    w.take(page, 30, &[], &[Proof::Post("101_9".into())]).await;
    assert_eq!(w.texts(missing).await, ["comment"]);
    w.take(page, 60, &[], &[Proof::PostGone("101_9".into())]).await;
    assert_eq!(w.texts(missing).await, ["comment", "post"]);
    assert_eq!(w.take(page, 90, &[], &[Proof::PostGone("101_9".into())]).await.deleted.len(), 1, "the comment went at 60");
    assert_eq!(w.number("SELECT COUNT(*) AS n FROM message WHERE deleted_at IS NOT NULL").await, Some(2));
}

async fn a_private_reply_that_turns_up_is_dated_by_the_read_before_it(w: &mut World) {
    let (page, _) = w.accounts().await;
    let replied = Seen { private_reply: Some("t_1".into()), ..comment("101_9_77", "x") };
    w.take(page, 0, &[comment("101_9_77", "x")], &[Proof::Post("101_9".into())]).await;
    w.take(page, 60, std::slice::from_ref(&replied), &[Proof::Post("101_9".into())]).await;
    assert_eq!(w.number("SELECT private_unseen_at AS n FROM message").await, Some(at(0).ms()));
    w.take(page, 120, &[replied], &[Proof::Post("101_9".into())]).await;
    assert_eq!(w.number("SELECT private_unseen_at AS n FROM message").await, Some(at(0).ms()));
}

async fn what_the_government_writes_wakes_the_open_tickets_it_may_answer(w: &mut World) {
    let (page, _) = w.accounts().await;
    w.take(page, 0, &[comment("101_9_77", "x"), comment("101_8_66", "y"), direct("m_1", Direction::In, -30)], &[]).await;
    w.exec("UPDATE thread SET post_key = '8' WHERE key = '66'", vec![]).await;
    w.exec(
        "INSERT INTO ticket (thread_id, account_id, author, policy, urgent, state, opened_at, due_at, unverified, messages, steps, configuration)
         SELECT id, account_id, '9001', 'biasa', 0, 'open', 0, 1, 0, 1, '[]', '' FROM thread WHERE kind = 'comment'",
        vec![],
    )
    .await;
    let woken = "SELECT key AS t FROM thread WHERE next_look_at IS NOT NULL ORDER BY key";
    w.exec("UPDATE thread SET next_look_at = NULL", vec![]).await;
    w.take(page, 10, &[Seen { direction: Direction::Out, ..comment("101_9_78", "Untuk semua: besok") }], &[]).await;
    assert_eq!(w.texts(woken).await, ["77", "78"], "under the same post");
    w.exec("UPDATE thread SET next_look_at = NULL", vec![]).await;
    w.take(page, 20, &[direct("m_2", Direction::Out, 15)], &[]).await;
    assert_eq!(w.texts(woken).await, ["66", "77", "t_1"], "the same citizen's comments");
}

async fn a_read_of_hundreds_is_stored_in_whole(w: &mut World) {
    let (page, _) = w.accounts().await;
    let many: Vec<Seen> = (0..230).map(|n| comment(&format!("101_9_{}", 1000 + n), "x")).collect();
    assert_eq!(w.take(page, 0, &many, &[Proof::Post("101_9".into())]).await.received.len(), 230);
    assert!(w.take(page, 60, &many[..100], &[Proof::Post("101_9".into())]).await.received.is_empty());
    assert_eq!(w.number("SELECT COUNT(*) AS n FROM message WHERE missing_since IS NOT NULL").await, Some(130));
    assert_eq!(w.take(page, 90, &many[..100], &[Proof::Post("101_9".into())]).await.deleted.len(), 130);
}

async fn a_nul_costs_nothing_but_itself(w: &mut World) {
    let (page, _) = w.accounts().await;
    let odd = Seen { author: None, parent: Some("\0".into()), permalink: Some("\0".into()), ..comment("101_9_78", "x\0y") };
    w.take(page, 0, &[odd.clone(), comment("101_9_77", "x")], &[]).await;
    assert!(w.take(page, 60, &[odd, comment("101_9_77", "x")], &[]).await.received.is_empty());
    assert_eq!(w.texts("SELECT text || parent AS t FROM message WHERE key = '78'").await, ["x\u{FFFD}y\u{FFFD}"]);
}

async fn a_transaction_that_is_not_committed_leaves_nothing(w: &mut World) {
    let (page, _) = w.accounts().await;
    let mut tx = w.db.write().await.unwrap();
    let taken = intake::take_in(&mut tx, &batch(page, 0, &[comment("101_9_77", "x")], &[Proof::Post("101_9".into())])).await.unwrap();
    assert_eq!(taken.received.len(), 1);
    drop(tx);
    assert_eq!(w.stored().await, Vec::<String>::new());
    // One row that the database refuses undoes the rest.
    let mut bad = batch(page, 0, &[comment("101_9_77", "x")], &[]);
    bad.messages.push(Seen { created_at: at(0).plus(SignedDuration::from_secs(5)), ..direct("m_1", Direction::In, 0) });
    w.exec("CREATE UNIQUE INDEX one ON message (account_id)", vec![]).await;
    assert!(intake::take(&w.db, &bad).await.is_err());
    w.exec("DROP INDEX one", vec![]).await;
    assert_eq!(w.stored().await, Vec::<String>::new());
    assert_eq!(intake::take(&w.db, &bad).await.unwrap().received.len(), 2, "the next try takes everything");
}
}
