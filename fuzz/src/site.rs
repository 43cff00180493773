//! A configuration on disk that a target may write anew: the real files, read by the real loader.

use std::{fs, path::PathBuf, sync::LazyLock};

use tanggap::config::{self, Environment, Loaded, Problems, Secrets};

/// What every secret of the configuration is; it must stand in nothing that is said.
pub const SECRET: &str = "kanarirahasiakanarirahasiakanari";

/// A folder of this process in the system's temporary one.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("tanggap-fuzz-{}", std::process::id()));
    fs::create_dir_all(folder.join("tanggap.d")).unwrap_or_else(|error| panic!("no folder to work in: {error}"));
    folder
});

/// Puts a file into the folder, or takes it away.
pub fn put(name: &str, text: Option<&str>) {
    let path = FOLDER.join(name);
    let done = match text {
        Some(text) => fs::write(path, text),
        None => fs::remove_file(path).or(Ok(())),
    };
    done.unwrap_or_else(|error| panic!("{name} could not be written: {error}"));
}

/// Reads `tanggap.toml` of the folder and checks what is said of it.
pub fn load() -> Result<Loaded, Problems> {
    let mut env = Environment::bare(&FOLDER);
    env.vars.insert("RAHASIA".to_owned(), SECRET.to_owned());
    let outcome = config::load(Some("tanggap.toml".as_ref()), &env, Secrets::All);
    let said = match &outcome {
        Ok(loaded) => format!("{:?} {loaded:?}", loaded.warnings),
        Err(problems) => {
            assert!(!problems.0.is_empty(), "refused without a reason");
            assert!(problems.0.iter().all(|problem| !problem.text.is_empty()), "a problem without a text");
            problems.to_string()
        }
    };
    assert!(!said.contains(SECRET), "a secret is said");
    outcome
}
