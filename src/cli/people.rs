//! `tanggap user` and `tanggap token`: who may use the page and the API. The first of both are made here.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use clap::builder::NonEmptyStringValueParser;

use super::{
    Failure, Shell, configured_opd, now, one_of,
    output::{self, Listed, Shape, View},
    staff::Who,
};
use crate::{
    domain::{Role, settings::Settings},
    runtime::log::escaped,
    store::people::{self, Account, Rights},
    web::secret,
};

#[derive(Debug, clap::Args)]
pub(super) struct Granted {
    /// What it may do: viewer looks, ops acts on tickets, admin sees the audit trail too
    #[arg(long, value_parser = one_of(Role::ALL, Role::word))]
    role: Role,
    /// Only this OPD; may be given again [default: all]
    #[arg(long, value_name = "SLUG")]
    opd: Vec<String>,
}

impl Granted {
    fn rights(&self, settings: &Settings) -> Result<Rights<'_>, Failure> {
        for slug in &self.opd {
            configured_opd(slug, settings)?;
        }
        Ok(Rights { role: self.role, opds: &self.opd })
    }
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Token {
    /// Makes a token and prints it, once
    Create {
        /// What the audit trail calls it
        #[arg(long, value_parser = NonEmptyStringValueParser::new())]
        name: String,
        #[command(flatten)]
        granted: Granted,
        #[command(flatten)]
        who: Who,
    },
    /// Revokes a token at once
    Revoke {
        /// Its name
        name: String,
        #[command(flatten)]
        who: Who,
    },
    /// Lists tokens, revoked ones too
    List(Shape),
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum User {
    /// Adds somebody; the password is asked for, or read from standard input
    Add {
        /// The name to sign in with
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        name: String,
        /// Signs in by the provider of [oidc], which calls them so, and has no password
        #[arg(long, value_name = "SUB", value_parser = NonEmptyStringValueParser::new())]
        subject: Option<String>,
        #[command(flatten)]
        granted: Granted,
        #[command(flatten)]
        who: Who,
    },
    /// Sets a new password, which is asked for, or read from standard input; who was signed in is no more
    Password {
        /// Their name
        name: String,
        #[command(flatten)]
        who: Who,
    },
    /// Changes what somebody may do; what is not said stays, and who was signed in is no more
    Change {
        /// Their name
        name: String,
        /// viewer looks, ops acts on tickets, admin sees the audit trail too
        #[arg(long, value_parser = one_of(Role::ALL, Role::word))]
        role: Option<Role>,
        /// Only this OPD from now on; may be given again
        #[arg(long, value_name = "SLUG")]
        opd: Vec<String>,
        /// All OPDs from now on
        #[arg(long, conflicts_with = "opd")]
        all_opds: bool,
        #[command(flatten)]
        who: Who,
    },
    /// Lets somebody sign in no more
    End {
        /// Their name
        name: String,
        #[command(flatten)]
        who: Who,
    },
    /// Lists everybody
    List(Shape),
}

impl Token {
    pub async fn run(self, shell: &mut Shell) -> Result<(), Failure> {
        let (db, settings) = shell.open().await?;
        match self {
            Self::Create { name, granted, who } => {
                let token = secret::fresh("tgp_");
                let rights = granted.rights(&settings)?;
                if !people::add_token(&db, &name, &secret::fingerprint(&token), &rights, &who.name(), now()).await? {
                    return Err(Failure::Failed(format!("there is a token of the name {name:?} already; names are used once")));
                }
                super::complain("this is shown once; keep it where only the program reads it");
                Ok(writeln!(shell.out, "{token}")?)
            }
            Self::Revoke { name, who } => {
                if !people::end_token(&db, &name, &who.name(), now()).await? {
                    return Err(Failure::Failed(format!("there is no token of the name {name:?}; tanggap token list shows all")));
                }
                Ok(writeln!(shell.out, "revoked: {}", escaped(&name))?)
            }
            Self::List(shape) => {
                let shape = shape.settle(shell);
                Ok(output::write(&mut shell.out, shape, &View::of(&settings), &people::tokens(&db).await?)?)
            }
        }
    }
}

impl User {
    pub async fn run(self, shell: &mut Shell) -> Result<(), Failure> {
        let (db, settings) = shell.open().await?;
        let (name, known, did) = match self {
            Self::Add { name, subject, granted, who } => {
                let rights = granted.rights(&settings)?;
                if let Some(why) = unfit(&name) {
                    return Err(Failure::Usage(format!("{name:?} can't be a name: {why}")));
                }
                let subject = subject.map(|sub| known_as(&sub, &settings)).transpose()?;
                let password = if subject.is_some() { None } else { Some(password()?) };
                if !people::add(&db, (&name, password.as_deref(), subject.as_deref()), &rights, &who.name(), now()).await? {
                    let or = if subject.is_some() { " or subject" } else { "" };
                    return Err(Failure::Failed(format!(
                        "there is somebody of the name {name:?}{or} already; tanggap user list shows all"
                    )));
                }
                (name, true, "added")
            }
            Self::Password { name, who } => {
                let password = password()?;
                let known = people::change(&db, &name, (Some(&password), None), &who.name(), now()).await?;
                (name, known, "new password")
            }
            Self::Change { name, role, opd, all_opds, who } => {
                let before = people::all(&db).await?.into_iter().find(|it| it.name == name);
                let known = match before {
                    Some(before) => {
                        let opd = if opd.is_empty() && !all_opds { before.opds } else { opd };
                        let granted = Granted { role: role.unwrap_or(before.role), opd };
                        people::change(&db, &name, (None, Some(&granted.rights(&settings)?)), &who.name(), now()).await?
                    }
                    None => false,
                };
                (name, known, "changed")
            }
            Self::End { name, who } => {
                let known = people::end(&db, &name, &who.name(), now()).await?;
                (name, known, "ended")
            }
            Self::List(shape) => {
                let shape = shape.settle(shell);
                return Ok(output::write(&mut shell.out, shape, &View::of(&settings), &people::all(&db).await?)?);
            }
        };
        if known {
            return Ok(writeln!(shell.out, "{did}: {}", escaped(&name))?);
        }
        Err(Failure::Failed(format!("there is nobody of the name {name:?}; tanggap user list shows all")))
    }
}

/// Why somebody can't be called so: the trail must tell people from programs and letters.
fn unfit(name: &str) -> Option<&'static str> {
    match name {
        long if long.chars().count() > 100 => Some("it is longer than 100 characters"),
        spaced if spaced.trim() != spaced => Some("it begins or ends with a space"),
        taken if ["token ", "link of ", "button of "].iter().any(|it| taken.starts_with(it)) || taken == "demo" || taken == "unknown" => {
            Some("the audit trail calls others so")
        }
        _ => None,
    }
}

