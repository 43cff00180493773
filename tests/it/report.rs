//! The report: its figures on cases put together by hand, the league table, history under other policies, both databases, the command.

mod command;
mod rank;
mod replay;
mod stored;
mod world;
pub mod year;

use tanggap::{
    domain::{Scope, TicketId, TicketState, settings::Language},
    report::{self, By, page},
    store::figures::Handover,
};
use world::{answered, at, closed, english, figures, open, settings, told};

const MORNING: &str = "2026-11-23T02:30:00Z"; // Monday, 09.30 WIB

#[test]
fn every_end_of_a_case_stands_in_a_column_of_its_own() {
    let mut all = figures();
    let withdrawn = |id, minutes, reason: &str| {
        let case = closed(open(id, 1, MORNING), TicketState::Withdrawn, minutes);
        tanggap::store::figures::Case { reason: Some(reason.into()), ..case }
    };
    let mut staff = answered(3, 1, MORNING, 10);
    staff.answered_by = Some("staff".into());
    let mut unverified = open(9, 1, MORNING);
    unverified.unverified = true;
    all.cases = vec![
        answered(1, 1, MORNING, 60),
        answered(2, 1, MORNING, 300),
        staff,
        withdrawn(4, 30, "gone"),
        withdrawn(5, 600, "hidden"),
        withdrawn(6, 5, "merged into 1"),
        closed(open(7, 1, MORNING), TicketState::Dismissed, 900),
        open(8, 1, "2026-11-30T22:00:00Z"),
        unverified,
    ];
    all.older = vec![open(10, 1, "2026-10-01T00:00:00Z")];
    let report = english(&all);
    let it = &report.totals;
    assert_eq!(
        (it.tickets, it.answered, it.staff, it.dismissed, it.open, it.overdue, it.older),
        (8, 2, 1, 1, 2, 1, 1),
        "the merged one is none"
    );
    assert_eq!((it.gone, it.gone_waited_seconds, it.hidden, it.hidden_waited_seconds), (1, Some(1800), 1, Some(36_000)));
    assert_eq!((it.decided, it.in_time, it.unverified), (5, 2, 1), "hidden after the deadline is late, removed before it is undecided");
    assert_eq!(it.oldest_seconds, Some(61 * 86_400), "the one from before the period");
    assert_eq!(report.waiting.iter().map(|row| row.ticket.0).collect::<Vec<_>>(), [10, 9, 8], "longest waiting first");
}

#[test]
fn an_answer_at_the_instant_of_the_deadline_is_in_time_and_ack_changes_no_figure() {
    let mut all = figures();
    all.cases = vec![answered(1, 1, MORNING, 240), answered(2, 1, MORNING, 241)];
    let report = english(&all);
    assert_eq!((report.totals.decided, report.totals.in_time), (2, 1));
    all.cases[1].acknowledged_at = Some(at(MORNING));
    assert_eq!(english(&all), report);
}

#[test]
fn hours_and_days_are_those_of_the_sites_clock() {
    let mut all = figures();
    // Sunday 20.30 UTC is Monday 03.30 WIB; the last instant of November in WIB is still Monday
    all.cases = vec![open(1, 1, "2026-11-22T20:30:00Z"), answered(2, 1, "2026-11-30T16:59:59Z", 60)];
    let report = told(&all, Language::English, By::Day, &Scope::ALL).unwrap();
    assert_eq!((report.heat_map[0][3].tickets, report.heat_map[0][3].late, report.heat_map[0][23].tickets), (1, 1, 1));
    assert_eq!(report.heat_map.iter().flatten().map(|cell| cell.tickets).sum::<u64>(), 2);
    assert_eq!(report.groups.iter().map(|group| group.key.as_str()).collect::<Vec<_>>(), ["2026-11-23", "2026-11-30"]);
    let weeks: Vec<_> = report.weeks.iter().map(|week| (week.monday.to_string(), week.tickets)).collect();
    assert_eq!(weeks.first().unwrap(), &("2026-10-26".to_owned(), 0), "a week without messages is shown");
    assert_eq!(weeks[4..], [("2026-11-23".to_owned(), 1), ("2026-11-30".to_owned(), 1)]);
}

