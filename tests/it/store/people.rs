//! Who may use the page and the API, and who did what.

use jiff::SignedDuration;
use tanggap::{
    domain::{Role, Scope, Time, ticket::ActionKind},
    store::{
        actions, listing,
        people::{self, Rights},
        trail,
    },
};

use super::world::{World, at};

const ALL: Rights<'static> = Rights { role: Role::Ops, opds: &[] };

#[tokio::test]
async fn people_sign_in_until_their_session_password_rights_or_name_ends() {
    for w in [World::sqlite().await, World::postgres().await] {
        let db = &w.db;
        assert!(people::add(db, ("ani", Some("hash"), None), &ALL, "root", at(0)).await.unwrap());
        assert!(!people::add(db, ("ani", None, None), &ALL, "root", at(0)).await.unwrap(), "the name is taken");
        let opds = ["dinhub".to_owned()];
        let scoped = Rights { role: Role::Viewer, opds: &opds };
        assert!(people::add(db, ("budi", None, Some("issuer subject")), &scoped, "root", at(1)).await.unwrap());
        let budi = people::by_subject(db, "issuer subject").await.unwrap().unwrap();
        assert_eq!((budi.name.as_str(), budi.password.as_deref(), &budi.scope), ("budi", None, &Scope::of(["dinhub"])));
        let ani = people::by_name(db, "ani").await.unwrap().unwrap();
        people::sign_in(db, &ani, "s1", at(2)).await.unwrap();
        assert_eq!(people::signed_in(db, "s1", true, at(3)).await.unwrap().unwrap(), ani);
        assert_eq!(people::signed_in(db, "s2", true, at(3)).await.unwrap(), None);
        let end_of = |from: Time, length: SignedDuration| from.plus(length);
        assert!(people::signed_in(db, "s1", true, end_of(at(2), people::IDLE)).await.unwrap().is_none(), "nobody used it");
        assert!(people::change(db, "ani", (Some("other"), Some(&scoped)), "root", at(4)).await.unwrap());
        assert!(people::signed_in(db, "s1", true, at(5)).await.unwrap().is_none(), "who was signed in is no more");
        let ani = people::by_name(db, "ani").await.unwrap().unwrap();
        assert_eq!((ani.password.as_deref(), ani.role), (Some("other"), Role::Viewer));
        people::sign_in(db, &ani, "s3", at(6)).await.unwrap();
        people::sign_out(db, "s3", "ani", at(7)).await.unwrap();
        assert!(people::signed_in(db, "s3", true, at(8)).await.unwrap().is_none());
        assert!(people::end(db, "ani", "root", at(9)).await.unwrap() && people::by_name(db, "ani").await.unwrap().is_none());
        assert!(
            !people::end(db, "nobody", "root", at(9)).await.unwrap()
                && !people::change(db, "nobody", (None, Some(&ALL)), "root", at(9)).await.unwrap()
        );
        let all = people::all(db).await.unwrap();
        let all: Vec<_> = all.iter().map(|it| (it.name.as_str(), it.opds.len(), it.ended_at)).collect();
        assert_eq!(all, [("ani", 1, Some(at(9))), ("budi", 1, None)]);
    }
}

#[tokio::test]
async fn a_programs_token_holds_until_it_is_revoked_and_its_name_is_used_once() {
    for w in [World::sqlite().await, World::postgres().await] {
        let db = &w.db;
        assert!(people::add_token(db, "portal", "h1", &ALL, "root", at(0)).await.unwrap());
        assert!(!people::add_token(db, "portal", "h2", &ALL, "root", at(0)).await.unwrap());
        assert_eq!(people::program(db, "h1", at(1)).await.unwrap().unwrap().name, "portal");
        assert_eq!(people::program(db, "h2", at(1)).await.unwrap(), None);
        assert_eq!(people::tokens(db).await.unwrap()[0].used_at, Some(at(1)));
        assert!(people::end_token(db, "portal", "root", at(2)).await.unwrap());
        assert!(!people::end_token(db, "other", "root", at(2)).await.unwrap());
        assert_eq!(people::program(db, "h1", at(3)).await.unwrap(), None);
        assert!(!people::add_token(db, "portal", "h3", &ALL, "root", at(4)).await.unwrap(), "nor ever again");
    }
}

#[tokio::test]
async fn the_trail_tells_everything_to_all_and_of_tickets_alone_to_the_scoped() {
    for w in [World::sqlite().await, World::postgres().await] {
        let id = super::tickets::stored(&w).await;
        let db = &w.db;
        trail::add(db, "ani", "report.exported", "2026", at(10)).await.unwrap();
        let said = actions::record(db, &Scope::ALL, &[id], (ActionKind::Note, "catatan"), "budi", at(11)).await.unwrap();
        let moment = std::time::Duration::from_millis(20);
        assert!(!actions::noticed(db, &said, moment, moment).await.unwrap(), "nobody is there to apply it");
        let did = async |scope: Scope, before: Time| -> Vec<String> {
            let deeds = trail::deeds(db, &scope, before, 10).await.unwrap();
            deeds.iter().map(|deed| format!("{} {} {}", deed.by, deed.did, deed.detail)).collect()
        };
        assert_eq!(did(Scope::ALL, at(99)).await, ["budi note catatan", "ani report.exported 2026"]);
        assert_eq!(did(Scope::ALL, at(11)).await, ["ani report.exported 2026"]);
        assert_eq!(did(Scope::of(["dinhub"]), at(99)).await, ["budi note catatan"]);
        assert_eq!(did(Scope::of(["dinkes"]), at(99)).await, Vec::<String>::new());
        // what else the page asks of a ticket, within the scope and outside
        for (scope, known) in [(Scope::of(["dinhub"]), true), (Scope::of(["dinkes"]), false)] {
            assert_eq!(!listing::steps(db, &scope, id).await.unwrap().is_empty(), known);
            assert_eq!(!listing::happenings(db, &scope, Some(0)).await.unwrap().is_empty(), known);
            assert_eq!(listing::reading(db, &scope, at(99)).await.unwrap().accounts > 0, known);
        }
    }
}
