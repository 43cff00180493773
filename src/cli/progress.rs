//! Progress of long work, on standard error and only if that is a terminal.

use std::{pin::pin, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

/// How often the bar is drawn anew.
const REDRAW: Duration = Duration::from_millis(100);
const COUNTED: &str = "{msg} [{bar:30}] {pos} of {len}, {elapsed}";
const BYTES: &str = "{msg} [{bar:30}] {bytes} of {total_bytes}, {elapsed}";
const ROWS: &str = "{msg} [{bar:30}] {human_pos} of {human_len} rows, {elapsed}, {eta} left";

/// A bar for so many of something.
pub(super) fn counted(what: &'static str, total: u64) -> ProgressBar {
    bar(COUNTED, what.into(), total)
}

fn bar(template: &str, what: String, total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style.progress_chars("=> ")).with_message(what)
}

/// Does the work, and meanwhile shows how many of `total` bytes `written` says are there.
pub(super) async fn bytes<T>(what: String, total: u64, written: impl Fn() -> u64, work: impl Future<Output = T>) -> T {
    shown(BYTES, what, total, written, work).await
}

/// The same of rows.
pub(super) async fn rows<T>(what: &str, total: u64, done: impl Fn() -> u64, work: impl Future<Output = T>) -> T {
    shown(ROWS, what.to_owned(), total, done, work).await
}

async fn shown<T>(template: &str, what: String, total: u64, written: impl Fn() -> u64, work: impl Future<Output = T>) -> T {
    let bar = bar(template, what, total);
    let (mut work, mut redraw) = (pin!(work), tokio::time::interval(REDRAW));
    loop {
        tokio::select! {
            biased;
            _ = redraw.tick() => bar.set_position(written().min(total)),
            done = work.as_mut() => {
                bar.finish_and_clear();
                return done;
            }
        }
    }
}
