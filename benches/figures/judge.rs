//! A comment thread of 20 messages by three citizens and the Page, one ticket open and one breached, beside copying the thread.

use std::{
    collections::{HashMap, HashSet},
    hint::black_box,
};

use jiff::SignedDuration;
use serde_json::json;
use tanggap::{
    domain::{
        AccountId, Kind, MessageId, Platform, ThreadId, TicketId, TicketState, Time,
        message::Message,
        settings::Settings,
        ticket::Subject,
        view::{Ruling, ThreadView},
    },
    hours::calendar::Calendars,
    sla::judge::{Rules, judge},
};

use crate::{
    Figure, Target,
    answers::{Office, PAGE, START, comment, written},
    files::settings,
    rate,
};

const THREADS: usize = 20_000;
const CITIZENS: [(&str, &str); 3] = [("2001", "Siti Rahmawati"), ("2002", "Budi Santoso"), ("2003", "Dwi Lestari")];

pub fn run() {
    let settings = settings();
    let calendars = Calendars::new(&settings.calendars);
    let rules = rules(&settings, &calendars);
    let mut view = thread();
    // Twelve minutes after Budi's deadline: as the stage would have stored it at the last look.
    let now = Time::parse(START).unwrap().plus(SignedDuration::from_mins(372));
    let first = judge(&view, &rules, now);
    let states: Vec<_> = first.tickets.iter().map(|ruled| (ruled.ticket.state, ruled.ticket.breached_at.is_some())).collect();
    assert_eq!(states, [(TicketState::Answered, false), (TicketState::Open, true), (TicketState::Open, false)]);
    store(&mut view, first);
    assert_eq!(judge(&view, &rules, now).tickets, []);
    let ours = || rate(THREADS, || (0..THREADS).for_each(|_| drop(black_box(judge(black_box(&view), &rules, now)))));
    let copied = || rate(THREADS, || (0..THREADS).for_each(|_| drop(black_box(black_box(&view).clone()))));
    Figure::new("judge", "threads", "copying them", Target::None).measured(ours, copied).print();
}

fn rules<'a>(settings: &'a Settings, calendars: &'a Calendars) -> Rules<'a> {
    Rules {
        policies: &settings.policies,
        calendars,
        opds: &settings.opds,
        mentions: settings.sla.mentions,
        verify_within: settings.poll.verify_within,
        awake_since: Time::clamp_ms(0),
        confirm_gone: settings.poll.confirm_gone,
        configuration: "as it was",
        changed_at: Time::from_secs(0),
        restored_at: None,
        window_warning: false,
        hold: false,
    }
}

/// Siti asks and is answered; Budi asks two hours later and goes on asking; Dwi joins in three hours after him.
fn thread() -> ThreadView {
    let minute = |number: u64| match number {
        0..6 => number * 5,
        6 => 60,
        7..14 => 113 + number,
        _ => 286 + number,
    };
    let rows: Vec<_> = (0..20)
        .map(|number| {
            let (by, text) = match number {
                0..6 => (CITIZENS[0], "Kapan blangko KTP datang lagi? Saya sudah tiga kali ke kantor"),
                6 => ((PAGE, "Dindukcapil"), "Bu Siti Rahmawati, blangko sudah tersedia, silakan datang hari ini"),
                7..14 => (CITIZENS[1], "Kalau akta kelahiran anak saya bagaimana, sudah sebulan belum jadi?"),
                _ => (CITIZENS[2], "Sama pak, punya saya juga belum. Mohon dijawab"),
            };
            comment(7, 100 + number, by, text, (number > 0).then_some(100), minute(number) as i64 * 60)
        })
        .collect();
    let found = Office::new().read(7, &written(&json!({"data": rows})));
    let message = |(id, seen): (i64, _)| Message {
        id: MessageId(id),
        account: AccountId(1),
        thread_id: ThreadId(1),
        seen,
        seen_at: Time::parse(START).unwrap(),
        edited_at: None,
        deleted_at: None,
        hidden_at: None,
        missing_since: None,
        urgent_at: None,
        private_unseen_at: None,
    };
    ThreadView {
        id: ThreadId(1),
        account: AccountId(1),
        account_external: PAGE.into(),
        subject: Subject { opd: "opd-0".into(), platform: Platform::Facebook, kind: Kind::Comment },
        messages: (1..).zip(found.messages).map(message).collect(),
        elsewhere: Vec::new(),
        automatic: HashSet::new(),
        private: HashMap::new(),
        tickets: Vec::new(),
        members: HashMap::new(),
        actions: Vec::new(),
        opens_from: None,
        read_began_at: Some(Time::parse(START).unwrap().plus(SignedDuration::from_hours(8))),
        blindness: None,
        unreadable: false,
    }
}

/// Puts what was ruled into the view, as the next look would find it.
fn store(view: &mut ThreadView, ruling: Ruling) {
    for (id, mut ruled) in (1..).map(TicketId).zip(ruling.tickets) {
        ruled.ticket.id = id;
        view.members.extend(ruled.members.into_iter().map(|message| (message, id)));
        view.tickets.push(ruled.ticket);
    }
}
