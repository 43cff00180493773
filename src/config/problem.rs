//! What is wrong with a configuration, where, and what would be right. Everything found is kept, so that one run tells all.
//! No text here ever holds a secret or a URL, which may hold one.

use std::{
    cell::RefCell,
    fmt,
    path::{Path, PathBuf},
};

/// What the built-in files are called in a place.
pub(super) const DEFAULTS: &str = "built-in defaults";
pub(super) const CALENDARS: &str = "built-in calendars";

/// Where something was said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A file; line 0 stands for the whole of it.
    File {
        /// As it was found.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// An environment variable, by its name.
    Environment(String),
}

impl Place {
    /// Whether the program brings it along, so that nobody could mend it there.
    pub(super) fn is_built_in(&self) -> bool {
        matches!(self, Self::File { path, .. } if [DEFAULTS, CALENDARS].into_iter().any(|it| path == Path::new(it)))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: 0 } => write!(f, "{}", path.display()),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// A place and the path of a key, such as `opd[2].account[0].platform`; elements are counted from 0 within their own file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub place: Place,
    pub key: String,
}

/// One thing that is wrong, or, among the warnings, one that is allowed but surely not meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// File and line, or the environment variable.
    pub place: Place,
    /// The key's path; empty where the file as a whole is meant.
    pub key: String,
    /// What is wrong, and what would be right.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.text)
    }
}

/// Everything that is wrong with a configuration, in the order of files and lines. Prints one problem a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if number == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

/// Collects what is found while the configuration is read and checked.
#[derive(Default)]
pub(super) struct Findings {
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
}

impl Findings {
    pub fn problem(&self, at: &Spot, text: impl Into<String>) {
        self.problems.borrow_mut().push(Problem { place: at.place.clone(), key: at.key.clone(), text: text.into() });
    }
    pub fn warning(&self, at: &Spot, text: impl Into<String>) {
        self.warnings.borrow_mut().push(Problem { place: at.place.clone(), key: at.key.clone(), text: text.into() });
    }
    /// The warnings, or the problems if there is one.
    pub fn outcome(self) -> Result<Vec<Problem>, Problems> {
        if self.problems.borrow().is_empty() { Ok(in_order(self.warnings)) } else { Err(self.into_problems()) }
    }
    /// The problems.
    pub fn into_problems(self) -> Problems {
        Problems(in_order(self.problems))
    }
}

/// Each once, by file, line and key.
fn in_order(found: RefCell<Vec<Problem>>) -> Vec<Problem> {
    let mut found = found.into_inner();
    found.sort();
    found.dedup();
    found
}

/// The known name a slip of the pen was meant for, as the end of a sentence: `, did you mean "interval"?`;
/// without one near enough, the known names if they are few; else nothing.
pub fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in known {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    // A third of the letters may differ, as two do in most slips; more is another word.
    let near = |name: &&str| strsim::osa_distance(&word.to_lowercase(), &name.to_lowercase());
    match names.iter().copied().min_by_key(near) {
        Some(name) if near(&name) <= (name.chars().count() / 3).max(1) => format!(", did you mean \"{name}\"?"),
        Some(_) if names.len() <= 12 => format!(", known: {}", names.join(", ")),
        _ => String::new(),
    }
}
