//! A line between the program and a server on this machine, which can fall silent as lines do: nothing is refused, nothing is answered.

use std::{
    net::SocketAddr,
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The line. What was connected while it fell silent never hears anything again, as behind a router that forgot its connections.
pub struct Relay {
    pub port: u16,
    /// Even: open. Odd: silent.
    turns: watch::Sender<u64>,
    taken: Arc<AtomicU64>,
    _stop: DropGuard,
}

impl Relay {
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let (turns, heard) = watch::channel(0);
        let (stop, taken) = (CancellationToken::new(), Arc::new(AtomicU64::new(0)));
        let (ended, counted) = (stop.clone(), taken.clone());
        #[allow(clippy::disallowed_methods)] // it ends with the test's runtime
        tokio::spawn(ended.run_until_cancelled_owned(async move {
            let far = SocketAddr::from(([127, 0, 0, 1], port));
            while let Ok((near, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(pass(near, far, heard.clone()));
            }
        }));
        Self { port: own, turns, taken, _stop: stop.drop_guard() }
    }

    pub fn silence(&self, silent: bool) {
        self.turns.send_modify(|turns| *turns += u64::from((*turns % 2 == 1) != silent));
    }

    /// How many connections there were so far.
    pub fn connections(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

async fn pass(mut near: TcpStream, far: SocketAddr, mut heard: watch::Receiver<u64>) {
    let born = *heard.borrow_and_update();
    if born.is_multiple_of(2) {
        let Ok(mut far) = TcpStream::connect(far).await else { return };
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => return,
            _ = heard.changed() => {}
        }
    }
    // Both ends stay open, and hear nothing.
    std::future::pending::<()>().await;
}
