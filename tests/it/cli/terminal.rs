//! What people see on a terminal, on a real one: colours only there and only if wanted, tables no wider than it, progress while it works.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    process::Command,
};

use regex::Regex;

use super::world::{World, message, stderr, ticket, write};

/// What the program shows on a terminal of so many columns, and its exit status; util-linux's script is the terminal.
fn shown(world: &World, args: &str, columns: u16, more: &[(&str, &str)]) -> (String, Option<i32>) {
    let line = format!("stty cols {columns} rows 40 && exec {} {args}", env!("CARGO_BIN_EXE_tanggap"));
    let mut command = Command::new("script");
    command.args(["-qefc", &line, "/dev/null"]).current_dir(world.dir.path()).stdin(std::process::Stdio::null());
    command.env("TANGGAP_CONFIG", world.path("tanggap.toml")).env("TERM", "xterm-256color");
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
        command.env_remove(name); // each has a say about colours, and whoever runs the tests may have set it
    }
    let output = command.envs(more.iter().copied()).output().unwrap();
    (String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n"), output.status.code())
}

fn plain(text: &str) -> String {
    Regex::new("\x1b\\[[0-9;?]*[A-Za-z]").unwrap().replace_all(text, "").into_owned()
}

/// Four open tickets more: warned, urgent and late, with the longest names that there are.
async fn crowded() -> World {
    let world = World::new().await;
    message(
        &world.db,
        20,
        1,
        "in",
        (Some("77"), Some("Raden Ajeng Kusumaningtyas Purwaningrum Sastrowardoyo")),
        &"Jembatan putus di Kaliori. ".repeat(20),
        "2026-11-24T04:00:00Z",
    )
    .await;
    ticket(&world.db, 20, 20, "77", "open", "2996-11-24T06:00:00Z").await;
    ticket(&world.db, 21, 20, "78", "open", "2019-11-24T06:00:00Z").await;
    write(&world.db, "UPDATE ticket SET warned_at = opened_at WHERE id = 20", vec![]).await;
    write(&world.db, "UPDATE ticket SET urgent = 1, assignee = 'Budi Santoso, Subbagian Umum dan Kepegawaian' WHERE id = 21", vec![]).await;
    write(&world.db, "UPDATE account SET name = 'Dinas Kependudukan dan Pencatatan Sipil Kabupaten Uji', healthy = 0, reason = 'the token has ended', last_read_at = 1795485600000, token_expires_at = 1795485600000 WHERE id = 1", vec![]).await;
    world
}

#[tokio::test]
async fn every_table_fits_the_terminal_it_is_shown_on_and_breaks_no_word_that_has_room() {
    let world = crowded().await;
    for args in ["queue", "queue --state all", "messages", "accounts", "show 1", "show 3", "audit"] {
        for columns in [80, 120] {
            let (text, status) = shown(&world, args, columns, &[]);
            assert_eq!(status, Some(0), "{text}");
            let text = plain(&text);
            let tables = text.lines().filter(|line| line.starts_with([' ', '─', '═'])); // other lines are sentences, which a terminal wraps
            let widest = tables.map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= columns.into(), "{args} on {columns}: {widest}\n{text}");
        }
    }
    let queue = plain(&shown(&world, "queue", 80, &[]).0);
    for word in ["dindukcapil", "instagram", "2019-11-24", "breached", "Jembatan", "assigned"] {
        assert!(queue.contains(word), "{word} is broken:\n{queue}");
    }
    let narrow = plain(&shown(&world, "queue", 40, &[]).0);
    assert!(narrow.lines().all(|line| line.chars().count() <= 80), "narrower than 80 the terminal wraps:\n{narrow}");
}

