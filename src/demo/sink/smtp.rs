//! A mail server that keeps every mail: as much of RFC 5321 as a client needs to hand one over, in the clear.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use crate::demo::Now;

/// The most bytes one connection may send.
const SESSION: u64 = 64 * 1024 * 1024;

/// What to do with a mail instead of taking it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTurn {
    /// Refuse its recipient with this code (450 for now, 550 for good).
    Refuse(u16),
    /// Take the whole mail, then close the connection before saying yes.
    Cut,
    /// Take the whole mail, then say nothing.
    Stall,
}

/// One mail.
#[derive(Clone, Debug)]
pub struct Mail {
    /// When its last byte came.
    pub at: Timestamp,
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// Headers and body as they came, dots unstuffed.
    pub raw: String,
    /// Whether it was answered by 250.
    pub accepted: bool,
}

#[derive(Default)]
struct Book {
    captured: Vec<Mail>,
    turns: Vec<SmtpTurn>,
}

/// What the server got, and how it shall behave.
#[derive(Clone)]
pub struct SmtpSink {
    /// Where it listens.
    pub address: SocketAddr,
    book: Arc<Mutex<Book>>,
    now: Now,
}

/// The bound socket.
pub struct SmtpServer(TcpListener, SmtpSink);

impl SmtpSink {
    /// Binds to a free port of 127.0.0.1.
    pub async fn bind(now: Now) -> io::Result<(Self, SmtpServer)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let sink = Self { address: listener.local_addr()?, book: Arc::default(), now };
        Ok((sink.clone(), SmtpServer(listener, sink)))
    }
    /// Every mail that came whole, in order, taken or not.
    pub fn captured(&self) -> Vec<Mail> {
        self.book().captured.clone()
    }
    /// The next `count` mails get that turn.
    pub fn next(&self, turn: SmtpTurn, count: usize) {
        self.book().turns.extend(std::iter::repeat_n(turn, count));
    }
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn turn(&self) -> Option<SmtpTurn> {
        let mut book = self.book();
        if book.turns.is_empty() { None } else { Some(book.turns.remove(0)) }
    }
}

impl SmtpServer {
    /// Takes mails until `stop`.
    pub async fn serve(self, stop: CancellationToken) -> io::Result<()> {
        let Self(listener, sink) = self;
        let mut sessions = FuturesUnordered::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                accepted = listener.accept() => if let Ok((stream, _)) = accepted { sessions.push(session(stream, sink.clone())) },
                // A session that breaks is the other side's affair.
                Some(_) = sessions.next() => {}
            }
        }
    }
}

async fn session(stream: TcpStream, sink: SmtpSink) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read.take(SESSION));
    let (mut from, mut to, mut turn) = (String::new(), Vec::new(), None);
    write.write_all(b"220 localhost ESMTP\r\n").await?;
    loop {
        let Some(line) = line(&mut read).await? else { return Ok(()) };
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let verb = line.to_ascii_uppercase();
        let answer = match verb.as_str() {
            v if v.starts_with("EHLO") || v.starts_with("HELO") => {
                "250-localhost\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN".to_owned()
            }
            v if v.starts_with("AUTH PLAIN ") => "235 2.7.0 welcome".into(),
            v if v.starts_with("MAIL FROM:") => {
                (from, turn) = (address(&line), sink.turn());
                to.clear();
                "250 2.1.0 ok".into()
            }
            v if v.starts_with("RCPT TO:") => {
                if let Some(SmtpTurn::Refuse(code)) = turn {
                    format!("{code} {}.0.0 simulated refusal", code / 100)
                } else {
                    to.push(address(&line));
                    "250 2.1.5 ok".into()
                }
            }
            "DATA" if to.is_empty() => "503 5.5.1 no recipient".into(),
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let Some(raw) = data(&mut read).await? else { return Ok(()) };
                let mail = Mail { at: (sink.now)(), from: from.clone(), to: to.clone(), raw, accepted: turn.is_none() };
                sink.book().captured.push(mail);
                match turn.take() {
                    Some(SmtpTurn::Cut) => return Ok(()),
                    Some(SmtpTurn::Stall) => std::future::pending().await,
                    _ => "250 2.0.0 taken".into(),
                }
            }
            "RSET" | "NOOP" => "250 2.0.0 ok".into(),
            "QUIT" => {
                write.write_all(b"221 2.0.0 bye\r\n").await?;
                return Ok(());
            }
            _ => "502 5.5.2 not here".into(),
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

/// The lines up to the lone dot; `None` if the connection ends before it.
async fn data(read: &mut (impl AsyncBufReadExt + Unpin)) -> io::Result<Option<String>> {
    let mut raw = Vec::new();
    while let Some(line) = line(read).await? {
        match line.as_slice() {
            b".\r\n" => return Ok(Some(String::from_utf8_lossy(&raw).into_owned())),
            [b'.', rest @ ..] => raw.extend_from_slice(rest),
            line => raw.extend_from_slice(line),
        }
    }
    Ok(None)
}

async fn line(read: &mut (impl AsyncBufReadExt + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    Ok((read.read_until(b'\n', &mut line).await? > 0).then_some(line))
}

/// What stands between the angle brackets.
fn address(line: &str) -> String {
    line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(address, _)| address.to_owned()).unwrap_or_default()
}
