//! One person under two accounts, with everything that is ever stored of somebody: erased, read again, exported.

use std::sync::Arc;

use jiff::SignedDuration;
use tanggap::{
    domain::{
        AccountId, Direction, Kind, Object, Scope, TicketId, Time,
        message::{Attachment, Author, Post, PostAuthor, Reaction, Seen, Tag, ThreadKey},
        settings::Mentions,
        ticket::ActionKind,
    },
    poll::Skew,
    runtime::{ManualClock, Stage as _},
    store::{
        accounts, actions,
        forget::{self, Erasure},
        hints::{self, Hint},
        intake::{self, Proof},
        listing,
    },
};

use super::dump::{dump, holding};
use crate::{
    alert::world::on_both,
    stages,
    store::world::{World, at, batch, comment, direct},
    tickets::ledger::rules,
};

/// Everything by which the person could be found.
pub const TRACES: [&str; 10] =
    ["zainal", "wirakusuma", "zaw_77", "90077001", "UNIKSATU", "UNIKDUA", "UNIKTIGA", "foto.example", "m_zaw", "komentar_zaw"];
pub const KEY: [u8; 32] = [7; 32];

pub fn zainal(seen: Seen) -> Seen {
    let author = Author { id: Some("90077001".into()), name: Some("Zainal Wirakusuma".into()), username: Some("zaw_77".into()) };
    Seen {
        author: Some(author),
        permalink: Some("https://fb.example/komentar_zaw".into()),
        attachments: vec![Attachment { kind: "image".into(), url: Some("https://foto.example/1".into()) }],
        ..seen
    }
}

fn under(thread: &str, id: &str, seconds: i64, text: &str) -> Seen {
    let thread = ThreadKey { name: thread.into(), ..comment(id, text).thread };
    Seen { thread, top_level: false, created_at: at(seconds), ..comment(id, text) }
}

fn budi(seen: Seen) -> Seen {
    Seen { author: Some(Author { id: Some("9002".into()), name: Some("Budi".into()), username: Some("budi".into()) }), ..seen }
}

fn ours(seen: Seen) -> Seen {
    let author = Some(Author { id: Some("101".into()), name: Some("Dinhub".into()), username: None });
    Seen { direction: Direction::Out, government: Some("101".into()), author, needs_answer: false, asks: false, ..seen }
}

/// What a read shows of it all.
fn shown() -> Vec<Seen> {
    let tag = |id: &str, name: &str| Tag { id: Some(id.into()), name: Some(name.into()) };
    let mine = Seen {
        thread: ThreadKey { citizen: Some("90077001".into()), ..direct("m_zaw1", Direction::In, 0).thread },
        ..direct("m_zaw1", Direction::In, -50)
    };
    let answer = ours(Seen { thread: mine.thread.clone(), ..direct("m_zaw2", Direction::Out, -20) });
    let visit = ThreadKey { kind: Kind::Post, name: "101_555".into(), post: None, citizen: None };
    vec![
        // their own thread, in which another waits
        zainal(Seen { text: "UNIKSATU kapan KTP saya?".into(), ..comment("101_9_77", "") }),
        budi(Seen { parent: Some("101_9_77".into()), ..under("101_9_77", "101_9_78", -55, "Saya juga") }),
        ours(Seen { parent: Some("101_9_77".into()), ..under("101_9_77", "101_9_79", -40, "UNIKDUA sudah jadi, Bapak") }),
        // another's thread, in which both are answered by name
        budi(comment("101_9_80", "Lampu mati")),
        zainal(under("101_9_80", "101_9_81", -50, "UNIKTIGA betul")),
        ours(Seen {
            tags: vec![tag("90077001", "Zainal Wirakusuma")],
            ..under("101_9_80", "101_9_82", -30, "Zainal Wirakusuma terima kasih")
        }),
        budi(Seen {
            tags: vec![tag("90077001", "Zainal Wirakusuma"), tag("55", "Ani")],
            needs_answer: false,
            ..under("101_9_80", "101_9_83", -20, "nah")
        }),
        // a conversation
        zainal(Seen {
            text: "UNIKSATU NIK 3317".into(),
            reactions: vec![Reaction { reaction: "❤".into(), by: vec!["90077001".into()] }],
            ..mine
        }),
        answer,
        // a post on the wall
        zainal(Seen {
            object: Object::Post,
            kind: Kind::Post,
            thread: visit,
            parent: None,
            text: "UNIKTIGA jalan rusak".into(),
            ..comment("101_555", "")
        }),
        // and one that nobody answered
        zainal(Seen { created_at: at(-10), ..comment("101_9_84", "UNIKSATU lagi") }),
    ]
}