/// Whom the configured identity provider calls so.
fn known_as(sub: &str, settings: &Settings) -> Result<String, Failure> {
    let oidc =
        settings.oidc.as_ref().ok_or_else(|| Failure::Usage("--subject is somebody's at an identity provider: configure [oidc]".into()))?;
    Ok(oidc.subject(sub))
}

/// A password, hashed: asked for twice on a terminal, else the first line of standard input.
fn password() -> Result<String, Failure> {
    let mut password = String::new();
    if io::stdin().is_terminal() {
        password = rpassword::prompt_password("Password: ")?;
        if rpassword::prompt_password("Once more: ")? != password {
            return Err(Failure::Failed("the two passwords differ; nothing was changed".into()));
        }
    } else {
        io::stdin().lock().read_line(&mut password)?;
    }
    secret::hashed(password.trim_end_matches(['\r', '\n'])).map_err(Failure::Usage)
}

impl Listed for Account {
    const CSV: &'static [&'static str] = &["name", "role", "opds", "created_at", "used_at", "ended_at"];
    const TABLE: &'static [&'static str] = &["name", "role", "OPDs", "since", "used", "ended"];

    fn cells(&self, view: &View) -> Vec<String> {
        let opds = if self.opds.is_empty() { "all".into() } else { self.opds.join(", ") };
        vec![
            self.name.clone(),
            self.role.to_string(),
            opds,
            view.time(self.created_at),
            view.maybe(self.used_at),
            view.maybe(self.ended_at),
        ]
    }
}
