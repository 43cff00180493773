//! `tanggap report` on a real database: every form of it, both languages, rules to try, and what is refused.

use super::world::at;
use crate::cli::world::{World, stderr, write};

const PERIOD: [&str; 4] = ["--from", "2026-11-24", "--to", "2026-11-24"];

fn args<'a>(more: &[&'a str]) -> Vec<&'a str> {
    ["report"].iter().chain(&PERIOD).chain(more).copied().collect()
}

#[tokio::test]
async fn a_report_is_one_object_with_period_totals_groups_ranking_and_heat_map() {
    let world = World::new().await;
    let report = world.json(&args(&[]));
    assert_eq!((&report["period"]["from"], &report["period"]["timezone"]), (&"2026-11-24".into(), &"Asia/Jakarta".into()));
    assert_eq!(
        (report["totals"]["tickets"].as_i64(), report["totals"]["open"].as_i64(), report["totals"]["in_time"].as_i64()),
        (Some(4), Some(3), Some(1))
    );
    assert_eq!(
        report["groups"].as_array().unwrap().iter().map(|it| it["key"].as_str().unwrap()).collect::<Vec<_>>(),
        ["dindukcapil", "rsud"]
    );
    assert_eq!(report["heat_map"][1][9]["tickets"], 4, "Tuesday, 09 WIB");
    assert!(report["ranking"][0]["why"].as_str().unwrap().contains("Terlalu sedikit"), "{}", report["ranking"]);
    assert!(report.get("what_if").is_none() && report["waiting"].as_array().unwrap().len() == 3);
    for by in ["account", "policy", "platform", "day"] {
        let groups = world.json(&args(&["--by", by]))["groups"].as_array().unwrap().len();
        assert_eq!(groups, if matches!(by, "policy" | "day") { 1 } else { 2 }, "{by}");
    }
    let lately = world.json(&["report"]);
    assert_eq!(lately["by"], "opd");
}

#[tokio::test]
async fn a_table_is_in_the_sites_language_and_a_csv_row_never_runs() {
    let world = World::new().await;
    write(&world.db, "UPDATE account SET name = '=1+1' || char(27) || '[31m', opd = '=cmd()' WHERE id = 1", vec![]).await;
    let table = world.output(&args(&["--format", "table"]));
    assert!(
        table.contains("Kabupaten Uji, 24 November 2026") && table.contains("Mengapa urutan ini") && table.contains("Selasa"),
        "{table}"
    );
    assert!(!table.contains('\u{1b}'));
    let english = world.command(&args(&["--format", "table"])).env("TANGGAP__SITE__LANGUAGE", "en").output().unwrap();
    assert!(String::from_utf8(english.stdout).unwrap().contains("Why this rank"));
    for (by, cell) in [("opd", "'=cmd()"), ("account", "Facebook =1+1")] {
        let csv = world.output(&args(&["--format", "csv", "--by", by]));
        let mut rows = csv::Reader::from_reader(csv.as_bytes());
        assert_eq!(rows.headers().unwrap().len(), 30);
        let rows: Vec<_> = rows.records().map(Result::unwrap).collect();
        assert!(rows.iter().any(|row| row[1].starts_with(cell)), "{csv}");
        assert!(rows.iter().flat_map(|row| row.iter()).all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{csv}");
    }
    let page = world.output(&args(&["--format", "html"]));
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("Perangkat daerah menurut bagian yang dijawab tepat waktu"));
    assert!(!page.contains("Siti") && !page.contains("merah"), "nothing of the citizen");
}

#[tokio::test]
async fn other_rules_are_replayed_beside_what_happened() {
    let world = World::new().await;
    write(&world.db, "UPDATE ticket SET due_at = $1, breached_at = NULL WHERE state = 'open'", vec![at("2996-11-24T06:00:00Z").into()])
        .await;
    let rules = "[[calendar]]\nname = \"malam\"\nhours = { mon-sun = [\"00:00-24:00\"] }\n[[policy]]\nname = \"cepat\"\nrespond_within = \"30m\"\ncalendar = \"malam\"\n\
                 step = [ { at = \"0m\", notify = [\"operator\"] } ]\n";
    std::fs::write(world.path("policy.toml"), rules).unwrap();
    let replayed = &world.json(&args(&["--what-if", "policy.toml"]))["what_if"];
    assert_eq!(
        (&replayed["tickets"], &replayed["breaches_recorded"], &replayed["policies"][0]["policy"]),
        (&4.into(), &0.into(), &"cepat".into())
    );
    assert_eq!(replayed["steps"][0]["official"], "operator");
    let table = world.output(&args(&["--what-if", "policy.toml", "--format", "table"]));
    assert!(table.contains("4 pesan diulang") && table.contains("cepat"), "{table}");
    assert!(world.output(&args(&["--what-if", "policy.toml", "--format", "html"])).contains("Seandainya"));
}

