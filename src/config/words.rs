//! How single values are written: durations, times of day, days, addresses, names. Pure; an error is the text of a problem.

use std::{net::IpAddr, ops::RangeInclusive, str::FromStr};

use jiff::{SignedDuration, civil, tz::TimeZone};
use regex::{Regex, RegexBuilder};
use unicode_normalization::UnicodeNormalization;
use url::{Host, Url};

use super::problem::hint;
use crate::domain::settings::StepAt;

pub(super) const DURATION: &str = "a duration in quotes, such as \"90s\", \"15m\", \"4h\" or \"2d\"";
pub(super) const SECRET: &str = "a secret's reference: env:NAME, file:/path or credential:NAME";
const CENTURY: SignedDuration = SignedDuration::from_hours(36_525 * 24);

/// humantime's style: `90s`, `15m`, `4h`, `2d`, `1h 30m`.
pub fn duration(text: &str) -> Result<SignedDuration, String> {
    let read = humantime::parse_duration(text).ok().and_then(|it| SignedDuration::try_from(it).ok());
    match read {
        Some(it) if it <= CENTURY => Ok(it),
        Some(_) => Err(format!("\"{text}\" is longer than a century")),
        None => Err(format!("\"{text}\" is no duration: write a number with its unit, such as 90s, 15m, 4h or 2d")),
    }
}

/// A duration longer than zero.
pub(super) fn positive(text: &str) -> Result<SignedDuration, String> {
    duration(text).and_then(|it| if it.is_zero() { Err("must be longer than zero".into()) } else { Ok(it) })
}

/// A duration of an SLA. On a business calendar no unit longer than an hour means anything.
pub fn sla_duration(text: &str, business: bool) -> Result<SignedDuration, String> {
    let mut units = text.split(|c: char| !c.is_alphabetic());
    let read = duration(text)?;
    // humantime's days, weeks, months (M) and years.
    if business && units.any(|unit| unit.starts_with(['d', 'w', 'M', 'y']) || unit.starts_with("mon")) {
        return Err(format!("\"{text}\": a working day has no fixed length, write hours, such as 16h"));
    }
    Ok(read)
}

/// When a step is due: `75%` of `respond_within`, or an offset from the deadline.
pub fn step_at(text: &str, business: bool) -> Result<StepAt, String> {
    if let Some(percent) = text.strip_suffix('%') {
        let is_number = !percent.is_empty() && percent.bytes().all(|b| b.is_ascii_digit());
        return percent
            .parse()
            .ok()
            .filter(|it| is_number && *it <= 1000)
            .map(StepAt::Percent)
            .ok_or_else(|| format!("\"{text}\" is no whole percentage from 0% to 1000%"));
    }
    let (sign, length) = text.strip_prefix('-').map_or((1, text), |length| (-1, length));
    match sla_duration(length, business) {
        Ok(length) => Ok(StepAt::Offset(length * sign)),
        Err(_) if humantime::parse_duration(length).is_err() => Err(format!(
            "\"{text}\" is no time of a step: write a share of respond_within, such as 75%, or an offset from the deadline, such as -15m, 0m or 2h"
        )),
        Err(text) => Err(text),
    }
}

/// `HH:MM` in seconds after midnight.
fn seconds(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let number =
        |digits: &str| if digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse::<u32>().ok() } else { None };
    let (hour, minute) = (number(hour)?, number(minute)?);
    (minute < 60 && hour < 24 || (hour, minute) == (24, 0)).then_some(hour * 3600 + minute * 60)
}

/// Hours of a day, `07:00-15:30`: seconds after midnight, half-open; `24:00` is the end of the day.
pub fn hours(text: &str) -> Result<(u32, u32), String> {
    match text.split_once('-').and_then(|(from, to)| Some((seconds(from.trim())?, seconds(to.trim())?))) {
        Some((from, to)) if from < to => Ok((from, to)),
        Some(_) => Err(format!(
            "\"{text}\" ends before it begins: hours past midnight are written as two, up to 24:00 and from 00:00 of the next day"
        )),
        None => Err(format!("\"{text}\" are no hours: write them as \"07:00-15:30\"")),
    }
}

