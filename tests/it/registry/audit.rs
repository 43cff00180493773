//! `audit`: on the shipped example with nothing stored and with a little of everything, the same on both databases.

use serde_json::Value;
use tanggap::{
    domain::{Platform, Time},
    store::{Db, accounts, audit::watched, db::Val},
};

use super::{example, shown, tanggap};

fn now() -> Time {
    Time::from_timestamp(jiff::civil::date(2026, 11, 24).at(9, 0, 0, 0).in_tz("Asia/Jakarta").unwrap().timestamp())
}

async fn write(db: &Db, sql: &'static str, vals: Vec<Val>) {
    let mut tx = db.write().await.unwrap();
    tx.exec(sql, vals).await.unwrap();
    tx.commit().await.unwrap();
}

/// The example's seven accounts: one whose token died, one no longer linked, one dormant and silent, one never read, the rest well.
async fn fill(db: &Db) {
    let ids = ["101000000000001", "101000000000002", "101000000000003", "101000000000004", "101000000000005", "101000000000006"];
    let mut list: Vec<_> = ids.iter().map(|id| (Platform::Facebook, (*id).to_owned(), "x".to_owned())).collect();
    list.push((Platform::Instagram, "17841400000000001".into(), "x".into()));
    accounts::sync(db, &list, now()).await.unwrap();
    let (long_ago, lately) = (1_700_000_000_000_i64, 4_000_000_000_000_i64);
    write(
        db,
        "UPDATE account SET last_read_at = $1, name = 'Akun <b>' || external_id WHERE external_id <> '101000000000004'",
        vec![lately.into()],
    )
    .await;
    write(
        db,
        "INSERT INTO source (account_id, name, first_read_at) SELECT id, 'comments', $1 FROM account WHERE external_id <> '101000000000004'",
        vec![long_ago.into()],
    )
    .await;
    for (id, reason) in [
        ("101000000000001", "the token expired (code 190, subcode 463, HTTP status 400, fbtrace_id A1)"),
        ("17841400000000001", "the object is gone or not visible (code 100, subcode 33, HTTP status 400)"),
    ] {
        write(
            db,
            "UPDATE account SET healthy = 0, reason = $2, failing_since = $3 WHERE external_id = $1",
            vec![id.into(), reason.into(), now().into()],
        )
        .await;
    }
    let well = "SELECT id, $1, 'p', 'own', $2 FROM account WHERE external_id <> '101000000000002'";
    let posts = format!("INSERT INTO post (account_id, key, external_id, author, created_at) {well}");
    write(db, Box::leak(posts.into_boxed_str()), vec!["k".into(), lately.into()]).await;
    write(
        db,
        "INSERT INTO post (account_id, key, external_id, author, created_at)
         SELECT id, 'old', 'old', 'own', $1 FROM account UNION ALL SELECT id, 'v', 'v', 'visitor', $2 FROM account",
        vec![long_ago.into(), lately.into()],
    )
    .await;
    write(
        db,
        "INSERT INTO message (account_id, thread_id, object, key, external_id, kind, direction, top_level, text, attachments, tags, created_at,
           seen_at, hidden, automatic, needs_answer, asks, urgent, bare, tags_own, by_page)
         SELECT a.id, 1, 'comment', d.direction, d.direction, 'comment', d.direction, 1, 'x', '[]', '[]',
           CASE WHEN a.external_id = '101000000000002' AND d.direction = 'in' THEN $1 ELSE $2 END, 0, 0, 0, 0, 0, 0, 0, 0, 0
         FROM account a CROSS JOIN (SELECT 'in' AS direction UNION SELECT 'out') d",
        vec![long_ago.into(), lately.into()],
    )
    .await;
}

/// The example on a filled database of each kind.
async fn both() -> Vec<(tempfile::TempDir, Db)> {
    let mut worlds = Vec::new();
    for postgres in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let url = if postgres { crate::databases::postgres().await } else { format!("sqlite://{}/t.db", folder.path().display()) };
        let db = Db::open(&url).await.unwrap();
        fill(&db).await;
        example(folder.path(), &url, &[]);
        worlds.push((folder, db));
    }
    worlds
}

