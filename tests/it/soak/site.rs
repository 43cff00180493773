//! A simulated kabupaten in this process, and the real program in another.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tanggap::demo::{
    api::Simulator,
    configure,
    script::{Pace, Script, opds},
    sink::{HttpSink, SmtpSink},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Agencies with their accounts, everything they send caught, and a configuration that reads them.
pub struct Site {
    pub folder: tempfile::TempDir,
    pub simulator: Simulator,
    pub mails: SmtpSink,
    pub chats: HttpSink,
    pub hooks: HttpSink,
    pub script: Script,
    pub config: PathBuf,
    _stop: DropGuard,
}

/// The program, running.
pub struct Daemon(Child);

/// The present instant; the simulated world runs on real time here.
#[allow(clippy::disallowed_methods)] // the one clock of a test of real processes
pub fn now() -> Timestamp {
    Timestamp::now()
}

impl Site {
    /// Of so many OPDs with two accounts each; `more` is appended to the configuration.
    pub async fn new(seed: u64, agencies: usize, pace: Pace, more: &str) -> Self {
        let clock: tanggap::demo::Now = Arc::new(now);
        let folder = tempfile::tempdir().unwrap();
        let (simulator, servers) = Simulator::bind(clock.clone()).await.unwrap();
        let (mails, mail_server) = SmtpSink::bind(clock.clone()).await.unwrap();
        let (chats, chat_server) = HttpSink::bind(clock.clone()).await.unwrap();
        let (hooks, hook_server) = HttpSink::bind(clock).await.unwrap();
        let script = Script::new(seed, opds(agencies), pace, &mut simulator.world(), now());
        let config = configure(folder.path(), &simulator, (&mails, &chats), None, script.agencies()).unwrap();
        let beside = folder.path().join("tanggap.d");
        fs::create_dir(&beside).unwrap();
        let more = more.replace("{hooks}", &hooks.url);
        fs::write(beside.join("10-more.toml"), more).unwrap();
        let stop = CancellationToken::new();
        #[allow(clippy::disallowed_methods)] // they end with the test's runtime
        {
            tokio::spawn(servers.serve(stop.clone()));
            tokio::spawn(mail_server.serve(stop.clone()));
            tokio::spawn(chat_server.serve(stop.clone()));
            tokio::spawn(hook_server.serve(stop.clone()));
        }
        Self { folder, simulator, mails, chats, hooks, script, config, _stop: stop.drop_guard() }
    }

    /// Where the program's log lines are kept.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Starts the program on that database.
    pub fn start(&self, database: &str) -> Daemon {
        self.start_by(&[], database)
    }

    /// The same by another program that becomes it, such as `ip netns exec NAME`.
    pub fn start_by(&self, by: &[&str], database: &str) -> Daemon {
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        let words: Vec<&str> = by.iter().copied().chain([env!("CARGO_BIN_EXE_tanggap"), "run", "--config"]).collect();
        let child = Command::new(words[0])
            .args(&words[1..])
            .arg(&self.config)
            .env("TANGGAP__DATABASE__URL", database)
            .env("WEBHOOK_SECRET", "whsec_dGhlIHdlYmhvb2sgc2VjcmV0IG9mIHRoZSBzb2Fr")
            .env_remove("JOURNAL_STREAM")
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        Daemon(child)
    }

    /// Lets people write for so long, in small steps.
    pub async fn live(&mut self, length: SignedDuration) {
        let end = now() + length;
        while now() < end {
            self.script.step(&mut self.simulator.world(), now());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// A test that fails leaves no program behind.
impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

impl Daemon {
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// The most memory it ever held, KiB.
    pub fn memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// The memory it holds now, KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// How many files, sockets and the like it holds open.
    pub fn handles(&self) -> u64 {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count() as u64
    }

    /// Processor time so far.
    pub fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        // utime and stime, in hundredths of a second on every Linux (proc_pid_stat(5), fields 14 and 15).
        let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum();
        Duration::from_millis(ticks * 10)
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// How it ended by itself.
    pub fn ended(mut self) -> ExitStatus {
        self.0.wait().unwrap()
    }

    /// SIGTERM; it must end by itself, with status 0.
    pub fn stop(mut self) {
        assert!(Command::new("kill").arg(self.pid().to_string()).status().unwrap().success());
        assert!(self.0.wait().unwrap().success(), "a stop is no failure");
    }
}
