//! The operator's handbook and the threat model tell of what is there: every event, and tests that exist.

use std::{collections::BTreeSet, fs, path::Path};

use regex::Regex;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Every Rust source below a folder, without its tests.
fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            all += &sources(&path);
        } else if path.extension().is_some_and(|end| end == "rs") && name != "tests.rs" {
            all += &fs::read_to_string(&path).unwrap();
        }
    }
    all
}

#[test]
fn the_handbook_says_of_every_event_what_to_do_and_of_no_other() {
    let program = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let handbook = read("deploy/handbook.md");
    let section = handbook.split("## 5. ").nth(1).unwrap().split("## 6. ").next().unwrap();
    let told: BTreeSet<&str> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| {
            let cells: Vec<_> = line.split('|').collect();
            assert!(cells.len() == 6 && !cells[4].trim().is_empty(), "what to do is missing: {line}");
            Regex::new("`([a-z_.]+)`").unwrap().captures_iter(cells[1]).map(|it| it.extract::<1>().1[0]).collect::<Vec<_>>()
        })
        .collect();
    let said = Regex::new(r#"event = "([a-z_]+\.[a-z_]+)""#).unwrap();
    let mut said: BTreeSet<String> = said.captures_iter(&program).map(|it| it[1].to_owned()).collect();
    // tickets' events are named by the word of what happened
    let words = Regex::new(r#"b"([a-z_]+)" => ""#).unwrap();
    said.extend(words.captures_iter(&read("src/sla/stage.rs")).map(|it| format!("ticket.{}", &it[1])));
    let untold: Vec<_> = said.iter().filter(|event| !told.contains(event.as_str())).collect();
    assert!(untold.is_empty(), "the handbook does not tell of {untold:?}");
    assert!(said.len() > 40, "{said:?}");
    let gone: Vec<_> = told.iter().filter(|event| !said.contains(**event) && !program.contains(&format!("\"{event}\""))).collect();
    assert!(gone.is_empty(), "the program says no such thing: {gone:?}");
}

#[test]
fn the_tests_that_the_threat_model_names_are_there() {
    let threats = read("deploy/threats.md");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut named, quoted) = (0, Regex::new("`([^`]+)`").unwrap());
    for line in threats.lines().filter(|line| line.starts_with("| ") && line.matches('|').count() == 5) {
        let shown_by = line.split('|').nth(4).unwrap();
        for name in quoted.captures_iter(shown_by).map(|it| it.extract::<1>().1[0]) {
            let module = name.trim_end_matches("::").replace("::", "/");
            let places =
                [format!("tests/it/{module}.rs"), format!("tests/{module}"), format!("fuzz/fuzz_targets/{module}.rs"), module.clone()];
            assert!(places.iter().any(|place| root.join(place).exists()), "{name} is nowhere: {line}");
            named += 1;
        }
    }
    assert!(named > 20, "{named}");
}
