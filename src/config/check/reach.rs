//! Warns of steps that would reach nobody. Such a step goes to `operator` in the end, but somebody meant it for another.

use super::{OPERATOR, PARENT, policy::Checked};
use crate::{
    config::problem::Findings,
    domain::settings::{Channels, Match, Official, Opd},
};

/// One warning for each step and the OPDs with an account for which it reaches nobody.
pub(super) fn warn(policies: &[Checked], opds: &[Opd], officials: &[Official], channels: &Channels, findings: &Findings) {
    let polled: Vec<&Opd> = opds.iter().filter(|opd| !opd.accounts.is_empty()).collect();
    for Checked { policy, steps, .. } in policies {
        for (step, spot) in policy.steps.iter().zip(steps) {
            let reached = |opd: &Opd| step.notify.iter().any(|group| reaches(group, opd, officials, channels));
            let missed: Vec<&str> =
                polled.iter().filter(|opd| applies(&policy.matches, opd) && !reached(opd)).map(|opd| opd.slug.as_str()).collect();
            if !missed.is_empty() && !step.notify.is_empty() {
                let whom = if missed.len() == polled.len() { "any OPD".to_owned() } else { missed.join(", ") };
                findings.warning(
                    spot,
                    format!(
                        "\"{}\" of policy \"{}\" reaches nobody for {whom}: no official of {} with an address that can be used",
                        step.text,
                        policy.name,
                        step.notify.join(", ")
                    ),
                );
            }
        }
    }
}

fn applies(matches: &Match, opd: &Opd) -> bool {
    let platform = |platform| opd.accounts.iter().any(|account| account.platform == platform);
    (matches.opd.is_empty() || matches.opd.contains(&opd.slug))
        && (matches.platform.is_empty() || matches.platform.iter().copied().any(platform))
}

fn reaches(group: &str, opd: &Opd, officials: &[Official], channels: &Channels) -> bool {
    let has_address = |it: &Official| {
        it.email.is_some() && channels.smtp.is_some()
            || it.telegram.is_some() && channels.telegram.is_some()
            || it.whatsapp.is_some() && channels.whatsapp.is_some()
            || it.webhook.is_some()
    };
    let is_his = |it: &Official| it.opd.is_empty() || it.opd.contains(&opd.slug);
    if group == PARENT {
        return opd.parent.as_ref().is_some_and(|parent| officials.iter().any(|it| it.opd.contains(parent) && has_address(it)));
    }
    group == OPERATOR
        || channels.alertmanager.as_ref().is_some_and(|it| it.group == group)
        || officials.iter().any(|it| it.group == group && is_his(it) && has_address(it))
}
