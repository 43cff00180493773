//! An instant as both databases keep it: whole milliseconds since 1970-01-01T00:00:00Z.

use jiff::{SignedDuration, Timestamp, fmt::strtime};

/// Milliseconds since the Unix epoch, UTC. Always between the years 1970 and 9000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Time(i64);

/// 9000-01-01T00:00:00Z: what is later is a date nobody can mean.
const LAST: i64 = 221_845_392_000_000;

impl utoipa::PartialSchema for Time {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::{KnownFormat, ObjectBuilder, SchemaFormat, schema::Type};
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).into()
    }
}
impl utoipa::ToSchema for Time {}

impl Time {
    /// From milliseconds; `None` outside the years 1970 to 9000.
    pub const fn from_ms(ms: i64) -> Option<Self> {
        if ms >= 0 && ms < LAST { Some(Self(ms)) } else { None }
    }
    /// From milliseconds, held to the years 1970 to 9000.
    pub fn clamp_ms(ms: i64) -> Self {
        Self(ms.clamp(0, LAST - 1))
    }
    /// From whole seconds, held to the years 1970 to 9000.
    pub fn from_secs(secs: i64) -> Self {
        Self::clamp_ms(secs.saturating_mul(1000))
    }
    /// Milliseconds since the epoch.
    pub const fn ms(self) -> i64 {
        self.0
    }
    /// Whole seconds since the epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }
    /// The same instant, its fraction of a second cut off.
    #[must_use]
    pub const fn floor_secs(self) -> Self {
        Self(self.secs() * 1000)
    }
    /// This much later (earlier if negative), held to the years 1970 to 9000.
    #[must_use]
    pub fn plus(self, by: SignedDuration) -> Self {
        Self::clamp_ms(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
    /// This much earlier, held to the years 1970 to 9000.
    #[must_use]
    pub fn minus(self, by: SignedDuration) -> Self {
        Self::clamp_ms(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
    /// How long after `earlier`; negative if before it.
    pub const fn since(self, earlier: Self) -> SignedDuration {
        SignedDuration::from_millis(self.0 - earlier.0)
    }
    /// The same instant for calendar arithmetic.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }
    /// The instant of a timestamp, to the millisecond, held to the years 1970 to 9000.
    pub fn from_timestamp(at: Timestamp) -> Self {
        Self::clamp_ms(at.as_millisecond())
    }
    /// RFC 3339 in UTC with `Z`, whole seconds.
    pub fn rfc3339(self) -> String {
        strtime::format("%Y-%m-%dT%H:%M:%SZ", self.timestamp()).unwrap_or_default()
    }
    /// RFC 3339 in UTC with `Z` and milliseconds.
    pub fn rfc3339_ms(self) -> String {
        strtime::format("%Y-%m-%dT%H:%M:%S.%3fZ", self.timestamp()).unwrap_or_default()
    }
    /// Reads RFC 3339 (any offset), or Meta's `2026-11-24T02:00:00+0000`, or an all-digit text of
    /// Unix seconds or milliseconds (told apart by size). `None` if it is none of these or outside the years 1970 to 9000.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if !text.is_empty() && text.len() <= 17 && text.bytes().all(|b| b.is_ascii_digit()) {
            return Self::from_unix(text.parse().ok()?);
        }
        let at = text.parse::<Timestamp>().or_else(|_| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text)).ok()?;
        Self::from_ms(at.as_millisecond())
    }
    /// Unix seconds, or milliseconds when the number is too large for seconds.
    pub const fn from_unix(number: i64) -> Option<Self> {
        if number >= 100_000_000_000 { Self::from_ms(number) } else { Self::from_ms(number.saturating_mul(1000)) }
    }
}

/// `#[serde(with = "rfc3339")]`: whole seconds, as the contract's JSON has it.
pub mod rfc3339 {
    use super::Time;
    /// Writes it.
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
    pub fn serialize<S: serde::Serializer>(at: &Time, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&at.rfc3339())
    }
    /// The same for a time that may be absent: `null`.
    pub mod option {
        use super::Time;
        /// Writes it.
        #[allow(clippy::ref_option)] // serde's signature
        pub fn serialize<S: serde::Serializer>(at: &Option<Time>, s: S) -> Result<S::Ok, S::Error> {
            match at {
                Some(at) => s.serialize_some(&at.rfc3339()),
                None => s.serialize_none(),
            }
        }
    }
    /// With milliseconds: `seen_at`, `flagged_at`, `delivered_at`.
    pub mod ms {
        use super::Time;
        /// Writes it.
        #[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
        pub fn serialize<S: serde::Serializer>(at: &Time, s: S) -> Result<S::Ok, S::Error> {
            s.serialize_str(&at.rfc3339_ms())
        }
        /// The same for a time that may be absent: `null`.
        pub mod option {
            use super::Time;
            /// Writes it.
            #[allow(clippy::ref_option)] // serde's signature
            pub fn serialize<S: serde::Serializer>(at: &Option<Time>, s: S) -> Result<S::Ok, S::Error> {
                match at {
                    Some(at) => s.serialize_some(&at.rfc3339_ms()),
                    None => s.serialize_none(),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_ways_meta_writes_a_time_are_one_instant() {
        let want = Some(Time::from_secs(1_795_485_600));
        for text in ["2026-11-24T02:00:00+0000", "2026-11-24T02:00:00Z", "2026-11-24T09:00:00+07:00", "1795485600", "1795485600000"] {
            assert_eq!(Time::parse(text), want, "{text}");
        }
    }

    #[test]
    fn a_time_nobody_can_read_is_none_and_never_a_panic() {
        for text in ["", "gestern", "9999-12-31T23:59:59+0000", "-1", "2026-13-01T00:00:00+0000", "99999999999999999", "2026-11-24"] {
            assert_eq!(Time::parse(text), None, "{text}");
        }
    }

    #[test]
    fn seconds_and_milliseconds_are_written_as_the_contract_says() {
        let at = Time::clamp_ms(1_795_485_600_123);
        assert_eq!(at.rfc3339(), "2026-11-24T02:00:00Z");
        assert_eq!(at.rfc3339_ms(), "2026-11-24T02:00:00.123Z");
    }
}
