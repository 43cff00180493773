//! How much of Meta's limits is used up, from the headers of an answer (rate-limiting page of the Graph API).
//! The headers are missing at almost no use and come in several shapes; a bad one is passed over, never a failure.

use jiff::SignedDuration;
use reqwest::header::HeaderMap;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// Objects read of one header. Meta sends at most 32.
const MOST: usize = 64;

/// How much of one limit is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Which limit: `app`, `page`, or the business use case (`pages`, `messenger`, `instagram`, else `other`).
    pub kind: &'static str,
    /// The largest of calls, time and CPU time, in percent of the limit, rounded up; may be above 100.
    pub percent: u32,
    /// How long until calls are answered again, as Meta estimates it (whole minutes); `None` while they are.
    pub regain: Option<SignedDuration>,
}

/// Every limit the headers of an answer tell of.
pub fn read(headers: &HeaderMap) -> Box<[Usage]> {
    let values = |name| headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    let mut all = Vec::new();
    for (name, kind) in [("x-app-usage", "app"), ("x-page-usage", "page")] {
        all.extend(values(name).filter_map(|text| one(kind, &serde_json::from_str(text).ok()?)));
    }
    all.extend(values("x-business-use-case-usage").flat_map(business));
    all.truncate(MOST);
    all.into()
}

/// The longest estimate among the limits of a kind; of all kinds if `None`.
pub(super) fn regain(usage: &[Usage], kind: Option<&str>) -> Option<SignedDuration> {
    usage.iter().filter(|u| kind.is_none_or(|kind| u.kind == kind)).filter_map(|u| u.regain).max()
}

/// `{"<business or page id>": [{"type": …, "call_count": …}, …], …}`; a key may come twice, a value may be the bare object.
fn business(text: &str) -> Vec<Usage> {
    let entries = serde_json::Deserializer::from_str(text).deserialize_map(Pairs).unwrap_or_default();
    entries.iter().flat_map(|entry| entry.as_array().map_or(std::slice::from_ref(entry), Vec::as_slice)).filter_map(of_case).collect()
}

fn of_case(entry: &Value) -> Option<Usage> {
    let kind = match entry.get("type").and_then(Value::as_str) {
        Some("pages") => "pages",
        Some("messenger") => "messenger",
        Some("instagram") => "instagram",
        _ => "other",
    };
    one(kind, entry)
}

fn one(kind: &'static str, entry: &Value) -> Option<Usage> {
    let percent = ["call_count", "total_time", "total_cputime"].iter().filter_map(|name| number(entry.get(name)?)).reduce(f64::max)?;
    let minutes = entry.get("estimated_time_to_regain_access").and_then(number).filter(|minutes| *minutes > 0.0);
    let regain = minutes.map(|minutes| SignedDuration::from_mins(minutes.ceil().min(60.0 * 24.0 * 7.0) as i64));
    Some(Usage { kind, percent: percent.ceil() as u32, regain })
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|n| n.is_finite() && *n >= 0.0)
}

/// The values of a JSON object in order, those of repeated keys too.
struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<Value>;
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object of usages")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Value>, A::Error> {
        let mut values = Vec::new();
        while let Some((_, value)) = map.next_entry::<serde::de::IgnoredAny, Value>()? {
            values.push(value);
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_largest_of_the_three_percentages_counts() {
        let app = headers(&[("X-App-Usage", r#"{"call_count":28,"total_time":"51.2","total_cputime":25}"#)]);
        assert_eq!(*read(&app), [Usage { kind: "app", percent: 52, regain: None }]);
    }

    #[test]
    fn a_business_header_may_repeat_a_key_hold_a_bare_object_and_unknown_types() {
        let business = headers(&[(
            "x-business-use-case-usage",
            r#"{"1":[{"type":"pages","call_count":97,"total_cputime":23,"total_time":23,"estimated_time_to_regain_access":0}],"1":[{"type":"messenger","call_count":1},{"type":"new","call_count":2,"what":[]}],"2":{"type":"instagram","call_count":100,"total_time":"120","estimated_time_to_regain_access":"10"}}"#,
        )]);
        let found = read(&business);
        let short: Vec<_> = found.iter().map(|u| (u.kind, u.percent)).collect();
        assert_eq!(short, [("pages", 97), ("messenger", 1), ("other", 2), ("instagram", 120)]);
        assert_eq!(regain(&found, None), Some(SignedDuration::from_mins(10)));
        assert_eq!(regain(&found, Some("pages")), None);
    }

    #[test]
    fn a_header_nobody_can_read_is_passed_over() {
        for text in
            ["", "{", "[]", "null", r#"{"call_count":null}"#, r#"{"1":[1,null,"x"]}"#, r#"{"call_count":"-3"}"#, r#"{"call_count":1e999}"#]
        {
            assert_eq!(read(&headers(&[("x-app-usage", text), ("x-business-use-case-usage", text)])), Box::default(), "{text}");
        }
    }
}
