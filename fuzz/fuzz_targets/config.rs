//! Any configuration, as the daemon reads it at its start: the main file, and behind a line `#%` one of its `.d/` folder.
//!
//! It is refused with a reason, or it holds: a name that stands in it leads somewhere, every OPD has a clock for every policy, a deadline
//! comes, steps stand in time order, nothing is sent in the clear, and no secret is said. Reading it again gives the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tanggap::{
    config::Loaded,
    domain::{
        Kind, Platform, Time,
        settings::{Match, Settings},
        ticket::{StepKind, Subject},
    },
    hours::{calendar::Calendars, policy},
};
use tanggap_fuzz::site;
use url::{Host, Url};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    if text.contains("/dev") || text.contains("/proc") {
        return; // files of holidays without an end
    }
    let (main, part) = text.split_once("\n#%\n").map_or((text, None), |(main, part)| (main, Some(part)));
    site::put("tanggap.toml", Some(main));
    site::put("tanggap.d/10.toml", part);
    let (first, again) = (site::load(), site::load());
    match (first, again) {
        (Err(first), Err(again)) => assert_eq!(first, again),
        (Ok(first), Ok(again)) => {
            assert_eq!(format!("{first:?}"), format!("{again:?}"));
            holds(&first);
        }
        _ => panic!("read once it holds, read again it does not"),
    }
});

fn holds(Loaded { settings, .. }: &Loaded) {
    assert!(settings.accounts().count() > 0 && !settings.policies.is_empty());
    names_lead_somewhere(settings);
    nothing_goes_in_the_clear(settings);
    let calendars = Calendars::new(&settings.calendars);
    let opened = Time::from_secs(1_795_485_600);
    for opd in &settings.opds {
        for policy in &settings.policies {
            let calendar = calendars.calendar_for(policy, opd);
            let plan = policy::plan(policy, &calendar.worktime, opened);
            assert!(plan.due_at >= opened && plan.steps.iter().all(|step| step.due >= opened));
            assert!(plan.steps.windows(2).all(|pair| pair[0].due <= pair[1].due), "steps out of order");
            assert_eq!(plan.steps.iter().filter(|step| step.kind == StepKind::Breach).map(|step| step.due).min(), Some(plan.due_at));
        }
        for (platform, kind, urgent) in [(Platform::Facebook, Kind::Message, true), (Platform::Instagram, Kind::Comment, false)] {
            let subject = Subject { opd: opd.slug.clone(), platform, kind };
            policy::choose(&settings.policies, &subject, urgent);
        }
    }
}

fn names_lead_somewhere(settings: &Settings) {
    let opd = |slug: &String| assert!(settings.opd(slug).is_some(), "no OPD {slug:?}");
    for (at, policy) in settings.policies.iter().enumerate() {
        assert!(settings.calendars.contains_key(&policy.calendar));
        assert_eq!(policy.matches == Match::default(), at + 1 == settings.policies.len(), "the last policy, and no other, takes the rest");
        policy.matches.opd.iter().for_each(opd);
        for group in policy.steps.iter().flat_map(|step| &step.notify) {
            let channel = settings.channels.alertmanager.as_ref().is_some_and(|it| it.group == *group);
            let reached = group == "operator" || channel || settings.officials.iter().any(|official| official.group == *group);
            assert!(reached, "nobody is in {group:?}");
        }
    }
    for official in &settings.officials {
        official.opd.iter().for_each(opd);
        assert!(official.webhook.as_ref().is_none_or(|name| settings.channels.webhooks.contains_key(name)));
        assert!(official.email.is_none() || settings.channels.smtp.is_some());
    }
    let slugs: Vec<&String> = settings.opds.iter().map(|opd| &opd.slug).collect();
    assert!(slugs.iter().enumerate().all(|(at, slug)| !slugs[..at].contains(slug)), "two OPDs with one slug");
    for opd_ in &settings.opds {
        opd_.parent.iter().for_each(opd);
        assert!(opd_.calendar.as_ref().is_none_or(|name| settings.calendars.contains_key(name)));
        assert!(opd_.accounts.iter().filter_map(|account| account.app.as_ref()).all(|app| settings.graph.apps.contains_key(app)));
        assert!(opd_.accounts.iter().all(|account| account.token.is_some() || !settings.graph.sources.is_empty()), "no token from anywhere");
    }
    assert!(settings.graph.verify_token.is_none() || settings.graph.app.secret.is_some(), "deliveries that nobody could prove");
}

fn nothing_goes_in_the_clear(settings: &Settings) {
    let channels = &settings.channels;
    let mut urls = vec![&settings.graph.url, &settings.graph.instagram_url];
    urls.extend(settings.heartbeat.url.iter().chain(&settings.http.public_url));
    urls.extend(channels.telegram.iter().map(|it| &it.url).chain(channels.whatsapp.iter().map(|it| &it.url)));
    urls.extend(channels.webhooks.values().map(|it| &it.url).chain(channels.alertmanager.iter().map(|it| &it.url)));
    urls.extend(channels.smtp.iter().map(|it| &it.url).chain(settings.oidc.iter().map(|it| &it.issuer)));
    for url in urls {
        let Ok(url) = Url::parse(url) else { panic!("no URL") };
        let loopback = match url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()),
            None => false,
        };
        assert!(loopback || matches!(url.scheme(), "https" | "smtps" | "smtp+starttls"), "{} to {:?}", url.scheme(), url.host_str());
        assert!(url.password().is_none(), "a password in a URL");
    }
}
