//! No public function of the store goes untested: each is called by its name in a test, or stands in the list of those that stages call.

use std::{fs, path::Path};

use regex::Regex;

/// Called through `AlertStage` on both databases by the tests of `alert`.
const BY_STAGES: [&str; 3] = ["outbox::told", "outbox::backlog_complete", "outbox::drop_closed"];

/// Every Rust file below a folder, with its path from there.
fn files(root: &Path) -> Vec<(String, String)> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().with_extension("");
                found.push((name.to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

#[test]
fn every_public_function_of_the_store_is_named_by_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests: String = files(&root.join("tests/it")).into_iter().map(|(_, text)| text).collect();
    let function = Regex::new(r"(?m)^( *)pub (?:const )?(?:async )?fn (\w+)").unwrap();
    let (mut unnamed, mut count) = (Vec::new(), 0);
    for (file, text) in files(&root.join("src/store")) {
        // A function is re-exported by the folder it stands in; a method is called on its value or by its type.
        let folders = file.split('/').filter(|part| *part != "mod").collect::<Vec<_>>().join("|");
        for found in function.captures_iter(&text) {
            count += 1;
            let call =
                if found[1].is_empty() { format!(r"\b(?:{folders})::{}\b", &found[2]) } else { format!(r"(?:\.|::){}\b", &found[2]) };
            let by_stage = BY_STAGES.iter().any(|name| Regex::new(&call).unwrap().is_match(name));
            if by_stage == Regex::new(&call).unwrap().is_match(&tests.replace("\"outbox::", "")) {
                unnamed.push(format!("{file}: {}", &found[2]));
            }
        }
    }
    assert!(unnamed.is_empty(), "no test names these, or the list of BY_STAGES need not:\n{}", unnamed.join("\n"));
    assert!(count > 50, "{count} functions: has the store moved?");
}
