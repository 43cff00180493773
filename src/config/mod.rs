//! The configuration: layers of TOML and environment in, checked [`Settings`] or every [`Problem`] at once out.
//!
//! `environment` says where to look, `layer` lays defaults, file, `.d/` folder and environment over one another, `read` takes typed values
//! out and notices unknown keys, `words` knows how single values are written, `check` makes settings of them, a file a section, `holidays` and `secret` read what the configuration
//! names, `problem` keeps what is wrong. Nothing stops at the first mistake.

mod check;
mod environment;
mod holidays;
mod layer;
mod problem;
mod read;
mod secret;
#[cfg(test)]
mod tests;
pub mod words;

use std::path::{Path, PathBuf};

use crate::domain::settings::Settings;
pub use environment::Environment;
pub use problem::{Place, Problem, Problems, hint};
pub use secret::{Secrets, looks_newer, read as read_secret, reread};
pub use words::slug;

/// A configuration that holds.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Checked throughout.
    pub settings: Settings,
    /// What is allowed but surely not meant, such as a step that reaches nobody; for `check` and the log at every start.
    pub warnings: Vec<Problem>,
    /// The main file, as found.
    pub file: PathBuf,
}

/// Reads and checks the configuration: the file `path`, else that of `$TANGGAP_CONFIG`, else `/etc/tanggap/tanggap.toml`, else
/// `config/tanggap.toml` in the working folder; `<stem>.d/*.toml` beside it; variables `TANGGAP__SECTION__KEY`.
/// With [`Secrets::DatabaseOnly`] every other secret of the settings is empty; with [`Secrets::Apps`] all but those of Meta's apps are,
/// and no account needs to be there.
pub fn load(path: Option<&Path>, env: &Environment, secrets: Secrets) -> Result<Loaded, Problems> {
    let findings = problem::Findings::default();
    let Some(layered) = layer::read(path, env, &findings) else { return Err(findings.into_problems()) };
    let settings = check::settings(&layered, &secret::Vault::new(env, secrets), &findings);
    let warnings = findings.outcome()?;
    Ok(Loaded { settings, warnings, file: layered.file })
}

/// The same with the `[[policy]]` of another file in place of the site's, and with its `[[calendar]]` beside them, where those of the same
/// name take the place of the site's: what would be, were it so configured. Nothing else may stand in that file.
pub fn load_with(path: Option<&Path>, env: &Environment, secrets: Secrets, other: &Path) -> Result<Loaded, Problems> {
    let findings = problem::Findings::default();
    let layered = layer::read(path, env, &findings).and_then(|layered| layer::with_rules(layered, other, &findings));
    let Some(layered) = layered else { return Err(findings.into_problems()) };
    let settings = check::settings(&layered, &secret::Vault::new(env, secrets), &findings);
    let warnings = findings.outcome()?;
    Ok(Loaded { settings, warnings, file: layered.file })
}
