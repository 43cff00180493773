//! The headers that tell how much of Meta's limits is used: each line is a value of the header that its first byte names
//! (`a`: the app's, `b`: the Page's, `c`: that of the business use cases).

#![no_main]

use http::{HeaderMap, HeaderValue};
use jiff::SignedDuration;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tanggap::graph::{GraphError, Next, Usage, usage, wire::body};
use tanggap_fuzz::verdict;

const NAMES: [&str; 3] = ["x-app-usage", "x-page-usage", "x-business-use-case-usage"];
const KINDS: [&str; 6] = ["app", "page", "pages", "messenger", "instagram", "other"];
const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);

fn headers(data: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let [name, value @ ..] = line else { continue };
        let Ok(value) = HeaderValue::from_bytes(value) else { continue };
        headers.append(NAMES[usize::from(name.wrapping_sub(b'a')) % NAMES.len()], value);
    }
    headers
}

/// The percentages that a value plainly says, by its own reading of it.
fn plain(value: &HeaderValue) -> Vec<u32> {
    let said: Value = value.to_str().ok().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let numbers = ["call_count", "total_time", "total_cputime"].iter().filter_map(|name| said.get(name)?.as_u64());
    numbers.filter_map(|number| number.try_into().ok()).collect()
}

/// How long a limit of calls with this code makes wait.
fn rest(code: u32, usage: &[Usage]) -> Option<SignedDuration> {
    let error = format!(r#"{{"error":{{"code":{code}}}}}"#);
    let Err(error): Result<Value, GraphError> = body::read(400, None, error.as_bytes(), usage.into()) else { return None };
    verdict(&error, 400, usage);
    match error.next {
        Next::Later { after, .. } => after,
        _ => None,
    }
}

fuzz_target!(|data: &[u8]| {
    let headers = headers(data);
    let found = usage::read(&headers);
    assert_eq!(found, usage::read(&headers));
    assert!(found.len() <= 64);
    for Usage { kind, regain, .. } in &found {
        assert!(KINDS.contains(kind));
        assert!(regain.is_none_or(|regain| regain.is_positive() && regain <= LONGEST), "{regain:?}");
    }
    if found.len() < 64 {
        for (name, kind) in [("x-app-usage", "app"), ("x-page-usage", "page")] {
            let most = found.iter().filter(|usage| usage.kind == kind).map(|usage| usage.percent).max();
            let said = headers.get_all(name).iter().flat_map(plain).max();
            assert!(most >= said, "{said:?} percent are said to be {most:?}");
        }
    }
    let longest = found.iter().filter_map(|usage| usage.regain).max();
    assert_eq!(rest(17, &found), longest);
    assert!([4, 80_001, 80_002, 80_006].into_iter().all(|code| rest(code, &found) <= longest));
});