fn visited() -> Post {
    Post {
        external_id: "101_555".into(),
        author: PostAuthor::Visitor,
        author_id: Some("90077001".into()),
        created_at: at(-60),
        updated_at: Some(at(-60)),
        total: Some(0),
        permalink: Some("https://fb.example/zaw_77/555".into()),
        read_at: Some(at(0)),
    }
}

async fn read(w: &World, account: AccountId, seconds: i64, messages: &[Seen]) -> intake::Taken {
    let mut read =
        batch(account, seconds, messages, &[Proof::Post("101_9".into()), Proof::Conversation { name: "t_1".into(), from: None }]);
    read.posts = vec![visited()];
    intake::take(&w.db, &read).await.unwrap()
}

pub async fn judge(w: &World, seconds: i64) {
    let clock = ManualClock::new(at(seconds).timestamp());
    stages::sla(&w.db, &Arc::new(rules(Mentions::Ask)), &clock, &Skew::default()).await.once().await.unwrap();
}

/// All that is stored of the person before anything is erased; the account.
pub async fn known(w: &World) -> AccountId {
    let (page, instagram) = w.accounts().await;
    read(w, page, 0, &shown()).await;
    // The same id under another account may be anybody.
    w.take(instagram, 0, &[zainal(Seen { text: "UNIKDUA".into(), ..comment("178_1", "") })], &[]).await;
    judge(w, 2).await;
    let ticket = |n: i64| TicketId(n);
    let (open, closed) = (
        w.number("SELECT MIN(id) AS n FROM ticket WHERE author = '90077001' AND state = 'open' AND account_id = 1").await.unwrap(),
        w.number("SELECT MAX(id) AS n FROM ticket WHERE author = '90077001' AND account_id = 1").await.unwrap(),
    );
    actions::record(&w.db, &Scope::ALL, &[ticket(open)], (ActionKind::Note, "Zainal menelepon, 0812"), "ani", at(2)).await.unwrap();
    actions::record(&w.db, &Scope::ALL, &[ticket(open)], (ActionKind::Dismiss, "spam Zainal"), "ani", at(3)).await.unwrap();
    judge(w, 4).await;
    let about = closed;
    for (id, state, next) in [(1_i64, "delivered", None), (2, "pending", Some(at(9)))] {
        let mut tx = w.db.write().await.unwrap();
        tx.exec(
            "INSERT INTO letter (id, key, channel, address, official, payload, state, attempts, created_at, next_try_at) \
             VALUES ($1, $2, 'log', 'log', 'log', 'UNIKSATU kata Zainal', $3, 0, $4, $5)",
            vec![id.into(), format!("T1-{id}").into(), state.into(), at(5).into(), next.into()],
        )
        .await
        .unwrap();
        for (number, of) in [(10 * id, about), (10 * id + 1, 999_999)] {
            tx.exec(
                "INSERT INTO delivery (key, alert_id, kind, ticket_id, step, official, channel, address, state, letter_id, created_at, send_at) \
                 VALUES ($1, 1, 'ticket.breached', $2, 1, 'log', 'log', 'log', $3, $4, $5, $5)",
                vec![format!("d{number}").into(), of.into(), state.into(), id.into(), at(5).into()],
            )
            .await
            .unwrap();
        }
        let (at, done) = (at(6), if id == 1 { "sent" } else { "waiting" });
        tx.exec(
            "INSERT INTO reply (ticket_id, account_id, form, target, text, by_name, created_at, state, next_try_at, external_id) \
             VALUES ($1, 1, 'comment', '90077001', 'Yth. Zainal', 'ani', $2, $3, $4, 'm_zaw9')",
            vec![about.into(), at.into(), done.into(), next.into()],
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }
    hints::note(&w.db, tanggap::domain::Platform::Facebook, "101", &[Hint { post: "101_9".into(), comment: "77".into() }], at(6))
        .await
        .unwrap();
    page
}

/// Tickets but for who wrote and why: what figures are made of.
async fn standing(w: &World, which: &'static str) -> Vec<String> {
    let line = "SELECT CAST(id AS TEXT) || ' ' || state || ' ' || policy || ' ' || CAST(opened_at AS TEXT) || ' ' || CAST(due_at AS TEXT) || ' ' \
         || COALESCE(CAST(closed_at AS TEXT), '-') || ' ' || COALESCE(answered_by, '-') || ' ' || CAST(messages AS TEXT) AS t FROM ticket WHERE ";
    w.texts(Box::leak(format!("{line} {which} ORDER BY id").into_boxed_str())).await
}

async fn erase(w: &World, account: AccountId, seconds: i64) -> Erasure {
    forget::erase(&w.db, &KEY, "90077001", &[account], "ani", at(seconds)).await.unwrap()
}

on_both! {
async fn nothing_of_an_erased_person_is_left_and_no_read_brings_them_back(w: &mut World) {
    let page = known(w).await;
    assert!(holding(&w.db, &TRACES).await.len() > 30, "the traces are there to begin with");
    let found = forget::holdings(&w.db, "90077001", None).await.unwrap();
    assert_eq!(found.iter().map(|it| (it.id.as_str(), it.messages)).collect::<Vec<_>>(), [("101", 5), ("178", 1)]);
    let others = standing(w, "author = '9002'").await;
    let closed = standing(w, "author = '90077001' AND state <> 'open'").await;
    let open = w.number("SELECT COUNT(*) AS n FROM ticket WHERE author = '90077001' AND state = 'open' AND account_id = 1").await.unwrap();
    let rows = w.number("SELECT COUNT(*) AS n FROM message").await;
    let erasure = erase(w, page, 10).await;
    assert!(open > 0 && erasure.withdrawn == open as u64, "{erasure:?}");
    assert_eq!((erasure.accounts, erasure.messages), (1, 8), "5 of theirs, 3 in answer to them");
    judge(w, 11).await;
    let left = holding(&w.db, &TRACES).await;
    assert!((1..9).contains(&left.len()), "only the other account's person: {left:#?}");
    erase(w, AccountId(w.number("SELECT id AS n FROM account WHERE external_id = '178'").await.unwrap()), 12).await;
    let none: [String; 0] = [];
    assert_eq!(holding(&w.db, &TRACES).await, none);
    assert_eq!(w.number("SELECT COUNT(*) AS n FROM message").await, rows, "rows are kept for the counts");
    let before = dump(&w.db).await;
    for seconds in [20, 45, 70] {
        let taken = read(w, page, seconds, &shown()).await;
        assert!(taken.received.is_empty() && taken.edited.is_empty() && taken.deleted.is_empty(), "{taken:?}");
        judge(w, seconds + 2).await;
    }
    assert_eq!(holding(&w.db, &TRACES).await, none);
    // Beside when threads were read and looked at, nothing moved.
    let still = |mut lines: Vec<String>| -> Vec<String> {
        lines.sort();
        lines.into_iter().filter(|line| !line.starts_with("thread.") && !line.starts_with("post.") && !line.starts_with("meta.")).collect()
    };
    assert!(still(dump(&w.db).await) == still(before));
    assert_eq!(standing(w, "author = '9002'").await, others);
    let kept = standing(w, "author = '~'").await;
    assert!(closed.iter().all(|line| kept.contains(line)), "{closed:#?}\n{kept:#?}");
    let reasons = w.texts("SELECT DISTINCT COALESCE(reason, '-') AS t FROM ticket WHERE author = '~' ORDER BY 1").await;
    assert_eq!(reasons, ["-", "erased"]);
}

async fn what_an_erased_person_writes_afterwards_is_a_message_like_any_other_and_what_was_written_before_is_not_stored(w: &mut World) {
    let page = known(w).await;
    erase(w, page, 10).await;
    let before = zainal(Seen { created_at: at(9), ..comment("101_9_90", "lama") });
    let after = zainal(Seen { created_at: at(10), ..comment("101_9_91", "Baru, sekali lagi") });
    let talk = ThreadKey { citizen: Some("90077001".into()), ..direct("m_3", Direction::In, 0).thread };
    let (old, new) = (direct("m_4", Direction::Out, 5), zainal(direct("m_5", Direction::In, 20)));
    let (old, new) = (ours(Seen { thread: talk.clone(), ..old }), Seen { thread: talk, ..new });
    let known_before = [(Object::Comment, "90"), (Object::Comment, "77"), (Object::Comment, "12345")];
    assert_eq!(accounts::known(&w.db, page, known_before).await.unwrap(), [(Object::Comment, "77".to_owned())].into());
    let taken = read(w, page, 30, &[before.clone(), after, old, new]).await;
    assert_eq!(taken.received.len(), 2, "{taken:?}");
    let known = accounts::known(&w.db, page, [(Object::Comment, "90"), (Object::Comment, "12345")]).await.unwrap();
    assert_eq!(known, [(Object::Comment, "90".to_owned())].into(), "or it would be read again and again");
    judge(w, 32).await;
    let tickets = "SELECT COUNT(*) AS n FROM ticket WHERE author = '90077001' AND state = 'open' AND account_id = 1";
    assert_eq!(w.number(tickets).await, Some(2));
    assert!(read(w, page, 60, &[before]).await.received.is_empty());
    assert_eq!(accounts::posts(&w.db, page, &["101_555"]).await.unwrap()["555"].total, Some(0), "its post is not read again");
    assert!(accounts::posts_since(&w.db, page, at(-1000)).await.unwrap().is_empty());
    // And again: the same conversation, the same hashes.
    erase(w, page, 90).await;
    assert_eq!(w.number("SELECT COUNT(*) AS n FROM ticket WHERE author = '90077001' AND account_id = 1").await, Some(0));
}

async fn whoever_took_over_a_user_name_is_another_person(w: &mut World) {
    let (page, _) = w.accounts().await;
    let named = |id: Option<&str>, seen: Seen| {
        let author = Author { id: id.map(str::to_owned), name: None, username: Some("Zaw_77".into()) };
        Seen { author: Some(author), ..seen }
    };
    let first = named(Some("90077001"), comment("101_9_77", "UNIKSATU"));
    let unnumbered = named(None, comment("101_9_78", "UNIKDUA"));
    let later = named(Some("555"), comment("101_9_79", "Lampu mati"));
    w.take(page, 0, &[first, unnumbered, later.clone()], &[]).await;
    judge(w, 2).await;
    assert_eq!(erase(w, page, 10).await.messages, 2);
    assert_eq!(w.texts("SELECT text AS t FROM message WHERE text <> ''").await, ["Lampu mati"]);
    assert!(forget::holdings(&w.db, "~", None).await.unwrap().is_empty(), "those who were erased are nobody");
    let another = named(Some("555"), comment("101_9_80", "Satu lagi"));
    assert_eq!(w.take(page, 20, &[later, another], &[]).await.received.len(), 1, "written before it, by somebody else");
    let all = forget::erase(&w.db, &KEY, "@zaw_77", &[page], "ani", at(30)).await.unwrap();
    assert_eq!(all.messages, 2, "asked for by the name, it is everybody who bears it");
}

async fn somebody_elses_ticket_in_the_same_thread_goes_on_and_is_answered_there(w: &mut World) {
    let (page, _) = w.accounts().await;
    read(w, page, 0, &shown()[..2]).await;
    judge(w, 2).await;
    erase(w, page, 10).await;
    let open = "SELECT author || ' ' || state AS t FROM ticket ORDER BY id";
    judge(w, 12).await;
    let mut stand = w.texts(open).await;
    stand.sort();
    assert_eq!(stand, ["9002 open", "~ withdrawn"]);
    let answer = ours(Seen { parent: Some("101_9_78".into()), ..under("101_9_77", "101_9_95", 20, "Sudah, Pak Budi") });
    let all = [shown()[1].clone(), answer];
    assert_eq!(read(w, page, 30, &all).await.received.len(), 1);
    judge(w, 32).await;
    let mut stand = w.texts(open).await;
    stand.sort();
    assert_eq!(stand, ["9002 answered", "~ withdrawn"]);
}

async fn letters_are_emptied_and_those_under_way_written_anew_without_the_person(w: &mut World) {
    let page = known(w).await;
    erase(w, page, 10).await;
    let letters = "SELECT CAST(id AS TEXT) || ' ' || state || ' ' || payload AS t FROM letter ORDER BY id";
    assert_eq!(w.texts(letters).await, ["1 delivered ", "2 dropped "]);
    let deliveries = "SELECT key || ' ' || state || ' ' || COALESCE(CAST(letter_id AS TEXT), '-') AS t FROM delivery ORDER BY key";
    assert_eq!(w.texts(deliveries).await, ["d10 delivered 1", "d11 delivered 1", "d20 dropped 2", "d21 waiting -"]);
    let replies = "SELECT state || ' ' || text || COALESCE(error, '') AS t FROM reply ORDER BY id";
    assert_eq!(w.texts(replies).await, ["sent ", "failed erased"]);
}

async fn everything_held_of_a_person_is_exported_and_nothing_of_others(w: &mut World) {
    let page = known(w).await;
    let held = forget::export(&w.db, &KEY, "90077001", &[page], "ani", at(10)).await.unwrap();
    let text = serde_json::to_string_pretty(&held).unwrap();
    for trace in ["Zainal Wirakusuma", "zaw_77", "UNIKSATU", "UNIKDUA", "UNIKTIGA", "foto.example", "Yth. Zainal", "spam Zainal"] {
        assert!(text.contains(trace), "{trace} is not in {text}");
    }
    assert!(!text.contains("Budi") && !text.contains("Lampu mati") && !text.contains("kata Zainal"), "{text}");
    assert_eq!((held[0].messages.len(), held[0].account.as_str()), (8, "101"));
    let trail = w.texts("SELECT did || ' ' || by_name || ' ' || detail AS t FROM trail").await;
    assert!(trail.len() == 1 && trail[0].starts_with("export ani account 1: author ") && !trail[0].contains("90077001"), "{trail:?}");
}

async fn a_request_has_one_code_and_forgets_whose_it_was_when_it_is_done(w: &mut World) {
    let code = forget::request(&w.db, &KEY, "90077001", at(0)).await.unwrap();
    assert_eq!(forget::request(&w.db, &[1; 32], "90077001", at(5)).await.unwrap(), code, "the key is made once");
    assert_ne!(forget::request(&w.db, &KEY, "90077002", at(6)).await.unwrap(), code);
    assert_eq!(forget::pending(&w.db).await.unwrap()[0], (code.clone(), "90077001".to_owned()));
    forget::done(&w.db, &code, at(9)).await.unwrap();
    let stands = forget::status(&w.db, &code).await.unwrap().unwrap();
    assert_eq!((stands.asked_at, stands.done_at), (at(5), Some(at(9))));
    assert!(holding(&w.db, &["90077001"]).await.is_empty());
    assert_eq!(forget::status(&w.db, "0").await.unwrap(), None);
}

async fn retention_erases_closed_threads_and_history_and_leaves_what_is_open(w: &mut World) {
    let page = known(w).await;
    w.exec("UPDATE reply SET state = 'sent', next_try_at = NULL", vec![]).await;
    let open = "SELECT COUNT(*) AS n FROM ticket WHERE state = 'open'";
    let (waiting, all) = (w.number(open).await, standing(w, "1 = 1").await);
    let past = at(3600);
    let keep = forget::purge(&w.db, &KEY, (0, at(-3600)), past).await.unwrap();
    assert_eq!((keep, forget::stale(&w.db, at(-3600)).await.unwrap()), (None, 0), "nothing is as old as that");
    let stale = forget::stale(&w.db, past).await.unwrap();
    let done = forget::purge(&w.db, &KEY, (0, past), past).await.unwrap().unwrap();
    assert!(stale > 0 && done.threads == stale, "{stale} {done:?}");
    assert_eq!(forget::purge(&w.db, &KEY, (done.after, past), past).await.unwrap(), None);
    assert_eq!((w.number(open).await, standing(w, "1 = 1").await), (waiting, all));
    assert_eq!(forget::stale(&w.db, past).await.unwrap(), 0);
    let texts = "SELECT COUNT(*) AS n FROM message m WHERE m.text <> '' AND NOT EXISTS (SELECT 1 FROM ticket t WHERE t.thread_id = m.thread_id AND t.state = 'open')";
    assert_eq!(w.number(texts).await, Some(0));
    assert!(read(w, page, 3700, &shown()).await.received.is_empty());
    judge(w, 3702).await;
    assert_eq!(standing(w, "1 = 1").await.len() as i64, w.number("SELECT COUNT(*) AS n FROM ticket").await.unwrap());
    for every in [SignedDuration::from_hours(24)] {
        assert_eq!(forget::due(&w.db, every).await.unwrap(), None);
        assert!(forget::claim(&w.db, every, past).await.unwrap() && !forget::claim(&w.db, every, past).await.unwrap(), "one process only");
        assert_eq!(forget::due(&w.db, every).await.unwrap(), Some(Time::clamp_ms(past.ms()).plus(every)));
        forget::release(&w.db).await.unwrap();
        assert!(forget::claim(&w.db, every, past).await.unwrap());
    }
}

async fn a_ticket_that_is_settled_takes_no_remark_and_stands_on_the_page_without_words(w: &mut World) {
    let page = known(w).await;
    erase(w, page, 10).await;
    let id = TicketId(w.number("SELECT MIN(id) AS n FROM ticket WHERE author = '~'").await.unwrap());
    let refused = actions::record(&w.db, &Scope::ALL, &[id], (ActionKind::Note, "x"), "ani", at(20)).await;
    assert!(refused.is_err());
    let shown = listing::ticket(&w.db, &Scope::ALL, id).await.unwrap().unwrap();
    assert_eq!((shown.author, shown.text.as_str()), (None, ""));
    assert!(shown.erased_at.is_some());
    let history = listing::history(&w.db, &Scope::ALL, id).await.unwrap();
    assert!(history.iter().filter(|message| message.erased_at.is_some()).all(|message| message.author.is_none() && message.text.is_empty()));
}
}

#[tokio::test]
async fn the_bytes_of_the_sqlite_file_hold_nothing_of_an_erased_person() {
    let w = World::sqlite().await;
    let page = known(&w).await;
    let file = tanggap::store::Db::file(&w.url).unwrap();
    let bytes = || -> Vec<u8> {
        ["", "-wal"].iter().flat_map(|end| std::fs::read(format!("{}{end}", file.display())).unwrap_or_default()).collect()
    };
    let held = |what: &str| bytes().windows(what.len()).any(|window| window == what.as_bytes());
    assert!(held("UNIKSATU") && held("Zainal") && held("90077001"));
    erase(&w, page, 10).await;
    erase(&w, AccountId(2), 10).await;
    assert!(w.db.scrub().await.unwrap(), "nobody reads");
    for trace in ["UNIKSATU", "UNIKDUA", "UNIKTIGA", "Zainal", "zaw_77", "90077001", "m_zaw"] {
        assert!(!held(trace), "{trace}");
    }
}