#[tokio::test]
async fn what_is_late_is_red_what_was_warned_yellow_what_is_urgent_bold_and_each_says_so_in_words() {
    let world = crowded().await;
    let (queue, _) = shown(&world, "queue", 200, &[]);
    let line = |id: &str| queue.lines().find(|line| plain(line).starts_with(&format!("{id} "))).unwrap();
    for (id, codes, words) in [
        ("1", &["\x1b[38;5;1m"][..], &["late", "breached"][..]),
        ("20", &["\x1b[38;5;3m"], &["left", "warned"]),
        ("21", &["\x1b[38;5;1m", "\x1b[1m"], &["late", "urgent"]),
        ("2", &[], &["left", "open"]),
    ] {
        let line = line(id);
        assert!(codes.iter().all(|code| line.contains(code)) && codes.is_empty() != line.contains("\x1b["), "{line:?}");
        assert!(words.iter().all(|word| plain(line).contains(word)), "{line:?}");
    }
    let (accounts, _) = shown(&world, "accounts", 200, &[]);
    assert!(accounts.contains("\x1b[38;5;1mthe token has ended"), "{accounts:?}");
    let (one, _) = shown(&world, "show 1", 120, &[]);
    assert!(one.contains("\x1b[31m1, open, breached\x1b[0m"), "{one:?}");
}

#[tokio::test]
async fn colours_stay_away_where_they_are_not_wanted() {
    let world = crowded().await;
    for args in ["queue", "show 1", "accounts", "messages", "check --offline"] {
        let secret = ("SET_NOWHERE", "EAAtoken");
        for refusal in [("NO_COLOR", "1"), ("CLICOLOR", "0"), ("TERM", "dumb")] {
            let (text, status) = shown(&world, args, 120, &[refusal, secret]);
            assert!(status == Some(0) && !text.contains('\x1b'), "{args} {refusal:?}: {text:?}");
        }
        for format in ["json", "csv"].iter().filter(|_| !args.starts_with("check")) {
            let (text, _) = shown(&world, &format!("{args} --format {format}"), 120, &[]);
            assert!(!text.contains('\x1b'), "{args} {format}: {text:?}");
        }
        // CLICOLOR_FORCE is for terminals too: a pipe gets none
        let mut piped = world.command(&args.split(' ').collect::<Vec<_>>());
        let output = piped.envs([("CLICOLOR_FORCE", "1"), secret]).output().unwrap();
        assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b), "{args}");
    }
}

#[tokio::test]
async fn times_are_local_with_how_far_off_they_are_beside() {
    let world = World::new().await;
    let hours = tanggap::domain::Time::from_timestamp(crate::soak::site::now()).minus(jiff::SignedDuration::from_mins(185));
    write(&world.db, "UPDATE ticket SET opened_at = $1, due_at = $1 + 14400000 + 3630000 WHERE id = 2", vec![hours.into()]).await;
    write(&world.db, "UPDATE account SET last_read_at = $1, next_poll_at = $1 + 14400000 WHERE id = 1", vec![hours.into()]).await;
    let queue = world.output(&["queue", "--format", "table"]);
    assert!(queue.contains("1 h 55 m left") && queue.contains(" h late"), "{queue}");
    let one = world.output(&["show", "2", "--format", "table"]);
    assert!(one.contains(" WIB, 3 h 5 m ago\n") && one.contains(" WIB, 1 h 55 m left, policy biasa\n"), "{one}");
    let accounts = world.output(&["accounts", "--format", "table"]);
    assert!(accounts.contains(" WIB, 3 h 5 m ago ") && accounts.contains(" in 54 m "), "{accounts}");
}

#[tokio::test]
async fn a_backup_shows_how_far_it_is_on_a_terminal_and_nothing_in_a_pipe() {
    let world = World::new().await;
    for id in 1000..1400 {
        message(&world.db, id, 1, "in", (None, None), &"panjang ".repeat(2000), "2026-11-24T04:00:00Z").await;
    }
    let (text, status) = shown(&world, "backup copy.db", 80, &[]);
    assert_eq!(status, Some(0), "{text}");
    assert!(Regex::new(r"copy\.db \[[=> ]{30}\] .* of [0-9.]+ MiB").unwrap().is_match(&text), "{text:?}");
    assert!(plain(&text).ends_with("copy.db: the copy is complete\n"), "{text:?}");
    let output = world.run(&["backup", "second.db"]);
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
}

