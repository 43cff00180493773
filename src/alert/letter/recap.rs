//! The morning sheet and the weekly recap: what an official sees on one screen of a telephone. Pure.

use std::collections::BTreeMap;

use jiff::{SignedDuration, ToSpan as _};
use minijinja::context;

use super::{
    sheet::{Item, Section, Sheet},
    speaker::Speaker,
};
use crate::{
    catalogue::WordsError,
    domain::{
        TicketState, Time,
        alert::{Alert, AlertKind},
        settings::Official,
    },
    store::recap::{Case, Facts},
};

/// Tickets named.
const LONGEST: usize = 3;
/// OPDs that got better named.
const BETTER: usize = 3;
/// Of fewer answers the median says nothing about an OPD.
const ENOUGH: usize = 5;
const DAY: SignedDuration = SignedDuration::from_hours(24);
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How far back the facts of a sheet must reach.
pub(super) const SINCE: SignedDuration = SignedDuration::from_hours(14 * 24);
/// From when on messages are counted.
pub(super) const MESSAGES: SignedDuration = WEEK;

/// The sheet or recap of an official, who sees the OPDs that are the official's own (all, if none is named).
pub(super) fn compose(speaker: &Speaker<'_>, alert: &Alert, official: &Official, facts: &Facts) -> Result<Sheet, WordsError> {
    let sees = |opd: &str| official.opd.is_empty() || official.opd.iter().any(|own| own == opd);
    let cases: Vec<&Case> = facts.cases.iter().filter(|case| sees(&case.opd) && case.state != TicketState::Withdrawn).collect();
    let own = Own { speaker, cases, facts, sees: &sees };
    let (subject, mut lines) = if alert.kind == AlertKind::Weekly { own.weekly()? } else { own.morning()? };
    let unread: Vec<_> = facts.unread.iter().filter(|(_, opd)| sees(opd)).collect();
    if !unread.is_empty() {
        let named = unread.iter().map(|(platform, opd)| Ok(format!("{} ({})", speaker.opd(opd), speaker.words.platform(*platform)?)));
        let accounts = named.collect::<Result<Vec<_>, WordsError>>()?.join(", ");
        lines.push(line(speaker.words.say("sheet_unread", context! { accounts })?));
    }
    let page = if alert.kind == AlertKind::Weekly { "report" } else { "" };
    let link = speaker.settings.http.public_url.as_ref().map(|url| format!("{url}/{page}"));
    Ok(Sheet {
        language: speaker.settings.site.language,
        title: subject.clone(),
        subject,
        greeting: speaker.greeting(&[&official.name])?,
        opds: speaker.settings.site.name.clone(),
        sections: lines,
        closing: link.as_ref().map(|link| speaker.words.say("list", context! { link })).transpose()?.into_iter().collect(),
        ask: String::new(),
        remark: None,
        list: link,
        act: None,
        act_says: None,
        button: None,
        button_says: None,
        footer: speaker.words.say("footer", context! { site => &speaker.settings.site.name })?,
        code: format!("#A{}", alert.id),
    })
}

fn line(head: String) -> Section {
    Section { head, ..Section::default() }
}

/// The middle one of some lengths, the lower of two.
fn median(mut lengths: Vec<SignedDuration>) -> Option<SignedDuration> {
    lengths.sort_unstable();
    lengths.get(lengths.len().checked_sub(1)? / 2).copied()
}

/// Whether a ticket waited at an instant.
fn waited(case: &Case, at: Time) -> bool {
    case.opened_at <= at && case.closed_at.is_none_or(|closed| closed > at)
}

fn overdue(case: &Case, at: Time) -> bool {
    waited(case, at) && case.due_at <= at
}

/// How long an answered ticket had waited.
fn length(case: &Case) -> Option<SignedDuration> {
    let closed = case.closed_at.filter(|_| case.state == TicketState::Answered)?;
    Some(closed.since(case.opened_at))
}

struct Own<'a, 'b> {
    speaker: &'a Speaker<'b>,
    cases: Vec<&'a Case>,
    facts: &'a Facts,
    sees: &'a dyn Fn(&str) -> bool,
}

impl Own<'_, '_> {
    /// What waited longest, who did not answer, what got better.
    fn morning(&self) -> Result<(String, Vec<Section>), WordsError> {
        let Self { speaker, .. } = self;
        let (words, now) = (speaker.words, speaker.now);
        let waiting: Vec<&Case> = self.cases.iter().copied().filter(|case| waited(case, now)).collect();
        let late: Vec<&Case> = waiting.iter().copied().filter(|case| overdue(case, now)).collect();
        let subject = words.say("morning_subject", context! { date => words.date(now)?, waiting => waiting.len() })?;
        let mut lines = Vec::new();
        if waiting.is_empty() {
            lines.push(line(words.say("morning_none", ())?));
        } else {
            lines.push(line(words.say("morning_count", context! { waiting => waiting.len(), overdue => late.len() })?));
            let items = waiting.iter().take(LONGEST).map(|case| self.item(case)).collect::<Result<Vec<_>, _>>()?;
            lines.push(Section { head: words.say("morning_longest", ())?, items, ..Section::default() });
        }
        if !late.is_empty() {
            let opds = speaker.counts(late.iter().map(|case| case.opd.as_str()))?;
            lines.push(line(words.say("morning_overdue", context! { opds })?));
        }
        let better = self.better()?;
        if !better.is_empty() {
            lines.push(line(words.say("morning_better", context! { opds => better.join(", ") })?));
        }
        Ok((subject, lines))
    }

