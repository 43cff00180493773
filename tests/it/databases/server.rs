//! A PostgreSQL server that a test may stop, break and cut off, as `tests/run` starts the one for all.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Stdio},
};

/// How a server stops (pg_ctl's words).
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    /// In order; whoever is connected is cut off.
    Fast,
    /// As if it had crashed: it recovers at its next start.
    Immediate,
}

/// A server with one empty database, thrown away at the end.
pub struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    port: u16,
    /// PostgreSQL refuses to run as root.
    as_root: bool,
}

impl Server {
    pub fn new() -> Self {
        let mut versions: Vec<PathBuf> =
            fs::read_dir("/usr/lib/postgresql").expect("tests/run installs PostgreSQL").map(|it| it.unwrap().path().join("bin")).collect();
        versions.sort_by_key(|path| path.components().nth(4).and_then(|part| part.as_os_str().to_str()?.parse::<u32>().ok()));
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let id = Command::new("id").arg("-u").output().unwrap();
        let server = Self { folder, programs: versions.pop().unwrap(), port, as_root: id.stdout == b"0\n" };
        let data = server.data();
        let mut made = Command::new("install");
        made.args(["-d", "-m", "700"]);
        if server.as_root {
            made.args(["-o", "postgres", "-g", "postgres"]);
        }
        assert!(made.arg(&data).status().unwrap().success());
        server.run("initdb", &["-U", "tanggap", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
        server.start();
        server
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn run(&self, program: &str, args: &[&str]) {
        let program = self.programs.join(program);
        let mut command = Command::new(if self.as_root { "runuser".as_ref() } else { program.as_os_str() });
        if self.as_root {
            command.args(["-u", "postgres", "--"]).arg(&program);
        }
        command.arg("-D").arg(self.data()).args(args).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(command.status().unwrap().success(), "{}", program.display());
    }

    pub fn start(&self) {
        let data = self.data();
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=off", self.port, data.display());
        self.run("pg_ctl", &["-w", "-l", data.join("log").to_str().unwrap(), "-o", &options, "start"]);
    }

    pub fn stop(&self, how: Stop) {
        let mode = match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        };
        self.run("pg_ctl", &["-w", "-m", mode, "stop"]);
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The database.
    pub fn url(&self) -> String {
        url_at(self.port)
    }
}

/// The database of a server that listens on that port of this machine, or seems to.
pub fn url_at(port: u16) -> String {
    format!("postgres://tanggap@127.0.0.1:{port}/postgres")
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            self.stop(Stop::Immediate);
        }
    }
}
