//! What systemd is told: sd_notify(3). Without `$NOTIFY_SOCKET` every function here does nothing.

use std::io;

use sd_notify::NotifyState;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::Pulse;
use super::log::escaped;

/// The start, or a reload, is finished.
pub fn ready() {
    tell(Ok(&[NotifyState::Ready]));
}

/// A reload has begun; [`ready`] must follow. systemd 253 and later want the time too (`Type=notify-reload`).
pub fn reloading() {
    tell(NotifyState::monotonic_usec_now().map(|now| [NotifyState::Reloading, now]).as_ref().map(<[_; 2]>::as_slice));
}

/// The stop has begun.
pub fn stopping() {
    tell(Ok(&[NotifyState::Stopping]));
}

/// The line that `systemctl status` shows.
pub fn status(line: &str) {
    tell(Ok(&[NotifyState::Status(&escaped(line))]));
}

fn tell(states: Result<&[NotifyState<'_>], &io::Error>) {
    let told = match states {
        Ok(states) => sd_notify::notify(states).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = told {
        warn!(error, "systemd could not be told");
    }
}

/// Feeds systemd's watchdog at half of `$WATCHDOG_USEC` until `stop`, each time only if `alive` says so within an eighth of it
/// and no stage has overrun its budget. What keeps it from feeding is logged once, until it feeds again.
pub async fn watchdog<F: Future<Output = bool> + Send>(alive: impl Fn() -> F + Send, pulse: Pulse, stop: CancellationToken) {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return stop.cancelled().await;
    };
    let mut starving = false;
    loop {
        let hungry = match pulse.overrun() {
            Some(stage) => Some(format!("the stage {stage} has overrun its budget")),
            None => match timeout(limit / 8, alive()).await {
                Ok(true) => None,
                Ok(false) => Some("the database does not answer".to_owned()),
                Err(_) => Some("the database does not answer in time".to_owned()),
            },
        };
        if let Some(error) = &hungry {
            if !starving {
                error!(error, "the watchdog is not fed; systemd will restart this process unless it recovers");
            }
        } else {
            tell(Ok(&[NotifyState::Watchdog]));
            if starving {
                info!("the watchdog is fed again");
            }
        }
        starving = hungry.is_some();
        if stop.run_until_cancelled(sleep(limit / 2)).await.is_none() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::future::ready as ready_to;
    use std::os::unix::net::UnixDatagram;
    use std::process::Command;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::runtime::Crew;

    /// What the child does: a reload, a status that would forge a line, a watchdog that feeds once and then starves for want
    /// of the database, one that starves for a stuck stage.
    async fn child() {
        reloading();
        status("3 accounts\nREADY=1");
        ready();
        let (pulse, alive, rounds) = (Pulse::default(), AtomicBool::new(true), Duration::from_millis(150));
        let once = || ready_to(alive.swap(false, Ordering::Relaxed));
        let _ = timeout(rounds, watchdog(once, pulse.clone(), CancellationToken::new())).await;
        pulse.register("poll", Duration::ZERO);
        let _stuck = pulse.begin("poll");
        let _ = timeout(rounds, watchdog(|| ready_to(true), pulse.clone(), CancellationToken::new())).await;
        stopping();
    }

    #[test]
    fn systemd_is_told_in_its_own_words_and_fed_only_while_the_database_answers() {
        if env::var_os("NOTIFY_SOCKET").is_some_and(|path| path.to_string_lossy().ends_with("tanggap-test-notify")) {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(child());
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tanggap-test-notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let name = "runtime::systemd::tests::systemd_is_told_in_its_own_words_and_fed_only_while_the_database_answers";
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", name])
            .env("NOTIFY_SOCKET", &path)
            .env("WATCHDOG_USEC", "100000")
            .env_remove("WATCHDOG_PID")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        socket.set_nonblocking(true).unwrap();
        let mut told = Vec::new();
        let mut buffer = [0; 512];
        while let Ok(length) = socket.recv(&mut buffer) {
            told.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
        let reload = told[0].lines().collect::<Vec<_>>();
        assert_eq!(reload[0], "RELOADING=1");
        assert!(reload[1].strip_prefix("MONOTONIC_USEC=").unwrap().parse::<u64>().unwrap() > 0);
        assert_eq!(told[1..], ["STATUS=3 accounts\\nREADY=1\n", "READY=1\n", "WATCHDOG=1\n", "STOPPING=1\n"]);
    }

    #[tokio::test]
    async fn without_systemd_the_watchdog_waits_for_the_stop() {
        let mut crew = Crew::new(&CancellationToken::new());
        crew.spawn("watchdog", watchdog(|| ready_to(false), Pulse::default(), crew.token()));
        assert!(timeout(Duration::from_millis(20), crew.watch()).await.is_err(), "it ended unasked");
        assert_eq!(crew.stop().await, Ok(()));
    }
}
