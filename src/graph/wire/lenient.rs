//! Reading values that keep no promise about their type. Whatever is read here must come from text (`serde_json::from_str`):
//! values are looked at as they stand, so that a number of twenty digits is still an id.

use std::str::FromStr;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error as _};
use serde_json::value::RawValue;

use super::{List, Undecoded};

fn raw<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'de str, D::Error> {
    Ok(<&RawValue>::deserialize(deserializer)?.get())
}

/// A text, or a number as its digits; null and "" are none. Anything else is an error: the element is odd.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let raw = raw(deserializer)?;
    let text = match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw).map_err(D::Error::custom)?,
        Some(b'0'..=b'9' | b'-') => raw.to_owned(),
        Some(b'n') => String::new(),
        _ => return Err(D::Error::custom("neither text nor number")),
    };
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// The same for a secret, which prints as nothing.
pub fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(text(deserializer)?.map(Into::into))
}

/// `true`, `"true"`, `1`; false likewise; anything else is none.
pub fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match raw(deserializer)?.trim_matches('"') {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    })
}

/// A whole number or its digits as text; anything else is none.
pub fn int<'de, D: Deserializer<'de>, N: FromStr>(deserializer: D) -> Result<Option<N>, D::Error> {
    Ok(raw(deserializer)?.trim_matches('"').parse().ok())
}

/// A value that does not decide anything: its default when it cannot be read.
pub fn loose<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(serde_json::from_str(raw(deserializer)?).unwrap_or_default())
}

/// A list inside an element. One that cannot be read does not cost the element, but is said to be odd.
pub fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<List<T>>, D::Error> {
    let raw = raw(deserializer)?;
    let unread = || List { odd: vec![Undecoded { index: 0, id: None }], ..List::default() };
    Ok((raw != "null").then(|| serde_json::from_str(raw).unwrap_or_else(|_| unread())))
}
