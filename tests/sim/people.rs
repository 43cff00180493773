//! Staff and officials who act on tickets: beside the program, by its database and on Meta's pages.

use jiff::{SignedDuration, Timestamp};
use tanggap::{
    demo::world::Draft,
    domain::{Scope, SharedSettings, TicketId, Time, ticket::ActionKind},
    store::{Db, actions},
};

use super::{faults::Act, world::World};

/// One of the tickets that are open, with its thread's name and its deadline.
async fn open(db: &Db, pick: u64) -> Option<(TicketId, String, Time)> {
    // not by number: threads of one read are numbered in no order
    let sql = "SELECT t.id, t.due_at, h.name FROM ticket t JOIN thread h ON h.id = t.thread_id WHERE t.state = 'open' ORDER BY t.opened_at, h.key";
    let rows = db.rows(sql, vec![]).await.unwrap();
    let row = rows.get(pick as usize % rows.len().max(1))?;
    Some((TicketId(row.i("id").unwrap()), row.t("name").unwrap(), row.at("due_at").unwrap()))
}

/// Staff say something of one of them. `woken`: the sla stage hears of it.
pub async fn staff(db: &Db, settings: &SharedSettings, now: Timestamp, pick: u64, woken: &mut bool) {
    let Some((id, ..)) = open(db, pick).await else { return };
    let kinds = [
        ActionKind::Ack,
        ActionKind::Ack,
        ActionKind::Unack,
        ActionKind::Note,
        ActionKind::Assign,
        ActionKind::Dismiss,
        ActionKind::Resolve,
        ActionKind::Handover,
    ];
    let kind = kinds[(pick >> 32) as usize % kinds.len()];
    let text =
        if kind == ActionKind::Handover { settings.opds[(pick >> 40) as usize % settings.opds.len()].slug.as_str() } else { "alasan" };
    actions::record(db, &Scope::ALL, &[id], (kind, text), "siti", Time::from_timestamp(now)).await.unwrap();
    *woken = true;
}

/// An official will answer one of them in its last second, or in the second of its deadline.
pub async fn snipe(db: &Db, world: &World, pick: u64) -> Option<(Timestamp, Act)> {
    let (_, name, due) = open(db, pick).await?;
    let at = due.timestamp() - SignedDuration::from_secs((pick >> 32) as i64 % 2);
    (at > world.now()).then_some((at, Act::Answer(name)))
}

/// He does.
pub fn answer(world: &World, name: &str) {
    world.simulator.world().answer(name, "Terima kasih atas laporannya, sudah kami tindak lanjuti.");
}

/// An official answers a citizen's newest word in the very second in which it was written.
pub fn at_once(world: &World, pick: u64) {
    let mut graph = world.simulator.world();
    let words = graph.items().iter().rev().filter(|item| item.by_citizen() && item.deleted.is_none()).take(5);
    let words: Vec<(String, Timestamp)> = words.map(|item| (item.id.clone(), item.created)).collect();
    if let Some((id, created)) = words.get(pick as usize % words.len().max(1)) {
        graph.answer(id, Draft::from("Baik, kami periksa sekarang.").at(*created));
    }
}