#[test]
fn a_period_is_whole_days_of_the_sites_clock_its_last_included() {
    let zone = settings().site.timezone;
    let (from, to) = report::span(jiff::civil::date(2026, 11, 1), jiff::civil::date(2026, 11, 1), &zone);
    assert_eq!((from, to), (at("2026-10-31T17:00:00Z"), at("2026-11-01T17:00:00Z")));
    let (first, last) = report::last_days(30, at("2026-11-30T17:00:00Z"), &zone);
    assert_eq!((first.to_string(), last.to_string()), ("2026-11-02".into(), "2026-12-01".into()));
}

#[test]
fn each_agency_answers_for_its_own_minutes_of_what_was_handed_over() {
    let mut all = figures();
    let mut case = answered(1, 1, MORNING, 180);
    case.opd = "dua".into();
    all.cases = vec![case];
    all.handovers.insert(TicketId(1), vec![Handover { at: at("2026-11-23T04:30:00Z"), to: "dua".into() }]);
    let report = english(&all);
    let held: Vec<_> =
        report.handovers.iter().map(|it| (it.name.as_str(), it.tickets, it.passed_on, it.working_seconds, it.clock_seconds)).collect();
    assert_eq!(held, [("DUA", 1, 0, 3600, 3600), ("SATU", 1, 1, 7200, 7200)]);
    let opd = &report.groups[0];
    assert_eq!((opd.key.as_str(), opd.handed_over, opd.median_working.unwrap().seconds), ("dua", 1, 3600), "its own minutes");
    assert_eq!(report.totals.median_working.unwrap().seconds, 10_800, "the citizen's wait");
}

#[test]
fn single_tickets_are_listed_of_the_scope_alone_and_figures_of_all() {
    let mut all = figures();
    all.cases = vec![open(1, 1, MORNING), open(2, 2, MORNING)];
    let report = told(&all, Language::Indonesian, By::Opd, &Scope::of(["dua"])).unwrap();
    assert_eq!(report.waiting.iter().map(|row| row.opd.as_str()).collect::<Vec<_>>(), ["dua"]);
    assert_eq!(report.groups.len(), 2);
    let page = page::fragment(&report, &settings().site).unwrap();
    assert!(page.contains("#2</th>") && !page.contains("#1</th>"), "{page}");
}

#[test]
fn the_page_stands_alone_in_both_languages_and_hostile_names_are_inert() {
    const HOSTILE: &str = "=1+1<script>alert(1)</script>\"' onload=x";
    let mut all = figures();
    all.cases = (1..20).map(|id| answered(id, 1, MORNING, 10 * id)).chain([open(20, 2, MORNING)]).collect();
    all.accounts.values_mut().for_each(|it| it.name = Some(HOSTILE.into()));
    all.accounts.values_mut().find(|it| it.opd == "dua").unwrap().watched = Some(0.5);
    all.cases[0].policy = HOSTILE.into();
    all.cases[1].opd = HOSTILE.into();
    for (language, words) in [(Language::Indonesian, "belum dijawab"), (Language::English, "Unanswered")] {
        let report = told(&all, language, By::Account, &Scope::ALL).unwrap();
        let mut site = settings().site;
        site.language = language;
        let page = page::page(&report, &site).unwrap();
        assert!(page.starts_with("<!DOCTYPE html>") && page.contains(words) && page.contains(&format!("lang=\"{language}\"")));
        assert!(!page.contains("<script") && !page.contains(" style=") && !page.contains("http"), "nothing is run or loaded");
        assert!(page.contains("&lt;script&gt;"), "the name is shown");
        assert_eq!(page.matches("<svg").count(), page.matches("</desc>").count(), "each drawing says its numbers");
        let fragment = page::fragment(&report, &site).unwrap();
        assert!(!fragment.contains("<style") && page.contains(page::STYLE));
    }
}

#[test]
fn nothing_at_all_is_told_without_a_division_by_it() {
    for language in [Language::Indonesian, Language::English] {
        let report = told(&figures(), language, By::Opd, &Scope::ALL).unwrap();
        let page = page::page(&report, &settings().site).unwrap();
        assert!(!page.contains("NaN") && report.groups.is_empty() && report.totals.share.is_none());
        assert!(report.ranking.iter().all(|row| row.place.is_none()), "nobody is ranked by nothing");
    }
}
