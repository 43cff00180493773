//! The other sides of the channels: a real SMTP server (aiosmtpd) and a small HTTP server, both of which misbehave on demand.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

/// How the other side behaves from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Ok,
    /// "Not so fast": wait 7 s where the protocol can say so.
    Slower,
    /// Out of order for now.
    Down,
    /// Never.
    Refuse,
    /// The sign-in is refused.
    Auth,
    /// Takes the message and says nothing.
    Hang,
    /// Takes the message and breaks the connection before its yes.
    Cut,
    /// Takes the message, says half of its answer, then nothing more: its side of the connection is closed.
    Half,
    /// SMTP: the first attempt for an address is put off.
    Greylist,
    /// SMTP: this answer (or `hang`, or `cut`) to this command.
    At(&'static str, &'static str),
    /// HTTP: this status with this body.
    Answer(u16, &'static str),
}

/// An SMTP server in a process of its own, which ends with this value.
pub struct SmtpSink {
    child: Child,
    folder: tempfile::TempDir,
    pub port: u16,
}

impl SmtpSink {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mode"), "ok").unwrap();
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/channels/smtp_sink.py");
        // Debian's own interpreter, which Debian's python3-aiosmtpd belongs to
        let mut child = Command::new("/usr/bin/python3").arg(script).arg(folder.path()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("the SMTP server says its port; is python3-aiosmtpd installed?");
        Self { child, folder, port }
    }
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }
    pub fn set(&self, mode: Mode) {
        let at;
        let word = match mode {
            Mode::Greylist => "greylist",
            Mode::At(command, answer) => {
                at = format!("at {command} {answer}");
                &at
            }
            Mode::Ok => "ok",
            Mode::Slower => "later",
            Mode::Down => "full",
            Mode::Refuse => "never",
            Mode::Auth => "auth",
            Mode::Hang => "hang",
            Mode::Cut => "cut",
            Mode::Half => "half",
            Mode::Answer(..) => panic!("not an SMTP mode"),
        };
        std::fs::write(self.folder.path().join("mode"), word).unwrap();
    }
    /// The mails it took, in order, as they came.
    pub fn mails(&self) -> Vec<String> {
        self.files("eml")
    }
    /// Their plain text, as a mail program shows it.
    pub fn texts(&self) -> Vec<String> {
        self.files("txt")
    }
    fn files(&self, extension: &str) -> Vec<String> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == extension)).collect();
        files.sort();
        files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One HTTP request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// An HTTP server that plays Telegram, WhatsApp's Cloud API (what goes to `…/messages`) or a webhook's receiver.
#[derive(Clone)]
pub struct HttpSink {
    pub url: String,
    mode: Arc<Mutex<Mode>>,
    requests: Arc<Mutex<Vec<Request>>>,
    hanging: Arc<Mutex<Vec<TcpStream>>>,
}

impl HttpSink {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let sink = Self { url, mode: Arc::new(Mutex::new(Mode::Ok)), requests: Arc::default(), hanging: Arc::default() };
        let serving = sink.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serving.serve(stream.unwrap());
            }
        });
        sink
    }
    pub fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
    fn serve(&self, mut stream: TcpStream) {
        let Some(request) = read(&mut stream) else { return };
        let migrated = request.body.contains("-100777");
        let cloud = request.path.ends_with("/messages");
        self.requests.lock().unwrap().push(request);
        let mode = *self.mode.lock().unwrap();
        let fine = if cloud {
            r#"{"messaging_product":"whatsapp","contacts":[{"input":"62","wa_id":"62"}],"messages":[{"id":"wamid.7","message_status":"accepted"}]}"#
        } else {
            r#"{"ok":true,"result":{"message_id":7}}"#
        };
        let (status, extra, body) = match mode {
            Mode::Ok | Mode::Half => (200, "", fine),
            Mode::Slower if cloud => {
                (400, "", r#"{"error":{"message":"(#131056) Siti","code":131056,"error_data":{"details":"http://x"}}}"#)
            }
            Mode::Slower => (429, "retry-after: 7\r\n", r#"{"ok":false,"error_code":429,"parameters":{"retry_after":7}}"#),
            Mode::Down => (503, "", "<html>secret-token down</html>"),
            Mode::Refuse if cloud => (400, "", r#"{"error":{"message":"62812 Siti","code":131026}}"#),
            Mode::Refuse => (403, "", r#"{"ok":false,"description":"Forbidden: bot was blocked by the user"}"#),
            Mode::Auth if cloud => (401, "", r#"{"error":{"message":"secret-wa is no token","type":"OAuthException","code":190}}"#),
            Mode::Auth => (401, "", r#"{"ok":false,"description":"Unauthorized"}"#),
            Mode::Answer(400, body) if migrated && body.contains("migrate_to_chat_id") => (200, "", fine),
            Mode::Greylist | Mode::At(..) => panic!("not an HTTP mode"),
            Mode::Answer(status, body) => (status, "location: http://127.0.0.1:1/\r\n", body),
            Mode::Hang => return self.hanging.lock().unwrap().push(stream),
            Mode::Cut => return,
        };
        if mode == Mode::Half {
            let _ = write!(stream, "HTTP/1.1 20");
            let _ = stream.shutdown(std::net::Shutdown::Write);
            return self.hanging.lock().unwrap().push(stream);
        }
        let _ = write!(stream, "HTTP/1.1 {status} X\r\n{extra}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    }
}

/// Reads one request to its last byte.
fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request { path, headers, body: String::new() };
    let mut body = vec![0; request.header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).ok()?;
    Some(request)
}
