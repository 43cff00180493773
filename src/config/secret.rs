//! Secrets are named, never written: `env:NAME`, `file:/path`, `credential:NAME` (systemd's `LoadCredential=`).
//! No error here says what a value or a wrongly written reference was.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};

use super::environment::Environment;
use crate::domain::settings::{Origin, Token};

/// Which secrets a command has use for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// Every one (`run`, `check`, `reply`, `alert test`, …): one that can't be read is a problem.
    All,
    /// Only that of `database.url` (listings, staff actions). References are checked for their form; the values stay empty.
    DatabaseOnly,
    /// That of `database.url` and those of Meta's apps (`accounts discover`, which comes before there is any account).
    Apps,
}

/// No secret is longer; what is, is another file.
const MAX_BYTES: u64 = 64 * 1024;

/// A file is its owner's only: group and others must not even read it.
const OWNER_ONLY: u32 = 0o077;
/// systemd sets 0400, or 0440 with an access list for the unit's user, so the group's bits say nothing of a credential.
const NOT_OTHERS: u32 = 0o007;

/// Where secrets are read from.
pub(super) struct Vault<'a> {
    env: &'a Environment,
    read: Secrets,
}

impl<'a> Vault<'a> {
    pub fn new(env: &'a Environment, read: Secrets) -> Self {
        Self { env, read }
    }

    /// Reads a reference; where the command has no use for it, only its form is checked and the value is empty.
    pub fn read(&self, reference: &str) -> Result<Token, String> {
        self.resolve(reference, self.read == Secrets::All)
    }
    /// Reads a reference of a Meta app.
    pub fn read_app(&self, reference: &str) -> Result<Token, String> {
        self.resolve(reference, self.read != Secrets::DatabaseOnly)
    }
    /// Whether a configuration without any account will do.
    pub fn before_accounts(&self) -> bool {
        self.read == Secrets::Apps
    }
    /// Reads a reference in any case.
    pub fn read_always(&self, reference: &str) -> Result<Token, String> {
        self.resolve(reference, true)
    }

    fn resolve(&self, reference: &str, wanted: bool) -> Result<Token, String> {
        let (value, origin) = if let Some(name) = reference.strip_prefix("env:") {
            let text = || self.env.vars.get(name).ok_or_else(|| format!("the environment variable {name} is not set"));
            let value = if wanted {
                text().and_then(|text| clean(text).map_err(|why| format!("the environment variable {name} {why}")))
            } else {
                Ok(String::new())
            };
            (value, Origin::Environment)
        } else if let Some(path) = reference.strip_prefix("file:").map(PathBuf::from) {
            if !path.is_absolute() {
                return Err("file: wants an absolute path, such as file:/etc/tanggap/secrets/page-token".into());
            }
            (if wanted { read_file(&path, OWNER_ONLY) } else { Ok(String::new()) }, Origin::File(path))
        } else if let Some(name) = reference.strip_prefix("credential:") {
            if name.is_empty() || name.starts_with('.') || name.contains('/') {
                return Err("credential: wants the plain name of a file, such as credential:app-secret".into());
            }
            let path = self.credential(name);
            (if wanted { self.credential_in(&path, name) } else { Ok(String::new()) }, Origin::Credential(path))
        } else {
            return Err("a secret is never written in the open: write env:NAME, file:/path or credential:NAME".into());
        };
        Ok(Token { value: value?.into(), origin })
    }

    fn credential(&self, name: &str) -> PathBuf {
        let granted = self.env.var("CREDENTIALS_DIRECTORY").map(|folder| Path::new(folder).join(name));
        granted.filter(|path| path.exists()).unwrap_or_else(|| self.env.service_credentials.join(name))
    }
    fn credential_in(&self, path: &Path, name: &str) -> Result<String, String> {
        if !path.exists() {
            return Err(format!(
                "no credential {name} in $CREDENTIALS_DIRECTORY or {}: add LoadCredential={name}:… to the unit, or write file:/path",
                self.env.service_credentials.display()
            ));
        }
        read_file(path, NOT_OTHERS)
    }
}

/// Reads a secret that the command line names.
pub fn read(reference: &str, env: &Environment) -> Result<Token, String> {
    Vault::new(env, Secrets::All).read(reference)
}

/// Whether this is a reference at all; `database.url` may also be written out.
pub(super) fn is_reference(text: &str) -> bool {
    ["env:", "file:", "credential:"].into_iter().any(|scheme| text.starts_with(scheme))
}

fn read_file(path: &Path, forbidden: u32) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{} can't be read: {error}", path.display());
    let about = fs::metadata(path).map_err(failed)?;
    if !about.is_file() || about.len() > MAX_BYTES {
        return Err(format!("{} is no file of at most {} KiB", path.display(), MAX_BYTES / 1024));
    }
    if about.mode() & forbidden != 0 {
        return Err(format!("{} may be read by others: chmod 0600 it", path.display()));
    }
    let text =
        String::from_utf8(fs::read(path).map_err(failed)?).map_err(|_| format!("{} holds bytes that are no text", path.display()))?;
    clean(&text).map_err(|why| format!("{} {why}", path.display()))
}

/// Cuts one newline from the end; what is left must be one line with something in it.
fn clean(text: &str) -> Result<String, &'static str> {
    let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    if text.trim().is_empty() {
        return Err("is empty");
    }
    if text.contains(|c: char| c.is_control()) {
        return Err("holds more than one line, or a control character: one line is expected");
    }
    Ok(text.to_owned())
}

/// Reads a token's file again after Graph error 190. `None`, so that the old value stays, if it has no file, or the file can't be
/// read, is empty, holds no proper secret, or only the beginning of the old value: somebody is writing it just now.
pub fn reread(token: &Token) -> Option<SecretString> {
    let Origin::File(path) = &token.origin else { return None };
    let new = read_file(path, OWNER_ONLY).ok()?;
    let old = token.value.expose_secret();
    let half_written = new.len() < old.len() && old.starts_with(&new);
    (!half_written).then(|| new.into())
}

/// Whether a credential's file holds another value than the one in use, which counts from the next start on.
pub fn looks_newer(token: &Token) -> bool {
    let Origin::Credential(path) = &token.origin else { return false };
    read_file(path, NOT_OTHERS).is_ok_and(|now| now != token.value.expose_secret())
}
