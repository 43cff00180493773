//! No public function of the store goes untested: each is called by its name in a test, or stands in the list of those that stages call.

use std::path::Path;

use regex::Regex;

use crate::arrows::files;

/// Called through `AlertStage` on both databases by the tests of `alert`, and through `SlaStage` by those of `evidence`.
const BY_STAGES: [&str; 5] = ["outbox::told", "outbox::backlog_complete", "outbox::drop_closed", "proof::witness", "proof::anchor"];

#[test]
fn every_public_function_of_the_store_is_named_by_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests: String = files(&root.join("tests/it")).into_iter().map(|(_, text)| text).collect();
    let function = Regex::new(r"(?m)^( *)pub (?:const )?(?:async )?fn (\w+)").unwrap();
    let (mut unnamed, mut count) = (Vec::new(), 0);
    for (file, text) in files(&root.join("src/store")) {
        // A function is re-exported by the folder it stands in; a method is called on its value or by its type.
        let folders = file.trim_end_matches(".rs").split('/').filter(|part| *part != "mod").collect::<Vec<_>>().join("|");
        for found in function.captures_iter(&text) {
            count += 1;
            let call =
                if found[1].is_empty() { format!(r"\b(?:{folders})::{}\b", &found[2]) } else { format!(r"(?:\.|::){}\b", &found[2]) };
            let by_stage = BY_STAGES.iter().any(|name| Regex::new(&call).unwrap().is_match(name));
            if by_stage == Regex::new(&call).unwrap().is_match(&tests.replace("\"outbox::", "").replace("\"proof::", "")) {
                unnamed.push(format!("{file}: {}", &found[2]));
            }
        }
    }
    assert!(unnamed.is_empty(), "no test names these, or the list of BY_STAGES need not:\n{}", unnamed.join("\n"));
    assert!(count > 50, "{count} functions: has the store moved?");
}
