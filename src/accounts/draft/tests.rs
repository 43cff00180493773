//! What a draft says, and that what it says is TOML.

use super::*;
use crate::accounts::{discover::Owner, shipped};

const SITE: &str = "Kabupaten Rembang";

fn page(id: &str, name: &str) -> Account {
    Account {
        platform: Platform::Facebook,
        login: Login::Facebook,
        id: id.into(),
        page: None,
        name: Some(name.into()),
        username: None,
        tasks: vec!["PROFILE_PLUS_FULL_CONTROL".into()],
        granted: None,
        token: Some("EAAGpage".to_owned().into()),
    }
}

fn linked(id: &str, username: &str, page: &str) -> Account {
    Account { platform: Platform::Instagram, page: Some(page.into()), name: None, username: Some(username.into()), ..self::page(id, "") }
}

fn written(accounts: Vec<Account>) -> String {
    let units = shipped::shipped(SITE, &[]);
    let seen = Seen { owner: Owner::Person, kind: Some("SYSTEM_USER".into()), expires_at: None, accounts, instagram_hidden: false, odd: 0 };
    let placed = place(&seen.accounts, &units, SITE);
    let tokens = vec![None; placed.len()];
    let draft = Draft { reference: "env:T", app: None, seen: &seen, placed: &placed, tokens: &tokens, units: &units, opds: &[] };
    draft.write()
}

#[test]
fn an_account_stands_under_its_agency_with_its_linked_one_and_the_source_of_their_tokens() {
    let text = written(vec![page("101", "Dinbudpar Kabupaten Rembang"), linked("178", "pesona.rembang", "101")]);
    let table: toml::Table = text.parse().unwrap();
    assert_eq!(table["graph"]["source"][0]["token"].as_str(), Some("env:T"));
    let opd = &table["opd"][0];
    assert_eq!((opd["slug"].as_str(), opd["kind"].as_str()), (Some("dinbudpar"), Some("dinas")));
    assert_eq!(opd["account"][0]["id"].as_str(), Some("101"));
    assert_eq!((opd["account"][1]["platform"].as_str(), opd["account"][1]["page"].as_str()), (Some("instagram"), Some("101")));
    assert!(text.contains("Page \"Dinbudpar Kabupaten Rembang\" (101): 98 % sure"), "{text}");
    assert!(!text.contains("EAAG"), "{text}");
}

#[test]
fn what_is_doubtful_is_commented_out_with_what_it_may_be() {
    let mut poor = page("104", "Dinhub Rembang");
    poor.token = None;
    let text = written(vec![
        page("102", "Dinas Pertanian"),
        page("103", "Warung\n[[opd]]\nslug = \"x\""),
        poor,
        page("105", "Dinkes Rembang"),
        linked("179", "dinhub_rembang", "105"),
    ]);
    let table: toml::Table = text.parse().unwrap();
    assert_eq!(table["opd"].as_array().unwrap().len(), 1, "only Dinkes: {text}");
    assert!(text.contains("perhaps dintanpan ("), "{text}");
    assert!(text.contains("perhaps dinhub (98 %), or dinkes (98 %)"), "a linked account whose own name says otherwise: {text}");
    assert!(text.contains("no agency is called so") && text.contains("Meta gives no token for it"), "{text}");
}

#[test]
fn what_a_token_may_not_do_is_said_of_each_account() {
    let mut page = page("101", "Dinkes Rembang");
    page.tasks = vec!["PROFILE_PLUS_MODERATE".into()];
    page.granted = Some(vec!["pages_messaging".into(), "pages_manage_metadata".into(), "pages_read_engagement".into()]);
    let text = written(vec![page]);
    assert!(
        text.contains(
            "# LACKS the permission pages_read_user_content (comments and visitors' posts), the task MESSAGING (direct messages)"
        ),
        "{text}"
    );
}
