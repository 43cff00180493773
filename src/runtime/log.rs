//! The log on standard error, in three forms: text for people, JSON for machines, journald's own protocol under systemd.
//! Every event is gathered into one [`record::Record`], whose values are already safe to print, and then written in one form.

mod form;
mod journal;
mod record;

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::panic;
use std::path::Path;

use jiff::tz::TimeZone;
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber, debug, error};
use tracing_subscriber::filter::{EnvFilter, FilterExt, ParseError, filter_fn};
use tracing_subscriber::layer::{Context, Filter, Layer, SubscriberExt};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Registry, reload};

use journal::Journal;
use record::Record;
pub use record::escaped;

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text on a terminal, journald where standard error is the journal, else JSON.
    Auto,
    /// For people.
    Text,
    /// One flat object a line.
    Json,
    /// journald's fields.
    Journald,
}

/// Why the log could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is no filter.
    #[error("log.filter is not a filter: {0}; write a level like \"info\", or \"info,tanggap::poll=debug\"")]
    Filter(#[from] ParseError),
    /// Set up twice.
    #[error("the log was set up before: {0}")]
    Twice(#[from] TryInitError),
    /// The layer is gone.
    #[error("the filter of the log can no longer be changed: {0}")]
    Reload(#[from] reload::Error),
}

/// The running log.
pub struct Log(reload::Handle<EnvFilter, Registry>);

impl Log {
    /// Replaces the filter, as a reload of the configuration does.
    pub fn refilter(&self, filter: &str) -> Result<(), LogError> {
        Ok(self.0.reload(EnvFilter::try_new(filter)?)?)
    }
}

/// Sets up the log of the process, once: `filter` is in [`EnvFilter`]'s syntax, `terminal` says whether standard error is one,
/// text shows times in `zone`. From then on a panic is a line of the log, too.
pub fn init(format: Format, filter: &str, terminal: bool, zone: TimeZone) -> Result<Log, LogError> {
    let (filter, handle) = reload::Layer::new(EnvFilter::try_new(filter)?);
    let lines = Lines { form: Form::choose(format, terminal, zone), out: io::stderr };
    tracing_subscriber::registry().with(lines.with_filter(filter.and(quiet_libraries()))).try_init()?;
    panic::set_hook(Box::new(log_panic));
    Ok(Log(handle))
}

/// Libraries never log below INFO, whatever the filter says: their debug lines hold URLs, headers and bodies.
fn quiet_libraries<S>() -> impl Filter<S> {
    filter_fn(|metadata| is_ours(metadata.target()) || *metadata.level() <= Level::INFO).with_max_level_hint(LevelFilter::TRACE)
}

/// Whether a target is this crate's.
fn is_ours(target: &str) -> bool {
    target.split("::").next() == Some("tanggap")
}

/// Where a panic happened; what it said only at debug and cut, since that may hold a citizen's words.
fn log_panic(info: &panic::PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string);
    let thread = std::thread::current();
    error!(place, thread = thread.name(), "panic; this is a bug");
    debug!(place, words = info.payload_as_str().map(|words| words.chars().take(200).collect::<String>()), "what the panic said");
}

/// The chosen form.
enum Form {
    Text { zone: TimeZone, colour: bool },
    Json,
    Journald(Journal),
}

impl Form {
    fn choose(format: Format, terminal: bool, zone: TimeZone) -> Self {
        let text = |zone| Self::Text { zone, colour: terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) };
        match format {
            Format::Text => text(zone),
            Format::Auto if terminal => text(zone),
            Format::Auto if !stderr_is_journal() => Self::Json,
            Format::Json => Self::Json,
            Format::Auto | Format::Journald => Journal::open(Path::new(journal::SOCKET)).map_or(Self::Json, Self::Journald),
        }
    }
}

/// Whether `$JOURNAL_STREAM` names standard error by device and inode (systemd.exec(5)); it is inherited, so its presence alone proves nothing.
fn stderr_is_journal() -> bool {
    let stderr = io::stderr().as_fd().try_clone_to_owned().and_then(|fd| std::fs::File::from(fd).metadata());
    let named = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    stderr.is_ok_and(|stderr| named == format!("{}:{}", stderr.dev(), stderr.ino()))
}

/// Writes each event as one line or one datagram.
struct Lines<W> {
    form: Form,
    out: W,
}

impl<S: Subscriber, O: Write, W: Fn() -> O + 'static> Layer<S> for Lines<W> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let record = Record::of(event, super::Clock::now(&super::SystemClock));
        let mut line = String::new();
        match &self.form {
            Form::Text { zone, colour } => form::text(&mut line, &record, zone, *colour),
            Form::Journald(journal) if journal.send(&record).is_ok() => return,
            // a record that journald does not take is not lost
            Form::Json | Form::Journald(_) => form::json(&mut line, &record),
        }
        line.push('\n');
        // nobody to tell that the log is gone
        let _ = (self.out)().write_all(line.as_bytes());
    }
}

#[cfg(test)]
mod tests;
