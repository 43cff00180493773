//! What this process is called in leases, and whether a process of such a name is gone: a crashed daemon's leases need not run out before
//! its successor takes up what it had in hand.

use std::{fs, os::unix::fs::MetadataExt as _};

use sha2::{Digest as _, Sha256};

/// Where a process runs: machine and its start (a hash of their ids, which are not to be shown), process namespace and user. Whoever
/// differs in one of them can't be seen from here. `None` where nothing tells this machine from another, as in a container without a
/// machine's id below a hardened unit.
fn place() -> Option<String> {
    // The unit's ProcSubset=pid hides the second; a cloned machine may have the first of another, but hardly the name too.
    let [id, boot, host] =
        ["/etc/machine-id", "/proc/sys/kernel/random/boot_id", "/etc/hostname"].map(|path| fs::read_to_string(path).unwrap_or_default());
    if id.trim().is_empty() && boot.trim().is_empty() {
        return None;
    }
    let machine = hex::encode(&Sha256::digest([id, boot, host].concat())[..8]);
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let namespace: String = namespace.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    let user = fs::metadata("/proc/self").map_or(0, |process| process.uid());
    Some(format!("{machine}-{namespace}-{user}"))
}

/// When a process began, in ticks since the machine did (proc_pid_stat(5), field 22); `None` if there is no such process.
fn began(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// This process's name.
pub fn name() -> String {
    let (pid, place) = (std::process::id(), place().unwrap_or_else(|| format!("{:016x}", rand::random::<u64>())));
    format!("{place}-{pid}-{}", began(pid).unwrap_or_default())
}

/// Whether the process of that name surely is no more. Of a process that can't be seen from here nothing is sure.
pub fn is_gone(name: &str) -> bool {
    let Some((rest, began_at)) = name.rsplit_once('-') else { return false };
    let Some((there, pid)) = rest.rsplit_once('-') else { return false };
    let (Ok(pid), Ok(began_at)) = (pid.parse(), began_at.parse::<u64>()) else { return false };
    place().is_some_and(|here| here == there) && began(std::process::id()).is_some() && began(pid) != Some(began_at)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_that_ended_is_gone_and_this_one_and_those_elsewhere_are_not() {
        let mut child = Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().unwrap();
        let theirs = format!("{}-{}-{}", place().unwrap(), child.id(), began(child.id()).unwrap());
        assert!(!is_gone(&theirs) && !is_gone(&name()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(is_gone(&theirs));
        let reused = format!("{}-{}-1", place().unwrap(), std::process::id());
        assert!(is_gone(&reused), "another process has its number now");
        for elsewhere in ["0a0b0c0d-1-0-1-1", "worker", "w1", "", "-", "a-b-c"] {
            assert!(!is_gone(elsewhere), "{elsewhere}");
        }
    }
}