#[tokio::test]
async fn every_finding_of_the_example_is_the_same_on_both_databases() {
    let worlds = both().await;
    assert_eq!(watched(&worlds[0].1).await.unwrap(), watched(&worlds[1].1).await.unwrap());
    let mut audits = worlds.iter().map(|(folder, _)| shown(&tanggap(folder.path(), &[], &["audit"])));
    let (sqlite, postgres) = (audits.next().unwrap(), audits.next().unwrap());
    assert_eq!(sqlite, postgres);
    let rows: Vec<Value> = serde_json::from_str(&sqlite).unwrap();
    let of = |opd: &str| rows.iter().filter(|row| row["opd"] == opd).map(|row| row["finding"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(of("dindukcapil"), ["not_readable", "not_linked"]);
    assert_eq!(of("dindikpora"), ["dormant", "silent", "platform_missing"]);
    assert_eq!(of("dinbudpar"), ["not_read_yet", "platform_missing"]);
    assert_eq!(of("dintanpan"), ["platform_missing"]);
    assert_eq!((of("kec-sulang"), rows[0]["opd"].as_str()), (vec!["no_account"], Some("dindukcapil")));
    let units: std::collections::HashSet<_> = rows.iter().map(|row| row["opd"].as_str().unwrap()).collect();
    assert_eq!(units.len(), 41, "every agency is in the list");
    assert_eq!(rows[0]["reason"], "the token expired (code 190, subcode 463, HTTP status 400, fbtrace_id A1)");
}

#[tokio::test]
async fn the_table_and_the_page_speak_the_sites_language_and_neither_runs_what_an_account_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/t.db", folder.path().display());
    fill(&Db::open(&url).await.unwrap()).await;
    example(folder.path(), &url, &[]);
    let table = shown(&tanggap(folder.path(), &[], &["audit", "--format", "table"]));
    for said in [
        "Paling mendesak: Dindukcapil, karena pesan warga di akunnya, yang sudah terdaftar, tidak dapat dipantau lagi.",
        "Dari 41 perangkat daerah, 6 sudah mendaftarkan akun",
        "terbaca tanpa temuan: 3",
        "Perlu ditindaklanjuti, yang paling mendesak di atas",
    ] {
        assert!(table.split_whitespace().collect::<Vec<_>>().join(" ").contains(said), "{said}: {table}");
    }
    assert_eq!(table.matches("Belum mendaftarkan akun.").count(), 1, "35 agencies are one row: {table}");
    let widest = table.lines().map(|line| line.chars().count()).max();
    assert!(widest.is_some_and(|widest| widest <= 100), "{widest:?}: {table}");
    let page = shown(&tanggap(folder.path(), &[], &["audit", "--format", "html"]));
    assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"id\">") && page.contains("Akun &lt;b&gt;101000000000002"), "{page}");
    for said in [
        "<th scope=\"rowgroup\" rowspan=\"1\">35 perangkat daerah<span class=\"members\">2 Sekretariat: Setda, Setwan</span>",
        "<span class=\"members\">14 Kecamatan: Kec. Sumber, Kec. Bulu",
        "<b class=\"short\">Dindukcapil: </b>Akun Instagram",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    for loaded in ["<script", "src=", "href=", "url(", "<b>1"] {
        assert!(!page.contains(loaded), "{loaded}");
    }
    example(folder.path(), &url, &[("language = \"id\"", "language = \"en\"")]);
    let table = shown(&tanggap(folder.path(), &[], &["audit", "--format", "table"]));
    assert!(table.lines().all(|line| line.chars().count() <= 100) && table.contains("35 agencies"), "{table}");
    let page = shown(&tanggap(folder.path(), &[], &["audit", "--format", "html", "--dormant", "40"]));
    assert!(page.contains("<html lang=\"en\">") && page.contains("What citizens write there goes unseen."), "{page}");
    let csv = shown(&tanggap(folder.path(), &[], &["audit", "--format", "csv"]));
    assert!(csv.starts_with("opd,name,abbreviation,kind,parent,finding,platform,account,since,text,advice,reason\n"), "{csv}");
}

#[test]
fn before_the_daemon_ever_ran_the_audit_says_what_the_configuration_alone_tells() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/none.db", folder.path().display());
    assert!(Db::is_absent(&url) && !Db::is_absent("postgres://localhost/t"));
    example(folder.path(), &url, &[]);
    let output = tanggap(folder.path(), &[], &["audit", "--format", "table"]);
    let table = shown(&output).split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
    for said in [
        "Layanan Tanggap belum berjalan",
        "Dindukcapil, Dindikpora, DinsosPPKB, Dinbudpar, Dintanpan, Dinlutkan; akun itu tinggal menunggu pengelola Tanggap.",
        "Semua akun yang terdaftar (7)",
        "Pengelola Tanggap: Operator Dinkominfo",
    ] {
        assert!(table.contains(said), "{said}: {table}");
    }
    assert!(!table.contains("101000000000001"), "what is so of all is said once: {table}");
    assert!(Db::is_absent(&url), "looking makes nothing");
}
