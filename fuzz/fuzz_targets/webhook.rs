//! Any delivery to the webhook, read and normalized for an account of either platform.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tanggap::{
    domain::{Object, Platform, Source, message::Seen},
    graph::wire::hook::{Delivery, Entry},
    normalize::{Arrivals, Normalized, arrivals},
};
use tanggap_fuzz::{ID_MAX, context, normalized, verdict};

fn check(platform: Platform, entry: &Entry) {
    let taken = |part: fn(Arrivals) -> Normalized| normalized(platform, |ctx| part(arrivals(ctx, Source::ALL, entry)));
    let (written, changed) = (taken(|all| all.written), taken(|all| all.changed));
    let brought = |seen: &Seen| matches!(seen.object, Object::Review | Object::Comment);
    assert!(written.messages.iter().chain(&changed.messages).all(brought), "what can be read was taken from a webhook");
    assert!(written.messages.len() + changed.messages.len() <= entry.changes().count(), "a change brought more than one message");
    assert!(changed.messages.iter().all(|seen| !seen.text.as_str().is_empty()), "a change without a text would empty a message");

    let found = arrivals(&context(platform), Source::ALL, entry);
    for (object, id) in &found.removed {
        assert!(matches!(object, Object::Review | Object::Comment) && (1..=ID_MAX).contains(&id.len()));
    }

    let unread = arrivals(&context(platform), &[], entry);
    assert_eq!((unread.written, unread.changed), Default::default(), "a source was taken that is not read");
}

fuzz_target!(|data: &[u8]| match Delivery::read(data) {
    Ok(delivery) => {
        for entry in delivery.entry.iter().flat_map(|list| &list.data) {
            assert!(entry.odd() == 0 || entry.is_news(), "what nobody can read may be news");
            for platform in Platform::ALL {
                check(*platform, entry);
            }
        }
    }
    Err(error) => verdict(&error, 200, &[]),
});
