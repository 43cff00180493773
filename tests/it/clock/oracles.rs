//! Two crates that others wrote for the same arithmetic, fed with our calendars. They stay with jiff 0.2, so instants
//! pass as seconds. All three of us resolve skipped and repeated hours alike.

use tanggap::domain::settings::{CalendarSpec, DayHours};
use ule_hours::jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time, Weekday},
};

/// workclock, which knows no periods: those of the calendar are left out.
pub struct Workclock(workclock::Schedule);

impl Workclock {
    pub fn new(spec: &CalendarSpec) -> Self {
        let mut builder = workclock::Schedule::builder().time_zone(spec.timezone.iana_name().unwrap());
        for (weekday, &(from, to)) in spec.week.iter().zip(weekdays()).flat_map(|(hours, day)| hours.iter().map(move |span| (day, span))) {
            // An end of 00:00 is the next midnight.
            builder = builder.rule(workclock::WorkDay::new(clock(from), clock(to % 86_400), [weekday].into_iter().collect()));
        }
        Self(builder.rule(workclock::Holidays::new(spec.holidays.keys().map(|day| date(*day)))).build().unwrap())
    }
    pub fn due(&self, from: i64, budget: i64) -> i64 {
        self.0.add(at(from), SignedDuration::from_secs(budget)).unwrap().as_second()
    }
    pub fn due_before(&self, deadline: i64, seconds: i64) -> i64 {
        self.0.sub(at(deadline), SignedDuration::from_secs(seconds)).unwrap().as_second()
    }
    pub fn worked(&self, from: i64, to: i64) -> i64 {
        self.0.between(at(from), at(to)).as_secs()
    }
}

/// ule-hours, where a period is a run of special days.
pub struct UleHours(ule_hours::Schedule);

impl UleHours {
    pub fn new(spec: &CalendarSpec) -> Self {
        let mut builder = ule_hours::Schedule::builder(spec.timezone.iana_name().unwrap()).unwrap();
        for (hours, weekday) in spec.week.iter().zip(weekdays()) {
            builder = builder.open([weekday], &windows(hours)).unwrap();
        }
        // The last word on a day stands, where in ours the first period does. A special day would beat a holiday.
        for period in spec.periods.iter().rev() {
            let days = date(period.from).series(ule_hours::jiff::ToSpan::day(1)).take_while(|day| *day <= date(period.to));
            for day in days.filter(|day| !spec.holidays.keys().any(|holiday| date(*holiday) == *day)) {
                let hours = &period.week[day.weekday().to_monday_zero_offset() as usize];
                builder = builder.special(day, &windows(hours)).unwrap();
            }
        }
        Self(spec.holidays.keys().fold(builder, |builder, day| builder.closed_on(date(*day))).build())
    }
    /// For a budget of nothing it gives the next opening, where we give the start itself.
    pub fn due(&self, from: i64, budget: i64) -> i64 {
        self.0.add(at(from), SignedDuration::from_secs(budget)).unwrap().as_second()
    }
    pub fn worked(&self, from: i64, to: i64) -> i64 {
        self.0.between(at(from), at(to)).as_secs()
    }
}

fn weekdays() -> impl Iterator<Item = Weekday> {
    (0..7).map(|day| Weekday::from_monday_zero_offset(day).unwrap())
}
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}
fn date(day: jiff::civil::Date) -> Date {
    Date::new(day.year(), day.month(), day.day()).unwrap()
}
fn clock(second: u32) -> Time {
    Time::new((second / 3600) as i8, (second / 60 % 60) as i8, (second % 60) as i8, 0).unwrap()
}
fn windows(hours: &DayHours) -> String {
    let clock = |second: u32| format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    hours.iter().map(|&(from, to)| format!("{}-{}", clock(from), clock(to))).collect::<Vec<_>>().join(",")
}
