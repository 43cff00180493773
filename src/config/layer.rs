//! Puts the layers of a configuration over one another: defaults, the file, its `.d/` folder, the environment.
//!
//! Each file goes through `toml` first, which knows lines and coerces nothing; its values then carry `path:line` as their
//! origin through the `config` crate, which lays them over one another.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use config::{Config, ConfigError, Map, Source, Value, ValueKind};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    environment::{Environment, PREFIX},
    problem::{CALENDARS, DEFAULTS, Findings, Place, Spot},
};

/// Tables of which there may be several: appended from file to file, where everything else is replaced.
const LISTS: [&str; 7] = ["opd", "policy", "official", "calendar", "channel.webhook", "graph.app", "graph.source"];

/// The origin `config` gives to what comes from the environment.
pub(super) const FROM_ENVIRONMENT: &str = "the environment";

/// The layers as one tree; every value but merged tables knows its origin.
pub(super) struct Layered {
    pub root: Map<String, Value>,
    /// The main file.
    pub file: PathBuf,
}

/// Finds, reads and layers. `None` if a file can't be read or is no TOML: what half a file means is not worth a guess.
pub(super) fn read(named: Option<&Path>, env: &Environment, findings: &Findings) -> Option<Layered> {
    let file = match env.config_file(named) {
        Ok(file) => file,
        Err(text) => {
            findings.problem(&whole(&env.cwd.join("config/tanggap.toml")), text);
            return None;
        }
    };
    let defaults = text_layer(Path::new(DEFAULTS), include_str!("defaults.toml"), findings);
    let calendars = text_layer(Path::new(CALENDARS), include_str!("../../config/calendars.toml"), findings);
    let main = file_layer(&file, findings);
    let parts: Vec<_> = parts(&file, findings).iter().map(|path| file_layer(path, findings)).collect();
    let parts: Option<Vec<_>> = parts.into_iter().collect(); // only now, so that every file has been read
    let (defaults, mut main, mut files) = (defaults?, main?, vec![calendars?]);
    let mut written = Vec::new();

    // Policies are tried in order and the file's own end with the one that takes the rest: those of `.d/` stand before them.
    let own_policies = main.take_list("policy", findings).unwrap_or_default();
    files.push(main);
    files.extend(parts?);
    let mut builder = Config::builder().add_source(defaults.clone());
    let mut lists: HashMap<&str, Vec<Value>> = HashMap::new();
    for mut layer in files {
        for list in LISTS {
            lists.entry(list).or_default().extend(layer.take_list(list, findings).unwrap_or_default());
        }
        written.push(layer.0.clone());
        builder = builder.add_source(layer);
    }
    lists.entry("policy").or_default().extend(own_policies);
    let lists = Layer(lists.into_iter().map(|(list, whole)| (list.to_owned(), Value::new(None, ValueKind::Array(whole)))).collect());
    match builder.add_source(lists).add_source(environment(env, findings)).build().and_then(|whole| whole.collect()) {
        Ok(mut root) => {
            fall_back(&mut root, &defaults.0);
            for layer in &written {
                replaced(layer, &root, "", findings);
            }
            Some(Layered { root, file })
        }
        Err(error) => {
            findings.problem(&whole(&file), error.to_string());
            None
        }
    }
}

