//! What the outside asks of the process: SIGTERM and SIGINT to stop, SIGHUP to reload.

use std::convert::Infallible;
use std::io;
use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// The caught signals. From its making on none of the three has its default effect.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    reload: mpsc::Sender<()>,
}

impl Signals {
    /// Catches the signals. The receiver yields once for any number of SIGHUPs that came since it was last asked.
    pub fn catch() -> io::Result<(Self, mpsc::Receiver<()>)> {
        let (reload, requests) = mpsc::channel(1);
        let signals = Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            reload,
        };
        Ok((signals, requests))
    }

    /// Cancels `stop` at the first SIGTERM or SIGINT and ends the process with status 1 at the second. Never returns:
    /// it must outlive the crew, to be able to force it, so it is raced against the program and not one of its tasks.
    pub async fn listen(mut self, stop: CancellationToken) -> Infallible {
        loop {
            let name = tokio::select! {
                _ = self.terminate.recv() => "SIGTERM",
                _ = self.interrupt.recv() => "SIGINT",
                _ = self.hangup.recv() => {
                    // a full channel already holds the request
                    let _ = self.reload.try_send(());
                    continue;
                }
            };
            if stop.is_cancelled() {
                warn!(signal = name, "forced to exit");
                process::exit(1);
            }
            info!(signal = name, "asked to stop; a second signal forces it");
            stop.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn send(name: &str) {
        assert!(Command::new("kill").args(["-s", name, &process::id().to_string()]).status().unwrap().success());
    }

    #[tokio::test]
    async fn hangup_asks_for_a_reload_and_terminate_for_a_stop() {
        let (signals, mut reload) = Signals::catch().unwrap();
        let stop = CancellationToken::new();
        let asked = async {
            send("HUP");
            reload.recv().await.unwrap();
            assert!(!stop.is_cancelled(), "a reload is no stop");
            send("TERM");
            stop.cancelled().await;
        };
        let listen = signals.listen(stop.clone());
        tokio::select! {
            never = listen => match never {},
            done = timeout(Duration::from_secs(10), asked) => done.expect("a signal was lost"),
        }
    }
}
