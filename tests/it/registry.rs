//! The register of accounts by the real program: what a token can see over real HTTP, where tokens are kept, and the coverage audit on
//! both databases.

mod audit;
mod discover;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The real program with this configuration, and nothing of this process's environment but `vars`.
fn tanggap(folder: &Path, vars: &[(&str, &str)], args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tanggap"));
    command.args(args).env_clear().env("TANGGAP_CONFIG", folder.join("tanggap.toml")).current_dir(folder);
    command.envs(vars.iter().copied()).output().unwrap()
}

/// Standard output of a run that must succeed.
fn shown(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The shipped example, with a database and a Graph API of the test's own, in a folder.
fn example(folder: &Path, database: &str, changes: &[(&str, &str)]) -> PathBuf {
    let mut text = include_str!("../../config/example.toml").replace("sqlite:///var/lib/tanggap/tanggap.db", database);
    for (from, to) in changes {
        assert!(text.contains(from), "the example has no {from}");
        text = text.replace(from, to);
    }
    let path = folder.join("tanggap.toml");
    std::fs::write(&path, text).unwrap();
    path
}
