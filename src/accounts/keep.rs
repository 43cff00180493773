//! Tokens into files of the owner's alone. A file of another account is never written over.

use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::Platform;

/// Why a token could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("{path} can't be written: {why}", path = .path.display())]
pub struct KeepError {
    path: PathBuf,
    why: io::Error,
}

/// Makes the folder, readable by its owner only, if it is missing; its absolute path.
pub fn folder(path: &Path) -> Result<PathBuf, KeepError> {
    let failed = |why| KeepError { path: path.to_owned(), why };
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
    path.canonicalize().map_err(failed)
}

/// Writes a token to `<slug>-<platform>.token` in the folder, mode 0600, and says where it stands. The same token there already: nothing
/// is done. Another token there: that file is written anew if `mine` says that it is this account's, and else left alone, and the token
/// goes to `<slug>-<platform>-<id>.token`, which is this account's by its name.
pub fn token(
    folder: &Path,
    slug: &str,
    (platform, id): (Platform, &str),
    token: &SecretString,
    mine: impl Fn(&Path) -> bool,
) -> Result<PathBuf, KeepError> {
    let usual = folder.join(format!("{slug}-{platform}.token"));
    let failed = |path: &Path, why| KeepError { path: path.to_owned(), why };
    match place(&usual, token, mine(&usual)) {
        Ok(true) => Ok(usual),
        Ok(false) => {
            let own = folder.join(format!("{slug}-{platform}-{id}.token"));
            match place(&own, token, true) {
                Ok(_) => Ok(own),
                Err(why) => Err(failed(&own, why)),
            }
        }
        Err(why) => Err(failed(&usual, why)),
    }
}

/// Puts the token there unless it stands there already; false if something else does that may not be replaced. Never half a token: a
/// daemon may be reading.
fn place(path: &Path, token: &SecretString, replace: bool) -> io::Result<bool> {
    let text = token.expose_secret();
    match fs::symlink_metadata(path) {
        Ok(about) if about.is_file() => {
            if fs::read_to_string(path).is_ok_and(|old| old.trim_end() == text) {
                fs::set_permissions(path, Permissions::from_mode(0o600))?;
                return Ok(true);
            }
        }
        Ok(_) => return Err(io::Error::new(ErrorKind::AlreadyExists, "it is no plain file")),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let draft = path.with_added_extension(format!("{}.new", std::process::id()));
    let written = || -> io::Result<bool> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        writeln!(file, "{text}")?;
        file.sync_all()?;
        if replace {
            fs::rename(&draft, path)?;
            return Ok(true);
        }
        // unlike a rename, a link never takes another file's place
        match fs::hard_link(&draft, path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            linked => linked.map(|()| true),
        }
    };
    let outcome = written();
    let _ = fs::remove_file(&draft);
    outcome
}
