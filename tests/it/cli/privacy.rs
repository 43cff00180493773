//! A person's data by the command line: asked before, erased, exported, restricted; and what is past retention.

use super::world::{World, read, stderr};

async fn left(world: &World) -> Vec<String> {
    let rows = read(&world.db, "SELECT DISTINCT COALESCE(author_id, '-') AS t FROM message WHERE direction = 'in' ORDER BY 1").await;
    rows.iter().map(|row| row.t("t").unwrap()).collect()
}

#[tokio::test]
async fn erase_says_what_would_happen_and_does_it_when_told_so() {
    let world = World::new().await;
    let author = read(&world.db, "SELECT author AS t FROM ticket WHERE state = 'open' AND author <> '' ORDER BY id LIMIT 1").await[0]
        .t("t")
        .unwrap();
    let unknown = world.run(&["erase", "--author", "nobody"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(stderr(&unknown).contains("no account holds anything"), "{}", stderr(&unknown));
    let asked = world.run(&["erase", "--author", &author]);
    assert_eq!(asked.status.code(), Some(2));
    assert!(stderr(&asked).contains("open") && stderr(&asked).contains("--yes"), "{}", stderr(&asked));
    assert!(left(&world).await.contains(&author), "nothing was done");
    let export = world.run(&["export", "--author", &author]);
    let text = String::from_utf8(export.stdout).unwrap();
    let held: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(!held[0]["messages"].as_array().unwrap().is_empty() && text.contains(&author), "{text}");
    let done = world.run(&["erase", "--author", &author, "--yes", "--by", "ani"]);
    assert!(done.status.success(), "{}", stderr(&done));
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(said.contains("erased: ") && !said.contains(&author), "{said}");
    assert!(!left(&world).await.contains(&author));
    let queue = world.run(&["queue", "--state", "all", "--format", "table"]);
    assert!(String::from_utf8(queue.stdout).unwrap().contains("[erased]"));
    let trail = read(&world.db, "SELECT did || ' ' || by_name || ' ' || detail AS t FROM trail ORDER BY id").await;
    let trail: Vec<String> = trail.iter().map(|row| row.t("t").unwrap()).collect();
    assert!(trail.len() == 2 && trail[0].starts_with("export siti") && trail[1].starts_with("erase ani"), "{trail:?}");
    assert!(!trail.concat().contains(&format!("author {author}")));
}

#[tokio::test]
async fn restrict_hides_a_person_until_it_is_undone() {
    let world = World::new().await;
    let author = read(&world.db, "SELECT author AS t FROM ticket WHERE state = 'open' AND author <> '' ORDER BY id LIMIT 1").await[0]
        .t("t")
        .unwrap();
    let listed = || String::from_utf8(world.run(&["queue", "--state", "all", "--format", "table"]).stdout).unwrap();
    assert!(!listed().contains("[restricted]"));
    assert!(world.run(&["restrict", "--author", &author, "--reason", "diminta"]).status.success());
    assert!(listed().contains("[restricted]"));
    let json = String::from_utf8(world.run(&["messages", "--format", "json"]).stdout).unwrap();
    assert!(!json.contains(&format!("\"id\":\"{author}\"")), "{json}");
    assert!(world.run(&["restrict", "--author", &author, "--undo"]).status.success());
    assert!(!listed().contains("[restricted]"));
}

#[tokio::test]
async fn purge_says_how_much_it_erased_and_finds_nothing_the_second_time() {
    let world = World::new().await;
    let said = || {
        let done = world.run(&["purge"]);
        assert!(done.status.success(), "{}", stderr(&done));
        String::from_utf8(done.stdout).unwrap()
    };
    let first = said();
    assert!(first.starts_with("erased: "), "{first}");
    assert_eq!(said(), "erased: 0 messages and 0 tickets in 0 threads\n");
}
