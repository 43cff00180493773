//! Values in, rows out: integers and texts, of which everything else is made here.

use sqlx::{Row as _, postgres::PgRow, sqlite::SqliteRow};

use super::StoreError;
use crate::domain::{Text, Time};

/// A value in a statement.
#[derive(Clone, Debug)]
pub enum Val {
    /// BIGINT.
    I(Option<i64>),
    /// TEXT.
    T(Option<String>),
}

macro_rules! into_val {
    ($($from:ty => |$v:ident| $to:expr),+ $(,)?) => { $(impl From<$from> for Val { fn from($v: $from) -> Self { $to } })+ };
}
into_val! {
    i64 => |v| Self::I(Some(v)),
    Option<i64> => |v| Self::I(v),
    u32 => |v| Self::I(Some(v.into())),
    bool => |v| Self::I(Some(v.into())),
    Time => |v| Self::I(Some(v.ms())),
    Option<Time> => |v| Self::I(v.map(Time::ms)),
    &str => |v| Self::T(Some(v.replace('\0', "\u{FFFD}"))),
    String => |v| Self::T(Some(if v.contains('\0') { v.replace('\0', "\u{FFFD}") } else { v })),
    &String => |v| Self::from(v.as_str()),
    Option<String> => |v| v.map_or(Self::T(None), Self::from),
    Option<&str> => |v| v.map_or(Self::T(None), Self::from),
    &Text => |v| Self::T(Some(v.as_str().to_owned())),
    Option<&Text> => |v| Self::T(v.map(|t| t.as_str().to_owned())),
}

/// `vals![a, b]`: the values of a statement.
macro_rules! vals {
    ($($v:expr),* $(,)?) => { vec![$($crate::store::db::Val::from($v)),*] };
}
pub(crate) use vals;

/// A row, read by column name.
pub enum Row {
    /// From SQLite.
    Sqlite(SqliteRow),
    /// From PostgreSQL.
    Postgres(PgRow),
}

macro_rules! column {
    ($self:ident, $name:ident, $type:ty) => {
        match $self {
            Row::Sqlite(row) => row.try_get::<$type, _>($name),
            Row::Postgres(row) => row.try_get::<$type, _>($name),
        }
        .map_err(StoreError::of)
    };
}

impl Row {
    /// An integer.
    pub fn i(&self, name: &str) -> Result<i64, StoreError> {
        column!(self, name, i64)
    }
    /// An integer that may be null.
    pub fn oi(&self, name: &str) -> Result<Option<i64>, StoreError> {
        column!(self, name, Option<i64>)
    }
    /// A text.
    pub fn t(&self, name: &str) -> Result<String, StoreError> {
        column!(self, name, String)
    }
    /// A text that may be null.
    pub fn ot(&self, name: &str) -> Result<Option<String>, StoreError> {
        column!(self, name, Option<String>)
    }
    /// A truth value.
    pub fn b(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.i(name)? != 0)
    }
    /// A time.
    pub fn at(&self, name: &str) -> Result<Time, StoreError> {
        Ok(Time::clamp_ms(self.i(name)?))
    }
    /// A time that may be null.
    pub fn oat(&self, name: &str) -> Result<Option<Time>, StoreError> {
        Ok(self.oi(name)?.map(Time::clamp_ms))
    }
    /// One of a closed set of words.
    pub fn word<T>(&self, name: &'static str, read: fn(&str) -> Option<T>) -> Result<T, StoreError> {
        let value = self.t(name)?;
        read(&value).ok_or(StoreError::Unknown { what: name, value })
    }
    /// The same, or nothing.
    pub fn oword<T>(&self, name: &'static str, read: fn(&str) -> Option<T>) -> Result<Option<T>, StoreError> {
        self.ot(name)?.map(|value| read(&value).ok_or(StoreError::Unknown { what: name, value })).transpose()
    }
    /// A JSON text.
    pub fn json<T: serde::de::DeserializeOwned>(&self, name: &'static str) -> Result<T, StoreError> {
        let value = self.t(name)?;
        serde_json::from_str(&value).map_err(|_| StoreError::Unknown { what: name, value })
    }
}