/// The layers with the policies of a file in place of their own, and with its calendars in place of those of the same name; `None` if the
/// file can't be read or says anything else.
pub(super) fn with_rules(mut layered: Layered, file: &Path, findings: &Findings) -> Option<Layered> {
    let mut rules = file_layer(file, findings)?;
    let policies = rules.take_list("policy", findings);
    let calendars = rules.take_list("calendar", findings).unwrap_or_default();
    for (name, value) in &rules.0 {
        let place = super::read::place(value.origin(), name).unwrap_or_else(|| whole(file).place);
        findings
            .problem(&Spot { place, key: name.clone() }, "has no place in a file of rules to try: only [[policy]] and [[calendar]] have");
    }
    let Some(policies) = policies.filter(|policies| !policies.is_empty()) else {
        findings.problem(
            &Spot { key: "policy".into(), ..whole(file) },
            "is missing: write at least one [[policy]], the last one without match",
        );
        return None;
    };
    let name = |calendar: &Value| match &calendar.kind {
        ValueKind::Table(table) => table.get("name").map(|name| name.kind.to_string()),
        _ => None,
    };
    if let Some(ValueKind::Array(own)) = layered.root.get_mut("calendar").map(|it| &mut it.kind) {
        let built_in = |it: &Value| super::read::place(it.origin(), "calendar").is_some_and(|place| place.is_built_in());
        own.retain(|it| built_in(it) || !calendars.iter().any(|new| name(new).is_some() && name(new) == name(it)));
        own.extend(calendars);
    }
    layered.root.insert("policy".into(), Value::new(None, ValueKind::Array(policies)));
    Some(layered)
}

/// Where the last word is an empty text, which means absent, the default stands; of `http.listen` and `http.metrics_listen` it means off.
fn fall_back(root: &mut Map<String, Value>, defaults: &Map<String, Value>) {
    for (name, default) in defaults {
        match root.get_mut(name).map(|value| &mut value.kind) {
            Some(ValueKind::Table(table)) => {
                if let ValueKind::Table(defaults) = &default.kind {
                    fall_back(table, defaults);
                }
            }
            Some(ValueKind::String(text)) if text.is_empty() && !name.ends_with("listen") => {
                root.insert(name.clone(), default.clone());
            }
            _ => {}
        }
    }
}

/// Notes what a later layer replaced by another type: one of the two is wrong, and only the later one is read. Texts of the environment
/// stand for every type but a table.
fn replaced(layer: &Map<String, Value>, root: &Map<String, Value>, at: &str, findings: &Findings) {
    for (name, value) in layer {
        let key = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        let Some(last) = root.get(name) else { continue };
        if let (ValueKind::Table(table), ValueKind::Table(last)) = (&value.kind, &last.kind) {
            replaced(table, last, &key, findings);
        } else if std::mem::discriminant(&value.kind) != std::mem::discriminant(&last.kind)
            && last.origin() != Some(FROM_ENVIRONMENT)
            && value.kind != ValueKind::String(String::new())
            && let Some(place) = super::read::place(value.origin(), &key)
        {
            findings.problem(&Spot { place, key }, "is of another type than what a later layer puts in its place");
        }
    }
}

/// `<stem>.d/*.toml` beside the file, in name order; names that begin with a dot are left alone, as a shell does.
fn parts(file: &Path, findings: &Findings) -> Vec<PathBuf> {
    let folder = file.with_extension("d");
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            findings.problem(&whole(&folder), format!("can't be listed: {error}"));
            return Vec::new();
        }
    };
    let is_part = |path: &PathBuf| {
        path.extension().is_some_and(|it| it == "toml") && !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
    };
    let mut parts: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_part).collect();
    parts.sort();
    parts
}

fn whole(path: &Path) -> Spot {
    Spot { place: Place::File { path: path.to_path_buf(), line: 0 }, key: String::new() }
}

fn file_layer(path: &Path, findings: &Findings) -> Option<Layer> {
    match fs::read_to_string(path) {
        Ok(text) => text_layer(path, &text, findings),
        Err(error) => {
            let cure = match error.kind() {
                io::ErrorKind::PermissionDenied => "; tanggap-ctl runs a command as the user who may",
                _ => "",
            };
            findings.problem(&whole(path), format!("can't be read: {error}{cure}"));
            None
        }
    }
}

fn text_layer(path: &Path, text: &str, findings: &Findings) -> Option<Layer> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let reader = Reader { path, text, findings };
    for error in &errors {
        // Only what toml says: its display also quotes the line, in which a secret may stand.
        let at = reader.spot("", error.span().map_or(0, |span| span.start));
        findings.problem(&at, format!("is no TOML: {}", error.message()));
    }
    errors.is_empty().then(|| Layer(reader.table(table.get_ref(), "")))
}

