//! `accounts discover`.

use std::{fs, os::unix::fs::PermissionsExt as _, sync::Arc};

use tanggap::demo::{api::Simulator, world::World};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{shown, tanggap};

/// A simulator, and a configuration that reads it: with the app's secret, and one OPD without an account.
struct Bench {
    sim: Simulator,
    folder: TempDir,
    stop: CancellationToken,
    _tasks: JoinSet<std::io::Result<()>>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

const CONFIG: &str = r#"
[site]
name = "Kabupaten Rembang"
timezone = "Asia/Jakarta"
[database]
url = "sqlite:///nowhere/t.db"
[[policy]]
name = "biasa"
respond_within = "4h"
calendar = "always"
[[opd]]
slug = "dinbudpar"
name = "Dinas Kebudayaan dan Pariwisata"
kind = "dinas"
expects = ["facebook", "instagram"]
staff = ["@admin"]
"#;

impl Bench {
    async fn start() -> Self {
        let (sim, servers) = Simulator::bind(Arc::new(|| "2026-11-24T02:00:00Z".parse().unwrap())).await.unwrap();
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        tasks.spawn(servers.serve(stop.clone()));
        let folder = tempfile::tempdir().unwrap();
        let graph = format!(
            "[graph]\nurl = \"{}\"\ninstagram_url = \"{}\"\napp_id = \"1234567890\"\napp_secret = \"env:APP\"\ninstagram_app_secret = \"env:IGAPP\"\n",
            sim.facebook_url, sim.instagram_url
        );
        fs::write(folder.path().join("tanggap.toml"), format!("{CONFIG}{graph}")).unwrap();
        sim.world().app.proof_required = true;
        Self { sim, folder, stop, _tasks: tasks }
    }

