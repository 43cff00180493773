//! The alert stage against programs that others wrote: Debian's Alertmanager and Postfix with a mail program's threading, and the
//! reference library of Standard Webhooks in another language. `tests/run` installs them; where they are not there, these tests fail.

mod alertmanager;
mod mail;
mod signatures;

use std::process::Command;

/// What `tests/run` says of what it started or installed.
fn told(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: use tests/run"))
}

/// What a program says, which must end well.
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}: use tests/run"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