/// Turns one file's TOML into values with origins.
struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    findings: &'a Findings,
}

impl Reader<'_> {
    fn line(&self, offset: usize) -> usize {
        1 + self.text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
    }
    fn spot(&self, key: &str, offset: usize) -> Spot {
        Spot { place: Place::File { path: self.path.to_path_buf(), line: self.line(offset) }, key: key.to_owned() }
    }
    fn table(&self, table: &DeTable, at: &str) -> Map<String, Value> {
        let mut map = Map::new();
        for (name, value) in table {
            let key = if at.is_empty() { name.get_ref().to_string() } else { format!("{at}.{}", name.get_ref()) };
            // `config` reads a top-level name as a path, so one with a dot would set another key.
            if at.is_empty() && name.get_ref().contains(['.', '[']) {
                self.findings.problem(&self.spot(&key, name.span().start), "unknown key");
                continue;
            }
            map.insert(name.get_ref().to_string(), self.value(value, &key, name.span().start));
        }
        map
    }
    /// A value whose line is that of its key, which is where one looks for it.
    fn value(&self, value: &Spanned<DeValue>, key: &str, offset: usize) -> Value {
        let kind = match value.get_ref() {
            DeValue::String(text) => ValueKind::String(text.to_string()),
            DeValue::Boolean(flag) => ValueKind::Boolean(*flag),
            DeValue::Float(number) => number.as_str().parse().map_or(ValueKind::Nil, ValueKind::Float),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).map_or_else(
                |_| {
                    self.findings.problem(&self.spot(key, offset), "the number is too large");
                    ValueKind::Nil
                },
                ValueKind::I64,
            ),
            DeValue::Datetime(_) => {
                self.findings.problem(&self.spot(key, offset), "days and times are written in quotes");
                ValueKind::Nil
            }
            DeValue::Table(table) => ValueKind::Table(self.table(table, key)),
            DeValue::Array(items) => ValueKind::Array(
                items.iter().enumerate().map(|(index, item)| self.value(item, &format!("{key}[{index}]"), item.span().start)).collect(),
            ),
        };
        Value::new(Some(&format!("{}:{}", self.path.display(), self.line(offset))), kind)
    }
}

/// A file's values as a source of the `config` crate.
#[derive(Clone, Debug)]
struct Layer(Map<String, Value>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }
    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

impl Layer {
    /// Takes a list of tables out, so that laying files over one another does not replace it.
    fn take_list(&mut self, list: &str, findings: &Findings) -> Option<Vec<Value>> {
        let found = match list.split_once('.') {
            None => self.0.remove(list),
            Some((section, name)) => match &mut self.0.get_mut(section)?.kind {
                ValueKind::Table(table) => table.remove(name),
                _ => None,
            },
        }?;
        let place = super::read::place(found.origin(), list)?;
        let ValueKind::Array(items) = found.kind else {
            findings.problem(&Spot { place, key: list.to_owned() }, format!("expected a list of tables: write [[{list}]]"));
            return None;
        };
        Some(items)
    }
}

/// The variables that set a key. One element of a list has no name there, so a list can't be set.
fn environment(env: &Environment, findings: &Findings) -> config::Environment {
    let in_list =
        |key: &str| LISTS.into_iter().find(|list| key == *list || key.strip_prefix(list).is_some_and(|rest| rest.starts_with('.')));
    let mut vars = HashMap::new();
    for (name, value) in &env.vars {
        let Some(key) = name.strip_prefix(PREFIX).map(|key| key.to_lowercase().replace("__", ".")) else { continue };
        if let Some(list) = in_list(&key) {
            let text = format!("[[{list}]] can't be set by the environment: write it in the file or in a file of its .d/ folder");
            findings.problem(&Spot { place: Place::Environment(name.clone()), key }, text);
        } else {
            vars.insert(name.clone(), value.clone());
        }
    }
    config::Environment::with_prefix("TANGGAP").prefix_separator("__").separator("__").source(Some(vars))
}
