//! Working time: calendars, which policy's deadline and steps a ticket has on them, and how long which OPD held it. Pure; asked by all who
//! reckon with the clock.

pub mod calendar;
pub mod holding;
pub mod policy;
pub mod worktime;
