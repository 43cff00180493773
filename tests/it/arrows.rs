//! The walls of the house, read from the sources: which folder may name which (the table of `src/lib.rs`), what a pure file may not
//! touch, where SQL stands, and that every file says what it is for.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::LazyLock,
};

use regex::Regex;

/// Files whose answers follow from their arguments alone; a name without `.rs` is a folder.
const PURE: [&str; 25] = [
    "accounts/audit",
    "accounts/draft",
    "accounts/matching",
    "accounts/page.rs",
    "accounts/place.rs",
    "alert/group.rs",
    "alert/letter",
    "alert/retry.rs",
    "alert/route.rs",
    "alert/when.rs",
    "catalogue/",
    "domain/",
    "hours/",
    "link.rs",
    "normalize/",
    "poll/quota.rs",
    "poll/schedule.rs",
    "poll/silence.rs",
    "poll/tokens/judge.rs",
    "report/",
    "sla/automatic.rs",
    "sla/judge",
    "sla/numbering.rs",
    "sla/plan.rs",
    "sla/tickets.rs",
];

fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

/// Every Rust file below a folder, by its path from there.
pub fn files(root: &Path) -> Vec<(String, String)> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

/// Every source file by its path below `src/`, comments blanked out, with its first line as it stands.
static SOURCES: LazyLock<BTreeMap<String, (String, String)>> = LazyLock::new(|| {
    let (root, comment) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), pattern(r"(?m)^[ \t]*//.*$|[ \t]//[ \t].*$"));
    let read = |(name, text): (String, String)| {
        let first = text.lines().next().unwrap_or_default().to_owned();
        (name, (first, comment.replace_all(&text, "").into_owned()))
    };
    files(&root).into_iter().map(read).collect()
});

/// Says where a file holds what it must not.
fn holds(forbidden: &Regex, named: impl Fn(&str) -> bool) -> Vec<String> {
    let files = SOURCES.iter().filter(|(name, _)| named(name));
    let lines = files.flat_map(|(name, (_, text))| text.lines().enumerate().map(move |(number, line)| (name, number + 1, line)));
    lines
        .filter(|(_, _, line)| forbidden.is_match(line))
        .map(|(name, number, line)| format!("src/{name}:{number}: {}", line.trim()))
        .collect()
}

/// The folders that each folder may name, as the documentation draws them.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = include_str!("../../src/lib.rs");
    let (_, drawing) = text.split_once("# The rule of arrows").unwrap();
    let words = |list: &str| list.split(", ").map(str::to_owned).collect::<BTreeSet<_>>();
    let arrows: Vec<_> = pattern(r"(\w+(?:, \w+)*) +-> (\w+(?:, \w+)*)").captures_iter(drawing).collect();
    arrows.iter().flat_map(|arrow| words(&arrow[1]).into_iter().map(|from| (from, words(&arrow[2])))).collect()
}

/// The folders that a text names from the root of the crate, each with its line: `crate::x::`, `crate::{x, y::{…}}`, and as many
/// `super::` as lead there.
fn names(name: &str, text: &str) -> Vec<(usize, String)> {
    let depth = name.trim_end_matches("/mod.rs").split('/').count();
    let root = pattern(&format!(r"\bcrate::|\b(?:super::){{{depth},}}|\btanggap::"));
    let word = pattern(r"^\s*(\w+)");
    let mut found = Vec::new();
    for start in root.find_iter(text).filter(|start| !start.as_str().starts_with("tanggap") || name == "main.rs") {
        let rest = &text[start.end()..];
        let mut places = vec![0];
        if rest.starts_with('{') {
            places.clear();
            let mut open = 0;
            for (at, letter) in rest.char_indices() {
                match letter {
                    '{' => open += 1,
                    '}' => open -= 1,
                    _ => {}
                }
                match (letter, open) {
                    ('{' | ',', 1) => places.push(at + 1),
                    (_, 0) => break,
                    _ => {}
                }
            }
        }
        for place in places {
            if let Some(folder) = word.captures(&rest[place..]).and_then(|found| found.get(1)) {
                let line = text[..start.end() + place + folder.start()].matches('\n').count() + 1;
                found.push((line, folder.as_str().to_owned()));
            }
        }
    }
    found
}

#[test]
fn no_folder_names_another_that_the_table_of_the_crate_does_not_allow() {
    let table = table();
    let mut wrong = Vec::new();
    for (name, (_, text)) in SOURCES.iter().filter(|(name, _)| *name != "lib.rs") {
        let from = name.split('/').next().unwrap().trim_end_matches(".rs");
        let allowed = table.get(from).unwrap_or_else(|| panic!("the table of src/lib.rs has no line for {from}"));
        for (line, to) in names(name, text) {
            if to != from && table.contains_key(&to) && !allowed.contains(&to) && !allowed.contains("everything") {
                wrong.push(format!("src/{name}:{line}: {from} -> {to}"));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that src/lib.rs does not draw:\n{}", wrong.join("\n"));
}

#[test]
fn the_reader_of_arrows_sees_groups_macros_inline_paths_and_roundabout_ones() {
    let text = "use crate::{\n    a::{b, c},\n    d,\n};\nfn f() -> crate::e::F { $crate::g::h!(super::super::i::J) }\n";
    let found = names("one/two.rs", text);
    assert_eq!(found, [(2, "a"), (3, "d"), (5, "e"), (5, "g"), (5, "i")].map(|(line, name)| (line, name.to_owned())));
    assert_eq!(table().get("store"), Some(&BTreeSet::from(["domain".to_owned()])));
}

#[test]
fn pure_files_know_no_clock_no_chance_no_database_and_no_waiting() {
    for pure in PURE {
        assert!(SOURCES.keys().any(|name| name.starts_with(pure)), "there is no {pure}");
    }
    let found = holds(&pattern(r"\b(tokio|Instant::now|Timestamp::now|SystemTime|sqlx|rand|async fn)\b"), |name| {
        PURE.iter().any(|pure| name.starts_with(pure))
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn sql_stands_in_the_store_alone() {
    let found = holds(&pattern(r#"(^|[^"])\bsqlx::|"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|VACUUM|PRAGMA) "#), |name| {
        !name.starts_with("store/")
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_file_begins_by_saying_what_it_is_for() {
    let silent: Vec<_> = SOURCES.iter().filter(|(_, (first, _))| !first.starts_with("//! ")).map(|(name, _)| name).collect();
    assert!(silent.is_empty(), "no //! at the head of {silent:?}");
}