#[tokio::test]
async fn an_error_says_what_helps() {
    let world = World::new().await;
    let absent = format!("sqlite://{}", world.path("absent.db").display());
    for (args, url, words) in [
        (&["show", "99"][..], None, "there is no ticket 99; `tanggap queue --state all` lists them"),
        (&["note", "99", "x"], None, "there is no ticket 99; nothing was recorded; `tanggap queue --state all` lists them"),
        (&["alert", "preview", "99", "--step", "1", "--channel", "smtp"], None, "`tanggap queue --state all` lists them"),
        (&["queue"], Some(absent.as_str()), "absent.db yet: `tanggap run` makes it"),
        (&["queue", "--opd", "dindukcapl"], None, "\"dindukcapl\", did you mean \"dindukcapil\"?"),
    ] {
        let output = world.command(args).envs(url.map(|url| ("TANGGAP__DATABASE__URL", url))).output().unwrap();
        assert!(stderr(&output).contains(words), "{args:?}: {}", stderr(&output));
    }
    let output = world.command(&["queue"]).env_remove("TANGGAP_CONFIG").output().unwrap();
    let said = stderr(&output);
    let looked = ["/etc/tanggap/tanggap.toml", "config/tanggap.toml", "--config"];
    assert!(output.status.code() == Some(2) && looked.iter().all(|path| said.contains(path)), "{said}");
}

#[tokio::test]
async fn who_may_not_read_is_told_of_tanggap_ctl() {
    let world = World::new().await;
    let mode = |name: &str, mode| fs::set_permissions(world.path(name), fs::Permissions::from_mode(mode)).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_tanggap"), world.path("tanggap")).unwrap();
    mode("", 0o755);
    // root may read everything: then it is nobody who asks
    let root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let (readable, closed) = if root { (0o644, 0o600) } else { (0o600, 0) };
    let ask = || {
        let mut command = if root { Command::new("setpriv") } else { Command::new(world.path("tanggap")) };
        if root {
            command.args(["--reuid=65534", "--clear-groups"]).arg(world.path("tanggap"));
        }
        let output = command.arg("queue").env("TANGGAP_CONFIG", world.path("tanggap.toml")).current_dir("/").output().unwrap();
        (output.status.code(), stderr(&output))
    };
    mode("tanggap.toml", closed);
    let (status, said) = ask();
    assert!(status == Some(2) && said.contains("Permission denied") && said.contains("tanggap-ctl"), "{said}");
    mode("tanggap.toml", readable);
    mode("tanggap.db", closed);
    let (status, said) = ask();
    assert!(status == Some(1) && said.contains("may not be opened by this user") && said.contains("tanggap-ctl queue"), "{said}");
}

#[tokio::test]
async fn every_command_has_a_manual_page_of_its_own() {
    let world = World::new().await;
    assert_eq!(world.output(&["man", "--dir", "man/man1"]), "");
    for (page, words) in [
        ("tanggap.1", "tanggap\\-queue(1)"),
        ("tanggap-queue.1", "\\-\\-watch"),
        ("tanggap-accounts-discover.1", "\\-\\-token"),
        ("tanggap-alert-test.1", "\\-\\-group"),
        ("tanggap-man.1", "\\-\\-dir"),
    ] {
        let text = fs::read_to_string(world.path("man/man1").join(page)).unwrap();
        assert!(text.contains(words) && text.contains(".TH "), "{page}: {text}");
    }
    let refused = world.run(&["man", "--dir", "tanggap.toml"]);
    assert!(refused.status.code() == Some(1) && stderr(&refused).contains("tanggap.toml could not be written"), "{}", stderr(&refused));
}

#[tokio::test]
async fn each_shell_takes_its_completions() {
    let world = World::new().await;
    for (shell, check) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        let script = world.path(shell);
        fs::write(&script, world.output(&["completions", shell])).unwrap();
        let output = Command::new(shell).arg(check).arg(&script).output().unwrap();
        assert!(output.status.success(), "{shell}: {}", stderr(&output));
    }
    // what bash would offer after `tanggap queue --st`
    let ask = "source ./bash; COMP_WORDS=(tanggap queue --st); COMP_CWORD=2; _tanggap tanggap --st queue; echo ${COMPREPLY[*]}";
    let output = Command::new("bash").args(["-c", ask]).current_dir(world.dir.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "--state\n", "{}", stderr(&output));
}
