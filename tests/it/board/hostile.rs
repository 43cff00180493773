//! Two hundred attack texts stay texts, in every page and form.

use super::world::World;

/// Attack texts: markup, attributes, template and spreadsheet formulas, directions, stacked marks, controls.
pub fn attacks() -> Vec<String> {
    let bases = [
        "<script>window.pwned=1</script>",
        "<img src=x onerror=window.pwned=1>",
        "\"><svg onload=window.pwned=1>",
        "'><b onmouseover=window.pwned=1>x",
        "</textarea><script>window.pwned=1</script>",
        "</title><script>window.pwned=1</script>",
        "<a href=javascript:window.pwned=1>klik</a>",
        "{{ 7 * 7 }}",
        "{% include 'base' %}",
        "${7*7}",
        "=HYPERLINK(\"http://evil.example\")",
        "+cmd|' /C calc'!A0",
        "@SUM(1)",
        "-2+3",
        "\u{202e}kilab kiladrbet",
        "\u{2066}terisolasi\u{2069}",
        "a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
        "\u{1b}[31mmerah\u{7}",
        "<style>body{display:none}</style>",
        "<meta http-equiv=refresh content=0;url=//evil.example>",
        "<iframe src=//evil.example></iframe>",
        "<base href=//evil.example>",
        "<form action=//evil.example><button>x</button></form>",
        "--><script>window.pwned=1</script>",
        "]]><script>window.pwned=1</script>",
        "&lt;script&gt;window.pwned=1&lt;/script&gt;",
        "<div hx-get=\"/logout\" hx-trigger=\"load\">x</div>",
        "<div data-hx-get=\"/live\" data-hx-trigger=\"load\">x</div>",
        "\r\nSet-Cookie: a=b",
        "kata".repeat(500).leak(),
        "👨‍👩‍👧‍👦".repeat(60).leak(),
        "<details open ontoggle=window.pwned=1>",
        "<math><mi//xlink:href=\"data:x,<script>window.pwned=1</script>\">",
    ];
    (0..200).map(|nth| format!("{} nomor {nth}?", bases[nth % bases.len()])).collect()
}

#[tokio::test]
async fn attack_texts_are_inert_in_every_page_and_answer() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("t.db").display());
    let world = World::over(&url, folder, [("Biasa saja?", 1), ("Biasa?", 1)]).await;
    let attacks = attacks();
    let texts: Vec<&str> = attacks.iter().map(String::as_str).collect();
    world.comments("102", "73", &texts).await;
    let list = world.api("ani", "/api/v1/tickets?limit=500").await.json();
    let tickets: Vec<i64> = list["data"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect();
    assert!(tickets.len() > 150, "most of them ask something: {}", tickets.len());
    let mut pages = vec!["/".to_owned(), "/?state=all&opd=dinhub".to_owned(), "/accounts".to_owned()];
    pages.extend(tickets.iter().step_by(4).map(|id| format!("/tickets/{id}")));
    for path in pages {
        let body = world.page("ani", &path).await.body;
        let main = body.split_once("<main").unwrap().1;
        for tag in [
            "<script",
            "<img",
            "<style",
            "<meta",
            "<iframe",
            "<base",
            "<math",
            "<b onmouse",
            "<div hx-get=\"/logout\"",
            "<div data-hx",
            "href=javascript",
        ] {
            let inert = main.replace("&lt;a href=javascript", "");
            assert!(!inert.contains(tag), "{path} holds {tag}");
        }
        assert!(!body.contains(['\u{202e}', '\u{1b}', '\u{7}']), "{path} turns or drives");
    }
}
