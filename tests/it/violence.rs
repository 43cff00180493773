//! The real program met by what machines, networks and crowds do to it. Each test tells of one kind, on the soak's site and with its
//! checks; some have long forms by the variables that they name.

mod crowd;
mod disk;
mod endurance;
mod kills;
mod network;
mod postgres;
mod relay;

use jiff::SignedDuration;
use tanggap::store::Db;

use crate::soak::{
    self, checks,
    site::{Daemon, Site},
};

/// What was written is read once more, and then everything stored is compared with what happened. Deadlines that are still to come are not
/// waited for; `copies` is how many a cause stands for.
async fn end(mut site: Site, daemon: Daemon, db: &Db, copies: i64) -> Site {
    site.script.quiet();
    site.live(SignedDuration::from_secs(6)).await;
    // Nothing happens any more: what Meta shows late is there, and a sweep (20 s) and a poll (5 s) show everything.
    tokio::time::sleep(std::time::Duration::from_secs(32)).await;
    daemon.stop();
    checks::every_message_is_stored_once(db, &site.simulator).await;
    soak::reckoned::every_ticket_is_as_the_rules_say(db, soak::site::now()).await;
    checks::every_letter_was_accepted_and_copies_have_a_cause(db, &site, copies).await;
    site
}