/// A time of day, `07:00`.
pub fn time_of_day(text: &str) -> Result<civil::Time, String> {
    let time = |seconds: u32| civil::Time::midnight().checked_add(SignedDuration::from_secs(seconds.into())).ok();
    seconds(text).filter(|it| *it < 86_400).and_then(time).ok_or_else(|| format!("\"{text}\" is no time of day: write it as \"07:00\""))
}

/// A span of the day that may pass midnight, `20:00-06:00`.
pub fn quiet(text: &str) -> Result<(civil::Time, civil::Time), String> {
    let read = |(from, to): (&str, &str)| {
        let to = to.trim();
        Some((time_of_day(from.trim()).ok()?, time_of_day(if to == "24:00" { "00:00" } else { to }).ok()?))
    };
    text.split_once('-')
        .and_then(read)
        .filter(|(from, to)| from != to)
        .ok_or_else(|| format!("\"{text}\" are no quiet hours: write them as \"20:00-06:00\""))
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A weekday or a range of them, `mon` or `mon-thu`: numbers from Monday, 0.
pub fn weekdays(text: &str) -> Result<RangeInclusive<usize>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let day =
        |name: &str| DAYS.into_iter().position(|it| it == name).ok_or_else(|| format!("\"{name}\" is no weekday{}", hint(name, DAYS)));
    let (first, last) = (day(first)?, day(last)?);
    if first <= last { Ok(first..=last) } else { Err(format!("\"{text}\" runs backwards: the week begins with mon")) }
}

/// A time of the week, `mon 07:00`.
pub fn weekly(text: &str) -> Result<(civil::Weekday, civil::Time), String> {
    let wrong = || format!("\"{text}\" is no time of the week: write it as \"mon 07:00\"");
    let (day, time) = text.split_once(' ').ok_or_else(wrong)?;
    let days = weekdays(day)?;
    let day = i8::try_from(*days.start()).ok().filter(|_| days.start() == days.end()).ok_or_else(wrong)?;
    Ok((civil::Weekday::from_monday_zero_offset(day).map_err(|_| wrong())?, time_of_day(time)?))
}

/// A day, `2026-12-24`.
pub fn date(text: &str) -> Result<civil::Date, String> {
    // The length, because jiff also takes a time behind the day.
    let read = if text.len() == 10 { text.parse().ok() } else { None };
    read.ok_or_else(|| format!("\"{text}\" is no day: write it as 2026-12-24"))
}

/// A zone by its IANA name.
pub(super) fn zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| {
        let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let hint = hint(text, known.iter().map(String::as_str));
        let example = if hint.is_empty() { ", write an IANA name such as Asia/Jakarta, Asia/Makassar or Asia/Jayapura" } else { "" };
        format!("\"{text}\" is no time zone{hint}{example}")
    })
}

/// A base URL: https, or http to a literal loopback address; without credentials, query and fragment. A trailing slash is cut.
pub(super) fn base_url(text: &str) -> Result<String, String> {
    let url = web_url(text)?;
    if url.contains(['?', '#']) {
        return Err("is a base URL: it takes neither query nor fragment".into());
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// The same with a query allowed: a URL that is called as it stands. It is never repeated in a message, as its path may be the secret.
pub(super) fn web_url(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|_| "is no URL: write it as https://host/path".to_owned())?;
    let loopback = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        _ => false,
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => return Err("must be https: http is for a loopback address only, written in digits (127.0.0.1 or [::1])".into()),
        _ => return Err("must begin with https://".into()),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user or password, which don't belong in a URL".into());
    }
    Ok(url.into())
}

