//! What of the process a configuration depends on, as values: tests bring their own.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// The prefix of variables that set a key; `TANGGAP_CONFIG` is none of them.
pub(super) const PREFIX: &str = "TANGGAP__";

/// Environment variables and the fixed places on the machine.
#[derive(Clone, Debug)]
pub struct Environment {
    /// By name. What is not UTF-8 is left out.
    pub vars: HashMap<String, String>,
    /// The working folder.
    pub cwd: PathBuf,
    /// Where the package puts the configuration.
    pub installed: PathBuf,
    /// Where systemd keeps the running service's credentials, for commands outside the unit.
    pub service_credentials: PathBuf,
}

impl Environment {
    /// That of this process on this machine.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Self { vars: std::env::vars_os().filter_map(text).collect(), ..Self::bare(Path::new("")) }
    }

    /// One without variables, in a working folder.
    pub fn bare(cwd: &Path) -> Self {
        Self {
            vars: HashMap::new(),
            cwd: cwd.to_path_buf(),
            installed: PathBuf::from("/etc/tanggap/tanggap.toml"),
            service_credentials: PathBuf::from("/run/credentials/tanggap.service"),
        }
    }

    /// A variable that is set and not empty.
    pub(super) fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The configuration file: the one named, else that of `$TANGGAP_CONFIG`, else the first that exists of the two usual places.
    /// `Err` names the places where none was.
    pub(super) fn config_file(&self, named: Option<&Path>) -> Result<PathBuf, String> {
        if let Some(path) = named.or_else(|| self.var("TANGGAP_CONFIG").map(Path::new)) {
            return Ok(self.cwd.join(path));
        }
        let local = self.cwd.join("config/tanggap.toml");
        [&self.installed, &local].into_iter().find(|path| path.exists()).cloned().ok_or_else(|| {
            format!(
                "no configuration found at {} or {}: name one by --config or $TANGGAP_CONFIG, config/example.toml shows how it looks",
                self.installed.display(),
                local.display()
            )
        })
    }
}
