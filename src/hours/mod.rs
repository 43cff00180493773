//! Working time: calendars, and which policy's deadline and steps a ticket has on them. Pure; asked by all who reckon with the clock.

pub mod calendar;
pub mod policy;
pub mod worktime;
