//! A record as a datagram of journald's native protocol:
//! <https://github.com/systemd/systemd/blob/main/docs/JOURNAL_NATIVE_PROTOCOL.md>.

use std::fmt::Write;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};
use tracing::Level;

use super::form;
use super::record::Record;

/// Where journald listens.
pub const SOCKET: &str = "/run/systemd/journal/socket";

/// A way to journald. Not a connection, so that it outlives journald's restarts.
pub struct Journal {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Journal {
    /// `None` if nobody listens at `path`.
    pub fn open(path: &Path) -> Option<Self> {
        let socket = UnixDatagram::unbound().ok()?;
        // an empty datagram is ignored by journald and proves that it is there
        socket.send_to(&[], path).ok()?;
        Some(Self { socket, path: path.to_owned() })
    }

    /// Sends the record; fails also for one that is too long for a datagram.
    pub fn send(&self, record: &Record) -> io::Result<()> {
        self.socket.send_to(datagram(record).as_bytes(), &self.path).map(drop)
    }
}

/// `MESSAGE` is what the text form says, since that is all that `journalctl` shows unasked.
fn datagram(record: &Record) -> String {
    let mut said = String::new();
    form::saying(&mut said, record, "", "");
    let mut data = String::new();
    let mut put = |key: &str, value: &str| {
        // values are escaped, so none holds a newline, and the simple form of the protocol will do; writing to a String does not fail
        let _ = writeln!(data, "{key}={value}");
    };
    put("MESSAGE", said.trim_start());
    put("PRIORITY", priority(record.level));
    put("SYSLOG_IDENTIFIER", "tanggap");
    if let Some(target) = record.target {
        put("TANGGAP_TARGET", target);
    }
    if let Some(event) = &record.event {
        put("TANGGAP_EVENT", event);
        put("MESSAGE_ID", &message_id(event));
    }
    for (key, value) in &record.fields {
        let key: String = key.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
        match value {
            Value::String(text) => put(&format!("TANGGAP_{key}"), text),
            value => put(&format!("TANGGAP_{key}"), &value.to_string()),
        }
    }
    data
}

/// syslog's number for the level.
fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        _ => "7",
    }
}

/// The fixed id of an event's name: the first 128 bits of the SHA-256 of `tanggap.event:` and the name, in hex. In a shell:
/// `printf %s tanggap.event:ticket.breached | sha256sum | cut -c1-32`.
fn message_id(event: &str) -> String {
    hex::encode(&Sha256::digest(format!("tanggap.event:{event}"))[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_an_event_never_changes() {
        assert_eq!(message_id("ticket.breached"), "ac30d95bea5dda66ac5608d7bf843fec");
        assert_ne!(message_id("ticket.breached"), message_id("ticket.warned"));
    }

    #[test]
    fn without_journald_there_is_no_journal() {
        assert!(Journal::open(Path::new("/nowhere/at/all")).is_none());
    }
}