    fn item(&self, case: &Case) -> Result<Item, WordsError> {
        let Self { speaker, .. } = self;
        let words = speaker.words;
        let kind = words.kind(case.kind, case.platform)?;
        let (since, length) = (words.moment(case.opened_at)?, words.length(speaker.now.since(case.opened_at))?);
        let text = words.say("morning_item", context! { opd => speaker.opd(&case.opd), kind, since, length })?;
        Ok(Item { text, link: speaker.ticket(case.id), tickets: 0 })
    }

    /// OPDs of which fewer tickets are past their deadline than a day ago, the largest change first.
    fn better(&self) -> Result<Vec<String>, WordsError> {
        let (now, yesterday) = (self.speaker.now, self.speaker.now.minus(DAY));
        let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for case in &self.cases {
            let (before, today) = counts.entry(&case.opd).or_default();
            *before += usize::from(overdue(case, yesterday));
            *today += usize::from(overdue(case, now));
        }
        let mut better: Vec<_> = counts.into_iter().filter(|(_, (before, today))| today < before).collect();
        better.sort_by_key(|&(opd, (before, today))| (std::cmp::Reverse(before - today), opd));
        let named = better.into_iter().take(BETTER);
        let named = named.map(|(opd, (before, now))| {
            self.speaker.words.say("morning_better_opd", context! { opd => self.speaker.opd(opd), before, now })
        });
        named.collect()
    }

    /// The seven days before the one that holds `now`.
    fn weekly(&self) -> Result<(String, Vec<Section>), WordsError> {
        let Self { speaker, facts, sees, .. } = self;
        let (words, now) = (speaker.words, speaker.now);
        let (week, before) = (now.minus(WEEK), now.minus(WEEK * 2));
        let today = now.timestamp().to_zoned_datetime(speaker.settings.site.timezone.clone());
        let day = |back: i64| today.checked_sub(back.days()).map_or(now, |day| Time::from_timestamp(day.timestamp()));
        let subject = words.say("weekly_subject", context! { from => words.date(day(7))?, to => words.date(day(1))? })?;
        let (all, asking) =
            facts.messages.iter().filter(|(opd, ..)| sees(opd)).fold((0, 0), |(all, asking), (_, n, a)| (all + n, asking + a));
        let opened: Vec<&Case> = self.cases.iter().copied().filter(|case| case.opened_at >= week).collect();
        let in_time = opened.iter().filter(|case| length(case).is_some() && case.closed_at.is_some_and(|at| at <= case.due_at)).count();
        let late = opened.iter().filter(|case| length(case).is_some()).count() - in_time;
        let waiting: Vec<&Case> = self.cases.iter().copied().filter(|case| waited(case, now)).collect();
        let past: Vec<&Case> = waiting.iter().copied().filter(|case| overdue(case, now)).collect();
        let (tickets, share) = (opened.len(), in_time * 100 / opened.len().max(1));
        let mut lines = vec![
            line(words.say("weekly_messages", context! { all, asking })?),
            line(
                words
                    .say("weekly_answered", context! { in_time, tickets, share, late, waiting => waiting.len(), overdue => past.len() })?,
            ),
        ];
        let within = |from: Time, to: Time| {
            let closed = self.cases.iter().filter(|case| case.closed_at.is_some_and(|at| from <= at && at < to));
            closed.filter_map(|case| Some((case.opd.as_str(), length(case)?))).collect::<Vec<_>>()
        };
        let answered = within(week, now);
        if let Some(half) = median(answered.iter().map(|&(_, length)| length).collect()) {
            let former = median(within(before, week).into_iter().map(|(_, length)| length).collect());
            let former = former.map(|former| words.length(former)).transpose()?;
            lines.push(line(words.say("weekly_half", context! { length => words.length(half)?, before => former })?));
        }
        if let Some((opd, half)) = self.fastest(&answered) {
            lines.push(line(words.say("weekly_fastest", context! { opd => speaker.opd(opd), length => words.length(half)? })?));
        }
        if !past.is_empty() {
            let opds = speaker.counts(past.iter().map(|case| case.opd.as_str()))?;
            lines.push(line(words.say("weekly_attention", context! { opds })?));
        }
        Ok((subject, lines))
    }

    /// The OPD with the smallest median among those with answers enough, whose accounts can all be read and of which nothing is overdue;
    /// none where there is but one to compare.
    fn fastest<'c>(&self, answered: &[(&'c str, SignedDuration)]) -> Option<(&'c str, SignedDuration)> {
        let mut lengths: BTreeMap<&'c str, Vec<SignedDuration>> = BTreeMap::new();
        for &(opd, length) in answered {
            lengths.entry(opd).or_default().push(length);
        }
        let late = |opd: &str| self.cases.iter().any(|case| case.opd == opd && overdue(case, self.speaker.now));
        let blind = |opd: &str| self.facts.unread.iter().any(|(_, unread)| unread == opd);
        let compared = lengths.len();
        let fair = lengths.into_iter().filter(|(opd, lengths)| lengths.len() >= ENOUGH && !late(opd) && !blind(opd));
        fair.filter_map(|(opd, lengths)| Some((opd, median(lengths)?))).min_by_key(|&(opd, half)| (half, opd)).filter(|_| compared > 1)
    }
}