#[tokio::test]
async fn what_is_wrong_with_a_call_or_with_rules_to_try_is_said_with_file_and_key() {
    let world = World::new().await;
    for (rules, why) in [
        ("", "policy.toml: policy: is missing"),
        ("[[policy]]\nname = \"a\"\nrespond_within = \"1h\"\ncalendar = \"kantr\"\n", "policy.toml:4: policy[0].calendar: "),
        (
            "[[policy]]\nname = \"a\"\nrespond_within = \"1h\"\ncalendar = \"always\"\nstep = [ { at = \"0m\", notify = [\"bupat\"] } ]\n",
            "notify",
        ),
        (
            "[[policy]]\nname = \"a\"\nwithin = \"1h\"\nrespond_within = \"1h\"\ncalendar = \"always\"\n",
            "policy.toml:3: policy[0].within: unknown key",
        ),
        (
            "[site]\nname = \"x\"\n[[policy]]\nname = \"a\"\nrespond_within = \"1h\"\ncalendar = \"always\"\n",
            "site: has no place in a file of rules to try",
        ),
        ("[[policy]\n", "policy.toml:1: is no TOML"),
        (
            "[[calendar]]\nname = \"always\"\nhours = { mon = [\"07:00-08:00\"] }\n[[policy]]\nname = \"a\"\nrespond_within = \"1h\"\ncalendar = \"always\"\n",
            "the name of a built-in calendar",
        ),
    ] {
        std::fs::write(world.path("policy.toml"), rules).unwrap();
        let refused = world.run(&args(&["--what-if", "policy.toml"]));
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0), "{rules}: {}", stderr(&refused));
        assert!(stderr(&refused).contains(why), "{why}: {}", stderr(&refused));
    }
    for (call, why) in [
        (&["report", "--what-if", "absent.toml"][..], "absent.toml: can't be read"),
        (&["report", "--from", "2026-12-01", "--to", "2026-11-01"], "--from 2026-12-01 lies after --to 2026-11-01"),
        (&["report", "--from", "kemarin"], "kemarin"),
        (&["report", "--by", "kepala"], "possible values"),
    ] {
        let refused = world.run(call);
        assert_eq!(refused.status.code(), Some(2), "{call:?}");
        assert!(stderr(&refused).contains(why), "{}", stderr(&refused));
    }
}

#[tokio::test]
async fn a_calendar_to_try_takes_the_place_of_the_sites_of_the_same_name() {
    let world = World::new().await;
    let own = "[[calendar]]\nname = \"kantor\"\nhours = { mon-fri = [\"07:00-15:30\"] }\n";
    let text = std::fs::read_to_string(world.path("tanggap.toml")).unwrap();
    std::fs::write(world.path("tanggap.toml"), format!("{text}{own}")).unwrap();
    let rules = "[[calendar]]\nname = \"kantor\"\nhours = { tue = [\"09:00-09:30\"] }\n[[policy]]\nname = \"biasa\"\nrespond_within = \"20m\"\ncalendar = \"kantor\"\n";
    std::fs::write(world.path("policy.toml"), rules).unwrap();
    // all four came in on Tuesday from 09.00 to 09.10; one was answered at 10.10, the others within five minutes
    let soon = "UPDATE ticket SET state = 'answered', closed_at = opened_at + 300000, business_seconds = 300 WHERE state = 'open'";
    write(&world.db, soon, vec![]).await;
    let replayed = &world.json(&args(&["--what-if", "policy.toml"]))["what_if"];
    assert_eq!((replayed["policies"][0]["tickets"].as_i64(), replayed["policies"][0]["breaches"].as_i64()), (Some(4), Some(1)));
}
