//! `tanggap due`, as a person and as a pipe use it.

use std::io::{self, Write};

use clap::Parser;
use tanggap::cli::due::{DueArgs, run};

use super::calendars;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    due: DueArgs,
}

/// Status, output and errors of a command line with this input.
fn due(arguments: &[&str], input: &[u8]) -> (u8, String, String) {
    let args = Cli::try_parse_from([&["due"], arguments].concat()).unwrap().due;
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let status = run(&args, &calendars::shipped(), input, &mut output, &mut errors).unwrap();
    (status, String::from_utf8(output).unwrap(), String::from_utf8(errors).unwrap())
}

fn by_hand(calendar: &str, within: &str, at: &str) -> (u8, String, String) {
    due(&["--calendar", calendar, "--within", within, "--at", at], b"")
}

#[test]
fn a_question_by_hand_is_answered_in_utc_and_by_the_calendars_clocks() {
    let answer = "2026-11-24T04:00:00Z 2026-11-24T11:00:00+07:00\n";
    assert_eq!(by_hand("kantor", "4h", "2026-11-23T20:00:00Z"), (0, answer.to_owned(), String::new()));
}

#[test]
fn a_deadline_after_the_known_holidays_is_answered_with_a_warning() {
    let (status, output, errors) = by_hand("kantor", "4h", "2028-01-03T00:00:00Z");
    assert_eq!((status, &*output), (0, "2028-01-03T04:00:00Z 2028-01-03T11:00:00+07:00\n"));
    assert!(errors.contains("holidays of calendar \"kantor\""), "{errors}");
}

#[test]
fn a_wrong_question_is_a_usage_error_that_says_what_is_wrong() {
    for (calendar, within, at, says) in [
        ("kantr", "4h", "2026-11-24T00:00:00Z", "there is no calendar \"kantr\"; there are: amsterdam, enam-hari, kantor"),
        ("kantor", "soon", "2026-11-24T00:00:00Z", "--within \"soon\" is no duration"),
        ("kantor", "1d 4h", "2026-11-24T00:00:00Z", "a working day has no fixed length: write hours"),
        ("kantor", "4h", "tomorrow", "--at: \"tomorrow\" is no time"),
        ("kantor", "4h", "1999-01-01T00:00:00Z", "calendar \"kantor\" is not known before 2003-12-31T17:00:00Z"),
        ("kantor", "4h", "2070-01-01T00:00:00Z", "has not that much business time until 2050-12-31T17:00:00Z"),
    ] {
        let (status, output, errors) = by_hand(calendar, within, at);
        assert_eq!((status, &*output), (2, ""), "{errors}");
        assert!(errors.contains(says), "{errors}");
    }
    assert!(Cli::try_parse_from(["due", "--calendar", "kantor"]).is_err());
    assert!(Cli::try_parse_from(["due", "--stdin", "--calendar", "kantor"]).is_err());
}

#[test]
fn the_vectors_come_back_from_the_pipe_as_they_were_written() {
    let vectors = include_str!("../../fixtures/sla-vectors.csv");
    let questions: Vec<&str> = vectors.lines().map(|line| line.rsplit_once(',').unwrap().0).collect();
    assert_eq!(due(&["--stdin"], questions.join("\n").as_bytes()), (0, vectors.to_owned(), String::new()));
}

#[test]
fn a_bad_line_is_named_and_the_others_are_answered_in_order() {
    let good = "kantor,2026-11-24T00:00:00Z,60";
    let input = [
        good.as_bytes(),
        b"kantor,2026-11-24T00:00:00Z",
        b"kantr,2026-11-24T00:00:00Z,60",
        b"kantor,24/11/2026,60",
        b"kantor,2026-11-24T00:00:00Z,-1",
        b"kantor,2026-11-24T00:00:00Z,\xff",
        b"\r",
        b"\"wita\",1795485600,0\r",
        good.as_bytes(),
    ]
    .join(&b'\n');
    let (status, output, errors) = due(&["--stdin"], &input);
    assert_eq!(status, 1);
    assert_eq!(output, format!("{good},2026-11-24T00:01:00Z\n\"wita\",1795485600,0,2026-11-24T02:00:00Z\n{good},2026-11-24T00:01:00Z\n"));
    let named: Vec<_> = errors.lines().map(|line| line.split_once(": ").unwrap().0).collect();
    assert_eq!(named, ["line 2", "line 3", "line 4", "line 5", "line 6"], "{errors}");
}

#[test]
fn a_closed_pipe_is_no_error() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let args = Cli::try_parse_from(["due", "--stdin"]).unwrap().due;
    let input = "kantor,2026-11-24T00:00:00Z,60\n".repeat(10_000);
    assert_eq!(run(&args, &calendars::shipped(), input.as_bytes(), Closed, io::sink()).unwrap(), 0);
}