    /// Runs the program on a thread of its own, since it calls the simulator of this one.
    async fn run(&self, token: &str, args: &[&str]) -> std::process::Output {
        let (folder, token) = (self.folder.path().to_owned(), token.to_owned());
        let args: Vec<String> = ["accounts", "discover", "--token", "env:T"].iter().chain(args).map(ToString::to_string).collect();
        let run = move || {
            let vars = [("T", token.as_str()), ("APP", "app-secret-of-the-simulator"), ("IGAPP", "instagram-secret-of-the-simulator")];
            tanggap(&folder, &vars, &args.iter().map(String::as_str).collect::<Vec<_>>())
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    }
}

/// Dinbudpar with both platforms, Dinkes with a Page; a shop.
fn town(world: &mut World) -> [String; 3] {
    let dinbudpar = world.add_page("Dinbudpar Kabupaten Rembang", "dinbudpar.rembang");
    world.add_instagram("Pesona Rembang", "pesonarembang", Some(&dinbudpar.id));
    let (dinkes, shop) = (world.add_page("Dinkes Rembang", "dinkesrembang"), world.add_page("Warung Mbok Siti", "warungsiti"));
    [dinbudpar.id, dinkes.id, shop.id]
}

fn parsed(text: &str) -> toml::Table {
    text.parse().unwrap_or_else(|why| panic!("{why}\n{text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_users_token_gives_each_account_under_its_opd_and_prints_no_token() {
    let bench = Bench::start().await;
    let (pages, token) = {
        let mut world = bench.sim.world();
        let pages = town(&mut world);
        world.change_account(&pages[1], |page| page.tasks = vec!["PROFILE_PLUS_MODERATE".into()]);
        let token = world.system_token(&pages.each_ref().map(String::as_str));
        (pages, token)
    };
    let text = shown(&bench.run(&token, &[]).await);
    let table = parsed(&text);
    let opds = table["opd"].as_array().unwrap();
    let slugs: Vec<_> = opds.iter().map(|opd| opd["slug"].as_str().unwrap()).collect();
    assert_eq!(slugs, ["dinbudpar", "dinkes"], "the configured one, then one of the shipped list");
    assert_eq!(opds[0]["staff"][0].as_str(), Some("admin"), "what the configuration says of it is kept");
    assert_eq!(opds[0]["account"][0]["id"].as_str(), Some(pages[0].as_str()));
    assert_eq!(
        (opds[0]["account"][1]["platform"].as_str(), opds[0]["account"][1]["page"].as_str()),
        (Some("instagram"), Some(pages[0].as_str()))
    );
    assert_eq!(table["graph"]["source"][0]["token"].as_str(), Some("env:T"));
    assert!(
        text.contains("# env:T is a system user's token.") && text.contains("It sees 3 Facebook Pages and 1 Instagram accounts"),
        "{text}"
    );
    assert!(text.contains("98 % sure") && text.contains("LACKS the task MESSAGING"), "{text}");
    assert!(text.contains(&format!("# id = \"{}\"", pages[2])), "the shop is there, commented out: {text}");
    assert!(!text.contains("EAAG"), "{text}");
    assert_eq!(bench.sim.world().throttled_calls(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_with_save_is_a_configuration_that_holds_and_its_files_are_the_owners_alone() {
    let bench = Bench::start().await;
    let (pages, token, of_page) = {
        let mut world = bench.sim.world();
        let pages = town(&mut world);
        let token = world.user_token(&pages.each_ref().map(String::as_str));
        let of_page = world.page_token(&pages[1]).unwrap().text.clone();
        (pages, token, of_page)
    };
    let text = shown(&bench.run(&token, &["--save", "tokens"]).await);
    assert!(!text.contains("EAAG") && !text.contains("graph.source"), "{text}");
    let tokens = bench.folder.path().join("tokens");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&tokens), 0o700);
    let files = || {
        let mut names: Vec<_> = fs::read_dir(&tokens).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let kept = ["dinbudpar-facebook.token", "dinkes-facebook.token", "warungsiti-facebook.token"];
    assert_eq!(files(), kept, "a linked Instagram account is read by its Page's token");
    assert!(files().iter().all(|name| mode(&tokens.join(name)) == 0o600));
    assert_eq!(fs::read_to_string(tokens.join("dinkes-facebook.token")).unwrap(), format!("{of_page}\n"));

    let bare = CONFIG.split("[[opd]]").next().unwrap();
    let config = bench.folder.path().join("whole.toml");
    fs::write(&config, format!("{bare}\n{text}")).unwrap();
    let check = tanggap(bench.folder.path(), &[], &["check", "--offline", "--config", config.to_str().unwrap()]);
    assert!(shown(&check).contains("OPDs: 2, accounts: 3"), "{}\n{text}", shown(&check));

    assert_eq!(shown(&bench.run(&token, &["--save", "tokens"]).await), text, "the second run finds everything as it was");
    assert_eq!(files(), kept);
    fs::write(tokens.join("dinkes-facebook.token"), "EAAGsomebodyelses\n").unwrap();
    let text = shown(&bench.run(&token, &["--save", "tokens"]).await);
    assert_eq!(fs::read_to_string(tokens.join("dinkes-facebook.token")).unwrap(), "EAAGsomebodyelses\n");
    let own = format!("dinkes-facebook-{}.token", pages[1]);
    assert!(text.contains(&own) && fs::read_to_string(tokens.join(&own)).unwrap().starts_with(&of_page), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_token_takes_the_place_of_the_old_one_where_the_configuration_says_whose_it_is() {
    let bench = Bench::start().await;
    let token = {
        let mut world = bench.sim.world();
        let pages = town(&mut world);
        world.system_token(&[&pages[1]])
    };
    let path = bench.folder.path().join("tokens/dinkes-facebook.token");
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::write(&path, "EAAGold\n").unwrap();
    let id = bench.sim.world().token(&token).unwrap().pages()[0].clone();
    let config = bench.folder.path().join("tanggap.toml");
    let known = format!(
        "[[opd]]\nslug = \"dinkes\"\nname = \"Dinas Kesehatan\"\n[[opd.account]]\nplatform = \"facebook\"\nid = \"{id}\"\ntoken = \"file:{}\"\n",
        path.canonicalize().unwrap().display()
    );
    fs::write(&config, fs::read_to_string(&config).unwrap() + &known).unwrap();
    let text = shown(&bench.run(&token, &["--save", "tokens"]).await);
    assert!(fs::read_to_string(&path).unwrap().starts_with("EAAGsimulated"));
    assert!(text.contains("In the configuration already") && parsed(&text).get("opd").is_none(), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pages_own_token_and_an_instagram_accounts_own_see_themselves() {
    let bench = Bench::start().await;
    let (page, own) = {
        let mut world = bench.sim.world();
        (world.add_page("Dinkes Rembang", "dinkes"), world.add_instagram("BPBD", "bpbd_rembang", None))
    };
    let table = parsed(&shown(&bench.run(&page.token, &[]).await));
    assert_eq!(table["opd"][0]["account"][0]["token"].as_str(), Some("env:T"));
    let table = parsed(&shown(&bench.run(&own.token, &[]).await));
    let account = &table["opd"][0]["account"][0];
    assert_eq!((table["opd"][0]["slug"].as_str(), account["id"].as_str()), (Some("bpbd"), Some(own.id.as_str())));
    assert_eq!((account["login"].as_str(), account.get("page")), (Some("instagram"), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_pages_than_one_answer_holds_are_all_found_once() {
    let bench = Bench::start().await;
    let token = {
        let mut world = bench.sim.world();
        let ids: Vec<String> = (0..130).map(|n| world.add_page(&format!("Desa Uji {n}"), "").id).collect();
        world.system_token(&ids.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let text = shown(&bench.run(&token, &[]).await);
    assert!(text.contains("It sees 130 Facebook Pages"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_hides_linked_accounts_costs_those_alone_and_a_bad_token_is_said_to_be_bad() {
    let bench = Bench::start().await;
    let token = {
        let mut world = bench.sim.world();
        let pages = town(&mut world);
        let token = world.user_token(&pages.each_ref().map(String::as_str));
        world.narrow(&token, "instagram_basic");
        token
    };
    let text = shown(&bench.run(&token, &[]).await);
    assert!(text.contains("3 Facebook Pages and 0 Instagram accounts") && text.contains("needs the permission instagram_basic"), "{text}");
    let failed = bench.run("EAAGnobody", &[]).await;
    let why = String::from_utf8(failed.stderr).unwrap();
    assert_eq!((failed.status.code(), why.contains("does not accept the token"), why.contains("EAAG")), (Some(1), true, false), "{why}");
    let open = tanggap(bench.folder.path(), &[("APP", "x"), ("IGAPP", "x")], &["accounts", "discover", "--token", "EAAGopen"]);
    let why = String::from_utf8(open.stderr).unwrap();
    assert_eq!((open.status.code(), why.contains("never written in the open"), why.contains("EAAG")), (Some(2), true, false), "{why}");
}
