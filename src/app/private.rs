//! What holds citizens' words is for its owner's eyes only: the database's files and their folder. A tanggap that does not run answers nobody,
//! so what is open is closed and said; only what can't be closed refuses the start. Secrets, which are others' to give, are refused by `config`.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use tracing::warn;

use crate::store::Db;

/// Group and others.
const OTHERS: u32 = 0o077;
/// Anybody may write into a folder, and take away what others put there.
const ANYBODY: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// A file or folder that others may read or write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// Which.
    pub path: PathBuf,
    /// Its rights.
    pub mode: u32,
    /// The rights it should have; `None`: a folder that is not ours to close.
    pub right: Option<u32>,
}

impl std::fmt::Display for Exposed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (path, mode) = (self.path.display(), self.mode);
        match self.right {
            Some(right) => write!(f, "{path} may be read or written by others (mode {mode:04o}): chmod {right:04o} {path}"),
            None => write!(f, "anybody may write into {path} (mode {mode:04o}) and so replace the database: chmod o-w {path}"),
        }
    }
}

/// Something that others may read or write and that can't be closed.
#[derive(Debug, thiserror::Error)]
#[error("{exposed} ({error})")]
pub struct Unclosed {
    exposed: Exposed,
    error: std::io::Error,
}

/// What of a database others may read or write; `state_directory` is the one that the service manager gave.
pub fn exposed(url: &str, state_directory: Option<&Path>) -> Vec<Exposed> {
    let mode = |path: &Path| fs::metadata(path).ok().map(|about| about.mode() & 0o7777);
    let files = Db::files(url);
    let mut found = Vec::new();
    if let Some(path) = state_directory
        && let Some(mode) = mode(path).filter(|mode| mode & OTHERS != 0)
    {
        found.push(Exposed { path: path.to_owned(), mode, right: Some(0o700) });
    }
    let folder = files
        .as_ref()
        .and_then(|files| files[0].parent())
        .map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    if let Some(path) = folder.filter(|folder| state_directory != Some(folder))
        && let Some(mode) = mode(path).filter(|mode| mode & ANYBODY != 0 && mode & STICKY == 0)
    {
        found.push(Exposed { path: path.to_owned(), mode, right: None });
    }
    for path in files.into_iter().flatten() {
        if let Some(mode) = mode(&path).filter(|mode| mode & OTHERS != 0) {
            found.push(Exposed { path, mode, right: Some(0o600) });
        }
    }
    found
}

/// Closes it all, and says what was open.
pub fn close(url: &str, state_directory: Option<&Path>) -> Result<(), Unclosed> {
    for exposed in exposed(url, state_directory) {
        let Some(right) = exposed.right else {
            warn!(event = "database.exposed", "{exposed}");
            continue;
        };
        match fs::set_permissions(&exposed.path, fs::Permissions::from_mode(right)) {
            Ok(()) => warn!(event = "database.exposed", "closed now: {exposed}"),
            Err(error) => return Err(Unclosed { exposed, error }),
        }
    }
    Ok(())
}