/// The mail server: `smtps://user@host:465`, `smtp+starttls://…`, `smtp://` to a loopback address only. Says whether it names a user.
pub(super) fn smtp_url(text: &str) -> Result<(String, bool), String> {
    let url = Url::parse(text).ok().filter(|url| url.host_str().is_some_and(|host| !host.is_empty()));
    let url = url.ok_or("is no mail server's URL: write it as smtps://user@mail.example.go.id:465")?;
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    match url.scheme() {
        "smtps" | "smtp+starttls" => {}
        "smtp" if IpAddr::from_str(host).is_ok_and(|ip| ip.is_loopback()) => {}
        "smtp" => return Err("smtp:// sends in the clear, to a loopback address only: write smtps:// or smtp+starttls://".into()),
        _ => return Err("must begin with smtps:// or smtp+starttls://".into()),
    }
    if url.password().is_some() {
        return Err("holds a password: name it by channel.smtp.password instead".into());
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err("takes neither path nor query".into());
    }
    Ok((text.trim_end_matches('/').to_owned(), !url.username().is_empty()))
}

/// Where tickets are kept. It is never repeated in a message, as a password may stand in it.
pub(super) fn database_url(text: &str) -> Result<(), String> {
    if let Some(path) = text.strip_prefix("sqlite://") {
        return if path.starts_with('/') {
            Ok(())
        } else {
            Err("a SQLite file is named by its absolute path: sqlite:///var/lib/tanggap/tanggap.db".into())
        };
    }
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "postgres" | "postgresql") => Ok(()),
        _ => Err("is no database: write sqlite:///path or postgres://user@host/name".into()),
    }
}

/// Whether a database's URL has a password in it.
pub(super) fn has_password(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.password().is_some() || url.query_pairs().any(|(key, _)| key == "password"))
}

/// A pattern, case-insensitive.
pub(super) fn pattern(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).case_insensitive(true).build().map_err(|error| {
        let why = error.to_string();
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        format!("is no regular expression: {why}")
    })
}

/// A keyword: words, at the end perhaps a `*`.
pub(super) fn keyword(text: &str) -> Result<String, String> {
    if text.starts_with("builtin:") && text != "builtin:id" {
        return Err(format!("\"{text}\" is no list of keywords: the shipped one is builtin:id"));
    }
    let word = text.strip_suffix('*').unwrap_or(text);
    if word.trim().is_empty() || word.trim() != word || word.contains('*') {
        return Err(format!("\"{text}\" is no keyword: write a word, with a * only at its end"));
    }
    Ok(text.to_owned())
}

/// An id of Meta's: digits.
pub(super) fn digits(text: &str) -> Result<String, String> {
    let right = text.bytes().all(|b| b.is_ascii_digit());
    if right { Ok(text.to_owned()) } else { Err(format!("\"{text}\" is no id: Meta's ids are digits only, a user name is none")) }
}

/// The slug of a name: decomposed (NFKD), accents dropped, lower case, each run of anything but ASCII letters and digits one `-`,
/// none at the ends: `Kepala Dindukcapil` becomes `kepala-dindukcapil`. May be empty.
pub fn slug(name: &str) -> String {
    let plain = name.nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)).collect::<String>().to_lowercase();
    plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// A slug as configured: small letters, digits, `-` and `_`.
pub(super) fn slug_as_written(text: &str) -> Result<String, String> {
    let right = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
    if right {
        Ok(text.to_owned())
    } else {
        Err(format!("\"{text}\" is no slug: write small letters, digits and -, such as \"{}\"", slug(text)))
    }
}

/// `text` if it is one of `known`.
pub(super) fn one_of(text: &str, known: &[String], what: &str) -> Result<String, String> {
    if known.iter().any(|it| it == text) {
        return Ok(text.to_owned());
    }
    let hint = if known.is_empty() { ", nor is there another".to_owned() } else { hint(text, known.iter().map(String::as_str)) };
    Err(format!("no {what} is called \"{text}\"{hint}"))
}

/// The value of an enum whose word `text` is.
pub(super) fn in_words<T: Copy>(text: &str, all: &[T], word: fn(T) -> &'static str) -> Result<T, String> {
    let known = || all.iter().map(|it| word(*it));
    all.iter()
        .copied()
        .find(|it| word(*it) == text)
        .ok_or_else(|| format!("\"{text}\" is none of {}", known().collect::<Vec<_>>().join(", ")))
}
