//! A ticket's clock as a picture: the line from opening to deadline or to its end, with the working hours on it and where the steps stand.
//! Shapes and classes only, so that the page's style colours it, in the dark and on paper. Pure.

use std::fmt::Write as _;

use crate::{domain::Time, hours::worktime::Worktime};

/// Width and height of the picture's own measure.
const SIZE: (f64, f64) = (1000.0, 64.0);
/// Where the line stands, and how thick it is.
const LINE: (f64, f64) = (24.0, 16.0);
/// Intervals drawn at most: after some months a line of nothing but hairs says no more.
const INTERVALS: usize = 400;

/// What stands on the line.
pub(super) struct Clock<'a> {
    /// The calendar.
    pub worktime: &'a Worktime,
    /// When the citizen began to wait.
    pub opened_at: Time,
    /// The deadline.
    pub due_at: Time,
    /// When it closed; else the present.
    pub until: Time,
    /// Whether it is closed.
    pub closed: bool,
    /// The steps' times, whether they took effect, and what they are called.
    pub steps: Vec<(Time, bool, String)>,
}

impl Clock<'_> {
    /// The picture; `label` says the same in words.
    pub fn svg(&self, label: &str) -> String {
        let begins = self.opened_at;
        let last = self.steps.iter().filter(|(_, took_effect, _)| *took_effect).map(|(at, ..)| *at).max();
        let ends = [Some(self.due_at), Some(self.until), last].into_iter().flatten().max().unwrap_or(self.due_at);
        let span = (ends.ms() - begins.ms()).max(1) as f64;
        let x = |at: Time| ((at.ms() - begins.ms()) as f64 / span * SIZE.0).clamp(0.0, SIZE.0);
        let mut out = format!(
            r#"<svg class="clock" viewBox="-8 0 {:.0} {:.0}" role="img" preserveAspectRatio="none"><title>{}</title>"#,
            SIZE.0 + 16.0,
            SIZE.1,
            escaped(label)
        );
        let mut bar = |class: &str, from: Time, to: Time| {
            let (left, right) = (x(from), x(to));
            let _ = write!(
                out,
                r#"<rect class="{class}" x="{left:.1}" y="{}" width="{:.1}" height="{}"/>"#,
                LINE.0,
                (right - left).max(0.5),
                LINE.1
            );
        };
        bar("rest", begins, ends);
        for (from, to) in self.worktime.between(begins, ends).take(INTERVALS) {
            bar("work", from, to);
            let used = to.min(self.until);
            if from < used {
                bar(
                    if self.due_at <= from { "over" } else { "used" },
                    from,
                    used.min(if from < self.due_at { self.due_at.max(from) } else { used }),
                );
                if from < self.due_at && self.due_at < used {
                    bar("over", self.due_at, used);
                }
            }
        }
        let mut mark = |class: &str, at: Time, title: &str| {
            let _ = write!(
                out,
                r#"<g class="{class}"><title>{}</title><line x1="{1:.1}" x2="{1:.1}" y1="12" y2="52"/></g>"#,
                escaped(title),
                x(at)
            );
        };
        for (at, took_effect, name) in &self.steps {
            if *at <= ends {
                mark(if *took_effect { "step done" } else { "step" }, *at, name);
            }
        }
        mark("due", self.due_at, "");
        mark(if self.closed { "closed" } else { "now" }, self.until, "");
        out.push_str("</svg>");
        out
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::settings::CalendarSpec;

    #[test]
    fn the_line_shows_work_rest_what_is_used_and_what_is_over() {
        let mut week: [Vec<(u32, u32)>; 7] = std::array::from_fn(|_| Vec::new());
        week[1] = vec![(28_800, 36_000)]; // Tuesdays, 08:00 to 10:00
        let spec = CalendarSpec {
            name: "k".into(),
            timezone: jiff::tz::TimeZone::UTC,
            week,
            periods: Vec::new(),
            holidays: std::collections::BTreeMap::new(),
            holidays_until: None,
        };
        let worktime = Worktime::new(&spec);
        let at = |text| Time::parse(text).unwrap();
        let clock = Clock {
            worktime: &worktime,
            opened_at: at("2026-11-24T07:00:00Z"),
            due_at: at("2026-11-24T09:00:00Z"),
            until: at("2026-11-24T09:30:00Z"),
            closed: false,
            steps: vec![(at("2026-11-24T08:30:00Z"), true, "75% <b>".into())],
        };
        let svg = clock.svg("jam & hari");
        let widths = |class: &str| {
            let found = regex::Regex::new(&format!(r#"class="{class}" x="([\d.]+)" y="24" width="([\d.]+)""#)).unwrap();
            found.captures_iter(&svg).map(|it| (it[1].to_owned(), it[2].to_owned())).collect::<Vec<_>>()
        };
        let pair = |x: &str, width: &str| (x.to_owned(), width.to_owned());
        assert_eq!(widths("rest"), [pair("0.0", "1000.0")]);
        assert_eq!(widths("work"), [pair("400.0", "600.0")]);
        assert_eq!(widths("used"), [pair("400.0", "400.0")]);
        assert_eq!(widths("over"), [pair("800.0", "200.0")]);
        assert!(svg.contains("<title>jam &amp; hari</title>") && svg.contains("75% &lt;b&gt;") && !svg.contains("style="), "{svg}");
    }
}
